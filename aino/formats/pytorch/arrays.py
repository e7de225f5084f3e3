"""NumPy's scalars, dtypes and arrays in a pickle, which checkpoints hold beside tensors."""

from __future__ import annotations

import math
import sys
from typing import Any

import numpy as np

from aino.dit.npy import DTYPES, dtype_problem, shape_problem
from aino.formats.pytorch.machine import Global, Machine, Unfinished

_CODES = {dtype.str[1:]: dtype for dtype in DTYPES.values()}


def _dtype(machine: Machine, code: Any, align: Any = False, copy: Any = False) -> Unfinished:
    dtype = _CODES.get(code) if type(code) is str else None
    if dtype is None:
        machine.fail(
            f"holds a NumPy array or scalar of {code!r:.60}; numbers and bools are read: "
            f"{', '.join(DTYPES)}"
        )

    def finish(state: Any) -> np.dtype:
        if type(state) is not tuple or len(state) < 3 or state[1] not in ("<", ">", "|", "="):
            machine.fail("describes a NumPy dtype wrongly")
        if any(part is not None for part in state[2:5]):
            machine.fail("holds a structured NumPy dtype")
        foreign = state[1] == (">" if sys.byteorder == "little" else "<")
        return dtype.newbyteorder(state[1]) if foreign else dtype

    return Unfinished("a NumPy dtype", finish)


def _own(array: np.ndarray) -> np.ndarray:
    """The array in this machine's byte order, in memory of its own."""
    return array.astype(array.dtype.newbyteorder("="), order="K", copy=True)


def _is_dtype(value: Any) -> bool:
    return isinstance(value, np.dtype) and dtype_problem(value) is None


def _array(machine: Machine, dtype: Any, shape: Any, data: Any, order: Any) -> np.ndarray:
    if type(shape) is int:
        shape = (shape,)
    problem = shape_problem(shape, 16)
    if problem or not _is_dtype(dtype) or type(data) not in (bytes, bytearray):
        machine.fail(f"describes a NumPy array wrongly: {problem or 'of objects, perhaps'}")
    if math.prod(shape) * dtype.itemsize != len(data):
        machine.fail(f"holds {len(data):,} bytes for a NumPy array of {dtype} and shape {shape}")
    machine.spend(200 + len(data))
    array = np.frombuffer(data, dtype).reshape(shape, order=order)
    if dtype.kind == "b" and array.size and array.view(np.uint8).max() > 1:
        machine.fail("holds bools that are neither True nor False")
    return _own(array)


def _scalar(machine: Machine, dtype: Any, data: Any) -> Any:
    return _array(machine, dtype, (), data, "C")[()]


def _reconstruct(machine: Machine, kind: Any, shape: Any, code: Any) -> Unfinished:
    if type(kind) is not Global or kind.name != "ndarray":
        machine.fail("makes an array of another class than NumPy's own")

    def finish(state: Any) -> np.ndarray:
        if type(state) is not tuple or len(state) != 5 or type(state[3]) is not bool:
            machine.fail("describes a NumPy array wrongly")
        _, shape, dtype, fortran, data = state
        return _array(machine, dtype, shape, data, "F" if fortran else "C")

    return Unfinished("a NumPy array", finish)


def _frombuffer(machine: Machine, data: Any, dtype: Any, shape: Any, order: Any) -> np.ndarray:
    if order not in ("C", "F"):
        machine.fail("describes a NumPy array wrongly")
    return _array(machine, dtype, shape, data, order)


ARRAY_NAMES = {
    "numpy.dtype": Global("dtype", _dtype),
    "numpy.ndarray": Global("ndarray"),
    **{
        f"numpy.{core}.{name}": Global(name.rpartition(".")[2], make)
        for core in ("core", "_core")
        for name, make in (
            ("multiarray.scalar", _scalar),
            ("multiarray._reconstruct", _reconstruct),
            ("numeric._frombuffer", _frombuffer),
        )
    },
}
