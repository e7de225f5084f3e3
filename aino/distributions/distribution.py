"""The base of all distributions."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, Self

import numpy as np

from aino import tracing
from aino.autograd.mode import no_grad
from aino.autograd.tensor import Size, Tensor
from aino.distributions import constraints
from aino.distributions.constraints import Constraint
from aino.distributions.utils import extended, lazy_property, shape_of

__all__ = ["Distribution"]


class Distribution:
    """A distribution of probability over events of one shape, or a batch of such.

    A sample has the shape ``sample_shape + batch_shape + event_shape``: ``batch_shape`` is that of
    the parameters, of which each makes a distribution of its own; ``event_shape`` that of what one
    of them draws.

    Arguments:
        batch_shape: the shape of the parameters.
        event_shape: the shape of an event.
        validate_args: whether parameters and values are checked; None for the default, which is
            to check.
    """

    has_rsample: Any = False
    has_enumerate_support: Any = False
    _validate_args = __debug__

    @staticmethod
    def set_default_validate_args(value: bool) -> None:
        """Say whether distributions check their parameters and values where none says otherwise."""
        if value not in (True, False):
            raise ValueError(f"validate_args is True or False, not {value!r}")
        Distribution._validate_args = value

    def __init__(
        self,
        batch_shape: Any = (),
        event_shape: Any = (),
        validate_args: bool | None = None,
    ) -> None:
        self._batch_shape = Size(batch_shape)
        self._event_shape = Size(event_shape)
        if validate_args is not None:
            self._validate_args = validate_args
        if self._validate_args:
            self._validate_parameters()

    def expand(self, batch_shape: Any, _instance: Any = None) -> Self:
        """Return the same distributions in a larger batch; parameters are expanded, not copied.

        Arguments:
            batch_shape: the batch's new shape, to which the old one can be broadcast.
            _instance: an instance that a subclass has made, which is filled in.
        """
        new = self._get_checked_instance(Distribution, _instance)
        batch = shape_of(batch_shape)
        for name, constraint in self._own_constraints().items():
            value = vars(self)[name]
            if not isinstance(value, Tensor):
                vars(new)[name] = value
                continue
            events = value.shape[value.dim() - constraint.event_dim :]
            vars(new)[name] = value.expand((*batch, *events))
        new._batch_shape = batch
        new._event_shape = self._event_shape
        new._validate_args = self._validate_args
        self._expand_rest(new, batch)
        return new

    def _expand_rest(self, new: Any, batch: Size) -> None:
        """Give an expanded instance what it holds beside its parameters."""

    def _own_constraints(self) -> dict[str, Constraint]:
        """Return the constraints of the parameters that are there, not derived from others."""
        constraints = self.arg_constraints
        return {name: constraints[name] for name in constraints if name in vars(self)}

    def _get_checked_instance(self, cls: type, _instance: Any = None) -> Any:
        """Return the instance that ``expand`` fills in.

        Raises ``NotImplementedError`` for a class that has an ``__init__`` of its own, of which
        nobody here knows what it does, and no ``expand``.
        """
        if _instance is not None:
            return _instance
        kind = type(self)
        home = next(base for base in kind.__mro__ if "__init__" in vars(base))
        expands = next(base for base in kind.__mro__ if "expand" in vars(base))
        ours = home.__module__.startswith("aino.distributions.")
        if not ours and kind.__mro__.index(home) < kind.__mro__.index(expands):
            raise NotImplementedError(
                f"{kind.__name__} has an __init__ of its own, so it must have an expand, too"
            )
        return kind.__new__(kind)

    @property
    def batch_shape(self) -> Size:
        """The shape of the parameters: of how many distributions this is a batch."""
        return self._batch_shape

    @property
    def event_shape(self) -> Size:
        """The shape of what one distribution draws."""
        return self._event_shape

    @property
    def arg_constraints(self) -> dict[str, Constraint]:
        """What each parameter has to satisfy."""
        raise self._lacks("arg_constraints")

    @property
    def support(self) -> Any:
        """The constraint that holds of all that can be drawn."""
        raise self._lacks("support")

    @property
    def mean(self) -> Tensor:
        """The mean of each distribution."""
        raise self._lacks("mean")

    @property
    def mode(self) -> Tensor:
        """The likeliest event of each distribution."""
        raise self._lacks("mode")

    @property
    def variance(self) -> Tensor:
        """The variance of each distribution."""
        raise self._lacks("variance")

    @property
    def stddev(self) -> Tensor:
        """The standard deviation of each distribution."""
        return self.variance.sqrt()

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Return samples without gradient, of the shape ``sample_shape + batch + event``."""
        with no_grad():
            return self.rsample(sample_shape)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Return samples through which gradients reach the parameters."""
        raise self._lacks("rsample")

    def sample_n(self, n: int) -> Tensor:
        """Return n samples, by PyTorch's older name for ``sample((n,))``."""
        warnings.warn("sample_n(n) is sample((n,))", FutureWarning, stacklevel=2)
        return self.sample((n,))

    def log_prob(self, value: Tensor) -> Tensor:
        """Return the logarithm of the density, or of the probability, at ``value``."""
        raise self._lacks("log_prob")

    def cdf(self, value: Tensor) -> Tensor:
        """Return the probability of what is not above ``value``."""
        raise self._lacks("cdf")

    def icdf(self, value: Tensor) -> Tensor:
        """Return below what a sample stays with the probability ``value``."""
        raise self._lacks("icdf")

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """Return all that a discrete distribution can draw, along the first dimension.

        Arguments:
            expand: whether to repeat it over the batch; else the batch's dimensions are 1.
        """
        raise self._lacks("enumerate_support")

    def entropy(self) -> Tensor:
        """Return the entropy of each distribution, in nats."""
        raise self._lacks("entropy")

    def perplexity(self) -> Tensor:
        """Return the exponential of the entropy."""
        return self.entropy().exp()

    def _lacks(self, name: str) -> NotImplementedError:
        return NotImplementedError(f"{type(self).__name__} has no {name}")

    def _extended_shape(self, sample_shape: Any = ()) -> Size:
        """Return the shape of what ``sample(sample_shape)`` returns."""
        return extended(sample_shape, (*self._batch_shape, *self._event_shape))

    def _enumerated(self, values: Tensor, expand: bool) -> Tensor:
        """Return values along the first dimension, over the batch."""
        values = values.reshape(-1, *(1,) * len(self._batch_shape))
        return values.expand(-1, *self._batch_shape) if expand else values

    # Checks

    def _validate_parameters(self) -> None:
        """Raise ``ValueError`` for a parameter that does not satisfy its constraint."""
        try:
            known = self.arg_constraints
        except NotImplementedError:
            warnings.warn(
                f"{type(self).__name__} does not say what its parameters have to satisfy: set "
                "arg_constraints = {} or give it validate_args=False",
                stacklevel=3,
            )
            return
        for name, constraint in known.items():
            lazily = isinstance(getattr(type(self), name, None), lazy_property)
            if constraints.is_dependent(constraint) or (lazily and name not in vars(self)):
                continue
            value = getattr(self, name)
            demand(constraint.check(value), value, self._told(name, value, constraint))

    def _told(self, name: str, value: Tensor, constraint: Any) -> Callable[[bool], str]:
        def words(by_name_alone: bool) -> str:
            own = type(self).__name__ if by_name_alone else repr(self)
            bound = type(constraint).__name__.strip("_") if by_name_alone else repr(constraint)
            return (
                f"parameter {name} of {own} must satisfy the constraint {bound}, but it has "
                "values that do not:"
            )

        return words

    def _validate_sample(self, value: Tensor) -> None:
        """Raise ``ValueError`` for a value that is no event of this distribution."""
        if not isinstance(value, Tensor):
            raise ValueError(f"the value must be a Tensor, not {type(value).__name__}")
        events = len(self._event_shape)
        if value.dim() < events or value.shape[value.dim() - events :] != self._event_shape:
            raise ValueError(
                f"the last dimensions of the value must be the event shape, {self._event_shape}, "
                f"got a value of shape {value.shape}"
            )
        whole = (*self._batch_shape, *self._event_shape)
        for given, own in zip(reversed(value.shape), reversed(whole)):
            if given != 1 and own != 1 and given != own:
                raise ValueError(
                    f"a value of shape {value.shape} can't be broadcast to the batch and event "
                    f"shape {Size(whole)}"
                )
        try:
            support = self.support
        except NotImplementedError:
            warnings.warn(
                f"{type(self).__name__} does not say what its support is: values are not checked, "
                "or give it validate_args=False",
                stacklevel=3,
            )
            return

        def words(by_name_alone: bool) -> str:
            own = type(self).__name__ if by_name_alone else repr(self)
            bound = type(support).__name__.strip("_") if by_name_alone else repr(support)
            return f"the value must lie in the support ({bound}) of {own}, but it is:"

        demand(support.check(value), value, words)

    def __repr__(self) -> str:
        shown = []
        for name in self._own_constraints():
            value = vars(self)[name]
            several = isinstance(value, Tensor) and value.numel() != 1
            shown.append(f"{name}: {value.shape if several else value}")
        return f"{type(self).__name__}({', '.join(shown)})"


def demand(valid: Tensor, value: Tensor, words: Callable[[bool], str]) -> None:
    """Raise ``ValueError`` unless all is valid; ``words`` says what is expected of the value.

    A compiled program asks again at each call, and ``vmap`` of all samples: their words can't hold
    values of now.
    """
    if tracing.is_tracing() or hasattr(valid.array, "level"):
        tracing.checked(_demand, valid.array, value.array, words(True))
    elif not valid.array.all():
        raise ValueError(f"{words(False)}\n{value}")


def _demand(valid: Any, value: Any, words: str) -> None:
    if not np.all(valid):
        raise ValueError(f"{words}\n{value}")
