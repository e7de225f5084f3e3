"""Sums, means and their kin, in the words of the array standard."""

from __future__ import annotations

from typing import Any

from aino.array_api.given import checked, promoted, summed, xp
from aino.autograd.tensor import Tensor

__all__ = [
    "all", "any", "count_nonzero", "cumulative_prod", "cumulative_sum", "diff", "max", "mean",
    "min", "prod", "std", "sum", "var",
]  # fmt: skip

Axis = int | tuple[int, ...] | None


def all(x: Tensor, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Tell whether all elements are true.

    Arguments:
        x: a tensor.
        axis: over which axis, or several; None is all of them.
        keepdims: keep these axes, with length 1.
    """
    return xp.all(checked("all", x), axis=axis, keepdims=keepdims)


def any(x: Tensor, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Tell whether an element is true.

    Arguments:
        x: a tensor.
        axis: over which axis, or several; None is all of them.
        keepdims: keep these axes, with length 1.
    """
    return xp.any(checked("any", x), axis=axis, keepdims=keepdims)


def count_nonzero(x: Tensor, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return how many elements are not zero.

    Arguments:
        x: a tensor.
        axis: over which axis, or several; None is all of them.
        keepdims: keep these axes, with length 1.
    """
    x = checked("count_nonzero", x)
    return xp.sum(x != 0, axis=axis, keepdims=keepdims, dtype="int64")


def cumulative_prod(x: Tensor, /, *, axis: int | None = None, dtype: Any = None,
                    include_initial: bool = False) -> Tensor:  # fmt: skip
    """Return the product of each element and all before it.

    Arguments:
        x: a tensor.
        axis: along which axis; None is the only one.
        dtype: the dtype to compute in; for None 64 bits for integers, else that of ``x``.
        include_initial: begin with a 1.
    """
    x = _along("cumulative_prod", x, axis)
    return xp.cumulative_prod(
        x, axis=axis or 0, dtype=summed(dtype, x), include_initial=include_initial
    )


def cumulative_sum(x: Tensor, /, *, axis: int | None = None, dtype: Any = None,
                   include_initial: bool = False) -> Tensor:  # fmt: skip
    """Return the sum of each element and all before it.

    Arguments:
        x: a tensor.
        axis: along which axis; None is the only one.
        dtype: the dtype to compute in; for None 64 bits for integers, else that of ``x``.
        include_initial: begin with a 0.
    """
    x = _along("cumulative_sum", x, axis)
    return xp.cumulative_sum(
        x, axis=axis or 0, dtype=summed(dtype, x), include_initial=include_initial
    )


def _along(name: str, x: Any, axis: int | None) -> Tensor:
    x = checked(name, x)
    if axis is None and x.ndim != 1:
        raise ValueError(
            f"{name}: name the axis, of which a tensor of shape {x.shape} has {x.ndim}"
        )
    return x


def diff(x: Tensor, /, *, axis: int = -1, n: int = 1, prepend: Tensor | None = None,
         append: Tensor | None = None) -> Tensor:  # fmt: skip
    """Return the differences between neighbours.

    Arguments:
        x: a tensor.
        axis: along which axis.
        n: how often.
        prepend, append: what is put before and after it.
    """
    x = checked("diff", x)
    ends = {
        name: checked("diff", end, name)
        for name, end in (("prepend", prepend), ("append", append))
        if end is not None
    }
    dtype = promoted(x.dtype, *[end.dtype for end in ends.values()])
    ends = {name: end.to(dtype) for name, end in ends.items()}
    return xp.diff(x.to(dtype), n=n, axis=axis, **ends)


def max(x: Tensor, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the largest element.

    Arguments:
        x: a tensor of real numbers.
        axis: over which axis, or several; None is all of them.
        keepdims: keep these axes, with length 1.
    """
    return xp.max(checked("max", x), axis=axis, keepdims=keepdims)


def mean(x: Tensor, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the mean.

    Arguments:
        x: a tensor of floating-point numbers.
        axis: over which axis, or several; None is all of them.
        keepdims: keep these axes, with length 1.
    """
    return xp.mean(checked("mean", x), axis=axis, keepdims=keepdims)


def min(x: Tensor, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the smallest element.

    Arguments:
        x: a tensor of real numbers.
        axis: over which axis, or several; None is all of them.
        keepdims: keep these axes, with length 1.
    """
    return xp.min(checked("min", x), axis=axis, keepdims=keepdims)


def prod(x: Tensor, /, *, axis: Axis = None, dtype: Any = None, keepdims: bool = False) -> Tensor:
    """Return the product.

    Arguments:
        x: a tensor of numbers.
        axis: over which axis, or several; None is all of them.
        dtype: the dtype to compute in; for None 64 bits for integers, else that of ``x``.
        keepdims: keep these axes, with length 1.
    """
    x = checked("prod", x)
    return xp.prod(x, axis=axis, dtype=summed(dtype, x), keepdims=keepdims)


def std(x: Tensor, /, *, axis: Axis = None, correction: float = 0.0,
        keepdims: bool = False) -> Tensor:  # fmt: skip
    """Return the standard deviation.

    Arguments:
        x: a tensor of real floating-point numbers.
        axis: over which axis, or several; None is all of them.
        correction: what is taken from the number of elements: 1 for that of a sample.
        keepdims: keep these axes, with length 1.
    """
    return xp.std(checked("std", x), axis=axis, correction=correction, keepdims=keepdims)


def sum(x: Tensor, /, *, axis: Axis = None, dtype: Any = None, keepdims: bool = False) -> Tensor:
    """Return the sum.

    Arguments:
        x: a tensor of numbers.
        axis: over which axis, or several; None is all of them.
        dtype: the dtype to compute in; for None 64 bits for integers, else that of ``x``.
        keepdims: keep these axes, with length 1.
    """
    x = checked("sum", x)
    return xp.sum(x, axis=axis, dtype=summed(dtype, x), keepdims=keepdims)


def var(x: Tensor, /, *, axis: Axis = None, correction: float = 0.0,
        keepdims: bool = False) -> Tensor:  # fmt: skip
    """Return the variance.

    Arguments:
        x: a tensor of real floating-point numbers.
        axis: over which axis, or several; None is all of them.
        correction: what is taken from the number of elements: 1 for that of a sample.
        keepdims: keep these axes, with length 1.
    """
    return xp.var(checked("var", x), axis=axis, correction=correction, keepdims=keepdims)
