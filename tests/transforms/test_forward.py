"""Forward mode: jvp, linearize, jacfwd, dual levels, and what they refuse."""

import threading

import numpy as np
import pytest

import aino
from aino.autograd import forward_ad
from aino.errors import DtypeError, GradientError, ShapeError, TransformError
from aino.func import grad, hessian, jacfwd, jacrev, jvp, linearize, vmap

X = aino.tensor([0.3, 1.2, -0.4], dtype=aino.float64)
T = aino.tensor([1.0, 2.0, -1.0], dtype=aino.float64)


def wave(x):
    return aino.sin(x) * x.exp() + (x * x).sum()


def close(got, expected, tolerance=1e-10):
    np.testing.assert_allclose(got.numpy(), expected.numpy(), rtol=tolerance, atol=tolerance)


# Jacobians


def test_jacobians_agree_in_every_order():
    close(jacfwd(wave)(X), jacrev(wave)(X))

    def number(x):
        return wave(x).prod()

    expected = jacrev(jacrev(number))(X)
    for outer in (jacfwd, jacrev):
        for inner in (jacfwd, jacrev):
            close(outer(inner(number))(X), expected)
    close(hessian(number)(X), expected)
    close(jacfwd(number, chunk_size=2)(X), grad(number)(X))


def test_jacfwd_is_nested_as_the_output_then_the_argument():
    def function(a, b):
        return {"sum": a["x"] + b, "product": (a["x"] * b, b)}, "aux"

    a, b = {"x": X}, T
    found, aux = jacfwd(function, (0, 1), has_aux=True)(a, b)
    expected, _ = jacrev(function, (0, 1), has_aux=True)(a, b)
    assert aux == "aux"
    close(found["product"][0][0]["x"], expected["product"][0][0]["x"])
    close(found["product"][1][1], expected["product"][1][1])
    close(found["sum"][1], expected["sum"][1])


def test_linearize_calls_the_function_once():
    calls = []

    def function(x):
        calls.append(1)
        return {"y": wave(x), "constant": aino.ones(2, dtype=aino.float64)}

    y, push = linearize(function, X)
    close(y["y"], wave(X))
    for direction in (T, X, T + X):
        moved = push(direction)
        close(moved["y"], jvp(wave, (X,), (direction,))[1])
        close(moved["constant"], aino.zeros(2, dtype=aino.float64))
    assert len(calls) == 1


# Levels


def test_perturbations_are_not_confused():
    one = aino.tensor(1.0)

    def outer(x):
        return x * jvp(lambda y: x + y, (one,), (one,))[1]

    assert jvp(outer, (one,), (one,))[1].item() == 1.0
    cubed = jvp(lambda x: jvp(lambda y: x * y * y, (x,), (one,))[1], (one,), (one,))
    assert cubed[1].item() == 4.0  # d/dx (2 x · y at y = x) = 2 x + 2 x


def test_weights_outside_get_their_gradients():
    w = aino.tensor(2.0, dtype=aino.float64, requires_grad=True)

    def loss(w):
        return (jvp(lambda x: (w * x).sin(), (X,), (T,))[1] ** 2).sum()

    (slope,) = aino.autograd.grad(loss(w), w)
    step = 1e-6
    numerical = (loss(w.detach() + step) - loss(w.detach() - step)) / (2 * step)
    close(slope, numerical, 1e-6)
    loss(w).backward()
    close(w.grad, slope)


def test_batched_points_and_directions():
    points, directions = aino.stack([X, T, X + T]), aino.stack([T, X, T])
    rows = [jvp(wave, (x,), (t,))[1] for x, t in zip(points, directions)]
    close(vmap(lambda x, t: jvp(wave, (x,), (t,))[1])(points, directions), aino.stack(rows))
    close(jvp(vmap(wave), (points,), (directions,))[1], aino.stack(rows))

    def loss(w):
        found = vmap(lambda x, t: jvp(lambda x: (w * x).sin(), (x,), (t,))[1])(points, directions)
        return (found**2).sum()

    w = aino.tensor(2.0, dtype=aino.float64)
    step = 1e-6
    close(grad(loss)(w), (loss(w + step) - loss(w - step)) / (2 * step), 1e-6)


def test_threads_have_levels_of_their_own():
    found = {}

    def work(number):
        with forward_ad.dual_level():
            for _ in range(20):
                x = forward_ad.make_dual(X * number, T)
                found[number] = forward_ad.unpack_dual(x * x).tangent

    threads = [threading.Thread(target=work, args=(n,)) for n in (1, 2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number in (1, 2, 3):
        close(found[number], 2 * number * X * T)


# By hand


def test_a_dual_level_ends_with_its_tangents():
    with forward_ad.dual_level() as level:
        assert level == 0
        x = forward_ad.make_dual(X, T)
        assert "tangent=tensor" in repr(x)
        y = x.square()
        close(forward_ad.unpack_dual(y).tangent, 2 * X * T)
        assert forward_ad.unpack_dual(X).tangent is None
    primal, tangent = forward_ad.unpack_dual(y)
    assert tangent is None
    close(primal, X.square())
    close(y + 1, X.square() + 1)
    assert "tangent" not in repr(y)


def test_backward_goes_through_a_tangent_inside_its_level():
    w = aino.tensor([1.0, 2.0, 3.0], dtype=aino.float64, requires_grad=True)
    with forward_ad.dual_level():
        x = forward_ad.make_dual(X, T)
        tangent = forward_ad.unpack_dual((w * x).square().sum()).tangent
        tangent.backward()
        with pytest.raises(TransformError, match="a dual level"):
            (w * x).sum().backward()
    close(w.grad, 4 * w.detach() * X * T)


def test_what_shows_values_shows_the_value():
    with forward_ad.dual_level():
        x = forward_ad.make_dual(X, T)
        assert float(x[0]) == 0.3
        assert x[1].item() == 1.2
        assert bool(x[0] > 0)
        assert x.detach().numpy().tolist() == X.tolist()
        assert forward_ad.unpack_dual(x.detach()).tangent is None
        assert forward_ad.unpack_dual(x.data).tangent is None
        assert forward_ad.unpack_dual(x > 0).tangent is None
        close(forward_ad.unpack_dual(x[x > 0]).tangent, T[:2])
        assert x.argmax().item() == 1


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: forward_ad.make_dual(X, T[:2]), ShapeError),
        (lambda: forward_ad.make_dual(X, T.float()), DtypeError),
        (lambda: forward_ad.make_dual(X.long(), T.long()), DtypeError),
        (lambda: forward_ad.make_dual(X, 1.0), DtypeError),
        (lambda: forward_ad.make_dual(forward_ad.make_dual(X, T), T), GradientError),
        (lambda: forward_ad.make_dual(X, T, level=3), GradientError),
        (forward_ad.enter_dual_level, GradientError),
        (lambda: forward_ad.unpack_dual(1.0), DtypeError),
    ],
)
def test_dual_levels_refuse(call, error):
    with forward_ad.dual_level(), pytest.raises(error):
        call()
    with pytest.raises(GradientError):
        forward_ad.exit_dual_level()
    with pytest.raises(GradientError, match="enter one first"):
        forward_ad.make_dual(X, T)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: jvp(wave, X, T), TransformError),
        (lambda: jvp(wave, (X,), ([T],)), ShapeError),
        (lambda: jvp(wave, (X,), (T[:2],)), ShapeError),
        (lambda: jvp(wave, (X,), (T.float(),)), DtypeError),
        (lambda: jvp(wave, (X.long(),), (T.long(),)), DtypeError),
        (lambda: jvp(wave, (1.0,), (1.0,)), DtypeError),
        (lambda: jvp(lambda x: 3, (X,), (T,)), DtypeError),
        (lambda: jvp(lambda x: X, (X,), (T,), strict=True), TransformError),
        (lambda: jvp(lambda: X, (), ()), TransformError),
        (lambda: jacfwd(wave)(1.0), DtypeError),
        (lambda: jacfwd(wave, 1)(X), TransformError),
    ],
)
def test_jvp_refuses(call, error):
    with pytest.raises(error):
        call()


def test_what_leaks_out_raises():
    kept = []
    jvp(lambda x: kept.append(x * 2) or x, (X,), (T,))
    with pytest.raises(TransformError, match=r"jvp\(<lambda>\) has ended"):
        kept[0] + 1


# Writes in place


def written(x):
    y = x.clone()
    part = y[0:2]
    part.mul_(x[2])
    y[2] = part.sum() * x[0]
    made = aino.zeros_like(x)
    made[1:] = y[:2]
    made += x
    return y * made


def test_writes_into_duals_move_with_what_is_written():
    def plain(x):
        first = x[0:2] * x[2]
        y = aino.stack([first[0], first[1], first.sum() * x[0]])
        made = aino.stack([x[0], first[0] + x[1], first[1] + x[2]])
        return y * made

    close(jvp(written, (X,), (T,))[1], jvp(plain, (X,), (T,))[1])
    close(jacfwd(written)(X), jacrev(plain)(X))
    total = lambda f: lambda x: f(x).sum()  # noqa: E731
    close(hessian(total(written))(X), hessian(total(plain))(X))
    close(jvp(vmap(written), (aino.stack([X, T]),), (aino.stack([T, X]),))[1][0],
          jvp(plain, (X,), (T,))[1])  # fmt: skip


@pytest.mark.parametrize(
    "write",
    [
        lambda plain, x: plain.add_(x),
        lambda plain, x: plain.copy_(x),
        lambda plain, x: plain.__setitem__(0, x[0]),
        lambda plain, x: plain.__setitem__(slice(2), x[:2]),
        lambda plain, x: plain[1:].mul_(x[1:]),
        lambda plain, x: plain.index_add_(0, aino.tensor([0, 1, 1]), x),
        lambda plain, x: plain.fill_(x[0]),
    ],
)
def test_writes_into_plain_memory_are_refused(write):
    plain = aino.ones(3, dtype=aino.float64)
    with pytest.raises(TransformError, match="tangent"):
        jvp(lambda x: write(plain, x), (X,), (T,))
    assert plain.tolist() == [1.0, 1.0, 1.0]


def test_an_argument_is_not_written():
    x = X.clone()
    y, moved = jvp(lambda x: x.mul_(2.0), (x,), (T,))
    close(y, 2 * X)
    close(moved, 2 * T)
    close(x, X)


def test_random_numbers_do_not_move():
    aino.manual_seed(0)
    y, moved = jvp(lambda x: aino.nn.functional.dropout(x, 0.5), (aino.ones(50),), (aino.ones(50),))
    assert set(y.tolist()) == {0.0, 2.0}
    close(moved, y)
    noise = jvp(lambda x: x * aino.randn(3, dtype=aino.float64), (X,), (T,))
    close(noise[1] * X, noise[0] * T)


def test_compiled_duals():
    found = aino.compile(lambda x, t: jvp(wave, (x,), (t,)), fullgraph=True)(X, T)
    close(found[1], jvp(wave, (X,), (T,))[1])
    number = lambda x: wave(x).prod()  # noqa: E731
    close(aino.compile(hessian(number), fullgraph=True)(X), hessian(number)(X))


#: Functions of what is one for all samples and of what differs, whose value and tangent are led
#: back through vmap, when it has ended.
MIXED = {
    "only the value": lambda y, c: y * y,
    "a sum": lambda y, c: y + c,
    "a product of sums": lambda y, c: (y + c) * y,
    "an exponential": lambda y, c: (y * c).exp() + y,
    "a number": lambda y, c: (y * y).sum() * c,
}


@pytest.mark.parametrize("tangent", ["of all", "of each"])
@pytest.mark.parametrize("name", MIXED)
def test_values_and_tangents_lead_back_once(name, tangent):
    """A part that is one for all samples is not counted once for each of them."""
    aino.manual_seed(0)
    x = aino.randn(3, dtype=aino.float64)
    c, w, v = (aino.randn(4, 3, dtype=aino.float64) for _ in range(3))

    def one(x, c):
        along = x * 0.5 + 1.0 if tangent == "of all" else c
        return jvp(lambda y: MIXED[name](y, c), (x,), (along,))

    def together(x):
        value, slope = vmap(one, in_dims=(None, 0))(x, c)
        return (value * w).sum() + (slope * v).sum()

    def apart(x):
        pairs = [one(x, c[i]) for i in range(4)]
        return sum((a * w[i]).sum() + (b * v[i]).sum() for i, (a, b) in enumerate(pairs))

    expected = grad(apart)(x)
    assert aino.allclose(grad(together)(x), expected, atol=1e-12)
    leaf = x.clone().requires_grad_()
    together(leaf).backward()
    assert aino.allclose(leaf.grad, expected, atol=1e-12)


#: What is constant but for jumps, by what it counts, compares or picks.
STEPS = {
    "count_nonzero": lambda x: x.count_nonzero(0), "nonzero": lambda x: x.nonzero(),
    "argwhere": aino.argwhere, "any": lambda x: x.any(1), "all": lambda x: x.all(0),
    "isclose": lambda x: aino.isclose(x, x.flip(0)), "isreal": aino.isreal,
    "isnan": aino.isnan, "argmax": lambda x: x.argmax(1), "argsort": lambda x: x.argsort(1),
    "histc": lambda x: x.histc(4, 0.0, 1.0), "sign": aino.sign, "round": aino.round,
    "bucketize": lambda x: aino.bucketize(x, aino.tensor([0.2, 0.6], dtype=aino.float64)),
    "eq": lambda x: x == x.flip(1), "heaviside": lambda x: aino.heaviside(x, x * 0.0),
    "bernoulli": lambda x: x.round().bernoulli(),
}  # fmt: skip


@pytest.mark.parametrize("name", STEPS)
def test_what_jumps_has_a_tangent_of_zero(name):
    x = aino.tensor([[0.0, 0.7], [0.2, 0.9]], dtype=aino.float64)
    found, tangent = aino.func.jvp(STEPS[name], (x,), (aino.ones_like(x),))
    assert aino.equal(found, STEPS[name](x))
    assert tangent.shape == found.shape
    assert not tangent.any()


def test_what_repeats_is_left_out_with_its_tangent():
    x = aino.tensor([1.0, 1.0, 2.0, 1.0])
    found, tangent = aino.func.jvp(aino.unique_consecutive, (x,), (aino.tensor([1.0, 2, 3, 4]),))
    assert found.tolist() == [1.0, 2.0, 1.0]
    assert tangent.tolist() == [1.0, 3.0, 4.0]
