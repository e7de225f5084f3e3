"""The error function, the gamma function's logarithm, and what belongs to them."""

from __future__ import annotations

import math
from operator import index
from typing import Any

from aino.autograd.rules import gamma, zeta
from aino.autograd.rules import special as rules
from aino.autograd.tensor import Tensor
from aino.errors import ArgumentError, ShapeError
from aino.ops.public import method, operation, takes_out

__all__ = ["erf", "erfc", "erfinv", "lgamma", "digamma", "polygamma", "mvlgamma", "sinc"]


@operation(rules.erf, inplace=True)
def erf(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the error function: ``2/√π ∫₀ˣ exp(-t²) dt``.

    >>> import aino
    >>> aino.erf(aino.tensor([0.0, 1.0]))
    tensor([0.0000, 0.8427])
    """


@operation(rules.erfc, inplace=True)
def erfc(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return what the error function lacks to 1: ``1 - erf(x)``, accurate far out.

    >>> import aino
    >>> aino.erfc(aino.tensor([0.0, 1.0]))
    tensor([1.0000, 0.1573])
    """


@operation(rules.erfinv, inplace=True)
def erfinv(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the number with this error function; ±inf at ±1, nan beyond.

    >>> import aino
    >>> aino.erfinv(aino.tensor([0.0, 0.5]))
    tensor([0.0000, 0.4769])
    """


@operation(gamma.lgamma, inplace=True)
def lgamma(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the logarithm of the gamma function's size: ``ln |Γ(x)|``.

    >>> import aino
    >>> aino.lgamma(aino.tensor([1.0, 5.0]))
    tensor([0.0000, 3.1781])
    """


@operation(gamma.digamma, inplace=True)
def digamma(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the derivative of the gamma function's logarithm: ``ψ(x) = Γ′(x) / Γ(x)``.

    >>> import aino
    >>> aino.digamma(aino.tensor([1.0, 0.5]))
    tensor([-0.5772, -1.9635])
    """


@takes_out
def polygamma(n: int, input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the n-th derivative of the digamma function: ``ψ⁽ⁿ⁾(x)``.

    Raises ``ValueError`` for a negative n.

    Arguments:
        n: which derivative; 0 is the digamma function itself.
        input: a tensor.

    >>> import aino
    >>> aino.polygamma(1, aino.tensor([1.0, 0.5]))
    tensor([1.6449, 4.9348])
    """
    n = index(n)
    if n < 0:
        raise ArgumentError(f"polygamma: the order n is 0 or more, not {n}")
    return zeta.polygamma(input, n) if n else gamma.digamma(input)


@method(name="polygamma", inplace=True)
def polygamma_of(self: Tensor, n: int) -> Tensor:
    """Return the n-th derivative of the digamma function: ``polygamma`` as a method.

    >>> import aino
    >>> aino.tensor([1.0, 0.5]).polygamma(1)
    tensor([1.6449, 4.9348])
    """
    return polygamma(n, self)


@method(inplace=True)
@takes_out
def mvlgamma(input: Tensor, p: Any, *, out: Tensor | None = None) -> Tensor:
    """Return the logarithm of the multivariate gamma function.

    ``p (p - 1) / 4 · ln π + Σᵢ ln Γ(x - i / 2)`` for i = 0 .. p - 1. Raises ``ShapeError`` for a p
    below 1.

    Arguments:
        input: a tensor, its elements above ``(p - 1) / 2``.
        p: the dimension, 1 or more.

    >>> import aino
    >>> aino.mvlgamma(aino.tensor([2.0, 3.0]), 2)
    tensor([0.4516, 1.5502])
    """
    if p < 1:
        raise ShapeError(f"mvlgamma: the dimension p is 1 or more, not {p}")
    total = p * (p - 1) / 4 * math.log(math.pi)
    for i in range(p):
        total = gamma.lgamma(input - 0.5 * i) + total
    return total


@operation(rules.sinc, inplace=True)
def sinc(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the normalised sinc function: ``sin(πx) / (πx)``, 1 at 0.

    >>> import aino
    >>> aino.sinc(aino.tensor([0.0, 0.5]))
    tensor([1.0000, 0.6366])
    """
