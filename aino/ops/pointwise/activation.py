"""Activation functions."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.autograd.rules import activation as rules
from aino.autograd.rules import compare
from aino.autograd.rules.elementwise import mul, sigmoid, sub
from aino.autograd.rules.special import normal_cdf
from aino.autograd.rules.trigonometry import tanh
from aino.autograd.tensor import Tensor, make
from aino.errors import ArgumentError, DtypeError, ShapeError
from aino.ops.arguments import dim_of
from aino.ops.public import method, operation, takes_out
from aino.ops.random.generator import Generator, draw

__all__ = [
    "relu", "relu6", "leaky_relu", "prelu", "rrelu", "elu", "selu", "celu", "gelu", "silu",
    "mish", "softplus", "softsign", "hardtanh", "hardsigmoid", "hardswish", "hardshrink",
    "softshrink", "tanhshrink", "threshold", "logsigmoid", "glu",
]  # fmt: skip

# Klambauer et al., "Self-Normalizing Neural Networks" (2017): with these, activations keep mean
# 0 and variance 1.
_SELU_ALPHA = 1.6732632423543772848170429916717
_SELU_SCALE = 1.0507009873554804934193349852946


@operation(rules.relu, inplace=True)
def relu(input: Tensor) -> Tensor:
    """Return the rectified input: ``max(0, x)``. At 0 the derivative is 0.

    >>> import aino
    >>> aino.relu(aino.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """


def relu6(input: Tensor) -> Tensor:
    """Return the rectified input, 6 at most: ``min(max(0, x), 6)``.

    >>> import aino
    >>> aino.nn.functional.relu6(aino.tensor([-1.0, 2.0, 8.0]))
    tensor([0., 2., 6.])
    """
    return hardtanh(input, 0.0, 6.0)


def leaky_relu(input: Tensor, negative_slope: float = 0.01) -> Tensor:
    """Return x where it is positive, else ``negative_slope · x``.

    Arguments:
        input: a tensor.
        negative_slope: the slope where x is negative.

    >>> import aino
    >>> aino.nn.functional.leaky_relu(aino.tensor([-1.0, 2.0]), 0.1)
    tensor([-0.1000,  2.0000])
    """
    return rules.leaky_relu(input, negative_slope)


@method
def prelu(input: Tensor, weight: Any) -> Tensor:
    """Return x where it is positive, else ``weight · x``.

    Raises ``ShapeError`` where there are more weights than one, but not one for each channel.
    He et al., "Delving Deep into Rectifiers" (2015).

    Arguments:
        input: a tensor, its channels in dimension 1.
        weight: the slope for all channels, or one for each: 0-d or 1-D.

    >>> import aino
    >>> aino.prelu(aino.tensor([-1.0, 2.0]), aino.tensor([0.5]))
    tensor([-0.5000,  2.0000])
    """
    if weight.ndim > 1:
        raise ShapeError(f"prelu: the weight has at most one dimension, got {weight.array.shape}")
    count = weight.array.size
    if count != 1:
        channels = input.array.shape[1] if input.ndim > 1 else 1
        if channels != count:
            raise ShapeError(
                f"prelu: {count} weights for {channels} channels; the input has shape "
                f"{input.array.shape}"
            )
        weight = weight.reshape((count,) + (1,) * (input.ndim - 2))
    elif weight.ndim and not input.ndim:
        weight = weight.reshape(())
    return rules.prelu(input, weight)


def rrelu(
    input: Tensor,
    lower: float = 1.0 / 8,
    upper: float = 1.0 / 3,
    training: bool = False,
    generator: Generator | None = None,
) -> Tensor:
    """Return x where it is positive, else x times a slope, which is random in training.

    Raises ``ValueError`` where the bounds cross. Xu et al., "Empirical Evaluation of Rectified
    Activations" (2015).

    Arguments:
        input: a tensor.
        lower: the lowest slope.
        upper: the highest slope.
        training: whether a slope is drawn for each element; else it is the middle of the two.
        generator: where the random numbers come from; the default generator for None.

    >>> import aino
    >>> aino.rrelu(aino.tensor([-1.0, 2.0]), 0.0, 0.5)
    tensor([-0.2500,  2.0000])
    """
    if lower > upper:
        raise ArgumentError(f"rrelu: the lower bound {lower} is above the upper bound {upper}")
    if not training:
        return rules.leaky_relu(input, (lower + upper) / 2.0)
    array = input.array
    slopes = draw(generator, "uniform", array.shape, array.dtype) * (upper - lower) + lower
    return mul(input, make(compare.where(array > 0, np.ones_like(array), slopes)))


def elu(input: Tensor, alpha: float = 1.0) -> Tensor:
    """Return x where it is positive, else ``alpha · (eˣ - 1)``.

    Clevert et al., "Fast and Accurate Deep Network Learning by Exponential Linear Units" (2016).

    Arguments:
        input: a tensor.
        alpha: minus the limit towards negative infinity.

    >>> import aino
    >>> aino.nn.functional.elu(aino.tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """
    return rules.elu(input, alpha)


def selu(input: Tensor) -> Tensor:
    """Return ``1.0507 · elu(x, 1.6733)``, which keeps activations at mean 0 and variance 1.

    Klambauer et al., "Self-Normalizing Neural Networks" (2017).

    >>> import aino
    >>> aino.selu(aino.tensor([-1.0, 2.0]))
    tensor([-1.1113,  2.1014])
    """
    return mul(rules.elu(input, _SELU_ALPHA), _SELU_SCALE)


def celu(input: Tensor, alpha: float = 1.0) -> Tensor:
    """Return x where it is positive, else ``alpha · (e^(x / alpha) - 1)``.

    Raises ``ValueError`` for an alpha of 0. Barron, "Continuously Differentiable Exponential Linear
    Units" (2017).

    Arguments:
        input: a tensor.
        alpha: minus the limit towards negative infinity.

    >>> import aino
    >>> aino.celu(aino.tensor([-1.0, 2.0]), alpha=2.0)
    tensor([-0.7869,  2.0000])
    """
    if alpha == 0:
        raise ArgumentError("celu: alpha can't be 0")
    return rules.celu(input, alpha)


def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """Return x times the normal distribution at x: ``x · Φ(x) = x · ½ (1 + erf(x / √2))``.

    Raises ``ValueError`` for another approximation. Hendrycks and Gimpel, "Gaussian Error Linear
    Units" (2016).

    Arguments:
        input: a tensor.
        approximate: ``"none"``, or ``"tanh"`` for ``½ x (1 + tanh(√(2/π) (x + 0.044715 x³)))``.

    >>> import aino
    >>> aino.nn.functional.gelu(aino.tensor([-1.0, 2.0]))
    tensor([-0.1587,  1.9545])
    """
    if approximate == "none":
        return mul(input, normal_cdf(input))
    if approximate == "tanh":
        return rules.gelu_tanh(input)
    raise ArgumentError(f"gelu: approximate is 'none' or 'tanh', not {approximate!r}")


@operation(rules.silu, bound=False)
def silu(input: Tensor) -> Tensor:
    """Return x times the logistic function, also called swish: ``x · σ(x)``.

    >>> import aino
    >>> aino.nn.functional.silu(aino.tensor([-1.0, 2.0]))
    tensor([-0.2689,  1.7616])
    """


@operation(rules.mish, bound=False)
def mish(input: Tensor) -> Tensor:
    """Return ``x · tanh(softplus(x))``. Misra, "Mish" (2019).

    >>> import aino
    >>> aino.nn.functional.mish(aino.tensor([-1.0, 2.0]))
    tensor([-0.3034,  1.9440])
    """


def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """Return a smooth rectifier: ``ln(1 + e^(beta · x)) / beta``.

    Arguments:
        input: a tensor.
        beta: how sharply it bends at 0.
        threshold: where ``beta · x`` is above it, x itself is returned.

    >>> import aino
    >>> aino.nn.functional.softplus(aino.tensor([-1000.0, 0.0, 1000.0]))
    tensor([0.0000e+00, 6.9315e-01, 1.0000e+03])
    """
    return rules.softplus(input, beta, threshold)


@operation(rules.softsign, bound=False)
def softsign(input: Tensor) -> Tensor:
    """Return ``x / (1 + |x|)``.

    >>> import aino
    >>> aino.nn.functional.softsign(aino.tensor([-1.0, 3.0]))
    tensor([-0.5000,  0.7500])
    """


def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0) -> Tensor:
    """Return x within [min_val, max_val]; at the bounds the derivative is 0.

    Raises ``ValueError`` where the bounds cross.

    Arguments:
        input: a tensor.
        min_val: the lower bound.
        max_val: the upper bound.

    >>> import aino
    >>> aino.nn.functional.hardtanh(aino.tensor([-2.0, 0.5, 3.0]))
    tensor([-1.0000,  0.5000,  1.0000])
    """
    if min_val > max_val:
        raise ArgumentError(f"hardtanh: min_val {min_val} is above max_val {max_val}")
    kind = input.dtype.kind
    if kind != "f":
        if kind in "bc" or (kind == "u" and min_val < 0):
            raise DtypeError(f"hardtanh: {input.dtype} can't be kept within its bounds")
        min_val, max_val = int(min_val), int(max_val)
    return rules.hardtanh(input, min_val, max_val)


@operation(rules.hardsigmoid, bound=False)
def hardsigmoid(input: Tensor) -> Tensor:
    """Return ``(x + 3) / 6`` within [0, 1].

    >>> import aino
    >>> aino.nn.functional.hardsigmoid(aino.tensor([-4.0, 0.0, 4.0]))
    tensor([0.0000, 0.5000, 1.0000])
    """


@operation(rules.hardswish, bound=False)
def hardswish(input: Tensor) -> Tensor:
    """Return ``x · hardsigmoid(x)``. Howard et al., "Searching for MobileNetV3" (2019).

    >>> import aino
    >>> aino.nn.functional.hardswish(aino.tensor([-1.0, 1.0, 4.0]))
    tensor([-0.3333,  0.6667,  4.0000])
    """


@method
@takes_out
def hardshrink(input: Tensor, lambd: float = 0.5, *, out: Tensor | None = None) -> Tensor:
    """Return x where ``|x|`` is above ``lambd``, else 0.

    Arguments:
        input: a tensor.
        lambd: how far from 0 elements become 0.

    >>> import aino
    >>> aino.hardshrink(aino.tensor([-1.0, 0.3]))
    tensor([-1.,  0.])
    """
    return rules.hardshrink(input, lambd)


def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """Return x moved by ``lambd`` towards 0, and 0 where it would pass it.

    Raises ``ValueError`` for a negative ``lambd``.

    Arguments:
        input: a tensor.
        lambd: how far elements are moved.

    >>> import aino
    >>> aino.nn.functional.softshrink(aino.tensor([-1.0, 0.3]))
    tensor([-0.5000,  0.0000])
    """
    if lambd < 0:
        raise ArgumentError(f"softshrink: lambd can't be negative, got {lambd}")
    return rules.softshrink(input, lambd)


def tanhshrink(input: Tensor) -> Tensor:
    """Return ``x - tanh(x)``.

    >>> import aino
    >>> aino.nn.functional.tanhshrink(aino.tensor([-1.0, 2.0]))
    tensor([-0.2384,  1.0360])
    """
    return sub(input, tanh(input))


@takes_out
def threshold(input: Tensor, threshold: float, value: Any, *, out: Tensor | None = None) -> Tensor:
    """Return x where it is above a threshold, else another number.

    Arguments:
        input: a tensor.
        threshold: above which number x stays.
        value: the number that stands for the others.

    >>> import aino
    >>> aino.threshold(aino.tensor([-1.0, 2.0]), 0.5, -7.0)
    tensor([-7.,  2.])
    """
    if input.dtype.kind in "iu":
        threshold, value = int(threshold), int(value)
    return rules.threshold(input, threshold, value)


@operation(rules.logsigmoid, bound=False)
def logsigmoid(input: Tensor) -> Tensor:
    """Return the logarithm of the logistic function: ``-ln(1 + e⁻ˣ)``, without overflow.

    >>> import aino
    >>> aino.nn.functional.logsigmoid(aino.tensor([-1000.0, 0.0]))
    tensor([-1.0000e+03, -6.9315e-01])
    """


def glu(input: Tensor, dim: Any = -1) -> Tensor:
    """Return the first half along a dimension, gated by the second: ``a · σ(b)``.

    Raises ``ShapeError`` when the length is odd. Dauphin et al., "Language Modeling with Gated
    Convolutional Networks" (2017).

    Arguments:
        input: a tensor, of an even length in ``dim``.
        dim: the dimension that is halved.

    >>> import aino
    >>> aino.nn.functional.glu(aino.tensor([1.0, 2.0, 0.0, 100.0]))
    tensor([0.5000, 2.0000])
    """
    if not input.ndim:
        raise ShapeError("glu: a 0-d tensor can't be halved")
    dim = dim_of(dim, input.ndim)
    length = input.array.shape[dim]
    if length % 2:
        raise ShapeError(f"glu: length {length} of dimension {dim} is odd: it can't be halved")
    before, half = (slice(None),) * dim, length // 2
    return mul(input[(*before, slice(half))], sigmoid(input[(*before, slice(half, None))]))
