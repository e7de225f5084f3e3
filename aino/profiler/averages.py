"""Events, their sums by name, module or line, and the table that shows them."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable
from typing import Any

from aino.profiler.events import FunctionEvent
from aino.profiler.exporting import chrome_trace, write_text

#: Times, shares, sizes and counts.
_NUMBER = re.compile(r"-?[\d.]+ ?(%|us|ms|s|B|KB|MB|GB)?")
#: What a table can be sorted by.
SORTS = (
    "cpu_time", "cpu_time_total", "self_cpu_time_total", "count", "cpu_memory_usage",
    "self_cpu_memory_usage",
)  # fmt: skip


class FunctionEventAvg:
    """The sum over events of one kind; times in microseconds, memory in bytes.

    ``key``, ``count``, ``cpu_time_total``, ``self_cpu_time_total``, ``cpu_time`` (the mean),
    ``cpu_memory_usage``, ``self_cpu_memory_usage``, ``input_shapes``, ``stack``, ``line``,
    ``module``, ``note``.

    Arguments:
        key: what the events have in common.
        first: one of them.
    """

    def __init__(self, key: str, first: FunctionEvent) -> None:
        self.key = key
        self.count = 0
        self.cpu_time_total = 0.0
        self.self_cpu_time_total = 0.0
        self.cpu_memory_usage = 0
        self.self_cpu_memory_usage = 0
        self.input_shapes = first.input_shapes
        self.stack = first.stack
        self.line = first.line
        self.module = first.module
        self.note = first.note
        self.kind = first.kind

    @property
    def cpu_time(self) -> float:
        return self.cpu_time_total / self.count if self.count else 0.0

    def add(self, event: FunctionEvent, outermost: bool, counts: bool) -> None:
        """Add an event; its total only where it is not within another one of the same key.

        Arguments:
            event: the event.
            outermost: whether it is not.
            counts: whether it is one of those that are counted.
        """
        self.count += counts
        self.self_cpu_time_total += event.self_cpu_time_total
        self.self_cpu_memory_usage += event.self_cpu_memory_usage
        if outermost:
            self.cpu_time_total += event.cpu_time_total
            self.cpu_memory_usage += event.cpu_memory_usage

    def __repr__(self) -> str:
        return f"<FunctionEventAvg {self.key}: {self.count} of {self.cpu_time_total:.1f} µs>"


class EventList(list):
    """Events, or sums of them; ``table()`` shows them.

    Arguments:
        events: what is in the list.
        memory: whether memory was noted.
        by: what the sums are by.
    """

    def __init__(self, events: Iterable[Any] = (), memory: bool = False, by: str = "name") -> None:
        super().__init__(events)
        self.memory = memory
        self.by = by

    @property
    def self_cpu_time_total(self) -> float:
        """Microseconds of all events together, none counted twice."""
        return sum([event.self_cpu_time_total for event in self])

    def total_average(self) -> FunctionEventAvg:
        """Return the sum over all events."""
        total = FunctionEventAvg("Total", FunctionEvent("Total", "total", 0, None))
        for event in self:
            total.count += event.count
            total.self_cpu_time_total += event.self_cpu_time_total
            total.self_cpu_memory_usage += event.self_cpu_memory_usage
        total.cpu_time_total = total.self_cpu_time_total
        total.cpu_memory_usage = total.self_cpu_memory_usage
        return total

    def key_averages(
        self, group_by_input_shapes: bool = False, group_by_stack_n: int = 0,
        group_by_overload_name: bool = False, *, group_by: str = "name",
    ) -> EventList:  # fmt: skip
        """Return sums over the events of one name, or of one module, or of one line.

        Arguments:
            group_by_input_shapes: those of other shapes stand apart.
            group_by_stack_n: those from other lines, up to so many around, stand apart.
            group_by_overload_name: changes nothing: names have no overloads here.
            group_by: ``"name"``, ``"module"`` or ``"line"``.
        """
        if group_by not in ("name", "module", "line"):
            raise ValueError(f"group_by is 'name', 'module' or 'line', not {group_by!r}")

        def key_of(event: FunctionEvent) -> Any:
            if group_by == "module":
                return (event.name if event.kind == "module" else event.module,)
            if group_by == "line":
                return (event.line,)
            shapes = repr(event.input_shapes) if group_by_input_shapes else ""
            kind = "module" if event.kind == "module" else ""
            return event.name, kind, shapes, tuple(event.stack[:group_by_stack_n])

        found: dict[Any, FunctionEventAvg] = {}
        for event in self:
            key = key_of(event)
            if key not in found:
                name = key[0] or f"(no {group_by})"
                found[key] = FunctionEventAvg(name, event)
            parent, outermost = event.cpu_parent, True
            while parent is not None and outermost:
                outermost = key_of(parent) != key
                parent = parent.cpu_parent
            # Of modules the calls are counted, whatever was computed in them.
            counts = group_by != "module" or event.kind == "module"
            found[key].add(event, outermost, counts)
        if group_by == "module":
            for event in self:
                for name in _modules_around(event):
                    found[name,].cpu_time_total += event.cpu_time_total
                    found[name,].cpu_memory_usage += event.cpu_memory_usage
        return EventList(found.values(), self.memory, group_by)

    def table(
        self, sort_by: str | None = None, row_limit: int = 100, max_src_column_width: int = 75,
        max_name_column_width: int = 55, max_shapes_column_width: int = 80,
        header: str | None = None, top_level_events_only: bool = False,
        time_unit: str | None = None,
    ) -> str:  # fmt: skip
        """Return the events as a table.

        Arguments:
            sort_by: ``"cpu_time_total"``, ``"self_cpu_time_total"``, ``"cpu_time"``, ``"count"``,
                ``"cpu_memory_usage"`` or ``"self_cpu_memory_usage"``; None keeps the order.
            row_limit: how many rows are shown; -1 for all.
            max_src_column_width: how wide the column of lines is; None for as wide as they are.
            max_name_column_width: how wide that of names is.
            max_shapes_column_width: how wide that of shapes is.
            header: what stands above.
            top_level_events_only: leave out what happened within others.
            time_unit: ``"s"``, ``"ms"`` or ``"us"``; None takes the one that fits.
        """
        head, rows = self._cells(sort_by, row_limit, top_level_events_only, time_unit)
        limits = [max_name_column_width] + [None] * (len(head) - 1)
        for place, title in enumerate(head):
            if title == "Input Shapes":
                limits[place] = max_shapes_column_width
            if title == "Source Location":
                limits[place] = max_src_column_width
        texts = [[_cut(cell, limit) for cell, limit in zip(row, limits)] for row in [head, *rows]]
        widths = [max(map(len, column)) for column in zip(*texts)]
        rule = "  ".join(["-" * width for width in widths])
        lines = [header] if header else []
        lines += [
            rule,
            _line(texts[0], widths),
            rule,
            *[_line(row, widths) for row in texts[1:]],
            rule,
        ]
        total = _time(self.self_cpu_time_total, time_unit)
        return "\n".join([*lines, f"Self CPU time total: {total}", ""])

    def _cells(self, sort_by, row_limit, top_level, unit) -> tuple[list[str], list[list[str]]]:
        if sort_by is not None and sort_by not in SORTS:
            raise ValueError(f"table: sort_by is one of {', '.join(SORTS)}, not {sort_by!r}")
        if unit not in (None, "s", "ms", "us"):
            raise ValueError(f"table: time_unit is 's', 'ms', 'us' or None, not {unit!r}")
        shown = [one for one in self if not top_level or getattr(one, "cpu_parent", None) is None]
        if sort_by is not None:
            shown.sort(key=lambda one: getattr(one, sort_by), reverse=True)
        shown = shown if row_limit < 0 else shown[:row_limit]
        titles = {"name": "Name", "module": "Module", "line": "Line"}
        head = [
            titles[self.by],
            "Self CPU %",
            "Self CPU",
            "CPU total %",
            "CPU total",
            "CPU time avg",
        ]
        head += ["CPU Mem", "Self CPU Mem"] if self.memory else []
        head.append("# of Calls")
        shapes = any([one.input_shapes for one in shown])
        stacks = self.by == "name" and any([one.line for one in shown])
        head += ["Input Shapes"] if shapes else []
        head += ["Source Location"] if stacks else []
        total = self.self_cpu_time_total or 1.0
        rows = []
        for one in shown:
            row = [
                one.key, f"{100 * one.self_cpu_time_total / total:.2f}%",
                _time(one.self_cpu_time_total, unit), f"{100 * one.cpu_time_total / total:.2f}%",
                _time(one.cpu_time_total, unit), _time(one.cpu_time, unit),
            ]  # fmt: skip
            if self.memory:
                row += [_size(one.cpu_memory_usage), _size(one.self_cpu_memory_usage)]
            row.append(str(one.count))
            row += [str(one.input_shapes)] if shapes else []
            row += [one.line] if stacks else []
            rows.append(row)
        return head, rows

    def export_chrome_trace(self, path: Any) -> None:
        """Write the events in Chrome's format.

        Arguments:
            path: the file.
        """
        write_text(path, json.dumps(chrome_trace(self, {})))

    def __str__(self) -> str:
        return self.table()

    __repr__ = __str__

    def _repr_html_(self) -> str:
        head, rows = self._cells("self_cpu_time_total", 100, False, None)
        lines = []
        for row in [head, *rows]:
            tag = "th" if row is head else "td"
            cells = [
                f'<{tag} style="text-align: {"right" if _is_number(cell) else "left"}; '
                f'white-space: nowrap; padding: 0.1em 0.6em">{html.escape(cell)}</{tag}>'
                for cell in row
            ]
            lines.append(f"<tr>{''.join(cells)}</tr>")
        style = "overflow-x: auto; font-variant-numeric: tabular-nums; font-size: 90%"
        return f'<div style="{style}"><table>{"".join(lines)}</table></div>'


def _modules_around(event: FunctionEvent) -> set[str]:
    """Return the modules around the one that a step backward belongs to: it is theirs as well."""
    parent = event.forward.cpu_parent if event.forward is not None else None
    found = set()
    while parent is not None:
        if parent.kind == "module" and parent.name != event.module:
            found.add(parent.name)
        parent = parent.cpu_parent
    return found


def _cut(text: str, limit: int | None) -> str:
    return text if limit is None or len(text) <= limit else text[: max(limit - 3, 0)] + "..."


def _line(cells: list[str], widths: list[int]) -> str:
    """Return a row: names and lines to the left, numbers to the right."""
    first, *others = cells
    line = [first.ljust(widths[0])]
    for cell, width in zip(others, widths[1:]):
        line.append(cell.rjust(width) if _is_number(cell) else cell.ljust(width))
    return "  ".join(line).rstrip()


def _is_number(cell: str) -> bool:
    """Tell whether a cell is a number, or the head of a column of them."""
    return bool(_NUMBER.fullmatch(cell)) or "CPU" in cell or cell == "# of Calls"


def _time(microseconds: float, unit: str | None) -> str:
    if unit == "s" or (unit is None and microseconds >= 1e6):
        return f"{microseconds / 1e6:.3f}s"
    if unit == "ms" or (unit is None and microseconds >= 1e3):
        return f"{microseconds / 1e3:.3f}ms"
    return f"{microseconds:.3f}us"


def _size(count: int) -> str:
    for power, name in ((30, "GB"), (20, "MB"), (10, "KB")):
        if abs(count) >= 1 << power:
            return f"{count / (1 << power):.2f} {name}"
    return f"{count} B"
