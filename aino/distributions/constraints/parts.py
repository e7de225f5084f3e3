"""Constraints of parts, each of which has one of its own."""

from __future__ import annotations

from collections.abc import Sequence

from aino.autograd.tensor import Tensor
from aino.distributions.constraints.base import Constraint
from aino.ops.shape.joining import cat as joined
from aino.ops.shape.joining import stack as stacked


class _Parts(Constraint):
    """Parts along a dimension, each of which satisfies a constraint of its own.

    Arguments:
        cseq: the constraints.
        dim: along which dimension the parts lie.
    """

    def __init__(self, cseq: Sequence[Constraint], dim: int = 0) -> None:
        if not all(isinstance(c, Constraint) for c in cseq):
            raise AssertionError("all elements of cseq must be constraints")
        self.cseq = list(cseq)
        self.dim = dim

    @property
    def is_discrete(self) -> bool:
        return any([c.is_discrete for c in self.cseq])


class _Cat(_Parts):
    """Pieces of a tensor, each of which satisfies a constraint of its own.

    Arguments:
        cseq: the constraints.
        dim: along which dimension the pieces lie.
        lengths: how long each piece is; 1 for None.
    """

    def __init__(
        self, cseq: Sequence[Constraint], dim: int = 0, lengths: Sequence[int] | None = None
    ) -> None:
        super().__init__(cseq, dim)
        self.lengths = [1] * len(self.cseq) if lengths is None else list(lengths)
        if len(self.lengths) != len(self.cseq):
            raise AssertionError(
                f"{len(self.cseq)} constraints need as many lengths, got {len(self.lengths)}"
            )

    @property
    def event_dim(self) -> int:
        return max(c.event_dim for c in self.cseq)

    def check(self, value: Tensor) -> Tensor:
        parts = value.split(self.lengths, self.dim)
        return joined([c.check(part) for c, part in zip(self.cseq, parts)], self.dim)


class _Stack(_Parts):
    """Slices of a tensor, each of which satisfies a constraint of its own.

    Arguments:
        cseq: the constraints.
        dim: along which dimension the slices lie.
    """

    @property
    def event_dim(self) -> int:
        deepest = max(c.event_dim for c in self.cseq)
        return deepest + 1 if self.dim + deepest < 0 else deepest

    def check(self, value: Tensor) -> Tensor:
        parts = value.unbind(self.dim)
        return stacked([c.check(part) for c, part in zip(self.cseq, parts)], self.dim)
