"""Probabilities of a yes or no: given as such or as log-odds, each made of the other when asked."""

from __future__ import annotations

from typing import Any

from aino.autograd.tensor import Size, Tensor
from aino.distributions.utils import (
    broadcast_all,
    either,
    lazy_property,
    logits_to_probs,
    probs_to_logits,
)
from aino.ops.pointwise.elementary import logaddexp


class Binary:
    """What the distributions share whose parameter is one probability."""

    def _keep(self, probs: Any, logits: Any, *others: Any) -> tuple[Tensor, ...]:
        """Keep the one that is given, broadcast with the other parameters, which are returned."""
        name = either(probs=probs, logits=logits)
        given, *rest = broadcast_all(probs if name == "probs" else logits, *others)
        vars(self)[name] = given
        return tuple(rest)

    @lazy_property
    def probs(self) -> Tensor:
        """The probability."""
        return logits_to_probs(self.logits, is_binary=True)

    @lazy_property
    def logits(self) -> Tensor:
        """The log-odds, ``ln p - ln(1 - p)``."""
        return probs_to_logits(self.probs, is_binary=True)

    @property
    def _param(self) -> Tensor:
        """The parameter that was given."""
        own = vars(self)
        return own["probs"] if "probs" in own else own["logits"]

    @property
    def param_shape(self) -> Size:
        """The shape of ``probs`` and ``logits``."""
        return self._param.shape

    @staticmethod
    def _log_total(logits: Tensor) -> Tensor:
        """Return ``ln(1 + eˣ)``, which is -ln(1 - p)."""
        return logaddexp(logits, logits.new_zeros(()))

    @classmethod
    def _log_likelihood(cls, logits: Tensor, successes: Any, trials: Any) -> Tensor:
        """Return ``k ln p + (n - k) ln(1 - p)``."""
        return successes * logits - trials * cls._log_total(logits)
