"""``torch.profiler``'s names: what marks a part of a program runs it, what measures is refused."""

from __future__ import annotations

from contextlib import ContextDecorator
from typing import Any

from aino.refusals import refused, refused_class

__all__ = [
    "ProfilerAction", "ProfilerActivity", "profile", "record_function", "schedule",
    "supported_activities", "tensorboard_trace_handler",
]  # fmt: skip

_WHY = (
    "Python's cProfile shows where the time goes, and step.source what a compiled function computes"
)


class ProfilerActivity:
    """What PyTorch would watch: ``ProfilerActivity.CPU`` and its kin."""

    CPU, CUDA, XPU = "CPU", "CUDA", "XPU"


class ProfilerAction:
    """What PyTorch's profiler would do at a step."""

    NONE, WARMUP, RECORD, RECORD_AND_SAVE = "NONE", "WARMUP", "RECORD", "RECORD_AND_SAVE"


class record_function(ContextDecorator):
    """A block or a function with a name for a profiler; it is run as it is.

    Arguments:
        name: changes nothing: there is no profiler to show it.
        args: changes nothing.
    """

    def __init__(self, name: str, args: str | None = None) -> None:
        self.name = name

    def __enter__(self) -> record_function:
        return self

    def __exit__(self, *exception: Any) -> None:
        return None


def supported_activities() -> set[str]:
    """Return what can be profiled: nothing."""
    return set()


profile = refused_class("profiler.profile", _WHY)
schedule = refused("profiler.schedule", _WHY)
tensorboard_trace_handler = refused("profiler.tensorboard_trace_handler", _WHY)


def __dir__() -> list[str]:
    return __all__
