"""The array that says what is done with it, while a kernel runs on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from aino.native.forms import Form
from aino.tracing import session


class UnrecordedError(Exception):
    """A kernel does something with an array that the walker has no instruction for."""


def _refuse(self, *_, **__):
    raise UnrecordedError("the numbers of an array are looked at")


class Recorded(np.ndarray):
    """An array of which the recorder of this thread hears what is done with it."""

    # What they give would not be heard of any more.
    __bool__ = __int__ = __float__ = __index__ = __complex__ = _refuse
    item = tolist = tobytes = all = any = argmax = argmin = nonzero = _refuse
    fill = sort = partition = put = byteswap = _refuse

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **keywords):
        target = None if out is None else out[0]
        if method == "reduce":
            return _reduced(ufunc, inputs, target, keywords)
        if method != "__call__" or keywords or ufunc.nout != 1:
            raise UnrecordedError(f"{ufunc.__name__}.{method}")
        if ufunc is np.matmul:
            return _multiplied("stack", ufunc, inputs, target)
        if ufunc is np.vecdot:
            return _multiplied("vecdot", ufunc, inputs, target)
        if ufunc.signature is not None:
            raise UnrecordedError(ufunc.__name__)
        given = [plain(x) for x in inputs]
        kinds = [x.dtype if isinstance(x, np.ndarray) else type(x) for x in given]
        if not all(isinstance(x, (np.ndarray, int, float, complex)) for x in given):
            raise UnrecordedError(ufunc.__name__)
        dtypes = ufunc.resolve_dtypes((*kinds, None))
        operands = [
            x if isinstance(x, np.ndarray) else _constant(x, d) for x, d in zip(given, dtypes)
        ]
        result = _room(target, np.broadcast_shapes(*[x.shape for x in operands]), dtypes[-1])
        if [*[x.dtype for x in operands], result.dtype] != list(dtypes):
            raise UnrecordedError(f"{ufunc.__name__} of different dtypes")
        ufunc(*operands, out=plain(result))
        session.recorder.add("ufunc", [result, *operands], ufunc)
        return result

    def __array_function__(self, function, types, arguments, keywords):
        answer = _FUNCTIONS.get(function)
        if answer is None:
            raise UnrecordedError(function.__name__)
        return answer(*arguments, **keywords)

    def __setitem__(self, index, value):
        target = self[index] if index is not Ellipsis else self
        if not isinstance(target, Recorded):
            raise UnrecordedError("an element is set")
        _copied(target, value)

    def __getitem__(self, index):
        for part in index if isinstance(index, tuple) else (index,):
            if not (part is None or part is Ellipsis or isinstance(part, (int, slice))):
                raise UnrecordedError("an index that is no slice")
        found = super().__getitem__(index)
        if not isinstance(found, Recorded):
            raise UnrecordedError("an element is looked at")
        return found

    def copy(self, order="C"):
        if order != "C":
            raise UnrecordedError("a copy in another order")
        return _copied(_room(None, self.shape, self.dtype), self)

    def astype(self, dtype):  # type: ignore[override]
        return _copied(_room(None, self.shape, np.dtype(dtype)), self)

    def reshape(self, *shape, **keywords):
        found = super().reshape(*shape, **keywords)
        if self.size and not np.may_share_memory(found, self):
            return _copied(_room(None, self.shape, self.dtype), self).reshape(*shape)
        return found

    def dot(self, other, out=None):
        return _dot(self, other, out)


def plain(x: Any) -> Any:
    """Return an array as one of NumPy's own class."""
    return x.view(np.ndarray) if isinstance(x, Recorded) else x


def _constant(number: Any, dtype: np.dtype) -> np.ndarray:
    array = np.array(number, dtype)
    array.flags.writeable = False
    return array


def _room(target: Any, shape: tuple[int, ...], dtype: np.dtype) -> Any:
    """Return where a result goes: where it is wanted, or scratch memory."""
    if target is None:
        return session.recorder.known(np.empty(shape, dtype))
    if not isinstance(target, Recorded):
        raise UnrecordedError("a result goes into memory that is not known")
    return target


def _copied(target: Any, source: Any) -> Any:
    if not isinstance(source, np.ndarray):
        source = _constant(source, target.dtype)
    to, source = plain(target), plain(source)
    itself = to.__array_interface__["data"] == source.__array_interface__["data"]
    if itself and Form.of(to) == Form.of(source):
        return target  # x[a] *= b sets what it has computed in its place
    while source.ndim > to.ndim and source.shape[0] == 1:
        source = source[0]
    to[...] = source
    session.recorder.add("copy", [target, source], None)
    return target


def _reduced(ufunc, inputs, target, keywords):
    axis, keep = keywords.pop("axis", 0), keywords.pop("keepdims", False)
    keywords = {key: item for key, item in keywords.items() if item is not None}
    x = plain(inputs[0])
    if keywords or len(inputs) != 1 or x.ndim == 0:
        raise UnrecordedError(f"{ufunc.__name__}.reduce")
    axes = tuple(range(x.ndim)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    axes = tuple(sorted([number % x.ndim for number in axes]))
    shape = tuple([n for number, n in enumerate(x.shape) if number not in axes])
    expected = np.asarray(ufunc.reduce(x, axis=axes))
    if expected.dtype != x.dtype or target is not None:
        raise UnrecordedError(f"{ufunc.__name__}.reduce into another dtype, or memory")
    result = _room(None, shape, x.dtype)
    plain(result)[...] = expected
    session.recorder.add("reduce", [result, x], (ufunc, axes))
    whole = tuple([1 if number in axes else n for number, n in enumerate(x.shape)])
    return result.reshape(whole) if keep else result


def _multiplied(kind: str, function: Any, inputs: tuple, target: Any) -> Any:
    a, b = [plain(x) for x in inputs]
    expected = function(a, b)
    result = _room(target, np.shape(expected), a.dtype)
    if not a.dtype == b.dtype == result.dtype or result.shape != np.shape(expected):
        raise UnrecordedError("a product of different dtypes")
    if np.may_share_memory(result, a) or np.may_share_memory(result, b):
        raise UnrecordedError("an operand overlaps the result")
    plain(result)[...] = expected
    session.recorder.add(kind, [result, a, b], function)
    return result


def _dot(a: Any, b: Any, out: Any = None) -> Any:
    if a.ndim > 2 or b.ndim > 2:
        raise UnrecordedError("dot of more than two axes")
    return _multiplied("product", np.matmul, (a, b), out)


def _empty_like(x: Any, dtype: Any = None, order: str = "K", subok: bool = True, shape=None):
    if order != "C":
        raise UnrecordedError("memory in an order that depends on that of another array")
    if shape is None:
        shape = x.shape
    shape = tuple(shape) if isinstance(shape, (tuple, list)) else (shape,)
    return _room(None, shape, x.dtype if dtype is None else np.dtype(dtype))


def _zeros_like(x: Any, *arguments: Any, **keywords: Any) -> Any:
    return _copied(_empty_like(x, *arguments, **keywords), 0)


def _concatenate(arrays: Any, axis: int = 0) -> Any:
    shape = list(arrays[0].shape)
    shape[axis] = sum([x.shape[axis] for x in arrays])
    result, start = _room(None, tuple(shape), arrays[0].dtype), 0
    for x in arrays:
        cut = [slice(None)] * len(shape)
        cut[axis] = slice(start, start + x.shape[axis])
        result[tuple(cut)] = x
        start += x.shape[axis]
    return result


def _stack(arrays: Any, axis: int = 0) -> Any:
    return _concatenate([x[None] for x in arrays]) if axis == 0 else _refuse(None)


def _where(condition: Any, *between: Any) -> Any:
    """Return a choice between two arrays, or an array and a number, by a mask or by what is 0."""
    if len(between) != 2:
        raise UnrecordedError("places where something is true")
    mask = plain(condition)
    if mask.dtype != np.bool_:
        condition = np.not_equal(condition, _constant(0, mask.dtype))
        mask = plain(condition)
    dtype = np.result_type(*[plain(x) for x in between])
    one, other = [x if isinstance(x, np.ndarray) else _constant(x, dtype) for x in between]
    if not one.dtype == other.dtype == dtype:
        raise UnrecordedError("a choice between different dtypes")
    expected = np.where(mask, plain(one), plain(other))
    result = _room(None, np.shape(expected), dtype)
    plain(result)[...] = expected
    session.recorder.add("choose", [result, condition, one, other], None)
    return result


_FUNCTIONS: dict[Any, Callable] = {
    np.where: _where, np.empty_like: _empty_like, np.zeros_like: _zeros_like, np.dot: _dot,
    np.concatenate: _concatenate, np.stack: _stack,
    np.copyto: lambda to, x: _copied(to, x) and None,
    np.result_type: lambda *xs: np.result_type(*[plain(x) for x in xs]),
    np.may_share_memory: lambda a, b: np.may_share_memory(plain(a), plain(b)),
    np.moveaxis: lambda x, *axes: np.moveaxis(plain(x), *axes).view(Recorded),
    np.shape: lambda x: x.shape,
}  # fmt: skip
