"""Parameter and Buffer: tensors that a module owns."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from aino import dtypes
from aino.autograd.tensor import Tensor
from aino.devices import check_device
from aino.dit.building import building
from aino.dit.registry import register
from aino.errors import DtypeError, ShapeError
from aino.ops.tensor.copying import attributes_of, pickled
from aino.structure_version import structure_version


@register
class Parameter(Tensor):
    """A tensor that is learned: a module that holds one as an attribute lists it.

    Raises ``DtypeError`` for integers, unless ``requires_grad`` is False.

    Arguments:
        data: the values: a tensor or an array, which shares its memory, or nested lists.
        requires_grad: False for what stays as it is, but counts among the parameters.

    >>> import aino
    >>> aino.nn.Parameter(aino.zeros(2))
    Parameter containing:
    tensor([0., 0.], requires_grad=True)
    """

    def __init__(self, data: Any = None, requires_grad: bool = True) -> None:
        if isinstance(data, (int, float)):
            raise TypeError(f"a parameter is made of a tensor, not of a number: {data!r}")
        super().__init__(*(() if data is None else (data,)))
        if requires_grad:
            Tensor.requires_grad_(self)

    def requires_grad_(self, requires_grad: bool = True) -> Parameter:
        structure_version.move()
        super().requires_grad_(requires_grad)
        return self

    def __repr__(self) -> str:
        return f"Parameter containing:\n{super().__repr__()}"

    def __deepcopy__(self, memo: dict[int, Any]) -> Parameter:
        """Copy the values, not the gradient, as PyTorch does."""
        result = memo.get(id(self))
        if result is None:
            result = type(self)(self.array.copy(), self.requires_grad)
            for name, value in attributes_of(self).items():
                setattr(result, name, copy.deepcopy(value, memo))
            memo[id(self)] = result
        return result

    def __reduce_ex__(self, protocol: Any):
        return type(self), (self.array, self.requires_grad), pickled(attributes_of(self))


@register
class Buffer(Tensor):
    """A tensor that belongs to a module and is not learned, such as a running mean.

    Arguments:
        data: the values: a tensor or an array, which shares its memory, or nested lists.
        persistent: it stands in the module's ``state_dict``; False leaves it out.

    >>> import aino
    >>> scale = aino.nn.Module()
    >>> scale.factor = aino.nn.Buffer(aino.ones(1))
    >>> list(scale.state_dict())
    ['factor']
    """

    def __init__(self, data: Any = None, *, persistent: bool = True) -> None:
        super().__init__(*(() if data is None else (data,)))
        self.persistent = persistent


def empty_parameter(shape: tuple[int, ...], device: Any = None, dtype: Any = None) -> Parameter:
    """Return a parameter of this shape whose values are still to be set."""
    check_device(device)
    for length in shape:
        if isinstance(length, bool) or not hasattr(length, "__index__") or length < 0:
            raise ShapeError(f"sizes of a layer are whole numbers from 0 up, got {length!r}")
    dtype = dtypes.get_default_dtype() if dtype is None else dtypes.as_dtype(dtype)
    if dtype.kind not in "fc":
        raise DtypeError(f"parameters are of a floating point or complex dtype, not {dtype}")
    return Parameter(building.blank(shape, dtype) if building.active else np.empty(shape, dtype))
