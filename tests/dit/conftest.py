"""A small file to damage."""

import numpy as np
import pytest

import aino.dit as dit
from aino.autograd.tensor import Tensor


@pytest.fixture
def small(tmp_path):
    """A file with two tensors, and the state that is in it."""
    state = {
        "w": Tensor(np.array([1.5, -2.0], np.float32)),
        "layers": [{"b": np.array([[1, 2, 3]], np.int64)}, None, "text"],
    }
    path = tmp_path / "small.dit"
    dit.save(state, path, metadata={"author": "Aino"})
    return path
