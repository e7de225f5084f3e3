"""Recurrent layers and sequences in PyTorch: values, gradients, second gradients, errors."""

import itertools

import numpy as np
import pytest

import aino
from aino import nn
from aino.autograd.tensor import make
from aino.nn.utils import rnn as ours

torch = pytest.importorskip("torch")
theirs = torch.nn.utils.rnn
pytestmark = pytest.mark.filterwarnings("ignore")

SETTINGS = [
    {}, {"bias": False}, {"num_layers": 2}, {"bidirectional": True}, {"batch_first": True},
    {"num_layers": 2, "bidirectional": True, "bias": False, "batch_first": True},
]  # fmt: skip
MODULES = [
    *itertools.product(["LSTM", "GRU", "RNN"], SETTINGS),
    *(("LSTM", {**settings, "proj_size": 2}) for settings in SETTINGS),
    ("RNN", {"nonlinearity": "relu"}), ("RNN", {"nonlinearity": "relu", "num_layers": 2}),
]  # fmt: skip
RNG = np.random.default_rng(0)


def flat(found):
    """Return the tensors in outputs and states, packed or not."""
    if isinstance(found, (ours.PackedSequence, theirs.PackedSequence)):
        return [found.data]
    return [y for part in found for y in flat(part)] if isinstance(found, tuple) else [found]


def compared(results, leaves, second):
    """Compare outputs, gradients and, where asked, gradients of the gradients' squares."""
    outputs = [flat(result) for result in results]
    for mine, other in zip(*outputs, strict=True):
        np.testing.assert_allclose(mine.detach().numpy(), other.detach().numpy(), rtol=1e-9)
    seeds = [np.random.default_rng(1).normal(size=y.shape) for y in outputs[0]]
    ends = [make(seed) for seed in seeds], [torch.from_numpy(seed) for seed in seeds]
    grads = (
        aino.autograd.grad(outputs[0], leaves[0], ends[0], create_graph=second),
        torch.autograd.grad(outputs[1], leaves[1], ends[1], create_graph=second),
    )
    for mine, other in zip(*grads, strict=True):
        np.testing.assert_allclose(mine.detach().numpy(), other.detach().numpy(), 1e-8, 1e-10)
    if second:
        sums = [sum((g * g).sum() for g in found) for found in grads]
        twice = (
            aino.autograd.grad(sums[0], leaves[0], allow_unused=True),
            torch.autograd.grad(sums[1], leaves[1], allow_unused=True),
        )
        for mine, other in zip(*twice, strict=True):
            if other is not None:
                np.testing.assert_allclose(mine.numpy(), other.numpy(), 1e-7, 1e-9)


@pytest.mark.parametrize("how", ["padded", "packed", "one"])
@pytest.mark.parametrize(("name", "settings"), MODULES, ids=[f"{n}-{s}" for n, s in MODULES])
def test_layer(name, settings, how):
    mine = getattr(nn, name)(3, 4, **settings).double()
    other = getattr(torch.nn, name)(3, 4, **settings).double()
    assert repr(mine) == repr(other)
    state = mine.state_dict()
    assert list(state) == list(other.state_dict())
    other.load_state_dict({key: torch.from_numpy(value.numpy()) for key, value in state.items()})
    count = settings.get("num_layers", 1) * (1 + settings.get("bidirectional", False))
    batch_first = settings.get("batch_first", False)
    x = RNG.normal(size=(2, 4, 3) if batch_first else (4, 2, 3))
    hidden = [RNG.normal(size=(count, 2, settings.get("proj_size", 4)))]
    if name == "LSTM":
        hidden.append(RNG.normal(size=(count, 2, 4)))
    if how == "one":
        x = x[0] if batch_first else x[:, 0]
        hidden = [h[:, 0] for h in hidden]
    arrays = [x, *hidden]
    leaves = (
        [make(a).requires_grad_() for a in arrays],
        [torch.from_numpy(a).requires_grad_() for a in arrays],
    )
    results = []
    for module, sequences, (x, *states) in ((mine, ours, leaves[0]), (other, theirs, leaves[1])):
        given = x
        if how == "packed":
            given = sequences.pack_padded_sequence(x, [2, 4], batch_first, enforce_sorted=False)
        results.append(module(given, tuple(states) if name == "LSTM" else states[0]))
    second = settings in ({}, {"bidirectional": True}, {"proj_size": 2})
    parameters = list(mine.parameters()), list(other.parameters())
    compared(results, [[*a, *b] for a, b in zip(leaves, parameters)], second)


CALLS = {
    "pad": lambda r, t: r.pad_sequence([t(3), t(1), t(2)], padding_value=2.0),
    "pad first": lambda r, t: r.pad_sequence([t(3), t(1)], batch_first=True),
    "pad left": lambda r, t: r.pad_sequence([t(3), t(1)], padding_side="left"),
    "pad one": lambda r, t: r.pad_sequence([t(3)]),
    "pad tensor": lambda r, t: r.pad_sequence(t(3, 2, 2)),
    "pack": lambda r, t: r.pack_sequence([t(3, 2), t(2, 2)]),
    "pack unsorted": lambda r, t: r.pack_sequence([t(2), t(3), t(2), t(3)], enforce_sorted=False),
    "pack padded": lambda r, t: r.pack_padded_sequence(t(4, 3, 2), [4, 4, 1]),
    "pack first": lambda r, t: r.pack_padded_sequence(t(3, 4, 2), [3, 2, 2], True),
    "unpack": lambda r, t: r.unpack_sequence(r.pack_sequence([t(2), t(3)], False)),
    "pad packed": lambda r, t: r.pad_packed_sequence(
        r.pack_sequence([t(2), t(3)], False), True, -1.0, 5),
    "pad packed matrices": lambda r, t: r.pad_packed_sequence(
        r.pack_sequence([t(3, 2, 2), t(1, 2, 2)])),
}  # fmt: skip


@pytest.mark.parametrize("what", CALLS)
def test_sequences(what):
    def drawn(library):
        rng = np.random.default_rng(0)
        return lambda *shape: library(rng.normal(size=shape))

    def arrays(found):
        if found is None:
            return [None]
        if isinstance(found, (tuple, list)):
            return [a for part in found for a in arrays(part)]
        return [found.numpy()]

    found = arrays(CALLS[what](ours, drawn(make)))
    for a, b in zip(found, arrays(CALLS[what](theirs, drawn(torch.from_numpy))), strict=True):
        assert (a is None) == (b is None)
        if a is not None:
            assert a.dtype == b.dtype
            assert np.array_equal(a, b)
