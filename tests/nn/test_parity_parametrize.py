"""Parametrizations, pruning and fusion in PyTorch: keys, texts, values and gradients."""

import numpy as np
import pytest

import aino
from aino import nn

torch = pytest.importorskip("torch")
pytest.importorskip("torch.nn.utils.prune")
pytestmark = pytest.mark.filterwarnings("ignore")

MAKERS = {
    "weight_norm": lambda n, m: n.utils.parametrizations.weight_norm(m),
    "weight_norm of all": lambda n, m: n.utils.parametrizations.weight_norm(m, dim=None),
    "weight_norm of bias": lambda n, m: n.utils.parametrizations.weight_norm(m, "bias"),
    "spectral_norm": lambda n, m: n.utils.parametrizations.spectral_norm(m, n_power_iterations=2),
    "spectral_norm of columns": lambda n, m: n.utils.parametrizations.spectral_norm(m, dim=1),
    "older weight_norm": lambda n, m: n.utils.weight_norm(m),
    "older spectral_norm": lambda n, m: n.utils.spectral_norm(m),
    "pruned": lambda n, m: n.utils.prune.l1_unstructured(m, "weight", 0.3),
    "pruned twice": lambda n, m: n.utils.prune.ln_structured(
        n.utils.prune.l1_unstructured(m, "weight", 2), "weight", 1, 2, 0
    ),
    **{
        f"orthogonal by {name}": lambda n, m, name=name: n.utils.parametrizations.orthogonal(
            m, orthogonal_map=name
        )
        for name in ("matrix_exp", "cayley", "householder")
    },
    **{
        f"orthogonal by {name} alone": lambda n, m, name=name: n.utils.parametrizations.orthogonal(
            m, orthogonal_map=name, use_trivialization=False
        )
        for name in ("matrix_exp", "cayley", "householder")
    },
}


def close(ours, theirs):
    np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("shape", [(4, 4), (5, 3), (3, 5)])
@pytest.mark.parametrize("name", MAKERS)
def test_the_same_module(name, shape, training):
    inside, outside = shape
    pair = []
    for library, tensor in ((nn, aino.from_numpy), (torch.nn, torch.from_numpy)):
        layer = library.Linear(inside, outside).double()
        rng = np.random.default_rng(0)
        for parameter in layer.parameters():
            parameter.data = tensor(rng.standard_normal(tuple(parameter.shape)))
        pair.append(MAKERS[name](library, layer))
    ours, theirs = pair
    assert repr(ours) == repr(theirs)
    state = {key: value.numpy().copy() for key, value in theirs.state_dict().items()}
    assert list(ours.state_dict()) == list(state)
    if "orthogonal" not in name and "spectral" not in name:  # which draw
        for key, value in state.items():
            np.testing.assert_allclose(ours.state_dict()[key].numpy(), value, rtol=1e-9, atol=1e-12)
    ours.load_state_dict(state)
    ours.train(training), theirs.train(training)
    x = np.random.default_rng(1).standard_normal((6, inside))
    a, b = aino.from_numpy(x).requires_grad_(), torch.from_numpy(x).requires_grad_()
    for _ in range(2):
        y, t = ours(a), theirs(b)
        close(y, t)
    (y * y).sum().backward(), (t * t).sum().backward()
    close(a.grad, b.grad)
    for (key, mine), (_, other) in zip(ours.named_parameters(), theirs.named_parameters()):
        if other.grad is not None:
            np.testing.assert_allclose(
                mine.grad.numpy(), other.grad.numpy(), rtol=1e-6, atol=1e-9, err_msg=key
            )
    for key, value in theirs.state_dict().items():
        close(ours.state_dict()[key], value)
