"""Tensors into Python numbers and lists, and into other dtypes; what a tensor says of itself."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np

from aino import dtypes
from aino.autograd.memory import owner
from aino.autograd.primitive import cast
from aino.autograd.tensor import Tensor, make
from aino.devices import Device, check_device
from aino.dtypes import BY_NAME, as_dtype
from aino.errors import DtypeError, ShapeError
from aino.ops.public import method
from aino.types import DeviceLike, DType

__all__ = [
    "is_tensor", "is_floating_point", "is_complex", "is_signed", "is_nonzero", "is_same_size",
    "numel", "from_dlpack",
]  # fmt: skip


# Python numbers and lists


@method
def item(self: Tensor) -> Any:
    """Return the only element as a Python number.

    Raises ``ShapeError`` when there are more elements, or none.

    >>> import aino
    >>> aino.tensor([2.5]).item()
    2.5
    """
    array = self.array
    if array.size != 1:
        raise ShapeError(
            f"a tensor with {array.size} elements (shape {array.shape}) can't be converted to a "
            "number"
        )
    return array.item()


@method
def tolist(self: Tensor) -> Any:
    """Return the elements as nested lists of Python numbers, a 0-d tensor as a number.

    >>> import aino
    >>> aino.tensor([[1, 2], [3, 4]]).tolist()
    [[1, 2], [3, 4]]
    """
    return self.array.tolist()


def as_float(self) -> builtins.float:
    """``float(t)``: the only element, which must be real."""
    return builtins.float(_real_element(self))


def as_int(self) -> builtins.int:
    """``int(t)``: the only element, cut off at the point."""
    return builtins.int(_real_element(self))


def as_complex(self) -> complex:
    """``complex(t)``: the only element."""
    return complex(item(self))


def as_bool(self) -> builtins.bool:
    """``bool(t)``: whether the only element is not zero."""
    array = self.array
    if array.size != 1:
        many = "more than one value" if array.size else "no values"
        raise ShapeError(
            f"the truth of a tensor with {many} (shape {array.shape}) is ambiguous; use any() or "
            "all()"
        )
    return builtins.bool(array if array.ndim == 0 else array.reshape(()))


def as_index(self) -> builtins.int:
    """``operator.index(t)``: the only element of an integer tensor, as in ``range(t)``."""
    array = self.array
    if array.size != 1 or array.dtype.kind not in "iub":
        raise DtypeError(
            "only integer tensors of a single element can be converted to an index, not "
            f"{array.dtype} of shape {array.shape}"
        )
    return builtins.int(array.item())


def _real_element(self):
    """Return the only element as something that ``float`` and ``int`` take: it must be real."""
    array = self.array
    if array.size == 1 and array.dtype.kind != "c":
        return array if array.ndim == 0 else array.reshape(())
    value = item(self)
    if value.imag == 0.0:
        return value.real
    raise DtypeError(f"a complex number ({value}) can't be converted to a real one")


def length(self) -> builtins.int:
    """``len(t)``: the length of the first axis."""
    shape = self.array.shape
    if not shape:
        raise TypeError("len() of a 0-d tensor")
    return shape[0]


def iterate(self):
    """``for row in t``: the tensors along the first axis."""
    shape = self.array.shape
    if not shape:
        raise TypeError("iteration over a 0-d tensor")
    return iter([self[position] for position in range(shape[0])])


def contains(self, element) -> builtins.bool:
    """``element in t``: whether any element equals it."""
    if isinstance(element, Tensor):
        element = element.array
    elif not isinstance(element, (builtins.bool, builtins.int, builtins.float, complex)):
        raise DtypeError(f"a tensor contains numbers, not a {builtins.type(element).__name__}")
    return builtins.bool((self.array == element).any())


# Other dtypes


@method
def to(
    self: Tensor,
    *args: Any,
    dtype: DType | None = None,
    device: DeviceLike = None,
    non_blocking: bool = False,
    copy: bool = False,
    memory_format: Any = None,
) -> Any:
    """Return the tensor in another dtype, or itself where nothing changes.

    Takes a dtype, a device (only the CPU), both, or a tensor whose dtype is meant; ``copy=True``
    copies in any case. Gradients flow back in the old dtype.

    >>> import aino
    >>> aino.ones(2).to(aino.int64)
    tensor([1, 1])
    """
    flags = []
    for argument in args:
        if isinstance(argument, Tensor):
            dtype = argument.dtype
        elif isinstance(argument, builtins.bool):
            flags.append(argument)
        elif isinstance(argument, Device) or (
            isinstance(argument, str) and argument not in BY_NAME
        ):
            device = argument
        elif argument is not None:
            dtype = argument
    if device is not None:
        check_device(device)
    copy = flags[1] if len(flags) > 1 else copy
    dtype = self.array.dtype if dtype is None else as_dtype(dtype)
    return _cast(self, dtype, copy)


def _cast(tensor, dtype, copy=False):
    array = tensor.array
    if array.dtype is dtype and not copy:
        return tensor
    if dtype.kind not in "fc":  # these have no gradient
        return make(array.astype(dtype) if dtype.kind == "b" else cast(array, dtype))
    return cast(tensor, dtype)


@method
def type_as(self: Tensor, other: Tensor) -> Tensor:
    """Return the tensor in the dtype of another."""
    return _cast(self, other.array.dtype)


@method
def type(self: Tensor, dtype: DType | None = None, non_blocking: bool = False) -> Any:
    """Return the tensor in another dtype, or, asked for none, the name of its type.

    >>> import aino
    >>> aino.ones(2).type(), aino.ones(2).type(aino.int64).type()
    ('aino.FloatTensor', 'aino.LongTensor')
    """
    if dtype is None:
        return f"aino.{_TYPE_NAMES[self.array.dtype]}Tensor"
    if isinstance(dtype, str) and dtype.endswith("Tensor"):
        name = dtype.rpartition(".")[2].removesuffix("Tensor")
        named = {word: dtype for dtype, word in _TYPE_NAMES.items()}
        if name not in named:
            raise DtypeError(f"{dtype!r} is not the name of a tensor type")
        dtype = named[name]
    return _cast(self, as_dtype(dtype))


_TYPE_NAMES = {
    dtypes.bool_: "Bool", dtypes.uint8: "Byte", dtypes.int8: "Char", dtypes.int16: "Short",
    dtypes.int32: "Int", dtypes.int64: "Long", dtypes.uint16: "UInt16", dtypes.uint32: "UInt32",
    dtypes.uint64: "UInt64", dtypes.float16: "Half", dtypes.float32: "Float",
    dtypes.float64: "Double", dtypes.complex64: "ComplexFloat", dtypes.complex128: "ComplexDouble",
}  # fmt: skip


def _caster(name, dtype):
    def convert(self: Tensor, memory_format: Any = None) -> Tensor:
        return _cast(self, dtype)

    convert.__name__ = name
    convert.__qualname__ = f"Tensor.{name}"
    convert.__doc__ = f"Return the tensor as {dtype}, or itself if it is."
    return convert


for _name, _dtype in {
    "float": dtypes.float32, "double": dtypes.float64, "half": dtypes.float16,
    "cfloat": dtypes.complex64, "cdouble": dtypes.complex128, "bool": dtypes.bool_,
    "byte": dtypes.uint8, "char": dtypes.int8, "short": dtypes.int16, "int": dtypes.int32,
    "long": dtypes.int64,
}.items():  # fmt: skip
    method(_caster(_name, _dtype))


# What a tensor says of itself


@method(aliases=("nelement",))
def numel(input: Tensor) -> int:
    """Return the number of elements.

    >>> import aino
    >>> aino.numel(aino.ones(2, 3))
    6
    """
    return input.array.size


@method
def element_size(self: Tensor) -> int:
    """Return the bytes of one element."""
    return self.array.itemsize


@method(aliases=("ndimension",))
def dim(self: Tensor) -> int:
    """Return the number of axes."""
    return self.array.ndim


@method
def size(self: Tensor, dim: Any = None) -> Any:
    """Return the shape, or the length of one axis.

    >>> import aino
    >>> aino.ones(2, 3).size(), aino.ones(2, 3).size(-1)
    (aino.Size([2, 3]), 3)
    """
    return self.shape if dim is None else self.array.shape[_axis(self, dim)]


@method
def stride(self: Tensor, dim: Any = None) -> Any:
    """Return the distance between neighbours along each axis, or one, in elements."""
    steps = tuple([step // self.array.itemsize for step in self.array.strides])
    return steps if dim is None else steps[_axis(self, dim)]


def _axis(self, dim):
    count = max(self.array.ndim, 1)
    if not -count <= dim < count or not self.array.ndim:
        raise IndexError(
            f"dimension out of range (expected to be in range of [{-count}, {count - 1}], but got "
            f"{dim})"
        )
    return dim


@method
def data_ptr(self: Tensor) -> int:
    """Return the address of the first element."""
    return _address(self.array)


@method
def storage_offset(self: Tensor) -> int:
    """Return how many elements lie in memory before the first, in what owns the memory."""
    return (_address(self.array) - _address(owner(self.array))) // self.array.itemsize


def _address(array):
    return array.__array_interface__["data"][0]


@method
def is_contiguous(self: Tensor, memory_format: Any = None) -> bool:
    """Tell whether the elements lie one after the other in memory, the last axis fastest."""
    return self.array.flags.c_contiguous


def is_tensor(obj: Any) -> bool:
    """Tell whether an object is a tensor."""
    return isinstance(obj, Tensor)


@method
def is_floating_point(input: Tensor) -> bool:
    """Tell whether the dtype is a floating-point one."""
    return input.array.dtype.kind == "f"


@method
def is_complex(input: Tensor) -> bool:
    """Tell whether the dtype is complex."""
    return input.array.dtype.kind == "c"


@method
def is_signed(input: Tensor) -> bool:
    """Tell whether the dtype has negative numbers."""
    return input.array.dtype.kind in "ifc"


@method
def is_nonzero(input: Tensor) -> bool:
    """Tell whether the only element is not zero."""
    return as_bool(input)


@method
def is_same_size(input: Tensor, other: Tensor) -> bool:
    """Tell whether two tensors have the same shape."""
    return input.array.shape == other.array.shape


# Other holders of the memory


def dlpack(self, *, stream=None, **keywords):
    """Hand the memory to another library, by the DLPack protocol.

    Raises ``BufferError`` when the tensor requires a gradient, which would be lost.
    """
    if self.requires_grad:
        raise BufferError("a tensor that requires a gradient can't be exported; detach() it")
    return self.array.__dlpack__(stream=stream, **keywords)


def dlpack_device(self):
    """Return where the memory is, in DLPack's terms."""
    return self.array.__dlpack_device__()


def from_dlpack(ext_tensor: Any) -> Tensor:
    """Return a tensor that shares the memory of another library's array.

    >>> import aino, numpy as np
    >>> aino.from_dlpack(np.ones(2))
    tensor([1., 1.], dtype=aino.float64)
    """
    array = np.from_dlpack(ext_tensor)
    as_dtype(array.dtype)
    return make(array)
