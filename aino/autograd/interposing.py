"""Functions that are called through others while somebody looks on, and only then.

Where a profiler or a search for NaN is at work, the code of a function is exchanged for one that
hands the call on to whoever looks on. A function that nobody looks at is the very function that it
was: no flag is asked for, no call is longer.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterable
from types import CodeType, FunctionType
from typing import Any

_lock = threading.RLock()


class _Layers:
    """A function as it was, and what its calls go through, the innermost first."""

    def __init__(self, function: Any) -> None:
        self.code = function.__code__
        self.keywords = function.__kwdefaults__
        self.plain: Any = FunctionType(
            self.code, function.__globals__, function.__name__, function.__defaults__,
            function.__closure__,
        )  # fmt: skip
        self.plain.__kwdefaults__ = self.keywords
        self.around: list[Callable[..., Any]] = []


_layers: dict[Any, _Layers] = {}


class Interposed:
    """Lets calls of functions go through another one, from ``begin()`` to ``end()``.

    ``around(call, *arguments, **keywords)`` is called in a function's place, and is expected to
    call ``call``. Several may look at one function, and may come and go in any order.
    """

    def __init__(self, pairs: Iterable[tuple[Any, Callable[..., Any]]]) -> None:
        self._pairs = list(pairs)

    def watch(self, function: Any, around: Callable[..., Any]) -> None:
        """Look at one more function, from ``begin()`` on."""
        self._pairs.append((function, around))

    def add(self, function: Any, around: Callable[..., Any]) -> None:
        """Look at one more function, at once."""
        self._pairs.append((function, around))
        with _lock:
            _put(function, around)

    def has(self, function: Any) -> bool:
        """Tell whether a function is looked at."""
        return any([function is one for one, _ in self._pairs])

    def begin(self) -> None:
        with _lock:
            for function, around in self._pairs:
                _put(function, around)

    def end(self) -> None:
        with _lock:
            for function, around in self._pairs:
                _take(function, around)


def code_of(function: Any) -> CodeType:
    """Return the code that a function has when nobody looks on."""
    layers = _layers.get(function)
    return function.__code__ if layers is None else layers.code


def _put(function: Any, around: Callable[..., Any]) -> None:
    layers = _layers.get(function)
    if layers is None:
        layers = _layers[function] = _Layers(function)
    layers.around.append(around)
    _arrange(function, layers)


def _take(function: Any, around: Callable[..., Any]) -> None:
    layers = _layers[function]
    layers.around.remove(around)
    if layers.around:
        _arrange(function, layers)
        return
    del _layers[function]
    # In this order: the code of before needs no keywords that the other one has.
    function.__code__ = layers.code
    function.__kwdefaults__ = layers.keywords


def _arrange(function: Any, layers: _Layers) -> None:
    call = layers.plain
    for around in layers.around:
        call = functools.partial(around, call)
    function.__kwdefaults__ = {**(layers.keywords or {}), "_through": call}
    function.__code__ = _handing_on(len(layers.code.co_freevars))


@functools.cache
def _handing_on(count: int) -> CodeType:
    """Return code that hands a call on; it has as many free variables as what it stands for."""
    names = ", ".join(f"_free{position}" for position in range(count))
    lines = [
        f"def around({names}):",
        "    def call(*arguments, _through, **keywords):",
        *([f"        if False: {names}"] if count else []),
        "        return _through(*arguments, **keywords)",
        "    return call",
    ]
    found: dict[str, Any] = {}
    exec(compile("\n".join(lines), f"{__file__}, handing on", "exec"), found)
    return found["around"](*([None] * count)).__code__
