"""The largest and the smallest: how large, and where."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from aino.autograd.rules import compare
from aino.autograd.rules import index as index_rules
from aino.autograd.rules import reduce as rules
from aino.autograd.tensor import Tensor, make
from aino.errors import BoundsError, DtypeError, ShapeError
from aino.ops import return_types
from aino.ops.arguments import dim_of, numpy_names, reduced, wrapped
from aino.ops.public import method, takes_out
from aino.types import Number

__all__ = ["max", "min", "amax", "amin", "aminmax", "argmax", "argmin"]


def not_complex(input, name: str) -> None:
    """Raise ``DtypeError`` for complex numbers."""
    if input.array.dtype.kind == "c":
        raise DtypeError(f"{name}: complex numbers have no order")


def nonempty(input, axis, name: str) -> None:
    """Raise where nothing is reduced to something: an extreme of nothing is not defined."""
    shape = input.array.shape
    if axis is None:
        if 0 in shape:
            raise ShapeError(
                f"{name}: a tensor of shape {shape} has no elements; give the dim to reduce"
            )
        return
    for dim in (axis,) if type(axis) is int else axis:
        if shape[dim] == 0:
            raise BoundsError(f"{name}: expected dim {dim} of shape {shape} to have non-zero size")


def needs_dim(keepdim, name: str) -> None:
    """Raise for ``keepdim`` where no dimension is given that could be kept."""
    if keepdim:
        raise TypeError(f"{name}: keepdim needs a dim")


def along(input, dim, keepdim, index, result):
    """Return the named tuple of the values at ``index``, one for each row along ``dim``."""
    index = wrapped(index)
    if not input.array.ndim:
        return result(input.clone(), index)
    values = index_rules.choose(input, index, dim)
    if keepdim:
        shape = values.array.shape
        shape = (*shape[:dim], 1, *shape[dim:])
        values, index = values.reshape(shape), index.reshape(shape)
    return result(values, index)


def _argmax(array, dim):
    # The method takes a third of the function's time.
    return array.argmax(dim) if type(array) is np.ndarray else np.argmax(array, dim)


def _argmin(array, dim):
    return array.argmin(dim) if type(array) is np.ndarray else np.argmin(array, dim)


def _extreme(input, dim, keepdim, name, result, search, whole, pairwise):
    """The three forms of ``max`` and ``min``."""
    if isinstance(dim, Tensor):
        return pairwise(input, dim)
    not_complex(input, name)
    if dim is None:
        needs_dim(keepdim, name)
        nonempty(input, None, name)
        return whole(input)
    dim = dim_of(dim, input.array.ndim)
    if input.array.ndim:
        nonempty(input, dim, name)
    array = input.array
    index = search(array, dim) if array.ndim else np.zeros((), np.int64)
    return along(input, dim, keepdim, index, result)


def _dim_or_other(dim, keepdim, other, name):
    """Return what ``max`` and ``min`` take in second place: a dimension, or another tensor."""
    if other is None:
        return dim
    if dim is not None or keepdim:
        raise TypeError(f"{name}: give a dim, or another tensor, not both")
    return other


@method
@numpy_names
@takes_out
def max(
    input: Tensor,
    dim: Any = None,
    keepdim: bool = False,
    *,
    other: Tensor | Number | None = None,
    out: Any = None,
) -> Any:
    """Return the largest element; along a dimension, ``(values, indices)``.

    Of two tensors it is ``maximum``. nan where there is one. Elements that tie for the largest of
    all share the gradient; along ``dim`` the first gets it. Raises ``ShapeError`` when there are
    no elements.

    Arguments:
        input: a tensor.
        dim: the dimension, None for all elements; or another tensor, ``max(input, other)``.
        keepdim: whether the dimension stays, with length 1.
        other: the other tensor, given by name.

    >>> import aino
    >>> x = aino.tensor([[1.0, 5.0], [7.0, 3.0]])
    >>> x.max(), x.max(dim=1).indices, aino.max(x, aino.tensor(4.0))[0]
    (tensor(7.), tensor([1, 0]), tensor([4., 5.]))
    """
    dim = _dim_or_other(dim, keepdim, other, "max")
    return _extreme(
        input, dim, keepdim, "max", return_types.max, _argmax, rules.max, compare.maximum
    )


@method
@numpy_names
@takes_out
def min(
    input: Tensor,
    dim: Any = None,
    keepdim: bool = False,
    *,
    other: Tensor | Number | None = None,
    out: Any = None,
) -> Any:
    """Return the smallest element; along a dimension, ``(values, indices)``.

    Of two tensors it is ``minimum``. nan where there is one. Elements that tie for the smallest of
    all share the gradient; along ``dim`` the first gets it. Raises ``ShapeError`` when there are
    no elements.

    Arguments:
        input: a tensor.
        dim: the dimension, None for all elements; or another tensor, ``min(input, other)``.
        keepdim: whether the dimension stays, with length 1.
        other: the other tensor, given by name.

    >>> import aino
    >>> aino.tensor([[1.0, 5.0], [7.0, 3.0]]).min(dim=0).values
    tensor([1., 3.])
    """
    dim = _dim_or_other(dim, keepdim, other, "min")
    return _extreme(
        input, dim, keepdim, "min", return_types.min, _argmin, rules.min, compare.minimum
    )


@method
@numpy_names
@takes_out
def amax(
    input: Tensor, dim: Any = (), keepdim: bool = False, *, out: Tensor | None = None
) -> Tensor:
    """Return the largest elements over dimensions; those that tie share the gradient.

    Raises ``IndexError`` where a dimension has no elements.

    Arguments:
        input: a tensor.
        dim: which dimensions: a number, several, or ``()`` for all.
        keepdim: whether they stay, with length 1.

    >>> import aino
    >>> aino.tensor([[1.0, 5.0], [7.0, 3.0]]).amax((0, 1))
    tensor(7.)
    """
    not_complex(input, "amax")
    axis = reduced(dim, input.array.ndim)
    nonempty(input, axis, "amax")
    return rules.amax(input, axis, keepdim)


@method
@numpy_names
@takes_out
def amin(
    input: Tensor, dim: Any = (), keepdim: bool = False, *, out: Tensor | None = None
) -> Tensor:
    """Return the smallest elements over dimensions; those that tie share the gradient.

    Raises ``IndexError`` where a dimension has no elements.

    Arguments:
        input: a tensor.
        dim: which dimensions: a number, several, or ``()`` for all.
        keepdim: whether they stay, with length 1.

    >>> import aino
    >>> aino.tensor([[1.0, 5.0], [7.0, 3.0]]).amin(1)
    tensor([1., 3.])
    """
    not_complex(input, "amin")
    axis = reduced(dim, input.array.ndim)
    nonempty(input, axis, "amin")
    return rules.amin(input, axis, keepdim)


@method
@numpy_names
@takes_out
def aminmax(
    input: Tensor, *, dim: Any = None, keepdim: bool = False, out: Sequence[Tensor] | None = None
) -> Any:
    """Return the smallest and the largest element, ``(min, max)``, as a named tuple.

    Elements that tie share the gradient. Raises ``ShapeError`` when there are no elements.

    Arguments:
        input: a tensor.
        dim: the dimension; None for all elements.
        keepdim: whether it stays, with length 1.

    >>> import aino
    >>> aino.tensor([2.0, 1.0, 3.0]).aminmax().max
    tensor(3.)
    """
    dim = () if dim is None else dim_of(dim, input.array.ndim)
    return return_types.aminmax(amin(input, dim, keepdim), amax(input, dim, keepdim))


def _arg_extreme(input, dim, keepdim, search, name):
    not_complex(input, name)
    array = input.array
    if array.dtype.kind == "b":
        raise DtypeError(f"{name}: booleans are not taken; cast them, for example with .int()")
    if dim is None:
        nonempty(input, None, name)
        index = search(array)
        return wrapped(index.reshape((1,) * array.ndim) if keepdim else index)
    dim = dim_of(dim, array.ndim)
    if not array.ndim:
        return make(np.zeros((), np.int64))
    nonempty(input, dim, name)
    return wrapped(search(array, dim, keepdims=keepdim))


@method
@numpy_names
@takes_out
def argmax(
    input: Tensor, dim: Any = None, keepdim: bool = False, *, out: Tensor | None = None
) -> Tensor:
    """Return the index of the largest element, of several the first.

    Without a ``dim`` it is the index in the flattened tensor. nan counts as such an element. Raises
    ``ShapeError`` when there are no elements, ``DtypeError`` for booleans and complex numbers.

    Arguments:
        input: a tensor.
        dim: the dimension; None for all elements.
        keepdim: whether it stays, with length 1.

    >>> import aino
    >>> aino.argmax(aino.tensor([[1.0, 5.0], [7.0, 3.0]]), 1)
    tensor([1, 0])
    """
    return _arg_extreme(input, dim, keepdim, np.argmax, "argmax")


@method
@numpy_names
@takes_out
def argmin(
    input: Tensor, dim: Any = None, keepdim: bool = False, *, out: Tensor | None = None
) -> Tensor:
    """Return the index of the smallest element, of several the first.

    Without a ``dim`` it is the index in the flattened tensor. nan counts as such an element. Raises
    ``ShapeError`` when there are no elements, ``DtypeError`` for booleans and complex numbers.

    Arguments:
        input: a tensor.
        dim: the dimension; None for all elements.
        keepdim: whether it stays, with length 1.

    >>> import aino
    >>> aino.tensor([3.0, 1.0, 2.0]).argmin()
    tensor(1)
    """
    return _arg_extreme(input, dim, keepdim, np.argmin, "argmin")
