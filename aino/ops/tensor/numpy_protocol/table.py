"""The table of NumPy's functions, and what its entries share: operands, dtypes, ``out=``.

An entry has the parameters of NumPy's function, by their names, in their order, with their
defaults: an option that NumPy adds one day is unknown here, and refused, before it could be
ignored.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from aino.autograd.primitive import cast
from aino.autograd.tensor import Tensor, make
from aino.dtypes import as_dtype
from aino.errors import DtypeError, GradientError, ShapeError
from aino.ops.tensor.inplace import copy_

#: What NumPy hands to a parameter that was not given.
NoValue: Any = np._NoValue

#: NumPy's function -> what it means for tensors.
FUNCTIONS: dict[Any, Callable] = {}


def numpy_function(*names: str):
    """Return a decorator that enters a function under NumPy's names, ``"linalg.inv"`` say.

    A name that this version of NumPy does not have yet, or no longer, is passed over.
    """

    def enter(function):
        for name in names:
            found: Any = np
            for part in name.split("."):
                found = getattr(found, part, None)
            if found is not None:
                FUNCTIONS[found] = function
        return function

    return enter


def name_of(function) -> str:
    """Return the name a user knows a function by: ``np.linalg.inv``."""
    module = getattr(function, "__module__", None) or "numpy"
    module = {"numpy.lib.scimath": "numpy.emath"}.get(module, module)
    return f"{module.replace('numpy', 'np', 1)}.{function.__name__.removeprefix('_')}"


def tensor_of(x) -> Tensor:
    """Return an operand as a tensor; numbers, lists and arrays are taken as NumPy takes them.

    A list that holds tensors is stacked, with their gradients.
    """
    if isinstance(x, Tensor):
        return x
    if isinstance(x, (list, tuple)) and holds_tensor(x):
        from_parts = FUNCTIONS[np.stack]
        return from_parts([tensor_of(part) for part in x])
    array = x if hasattr(x, "__array_ufunc__") else np.asarray(x)
    if array.dtype.kind not in _NUMBERS:
        raise DtypeError(f"beside tensors stand numbers, not {x!r}")
    return make(array)


#: The kinds of dtypes that tensors have.
_NUMBERS = "biufc"


def holds_numbers(x) -> bool:
    """Tell whether an operand is a tensor, or can be made one."""
    if isinstance(x, Tensor) or (isinstance(x, (list, tuple)) and holds_tensor(x)):
        return True
    return (x if hasattr(x, "dtype") else np.asarray(x)).dtype.kind in _NUMBERS


def beside(x, other) -> Tensor:
    """Return an operand as a tensor; a number has the dtype of the other operand."""
    if isinstance(x, (bool, int, float, complex)) and isinstance(other, Tensor):
        return make(np.asarray(x, np.result_type(other.dtype, x)))
    return tensor_of(x)


def holds_tensor(x) -> bool:
    """Tell whether a list, at any depth, holds a tensor."""
    return any(
        [isinstance(p, Tensor) or (isinstance(p, (list, tuple)) and holds_tensor(p)) for p in x]
    )


def numpy_dtype(dtype) -> np.dtype:
    """Return NumPy's reading of a dtype: ``float`` is float64."""
    return as_dtype(np.dtype(dtype))


def cast_to(a: Tensor, dtype) -> Tensor:
    """Return a tensor in a dtype, None for its own."""
    if dtype is None:
        return a
    dtype = numpy_dtype(dtype)
    return a if a.array.dtype is dtype else cast(a, dtype)


def check_casting(a, dtype, casting: Any, name: str) -> None:
    """Raise ``DtypeError`` where NumPy's rule of casting does not let ``a`` become ``dtype``."""
    if not np.can_cast(a.dtype, dtype, casting):
        raise DtypeError(f"np.{name}: {a.dtype} can't become {dtype} by the rule {casting!r}")


def check_choice(name: str, option: str, value, choices) -> None:
    """Raise ``ValueError`` for an option that is none of its choices."""
    if value not in choices:
        listed = ", ".join(map(repr, choices))
        raise ValueError(f"np.{name} on tensors: {option} is one of {listed}, not {value!r}")


def refuse(name: str, option: str, instead: str) -> None:
    """Raise ``TypeError`` for an option that does not act on tensors."""
    raise TypeError(f"np.{name} on tensors does not take {option}=; {instead}")


def given(value, default=None):
    """Return a parameter's value, ``default`` where none was given."""
    return default if value is NoValue else value


def into(out, result, name: str, casting: Any = "same_kind"):
    """Return ``result``, written into ``out`` where that is given.

    Raises ``ShapeError`` unless the shapes agree, ``DtypeError`` unless the dtype fits, and
    ``GradientError`` for an array that would lose the gradient of the result.
    """
    if out is None:
        return result
    if type(out) is tuple:
        (out,) = out
        if out is None:
            return result
    result = tensor_of(result)
    if tuple(out.shape) != tuple(result.shape):
        raise ShapeError(
            f"np.{name}: the result has shape {tuple(result.shape)}, out= has {tuple(out.shape)}"
        )
    check_casting(result, out.dtype, casting, name)
    if isinstance(out, Tensor):
        return copy_(out, result)
    if result.requires_grad:
        raise GradientError(
            f"np.{name}: out= is an array, where the gradient of the result would be lost; "
            "give it a tensor, or no out="
        )
    np.copyto(out, result.array, casting="unsafe")
    return out


def axes_of(axis, rank: int) -> tuple[int, ...]:
    """Return NumPy's axis, None for all, as a tuple of axes counted from the front."""
    if axis is None:
        return tuple(range(rank))
    axes = (axis,) if hasattr(axis, "__index__") else tuple(axis)
    found = []
    for one in axes:
        one = one.__index__()
        if not -rank <= one < rank:
            raise np.exceptions.AxisError(one, rank)
        if one % rank in found:
            raise ShapeError(f"axis {one} is named twice in {axes}")
        found.append(one % rank)
    return tuple(found)


def axis_of(axis, rank: int) -> int:
    """Return one axis counted from the front."""
    if not hasattr(axis, "__index__"):
        raise TypeError(f"axis is one integer here, not {axis!r}")
    (found,) = axes_of((axis,), rank)
    return found
