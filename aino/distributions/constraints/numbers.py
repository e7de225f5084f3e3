"""Constraints of one number at a time."""

from __future__ import annotations

from typing import Any

from aino.autograd.tensor import Tensor
from aino.distributions.constraints.base import Constraint


class _Boolean(Constraint):
    is_discrete = True

    def check(self, value: Tensor) -> Tensor:
        return (value == 0) | (value == 1)


class _Real(Constraint):
    def check(self, value: Tensor) -> Tensor:
        return value == value  # all but nan


class _Bounded(Constraint):
    """Numbers between bounds; a subclass names them and says how a value compares."""

    bounds: tuple[str, ...] = ()

    def __init__(self, *bounds: Any, **named: Any) -> None:
        given = dict(zip(self.bounds, bounds)) | named
        if len(bounds) > len(self.bounds) or set(given) != set(self.bounds):
            raise TypeError(f"{type(self).__name__} takes {', '.join(self.bounds)}")
        for name in self.bounds:
            setattr(self, name, given[name])

    def __repr__(self) -> str:
        bounds = ", ".join(f"{name}={getattr(self, name)}" for name in self.bounds)
        return f"{type(self).__name__[1:]}({bounds})"


class _LowerBound(_Bounded):
    bounds = ("lower_bound",)
    lower_bound: Any


class _UpperBound(_Bounded):
    bounds = ("upper_bound",)
    upper_bound: Any


class _BothBounds(_Bounded):
    bounds = ("lower_bound", "upper_bound")
    lower_bound: Any
    upper_bound: Any


class _GreaterThan(_LowerBound):
    def check(self, value: Tensor) -> Tensor:
        return value > self.lower_bound


class _GreaterThanEq(_LowerBound):
    def check(self, value: Tensor) -> Tensor:
        return value >= self.lower_bound


class _LessThan(_UpperBound):
    def check(self, value: Tensor) -> Tensor:
        return value < self.upper_bound


class _Interval(_BothBounds):
    def check(self, value: Tensor) -> Tensor:
        return (value >= self.lower_bound) & (value <= self.upper_bound)


class _HalfOpenInterval(_BothBounds):
    def check(self, value: Tensor) -> Tensor:
        return (value >= self.lower_bound) & (value < self.upper_bound)


def _is_whole(value: Tensor) -> Tensor:
    return value % 1 == 0


class _IntegerInterval(_BothBounds):
    is_discrete = True

    def check(self, value: Tensor) -> Tensor:
        return _is_whole(value) & (value >= self.lower_bound) & (value <= self.upper_bound)


class _IntegerLessThan(_UpperBound):
    is_discrete = True

    def check(self, value: Tensor) -> Tensor:
        return _is_whole(value) & (value <= self.upper_bound)


class _IntegerGreaterThan(_LowerBound):
    is_discrete = True

    def check(self, value: Tensor) -> Tensor:
        return _is_whole(value) & (value >= self.lower_bound)
