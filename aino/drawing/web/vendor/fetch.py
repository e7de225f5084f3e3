"""Fetches what the page uses of others: dagre, which finds the places of boxes, and its licence.

Run by hand when the version changes (it needs npm): ``python -m aino.drawing.web.vendor.fetch``.
Each package is the one that npm serves for its version, checked by its checksum before anything
is taken out of it; the files are as they are in there. ``--check`` writes nothing, and tells
whether what stands here is that.
"""

from __future__ import annotations

import base64
import hashlib
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent

#: Package and version, the checksum of its archive as npm has it, and what is taken of it: a path
#: in the archive, and where it goes. dagre.min.js holds graphlib, which has a licence of its own.
PACKAGES = [
    (
        "@dagrejs/dagre@3.1.3",
        "X4aUTwOReZvthaZWOVHqlJ52/ZdhZFEM4+Lh/uR4XooUSLE6p71bcy7MPGzYnNUcNh+nj+i/qJQpCMIdQnSmrg==",
        {"package/dist/dagre.min.js": "dagre.min.js", "package/LICENSE": "LICENSE"},
    ),
    (
        "@dagrejs/graphlib@4.0.6",
        "Hjv7hbfmSBMP4nVXMFt4gusqWWHghQF0qNT4V5KHo4Jatvd+2L5VHKFnnIjXVuDnaHIRz7ZuHSnlf0RuZkOwWA==",
        {"package/LICENSE": "LICENSE"},
    ),
]


def fetched() -> dict[str, bytes]:
    """Return the files of all packages, by name; licences stand one below the other."""
    found: dict[str, bytes] = {}
    for package, checksum, wanted in PACKAGES:
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(
                ["npm", "pack", "--silent", package], cwd=folder, check=True, capture_output=True
            )
            (archive,) = Path(folder).iterdir()
            digest = hashlib.sha512(archive.read_bytes()).digest()
            if base64.b64encode(digest).decode() != checksum:
                raise SystemExit(f"{package} is not the archive that it was: its checksum differs")
            with tarfile.open(archive) as opened:
                for inside, name in wanted.items():
                    member = opened.extractfile(inside)
                    if member is None:
                        raise SystemExit(f"{package} holds no {inside}")
                    text = member.read()
                    if name == "LICENSE":
                        text = f"{package}\n\n".encode() + text.strip() + b"\n\n"
                    else:
                        text = _without_map(text)
                    found[name] = found.get(name, b"") + text
    return {name: text.strip() + b"\n" for name, text in found.items()}


def _without_map(script: bytes) -> bytes:
    """Leave out the last line, which names a map of the source that is not here."""
    lines = script.strip().split(b"\n")
    return b"\n".join(line for line in lines if not line.startswith(b"//# sourceMappingURL="))


def main(arguments: list[str]) -> None:
    for name, text in fetched().items():
        path = HERE / name
        if arguments == ["--check"]:
            if path.read_bytes() != text:
                raise SystemExit(f"{path} is not what npm has")
        else:
            path.write_bytes(text)
        print(f"{name}: {len(text):,} bytes, sha256 {hashlib.sha256(text).hexdigest()}")


if __name__ == "__main__":
    main(sys.argv[1:])
