"""grad, vjp, jacrev, hessian: values, composition, what they leave behind, what they refuse."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import aino
from aino import nn
from aino.autograd import functional
from aino.errors import TransformError
from aino.func import (
    functionalize,
    grad,
    grad_and_value,
    hessian,
    jacrev,
    value_and_grad,
    vjp,
    vmap,
)

f64 = aino.float64
x3 = aino.tensor([0.5, -1.0, 2.0], dtype=f64)


def near(found, expected, tolerance=1e-10):
    assert found.shape == expected.shape, (found.shape, expected.shape)
    assert aino.allclose(found, expected, rtol=tolerance, atol=tolerance), (found, expected)


def cubes(x):
    return (x**3).sum()


# Values


def test_grad_and_its_kin():
    near(grad(cubes)(x3), 3 * x3**2)
    slope, value = grad_and_value(cubes)(x3)
    near(slope, 3 * x3**2)
    near(value, cubes(x3))
    value, slope = value_and_grad(cubes)(x3)
    near(slope, 3 * x3**2)
    assert not value.requires_grad
    assert not slope.requires_grad


def test_argnums_and_aux():
    def function(a, b, c=1.0):
        return (a * b * c).sum(), {"a": a, "note": "text"}

    (da, db), aux = grad(function, argnums=(0, 1), has_aux=True)(x3, x3 + 1, c=2.0)
    near(da, 2 * (x3 + 1))
    near(db, 2 * x3)
    assert aux["note"] == "text"
    assert not aux["a"].requires_grad
    db, aux = grad(function, argnums=-1, has_aux=True)(x3, x3 + 1)
    near(db, x3)
    (da,), (value, aux) = grad_and_value(function, (0,), has_aux=True)(x3, x3)
    near(da, x3)
    near(value, (x3 * x3).sum())


def test_nested_arguments():
    def function(tree):
        return (tree["w"][0] * tree["w"][1]).sum() + tree["b"].sum()

    tree = {"w": [x3, 2 * x3], "b": x3[:1]}
    found = grad(function)(tree)
    near(found["w"][0], 2 * x3)
    near(found["w"][1], x3)
    near(found["b"], aino.ones(1, dtype=f64))


def test_vjp():
    y, pull = vjp(lambda a, b: {"p": a * b, "s": a.sum()}, x3, x3 + 1)
    near(y["p"], x3 * (x3 + 1))
    v = {"p": x3, "s": aino.tensor(2.0, dtype=f64)}
    for _ in range(2):
        da, db = pull(v)
        near(da, x3 * (x3 + 1) + 2)
        near(db, x3 * x3)
    _, pull, aux = vjp(lambda a: (a * 2, "aux"), x3, has_aux=True)
    assert aux == "aux"
    near(pull(x3)[0], 2 * x3)
    rows = vmap(vjp(lambda a: a**2, x3)[1])(aino.eye(3, dtype=f64))[0]
    near(rows, aino.diag(2 * x3))


def test_jacobians():
    near(jacrev(lambda x: x**2)(x3), aino.diag(2 * x3))
    near(jacrev(lambda x: x**2, chunk_size=2)(x3), aino.diag(2 * x3))
    a = aino.arange(6.0, dtype=f64).reshape(2, 3)
    near(jacrev(lambda x: a @ x)(x3), a)
    found = jacrev(lambda x, y: (x * y, {"s": x.sum()}), argnums=(0, 1))(x3, x3 + 1)
    near(found[0][0], aino.diag(x3 + 1))
    near(found[0][1], aino.diag(x3))
    near(found[1]["s"][0], aino.ones(3, dtype=f64))
    near(found[1]["s"][1], aino.zeros(3, dtype=f64))
    j, aux = jacrev(lambda x: (x * 2, x + 1), has_aux=True)(x3)
    near(j, 2 * aino.eye(3, dtype=f64))
    near(aux, x3 + 1)
    assert jacrev(lambda x: x * 2)(aino.zeros(0)).shape == (0, 0)


def test_hessians():
    near(hessian(cubes)(x3), aino.diag(6 * x3))
    (aa, ab), (ba, bb) = hessian(lambda a, b: (a**2 * b).sum(), argnums=(0, 1))(x3, x3 + 1)
    near(aa, aino.diag(2 * (x3 + 1)))
    near(ab, aino.diag(2 * x3))
    near(ba, ab)
    near(bb, aino.zeros(3, 3, dtype=f64))
    batch = aino.stack([x3, x3 + 1])
    near(vmap(hessian(cubes))(batch), aino.stack([aino.diag(6 * x) for x in batch]))


# Composition


def test_transforms_nest_without_mistaking_one_for_another():
    # d/dx [x · d/dy (x + y) at y = x] = 1: who confuses the two finds 2.
    found = grad(lambda x: x * grad(lambda y: x + y)(x))(aino.tensor(1.0))
    near(found, aino.tensor(1.0))
    third = grad(grad(grad(lambda x: x**4)))(aino.tensor(2.0))
    near(third, aino.tensor(48.0))
    mixed = grad(lambda x: grad(lambda y: (x * y) ** 2)(x * 3))(aino.tensor(2.0))
    near(mixed, aino.tensor(72.0))


def test_vmap_grad_and_hessian_in_any_order():
    batch = aino.stack([x3, 2 * x3, x3 - 1])
    near(vmap(grad(cubes))(batch), 3 * batch**2)
    near(grad(lambda b: vmap(cubes)(b).sum())(batch), 3 * batch**2)
    near(
        hessian(lambda w: vmap(grad(lambda x: (w * x**2).sum()))(batch).sum())(x3),
        aino.zeros(3, 3, dtype=f64),
    )
    found = hessian(lambda w: vmap(grad(lambda x: (w**2 * x**2).sum()))(batch).sum())(x3)
    near(found, aino.diag(4 * batch.sum(0)))
    near(
        vmap(lambda x: grad(lambda y: vmap(lambda z: (z * y).sum() ** 2)(batch).sum())(x))(batch),
        aino.stack([2 * (batch @ x) @ batch for x in batch]),
    )
    inner = vmap(vmap(grad(lambda a, b: (a * b) ** 2), (None, 0)), (0, None))
    near(inner(x3, x3 + 1), 2 * x3[:, None] * (x3 + 1) ** 2)


def test_a_gradient_is_differentiable_for_what_was_there_before():
    w = x3.clone().requires_grad_()
    g = grad(lambda x: (w**2 * x).sum())(x3)
    assert g.requires_grad
    near(aino.autograd.grad(g.sum(), w)[0], 2 * x3)
    with aino.no_grad():
        assert not grad(lambda x: (w**2 * x).sum())(x3).requires_grad
        near(grad(grad(lambda x: x**3))(aino.tensor(2.0)), aino.tensor(12.0))
    p = x3.clone().requires_grad_()
    grad(cubes)(p).sum().backward()
    near(p.grad, 6 * x3)
    assert p.grad_fn is None
    value = grad_and_value(lambda x: (x * w).sum())(x3)[1]
    assert value.requires_grad
    with aino.no_grad():
        assert vmap(grad(cubes))(aino.stack([x3, x3])).shape == (2, 3)


def test_no_grad_inside_is_respected():
    def function(x):
        with aino.no_grad():
            c = x**2
        return (x * c).sum()

    near(grad(function)(x3), x3**2)
    near(grad(lambda x: aino.zeros((), dtype=f64))(x3), aino.zeros(3, dtype=f64))
    near(grad(lambda x: (x.detach() * x).sum())(x3), x3)


def test_compiled():
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1)).double()
    params = {name: p.detach() for name, p in model.named_parameters()}
    batch = aino.stack([x3, x3 + 1])

    def loss(params, x):
        return aino.func.functional_call(model, params, (x,)).square().sum()

    for function, arguments in (
        (grad(cubes), (x3,)),
        (hessian(cubes), (x3,)),
        (vmap(hessian(cubes)), (batch,)),
        (vmap(grad(loss), (None, 0)), (params, batch)),
        (
            lambda p, b: hessian(lambda x: vmap(loss, (None, 0))(p, b * x).sum())(x3),
            (params, batch),
        ),
    ):
        step = aino.compile(function, fullgraph=True)
        for _ in range(2):
            found, expected = step(*arguments), function(*arguments)
            if isinstance(found, dict):
                for name, g in found.items():
                    near(g, expected[name])
            else:
                near(found, expected)


# What uses vmap


def test_grads_batched_and_vectorized():
    w = x3.clone().requires_grad_()
    rows = aino.eye(3, dtype=f64)
    (found,) = aino.autograd.grad(w**2, w, rows, is_grads_batched=True)
    near(found, aino.diag(2 * x3))
    (found,) = aino.autograd.grad(w**2, w, rows, is_grads_batched=True, create_graph=True)
    near(aino.autograd.grad(found.sum(), w)[0], 2 * aino.ones(3, dtype=f64))
    with pytest.raises(ValueError, match="all of one length, got lengths"):
        aino.autograd.grad((w, w * 2), w, (rows, rows[:2]), is_grads_batched=True)

    def function(a, b):
        return a * b.sum(), (a**2).sum()

    plain = functional.jacobian(function, (x3, x3 + 1))
    for found, expected in zip(functional.jacobian(function, (x3, x3 + 1), vectorize=True), plain):
        for j, e in zip(found, expected):
            near(j, e)
    near(functional.hessian(cubes, x3, vectorize=True), aino.diag(6 * x3))
    found = functional.jacobian(lambda x: aino.ones(2, dtype=f64), x3, vectorize=True)
    near(found, aino.zeros(2, 3, dtype=f64))


class Sorted(aino.autograd.Function):
    """Sorted by NumPy, which sees no batch: with a vmap of its own."""

    @staticmethod
    def forward(x):
        return aino.from_numpy(np.sort(x.detach().numpy(), -1)), aino.from_numpy(
            np.argsort(x.detach().numpy(), -1)
        )

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(output[1])
        ctx.mark_non_differentiable(output[1])

    @staticmethod
    def backward(ctx, g, _):
        (order,) = ctx.saved_tensors
        return aino.zeros_like(g).scatter(-1, order, g)

    @staticmethod
    def vmap(info, in_dims, x):
        assert info.batch_size == 2
        assert info.randomness == "error"
        assert in_dims == (0,)
        return Sorted.apply(x), (0, 0)


class Squared(aino.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(x):
        return x * x

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx, g):
        return 2 * ctx.saved_tensors[0] * g


def test_functions():
    batch = aino.stack([x3, -x3])
    near(vmap(lambda x: Sorted.apply(x)[0])(batch), batch.sort(-1).values)
    weights = aino.arange(3.0, dtype=f64)
    found = vmap(grad(lambda x: (Sorted.apply(x)[0] * weights).sum()))(batch)
    near(found, weights[batch.argsort(-1).argsort(-1)])
    near(vmap(grad(lambda x: Squared.apply(x).sum()))(batch), 2 * batch)
    near(vmap(grad(grad(lambda x: Squared.apply(x).sum())))(x3), 2 * aino.ones(3, dtype=f64))

    class Both(Sorted):
        generate_vmap_rule = True

    with pytest.raises(TransformError, match="one is enough"):
        vmap(lambda x: Both.apply(x)[0])(batch)

    class Short(Squared):
        generate_vmap_rule = False

        @staticmethod
        def vmap(info, in_dims, x):
            return x

    with pytest.raises(TransformError, match=r"returns \(outputs, out_dims\)"):
        vmap(Short.apply)(batch)

    class OfNumPy(Squared):
        @staticmethod
        def backward(ctx, g):
            return aino.from_numpy(2 * ctx.saved_tensors[0].detach().numpy() * g.numpy())

    with pytest.raises(TransformError, match="give the Function a vmap of its own"):
        vmap(grad(lambda x: OfNumPy.apply(x).sum()))(batch)


def test_gradcheck_of_a_batch_of_cotangents():
    x = x3.clone().requires_grad_()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert aino.autograd.gradcheck(aino.sin, (x,), check_batched_grad=True)


# What is refused


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: grad(lambda x: x)(x3), ValueError, r"grad\(<lambda>\).*shape \(3,\)"),
        (lambda: grad(lambda x: 1.0)(x3), TypeError, "returned a float"),
        (lambda: grad(lambda x: (x.sum(), x))(x3), TypeError, "needs has_aux=True"),
        (lambda: grad(cubes, has_aux=True)(x3), TypeError, r"returns \(output, aux\)"),
        (lambda: grad(cubes)(aino.tensor([1, 2])), TypeError, "only tensors of floating point"),
        (lambda: grad(cubes)(2.0), TypeError, "holds a float"),
        (lambda: grad(cubes, argnums=1)(x3), RuntimeError, "argnums 1 was given for 1"),
        (lambda: grad(cubes, argnums=(0, -1))(x3), RuntimeError, "names each argument once"),
        (lambda: vjp(cubes, x3)[1](x3), ValueError, "has the shape of its output"),
        (lambda: vjp(cubes, x3)[1]((x3, x3)), ValueError, "nested as the output"),
        (lambda: jacrev(lambda x: 1.0)(x3), TypeError, "has to return tensors"),
        (lambda: functionalize(cubes), RuntimeError, "use the function itself"),
    ],
)
def test_what_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
