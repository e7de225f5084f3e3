"""Ordinary calls of SciPy and matplotlib take tensors that need no gradient."""

from __future__ import annotations

import numpy as np
import pytest

import aino

pytestmark = pytest.mark.filterwarnings("ignore")
matplotlib = pytest.importorskip("matplotlib")
pytest.importorskip("scipy")
matplotlib.use("Agg")

import matplotlib.pyplot as plt  # noqa: E402
from scipy import (  # noqa: E402
    cluster,
    fft,
    integrate,
    interpolate,
    linalg,
    ndimage,
    optimize,
    signal,
    sparse,
    spatial,
    special,
    stats,
)  # fmt: skip

RNG = np.random.default_rng(0)
X, Y = np.sort(RNG.uniform(0.5, 2.0, 20)), RNG.uniform(0.5, 2.0, 20)
M = RNG.uniform(0.0, 1.0, (6, 6)) + 5.0 * np.eye(6)

PLOTS = {
    "plot": lambda ax, x, y, m: ax.plot(x, y),
    "plot one": lambda ax, x, y, m: ax.plot(x),
    "plot columns": lambda ax, x, y, m: ax.plot(m),
    "hist": lambda ax, x, y, m: ax.hist(x),
    "hist with weights": lambda ax, x, y, m: ax.hist(x, bins=5, weights=y),
    "hist of two": lambda ax, x, y, m: ax.hist([x, y]),
    "hist2d": lambda ax, x, y, m: ax.hist2d(x, y),
    "hexbin": lambda ax, x, y, m: ax.hexbin(x, y),
    "imshow": lambda ax, x, y, m: ax.figure.colorbar(ax.imshow(m)),
    "matshow": lambda ax, x, y, m: ax.matshow(m),
    "pcolormesh": lambda ax, x, y, m: ax.pcolormesh(m),
    "contour": lambda ax, x, y, m: ax.contour(m),
    "contourf": lambda ax, x, y, m: ax.contourf(m),
    "tricontour": lambda ax, x, y, m: ax.tricontour(x, y, x),
    "scatter": lambda ax, x, y, m: ax.scatter(x, y, c=x, s=y),
    "bar": lambda ax, x, y, m: ax.bar(x, y),
    "barh": lambda ax, x, y, m: ax.barh(x, y),
    "errorbar": lambda ax, x, y, m: ax.errorbar(x, y, yerr=y),
    "fill_between": lambda ax, x, y, m: ax.fill_between(x, y, x),
    "stackplot": lambda ax, x, y, m: ax.stackplot(x, y, x),
    "quiver": lambda ax, x, y, m: ax.quiver(x, y, x, y),
    "streamplot": lambda ax, x, y, m: ax.streamplot(np.arange(6), np.arange(6), m, m),
    "boxplot": lambda ax, x, y, m: ax.boxplot(x),
    "violinplot": lambda ax, x, y, m: ax.violinplot(x),
    "stem": lambda ax, x, y, m: ax.stem(x, y),
    "step": lambda ax, x, y, m: ax.step(x, y),
    "eventplot": lambda ax, x, y, m: ax.eventplot(x),
    "pie": lambda ax, x, y, m: ax.pie(x),
    "semilogy": lambda ax, x, y, m: ax.semilogy(x, y),
    "loglog": lambda ax, x, y, m: ax.loglog(x, y),
    "vlines": lambda ax, x, y, m: ax.vlines(x, 0, y),
    "limits and lines": lambda ax, x, y, m: (ax.set_xlim(x[0], x[-1]), ax.axhline(y[0])),
    "ticks and text": lambda ax, x, y, m: (ax.set_xticks(x[:3]), ax.text(x[0], y[0], "a")),
    "annotate": lambda ax, x, y, m: ax.annotate("a", (x[0], y[0])),
}


def pixels(draw, *data):
    figure, ax = plt.subplots(figsize=(2, 2), dpi=50)
    try:
        draw(ax, *data)
        figure.canvas.draw()
        return np.asarray(figure.canvas.buffer_rgba()).copy()
    finally:
        plt.close(figure)


def tensors():
    return [aino.from_numpy(a.copy()) for a in (X, Y, M)]


@pytest.mark.parametrize("name", PLOTS)
def test_a_picture_of_tensors_is_that_of_arrays(name):
    np.testing.assert_array_equal(pixels(PLOTS[name], *tensors()), pixels(PLOTS[name], X, Y, M))


def test_a_tensor_that_requires_a_gradient_is_not_drawn_in_silence():
    with pytest.raises(RuntimeError, match="requires a gradient"):
        pixels(PLOTS["plot one"], *[x.requires_grad_() for x in tensors()])


def parabola(target):
    return lambda p: ((p - target) ** 2).sum()


CALLS = {
    # scipy.stats
    "ttest_ind": lambda x, y, m: stats.ttest_ind(x, y).pvalue,
    "pearsonr": lambda x, y, m: stats.pearsonr(x, y)[0],
    "spearmanr": lambda x, y, m: stats.spearmanr(x, y)[0],
    "linregress": lambda x, y, m: stats.linregress(x, y).slope,
    "norm.pdf": lambda x, y, m: stats.norm.pdf(x, loc=y),
    "gamma.logpdf": lambda x, y, m: stats.gamma.logpdf(x, 2.0),
    "norm.fit": lambda x, y, m: stats.norm.fit(x),
    "ks_2samp": lambda x, y, m: stats.ks_2samp(x, y).pvalue,
    "mannwhitneyu": lambda x, y, m: stats.mannwhitneyu(x, y).pvalue,
    "shapiro": lambda x, y, m: stats.shapiro(x).statistic,
    "describe": lambda x, y, m: stats.describe(x).variance,
    "zscore": lambda x, y, m: stats.zscore(x),
    "moments": lambda x, y, m: [stats.skew(x), stats.kurtosis(x), stats.iqr(x), stats.sem(x)],
    "means": lambda x, y, m: [stats.gmean(x), stats.trim_mean(x, 0.1), stats.mode(x).mode],
    "rankdata": lambda x, y, m: stats.rankdata(x),
    "entropy": lambda x, y, m: stats.entropy(x, y),
    "gaussian_kde": lambda x, y, m: stats.gaussian_kde(x)(y),
    "multivariate_normal": lambda x, y, m: stats.multivariate_normal(mean=x[:2]).pdf(y[:2]),
    "chi2_contingency": lambda x, y, m: stats.chi2_contingency(m)[1],
    "wasserstein_distance": lambda x, y, m: stats.wasserstein_distance(x, y),
    # scipy.interpolate
    "interp1d": lambda x, y, m: interpolate.interp1d(x, y)(1.0),
    "CubicSpline": lambda x, y, m: interpolate.CubicSpline(x, y)(x),
    "PchipInterpolator": lambda x, y, m: interpolate.PchipInterpolator(x, y)(x),
    "make_interp_spline": lambda x, y, m: interpolate.make_interp_spline(x, y)(x),
    "splrep": lambda x, y, m: interpolate.splev(x, interpolate.splrep(x, y)),
    "griddata": lambda x, y, m: interpolate.griddata((x, y), x, (1.0, 1.0)),
    "RBFInterpolator": lambda x, y, m: interpolate.RBFInterpolator(m[:, :2], m[:, 0])(m[:, :2]),
    # scipy.signal
    "convolve": lambda x, y, m: signal.convolve(x, y),
    "fftconvolve": lambda x, y, m: signal.fftconvolve(x, y),
    "convolve2d": lambda x, y, m: signal.convolve2d(m, m),
    "correlate": lambda x, y, m: signal.correlate(x, y),
    "lfilter": lambda x, y, m: signal.lfilter([1.0, 2.0], [1.0, 0.5], x),
    "filtfilt": lambda x, y, m: signal.filtfilt([1.0, 0.2], [1.0, 0.5], x),
    "sosfilt": lambda x, y, m: signal.sosfilt(signal.butter(2, 0.3, output="sos"), x),
    "find_peaks": lambda x, y, m: signal.find_peaks(y)[0],
    "welch": lambda x, y, m: signal.welch(x, nperseg=8)[1],
    "spectrogram": lambda x, y, m: signal.spectrogram(x, nperseg=8)[2],
    "savgol_filter": lambda x, y, m: signal.savgol_filter(x, 5, 2),
    "resample": lambda x, y, m: signal.resample(x, 10),
    "hilbert": lambda x, y, m: np.abs(signal.hilbert(x)),
    "detrend": lambda x, y, m: signal.detrend(y),
    "medfilt": lambda x, y, m: signal.medfilt(x),
    # scipy.optimize, with functions of tensors
    "minimize": lambda x, y, m: optimize.minimize(parabola(x[:2]), y[:2]).x,
    "minimize, a slope": lambda x, y, m: optimize.minimize(
        parabola(x[:2]), y[:2], jac=lambda p: 2 * (p - x[:2])).x,
    "minimize, both": lambda x, y, m: optimize.minimize(
        lambda p: (((p - x[:2]) ** 2).sum(), 2 * (p - x[:2])), y[:2], jac=True).x,
    "Nelder-Mead": lambda x, y, m: optimize.minimize(
        parabola(x[:2]), y[:2], method="Nelder-Mead").x,
    "L-BFGS-B": lambda x, y, m: optimize.minimize(
        parabola(x[:2]), y[:2], method="L-BFGS-B", bounds=[(0, 3)] * 2).x,
    "minimize_scalar": lambda x, y, m: optimize.minimize_scalar(lambda p: (p - x[0]) ** 2).x,
    "root": lambda x, y, m: optimize.root(lambda p: p - x[:2], y[:2]).x,
    "fsolve": lambda x, y, m: optimize.fsolve(lambda p: p - x[:2], y[:2]),
    "brentq": lambda x, y, m: optimize.brentq(lambda p: p - x[0], -5, 5),
    "curve_fit": lambda x, y, m: optimize.curve_fit(lambda t, p, q: p * t + q, x, y)[0],
    "nnls": lambda x, y, m: optimize.nnls(m, x[:6])[0],
    "linear_sum_assignment": lambda x, y, m: optimize.linear_sum_assignment(m)[1],
    # other rooms
    "linalg": lambda x, y, m: [linalg.norm(m), linalg.solve(m, x[:6])[0], linalg.expm(m)[0, 0]],
    "quad": lambda x, y, m: integrate.quad(lambda t: x[0] * t, 0, 1)[0],
    "trapezoid": lambda x, y, m: [integrate.trapezoid(y, x), integrate.simpson(y, x=x)],
    "solve_ivp": lambda x, y, m: integrate.solve_ivp(lambda t, s: -s * x[0], (0, 1), y[:2]).y,
    "distances": lambda x, y, m: spatial.distance.cdist(m, m),
    "KDTree": lambda x, y, m: spatial.KDTree(m).query(m + 0.1)[0],
    "special": lambda x, y, m: [special.gamma(x), special.jv(1.0, x), special.xlogy(x, y)],
    "ndimage": lambda x, y, m: ndimage.gaussian_filter(m, 1.0),
    "RegularGridInterpolator": lambda x, y, m: interpolate.RegularGridInterpolator(
        (np.arange(6.0), np.arange(6.0)), m)((1.5, 2.5)),
    "sparse": lambda x, y, m: sparse.csr_matrix(m).sum(0),
    "fft": lambda x, y, m: [fft.dct(x), np.abs(fft.fft(x))],
    "linkage": lambda x, y, m: cluster.hierarchy.linkage(m)[:, 2],
}  # fmt: skip


def plain(value):
    parts = value if isinstance(value, (list, tuple)) else [value]
    return [x.numpy() if isinstance(x, aino.Tensor) else np.asarray(x) for x in parts]


@pytest.mark.parametrize("name", CALLS)
def test_a_call_with_tensors_gives_what_it_gives_with_arrays(name):
    for found, expected in zip(plain(CALLS[name](*tensors())), plain(CALLS[name](X, Y, M))):
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-7)


#: What reads attributes that arrays have and tensors have not, or have with PyTorch's meaning.
ARRAYS_ONLY = {
    "least_squares": lambda m, x, turn: optimize.least_squares(lambda p: turn(m @ p - x), X[:6]).x,
}  # fmt: skip


@pytest.mark.parametrize("name", ARRAYS_ONLY)
def test_what_takes_arrays_only_says_so(name):
    call, (x, _, m) = ARRAYS_ONLY[name], tensors()
    with pytest.raises((AttributeError, TypeError)):
        call(m, x[:6], lambda tensor: tensor)
    expected = call(M, X[:6], lambda array: array)
    np.testing.assert_allclose(call(m, x[:6], lambda tensor: tensor.numpy()), expected, rtol=1e-6)
