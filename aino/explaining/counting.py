"""How many multiply-adds an operation takes: those of matrix products and convolutions."""

from __future__ import annotations

import functools
import math
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from aino.autograd import calling
from aino.autograd.duck import Duck
from aino.autograd.interposing import Interposed
from aino.autograd.mode import mode
from aino.autograd.tensor import Tensor

#: The shapes of an operation's operands by their names; () for one that was not given.
Shapes = Callable[[str], tuple[int, ...]]


def _product(of: Shapes, result: tuple[int, ...]) -> int:
    return math.prod(result) * of("a")[-1]


def _linear(of: Shapes, result: tuple[int, ...]) -> int:
    return math.prod(of("x")[:-1]) * math.prod(of("weight"))


def _attention(of: Shapes, result: tuple[int, ...]) -> int:
    q, k, v = of("q"), of("k"), of("v")
    rows = math.prod(np.broadcast_shapes(q[:-2], k[:-2], v[:-2])) * q[-2] * k[-2]
    return rows * (q[-1] + v[-1])


def _recurrent(of: Shapes, result: tuple[int, ...]) -> int:
    weights = [of(name) for name in ("w_ih", "w_hh", "w_hr")]
    return of("x")[0] * sum([math.prod(shape) for shape in weights if shape])


#: Operation -> its multiply-adds, from the shapes that it had.
_COUNTS: dict[str, Callable[[Shapes, tuple[int, ...]], int]] = {
    "mm": _product,
    "bmm": _product,
    "rows_mm": _product,
    "mv": lambda of, result: math.prod(of("a")),
    "dot": lambda of, result: math.prod(of("a")),
    "linear": _linear,
    "convolution": lambda of, result: math.prod(result) * math.prod(of("weight")[1:]),
    "convolution_transpose": lambda of, result: math.prod(of("x")) * math.prod(of("weight")[1:]),
    "attention": _attention,
    "rnn": _recurrent,
    "gru": _recurrent,
    "lstm": _recurrent,
}


class Counting:
    """Tells of the multiply-adds of each operation of this thread, inside a ``with`` block.

    An m × k by a k × n matrix takes m · k · n; sums, such as a bias, and what is done element by
    element count as none. It does not matter whether an operation is recorded, of what dtype it
    is, and whether it runs for all samples of ``vmap`` at once. What a backward pass computes is
    not counted.

    Arguments:
        tell: is given each operation's.
    """

    def __init__(self, tell: Callable[[int], None]) -> None:
        self._tell = tell
        self._thread = threading.get_ident()
        #: Whether an operation is at work that is counted: what it calls is a part of it.
        self._within = False
        self._looked_at = Interposed([])

    def __enter__(self) -> None:
        for function in calling.ready():
            if function.primitive.name in _COUNTS:
                self._looked_at.watch(function, functools.partial(self._around, function))
        self._looked_at.begin()
        calling.on_ready.append(self._look_at)

    def __exit__(self, *_: object) -> None:
        calling.on_ready.remove(self._look_at)
        self._looked_at.end()

    def _look_at(self, function: Any) -> None:
        if function.primitive.name in _COUNTS:
            self._looked_at.add(function, functools.partial(self._around, function))

    def _around(self, function: Any, call: Callable[..., Any], *arguments: Any, **keywords: Any):
        if self._within or mode.walking or threading.get_ident() != self._thread:
            return call(*arguments, **keywords)
        self._within = True
        try:
            result = call(*arguments, **keywords)
        finally:
            self._within = False
        first = result[0] if isinstance(result, tuple) else result
        if isinstance(first, Tensor):  # else it is what a kernel computes with arrays
            declared = function.primitive
            names = [*declared.inputs, *declared.parameters]
            called = dict(zip(declared.arguments, declared.inputs))
            given = dict(zip(names, arguments))
            given |= {called.get(name, name): value for name, value in keywords.items()}

            def of(name: str) -> tuple[int, ...]:
                return getattr(given.get(name), "shape", ())

            count = _COUNTS[declared.name](of, tuple(first.shape))
            self._tell(count * _samples(first.array))
        return result


def _samples(array: Any) -> int:
    """Return how many samples of ``vmap`` an array stands for."""
    size = math.prod(array.shape)
    return array.shadow.size // size if size and isinstance(array, Duck) else 1
