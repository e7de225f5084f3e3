"""Rows of special functions and of complex numbers."""

import math

import numpy as np

from aino.autograd.rules import special
from aino.ops import pointwise as ops
from tests.calculus.row import Row, between, case, given, nonzero, positive, real

inf, nan = np.inf, np.nan
EULER = 0.5772156649015329

erf, erfc, lgamma = (np.vectorize(f, [float]) for f in (math.erf, math.erfc, math.lgamma))


def unary(name, oracle, cases, **options):
    return Row(name, getattr(ops, name), oracle, cases, elementwise=True, **options)


def angle(x):
    return np.angle(x) if x.dtype.kind == "c" else np.where(x < 0, np.pi, 0.0)


def bessel(x, n):
    """Return the spherical Bessel function of order 0, 1 or 2 by its closed form."""
    return [
        np.sin(x) / x,
        np.sin(x) / x**2 - np.cos(x) / x,
        (3 / x**3 - 1 / x) * np.sin(x) - 3 / x**2 * np.cos(x),
    ][n]


SPECIAL = [
    unary("erf", erf, [case(real(3, 4)), case(between(-7.0, 7.0, 100))], rtol=1e-15,
          kinks=[case(given([-inf, -1000.0, 0.0, 1e-300, 7.0, inf, nan]))]),
    unary("erfc", erfc, [case(real(3, 4)), case(between(-7.0, 20.0, 20))], rtol=1e-15),
    unary("erfinv", None, [case(between(-0.9, 0.9, 3, 4))],
          kinks=[case(given([0.0, 0.5, -1.0, 1.0, 2.0])).gives(
              np.array([0.0, 0.4769362762044699, -inf, inf, nan]))]),
    Row("erfinv of erf", lambda x: ops.erfinv(ops.erf(x)), lambda x: x,
        [case(between(-2.5, 2.5, 20))], covers="erfinv", torch=None, method="", rtol=1e-11),
    unary("lgamma", lgamma, [case(positive(3, 4)), case(given([-0.5, -1.5, 100.0]))],
          kinks=[case(given([0.0, -1.0, inf, 1e306])).gives(np.array([inf] * 4))]),
    unary("digamma", None,
          [case(positive(3, 4)), case(given([1.0, 0.5, 2.0])).gives(np.array(
              [-EULER, -EULER - 2.0 * math.log(2.0), 1.0 - EULER])),
           case(given([-0.5, -1.5, -2.25, 30.0, 1e8]))],
          kinks=[case(given([0.0, -0.0, -1.0]).constant()).gives(np.array([-inf, inf, nan]))]),
    Row("polygamma", ops.polygamma, None,
        [case(1, given([1.0, 0.5])).gives(np.array([math.pi**2 / 6.0, math.pi**2 / 2.0])),
         case(0, positive(3)), case(1, positive(3, 4)), case(2, positive(3)), case(5, positive(3)),
         case(2, given([1.0])).gives(np.array([-2.0 * 1.2020569031595943]))],
        covers="polygamma", method="", errors=[case(-1, positive(3))], gradtol=1e-4),
    Row("mvlgamma", ops.mvlgamma, None,
        [case(between(1.5, 4.0, 3), 2), case(between(1.5, 4.0, 3), 1),
         case(given([2.0]), 2).gives(np.array([math.log(math.pi / 2.0)]))], covers="lgamma",
        dtypes="uint8 int64 float32"),
    unary("sinc", np.sinc, [case(nonzero(3, 4)), case(given([0.0, 1e-12, 0.5, 1.0]))],
          covers="sinc spherical_bessel", torch=None,
          kinks=[case(given([0.0, 1.0])).slopes([0.0, -1.0])]),
    Row("sinc on PyTorch's side of 0", ops.sinc, np.sinc, [case(nonzero(3, 4))], torch="sinc",
        covers="sinc", complex=True, method=""),
    *[
        Row(f"spherical_bessel {n}", special.spherical_bessel, bessel, [case(nonzero(3), n)],
            covers="spherical_bessel", torch=None, method="")
        for n in range(3)
    ],
    Row("normal_cdf", special.normal_cdf, lambda x: 0.5 + 0.5 * erf(x / math.sqrt(2.0)),
        [case(real(3, 4))], torch="special.ndtr", method="", elementwise=True, dtypes="float32"),
]  # fmt: skip

TURN = 0.6 - 1.1j


def turned(name, oracle, **options):
    """Return the row of a function of complex numbers, of which it makes some first."""
    return Row(
        name, lambda x: getattr(ops, name)(x * TURN), lambda x: oracle(x * TURN),
        [case(real(3, 4))],
        torch=lambda torch, x: getattr(torch, name)(x * TURN),
        covers="conj" if name == "conj_physical" else name, complex=True,
        elementwise=True, method="", **options,
    )  # fmt: skip


COMPLEX = [
    turned("real", np.real),
    turned("imag", np.imag),
    turned("conj_physical", np.conj),
    unary("angle", angle, [case(nonzero(3, 4))], covers="angle", complex=True),
    Row("angle of real numbers", ops.angle, None, [], torch="angle", method="",
        kinks=[case(given([0.0, -1.0, 2.0, inf, nan])).slopes([0.0] * 5)]),
    Row("complex", ops.complex, lambda a, b: a + 1j * b, [case(real(3, 4), real(4))],
        covers="complex", elementwise=True, broadcasts=True, method="",
        errors=[case(real(3), given([1, 2, 3]))]),
    Row("polar", ops.polar, lambda r, phi: r * np.exp(1j * phi), [case(positive(3, 4), real(4))],
        covers="complex", elementwise=True, broadcasts=True, method=""),
    turned("view_as_real", lambda z: np.stack([z.real, z.imag], -1)),
    Row("view_as_complex", lambda x: ops.view_as_complex(x.contiguous()),
        lambda x: x[..., 0] + 1j * x[..., 1], [case(real(3, 2))],
        torch=lambda torch, x: torch.view_as_complex(x.contiguous()), covers="view_as_complex",
        method="", errors=[case(real(3, 3))]),
]  # fmt: skip

ROWS = [*SPECIAL, *COMPLEX]
