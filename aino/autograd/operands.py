"""What stands beside a tensor in an operation: numbers become arrays of its dtype."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.dtypes import COMPLEX_OF, as_dtype, get_default_dtype, scalar_dtype
from aino.errors import AinoError, DtypeError, ShapeError

float32 = np.dtype(np.float32)
float64 = np.dtype(np.float64)

# 0-d arrays of common floats: NumPy takes twice as long over a Python number. Zero is left
# out, because -0.0 would find it.
_kept: dict[np.dtype, dict[float, np.ndarray]] = {float32: {}, float64: {}}
_kept32, _kept64 = _kept[float32], _kept[float64]
_LIMIT = 4096


def constant(value, like):
    """Return ``value`` as an array beside ``like``: a number takes its dtype where it may."""
    kind = type(value)
    if kind is float or kind is int:
        dtype = like.dtype
        if dtype is float32 or dtype is float64:
            kept = _kept32 if dtype is float32 else _kept64
            array = kept.get(value)
            if array is None:
                array = np.array(value, dtype)
                array.flags.writeable = False
                if value and value == value and len(kept) < _LIMIT:
                    kept[float(value)] = array
            return array
    if isinstance(value, np.ndarray):
        return value
    if hasattr(kind, "beside"):
        return value.beside(like)  # a number of a running program
    if isinstance(value, (bool, int, float, complex, np.generic)):
        return np.asarray(value).astype(dtype_beside(value, like.dtype))
    if hasattr(value, "__array_ufunc__"):
        return value  # a tracer, or an array of CuPy's
    instead = "; aino.tensor(...) makes a tensor of it" if kind in (list, tuple) else ""
    raise DtypeError(f"expected a tensor or a number, got {kind.__name__}: {value!r}{instead}")


def dtype_beside(value, dtype) -> np.dtype:
    """Return the dtype of a number beside a tensor: the tensor's, unless its kind is too low."""
    own = scalar_dtype(value)
    rank = "biufc".index
    if own.kind == "c":
        wide = COMPLEX_OF.get(dtype, COMPLEX_OF[get_default_dtype()])
        return dtype if dtype.kind == "c" else wide
    if own.kind == "f" and dtype.kind in "biu":
        return get_default_dtype()
    if own.kind in "iu" and dtype.kind == "b":
        return own
    assert rank(own.kind) <= rank(dtype.kind) or dtype.kind in "iu"
    return as_dtype(dtype)


def not_a_tensor(name: str, label: str, value) -> DtypeError:
    """Return the error for an argument that is no tensor, and what makes one of it."""
    kind = type(value)
    if value is None:
        what = "None"
    elif kind is np.ndarray:
        what = "a NumPy array: aino.from_numpy(it) makes it a tensor"
    else:
        shown = (
            kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
        )
        what = f"{'an' if shown[0] in 'aeiou' else 'a'} {shown}"
        if kind in (list, tuple, bool, int, float, complex) or hasattr(value, "__array__"):
            what += ": aino.tensor(it) makes it a tensor"
    return DtypeError(f"{name} takes tensors; {label} is {what}")


_NUMBERS = (bool, int, float, complex)


def as_floating(array):
    """Return an integer or boolean array in the default dtype, others as they are."""
    return array if array.dtype.kind in "fc" else array.astype(get_default_dtype())


def only_floating(array):
    """Return the array, or raise ``DtypeError`` unless its dtype is a floating-point one."""
    if array.dtype.kind != "f":
        raise DtypeError(f"expected a floating-point tensor, got one of {array.dtype}")
    return array


def only_ordered(array):
    """Return the array, or raise ``DtypeError`` where it is complex: no number is the larger."""
    if array.dtype.kind == "c":
        raise DtypeError(f"expected real tensors, got {array.dtype}: it has no order")
    return array


#: How NumPy begins to say that a ufunc does not know what to do with a dtype.
_UNKNOWN_DTYPE = ("ufunc ", "The numpy boolean", "numpy boolean")


def explained(declared: Any, error: ValueError | TypeError, arrays) -> Exception:
    """Turn NumPy's error into one that names the operation, and its shapes or dtypes."""
    if isinstance(error, AinoError):
        return error
    if isinstance(error, TypeError):
        if not str(error).startswith(_UNKNOWN_DTYPE):
            return error
        dtypes = " and ".join([str(getattr(array, "dtype", "-")) for array in arrays])
        return DtypeError(f"{declared.name} is not there for {dtypes} ({error})")
    if len(arrays) == 1:
        shape = getattr(arrays[0], "shape", "-")
        return ShapeError(f"{declared.name}: {error} (the input has shape {shape})")
    shapes = ", ".join(str(getattr(array, "shape", "-")) for array in arrays)
    return ShapeError(f"{declared.name}: shapes {shapes} do not fit together ({error})")


def check_raw(declared: Any, *values) -> None:
    """Raise ``DtypeError`` unless a kernel can compute with what stands in a tensor's place.

    Arrays it can, and numbers beside one; of numbers alone the result would be no tensor.
    """
    name = getattr(declared.function, "__name__", declared.name)
    for argument, value in zip(declared.arguments, values):
        number = isinstance(value, (np.ndarray, np.generic, bool, int, float, complex))
        if not (number or hasattr(value, "__array_ufunc__")):
            if value is None and argument in declared.optional:
                continue
            raise not_a_tensor(name, f"argument {argument!r}", value)
    if all([type(value) in _NUMBERS for value in values if value is not None]):
        given = f"numbers alone, {values}" if len(values) > 1 else f"a number alone, {values[0]}"
        raise DtypeError(f"{name} takes tensors; it was given {given}: aino.tensor() makes one")
