"""``explain()``: what was done to a program, and what each of its lines costs."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from aino.compiler.tracing.shadows import copied_together
from aino.ops.random.generator import Generator


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
    program, layout, notes = (
        specialization.program,
        specialization.notes["layout"],
        specialization.notes,
    )
    passes = {key: value for key, value in notes.items() if isinstance(value, int)}
    for key in ("calls traced", "calls", "agreed"):
        passes.pop(key, None)
    report = Report(
        name,
        notes["calls traced"],
        notes["calls"],
        passes,
        sum(place == "buffer" for place in layout.place.values()) - len(layout.twin),
        layout.bytes_before,
        layout.bytes_after,
    )
    medians = measure_lines(
        specialization.source,
        [*_specimens(program), *(1.0 for _ in specialization.traced_run.trace.floats)],
        runs,
    )
    texts = [line for line, _ in specialization.source.body if _counts(line)]
    notes_of = dict(_notes(specialization.source.text))
    for text, seconds in zip(texts, medians):
        report.lines.append(Line(text, notes_of.get(text, ""), 1e6 * seconds))
    return report


def _counts(line: str) -> bool:
    return not line.startswith(("#", "return"))


def _notes(text: str):
    for line in text.splitlines():
        if line.startswith("        ") and "  # " in line:
            code, _, note = line.strip().partition("  # ")
            yield code.strip(), note


def _specimens(program) -> list[np.ndarray]:
    """Return copies of the arrays that the step was given when it was traced."""
    given = [*program.arguments, *(s for s in program.storages() if s.kind == "gradient")]
    return [storage.root.copy() for storage in given]


def measure_lines(source, specimens, runs: int) -> list[float]:
    """Return the median seconds of each line of a program that is run on copies."""
    lines = []
    count = 0
    begun = False
    for line in source.text.splitlines():
        begun = begun or line.startswith(f"    def {source.name}(")
        inside = (
            begun
            and line.startswith("        ")
            and _counts(line.strip())
            and line.strip() != "pass"
        )
        if inside:
            lines += [
                "        _before = _now()",
                line,
                f"        _times[{count}].append(_now() - _before)",
            ]
            count += 1
        else:
            lines.append(line)
    times: list[list[float]] = [[] for _ in range(count)]
    namespace: dict[str, Any] = {"_now": time.perf_counter, "_times": times}
    exec("\n".join(lines), namespace)
    copied = {
        key: item.copy() if isinstance(item, dict) else item
        for key, item in copied_together(source.bound).items()
    }
    built = namespace["build"](np, **copied)
    step = built[0] if isinstance(built, tuple) else built
    empty = [time.perf_counter() - time.perf_counter() for _ in range(64)]
    overhead = -float(np.median(empty))
    generators = [item for item in source.bound.values() if isinstance(item, Generator)]
    states = [generator.get_state() for generator in generators]
    try:
        with np.errstate(all="ignore"):
            for _ in range(runs):
                step(*specimens)
    finally:
        for generator, state in zip(generators, states):
            generator.set_state(state)
    return [max(float(np.median(series)) - overhead, 0.0) if series else 0.0 for series in times]
