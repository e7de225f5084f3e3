"""Products of groups of rows, each with a matrix of its own."""

from __future__ import annotations

import enum
from typing import Any

from aino import tracing
from aino.autograd.tensor import Tensor
from aino.errors import ArgumentError, DtypeError, ShapeError
from aino.ops.creation.filled import zeros
from aino.ops.shape.joining import cat, stack


class ScalingType(enum.IntEnum):
    """How PyTorch's ``scaled_mm`` scales its numbers of 8 bits, which NumPy does not have."""

    TensorWise = 0
    RowWise = 1
    BlockWise1x16 = 2
    BlockWise1x32 = 3
    BlockWise1x128 = 4
    BlockWise128x128 = 5


class SwizzleType(enum.IntEnum):
    """How PyTorch's ``scaled_mm`` lays its scales out in memory."""

    NO_SWIZZLE = 0
    SWIZZLE_32_4_4 = 1


def grouped_mm(
    mat_a: Tensor, mat_b: Tensor, *, offs: Tensor | None = None, bias: Tensor | None = None,
    out_dtype: Any = None,
) -> Tensor:  # fmt: skip
    """Return the products of groups: of matrices in stacks, or of stretches between offsets.

    Two stacks (G, M, K) and (G, K, N) give (G, M, N). Rows (M, K) in groups that end at ``offs``,
    with a stack (G, K, N), give (M, N); a stack (G, M, K) with columns (K, N) in groups likewise;
    (M, K) and (K, N), both in groups along K, give (G, M, N). Raises ``ShapeError`` for other
    shapes, ``ValueError`` for offsets where they do not belong.

    Arguments:
        mat_a: the left matrices.
        mat_b: the right ones.
        offs: where each group ends: integers (G,); what is behind the last gives zeros.
        bias: what is added; it is broadcast.
        out_dtype: the dtype of the result; that of the inputs for None.

    >>> import aino
    >>> rows, matrices = aino.ones(3, 2), aino.tensor([[[1.0], [1.0]], [[2.0], [2.0]]])
    >>> aino.nn.functional.grouped_mm(rows, matrices, offs=aino.tensor([1, 3]))
    tensor([[2.],
            [4.],
            [4.]])
    """
    ranks = mat_a.ndim, mat_b.ndim
    if not {*ranks} <= {2, 3}:
        raise ShapeError(f"grouped_mm takes tensors of 2 or 3 dimensions, got {ranks}")
    if mat_a.shape[-1] != mat_b.shape[-2]:
        raise ShapeError(
            f"grouped_mm: the inner lengths of {tuple(mat_a.shape)} and {tuple(mat_b.shape)} differ"
        )
    if (offs is None) != (ranks == (3, 3)):
        raise ArgumentError("grouped_mm: offs is given where a tensor has 2 dimensions, else not")
    if offs is None:
        y = mat_a @ mat_b
    else:
        y = _between(mat_a, mat_b, _ends(offs))
    if bias is not None:
        y = y + bias
    return y if out_dtype is None else y.to(out_dtype)


def _ends(offs: Any) -> list[int]:
    if offs.ndim != 1 or offs.array.dtype.kind not in "iu":
        raise DtypeError(f"grouped_mm: offs are integers (G,), not {offs.dtype} of {offs.shape}")
    return tracing.data_for_shape(offs.array, "grouped_mm", "give stacks of matrices").tolist()


def _between(a, b, ends):
    groups = list(zip([0, *ends], ends))
    if any([start > end for start, end in groups]):
        raise ArgumentError(f"grouped_mm: the ends of groups may not fall, got {ends}")
    stacks = [x for x in (a, b) if x.ndim == 3]
    if stacks and stacks[0].shape[0] != len(ends):
        raise ShapeError(f"grouped_mm: {stacks[0].shape[0]} matrices for {len(ends)} groups")
    if a.ndim == b.ndim:
        _check_last(ends, a.shape[1])
        return stack([a[:, low:high] @ b[low:high] for low, high in groups])
    if a.ndim == 2:
        _check_last(ends, a.shape[0])
        parts = [a[low:high] @ b[i] for i, (low, high) in enumerate(groups)]
        rest = a.shape[0] - ends[-1], b.shape[2]
    else:
        _check_last(ends, b.shape[1])
        parts = [a[i] @ b[:, low:high] for i, (low, high) in enumerate(groups)]
        rest = a.shape[1], b.shape[1] - ends[-1]
    if 0 not in rest:  # what is in no group
        parts.append(zeros(rest, dtype=parts[0].dtype))
    return cat(parts, 0 if a.ndim == 2 else 1)


def _check_last(ends, length) -> None:
    if not ends or ends[-1] > length:
        raise ArgumentError(
            f"grouped_mm: groups end by {length}, and there is at least one: {ends}"
        )


def scaled_mm(
    mat_a: Tensor, mat_b: Tensor, scale_a: Any, scale_recipe_a: Any, scale_b: Any,
    scale_recipe_b: Any, swizzle_a: Any = None, swizzle_b: Any = None, bias: Tensor | None = None,
    output_dtype: Any = None, contraction_dim: Any = (), use_fast_accum: bool = False,
) -> Tensor:  # fmt: skip
    """Raise ``DtypeError``: it multiplies numbers of 8 or 4 bits, which NumPy does not have.

    Arguments:
        mat_a, mat_b, scale_a, scale_recipe_a, scale_b, scale_recipe_b: as PyTorch's; not read.
        swizzle_a, swizzle_b, bias, output_dtype, contraction_dim, use_fast_accum: not read.
    """
    raise DtypeError(
        "scaled_mm multiplies matrices of float8 or float4, which NumPy does not have; multiply "
        "the numbers by their scales, and use a @ b"
    )


def scaled_grouped_mm(
    mat_a: Tensor, mat_b: Tensor, scale_a: Any, scale_recipe_a: Any, scale_b: Any,
    scale_recipe_b: Any, swizzle_a: Any = None, swizzle_b: Any = None, bias: Tensor | None = None,
    offs: Tensor | None = None, output_dtype: Any = None, contraction_dim: Any = (),
    use_fast_accum: bool = False,
) -> Tensor:  # fmt: skip
    """Raise ``DtypeError``: it multiplies numbers of 8 or 4 bits, which NumPy does not have.

    Arguments:
        mat_a, mat_b, scale_a, scale_recipe_a, scale_b, scale_recipe_b: as PyTorch's; not read.
        swizzle_a, swizzle_b, bias, offs, output_dtype, contraction_dim, use_fast_accum: not read.
    """
    raise DtypeError(
        "scaled_grouped_mm multiplies matrices of float8 or float4, which NumPy does not have; "
        "multiply the numbers by their scales, and use grouped_mm"
    )
