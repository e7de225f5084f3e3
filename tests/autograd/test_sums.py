"""Sums keep their digits: ten million float32 numbers, in every reduction, over every axis.

The numbers are all alike, so that each addition rounds in the same direction, and what is right
is known without adding them up. NumPy's own sums over all but the last axis fail these tests.
"""

from __future__ import annotations

import itertools
import math
import re
from pathlib import Path

import numpy as np
import pytest

import aino
from aino.autograd.sums import sum_over

COUNT = 10_000_000
VALUE = float(np.float32(1.1))
#: Ten times the last place, which is about what sums in blocks lose.
LIMIT = 10 * 2.0**-23

#: A shape of ten million, and what is summed over.
AXES = [
    ((COUNT,), 0),
    ((5_000_000, 2), 0),
    ((2, 5_000_000), 0),
    ((2, 5_000_000), 1),
    ((40_000, 250), 0),
    ((100, 100_000), 0),
    ((10, 500_000, 2), 1),
    ((10, 500_000, 2), (0, 1)),
    ((1000, 5, 2000), (0, 2)),
    ((5_000_000, 2), (0, 1)),
]

#: name -> the reduction of a tensor over dimensions, and what it is of n numbers alike. The
#: functions are PyTorch's as well.
REDUCTIONS = {
    "sum": (lambda x, dim: x.sum(dim), lambda n: n * VALUE),
    "mean": (lambda x, dim: x.mean(dim), lambda n: VALUE),
    "nansum": (lambda x, dim: x.nansum(dim), lambda n: n * VALUE),
    "nanmean": (lambda x, dim: x.nanmean(dim), lambda n: VALUE),
    "norm": (lambda x, dim: x.norm(2, dim), lambda n: VALUE * math.sqrt(n)),
    "norm of order 1": (lambda x, dim: x.norm(1, dim), lambda n: n * VALUE),
    "norm of order 3": (lambda x, dim: x.norm(3, dim), lambda n: VALUE * n ** (1 / 3)),
    "logsumexp": (lambda x, dim: x.logsumexp(dim), lambda n: VALUE + math.log(n)),
    "var": (lambda x, dim: _by_turns(x).var(dim, correction=0), lambda n: VALUE * VALUE),
    "std": (lambda x, dim: _by_turns(x).std(dim, correction=0), lambda n: VALUE),
}
#: The same for one dimension alone.
ALONG = {
    "softmax": (lambda x, dim: x.softmax(dim), lambda n: 1 / n),
    "log_softmax": (lambda x, dim: x.log_softmax(dim), lambda n: -math.log(n)),
    "cumsum": (lambda x, dim: x.cumsum(dim).select(dim, -1), lambda n: n * VALUE),
    "logcumsumexp": (
        lambda x, dim: x.logcumsumexp(dim).select(dim, -1), lambda n: VALUE + math.log(n)
    ),
}  # fmt: skip
SLOW = {"softmax", "log_softmax", "logcumsumexp", "logsumexp", "nanmean", "std", "norm of order 3"}


def _by_turns(x):
    """Return x with its sign changed by turns along every dimension, so that its mean is 0."""
    for dim, n in enumerate(x.shape):
        turns = np.tile(np.float32([1, -1]), n // 2 + 1)[:n]
        x = x * aino.from_numpy(turns.reshape([-1] + [1] * (x.ndim - 1 - dim)))
    return x


def cases():
    for name in (*REDUCTIONS, *ALONG):
        for shape, dim in AXES:
            uneven = name in ("var", "std") and np.prod(np.take(shape, dim)) % 2
            if (name in ALONG and type(dim) is tuple) or uneven:
                continue
            if name == "logcumsumexp" and shape != (COUNT,):
                continue
            if name in SLOW and shape not in ((COUNT,), (40_000, 250)):
                continue
            yield pytest.param(name, shape, dim, id=f"{name}-{'x'.join(map(str, shape))}-{dim}")


def count_of(shape, dim) -> int:
    return math.prod(shape[d] for d in (dim if type(dim) is tuple else (dim,)))


def error(found, expected) -> float:
    """Return the largest relative error."""
    wide = np.asarray(found, np.float64)
    return float(np.max(np.abs(wide - expected) / np.abs(expected)))


@pytest.fixture(scope="module")
def alike():
    numbers = np.full(COUNT, 1.1, np.float32)
    numbers.flags.writeable = False
    return numbers


@pytest.mark.parametrize(("name", "shape", "dim"), list(cases()))
def test_reductions(alike, name, shape, dim):
    function, expected = {**REDUCTIONS, **ALONG}[name]
    y = function(aino.from_numpy(alike.reshape(shape)), dim)
    assert y.dtype == aino.float32
    assert error(y.numpy(), expected(count_of(shape, dim))) <= LIMIT


LAYOUTS = {
    "transposed": lambda x: (x.reshape(2, 5_000_000).T, 0),
    "transposed, the other axis": lambda x: (x.reshape(5_000_000, 2).T, 1),
    "axes in another order": lambda x: (x.reshape(1000, 5, 2000).transpose(2, 0, 1), (0, 1)),
    "backwards": lambda x: (x.reshape(5_000_000, 2)[::-1, ::-1], 0),
    "columns of a wider one": lambda x: (x.reshape(2_500_000, 4)[:, 1:3], 0),
    "all of such columns": lambda x: (x.reshape(2_500_000, 4)[:, 1:3], (0, 1)),
    "every other row": lambda x: (x.reshape(5_000_000, 2)[::2], 0),
    "broadcast": lambda x: (np.broadcast_to(x[:1], (5_000_000, 2)), 0),
    "broadcast rows": lambda x: (np.broadcast_to(x[:2], (5_000_000, 2)), 0),
    "complex": lambda x: (x.view(np.complex64).reshape(2_500_000, 2), 0),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts(alike, layout):
    x, dim = LAYOUTS[layout](alike)
    y = np.asarray(aino.from_numpy(x).sum(dim).numpy())
    expected = count_of(x.shape, dim) * VALUE
    for part in (y.real, y.imag) if y.dtype.kind == "c" else (y,):
        assert error(part, expected) <= LIMIT


# Gradients of what was broadcast

ROWS = COUNT // 2

#: name -> a number made of x (rows, 2), all alike, and of a leaf; the leaf's shape; its gradient.
#: ``lib`` is AINO or PyTorch.
GRADIENTS = {
    "a bias": (lambda lib, x, b: ((x + b) * x).sum(), (2,), ROWS * VALUE),
    "a factor": (lambda lib, x, b: (x * b).sum(), (2,), ROWS * VALUE),
    "a column": (lambda lib, x, b: (x.T * b).sum(), (2, 1), ROWS * VALUE),
    "a middle axis": (
        lambda lib, x, b: (x.reshape(10, 2, ROWS // 10) * b).sum(), (2, 1), ROWS * VALUE
    ),
    "a number": (lambda lib, x, b: (x * b).sum(), (), COUNT * VALUE),
    "where": (lambda lib, x, b: (lib.where(x > 0, b, x) * x).sum(), (2,), ROWS * VALUE),
    "expand": (lambda lib, x, b: (b.expand(ROWS, 2) * x).sum(), (2,), ROWS * VALUE),
    "repeat": (lambda lib, x, b: (b.repeat(ROWS, 1) * x).sum(), (2,), ROWS * VALUE),
    "repeat_interleave": (
        lambda lib, x, b: (b.repeat_interleave(ROWS, 0) * x).sum(), (1, 2), ROWS * VALUE
    ),
    "prelu": (lambda lib, x, b: lib.nn.functional.prelu(-x, b).sum(), (2,), -ROWS * VALUE),
    "linear": (
        lambda lib, x, b: (lib.nn.functional.linear(x, lib.ones(2, 2), b) * x).sum(), (2,),
        ROWS * VALUE,
    ),
    "layer_norm": (
        lambda lib, x, b: (lib.nn.functional.layer_norm(x, (2,), None, b) * x).sum(), (2,),
        ROWS * VALUE,
    ),
    "rms_norm": (
        lambda lib, x, b: (lib.nn.functional.rms_norm(x, (2,), b, 0.0) * x).sum(), (2,),
        ROWS * VALUE,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", GRADIENTS)
@pytest.mark.parametrize("recorded", [False, True], ids=["arrays", "tensors"])
def test_gradients(alike, name, recorded):
    function, shape, expected = GRADIENTS[name]
    if recorded and name not in ("a bias", "a number", "expand"):
        pytest.skip("the same rules")
    leaf = aino.full(shape, 0.5, requires_grad=True)
    y = function(aino, aino.from_numpy(alike.reshape(ROWS, 2)), leaf)
    (slope,) = aino.autograd.grad(y, leaf, create_graph=recorded)
    assert error(slope.detach().numpy(), expected) <= LIMIT


# Running sums


@pytest.mark.parametrize("shape", [(100_000,), (100_000, 3), (3, 100_000)], ids=str)
def test_every_element_of_a_running_sum(shape):
    dim = int(np.argmax(shape))
    steps = np.arange(1, 100_001).reshape([-1 if i == dim else 1 for i in range(len(shape))])
    x = aino.full(shape, 1.1, requires_grad=True)
    y = x.cumsum(dim)
    assert error(y.detach().numpy(), steps * VALUE) <= LIMIT
    (y * 1.1).sum().backward()
    assert error(x.grad.numpy(), np.flip(steps) * VALUE) <= LIMIT


# The kernel alone: shapes, axes, layouts, dtypes

SHAPES = [(), (0,), (2000,), (0, 3), (3, 0), (1500, 3), (3, 1500), (1, 5, 1), (1100, 2, 3),
          (2, 1100, 3), (3, 2, 1100), (300, 9, 2, 3), (700, 600)]  # fmt: skip


def layouts_of(x):
    yield x
    if x.ndim > 1:
        yield from (x.T, x[::-1], x[..., ::2], np.broadcast_to(x[:1], x.shape), x.swapaxes(0, 1))


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "float16", "int64"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_values(shape, dtype):
    drawn = (np.random.default_rng(0).standard_normal(shape) * 4).astype(dtype)
    wide = {"f": "float64", "c": "complex128", "i": "int64"}[np.dtype(dtype).kind]
    tolerance = {"float64": 1e-13, "float16": 1e-3, "int64": 0}.get(dtype, 1e-6)
    for x in layouts_of(drawn):
        precise, sizes = x.astype(wide), np.abs(x).astype("float64")
        ranks = range(1, x.ndim + 1)
        several = [axes for rank in ranks for axes in itertools.combinations(range(x.ndim), rank)]
        for axis in (None, *range(x.ndim), *several):
            right = np.add.reduce(precise, axis=axis, keepdims=True)
            size = np.add.reduce(sizes, axis=axis, keepdims=True)
            for keepdims in (False, True):
                y = np.asarray(sum_over(x, axis, keepdims))
                expected = right if keepdims else np.squeeze(right, axis)
                assert (y.shape, y.dtype) == (expected.shape, x.dtype)
                away = np.abs(y.reshape(right.shape) - right)
                assert np.all(away <= tolerance * size + (tolerance > 0) * 1e-3)
                assert not np.shares_memory(y, x)


# Compiled, bit for bit

LONG = [((3000, 5), 0), ((5, 3000), 1), ((2, 3000, 3), 1), ((700, 900), 0), ((600, 3, 40), (0, 2))]


@pytest.mark.parametrize(("shape", "dim"), LONG, ids=str)
def test_compiled_equals_eager(shape, dim):
    x = aino.tensor(np.random.default_rng(1).random(shape, np.float32))
    bias = [1 if d in (dim if type(dim) is tuple else (dim,)) else n for d, n in enumerate(shape)]

    def compute(x, b):
        b = b.detach().requires_grad_()
        y = ((x * b).sum(dim) + x.mean(dim) + x.var(dim) + x.norm(2, dim) + x.nansum(dim)).sum()
        y = y + (x + b).logsumexp(dim).sum()
        (slope,) = aino.autograd.grad(y, b)
        return y.detach(), slope

    leaf = aino.ones(bias)
    expected = compute(x, leaf)
    compiled = aino.compile(compute)
    for _ in range(3):
        for found, right in zip(compiled(x, leaf), expected):
            assert np.array_equal(found.numpy(), right.numpy())


def test_numbers_are_added_up_in_one_place():
    """Kernels and rules sum by ``sum_over``: what NumPy adds by itself loses digits."""
    package = Path(aino.__file__).parent
    pattern = re.compile(r"add\.(reduce|accumulate)\(|np\.(sum|mean|var|std|cumsum)\(")
    found = {
        str(path.relative_to(package))
        for folder in ("autograd", "ops", "nn")
        for path in (package / folder).rglob("*.py")
        if "numpy_protocol" not in path.parts  # which answers for these functions
        and any(
            pattern.search(line.partition("#")[0]) and "``" not in line and "int64" not in line
            for line in path.read_text().splitlines()
        )
    }
    # Counts of equal numbers and lengths; weights of a draw, which are of float64, diagonals: sums
    # of one; whether a sum is finite; the few numbers of a band's diagonal.
    counts = {
        "ops/index/selection.py", "ops/index/numbering.py", "nn/functional/ctc.py",
        "nn/functional/embedding_bag.py",
    }  # fmt: skip
    exact = {
        "ops/random/distributions.py", "autograd/rules/decompositions.py",
        "autograd/rules/columns.py", "autograd/rules/bands.py",
    }  # fmt: skip
    assert found <= {"autograd/sums.py", *counts, *exact}
