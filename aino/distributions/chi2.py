"""The chi-squared distribution."""

from __future__ import annotations

from typing import Any

from aino.autograd.tensor import Size, Tensor
from aino.distributions import constraints
from aino.distributions.gamma import Gamma

__all__ = ["Chi2"]


class Chi2(Gamma):
    """The distribution of the sum of ``df`` squares of standard normal numbers.

    Arguments:
        df: how many degrees of freedom, not necessarily a whole number.
        validate_args: whether parameters and values are checked; None for the default.

    >>> import aino
    >>> aino.distributions.Chi2(2.0).log_prob(aino.tensor([0.0, 2.0]))
    tensor([-0.6931, -1.6931])
    """

    arg_constraints = {"df": constraints.positive}

    def __init__(self, df: Any, validate_args: bool | None = None) -> None:
        super().__init__(0.5 * df, 0.5, validate_args=validate_args)

    def _expand_rest(self, new: Any, batch: Size) -> None:
        new.concentration, new.rate = self.concentration.expand(batch), self.rate.expand(batch)

    @property
    def df(self) -> Tensor:
        """The degrees of freedom."""
        return self.concentration * 2
