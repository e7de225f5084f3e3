"""What can't be compiled goes on as it is: with one warning, right, and hardly slower."""

import copy
import warnings

import pytest

import aino
from aino import nn
from aino.errors import CompileError, CompileWarning
from tests.compiler.showing import seen


def calls_with_warnings(step, *arguments, times=6):
    """Return what the calls return, and the warnings of the compiler's that they gave."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = [step(*arguments) for _ in range(times)]
    return found, [w for w in caught if w.category is CompileWarning]


KEPT: list = []


def keep(x):
    KEPT.insert(0, x * 2)
    return x + 1


W = aino.zeros(3)

#: What a program can't do, the words of the warning, and what it returns for ones(3).
REFUSED = {
    "item": (lambda x: x * x.sum().item(), "", [3.0] * 3),
    "float": (lambda x: x * float(x.sum()), "float", [3.0] * 3),
    "if": (lambda x: x if x.sum() > 0 else -x, "if", [1.0] * 3),
    "mask": (lambda x: x[x > 0], "where", [1.0] * 3),
    "unique": (lambda x: aino.unique(x), "depends on the data", [1.0]),
    "numpy": (lambda x: aino.from_numpy(x.detach().numpy() * 2), "", [2.0] * 3),
    "kept": (keep, "kept outside", [2.0] * 3),
    "generator": (lambda x: x * (aino.get_rng_state().sum() * 0 + 1), "generator", [1.0] * 3),
    "assert": (lambda x: x * (not (x < 0).any()), "if, while", [1.0] * 3),
    "shared": (lambda x: (W.copy_(x), float(W[:1].sum()))[0], "", [1.0] * 3),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_it_goes_on_with_one_warning(name):
    function, words, expected = REFUSED[name]
    step = aino.compile(function)
    found, warned = calls_with_warnings(step, aino.ones(3))
    assert [y.tolist() for y in found] == [expected] * 6
    assert len(warned) == 1
    message = str(warned[0].message)
    assert "goes on uncompiled" in message
    assert words in message
    assert warned[0].filename == __file__  # at the user's call
    strict = aino.compile(function, fullgraph=True)
    with pytest.raises(CompileError):
        calls_with_warnings(strict, aino.ones(3))


def test_a_refused_signature_leaves_the_others_compiled():
    step = aino.compile(lambda x: x * 2 if x.shape[0] == 2 else x * x.sum().item())
    found, warned = calls_with_warnings(step, aino.ones(2))
    assert not warned
    found, warned = calls_with_warnings(step, aino.ones(3))
    assert len(warned) == 1
    assert found[-1].tolist() == [3.0] * 3
    assert repr(step).startswith("<compiled step: 1 of ")
    assert step(aino.ones(2)).tolist() == [2.0, 2.0]


def test_a_model_that_has_changed_is_looked_at_anew():
    class Net(nn.Module):
        def forward(self, x):
            return x * x.sum().item() if self.training else x * 5

    net = Net()
    step = aino.compile(lambda x: net(x))
    found, warned = calls_with_warnings(step, aino.ones(2))
    assert found[-1].tolist() == [2.0, 2.0]
    net.eval()
    found, more = calls_with_warnings(step, aino.ones(2))
    assert found[-1].tolist() == [5.0, 5.0]
    assert (len(warned), len(more)) == (1, 0)
    assert "1 of " in repr(step)


def test_what_the_function_raises_comes_as_it_does_uncompiled():
    log = []

    def step(x, fail):
        log.append(1)
        if fail:
            raise ValueError("no")
        return x * 2

    w = aino.zeros(1)

    def half_way(x, index):
        w.add_(1)
        nn.functional.embedding(index, x)
        w.add_(10)
        return x * 2

    for compiled in (step, aino.compile(step)):
        log.clear()
        with pytest.raises(ValueError, match="no"):
            compiled(aino.ones(1), True)
        assert log == [1]
    compiled = aino.compile(half_way)
    x, good, bad = aino.ones(2, 1), aino.tensor([0]), aino.tensor([5])
    with pytest.raises(IndexError):
        compiled(x, bad)
    assert w.item() == 1.0  # as far as the function came
    for _ in range(4):
        compiled(x, good)
    assert w.item() == 45.0
    with pytest.raises(IndexError):
        compiled(x, bad)
    assert w.item() == 46.0


def test_what_the_tracers_alone_raise_does_not_reach_the_user():
    def step(x):
        try_it = x.array
        return x * (2 if type(try_it).__name__ == "ndarray" else [][1])

    found, warned = calls_with_warnings(aino.compile(step), aino.ones(1))
    assert [y.item() for y in found] == [2.0] * 6
    assert len(warned) == 1
    assert "IndexError" in str(warned[0].message)


def test_a_function_that_is_traced_anew_at_every_call_is_named_once():
    step = aino.compile(lambda x, s: x * len(s))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = [step(aino.ones(1), "a" * i).item() for i in range(100)]
    assert found == [float(i) for i in range(100)]
    assert len(caught) == 1
    assert "the argument s is another each time" in str(caught[0].message)
    strict = aino.compile(lambda x, s: x * len(s), fullgraph=True)
    with pytest.raises(CompileError, match="another each time"):
        [strict(aino.ones(1), "a" * i) for i in range(100)]


OPTIONS = [
    {"fullgraph": True}, {"dynamic": True}, {"dynamic": False}, {"backend": "numpy"},
    {"backend": "inductor"}, {"mode": "default"}, {"mode": "reduce-overhead"},
    {"mode": "max-autotune"}, {"options": {"passes": []}}, {"options": {"max_autotune": True}},
    {"recompile_limit": 2}, {"name": "mine"}, {"isolate_recompiles": True},
]  # fmt: skip


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_pytorchs_options_are_taken(options):
    step = aino.compile(lambda x, n: x * n, **options)
    assert [step(aino.ones(1), n).item() for n in (1, 1, 2, 3, 3, 3)] == [1, 1, 2, 3, 3, 3]
    assert aino.compile(**options)(nn.Linear(2, 1))(aino.ones(1, 2)).shape == (1, 1)


WRONG = [
    (
        {"backend": "tvm"},
        ValueError,
        "unknown backend 'tvm'; there are auto, eager, inductor, native, numpy",
    ),
    ({"backend": lambda *_: None}, TypeError, "FX graph"),
    ({"mode": "fast"}, ValueError, "unknown mode 'fast'"),
    ({"mode": "default", "options": {"max_autotune": True}}, ValueError, "both"),
    ({"options": {"speed": 1}}, ValueError, "unknown option 'speed'"),
    ({"passes": ["x"]}, ValueError, "unknown pass 'x'"),
    ({"dynamic": 1}, TypeError, "dynamic"),
    ({"recompile_limit": 0}, ValueError, "at least 1"),
]


@pytest.mark.parametrize(("options", "error", "words"), WRONG, ids=lambda value: str(value)[:20])
def test_an_option_that_there_is_not_is_refused_by_name(options, error, words):
    with pytest.raises(error, match=words):
        aino.compile(lambda x: x, **options)


def test_what_is_not_to_be_compiled():
    def step(x):
        return x * 2

    assert aino.compile(step, disable=True) is step
    assert aino.compile(step, backend="eager") is step
    model = nn.Linear(1, 1)
    assert aino.compile(model, disable=True) is model

    @aino.compiler.disable(reason="it counts")
    def count(x):
        return int((x > 0).sum())

    assert aino.compile(count) is count
    found, warned = calls_with_warnings(aino.compile(lambda x: x * count(x)), aino.ones(3))
    assert found[-1].tolist() == [3.0] * 3
    assert "count is not to be compiled (aino.compiler.disable): it counts" in str(
        warned[0].message
    )
    with pytest.raises(TypeError, match="a function or a module"):
        aino.compile(3)


def test_compiling_is_seen_and_forgotten():
    step = aino.compile(lambda x: (x * 2, aino.compiler.is_compiling()))
    assert [step(aino.ones(1))[1] for _ in range(1)] == [True]
    step(aino.ones(1))
    assert "1 of 1" in repr(step)
    aino.compiler.reset()
    assert "0 of 0" in repr(step)
    assert aino.compiler.list_backends() == ["auto", "inductor", "native", "numpy"]
    assert not aino.compiler.is_compiling()


def test_a_copy_of_an_uncompiled_function_is_one_too():
    step = aino.compile(lambda x: x * x.sum().item(), name="mine")
    with pytest.warns(CompileWarning, match="mine goes on"):
        step(aino.ones(1))
    assert copy.deepcopy(step).name == "mine"


LOG: list = []


def logged(x):
    value = x.sum().item()
    LOG.append(value)
    return value


#: Numbers that are read out of tensors, and whether a program may return them.
READ = {
    "item": (lambda x: (x * x).sum().item(), True),
    "arithmetic": (lambda x: {"l": (x.sum().item() * 2 + 1) / len(x), "t": x * 2}, True),
    "round": (lambda x: [round(x.mean().item(), 2), -x.max().item(), 3 - x[0].item()], True),
    "of two": (lambda x: x.sum().item() - x.max().item(), True),
    "written later": (lambda x: (lambda y: (y.sum().item(), y.add_(1))[0])(x * 1), True),
    "an integer": (lambda x: x.argmax().item(), True),
    "a boolean": (lambda x: (x > 1).all().item(), True),
    "with a number": (lambda x: x.sum().item() * float(len(x)), True),
    "kept": (logged, True),
    "kept by a method that looks": (lambda x: LOG.insert(0, x.sum().item()), False),
    "branch": (lambda x: x * 2 if x.sum().item() > 0 else x, False),
    "format": (lambda x: f"{x.sum().item():.2f}", False),
    "float": (lambda x: float(x.sum()), False),
    "max": (lambda x: max(1.0, x.sum().item()), False),
    "in a tensor": (lambda x: x * x.sum().item(), False),
    "a power": (lambda x: x.sum().item() ** 2, False),
}


@pytest.mark.parametrize("name", READ)
def test_numbers_that_are_read(name):
    function, compiled = READ[name]
    step = aino.compile(function)
    LOG.clear()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = [step(aino.ones(3) * turn) for turn in range(6)]
    kept = LOG.copy()
    expected = [function(aino.ones(3) * turn) for turn in range(6)]
    assert [seen(part) for part in found] == [seen(part) for part in expected]
    assert [type(part) for part in found] == [type(part) for part in expected]
    assert [type(part) for part in kept] == [float] * len(kept)
    assert (not caught) is compiled
    assert repr(step).endswith("1 of 1 signatures ready>") or not compiled


def test_steps_by_hand():
    def trained(make):
        w, v = aino.ones(2, requires_grad=True), aino.ones(2, requires_grad=True)
        optimizer = aino.optim.SGD([v], 0.1)

        def by_data(x):
            (w * x).sum().backward()
            w.data += -0.1 * w.grad
            w.grad = None

        def by_gradient(g):
            v.grad = g
            optimizer.step()

        steps, found = [make(by_data), make(by_gradient)], []
        for turn in range(6):
            x = aino.ones(2) * turn
            for step in steps:
                step(x)
            found.append([w.tolist(), v.tolist(), v.grad is x, w.grad])
        return found

    def strict(function):
        return aino.compile(function, fullgraph=True)

    assert trained(strict) == trained(lambda function: function)


@pytest.mark.parametrize("dtype", [None, aino.float64, aino.int64])
def test_a_tensor_of_a_tensor(dtype):
    step = aino.compile(lambda x: aino.tensor(x, dtype=dtype), fullgraph=True)
    for turn in range(4):
        x = aino.ones(2) * turn
        y = step(x)
        assert (y.tolist(), y.dtype) == ([turn, turn], dtype or aino.float32)
        assert y.array is not x.array


@pytest.mark.filterwarnings("ignore::aino.errors.CompileWarning")
@pytest.mark.parametrize("many", [False, True])
def test_nobody_holds_an_argument_that_the_function_lets_grow(many):
    @aino.compile
    def grow(x):
        x.resize_((9,))

    for _ in range(4):
        x = aino.zeros(7)
        grow.many([x]) if many else grow(x)
        assert x.shape == (9,)
