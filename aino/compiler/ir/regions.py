"""Storages and the regions that are cut out of them.

A value of a program is not a variable but a place: a storage, an offset, a shape and strides. Flat
arrays, their rows and transposed views are thus regions of one storage, and a write through one
is seen through all. A cut says how the source comes from one region to the next.
"""

from __future__ import annotations

import weakref
from dataclasses import dataclass, field
from typing import Any

import numpy as np

#: Constants of so many bytes that repeat one number are held as that number.
LARGE_CONSTANT = 1 << 16


class Storage:
    """A piece of memory.

    ``kind``: ``argument`` (given at each call), ``static`` (lives outside, is read afresh and may
    be written), ``gradient`` (what a leaf's ``grad`` holds when the call begins), ``constant``
    (made alike in every trace), ``temporary`` (made by a call of the program).
    ``root``: the array that owns static and constant memory. ``whole``: its value. ``label``:
    how it is called in the source. ``leaf``: the leaf of a gradient. ``initial``: what a constant
    holds when the program begins.

    A region knows its storage; the storage knows its regions weakly, so that what a program holds
    is freed with it.
    """

    __slots__ = ("kind", "root", "label", "initial", "leaf", "written", "values", "address",
                 "shadow", "_form", "_whole")  # fmt: skip

    def __init__(self, kind, root=None, label="", leaf=None) -> None:
        self.kind = kind
        self.root = root
        self.label = label
        self.initial: Any = None
        self.leaf = leaf
        self.written = False
        self.values: dict[tuple, weakref.ref[Region]] = {}
        #: Where the shadow memory begins, and that memory where the trace has to keep it.
        self.address = 0
        self.shadow: Any = None
        #: The region that covers it all, and what it is made of.
        self._whole: Any = None
        self._form: tuple = ()

    @property
    def whole(self) -> Any:
        """The region that covers it all, None where nothing is known of it yet."""
        known = self._whole
        if known is None:
            return None
        value = known()
        return region_at(self, *self._form) if value is None else value

    def regions(self) -> list[Region]:
        """Return the regions of it that are in use."""
        return [value for known in self.values.values() if (value := known()) is not None]

    def keep_one_number(self) -> bool:
        """Hold a large constant that repeats one number as that number; tell whether it does.

        Zeros that a step begins with would else be held for as long as its program.
        """
        initial = self.initial
        if initial is None or initial.nbytes < LARGE_CONSTANT or initial.itemsize > 8:
            return False
        if not initial.flags.c_contiguous or any(type(x.cut) is Given for x in self.regions()):
            return False
        bits = initial.reshape(-1).view(f"u{initial.itemsize}")
        if (bits != bits[0]).any():  # nan and a minus before a zero are told by their bits
            return False
        number = initial[(0,) * initial.ndim]
        self.root = self.initial = np.broadcast_to(np.array(number), initial.shape)
        return True

    def __repr__(self) -> str:
        return f"<{self.kind} {self.label or hex(id(self))}>"


@dataclass(frozen=True, eq=False)
class Subscript:
    """``parent[index]``, with an index that is known."""

    index: Any


@dataclass(frozen=True, eq=False)
class Method:
    """``parent.name(*arguments, **keywords)``, which NumPy answers with a view."""

    name: str
    arguments: tuple = ()
    keywords: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Attribute:
    """``parent.name``: ``T``, ``mT``, ``real``, ``imag``."""

    name: str


@dataclass(frozen=True, eq=False)
class Given:
    """A view that lives outside of the program, and is given as it is."""

    array: Any


@dataclass(frozen=True, eq=False)
class Answer:
    """What a function of NumPy's answered in the memory of one of its arguments.

    ``position``: which of several answers, None of one. ``original``: the argument.
    """

    call: Any
    position: int | None
    original: Region


#: How a region is cut out of its parent; the whole of a storage has none.
Cut = Subscript | Method | Attribute | Given | Answer


class Region:
    """A region of a storage; ``parent`` and ``cut`` say how it is cut out of another region."""

    __slots__ = ("storage", "shape", "dtype", "strides", "offset", "parent", "cut", "__weakref__")

    def __init__(
        self, storage, shape, dtype, strides, offset, parent=None, cut: Cut | None = None
    ) -> None:
        self.storage = storage
        self.shape = shape
        self.dtype = dtype
        self.strides = strides
        self.offset = offset
        self.parent = parent
        self.cut = cut

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        count = 1
        for length in self.shape:
            count *= length
        return count

    @property
    def is_whole(self) -> bool:
        return self is self.storage.whole

    @property
    def extent(self) -> tuple[int, int]:
        """The bytes that the region lies in, counted from the first element of its storage."""
        low = high = self.offset
        if not self.size:
            return low, high
        for length, stride in zip(self.shape, self.strides):
            if stride < 0:
                low += (length - 1) * stride
            else:
                high += (length - 1) * stride
        return low, high + self.dtype.itemsize

    def __repr__(self) -> str:
        return f"{self.storage!r}{list(self.shape)}"


def repeats(array) -> bool:
    """Tell whether an array holds one number in the place of many."""
    return array.size > 1 and not any(array.strides)


def address(array) -> int:
    """Return where the first element of an array lies."""
    return array.__array_interface__["data"][0]


def region(storage: Storage, array, parent=None, cut: Cut | None = None) -> Region:
    """Return the one value of a storage that covers exactly the memory of ``array``."""
    offset = address(array) - storage.address
    return region_at(storage, array.shape, array.dtype, array.strides, offset, parent, cut)


def region_at(storage: Storage, shape, dtype, strides, offset, parent=None, cut=None) -> Region:
    """Return the one value of a storage that has this form and begins there."""
    key = (offset, shape, strides, dtype)
    known = storage.values.get(key)
    value = None if known is None else known()
    if value is None:
        value = Region(storage, shape, dtype, strides, offset, parent, cut)
        known = storage.values[key] = weakref.ref(value)
        if parent is None and cut is None:
            storage._whole, storage._form = known, (shape, dtype, strides, offset)
    return value


def contiguous_strides(shape, dtype) -> tuple[int, ...]:
    """Return the strides of an array in C order."""
    strides, step = [], dtype.itemsize
    for length in reversed(shape):
        strides.append(step)
        step *= length
    return tuple(reversed(strides))


def moved(value: Region, storage: Storage) -> Region:
    """Return the region of ``storage`` that lies where ``value`` lies in its own."""
    parent = moved(value.parent, storage) if value.parent is not None else None
    return region_at(
        storage, value.shape, value.dtype, value.strides, value.offset, parent, value.cut
    )


def is_contiguous(value: Region) -> bool:
    """Tell whether a region lies in one piece, in C order."""
    step = value.dtype.itemsize
    for length, stride in zip(reversed(value.shape), reversed(value.strides)):
        if length != 1 and stride != step:
            return False
        step *= length
    return True


def is_reread(value: Region) -> bool:
    """Tell whether a region shows the numbers of its parent as others of the same size."""
    cut, parent = value.cut, value.parent
    known = type(cut) is Method and cut.name == "view" and not cut.keywords
    return known and parent is not None and parent.dtype.itemsize == value.dtype.itemsize


def slices_of(value: Region) -> tuple[slice, ...] | None:
    """Return the slice of each axis of its parent that a region is, None where it is no such."""
    if type(value.cut) is not Subscript or value.parent is None:
        return None
    index = value.cut.index if isinstance(value.cut.index, tuple) else (value.cut.index,)
    if not all(isinstance(part, slice) for part in index):
        return None
    return index + (slice(None),) * (len(value.parent.shape) - len(index))


def reshaped(value: Region, shape) -> Region:
    """Return a contiguous region in another shape."""
    if value.shape == shape:
        return value
    strides = contiguous_strides(shape, value.dtype)
    cut = Method("reshape", (shape,))
    return region_at(value.storage, shape, value.dtype, strides, value.offset, value, cut)


def sliced(flat: Region, start: int, stop: int) -> Region:
    """Return a stretch of a region with one axis."""
    offset = flat.offset + start * flat.dtype.itemsize
    cut = Subscript((slice(start, stop),))
    return region_at(flat.storage, (stop - start,), flat.dtype, flat.strides, offset, flat, cut)


def turned(value: Region) -> Region:
    """Return the transposed matrix."""
    shape, strides = value.shape[::-1], value.strides[::-1]
    cut = Attribute("T")
    return region_at(value.storage, shape, value.dtype, strides, value.offset, value, cut)


def new_temporary(shape, dtype) -> Region:
    """Return the whole of new memory in C order, that a program fills."""
    storage = Storage("temporary")
    storage.written = True
    return region_at(storage, shape, dtype, contiguous_strides(shape, dtype), 0)
