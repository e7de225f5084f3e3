"""Segment: parameters of one dtype and one history, stepped as one flat array.

The parameters stay where they are. What the optimizer remembers of them lies in one flat array
per kind (``exp_avg``, ``exp_avg_sq`` ...), their gradients are gathered into another, and the
update is computed over both in blocks that stay in the processor's cache.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from aino.autograd.memory import clock, stamp_of
from aino.autograd.node import tick
from aino.autograd.tensor import Tensor, make
from aino.dtypes import complex64, complex128, float32, float64
from aino.optim.state import ParameterState
from aino.structure_version import structure_version
from aino.threads import lanes, pieces

#: Numbers in a block: long enough for two threads not to wait for the interpreter's lock (below
#: 65,536 it changes hands too often), short enough for the arrays of a block to stay in the cache.
BLOCK = 131072
#: Parameters of at least this many numbers are stepped where they are, without being gathered.
LARGE = 16384
#: Segments of at least this many numbers are shared between two threads.
SHARED = 4 * BLOCK

#: The dtype of the two real numbers that a complex one is made of.
COMPONENT: dict[Any, np.dtype] = {complex64: float32, complex128: float64}


class Block:
    """A part of a segment: several small parameters, or a piece of a large one.

    ``first``, ``last``: its parameters. ``piece``: a slice of a large one's numbers, else None.
    ``parameters``: the arrays to be written. ``gradient``, ``work``: flat buffers, with views of
    them in the shapes of the parameters. ``states``: the part of each flat state array, None
    where the update does without.
    """

    __slots__ = ("first", "last", "piece", "parameters", "gradient", "gradient_views", "work",
                 "work_views", "states")  # fmt: skip

    def __init__(self, segment, buffers, first, last, piece, start, stop) -> None:
        self.first = first
        self.last = last
        self.piece = piece
        self.gradient = buffers[0][: stop - start]
        self.work = buffers[1][: stop - start]
        if piece is None:
            self.parameters = segment.arrays[first:last]
            spans = segment.spans[first:last]
            shapes = [array.shape for array in self.parameters]
            self.gradient_views = _cut(self.gradient, spans, start, shapes, segment.dtype)
            self.work_views = _cut(self.work, spans, start, shapes, segment.dtype)
        else:
            self.parameters = [segment.flattened(segment.arrays[first])[piece]]
            self.gradient_views = [self.gradient]
            self.work_views = [self.work]
        self.states = [
            None if kind is None else segment.components[kind][start:stop] for kind in segment.kinds
        ]


def _cut(flat, spans, start, shapes, dtype) -> list:
    """Return a view of a flat array for each parameter, in its shape and dtype."""
    return [
        flat[low - start : high - start].view(dtype).reshape(shape)
        for (low, high), shape in zip(spans, shapes)
    ]


class Segment:
    """Parameters that are stepped together: equal dtype, equal step count, equal kinds of state.

    ``kinds``: the names of the state arrays in the order in which the update takes them, None for
    one that it does without. ``flat``: kind -> Tensor over all parameters. ``numbers``: the step
    count and other numbers that all of them share. ``initial(kind)`` says what a new state array
    is filled with.
    """

    __slots__ = ("parameters", "states", "kinds", "numbers", "dtype", "component", "spans",
                 "size", "flat", "components", "alive", "arrays", "stamps", "lanes", "large",
                 "slots")  # fmt: skip

    def __init__(
        self,
        parameters: list[Tensor],
        states: list[ParameterState],
        kinds: tuple[str | None, ...],
        initial: Callable[[str], float],
        numbers: dict[str, Any],
    ) -> None:
        self.parameters = parameters
        #: Weak references: a state holds its segment, and must go when its optimizer goes.
        self.states = [weakref.ref(state) for state in states]
        self.kinds = kinds
        self.numbers = numbers
        self.dtype = parameters[0].array.dtype
        self.component: np.dtype = COMPONENT.get(self.dtype, self.dtype)
        width = self.dtype.itemsize // self.component.itemsize
        self.spans: list[tuple[int, int]] = []
        self.size = 0
        for parameter in parameters:
            self.spans.append((self.size, self.size + width * parameter.array.size))
            self.size = self.spans[-1][1]
        self.flat: dict[str, Tensor] = {}
        #: The flat arrays as real numbers: a complex one is twice as many.
        self.components: dict[str, np.ndarray] = {}
        self.alive = True
        #: The parameters' arrays, the stamps of all that is written, and the blocks cut of it.
        self.arrays: list[np.ndarray] = []
        self.stamps: list[Any] = []
        self.lanes: list[list[Block]] = []
        self.large: list[int] = []
        self.slots: list[np.ndarray] = []
        for kind in kinds:
            if kind is not None:
                self._pack(kind, initial(kind), states)
        for state in states:
            for name in numbers:
                state.entries.pop(name, None)
            state.segment = self
        structure_version.move()

    def _pack(self, kind: str, fill: float, states: list[ParameterState]) -> None:
        """Copy what the parameters remember into one flat array, and let them view it."""
        component = np.full(self.size, fill, self.component)
        shapes = [parameter.array.shape for parameter in self.parameters]
        views = _cut(component, self.spans, 0, shapes, self.dtype)
        for state, view in zip(states, views):
            if kind in state.entries:
                view[...] = state.entries[kind].array
            state.entries[kind] = make(view)
        self.components[kind] = component
        self.flat[kind] = make(component.view(self.dtype))

    def dissolve(self) -> None:
        """Give each parameter its own entries; they keep viewing the flat arrays."""
        for reference in self.states:
            state = reference()
            if state is not None:
                numbers = dict(state)
                state.segment = None
                state.entries = numbers
        self.alive = False
        structure_version.move()

    def flattened(self, array):
        """Return an array of the segment's dtype as a row of real numbers."""
        row = array.reshape(-1)
        return row if self.component is self.dtype else row.view(self.component)

    def prepare(self, arrays: list[np.ndarray]) -> list[list[Block]]:
        """Note that the parameters and their state are written; return the blocks to step."""
        known = self.arrays
        for array, before in zip(arrays, known):
            if array is not before:
                known = self.arrays = []
                break
        if not known:
            self._lay(arrays)
        now = clock.last_write = tick()
        for stamp in self.stamps:
            stamp.time = now
        return self.lanes

    def _lay(self, arrays: list[np.ndarray]) -> None:
        """Cut the segment into blocks, one list of them for each thread that is to run."""
        for array, parameter in zip(arrays, self.parameters):
            if not array.flags.writeable:
                raise ValueError(
                    f"a parameter of shape {array.shape} lies in memory that can't be written; "
                    "clone() it, or load its file without mmap"
                )
        self.arrays = arrays
        self.stamps = [stamp_of(array) for array in (*arrays, *self.components.values())]
        self.large = [
            position
            for position, (start, stop) in enumerate(self.spans)
            if stop - start >= LARGE and arrays[position].flags.c_contiguous
        ]
        cuts: list[tuple[int, int, slice | None, int, int]] = []
        first = 0
        while first < len(arrays):
            start, stop = self.spans[first]
            last = first + 1
            if first in self.large:
                cuts += [
                    (first, last, slice(low, high), start + low, start + high)
                    for low, high in pieces(0, stop - start, BLOCK)
                ]
            else:
                while last < len(arrays) and last not in self.large:
                    if self.spans[last][1] - start > BLOCK:
                        break
                    stop = self.spans[last][1]
                    last += 1
                cuts.append((first, last, None, start, stop))
            first = last
        self.lanes = []
        lengths = [stop - start for *_, start, stop in cuts]
        for part in lanes(cuts, lengths, SHARED):
            longest = max(stop - start for *_, start, stop in part)
            buffers = [np.empty(longest, self.component) for _ in range(2)]
            self.lanes.append([Block(self, buffers, *cut) for cut in part])

    def scalars(self, values: Sequence[float]) -> list[np.ndarray]:
        """Return 0-d arrays of the values: NumPy takes twice as long over a Python number."""
        slots = self.slots
        if len(slots) != len(values):
            slots = self.slots = [np.empty((), self.component) for _ in values]
        for slot, value in zip(slots, values):
            slot[()] = value
        return slots
