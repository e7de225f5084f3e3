"""Random numbers written into a tensor's own memory."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from aino import dtypes
from aino.autograd.inplace import check_writable, rebind, write
from aino.autograd.mode import mode
from aino.autograd.tensor import Tensor
from aino.errors import ArgumentError, DtypeError
from aino.ops.creation.from_data import born
from aino.ops.public import method
from aino.ops.random.distributions import check_std, trials
from aino.ops.random.generator import Generator, draw

__all__: list[str] = []


def _fill(self, values, name):
    """Write an array into a tensor; what led to its old value gets no gradient any more."""
    recording = mode.level and self.requires_grad
    if recording:
        check_writable(self, name)
    write(self.array, values, name)
    if recording:
        rebind(self, born(values))
    return self


def _continuous(self, name):
    dtype = self.array.dtype
    if dtype.kind not in "fc":
        raise DtypeError(f"{name}: random numbers of this kind need a float dtype, not {dtype}")
    return dtype


def _real(self, name):
    dtype = _continuous(self, name)
    if dtype.kind == "c":
        raise DtypeError(f"{name}: random numbers of this kind are real, the tensor is {dtype}")
    return dtype


@method
def uniform_(
    self: Tensor, from_: float = 0.0, to: Any = 1.0, *, generator: Generator | None = None
) -> Tensor:
    """Fill with numbers drawn uniformly from [from_, to); returns itself.

    Raises ``ArgumentError`` where ``to`` is below ``from_``, ``DtypeError`` for integers.

    Arguments:
        from_: the lower bound.
        to: the upper bound, which is not drawn.
        generator: where the random numbers come from; the default generator for None.

    >>> import aino
    >>> x = aino.empty(100).uniform_(2, 3)
    >>> bool(((x >= 2) & (x <= 3)).all())
    True
    """
    dtype = _continuous(self, "uniform_")
    if not from_ <= to:
        raise ArgumentError(f"uniform_: the interval [{from_}, {to}) is empty")
    values = draw(generator, "uniform", self.array.shape, dtype)
    return _fill(self, values * (to - from_) + from_, "uniform_")


@method
def normal_(
    self: Tensor, mean: Any = 0.0, std: Any = 1.0, *, generator: Generator | None = None
) -> Tensor:
    """Fill with numbers drawn from the normal distribution N(mean, std²); returns itself.

    Raises ``ArgumentError`` for a negative ``std``, ``DtypeError`` for integers.

    Arguments:
        mean: the mean.
        std: the standard deviation.
        generator: where the random numbers come from; the default generator for None.

    >>> import aino
    >>> aino.empty(2).normal_(5.0, 0.0)
    tensor([5., 5.])
    """
    dtype = _continuous(self, "normal_")
    check_std("normal_", std)
    values = draw(generator, "normal", self.array.shape, dtype)
    return _fill(self, values * std + mean, "normal_")


@method
def exponential_(self: Tensor, lambd: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Fill with numbers of the exponential density ``lambd · e^(-lambd x)``; returns itself.

    Raises ``ArgumentError`` unless ``lambd`` is positive, ``DtypeError`` for integers.

    Arguments:
        lambd: the rate; the mean of the numbers is 1 / lambd.
        generator: where the random numbers come from; the default generator for None.

    >>> import aino
    >>> bool((aino.empty(100).exponential_(2.0) >= 0).all())
    True
    """
    dtype = _real(self, "exponential_")
    if not lambd > 0:
        raise ArgumentError(f"exponential_: lambd must be positive, got {lambd}")
    values = draw(generator, "exponential", self.array.shape, dtype)
    return _fill(self, values / lambd, "exponential_")


@method
def log_normal_(
    self: Tensor, mean: Any = 1.0, std: Any = 2.0, *, generator: Generator | None = None
) -> Tensor:
    """Fill with numbers whose logarithms are of the distribution N(mean, std²); returns itself.

    Raises ``ArgumentError`` unless ``std`` is positive, ``DtypeError`` for integers.

    Arguments:
        mean: the mean of the logarithms.
        std: the standard deviation of the logarithms.
        generator: where the random numbers come from; the default generator for None.

    >>> import aino
    >>> bool((aino.empty(100).log_normal_() > 0).all())
    True
    """
    dtype = _real(self, "log_normal_")
    if not std > 0:
        raise ArgumentError(f"log_normal_: std must be positive, got {std}")
    values = draw(generator, "normal", self.array.shape, dtype)
    return _fill(self, np.exp(values * std + mean), "log_normal_")


@method
def cauchy_(
    self: Tensor, median: float = 0.0, sigma: float = 1.0, *, generator: Generator | None = None
) -> Tensor:
    """Fill with numbers of the Cauchy density ``σ / π / ((x - median)² + σ²)``; returns itself.

    Raises ``ArgumentError`` unless ``sigma`` is positive, ``DtypeError`` for integers.

    Arguments:
        median: where the density is highest.
        sigma: σ, the distance from there to where it is half as high.
        generator: where the random numbers come from; the default generator for None.

    >>> import aino
    >>> aino.empty(2, 3).cauchy_().shape
    aino.Size([2, 3])
    """
    dtype = _real(self, "cauchy_")
    if not sigma > 0:
        raise ArgumentError(f"cauchy_: sigma must be positive, got {sigma}")
    values = draw(generator, "uniform", self.array.shape, dtype)
    return _fill(self, np.tan((values - 0.5) * math.pi) * sigma + median, "cauchy_")


@method
def geometric_(self: Tensor, p: Any, *, generator: Generator | None = None) -> Tensor:
    """Fill with how many trials it takes to succeed, ``P(k) = (1 - p)ᵏ⁻¹ p``; returns itself.

    Raises ``ArgumentError`` unless p lies between 0 and 1, ``DtypeError`` for booleans and complex
    numbers.

    Arguments:
        p: the probability that a trial succeeds.
        generator: where the random numbers come from; the default generator for None.

    >>> import aino
    >>> bool((aino.empty(100).geometric_(0.5) >= 1).all())
    True
    """
    if self.array.dtype.kind not in "fiu":
        raise DtypeError(f"geometric_: counts are real numbers, the tensor is {self.array.dtype}")
    if not 0 < p < 1:
        raise ArgumentError(f"geometric_: p must lie between 0 and 1, got {p}")
    waits = draw(generator, "exponential", self.array.shape, dtypes.float64)
    return _fill(self, np.maximum(np.ceil(waits / -math.log1p(-p)), 1.0), "geometric_")


@method
def bernoulli_(self: Tensor, p: Any = 0.5, *, generator: Generator | None = None) -> Tensor:
    """Fill with ones where a draw succeeds, zeros elsewhere; returns itself.

    Raises ``ArgumentError`` for what is no probability.

    Arguments:
        p: the probability of a one: a number, or a tensor that is broadcast.
        generator: where the random numbers come from; the default generator for None.

    >>> import aino
    >>> aino.empty(2).bernoulli_(1.0)
    tensor([1., 1.])
    """
    array = self.array
    p = p.array if isinstance(p, Tensor) else p
    return _fill(self, trials("bernoulli_", generator, p, array.shape, array.dtype), "bernoulli_")


@method
def random_(
    self: Tensor, from_: float | None = None, to: Any = None, *, generator: Generator | None = None
) -> Tensor:
    """Fill with integers drawn uniformly from from_, ..., to - 1; returns itself.

    Without limits they are drawn from 0 to the largest of an integer dtype, or as far as a
    floating-point dtype tells neighbours apart. Raises ``ArgumentError`` where no integer lies
    between the limits, ``DtypeError`` for complex numbers.

    Arguments:
        from_: the smallest integer; a single limit, ``random_(to)``, is the upper one.
        to: what is above the largest integer.
        generator: where the random numbers come from; the default generator for None.

    >>> import aino
    >>> sorted(set(aino.empty(100).random_(2, 4).tolist()))
    [2.0, 3.0]
    """
    dtype = self.array.dtype
    if dtype.kind == "c":
        raise DtypeError("random_: integers are real, the tensor is complex")
    if from_ is not None and to is None:
        from_, to = 0, from_
    low = 0 if from_ is None else int(from_)
    high = _largest(dtype) + 1 if to is None else int(to)
    if low >= high:
        raise ArgumentError(f"random_: no integer lies in {low}, ..., {high - 1}")
    if dtype.kind in "iu" and high - 1 > _largest(dtype):
        raise DtypeError(f"random_: {dtype} can't hold {high - 1}")
    values = draw(generator, "integers", self.array.shape, dtype, low, high)
    return _fill(self, values, "random_")


def _largest(dtype) -> int:
    """Return the largest integer that ``random_`` draws for a dtype."""
    if dtype.kind == "b":
        return 1
    if dtype.kind in "iu":
        return int(np.iinfo(dtype).max)
    return 2 ** (np.finfo(dtype).nmant + 1)
