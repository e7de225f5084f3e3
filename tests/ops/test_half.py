"""float16 is squared and added up in float32: nothing overflows or stands still on the way."""

from __future__ import annotations

import math

import numpy as np
import pytest

import aino

F = aino.nn.functional

#: Half the last place of float16, a little widened.
ROUNDING = 2.0**-10

MANY = np.ones(100_000)
TENTHS = np.full(5000, 0.1, np.float16).astype(float)
TENTH = TENTHS[0]
A = np.array([[300.0, -400.0], [200.0, 100.0]])
B = np.array([[100.0, 200.0], [300.0, -250.0]])
C = np.array([[100.0, 210.0], [300.0, -200.0]])


def length(x, axis=-1, p=2.0):
    return np.sum(np.abs(x) ** p, axis) ** (1 / p)


def standard(x):
    return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)


def unit(x):
    return x / length(x)[:, None]


#: name -> a function of tensors, what it is, and the numbers it is of.
VALUES = {
    "norm": (lambda x: x.norm(), 500.0, A[0]),
    "norm of order 3": (lambda x: x.norm(3), length(A[0], p=3.0), A[0]),
    "matrix_norm": (aino.linalg.matrix_norm, length(A.reshape(-1)), A),
    "mean": (lambda x: x.mean(), 1.0, MANY),
    "nanmean": (lambda x: x.nanmean(), 1.0, MANY),
    "sum of tenths": (lambda x: x.sum(), 5000 * TENTH, TENTHS),
    "var": (lambda x: x.var(correction=0), 22500.0, np.array([100.0, 400.0])),
    "std": (lambda x: x.std(correction=0), 350.0, A[0]),
    "logsumexp": (lambda x: x.logsumexp(0), 1 + math.log(100_000), MANY),
    "softmax": (lambda x: x.softmax(0), np.full(100_000, 1e-5), MANY),
    "log_softmax": (lambda x: x.log_softmax(0), np.full(100_000, -math.log(100_000)), MANY),
    "cumsum": (lambda x: x.cumsum(0)[-1], 5000 * TENTH, TENTHS),
    "rms_norm": (
        lambda x: F.rms_norm(x, (2,), eps=0.0), A / np.sqrt((A * A).mean(1, keepdims=True)), A,
    ),
    "layer_norm": (lambda x: F.layer_norm(x, (2,)), standard(A), A),
    "normalize": (F.normalize, unit(A), A),
    "cosine_similarity": (F.cosine_similarity, np.sum(unit(A) * unit(B), 1), A, B),
    "pairwise_distance": (F.pairwise_distance, length(A - B), A, B),
    "pdist": (F.pdist, length(A[:1] - A[1:]), A),
    "triplet_margin_loss": (
        F.triplet_margin_loss, np.maximum(length(A - B) - length(A - C) + 1, 0).mean(), A, B, C,
    ),
    "cosine_embedding_loss": (
        lambda x, y: F.cosine_embedding_loss(x, y, aino.ones(2)),
        1 - np.mean(np.sum(unit(A) * unit(B), 1)), A, B,
    ),
    "mse_loss": (F.mse_loss, 22500.0, np.array([150.0] * 4 + [-150.0]), np.zeros(5)),
    "mse_loss of many": (F.mse_loss, 1.0, MANY, 0 * MANY),
    "cross_entropy": (
        lambda x: F.cross_entropy(x, aino.zeros(80_000, dtype=aino.int64)),
        math.log(1 + math.exp(2)), np.tile([1.0, 3.0], (80_000, 1)),
    ),
    "nll_loss": (
        lambda x: F.nll_loss(x, aino.zeros(80_000, dtype=aino.int64)), 1.0,
        np.tile([-1.0, -3.0], (80_000, 1)),
    ),
    "matmul": (lambda x, y: x @ y, 5000 * TENTH * TENTH, TENTHS, TENTHS),
    "index_add": (
        lambda x: x.new_zeros(1).index_add(0, aino.zeros(5000, dtype=aino.int64), x),
        5000 * TENTH, TENTHS,
    ),
    "scatter_add": (
        lambda x: x.new_zeros(1).scatter_add(0, aino.zeros(5000, dtype=aino.int64), x),
        5000 * TENTH, TENTHS,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", VALUES)
def test_values(name):
    function, expected, *numbers = VALUES[name]
    y = function(*[aino.tensor(x, dtype=aino.float16) for x in numbers])
    assert y.dtype == aino.float16
    np.testing.assert_allclose(y.numpy().astype(float), expected, rtol=2 * ROUNDING)


#: name -> a function of one tensor, its gradient, and the numbers.
SLOPES = {
    "norm": (lambda x: x.norm(), A[0] / 500, A[0]),
    "mean": (lambda x: x.mean(), np.full(100_000, 1e-5), MANY),
    "mse_loss": (
        lambda x: F.mse_loss(x, aino.zeros_like(x)), np.full(100_000, 2e-5), MANY,
    ),
    "a bias": (lambda x: (aino.full((5000, 2), TENTH).half() * x).sum(0).sum(),
               [5000 * TENTH] * 2, np.ones(2)),
    "a column": (lambda x: (aino.full((2, 5000), TENTH).half() * x).mean(),
                 [[TENTH / 2]] * 2, np.ones((2, 1))),
    "embedding": (lambda x: (F.embedding(aino.zeros(5000, dtype=aino.int64), x) * 0.1).mean(),
                  [[0.05, 0.05]], np.ones((1, 2))),
    "layer_norm": (lambda x: (F.layer_norm(aino.tensor(A).half(), (2,), None, x)).sum(),
                   [2.0, 2.0], np.ones(2)),
}  # fmt: skip


@pytest.mark.parametrize("name", SLOPES)
def test_slopes(name):
    function, expected, numbers = SLOPES[name]
    x = aino.tensor(numbers, dtype=aino.float16, requires_grad=True)
    function(x).backward()
    assert x.grad.dtype == aino.float16
    np.testing.assert_allclose(x.grad.numpy().astype(float), expected, rtol=8 * ROUNDING)


@pytest.mark.parametrize(
    ("gradients", "norm_type", "norm"),
    [
        ([[300.0, 400.0]], 2.0, 500.0),
        ([[300.0, 400.0], [300.0, 200.0]], 2.0, math.sqrt(380_000)),
        ([[300.0, 400.0]], 3.0, length(np.array([300.0, 400.0]), p=3.0)),
        ([[60_000.0], [60_000.0]], 1.0, math.inf),
        ([[300.0, 400.0], [-500.0]], math.inf, 500.0),
        ([[300.0, 400.0], [-500.0]], -math.inf, 300.0),
    ],
)
def test_clip_grad_norm(gradients, norm_type, norm):
    leaves = []
    for gradient in gradients:
        leaves.append(aino.zeros(len(gradient), dtype=aino.float16, requires_grad=True))
        leaves[-1].grad = aino.tensor(gradient, dtype=aino.float16)
    found = aino.nn.utils.clip_grad_norm_(leaves, 1.0, norm_type)
    assert found.dtype == aino.float16
    np.testing.assert_allclose(float(found), norm, rtol=ROUNDING)
    # Also where the norm is more than float16 holds.
    size = {1.0: 120_000.0}.get(norm_type, norm)
    for leaf, gradient in zip(leaves, gradients):
        np.testing.assert_allclose(leaf.grad.numpy(), np.array(gradient) / size, rtol=4 * ROUNDING)
