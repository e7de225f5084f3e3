"""Frames around tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.autograd.rules import index as index_rules
from aino.autograd.rules import shape as rules
from aino.autograd.tensor import Tensor
from aino.errors import ArgumentError, ShapeError
from aino.ops.arguments import ints_of

__all__ = ["pad"]


def pad(input: Tensor, pad: Any, mode: str = "constant", value: Any = None) -> Tensor:
    """Return the input in a frame, whose width ``pad`` says: (before, after) for each dimension.

    Negative widths cut off. Raises ``ShapeError`` for an odd number of widths or too many of them,
    for a result of negative length, and where a mode reaches further than the input does;
    ``ValueError`` for another mode, or a value where the mode takes none.

    Arguments:
        input: a tensor of any shape.
        pad: (before, after) of the last dimension, then of the one before it, and so on.
        mode: "constant", or "reflect" to mirror at the outermost element, "replicate" to repeat it,
            "circular" to go on at the other end.
        value: what "constant" fills with; 0 for None.

    >>> import aino
    >>> x = aino.tensor([[1.0, 2.0, 3.0]])
    >>> aino.nn.functional.pad(x, (1, 2))
    tensor([[0., 1., 2., 3., 0., 0.]])
    >>> aino.nn.functional.pad(x, (1, 1), mode="reflect")
    tensor([[2., 1., 2., 3., 2.]])
    """
    shape = input.array.shape
    amounts = ints_of((pad,))
    if len(amounts) % 2 or len(amounts) > 2 * len(shape):
        raise ShapeError(
            f"pad: {len(amounts)} numbers do not make pairs for the dimensions of {shape}"
        )
    widths = [(0, 0)] * len(shape)
    for i in range(len(amounts) // 2):
        widths[-1 - i] = amounts[2 * i], amounts[2 * i + 1]
    for dim, (before, after) in enumerate(widths):
        if shape[dim] + before + after < 0:
            raise ShapeError(
                f"pad: ({before}, {after}) leaves a negative length of dim {dim} of {shape}"
            )
    given = shape
    if mode in ("constant", "circular") and any(side < 0 for width in widths for side in width):
        inner = [slice(max(-a, 0), n - max(-b, 0)) for n, (a, b) in zip(shape, widths)]
        input = index_rules.getitem(input, tuple(inner))
        widths = [(max(a, 0), max(b, 0)) for a, b in widths]
    if mode == "constant":
        return rules.pad(input, tuple(widths), 0.0 if value is None else value)
    if mode not in _CONTINUATIONS:
        raise ArgumentError(
            f"pad: mode must be 'constant', 'reflect', 'replicate' or 'circular', not {mode!r}"
        )
    if value:
        raise ArgumentError(f"pad: mode {mode!r} takes no value")
    shape = input.array.shape
    # Gradients of "reflect" and "replicate" count as made with the input, as in PyTorch.
    take = index_rules.take if mode == "circular" else index_rules.take_of
    for dim, (before, after) in enumerate(widths):
        if before or after:
            _check_reach(shape, given, dim, max(before, after), mode)
            places = np.arange(-before, shape[dim] + after)
            places = _CONTINUATIONS[mode](places, shape[dim])
            input, take = take(input, places, dim, False), index_rules.take
    return input


def _check_reach(shape, given, dim, amount, mode) -> None:
    """Raise where more is asked for than the dimension can give, or had before it was cut."""
    reach = {"reflect": shape[dim] - 1, "circular": given[dim]}.get(mode)
    if (reach is not None and amount > reach) or not shape[dim]:
        raise ShapeError(
            f"pad: {mode} by {amount} reaches beyond dim {dim} of length {shape[dim]} "
            f"(shape {shape})"
        )


_CONTINUATIONS = {
    "reflect": lambda places, n: n - 1 - np.abs(n - 1 - np.abs(places)),
    "replicate": lambda places, n: np.clip(places, 0, n - 1),
    "circular": lambda places, n: places % n,
}
