"""How sharp is the valley? The largest eigenvalues of a loss's Hessian, which is never made.

A Hessian-vector product is the derivative of a gradient along a direction, and costs about two
gradients. Lanczos' method finds the largest eigenvalues from a few of them, where the matrix of a
network of a million weights would have 10¹² elements.

    python examples/hessian_eigenvalues.py
"""

import numpy as np

import aino
from aino import nn
from aino.autograd.functional import hvp
from aino.func import functional_call, hessian

aino.manual_seed(0)
x = aino.randn(64, 3, dtype=aino.float64)
y = aino.sin(x).sum(1, keepdim=True)
model = nn.Sequential(nn.Linear(3, 12), nn.Tanh(), nn.Linear(12, 1)).double()

names = [name for name, _ in model.named_parameters()]
shapes = [parameter.shape for parameter in model.parameters()]
sizes = [parameter.numel() for parameter in model.parameters()]
start = aino.cat([parameter.detach().flatten() for parameter in model.parameters()])


def loss(flat):
    """The loss as a function of all weights in one vector."""
    parts = [part.reshape(shape) for part, shape in zip(flat.split(sizes), shapes, strict=True)]
    weights = dict(zip(names, parts, strict=True))
    return nn.functional.mse_loss(functional_call(model, weights, (x,)), y)


def times(vector):
    """The Hessian times a vector."""
    return hvp(loss, start, aino.from_numpy(vector))[1].numpy()


def lanczos(times, size, steps, seed=0):
    """Return the eigenvalues of the tridiagonal matrix that ``steps`` products lead to.

    Source: Lanczos, "An iteration method for the solution of the eigenvalue problem" (1950).
    """
    vector = np.random.default_rng(seed).standard_normal(size)
    basis = [vector / np.linalg.norm(vector)]
    diagonal, beside = [], []
    for _ in range(steps):
        vector = times(basis[-1])
        diagonal.append(vector @ basis[-1])
        for known in basis:  # twice, so that rounding does not bring back what was found
            vector = vector - (vector @ known) * known
        for known in basis:
            vector = vector - (vector @ known) * known
        beside.append(np.linalg.norm(vector))
        basis.append(vector / beside[-1])
    matrix = np.diag(diagonal) + np.diag(beside[:-1], 1) + np.diag(beside[:-1], -1)
    return np.linalg.eigvalsh(matrix)


found = lanczos(times, start.numel(), steps=24)
print(f"{start.numel()} weights; the largest eigenvalues by 24 Hessian-vector products:")
print("   ", np.array2string(found[::-1][:4], precision=6))

exact = aino.linalg.eigvalsh(hessian(loss)(start)).numpy()
print("of the whole matrix, which a network of this size allows:")
print("   ", np.array2string(exact[::-1][:4], precision=6))
print(f"gradient descent is stable up to a rate of 2 / λ = {2 / found[-1]:.3f}")
assert np.allclose(found[::-1][:3], exact[::-1][:3], rtol=1e-6)
