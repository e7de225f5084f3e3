"""Two versions of AINO, paired: each in a process of its own, which take turns.

python -m benchmarks eager training --against ../before

``../before`` is another checkout (``git worktree add ../before v3.0.0``). Both run the benchmarks
of this one.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks import peers
from benchmarks.harness import Case, Contender, Result, calls_within
from benchmarks.neighbours import Neighbours

ROOT = Path(__file__).resolve().parent.parent
NOW, BEFORE = "AINO now", "AINO before"
THREADS = 2
START = "import sys; sys.path.insert(0, sys.argv[1]); import benchmarks.against as a; a.serve()"


class Version:
    """A process that holds one version of AINO, and does what it is told."""

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", START, str(ROOT), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, *request: Any) -> Any:
        """Send a request and return the answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError("the process of the other version has ended; its error is above")
        return json.loads(answer)

    def end(self) -> None:
        self._process.kill()
        self._process.wait()


def compare(case: Case, before: Path, rounds: int, seconds: float) -> Result | None:
    """Measure AINO's part of a case in this checkout and in that of ``before``, turn by turn."""
    versions = {NOW: Version(ROOT), BEFORE: Version(before)}
    neighbours = Neighbours()
    taken = []
    try:
        counts = {
            name: version.ask("build", case.family, case.name, seconds)
            for name, version in versions.items()
        }
        count = min(counts.values())
        if not count:  # a case that only the peers make
            return None
        names = list(versions)
        for turn in range(rounds):
            neighbours.share()
            times = {}
            for name in names if turn % 2 else names[::-1]:
                times[name] = versions[name].ask("turn", count) / count / case.work
            taken.append((neighbours.share(), times))
    finally:
        for version in versions.values():
            version.end()
    taken.sort(key=lambda round: round[0])
    quiet = [times for _, times in taken[: max(5, 2 * rounds // 3)]]
    figures = {name: [times[name] for times in quiet] for name in versions}
    return Result(case.family, case.name, case.unit, case.kind, figures, {}, [])


def serve() -> None:
    """Answer requests from the other end of standard input, with the AINO of a given folder."""
    peers.prepare(THREADS)
    peers.optional = lambda name: None  # type: ignore[assignment]
    folder = Path(sys.argv[2]).resolve()
    sys.path.insert(0, str(folder))
    aino = import_module("aino")
    del sys.path[0]
    if Path(aino.__file__ or "").parent.parent != folder:
        raise RuntimeError(f"{folder} holds no AINO: {aino.__file__} was imported")
    contender: Contender | None = None
    for line in sys.stdin:
        request, *arguments = json.loads(line)
        answer: float
        if request == "build":
            family, name, seconds = arguments
            cases = import_module(f"benchmarks.{family}").cases()
            case = next((case for case in cases if case.name == name), None)
            contender = None if case is None else case.build()[0]
            answer = 0 if contender is None else calls_within(contender, seconds)
        else:
            assert contender is not None
            time.sleep(0.005)
            contender.warm()
            answer = contender.timed(arguments[0])
        print(json.dumps(answer), flush=True)
