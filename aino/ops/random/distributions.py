"""Tensors of random numbers whose distribution tensors describe."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino import dtypes, tracing
from aino.autograd.duck import still
from aino.autograd.primitive import unmoved
from aino.autograd.tensor import Tensor, make
from aino.errors import ArgumentError, DtypeError, ShapeError
from aino.ops.creation.filled import shape_of
from aino.ops.creation.from_data import born
from aino.ops.out import dtype_for, into
from aino.ops.public import method, takes_out
from aino.ops.random.generator import Generator, draw
from aino.ops.random.sampling import floating
from aino.types import DeviceLike, DType

__all__ = ["normal", "bernoulli", "multinomial", "poisson", "binomial"]


def normal(
    mean: Any,
    std: Any = 1.0,
    size: Any = None,
    *,
    generator: Generator | None = None,
    dtype: DType | None = None,
    layout: Any = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
    out: Tensor | None = None,
) -> Tensor:
    """Return numbers drawn from normal distributions, N(mean, std²).

    No gradient reaches ``mean`` and ``std`` but zero; it does in ``mean + std *
    aino.randn_like(mean)``. Raises ``ArgumentError`` for a negative ``std``.

    Arguments:
        mean: a mean for each number, or one for all.
        std: a standard deviation for each number, or one for all; tensors are broadcast.
        size: the shape, where both are numbers; it follows from tensors.
        generator: where the random numbers come from; the default generator for None.
        dtype, layout, device, requires_grad, pin_memory: as for ``randn``, where both are numbers.
        out: a tensor that is written and returned.

    >>> import aino
    >>> aino.normal(5.0, 0.0, (2,))
    tensor([5., 5.])
    """
    tensors = [x for x in (mean, std) if isinstance(x, Tensor)]
    if not tensors:
        if size is None:
            raise TypeError("normal: a size is needed where mean and std are numbers")
        shape, dtype = shape_of((size,)), floating("normal", dtype_for(out, dtype, "normal"))
    else:
        named = [option is not None for option in (size, dtype, layout, device)]
        if any([*named, requires_grad, pin_memory]):
            raise TypeError(
                "normal: size, dtype and device follow from the tensors mean and std; leave size, "
                "dtype, layout, device, requires_grad and pin_memory out"
            )
        shape = np.broadcast_shapes(*(x.array.shape for x in tensors))
        dtype = floating("normal", tensors[0].dtype)
    mean, std = [x.array if isinstance(x, Tensor) else x for x in (mean, std)]
    tracing.checked(check_std, "normal", std)
    noise = draw(generator, "normal", shape, dtype)
    drawn = born((noise * std + mean).astype(dtype), device, requires_grad, layout, pin_memory)
    for x in tensors:
        drawn = unmoved(drawn, x)
    return into(out, drawn, "normal")


def check_std(name, std) -> None:
    """Raise for a negative standard deviation."""
    if not np.all(std >= 0):
        raise ArgumentError(f"{name}: std must not be negative")


@method
@takes_out
def bernoulli(
    input: Tensor, p: Any = None, *, generator: Generator | None = None, out: Tensor | None = None
) -> Tensor:
    """Return ones where a draw succeeds, zeros elsewhere, in the shape and dtype of ``input``.

    The gradient of ``input`` is zero. Raises ``ArgumentError`` for what is no probability.

    Arguments:
        input: the probability of a one, for each element.
        p: one probability for all elements, in place of what ``input`` holds.
        generator: where the random numbers come from; the default generator for None.

    >>> import aino
    >>> aino.bernoulli(aino.tensor([0.0, 1.0]))
    tensor([0., 1.])
    """
    dtype = input.dtype
    if p is None:
        if dtype.kind != "f":
            raise DtypeError(f"bernoulli: probabilities are of a float dtype, not {dtype}")
        p = still(input.array)
    return unmoved(make(trials("bernoulli", generator, p, input.array.shape, dtype)), input)


def trials(name, generator, p, shape, dtype):
    """Return an array of ones with probability ``p``, a number or an array, zeros otherwise."""
    tracing.checked(_check_probability, p, name)
    kind = dtypes.float64 if getattr(p, "dtype", None) == dtypes.float64 else dtypes.float32
    return (draw(generator, "uniform", shape, kind) < p).astype(dtype)


def _check_rates(array) -> None:
    if not np.all(array >= 0):
        raise ArgumentError("poisson: a rate must not be negative")


def _check_trials(counts, p) -> None:
    if not (np.all(counts >= 0) and np.all((p >= 0) & (p <= 1))):
        raise ArgumentError("binomial: counts must not be negative, probabilities in 0 to 1")


def _check_weights(weights) -> None:
    if not (np.isfinite(weights).all() and np.all(weights >= 0)):
        raise ArgumentError("multinomial: a weight is inf, nan or negative")
    if not np.all(np.add.reduce(weights, axis=-1) > 0):
        raise ArgumentError("multinomial: the weights sum to zero")


def _check_probability(p, name: str) -> None:
    if not np.all((p >= 0) & (p <= 1)):
        raise ArgumentError(f"{name}: a probability lies between 0 and 1, got {p}")


def poisson(input: Tensor, generator: Generator | None = None) -> Tensor:
    """Return counts drawn from Poisson distributions: ``P(k) = λᵏ e⁻λ / k!``.

    They are of the dtype of ``input``, whose gradient is zero. Raises ``ArgumentError`` for a
    negative rate, ``DtypeError`` for rates that are not floating-point.

    Arguments:
        input: the rate λ, the mean of the counts, for each element.
        generator: where the random numbers come from; the default generator for None.

    >>> import aino
    >>> aino.poisson(aino.zeros(2))
    tensor([0., 0.])
    """
    array = input.array
    floating("poisson", array.dtype)
    tracing.checked(_check_rates, array)
    return unmoved(make(draw(generator, "poisson", array.shape, array.dtype, array)), input)


def binomial(count: Tensor, prob: Tensor, generator: Generator | None = None) -> Tensor:
    """Return how many of some trials succeed, in the dtype of ``count``.

    Raises ``ArgumentError`` for a negative count, and for what is no probability.

    Arguments:
        count: how many trials, for each element: whole numbers of a floating-point dtype.
        prob: with what probability each of them succeeds; broadcast with ``count``.
        generator: where the random numbers come from; the default generator for None.

    >>> import aino
    >>> aino.binomial(aino.tensor([10.0, 10.0]), aino.tensor([0.0, 1.0]))
    tensor([ 0., 10.])
    """
    counts, p = count.array, prob.array
    dtype = floating("binomial", counts.dtype)
    tracing.checked(_check_trials, counts, p)
    shape = np.broadcast_shapes(counts.shape, p.shape)
    return make(draw(generator, "binomial", shape, dtype, counts.astype(np.int64), p))


@method
@takes_out
def multinomial(
    input: Tensor,
    num_samples: int,
    replacement: bool = False,
    *,
    generator: Generator | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """Return the indices of categories drawn with probabilities proportional to ``input``.

    ``(n,) -> (num_samples,)`` or ``(rows, n) -> (rows, num_samples)``, int64. Without
    replacement those with the smallest Eᵢ / pᵢ are taken, where the Eᵢ are exponentially
    distributed. Raises ``ArgumentError`` for weights that are no distribution, and for more samples
    than there are categories.

    Arguments:
        input: the weight of each category, 0 or more; they need not sum to 1.
        num_samples: how many to draw of each row.
        replacement: whether a category may be drawn again.
        generator: where the random numbers come from; the default generator for None.

    >>> import aino
    >>> aino.multinomial(aino.tensor([0.0, 3.0, 0.0]), 2, replacement=True)
    tensor([1, 1])

    Source: Efraimidis and Spirakis, Weighted random sampling with a reservoir (2006).
    """
    weights = still(input.array)
    if weights.ndim not in (1, 2):
        raise ShapeError(f"multinomial: the weights are 1-D or 2-D, not {weights.shape}")
    if weights.dtype.kind != "f":
        raise DtypeError(f"multinomial: the weights are of a float dtype, not {weights.dtype}")
    if num_samples <= 0:
        raise ArgumentError(f"multinomial: at least one sample must be drawn, not {num_samples}")
    if weights.shape[-1] > 1 << 24:
        raise ArgumentError(
            f"multinomial: at most 2^24 categories can be drawn from, not {weights.shape[-1]}"
        )
    if not replacement and num_samples > weights.shape[-1]:
        raise ArgumentError(
            f"multinomial: {num_samples} samples can't be drawn from {weights.shape[-1]} "
            "categories without replacement"
        )
    tracing.checked(_check_weights, weights)
    weights = weights.astype(np.float64)
    if replacement:
        return make(_with_replacement(generator, weights, num_samples))
    waits = draw(generator, "exponential", weights.shape, dtypes.float64)
    with np.errstate(divide="ignore"):
        order = np.argsort(waits / weights, axis=-1, kind="stable")
    return make(order[..., :num_samples].copy())


def _with_replacement(generator, weights, count):
    """Look uniform numbers up in the cumulative weights."""
    cumulative = np.cumsum(weights, axis=-1)
    places = draw(generator, "uniform", (*weights.shape[:-1], count), dtypes.float64)
    return _lookup(cumulative, places * cumulative[..., -1:])


@tracing.opaque
def _lookup(cumulative, places):
    """Return how many of a row's cumulative weights are not above each of its places.

    Each step of the search halves what is left, for all places of all rows at once.
    """
    length = cumulative.shape[-1]
    found = np.zeros(places.shape, np.int64)
    for step in [1 << k for k in reversed(range(length.bit_length()))]:
        further = np.minimum(found + step, length)
        beyond = np.take_along_axis(cumulative, further - 1, -1) <= places
        found = np.where(beyond, further, found)
    # A place that was rounded up to the sum of all belongs to the last category that has a weight.
    last = np.sum(cumulative < cumulative[..., -1:], axis=-1, keepdims=True)
    return np.minimum(found, last)
