"""Bessel's functions of order 0 and 1, and Airy's."""

from __future__ import annotations

from aino.autograd.rules import bessel as rules
from aino.autograd.rules import modified_bessel as modified
from aino.autograd.rules.special import spherical_bessel
from aino.autograd.tensor import Tensor
from aino.ops.out import into

__all__ = [
    "airy_ai", "bessel_j0", "bessel_j1", "bessel_y0", "bessel_y1", "i0", "i0e", "i1", "i1e",
    "modified_bessel_i0", "modified_bessel_i1", "modified_bessel_k0", "modified_bessel_k1",
    "scaled_modified_bessel_k0", "scaled_modified_bessel_k1", "spherical_bessel_j0",
]  # fmt: skip


def airy_ai(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return Airy's function Ai: the solution of ``y″ = x y`` that decays.

    It is computed by SciPy (the extra ``scipy``).

    Arguments:
        input: real numbers; integers count as floats.
        out: a tensor that is written and returned.

    >>> import aino
    >>> aino.special.airy_ai(aino.tensor([0.0, 1.0]))
    tensor([0.3550, 0.1353])
    """
    return into(out, rules.airy(input), "special.airy_ai")


def bessel_j0(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return Bessel's function of the first kind of order 0: ``J₀(x)``.

    It is computed by SciPy (the extra ``scipy``).

    Arguments:
        input: real numbers; integers count as floats.
        out: a tensor that is written and returned.

    >>> import aino
    >>> aino.special.bessel_j0(aino.tensor([0.0, 1.0]))
    tensor([1.0000, 0.7652])
    """
    return into(out, rules.j0(input), "special.bessel_j0")


def bessel_j1(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return Bessel's function of the first kind of order 1: ``J₁(x)``.

    It is computed by SciPy (the extra ``scipy``).

    Arguments:
        input: real numbers; integers count as floats.
        out: a tensor that is written and returned.

    >>> import aino
    >>> aino.special.bessel_j1(aino.tensor([0.0, 1.0]))
    tensor([0.0000, 0.4401])
    """
    return into(out, rules.j1(input), "special.bessel_j1")


def bessel_y0(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return Bessel's function of the second kind of order 0: ``Y₀(x)``.

    -inf at 0 and nan where x is negative. It is computed by SciPy (the extra ``scipy``).

    Arguments:
        input: real numbers; integers count as floats.
        out: a tensor that is written and returned.

    >>> import aino
    >>> aino.special.bessel_y0(aino.tensor([1.0, 2.0]))
    tensor([0.0883, 0.5104])
    """
    return into(out, rules.y0(input), "special.bessel_y0")


def bessel_y1(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return Bessel's function of the second kind of order 1: ``Y₁(x)``.

    -inf at 0 and nan where x is negative. It is computed by SciPy (the extra ``scipy``).

    Arguments:
        input: real numbers; integers count as floats.
        out: a tensor that is written and returned.

    >>> import aino
    >>> aino.special.bessel_y1(aino.tensor([1.0, 2.0]))
    tensor([-0.7812, -0.1070])
    """
    return into(out, rules.y1(input), "special.bessel_y1")


def i0(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the modified Bessel function of the first kind of order 0: ``I₀(x)``.

    Arguments:
        input: real numbers; integers count as floats.
        out: a tensor that is written and returned.

    >>> import aino
    >>> aino.special.i0(aino.tensor([0.0, 1.0]))
    tensor([1.0000, 1.2661])
    """
    return into(out, modified.i0(input), "special.i0")


def i0e(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return ``e^-|x| I₀(x)``, which stays a number where ``i0`` is infinite.

    Arguments:
        input: real numbers; integers count as floats.
        out: a tensor that is written and returned.

    >>> import aino
    >>> aino.special.i0e(aino.tensor([0.0, 1.0]))
    tensor([1.0000, 0.4658])
    """
    return into(out, modified.i0e(input), "special.i0e")


def i1(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the modified Bessel function of the first kind of order 1: ``I₁(x)``.

    Arguments:
        input: real numbers; integers count as floats.
        out: a tensor that is written and returned.

    >>> import aino
    >>> aino.special.i1(aino.tensor([0.0, 1.0]))
    tensor([0.0000, 0.5652])
    """
    return into(out, modified.i1(input), "special.i1")


def i1e(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return ``e^-|x| I₁(x)``, which stays a number where ``i1`` is infinite.

    Arguments:
        input: real numbers; integers count as floats.
        out: a tensor that is written and returned.

    >>> import aino
    >>> aino.special.i1e(aino.tensor([0.0, 1.0]))
    tensor([0.0000, 0.2079])
    """
    return into(out, modified.i1e(input), "special.i1e")


def modified_bessel_i0(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the modified Bessel function of the first kind of order 0: ``I₀(x)``.

    Arguments:
        input: real numbers; integers count as floats.
        out: a tensor that is written and returned.

    >>> import aino
    >>> aino.special.modified_bessel_i0(aino.tensor([0.0, 1.0]))
    tensor([1.0000, 1.2661])
    """
    return into(out, modified.i0(input), "special.modified_bessel_i0")


def modified_bessel_i1(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the modified Bessel function of the first kind of order 1: ``I₁(x)``.

    Arguments:
        input: real numbers; integers count as floats.
        out: a tensor that is written and returned.

    >>> import aino
    >>> aino.special.modified_bessel_i1(aino.tensor([0.0, 1.0]))
    tensor([0.0000, 0.5652])
    """
    return into(out, modified.i1(input), "special.modified_bessel_i1")


def modified_bessel_k0(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the modified Bessel function of the second kind of order 0: ``K₀(x)``.

    inf at 0 and nan where x is negative. It is computed by SciPy (the extra ``scipy``).

    Arguments:
        input: real numbers; integers count as floats.
        out: a tensor that is written and returned.

    >>> import aino
    >>> aino.special.modified_bessel_k0(aino.tensor([1.0, 2.0]))
    tensor([0.4210, 0.1139])
    """
    return into(out, modified.k0(input), "special.modified_bessel_k0")


def modified_bessel_k1(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the modified Bessel function of the second kind of order 1: ``K₁(x)``.

    inf at 0 and nan where x is negative. It is computed by SciPy (the extra ``scipy``).

    Arguments:
        input: real numbers; integers count as floats.
        out: a tensor that is written and returned.

    >>> import aino
    >>> aino.special.modified_bessel_k1(aino.tensor([1.0, 2.0]))
    tensor([0.6019, 0.1399])
    """
    return into(out, modified.k1(input), "special.modified_bessel_k1")


def scaled_modified_bessel_k0(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return ``eˣ K₀(x)``, which stays a number where K₀ is 0.

    inf at 0 and nan where x is negative. It is computed by SciPy (the extra ``scipy``).

    Arguments:
        input: real numbers; integers count as floats.
        out: a tensor that is written and returned.

    >>> import aino
    >>> aino.special.scaled_modified_bessel_k0(aino.tensor([1.0, 2.0]))
    tensor([1.1445, 0.8416])
    """
    return into(out, modified.k0e(input), "special.scaled_modified_bessel_k0")


def scaled_modified_bessel_k1(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return ``eˣ K₁(x)``, which stays a number where K₁ is 0.

    inf at 0 and nan where x is negative. It is computed by SciPy (the extra ``scipy``).

    Arguments:
        input: real numbers; integers count as floats.
        out: a tensor that is written and returned.

    >>> import aino
    >>> aino.special.scaled_modified_bessel_k1(aino.tensor([1.0, 2.0]))
    tensor([1.6362, 1.0335])
    """
    return into(out, modified.k1e(input), "special.scaled_modified_bessel_k1")


def spherical_bessel_j0(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the spherical Bessel function of order 0: ``sin x / x``, 1 at 0.

    Arguments:
        input: real numbers; integers count as floats.
        out: a tensor that is written and returned.

    >>> import aino
    >>> aino.special.spherical_bessel_j0(aino.tensor([0.0, 1.0]))
    tensor([1.0000, 0.8415])
    """
    return into(out, spherical_bessel(input, 0), "special.spherical_bessel_j0")
