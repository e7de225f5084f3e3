"""The dtype in which a leaf keeps its gradient, where that is not its own."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.autograd.node import Leaf, extras_of
from aino.dtypes import as_dtype
from aino.errors import DtypeError, GradientError
from aino.tracing import forbid_in_trace

#: Stands for None: gradients of any dtype.
ANY = "any"


def grad_dtype_of(tensor: Any) -> np.dtype | None:
    """Return the dtype that a leaf's gradients are cast to, None for that which they come in."""
    keeper = tensor.node
    if type(keeper) is not Leaf:
        keeper = None if keeper is not None else getattr(tensor, "frozen", None)
    extras = None if keeper is None else keeper.extras
    if extras is None or extras.grad_dtype is None:
        return tensor.array.dtype
    return None if extras.grad_dtype == ANY else extras.grad_dtype


def _get(tensor: Any) -> np.dtype | None:
    """The dtype that this leaf's gradients are cast to, its own unless another was chosen.

    None takes gradients of any dtype. Raises ``GradientError`` for what an operation made,
    ``DtypeError`` for a dtype that gradients don't have.

    >>> import aino
    >>> x = aino.ones(2, dtype=aino.float16, requires_grad=True)
    >>> x.grad_dtype = aino.float32
    >>> (x * 3.0).sum().backward()
    >>> x.grad.dtype
    dtype('float32')
    """
    _check_leaf(tensor)
    return grad_dtype_of(tensor)


def _set(tensor: Any, dtype: Any) -> None:
    _check_leaf(tensor)
    forbid_in_trace("grad_dtype", "set it outside the compiled function")
    if dtype is not None:
        dtype = as_dtype(dtype)
        own = tensor.array.dtype.kind
        if dtype.kind not in "fc" or (own == "c" and dtype.kind != "c"):
            raise DtypeError(
                f"grad_dtype: the gradients of a tensor of {tensor.array.dtype} can't be {dtype}"
            )
        held = tensor.grad
        if held is not None and held.dtype != dtype:
            raise DtypeError(
                f"grad_dtype: the gradient that is there is of {held.dtype}, not {dtype}; set grad "
                "to None first"
            )
    keeper = tensor.node
    if keeper is None:
        keeper = getattr(tensor, "frozen", None)
        if keeper is None:
            keeper = tensor.frozen = Leaf(tensor)
    extras_of(keeper).grad_dtype = ANY if dtype is None else dtype


def _check_leaf(tensor: Any) -> None:
    if tensor.grad_fn is not None:
        raise GradientError("grad_dtype is for leaves; an operation made this tensor")


grad_dtype = property(_get, _set)
