"""What vmap takes and gives, and what it refuses in words."""

from __future__ import annotations

import threading
import warnings
from typing import NamedTuple

import numpy as np
import pytest

import aino
from aino import vmap
from aino.autograd.batched import fallback
from aino.errors import TransformError
from aino.func import grad

x23 = aino.arange(6.0).reshape(2, 3)


def same(found, expected):
    assert aino.equal(found, expected), (found, expected)


class Pair(NamedTuple):
    a: aino.Tensor
    b: aino.Tensor


# Where samples lie


def test_in_dims_and_out_dims():
    x = aino.arange(24.0).reshape(2, 3, 4)
    expected = aino.stack([x[:, i] * 2 for i in range(3)])
    same(vmap(lambda a: a * 2, in_dims=1)(x), expected)
    same(vmap(lambda a: a * 2, in_dims=-2)(x), expected)
    same(vmap(lambda a: a * 2, in_dims=1, out_dims=1)(x), x * 2)
    same(vmap(lambda a: a * 2, in_dims=1, out_dims=-1)(x), expected.movedim(0, -1))
    found = vmap(lambda a, b: (a + b, b), in_dims=(0, None), out_dims=(1, None))(x23, x23[0])
    same(found[0], (x23 + x23[0]).T)
    same(found[1], x23[0])


def test_nested_arguments_and_results():
    def function(tree, pair):
        return {"sum": tree["x"][0] + pair.a, "both": Pair(pair.b, tree["y"])}

    tree = {"x": [x23, 3.0], "y": x23[0]}
    found = vmap(function, in_dims=({"x": [0, None], "y": None}, 0))(tree, Pair(x23, x23 + 1))
    same(found["sum"], 2 * x23)
    same(found["both"].a, x23 + 1)
    same(found["both"].b, aino.stack([x23[0], x23[0]]))


def test_what_is_not_batched_is_the_same_in_each_sample():
    w = aino.ones(2)
    found = vmap(lambda a: w * 2)(x23)
    same(found, 2 * aino.ones(2, 2))
    found += 1  # memory of its own
    same(w, aino.ones(2))
    keywords = vmap(lambda a, scale: a * scale)(x23, scale=x23[0])
    same(keywords, x23 * x23[0])


def test_levels_nest():
    outer = vmap(vmap(lambda a, b: a * b, in_dims=(None, 0)), in_dims=(0, None))
    same(outer(x23[0], x23[1]), x23[0][:, None] * x23[1])
    three = vmap(vmap(vmap(lambda a: a.sin() + 1)))(x23[None])
    same(three, x23[None].sin() + 1)
    captured = vmap(lambda a: vmap(lambda b: a * b)(x23[0]))(x23[1])
    same(captured, x23[1][:, None] * x23[0])


def test_a_level_inside_of_another_that_has_ended_does_not_collide_with_it():
    w = aino.tensor([1.0, 2.0, 3.0], requires_grad=True)
    inner = vmap(lambda a: a * w)(x23)  # its level ends here
    found = vmap(lambda a: aino.autograd.grad((inner * a).sum(), w, retain_graph=True)[0])(x23)
    expected = [aino.autograd.grad((inner * a).sum(), w, retain_graph=True)[0] for a in x23]
    same(found, aino.stack(expected))


def test_chunks():
    x = aino.randn(7, 3)
    for size in (1, 2, 3, 7, 9):
        found = vmap(lambda a, b: (a * b, b), in_dims=(0, None), chunk_size=size)(x, x[0])
        same(found[0], x * x[0])
        same(found[1], x[0].expand(7, 3))
    same(vmap(lambda a: a * 2, 1, 1, chunk_size=2)(x), x * 2)


def test_no_sample_at_all():
    found = vmap(lambda a: (a * 2).sum() + 1)(aino.zeros(0, 3))
    assert found.shape == (0,)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: vmap(aino.sin)(), "without arguments"),
        (lambda: vmap(aino.sin, in_dims=None)(x23), "in_dims is a number or a tuple"),
        (lambda: vmap(aino.sin, in_dims=(None,))(x23), "at least one argument"),
        (lambda: vmap(aino.sin, in_dims=(0, 0))(x23), "is not nested as the arguments"),
        (lambda: vmap(aino.sin, in_dims=2)(x23), "2 was given for a tensor of 2 dimensions"),
        (lambda: vmap(aino.sin, in_dims=(1.5,))(x23), "numbers and None, not 1.5"),
        (lambda: vmap(aino.add)(x23, 1.0), "type float, which has no dimensions"),
        (lambda: vmap(aino.add)(x23, x23[0]), r"same number of samples.*\[2, 3\]"),
        (lambda: vmap(lambda a: 1.0)(x23), "returned a float"),
        (lambda: vmap(aino.sin, out_dims=(0, 0))(x23), "is not nested as the result"),
        (lambda: vmap(aino.sin, out_dims=None)(x23), "out_dim None was given for a result"),
        (lambda: vmap(aino.sin, chunk_size=0), "chunk_size is None or at least 1"),
    ],
)
def test_wrong_dimensions_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
    with pytest.raises(IndexError, match="out_dim 2"):
        vmap(aino.sin, out_dims=2)(x23)
    with pytest.raises(TransformError, match="randomness is one of"):
        vmap(aino.sin, randomness="some")


# One value where there are many


@pytest.mark.parametrize(
    "function",
    [
        lambda a: a if a.sum() > 0 else -a,
        lambda a: a * float(a.sum()),
        lambda a: a * a.sum().item(),
        lambda a: aino.from_numpy(np.sort(a.numpy())),
        lambda a: aino.zeros(int(a.sum())),
        lambda a: a[a > 1],
        lambda a: aino.nonzero(a),
        lambda a: aino.tensor(a.tolist()),
    ],
)
def test_a_value_that_is_read_is_refused(function):
    function.__name__ = "step"
    with pytest.raises(TransformError, match=r"vmap\(step\)|data"):
        vmap(function)(x23)


def test_writes():
    total = aino.zeros(3)
    with pytest.raises(TransformError, match=r"add_ inside vmap\(<lambda>\).*not batched"):
        vmap(lambda a: total.add_(a))(x23)
    with pytest.raises(TransformError, match=r"x\[index\] = value inside vmap"):
        vmap(lambda a: total.__setitem__(0, a[0]) or a)(x23)
    same(total, aino.zeros(3))

    def batched(a):
        y = aino.zeros_like(a)
        y[1:] = a[1:]
        y[0] += 5
        y.mul_(2)
        return y

    same(vmap(batched)(x23), 2 * aino.tensor([[5.0, 1.0, 2.0], [5.0, 4.0, 5.0]]))
    memory = x23.clone()
    vmap(lambda a: a.add_(1))(memory)
    same(memory, x23 + 1)
    y = vmap(lambda a: a)(memory)
    y.zero_()
    same(memory, x23 + 1)


def test_a_tensor_that_leaks_raises():
    kept = []
    vmap(lambda a: kept.append(a) or a)(x23)
    for use in (lambda a: a + 1, lambda a: a.sum(), lambda a: a[0], aino.sin, np.exp,
                lambda a: a.reshape(3, 1), lambda a: bool(a[0])):  # fmt: skip
        with pytest.raises(TransformError, match="made inside is used after"):
            use(kept[0])
    with pytest.raises(TransformError, match="used after"):
        vmap(lambda b: b + kept[0])(x23)


def test_backward_to_a_leaf_outside_is_refused():
    w = aino.ones(3, requires_grad=True)

    def loss(a):
        (a * w).sum().backward()
        return a

    with pytest.raises(TransformError, match=r"backward\(\) inside vmap\(loss\) reaches"):
        vmap(loss)(x23)
    assert w.grad is None

    def inside(a):
        v = a.detach().requires_grad_()
        (v**3).sum().backward()
        return v.grad

    same(vmap(inside)(x23), 3 * x23**2)
    found = vmap(lambda a: aino.autograd.grad((a * w * w).sum(), w)[0])(x23)
    same(found, 2 * x23)


def test_an_error_leaves_the_level():
    with pytest.raises(ZeroDivisionError):
        vmap(lambda a: 1 / 0)(x23)
    same(aino.sin(x23), x23.sin())
    with pytest.raises(ValueError, match="fit"):
        vmap(lambda a: a @ aino.ones(2))(x23)


# Gradients through it


def test_gradients_reach_what_is_batched_and_what_is_not():
    x = aino.randn(4, 3, dtype=aino.float64, requires_grad=True)
    w = aino.randn(3, dtype=aino.float64, requires_grad=True)
    for create_graph in (False, True):
        y = vmap(lambda a: (a * w).sum().tanh() * w)(x)
        found = aino.autograd.grad(y.square().sum(), (x, w), create_graph=create_graph)
        z = (x @ w).tanh()[:, None] * w
        expected = aino.autograd.grad(z.square().sum(), (x, w))
        for g, e in zip(found, expected):
            assert aino.allclose(g, e, atol=1e-12)
    assert aino.autograd.gradgradcheck(lambda x, w: vmap(lambda a: (a * w).sum() ** 3)(x), (x, w))


def test_a_value_used_batched_and_plain_is_settled_before_it_is_added():
    w = aino.tensor([2.0, 3.0, 4.0], requires_grad=True)
    for first in (True, False):
        v = w * 1
        terms = [lambda v=v: vmap(lambda a: a * v)(x23).sum(), lambda v=v: (v * v).sum()]
        total = sum(term() for term in (terms if first else terms[::-1]))
        (g,) = aino.autograd.grad(total, w)
        same(g, x23.sum(0) + 2 * w.detach())


def test_a_slice_used_plain_beside_a_value_used_batched():
    x = aino.tensor([[1.0, 2.0, 3.0]], requires_grad=True)
    conditions = aino.tensor([[True], [False], [False]])

    def function(condition):
        a = x * 1.0
        return aino.where(condition, a[:, :1] * 2.0, a).sum()

    (got,) = aino.autograd.grad(aino.vmap(function)(conditions).sum(), x)
    (expected,) = aino.autograd.grad(sum(function(c) for c in conditions), x)
    assert got.tolist() == expected.tolist()


def test_hooks_and_kept_gradients_inside():
    seen = []

    def function(a):
        y = a * 2
        y.register_hook(lambda g: seen.append(tuple(g.shape)) or g * 10)
        return y.sum()

    same(vmap(grad(function))(x23), 20 * aino.ones(2, 3))
    assert seen == [(3,)]


# Random numbers


def test_randomness():
    with pytest.raises(TransformError, match=r"randomness='different'.*randomness='same'"):
        vmap(lambda a: a + aino.rand(3))(x23)
    for draw in (lambda a: aino.rand(3), lambda a: aino.randn_like(a), lambda a: aino.randperm(9),
                 lambda a: aino.bernoulli(aino.full_like(a, 0.5)).repeat(8),
                 lambda a: aino.poisson(aino.full_like(a, 50.0)),
                 lambda a: aino.multinomial(aino.ones(50), 9)):  # fmt: skip
        aino.manual_seed(1)
        found = vmap(draw, randomness="different")(x23)
        assert not aino.equal(found[0], found[1])
    for draw in (lambda a: aino.rand(3), lambda a: aino.randperm(9)):
        found = vmap(draw, randomness="same")(x23)
        assert aino.equal(found[0], found[1])
    with pytest.raises(TransformError, match="parameters that differ"):
        vmap(aino.poisson, randomness="same")(x23)
    rates = vmap(aino.poisson, randomness="different")(aino.tensor([0.0, 1e6]))
    assert rates[0] == 0
    assert rates[1] > 9e5


def test_randomness_of_nested_levels_is_each_ones_own():
    inner = vmap(lambda b: aino.rand(()), randomness="same")
    found = vmap(lambda a: inner(a), randomness="different")(x23)
    assert aino.equal(found[:, 0], found[:, 1])
    assert not aino.equal(found[0], found[1])


def test_each_thread_has_its_own_levels():
    found, go = {}, threading.Barrier(2)

    def work(name, factor):
        def function(a):
            go.wait(10)
            result = a * factor
            go.wait(10)
            return result

        found[name] = vmap(function)(x23)

    threads = [threading.Thread(target=work, args=(i, float(i + 2))) for i in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    same(found[0], 2 * x23)
    same(found[1], 3 * x23)


# What has no batched form


def test_a_loop_warns_once_by_name():
    fallback.warned.discard("isin")
    tests = x23[:, :1]
    with pytest.warns(fallback.LoopWarning, match=r"vmap.*: isin has no batched form"):
        found = vmap(aino.isin)(x23, tests)
    same(found, x23 == tests)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        vmap(aino.isin)(x23, tests)
    with pytest.raises(TransformError, match="there is none"):
        vmap(aino.isin)(aino.zeros(0, 2), aino.zeros(0, 2))


# Compiled


def test_compiled_it_is_plain_batched_numpy():
    function = vmap(grad(lambda a: (a * a.sum()).tanh().sum()))
    step = aino.compile(function, fullgraph=True)
    for shift in (0.0, 1.0):
        assert aino.allclose(step(x23 + shift), function(x23 + shift))
    assert "for " not in step.source
    assert step.source.count("np.tanh") == 1


def test_a_compiled_function_inside_runs_as_it_is():
    double = aino.compile(lambda a: (a * a.sum()).tanh())
    plain = vmap(lambda a: (a * a.sum()).tanh())(x23)
    double(x23[0])
    same(vmap(double)(x23), plain)
    assert aino.allclose(double(x23[1]), plain[1])


def test_a_compiled_draw_is_made_anew_at_each_call():
    step = aino.compile(vmap(lambda a: a + aino.rand(3), randomness="different"), fullgraph=True)
    found = [step(x23) for _ in range(3)]
    assert not aino.equal(found[1], found[2])
    aino.manual_seed(5)
    first = step(x23)
    aino.manual_seed(5)
    same(vmap(lambda a: a + aino.rand(3), randomness="different")(x23), first)
