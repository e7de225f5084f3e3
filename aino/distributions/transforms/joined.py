"""Several transforms, each of a part of a tensor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from aino.autograd.tensor import Tensor
from aino.distributions import constraints
from aino.distributions.transforms.base import Transform
from aino.distributions.utils import sum_rightmost
from aino.ops.shape.joining import cat, stack


class _Parts(Transform):
    """Transforms along a dimension, which a subclass says how to cut and to join."""

    def __init__(self, tseq: Sequence[Transform], dim: int, cache_size: int) -> None:
        if not all(isinstance(t, Transform) for t in tseq):
            raise AssertionError(f"all elements of tseq must be transforms, got {tseq}")
        super().__init__(cache_size)
        self.transforms = [t.with_cache(cache_size) for t in tseq] if cache_size else list(tseq)
        self.dim = dim

    @property
    def bijective(self) -> bool:
        return all(t.bijective for t in self.transforms)

    def _cut(self, x: Tensor) -> Sequence[Tensor]:
        raise NotImplementedError

    def _join(self, parts: list[Tensor], dim: int) -> Tensor:
        raise NotImplementedError

    def _check(self, x: Tensor) -> None:
        if not -x.dim() <= self.dim < x.dim():
            raise AssertionError(f"a tensor of shape {x.shape} has no dimension {self.dim}")

    def _each(self, function: Callable[[Transform, Tensor], Tensor], x: Tensor) -> Tensor:
        self._check(x)
        parts = [function(t, part) for t, part in zip(self.transforms, self._cut(x))]
        return self._join(parts, self.dim)

    def _call(self, x: Tensor) -> Tensor:
        return self._each(lambda transform, part: transform(part), x)

    def _inverse(self, y: Tensor) -> Tensor:
        return self._each(lambda transform, part: transform.inv(part), y)


class CatTransform(_Parts):
    """Transforms of the pieces of a tensor, which are joined again.

    Arguments:
        tseq: the transforms.
        dim: along which dimension the pieces lie.
        lengths: how long each piece is; 1 for None.
        cache_size: 1 has each transform keep its last x and y.

    >>> import aino
    >>> from aino.distributions import CatTransform, ExpTransform, identity_transform
    >>> CatTransform([ExpTransform(), identity_transform], lengths=[1, 2])(aino.zeros(3))
    tensor([1., 0., 0.])
    """

    def __init__(
        self,
        tseq: Sequence[Transform],
        dim: int = 0,
        lengths: Sequence[int] | None = None,
        cache_size: int = 0,
    ) -> None:
        super().__init__(tseq, dim, cache_size)
        self.lengths = [1] * len(self.transforms) if lengths is None else list(lengths)
        if len(self.lengths) != len(self.transforms):
            raise AssertionError(
                f"{len(self.transforms)} transforms need as many lengths, got {len(self.lengths)}"
            )

    @property
    def length(self) -> int:
        """The sum of the lengths."""
        return sum(self.lengths)

    @property
    def event_dim(self) -> int:
        return max(t.event_dim for t in self.transforms)

    def with_cache(self, cache_size: int = 1) -> Transform:
        if cache_size == self._cache_size:
            return self
        return CatTransform(self.transforms, self.dim, self.lengths, cache_size)

    @property
    def domain(self) -> Any:
        return constraints.cat([t.domain for t in self.transforms], self.dim, self.lengths)

    @property
    def codomain(self) -> Any:
        return constraints.cat([t.codomain for t in self.transforms], self.dim, self.lengths)

    def _check(self, x: Tensor) -> None:
        super()._check(x)
        if x.shape[self.dim] != self.length:
            raise AssertionError(
                f"the lengths add up to {self.length}, dimension {self.dim} of the tensor has "
                f"{x.shape[self.dim]}"
            )

    def _cut(self, x: Tensor) -> Sequence[Tensor]:
        return x.split(self.lengths, self.dim)

    def _join(self, parts: list[Tensor], dim: int) -> Tensor:
        return cat(parts, dim)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        self._check(x)
        self._check(y)
        parts = []
        for transform, before, after in zip(self.transforms, self._cut(x), self._cut(y)):
            own = transform.log_abs_det_jacobian(before, after)
            missing = self.event_dim - transform.event_dim
            parts.append(sum_rightmost(own, missing))
        dim = self.dim - x.dim() if self.dim >= 0 else self.dim
        dim += self.event_dim
        return cat(parts, dim) if dim < 0 else sum(parts[1:], parts[0])


class StackTransform(_Parts):
    """Transforms of the slices of a tensor, which are stacked again.

    Arguments:
        tseq: the transforms.
        dim: along which dimension the slices lie.
        cache_size: 1 has each transform keep its last x and y.

    >>> import aino
    >>> from aino.distributions import ExpTransform, StackTransform, identity_transform
    >>> StackTransform([ExpTransform(), identity_transform])(aino.zeros(2))
    tensor([1., 0.])
    """

    def __init__(self, tseq: Sequence[Transform], dim: int = 0, cache_size: int = 0) -> None:
        super().__init__(tseq, dim, cache_size)

    def with_cache(self, cache_size: int = 1) -> Transform:
        if cache_size == self._cache_size:
            return self
        return StackTransform(self.transforms, self.dim, cache_size)

    @property
    def domain(self) -> Any:
        return constraints.stack([t.domain for t in self.transforms], self.dim)

    @property
    def codomain(self) -> Any:
        return constraints.stack([t.codomain for t in self.transforms], self.dim)

    def _check(self, x: Tensor) -> None:
        super()._check(x)
        if x.shape[self.dim] != len(self.transforms):
            raise AssertionError(
                f"{len(self.transforms)} transforms need as many slices, dimension {self.dim} of "
                f"the tensor has {x.shape[self.dim]}"
            )

    def _cut(self, x: Tensor) -> Sequence[Tensor]:
        return x.unbind(self.dim)

    def _join(self, parts: list[Tensor], dim: int) -> Tensor:
        return stack(parts, dim)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        self._check(x)
        self._check(y)
        parts = zip(self.transforms, self._cut(x), self._cut(y))
        return stack(
            [t.log_abs_det_jacobian(before, after) for t, before, after in parts], self.dim
        )
