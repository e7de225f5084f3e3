"""Files that other programs show: Chrome's trace, speedscope's profile, folded stacks."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from aino.profiler.events import FunctionEvent


def write_text(path: Any, text: str) -> None:
    """Write a text, compressed where the name of the file ends in ``.gz``."""
    target, data = Path(os.fspath(path)), text.encode("utf-8")
    target.write_bytes(gzip.compress(data) if target.suffix == ".gz" else data)


def chrome_trace(events: list[FunctionEvent], metadata: dict[str, Any]) -> dict[str, Any]:
    """Return the events in the Trace Event Format: complete events, threads named, and flows.

    A flow leads from an operation to the step backward that differentiates it.
    """
    process = os.getpid()
    found: list[dict[str, Any]] = [
        {"ph": "M", "name": "process_name", "pid": process, "tid": 0, "args": {"name": "aino"}}
    ]
    for place, thread in enumerate(dict.fromkeys([event.thread for event in events])):
        name = {"name": f"thread {place}"}
        found.append(
            {"ph": "M", "name": "thread_name", "pid": process, "tid": thread, "args": name}
        )
    for number, event in enumerate(events):
        said: dict[str, Any] = {"module": event.module, "line": event.line, "formula": event.note}
        said |= {"Input Dims": event.input_shapes, "Call stack": ";".join(event.stack[::-1])}
        if event.cpu_memory_usage:
            said["Bytes"] = event.cpu_memory_usage
        found.append({
            "ph": "X", "cat": event.kind, "name": event.name, "pid": process, "tid": event.thread,
            "ts": event.start / 1e3, "dur": (event.stop - event.start) / 1e3,
            "args": {key: value for key, value in said.items() if value},
        })  # fmt: skip
        if event.forward is not None:
            common = {"id": number, "pid": process, "cat": "fwdbwd", "name": "fwdbwd"}
            begin = event.forward
            found.append({"ph": "s", "tid": begin.thread, "ts": begin.start / 1e3, **common})
            found.append(
                {"ph": "f", "tid": event.thread, "ts": event.start / 1e3, "bp": "e", **common}
            )
    return {
        "schemaVersion": 1, "displayTimeUnit": "ms", "traceEvents": found,
        "traceName": "aino", **metadata,
    }  # fmt: skip


def speedscope(events: list[FunctionEvent]) -> dict[str, Any]:
    """Return the events as speedscope reads them: for each thread, what opens and what closes."""
    frames: dict[tuple, int] = {}

    def frame_of(event: FunctionEvent) -> int:
        file, line = (event.site.file, event.site.line) if event.site is not None else ("", 0)
        return frames.setdefault((event.name, file, line), len(frames))

    profiles = []
    for place, thread in enumerate(dict.fromkeys([event.thread for event in events])):
        marks: list[dict[str, Any]] = []
        roots = [e for e in events if e.thread == thread and e.cpu_parent is None]
        # Depth first, without recursion: an entry opens, or closes what was opened before.
        waiting: list[tuple[str, FunctionEvent]] = [("O", event) for event in roots[::-1]]
        while waiting:
            kind, event = waiting.pop()
            at = (event.start if kind == "O" else event.stop) / 1e3
            marks.append({"type": kind, "frame": frame_of(event), "at": at})
            if kind == "O":
                waiting.append(("C", event))
                waiting += [("O", child) for child in event.cpu_children[::-1]]
        profiles.append({
            "type": "evented", "name": f"thread {place}", "unit": "microseconds",
            "startValue": marks[0]["at"], "endValue": marks[-1]["at"], "events": marks,
        })  # fmt: skip
    named = [
        {"name": name, **({"file": file, "line": line} if file else {})}
        for name, file, line in frames
    ]
    return {
        "$schema": "https://www.speedscope.app/file-format-schema.json",
        "shared": {"frames": named},
        "profiles": profiles,
        "name": "aino",
        "exporter": "aino.profiler",
    }


def folded_stacks(events: Iterable[FunctionEvent], metric: str) -> str:
    """Return a line for each stack: its lines from the outermost on, the operation, a number."""
    if metric != "self_cpu_time_total":
        raise ValueError(f"export_stacks: metric is 'self_cpu_time_total', not {metric!r}")
    sums: dict[str, float] = {}
    for event in events:
        if event.stack:
            parts = [part.replace(";", ",") for part in [*event.stack[::-1], event.name]]
            key = ";".join(parts)
            sums[key] = sums.get(key, 0.0) + event.self_cpu_time_total
    return "".join([f"{key} {round(value)}\n" for key, value in sums.items() if round(value)])
