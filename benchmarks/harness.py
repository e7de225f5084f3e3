"""Paired measurement: contenders take turns in one process, and ratios are taken turn by turn.

A shared machine is now fast and now slow. What is measured within the same hundred milliseconds
shares that fate, so the ratio of two neighbours is steadier than either time; the median of many
such ratios, with its quartiles, is what is reported.
"""

from __future__ import annotations

import gc
import itertools
import math
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from benchmarks.neighbours import Neighbours

AINO = "AINO"
#: Part of the cores that others may use in a round that counts, and how many such rounds suffice.
DISTURBED = 0.1
ENOUGH = 5
#: Seconds before a turn, in which the threads of the contender before give up spinning: OpenBLAS's
#: go on for 2²⁶ ticks of the clock, and would slow whoever comes next.
PAUSE = 0.06


@dataclass
class Contender:
    """One way of doing the work: ``call()`` does it once; ``finish()`` waits for what is pending.

    ``show`` takes what ``call`` returns to the number in which contenders should agree.
    """

    name: str
    call: Callable[[], Any]
    finish: Callable[[Any], Any] | None = None
    show: Callable[[Any], Any] = lambda result: result

    def warm(self) -> None:
        """Do it once untimed: the caches hold what the contender before has left there."""
        self.timed(1)

    def timed(self, count: int) -> float:
        """Return the seconds that ``count`` calls take, everything pending included."""
        call, finish = self.call, self.finish
        result = None
        start = time.perf_counter()
        for _ in itertools.repeat(None, count):
            result = call()
        if finish is not None:
            finish(result)
        return time.perf_counter() - start


@dataclass
class Case:
    """A workload: ``build()`` makes its contenders anew; the first one is AINO's.

    ``wanted``: contender -> how many times as long as AINO it should take at least.
    ``calls_before_check``: after so many calls all contenders return the same number, to
    ``tolerance``; 0 where there is nothing to compare.
    ``work``: what one call does, when that should be divided by (20 operations, say).
    """

    family: str
    name: str
    build: Callable[[], list[Contender]]
    wanted: dict[str, float] = field(default_factory=dict)
    calls_before_check: int = 20
    tolerance: float = 5e-3
    work: int = 1
    unit: str = "step"
    #: What is measured, "seconds" or "bytes", and how often if not as often as asked for.
    kind: str = "seconds"
    rounds: int | None = None


@dataclass
class Result:
    """What a case gave: seconds (or bytes) per call, a number for each contender and round.

    ``calls`` says how many calls of a contender each number is the mean of.
    """

    family: str
    name: str
    unit: str
    kind: str
    seconds: dict[str, list[float]]
    wanted: dict[str, float]
    notes: list[str]
    calls: dict[str, int] = field(default_factory=dict)

    def median(self, contender: str) -> float:
        return statistics.median(self.seconds[contender])

    def ratios(self, contender: str, to: str | None = None) -> tuple[float, float, float]:
        """Return how many times as long it takes as ``to``: quartile, median, quartile."""
        reference = self.seconds[to or next(iter(self.seconds))]
        pairs = zip(self.seconds[contender], reference)
        return quartiles([other / own for other, own in pairs])

    def verdict(self, contender: str) -> str:
        """Say whether the ratio is what is wanted, when something is."""
        if contender not in self.wanted:
            return ""
        reached = self.ratios(contender)[1] >= self.wanted[contender]
        return f"{'reached' if reached else 'MISSED'}, wanted {self.wanted[contender]:g}"


def quartiles(values: list[float]) -> tuple[float, float, float]:
    """Return the lower quartile, the median and the upper quartile."""
    if len(values) == 1:
        return values[0], values[0], values[0]
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, middle, high


def number(value: Any) -> float:
    """Return a loss as a Python number, whoever computed it."""
    return float(value.item() if hasattr(value, "item") else value)


def measure(case: Case, rounds: int, seconds: float, patience: float = 0.0) -> Result:
    """Build a case's contenders, check that they agree, and let them take turns.

    A round in which others used the machine is not counted; for ``patience`` seconds such rounds
    are taken again. Where quiet ones stay too few, the quietest are counted, and a note says so.
    """
    contenders = case.build()
    notes = check_agreement(case, contenders)
    counts = {c.name: calls_within(c, seconds) for c in contenders}
    wanted = case.rounds or rounds
    taken: list[tuple[float, dict[str, float]]] = []
    neighbours = Neighbours()
    until = time.monotonic() + patience
    while len(taken) < wanted or (_quiet(taken) < wanted and time.monotonic() < until):
        start = len(taken) % len(contenders)
        gc.collect()
        neighbours.share()
        turns = {}
        for contender in contenders[start:] + contenders[:start]:
            count = counts[contender.name]
            time.sleep(PAUSE)
            contender.warm()
            turns[contender.name] = contender.timed(count) / count / case.work
        taken.append((neighbours.share(), turns))
    taken.sort(key=lambda round: round[0])
    enough = min(wanted, ENOUGH)
    if _quiet(taken) < enough:
        notes.append(
            f"others used the machine: up to {taken[enough - 1][0]:.0%} of it in the {enough} "
            f"quietest of {len(taken)} rounds, which are counted"
        )
    counted = [turns for _, turns in taken[: max(enough, min(wanted, _quiet(taken)))]]
    times = {c.name: [turns[c.name] for turns in counted] for c in contenders}
    calls = {name: count * case.work for name, count in counts.items()}
    return Result(case.family, case.name, case.unit, case.kind, times, case.wanted, notes, calls)


def _quiet(taken: list[tuple[float, dict[str, float]]]) -> int:
    return sum(share <= DISTURBED for share, _ in taken)


def calls_within(contender: Contender, seconds: float) -> int:
    """Warm a contender up, and return how many calls fill the given time."""
    count, spent = 1, 0.0
    best = math.inf
    while spent < 4 * seconds:
        taken = contender.timed(count)
        spent += taken
        best = min(best, taken / count)
        count = max(1, min(2 * count, int(seconds / max(best, 1e-9))))
    return max(1, round(seconds / best))


def check_agreement(case: Case, contenders: list[Contender]) -> list[str]:
    """Return a note for each contender whose result differs from the first one's."""
    if not case.calls_before_check:
        return []
    values = {}
    for contender in contenders:
        for _ in range(case.calls_before_check):
            value = contender.call()
        values[contender.name] = number(contender.show(value))
    (first, wanted), *others = values.items()
    return [
        f"{name} gives {value:.6g} after {case.calls_before_check} calls, {first} {wanted:.6g}"
        for name, value in others
        if not math.isclose(value, wanted, rel_tol=case.tolerance, abs_tol=1e-6)
    ]
