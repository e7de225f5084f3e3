"""Whole networks train in AINO as they do in PyTorch, from the same weights."""

import numpy as np
import pytest

import aino
from tests.nn.networks import NETWORKS, training

torch = pytest.importorskip("torch")
torch.set_num_threads(1)


@pytest.mark.parametrize("name", NETWORKS)
def test_training_gives_pytorchs_numbers(name):
    ours, step = training(aino, name)
    theirs, original = training(torch, name)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for _ in range(10):
        np.testing.assert_allclose(step().item(), original().item(), rtol=1e-9)
    for (key, found), expected in zip(ours.state_dict().items(), theirs.state_dict().values()):
        np.testing.assert_allclose(
            found.numpy(), expected.numpy(), rtol=1e-6, atol=1e-8, err_msg=key
        )
