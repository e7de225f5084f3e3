"""What a constraint is, and constraints that depend on something."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aino.autograd.tensor import Tensor
from aino.ops.reduce.truth import all as all_of


class Constraint:
    """A set of values, such as the positive numbers.

    ``is_discrete`` says whether it is of separate points, ``event_dim`` over how many of the last
    dimensions of a tensor it speaks at once.
    """

    is_discrete: Any = False
    event_dim: Any = 0

    def check(self, value: Tensor) -> Tensor:
        """Return a tensor of booleans: whether each event of ``value`` satisfies the constraint."""
        raise NotImplementedError(f"{type(self).__name__} does not say what it holds of")

    def __repr__(self) -> str:
        return type(self).__name__.removeprefix("_") + "()"


class _Dependent(Constraint):
    """What depends on other parameters, so that it can't be checked alone.

    Arguments:
        is_discrete: whether it is of separate points, where that is known.
        event_dim: over how many of the last dimensions it speaks at once, where that is known.
    """

    def __init__(self, *, is_discrete: Any = NotImplemented, event_dim: Any = NotImplemented):
        self._is_discrete = is_discrete
        self._event_dim = event_dim

    @property
    def is_discrete(self) -> bool:
        return self._known("is_discrete")

    @property
    def event_dim(self) -> int:
        return self._known("event_dim")

    def _known(self, name: str) -> Any:
        value = vars(self)[f"_{name}"]
        if value is NotImplemented:
            raise NotImplementedError(f"{name} is only known of an instance")
        return value

    def __call__(self, *, is_discrete: Any = NotImplemented, event_dim: Any = NotImplemented):
        """Return such a constraint of which more is known."""
        if is_discrete is NotImplemented:
            is_discrete = self._is_discrete
        if event_dim is NotImplemented:
            event_dim = self._event_dim
        return _Dependent(is_discrete=is_discrete, event_dim=event_dim)

    def check(self, value: Tensor) -> Tensor:
        raise ValueError("a constraint that depends on other parameters can't be checked alone")


def is_dependent(constraint: object) -> bool:
    """Tell whether a constraint depends on other parameters.

    >>> from aino.distributions import constraints
    >>> constraints.is_dependent(constraints.dependent)
    True
    """
    return isinstance(constraint, _Dependent)


class _DependentProperty(property, _Dependent):
    """A property that returns a constraint, and on the class is a dependent one.

    Arguments:
        fn: the function of the instance that returns it.
        is_discrete: whether it is of separate points, where that is known.
        event_dim: over how many of the last dimensions it speaks at once, where that is known.
    """

    def __init__(
        self,
        fn: Callable[[Any], Any] | None = None,
        *,
        is_discrete: Any = NotImplemented,
        event_dim: Any = NotImplemented,
    ) -> None:
        super().__init__(fn)
        self._is_discrete = is_discrete
        self._event_dim = event_dim

    def __call__(self, fn: Callable[[Any], Any]) -> _DependentProperty:  # type: ignore[override]
        """Return the property of a function: ``@dependent_property(event_dim=0)``."""
        return _DependentProperty(fn, is_discrete=self._is_discrete, event_dim=self._event_dim)


class _IndependentConstraint(Constraint):
    """A constraint over some of the last dimensions together: all must satisfy it.

    Arguments:
        base_constraint: the constraint.
        reinterpreted_batch_ndims: over how many dimensions more than it speaks of.
    """

    def __init__(self, base_constraint: Constraint, reinterpreted_batch_ndims: int) -> None:
        self.base_constraint = base_constraint
        self.reinterpreted_batch_ndims = reinterpreted_batch_ndims

    @property
    def is_discrete(self) -> bool:
        return self.base_constraint.is_discrete

    @property
    def event_dim(self) -> int:
        return self.base_constraint.event_dim + self.reinterpreted_batch_ndims

    def check(self, value: Tensor) -> Tensor:
        result = self.base_constraint.check(value)
        if result.dim() < self.reinterpreted_batch_ndims:
            raise ValueError(
                f"a value of {self.event_dim} dimensions or more is expected, got {value.dim()}"
            )
        return all_last(result, self.reinterpreted_batch_ndims)

    def __repr__(self) -> str:
        return f"IndependentConstraint({self.base_constraint!r}, {self.reinterpreted_batch_ndims})"


class MixtureSameFamilyConstraint(Constraint):
    """The support of a mixture: that of its components, each of which must hold a value."""

    def __init__(self, base_constraint: Constraint) -> None:
        if not isinstance(base_constraint, Constraint):
            raise TypeError(f"expected a Constraint, got {type(base_constraint).__name__}")
        self.base_constraint = base_constraint

    @property
    def is_discrete(self) -> bool:
        return self.base_constraint.is_discrete

    @property
    def event_dim(self) -> int:
        return self.base_constraint.event_dim

    def check(self, value: Tensor) -> Tensor:
        events = self.event_dim
        components = value.unsqueeze(-1 - events)
        result = self.base_constraint.check(components)
        if value.dim() < events:
            raise ValueError(f"a value of {events} dimensions or more is expected")
        return result.all(-1)

    def __repr__(self) -> str:
        return f"MixtureSameFamilyConstraint({self.base_constraint!r})"


def all_last(value: Tensor, count: int) -> Tensor:
    """Return whether all is true over the last dimensions."""
    return all_of(value, tuple(range(-count, 0))) if count else value
