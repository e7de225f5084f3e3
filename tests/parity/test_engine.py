"""The engine's behaviour against PyTorch's, program by program."""

from __future__ import annotations

import pytest

import aino
from tests.parity.compare import check, difference, outcome, torch

PROGRAMS = {}


def program(function):
    PROGRAMS[function.__name__] = function
    return function


def leaf(m, *values, dtype=None):
    return m.tensor(list(values), dtype=dtype or m.float64, requires_grad=True)


@program
def accumulation(m):
    x = leaf(m, 1.0, 2.0)
    for _ in range(3):
        (x * x).sum().backward()
    return x.grad


@program
def freed_graphs(m):
    x = leaf(m, 1.0)
    y = (x * x).sum()
    y.backward()
    y.backward()


@program
def graphs_that_save_nothing_are_not_freed(m):
    x = leaf(m, 1.0)
    y = x + x
    y.backward()
    y.backward()
    return x.grad


@program
def partly_freed_graphs(m):
    x = leaf(m, 2.0)
    shared = x * x
    m.autograd.grad(shared.sum() * 2.0, x)
    return (shared * 3.0).sum().backward()


@program
def hooks_and_retained_gradients(m):
    x = leaf(m, 1.0, 2.0)
    y = x * 3.0
    y.retain_grad()
    y.register_hook(lambda g: g * 2.0)
    x.register_hook(lambda g: g + 1.0)
    x.register_hook(lambda g: g * 10.0)
    (y * y).sum().backward()
    return [x.grad, y.grad]


@program
def the_gradient_of_a_middle_tensor_sees_its_hooks(m):
    x = leaf(m, 1.0, 2.0)
    y = x * 3.0
    y.register_hook(lambda g: g * 2.0)
    return m.autograd.grad((y * y).sum(), y)


@program
def grad_calls_hooks_of_leaves(m):
    x = leaf(m, 1.0)
    x.register_hook(lambda g: g * 5.0)
    return m.autograd.grad((x * x).sum(), x)


@program
def allow_unused(m):
    x, w = leaf(m, 1.0), leaf(m, 2.0)
    found = m.autograd.grad((x * x).sum(), [x, w], allow_unused=True)
    return [found[0], found[1] is None]


@program
def unused_inputs_raise(m):
    return m.autograd.grad((leaf(m, 1.0) * 2.0).sum(), leaf(m, 1.0))


@program
def materialized(m):
    x, w = leaf(m, 1.0), leaf(m, 2.0)
    return m.autograd.grad((x * x).sum(), [x, w], materialize_grads=True)


@program
def the_same_input_twice(m):
    x = leaf(m, 3.0)
    return m.autograd.grad((x * x).sum(), [x, x])


@program
def an_output_that_is_an_input(m):
    x = leaf(m, 3.0)
    y = x * 2.0
    return m.autograd.grad([y, y * y], [x, y], [m.ones_like(y), m.ones_like(y)])


@program
def the_same_output_twice(m):
    x = leaf(m, 3.0)
    y = x * 2.0
    return m.autograd.grad([y, y], x, [m.ones_like(y), m.ones_like(y) * 3.0])


@program
def backward_with_inputs(m):
    x, w = leaf(m, 1.0), leaf(m, 2.0)
    (x * w).sum().backward(inputs=[w])
    return [w.grad, x.grad is None]


@program
def backward_with_a_tensor_as_inputs(m):
    x, w = leaf(m, 1.0), leaf(m, 2.0)
    (x * w).sum().backward(inputs=w)
    return [w.grad, x.grad is None]


@program
def a_gradient_of_another_dtype(m):
    x = leaf(m, 1.0, dtype=m.float32)
    (x * 2.0).backward(m.ones(1, dtype=m.float64))
    return x.grad


@program
def a_gradient_of_another_shape(m):
    x = leaf(m, 1.0, 2.0)
    (x * 2.0).backward(m.ones(1, dtype=m.float64))


@program
def a_scalar_of_one_element_and_two_axes(m):
    x = leaf(m, 2.0)
    (x * x).reshape(1, 1).backward()
    return x.grad


@program
def a_double_gradient_kept(m):
    x = leaf(m, 2.0)
    (x**3).sum().backward(create_graph=True)
    first = x.grad.clone()
    x.grad.sum().backward()
    return [first, x.grad]


@program
def gradient_penalty(m):
    x, w = leaf(m, 0.5, -0.25), leaf(m, 2.0, 3.0)
    y = (w * x).tanh().sum()
    (slope,) = m.autograd.grad(y, x, create_graph=True)
    ((slope * slope).sum() - 1.0).pow(2).backward()
    return [x.grad, w.grad]


@program
def complex_gradients(m):
    z = m.tensor([1.0 + 2.0j, -0.5j], dtype=m.complex128, requires_grad=True)
    x = leaf(m, 2.0, 3.0)
    loss = ((z * x).exp() * z.conj()).abs().sum() + (z * z).imag.sum()
    first = m.autograd.grad(loss, [z, x], create_graph=True)
    second = m.autograd.grad(first[0].abs().sum() + first[1].sum(), [z, x])
    return [*first, *second]


@program
def complex_hooks(m):
    z = m.tensor([1.0 + 2.0j], dtype=m.complex128, requires_grad=True)
    w = z * (1.0 + 1.0j)
    w.register_hook(lambda g: g * 1j)
    (w * w).backward(m.tensor([2.0 - 1.0j], dtype=m.complex128))
    return z.grad


@program
def complex_scalars_have_no_implicit_gradient(m):
    z = m.tensor(1.0 + 2.0j, dtype=m.complex128, requires_grad=True)
    (z * z).backward()


@program
def integers_have_no_gradient(m):
    return m.ones(2, dtype=m.int64).requires_grad_()


@program
def integer_results_need_none(m):
    x = leaf(m, 1.5, 2.5)
    return [(x > 2.0).requires_grad, x.argmax().requires_grad, x.long().requires_grad]


@program
def requires_grad_flags(m):
    x, c = leaf(m, 1.0), m.ones(1, dtype=m.float64)
    with m.no_grad():
        silent = x * 2.0
    y = x * c
    return [x.is_leaf, y.is_leaf, silent.is_leaf, silent.requires_grad, y.requires_grad,
            y.detach().requires_grad, y.data.requires_grad, c.is_leaf, (c * c).is_leaf]  # fmt: skip


@program
def stopping_a_recorded_tensor(m):
    (leaf(m, 1.0) * 2.0).requires_grad_(False)


@program
def starting_a_recorded_tensor(m):
    y = leaf(m, 1.0) * 2.0
    return y.requires_grad_().requires_grad


@program
def numpy_under_requires_grad(m):
    return leaf(m, 1.0).numpy()


@program
def deepcopy_of_a_recorded_tensor(m):
    import copy

    return copy.deepcopy(leaf(m, 1.0) * 2.0)


@program
def deepcopy_of_a_leaf(m):
    import copy

    x = leaf(m, 1.0)
    x.sum().backward()
    y = copy.deepcopy(x)
    y.sum().backward()
    return [x.grad, y.grad, y.requires_grad]


@program
def pickling_a_leaf(m):
    import pickle

    x = pickle.loads(pickle.dumps(leaf(m, 1.0, 2.0)))
    return [x, x.requires_grad]


@program
def names_of_nodes(m):
    x = leaf(m, 1.0, 2.0)
    results = [x * x, x + 1.0, x - x, x / 2.0, x.exp(), x.tanh(), x.sigmoid(), x.sum(), -x]
    return [y.grad_fn.name() for y in results]


@pytest.mark.parametrize("name", PROGRAMS)
def test_program(name):
    check(PROGRAMS[name])


def functions(m):
    def square_and_exp(x, y):
        return x * x * y, (x * y).exp().sum()

    def scalar(x, y):
        return (x**3 * y).sum() + (y**2).sum()

    x, y = m.tensor([0.5, -1.0], dtype=m.float64), m.tensor([1.5, 0.3], dtype=m.float64)
    v, w = m.tensor([1.0, 2.0], dtype=m.float64), m.tensor([-1.0, 0.5], dtype=m.float64)
    return square_and_exp, scalar, (x, y), (v, w), m.autograd.functional


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("vectorize", [False, True])
def test_jacobian_and_hessian(create_graph, vectorize):
    def run(m):
        several, scalar, inputs, _, functional = functions(m)
        options = {"create_graph": create_graph, "vectorize": vectorize}
        return [
            functional.jacobian(several, inputs, **options),
            functional.jacobian(lambda x: several(x, inputs[1])[0], inputs[0], **options),
            functional.hessian(scalar, inputs, **options),
            functional.hessian(lambda x: scalar(x, inputs[1]), inputs[0], **options),
        ]

    check(run)


@pytest.mark.parametrize("create_graph", [False, True])
def test_products(create_graph):
    def run(m):
        several, scalar, inputs, vectors, functional = functions(m)
        seed = (vectors[0], m.tensor(2.0, dtype=m.float64))
        return [
            functional.vjp(several, inputs, seed, create_graph=create_graph),
            functional.jvp(several, inputs, vectors, create_graph=create_graph),
            functional.vhp(scalar, inputs, vectors, create_graph=create_graph),
            functional.hvp(scalar, inputs, vectors, create_graph=create_graph),
        ]

    check(run)


def test_products_of_complex_functions():
    def run(m):
        z = m.tensor([0.5 + 1.0j, -1.0j], dtype=m.complex128)
        v = m.tensor([1.0 - 0.5j, 2.0 + 0.0j], dtype=m.complex128)
        functional = m.autograd.functional
        return [
            functional.vjp(lambda z: z * z * 2.0j, z, v),
            functional.jvp(lambda z: z * z * 2.0j, z, v),
        ]

    check(run)


@pytest.mark.parametrize("product", ["vjp", "jvp", "hvp", "vhp", "jacobian", "hessian"])
@pytest.mark.parametrize("kind", ["constant", "linear", "unused"])
@pytest.mark.parametrize("create_graph", [False, True])
def test_strictness(product, kind, create_graph):
    def run(m):
        x, y = m.tensor([0.5, -1.0], dtype=m.float64), m.tensor([1.5, 0.3], dtype=m.float64)

        def function(x, y):
            if kind == "constant":
                return m.ones(1, dtype=m.float64).sum()
            return (x * 2.0).sum() + (0.0 if kind == "unused" else y.sum())

        v = m.tensor(1.0, dtype=m.float64) if product == "vjp" else (x, y)
        arguments = () if product in ("jacobian", "hessian") else (v,)
        return getattr(m.autograd.functional, product)(
            function, (x, y), *arguments, create_graph=create_graph, strict=True
        )

    check(run)


def user_functions(m):
    class Pair(m.autograd.Function):
        @staticmethod
        def forward(ctx, a, b, scale):
            y, z = a * b * scale, (a + b).exp()
            ctx.save_for_backward(a, b, z)
            ctx.scale = scale
            return y, z

        @staticmethod
        def backward(ctx, to_y, to_z):
            a, b, z = ctx.saved_tensors
            return to_y * b * ctx.scale + to_z * z, to_y * a * ctx.scale + to_z * z, None

    return Pair


def test_functions_of_the_user():
    def run(m):
        pair = user_functions(m)
        a, b = leaf(m, 0.5, -1.0), leaf(m, 1.5, 0.3)
        y, z = pair.apply(a, b, 3.0)
        first = m.autograd.grad((y * z).sum(), [a, b], create_graph=True)
        second = m.autograd.grad((first[0] * first[1]).sum(), [a, b, z])
        return [y, z, *first, *second]

    check(run)


def test_gradcheck_agrees():
    def run(m):
        class Off(m.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                return x * 2.0

            @staticmethod
            def backward(ctx, g):
                return g * 2.5

        x = leaf(m, 1.0, 2.0)
        return [
            m.autograd.gradcheck(lambda x: x.exp(), x),
            m.autograd.gradgradcheck(lambda x: x.exp(), x),
            m.autograd.gradcheck(Off.apply, x, raise_exception=False),
            m.autograd.gradcheck(Off.apply, x, raise_exception=False, fast_mode=True),
            m.autograd.gradcheck(Off.apply, x, rtol=1.0),
        ]

    check(run)


def test_a_difference_is_found():
    assert difference(outcome(lambda: aino.ones(2)), outcome(lambda: torch.ones(3)))
    assert difference(outcome(lambda: aino.ones(2)), outcome(lambda: torch.zeros(2)))
    assert difference(outcome(lambda: aino.ones(2)), outcome(lambda: torch.ones(2).double()))
    assert difference(outcome(lambda: aino.ones(2)), outcome(lambda: torch.ones(2) @ torch.ones(3)))
    assert not difference(outcome(lambda: aino.ones(2)), outcome(lambda: torch.ones(2)))
