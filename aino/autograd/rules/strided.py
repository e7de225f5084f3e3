"""A tensor's memory seen by strides: where its elements stand is all that the derivative needs.

Strides and offsets are counted in elements from the start of the memory, as PyTorch counts them.
``layout`` is that of the input: its strides and its offset.
"""

from __future__ import annotations

import math

import numpy as np

from aino.autograd.duck import Duck
from aino.autograd.memory import owner
from aino.autograd.primitive import primitive
from aino.autograd.rules.index import take, take_sum
from aino.autograd.rules.shape import reshape

ndarray = np.ndarray


def layout_of(array):
    """Return the strides and the offset of an array in the memory that it shares, in elements."""
    size = array.itemsize
    if isinstance(array, Duck):
        return tuple([step // size for step in array.strides]), 0  # memory of one sample's own
    start = array.__array_interface__["data"][0] - owner(array).__array_interface__["data"][0]
    return tuple([step // size for step in array.strides]), start // size


def extent(size, stride, offset):
    """Return the first and the last place that is reached, (0, -1) for none."""
    if 0 in size:
        return 0, -1
    ends = [(n - 1) * step for n, step in zip(size, stride)]
    return offset + sum([min(end, 0) for end in ends]), offset + sum([max(end, 0) for end in ends])


def places_in_memory(size, stride, offset):
    """Return the place of each element."""
    places = np.asarray(offset)
    for axis, (length, step) in enumerate(zip(size, stride)):
        shape = (length,) + (1,) * (len(size) - 1 - axis)
        places = places + (np.arange(length) * step).reshape(shape)
    return np.broadcast_to(places, size)


def is_dense(shape, strides) -> bool:
    """Tell whether the elements fill a piece of memory, each place once, in some order of axes."""
    step = 1
    for stride, length in sorted(zip(strides, shape), key=lambda pair: pair[0]):
        if length != 1:
            if stride != step:
                return False
            step *= length
    return True


def numbers_of(size, stride, offset, shape, layout):
    """Return which element of the input stands at each place, its size where none does."""
    strides, start = layout
    count = math.prod(shape)
    wanted = places_in_memory(size, stride, offset).reshape(-1)
    if not wanted.size or not count:
        return np.full(wanted.size, count)
    # Where several elements of the input are one in memory, the last of them stands for all.
    first, last = extent(shape, strides, start)
    at = np.full(last - first + 1, count)
    at[places_in_memory(shape, strides, start).reshape(-1) - first] = np.arange(count)
    inside = (wanted >= first) & (wanted <= last)
    return np.where(inside, at[np.where(inside, wanted - first, 0)], count)


def _view(x, size, stride, offset, layout):
    if type(x) is ndarray:
        strides, start = layout_of(x)
        memory = owner(x)
        buffer = memory.transpose(sorted(range(memory.ndim), key=lambda i: -memory.strides[i]))
        # The memory may be another: a mask or a cotangent that takes the tensor's place.
        shifted = start + offset - layout[1]
        first, last = extent(size, stride, shifted)
        if strides == layout[0] and buffer.flags.c_contiguous and 0 <= first <= last < memory.size:
            buffer = memory if memory.flags.c_contiguous else buffer
            item = x.itemsize
            view = np.ndarray(size, x.dtype, buffer, shifted * item, [n * item for n in stride])
            if not x.flags.writeable:
                view.flags.writeable = False
            return view
    found = reshape(x, (-1,)) if math.prod(x.shape) else reshape(x, (0,))
    found = np.concatenate([found, np.zeros_like(found, shape=(1,))])
    copy = take(found, numbers_of(size, stride, offset, x.shape, layout), 0, False).reshape(size)
    if type(copy) is ndarray and copy.size:
        copy.flags.writeable = False
    return copy


as_strided = primitive(
    "as_strided", _view, formula="y[i] = memory[offset + Σ iₖ strideₖ]", view=True,
    inputs="x",
    x=lambda g, x_shape, size, stride, offset, layout: strided_sum(
        g, x_shape, size, stride, offset, layout
    ),
)  # fmt: skip


def _strided_sum(x, shape, size, stride, offset, layout):
    count = math.prod(shape)
    numbers = numbers_of(size, stride, offset, shape, layout)
    flat = take_sum(x.reshape((math.prod(size),)), numbers, 0, count + 1, False)
    return flat[:count].reshape(shape)


#: The adjoint of ``as_strided``: what stands outside of the tensor's own elements is dropped.
strided_sum = primitive(
    "strided_sum", _strided_sum, formula="y[number of the place] += x",
    x=lambda g, shape, size, stride, offset, layout: as_strided(g, size, stride, offset, layout),
)  # fmt: skip
