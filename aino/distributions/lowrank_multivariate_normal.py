"""The multivariate normal distribution whose covariance is of low rank but for its diagonal."""

from __future__ import annotations

import math
from typing import Any

from aino.autograd.tensor import Size, Tensor
from aino.distributions import constraints
from aino.distributions.distribution import Distribution
from aino.distributions.multivariate_normal import (
    at_least,
    inverse_of_lower,
    log_diagonal,
    times,
)
from aino.distributions.sampling import standard_normal
from aino.distributions.utils import lazy_property
from aino.errors import ShapeError
from aino.ops.creation.filled import eye
from aino.ops.linalg.matrices import cholesky
from aino.ops.shape.broadcasting import broadcast_shapes

__all__ = ["LowRankMultivariateNormal"]


class LowRankMultivariateNormal(Distribution):
    """The normal distribution of a vector with the covariance ``W Wᵀ + diag(d)``.

    What costs n³ steps for n coordinates costs n k² where W has k columns, by the identities of
    Woodbury and of the determinant.

    Arguments:
        loc: the mean, over the last dimension.
        cov_factor: W, ``(..., n, k)``.
        cov_diag: d, positive.
        validate_args: whether parameters and values are checked; None for the default.

    >>> import aino
    >>> normal = aino.distributions.LowRankMultivariateNormal(
    ...     aino.zeros(2), aino.zeros(2, 1), aino.ones(2)
    ... )
    >>> normal.log_prob(aino.tensor([0.0, 1.0]))
    tensor(-2.3379)
    """

    arg_constraints = {
        "loc": constraints.real_vector,
        "cov_factor": constraints.independent(constraints.real, 2),
        "cov_diag": constraints.independent(constraints.positive, 1),
    }
    support = constraints.real_vector
    has_rsample = True

    def __init__(
        self, loc: Any, cov_factor: Any, cov_diag: Any, validate_args: bool | None = None
    ) -> None:
        at_least("loc", loc, 1)
        at_least("cov_factor", cov_factor, 2)
        at_least("cov_diag", cov_diag, 1)
        n = loc.shape[-1]
        for name, size in (("cov_factor", cov_factor.shape[-2]), ("cov_diag", cov_diag.shape[-1])):
            if size != n:
                raise ShapeError(f"{name} must have {n} rows, as many as loc has, got {size}")
        batch = broadcast_shapes(loc.shape[:-1], cov_factor.shape[:-2], cov_diag.shape[:-1])
        self.loc = loc.expand((*batch, n))
        self.cov_factor = cov_factor.expand((*batch, *cov_factor.shape[-2:]))
        self.cov_diag = cov_diag.expand((*batch, n))
        super().__init__(batch, (n,), validate_args=validate_args)
        self._unbroadcasted_cov_factor, self._unbroadcasted_cov_diag = cov_factor, cov_diag

    def _expand_rest(self, new: Any, batch: Size) -> None:
        new._unbroadcasted_cov_factor = self._unbroadcasted_cov_factor
        new._unbroadcasted_cov_diag = self._unbroadcasted_cov_diag

    @lazy_property
    def _capacitance_tril(self) -> Tensor:
        """The Cholesky factor of ``1 + Wᵀ diag(d)⁻¹ W``."""
        w, d = self._unbroadcasted_cov_factor, self._unbroadcasted_cov_diag
        inner = w.mT @ (w / d.unsqueeze(-1))
        return cholesky(inner + eye(w.shape[-1], dtype=w.dtype))

    @lazy_property
    def covariance_matrix(self) -> Tensor:
        """The covariance matrix."""
        w, d = self._unbroadcasted_cov_factor, self._unbroadcasted_cov_diag
        return self._whole(w @ w.mT + d.diag_embed())

    @lazy_property
    def scale_tril(self) -> Tensor:
        """The lower triangle L of which the covariance matrix is L Lᵀ."""
        w, d = self._unbroadcasted_cov_factor, self._unbroadcasted_cov_diag
        root = d.sqrt().unsqueeze(-1)
        scaled = w / root
        inner = scaled @ scaled.mT + eye(d.shape[-1], dtype=d.dtype)
        return self._whole(root * cholesky(inner))

    @lazy_property
    def precision_matrix(self) -> Tensor:
        """The inverse of the covariance matrix."""
        w, d = self._unbroadcasted_cov_factor, self._unbroadcasted_cov_diag
        inner = inverse_of_lower(self._capacitance_tril) @ (w / d.unsqueeze(-1)).mT
        return self._whole(d.reciprocal().diag_embed() - inner.mT @ inner)

    def _whole(self, matrix: Tensor) -> Tensor:
        n = self._event_shape[0]
        return matrix.expand((*self._batch_shape, n, n))

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @lazy_property
    def variance(self) -> Tensor:
        return self.cov_factor.square().sum(-1) + self.cov_diag

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        shape, dtype = self._extended_shape(sample_shape), self.loc.dtype
        w, d = self._unbroadcasted_cov_factor, self._unbroadcasted_cov_diag
        common = standard_normal((*shape[:-1], w.shape[-1]), dtype)
        own = standard_normal(shape, dtype)
        return self.loc + times(w, common) + d.sqrt() * own

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        size = self._event_shape[0] * math.log(2 * math.pi)
        return -0.5 * (self._distance(value - self.loc) + size) - self._half_log_det()

    def _distance(self, x: Tensor) -> Tensor:
        """Return ``xᵀ Σ⁻¹ x``."""
        w, d = self._unbroadcasted_cov_factor, self._unbroadcasted_cov_diag
        along = times(inverse_of_lower(self._capacitance_tril) @ w.mT, x / d)
        return (x.square() / d).sum(-1) - along.square().sum(-1)

    def _half_log_det(self) -> Tensor:
        diagonal = self._unbroadcasted_cov_diag.log().sum(-1)
        return log_diagonal(self._capacitance_tril) + 0.5 * diagonal

    def entropy(self) -> Tensor:
        size = self._event_shape[0] * (1 + math.log(2 * math.pi))
        return (0.5 * size + self._half_log_det()).expand(self._batch_shape)
