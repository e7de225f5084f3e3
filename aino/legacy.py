"""PyTorch's older names: a type for each dtype, by which tensors were made and told apart.

``aino.FloatTensor(2, 3)`` holds whatever is in its memory, ``aino.FloatTensor([2, 3])`` these
numbers; ``isinstance(x, aino.FloatTensor)`` tells whether x is of float32.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from aino import dtypes
from aino.autograd.tensor import Tensor
from aino.ops.creation.older import made

_DTYPES = {
    "Float": dtypes.float32, "Double": dtypes.float64, "Half": dtypes.float16,
    "Byte": dtypes.uint8, "Char": dtypes.int8, "Short": dtypes.int16, "Int": dtypes.int32,
    "Long": dtypes.int64, "Bool": dtypes.bool_,
}  # fmt: skip


class _TensorType(type):
    """A type whose instances are the tensors of a dtype; called, it makes one."""

    dtype: np.dtype

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, Tensor) and instance.array.dtype == cls.dtype

    def __call__(cls, *data: Any) -> Tensor:
        return made(cls.__name__, cls.dtype, data)

    def __repr__(cls) -> str:
        return f"<class 'aino.{cls.__name__}'>"


for _name, _dtype in _DTYPES.items():
    _documented = f"""The tensors of {_dtype}.

    Called with lengths it makes one of whatever is in its memory, with a sequence one of these
    numbers. Newer code says ``aino.empty`` and ``aino.tensor`` with ``dtype=``.
    """
    globals()[f"{_name}Tensor"] = _TensorType(
        f"{_name}Tensor", (), {"dtype": _dtype, "__doc__": _documented, "__module__": "aino"}
    )


def set_default_tensor_type(t: Any) -> None:
    """Set the default dtype to that of a tensor type; newer code says ``set_default_dtype``.

    Arguments:
        t: ``aino.FloatTensor``, ``aino.DoubleTensor``, ``aino.HalfTensor``, or the name of one.

    >>> import aino
    >>> aino.set_default_tensor_type(aino.FloatTensor)
    """
    if isinstance(t, str):
        name = t.rpartition(".")[2]
        t = globals().get(name)
    if not isinstance(t, _TensorType):
        raise TypeError("set_default_tensor_type takes a type such as aino.DoubleTensor")
    dtypes.set_default_dtype(t.dtype)


def typename(obj: Any) -> str:
    """Return the name of an object's type, of a tensor the older one: ``aino.FloatTensor``.

    >>> import aino
    >>> aino.typename(aino.ones(2))
    'aino.FloatTensor'
    """
    if isinstance(obj, Tensor):
        return obj.type()
    if isinstance(obj, _TensorType):
        return f"aino.{obj.__name__}"
    kind = obj if isinstance(obj, type) else type(obj)
    return (
        kind.__qualname__
        if kind.__module__ == "builtins"
        else f"{kind.__module__}.{kind.__qualname__}"
    )
