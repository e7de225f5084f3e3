"""Whether operations are recorded: one switch per thread, set by contexts and decorators."""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable
from typing import Any, Self, TypeVar, overload

F = TypeVar("F", bound=Callable[..., Any])


_new = object.__new__


class Mode(threading.local):
    """What a thread records: ``level`` 0 nothing, 1 nodes, 2 nodes that something looks at."""

    level = 1
    anomaly = False
    check_nan = True
    inference = False
    #: Whether a backward pass is at work in this thread.
    walking = False
    #: What saved arrays go through, the innermost last; None where that was switched off.
    saved_hooks: tuple = ()
    #: Why no such hooks may be set, where that was forbidden.
    no_saved_hooks: str | None = None

    def recording(self) -> int:
        """Return the level at which this thread records, when it does."""
        return 2 if self.anomaly or self.saved_hooks else 1


mode = Mode()


class _Switch:
    """A context manager that is also a decorator and keeps what it found, also where it nests."""

    #: The mode before it was entered, and what stood here then.
    _entered: Any = None

    def _level(self) -> int:
        raise AssertionError("a switch says what it sets")

    def __enter__(self) -> Self:
        self._entered = (mode.level, mode.inference, self._entered)
        mode.level = self._level()
        return self

    def __exit__(self, *_: object) -> None:
        mode.level, mode.inference, self._entered = self._entered

    def clone(self) -> Self:
        """Return a fresh switch of the same setting, so that decorated functions may nest."""
        return type(self)()

    def __call__(self, function: F) -> F:
        if inspect.isgeneratorfunction(function):

            @functools.wraps(function)
            def generate(*args, **kwargs):
                generator = function(*args, **kwargs)
                resume: Any = generator.send
                passed: tuple = (None,)
                while True:
                    # The mode is the generator's only while it runs: what is sent, thrown in
                    # or asked to close meets it in the same mode.
                    try:
                        with self.clone():
                            value = resume(*passed)
                    except StopIteration as stop:
                        return stop.value
                    try:
                        resume, passed = generator.send, ((yield value),)
                    except GeneratorExit:
                        with self.clone():
                            generator.close()
                        raise
                    except BaseException as error:
                        resume, passed = generator.throw, (error,)

            return generate  # type: ignore[return-value]

        @functools.wraps(function)
        def call(*args, **kwargs):
            with self.clone():
                return function(*args, **kwargs)

        return call  # type: ignore[return-value]


class _Bare(_Switch):
    """A switch that also decorates without parentheses: ``@no_grad``."""

    @overload
    def __new__(cls, orig_func: F) -> F: ...  # type: ignore[misc]
    @overload
    def __new__(cls, orig_func: None = None) -> Self: ...
    def __new__(cls, orig_func=None):
        # Without an __init__ beside it: a backward pass makes one, and so does each prediction.
        switch = _new(cls)
        return switch if orig_func is None else switch(orig_func)


class no_grad(_Bare):
    """Record nothing inside: results do not require a gradient.

    >>> import aino
    >>> x = aino.tensor(2.0, requires_grad=True)
    >>> with aino.no_grad():
    ...     (x * x).requires_grad
    False
    """

    # A prediction enters and leaves it each time: the thread's own dictionary takes half as long.

    def __enter__(self) -> Self:
        own = mode.__dict__
        try:
            self._entered = (own["level"], self._entered)
        except KeyError:
            self._entered = (mode.level, self._entered)
        own["level"] = 0
        return self

    def __exit__(self, *_: object) -> None:
        mode.__dict__["level"], self._entered = self._entered


class enable_grad(_Bare):
    """Record inside, whatever the surrounding context says."""

    def _level(self) -> int:
        return mode.recording()


class set_grad_enabled(_Switch):
    """Switch recording on or off: at once when called, until the end when entered.

    Arguments:
        mode: True records, False does not.

    >>> import aino
    >>> with aino.set_grad_enabled(False):
    ...     aino.is_grad_enabled()
    False
    """

    def __init__(self, mode: bool) -> None:
        self.mode = bool(mode)
        self._at_once()

    def _at_once(self) -> None:
        self._before = (mode.level, mode.inference)
        mode.level = self._level()

    def _level(self) -> int:
        return mode.recording() if self.mode else 0

    def __enter__(self):
        self._entered = (*self._before, self._entered)
        mode.level = self._level()
        return self

    def __call__(self, orig_func):
        mode.level, mode.inference = self._before
        return super().__call__(orig_func)

    def clone(self):
        return set_grad_enabled(self.mode)


class inference_mode(_Switch):
    """Record nothing inside, as ``no_grad``; ``inference_mode(False)`` records again.

    Arguments:
        mode: True records nothing, False records; or the function that is decorated.

    >>> import aino
    >>> x = aino.tensor(2.0, requires_grad=True)
    >>> with aino.inference_mode():
    ...     (x * x).requires_grad
    False
    """

    @overload
    def __new__(cls, mode: F) -> F: ...  # type: ignore[misc]
    @overload
    def __new__(cls, mode: bool = True) -> Self: ...
    def __new__(cls, mode=True):
        if callable(mode):
            return cls(True)(mode)
        return super().__new__(cls)

    def __init__(self, mode: bool = True) -> None:
        self.mode = bool(mode)

    def _level(self) -> int:
        return 0 if self.mode else mode.recording()

    def __enter__(self):
        super().__enter__()
        mode.inference = self.mode
        return self

    def clone(self):
        return inference_mode(self.mode)


def is_grad_enabled() -> bool:
    """Tell whether this thread records operations."""
    return mode.level > 0


def is_inference_mode_enabled() -> bool:
    """Tell whether this thread is inside ``inference_mode``."""
    return mode.inference
