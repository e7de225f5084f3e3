"""``out=``: a result that is written into a tensor which is there already."""

from __future__ import annotations

import numpy as np

from aino.autograd.mode import mode
from aino.autograd.tensor import Tensor
from aino.dtypes import can_cast
from aino.errors import DtypeError, GradientError, ShapeError
from aino.ops.tensor.inplace import copy_


def into(out: Tensor | None, result: Tensor, name: str) -> Tensor:
    """Return ``result``, written into ``out`` where that is given.

    A tensor without elements gets the shape of the result. Raises ``ShapeError`` for any other
    shape, ``DtypeError`` for a dtype that does not hold the result, and ``GradientError`` where
    one of the two wants a gradient, which a write into memory that is there already would lose.
    """
    if out is None:
        return result
    if not isinstance(out, Tensor):
        raise DtypeError(f"{name}: out= is a tensor, not {type(out).__name__}")
    if mode.level and (result.requires_grad or out.requires_grad):
        raise GradientError(
            f"{name}: out= keeps no gradient, and one of the tensors requires one; leave out= "
            "away, or detach() them"
        )
    if not can_cast(result.dtype, out.dtype):
        raise DtypeError(
            f"{name}: the result is {result.dtype}, which out= of {out.dtype} can't hold"
        )
    if out.shape != result.shape:
        if out.array.size or out.view_of is not None:
            raise ShapeError(
                f"{name}: the result has shape {tuple(result.shape)}, out= has {tuple(out.shape)}"
            )
        out.array = np.empty(result.shape, out.dtype)
    return copy_(out, result)
