"""Exponential families: the entropy follows from the normalizer's gradient."""

from __future__ import annotations

from typing import Any

from aino.autograd.engine import grad
from aino.autograd.mode import enable_grad
from aino.autograd.tensor import Tensor
from aino.distributions.distribution import Distribution
from aino.distributions.utils import sum_rightmost

__all__ = ["ExponentialFamily"]


class ExponentialFamily(Distribution):
    """Distributions of density ``h(x) exp(θ · T(x) - A(θ))``.

    A subclass has ``_natural_params``, the tuple of the θ, ``_log_normalizer``, which is A of
    them, and ``_mean_carrier_measure``, the mean of ``ln h(x)``.

    Arguments:
        batch_shape: the shape of the parameters.
        event_shape: the shape of an event.
        validate_args: whether parameters and values are checked; None for the default.

    Source: Nielsen and Nock, "Entropies and cross-entropies of exponential families" (2010).
    """

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        raise self._lacks("_natural_params")

    def _log_normalizer(self, *natural_params: Tensor) -> Tensor:
        raise self._lacks("_log_normalizer")

    @property
    def _mean_carrier_measure(self) -> Any:
        raise self._lacks("_mean_carrier_measure")

    def entropy(self) -> Tensor:
        """Return the entropy: ``A(θ) - θ · ∇A(θ) - E[ln h(x)]``."""
        params, normalizer, gradients = normalizer_gradients(self)
        result = normalizer - self._mean_carrier_measure
        for param, gradient in zip(params, gradients):
            term = param * gradient
            result = result - sum_rightmost(term, term.dim() - len(self._batch_shape))
        return result


def normalizer_gradients(distribution: Any) -> tuple[Any, Tensor, Any]:
    """Return the natural parameters, A of them and its gradients.

    They are differentiable again where a parameter is.
    """
    given = distribution._natural_params
    wanted = any([p.requires_grad for p in given])
    with enable_grad():
        params = [p if p.requires_grad else p.detach().requires_grad_() for p in given]
        normalizer = distribution._log_normalizer(*params)
        gradients = grad(normalizer.sum(), params, create_graph=wanted)
    return given, normalizer if wanted else normalizer.detach(), gradients
