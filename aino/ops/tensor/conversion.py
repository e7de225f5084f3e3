"""Tensors into Python numbers and lists, into other dtypes, and into other hands."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np

from aino import dtypes
from aino.autograd.duck import still
from aino.autograd.primitive import cast
from aino.autograd.tensor import Tensor, make
from aino.devices import Device, check_device
from aino.dtypes import BY_NAME, as_dtype
from aino.errors import DtypeError, ShapeError
from aino.layouts import check_memory_format, contiguous_format
from aino.ops.public import method
from aino.ops.shape.shaping import contiguous
from aino.types import DeviceLike, DType

__all__ = ["from_dlpack"]


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
    array = still(self.array)
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

    Gradients flow back in the old dtype. Raises ``DeviceError`` for another device than the CPU,
    ``TypeError`` where something is given twice.

    Arguments:
        args: a dtype, a device, a device and a dtype, or a tensor whose dtype is meant; then
            ``non_blocking`` and ``copy``, as flags.
        dtype: the dtype, given by name.
        device: the device, given by name.
        non_blocking: has no effect: nothing is copied from an accelerator.
        copy: whether to copy in any case.
        memory_format: ``aino.contiguous_format`` lays the rows of a copy one after the other.

    >>> import aino
    >>> aino.ones(2).to(aino.int64)
    tensor([1, 1])
    """
    dtype, copy = asked(args, dtype, device, copy)
    dtype = self.array.dtype if dtype is None else dtype
    result = _cast(self, dtype, copy)
    return result if memory_format is None else _laid_out(self, result, memory_format)


def asked(args, dtype, device, copy=False):
    """Return the dtype, or None, and whether to copy, of what ``to`` was given.

    Raises ``DeviceError`` for another device than the CPU, ``TypeError`` for what is given twice.
    """
    flags = []
    for argument in args:
        if isinstance(argument, builtins.bool):
            flags.append(argument)
        elif isinstance(argument, Device) or (
            isinstance(argument, str) and argument not in BY_NAME
        ):
            device = _once(device, argument, "device")
        elif argument is not None:
            given = argument.dtype if isinstance(argument, Tensor) else argument
            dtype = _once(dtype, given, "dtype")
    if len(flags) > 2 or len(flags) == len(args) > 0:
        raise TypeError(
            "to: a dtype, a device or a tensor is followed by two flags at most, non_blocking and "
            f"copy; got {args}"
        )
    if device is not None:
        check_device(device)
    copy = flags[1] if len(flags) > 1 else copy
    return None if dtype is None else as_dtype(dtype), copy


def _once(before, given, name):
    if before is not None:
        raise TypeError(f"to: the {name} is given twice, as {before!r} and as {given!r}")
    return given


def _laid_out(tensor, result, memory_format):
    """Return a result in the memory format that is asked for, unless it is the tensor itself."""
    check_memory_format(memory_format)
    if memory_format is contiguous_format and result is not tensor:
        return contiguous(result)
    return result


def _cast(tensor, dtype, copy=False):
    array = tensor.array
    if array.dtype is dtype and not copy:
        return tensor
    if dtype.kind not in "fc":  # these have no gradient
        return make(array.astype(dtype) if dtype.kind == "b" else cast(array, dtype))
    return cast(tensor, dtype)


@method
def type_as(self: Tensor, other: Tensor) -> Tensor:
    """Return the tensor in the dtype of another, or itself if it is of it.

    Arguments:
        other: the tensor whose dtype is taken.

    >>> import aino
    >>> aino.ones(2).type_as(aino.tensor([1]))
    tensor([1, 1])
    """
    return _cast(self, other.array.dtype)


@method
def type(self: Tensor, dtype: DType | None = None, non_blocking: bool = False) -> Any:
    """Return the tensor in another dtype, or, asked for none, the name of its type.

    Raises ``DtypeError`` for what names neither a dtype nor a type.

    Arguments:
        dtype: a dtype, or the name of a type: ``"aino.FloatTensor"``.
        non_blocking: has no effect: nothing is copied from an accelerator.

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
    def convert(self: Tensor, *, memory_format: Any = None) -> Tensor:
        result = _cast(self, dtype)
        return result if memory_format is None else _laid_out(self, result, memory_format)

    convert.__name__ = name
    convert.__qualname__ = f"Tensor.{name}"
    convert.__doc__ = f"""Return the tensor as {dtype}, or itself if it is.

    Arguments:
        memory_format: as for ``to``.

    >>> import aino
    >>> aino.tensor([0, 1]).{name}().dtype
    {dtype!r}
    """
    return convert


for _name, _dtype in {
    "float": dtypes.float32, "double": dtypes.float64, "half": dtypes.float16,
    "cfloat": dtypes.complex64, "cdouble": dtypes.complex128, "bool": dtypes.bool_,
    "byte": dtypes.uint8, "char": dtypes.int8, "short": dtypes.int16, "int": dtypes.int32,
    "long": dtypes.int64,
}.items():  # fmt: skip
    method(_caster(_name, _dtype))


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


def from_dlpack(
    ext_tensor: Any, *, device: DeviceLike = None, copy: builtins.bool | None = None
) -> Tensor:
    """Return a tensor that shares the memory of another library's array.

    Arguments:
        ext_tensor: an array that speaks DLPack.
        device: where the tensor is: ``"cpu"``, which None means, too.
        copy: whether it has memory of its own instead.

    >>> import aino, numpy as np
    >>> aino.from_dlpack(np.ones(2))
    tensor([1., 1.], dtype=aino.float64)
    """
    check_device(device)
    array = np.from_dlpack(ext_tensor)
    as_dtype(array.dtype)
    return make(array.copy() if copy else array)
