"""How the numbers of several processes are put together, for each kind of dtype."""

from __future__ import annotations

import enum
from typing import Any

import numpy as np

from aino.errors import ArgumentError, DtypeError


class ReduceOp(enum.Enum):
    """What a reduction does with the numbers of all processes, element by element.

    ``SUM``, ``AVG`` (the sum over the number of processes), ``PRODUCT``, ``MIN``, ``MAX``, and bit
    by bit ``BAND``, ``BOR``, ``BXOR``.
    """

    SUM = 0
    AVG = 1
    PRODUCT = 2
    MIN = 3
    MAX = 4
    BAND = 5
    BOR = 6
    BXOR = 7


#: MPI's words.
_NAMES = {"SUM": "SUM", "AVG": "SUM", "PRODUCT": "PROD", "MIN": "MIN", "MAX": "MAX",
          "BAND": "BAND", "BOR": "BOR", "BXOR": "BXOR"}  # fmt: skip
#: Truth values are 0 and 1: their sum is "or", their product "and", as in PyTorch.
_OF_BOOLS = {"SUM": "MAX", "PRODUCT": "MIN", "MIN": "MIN", "MAX": "MAX",
             "BAND": "MIN", "BOR": "MAX", "BXOR": "BXOR"}  # fmt: skip
_KINDS = {
    "f": {"SUM", "AVG", "PRODUCT", "MIN", "MAX"},
    "c": {"SUM", "AVG", "PRODUCT"},
    "i": set(_NAMES) - {"AVG"},
    "u": set(_NAMES) - {"AVG"},
    "b": set(_OF_BOOLS),
}


def name_of(op: Any, what: str) -> str:
    """Return the name of a ``ReduceOp``; raise ``TypeError`` for anything else."""
    if isinstance(op, ReduceOp):
        return op.name
    raise TypeError(f"{what}: op is one of ReduceOp ({', '.join(_NAMES)}), not {op!r}")


def check_op(op: str, dtype: np.dtype, what: str) -> None:
    """Raise where numbers of a dtype can't be put together in this way."""
    if dtype.kind not in _KINDS:
        raise DtypeError(f"{what}: numbers of dtype {dtype} can't be put together")
    if op not in _KINDS[dtype.kind]:
        known = ", ".join(name for name in _NAMES if name in _KINDS[dtype.kind])
        raise ArgumentError(f"{what}: ReduceOp.{op} of {dtype} is not there; it knows {known}")


def in_transit(op: str, dtype: np.dtype) -> tuple[str, np.dtype]:
    """Return MPI's word for a reduction, and the dtype in which it is computed.

    float16 is added up in float32 and rounded once. The least and the largest of numbers that may
    be NaN are AINO's own: MPI's leave NaN to chance.
    """
    if dtype.kind == "b":
        return _OF_BOOLS[op], np.dtype(np.uint8)
    computed = np.dtype(np.float32) if dtype == np.float16 else dtype
    if dtype.kind == "f" and op in ("MIN", "MAX"):
        return f"{_NAMES[op]} {computed.char}", computed
    return _NAMES[op], computed
