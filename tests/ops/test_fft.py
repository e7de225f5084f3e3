"""``aino.fft`` where the rows of the calculus don't reach: ``out=``, dtypes, errors, laziness."""

import subprocess
import sys

import numpy as np
import pytest

import aino
from aino.errors import ArgumentError, DtypeError, GradientError, ShapeError

TRANSFORMS = [
    f"{kind}{count}" for count in ("", "2", "n")
    for kind in ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft")
]  # fmt: skip


def real_result(name):
    return name.startswith(("irfft", "hfft"))


@pytest.mark.parametrize("name", TRANSFORMS)
def test_out_is_written_and_returned(name):
    transform, x = getattr(aino.fft, name), aino.ones(3, 4)
    expected = transform(x)
    like = aino.zeros_like(expected)
    for out in (like, aino.empty(0, dtype=expected.dtype), like.to(aino.complex128)):
        assert transform(x, out=out) is out
        np.testing.assert_allclose(out.numpy(), expected.numpy())


@pytest.mark.parametrize("name", TRANSFORMS)
def test_out_that_does_not_fit_is_refused_and_kept(name):
    transform, x = getattr(aino.fft, name), aino.ones(3, 4)
    dtype = transform(x).dtype
    out = aino.full((2, 2), 7.0, dtype=dtype)
    with pytest.raises(GradientError, match="don't support automatic differentiation"):
        transform(x.requires_grad_(), out=out)
    assert (out == 7.0).all()
    if not real_result(name):
        with pytest.raises(DtypeError, match="complex64, which out= of float32 can't hold"):
            transform(x.detach(), out=aino.empty(0))


@pytest.mark.parametrize("name", TRANSFORMS)
def test_a_batch_of_none(name):
    x = aino.ones(0, 3, 4, requires_grad=True)
    dim = {} if name[-1] not in "2n" else {"dim": (1, 2)}
    y = getattr(aino.fft, name)(x, **dim)
    assert y.shape[0] == 0
    (y.real.sum() if y.is_complex() else y.sum()).backward()
    assert x.grad.shape == x.shape


@pytest.mark.parametrize("name", TRANSFORMS)
@pytest.mark.parametrize(("dtype", "made"), [
    (aino.float16, aino.float32), (aino.float32, aino.float32), (aino.float64, aino.float64),
    (aino.int8, aino.float32), (aino.bool, aino.float32),
])  # fmt: skip
def test_dtypes(name, dtype, made):
    y = getattr(aino.fft, name)(aino.ones(3, 4).to(dtype))
    assert y.dtype == (made if real_result(name) else aino.promote_types(made, aino.complex64))


@pytest.mark.parametrize("name", ["hfft", "ifft2", "irfft2"])
def test_numpys_out_is_written_where_numpy_forgets_it(name):
    function, x = getattr(np.fft, name), aino.ones(3, 4)
    out = aino.zeros_like(function(x))
    assert function(x, out=out) is out
    np.testing.assert_allclose(out.numpy(), function(x).numpy())


def test_half_precision_is_computed_in_float32():
    x = aino.full((4096,), 100.0, dtype=aino.float16, requires_grad=True)
    y = aino.fft.rfft(x)
    assert y[0].item() == 409600.0
    y.real.sum().backward()
    assert x.grad.dtype == aino.float16


def test_frequencies_take_dtypes_and_out():
    y = aino.fft.fftfreq(5, 0.1, dtype=aino.float64, requires_grad=True)
    np.testing.assert_array_equal(y.detach().numpy(), np.fft.fftfreq(5, 0.1))
    assert y.requires_grad
    out = aino.empty(0)
    assert aino.fft.rfftfreq(5, out=out) is out
    assert out.shape == (3,)
    assert aino.fft.fftfreq(0).shape == (0,)
    assert aino.fft.rfftfreq(0).shape == (1,)


def test_shifts_where_there_is_little_to_shift():
    x = aino.arange(5)
    assert aino.fft.fftshift(aino.tensor(3.0)).item() == 3.0
    assert aino.fft.fftshift(x, (0, 0)).tolist() == np.roll(np.arange(5), 4).tolist()
    assert aino.fft.ifftshift(aino.fft.fftshift(x)).tolist() == x.tolist()
    assert aino.fft.fftshift(aino.ones(0)).shape == (0,)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda f, x: f.fft(x, 0), ShapeError, r"Invalid number of data points \(0\)"),
        (lambda f, x: f.irfft(x[:, :1]), ShapeError, r"Invalid number of data points \(0\)"),
        (lambda f, x: f.fft(aino.tensor(1.0)), IndexError, "a 0-d tensor has no dimension -1"),
        (lambda f, x: f.fft(x, norm="x"), ArgumentError, "'backward', 'ortho', 'forward' or None"),
        (lambda f, x: f.rfft(x + 0j), DtypeError, "rfft expects a real input tensor"),
        (lambda f, x: f.fft2(x, dim=(0, 0)), ShapeError, "dim 0 appears multiple times"),
        (lambda f, x: f.fftn(x, s=(1, 2, 3)), ShapeError, "s has 3 lengths, the input 2"),
        (lambda f, x: f.fftn(x, s=(3,), dim=(0, 1)), ShapeError, "1 lengths for 2 dimensions"),
        (lambda f, x: f.rfftn(aino.tensor(1.0)), ShapeError, "must transform at least one axis"),
        (lambda f, x: f.fft(x, n=2.5), TypeError, "'n' is an integer, not 2.5"),
        (lambda f, x: f.fft([1.0]), TypeError, "takes tensors"),
        (lambda f, x: f.rfftfreq(-1), ShapeError, "0 or more, not -1"),
        (lambda f, x: f.fftfreq(3, dtype=aino.int64), DtypeError, "floating-point dtype"),
    ],
)
def test_errors_are_in_the_users_words(call, error, message):
    with pytest.raises(error, match=message):
        call(aino.fft, aino.ones(3, 4))


def test_transforms_are_loaded_when_they_are_asked_for():
    code = "import aino, sys; assert 'aino.ops.fft' not in sys.modules; aino.fft.fft"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_derivatives_of_third_order():
    x = aino.randn(5, dtype=aino.float64, requires_grad=True)
    y = (aino.fft.rfft(x).abs() ** 4).sum()
    for _ in range(3):
        (y,) = aino.autograd.grad(y, x, create_graph=True)
        y = (y * aino.arange(5)).sum()
    h = 1e-4

    def second(x):
        y = (aino.fft.rfft(x).abs() ** 4).sum()
        for _ in range(2):
            (y,) = aino.autograd.grad(y, x, create_graph=True)
            y = (y * aino.arange(5)).sum()
        return y.item()

    step = aino.arange(5) * h
    slope = (second((x + step).detach().requires_grad_())
             - second((x - step).detach().requires_grad_())) / (2 * h)  # fmt: skip
    assert y.item() == pytest.approx(slope, rel=1e-6)
