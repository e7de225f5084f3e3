"""Windows, and the short-time Fourier transform where its rows don't reach."""

import inspect
import subprocess
import sys
import warnings

import numpy as np
import pytest

import aino
from aino.errors import ArgumentError, DtypeError, ShapeError

windows = aino.signal.windows


def cosines(weights):
    def samples(m, n):
        k = np.arange(m)
        return sum((-1) ** i * w * np.cos(2 * np.pi * i * k / n) for i, w in enumerate(weights))

    return samples


def middle(m, n):
    return np.arange(m) - n / 2


#: Name -> the options that are tried, and the formula of m points and n steps.
FORMULAS = {
    "bartlett": [({}, lambda m, n: 1 - np.abs(2 * np.arange(m) / n - 1))],
    "blackman": [({}, cosines((0.42, 0.5, 0.08)))],
    "cosine": [({}, lambda m, n: np.sin(np.pi * (np.arange(m) + 0.5) / (n + 1)))],
    "exponential": [({}, lambda m, n: np.exp(-np.abs(middle(m, n)))),
                    ({"tau": 2.5}, lambda m, n: np.exp(-np.abs(middle(m, n)) / 2.5))],
    "gaussian": [({}, lambda m, n: np.exp(-0.5 * middle(m, n) ** 2)),
                 ({"std": 3.0}, lambda m, n: np.exp(-0.5 * (middle(m, n) / 3) ** 2))],
    "general_cosine": [({"a": [0.3, 0.5, 0.1, 0.1]}, cosines((0.3, 0.5, 0.1, 0.1))),
                       ({"a": (1.0,)}, cosines((1.0,)))],
    "general_hamming": [({}, cosines((0.54, 0.46))), ({"alpha": 0.7}, cosines((0.7, 0.3)))],
    "hamming": [({}, cosines((0.54, 0.46)))],
    "hann": [({}, lambda m, n: np.sin(np.pi * np.arange(m) / n) ** 2)],
    "kaiser": [({}, lambda m, n: np.i0(12 * root(m, n)) / np.i0(12.0)),
               ({"beta": 3.5}, lambda m, n: np.i0(3.5 * root(m, n)) / np.i0(3.5)),
               ({"beta": 0.0}, lambda m, n: np.ones(m))],
    "nuttall": [({}, cosines((0.3635819, 0.4891775, 0.1365995, 0.0106411)))],
}  # fmt: skip


def root(m, n):
    return np.sqrt(np.maximum(1 - (2 * np.arange(m) / n - 1) ** 2, 0))


CALLS = [(name, options, formula) for name, calls in FORMULAS.items() for options, formula in calls]


@pytest.mark.parametrize("sym", [True, False])
@pytest.mark.parametrize("m", [2, 3, 8, 33])
@pytest.mark.parametrize(("name", "options", "formula"), CALLS)
def test_windows_are_their_formulas(name, options, formula, m, sym):
    y = getattr(windows, name)(m, **options, sym=sym, dtype=aino.float64)
    np.testing.assert_allclose(y.numpy(), formula(m, m - sym), rtol=1e-9, atol=1e-12)
    single = getattr(windows, name)(m, **options, sym=sym)
    assert single.dtype == aino.float32
    np.testing.assert_allclose(single.numpy(), y.numpy(), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(("name", "options", "formula"), CALLS)
def test_windows_like_pytorchs(name, options, formula):
    torch = pytest.importorskip("torch")
    theirs = getattr(torch.signal.windows, name)
    for m in (0, 1, 2, 7):
        for sym in (True, False):
            ours = getattr(windows, name)(m, **options, sym=sym).numpy()
            expected = theirs(m, **options, sym=sym).numpy()
            np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-6)
    names = list(inspect.signature(theirs).parameters)
    assert list(inspect.signature(getattr(windows, name)).parameters) == names


TOP = {
    "bartlett": {}, "blackman": {}, "hann": {}, "hamming": {"alpha": 0.6, "beta": 0.4},
    "kaiser": {"beta": 5.0},
}  # fmt: skip


@pytest.mark.parametrize("name", TOP)
@pytest.mark.parametrize("periodic", [True, False])
def test_windows_at_the_top(name, periodic):
    function = getattr(aino, f"{name}_window")
    for m in (0, 1, 2, 9):
        y = function(m, periodic, dtype=aino.float64)
        expected = getattr(windows, name)(m, sym=not periodic, dtype=aino.float64)
        np.testing.assert_array_equal(y.numpy(), expected.numpy())
        assert function(m, dtype=aino.float16).dtype == aino.float16
    torch = pytest.importorskip("torch")
    theirs = getattr(torch, f"{name}_window")
    options = list(TOP[name].values())
    for m in (0, 1, 2, 9):
        np.testing.assert_allclose(
            function(m, periodic, *options).numpy(), theirs(m, periodic, *options).numpy(),
            rtol=1e-4, atol=1e-6,
        )  # fmt: skip


def test_the_names_are_pytorchs():
    torch = pytest.importorskip("torch")
    theirs = {n for n in dir(torch.signal.windows) if n[0] != "_" and n != "windows"}
    assert set(windows.__all__) == theirs


def test_what_windows_take():
    assert aino.hann_window(4, requires_grad=True).requires_grad
    assert windows.hann(4, requires_grad=True, device="cpu").requires_grad
    assert aino.hann_window(window_length=3).shape == (3,)
    assert windows.exponential(3, center=0.0, sym=False)[0].item() == 1.0


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda w: w.hann(-1), ValueError, "non-negative window length, got -1"),
        (lambda w: w.hann(2.5), TypeError, "float"),
        (lambda w: w.hann(4, dtype=aino.int64), ValueError, "float32 float64, got int64"),
        (lambda w: w.exponential(4, center=1.0), ValueError, "None for symmetric"),
        (lambda w: w.exponential(4, tau=0), ValueError, "Tau must be positive, got: 0"),
        (lambda w: w.gaussian(4, std=-1), ValueError, "deviation must be positive, got: -1"),
        (lambda w: w.general_cosine(4, a=[]), ValueError, "cannot be empty"),
        (lambda w: w.general_cosine(4, a=3), TypeError, "list/tuple"),
        (lambda w: w.kaiser(4, beta=-1), ValueError, "non-negative, got: -1"),
        (lambda w: w.hann(4, layout="sparse"), TypeError, "layout"),
        (lambda w: aino.hann_window(4, layout="sparse"), TypeError, "layout"),
        (lambda w: aino.hann_window(4, pin_memory=True), RuntimeError, "pin"),
        (lambda w: aino.hann_window(-1), RuntimeError, "non-negative window length"),
        (lambda w: aino.hann_window(4, dtype=aino.int64), DtypeError, "got int64"),
    ],
)
def test_errors_of_windows(call, error, message):
    with pytest.raises(error, match=message):
        call(windows)


# The short-time Fourier transform


def test_methods_and_the_way_back():
    x = aino.randn(2, 400, dtype=aino.float64)
    window = aino.hann_window(64, dtype=aino.float64)
    spectrum = x.stft(64, 16, window=window, return_complex=True)
    assert spectrum.shape == (2, 33, 26)
    back = spectrum.istft(64, 16, window=window, length=400)
    np.testing.assert_allclose(back.numpy(), x.numpy(), atol=1e-12)


def test_a_signal_longer_than_its_stretches_is_filled_up():
    spectrum = aino.stft(aino.ones(20), 8, window=aino.ones(8), return_complex=True)
    with pytest.warns(UserWarning, match="cover 24 points, fewer than length=30") as caught:
        y = aino.istft(spectrum, 8, window=aino.ones(8), length=30)
    assert y.shape == (30,)
    assert (y[24:] == 0).all()
    assert caught[0].filename == __file__


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda s, w: aino.istft(s, 8, 8, window=w), ArgumentError, "windows leave a hole"),
        (lambda s, w: aino.istft(s, 8, window=w * 0), ArgumentError, "least sum .* is 0"),
        (lambda s, w: aino.istft(s.real, 8, window=w), DtypeError, "complex-valued input"),
        (lambda s, w: aino.istft(s, 8, window=w + 0j), ArgumentError, "Complex windows"),
        (lambda s, w: aino.istft(s, 8, window=w, length=0), ShapeError, "nothing is left"),
        (lambda s, w: aino.istft(s, 10), ShapeError, "expected 6 frequencies .* has 5"),
        (lambda s, w: aino.stft(aino.arange(20), 8, return_complex=True), DtypeError, "int64"),
        (lambda s, w: aino.stft(aino.ones(20), 8), ArgumentError, "parameter be given"),
    ],
)  # fmt: skip
def test_errors_of_transforms(call, error, message):
    window = aino.hann_window(8)
    spectrum = aino.stft(aino.ones(20), 8, window=window, return_complex=True)
    with pytest.raises(error, match=message):
        call(spectrum, window)


def test_a_hole_is_found_by_a_program_too():
    spectrum = aino.stft(aino.ones(20), 8, window=aino.ones(8), return_complex=True)
    back = aino.compile(lambda window: aino.istft(spectrum, 8, window=window), fullgraph=True)
    for _ in range(3):
        assert back(aino.hann_window(8) + 0.1).shape == (20,)
    with pytest.raises(ArgumentError, match="windows leave a hole"):
        back(aino.zeros(8))


def test_half_precision_and_dtypes_of_windows():
    x = aino.ones(20, dtype=aino.float16)
    assert x.stft(8, window=aino.ones(8), return_complex=True).dtype == aino.complex64
    y = aino.ones(20).stft(8, window=aino.ones(8, dtype=aino.float64), return_complex=True)
    assert y.dtype == aino.complex128
    assert aino.ones(20).stft(8, window=aino.ones(8).long(), return_complex=True).shape == (5, 11)


@pytest.mark.parametrize(("size", "step", "count"), [(5, 2, 4), (4, 4, 3), (3, 5, 3), (6, 1, 5),
                                                     (7, 3, 1), (2, 1, 1)])  # fmt: skip
@pytest.mark.parametrize("more", [0, 1])
@pytest.mark.parametrize("axis", [0, 1])
def test_the_sum_of_windows(size, step, count, more, axis):
    """unfold's backward pass adds overlapping windows up, and nothing to what lies behind them."""
    n = (count - 1) * step + size + more
    if (n - size) // step + 1 != count:
        pytest.skip("one more window fits")
    x = aino.ones(*((n, 3) if axis == 0 else (2, n)), dtype=aino.float64, requires_grad=True)
    weight = aino.randn(*x.unfold(axis, size, step).shape, dtype=aino.float64)
    (x.unfold(axis, size, step) * weight).sum().backward()
    expected = np.zeros(x.shape)
    windows = np.moveaxis(weight.numpy(), -1, axis + 1)
    for i in range(count):
        where = (slice(None),) * axis
        expected[(*where, slice(i * step, i * step + size))] += windows[(*where, i)]
    np.testing.assert_allclose(x.grad.numpy(), expected, atol=1e-12)


def test_rooms_are_loaded_when_they_are_asked_for():
    code = (
        "import aino, sys\n"
        "assert not [m for m in sys.modules if m.startswith(('aino.signal', 'aino.ops.windows'))]\n"
        "aino.hann_window(4), aino.signal.windows.hann, aino.ones(8).stft"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        aino.stft(aino.ones(20), 8, return_complex=True)
