"""Two runs of the history beside each other: what is slower now, and what is faster.

python -m benchmarks compare                  the last run with the one before it
python -m benchmarks compare 3                run 0003 with the last one
python -m benchmarks compare main HEAD        the last runs of two commits, by any name git knows
python -m benchmarks compare a.json b.json    two files, from wherever they are
python -m benchmarks history                  which runs there are

A case is judged by AINO's median in units of its peer's (PyTorch's, where that was measured, else
the first peer that both runs have), since a machine is now fast and now slow, and another machine
is another one altogether; where it has no peer, or with ``--by time``, by the time itself. It is
slower, or faster, where that has changed by more than the threshold and the quartiles of both runs
lie apart; where they overlap, more rounds have to tell. The exit status is 1 where something is
slower, and 2 where nothing can be compared.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import history
from benchmarks.report import amount

FAVOURITE = "PyTorch"
SLOWER, FASTER, UNCLEAR, SAME = "SLOWER", "faster", "unclear", ""


class NoRunError(LookupError):
    """There is no such run, or nothing in it to compare."""


@dataclass(frozen=True)
class Change:
    """What became of one benchmark: its medians, and how they changed (0.1: slower by 10 %)."""

    name: str
    kind: str
    before: float
    now: float
    time: float
    peer: str | None
    beside: float | None
    verdict: str


def main(names: Sequence[str], folder: Path, threshold: float, by: str) -> int:
    """Print how two runs compare; return 1 where something is slower, 2 where nothing compares."""
    try:
        before, now = (load(path) for path in chosen(names, folder))
        changes, missing, added = compare(before, now, threshold, by)
    except NoRunError as error:
        print(f"benchmarks compare: {error}", file=sys.stderr)
        return 2
    print(f"before: {heading(before)}\nnow:    {heading(now)}")
    for note in differences(before, now):
        print(f"! {note}")
    print("\n" + "\n".join(table(changes)) + "\n")
    for run, names_left in (("before", missing), ("now", added)):
        if names_left:
            print(f"only in the run {run}: {len(names_left)}: {shortened(names_left)}")
    found = Counter(change.verdict for change in changes)
    unclear = f", {found[UNCLEAR]} perhaps (their quartiles overlap)" if found[UNCLEAR] else ""
    print(
        f"by more than {threshold:.0%}: {found[SLOWER]} slower, {found[FASTER]} faster{unclear}; "
        f"{found[SAME]} as before"
    )
    return int(found[SLOWER] > 0)


def show(folder: Path) -> int:
    """Print which runs this machine's history has, the oldest first."""
    paths = history.runs(folder / history.machine())
    for path in paths:
        run = load(path)
        families = {b["fullname"].partition("::")[0] for b in run["benchmarks"]}
        print(f"{heading(run)}: {len(run['benchmarks'])} benchmarks of {len(families)} families")
    if not paths:
        print(f"no run is in {folder / history.machine()} yet: python -m benchmarks")
    return 0


def chosen(names: Sequence[str], folder: Path) -> tuple[Path, Path]:
    """Return the files of the run before and of the run now."""
    if len(names) > 2:
        raise NoRunError(f"two runs are compared, and {len(names)} were named: {', '.join(names)}")
    paths = history.runs(folder / history.machine())
    if len(names) < 2 and len(paths) < 2 - len(names):
        raise NoRunError(
            f"{folder / history.machine()} holds {len(paths) or 'no'} run{'' if paths else 's'}, "
            "and two are compared: python -m benchmarks makes one"
        )
    before = find(names[0], folder) if names else paths[-2]
    now = find(names[1], folder) if len(names) == 2 else paths[-1]
    if before == now:
        raise NoRunError(f"{before.name} would be compared with itself")
    return before, now


def find(name: str, folder: Path) -> Path:
    """Return the run of a name: a file, a number, a commit, or ``machine/number``."""
    if Path(name).is_file():
        return Path(name).resolve()
    place, _, last = name.rpartition("/")
    within = folder / place
    if not place or not within.is_dir():
        within, last = folder / history.machine(), name
    paths = history.runs(within)
    commit = None
    if re.fullmatch(r"\d{1,4}", last):
        found = [path for path in paths if history.number_of(path) == int(last)]
    else:
        commit = history.git("rev-parse", "--verify", "--quiet", f"{last}^{{commit}}") or last
        found = [path for path in paths if path.name.partition("_")[2].startswith(commit)]
    if not found:
        there = ", ".join(path.name[:12] for path in paths[-8:]) or "none"
        said = repr(name) if commit in (None, last) else f"of {name!r} ({commit[:9]})"
        raise NoRunError(f"no run {said} is in {within}; the last ones there: {there}")
    return found[-1]


def load(path: Path) -> dict[str, Any]:
    """Return what a file says of its run, with its name."""
    try:
        run = json.loads(path.read_text(encoding="utf-8"))
        by_name = {b["fullname"]: b for b in run["benchmarks"]}
        return {**run, "benchmarks": list(by_name.values()), "by_name": by_name, "file": path.name}
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise NoRunError(f"{path} is no run in pytest-benchmark's format: {error!r}") from error


def compare(
    before: dict[str, Any], now: dict[str, Any], threshold: float, by: str = "ratio"
) -> tuple[list[Change], list[str], list[str]]:
    """Return what became of AINO's benchmarks, which are missing now, and which were added."""
    ours = [
        {name: b for name, b in run["by_name"].items() if "ratios" in b["extra_info"]}
        for run in (before, now)
    ]
    if not ours[0].keys() & ours[1].keys():
        raise NoRunError(
            f"{before['file']} and {now['file']} have no benchmark in common: "
            f"there {shortened(list(ours[0]))}, here {shortened(list(ours[1]))}"
        )
    comparable = not machines_differ(before, now)
    changes = [
        change(b, ours[1][name], threshold, by, comparable)
        for name, b in ours[0].items()
        if name in ours[1]
    ]
    return (
        changes,
        [n for n in ours[0] if n not in ours[1]],
        [n for n in ours[1] if n not in ours[0]],
    )


def change(
    before: dict[str, Any], now: dict[str, Any], threshold: float, by: str, comparable: bool
) -> Change:
    """Return what became of one benchmark. Times of machines that differ are no verdict."""
    old, new = before["stats"], now["stats"]
    times = [(s["q1"], s["median"], s["q3"]) for s in (old, new)]
    peer = shared_peer(before, now)
    beside = None
    if peer is not None:
        # What a peer takes in units of AINO's time, turned over: AINO's time in units of its.
        ratios = [[1 / r for r in b["extra_info"]["ratios"][peer][::-1]] for b in (before, now)]
        beside = verdict(*ratios, threshold)
    time = verdict(*times, threshold)
    judged = beside if beside is not None and by == "ratio" else time
    if judged is time and not comparable:
        judged = (0.0, SAME)
    return Change(
        name=f"{before['group'].partition(':')[0]}: {before['name']}",
        kind=before["extra_info"]["kind"],
        before=old["median"],
        now=new["median"],
        time=time[0],
        peer=peer,
        beside=None if beside is None else beside[0],
        verdict=judged[1],
    )


def verdict(old: Sequence[float], new: Sequence[float], threshold: float) -> tuple[float, str]:
    """Compare quartile, median, quartile: by what part the median changed, and what to call it."""
    if not old[1]:
        return (0.0, SAME) if not new[1] else (float("inf"), SLOWER)
    changed = new[1] / old[1] - 1
    if changed > threshold:
        return changed, SLOWER if new[0] > old[2] else UNCLEAR
    if old[1] > (1 + threshold) * new[1]:
        return changed, FASTER if new[2] < old[0] else UNCLEAR
    return changed, SAME


def shared_peer(before: dict[str, Any], now: dict[str, Any]) -> str | None:
    """Return the peer by whose time AINO's is measured in both runs."""
    old, new = (b["extra_info"]["ratios"] for b in (before, now))
    shared = [peer for peer in old if peer in new and all(old[peer]) and all(new[peer])]
    return min(shared, key=lambda peer: not peer.startswith(FAVOURITE), default=None)


def machines_differ(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Return what makes the times of two runs no measure of each other, as lines of text."""
    machines = [run["machine_info"] for run in (before, now)]
    return [
        f"another {what}: {values[0]} before, {values[1]} now; only ratios to a peer are judged"
        for what, values in (
            ("processor", [machine.get("cpu", {}).get("brand_raw") for machine in machines]),
            ("number of threads", [environment_of(run).get("threads") for run in (before, now)]),
        )
        if values[0] != values[1]
    ]


def differences(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Return what but the commit differs between two runs, as lines of text."""
    old, new = (environment_of(run).get("versions", {}) for run in (before, now))
    return machines_differ(before, now) + [
        f"{name} {old[name]} before, {new[name]} now"
        for name in old
        if name != "aino" and new.get(name, old[name]) != old[name]
    ]


def environment_of(run: dict[str, Any]) -> dict[str, Any]:
    return run["machine_info"].get("environment", {})


def table(changes: Sequence[Change]) -> list[str]:
    width = max(len(c.name) for c in changes)
    lines = [f"{'':{width}} {'before':>9} {'now':>9} {'change':>8}"]
    for c in changes:
        beside = "" if c.beside is None else f"  beside {c.peer} {c.beside:+.1%}"
        times = f"{amount(c.before, c.kind):>9} {amount(c.now, c.kind):>9} {c.time:>+8.1%}"
        lines.append(f"{c.name:{width}} {times}{beside:36} {c.verdict}".rstrip())
    return lines


def heading(run: dict[str, Any]) -> str:
    """Return which run it is: its number, commit and time."""
    commit = run["commit_info"]
    changed = ", with uncommitted changes" if commit["dirty"] else ""
    number = run["file"].partition("_")[0] if history.RUN.fullmatch(run["file"]) else run["file"]
    return f"{number}  {commit['id'][:9]}  {run['datetime'][:16].replace('T', ' ')}{changed}"


def shortened(names: Sequence[str]) -> str:
    """Return the first of the names of benchmarks, as text."""
    found = [re.sub(r"^benchmarks/(\w+)\.py::", r"\1: ", name) for name in names[:3]]
    return "; ".join([*found, "..."] if len(names) > 3 else found) or "none"
