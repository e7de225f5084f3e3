"""Where the time and the memory go: ``torch.profiler``'s names.

By operation, module and line of your code, forward and backward; compiled steps by their lines.
"""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING

from aino.profiler.marks import record_function as record_function

if TYPE_CHECKING:
    from aino.profiler.averages import EventList as EventList
    from aino.profiler.averages import FunctionEventAvg as FunctionEventAvg
    from aino.profiler.events import FunctionEvent as FunctionEvent
    from aino.profiler.profiling import ProfilerAction as ProfilerAction
    from aino.profiler.profiling import ProfilerActivity as ProfilerActivity
    from aino.profiler.profiling import profile as profile
    from aino.profiler.profiling import schedule as schedule
    from aino.profiler.profiling import supported_activities as supported_activities
    from aino.profiler.profiling import tensorboard_trace_handler as tensorboard_trace_handler

_LAZY = {
    "EventList": "averages", "FunctionEventAvg": "averages", "FunctionEvent": "events",
    "ProfilerAction": "profiling", "ProfilerActivity": "profiling", "profile": "profiling",
    "schedule": "profiling", "supported_activities": "profiling",
    "tensorboard_trace_handler": "profiling",
}  # fmt: skip
__all__ = [
    "EventList", "FunctionEvent", "FunctionEventAvg", "ProfilerAction", "ProfilerActivity",
    "profile", "record_function", "schedule", "supported_activities", "tensorboard_trace_handler",
]  # fmt: skip


def __dir__() -> list[str]:
    return __all__


if not TYPE_CHECKING:

    def __getattr__(name):
        if name not in _LAZY:
            raise AttributeError(f"module 'aino.profiler' has no attribute {name!r}")
        value = globals()[name] = getattr(_import_module(f"aino.profiler.{_LAZY[name]}"), name)
        return value
