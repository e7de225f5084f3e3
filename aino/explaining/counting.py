"""How many multiply-adds an operation takes: those of matrix products and convolutions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from aino.drawing.values import edges_of, saved_of


def shape_of(node: Any, name: str) -> tuple[int, ...]:
    """Return the shape of an operand, () for one that was not given."""
    edge = edges_of(node).get(name)
    if edge is not None:
        return edge.shape
    for known in (saved_of(node), node.given()):
        found: Any = known.get(name)
        if hasattr(found, "shape"):
            return found.shape
    return ()


def _product(node: Any) -> int:
    return math.prod(node.shape) * shape_of(node, "a")[-1]


def _linear(node: Any) -> int:
    return math.prod(shape_of(node, "x")[:-1]) * math.prod(shape_of(node, "weight"))


def _attention(node: Any) -> int:
    q, k, v = [shape_of(node, name) for name in "qkv"]
    rows = math.prod(np.broadcast_shapes(q[:-2], k[:-2], v[:-2])) * q[-2] * k[-2]
    return rows * (q[-1] + v[-1])


def _recurrent(node: Any) -> int:
    weights = [shape_of(node, name) for name in ("w_ih", "w_hh", "w_hr")]
    return shape_of(node, "x")[0] * sum([math.prod(shape) for shape in weights if shape])


#: Operation -> its multiply-adds, from the shapes that it had.
_COUNTS: dict[str, Callable[[Any], int]] = {
    "mm": _product,
    "bmm": _product,
    "rows_mm": _product,
    "mv": lambda node: math.prod(shape_of(node, "a")),
    "dot": lambda node: math.prod(shape_of(node, "a")),
    "linear": _linear,
    "convolution": lambda node: math.prod(node.shape) * math.prod(shape_of(node, "weight")[1:]),
    "convolution_transpose": lambda node: (
        math.prod(shape_of(node, "x")) * math.prod(shape_of(node, "weight")[1:])
    ),
    "attention": _attention,
    "rnn": _recurrent,
    "gru": _recurrent,
    "lstm": _recurrent,
}


def multiply_adds(node: Any) -> int:
    """Return the multiply-adds of a recorded operation: (m × k) · (k × n) takes m · k · n.

    Sums, such as a bias, and what is done element by element count as none.
    """
    count = _COUNTS.get(node.primitive.name) if node.primitive is not None else None
    return 0 if count is None else count(node)
