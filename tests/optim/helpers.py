"""Parameters with gradients, without a graph: optimizers do not ask where they come from."""

import numpy as np

from aino.autograd.tensor import Tensor, make

SHAPES = [(3, 4), (4,), (), (2, 3, 2), (1, 5)]


def draw(rng, shape, dtype):
    """Return normal numbers, complex where the dtype is."""
    values = rng.standard_normal(shape)
    if np.dtype(dtype).kind == "c":
        values = values + 1j * rng.standard_normal(shape)
    return np.asarray(values).astype(dtype)


def parameters(dtype="float64", shapes=SHAPES, seed=0):
    rng = np.random.default_rng(seed)
    return [Tensor(draw(rng, shape, dtype)).requires_grad_() for shape in shapes]


def gradients(arrays, t):
    """Return gradients that depend on the parameters and on the step, never zero for long."""
    rng = np.random.default_rng(1000 + t)
    return [
        np.asarray(0.5 * array + 0.5 * draw(rng, array.shape, array.dtype), array.dtype)
        for array in arrays
    ]


def give(tensors, t, missing=()):
    """Give each tensor its gradient of step t, None to those that are missing."""
    found = gradients([tensor.array for tensor in tensors], t)
    for position, (tensor, gradient) in enumerate(zip(tensors, found)):
        tensor.grad = None if position in missing else make(gradient)


def run(optimizer, tensors, steps, missing=lambda t: (), start=0):
    for t in range(start, start + steps):
        give(tensors, t, missing(t))
        optimizer.step()


def values(tensors):
    return [tensor.array.copy() for tensor in tensors]


def assert_same(first, second):
    """Check that two lists of arrays are equal to the last bit."""
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)
