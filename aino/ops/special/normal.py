"""The error function and the normal distribution."""

from __future__ import annotations

from aino.autograd.rules import entropy as entropy_rules
from aino.autograd.rules import normal as rules
from aino.autograd.tensor import Tensor
from aino.ops import pointwise
from aino.ops.out import into

__all__ = ["entr", "erf", "erfc", "erfcx", "erfinv", "log_ndtr", "ndtr", "ndtri"]


def entr(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the share of a probability in an entropy: ``-x ln x``.

    It is 0 at 0 and -inf where x is negative.

    Arguments:
        input: real numbers; integers count as floats.
        out: a tensor that is written and returned.

    >>> import aino
    >>> aino.special.entr(aino.tensor([0.0, 0.5, 1.0]))
    tensor([0.0000, 0.3466, -0.0000])
    """
    return into(out, entropy_rules.entr(input), "special.entr")


def erf(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the error function: ``2/√π ∫₀ˣ exp(-t²) dt``.

    Arguments:
        input: real numbers; integers count as floats.
        out: a tensor that is written and returned.

    >>> import aino
    >>> aino.special.erf(aino.tensor([0.0, 1.0]))
    tensor([0.0000, 0.8427])
    """
    return into(out, pointwise.erf(input), "special.erf")


def erfc(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return what the error function lacks to 1: ``1 - erf(x)``, accurate far out.

    Arguments:
        input: real numbers; integers count as floats.
        out: a tensor that is written and returned.

    >>> import aino
    >>> aino.special.erfc(aino.tensor([0.0, 1.0]))
    tensor([1.0000, 0.1573])
    """
    return into(out, pointwise.erfc(input), "special.erfc")


def erfcx(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return ``e^(x²) (1 - erf x)``, which stays a number where ``erfc`` is 0.

    Shepherd and Laframboise, "Chebyshev approximation of (1 + 2x) exp(x²) erfc x" (1981).

    Arguments:
        input: real numbers; integers count as floats.
        out: a tensor that is written and returned.

    >>> import aino
    >>> aino.special.erfcx(aino.tensor([0.0, 30.0]))
    tensor([1.0000, 0.0188])
    """
    return into(out, rules.erfcx(input), "special.erfcx")


def erfinv(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the number with this error function; ±inf at ±1, nan beyond.

    Arguments:
        input: real numbers; integers count as floats.
        out: a tensor that is written and returned.

    >>> import aino
    >>> aino.special.erfinv(aino.tensor([0.0, 0.5]))
    tensor([0.0000, 0.4769])
    """
    return into(out, pointwise.erfinv(input), "special.erfinv")


def log_ndtr(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the logarithm of ``ndtr``, accurate where that is 0 or 1.

    Arguments:
        input: real numbers; integers count as floats.
        out: a tensor that is written and returned.

    >>> import aino
    >>> aino.special.log_ndtr(aino.tensor([-40.0, 0.0]))
    tensor([-8.0461e+02, -6.9315e-01])
    """
    return into(out, rules.log_ndtr(input), "special.log_ndtr")


def ndtr(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the probability that a normal variable is below x: ``½ erfc(-x / √2)``.

    Arguments:
        input: real numbers; integers count as floats.
        out: a tensor that is written and returned.

    >>> import aino
    >>> aino.special.ndtr(aino.tensor([-1.0, 0.0, 1.0]))
    tensor([0.1587, 0.5000, 0.8413])
    """
    return into(out, rules.ndtr(input), "special.ndtr")


def ndtri(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the quantile of a probability, the inverse of ``ndtr``; nan outside of [0, 1].

    Arguments:
        input: real numbers; integers count as floats.
        out: a tensor that is written and returned.

    >>> import aino
    >>> aino.special.ndtri(aino.tensor([0.0, 0.5, 0.975]))
    tensor([  -inf, 0.0000, 1.9600])
    """
    return into(out, rules.ndtri(input), "special.ndtri")
