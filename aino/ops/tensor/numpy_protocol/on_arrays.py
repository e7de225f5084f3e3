"""NumPy's functions that have no meaning of their own for tensors, called on their arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.autograd.tensor import Tensor, make
from aino.errors import GradientError
from aino.ops.tensor.numpy_protocol.policy import (
    ADVICE,
    MEANINGLESS,
    WITHOUT_GRADIENT,
    WITHOUT_RECORD,
)
from aino.ops.tensor.numpy_protocol.table import into, name_of
from aino.pytree import rebuild


def on_arrays(function, arguments, keywords):
    """Call NumPy on the arrays of tensors, where no gradient can be lost by it."""
    name = name_of(function)
    # A version of NumPy may know a function by several modules.
    if name not in WITHOUT_GRADIENT and name not in WITHOUT_RECORD:
        reason = MEANINGLESS.get(name, "has no meaning for tensors here")
        raise TypeError(
            f"{name} {reason}; use tensor.detach().numpy() for its array, which ends the gradient"
        )
    if name not in WITHOUT_GRADIENT and wanting((arguments, keywords)):
        raise GradientError(
            f"{name} has no derivative here, and one of its tensors requires a gradient; "
            f"{ADVICE.get(name, 'tensor.detach() where the gradient may end')}"
        )
    out = keywords.pop("out", None)
    result = tensors_of(function(*arrays_of(arguments), **arrays_of(keywords)))
    return into(out, result, name[3:])


def wanting(x) -> bool:
    if isinstance(x, Tensor):
        return x.requires_grad
    if isinstance(x, dict):
        x = x.values()
    elif not isinstance(x, (list, tuple)):
        return False
    return any([wanting(part) for part in x])


def arrays_of(x) -> Any:
    """Return nested arguments with the arrays of tensors in their place."""
    if isinstance(x, Tensor):
        return x.array
    if isinstance(x, dict):
        return {key: arrays_of(value) for key, value in x.items()}
    if type(x) in (list, tuple):
        return rebuild(type(x), [arrays_of(part) for part in x])
    return x


def tensors_of(x) -> Any:
    """Return nested results with tensors in the place of arrays of numbers."""
    if isinstance(x, np.ndarray) and x.dtype.kind in "biufc":
        return make(x)
    if isinstance(x, (np.number, np.bool_)):
        return make(np.asarray(x))
    if isinstance(x, tuple):
        parts = [tensors_of(part) for part in x]
        return type(x)(*parts) if hasattr(x, "_fields") else tuple(parts)
    if type(x) is list:
        return [tensors_of(part) for part in x]
    return x if not hasattr(x, "__array_ufunc__") or isinstance(x, np.ndarray) else make(x)
