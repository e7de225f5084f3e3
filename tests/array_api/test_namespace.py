"""The namespace of the array standard beside NumPy's, its derivatives, and what it refuses."""

import inspect
import os
import subprocess
import sys
import textwrap
import warnings

import numpy as np
import pytest

import aino
from aino import array_api as xp
from tests.array_api.calls import CALLS, REAL, SQUARE, SYMMETRIC, TALL, WHOLE


def of(module, name):
    for part in name.split("."):
        module = getattr(module, part, None)
    return module


def plain(item):
    if isinstance(item, (tuple, list)):
        return [plain(part) for part in item]
    return item.numpy() if isinstance(item, aino.Tensor) else np.asarray(item)


def given(item):
    if isinstance(item, np.ndarray):
        return aino.from_numpy(item)
    return [given(x) for x in item] if isinstance(item, list) else item


def oracle(name, arrays, options):
    """NumPy's answer, None where NumPy knows the function by other words."""
    function = of(np, name)
    try:
        return function(*arrays, **options)
    except TypeError:
        return None


@pytest.mark.parametrize("name", CALLS)
def test_values(name):
    for arrays, options in CALLS[name]:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = oracle(name, arrays, options)
            found = of(xp, name)(*[given(x) for x in arrays], **options)
        if expected is None:
            continue
        if name == "unique_values":  # in whatever order
            found, expected = xp.sort(found), np.sort(expected)
        for mine, its in zip(*(plain([x] if hasattr(x, "shape") else list(x))
                               for x in (found, expected)), strict=True):  # fmt: skip
            close = 1e-5 if mine.dtype in (np.float32, np.complex64) else 1e-11
            np.testing.assert_allclose(mine, its, rtol=close, atol=close)


def test_decompositions_multiply_back():
    tall, square = aino.from_numpy(TALL), aino.from_numpy(SQUARE)
    q, r = xp.linalg.qr(tall)
    np.testing.assert_allclose((q @ r).numpy(), TALL, atol=1e-12)
    assert xp.linalg.qr(tall, mode="complete").Q.shape == (2, 4, 4)
    u, s, vh = xp.linalg.svd(tall, full_matrices=False)
    np.testing.assert_allclose(((u * s[:, None, :]) @ vh).numpy(), TALL, atol=1e-12)
    assert xp.linalg.svd(tall).U.shape == (2, 4, 4)
    values, vectors = xp.linalg.eigh(aino.from_numpy(SYMMETRIC))
    back = vectors @ (values[..., None] * vectors.mT)
    np.testing.assert_allclose(back.numpy(), SYMMETRIC, atol=1e-12)
    values, vectors = xp.linalg.eig(square)
    back = (square.to(values.dtype) @ vectors - vectors * values[:, None, :]).numpy()
    np.testing.assert_allclose(back, 0, atol=1e-11)
    np.testing.assert_allclose(xp.linalg.eigvals(square).numpy(), values.numpy(), atol=1e-12)


DIFFERENTIABLE = {
    "sum": lambda x: xp.sum(xp.sin(x) * xp.exp(x), axis=0),
    "std": lambda x: xp.std(x, axis=1, correction=1),
    "concat": lambda x: xp.concat([x, xp.square(x)], axis=None),
    "solve": lambda x: xp.linalg.solve(x @ x.mT + xp.eye(3, dtype=x.dtype), x),
    "take": lambda x: xp.take(x, aino.tensor([0, 2]), axis=1) ** 2,
    "where": lambda x: xp.where(x > 0, xp.multiply(x, 2.0), 0.0),
    "fft": lambda x: xp.abs(xp.fft.rfft(x)),
    "sort": lambda x: xp.sort(x, descending=True) * xp.cumulative_sum(x, axis=1),
    "vecdot": lambda x: xp.vecdot(x, xp.flip(x)),
    "clip": lambda x: xp.clip(x, -0.5, 0.5) + xp.hypot(x, 2.0),
}


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_derivatives_go_through(name):
    x = aino.from_numpy(REAL).requires_grad_()
    assert aino.autograd.gradcheck(DIFFERENTIABLE[name], (x,))


def test_it_is_the_namespace_of_tensors():
    x = aino.ones(2)
    assert x.__array_namespace__() is xp is aino.array_api
    assert x.__array_namespace__(api_version="2024.12") is xp
    with pytest.raises(ValueError, match=r"'1999\.01' of the array standard is unknown"):
        x.__array_namespace__(api_version="1999.01")
    assert x.to_device("cpu") is x
    assert xp.float32 == x.dtype
    assert xp.__array_api_version__ == "2025.12"


def test_dtypes_count_and_not_dimensions():
    single, double = aino.ones(2), aino.tensor(1.0, dtype=aino.float64)
    assert xp.add(single, double).dtype == aino.float64
    assert (single + double).dtype == aino.float32  # PyTorch's operators
    assert xp.add(single, 1.0).dtype == aino.float32
    assert xp.result_type(single, double) == aino.float64
    assert xp.add(aino.ones(2, dtype=aino.int8), single).dtype == aino.float32


def test_truths_are_counted_by_sums():
    mask = aino.tensor([True, True, False])
    assert xp.sum(mask).item() == 2
    assert xp.sum(mask, axis=0, keepdims=True).dtype == aino.int64
    assert xp.prod(mask).tolist() == 0
    assert xp.cumulative_sum(mask).tolist() == [1, 2, 2]
    assert xp.cumulative_prod(mask).tolist() == [1, 1, 0]
    assert xp.linalg.trace(aino.ones(2, 2, dtype=aino.bool)).tolist() == 2


REFUSED = {
    "an array": (lambda: xp.sin(np.ones(2)), TypeError, r"sin takes tensors; argument 'x' is a Nu"),
    "a list": (lambda: xp.add([1.0], aino.ones(1)), TypeError, r"add takes tensors"),
    "two numbers": (lambda: xp.add(1.0, 2.0), TypeError, r"add takes tensors"),
    "a list's element": (lambda: xp.concat([aino.ones(2), 3.0]), TypeError, r"arrays\[1\]"),
    "a float for integers": (
        lambda: xp.add(aino.tensor([1]), 0.5), TypeError, r"0\.5 beside a tensor of int64"),
    "a lossy mixture": (
        lambda: xp.add(aino.ones(1, dtype=aino.int64), aino.ones(1, dtype=aino.uint64)),
        TypeError, r"no integer dtype holds all of"),
    "an unnamed axis": (lambda: xp.take(aino.ones(2, 2), aino.tensor([0])), ValueError, "name the"),
    "a sum of several": (lambda: xp.cumulative_sum(aino.ones(2, 2)), ValueError, "name the axis"),
    "a long axis": (lambda: xp.squeeze(aino.ones(2, 2), 0), ValueError, "has length 2"),
    "an axis out of range": (lambda: xp.expand_dims(aino.ones(2), 5), IndexError, "out of range"),
    "a vector transposed": (lambda: xp.matrix_transpose(aino.ones(2)), ValueError, "matrices"),
    "complex made real": (
        lambda: xp.astype(aino.ones(1, dtype=aino.complex64), aino.float32), TypeError, "real()"),
    "a copy of a list": (lambda: xp.asarray([1.0], copy=False), ValueError, "without a copy"),
    "a copy for a dtype": (
        lambda: xp.asarray(np.ones(2), dtype=aino.float32, copy=False), ValueError, "without a co"),
    "a copy for a shape": (
        lambda: xp.reshape(aino.ones(2, 3).mT, (6,), copy=False), ValueError, "copy=False"),
    "a device": (lambda: xp.zeros(2, device="cuda"), RuntimeError, "AINO computes on the CPU"),
    "limits of floats": (lambda: xp.iinfo(aino.float32), TypeError, "ask finfo"),
    "limits of integers": (lambda: xp.finfo(aino.int8), TypeError, "ask iinfo"),
    "a mode": (lambda: xp.linalg.qr(aino.eye(2), mode="r"), ValueError, "reduced"),
    "a kind": (lambda: xp.__array_namespace_info__().dtypes(kind="x"), ValueError, "unknown kind"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name):
    call, kind, words = REFUSED[name]
    with pytest.raises(kind, match=words):
        call()


def test_memory_is_shared_or_not_as_told():
    x = aino.ones(2, 3)
    assert np.shares_memory(xp.asarray(x).array, x.array)
    assert np.shares_memory(xp.reshape(x, (6,), copy=False).array, x.array)
    assert not np.shares_memory(xp.reshape(x, (6,), copy=True).array, x.array)
    assert not np.shares_memory(xp.asarray(x, copy=True).array, x.array)
    assert xp.astype(x, aino.float32, copy=False) is x
    assert not np.shares_memory(xp.astype(x, aino.float32).array, x.array)
    assert not np.shares_memory(xp.floor(aino.from_numpy(WHOLE)).array, WHOLE)


def test_signatures_can_be_read():
    assert str(inspect.signature(xp.sin)) == "(x, /)"
    assert xp.sin.__name__ == "sin"
    assert "checked" not in dir(xp.linalg)


USERS = {
    "SciPy": """
        from scipy import fft, signal, special, stats
        for call in (
            lambda x: special.logsumexp(x, axis=1), lambda x: special.softmax(x, axis=0),
            lambda x: stats.zscore(x, axis=1), lambda x: stats.skew(x, axis=1),
            lambda x: stats.ttest_1samp(x, 0.0, axis=1).pvalue, lambda x: fft.rfftn(x),
            lambda x: signal.detrend(x), lambda x: stats.pearsonr(x[0], x[1]).statistic,
        ):
            compare(call(tensor), call(array))
    """,
    "scikit-learn": """
        from sklearn import config_context
        from sklearn.decomposition import PCA
        from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
        from sklearn.linear_model import Ridge
        from sklearn.metrics.pairwise import euclidean_distances
        from sklearn.preprocessing import MinMaxScaler, Normalizer, StandardScaler
        labels = np.arange(40) % 3
        for call in (
            lambda x, y: MinMaxScaler().fit_transform(x), lambda x, y: Normalizer().transform(x),
            lambda x, y: StandardScaler().fit_transform(x), lambda x, y: euclidean_distances(x),
            lambda x, y: LinearDiscriminantAnalysis().fit(x, y).predict_proba(x),
            lambda x, y: abs(PCA(2, svd_solver="full").fit_transform(x)),
            lambda x, y: Ridge(solver="svd").fit(x, y).predict(x),
        ):
            with config_context(array_api_dispatch=True):
                found = call(tensor, aino.from_numpy(labels))
            compare(found, call(array, labels))
    """,
}
BEFORE = """
    import numpy as np, aino
    array = np.random.default_rng(0).standard_normal((40, 5))
    tensor = aino.from_numpy(array.copy())
    def compare(mine, its):
        assert type(mine) is aino.Tensor, type(mine)
        np.testing.assert_allclose(mine.numpy(), its, rtol=1e-8, atol=1e-10)
"""


@pytest.mark.parametrize("name", USERS)
def test_libraries_compute_with_tensors(name):
    """In a process of its own: SciPy reads the setting when it is imported."""
    pytest.importorskip({"SciPy": "scipy", "scikit-learn": "sklearn"}[name])
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(BEFORE) + textwrap.dedent(USERS[name])],
        env={**os.environ, "SCIPY_ARRAY_API": "1"}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
