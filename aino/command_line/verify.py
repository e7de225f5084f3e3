"""``verify``: whether a file is sound."""

from typing import Any

import aino
from aino.command_line.models import check_file

HELP = "check every byte of a .dit, loading nothing"
DESCRIPTION = """\
Check a .dit: its structure, and every tensor against its checksum. Nothing is
loaded or run. The exit status is 0 for a sound file and 1 for any other.
"""
EXAMPLES = "example:\n  python -m aino verify model.dit\n"


def add(command: Any) -> None:
    """Describe the command's arguments."""
    command.add_argument("file", metavar="FILE", help="a .dit")


def run(chosen: Any) -> str:
    """Return what is said of the file."""
    check_file(chosen.file)
    found = aino.verify(chosen.file)
    text = (
        f"{chosen.file}: sound, a {found.kind} in .dit version {found.version} by "
        f"{found.written_by}; {found.tensors} tensors of {found.nbytes:,} bytes"
    )
    unknown = ", ".join(found.unknown_classes)
    return f"{text}; classes that are not registered here: {unknown}" if unknown else text
