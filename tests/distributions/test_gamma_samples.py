"""The slope of gamma-distributed samples over its whole domain, and across its seams."""

import numpy as np
import pytest

import aino
from aino.autograd.rules.gamma_samples import log_gamma_slope
from aino.distributions.sampling import log_gamma

#: a, l = ln z, and -∂F/∂a / ∂F/∂l by mpmath at sixty digits.
FIGURES = [
    (1e-06, -1000000.0, 999999422785.9801),
    (0.001, -7.0, 6431.193887031846),
    (0.001, -1.9, 1704.95418192078),
    (0.001, 1.3, 222.3943214060142),
    (0.02, -40.0, 1972.760534477191),
    (0.3, -2.5, 8.449126783093142),
    (0.3, 0.7, 1.7740772063737211),
    (1.0, -3.0, 3.522218025039085),
    (1.0, 1.2, 0.6079190996045725),
    (2.5, 0.1, 0.6237945016375661),
    (2.5, 1.7, 0.2815295645434732),
    (7.0, 1.5, 0.18129506963978345),
    (30.0, 3.6, 0.030297436349052416),
    (200.0, 5.1, 0.005516759605261825),
    (200.0, 5.5, 0.004516487795441615),
    (3000.0, 8.02, 0.0003310848166527749),
    (100000.0, 11.51, 1.0014651147873869e-05),
    (100000.0, 11.52, 9.964685640125274e-06),
]


def slope(a, l):
    return log_gamma_slope(aino.tensor(a, dtype=aino.float64), aino.tensor(l, dtype=aino.float64))


@pytest.mark.parametrize(("a", "l", "expected"), FIGURES)
def test_figures(a, l, expected):
    assert slope(a, l).item() == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("a", [1e-4, 0.05, 0.4, 1.0, 3.0, 50.0])
def test_seams(a):
    """Where another formula begins the slope goes on as it was."""
    digamma = aino.digamma(aino.tensor(a, dtype=aino.float64)).item()
    for seam in (-2.0, 0.0, digamma):
        below, above = slope([a, a], [seam - 1e-10, seam + 1e-10]).tolist()
        assert below == pytest.approx(above, rel=1e-8)


def test_small_concentrations():
    """ln z of a z that no float holds, and its slope: z is about u^(1/a)."""
    a = aino.full((20_000,), 1e-4, dtype=aino.float64, requires_grad=True)
    sample = log_gamma(a, (20_000,))
    assert sample.min() < -20_000
    (found,) = aino.autograd.grad(sample.sum(), a)
    np.testing.assert_allclose(found.numpy(), -sample.detach().numpy() / 1e-4, 0.05, 2e4)


def test_two_dtypes():
    for dtype in (aino.float16, aino.float32, aino.float64):
        a = aino.full((100,), 2.0, dtype=dtype, requires_grad=True)
        sample = aino.distributions.Gamma(a, 1.0).rsample()
        assert sample.dtype == dtype
        (found,) = aino.autograd.grad(sample.sum(), a)
        assert found.dtype == dtype
        assert found.isfinite().all()
