"""Tensors of random numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino import dtypes, tracing
from aino.autograd.primitive import unmoved
from aino.autograd.tensor import Tensor, make
from aino.dtypes import as_dtype, get_default_dtype
from aino.errors import DtypeError, ShapeError
from aino.ops.creation.filled import shape_of
from aino.ops.creation.from_data import born
from aino.ops.public import method
from aino.ops.random.generator import Generator, draw
from aino.types import DeviceLike, DType

__all__ = [
    "rand", "randn", "randint", "randperm", "rand_like", "randn_like", "randint_like",
    "normal", "bernoulli", "multinomial", "poisson", "binomial",
]  # fmt: skip


def _floating(name, dtype):
    dtype = get_default_dtype() if dtype is None else as_dtype(dtype)
    if dtype.kind not in "fc":
        raise DtypeError(f"{name}: random numbers of this kind need a float dtype, not {dtype}")
    return dtype


def rand(
    *size: Any,
    generator: Generator | None = None,
    dtype: DType | None = None,
    layout: Any = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
    **more: Any,
) -> Tensor:
    """Return numbers drawn uniformly from [0, 1).

    >>> import aino
    >>> x = aino.rand(2, 3)
    >>> x.shape, (x >= 0).all().item(), (x < 1).all().item()
    (aino.Size([2, 3]), True, True)
    """
    dtype = _floating("rand", dtype)
    return born(draw(generator, "uniform", shape_of(size, more), dtype), device, requires_grad)


def randn(
    *size: Any,
    generator: Generator | None = None,
    dtype: DType | None = None,
    layout: Any = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
    **more: Any,
) -> Tensor:
    """Return numbers drawn from the standard normal distribution.

    >>> import aino
    >>> aino.randn(2, 3, dtype=aino.float64).dtype
    dtype('float64')
    """
    dtype = _floating("randn", dtype)
    return born(draw(generator, "normal", shape_of(size, more), dtype), device, requires_grad)


def randint(
    low: Any = None,
    high: Any = None,
    size: Any = None,
    *,
    generator: Generator | None = None,
    dtype: DType | None = dtypes.int64,
    layout: Any = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return integers drawn uniformly from low, ..., high - 1; ``low`` may be left out.

    >>> import aino
    >>> x = aino.randint(3, 5, (100,))
    >>> x.min().item(), x.max().item()
    (3, 4)
    """
    if size is None and low is not None:
        low, high, size = None, low, high
    elif high is None:
        low, high = None, low
    if high is None:
        raise TypeError("randint: the bound high is missing: randint(high, size)")
    low = 0 if low is None else low
    if not isinstance(size, (tuple, list)):
        raise TypeError(f"randint: expected a shape as a tuple, got {size!r}")
    array = _integers("randint", generator, low, high, shape_of((size,)), as_dtype(dtype))
    return born(array, device, requires_grad)


def _integers(name, generator, low, high, shape, dtype):
    low, high = int(low), int(high)
    if low >= high:
        raise ValueError(f"{name}: no integer lies in {low}, ..., {high - 1}")
    return draw(generator, "integers", shape, dtype, low, high)


def randperm(
    n: int,
    *,
    generator: Generator | None = None,
    dtype: DType | None = dtypes.int64,
    layout: Any = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """Return 0, ..., n - 1 in random order.

    >>> import aino
    >>> sorted(aino.randperm(4).tolist())
    [0, 1, 2, 3]
    """
    if n < 0:
        raise ValueError(f"randperm: n must not be negative, got {n}")
    array = draw(generator, "permutation", (n,), as_dtype(dtype), n)
    return born(array, device, requires_grad)


def rand_like(
    input: Tensor,
    *,
    generator: Generator | None = None,
    dtype: DType | None = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
    **_: Any,
) -> Tensor:
    """Return numbers drawn uniformly from [0, 1), of the shape and dtype of ``input``."""
    dtype = _floating("rand_like", input.dtype if dtype is None else dtype)
    return born(draw(generator, "uniform", input.array.shape, dtype), device, requires_grad)


def randn_like(
    input: Tensor,
    *,
    generator: Generator | None = None,
    dtype: DType | None = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
    **_: Any,
) -> Tensor:
    """Return standard normal numbers, of the shape and dtype of ``input``."""
    dtype = _floating("randn_like", input.dtype if dtype is None else dtype)
    return born(draw(generator, "normal", input.array.shape, dtype), device, requires_grad)


def randint_like(
    input: Tensor,
    low: Any = None,
    high: Any = None,
    *,
    generator: Generator | None = None,
    dtype: DType | None = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
    **_: Any,
) -> Tensor:
    """Return integers drawn from low, ..., high - 1, of the shape and dtype of ``input``."""
    if high is None:
        low, high = 0, low
    if high is None:
        raise TypeError("randint_like: the bound high is missing")
    low = 0 if low is None else low
    dtype = input.dtype if dtype is None else as_dtype(dtype)
    array = _integers("randint_like", generator, low, high, input.array.shape, dtype)
    return born(array, device, requires_grad)


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
) -> Tensor:
    """Return numbers drawn from normal distributions.

    ``mean`` and ``std`` are tensors, which are broadcast, or numbers, with a ``size``. Their
    gradient is zero; ``mean + std * aino.randn_like(mean)`` is differentiable. Raises
    ``ValueError`` for a negative ``std``.

    >>> import aino
    >>> aino.normal(5.0, 0.0, (2,))
    tensor([5., 5.])
    """
    tensors = [x for x in (mean, std) if isinstance(x, Tensor)]
    if not tensors:
        if size is None:
            raise TypeError("normal: a size is needed where mean and std are numbers")
        shape, dtype = shape_of((size,)), _floating("normal", dtype)
    else:
        if size is not None:
            raise TypeError("normal: the size follows from the tensors mean and std")
        shape = np.broadcast_shapes(*(x.array.shape for x in tensors))
        dtype = _floating("normal", tensors[0].dtype)
    mean, std = [x.array if isinstance(x, Tensor) else x for x in (mean, std)]
    tracing.checked(check_std, "normal", std)
    noise = draw(generator, "normal", shape, dtype)
    drawn = born((noise * std + mean).astype(dtype), device, requires_grad)
    for x in tensors:
        drawn = unmoved(drawn, x)
    return drawn


def check_std(name, std) -> None:
    """Raise for a negative standard deviation."""
    if not np.all(std >= 0):
        raise ValueError(f"{name}: std must not be negative")


@method
def bernoulli(input: Tensor, p: Any = None, *, generator: Generator | None = None) -> Tensor:
    """Return ones with the probabilities ``input`` (or ``p``), zeros otherwise.

    The result has the shape and dtype of ``input``, whose gradient is zero. Raises
    ``ValueError`` for what is no probability.

    >>> import aino
    >>> aino.bernoulli(aino.tensor([0.0, 1.0]))
    tensor([0., 1.])
    """
    dtype = input.dtype
    if p is None:
        if dtype.kind != "f":
            raise DtypeError(f"bernoulli: probabilities are of a float dtype, not {dtype}")
        p = input.array
    return unmoved(make(trials("bernoulli", generator, p, input.array.shape, dtype)), input)


def trials(name, generator, p, shape, dtype):
    """Return an array of ones with probability ``p``, a number or an array, zeros otherwise."""
    tracing.checked(_check_probability, p, name)
    kind = dtypes.float64 if getattr(p, "dtype", None) == dtypes.float64 else dtypes.float32
    return (draw(generator, "uniform", shape, kind) < p).astype(dtype)


def _check_rates(array) -> None:
    if not np.all(array >= 0):
        raise ValueError("poisson: a rate must not be negative")


def _check_trials(counts, p) -> None:
    if not (np.all(counts >= 0) and np.all((p >= 0) & (p <= 1))):
        raise ValueError("binomial: counts must not be negative, probabilities in 0 to 1")


def _check_weights(weights) -> None:
    if not (np.isfinite(weights).all() and np.all(weights >= 0)):
        raise ValueError("multinomial: a weight is inf, nan or negative")
    if not np.all(np.add.reduce(weights, axis=-1) > 0):
        raise ValueError("multinomial: the weights sum to zero")


def _check_probability(p, name: str) -> None:
    if not np.all((p >= 0) & (p <= 1)):
        raise ValueError(f"{name}: a probability lies between 0 and 1, got {p}")


def poisson(input: Tensor, generator: Generator | None = None) -> Tensor:
    """Return counts drawn from Poisson distributions of the rates ``input``, of its dtype.

    >>> import aino
    >>> aino.poisson(aino.zeros(2))
    tensor([0., 0.])
    """
    array = input.array
    _floating("poisson", array.dtype)
    tracing.checked(_check_rates, array)
    return unmoved(make(draw(generator, "poisson", array.shape, array.dtype, array)), input)


def binomial(count: Tensor, prob: Tensor, generator: Generator | None = None) -> Tensor:
    """Return how many of ``count`` trials succeed with the probability ``prob``, elementwise.

    >>> import aino
    >>> aino.binomial(aino.tensor([10.0, 10.0]), aino.tensor([0.0, 1.0]))
    tensor([ 0., 10.])
    """
    counts, p = count.array, prob.array
    dtype = _floating("binomial", counts.dtype)
    tracing.checked(_check_trials, counts, p)
    shape = np.broadcast_shapes(counts.shape, p.shape)
    return make(draw(generator, "binomial", shape, dtype, counts.astype(np.int64), p))


@method
def multinomial(
    input: Tensor,
    num_samples: int,
    replacement: bool = False,
    *,
    generator: Generator | None = None,
) -> Tensor:
    """Return the indices of categories drawn with probabilities proportional to ``input``.

    ``(n,) -> (num_samples,)`` or ``(rows, n) -> (rows, num_samples)``, int64. Without
    replacement no category is drawn twice: those with the smallest Eᵢ / pᵢ are taken, where the
    Eᵢ are exponentially distributed. Raises ``ValueError`` for weights that are no distribution.

    >>> import aino
    >>> aino.multinomial(aino.tensor([0.0, 3.0, 0.0]), 2, replacement=True)
    tensor([1, 1])

    Source: Efraimidis and Spirakis, Weighted random sampling with a reservoir (2006).
    """
    weights = input.array
    if weights.ndim not in (1, 2):
        raise ShapeError(f"multinomial: the weights are 1-D or 2-D, not {weights.shape}")
    if weights.dtype.kind != "f":
        raise DtypeError(f"multinomial: the weights are of a float dtype, not {weights.dtype}")
    if num_samples <= 0:
        raise ValueError(f"multinomial: at least one sample must be drawn, not {num_samples}")
    if not replacement and num_samples > weights.shape[-1]:
        raise ValueError(
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
    places = places * cumulative[..., -1:]
    if weights.ndim == 1:
        return np.searchsorted(cumulative, places, "right")
    return np.stack([np.searchsorted(c, row, "right") for c, row in zip(cumulative, places)])
