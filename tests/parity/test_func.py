"""Transforms against PyTorch's: the same functions, the same samples, the same words refused."""

from __future__ import annotations

import numpy as np
import pytest

import aino
from tests.parity.compare import torch

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

rng = np.random.default_rng(0)
x = rng.normal(size=(4, 3))
y = rng.normal(size=(4, 3))
m = rng.normal(size=(4, 3, 3)) + 3 * np.eye(3)
i = rng.integers(0, 3, (4, 3))


def written(lib, a):
    b = lib.zeros_like(a)
    b[1:] = a[1:] * 2
    b[0] = 5.0
    return b.add_(a)


#: Functions of a library and of what one sample holds, with their arrays.
FUNCTIONS = {
    "products": (lambda lib, a, b: lib.dot(a, b) * a, x, y),
    "matrices": (lambda lib, a, b: lib.linalg.solve(a, b) + a @ b, m, x),
    "several results": (lambda lib, a: (a.sum(), {"sorted": lib.sort(a)[0]}), x),
    "decompositions": (lambda lib, a: lib.linalg.svdvals(a) + lib.linalg.det(a), m),
    "where": (lambda lib, a, b: lib.where(a > b, a, b * 2), x, y),
    "indices": (lambda lib, a, k: lib.gather(a, 0, k) + a[k], x, i),
    "scattered": (lambda lib, a, k: lib.zeros_like(a).scatter_add(0, k, a), x, i),
    "softmax": (lambda lib, a: lib.softmax(a, 0) * lib.logsumexp(a, 0), x),
    "writes": (written, x),
    "shapes": (lambda lib, a: a.reshape(3, 1).expand(3, 2).transpose(0, 1).flip(0), x),
    "joined": (lambda lib, a, b: lib.stack([a, b], 1).flatten() + lib.cat([b, a]), x, y),
    "einsum": (lambda lib, a, b: lib.einsum("ij,j,k->ik", a, b, b), m, x),
    "scans": (lambda lib, a: lib.cumsum(a, 0) * lib.cumprod(a, 0) + lib.logcumsumexp(a, 0), x),
    "best": (lambda lib, a: lib.topk(a, 2)[0].sum() + a.max() - a.median(), x),
    "statistics": (lambda lib, a: a.std() + a.var(0) * a.norm(), x),
    "losses": (lambda lib, a, b: lib.nn.functional.mse_loss(a, b), x, y),
    "classes": (lambda lib, a, k: lib.nn.functional.cross_entropy(a, k[0]), x, i),
}
DIMS = [(0, 0, None), (-2, -1, 3), (0, 0, 1)]


def flat(result):
    if isinstance(result, (tuple, list)):
        return [part for item in result for part in flat(item)]
    if isinstance(result, dict):
        return [part for item in result.values() for part in flat(item)]
    return [result.detach().numpy()]


def close(found, expected):
    found, expected = flat(found), flat(expected)
    assert len(found) == len(expected)
    for a, b in zip(found, expected):
        assert a.shape == b.shape
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-10)


def both(call):
    """Return what a call gives in either library."""
    return call(aino, aino.from_numpy), call(torch, torch.from_numpy)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_vmap(name):
    function, *arrays = FUNCTIONS[name]
    for dim, out_dim, chunk in DIMS:
        moved = [np.moveaxis(a, 0, dim if dim >= 0 else a.ndim + dim) for a in arrays]
        dims = tuple([dim if dim >= 0 else a.ndim + dim for a in arrays])

        def call(lib, tensor, moved=moved, dims=dims, out_dim=out_dim, chunk=chunk):
            step = lib.vmap(lambda *v: function(lib, *v), dims, out_dim, chunk_size=chunk)
            return step(*[tensor(a.copy()) for a in moved])

        close(*both(call))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_gradients(name):
    function, *arrays = FUNCTIONS[name]

    def call(lib, tensor):
        def number(*values):
            parts = function(lib, *values)
            parts = parts if isinstance(parts, tuple) else (parts,)
            parts = [p for part in parts for p in (part.values() if type(part) is dict else [part])]
            return sum([(p * p).sum() for p in parts])

        tensors = [tensor(a.copy()) for a in arrays]
        func = lib.func
        one = [t[0] for t in tensors]
        found = [
            lib.vmap(func.grad(number))(*tensors),
            lib.vmap(func.grad_and_value(number))(*tensors),
            func.grad(lambda a: lib.vmap(number)(a, *tensors[1:]).sum())(tensors[0]),
            func.vjp(lambda a: number(a, *one[1:]), one[0])[1](lib.ones((), dtype=lib.float64)),
        ]
        if name not in ("writes", "decompositions"):
            found.append(lib.vmap(func.jacrev(func.grad(number)))(*tensors))
        return found

    close(*both(call))


def test_jacobians_are_nested_alike():
    def call(lib, tensor):
        def function(tree, b):
            return {"p": tree["a"] * b, "s": (tree["a"].sum(), b[0])}

        tree, b = {"a": tensor(x[0])}, tensor(y[0])
        return [
            lib.func.jacrev(function, argnums=(0, 1))(tree, b),
            lib.func.jacrev(function, argnums=1)(tree, b),
            lib.func.hessian(lambda b: function(tree, b**3)["p"].sum())(b),
            lib.func.grad(lambda t, b: (function(t, b)["p"].sum(), b), has_aux=True)(tree, b),
        ]

    close(*both(call))


def test_ensembles():
    def call(lib, tensor):
        models = []
        for k in range(3):
            layer = lib.nn.Linear(3, 2, dtype=lib.float64)
            with lib.no_grad():
                layer.weight.copy_(tensor(x[:2] + k))
                layer.bias.copy_(tensor(y[0, :2] - k))
            models.append(layer)
        params, buffers = lib.func.stack_module_state(models)

        def one(params, buffers, a):
            return lib.func.functional_call(models[0], (params, buffers), (a,))

        out = lib.vmap(one, (0, 0, None))(params, buffers, tensor(x))
        out.square().sum().backward()
        return [out, params["weight"].grad, params["bias"].grad]

    close(*both(call))


#: Calls that are wrong, in either library.
WRONG = {
    "no arguments": lambda lib, t: lib.vmap(lib.sin)(),
    "sizes differ": lambda lib, t: lib.vmap(lib.add)(t(x), t(y[:3])),
    "no dimension": lambda lib, t: lib.vmap(lib.sin, 2)(t(x)),
    "nothing batched": lambda lib, t: lib.vmap(lib.sin, (None,))(t(x)),
    "not nested so": lambda lib, t: lib.vmap(lib.sin, (0, 0))(t(x)),
    "no tensor": lambda lib, t: lib.vmap(lib.add)(t(x), 1.0),
    "a number returned": lambda lib, t: lib.vmap(lambda a: 1.0)(t(x)),
    "out_dims": lambda lib, t: lib.vmap(lib.sin, 0, (0, 0))(t(x)),
    "a branch": lambda lib, t: lib.vmap(lambda a: a if a.sum() > 0 else -a)(t(x)),
    "item": lambda lib, t: lib.vmap(lambda a: a * a.sum().item())(t(x)),
    "nonzero": lambda lib, t: lib.vmap(lib.nonzero)(t(x)),
    "a mask": lambda lib, t: lib.vmap(lambda a: a[a > 0])(t(x)),
    "a write": lambda lib, t: lib.vmap(lambda a: lib.zeros(3).add_(a))(t(x)),
    "random": lambda lib, t: lib.vmap(lambda a: a + lib.rand(3))(t(x)),
    "randomness": lambda lib, t: lib.vmap(lib.sin, randomness="none"),
    "chunks": lambda lib, t: lib.vmap(lib.sin, chunk_size=0)(t(x)),
    "no number": lambda lib, t: lib.func.grad(lib.sin)(t(x)),
    "integers": lambda lib, t: lib.func.grad(lambda a: a.sum())(t(i)),
    "argnums": lambda lib, t: lib.func.grad(lambda a: a.sum(), argnums=1)(t(x)),
    "no aux": lambda lib, t: lib.func.grad(lambda a: a.sum(), has_aux=True)(t(x)),
    "a cotangent's shape": lambda lib, t: lib.func.vjp(lib.sin, t(x))[1](t(x[:2])),
    "unknown names": lambda lib, t: lib.func.functional_call(
        lib.nn.Linear(3, 1), {"wight": lib.ones(1, 3)}, lib.ones(3), strict=True
    ),
    "no models": lambda lib, t: lib.func.stack_module_state([]),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_wrong_in_both(name):
    call = WRONG[name]
    with pytest.raises((ValueError, RuntimeError, TypeError, IndexError, AssertionError)):
        call(torch, torch.from_numpy)
    with pytest.raises((ValueError, RuntimeError, TypeError, IndexError)):
        call(aino, aino.from_numpy)
