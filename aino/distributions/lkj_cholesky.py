"""The distribution of Lewandowski, Kurowicka and Joe over correlation matrices."""

from __future__ import annotations

import math
from typing import Any

from aino.autograd.tensor import Size, Tensor
from aino.distributions import constraints
from aino.distributions.beta import Beta
from aino.distributions.distribution import Distribution
from aino.distributions.sampling import standard_normal
from aino.distributions.utils import broadcast_all
from aino.ops.creation.ranges import arange
from aino.ops.pointwise.special import mvlgamma
from aino.ops.shape.padding import pad
from aino.type_info import finfo

__all__ = ["LKJCholesky"]


class LKJCholesky(Distribution):
    """Cholesky factors of correlation matrices R, of which the density is ``det(R)^(η - 1) / C``.

    Arguments:
        dim: how many rows the matrices have, 2 or more.
        concentration: η: 1 for all matrices alike, more for those near the unit matrix.
        validate_args: whether parameters and values are checked; None for the default.

    Source: Lewandowski, Kurowicka and Joe, "Generating random correlation matrices based on vines
    and extended onion method" (2009).

    >>> import aino
    >>> aino.distributions.LKJCholesky(2, 1.0).log_prob(aino.eye(2))
    tensor(-0.6931)
    """

    arg_constraints = {"concentration": constraints.positive}
    support = constraints.corr_cholesky

    def __init__(
        self, dim: int, concentration: Any = 1.0, validate_args: bool | None = None
    ) -> None:
        if dim < 2:
            raise ValueError(f"dim must be an integer of 2 or more, got {dim}")
        self.dim = dim
        (self.concentration,) = broadcast_all(concentration)
        super().__init__(self.concentration.shape, (dim, dim), validate_args=validate_args)

    def _expand_rest(self, new: Any, batch: Size) -> None:
        new.dim = self.dim

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Return samples, row by row as an onion grows: a direction, and how far from 0."""
        shape, dtype = self._extended_shape(sample_shape), self.concentration.dtype
        # Row i of i numbers before the diagonal: the square of their length is of a beta density.
        row = arange(1, self.dim, dtype=dtype)
        rest = self.concentration.detach().unsqueeze(-1) + 0.5 * (self.dim - 1 - row)
        square = Beta(0.5 * row, rest, validate_args=False).sample(tuple(sample_shape))
        direction = standard_normal((*shape[:-2], self.dim - 1, self.dim), dtype).tril()
        direction = direction / direction.square().sum(-1, keepdim=True).sqrt()
        below = pad(square.sqrt().unsqueeze(-1) * direction, (0, 0, 1, 0))
        left = 1 - below.square().sum(-1)
        return below + left.clamp(min=finfo(dtype).tiny).sqrt().diag_embed()

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        rows, eta = self.dim - 1, self.concentration
        row = arange(1, self.dim, dtype=eta.dtype)
        diagonal = value.diagonal(dim1=-2, dim2=-1)[..., 1:].log()
        # To det(R)^(η - 1) comes what the Cholesky factor is more or less dense than R.
        power = 2 * (eta.unsqueeze(-1) - 1) + (rows - row)
        half = eta + 0.5 * rows
        total = mvlgamma(half - 0.5, rows) - rows * half.lgamma()
        return (power * diagonal).sum(-1) - total - 0.5 * rows * math.log(math.pi)
