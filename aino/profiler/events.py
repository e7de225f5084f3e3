"""One thing that was done, from when to when: what a profiler records."""

from __future__ import annotations

from typing import Any

from aino.debug.sites import Site, short


class FunctionEvent:
    """An operation, a step backward, a module's call, a marked block, or a line of a program.

    ``name``; ``kind``: ``"cpu_op"``, ``"backward"``, ``"module"``, ``"optimizer"``,
    ``"compiled"``, ``"line"`` or ``"user_annotation"``. ``cpu_parent``, its ``parent``, and
    ``cpu_children``: around it, and within. ``module`` that was at work, ``site``: the user's line
    (of a step backward that of the operation that is differentiated). ``stack``: the user's lines
    around it, the innermost first. ``input_shapes``; ``thread``; ``start`` and ``stop`` in
    nanoseconds.
    """

    __slots__ = (
        "name", "kind", "thread", "start", "stop", "overhead", "cpu_parent", "cpu_children", "site",
        "module", "stack", "input_shapes", "cpu_memory_usage", "note", "forward", "step",
    )  # fmt: skip

    def __init__(self, name: str, kind: str, thread: int, parent: FunctionEvent | None) -> None:
        self.name = name
        self.kind = kind
        self.thread = thread
        self.start = self.stop = 0
        #: What the recording of those within took, which is no part of the event's own time.
        self.overhead = 0
        self.cpu_parent = parent
        self.cpu_children: list[FunctionEvent] = []
        self.site: Site | None = None
        self.module = ""
        self.stack: list[str] = []
        self.input_shapes: list[Any] = []
        self.cpu_memory_usage = 0
        #: What is said beside the name: a formula, or the text of a mark.
        self.note = ""
        #: For a step backward: the operation that was differentiated.
        self.forward: FunctionEvent | None = None
        self.step = 0

    @property
    def key(self) -> str:
        return self.name

    @property
    def cpu_time_total(self) -> float:
        """Microseconds from its begin to its end, without what recording those within took."""
        return max(self.stop - self.start - self.overhead, 0) / 1e3

    @property
    def self_cpu_time_total(self) -> float:
        """Microseconds without those of the events within."""
        return max(self.cpu_time_total - sum([c.cpu_time_total for c in self.cpu_children]), 0.0)

    @property
    def cpu_time(self) -> float:
        return self.cpu_time_total

    @property
    def self_cpu_memory_usage(self) -> int:
        """Bytes that it has more than before, without those of the events within."""
        return self.cpu_memory_usage - sum([c.cpu_memory_usage for c in self.cpu_children])

    @property
    def count(self) -> int:
        return 1

    @property
    def line(self) -> str:
        """The user's line, as text, "" where it is not known."""
        if self.site is None:
            return ""
        text = f"  {self.site.text}" if self.site.text else ""
        return f"{short(self.site.file)}:{self.site.line}{text}"

    def __repr__(self) -> str:
        return f"<FunctionEvent {self.name}: {self.cpu_time_total:.1f} µs, {self.kind}>"
