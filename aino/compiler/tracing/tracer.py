"""Tracer: stands where an array stood, and tells the trace what NumPy is asked to do with it."""

from __future__ import annotations

import functools
from operator import attrgetter
from typing import Any

import numpy as np

from aino.compiler.ir.operations import Operation
from aino.compiler.ir.symbolic import ReadNumber
from aino.errors import CompileError


def _reading(what: str, advice: str):
    def refuse(self, *_, **__):
        raise CompileError(
            f"{what} reads a value that is only known when the program runs; {advice}"
            f"{self.trace.where()}"
        )

    return refuse


_BRANCH = "use aino.where, or branch outside the compiled function"
_RETURN = "return the tensor and read it outside the compiled function"


#: Methods of arrays that only compute; the dialect of rules does without, ops may use them.
_METHODS = {
    "all", "any", "argmax", "argmin", "argsort", "clip", "cumprod", "cumsum", "dot", "max",
    "mean", "min", "prod", "round", "std", "sum", "take", "trace", "var",
}  # fmt: skip


class UnknownAttributeError(CompileError, AttributeError):
    """An attribute of arrays that a tracer does not have."""


class Tracer(np.lib.mixins.NDArrayOperatorsMixin):
    """An array in a trace: its region in the program, and its memory in the shadow run.

    It answers what the rules and kernels ask of arrays, computes on the shadow memory, and
    records. What would read a value into Python raises ``CompileError``.
    """

    __slots__ = ("trace", "value", "shadow")

    def __init__(self, trace, value, shadow) -> None:
        self.trace = trace
        self.value = value
        self.shadow = shadow

    # What it is

    shape = property(attrgetter("shadow.shape"))
    dtype = property(attrgetter("shadow.dtype"))
    ndim = property(attrgetter("shadow.ndim"))
    size = property(attrgetter("shadow.size"))
    strides = property(attrgetter("shadow.strides"))
    itemsize = property(attrgetter("shadow.itemsize"))
    nbytes = property(attrgetter("shadow.nbytes"))
    flags = property(attrgetter("shadow.flags"))

    @property
    def base(self) -> Any:
        """What owns the memory: the storage, never None.

        So that a view is known for one, and nobody takes a traced gradient for unshared.
        """
        return self.value.storage

    def __len__(self) -> int:
        return len(self.shadow)

    def __iter__(self):
        return (self[i] for i in range(len(self.shadow)))

    # Other regions of the same memory, where NumPy says so

    def _method(self, name: str, *arguments, **keywords):
        result = getattr(self.shadow, name)(*arguments, **keywords)
        return self.trace.derive(self, name, arguments, keywords, result)

    def _attribute(self, name: str):
        return self.trace.derive(self, name, None, None, getattr(self.shadow, name))

    T = property(lambda self: self._attribute("T"))
    mT = property(lambda self: self._attribute("mT"))
    real = property(lambda self: self._attribute("real"))
    imag = property(lambda self: self._attribute("imag"))

    def reshape(self, *shape, **keywords):
        return self._method("reshape", *shape, **keywords)

    def transpose(self, *axes):
        return self._method("transpose", *axes)

    def swapaxes(self, first, second):
        return self._method("swapaxes", first, second)

    def ravel(self, order="C"):
        return self._method("ravel", order)

    def squeeze(self, axis=None):
        return self._method("squeeze", axis)

    def diagonal(self, *arguments):
        diagonal = self._method("diagonal", *arguments)
        # NumPy guards the view against writing, out of an old habit.
        diagonal.shadow.flags.writeable = self.shadow.flags.writeable
        return diagonal

    def view(self, *arguments):
        return self._method("view", *arguments)

    def astype(self, dtype, order="K", casting="unsafe", subok=True, copy=True):
        if not copy and self.shadow.dtype == dtype:
            return self
        return self._method("astype", np.dtype(dtype))

    def nonzero(self):
        return np.nonzero(self)

    def repeat(self, repeats, axis=None):
        return np.repeat(self, repeats, axis)

    def copy(self, order="C"):
        return self._method("copy", order) if order != "C" else self._method("copy")

    def _computed(self, name: str, *arguments, **keywords):
        method = getattr(np.ndarray, name)
        values = (self, *arguments)
        return self.trace.call(Operation.METHOD, name, values, keywords, method)

    def conj(self):
        return np.conjugate(self)

    def __getitem__(self, index):
        self.trace.refuse_mask(index)
        return self.trace.subscript(self, index)

    def __setitem__(self, index, value) -> None:
        self.trace.assign(self, index, value)

    def fill(self, value) -> None:
        self.trace.assign(self, Ellipsis, value)

    # What NumPy asks

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **keywords):
        return self.trace.ufunc(ufunc, method, inputs, out, keywords)

    def __array_function__(self, function, types, arguments, keywords):
        return self.trace.function(function, arguments, keywords, types)

    def __copy__(self):
        return self.copy()

    def __deepcopy__(self, memo):
        return self.copy()

    # Reading a value into Python

    __array__ = _reading("turning a tensor into a NumPy array", _RETURN)
    __float__ = _reading("float()", _RETURN)
    __int__ = _reading("int()", _RETURN)
    __index__ = _reading("using a tensor as an index or a count", _RETURN)
    __complex__ = _reading("complex()", _RETURN)
    __bool__ = _reading("if, while, and, or, not", _BRANCH)
    __contains__ = _reading("in", _BRANCH)

    def item(self):
        """Return the only element as a number that may be returned, and no more."""
        return ReadNumber(self.trace, self.shadow.item(), (self.trace.copied(self), ".item()"))

    tolist = _reading("tolist()", _RETURN)
    tobytes = _reading("tobytes()", _RETURN)
    __hash__ = None  # type: ignore[assignment]

    def __getattr__(self, name: str):
        if name in _METHODS:
            return functools.partial(self._computed, name)
        raise UnknownAttributeError(
            f"the tracer does not know the array attribute {name!r}, which this operation uses"
            f"{self.trace.where()}"
        )

    def __repr__(self) -> str:
        return f"<tracer {self.value!r}>"
