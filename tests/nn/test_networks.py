"""Whole networks train alike, compiled and not: losses, weights and running statistics."""

import numpy as np
import pytest

import aino
from aino import threads
from aino.autograd.rules import normalization
from tests.nn.networks import NETWORKS, training


@pytest.mark.parametrize("name", NETWORKS)
def test_compiled_and_eager_train_alike(name):
    eager, step = training(aino, name)
    model, compiled = training(aino, name, aino.compile)
    for _ in range(4):
        assert compiled().item() == step().item()
    for (key, found), expected in zip(model.state_dict().items(), eager.state_dict().values()):
        np.testing.assert_array_equal(found.numpy(), expected.numpy(), err_msg=key)


@pytest.mark.parametrize("alone", [True, False])
def test_a_large_batch_is_normalised_alike_on_one_thread_and_two(monkeypatch, alone):
    monkeypatch.setattr(threads, "CORES", 2)
    monkeypatch.setattr(normalization, "BLOCK", 64)
    monkeypatch.setattr(normalization, "SHARED", 128)
    monkeypatch.setattr(threads.worker, "alone", alone)
    rng = np.random.default_rng(0)
    x, g = (aino.from_numpy(rng.normal(2.0, 1.0, (5, 3, 4, 9))) for _ in range(2))
    x.requires_grad_()
    y = aino.nn.functional.batch_norm(x, None, None, training=True)
    y.backward(g)
    center = x.array - x.array.mean((0, 2, 3), keepdims=True)
    scale = 1 / np.sqrt((center**2).mean((0, 2, 3), keepdims=True) + 1e-5)
    z = center * scale
    mean = [(part * 1.0).mean((0, 2, 3), keepdims=True) for part in (g.array, g.array * z)]
    np.testing.assert_allclose(y.detach().numpy(), z, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(
        x.grad.numpy(), scale * (g.array - mean[0] - z * mean[1]), rtol=1e-9, atol=1e-12
    )
