"""Tensors joined, and cut apart."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from aino.autograd.rules import index as index_rules
from aino.autograd.rules import join as rules
from aino.autograd.rules import shape as shape_rules
from aino.autograd.tensor import Tensor
from aino.errors import BoundsError, DtypeError, ShapeError
from aino.ops.arguments import dim_of, ints_of, numpy_names, other_names
from aino.ops.public import method, takes_out
from aino.ops.shape.broadcasting import atleast_1d, atleast_2d, atleast_3d

__all__ = [
    "cat", "concat", "concatenate", "stack",
    "hstack", "vstack", "row_stack", "dstack", "column_stack",
    "split", "split_with_sizes", "chunk", "tensor_split", "hsplit", "vsplit", "dsplit", "unbind",
]  # fmt: skip


def _some(tensors, name: str) -> list:
    if isinstance(tensors, Tensor):
        raise DtypeError(f"{name} takes a list of tensors, {name}([a, b]), not a tensor")
    tensors = list(tensors)
    if not tensors:
        raise ShapeError(f"{name}: at least one tensor is needed")
    return tensors


@numpy_names
@takes_out
def cat(tensors: Any, dim: Any = 0, *, out: Tensor | None = None) -> Tensor:
    """Return tensors joined end to end along a dimension.

    Raises ``ShapeError`` where the other lengths differ; one of shape ``(0,)`` fits all.

    Arguments:
        tensors: a list of tensors, one or more; their dtypes promote.
        dim: the dimension.

    >>> import aino
    >>> aino.cat([aino.tensor([1, 2]), aino.tensor([3])])
    tensor([1, 2, 3])
    """
    tensors = _some(tensors, "cat")
    shapes = [x.array.shape for x in tensors]
    shape = next((shape for shape in shapes if shape != (0,)), (0,))
    if not shape:
        raise ShapeError("cat: a 0-d tensor can't be joined; use stack")
    dim = dim_of(dim, len(shape))
    if (0,) in shapes:
        # A tensor of shape (0,) joins anything, as in PyTorch.
        nothing = (*shape[:dim], 0, *shape[dim + 1 :])
        tensors = [x.reshape(nothing) if x.array.shape == (0,) else x for x in tensors]
    return rules.cat(tensors, dim)


@numpy_names
@takes_out
def concat(tensors: Any, dim: Any = 0, *, out: Tensor | None = None) -> Tensor:
    """Return tensors joined end to end along a dimension: another name for ``cat``.

    Arguments:
        tensors: a list of tensors, one or more.
        dim: the dimension.

    >>> import aino
    >>> aino.concat([aino.tensor([1, 2]), aino.tensor([3])])
    tensor([1, 2, 3])
    """
    return cat(tensors, dim)


@numpy_names
@takes_out
def concatenate(tensors: Any, dim: Any = 0, *, out: Tensor | None = None) -> Tensor:
    """Return tensors joined end to end along a dimension: NumPy's name for ``cat``.

    Arguments:
        tensors: a list of tensors, one or more.
        dim: the dimension.

    >>> import aino
    >>> aino.concatenate([aino.tensor([1, 2]), aino.tensor([3])])
    tensor([1, 2, 3])
    """
    return cat(tensors, dim)


@numpy_names
@takes_out
def stack(tensors: Any, dim: Any = 0, *, out: Tensor | None = None) -> Tensor:
    """Return tensors of one shape side by side on a new dimension.

    Raises ``ShapeError`` where their shapes differ.

    Arguments:
        tensors: a list of tensors, one or more; their dtypes promote.
        dim: which dimension of the result is the new one.

    >>> import aino
    >>> aino.stack([aino.tensor([1, 2]), aino.tensor([3, 4])], dim=1)
    tensor([[1, 3],
            [2, 4]])
    """
    tensors = _some(tensors, "stack")
    return rules.stack(tensors, dim_of(dim, tensors[0].array.ndim + 1))


@takes_out
def hstack(tensors: Any, *, out: Tensor | None = None) -> Tensor:
    """Return tensors side by side: vectors end to end, others along the second dimension.

    >>> import aino
    >>> aino.hstack([aino.tensor([1]), aino.tensor([2, 3])])
    tensor([1, 2, 3])
    """
    tensors = atleast_1d(_some(tensors, "hstack"))
    return cat(tensors, 0 if tensors[0].array.ndim == 1 else 1)


@takes_out
def vstack(tensors: Any, *, out: Tensor | None = None) -> Tensor:
    """Return tensors one above the other, vectors as rows.

    >>> import aino
    >>> aino.vstack([aino.tensor([1, 2]), aino.tensor([3, 4])])
    tensor([[1, 2],
            [3, 4]])
    """
    return cat(atleast_2d(_some(tensors, "vstack")), 0)


@takes_out
def row_stack(tensors: Any, *, out: Tensor | None = None) -> Tensor:
    """Return tensors one above the other: another name for ``vstack``.

    >>> import aino
    >>> aino.row_stack([aino.tensor([1, 2]), aino.tensor([3, 4])])
    tensor([[1, 2],
            [3, 4]])
    """
    return vstack(tensors)


@takes_out
def dstack(tensors: Any, *, out: Tensor | None = None) -> Tensor:
    """Return tensors joined along the third dimension.

    >>> import aino
    >>> aino.dstack([aino.tensor([1, 2]), aino.tensor([3, 4])]).shape
    aino.Size([1, 2, 2])
    """
    return cat(atleast_3d(_some(tensors, "dstack")), 2)


@takes_out
def column_stack(tensors: Any, *, out: Tensor | None = None) -> Tensor:
    """Return tensors side by side, vectors as columns.

    >>> import aino
    >>> aino.column_stack([aino.tensor([1, 2]), aino.tensor([3, 4])])
    tensor([[1, 3],
            [2, 4]])
    """
    columns = [
        shape_rules.reshape(x, (x.array.size, 1)) if x.array.ndim < 2 else x
        for x in _some(tensors, "column_stack")
    ]
    return cat(columns, 1)


# Cut apart, into views

#: How PyTorch names the argument of the functions below where it is a number, and where it is not.
_SECTIONS = {"sections": "indices_or_sections", "indices": "indices_or_sections"}


def _pieces(input, dim, bounds):
    lead = (slice(None),) * dim
    parts = [slice(start, end) for start, end in pairwise(bounds)]
    return tuple([index_rules.getitem(input, (*lead, part)) for part in parts])


def _length(input, dim, name) -> int:
    if not input.array.ndim:
        raise BoundsError(f"{name}: a 0-d tensor can't be split")
    return input.array.shape[dim]


@method
@numpy_names
@other_names(split_size="split_size_or_sections")
def split(tensor: Tensor, split_size_or_sections: Any, dim: Any = 0) -> tuple[Tensor, ...]:
    """Return views of pieces along a dimension, the last of which may be smaller.

    Raises ``ShapeError`` for a size that is not positive, and for sizes that don't add up.

    Arguments:
        tensor: a tensor.
        split_size_or_sections: the length of the pieces, or a list of lengths, which add up.
        dim: the dimension.

    >>> import aino
    >>> aino.split(aino.tensor([1, 2, 3]), 2)
    (tensor([1, 2]), tensor([3]))
    """
    if not hasattr(split_size_or_sections, "__index__"):
        return split_with_sizes(tensor, split_size_or_sections, dim)
    dim = dim_of(dim, tensor.array.ndim)
    size, length = int(split_size_or_sections), _length(tensor, dim, "split")
    if size < 0 or (size == 0 and length):
        raise ShapeError(f"split: the size of the pieces must be positive, got {size}")
    bounds = [*range(0, length, size or 1), length]
    return _pieces(tensor, dim, bounds if length else [0, 0])


@method
@numpy_names
def split_with_sizes(input: Tensor, split_sizes: Any, dim: Any = 0) -> tuple[Tensor, ...]:
    """Return views of pieces of given lengths along a dimension.

    Raises ``ShapeError`` where the lengths don't add up.

    Arguments:
        input: a tensor.
        split_sizes: a list of lengths, which add up to that of ``dim``.
        dim: the dimension.

    >>> import aino
    >>> aino.split_with_sizes(aino.tensor([1, 2, 3]), [1, 2])
    (tensor([1]), tensor([2, 3]))
    """
    dim, sizes = dim_of(dim, input.array.ndim), ints_of((split_sizes,))
    length = _length(input, dim, "split")
    if sum(sizes) != length or min(sizes, default=0) < 0:
        raise ShapeError(
            f"split: the sizes must add up to the length {length} of dim {dim}, got {sizes}"
        )
    bounds = [0]
    for size in sizes:
        bounds.append(bounds[-1] + size)
    return _pieces(input, dim, bounds)


@method
@numpy_names
def chunk(input: Tensor, chunks: int, dim: Any = 0) -> tuple[Tensor, ...]:
    """Return views of pieces of equal length along a dimension, the last of which may be smaller.

    Raises ``ShapeError`` unless the number is positive.

    Arguments:
        input: a tensor.
        chunks: how many pieces at most; there are fewer where fewer do.
        dim: the dimension.

    >>> import aino
    >>> aino.chunk(aino.tensor([1, 2, 3, 4, 5]), 2)
    (tensor([1, 2, 3]), tensor([4, 5]))
    """
    dim = dim_of(dim, input.array.ndim)
    if chunks <= 0:
        raise ShapeError(f"chunk: the number of chunks must be positive, got {chunks}")
    length = _length(input, dim, "chunk")
    if not length:
        return _pieces(input, dim, [0] * (chunks + 1))
    return split(input, -(-length // chunks), dim)


@method
@numpy_names
@other_names(**_SECTIONS, tensor_indices_or_sections="indices_or_sections")
def tensor_split(input: Tensor, indices_or_sections: Any, dim: Any = 0) -> tuple[Tensor, ...]:
    """Return views of pieces along a dimension: so many, or cut at given places.

    Raises ``ShapeError`` unless the number is positive.

    Arguments:
        input: a tensor.
        indices_or_sections: how many pieces, the first of which may be one longer than the last; or
            the indices at which to cut, a list or a tensor.
        dim: the dimension.

    >>> import aino
    >>> aino.tensor_split(aino.tensor([1, 2, 3, 4]), 3)
    (tensor([1, 2]), tensor([3]), tensor([4]))
    """
    dim = dim_of(dim, input.array.ndim)
    length = _length(input, dim, "tensor_split")
    if isinstance(indices_or_sections, Tensor):
        indices_or_sections = indices_or_sections.tolist()
    if hasattr(indices_or_sections, "__index__"):
        sections = int(indices_or_sections)
        if sections <= 0:
            raise ShapeError(f"tensor_split: the number must be positive, got {sections}")
        size, larger = divmod(length, sections)
        bounds = [i * size + min(i, larger) for i in range(sections + 1)]
        return _pieces(input, dim, bounds)
    cuts = [slice(cut).indices(length)[1] for cut in ints_of((indices_or_sections,))]
    return _pieces(input, dim, [0, *cuts, length])


def _split_along(input, indices_or_sections, dim, name):
    if hasattr(indices_or_sections, "__index__"):
        length = input.array.shape[dim]
        if int(indices_or_sections) <= 0 or length % int(indices_or_sections):
            raise ShapeError(
                f"{name}: dim {dim} of length {length} can't be cut into "
                f"{int(indices_or_sections)} equal pieces"
            )
    return tensor_split(input, indices_or_sections, dim)


@method
@other_names(**_SECTIONS)
def hsplit(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """Return views of pieces along the second dimension, of a vector along its only one.

    Raises ``ShapeError`` where the pieces would not be equal.

    Arguments:
        input: a tensor.
        indices_or_sections: how many pieces, or the indices at which to cut.

    >>> import aino
    >>> aino.hsplit(aino.tensor([1, 2]), 2)
    (tensor([1]), tensor([2]))
    """
    _length(input, 0, "hsplit")
    return _split_along(input, indices_or_sections, min(input.array.ndim - 1, 1), "hsplit")


@method
@other_names(**_SECTIONS)
def vsplit(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """Return views of pieces along the first of at least two dimensions.

    Raises ``ShapeError`` where the pieces would not be equal.

    Arguments:
        input: a tensor.
        indices_or_sections: how many pieces, or the indices at which to cut.

    >>> import aino
    >>> aino.vsplit(aino.tensor([[1], [2]]), 2)
    (tensor([[1]]), tensor([[2]]))
    """
    if input.array.ndim < 2:
        raise ShapeError(f"vsplit: at least two dimensions, got shape {input.array.shape}")
    return _split_along(input, indices_or_sections, 0, "vsplit")


@method
@other_names(**_SECTIONS)
def dsplit(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """Return views of pieces along the third dimension.

    Raises ``ShapeError`` where the pieces would not be equal.

    Arguments:
        input: a tensor.
        indices_or_sections: how many pieces, or the indices at which to cut.

    >>> import aino
    >>> [part.shape for part in aino.dsplit(aino.zeros(1, 1, 2), 2)]
    [aino.Size([1, 1, 1]), aino.Size([1, 1, 1])]
    """
    if input.array.ndim < 3:
        raise ShapeError(f"dsplit: at least three dimensions, got shape {input.array.shape}")
    return _split_along(input, indices_or_sections, 2, "dsplit")


@method
@numpy_names
def unbind(input: Tensor, dim: Any = 0) -> tuple[Tensor, ...]:
    """Return the slices along a dimension as views without it.

    Arguments:
        input: a tensor.
        dim: the dimension.

    >>> import aino
    >>> aino.unbind(aino.tensor([[1, 2], [3, 4]]))
    (tensor([1, 2]), tensor([3, 4]))
    """
    dim = dim_of(dim, input.array.ndim)
    lead = (slice(None),) * dim
    length = _length(input, dim, "unbind")
    return tuple([index_rules.getitem(input, (*lead, i, ...)) for i in range(length)])
