"""Whether elements are among others."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.autograd.tensor import Tensor, make
from aino.dtypes import as_dtype, result_type
from aino.errors import DtypeError
from aino.ops.arguments import other_names
from aino.ops.public import takes_out
from aino.tracing import opaque

__all__ = ["isin"]


@other_names(element="elements", test_element="test_elements")
@takes_out
def isin(
    elements: Any,
    test_elements: Any,
    *,
    assume_unique: bool = False,
    invert: bool = False,
    out: Tensor | None = None,
) -> Tensor:
    """Tell of each element whether it is among ``test_elements``; NaN is among nothing.

    Arguments:
        elements: a tensor, or a number.
        test_elements: a tensor, or a number; one of the two is a tensor.
        assume_unique: promise that neither of them has equal elements, which may be quicker.
        invert: tell whether it is not among them.

    >>> import aino
    >>> aino.isin(aino.tensor([1, 2, 3]), aino.tensor([2, 3, 5]))
    tensor([False,  True,  True])
    """
    if not isinstance(elements, Tensor) and not isinstance(test_elements, Tensor):
        raise DtypeError("isin: one of elements and test_elements must be a tensor")
    arrays = [x.array if isinstance(x, Tensor) else x for x in (elements, test_elements)]
    dtype = result_type(*arrays)
    if dtype.kind == "c":
        raise DtypeError(f"isin: complex numbers are not taken, got {dtype}")
    arrays = [np.asarray(x, as_dtype(dtype)) if isinstance(x, (bool, int, float)) else x
              for x in arrays]  # fmt: skip
    arrays = [x if x.dtype == dtype else x.astype(dtype) for x in arrays]
    return make(_isin(*arrays, assume_unique, invert))


@opaque
def _isin(elements, tests, unique, invert):
    return np.asarray(np.isin(elements, tests, assume_unique=unique, invert=invert))
