"""Rows of ``aino.special``: derivatives, shapes and parity.

Accuracy over whole domains is held against figures in ``tests/ops/test_special.py``; the oracles
here are SciPy's functions where AINO's are its own, and integrals where AINO's are SciPy's.
"""

import numpy as np
import pytest

import aino
from aino.autograd.rules import bessel, modified_bessel, polynomials
from aino.autograd.rules import zeta as zeta_rules
from tests.calculus.row import Row, between, case, given, nonzero, positive, real

scipy = pytest.importorskip("scipy.special")
inf, nan = np.inf, np.nan
ANGLES = (np.arange(2000) + 0.5) * (np.pi / 2000)
STEPS = np.arange(4001) * (12.0 / 4000)


def averaged(order):
    """Return Jₙ by Bessel's integral, whose mean over so many angles is as good as exact."""
    return lambda x: np.cos(order * ANGLES - x[..., None] * np.sin(ANGLES)).mean(-1)


def decaying(order, scaled=False):
    """Return Kₙ by the integral of e^(-x cosh t) cosh nt."""

    def integral(x):
        shift = 1.0 if scaled else 0.0
        values = np.exp(-x[..., None] * (np.cosh(STEPS) - shift)) * np.cosh(order * STEPS)
        values[..., 0] *= 0.5
        return values.sum(-1) * STEPS[1]

    return integral


def unary(name, oracle, cases, smooth_in_torch=True, covers=None, **options):
    """Return the rows of ``special.name``; where PyTorch has no derivative, two."""
    function = getattr(aino.special, name)
    options = {"covers": covers or name, "elementwise": True, "method": ""} | options
    if smooth_in_torch:
        return [Row(f"special.{name}", function, oracle, cases, **options)]
    plain = [case(sample.constant()) for one in cases for sample in one.samples()]
    kinks = options.pop("kinks", [])
    return [
        Row(f"special.{name}", function, oracle, plain, order=0, kinks=kinks, **options),
        Row(f"special.{name}, differentiated", function, oracle, cases, torch=None, **options),
    ]


FAR = between(-20.0, 20.0, 5)
HALVES = "bool uint8 int64 float16 float32"

NORMAL = [
    *unary("entr", scipy.entr, [case(positive(3, 4))], dtypes=HALVES,
           kinks=[case(given([0.0])).slopes([inf])]),
    *unary("erfcx", scipy.erfcx, [case(real(3, 4)), case(between(-4.0, 40.0, 6))]),
    *unary("ndtr", scipy.ndtr, [case(real(3, 4)), case(between(-5.0, 5.0, 6))]),
    *unary("log_ndtr", scipy.log_ndtr, [case(real(3, 4)), case(FAR)],
           kinks=[case(given([-1.0, 1.0, inf, -inf]).constant())]),
    *unary("ndtri", scipy.ndtri, [case(between(0.05, 0.95, 3, 4)), case(given([1e-3, 0.999]))],
           gradtol=1e-4, dtypes="bool uint8 float32",
           kinks=[case(given([0.0, 1.0, 0.5])).slopes([inf, inf, np.sqrt(2.0 * np.pi)])]),
    Row("special.xlog1py", aino.special.xlog1py, scipy.xlog1py,
        [case(real(3, 4), positive(4)), case(2.0, positive(3)), case(real(3), 1.5)],
        broadcasts=True, covers="xlog1py", method="", dtypes=HALVES,
        kinks=[case(given([0.0, 0.0]), given([-1.0, -2.0])).slopes([0.0, 0.0], [nan, 0.0])]),
]  # fmt: skip

GAMMA = [
    Row("special.zeta", aino.special.zeta, scipy.zeta,
        [case(between(1.5, 6.0, 3, 4).constant(), positive(4)), case(3.0, positive(3)),
         case(given([2.0, 3.0]).constant(), given([-1.5, -0.7]).constant()),
         case(given([1.5, 2.0]).constant(), 2.5)],
        broadcasts=False, covers="zeta", method="",
        kinks=[case(given([1.0, 0.5, 3.0, 3.0, 2.5]).constant(),
                    given([1.0, 1.0, 0.0, -2.0, -1.5]).constant())]),
    Row("polygamma below 0", zeta_rules.polygamma, None,
        [case(given([-0.5, -1.3, -7.6]), n) for n in (1, 2, 3)], torch=None, method="",
        gradtol=1e-4),
    *[Row(name, function, None,
          [case(positive(3, 4).constant(), positive(4)),
           case(given([0.5, 20.0]).constant(), given([3.0, 15.0]))],
          covers=covers, dtypes="float16 float32",
          kinks=[case(given([0.0, 1.0, -1.0, 2.0]).constant(),
                      given([1.0, inf, 1.0, -1.0]).constant())])
      for name, function, covers in (
          ("special.gammainc", aino.special.gammainc, "gammainc"),
          ("special.gammaincc", aino.special.gammaincc, "gammaincc"),
          ("igamma", aino.igamma, "gammainc"), ("igammac", aino.igammac, "gammaincc"))],
    # PyTorch has no derivative for the exponent.
    *[Row(f"{name}, by the exponent", getattr(aino.special, name), getattr(scipy, name),
          [case(positive(3, 4), positive(4)),
           case(given([0.5, 20.0, 7.0]), given([3.0, 15.0, 0.8]))],
          covers=name, torch=None, method="", gradtol=1e-5,
          kinks=[case(given([1.0, 2.0]), given([0.0, inf]).constant()).slopes([0.0, 0.0])])
      for name in ("gammainc", "gammaincc")],
]  # fmt: skip

BESSEL = [
    *unary("i0e", scipy.i0e, [case(nonzero(3, 4)), case(FAR)]),
    *unary("i1", scipy.i1, [case(real(3, 4)), case(FAR)], covers="i1 i_ratio", dtypes=HALVES,
           kinks=[case(given([0.0])).slopes([0.5])]),
    *unary("i1e", scipy.i1e, [case(nonzero(3, 4)), case(FAR)], dtypes=HALVES),
    Row("i0", aino.i0, scipy.i0, [case(real(3, 4)), case(FAR)], covers="i0", elementwise=True,
        dtypes=HALVES),
    *unary("modified_bessel_i0", scipy.i0, [case(real(3, 4))], False, "i0"),
    *unary("modified_bessel_i1", scipy.i1, [case(real(3, 4))], False, "i1"),
    *unary("bessel_j0", averaged(0), [case(real(3, 4)), case(between(-4.0, 4.0, 5))], False, "j0"),
    *unary("bessel_j1", averaged(1), [case(real(3, 4)), case(between(-4.0, 4.0, 5))],
           False, "j1", kinks=[case(given([0.0]).constant())]),
    # Beyond 5 PyTorch's have five digits.
    Row("special.bessel_j0 far out", aino.special.bessel_j0, averaged(0),
        [case(FAR), case(between(24.0, 60.0, 5))], torch=None, covers="j0", method=""),
    Row("special.bessel_j1 far out", aino.special.bessel_j1, averaged(1),
        [case(FAR), case(between(24.0, 60.0, 5))], torch=None, covers="j1", method=""),
    *unary("bessel_y0", None, [case(positive(3, 4)), case(between(20.0, 60.0, 5))], False, "y0",
           kinks=[case(given([0.0, -1.0]).constant())]),
    *unary("bessel_y1", None, [case(positive(3, 4)), case(between(20.0, 60.0, 5))], False, "y1",
           kinks=[case(given([0.0, -1.0]).constant())]),
    *unary("modified_bessel_k0", decaying(0), [case(positive(3, 4))], False, "k0",
           kinks=[case(given([0.0, -1.0]).constant()).gives(np.array([inf, nan]))]),
    *unary("modified_bessel_k1", decaying(1), [case(positive(3, 4))], False, "k1",
           kinks=[case(given([0.0, -1.0]).constant()).gives(np.array([inf, nan]))]),
    *unary("scaled_modified_bessel_k0", decaying(0, True), [case(positive(3, 4))], False, "k0e"),
    *unary("scaled_modified_bessel_k1", decaying(1, True), [case(positive(3, 4))], False, "k1e"),
    *unary("spherical_bessel_j0", lambda x: np.sinc(x / np.pi), [case(nonzero(3, 4)), case(FAR)],
           False, "spherical_bessel", kinks=[case(given([0.0]).constant())]),
    *unary("airy_ai", None, [case(real(3, 4)), case(between(-9.0, 6.0, 6))], False,
           "airy airy_slope"),
    *[Row(f"i_ratio {n}", modified_bessel.i_ratio, lambda x, n: scipy.iv(n, x) / x**n,
          [case(nonzero(3), n), case(between(20.0, 40.0, 5), n)], covers="i_ratio", torch=None,
          method="") for n in (0, 1, 2, 4)],
    *[Row(f"j_ratio {n}", bessel.j_ratio, lambda x, n: averaged(n)(x) / x**n,
          [case(nonzero(3), n), case(between(2.0, 40.0, 8), n)], covers="j_ratio", torch=None,
          method="", rtol=1e-8) for n in (0, 1, 2, 4)],
]  # fmt: skip


def polynomial(name, oracle):
    """Return the rows of a family: values with PyTorch's, derivatives of a few degrees."""
    function = getattr(aino.special, name)
    degrees = given([0, 1, 2, 5], dtype=np.int64)
    return [
        Row(f"special.{name}", function, oracle,
            [case(real(3, 1).constant(), degrees), case(real(3).constant(), 4),
             case(0.5, given([0.0, 2.0, 3.9, -1.0]).constant())],
            covers="polynomial", method="", order=0, dtypes="uint8 int64 float32"),
        Row(f"special.{name}, differentiated", function, oracle,
            [case(real(3, 1), degrees), case(real(3), 3)], torch=None, covers="polynomial",
            method=""),
    ]  # fmt: skip


def whole(function):
    """Return SciPy's polynomial of a degree cut to a whole number, 0 where it is negative."""

    def oracle(x, n):
        n = np.trunc(n).astype(np.int64) if isinstance(n, np.ndarray) else np.int64(n)
        return np.where(n < 0, 0.0, function(np.maximum(n, 0), x))

    return oracle


def third(n, x):
    return scipy.eval_chebyu(n, x) - np.where(n > 0, scipy.eval_chebyu(np.maximum(n - 1, 0), x), 0)


def fourth(n, x):
    return scipy.eval_chebyu(n, x) + np.where(n > 0, scipy.eval_chebyu(np.maximum(n - 1, 0), x), 0)


KINDS = {"t": scipy.eval_chebyt, "u": scipy.eval_chebyu, "v": third, "w": fourth}

POLYNOMIALS = [
    *[row for kind, function in KINDS.items()
      for row in polynomial(f"chebyshev_polynomial_{kind}", whole(function))],
    *[row for kind, function in KINDS.items()
      for row in polynomial(f"shifted_chebyshev_polynomial_{kind}",
                            whole(lambda n, x, f=function: f(n, 2.0 * x - 1.0)))],
    *polynomial("hermite_polynomial_h", whole(scipy.eval_hermite)),
    *polynomial("hermite_polynomial_he", whole(scipy.eval_hermitenorm)),
    *polynomial("laguerre_polynomial_l", whole(scipy.eval_laguerre)),
    *polynomial("legendre_polynomial_p", whole(scipy.eval_legendre)),
    Row("polynomials of any derivative", polynomials.polynomial,
        lambda x, n, family, order: np.polynomial.Legendre.basis(6).deriv(order)(x),
        [case(real(3), 6.0, "legendre", order) for order in range(4)], torch=None,
        covers="polynomial", method=""),
]  # fmt: skip


def named(name, function, oracle, cases, **options):
    """Return the row of a name that ``special`` has for what stands elsewhere."""
    return Row(f"special.{name}", getattr(aino.special, name), oracle, cases, method="",
               covers=function, **options)  # fmt: skip


ALIASES = [
    named("expit", "sigmoid", scipy.expit, [case(real(3, 4))], elementwise=True),
    named("exp2", "exp2", np.exp2, [case(real(3, 4))], elementwise=True),
    named("expm1", "expm1", np.expm1, [case(real(3, 4))], elementwise=True),
    named("log1p", "log1p", np.log1p, [case(positive(3, 4))], elementwise=True),
    named("logit", "logit", scipy.logit, [case(between(0.2, 0.8, 3, 4))], dtypes="float32"),
    named("logit", "logit", lambda x, eps: scipy.logit(np.clip(x, eps, 1 - eps)),
          [case(between(0.2, 0.8, 3, 4), 0.1), case(between(0.2, 0.8, 3), eps=1e-3)], dtypes=""),
    named("sinc", "sinc", np.sinc, [case(nonzero(3, 4))], elementwise=True),
    named("erf", "erf", scipy.erf, [case(real(3, 4))], elementwise=True),
    named("erfc", "erfc", scipy.erfc, [case(real(3, 4))], elementwise=True),
    named("erfinv", "erfinv", scipy.erfinv, [case(between(-0.8, 0.8, 3))], dtypes="float32"),
    named("gammaln", "lgamma", scipy.gammaln, [case(positive(3, 4)), case(given([1.0, 2.0, 1.01]))],
          elementwise=True),
    named("digamma", "digamma", scipy.digamma, [case(positive(3)), case(given([1.4616, 1.5]))]),
    named("psi", "digamma", scipy.psi, [case(positive(3, 4))]),
    named("polygamma", "polygamma", lambda n, x: scipy.polygamma(n, x),
          [case(1, positive(3, 4)), case(4, positive(3))], gradtol=1e-4),
    named("multigammaln", "lgamma", lambda x, p: np.vectorize(scipy.multigammaln)(x, p),
          [case(between(1.5, 4.0, 3), 2)], dtypes="float32"),
    named("xlogy", "xlogy", scipy.xlogy, [case(real(3, 4), positive(4)), case(2.0, positive(3))],
          broadcasts=True),
    named("round", "round_decimals", lambda x, decimals=0: np.round(x, decimals),
          [case(real(3, 4), decimals=1), case(real(3))], dtypes="float32"),
    named("softmax", "softmax", lambda x, dim, dtype=None: scipy.softmax(x, dim),
          [case(real(3, 4), 1), case(real(3, 4), dim=0)], dtypes="float32"),
    named("log_softmax", "log_softmax", lambda x, dim, dtype=None: scipy.log_softmax(x, dim),
          [case(real(3, 4), 1), case(real(3, 4), dim=0)], dtypes="float32"),
    named("logsumexp", "logsumexp",
          lambda x, dim, keepdim=False: scipy.logsumexp(x, dim, keepdims=keepdim),
          [case(real(3, 4), 1), case(real(3, 4), (0, 1), True)], dtypes="float32"),
]  # fmt: skip

ROWS = [*NORMAL, *GAMMA, *BESSEL, *POLYNOMIALS, *ALIASES]
