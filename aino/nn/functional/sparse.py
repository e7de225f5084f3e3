"""Tables looked up by number: embedding and one_hot."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino import tracing
from aino.autograd.memory import stamp_write
from aino.autograd.mode import is_grad_enabled
from aino.autograd.rules import fused
from aino.autograd.tensor import Tensor, make
from aino.errors import ArgumentError, BoundsError, DtypeError, GradientError, ShapeError
from aino.ops.arguments import whole


def embedding(
    input: Tensor, weight: Any, padding_idx: int | None = None, max_norm: float | None = None,
    norm_type: float = 2.0, scale_grad_by_freq: bool = False, sparse: bool = False,
) -> Tensor:  # fmt: skip
    """Return the rows of ``weight`` whose numbers stand in ``input``: weight[input].

    Raises ``IndexError`` for a number outside the table, ``DtypeError`` for an input of another
    dtype.

    Arguments:
        input: the numbers: integers (*).
        weight: the table (rows, dimension); the output is (*, dimension).
        padding_idx: the row that gets no gradient; negative counts from the end.
        max_norm: rows that are longer are shortened to this, in the table itself.
        norm_type: p of the norm that ``max_norm`` is about.
        scale_grad_by_freq: divide a row's gradient by how often its number stands in the input.
        sparse: taken for PyTorch's sake; gradients are dense.

    >>> import aino
    >>> table = aino.tensor([[0.0, 1.0], [2.0, 3.0]])
    >>> aino.nn.functional.embedding(aino.tensor([1, 0]), table)
    tensor([[2., 3.],
            [0., 1.]])
    """
    index, table = input.array, weight.array
    if index.dtype.kind not in "iu":
        raise DtypeError(f"embedding looks up integers, got {index.dtype}: input.long()")
    if table.ndim != 2:
        raise ShapeError(f"embedding: weight is 2-D, (rows, features), not {table.shape}")
    rows = table.shape[0]
    if padding_idx is not None:
        if not -rows <= padding_idx < rows:
            raise ArgumentError(f"padding_idx {padding_idx} is outside of {rows} embeddings")
        padding_idx %= rows
    tracing.checked(_check_rows, index, rows)
    if max_norm is not None:
        _shorten(table, np.unique(index), max_norm, norm_type)
    counts = None
    if scale_grad_by_freq:
        counts = np.bincount(index.reshape(-1), minlength=rows)[index].astype(table.dtype)
    if index.dtype != np.int64:
        index = index.astype(np.int64)
    return fused.embedding(weight, index, padding_idx, counts)


def _check_rows(index: Any, rows: int) -> None:
    if index.size:
        least, most = int(index.min()), int(index.max())
        if least < 0 or most >= rows:
            wrong = least if least < 0 else most
            raise BoundsError(f"embedding: index {wrong} is outside of a table of {rows} rows")


def _check_classes(index: Any, count: int) -> None:
    least, most = (int(index.min()), int(index.max())) if index.size else (0, -1)
    if least < 0:
        raise ArgumentError(f"one_hot: class values must be non-negative, got {least}")
    if most >= count:
        raise ArgumentError(
            f"one_hot: class values must be smaller than num_classes {count}, got {most}"
        )


def _shorten(table: Any, rows: Any, max_norm: float, norm_type: float) -> None:
    """Scale down, in place, those of the rows that are longer than ``max_norm``."""
    lengths = np.linalg.norm(table[rows], norm_type, axis=1)
    long = lengths > max_norm
    if long.any():
        factor = max_norm / (lengths[long] + 1e-7)
        table[rows[long]] *= factor[:, None].astype(table.dtype)
        stamp_write(table)


def shorten_rows(weight: Tensor, indices: Tensor, max_norm: float, norm_type: float) -> Tensor:
    """Scale down, in place, those rows of a table that are longer than ``max_norm``."""
    table, index = weight.array, indices.array
    if index.dtype.kind not in "iu":
        raise DtypeError(f"embedding_renorm_: the indices must be integers, got {index.dtype}")
    if table.ndim != 2:
        raise ShapeError(f"embedding_renorm_: the table must be 2-D, got shape {table.shape}")
    if weight.requires_grad and is_grad_enabled():
        raise GradientError("embedding_renorm_ has no derivative: call it under no_grad()")
    tracing.checked(_check_rows, index, table.shape[0])
    _shorten(table, np.unique(index), max_norm, norm_type)
    return weight


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """Return int64 zeros with a one in the place of each number: shape (*, num_classes).

    Raises ``ValueError`` for a number that is negative or too large, ``DtypeError`` for an input of
    another dtype.

    Arguments:
        tensor: the numbers: integers (*).
        num_classes: how many classes there are; -1 is the largest number plus one.

    >>> import aino
    >>> aino.nn.functional.one_hot(aino.tensor([0, 2]))
    tensor([[1, 0, 0],
            [0, 0, 1]])
    """
    index = tensor.array
    if index.dtype.kind not in "iu":
        raise DtypeError(f"one_hot takes integers, got {index.dtype}")
    num_classes = whole(num_classes, "one_hot: num_classes")
    if num_classes == -1 and not index.size:
        raise ArgumentError("one_hot: without any number, num_classes has to be given")
    if num_classes == -1:
        index = tracing.data_for_shape(index, "one_hot(x)", "give num_classes")
        num_classes = int(index.max()) + 1
    tracing.checked(_check_classes, index, num_classes)
    return make((index[..., None] == np.arange(num_classes)).astype(np.int64))
