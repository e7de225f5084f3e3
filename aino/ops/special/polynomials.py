"""Orthogonal polynomials of a degree that may differ from element to element.

A degree that is no whole number is cut to one, a polynomial of negative degree is 0.
"""

from __future__ import annotations

from aino.autograd.rules.polynomials import polynomial
from aino.autograd.tensor import Tensor
from aino.ops.arguments import not_numbers_alone
from aino.ops.out import into
from aino.types import Number

__all__ = [
    "chebyshev_polynomial_t", "chebyshev_polynomial_u", "chebyshev_polynomial_v",
    "chebyshev_polynomial_w", "hermite_polynomial_h", "hermite_polynomial_he",
    "laguerre_polynomial_l", "legendre_polynomial_p", "shifted_chebyshev_polynomial_t",
    "shifted_chebyshev_polynomial_u", "shifted_chebyshev_polynomial_v",
    "shifted_chebyshev_polynomial_w",
]  # fmt: skip


def _of(family: str, input, n, out) -> Tensor:
    not_numbers_alone(family, input, n)
    return into(out, polynomial(input, n, family, 0), family)


def chebyshev_polynomial_t(
    input: Tensor | Number, n: Tensor | Number, *, out: Tensor | None = None
) -> Tensor:
    """Return Chebyshev's polynomial of the first kind: ``Tₙ(cos θ) = cos nθ``.

    Arguments:
        input: where it is evaluated; integers count as floats.
        n: the degree; the two are broadcast.
        out: a tensor that is written and returned.

    >>> import aino
    >>> aino.special.chebyshev_polynomial_t(aino.tensor([0.5, 0.5]), aino.tensor([2, 3]))
    tensor([-0.5000, -1.0000])
    """
    return _of("chebyshev_t", input, n, out)


def chebyshev_polynomial_u(
    input: Tensor | Number, n: Tensor | Number, *, out: Tensor | None = None
) -> Tensor:
    """Return Chebyshev's polynomial of the second kind: ``Uₙ(cos θ) = sin (n + 1)θ / sin θ``.

    Arguments:
        input: where it is evaluated; integers count as floats.
        n: the degree; the two are broadcast.
        out: a tensor that is written and returned.

    >>> import aino
    >>> aino.special.chebyshev_polynomial_u(aino.tensor([0.5, 0.5]), aino.tensor([2, 3]))
    tensor([ 0., -1.])
    """
    return _of("chebyshev_u", input, n, out)


def chebyshev_polynomial_v(
    input: Tensor | Number, n: Tensor | Number, *, out: Tensor | None = None
) -> Tensor:
    """Return Chebyshev's polynomial of the third kind: ``Vₙ(cos θ) = cos (n + ½)θ / cos ½θ``.

    Arguments:
        input: where it is evaluated; integers count as floats.
        n: the degree; the two are broadcast.
        out: a tensor that is written and returned.

    >>> import aino
    >>> aino.special.chebyshev_polynomial_v(aino.tensor([0.5, 0.5]), aino.tensor([2, 3]))
    tensor([-1., -1.])
    """
    return _of("chebyshev_v", input, n, out)


def chebyshev_polynomial_w(
    input: Tensor | Number, n: Tensor | Number, *, out: Tensor | None = None
) -> Tensor:
    """Return Chebyshev's polynomial of the fourth kind: ``Wₙ(cos θ) = sin (n + ½)θ / sin ½θ``.

    Arguments:
        input: where it is evaluated; integers count as floats.
        n: the degree; the two are broadcast.
        out: a tensor that is written and returned.

    >>> import aino
    >>> aino.special.chebyshev_polynomial_w(aino.tensor([0.5, 0.5]), aino.tensor([2, 3]))
    tensor([ 1., -1.])
    """
    return _of("chebyshev_w", input, n, out)


def hermite_polynomial_h(
    input: Tensor | Number, n: Tensor | Number, *, out: Tensor | None = None
) -> Tensor:
    """Return Hermite's polynomial of physics: ``Hₙ₊₁ = 2x Hₙ - 2n Hₙ₋₁``.

    Arguments:
        input: where it is evaluated; integers count as floats.
        n: the degree; the two are broadcast.
        out: a tensor that is written and returned.

    >>> import aino
    >>> aino.special.hermite_polynomial_h(aino.tensor([0.5, 0.5]), aino.tensor([2, 3]))
    tensor([-1., -5.])
    """
    return _of("hermite_h", input, n, out)


def hermite_polynomial_he(
    input: Tensor | Number, n: Tensor | Number, *, out: Tensor | None = None
) -> Tensor:
    """Return Hermite's polynomial of probability: ``Heₙ₊₁ = x Heₙ - n Heₙ₋₁``.

    Arguments:
        input: where it is evaluated; integers count as floats.
        n: the degree; the two are broadcast.
        out: a tensor that is written and returned.

    >>> import aino
    >>> aino.special.hermite_polynomial_he(aino.tensor([0.5, 0.5]), aino.tensor([2, 3]))
    tensor([-0.7500, -1.3750])
    """
    return _of("hermite_he", input, n, out)


def laguerre_polynomial_l(
    input: Tensor | Number, n: Tensor | Number, *, out: Tensor | None = None
) -> Tensor:
    """Return Laguerre's polynomial: ``(n + 1) Lₙ₊₁ = (2n + 1 - x) Lₙ - n Lₙ₋₁``.

    Arguments:
        input: where it is evaluated; integers count as floats.
        n: the degree; the two are broadcast.
        out: a tensor that is written and returned.

    >>> import aino
    >>> aino.special.laguerre_polynomial_l(aino.tensor([0.5, 0.5]), aino.tensor([2, 3]))
    tensor([ 0.1250, -0.1458])
    """
    return _of("laguerre", input, n, out)


def legendre_polynomial_p(
    input: Tensor | Number, n: Tensor | Number, *, out: Tensor | None = None
) -> Tensor:
    """Return Legendre's polynomial: ``(n + 1) Pₙ₊₁ = (2n + 1) x Pₙ - n Pₙ₋₁``.

    Arguments:
        input: where it is evaluated; integers count as floats.
        n: the degree; the two are broadcast.
        out: a tensor that is written and returned.

    >>> import aino
    >>> aino.special.legendre_polynomial_p(aino.tensor([0.5, 0.5]), aino.tensor([2, 3]))
    tensor([-0.1250, -0.4375])
    """
    return _of("legendre", input, n, out)


def shifted_chebyshev_polynomial_t(
    input: Tensor | Number, n: Tensor | Number, *, out: Tensor | None = None
) -> Tensor:
    """Return Chebyshev's polynomial of the first kind, shifted to [0, 1]: ``Tₙ(2x - 1)``.

    Arguments:
        input: where it is evaluated; integers count as floats.
        n: the degree; the two are broadcast.
        out: a tensor that is written and returned.

    >>> import aino
    >>> aino.special.shifted_chebyshev_polynomial_t(aino.tensor([0.5, 0.5]), aino.tensor([2, 3]))
    tensor([-1., -0.])
    """
    return _of("shifted_chebyshev_t", input, n, out)


def shifted_chebyshev_polynomial_u(
    input: Tensor | Number, n: Tensor | Number, *, out: Tensor | None = None
) -> Tensor:
    """Return Chebyshev's polynomial of the second kind, shifted to [0, 1]: ``Uₙ(2x - 1)``.

    Arguments:
        input: where it is evaluated; integers count as floats.
        n: the degree; the two are broadcast.
        out: a tensor that is written and returned.

    >>> import aino
    >>> aino.special.shifted_chebyshev_polynomial_u(aino.tensor([0.5, 0.5]), aino.tensor([2, 3]))
    tensor([-1., -0.])
    """
    return _of("shifted_chebyshev_u", input, n, out)


def shifted_chebyshev_polynomial_v(
    input: Tensor | Number, n: Tensor | Number, *, out: Tensor | None = None
) -> Tensor:
    """Return Chebyshev's polynomial of the third kind, shifted to [0, 1]: ``Vₙ(2x - 1)``.

    Arguments:
        input: where it is evaluated; integers count as floats.
        n: the degree; the two are broadcast.
        out: a tensor that is written and returned.

    >>> import aino
    >>> aino.special.shifted_chebyshev_polynomial_v(aino.tensor([0.5, 0.5]), aino.tensor([2, 3]))
    tensor([-1., 1.])
    """
    return _of("shifted_chebyshev_v", input, n, out)


def shifted_chebyshev_polynomial_w(
    input: Tensor | Number, n: Tensor | Number, *, out: Tensor | None = None
) -> Tensor:
    """Return Chebyshev's polynomial of the fourth kind, shifted to [0, 1]: ``Wₙ(2x - 1)``.

    Arguments:
        input: where it is evaluated; integers count as floats.
        n: the degree; the two are broadcast.
        out: a tensor that is written and returned.

    >>> import aino
    >>> aino.special.shifted_chebyshev_polynomial_w(aino.tensor([0.5, 0.5]), aino.tensor([2, 3]))
    tensor([-1., -1.])
    """
    return _of("shifted_chebyshev_w", input, n, out)
