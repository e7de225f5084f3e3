"""Operators that reduce axes, and that scan or order along one."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from aino.autograd.tensor import Tensor
from aino.errors import OnnxError
from aino.onnx.importing.table import Int, Ints, operator
from aino.ops.shape.joining import cat

Reduction = Callable[[Tensor, tuple[int, ...], bool], Tensor]


def _sum(x: Tensor, axes: tuple[int, ...], keepdims: bool) -> Tensor:
    return x.sum(axes, keepdims, dtype=x.dtype)


def _extreme(function: Callable[..., Tensor], worst: Callable[[np.dtype], Any]) -> Reduction:
    """Return a reduction to the largest or smallest, which of nothing is the type's other end."""

    def reduce(x: Tensor, axes: tuple[int, ...], keepdims: bool) -> Tensor:
        if math.prod(x.shape[axis] for axis in axes) == 0:
            shape = [1 if axis in axes else size for axis, size in enumerate(x.shape)]
            if not keepdims:
                shape = [size for axis, size in enumerate(x.shape) if axis not in axes]
            return Tensor(np.full(shape, worst(x.dtype), x.dtype))
        return function(x, axes, keepdims)

    return reduce


def _lowest(dtype: np.dtype) -> Any:
    return -math.inf if dtype.kind == "f" else dtype.kind != "b" and np.iinfo(dtype).min


def _highest(dtype: np.dtype) -> Any:
    return math.inf if dtype.kind == "f" else dtype.kind == "b" or np.iinfo(dtype).max


def _mean(x: Tensor, axes: tuple[int, ...], keepdims: bool) -> Tensor:
    if x.dtype.kind in "iu":
        count = math.prod(x.shape[axis] for axis in axes)
        return _sum(x, axes, keepdims).div(count, rounding_mode="trunc").to(x.dtype)
    return x.mean(axes, keepdims)


def _prod(x: Tensor, axes: tuple[int, ...], keepdims: bool) -> Tensor:
    for axis in axes:
        x = x.prod(axis, True, dtype=x.dtype)
    return x if keepdims else x.reshape([n for a, n in enumerate(x.shape) if a not in axes])


def _log_sum_exp(x: Tensor, axes: tuple[int, ...], keepdims: bool) -> Tensor:
    if math.prod(x.shape[axis] for axis in axes) == 0:
        return _sum(x, axes, keepdims).log()
    return x.logsumexp(axes, keepdims)


def _root(x: Tensor) -> Tensor:
    return x.sqrt() if x.dtype.kind == "f" else x.to("float64").sqrt().to(x.dtype)


_REDUCTIONS: dict[str, Reduction] = {
    "ReduceSum": _sum,
    "ReduceMean": _mean,
    "ReduceProd": _prod,
    "ReduceMax": _extreme(Tensor.amax, _lowest),
    "ReduceMin": _extreme(Tensor.amin, _highest),
    "ReduceL1": lambda x, axes, keepdims: _sum(x.abs(), axes, keepdims),
    "ReduceL2": lambda x, axes, keepdims: _root(_sum(x * x, axes, keepdims)),
    "ReduceSumSquare": lambda x, axes, keepdims: _sum(x * x, axes, keepdims),
    "ReduceLogSum": lambda x, axes, keepdims: _sum(x, axes, keepdims).log(),
    "ReduceLogSumExp": _log_sum_exp,
}


def _enter(name: str, reduction: Reduction) -> None:
    @operator(name)
    def row(
        data: Tensor, axes: Ints | None = None, *, keepdims: int, noop_with_empty_axes: int = 0
    ) -> Tensor:
        if not axes and noop_with_empty_axes:
            return reduction(data.reshape(*data.shape, 1), (data.ndim,), False)
        chosen = range(data.ndim) if not axes else [axis % data.ndim for axis in axes]
        if not data.ndim:
            return reduction(data.reshape(1), (0,), False)
        return reduction(data, tuple(sorted(chosen)), bool(keepdims))


for _name, _reduction in _REDUCTIONS.items():
    _enter(_name, _reduction)


def _enter_arg(name: str, function: Callable[..., Tensor]) -> None:
    @operator(name)
    def row(data: Tensor, *, axis: int, keepdims: int, select_last_index: int = 0) -> Tensor:
        if not select_last_index:
            return function(data, axis, bool(keepdims))
        return data.shape[axis] - 1 - function(data.flip(axis), axis, bool(keepdims))


_enter_arg("ArgMax", Tensor.argmax)
_enter_arg("ArgMin", Tensor.argmin)


def _scanned(
    function: Callable[..., Tensor], x: Tensor, axis: int, exclusive: int, reverse: int, start: int
) -> Tensor:
    if reverse:
        x = x.flip(axis)
    if exclusive:
        size = x.shape[axis]
        first = (x.narrow(axis, 0, min(size, 1)) * 0 + start).to(x.dtype)
        x = cat([first, x.narrow(axis, 0, max(size - 1, 0))], axis)
    x = function(x, axis, dtype=x.dtype)
    return x.flip(axis) if reverse else x


@operator("CumSum")
def cum_sum(x: Tensor, axis: Int, *, exclusive: int, reverse: int) -> Tensor:
    return _scanned(Tensor.cumsum, x, axis, exclusive, reverse, 0)


@operator("CumProd")
def cum_prod(x: Tensor, axis: Int, *, exclusive: int, reverse: int) -> Tensor:
    return _scanned(Tensor.cumprod, x, axis, exclusive, reverse, 1)


@operator("TopK")
def top_k(
    X: Tensor, K: Int | None = None, *, axis: int, largest: int = 1, sorted: int = 1, k: int = 0
) -> tuple[Tensor, Tensor]:
    values, indices = X.sort(dim=axis, descending=bool(largest), stable=True)
    count = k if K is None else K
    if not 0 <= count <= X.shape[axis]:
        raise OnnxError(f"{count} of {X.shape[axis]} elements are asked for")
    return values.narrow(axis, 0, count), indices.narrow(axis, 0, count)
