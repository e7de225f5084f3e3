"""Data that several tests learn from."""

import numpy as np
import pytest


@pytest.fixture(scope="module")
def flowers():
    rng = np.random.default_rng(0)
    centers = rng.normal(size=(3, 4)) * 3.0
    labels = rng.integers(0, 3, 150)
    return centers[labels] + rng.normal(size=(150, 4)), labels


@pytest.fixture(scope="module")
def wave():
    X = np.linspace(-3, 3, 120)[:, None]
    return X, np.sin(2 * X)
