"""The gradient of Cholesky's factor, where the matrix itself is differentiated.

A positive definite matrix moves among Hermitian ones only, so that is how it is moved here. The
gradient is Hermitian as well. PyTorch's is not for complex numbers: it differs by what no
Hermitian change of the matrix meets, and a step along it would leave the Hermitian ones.
"""

from __future__ import annotations

import numpy as np
import pytest

import aino

SHAPES = [(1, 1), (3, 3), (2, 4, 4)]


def drawn(shape, kind):
    rng = np.random.default_rng(5)
    x = rng.standard_normal(shape)
    return x + 1j * rng.standard_normal(shape) if kind == "complex" else x


def adjoint(x):
    return np.conjugate(x.swapaxes(-1, -2))


@pytest.mark.parametrize("kind", ["real", "complex"])
@pytest.mark.parametrize("upper", [False, True])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_gradient_of_a_hermitian_matrix(shape, upper, kind):
    factor, seed, move = (drawn((3, *shape), kind)[i] for i in range(3))
    matrix = factor @ adjoint(factor) + 2.0 * np.eye(shape[-1])
    move = move + adjoint(move)

    def value(matrix):
        lower = np.linalg.cholesky(matrix)
        return np.sum((np.conjugate(seed) * (adjoint(lower) if upper else lower)).real)

    x = aino.tensor(matrix, requires_grad=True)
    y = aino.linalg.cholesky(x, upper=upper)
    (slope,) = aino.autograd.grad(y, x, aino.from_numpy(seed))
    assert np.allclose(slope.numpy(), adjoint(slope.numpy()))
    step = 1e-6
    expected = (value(matrix + step * move) - value(matrix - step * move)) / (2.0 * step)
    assert np.isclose(np.sum((np.conjugate(slope.numpy()) * move).real), expected, rtol=1e-6)


@pytest.mark.parametrize("upper", [False, True])
@pytest.mark.parametrize("kind", ["real", "complex"])
def test_pytorchs_gradient_is_the_same_for_hermitian_moves(upper, kind):
    torch = pytest.importorskip("torch")
    factor, seed = (drawn((2, 3, 3), kind)[i] for i in range(2))
    matrix = factor @ adjoint(factor) + 2.0 * np.eye(3)
    found = []
    for library in (aino, torch):
        x = library.tensor(matrix, requires_grad=True)
        library.linalg.cholesky(x, upper=upper).backward(library.tensor(seed))
        found.append(x.grad.numpy())
    assert np.allclose(found[0], (found[1] + adjoint(found[1])) / 2.0)
