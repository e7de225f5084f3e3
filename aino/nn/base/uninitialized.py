"""Parameters and buffers without a shape, which lazy modules have before their first call."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np

from aino import dtypes
from aino.autograd.tensor import Tensor, make
from aino.devices import check_device
from aino.dit.registry import register
from aino.errors import ArgumentError
from aino.nn.base.parameter import Buffer, Parameter
from aino.structure_version import structure_version

_ADVICE = (
    "it has no shape before its module's first forward pass, which makes it; call the module first"
)


def _refuse(name: str):
    def refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise ArgumentError(
            f"an uninitialized parameter or buffer was asked for its {name}: {_ADVICE}"
        )

    return refuse


class UninitializedTensorMixin:
    """What a parameter and a buffer have in common that wait for their shape."""

    #: What it becomes.
    cls_to_become: type

    def materialize(self: Any, shape: Any, device: Any = None, dtype: Any = None) -> None:
        """Become a parameter, or a buffer, of this shape, whose values are still to be set.

        Arguments:
            shape: the shape.
            device: where it is; there is only the CPU.
            dtype: its dtype; the one that it was made with for None.
        """
        check_device(device)
        wanted = self.array.dtype if dtype is None else dtypes.as_dtype(dtype)
        sizes = (shape,) if isinstance(shape, int) else tuple(shape)
        # Of its own class, ``data`` would ask for a shape.
        self.__class__ = self.cls_to_become
        self.data = make(np.empty(sizes, wanted))
        structure_version.move()

    shape = property(_refuse("shape"))
    numel, size, nelement, element_size = map(
        _refuse, ("numel", "size", "nelement", "element_size")
    )
    numpy, item, tolist = map(_refuse, ("numbers", "number", "numbers"))

    def share_memory_(self) -> NoReturn:
        """Raise ``RuntimeError``: there is no memory yet."""
        raise RuntimeError(
            f"an uninitialized parameter or buffer has no memory to share: {_ADVICE}"
        )

    def detach(self: Any) -> Any:
        """Return itself: it has no history."""
        return self

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


@register
class UninitializedParameter(UninitializedTensorMixin, Parameter):
    """A parameter that gets its shape when ``materialize`` is called, and is a Parameter then.

    Arguments:
        requires_grad: False for what stays as it is.
        device: where it is; there is only the CPU.
        dtype: its dtype; the default dtype for None.

    >>> from aino import nn
    >>> weight = nn.UninitializedParameter()
    >>> weight.materialize((2, 3))
    >>> type(weight).__name__, weight.shape
    ('Parameter', aino.Size([2, 3]))
    """

    cls_to_become = Parameter

    def __init__(self, requires_grad: bool = True, device: Any = None, dtype: Any = None) -> None:
        check_device(device)
        kind = dtypes.get_default_dtype() if dtype is None else dtypes.as_dtype(dtype)
        Parameter.__init__(self, make(np.empty(0, kind)), requires_grad)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        found = memo.get(id(self))
        if found is None:
            found = memo[id(self)] = type(self)(self.requires_grad, dtype=self.array.dtype)
        return found

    def __reduce_ex__(self, protocol: Any):
        return type(self), (self.requires_grad, None, self.array.dtype)


@register
class UninitializedBuffer(UninitializedTensorMixin, Tensor):
    """A buffer that gets its shape when ``materialize`` is called, and is a Buffer then.

    Arguments:
        requires_grad: as for a tensor.
        device: where it is; there is only the CPU.
        dtype: its dtype; the default dtype for None.
        persistent: it stands in the module's ``state_dict``.
    """

    cls_to_become = Buffer

    def __init__(
        self, requires_grad: bool = False, device: Any = None, dtype: Any = None,
        persistent: bool = True,
    ) -> None:  # fmt: skip
        check_device(device)
        kind = dtypes.get_default_dtype() if dtype is None else dtypes.as_dtype(dtype)
        Tensor.__init__(self, make(np.empty(0, kind)))
        self.persistent = persistent
        if requires_grad:
            self.requires_grad_()

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        found = memo.get(id(self))
        if found is None:
            found = memo[id(self)] = type(self)(*self._given())
        return found

    def __reduce_ex__(self, protocol: Any):
        return type(self), self._given()

    def _given(self) -> tuple:
        return self.requires_grad, None, self.array.dtype, self.persistent


def is_lazy(param: Any) -> bool:
    """Tell whether a parameter or a buffer waits for its shape.

    >>> from aino import nn
    >>> nn.parameter.is_lazy(nn.UninitializedParameter())
    True
    """
    return isinstance(param, UninitializedTensorMixin)
