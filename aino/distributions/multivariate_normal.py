"""The multivariate normal distribution."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from aino.autograd.tensor import Size, Tensor
from aino.distributions import constraints
from aino.distributions.distribution import Distribution
from aino.distributions.sampling import standard_normal
from aino.distributions.utils import either, lazy_property
from aino.errors import ShapeError
from aino.ops.creation.filled import eye
from aino.ops.linalg.matrices import cholesky
from aino.ops.linalg.triangular import cholesky_inverse, solve_triangular
from aino.ops.shape.arranging import flip
from aino.ops.shape.broadcasting import broadcast_shapes

__all__ = ["MultivariateNormal"]


def at_least(name: str, value: Any, dimensions: int) -> None:
    """Raise ``ShapeError`` for a parameter that is no vector, or no matrix."""
    if not isinstance(value, Tensor) or value.dim() < dimensions:
        kind = "one dimension" if dimensions == 1 else "two dimensions"
        raise ShapeError(f"{name} must be a tensor of {kind} or more, got {value!r}")


def inverse_of_lower(lower: Tensor) -> Tensor:
    """Return the inverse of lower triangular matrices."""
    return solve_triangular(lower, eye(lower.shape[-1], dtype=lower.dtype), upper=False)


def times(matrix: Tensor, vector: Tensor) -> Tensor:
    """Return matrices times vectors, which are broadcast; one matrix times all vectors at once."""
    if matrix.dim() == 2:
        return vector @ matrix.mT
    return (matrix @ vector.unsqueeze(-1)).squeeze(-1)


def factor_of_precision(precision: Tensor) -> Tensor:
    """Return the lower triangle L of which ``L Lᵀ`` is the inverse of the precision matrix.

    With rows and columns in reverse order, a Cholesky factor is upper triangular: P = U Uᵀ, so
    that the inverse is U⁻ᵀ U⁻¹.
    """
    upper = flip(cholesky(flip(precision, -2, -1)), -2, -1)
    return inverse_of_lower(upper.mT)


#: How the Cholesky factor of the covariance matrix is made of each matrix that may be given.
FACTOR_OF: dict[str, Callable[[Tensor], Tensor]] = {
    "scale_tril": lambda lower: lower,
    "covariance_matrix": cholesky,
    "precision_matrix": factor_of_precision,
}


def log_diagonal(lower: Tensor) -> Tensor:
    """Return the sum of the logarithms of the diagonal: half the logarithm of ``det L Lᵀ``."""
    return lower.diagonal(dim1=-2, dim2=-1).log().sum(-1)


class Factored:
    """What the distributions share whose scale is a positive definite matrix."""

    _unbroadcasted_scale_tril: Tensor
    _batch_shape: Size

    def _whole(self, matrix: Tensor) -> Tensor:
        return matrix.expand((*self._batch_shape, *matrix.shape[-2:]))

    @lazy_property
    def scale_tril(self) -> Tensor:
        """The lower triangle L of which the covariance matrix is L Lᵀ."""
        return self._whole(self._unbroadcasted_scale_tril)

    @lazy_property
    def covariance_matrix(self) -> Tensor:
        """The covariance matrix."""
        lower = self._unbroadcasted_scale_tril
        return self._whole(lower @ lower.mT)

    @lazy_property
    def precision_matrix(self) -> Tensor:
        """The inverse of the covariance matrix."""
        return self._whole(cholesky_inverse(self._unbroadcasted_scale_tril))


class MultivariateNormal(Factored, Distribution):
    """The normal distribution of a vector, given by its mean and one of three matrices.

    ``ln p(x) = -½ (x - loc)ᵀ Σ⁻¹ (x - loc) - ½ ln det 2π Σ``

    Arguments:
        loc: the mean, over the last dimension.
        covariance_matrix: Σ, positive definite.
        precision_matrix: its inverse.
        scale_tril: its Cholesky factor, a lower triangle with a positive diagonal.
        validate_args: whether parameters and values are checked; None for the default.

    >>> import aino
    >>> normal = aino.distributions.MultivariateNormal(aino.zeros(2), aino.eye(2))
    >>> normal.log_prob(aino.tensor([0.0, 1.0]))
    tensor(-2.3379)
    """

    arg_constraints = {
        "loc": constraints.real_vector,
        "covariance_matrix": constraints.positive_definite,
        "precision_matrix": constraints.positive_definite,
        "scale_tril": constraints.lower_cholesky,
    }
    support = constraints.real_vector
    has_rsample = True

    def __init__(
        self,
        loc: Any,
        covariance_matrix: Any = None,
        precision_matrix: Any = None,
        scale_tril: Any = None,
        validate_args: bool | None = None,
    ) -> None:
        at_least("loc", loc, 1)
        given = {
            "covariance_matrix": covariance_matrix,
            "precision_matrix": precision_matrix,
            "scale_tril": scale_tril,
        }
        name = either(**given)
        matrix = given[name]
        at_least(name, matrix, 2)
        batch = broadcast_shapes(matrix.shape[:-2], loc.shape[:-1])
        vars(self)[name] = matrix.expand((*batch, *matrix.shape[-2:]))
        self.loc = loc.expand((*batch, loc.shape[-1]))
        super().__init__(batch, loc.shape[-1:], validate_args=validate_args)
        self._unbroadcasted_scale_tril = FACTOR_OF[name](matrix)

    def _expand_rest(self, new: Any, batch: Size) -> None:
        new._unbroadcasted_scale_tril = self._unbroadcasted_scale_tril

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        squares = self._unbroadcasted_scale_tril.square().sum(-1)
        return squares.expand((*self._batch_shape, *self._event_shape))

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        noise = standard_normal(self._extended_shape(sample_shape), self.loc.dtype)
        return self.loc + times(self._unbroadcasted_scale_tril, noise)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        lower = self._unbroadcasted_scale_tril
        z = times(inverse_of_lower(lower), value - self.loc)
        size = self._event_shape[0] * math.log(2 * math.pi)
        return -0.5 * (z.square().sum(-1) + size) - log_diagonal(lower)

    def entropy(self) -> Tensor:
        size = self._event_shape[0] * (1 + math.log(2 * math.pi))
        entropy = 0.5 * size + log_diagonal(self._unbroadcasted_scale_tril)
        return entropy.expand(self._batch_shape)
