"""Dtypes are NumPy's own objects under PyTorch's names, and promote as PyTorch's do.

Source: PyTorch's documentation, "Tensor Attributes", section on type promotion.
"""

from __future__ import annotations

import numpy as np

from aino.errors import DtypeError

bool_ = np.dtype(np.bool_)
uint8 = np.dtype(np.uint8)
uint16 = np.dtype(np.uint16)
uint32 = np.dtype(np.uint32)
uint64 = np.dtype(np.uint64)
int8 = np.dtype(np.int8)
int16 = np.dtype(np.int16)
int32 = np.dtype(np.int32)
int64 = np.dtype(np.int64)
float16 = np.dtype(np.float16)
float32 = np.dtype(np.float32)
float64 = np.dtype(np.float64)
complex64 = np.dtype(np.complex64)
complex128 = np.dtype(np.complex128)

ALL: tuple[np.dtype, ...] = (
    bool_, uint8, uint16, uint32, uint64, int8, int16, int32, int64,
    float16, float32, float64, complex64, complex128,
)  # fmt: skip
BY_NAME = {dtype.name: dtype for dtype in ALL} | {
    "half": float16, "float": float32, "double": float64, "cfloat": complex64,
    "cdouble": complex128, "short": int16, "int": int32, "long": int64,
}  # fmt: skip
CATEGORY = {"b": 0, "u": 1, "i": 1, "f": 2, "c": 3}
# NumPy takes microseconds to tell a dtype's name; most dtypes are AINO's own already.
_OWN = {dtype: dtype for dtype in ALL}
COMPLEX_OF: dict[np.dtype, np.dtype] = {float16: complex64, float32: complex64, float64: complex128}

_default = float32


def get_default_dtype() -> np.dtype:
    """Return the dtype that Python floats become (float32 unless it was changed).

    >>> get_default_dtype()
    dtype('float32')
    """
    return _default


def set_default_dtype(d) -> None:
    """Set the dtype that Python floats become.

    Raises ``DtypeError`` unless it is a floating-point dtype.

    Arguments:
        d: the dtype.

    >>> set_default_dtype("float64")
    >>> as_dtype(float)
    dtype('float64')
    >>> set_default_dtype("float32")
    """
    global _default
    dtype = as_dtype(d)
    if dtype.kind != "f":
        raise DtypeError(f"the default dtype must be a floating-point dtype, not {dtype}")
    _default = dtype


class AbsentDtype:
    """A dtype that code may name and compare with, and that no tensor has."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"aino.{self.name}"


#: Half a float32, with its range: NumPy does not have it.
bfloat16 = AbsentDtype("bfloat16")


def as_dtype(dtype) -> np.dtype:
    """Return AINO's dtype for a NumPy dtype, a scalar type, a Python type or a name.

    Raises ``DtypeError`` for what is none of these, None included, which NumPy takes for float64.

    >>> as_dtype(float), as_dtype("int64")
    (dtype('float32'), dtype('int64'))
    """
    try:
        return _OWN[dtype]
    except (KeyError, TypeError):
        pass
    if dtype.__class__ is str and dtype in BY_NAME:
        return BY_NAME[dtype]
    if isinstance(dtype, AbsentDtype):
        raise DtypeError(f"{dtype!r} can be named, but NumPy does not have it; use aino.float32")
    if dtype is float:
        return _default
    if dtype is complex:
        return COMPLEX_OF[_default]
    try:
        found = np.dtype(dtype).newbyteorder("=") if dtype is not None else None
    except TypeError:
        found = None
    if found is None:
        raise DtypeError(f"{dtype!r} is not a dtype")
    if found.name not in BY_NAME:
        raise DtypeError(f"dtype {found} is not one of {', '.join(BY_NAME)}")
    return BY_NAME[found.name]


def promote_types(type1, type2) -> np.dtype:
    """Return the smallest dtype that both may become, by PyTorch's lattice.

    Raises ``DtypeError`` where there is none, as for uint64 and an integer with a sign.

    Arguments:
        type1: a dtype.
        type2: another.

    >>> promote_types("int64", "float16")
    dtype('float16')
    """
    first, second = as_dtype(type1), as_dtype(type2)
    if first == second:
        return first
    low, high = sorted((first, second), key=lambda dtype: CATEGORY[dtype.kind])
    if CATEGORY[low.kind] == CATEGORY[high.kind]:
        wide = np.promote_types(low, high)
        if wide.kind == "f" and low.kind in "iu":
            raise DtypeError(f"promotion of {first} and {second} is not defined")
        return BY_NAME[wide.name]
    if low.kind == "f":
        return np.promote_types(COMPLEX_OF[low], high)
    return high


def scalar_dtype(value) -> np.dtype:
    """Return the dtype that a Python number becomes when it stands alone."""
    if isinstance(value, (bool, np.bool_)):
        return bool_
    if isinstance(value, (int, np.integer)):
        return int64
    if isinstance(value, (float, np.floating)):
        return _default
    if isinstance(value, (complex, np.complexfloating)):
        return COMPLEX_OF[_default]
    raise DtypeError(f"expected a number, got {type(value).__name__}: {value!r}")


def result_type(*operands) -> np.dtype:
    """Return the dtype that arrays, tensors and Python numbers have in common.

    A 0-d operand counts only where its category (bool < integer < float < complex) is
    above that of the operands with dimensions, and a Python number counts below both.

    Arguments:
        operands: arrays, tensors and Python numbers, one or more.

    >>> result_type(np.ones(3, np.float32), np.array(1.0), 2)
    dtype('float32')
    """
    ranks: list[np.dtype | None] = [None, None, None]
    for operand in operands:
        if hasattr(operand, "dtype") and not isinstance(operand, np.generic):
            rank, dtype = (0 if len(operand.shape) else 1), operand.dtype
        else:
            rank, dtype = 2, scalar_dtype(operand)
        ranks[rank] = dtype if ranks[rank] is None else promote_types(ranks[rank], dtype)
    result = None
    for dtype in ranks:
        if dtype is None:
            continue
        if result is None:
            result = dtype
        elif dtype.kind == "c" and result.kind == "f":
            # Only the kind counts, not the width.
            result = COMPLEX_OF[result]
        elif CATEGORY[dtype.kind] > CATEGORY[result.kind]:
            result = promote_types(result, dtype)
    if result is None:
        raise DtypeError("result_type needs at least one operand")
    return as_dtype(result)


def can_cast(from_, to) -> bool:
    """Tell whether a result of one dtype may be written into a tensor of another, in place.

    Never from complex to real numbers, from floating-point to whole ones, or from others to bool.

    Arguments:
        from_: the dtype of what is computed.
        to: the dtype of the tensor that is written.

    >>> can_cast("float64", "float32"), can_cast("float32", "int64")
    (True, False)
    """
    source, target = as_dtype(from_), as_dtype(to)
    if CATEGORY[source.kind] > CATEGORY[target.kind]:
        return False
    return not (target.kind == "b" and source.kind != "b")
