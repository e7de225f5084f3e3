"""``aino.special`` over whole domains, against stored figures; ``out=``, errors, extras."""

import inspect
import json
import math
import subprocess
import sys

import numpy as np
import pytest

import aino
from aino.errors import ArgumentError, DtypeError, GradientError, MissingExtraError
from tests.calculus.figures import PATH

inf, nan = math.inf, math.nan
FIGURES = json.loads(PATH.read_text(encoding="utf-8"))
#: Those of which PyTorch has a figure by another name, or that take another argument.
ELSEWHERE = {
    "erfcx", "log_softmax", "softmax", "logsumexp", "round", "xlog1py", "xlogy", "multigammaln",
    "psi", "modified_bessel_i0", "modified_bessel_i1", "polygamma",
}  # fmt: skip


def call(name, *arguments):
    name, *order = name.split()
    function = getattr(aino.special, name)
    return function(*map(int, order), *arguments)


def test_every_function_has_figures():
    names = {name.split()[0] for name in FIGURES}
    assert names | ELSEWHERE == set(aino.special.__all__)


@pytest.mark.parametrize("name", FIGURES)
def test_twelve_digits_in_float64(name):
    *arguments, expected, scale = np.array(FIGURES[name]).T
    y = call(name, *map(aino.from_numpy, arguments)).numpy()
    assert y.dtype == np.float64
    error = np.abs(y - expected) / scale
    worst = int(np.argmax(error))
    assert error[worst] < 1e-12, (error[worst], [x[worst] for x in arguments])


#: What NumPy computes in float32 itself: how many of its last digits that may cost, and what a
#: change of the argument in its last digits is worth.
COMPOSED = {
    "erf": 2, "exp2": 2, "expit": 2, "expm1": 2, "log1p": 2, "logit": 3000, "sinc": 3000,
}  # fmt: skip


@pytest.mark.parametrize("name", FIGURES)
def test_float32_is_right_to_its_last_digits(name):
    *arguments, expected, scale = np.array(FIGURES[name]).T
    y = call(name, *[aino.from_numpy(np.float32(x)) for x in arguments]).numpy()
    assert y.dtype == np.float32
    epsilon = float(np.finfo(np.float32).eps)
    allowed = 0.501 * epsilon * np.abs(expected) + 1e-12 * scale
    if name in COMPOSED:
        allowed = COMPOSED[name] * epsilon * scale
    excess = np.abs(y - expected) / allowed
    worst = int(np.argmax(excess))
    assert excess[worst] <= 1, (excess[worst], [x[worst] for x in arguments])


#: The functions of tensors alone.
ONE = sorted(set(aino.special.__all__) - {
    "log_softmax", "softmax", "logsumexp", "round", "polygamma", "multigammaln", "logit",
})  # fmt: skip


def arguments_of(name, dtype=None):
    count = list(inspect.signature(getattr(aino.special, name)).parameters).index("out")
    return [aino.full((2, 3), 0.5).to(dtype or aino.float64)] * count


@pytest.mark.parametrize("name", ONE)
def test_out_is_written_and_returned(name):
    arguments = arguments_of(name)
    expected = getattr(aino.special, name)(*arguments)
    out = aino.empty(0, dtype=aino.float64)
    assert getattr(aino.special, name)(*arguments, out=out) is out
    np.testing.assert_array_equal(out.numpy(), expected.numpy())
    with pytest.raises(DtypeError, match="can't hold"):
        getattr(aino.special, name)(*arguments, out=aino.empty(2, 3, dtype=aino.int64))


def test_out_of_what_has_options():
    x, s = aino.full((2,), 0.5), aino.special
    for function in (
        lambda **out: s.logit(x, 0.1, **out), lambda **out: s.round(x, decimals=1, **out),
        lambda **out: s.logsumexp(x, 0, **out), lambda **out: s.polygamma(2, x, **out),
        lambda **out: s.multigammaln(x + 1, 2, **out),
    ):  # fmt: skip
        out = aino.empty(0)
        assert function(out=out) is out
        np.testing.assert_array_equal(out.numpy(), function().numpy())


@pytest.mark.parametrize("name", ONE)
@pytest.mark.parametrize("dtype", [aino.float16, aino.float32, aino.int64, aino.bool, aino.uint8])
def test_dtypes(name, dtype):
    y = getattr(aino.special, name)(*arguments_of(name, dtype))
    assert y.dtype == (dtype if dtype.kind == "f" else aino.float32)


@pytest.mark.parametrize(
    "name",
    sorted(
        set(ONE)
        - {"expit", "exp2", "expm1", "log1p", "sinc", "spherical_bessel_j0", "xlogy", "xlog1py"}
    ),
)
def test_complex_numbers_are_refused(name):
    with pytest.raises(DtypeError, match="complex"):
        getattr(aino.special, name)(*arguments_of(name, aino.complex128))


def test_half_precision_is_rounded_once():
    x = aino.tensor([0.1, 3.3, 7.7], dtype=aino.float16)
    for name in ("erfcx", "log_ndtr", "i0e", "bessel_j0", "digamma", "gammaln"):
        function = getattr(aino.special, name)
        assert (function(x) == function(x.double()).half()).all(), name


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (lambda s, x: s.entr(x([0.0, -1.0, inf, nan])), [0.0, -inf, -inf, nan]),
        (lambda s, x: s.erfcx(x([-30.0, inf, -inf])), [inf, 0.0, inf]),
        (lambda s, x: s.erfcx(x([1e300])), [1.0 / (math.sqrt(math.pi) * 1e300)]),
        (lambda s, x: s.log_ndtr(x([inf, -inf, -1e10])), [0.0, -inf, -5e19]),
        (lambda s, x: s.ndtr(x([-30.0])), [4.906713927148187e-198]),
        (lambda s, x: s.ndtri(x([0.0, 1.0, 0.5, 2.0, -1.0])), [-inf, inf, 0.0, nan, nan]),
        (lambda s, x: s.i0(x([-inf, inf, 1e5])), [inf] * 3),
        (lambda s, x: s.i1(x([-inf, inf])), [-inf, inf]),
        (lambda s, x: s.i1e(x([-inf, inf, 0.0])), [0.0, 0.0, 0.0]),
        (lambda s, x: s.i0(x([713.0])), [6.705128263670996e307]),
        (lambda s, x: s.bessel_j0(x([inf, -inf])), [0.0, 0.0]),
        (lambda s, x: s.bessel_y0(x([0.0, -1.0, inf])), [-inf, nan, 0.0]),
        (lambda s, x: s.bessel_y1(x([0.0, -1.0, inf])), [-inf, nan, 0.0]),
        (lambda s, x: s.modified_bessel_k1(x([0.0, -1.0, inf])), [inf, nan, 0.0]),
        (lambda s, x: s.gammainc(x([0.0, 1.0, 1.0, -1.0]), x([1.0, 0.0, inf, 1.0])),
         [1.0, 0.0, 1.0, nan]),
        (lambda s, x: s.gammaincc(x([0.0, 1.0, 1.0, -1.0]), x([1.0, 0.0, inf, 1.0])),
         [0.0, 1.0, 0.0, nan]),
        (lambda s, x: s.zeta(x([1.0, 0.5, 3.0, 2.5, 2.0]), x([1.0, 1.0, -1.0, -1.5, inf])),
         [inf, nan, inf, nan, 0.0]),
        (lambda s, x: s.zeta(x([inf] * 3), x([0.5, 1.0, 2.0])), [inf, 1.0, 0.0]),
        (lambda s, x: s.zeta(x([2.0, 3.0, 2.0]), x([-1.5, -1.5, -0.5])),
         [9.379246644989124, 0.1181020258208637, 8.934802200544679]),
        (lambda s, x: s.polygamma(1, x([inf, 0.0, -1e7 - 0.5])), [0.0, inf, 9.86960430108937]),
        (lambda s, x: s.polygamma(2, x([0.0, -1.0])), [-inf, -inf]),
        (lambda s, x: s.polygamma(170, x([500.0])), [-7.536907377048329e-155]),
        (lambda s, x: s.xlog1py(x([0.0, 0.0, 0.0]), x([-1.0, -2.0, nan])), [0.0, 0.0, nan]),
        (lambda s, x: s.chebyshev_polynomial_t(x([2.0, 0.5, 0.5]), x([-1.0, 3.9, nan])),
         [0.0, -1.0, 0.0]),
        (lambda s, x: s.hermite_polynomial_h(x([nan, nan]), x([2.0, -2.0])), [nan, 0.0]),
    ],
)  # fmt: skip
def test_where_functions_end(value, expected):
    y = value(aino.special, lambda values: aino.tensor(values, dtype=aino.float64))
    np.testing.assert_allclose(y.numpy(), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda s, x: s.polygamma(-1, x), ValueError, "0 or more"),
        (lambda s, x: s.multigammaln(x, 0), RuntimeError, "1 or more"),
        (lambda s, x: s.erfcx([1.0]), TypeError, "takes tensors"),
        (lambda s, x: s.zeta(2.0, 3.0), TypeError, "zeta takes tensors; .* is a float"),
        (lambda s, x: s.xlogy(2.0, 3), TypeError, "xlogy takes tensors"),
        (lambda s, x: s.xlog1py(2.0, 3), TypeError, "xlog1py takes tensors"),
        (lambda s, x: s.hermite_polynomial_h(2.0, 3), TypeError, "takes tensors"),
        (lambda s, x: s.legendre_polynomial_p(x, 1e9), ArgumentError, "degree 1e\\+09"),
        (lambda s, x: s.erfcx(x, out=x.requires_grad_()), GradientError, "automatic differ"),
        (lambda s, x: s.zeta(x.requires_grad_(), 1).sum().backward(), GradientError, "zeta: the"),
        (lambda s, x: s.legendre_polynomial_p(x, x.requires_grad_()).sum().backward(),
         GradientError, "no derivative with respect to its degree"),
    ],
)  # fmt: skip
def test_errors_are_in_the_users_words(call, error, message):
    with pytest.raises(error, match=message):
        call(aino.special, aino.ones(2) + 1)


def test_without_scipy_the_extra_is_named(monkeypatch):
    from aino.autograd.rules import in_double

    monkeypatch.setattr(in_double, "_scipy_special", lambda: None)
    x = aino.tensor([1.0])
    for name in ("bessel_j1", "airy_ai", "modified_bessel_k0", "gammainc"):
        with pytest.raises(MissingExtraError, match=r"pip install 'aino\[scipy\]'"):
            getattr(aino.special, name)(*arguments_of(name))
    assert aino.special.i0(x).item() > 1.0
    assert aino.special.bessel_j0(aino.tensor([30.0])).item() < 0.0


def test_methods_and_names_at_the_top():
    x, y = aino.tensor([1.0, 2.0]), aino.tensor([0.5, 3.0])
    assert (x.i0() == aino.i0(x)).all()
    assert (aino.i0(x) == aino.special.modified_bessel_i0(x)).all()
    assert (x.igamma(y) == aino.igamma(x, y)).all()
    assert (aino.igamma(x, y) == aino.special.gammainc(x, y)).all()
    assert (x.igammac(y) == aino.special.gammaincc(x, y)).all()
    for name in ("i0", "igamma", "igammac", "polygamma", "mvlgamma"):
        z = aino.tensor([2.0, 3.0])
        arguments = {"i0": (), "polygamma": (1,), "mvlgamma": (2,)}.get(name, (y,))
        expected = getattr(z, name)(*arguments)
        assert getattr(z, f"{name}_")(*arguments) is z
        assert (z == expected).all()


def test_special_functions_are_loaded_when_they_are_asked_for():
    code = (
        "import aino, sys; assert 'aino.ops.special' not in sys.modules\n"
        "assert 'scipy' not in sys.modules\n"
        "assert abs(aino.tensor([1.0]).i0_().item() - 1.2660659) < 1e-6\n"
        "assert 'scipy' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_derivatives_at_zero_are_right_to_the_third_order():
    for function, orders in (
        (aino.special.i1, [0.5, 0.0, 0.375]), (aino.special.i0, [0.0, 0.5, 0.0]),
        (aino.special.bessel_j1, [0.5, 0.0, -0.375]), (aino.special.bessel_j0, [0.0, -0.5, 0.0]),
    ):  # fmt: skip
        x = aino.tensor(0.0, dtype=aino.float64, requires_grad=True)
        y = function(x)
        for expected in orders:
            (y,) = aino.autograd.grad(y, x, create_graph=True)
            assert y.item() == pytest.approx(expected, abs=1e-15)
