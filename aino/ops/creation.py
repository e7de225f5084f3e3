"""Tensors out of numbers, lists and arrays, and filled ones."""

from __future__ import annotations

from operator import index

import numpy as np

from aino import dtypes
from aino.autograd.tensor import Device, Tensor, make
from aino.dtypes import BY_NAME, COMPLEX_OF, as_dtype, get_default_dtype, scalar_dtype
from aino.errors import DtypeError, ShapeError

__all__ = [
    "tensor", "scalar_tensor", "as_tensor", "asarray", "from_numpy",
    "zeros", "ones", "full", "empty", "eye", "arange", "range", "linspace", "logspace",
    "zeros_like", "ones_like", "full_like", "empty_like",
    "tril_indices", "triu_indices", "device",
]  # fmt: skip

device = Device
float32 = dtypes.float32


def tensor(data, *, dtype=None, device=None, requires_grad=False, pin_memory=False):
    """Return a new tensor with a copy of ``data``: numbers, nested lists, arrays, tensors.

    Python floats become the default dtype, integers int64, complex numbers its complex
    counterpart; arrays and tensors keep their dtype. Raises ``ShapeError`` for lists of unequal
    length, ``DtypeError`` for what is not a number.

    >>> import aino
    >>> aino.tensor([[1, 2], [3, 4]])
    tensor([[1, 2],
            [3, 4]])
    >>> aino.tensor([0.5, 2], dtype=aino.float64, requires_grad=True)
    tensor([0.5000, 2.0000], dtype=float64, requires_grad=True)
    """
    return _born(_array_of(data, None if dtype is None else as_dtype(dtype)), device, requires_grad)


def _born(array, device, requires_grad):
    """Return a leaf over an array of its own."""
    if device is not None:
        Device(device)
    result = make(array)
    return result.requires_grad_() if requires_grad else result


def _array_of(data, dtype):
    """Return a new array of ``data``, of the dtype that it has or implies if none is given."""
    if isinstance(data, Tensor):
        data = data.array
    if isinstance(data, (np.ndarray, np.generic)):
        return np.array(data, as_dtype(data.dtype) if dtype is None else dtype, order="C")
    if isinstance(data, (bool, int, float, complex)):
        array = _numbers(data, dtype)
    elif isinstance(data, (str, bytes)) or not hasattr(data, "__len__"):
        raise DtypeError(f"a tensor can't be made of {type(data).__name__}: {data!r:.80}")
    else:
        kinds: set[type] = set()
        data = _unwrapped(data, kinds)
        if not kinds <= _PLAIN and dtype is None:
            dtype = _common_dtype(data)
        array = _numbers(data, dtype)
    return array


_PLAIN = {bool, int, float, complex}


def _unwrapped(data, kinds):
    """Return nested sequences as lists without tensors; gather the types of what is in them."""
    found = set(map(type, data))
    if found <= _PLAIN:
        kinds |= found
        return data
    items = []
    for item in data:
        if isinstance(item, Tensor):
            item = item.array
        elif isinstance(item, (list, tuple)) or (
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


def _numbers(data, dtype):
    """Return numbers in nested sequences as an array."""
    try:
        array = np.array(data, dtype)
    except OverflowError as error:
        raise DtypeError(f"a number does not fit into the dtype: {error}") from None
    except (TypeError, ValueError) as error:
        raise _not_an_array(data, error) from None
    if dtype is None:
        kind = array.dtype.kind
        if kind == "f":
            return array.astype(get_default_dtype(), copy=False)
        if kind == "c":
            return array.astype(COMPLEX_OF[get_default_dtype()], copy=False)
        if array.dtype.name not in BY_NAME or kind == "u":
            raise _not_an_array(data, f"NumPy makes {array.dtype} of it")
    return array


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


def scalar_tensor(s, *, dtype=None, device=None, requires_grad=False):
    """Return a number as a 0-d tensor of the default dtype."""
    return tensor(s, dtype=dtype or get_default_dtype(), device=device, requires_grad=requires_grad)


def as_tensor(data, dtype=None, device=None):
    """Return ``data`` as a tensor: itself if it is one, an array without a copy where it may.

    >>> import aino
    >>> x = aino.ones(2)
    >>> aino.as_tensor(x) is x
    True
    """
    if device is not None:
        Device(device)
    if isinstance(data, Tensor):
        return data if dtype is None else data.to(as_dtype(dtype))
    if isinstance(data, np.ndarray):
        return make(data.astype(as_dtype(data.dtype if dtype is None else dtype), copy=False))
    return tensor(data, dtype=dtype)


def asarray(obj, *, dtype=None, device=None, copy=None, requires_grad=False):
    """Return ``obj`` as a tensor; ``copy`` True copies always, False raises where it must."""
    if copy:
        result = tensor(obj, dtype=dtype, device=device)
    else:
        result = as_tensor(obj, dtype, device)
        array = obj.array if isinstance(obj, Tensor) else obj
        if copy is False and not (
            isinstance(array, np.ndarray) and np.shares_memory(array, result.array)
        ):
            raise ValueError("asarray: this can't be done without a copy")
        if result is obj:
            result = result.detach()
    return result.requires_grad_() if requires_grad else result


def from_numpy(ndarray):
    """Return a tensor that shares the memory of an array.

    >>> import aino, numpy as np
    >>> array = np.zeros(2)
    >>> x = aino.from_numpy(array)
    >>> array[0] = 1.0
    >>> x
    tensor([1., 0.], dtype=float64)
    """
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(f"from_numpy: expected a NumPy array, got {type(ndarray).__name__}")
    dtype = as_dtype(ndarray.dtype)
    if not ndarray.dtype.isnative:
        raise DtypeError("from_numpy: the array is not in this machine's byte order")
    return make(ndarray if ndarray.dtype is dtype else ndarray.view(dtype))


# Filled


def shape_of(size, keywords=None) -> tuple[int, ...]:
    """Return the shape that ``f(2, 3)``, ``f((2, 3))`` or ``f(size=(2, 3))`` asks for."""
    if keywords:
        if not size and "size" in keywords:
            size = (keywords["size"],)
        no_more(keywords)
    elif not size:
        raise TypeError("a shape is missing: give its lengths, or () for a single number")
    first = size[0]
    if len(size) == 1 and (getattr(first, "ndim", 0) or not hasattr(first, "__index__")):
        size = first
    try:
        shape = tuple([index(length) for length in size])
    except TypeError:
        raise DtypeError(f"a shape is made of integers, got {size!r}") from None
    if shape and min(shape) < 0:
        raise ShapeError(f"a shape has no negative length, got {shape}")
    return shape


def _filled(array_maker, name, sentence):
    """Return the function that makes new tensors by ``np.zeros``, ``np.ones`` or ``np.empty``."""

    def create(
        *size, dtype=None, layout=None, device=None, pin_memory=False, requires_grad=False, **more
    ):
        shape = shape_of(size, more)
        dtype = get_default_dtype() if dtype is None else as_dtype(dtype)
        return _born(array_maker(shape, dtype), device, requires_grad)

    create.__name__ = create.__qualname__ = name
    create.__doc__ = f"""{sentence}

    The shape is given as numbers or as one sequence; the dtype is the default one.

    >>> import aino
    >>> aino.{name}(2, 3).shape
    aino.Size([2, 3])
    """
    return create


def no_more(keywords) -> None:
    """Raise for a keyword that would be ignored, unless that makes no difference."""
    for key, value in keywords.items():
        if key not in ("size", "memory_format") and value is not None:
            raise TypeError(f"there is no argument {key!r} here")


zeros = _filled(np.zeros, "zeros", "Return a new tensor full of zeros.")
ones = _filled(np.ones, "ones", "Return a new tensor full of ones.")
empty = _filled(np.empty, "empty", "Return a new tensor of whatever is in its memory.")


def full(size, fill_value, *, dtype=None, layout=None, device=None, requires_grad=False):
    """Return a new tensor full of ``fill_value``, which decides the dtype if none is given.

    >>> import aino
    >>> aino.full((2,), 7)
    tensor([7, 7])
    """
    if isinstance(fill_value, Tensor):
        dtype = fill_value.dtype if dtype is None else dtype
        fill_value = fill_value.item()
    dtype = scalar_dtype(fill_value) if dtype is None else as_dtype(dtype)
    return _born(_full(shape_of((size,)), fill_value, dtype), device, requires_grad)


def _full(shape, value, dtype):
    try:
        return np.full(shape, value, dtype)
    except (OverflowError, TypeError) as error:
        raise DtypeError(f"{value!r} does not fit into {dtype}: {error}") from None


def zeros_like(input, *, dtype=None, layout=None, device=None, requires_grad=False, **more):
    """Return zeros of the shape and dtype of ``input``."""
    no_more(more)
    dtype = None if dtype is None else as_dtype(dtype)
    return _born(np.zeros_like(input.array, dtype), device, requires_grad)


def ones_like(input, *, dtype=None, layout=None, device=None, requires_grad=False, **more):
    """Return ones of the shape and dtype of ``input``."""
    no_more(more)
    dtype = None if dtype is None else as_dtype(dtype)
    return _born(np.ones_like(input.array, dtype), device, requires_grad)


def empty_like(input, *, dtype=None, layout=None, device=None, requires_grad=False, **more):
    """Return a new tensor of the shape and dtype of ``input``, of whatever is in its memory."""
    no_more(more)
    dtype = None if dtype is None else as_dtype(dtype)
    return _born(np.empty_like(input.array, dtype), device, requires_grad)


def full_like(
    input, fill_value, *, dtype=None, layout=None, device=None, requires_grad=False, **more
):
    """Return ``fill_value`` everywhere, of the shape and dtype of ``input``."""
    no_more(more)
    if isinstance(fill_value, Tensor):
        fill_value = fill_value.item()
    dtype = input.dtype if dtype is None else as_dtype(dtype)
    return _born(np.full_like(input.array, fill_value, dtype), device, requires_grad)


def eye(n, m=None, *, dtype=None, layout=None, device=None, requires_grad=False):
    """Return the identity matrix of n rows (and m columns).

    >>> import aino
    >>> aino.eye(2)
    tensor([[1., 0.],
            [0., 1.]])
    """
    dtype = get_default_dtype() if dtype is None else as_dtype(dtype)
    if n < 0 or (m is not None and m < 0):
        raise ShapeError(f"eye: a matrix has no negative length, got {n} and {m}")
    return _born(np.eye(n, m, dtype=dtype), device, requires_grad)


def arange(start, end=None, step=1, *, dtype=None, layout=None, device=None, requires_grad=False):
    """Return start, start + step, ... below ``end``: int64 for integers, else the default dtype.

    >>> import aino
    >>> aino.arange(3), aino.arange(1.0, 2.0, 0.5)
    (tensor([0, 1, 2]), tensor([1.0000, 1.5000]))
    """
    if end is None:
        start, end = 0, start
    start, end, step = (_number(value) for value in (start, end, step))
    if step == 0:
        raise ValueError("arange: the step must not be zero")
    if (end - start) * step < 0:
        raise ValueError(f"arange: a step of {step} does not lead from {start} to {end}")
    if dtype is None:
        whole = all(isinstance(value, int) for value in (start, end, step))
        dtype = dtypes.int64 if whole else get_default_dtype()
    return _born(np.arange(start, end, step).astype(as_dtype(dtype)), device, requires_grad)


def _number(value):
    return value.item() if isinstance(value, (Tensor, np.generic, np.ndarray)) else value


def linspace(start, end, steps, *, dtype=None, layout=None, device=None, requires_grad=False):
    """Return ``steps`` numbers from ``start`` to ``end``, both included, at equal distances.

    >>> import aino
    >>> aino.linspace(0, 1, 5)
    tensor([0.0000, 0.2500, 0.5000, 0.7500, 1.0000])
    """
    if steps < 0:
        raise ValueError(f"linspace: the number of steps must not be negative, got {steps}")
    start, end = _number(start), _number(end)
    if dtype is None:
        dtype = get_default_dtype()
        dtype = COMPLEX_OF[dtype] if isinstance(start + end, complex) else dtype
    array = np.linspace(start, end, steps).astype(as_dtype(dtype))
    return _born(array, device, requires_grad)


def logspace(
    start, end, steps, base=10.0, *, dtype=None, layout=None, device=None, requires_grad=False
):
    """Return ``base`` to the powers of ``linspace(start, end, steps)``.

    >>> import aino
    >>> aino.logspace(0, 2, 3)
    tensor([  1.,  10., 100.])
    """
    if steps < 0:
        raise ValueError(f"logspace: the number of steps must not be negative, got {steps}")
    exponents = np.linspace(_number(start), _number(end), steps)
    dtype = get_default_dtype() if dtype is None else as_dtype(dtype)
    return _born(np.power(float(base), exponents).astype(dtype), device, requires_grad)


def tril_indices(row, col, offset=0, *, dtype=dtypes.int64, device=None, layout=None):
    """Return the rows and columns of a matrix' lower triangle, as a ``(2, n)`` tensor.

    >>> import aino
    >>> aino.tril_indices(2, 2)
    tensor([[0, 1, 1],
            [0, 0, 1]])
    """
    return _born(np.stack(np.tril_indices(row, offset, col)).astype(as_dtype(dtype)), device, False)


def triu_indices(row, col, offset=0, *, dtype=dtypes.int64, device=None, layout=None):
    """Return the rows and columns of a matrix' upper triangle, as a ``(2, n)`` tensor."""
    return _born(np.stack(np.triu_indices(row, offset, col)).astype(as_dtype(dtype)), device, False)


# Beside another tensor


def new_tensor(self, data, *, dtype=None, device=None, requires_grad=False):
    """Return a new tensor of ``data``, of this tensor's dtype."""
    dtype = self.dtype if dtype is None else dtype
    return tensor(data, dtype=dtype, device=device, requires_grad=requires_grad)


def new_zeros(self, *size, dtype=None, device=None, requires_grad=False, **more):
    """Return zeros of this tensor's dtype, of another shape."""
    dtype = self.dtype if dtype is None else dtype
    return zeros(*size, dtype=dtype, device=device, requires_grad=requires_grad, **more)


def new_ones(self, *size, dtype=None, device=None, requires_grad=False, **more):
    """Return ones of this tensor's dtype, of another shape."""
    dtype = self.dtype if dtype is None else dtype
    return ones(*size, dtype=dtype, device=device, requires_grad=requires_grad, **more)


def new_empty(self, *size, dtype=None, device=None, requires_grad=False, **more):
    """Return a new tensor of this tensor's dtype, of another shape."""
    dtype = self.dtype if dtype is None else dtype
    return empty(*size, dtype=dtype, device=device, requires_grad=requires_grad, **more)


def new_full(self, size, fill_value, *, dtype=None, device=None, requires_grad=False):
    """Return ``fill_value`` everywhere, of this tensor's dtype, of another shape."""
    dtype = self.dtype if dtype is None else dtype
    return full(size, fill_value, dtype=dtype, device=device, requires_grad=requires_grad)
