"""Tensors out of numbers, lists and arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino import dtypes
from aino.autograd.tensor import Tensor, make
from aino.devices import check_device
from aino.dtypes import COMPLEX_OF, as_dtype, get_default_dtype, scalar_dtype
from aino.errors import ArgumentError, DtypeError, ShapeError
from aino.layouts import check_layout, check_unpinned
from aino.ops.public import method
from aino.tracing import is_tracing, known
from aino.types import DeviceLike, DType

__all__ = ["tensor", "scalar_tensor", "as_tensor", "asarray", "from_numpy", "frombuffer"]

float32 = dtypes.float32


def tensor(
    data: Any,
    *,
    dtype: DType | None = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """Return a new tensor with a copy of ``data``.

    Raises ``ShapeError`` for lists of unequal length, ``DtypeError`` for what is not a number or
    does not fit into the dtype.

    Arguments:
        data: numbers, nested lists, arrays, tensors, and whatever ``np.asarray`` makes an array
            of: tensors of other libraries, columns and tables of pandas.
        dtype: for None arrays and tensors keep theirs, Python floats become the default dtype,
            complex numbers its complex counterpart, integers int64, booleans bool.
        device: where the tensor is made: ``"cpu"``, which None means, too.
        requires_grad: whether gradients flow back to the tensor.
        pin_memory: True raises ``DeviceError``: there is no accelerator to pin memory for.

    >>> import aino
    >>> aino.tensor([[1, 2], [3, 4]])
    tensor([[1, 2],
            [3, 4]])
    >>> aino.tensor([0.5, 2], dtype=aino.float64, requires_grad=True)
    tensor([0.5000, 2.0000], dtype=aino.float64, requires_grad=True)
    """
    array = _array_of(data, None if dtype is None else as_dtype(dtype))
    return born(array, device, requires_grad, None, pin_memory)


def born(array, device=None, requires_grad=False, layout=None, pin_memory=False):
    """Return a leaf over ``array``, which may be a scalar: what NumPy makes of 0-d arrays."""
    if device is not None:
        check_device(device)
    if layout is not None:
        check_layout(layout)
    if pin_memory:
        check_unpinned(pin_memory)
    if isinstance(array, np.generic):
        array = np.asarray(array)
    result = make(array)
    return result.requires_grad_() if requires_grad else result


def _array_of(data, dtype):
    """Return a new array of ``data``, of the dtype that it has or implies if none is given."""
    if isinstance(data, Tensor) and not isinstance(data.array, np.ndarray):
        return data.array.astype(data.dtype if dtype is None else dtype)
    data = _own(data)
    if isinstance(data, np.ndarray) and is_tracing():
        return known(data).astype(as_dtype(data.dtype) if dtype is None else dtype)
    if isinstance(data, (np.ndarray, np.generic)):
        return np.array(data, as_dtype(data.dtype) if dtype is None else dtype, order="C")
    if isinstance(data, (bool, int, float, complex)):
        array = numbers(data, dtype)
    elif is_live(data):
        array = live(data, dtype)
    elif isinstance(data, (str, bytes)) or not hasattr(data, "__len__"):
        raise DtypeError(f"a tensor can't be made of {type(data).__name__}: {data!r:.80}")
    else:
        kinds: set[type] = set()
        data = _unwrapped(data, kinds)
        if not kinds <= _PLAIN and dtype is None:
            dtype = _common_dtype(data)
        array = numbers(data, dtype)
    return array


def _own(data):
    """Return the array of a tensor, or of what another library makes one of; all else as it is."""
    if isinstance(data, Tensor):
        return data.array
    if isinstance(data, (np.ndarray, np.generic)) or not hasattr(type(data), "__array__"):
        return data
    if is_live(data):
        return data
    name = f"{type(data).__module__}.{type(data).__qualname__}"
    try:
        array = np.asarray(data.detach() if hasattr(type(data), "detach") else data)
    except (TypeError, ValueError, RuntimeError) as error:
        raise DtypeError(f"a tensor can't be made of {name}: {error}") from None
    if array.dtype.kind == "O":
        raise DtypeError(f"a tensor can't be made of {name}: not all that it holds are numbers")
    return array


def is_live(value) -> bool:
    """Tell whether a value is a number of a program that is being traced."""
    return hasattr(type(value), "beside")


def live(number, dtype, shape=()):
    """Return a new array full of a number that is read at each call of a program."""
    if dtype is None:
        dtype = scalar_dtype(number.now)
    return np.broadcast_to(number.beside(np.empty((), dtype)), shape).copy()


_PLAIN = {bool, int, float, complex}


def _unwrapped(data, kinds):
    """Return nested sequences as lists without tensors; gather the types of what is in them."""
    found = set(map(type, data))
    if found <= _PLAIN:
        kinds |= found
        return data
    items = []
    for item in data:
        item = _own(item)
        if isinstance(item, (list, tuple)) or (
            hasattr(item, "__len__") and not isinstance(item, (np.ndarray, str, bytes))
        ):
            items.append(_unwrapped(item, kinds))
            continue
        kinds.add(type(item))
        items.append(item)
    return items


def _common_dtype(data):
    """Return the dtype that arrays and numbers in nested sequences have in common."""
    common = None
    for item in data:
        if isinstance(item, (np.ndarray, np.generic)):
            found = as_dtype(item.dtype)
        elif isinstance(item, (bool, int, float, complex)):
            found = scalar_dtype(item)
        elif hasattr(item, "__len__") and not isinstance(item, (str, bytes)):
            found = _common_dtype(item)
        else:
            raise DtypeError(f"a tensor can't hold {type(item).__name__}: {item!r:.80}")
        if found is not None:
            common = found if common is None else dtypes.promote_types(common, found)
    return common


def numbers(data, dtype):
    """Return numbers in nested sequences as an array; too large ones become infinite."""
    with np.errstate(over="ignore"):
        return _cast_numbers(data, dtype)


def _cast_numbers(data, dtype):
    try:
        array = np.array(data, dtype)
    except OverflowError as error:
        array = _wrapped(data, dtype)
        if array is None:
            raise DtypeError(f"a number does not fit into the dtype: {error}") from None
    except (TypeError, ValueError) as error:
        raise _not_an_array(data, error) from None
    if dtype is None:
        kind, default = array.dtype.kind, get_default_dtype()
        if kind in "fc":
            target: Any = default if kind == "f" else COMPLEX_OF[default]
            return array.astype(target, copy=False)
        if kind not in "bi":
            raise _not_an_array(data, f"NumPy makes {array.dtype} of it")
    return array


def _wrapped(data, dtype):
    """Return negative numbers as unsigned ones, -1 as the largest; None where they don't fit."""
    array = np.array(data)
    if dtype.kind != "u" or array.dtype.kind != "i" or abs(array).max() > np.iinfo(dtype).max:
        return None
    return array.astype(dtype)


def _not_an_array(data, error) -> Exception:
    """Say why nested sequences are no array: a length that differs, or what is no number."""
    level = [data]
    for axis in _count():
        nested = [hasattr(item, "__len__") and not isinstance(item, str) for item in level]
        if not any(nested):
            break
        if not all(nested):
            return ShapeError(f"expected a sequence at axis {axis}, but found a number among them")
        lengths = [len(item) for item in level]
        for length in lengths:
            if length != lengths[0]:
                return ShapeError(
                    f"expected sequences of length {lengths[0]} at axis {axis}, got one of {length}"
                )
        level = [part for item in level for part in item]
    return DtypeError(f"a tensor can't be made of this data: {error}")


def _count():
    axis = 0
    while True:
        yield axis
        axis += 1


def scalar_tensor(
    s: Any,
    *,
    dtype: DType | None = None,
    layout: Any = None,
    device: DeviceLike = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Return a number as a 0-d tensor.

    Arguments:
        s: the number.
        dtype: the default dtype for None.
        layout, device, pin_memory, requires_grad: as for ``zeros``.

    >>> import aino
    >>> aino.scalar_tensor(1)
    tensor(1.)
    """
    array = _array_of(s, get_default_dtype() if dtype is None else as_dtype(dtype))
    return born(array, device, requires_grad, layout, pin_memory)


def as_tensor(data: Any, dtype: DType | None = None, device: DeviceLike = None) -> Tensor:
    """Return ``data`` as a tensor, without a copy where that is possible.

    A tensor of the dtype that is asked for is returned itself; an array shares its memory.

    Arguments:
        data: what ``tensor`` takes.
        dtype: that of the result; for None as by ``tensor``.
        device: where the tensor is: ``"cpu"``, which None means, too.

    >>> import aino
    >>> x = aino.ones(2)
    >>> aino.as_tensor(x) is x
    True
    """
    if device is not None:
        check_device(device)
    if isinstance(data, Tensor):
        return data if dtype is None else data.to(as_dtype(dtype))
    data = _own(data)
    if isinstance(data, np.ndarray):
        data = np.asarray(data)
        return make(data.astype(as_dtype(data.dtype if dtype is None else dtype), copy=False))
    return tensor(data, dtype=dtype)


def asarray(
    obj: Any,
    *,
    dtype: DType | None = None,
    device: DeviceLike = None,
    copy: bool | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return ``obj`` as a tensor, without a copy where that is possible, or as ``copy`` says.

    Raises ``ValueError`` where a copy is needed, and ``copy`` is False.

    Arguments:
        obj: what ``tensor`` takes.
        dtype: that of the result; for None as by ``tensor``.
        device: where the tensor is: ``"cpu"``, which None means, too.
        copy: True for a copy in any case, False for none, None for one where it is needed.
        requires_grad: whether gradients flow back to the tensor.

    >>> import aino, numpy as np
    >>> array = np.zeros(2)
    >>> aino.asarray(array).array is array, aino.asarray(array, copy=True).array is array
    (True, False)
    """
    if copy:
        result = tensor(obj, dtype=dtype, device=device)
    else:
        result = as_tensor(obj, dtype, device)
        array = obj.array if isinstance(obj, Tensor) else obj
        if copy is False and not (
            isinstance(array, np.ndarray) and np.shares_memory(array, result.array)
        ):
            raise ArgumentError("asarray: this can't be done without a copy")
    return result.requires_grad_() if requires_grad else result


def from_numpy(ndarray: Any) -> Tensor:
    """Return a tensor that shares the memory of an array.

    >>> import aino, numpy as np
    >>> array = np.zeros(2)
    >>> x = aino.from_numpy(array)
    >>> array[0] = 1.0
    >>> x
    tensor([1., 0.], dtype=aino.float64)
    """
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(f"from_numpy: expected a NumPy array, got {type(ndarray).__name__}")
    dtype = as_dtype(ndarray.dtype)
    if not ndarray.dtype.isnative:
        raise DtypeError("from_numpy: the array is not in this machine's byte order")
    ndarray = np.asarray(ndarray)  # a matrix or a memmap as the plain array that it is
    return make(ndarray if ndarray.dtype is dtype else ndarray.view(dtype))


def frombuffer(
    buffer: Any,
    *,
    dtype: DType,
    count: int = -1,
    offset: int = 0,
    requires_grad: bool = False,
) -> Tensor:
    """Return a 1-D tensor that shares the memory of a buffer.

    Raises ``ValueError`` where the buffer has fewer elements than asked for.

    Arguments:
        buffer: ``bytes``, ``bytearray``, ``mmap``, and whatever else gives out its memory.
        dtype: what the bytes are read as.
        count: how many elements; all that there are for -1.
        offset: at which byte the first one begins.
        requires_grad: whether gradients flow back to the tensor.

    >>> import aino
    >>> aino.frombuffer(bytearray([1, 2, 3]), dtype=aino.uint8, offset=1)
    tensor([2, 3], dtype=aino.uint8)
    """
    return born(np.frombuffer(buffer, as_dtype(dtype), count, offset), requires_grad=requires_grad)


@method
def new_tensor(
    self: Tensor,
    data: Any,
    *,
    dtype: DType | None = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return a new tensor with a copy of ``data``, of this tensor's dtype.

    Arguments:
        data: what ``tensor`` takes.
        dtype: this tensor's for None.
        device, requires_grad: as for ``tensor``.

    >>> import aino
    >>> aino.ones(2).new_tensor([1, 2])
    tensor([1., 2.])
    """
    array = _array_of(data, self.dtype if dtype is None else as_dtype(dtype))
    return born(array, device, requires_grad)
