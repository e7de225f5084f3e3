"""Sums of ten million float32 numbers lose at most ten times what PyTorch's lose."""

from __future__ import annotations

import numpy as np
import pytest

import aino
from tests.autograd.test_sums import (
    ALONG,
    COUNT,
    GRADIENTS,
    REDUCTIONS,
    ROWS,
    alike,
    count_of,
    error,
)
from tests.parity.compare import torch

__all__ = ["alike"]

#: Half the last place of float32: what a right number is rounded by, where PyTorch lost nothing.
ROUNDING = 2.0**-24
AXES = [((ROWS, 2), 0), ((40_000, 250), 0), ((10, 500_000, 2), 1), ((COUNT,), 0)]
NAMES = ["sum", "mean", "nansum", "norm", "cumsum"]


def not_worse(mine, theirs, expected):
    allowed = 10 * max(error(theirs.detach().numpy(), expected), ROUNDING)
    assert error(mine.detach().numpy(), expected) <= allowed


@pytest.mark.parametrize(("shape", "dim"), AXES, ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_reductions(alike, name, shape, dim):
    function, expected = {**REDUCTIONS, **ALONG}[name]
    x = alike.reshape(shape)
    mine = function(aino.from_numpy(x), dim)
    theirs = function(torch.from_numpy(x.copy()), dim)
    not_worse(mine, theirs, expected(count_of(shape, dim)))


@pytest.mark.parametrize("name", ["a bias", "a column", "a number", "expand", "repeat", "prelu"])
def test_gradients(alike, name):
    function, shape, expected = GRADIENTS[name]
    slopes = []
    for lib in (aino, torch):
        leaf = lib.full(shape, 0.5, requires_grad=True)
        x = lib.from_numpy(np.array(alike.reshape(ROWS, 2)))
        slopes.append(lib.autograd.grad(function(lib, x, leaf), leaf)[0])
    not_worse(*slopes, expected)
