"""The gamma function, its incomplete forms, and Hurwitz's zeta function."""

from __future__ import annotations

from operator import index

from aino.autograd.rules import incomplete_gamma as rules
from aino.autograd.rules import zeta as zeta_rules
from aino.autograd.tensor import Tensor
from aino.ops import pointwise
from aino.ops.arguments import not_numbers_alone
from aino.ops.out import into
from aino.types import Number

__all__ = [
    "digamma", "gammainc", "gammaincc", "gammaln", "multigammaln", "polygamma", "psi", "zeta",
]  # fmt: skip


def digamma(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the derivative of the gamma function's logarithm: ``ψ(x) = Γ′(x) / Γ(x)``.

    Arguments:
        input: real numbers; integers count as floats.
        out: a tensor that is written and returned.

    >>> import aino
    >>> aino.special.digamma(aino.tensor([1.0, 0.5]))
    tensor([-0.5772, -1.9635])
    """
    return into(out, pointwise.digamma(input), "special.digamma")


def gammainc(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the lower incomplete gamma function: ``1 / Γ(a) ∫₀ˣ tᵃ⁻¹ e⁻ᵗ dt``.

    It is computed by SciPy (the extra ``scipy``).

    Arguments:
        input: the exponent a, not negative; integers count as floats.
        other: the bound x, not negative; the two are broadcast.
        out: a tensor that is written and returned.

    >>> import aino
    >>> aino.special.gammainc(aino.tensor([1.0, 2.0]), aino.tensor([1.0, 1.0]))
    tensor([0.6321, 0.2642])
    """
    return into(out, rules.gammainc(input, other), "special.gammainc")


def gammaincc(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the upper incomplete gamma function: ``1 / Γ(a) ∫ₓ^∞ tᵃ⁻¹ e⁻ᵗ dt``.

    It is computed by SciPy (the extra ``scipy``).

    Arguments:
        input: the exponent a, not negative; integers count as floats.
        other: the bound x, not negative; the two are broadcast.
        out: a tensor that is written and returned.

    >>> import aino
    >>> aino.special.gammaincc(aino.tensor([1.0, 2.0]), aino.tensor([1.0, 1.0]))
    tensor([0.3679, 0.7358])
    """
    return into(out, rules.gammaincc(input, other), "special.gammaincc")


def igamma(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the lower incomplete gamma function: ``1 / Γ(a) ∫₀ˣ tᵃ⁻¹ e⁻ᵗ dt``.

    ``aino.special.gammainc`` by another name.

    Arguments:
        input: the exponent a, not negative; integers count as floats.
        other: the bound x, not negative; the two are broadcast.
        out: a tensor that is written and returned.

    >>> import aino
    >>> aino.igamma(aino.tensor([1.0, 2.0]), aino.tensor([1.0, 1.0]))
    tensor([0.6321, 0.2642])
    """
    return into(out, rules.gammainc(input, other), "igamma")


def igammac(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the upper incomplete gamma function: ``1 / Γ(a) ∫ₓ^∞ tᵃ⁻¹ e⁻ᵗ dt``.

    ``aino.special.gammaincc`` by another name.

    Arguments:
        input: the exponent a, not negative; integers count as floats.
        other: the bound x, not negative; the two are broadcast.
        out: a tensor that is written and returned.

    >>> import aino
    >>> aino.igammac(aino.tensor([1.0, 2.0]), aino.tensor([1.0, 1.0]))
    tensor([0.3679, 0.7358])
    """
    return into(out, rules.gammaincc(input, other), "igammac")


def gammaln(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the logarithm of the gamma function's size: ``ln |Γ(x)|``.

    Arguments:
        input: real numbers; integers count as floats.
        out: a tensor that is written and returned.

    >>> import aino
    >>> aino.special.gammaln(aino.tensor([1.0, 5.0]))
    tensor([0.0000, 3.1781])
    """
    return into(out, pointwise.lgamma(input), "special.gammaln")


def multigammaln(input: Tensor, p: int, *, out: Tensor | None = None) -> Tensor:
    """Return the logarithm of the multivariate gamma function.

    ``p (p - 1) / 4 · ln π + Σᵢ ln Γ(x - i / 2)`` for i = 0 .. p - 1.

    Arguments:
        input: real numbers above ``(p - 1) / 2``.
        p: the dimension, 1 or more.
        out: a tensor that is written and returned.

    >>> import aino
    >>> aino.special.multigammaln(aino.tensor([2.0, 3.0]), 2)
    tensor([0.4516, 1.5502])
    """
    return into(out, pointwise.mvlgamma(input, index(p)), "special.multigammaln")


def polygamma(n: int, input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the n-th derivative of the digamma function: ``ψ⁽ⁿ⁾(x)``.

    Arguments:
        n: which derivative, 0 or more.
        input: real numbers; integers count as floats.
        out: a tensor that is written and returned.

    >>> import aino
    >>> aino.special.polygamma(1, aino.tensor([1.0, 0.5]))
    tensor([1.6449, 4.9348])
    """
    return into(out, pointwise.polygamma(n, input), "special.polygamma")


def psi(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the digamma function by another name: ``ψ(x) = Γ′(x) / Γ(x)``.

    Arguments:
        input: real numbers; integers count as floats.
        out: a tensor that is written and returned.

    >>> import aino
    >>> aino.special.psi(aino.tensor([1.0, 0.5]))
    tensor([-0.5772, -1.9635])
    """
    return into(out, pointwise.digamma(input), "special.psi")


def zeta(input: Tensor | Number, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """Return Hurwitz's zeta function: ``ζ(x, q) = Σₖ (q + k)⁻ˣ`` for k = 0, 1, ...

    It is inf at x = 1 and where q is a whole number that is not positive, nan for smaller x, and
    for other negative q unless x is whole. It is differentiated with respect to q.

    Arguments:
        input: the exponent x.
        other: the beginning q; the two are broadcast, integers count as floats.
        out: a tensor that is written and returned.

    >>> import aino
    >>> aino.special.zeta(aino.tensor([2.0, 4.0]), 1)
    tensor([1.6449, 1.0823])
    """
    not_numbers_alone("zeta", input, other)
    return into(out, zeta_rules.zeta(input, other), "special.zeta")
