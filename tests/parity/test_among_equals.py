"""Which of several equal elements is found, and gets the gradient: the one that PyTorch finds."""

from __future__ import annotations

import numpy as np
import pytest

import aino
from tests.parity.compare import torch

#: name -> a call, of AINO's tensor or PyTorch's, that returns values and indices along a dim.
FOUND = {
    "max": lambda x, dim, k: x.max(dim),
    "min": lambda x, dim, k: x.min(dim),
    "median": lambda x, dim, k: x.median(dim),
    "nanmedian": lambda x, dim, k: x.nanmedian(dim),
    "kthvalue": lambda x, dim, k: x.kthvalue(k, dim),
    "topk": lambda x, dim, k: x.topk(k, dim),
    "topk, the smallest": lambda x, dim, k: x.topk(k, dim, largest=False),
    "stable sort": lambda x, dim, k: x.sort(stable=True, dim=dim),
    "stable sort, descending": lambda x, dim, k: x.sort(stable=True, dim=dim, descending=True),
    "cummax": lambda x, dim, k: x.cummax(dim),
    "cummin": lambda x, dim, k: x.cummin(dim),
}
#: The same where rows are short; in longer ones the C++ library has its own order.
FOUND_IN_SHORT_ROWS = {
    "sort": lambda x, dim, k: x.sort(dim),
    "sort, descending": lambda x, dim, k: x.sort(dim, descending=True),
    "mode": lambda x, dim, k: x.mode(dim),
}
LENGTHS = [1, 2, 3, 4, 5, 8, 16, 17, 64, 65, 200, 300, 1500]
DRAWN = {  # how many values there are, and the share of NaN
    "few values": (3, 0.0),
    "one value": (1, 0.0),
    "many values": (1000, 0.0),
    "NaN": (3, 0.3),
    "NaN alone": (3, 1.0),
}


def drawn(length, values, nan, dtype):
    rng = np.random.default_rng([length, values])
    x = rng.integers(0, values, (4, length)).astype(dtype)
    if nan:
        x[rng.random(x.shape) < nan] = np.nan
    return x


def check(call, x, dim, k):
    ours, theirs = aino.from_numpy(x.copy()), torch.from_numpy(x.copy())
    real = x.dtype.kind == "f"
    if real:
        ours.requires_grad_()
        theirs.requires_grad_()
    y, t = call(ours, dim, k), call(theirs, dim, k)
    assert np.array_equal(y[0].detach().numpy(), t[0].detach().numpy(), equal_nan=True)
    assert np.array_equal(y[1].numpy(), t[1].numpy())
    if real:
        seed = np.arange(1.0, 1 + y[0].numel(), dtype=x.dtype).reshape(y[0].shape)
        (slope,) = aino.autograd.grad(y[0], ours, aino.from_numpy(seed))
        (expected,) = torch.autograd.grad(t[0], theirs, torch.from_numpy(seed))
        assert np.allclose(slope.numpy(), expected.numpy())


@pytest.mark.parametrize("kind", DRAWN)
@pytest.mark.parametrize("name", [*FOUND, *FOUND_IN_SHORT_ROWS])
def test_indices_and_gradients(name, kind):
    call = {**FOUND, **FOUND_IN_SHORT_ROWS}[name]
    values, nan = DRAWN[kind]
    if name == "mode" and nan:
        pytest.skip("PyTorch's mode is confused by NaN")
    for length in LENGTHS:
        if name in FOUND_IN_SHORT_ROWS and length > 16:
            continue
        for dtype in ("float32", "float64") if nan else ("float32", "int64"):
            x = drawn(length, values, nan, dtype)
            ranks = {1}
            if name.startswith(("topk", "kthvalue")):
                ranks |= {2, length // 64, length // 3, min(length, 1000)}
            for k in sorted(ranks & set(range(1, length + 1))):
                check(call, x, 1, k)
            check(call, x.T, 0, 1)
