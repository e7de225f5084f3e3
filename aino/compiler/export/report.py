"""``explain()``: what was done to a program, and what each of its lines costs."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from aino.compiler.backends.numpy.lines import Kind, Source
from aino.compiler.backends.numpy.lines import Line as SourceLine
from aino.compiler.tracing.shadows import copied_together
from aino.native.trials import stretch_type
from aino.ops.random.generator import Generator
from aino.tracing import rehearsal


@dataclass
class Line:
    """One line of the program: its text, what it stands for, and its median time in µs."""

    text: str
    note: str
    microseconds: float


@dataclass
class Report:
    """What ``explain()`` returns; it prints as a table."""

    name: str
    traced: int
    calls: int
    passes: dict[str, int]
    buffers: int
    bytes_before: int
    bytes_after: int
    #: How the program runs, in words.
    runs: str = ""
    lines: list[Line] = field(default_factory=list)

    @property
    def microseconds(self) -> float:
        """The sum over the lines: the time of the NumPy calls alone."""
        return sum(line.microseconds for line in self.lines)

    def __str__(self) -> str:
        done = ", ".join(f"{name} {count}" for name, count in self.passes.items())
        head = [
            f"{self.name}: {self.calls} NumPy calls of {self.traced} traced ({done})",
            f"{self.buffers} buffers, {self.bytes_after:,} bytes "
            f"({self.bytes_before:,} without sharing)",
            f"{self.microseconds:.1f} µs in NumPy calls",
            self.runs,
            "",
            f"{'µs':>8}  {'share':>5}  line",
        ]
        total = self.microseconds or 1.0
        for line in sorted(self.lines, key=lambda line: -line.microseconds):
            share = 100 * line.microseconds / total
            note = f"  # {line.note}" if line.note else ""
            head.append(f"{line.microseconds:8.2f}  {share:4.0f}%  {line.text}{note}")
        return "\n".join(head)

    __repr__ = __str__


def explain(specialization, name: str, runs: int) -> Report:
    """Measure each line over a few runs on copies of the memory, so that nothing changes."""
    program, done = specialization.program, specialization.optimised
    layout = done.layout
    report = Report(
        name,
        done.traced,
        done.calls,
        done.counts,
        sum(place == "buffer" for place in layout.place.values()) - len(layout.twin),
        layout.bytes_before,
        layout.bytes_after,
        _how_it_runs(specialization),
    )
    medians = measure_lines(
        specialization.source,
        [*_specimens(program), *(1.0 for _ in specialization.traced_run.trace.floats)],
        runs,
    )
    for line, seconds in zip(timed_lines(specialization.source), medians):
        report.lines.append(Line(line.text, line.note, 1e6 * seconds))
    return report


def _how_it_runs(specialization) -> str:
    """Say what walks the program."""
    native, calls = specialization.native, len(specialization.program.calls)
    if native is not None:
        left = sum(line.call is not None and not line.walked for line in native.body)
        return f"runs in C (aino-native), but for {left} of {calls} calls: times are NumPy's" if (
            left) else "runs in C (aino-native): times are those of NumPy's calls"  # fmt: skip
    return "runs as Python; the package aino-native (pip install 'aino[native]') walks it in C" if (
        stretch_type() is None) else "runs as Python"  # fmt: skip


def timed_lines(source: Source) -> list:
    """Return the lines of a program that do something."""
    return [line for line in source.body if line.kind is Kind.STATEMENT]


def _specimens(program) -> list[np.ndarray]:
    """Return copies of the arrays that the step was given when it was traced."""
    given = [*program.arguments, *(s for s in program.storages() if s.kind == "gradient")]
    return [storage.root.copy() for storage in given]


def copied_bindings(bound: dict[str, Any]) -> dict[str, Any]:
    """Return copies of what a program is bound to, so that a run of it changes nothing."""
    copies = copied_together(bound)
    for label, item in copies.items():
        if isinstance(item, dict):
            copies[label] = item.copy()
        elif isinstance(item, Generator):
            copies[label] = item.clone_state()
    return copies


def measure_lines(source, specimens, runs: int) -> list[float]:
    """Return the median seconds of each line of a program that is run on copies."""
    timed = timed_lines(source)
    times: list[list[float]] = [[] for _ in timed]
    places = iter(range(len(timed)))
    body: list[SourceLine] = []
    for line in source.body:
        if line.kind is Kind.STATEMENT:
            after = f"_times[{next(places)}].append(_now() - _before)"
            body += [SourceLine("_before = _now()"), line, SourceLine(after)]
        else:
            body.append(line)
    namespace: dict[str, Any] = {"_now": time.perf_counter, "_times": times}
    exec(source.written(body, source.bound), namespace)
    built = namespace.pop("build")(np, **copied_bindings(source.bound))
    step = built[0] if isinstance(built, tuple) else built
    empty = [time.perf_counter() - time.perf_counter() for _ in range(64)]
    overhead = -float(np.median(empty))
    with np.errstate(all="ignore"), rehearsal():
        for _ in range(runs):
            step(*specimens)
    return [max(float(np.median(series)) - overhead, 0.0) if series else 0.0 for series in times]
