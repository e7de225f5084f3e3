"""Transforms of vectors and matrices."""

from __future__ import annotations

import math
from typing import Any

from aino.autograd.tensor import Size, Tensor
from aino.distributions import constraints
from aino.distributions.transforms.base import Transform
from aino.distributions.utils import tril_matrix_to_vec, vec_to_tril_matrix
from aino.errors import ShapeError
from aino.ops.creation.filled import eye
from aino.ops.creation.ranges import arange
from aino.ops.linalg.matrices import cholesky
from aino.ops.pointwise.activation import softplus
from aino.ops.pointwise.softmax import softmax
from aino.ops.shape.padding import pad
from aino.type_info import finfo


class _Alike(Transform):
    """A transform without parameters: two of a class are the same."""

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    __hash__ = object.__hash__


def _at_least(shape: Any, dimensions: int, what: str) -> None:
    if len(shape) < dimensions:
        raise ShapeError(f"{what} has {dimensions} dimensions or more, got the shape {Size(shape)}")


class SoftmaxTransform(_Alike):
    """y = softmax x, from any vector to a simplex; one inverse of many is ln y.

    It has no determinant: ``StickBreakingTransform`` has.
    """

    domain = constraints.real_vector
    codomain = constraints.simplex

    def _call(self, x: Tensor) -> Tensor:
        return softmax(x, -1)

    def _inverse(self, y: Tensor) -> Tensor:
        return y.log()

    def forward_shape(self, shape: Any) -> Size:
        _at_least(shape, 1, "x")
        return Size(shape)

    def inverse_shape(self, shape: Any) -> Size:
        _at_least(shape, 1, "y")
        return Size(shape)


class StickBreakingTransform(_Alike):
    """From a vector of K - 1 numbers to a simplex of K: each breaks a share off what is left.

    The share is the sigmoid of x less the logarithm of how many pieces follow, so that x = 0
    makes all equal.

    Source: the Stan reference manual, "Unit simplex".
    """

    domain = constraints.real_vector
    codomain = constraints.simplex
    bijective = True

    def _offset(self, count: int, like: Tensor) -> Tensor:
        return arange(count, 0, -1, dtype=like.dtype).log()

    def _call(self, x: Tensor) -> Tensor:
        share = (x - self._offset(x.shape[-1], x)).sigmoid()
        left = (1 - share).cumprod(-1)
        return pad(share, (0, 1), value=1.0) * pad(left, (1, 0), value=1.0)

    def _inverse(self, y: Tensor) -> Tensor:
        front = y[..., :-1]
        left = (1 - front.cumsum(-1)).clamp(min=finfo(y.dtype).tiny)
        return front.log() - left.log() + self._offset(front.shape[-1], y)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        # A share's slope is share (1 - share), times what was left; share times that is y.
        moved = x - self._offset(x.shape[-1], x)
        return (-softplus(moved) + y[..., :-1].log()).sum(-1)

    def forward_shape(self, shape: Any) -> Size:
        _at_least(shape, 1, "x")
        return Size((*shape[:-1], shape[-1] + 1))

    def inverse_shape(self, shape: Any) -> Size:
        _at_least(shape, 1, "y")
        return Size((*shape[:-1], shape[-1] - 1))


class CorrCholeskyTransform(_Alike):
    """From a vector of n (n - 1) / 2 numbers to the Cholesky factor of a correlation matrix.

    Their hyperbolic tangents are the partial correlations, row by row below the diagonal; each
    row of the factor has length 1.

    Source: Lewandowski, Kurowicka and Joe, "Generating random correlation matrices based on vines
    and extended onion method" (2009).
    """

    domain = constraints.real_vector
    codomain = constraints.corr_cholesky
    bijective = True

    def _call(self, x: Tensor) -> Tensor:
        limits = finfo(x.dtype)
        partial = vec_to_tril_matrix(x.tanh().clamp(-1 + limits.eps, 1 - limits.eps), diag=-1)
        left = (1 - partial.square()).sqrt().cumprod(-1)
        one = eye(partial.shape[-1], dtype=x.dtype)
        return (partial + one) * pad(left[..., :-1], (1, 0), value=1.0)

    def _inverse(self, y: Tensor) -> Tensor:
        left = 1 - y.square().cumsum(-1)
        below = tril_matrix_to_vec(y, diag=-1)
        length = tril_matrix_to_vec(pad(left[..., :-1], (1, 0), value=1.0), diag=-1).sqrt()
        partial = below / length
        return 0.5 * (partial.log1p() - (-partial).log1p())

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor, intermediates: Any = None) -> Tensor:
        """Return ``ln |det ∂y/∂x|`` of the elements below the diagonal.

        Arguments:
            x: the argument.
            y: the transform's value there.
            intermediates: has no effect: nothing is kept between calls.
        """
        # Of each element: sech² x, times the length that its row has left where it stands.
        left = 1 - y.square().cumsum(-1)
        length = tril_matrix_to_vec(left, diag=-2)
        slope = -2 * (x + softplus(-2 * x) - math.log(2)).sum(-1)
        return slope + 0.5 * length.log().sum(-1)

    def forward_shape(self, shape: Any) -> Size:
        _at_least(shape, 1, "x")
        count = shape[-1]
        n = round((0.25 + 2 * count) ** 0.5 + 0.5)
        if n * (n - 1) // 2 != count:
            raise ShapeError(f"{count} elements are no triangle below a diagonal")
        return Size((*shape[:-1], n, n))

    def inverse_shape(self, shape: Any) -> Size:
        _at_least(shape, 2, "y")
        n = shape[-1]
        if shape[-2] != n:
            raise ShapeError(f"y must be square, got {Size(shape)}")
        return Size((*shape[:-2], n * (n - 1) // 2))


class LowerCholeskyTransform(_Alike):
    """From any matrix to a lower triangle with a positive diagonal, which is exponentiated."""

    domain = constraints.independent(constraints.real, 2)
    codomain = constraints.lower_cholesky

    def _call(self, x: Tensor) -> Tensor:
        return x.tril(-1) + x.diagonal(dim1=-2, dim2=-1).exp().diag_embed()

    def _inverse(self, y: Tensor) -> Tensor:
        return y.tril(-1) + y.diagonal(dim1=-2, dim2=-1).log().diag_embed()


class PositiveDefiniteTransform(_Alike):
    """From any matrix to a positive definite one: L Lᵀ, the L of ``LowerCholeskyTransform``."""

    domain = constraints.independent(constraints.real, 2)
    codomain = constraints.positive_definite

    def _call(self, x: Tensor) -> Tensor:
        lower = LowerCholeskyTransform()(x)
        return lower @ lower.mT

    def _inverse(self, y: Tensor) -> Tensor:
        return LowerCholeskyTransform().inv(cholesky(y))
