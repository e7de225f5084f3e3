"""Runs the tests on every Python that the machine has, each in an environment of its own.

make pythons                                    the ordinary suite
make pythons ARGS="tests/compiler -n 0"         a part of it, with pytest's arguments
make pythons ARGS="--only 3.12,3.13t tests/nn"  on these alone
make pythons ARGS=--list                        says what there is

Looked at are the folders of PATH and those in which pyenv and uv keep theirs. Of each minor version
the newest is taken, with and without the global lock. What of the ``dev`` extra has no wheel for a
version is left out there, and said; its tests are skipped, as they are wherever it is missing.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
#: Where the environments are; git ignores it.
ENVIRONMENTS = ROOT / ".pythons"
OLDEST = (3, 11)
NAMES = re.compile(r"python(3(\.\d+t?)?)?(\.exe)?")
#: A package, and its extras that are wanted.
REQUIREMENT = re.compile(r"([\w.-]+)(?:\[(.*?)\])?")
#: What the suite can't do without, beside what AINO itself needs.
CORE = ("pytest", "pytest-xdist", "hypothesis")
QUESTION = """
import importlib.util, json, os, sys, sysconfig
print(json.dumps([
    list(sys.version_info[:3]), sys.implementation.name,
    bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
    os.path.realpath(getattr(sys, "_base_executable", sys.executable)),
    all(importlib.util.find_spec(name) for name in ("venv", "ensurepip")),
]))
"""


@dataclass(frozen=True, order=True)
class Python:
    """An interpreter, ``complete`` where it can make environments."""

    version: tuple[int, ...]
    free_threaded: bool
    complete: bool
    path: str
    implementation: str = "cpython"

    @property
    def name(self) -> str:
        """Its minor version, as its program is called: 3.13, 3.13t."""
        return f"{self.version[0]}.{self.version[1]}{'t' if self.free_threaded else ''}"


def main(arguments: Sequence[str]) -> int:
    """Run the tests wherever they can be run; return how many Pythons they failed on."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.pythons",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--list", action="store_true", help="say what there is, and stop")
    parser.add_argument("--only", metavar="VERSIONS", help="3.12, say, or 3.12,3.13t")
    options, passed_on = parser.parse_known_args(arguments)
    found = chosen(ask(candidates(folders())))
    if options.only:
        wanted = options.only.replace(",", " ").split()
        missing = sorted(set(wanted) - {python.name for python in found})
        if missing:
            there = ", ".join(python.name for python in found) or "none"
            print(f"no Python {', '.join(missing)} is here; there are: {there}", file=sys.stderr)
            return len(missing)
        found = [python for python in found if python.name in wanted]
    for python in found:
        print(f"{python.name:6} {'.'.join(map(str, python.version)):8} {python.path}")
    if options.list:
        return 0
    if not found:
        print("no Python of at least 3.11 that has venv and ensurepip is here", file=sys.stderr)
        return 1
    outcomes = [outcome(python, passed_on) for python in found]
    print("\n" + "\n".join(line for _, line in outcomes))
    return sum(not good for good, _ in outcomes)


def folders() -> list[Path]:
    """Return where programs lie, and where pyenv and uv keep interpreters."""
    home = Path.home()
    pyenv = Path(os.environ.get("PYENV_ROOT") or home / ".pyenv") / "versions"
    uv = Path(os.environ.get("UV_PYTHON_INSTALL_DIR") or home / ".local/share/uv/python")
    on_path = [Path(part) for part in os.environ.get("PATH", "").split(os.pathsep) if part]
    kept = [folder for root in (pyenv, uv) for folder in sorted(root.glob("*"))]
    return [*on_path, *(folder / "bin" for folder in kept), *kept]


def candidates(folders: Iterable[Path]) -> list[Path]:
    """Return the programs in ``folders`` that are called as an interpreter is, each once."""
    found: dict[Path, None] = {}
    for folder in folders:
        for program in sorted(folder.glob("python*")):
            if NAMES.fullmatch(program.name) and os.access(program, os.X_OK):
                found.setdefault(program.resolve() if "shims" not in program.parts else program)
    return list(found)


def ask(programs: Iterable[Path]) -> list[Python]:
    """Return the interpreters among ``programs``, each asked what it is."""
    found = set()
    for program in programs:
        try:
            done = subprocess.run(
                [program, "-I", "-c", QUESTION], capture_output=True, text=True, timeout=60
            )
            version, implementation, free_threaded, path, complete = json.loads(done.stdout)
        except (OSError, ValueError, subprocess.TimeoutExpired):
            continue  # a shim of a version that is not chosen, another program of that name
        found.add(Python(tuple(version), free_threaded, complete, path, implementation))
    return sorted(found)


def chosen(found: Iterable[Python]) -> list[Python]:
    """Return the newest of each minor version that AINO runs on and that can make environments."""
    newest: dict[tuple[int, ...], Python] = {}
    for python in sorted(found):
        if python.complete and python.version >= OLDEST and python.implementation == "cpython":
            newest[(*python.version[:2], python.free_threaded)] = python
    return [newest[key] for key in sorted(newest)]


def requirements(project: dict[str, Any]) -> dict[str, list[str]]:
    """Return what the ``dev`` extra needs, by the extra or the package that it is needed for.

    The first, ``""``, is what there must be. The extras of AINO itself are followed one by one, so
    that where ``aino[all]`` can't be had as a whole the rest of it is.
    """
    extras = project["optional-dependencies"]
    groups: dict[str, list[str]] = {"": list(project["dependencies"])}

    def add(requirement: str) -> None:
        words = REQUIREMENT.match(requirement)
        assert words is not None, requirement
        name, named = words.groups()
        if name != project["name"]:
            groups.setdefault("" if name in CORE else name, []).append(requirement)
            return
        for extra in re.split(r"\s*,\s*", named):
            if any(needed.startswith(f"{name}[") for needed in extras[extra]):
                for needed in extras[extra]:
                    add(needed)
            else:
                groups.setdefault(extra, []).extend(extras[extra])

    add(f"{project['name']}[dev]")
    return groups


def outcome(python: Python, arguments: Sequence[str]) -> tuple[bool, str]:
    """Run the tests on one Python; return whether they passed, and a line that says so."""
    print(f"\n== Python {python.name}", flush=True)
    start = time.monotonic()
    try:
        folder, without = prepare(python)
    except RuntimeError as error:
        return False, f"{python.name:6} NO ENVIRONMENT: {error}"
    parallel = [] if any(a.startswith(("-n", "--numproc")) for a in arguments) else ["-n", "auto"]
    last, code = run([program(folder), "-m", "pytest", *parallel, *arguments])
    verdict = {0: "passed", 5: "RAN NO TEST"}.get(code, "FAILED")
    line = f"{python.name:6} {verdict}: {last.strip('= ')} ({time.monotonic() - start:.0f} s)"
    if without:
        line += f"; without {', '.join(without)}"
    return code == 0, line


def prepare(python: Python) -> tuple[Path, dict[str, str]]:
    """Make the environment of a Python where there is none of today's; say what it is without."""
    folder = ENVIRONMENTS / python.name
    stamp = folder / "ready.json"
    text = (ROOT / "pyproject.toml").read_bytes()
    made_of = hashlib.sha256(text + repr((python, str(ROOT))).encode()).hexdigest()
    try:
        ready = json.loads(stamp.read_text(encoding="utf-8"))
        if ready["made of"] == made_of:
            return folder, said(ready["without"])
    except (OSError, ValueError):
        pass
    print(f"setting up {folder} (once)", flush=True)
    quietly([python.path, "-m", "venv", "--clear", folder])
    without = install(folder, requirements(tomllib.loads(text.decode())["project"]))
    pip(folder, "--no-deps", "--editable", str(ROOT))
    stamp.write_text(json.dumps({"made of": made_of, "without": without}), encoding="utf-8")
    return folder, said(without)


def said(without: dict[str, str]) -> dict[str, str]:
    for name, reason in without.items():
        print(f"without {name}: {reason}", flush=True)
    return without


def install(folder: Path, groups: dict[str, list[str]]) -> dict[str, str]:
    """Install wheels of all groups; return those that can't be had, and why."""
    try:
        pip(folder, "--only-binary=:all:", *(item for group in groups.values() for item in group))
        return {}
    except RuntimeError:
        pass
    pip(folder, "--only-binary=:all:", *groups[""])
    without = {}
    for name, group in groups.items():
        try:
            pip(folder, "--only-binary=:all:", *group)
        except RuntimeError as error:
            without[name] = str(error)
    return without


def pip(folder: Path, *arguments: str) -> None:
    command = [program(folder), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    quietly([*command, *arguments])


def program(folder: Path) -> Path:
    """Return the interpreter of an environment."""
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def quietly(command: Sequence[str | Path]) -> None:
    """Run a command without a word; raise what it said last where it fails."""
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        words = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        errors = [line for line in words if line.startswith("ERROR")]
        raise RuntimeError((errors or words or [f"exit status {done.returncode}"])[-1].strip())


def run(command: Sequence[str | Path]) -> tuple[str, int]:
    """Run a command, show what it says, and return its last line and its exit status."""
    last = ""
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, text=True, errors="replace"
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            last = line.strip() or last
    return last, process.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
