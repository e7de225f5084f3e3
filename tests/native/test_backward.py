"""Backward passes that C makes over plain nodes: the bits of the walk in Python, and its errors."""

import gc
import sys
import tracemalloc
import warnings
import weakref

import numpy as np
import pytest

import aino
from aino.autograd import walk
from aino.autograd.node import Spent
from aino.errors import GradientError, InplaceError
from tests.native.calls import both_ways

native = pytest.importorskip("aino_native")


def leaves(*shapes, seed=0, dtype=np.float32):
    rng = np.random.default_rng(seed)
    return [
        aino.from_numpy(np.asarray(rng.normal(size=s)).astype(dtype)).requires_grad_()
        for s in shapes
    ]


def bits(gradient):
    return None if gradient is None else (gradient.array.tobytes(), gradient.shape)


OPERATIONS = (
    lambda a, b: a + b,
    lambda a, b: a * b,
    lambda a, b: a - 0.5 * b,
    lambda a, b: aino.tanh(a) * b,
    lambda a, b: aino.relu(a) + b,
    lambda a, b: a / (1.0 + b * b),
    lambda a, b: -a * a,
    lambda a, b: a.sum() * b,
    lambda a, b: (a @ a.mT)[0, 0] + b if a.ndim == 2 else a + b,
)


def program(seed):
    """Return a random function of three tensors: forks, joins, shapes that are broadcast."""
    steps = np.random.default_rng(seed).integers(0, len(OPERATIONS), size=(25, 3))

    def function(*given):
        values = list(given)
        for kind, i, j in steps:
            a, b = values[-1 - i % len(values)], values[-1 - j % len(values)]
            values.append(aino.tanh(OPERATIONS[kind](a, b)))
        return sum(v.sum() for v in values[-6:])

    return function


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
def test_random_graphs(seed, dtype):
    function = program(seed)

    def gradients():
        given = leaves((3, 3), (3,), (), seed=seed, dtype=dtype)
        function(*given).backward()
        return [bits(x.grad) for x in given]

    in_c, in_python = both_ways(gradients)
    assert in_c == in_python


@pytest.mark.parametrize("seed", range(20))
def test_random_graphs_where_some_inputs_are_wanted(seed):
    function = program(seed)

    def gradients():
        x, y, z = leaves((3, 3), (3,), (), seed=seed)
        inner = x * y
        found = []
        for wanted in ((x,), (y, z), (inner,), (inner, z, x)):
            total = function(inner, y, z) + (inner * inner).sum()
            some = aino.autograd.grad(total, wanted, allow_unused=True, retain_graph=True)
            found += map(bits, some)
            function(inner, y, z).backward(inputs=[x, inner], retain_graph=True)
        assert y.grad is None
        return [*found, bits(x.grad), bits(inner.grad)]

    in_c, in_python = both_ways(gradients)
    assert in_c == in_python


def test_what_is_wanted_may_have_been_computed():
    def gradients():
        x, y = leaves((3, 3), (3,))
        a = x * y
        b = a.tanh()
        c = (b * a + y).exp()
        return [bits(g) for g in aino.autograd.grad(c.sum(), (b, a, y))]

    in_c, in_python = both_ways(gradients)
    assert in_c == in_python


def test_hooks_on_what_leads_to_nothing_that_is_wanted():
    def gradients():
        x, y = leaves((3, 3), (3,))
        told = []
        a, b, c = (x * y).tanh(), y * 2.0, x + 1.0
        b.register_hook(lambda g: told.append("b"))
        c.register_hook(lambda g: told.append("c"))
        ones = [aino.ones_like(t) for t in (a, b, c)]
        found = aino.autograd.grad([a, b, c], x, ones)
        return told, bits(found[0])

    in_c, in_python = both_ways(gradients)
    assert in_c == in_python


def a_hook(x, y):
    z = x * y
    z.register_hook(lambda g: g * 3)
    return (z + z.tanh()).sum()


def a_hook_on_a_node(x, y):
    z = x * y
    z.grad_fn.register_hook(lambda inputs, outputs: tuple([g * 2 for g in inputs]))
    return (z + z.tanh()).sum()


def a_kept_gradient(x, y):
    z = x * y
    z.retain_grad()
    return (z + z.tanh()).sum()


class Cube(aino.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return 3 * x * x * g


OTHERS = {
    "a hook": a_hook,
    "a hook on a node": a_hook_on_a_node,
    "a kept gradient": a_kept_gradient,
    "a function of the user's": lambda x, y: (Cube.apply(x) * y + Cube.apply(y)).sum(),
    "slices": lambda x, y: (x[0] * y[1:].sum() + x[:, 1] * x[2]).sum(),
    "the same slice twice": lambda x, y: x[0].sum() + (x[0] * x[0]).sum() + x[1].sum(),
    "an index": lambda x, y: x[[0, 0, 2]].sum() * y[0],
    "several outputs": lambda x, y: sum(part.sum() * 2 for part in x.split(1)) + x.max(0)[0].sum(),
    "a decomposition": lambda x, y: aino.linalg.svd(x)[1].sum() + y.sum(),
    "a list": lambda x, y: aino.cat([x, y[None], x]).tanh().sum(),
    "complex numbers": lambda x, y: (x.to(aino.complex64) * 1j * y).abs().sum(),
    "another dtype": lambda x, y: (x.double() * y).sum().float() + x.half().float().sum(),
    "a write in place": lambda x, y: (x * 1).mul_(y).add_(x).sum(),
    "a leaf alone": lambda x, y: x[0, 0],
    "one leaf many times": lambda x, y: sum(((x + i) * y[0]).sum() for i in range(9)),
    "integers between": lambda x, y: (x * (y > 0)).sum() + x[y.argmax()].sum(),
    "cross entropy": lambda x, y: aino.nn.functional.cross_entropy(x, aino.tensor([0, 2, 1])),
    "checkpoint": lambda x, y: aino.utils.checkpoint.checkpoint(
        lambda a: (a * y).tanh(), x, use_reentrant=False).sum(),
    "vmap": lambda x, y: aino.func.vmap(lambda row: (row * y).sum())(x).sum(),
    "a derivative": lambda x, y: (aino.autograd.grad(
        (x * x * y).sum(), x, create_graph=True)[0] * x).sum(),
}  # fmt: skip


@pytest.mark.parametrize("function", OTHERS.values(), ids=OTHERS)
def test_what_python_has_to_see_to(function):
    def gradients():
        x, y = leaves((3, 3), (3,))
        function(x, y).backward()
        return bits(x.grad), bits(y.grad)

    in_c, in_python = both_ways(gradients)
    assert in_c == in_python


def freed(x, y):
    z = (x * y).tanh().sum()
    z.backward()
    z.backward()


def written(x, y):
    z = x * 2.0
    w = z.tanh() * y
    with aino.no_grad():
        y.mul_(2.0)
    w.sum().backward()


def overflow(x, y):
    with np.errstate(over="raise"):
        ((x * 1e20) * 1e20).sum().backward(aino.tensor(1e20))


def user_error(x, y):
    class Bad(aino.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1.0

        @staticmethod
        def backward(ctx, g):
            raise KeyError("mine")

    (Bad.apply(x * y).tanh() * 2.0).sum().backward()


@pytest.mark.parametrize(("case", "error"), [
    (freed, GradientError), (written, InplaceError), (overflow, FloatingPointError),
    (user_error, KeyError),
])  # fmt: skip
def test_errors(case, error):
    def what():
        x, y = leaves((3, 3), (3,))
        with pytest.raises(error) as raised:
            case(x, y)
        return str(raised.value)

    in_c, in_python = both_ways(what)
    assert in_c == in_python


def test_what_was_packed_is_unpacked_by_whom_it_was_given_to():
    """A rule of fmod reads nothing, but the node's pullback unpacks all that it saved."""

    def unpacked():
        log = []
        x, y = leaves((3,), (3,))
        with aino.autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: log.append(t) or t):
            z = aino.fmod(x, y).sum()
        for _ in range(3):
            aino.autograd.grad(z, x, retain_graph=True)
        return len(log)

    in_c, in_python = both_ways(unpacked)
    assert in_c == in_python == 6


def test_a_warning_is_heard_once():
    """A cotangent's sum overflows, and then the other rule, which C leaves to Python."""

    def warned():
        x, y = aino.full((4,), 1e10, requires_grad=True), aino.ones(2, 3, 4, requires_grad=True)
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always")
            (x * y).backward(aino.full((2, 3, 4), 3e38))
        return [str(w.message) for w in found]

    in_c, in_python = both_ways(warned)
    assert in_c == in_python
    assert len(in_c) == 2


def test_a_graph_that_is_kept():
    def gradients():
        x, y = leaves((3, 3), (3,))
        z = (x * y).tanh().exp().sum()
        z.backward(retain_graph=True)
        z.backward(retain_graph=True)
        z.backward()
        assert z.grad_fn.saved is not None or z.grad_fn.keeps_arrays
        with pytest.raises(GradientError):
            z.backward()
        return bits(x.grad), bits(y.grad)

    in_c, in_python = both_ways(gradients)
    assert in_c == in_python


def test_what_is_saved_is_let_go_as_in_python():
    def saved():
        x, y = leaves((3, 3), (3,))
        nodes, z = [], x
        for step in (lambda t: t * y, aino.tanh, lambda t: t + y, lambda t: aino.addcmul(t, t, y),
                     lambda t: t.sum(), aino.exp):  # fmt: skip
            z = step(z)
            nodes.append(z.grad_fn)
        z.backward()
        return [(type(node.saved), node.saved if type(node.saved) is Spent else None)
                for node in nodes]  # fmt: skip

    assert aino.addcmul(*leaves((3,), (3,), (3,))).grad_fn.keeps_arrays is None
    in_c, in_python = both_ways(saved)
    assert in_c == in_python
    assert {kind for kind, _ in in_c} >= {type(None), Spent}


def test_a_gradient_is_nobody_elses():
    """Over additions alone one array arrives at all leaves: each gets memory of its own."""
    x, y = leaves((3,), (3,))
    g = aino.ones(3)
    ((x + y) + y).backward(g)
    arrays = [x.grad.array, y.grad.array, g.array]
    assert not any(np.may_share_memory(a, b) for a in arrays for b in arrays if a is not b)
    assert (x.grad.tolist(), y.grad.tolist(), g.tolist()) == ([1] * 3, [2] * 3, [1] * 3)


def test_an_array_is_freed_as_soon_as_nobody_reads_it():
    """A long chain holds one cotangent at a time, and frees what was saved as it goes."""

    def peak():
        x = aino.zeros(2000, requires_grad=True)
        y = x
        for _ in range(200):
            y = aino.tanh(y)
        z = y.sum()
        gc.collect()
        tracemalloc.start()
        z.backward()
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak()
    in_c, in_python = both_ways(peak)
    assert in_c < 200_000
    assert in_c < in_python + 20_000


def test_nothing_is_lost():
    x, y = leaves((3, 3), (3,))

    def some():
        for _ in range(30):
            for function in OTHERS.values():
                if function is not OTHERS["a leaf alone"]:
                    function(x, y).backward()
            for case in (written_on_its_own, freed):
                with pytest.raises((GradientError, InplaceError)):
                    case(x, y)
            aino.autograd.grad((x * y).sum(), x)
            x.grad = y.grad = None

    def written_on_its_own(x, y):
        w = y * 1.0
        z = (x.tanh() * w).sum()
        with aino.no_grad():
            w.mul_(2.0)
        z.backward()

    some()
    gc.collect()
    counted = (x.array, y.array, x.node, y.node, None, True, False, Spent, walk.join)
    before = [sys.getrefcount(o) for o in counted], sys.getallocatedblocks()
    some()
    gc.collect()
    after = [sys.getrefcount(o) for o in counted], sys.getallocatedblocks()
    assert max(abs(a - b) for a, b in zip(after[0], before[0])) < 30
    assert abs(after[1] - before[1]) < 300


def test_a_graph_goes_with_its_last_reference():
    x, y = leaves((3, 3), (3,))
    z = (x * y).tanh()
    node = weakref.ref(z.grad_fn)
    z.sum().backward()
    gc.disable()
    try:
        del z
        assert node() is None
    finally:
        gc.enable()


def test_ten_thousand_nodes_and_a_wide_graph():
    def gradients():
        x, y = leaves((3,), (3,))
        z = x
        for _ in range(10_000):
            z = z * 1.0001
        wide = [x * (i / 1000) for i in range(1000)]
        (z + sum(wide) * y).sum().backward()
        return bits(x.grad), bits(y.grad)

    in_c, in_python = both_ways(gradients)
    assert in_c == in_python


def test_python_is_met_where_it_is_asked_for_alone():
    def calls():
        y = aino.full((3,), 1.001, requires_grad=True)
        z = y
        for _ in range(100):
            z = aino.relu(z * y)
        z, count = z.sum(), []
        sys.setprofile(lambda frame, event, arg: event == "call" and count.append(frame))
        try:
            z.backward()
        finally:
            sys.setprofile(None)
        return len(count)

    calls()  # which makes the tapes
    in_c, in_python = both_ways(calls)
    assert in_c < 40
    assert in_python > 200


def test_a_rule_that_refuses_an_array_of_a_level_is_asked_as_python_asks_it():
    def function(row):
        inner = lambda t: (t.sum() * row).cumsum(0).sum() + (row @ t) * t.max()  # noqa: E731
        return aino.func.grad(inner)(row)

    def gradients():
        (x,) = leaves((4, 3))
        found = aino.func.vmap(function)(x)
        return found.detach().array.tobytes()

    in_c, in_python = both_ways(gradients)
    assert in_c == in_python


def test_what_a_pass_is_told():
    march = walk.backward_in_c()
    assert march({}, [], None, False, None, None) is None
    for wrong in ((), ({},), ([], [], None, False, None, None), ({}, {}, None, False, None, None)):
        with pytest.raises(TypeError):
            march(*wrong)
    with pytest.raises(KeyError, match="in order"):
        march({}, [-3], None, False, None, None)
    with pytest.raises(TypeError):
        march({}, [], None, False, None, None, more=1)


def test_a_graph_that_another_pass_frees_while_it_is_checked_is_left_to_python():
    def frees(node, recorded):
        node.saved = None

    slots = [vars(walk.Node)[name] for name in ("inputs", "saved", "sequence", "extras")]
    march = native.Backward(
        node=walk.Node, leaf=walk.Leaf, slots=tuple(slots), clock=walk.clock,
        last_write=walk.LAST_WRITE, push=walk.heappush, pop=walk.heappop, spent=walk.spent,
        spent_type=Spent, join=walk.join, check=frees, refusal=walk.LevelError,
    )  # fmt: skip
    (x,) = leaves((3,))
    node = x.tanh().grad_fn
    aino.ones(3).mul_(2.0)  # a write, wherever: so it is checked
    entry = [node, np.ones(3, np.float32), False]
    assert march({}, [], entry, False, None, None) is entry
    assert entry[1].tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("given", [3, (np.ones((3,)), np.ones((3,)))], ids=["3", "too much"])
def test_its_own_error_where_a_pullback_gives_nonsense(monkeypatch, given):
    x, y = leaves((3,), (3,))
    z = aino.cat([x, y * 1.0])
    monkeypatch.setattr(type(z.grad_fn), "pullback", staticmethod(lambda *_: given), raising=False)
    with pytest.raises(TypeError, match="a pullback return"):
        aino.autograd.grad(z.sum(), y)
