"""Integrals by trapezoids, and slopes by differences, of what is known at points."""

from __future__ import annotations

from typing import Any

from aino.autograd.rules import index as index_rules
from aino.autograd.rules import join as join_rules
from aino.autograd.rules import shape as shape_rules
from aino.autograd.tensor import Tensor
from aino.errors import ArgumentError, BoundsError, DtypeError, ShapeError
from aino.ops.arguments import dim_of, dims_of
from aino.ops.reduce import reduction, scanning

__all__ = ["trapezoid", "trapz", "cumulative_trapezoid", "gradient"]


def _part(x, dim, start, stop):
    """Return the elements from start to stop along a dimension."""
    return index_rules.getitem(x, (slice(None),) * dim + (slice(start, stop),))


def _heights(name, y, x, dx, dim):
    """Return dim, the sums of neighbours along it, and the widths between them."""
    if x is not None and dx is not None:
        raise TypeError(f"{name}: give the points x or their distance dx, not both")
    for argument, given in (("y", y), ("x", x)):
        if given is not None and given.array.dtype.kind == "b":
            raise DtypeError(f"{name}: {argument} is of booleans; cast it to numbers")
    if not y.array.ndim:
        raise BoundsError(f"{name}: a 0-d tensor has no dimension to integrate over")
    dim = dim_of(dim, y.array.ndim)
    length = y.array.shape[dim]
    if x is None:
        width: Any = 1 if dx is None else dx
    else:
        own = x.array.shape
        if len(own) == 1:
            if own[0] != length:
                raise ShapeError(f"{name}: {own[0]} points x for {length} values along dim {dim}")
            own = (1,) * dim + own + (1,) * (y.array.ndim - 1 - dim)
        elif len(own) < y.array.ndim:
            own = (1,) * (y.array.ndim - len(own)) + own
        if len(own) != y.array.ndim or own[dim] != length:
            raise ShapeError(
                f"{name}: points x of shape {x.array.shape} for values y of {y.array.shape} along "
                f"dim {dim}"
            )
        x = shape_rules.reshape(x, own)
        width = _part(x, dim, 1, None) - _part(x, dim, None, -1)
    return dim, _part(y, dim, 1, None) + _part(y, dim, None, -1), width


def trapezoid(y: Tensor, x: Tensor | None = None, *, dx: Any = None, dim: Any = -1) -> Tensor:
    """Return the integral along ``dim`` by the trapezoidal rule: ``Σ (yᵢ + yᵢ₊₁) · Δxᵢ / 2``.

    Raises ``ShapeError`` where there is not one point for each value.

    Arguments:
        y: the values, not booleans.
        x: the points that they are taken at, 1-D or of the shape of y; None for even ones.
        dx: the distance of even points, a number; 1 for None.
        dim: the dimension along which they stand.

    >>> import aino
    >>> aino.trapezoid(aino.tensor([1.0, 2.0, 3.0]), aino.tensor([0.0, 1.0, 3.0]))
    tensor(6.5000)
    """
    dim, heights, width = _heights("trapezoid", y, x, dx, dim)
    return reduction.sum(heights * width, dim) / 2.0


def trapz(y: Tensor, x: Tensor | None = None, *, dx: Any = None, dim: Any = -1) -> Tensor:
    """Return the integral along ``dim``: another name of ``trapezoid``.

    Arguments:
        y, x, dx, dim: as for ``trapezoid``.

    >>> import aino
    >>> aino.trapz(aino.tensor([1.0, 2.0, 3.0]))
    tensor(4.)
    """
    return trapezoid(y, x, dx=dx, dim=dim)


def cumulative_trapezoid(
    y: Tensor, x: Tensor | None = None, *, dx: Any = None, dim: Any = -1
) -> Tensor:
    """Return the integrals from the first point to each other one, by the trapezoidal rule.

    Arguments:
        y, x, dx, dim: as for ``trapezoid``.

    >>> import aino
    >>> aino.cumulative_trapezoid(aino.tensor([1.0, 2.0, 3.0]))
    tensor([1.5000, 4.0000])
    """
    dim, heights, width = _heights("cumulative_trapezoid", y, x, dx, dim)
    return scanning.cumsum(heights * width / 2.0, dim)


def gradient(
    input: Tensor, *, spacing: Any = 1, dim: Any = None, edge_order: int = 1
) -> tuple[Tensor, ...]:
    """Return the slopes of a function that is known on a grid, along each dimension of ``dim``.

    Inside they are those of the parabola through a point and its neighbours, at the two ends of
    a line through two points or a parabola through three. Raises ``ShapeError`` where there are
    too few points or another number of spacings than dimensions.

    Arguments:
        input: the values of the function.
        spacing: the distance of the points: a number for all dimensions, or a sequence of one
            number or 1-D tensor of coordinates for each.
        dim: the dimensions, a number or several; all for None.
        edge_order: 1 for lines at the ends, 2 for parabolas.

    >>> import aino
    >>> aino.gradient(aino.tensor([1.0, 4.0, 9.0, 16.0]))
    (tensor([3., 4., 6., 7.]),)
    """
    array = input.array
    if array.dtype.kind == "b":
        raise DtypeError("gradient: booleans have no slopes; cast them to numbers")
    if edge_order not in (1, 2):
        raise ArgumentError(f"gradient: edge_order is 1 or 2, not {edge_order!r}")
    if dim is None:
        dims: tuple[int, ...] = tuple(range(array.ndim))
    else:
        dims = dims_of((dim,) if hasattr(dim, "__index__") else dim, array.ndim)
    if isinstance(spacing, (list, tuple)):
        spacings = list(spacing)
        if len(spacings) != len(dims):
            raise ShapeError(
                f"gradient: spacing is a number or one for each dimension, got {len(spacings)} "
                f"for {len(dims)} dimensions"
            )
    elif isinstance(spacing, Tensor) and spacing.array.ndim:
        raise DtypeError("gradient: coordinates are given as a sequence of tensors, one for each "
                         "dimension")  # fmt: skip
    else:
        spacings = [1 if spacing is None else spacing] * len(dims)
    return tuple([_slopes(input, dim, h, edge_order) for dim, h in zip(dims, spacings)])


def _slopes(f, dim, spacing, edge_order):
    length = f.array.shape[dim]
    if length <= edge_order:
        raise ShapeError(
            f"gradient: edge_order {edge_order} needs {edge_order + 1} points along dim {dim}, got "
            f"{length}"
        )
    steps = [_part(f, dim, i, i + length - 1) for i in (0, 1)]
    rises = steps[1] - steps[0]
    if isinstance(spacing, Tensor) and spacing.array.ndim:
        if spacing.array.shape != (length,):
            raise ShapeError(
                f"gradient: coordinates of shape {spacing.array.shape} for {length} points"
            )
        wide = (1,) * dim + (length - 1,) + (1,) * (f.array.ndim - 1 - dim)
        gaps: Any = shape_rules.reshape(_part(spacing, 0, 1, None) - _part(spacing, 0, 0, -1), wide)
        slopes = rises / gaps
        before, after = _part(gaps, dim, None, -1), _part(gaps, dim, 1, None)
    else:
        slopes = rises / spacing
        before = after = 1.0
    # Between its neighbours' slopes, each weighted by how near it is.
    total = before + after
    inner = (
        _part(slopes, dim, None, -1) * (after / total)
        + _part(slopes, dim, 1, None) * (before / total)
    )  # fmt: skip
    ends = [_part(slopes, dim, None, 1), _part(slopes, dim, length - 2, None)]
    if edge_order == 2:
        ends = [_at_the_end(slopes, before, total, dim, first=True),
                _at_the_end(slopes, after, total, dim, first=False)]  # fmt: skip
    return join_rules.cat([ends[0], inner, ends[1]], dim)


def _at_the_end(slopes, gap, total, dim, first):
    """Return the slope, at an end, of the parabola through its last three points."""
    start = 0 if first else slopes.array.shape[dim] - 2
    near, far = (start, start + 1) if first else (start + 1, start)
    outer = _part(slopes, dim, near, near + 1)
    if isinstance(total, Tensor):
        share = _part(gap / total, dim, 0, 1) if first else _part(gap / total, dim, -1, None)
    else:
        share = gap / total
    return outer + (outer - _part(slopes, dim, far, far + 1)) * share
