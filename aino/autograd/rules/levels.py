"""In and out of a level: what ``vmap`` does to its arguments and results, as primitives.

``enter`` hides an axis of an array, and ``leave`` brings it back: each is the other's rule. What
is not batched is, when it leaves, the same in every sample, and its cotangent then comes back
for each of them: the backward pass sums these when it meets the value (``BatchLevel.settled``).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.autograd.batched import fallback, functions, matrices, methods, shapes  # noqa: F401
from aino.autograd.batched import samples as batched
from aino.autograd.batched.array import BatchedArray
from aino.autograd.batched.registry import LOOPS
from aino.autograd.duck import Duck
from aino.autograd.levels import Level, levels_of
from aino.autograd.node import Cotangents
from aino.autograd.primitive import primitive
from aino.autograd.rules.index import getitem
from aino.autograd.rules.join import stack
from aino.autograd.rules.reduce import sum as sum_axes
from aino.autograd.tensor import Tensor, make
from aino.errors import TransformError
from aino.pytree import rebuild


class BatchLevel(Level):
    """A running ``vmap``. ``size``: how many samples. ``randomness``: what a draw gives them."""

    def __init__(self, size: int, randomness: str = "error", name: str = "vmap") -> None:
        super().__init__(name)
        self.size = size
        self.randomness = randomness

    def settled(self, cotangent: Any) -> Any:
        """Return the sum over the samples of a cotangent whose value is one for all of them."""
        return sum_batch(cotangent, self)

    def everywhere(self, x: Any) -> Any:
        """Return an array that is the same in each sample, with memory of its own for each."""
        return _everywhere(x, self).copy()

    def drawn(self, draw, generator, kind: str, shape, dtype, *parameters) -> Any:
        """Return random numbers: the same for all samples, or different for each."""
        if self.randomness == "error":
            raise TransformError(
                f"a random operation inside {self.name}: say by randomness='different' that each "
                "sample draws its own numbers, or by randomness='same' that all have the same"
            )
        if self.randomness == "same":
            if any([batched.belongs(x, self) for x in parameters]):
                raise TransformError(
                    f"a random operation inside {self.name}, with randomness='same', has "
                    "parameters that differ from sample to sample, and so can't draw the same "
                    "numbers; use randomness='different'"
                )
            return draw(generator, kind, shape, dtype, *parameters)
        if kind == "permutation":
            rows = [draw(generator, kind, shape, dtype, *parameters) for _ in range(self.size)]
            return BatchedArray(np.stack(rows), self)
        given = [
            batched.spread(np.broadcast_to(x, shape), self) if hasattr(x, "shape") else x
            for x in parameters
        ]
        return BatchedArray(draw(generator, kind, (self.size, *shape), dtype, *given), self)


def _enter(x, of, dim):
    if isinstance(x, Duck) and x.level.tick > of.tick:
        # A younger duck holds the older: the axis is hidden inside it.
        return x.through(lambda values, shift: _enter(values, of, dim + shift))
    return BatchedArray(x if not dim else np.moveaxis(x, dim, 0), of)


def _leave(x, of, dim):
    if of not in levels_of(x):
        shape = (*x.shape[:dim], of.size, *x.shape[dim:])
        return np.broadcast_to(x[(*(slice(None),) * dim, None)], shape).copy()
    if x.level is not of:
        return x.through(lambda values, shift: _leave(values, of, dim + shift))
    return x.values if not dim else np.moveaxis(x.values, 0, dim)


enter: Any = primitive(
    "enter", _enter, formula="x, one sample at a time", view=True,
    x=lambda g, of, dim: leave(g, of, dim),
)  # fmt: skip

leave: Any = primitive(
    "leave", _leave, formula="x, all samples along an axis",
    x=lambda g, of, dim: enter(g, of, dim),
)  # fmt: skip


def _everywhere(x, of):
    if of in levels_of(x):
        return x
    return _enter(np.broadcast_to(x, (of.size, *x.shape)), of, 0)


everywhere = primitive(
    "everywhere", _everywhere, formula="x, the same in each sample", x=lambda g: g
)


def sum_batch(x, of):
    """Return the sum over the samples of a level, of an array or a tensor."""
    return sum_axes(leave(x, of, 0), 0, False)


def _recorded(level, node, inputs, g):
    """Compute recorded cotangents sample by sample, so that they can be differentiated again."""
    fallback.note_loop(level, f"the derivative of {node.primitive.name}")

    def apart(item):
        if isinstance(item, (tuple, list)):
            return rebuild(type(item), [apart(part) for part in item])
        if type(item) is Cotangents:
            return Cotangents({place: apart(part) for place, part in item.parts.items()})
        if isinstance(item, Tensor):
            return _Apart(leave(everywhere(item, level), level, 0))
        return _Apart(make(_leave(item, level, 0))) if batched.belongs(item, level) else item

    def one(item, number):
        if isinstance(item, (tuple, list)):
            return rebuild(type(item), [one(part, number) for part in item])
        if type(item) is Cotangents:
            return Cotangents({place: one(part, number) for place, part in item.parts.items()})
        if type(item) is _Apart:
            return getitem(item.samples, number)
        return item

    saved, g = apart(node.saved_as_tensors()), apart(g)
    rows = [node.pullback(inputs, one(saved, i), one(g, i)) for i in range(level.size)]

    def together(column):
        if column[0] is None:
            return None
        if type(column[0]) is Cotangents:
            return Cotangents(
                {k: together([part.parts[k] for part in column]) for k in column[0].parts}
            )
        return enter(stack([y if isinstance(y, Tensor) else make(y) for y in column], 0), level, 0)

    return [together(column) for column in zip(*rows)]


class _Apart:
    """All samples of a tensor along its first axis."""

    __slots__ = ("samples",)

    def __init__(self, samples: Tensor) -> None:
        self.samples = samples


LOOPS["recorded"] = _recorded
LOOPS["everywhere"] = _everywhere
