"""``record_function``: a block or a function with a name, for whoever profiles."""

from __future__ import annotations

from contextlib import ContextDecorator
from typing import Any

#: The recorders at work.
active: list[Any] = []


class record_function(ContextDecorator):
    """Give a block or a function a name in what a profiler records; else it is run as it is.

    Arguments:
        name: what it is called.
        args: a text that is recorded beside the name.

    >>> import aino
    >>> with aino.profiler.profile() as prof:
    ...     with aino.profiler.record_function("forward"):
    ...         y = aino.ones(3).exp()
    >>> [event.name for event in prof.events()]
    ['forward', 'exp']
    """

    def __init__(self, name: str, args: str | None = None) -> None:
        if not isinstance(name, str):
            raise TypeError(
                f"record_function takes a name, a string, not {type(name).__name__}: "
                '@record_function("step") or with record_function("step"):'
            )
        self.name = name
        self.args = args
        self._begun: list[list[tuple[Any, Any]]] = []

    def __enter__(self) -> record_function:
        kind = "user_annotation"
        self._begun.append([(one, one.begin(self.name, kind, self.args)) for one in active])
        return self

    def __exit__(self, *exception: Any) -> None:
        for recorder, event in self._begun.pop():
            recorder.end(event)
