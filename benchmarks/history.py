"""What was measured, kept run by run in pytest-benchmark's format, so that commits can be compared.

A run is a file, ``.benchmarks/<machine>/NNNN_<commit>_<time>.json``, named and written as
``pytest --benchmark-autosave`` does, so that pytest-benchmark's own tools read it, too:

pytest-benchmark list
pytest-benchmark compare 0001 0002 --group-by=fullname

Each contender of a case is a benchmark of its own, ``y + w[AINO eager]`` and ``y + w[PyTorch]``, in
a group together. AINO's keep in ``extra_info`` how many times as long each peer takes, turn by
turn: machines are now fast and now slow, and that is what stays the same (``benchmarks.compare``).
"""

from __future__ import annotations

import json
import math
import platform
import re
import statistics
import subprocess
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.harness import AINO, Result

ROOT = Path(__file__).resolve().parent.parent
HISTORY = ROOT / ".benchmarks"
#: The version of pytest-benchmark whose format this is.
FORMAT = "5.3.1"
RUN = re.compile(r"(\d{4,})_([0-9a-z]+)_(\d{8}_\d{6})(_uncommitted-changes)?\.json")


def machine() -> str:
    """Return the name of the folder for what is measured here: ``Linux-CPython-3.13-64bit``."""
    version = ".".join(platform.python_version_tuple()[:2])
    parts = platform.system(), platform.python_implementation(), version, platform.architecture()[0]
    return "-".join(parts)


def keep(
    results: Iterable[Result], environment: dict[str, Any], options: dict[str, Any], history: Path
) -> Path:
    """Write a run into its history, numbered after the last one, and return its file."""
    folder = history / machine()
    folder.mkdir(parents=True, exist_ok=True)
    now = datetime.now(UTC)
    commit = commit_info()
    number = max([number_of(path) for path in runs(folder)], default=0) + 1
    name = f"{number:04}_{commit['id']}_{now:%Y%m%d_%H%M%S}"
    path = folder / f"{name}{'_uncommitted-changes' if commit['dirty'] else ''}.json"
    run = {
        "machine_info": machine_info(environment),
        "commit_info": commit,
        "benchmarks": [
            benchmark(result, contender, options)
            for result in results
            for contender in result.seconds
        ],
        "datetime": now.isoformat(),
        "version": FORMAT,
    }
    text = json.dumps(run, indent=1, allow_nan=False) + "\n"
    with path.open("x", encoding="utf-8") as file:
        file.write(text)
    return path


def runs(folder: Path) -> list[Path]:
    """Return the runs that a machine's folder holds, the oldest first."""
    found = [path for path in folder.glob("*.json") if RUN.fullmatch(path.name)]
    return sorted(found, key=number_of)


def number_of(path: Path) -> int:
    return int(path.name.partition("_")[0])


def benchmark(result: Result, contender: str, options: dict[str, Any]) -> dict[str, Any]:
    """Return what one contender took, as pytest-benchmark describes a test of one parameter."""
    name = f"{result.name}[{contender}]"
    extra: dict[str, Any] = {"unit": result.unit, "kind": result.kind, "notes": result.notes}
    if contender.startswith(AINO):
        extra["ratios"] = {
            peer: result.ratios(peer, to=contender)
            for peer in result.seconds
            if not peer.startswith(AINO) and all(result.seconds[contender])
        }
    return {
        "group": f"{result.family}: {result.name} ({result.kind})",
        "name": name,
        "fullname": f"benchmarks/{result.family}.py::{name}",
        "params": {"contender": contender},
        "param": contender,
        "extra_info": extra,
        "options": options,
        "stats": {
            **stats(result.seconds[contender]),
            "iterations": result.calls.get(contender, 1),
        },
    }


def stats(data: list[float]) -> dict[str, Any]:
    """Return pytest-benchmark's figures for what a call took in each round.

    Its quartiles are the medians of both halves, and where the rounds are odd in number, means of
    neighbours, weighed by a quarter and three quarters.
    """
    ordered, rounds = sorted(data), len(data)
    mean = statistics.mean(data)
    deviation = statistics.stdev(data) if rounds > 1 else 0.0
    q1, q3 = lower_hinge(ordered), -lower_hinge([-value for value in reversed(ordered)])
    iqr = q3 - q1
    far = sum(not mean - deviation <= value <= mean + deviation for value in data)
    low, high = q1 - 1.5 * iqr, q3 + 1.5 * iqr
    outside = sum(not low <= value <= high for value in data)
    total = math.fsum(data)
    return {
        "min": ordered[0],
        "max": ordered[-1],
        "mean": mean,
        "stddev": deviation,
        "rounds": rounds,
        "median": statistics.median(data),
        "iqr": iqr,
        "q1": q1,
        "q3": q3,
        "iqr_outliers": outside,
        "stddev_outliers": far,
        "outliers": f"{far};{outside}",
        "ld15iqr": ordered[bisect_left(ordered, low)],
        "hd15iqr": ordered[bisect_right(ordered, high) - 1],
        "ops": rounds / total if total else 0.0,
        "total": total,
        "data": data,
    }


def lower_hinge(ordered: list[float]) -> float:
    """Return the quartile below the median, as pytest-benchmark takes it."""
    quarter, rest = divmod(len(ordered), 4)
    if len(ordered) == 1:
        return ordered[0]
    if rest == 1:
        return 0.25 * ordered[quarter - 1] + 0.75 * ordered[quarter]
    if rest == 3:
        return 0.75 * ordered[quarter] + 0.25 * ordered[quarter + 1]
    return statistics.median(ordered[: len(ordered) // 2])


def machine_info(environment: dict[str, Any]) -> dict[str, Any]:
    """Return the machine as pytest-benchmark describes it, and what else the figures depend on."""
    return {
        "node": platform.node(),
        "processor": platform.processor(),
        "machine": platform.machine(),
        "python_compiler": platform.python_compiler(),
        "python_implementation": platform.python_implementation(),
        "python_implementation_version": platform.python_version(),
        "python_version": platform.python_version(),
        "python_build": platform.python_build(),
        "release": platform.release(),
        "system": platform.system(),
        "cpu": {"brand_raw": environment["processor"], "count": environment["cores"]},
        "environment": environment,
    }


def commit_info() -> dict[str, Any]:
    """Return which commit this is, and whether files differ from it."""
    found = git("rev-parse", "HEAD")
    branch = git("rev-parse", "--abbrev-ref", "HEAD")
    return {
        "id": found or "unversioned",
        "time": git("show", "-s", "--format=%cI"),
        "author_time": git("show", "-s", "--format=%aI"),
        "dirty": bool(git("status", "--porcelain", "--untracked-files=no")),
        "project": "aino",
        "branch": "(detached head)" if branch == "HEAD" else branch or "(unknown)",
    }


def git(*arguments: str) -> str | None:
    """Return what git says of this checkout, or None where there is none, or no git."""
    try:
        done = subprocess.run(
            ["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
