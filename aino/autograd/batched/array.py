"""BatchedArray: an array with one axis more than it shows, over which ``vmap`` goes.

Kernels and rules see the shape of one sample; what they ask of NumPy is done for all samples at
once. ``values`` holds the hidden axis first. It is an array, a tracer, or another duck of an
older level, so that transforms nest and compile.
"""

from __future__ import annotations

import math
from sys import getrefcount
from typing import Any

import numpy as np

from aino.autograd.batched.indexing import get_item, set_item
from aino.autograd.batched.registry import FUNCTIONS, LOOPS, METHODS, UFUNCS
from aino.autograd.batched.samples import aligned, belongs, spread, unbatched_memory
from aino.autograd.duck import Duck
from aino.autograd.levels import Level, levels_of, shape_of_levels
from aino.autograd.memory import owner
from aino.pytree import rebuild

ndarray = np.ndarray


class BatchedArray(Duck):
    """The samples of one level, in the place of one of them.

    ``values``: all samples, along the first axis. ``shape``: that of one sample.
    """

    __slots__ = ("values", "level", "shape", "__weakref__")

    def __init__(self, values, level: Level) -> None:
        self.values = values
        self.level = level
        self.shape = shape_of_levels(values.shape[1:], (level, *levels_of(values)))

    # What it is

    @property
    def dtype(self) -> np.dtype:
        return self.values.dtype

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def itemsize(self) -> int:
        return self.values.itemsize

    @property
    def nbytes(self) -> int:
        return self.size * self.itemsize

    @property
    def strides(self) -> tuple[int, ...]:
        return self.values.strides[1:]

    @property
    def flags(self):
        return self.values.flags

    @property
    def base(self) -> Any:
        """What owns the memory; None where nobody else can see it, so that it may be handed on."""
        values = self.values
        if getrefcount(values) <= _ALONE:
            if type(values) is ndarray and values.base is None:
                return None
            if type(values) is BatchedArray:
                return values.base
        return owner(self.shadow)

    @property
    def shadow(self) -> ndarray:
        values = self.values
        return values if isinstance(values, ndarray) else values.shadow

    def like(self, values) -> BatchedArray:
        """Return an array of this level over other values."""
        return BatchedArray(values, self.level)

    def through(self, function) -> BatchedArray:
        return self.like(function(self.values, 1))

    # The same memory

    @property
    def T(self) -> BatchedArray:
        return self.transpose()

    @property
    def mT(self) -> BatchedArray:
        if self.ndim < 2:
            raise ValueError("matrix transpose with ndim < 2 is undefined")
        return self.like(self.values.mT)

    @property
    def real(self) -> BatchedArray:
        return self.like(self.values.real)

    @property
    def imag(self) -> BatchedArray:
        return self.like(self.values.imag)

    def reshape(self, *shape, order="C") -> BatchedArray:
        self.check_alive()
        if len(shape) == 1 and not hasattr(shape[0], "__index__"):
            shape = tuple(shape[0])
        values = self.values
        if -1 in shape:
            known = -math.prod(shape)
            if known <= 0 or self.size % known:
                raise ValueError(
                    f"cannot reshape an array of shape {tuple(self.shape)} into {shape}"
                )
            shape = tuple([self.size // known if n == -1 else n for n in shape])
        if order != "C":
            turned = values.transpose(0, *range(values.ndim - 1, 0, -1))
            turned = turned.reshape((values.shape[0], *reversed(shape)))
            return self.like(turned.transpose(0, *range(turned.ndim - 1, 0, -1)))
        return self.like(values.reshape((values.shape[0], *shape)))

    def transpose(self, *axes) -> BatchedArray:
        self.check_alive()
        ndim = self.ndim
        if len(axes) == 1 and not hasattr(axes[0], "__index__"):
            axes = axes[0]
        order = range(ndim - 1, -1, -1) if not axes else [axis % ndim for axis in axes]
        return self.like(self.values.transpose((0, *[axis + 1 for axis in order])))

    def view(self, *arguments) -> BatchedArray:
        self.check_alive()
        return self.like(self.values.view(*arguments))

    # Copies

    def astype(self, dtype, order="K", casting="unsafe", subok=True, copy=True) -> BatchedArray:
        self.check_alive()
        if not copy and self.dtype == dtype:
            return self
        return self.like(self.values.astype(dtype))

    def copy(self, order="C") -> BatchedArray:
        self.check_alive()
        return self.like(self.values.copy(order))

    def conj(self) -> BatchedArray:
        return self.like(np.conjugate(self.values))

    def fill(self, value) -> None:
        self[...] = value

    def __copy__(self) -> BatchedArray:
        return self.copy()

    def __deepcopy__(self, memo) -> BatchedArray:
        return self.copy()

    # Parts

    def __getitem__(self, index) -> BatchedArray:
        self.check_alive()
        return get_item(self, index)

    def __setitem__(self, index, value) -> None:
        self.check_alive()
        set_item(self, index, value)

    # What NumPy asks

    def answer_ufunc(self, ufunc, method: str, inputs, out, keywords):
        level = self.level
        handler = UFUNCS.get((ufunc, method)) or UFUNCS[None, method]
        if out is None:
            return handler(level, ufunc, inputs, keywords)
        for target in out:
            if target is not None and not belongs(target, level):
                raise unbatched_memory(level)
        where = keywords.pop("where", True) if method == "__call__" else True
        found = handler(level, ufunc, inputs, keywords)
        if where is not True:  # elsewhere stays what was there
            found = np.where(where, found, out[0])
        for target, y in zip(out, found if isinstance(found, tuple) else (found,)):
            if target is not None:
                target[...] = y
        return out[0] if len(out) == 1 else out

    def answer_function(self, function, arguments, keywords):
        answer = FUNCTIONS.get(function)
        if answer is None:
            return LOOPS["function"](self.level, function, arguments, keywords)
        return answer(self.level, *arguments, **keywords)

    def elementwise(self, kernel, inputs) -> BatchedArray:
        return self.like(kernel(*aligned(self.level, inputs)))

    def opaque(self, kernel, arguments):
        return LOOPS["opaque"](self.level, kernel, arguments)

    def checked(self, check, arguments) -> None:
        LOOPS["checked"](self.level, check, arguments)

    def picked_from(self, table, index):
        if not belongs(table, self.level):
            table = self.like(spread(table, self.level))
        return table[index]

    def compute(self, declared, arrays, parameters, error):
        return LOOPS["kernel"](self.level, declared, arrays, parameters)

    def pull_back(self, node, inputs, saved, g, recorded, error):
        return LOOPS["pullback"](self.level, node, inputs, saved, g, recorded)

    def __getattr__(self, name: str):
        method = METHODS.get(name)
        if method is None:
            raise AttributeError(
                f"an array inside {self.level.name} does not know the attribute {name!r}"
            )
        return lambda *arguments, **keywords: method(self, *arguments, **keywords)

    def __repr__(self) -> str:
        return (
            f"<{self.level.name}: {self.values.shape[0]} samples of shape {tuple(self.shape)}, "
            f"{self.dtype}>"
        )


def _count_alone() -> int:
    """Return how many references ``base`` counts to values that only their array holds."""
    array = object.__new__(BatchedArray)
    array.values = np.empty(1)
    values = array.values
    return getrefcount(values)


_ALONE = _count_alone()


def of(level: Level, found):
    """Return values of all samples as batched arrays: one, or several."""
    if isinstance(found, (tuple, list)):
        parts = [of(level, part) for part in found]
        return rebuild(type(found), parts)
    return BatchedArray(found, level)
