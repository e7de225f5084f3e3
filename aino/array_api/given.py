"""What the functions of the array standard are given: tensors, and numbers beside them."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.autograd.operands import not_a_tensor
from aino.autograd.tensor import Tensor, make
from aino.dtypes import as_dtype, promote_types

#: NumPy, which answers tensors with tensors; its types don't say so.
xp: Any = np

_KINDS = {"b": "bool", "i": "integer", "u": "integer", "f": "floating", "c": "floating"}


def checked(name: str, x: Any, label: str = "x") -> Tensor:
    """Return what was given, if it is a tensor; else say in words what it is."""
    if not isinstance(x, Tensor):
        raise not_a_tensor(name, f"argument {label!r}", x)
    return x


def checked_all(name: str, arrays: Any) -> list[Tensor]:
    """Return several tensors as a list."""
    return [checked(name, x, f"arrays[{position}]") for position, x in enumerate(arrays)]


def promoted(*dtypes: np.dtype) -> np.dtype:
    """Return the dtype that two or more come to, whatever the shapes: a 0-d tensor counts whole.

    Of integers beside floating-point numbers, which the standard leaves open, PyTorch decides.
    """
    found = dtypes[0]
    for dtype in dtypes[1:]:
        alike = _KINDS[found.kind] == _KINDS[dtype.kind] and {found.kind, dtype.kind} != {"i", "u"}
        found = np.result_type(found, dtype) if alike else _mixed(found, dtype)
    return found


def _mixed(first: np.dtype, second: np.dtype) -> np.dtype:
    if {first.kind, second.kind} <= {"i", "u"}:
        found = np.result_type(first, second)
        if found.kind == "f":
            raise TypeError(
                f"no integer dtype holds all of {first} and {second}; bring both to one by astype"
            )
        return found
    return promote_types(first, second)


def summed(dtype: Any, x: Tensor) -> np.dtype:
    """Return the dtype of a sum: of truths and integers 64 bits, so that they don't run over."""
    if dtype is not None:
        return as_dtype(dtype)
    wide = {"b": np.int64, "i": np.int64, "u": np.uint64}.get(x.dtype.kind)
    return x.dtype if wide is None else np.dtype(wide)


def together(name: str, *operands: Any) -> list[Tensor]:
    """Return operands as tensors of one dtype; a Python number takes that of the tensors."""
    tensors = [x for x in operands if isinstance(x, Tensor)]
    if not tensors:
        raise not_a_tensor(name, "argument 'x1'", operands[0])
    dtype = promoted(*[x.dtype for x in tensors])
    for position, x in enumerate(operands):
        if not isinstance(x, Tensor):
            dtype = _beside(name, x, dtype, position)
    return [x.to(dtype) if isinstance(x, Tensor) else _number(x, dtype) for x in operands]


def _beside(name: str, x: Any, dtype: np.dtype, position: int) -> np.dtype:
    if not isinstance(x, (bool, int, float, complex)):
        raise not_a_tensor(name, f"argument 'x{position + 1}'", x)
    rank = 0 if isinstance(x, bool) else 1 if isinstance(x, int) else 2
    rank = 3 if isinstance(x, complex) else rank
    own = {"b": 0, "u": 1, "i": 1, "f": 2, "c": 3}[dtype.kind]
    if rank == 3 and own == 2:
        return np.result_type(dtype, np.complex64)
    if rank > own:
        raise TypeError(
            f"{name}: the {type(x).__name__} {x!r} beside a tensor of {dtype}, which can't hold "
            "it; give a tensor of the dtype that is meant"
        )
    return dtype


def _number(x: Any, dtype: np.dtype) -> Tensor:
    return make(np.array(x, dtype))
