"""Whole networks train alike, compiled and not: losses, weights and running statistics."""

import numpy as np
import pytest

import aino
from tests.nn.networks import NETWORKS, training


@pytest.mark.parametrize("name", NETWORKS)
def test_compiled_and_eager_train_alike(name):
    eager, step = training(aino, name)
    model, compiled = training(aino, name, aino.compile)
    for _ in range(4):
        assert compiled().item() == step().item()
    for (key, found), expected in zip(model.state_dict().items(), eager.state_dict().values()):
        np.testing.assert_array_equal(found.numpy(), expected.numpy(), err_msg=key)
