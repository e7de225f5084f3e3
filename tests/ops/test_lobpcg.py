"""LOBPCG's options: its tracker, its guesses, its limits."""

from __future__ import annotations

import numpy as np
import pytest

import aino

RNG = np.random.default_rng(2)
ROOT = RNG.uniform(size=(12, 12))
A = ROOT @ ROOT.T
VALUES = np.linalg.eigvalsh(A)[::-1]


def tensor():
    return aino.from_numpy(A.copy())


def test_random_guesses_lead_to_the_same_values():
    for seed, n in ((0, None), (1, 4)):
        aino.manual_seed(seed)
        values, vectors = aino.lobpcg(tensor(), 3, n=n, tol=1e-10)
        np.testing.assert_allclose(values.numpy(), VALUES[:3], rtol=1e-9)
        product = (vectors.mT @ vectors).numpy()
        np.testing.assert_allclose(product, np.eye(3), atol=1e-9)
    assert aino.lobpcg(tensor())[0].shape == (1,)


def test_a_large_matrix():
    root = RNG.standard_normal((200, 200))
    big = root @ root.T
    values, _ = aino.lobpcg(aino.from_numpy(big), 4, largest=False, iK=aino.from_numpy(
        np.linalg.inv(big + np.eye(200))), tol=1e-12)  # fmt: skip
    np.testing.assert_allclose(values.numpy(), np.linalg.eigvalsh(big)[:4], rtol=1e-6)


def test_a_tracker_sees_each_step_and_stops():
    seen = []

    def watch(state):
        seen.append((state.ivars["istep"], float(state.tvars["rerr"].max())))
        assert state.X.shape == (12, 2)
        assert state.iparams["m"] == 12
        state.bvars["force_stop"] = state.ivars["istep"] == 3

    aino.lobpcg(tensor(), 2, tracker=watch)
    assert [step for step, _ in seen] == [1, 2, 3]
    assert seen[2][1] < seen[0][1]
    seen.clear()
    aino.lobpcg(tensor(), 2, niter=2, tracker=lambda state: seen.append(state))
    assert len(seen) == 2


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"k": 5}, "too small for 5"), ({"k": 0}, "1 or more"), ({"method": "fast"}, "method is"),
        ({"k": 3, "X": aino.ones(12, 2, dtype=aino.float64)}, "too few for 3"),
        ({"k": 2, "X": aino.ones(11, 2, dtype=aino.float64)}, "X has shape"),
        ({"k": 2, "B": aino.ones(12, 2, dtype=aino.float64)}, "B has shape"),
        ({"k": 2, "B": aino.eye(12)}, "B is of float32"),
    ],
)  # fmt: skip
def test_what_is_refused(options, words):
    with pytest.raises((ValueError, TypeError), match=words):
        aino.lobpcg(tensor(), **options)
    with pytest.raises(TypeError, match="matrix of floats"):
        aino.lobpcg(aino.eye(12, dtype=aino.int64))


def test_two_values_that_coincide_have_no_vectors_to_differentiate():
    a = aino.eye(9, dtype=aino.float64, requires_grad=True)
    _, vectors = aino.lobpcg(a, 1)
    with pytest.raises(RuntimeError, match="coincide"):
        vectors.abs().sum().backward()
