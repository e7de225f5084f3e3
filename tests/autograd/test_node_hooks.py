"""Hooks on nodes: what they see, what they may change, and in which order they are called.

Each scenario is run with AINO here and with PyTorch in ``tests/parity/test_node_hooks.py``.
"""

from __future__ import annotations

import pytest

import aino
from aino.errors import DtypeError, GradientError, ShapeError


class Log(list):
    """What hooks were called with, as numbers."""

    def hook(self, name, returned=None):
        def called(*groups):
            self.append((name, *[numbers(group) for group in groups]))
            return returned(*groups) if returned else None

        return called


def numbers(value):
    if isinstance(value, tuple):
        return tuple([numbers(part) for part in value])
    return None if value is None else value.tolist()


def leaves(library, *values):
    return [library.tensor(value, dtype=library.float64, requires_grad=True) for value in values]


def order(library, log):
    x, w = leaves(library, [1.0, 2.0], 3.0)
    y = x * w
    y.grad_fn.register_hook(log.hook("behind"))
    y.grad_fn.register_prehook(log.hook("before"))
    y.register_hook(log.hook("tensor"))
    y.sum().backward()
    return x.grad, w.grad


def prehooks_replace(library, log):
    x, w = leaves(library, [1.0, 2.0], 3.0)
    y = x * w
    y.retain_grad()
    y.register_hook(lambda g: g * 2.0)
    y.grad_fn.register_prehook(log.hook("first", lambda outputs: (outputs[0] * 10.0,)))
    y.grad_fn.register_prehook(log.hook("second"))
    y.grad_fn.register_hook(log.hook("behind"))
    y.sum().backward()
    return y.grad, x.grad, w.grad


def hooks_replace(library, log):
    x, w = leaves(library, [1.0, 2.0], 3.0)
    y = x * w
    y.grad_fn.register_hook(log.hook("first", lambda inputs, outputs: (inputs[0] * 5.0, None)))
    y.grad_fn.register_hook(log.hook("second"))
    y.sum().backward()
    return x.grad, w.grad


def no_gradient_goes_on(library, log):
    x, w = leaves(library, [1.0, 2.0], 3.0)
    y = x * w
    y.grad_fn.register_prehook(lambda outputs: (None,))
    y.sum().backward()
    return x.grad, w.grad


def only_where_wanted(library, log):
    x, w = leaves(library, [1.0, 2.0], 3.0)
    y = x * w
    y.grad_fn.register_hook(log.hook("behind"))
    total = y.sum()
    library.autograd.grad(total, w, retain_graph=True)
    library.autograd.grad(total, y)
    y.sum().backward()  # the last pass went no further than y, and freed nothing behind it
    return x.grad, w.grad


def leaf_in_backward(library, log):
    (x,) = leaves(library, [1.0, 2.0])
    y = (x * 2.0).sum()
    _watch_leaf(x, log)
    y.backward(retain_graph=True)
    y.backward()
    return (x.grad,)


def leaf_in_grad(library, log):
    (x,) = leaves(library, [1.0, 2.0])
    y = (x * 2.0).sum()
    _watch_leaf(x, log)
    return library.autograd.grad(y, x)


def leaf_among_inputs(library, log):
    x, w = leaves(library, [1.0, 2.0], 3.0)
    y = (x * w).sum()
    _watch_leaf(x, log)
    y.backward(inputs=[x], retain_graph=True)
    y.backward(inputs=[w])
    return x.grad, w.grad


def leaf_prehook_replaces(library, log):
    (x,) = leaves(library, [1.0, 2.0])
    node = (x * 1.0).grad_fn.next_functions[0][0]
    node.register_prehook(lambda outputs: (outputs[0] * 100.0,))
    node.register_hook(log.hook("behind"))
    (x * 2.0).sum().backward()
    return (x.grad,)


def _watch_leaf(x, log):
    node = (x * 1.0).grad_fn.next_functions[0][0]
    node.register_hook(log.hook("behind"))
    node.register_prehook(log.hook("before"))
    x.register_hook(log.hook("tensor"))
    x.register_post_accumulate_grad_hook(lambda leaf: log.append(("after", leaf.grad.tolist())))


def several_outputs(library, log):
    class Halves(library.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x[:1] * 2.0, x[1:] * 3.0

        @staticmethod
        def backward(ctx, first, second):
            return library.cat([first * 2.0, second * 3.0])

    (x,) = leaves(library, [1.0, 2.0])
    first, second = Halves.apply(x)
    first.register_hook(log.hook("tensor"))
    first.grad_fn.register_prehook(log.hook("before"))
    second.grad_fn.register_hook(log.hook("behind"))
    (first + second).sum().backward()
    return (x.grad,)


def other_arguments(library, log):
    class Scaled(library.autograd.Function):
        @staticmethod
        def forward(ctx, number, x, mode, w):
            ctx.save_for_backward(x, w)
            return x * w * number

        @staticmethod
        def backward(ctx, gradient):
            x, w = ctx.saved_tensors
            return None, gradient * w, None, gradient * x

    x, w = leaves(library, [1.0, 2.0], [3.0, 4.0])
    y = Scaled.apply(1.0, x, "plain", w)
    log.append(len(y.grad_fn.next_functions))
    y.grad_fn.register_hook(log.hook("behind", lambda inputs, outputs: (inputs[1], inputs[0])))
    y.sum().backward()
    return x.grad, w.grad


def singular_values(library, log):
    (x,) = leaves(library, [[3.0, 0.0], [0.0, 2.0]])
    first, values, _ = library.linalg.svd(x)
    first.grad_fn.register_hook(log.hook("behind"))
    values.grad_fn.register_prehook(log.hook("before", lambda outputs: (None, outputs[1], None)))
    values.sum().backward()
    return (x.grad,)


def complex_numbers(library, log):
    z = library.tensor([1.0 + 2.0j], dtype=library.complex128, requires_grad=True)
    y = z * z
    y.grad_fn.register_prehook(log.hook("before", lambda outputs: (outputs[0] * 1j,)))
    y.grad_fn.register_hook(log.hook("behind"))
    y.backward(library.tensor([1j], dtype=library.complex128))
    return (z.grad,)


def second_derivatives(library, log):
    (x,) = leaves(library, 2.0)
    y = x * x
    y.grad_fn.register_prehook(lambda outputs: (outputs[0] * x,))
    y.grad_fn.register_hook(lambda inputs, outputs: tuple([g * x for g in inputs]))
    (slope,) = library.autograd.grad(y, x, create_graph=True)
    return slope, *library.autograd.grad(slope, x)


def slices(library, log):
    (x,) = leaves(library, [1.0, 2.0, 3.0])
    parts = x * 1.0
    top = parts[:2]
    top.grad_fn.register_hook(log.hook("behind"))
    (top * top).sum().backward()
    return (x.grad,)


def removed(library, log):
    (x,) = leaves(library, 2.0)
    y = x * 3.0
    handles = [
        y.grad_fn.register_hook(log.hook("behind")),
        y.grad_fn.register_prehook(log.hook("before")),
    ]
    y.backward(retain_graph=True)
    for handle in handles:
        handle.remove()
    y.backward()
    return (x.grad,)


def retained(library, log):
    (x,) = leaves(library, 2.0)
    y = x * x
    y.grad_fn.register_hook(log.hook("behind"))
    y.backward(retain_graph=True)
    y.backward()
    try:
        y.backward()
    except RuntimeError:
        log.append("freed")
    return (x.grad,)


SCENARIOS = {
    order: (
        ([3.0, 3.0], 3.0),
        [
            ("tensor", [1.0, 1.0]),
            ("before", ([1.0, 1.0],)),
            ("behind", ([3.0, 3.0], 3.0), ([1.0, 1.0],)),
        ],
    ),
    prehooks_replace: (
        ([2.0, 2.0], [60.0, 60.0], 60.0),
        [
            ("first", ([2.0, 2.0],)),
            ("second", ([20.0, 20.0],)),
            ("behind", ([60.0, 60.0], 60.0), ([20.0, 20.0],)),
        ],
    ),
    hooks_replace: (
        ([15.0, 15.0], None),
        [
            ("first", ([3.0, 3.0], 3.0), ([1.0, 1.0],)),
            ("second", ([15.0, 15.0], None), ([1.0, 1.0],)),
        ],
    ),
    no_gradient_goes_on: ((None, None), []),
    only_where_wanted: (
        ([3.0, 3.0], 3.0),
        [
            ("behind", (None, 3.0), ([1.0, 1.0],)),
            ("behind", ([3.0, 3.0], 3.0), ([1.0, 1.0],)),
        ],
    ),
    leaf_in_backward: (
        ([4.0, 4.0],),
        [
            ("tensor", [2.0, 2.0]),
            ("before", ([2.0, 2.0],)),
            ("after", [2.0, 2.0]),
            ("behind", (), ([2.0, 2.0],)),
            ("tensor", [2.0, 2.0]),
            ("before", ([2.0, 2.0],)),
            ("after", [4.0, 4.0]),
            ("behind", (), ([2.0, 2.0],)),
        ],
    ),
    leaf_in_grad: (([2.0, 2.0],), [("tensor", [2.0, 2.0])]),
    leaf_among_inputs: (
        ([3.0, 3.0], 3.0),
        [
            ("tensor", [3.0, 3.0]),
            ("before", ([3.0, 3.0],)),
            ("after", [3.0, 3.0]),
            ("behind", (), ([3.0, 3.0],)),
        ],
    ),
    leaf_prehook_replaces: (([200.0, 200.0],), [("behind", (), ([200.0, 200.0],))]),
    several_outputs: (
        ([2.0, 3.0],),
        [
            ("tensor", [1.0]),
            ("before", ([1.0], [1.0])),
            ("behind", ([2.0, 3.0],), ([1.0], [1.0])),
        ],
    ),
    other_arguments: (
        ([1.0, 2.0], [3.0, 4.0]),
        [2, ("behind", ([3.0, 4.0], [1.0, 2.0]), ([1.0, 1.0],))],
    ),
    singular_values: (
        ([[1.0, 0.0], [0.0, 1.0]],),
        [
            ("before", (None, [1.0, 1.0], None)),
            ("behind", ([[1.0, 0.0], [0.0, 1.0]],), (None, [1.0, 1.0], None)),
        ],
    ),
    complex_numbers: (
        ([-2.0 * (1.0 - 2.0j)],),
        [
            ("before", ([1j],)),
            ("behind", ([-1.0 + 2.0j], [-1.0 + 2.0j]), ([-1.0 + 0.0j],)),
        ],
    ),
    second_derivatives: ((16.0, 24.0), []),
    slices: (([2.0, 4.0, 0.0],), [("behind", ([2.0, 4.0, 0.0],), ([2.0, 4.0],))]),
    removed: ((6.0,), [("before", (1.0,)), ("behind", (3.0, None), (1.0,))]),
    retained: (
        (8.0,),
        [("behind", (2.0, 2.0), (1.0,)), ("behind", (2.0, 2.0), (1.0,)), "freed"],
    ),
}


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_hooks_on_nodes(scenario):
    log = Log()
    gradients = scenario(aino, log)
    assert (numbers(tuple(gradients)), list(log)) == SCENARIOS[scenario]


@pytest.mark.parametrize(
    ("register", "returned", "error", "message"),
    [
        ("register_hook", lambda i, o: i[0], TypeError, "None or a tuple of gradients, got Tensor"),
        ("register_hook", lambda i, o: list(i), TypeError, "a tuple of gradients, got list"),
        ("register_hook", lambda i, o: i[:1], GradientError, "1 gradients in place of 2"),
        ("register_hook", lambda i, o: (i[0][:1], i[1]), ShapeError, r"\(1,\) in place of \(2,\)"),
        ("register_hook", lambda i, o: (i[0].float(), i[1]), DtypeError, "float32 in place of"),
        ("register_hook", lambda i, o: (1.0, i[1]), TypeError, "returned float in place of"),
        ("register_prehook", lambda o: o[0], TypeError, "None or a tuple of gradients, got Tensor"),
        ("register_prehook", lambda o: (), GradientError, "0 gradients in place of 1"),
        ("register_prehook", lambda o: (o[0][:1],), ShapeError, r"\(1,\) in place of \(2,\)"),
    ],
)
def test_what_hooks_on_nodes_may_not_return(register, returned, error, message):
    x, w = leaves(aino, [1.0, 2.0], 3.0)
    y = x * w
    getattr(y.grad_fn, register)(returned)
    with pytest.raises(error, match=f"on MulBackward0 returned .*{message}|{message}"):
        y.sum().backward()


def test_a_hook_that_writes_into_what_it_sees_changes_nothing_else():
    x, w = leaves(aino, [1.0, 2.0], [3.0, 4.0])
    total = x + w

    def write(inputs, outputs):
        outputs[0].mul_(100.0)
        inputs[0].mul_(0.0)

    total.grad_fn.register_hook(write)
    seed = aino.ones(2, dtype=aino.float64)
    total.backward(seed)
    assert (w.grad.tolist(), seed.tolist()) == ([1.0, 1.0], [1.0, 1.0])


def test_compiled_steps_do_what_the_hooks_do():
    (x,) = leaves(aino, [2.0, 1.0])
    node = (x * 1.0).grad_fn.next_functions[0][0]
    node.register_prehook(lambda outputs: (outputs[0] * outputs[0],))

    @aino.compile(fullgraph=True)
    def step(t):
        x.grad = None
        y = x * t
        y.grad_fn.register_prehook(lambda outputs: (outputs[0] * 2.0,))
        y.grad_fn.register_hook(lambda inputs, outputs: (inputs[0] + outputs[0], inputs[1]))
        y.sum().backward()
        return x.grad.clone()

    times = [aino.tensor(float(n), dtype=aino.float64) for n in range(4)]
    assert [step(t).tolist() for t in times] == [[(2.0 * n + 2.0) ** 2] * 2 for n in range(4)]
    node.register_prehook(lambda outputs: (outputs[0] * 0.0,))
    assert step(times[3]).tolist() == [0.0, 0.0]


def test_a_hook_gives_no_gradient_where_none_is_wanted():
    x, w = leaves(aino, [1.0, 2.0], 3.0)
    y = x * w
    handle = y.grad_fn.register_hook(lambda inputs, outputs: (outputs[0], outputs[0].sum()))
    y.sum().backward(retain_graph=True)
    with pytest.raises(GradientError, match="a gradient where there is none"):
        aino.autograd.grad(y.sum(), w)
    handle.remove()
    assert x.grad.tolist() == [1.0, 1.0]
