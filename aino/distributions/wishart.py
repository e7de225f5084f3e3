"""The Wishart distribution."""

from __future__ import annotations

import math
import numbers
from typing import Any

from aino.autograd.tensor import Size, Tensor
from aino.distributions import constraints
from aino.distributions.distribution import demand
from aino.distributions.exp_family import ExponentialFamily
from aino.distributions.multivariate_normal import (
    FACTOR_OF,
    Factored,
    at_least,
    inverse_of_lower,
    log_diagonal,
)
from aino.distributions.sampling import log_gamma, standard_normal
from aino.distributions.utils import either
from aino.ops.creation.from_data import tensor
from aino.ops.creation.ranges import arange
from aino.ops.linalg.matrices import cholesky, slogdet
from aino.ops.pointwise.choosing import where
from aino.ops.pointwise.special import mvlgamma
from aino.ops.shape.broadcasting import broadcast_shapes

__all__ = ["Wishart"]


class Wishart(Factored, ExponentialFamily):
    """The distribution of ``∑ x xᵀ`` over ``df`` normal vectors x of mean 0.

    ``ln p(X) = ½ (df - p - 1) ln det X - ½ tr Σ⁻¹ X - ½ df (p ln 2 + ln det Σ) - ln Γₚ(df / 2)``

    Arguments:
        df: the degrees of freedom, more than p - 1 for p × p matrices.
        covariance_matrix: Σ, the covariance of x.
        precision_matrix: its inverse.
        scale_tril: its Cholesky factor, a lower triangle with a positive diagonal.
        validate_args: whether parameters and values are checked; None for the default.

    >>> import aino
    >>> wishart = aino.distributions.Wishart(aino.tensor(3.0), aino.eye(2))
    >>> wishart.log_prob(aino.eye(2))
    tensor(-3.5310)
    """

    support = constraints.positive_definite
    has_rsample = True
    _mean_carrier_measure = 0

    def __init__(
        self,
        df: Any,
        covariance_matrix: Any = None,
        precision_matrix: Any = None,
        scale_tril: Any = None,
        validate_args: bool | None = None,
    ) -> None:
        given = {
            "covariance_matrix": covariance_matrix,
            "precision_matrix": precision_matrix,
            "scale_tril": scale_tril,
        }
        name = either(**given)
        matrix = given[name]
        at_least(name, matrix, 2)
        if isinstance(df, numbers.Number):
            df = tensor(df, dtype=matrix.dtype)
        batch = broadcast_shapes(matrix.shape[:-2], df.shape)
        vars(self)[name] = matrix.expand((*batch, *matrix.shape[-2:]))
        self.df = df.expand(batch)
        self._event_shape = Size(matrix.shape[-2:])
        size = matrix.shape[-1]
        told = f"Wishart: df must be more than {size - 1} for matrices of {size} rows, got:"
        demand(df > size - 1, df, lambda _: told)
        super().__init__(batch, matrix.shape[-2:], validate_args=validate_args)
        self._unbroadcasted_scale_tril = FACTOR_OF[name](matrix)

    @property
    def arg_constraints(self) -> dict[str, Any]:
        return {
            "covariance_matrix": constraints.positive_definite,
            "precision_matrix": constraints.positive_definite,
            "scale_tril": constraints.lower_cholesky,
            "df": constraints.greater_than(self._event_shape[0] - 1),
        }

    def _expand_rest(self, new: Any, batch: Size) -> None:
        new._unbroadcasted_scale_tril = self._unbroadcasted_scale_tril

    def _df(self) -> Tensor:
        """The degrees of freedom, to be multiplied with matrices."""
        return self.df.reshape((*self._batch_shape, 1, 1))

    @property
    def mean(self) -> Tensor:
        return self._df() * self.covariance_matrix

    @property
    def mode(self) -> Tensor:
        """The mode; nan where the degrees of freedom are not more than p + 1."""
        factor = self._df() - self._event_shape[0] - 1
        return where(factor > 0, factor, math.nan) * self.covariance_matrix

    @property
    def variance(self) -> Tensor:
        v = self.covariance_matrix
        diagonal = v.diagonal(dim1=-2, dim2=-1)
        return self._df() * (v.square() + diagonal.unsqueeze(-1) * diagonal.unsqueeze(-2))

    def rsample(self, sample_shape: Any = (), max_try_correction: int | None = None) -> Tensor:
        """Return samples through which gradients reach the parameters, by Bartlett's decomposition.

        Arguments:
            sample_shape: the shape of the sample.
            max_try_correction: has no effect: the diagonal of the factor is never 0.
        """
        shape = self._extended_shape(sample_shape)
        size, dtype = shape[-1], self.df.dtype
        half = 0.5 * (self.df.unsqueeze(-1) - arange(size, dtype=dtype))
        # The diagonal: roots of chi-squared numbers, 2 z of a gamma-distributed z.
        diagonal = (0.5 * (log_gamma(half, shape[:-1]) + math.log(2))).exp()
        noise = standard_normal(shape, dtype).tril(-1) + diagonal.diag_embed()
        lower = self._unbroadcasted_scale_tril @ noise
        return lower @ lower.mT

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        size, lower = self._event_shape[0], self._unbroadcasted_scale_tril
        whitened = inverse_of_lower(lower) @ cholesky(value)
        half = 0.5 * self.df
        log_det = 2 * log_diagonal(cholesky(value))
        return (
            (half - 0.5 * (size + 1)) * log_det
            - 0.5 * whitened.square().sum((-2, -1))
            - half * (size * math.log(2) + 2 * log_diagonal(lower))
            - mvlgamma(half, size)
        )

    def entropy(self) -> Tensor:
        size, half = self._event_shape[0], 0.5 * self.df
        digammas = (half.unsqueeze(-1) - 0.5 * arange(size, dtype=half.dtype)).digamma().sum(-1)
        return (
            (size + 1) * (log_diagonal(self._unbroadcasted_scale_tril) + 0.5 * size * math.log(2))
            + mvlgamma(half, size)
            - (half - 0.5 * (size + 1)) * digammas
            + half * size
        )

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        size = self._event_shape[0]
        return -0.5 * self.precision_matrix, 0.5 * (self.df - size - 1)

    def _log_normalizer(self, x: Tensor, y: Tensor) -> Tensor:  # type: ignore[override]
        size = self._event_shape[0]
        half = y + 0.5 * (size + 1)
        return mvlgamma(half, size) - half * slogdet(-x).logabsdet
