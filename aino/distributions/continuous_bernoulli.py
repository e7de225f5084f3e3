"""The continuous Bernoulli distribution."""

from __future__ import annotations

from typing import Any

from aino.autograd.tensor import Size, Tensor
from aino.distributions import constraints
from aino.distributions.binary import Binary
from aino.distributions.exp_family import ExponentialFamily
from aino.distributions.sampling import standard_uniform
from aino.distributions.utils import clamp_probs
from aino.ops.pointwise.choosing import where

__all__ = ["ContinuousBernoulli"]


def _polynomial(x: Tensor, coefficients: list[Any]) -> Tensor:
    """Return ``Σ cₖ xᵏ``."""
    total = x * 0 + coefficients[-1]
    for coefficient in coefficients[-2::-1]:
        total = total * x + coefficient
    return total


class ContinuousBernoulli(Binary, ExponentialFamily):
    """A number from 0 to 1, of density ``C(p) pˣ (1 - p)¹⁻ˣ``.

    With the log-odds t it is ``t eᵗˣ / (eᵗ - 1)``, which near p = 1/2 is computed by series.

    Arguments:
        probs: p, between 0 and 1.
        logits: its log-odds, in place of it.
        lims: between which p the series are taken.
        validate_args: whether parameters and values are checked; None for the default.

    Source: Loaiza-Ganem and Cunningham, "The continuous Bernoulli" (2019).

    >>> import aino
    >>> aino.distributions.ContinuousBernoulli(0.5).log_prob(aino.tensor([0.0, 1.0]))
    tensor([0., 0.])
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.unit_interval
    has_rsample = True
    _mean_carrier_measure = 0

    def __init__(
        self,
        probs: Any = None,
        logits: Any = None,
        lims: tuple[float, float] = (0.499, 0.501),
        validate_args: bool | None = None,
    ) -> None:
        self._keep(probs, logits)
        self._lims = lims
        super().__init__(self._param.shape, validate_args=validate_args)
        if probs is not None:
            self.probs = clamp_probs(self.probs)

    def _expand_rest(self, new: Any, batch: Size) -> None:
        new._lims = self._lims

    def _near(self) -> Tensor:
        """Tell where p is so near 1/2 that formulas lose their digits."""
        probs = self.probs.detach()
        return (probs > self._lims[0]) & (probs < self._lims[1])

    def _chosen(self, series: list[Any], formula: Any) -> Tensor:
        """Return a series in the log-odds near 1/2, elsewhere a formula of them."""
        near = self._near()
        t = self.logits
        return where(near, _polynomial(t, series), formula(where(near, 1.0, t)))

    def _log_mass(self) -> Tensor:
        """Return ``ln ((eᵗ - 1) / t)``, of which no exponential overflows."""

        def formula(t: Tensor) -> Tensor:
            size = t.abs()
            return t.clamp(min=0) + (-(-size).expm1() / size).log()

        return self._chosen([0, 1 / 2, 1 / 24, 0, -1 / 2880, 0, 1 / 181440], formula)

    @property
    def mean(self) -> Tensor:
        series = [1 / 2, 1 / 12, 0, -1 / 720, 0, 1 / 30240]
        return self._chosen(series, lambda t: -1 / (-t).expm1() - 1 / t)

    @property
    def variance(self) -> Tensor:
        series = [1 / 12, 0, -1 / 240, 0, 1 / 6048]
        return self._chosen(series, lambda t: 1 / t.square() - 0.25 / (t / 2).sinh().square())

    @property
    def stddev(self) -> Tensor:
        return self.variance.sqrt()

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        return self.logits * value - self._log_mass()

    def cdf(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        x = value

        def formula(t: Tensor) -> Tensor:
            # Seen from the end where less is, so that no exponential overflows.
            size = -t.abs()
            below = (size * where(t < 0, x, 1 - x)).expm1() / size.expm1()
            return where(t < 0, below, 1 - below)

        series = [
            x,
            (x**2 - x) / 2,
            (x**3 - 1.5 * x**2 + 0.5 * x) / 6,
            (x**4 - 2 * x**3 + x**2) / 24,
            (x**5 - 2.5 * x**4 + 5 / 3 * x**3 - x / 6) / 120,
        ]
        return self._chosen(series, formula).clamp(0, 1)

    def icdf(self, value: Tensor) -> Tensor:
        u = value

        def formula(t: Tensor) -> Tensor:
            size = -t.abs()
            place = (where(t < 0, u, 1 - u) * size.expm1()).log1p() / size
            return where(t < 0, place, 1 - place)

        series = [
            u,
            (u - u**2) / 2,
            u / 6 - u**2 / 2 + u**3 / 3,
            u / 24 - 7 * u**2 / 24 + u**3 / 2 - u**4 / 4,
        ]
        return self._chosen(series, formula)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        places = standard_uniform(self._extended_shape(sample_shape), self._param.dtype)
        return self.icdf(places)

    def entropy(self) -> Tensor:
        return self._log_mass() - self.logits * self.mean

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return (self.logits,)

    def _log_normalizer(self, x: Tensor) -> Tensor:  # type: ignore[override]
        return ContinuousBernoulli(logits=x, lims=self._lims, validate_args=False)._log_mass()
