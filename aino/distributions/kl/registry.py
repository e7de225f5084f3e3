"""Which function computes the divergence of a pair of distributions."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any, TypeVar

from aino.autograd.tensor import Tensor
from aino.distributions.distribution import Distribution

__all__ = ["kl_divergence", "register_kl"]

F = TypeVar("F", bound=Callable[..., Tensor])

_FUNCTIONS: dict[tuple[type, type], Callable[..., Tensor]] = {}


def register_kl(type_p: type, type_q: type) -> Callable[[F], F]:
    """Return a decorator that registers a function of two distributions, ``(p, q)``.

    Of those that fit a pair, the one for the nearest base classes is taken: first of p, then of
    q. Raises ``TypeError`` for what is no class of distributions.

    Arguments:
        type_p: the class of the first distribution.
        type_q: the class of the second.

    >>> import aino
    >>> from aino import distributions as D
    >>> class Mine(D.Normal):
    ...     pass
    >>> @D.register_kl(Mine, Mine)
    ... def _mine(p, q):
    ...     return p.loc * 0 + 7
    >>> D.kl_divergence(Mine(0.0, 1.0), Mine(0.0, 1.0))
    tensor(7.)
    """
    for kind in (type_p, type_q):
        if not (isinstance(kind, type) and issubclass(kind, Distribution)):
            raise TypeError(f"expected a class of distributions, got {kind!r}")

    def register(function: F) -> F:
        _FUNCTIONS[type_p, type_q] = function
        _found.cache_clear()
        return function

    return register


@functools.cache
def _found(type_p: type, type_q: type) -> Callable[..., Tensor] | None:
    """Return the function for a pair of classes, None where there is none."""
    fitting = [
        (type_p.__mro__.index(p), type_q.__mro__.index(q), p, q)
        for p, q in _FUNCTIONS
        if p in type_p.__mro__ and q in type_q.__mro__
    ]
    if not fitting:
        return None
    *_, left_p, left_q = min(fitting, key=lambda one: (one[0], one[1]))
    *_, right_p, right_q = min(fitting, key=lambda one: (one[1], one[0]))
    chosen = _FUNCTIONS[left_p, left_q]
    if chosen is not _FUNCTIONS[right_p, right_q]:
        warnings.warn(
            f"kl_divergence({type_p.__name__}, {type_q.__name__}): the functions for "
            f"({left_p.__name__}, {left_q.__name__}) and ({right_p.__name__}, {right_q.__name__}) "
            "fit as well; register one for this pair",
            RuntimeWarning,
            stacklevel=3,
        )
    return chosen


def kl_divergence(p: Distribution, q: Distribution) -> Tensor:
    """Return ``KL(p ‖ q) = E[ln p(x) - ln q(x)]`` over x drawn from p, of the batch's shape.

    Raises ``NotImplementedError`` for a pair that no function is registered for.

    Arguments:
        p: the distribution that x is drawn from.
        q: the one it is compared with.

    >>> import aino
    >>> from aino import distributions as D
    >>> D.kl_divergence(D.Normal(0.0, 1.0), D.Normal(1.0, 1.0))
    tensor(0.5000)
    """
    kinds: tuple[Any, Any] = type(p), type(q)
    function = _found(*kinds)
    if function is None:
        raise NotImplementedError(
            f"no divergence is registered for {type(p).__name__} and {type(q).__name__}"
        )
    return function(p, q)
