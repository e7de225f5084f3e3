"""Arguments, data and results with a catch, compiled as eager."""

import contextlib
import copy
import enum
import math
from collections import OrderedDict, defaultdict, namedtuple
from dataclasses import dataclass, field

import numpy as np
import pytest

import aino
from aino import nn
from aino.compiler.ir.symbolic import FrozenNumberError, SymbolicNumber
from aino.compiler.tracing.trace import Trace
from aino.errors import CompileError, CompileWarning
from tests.compiler.showing import assert_shows_the_same, calls, calls_with, registry, seen

CASES, case = registry()


# Checks of values, and data that takes another way

WRONG = {
    "embedding": lambda i, w: nn.functional.embedding(i, w).sum(),
    "index_select": lambda i, w: w.index_select(0, i).sum(),
    "gather": lambda i, w: w.gather(0, i.reshape(1, 3)).sum(),
    "nll_loss": lambda i, w: nn.functional.nll_loss(w[:3], i),
    "cross_entropy": lambda i, w: nn.functional.cross_entropy(w[:3], i),
    "one_hot": lambda i, w: nn.functional.one_hot(i, 3).sum(),
    "division": lambda i, w: (i // (i + 1)).sum(),
    "binary_cross_entropy": lambda i, w: nn.functional.binary_cross_entropy(
        i.float() / 2, aino.ones(3)
    ),
    "bernoulli": lambda i, w: aino.bernoulli(i.float() / 2).sum(),
}


def wrong_case(function):
    def show(make):
        w, found = aino.arange(12.0).reshape(4, 3), []
        step = make(lambda i: function(i, w))
        for numbers in [[-1, 0, 1], *[[1, 0, 2]] * 4, [-1, 0, 1], [1, 0, 2]]:
            try:
                found.append(step(aino.tensor(numbers)).item())
            except (IndexError, ValueError, ZeroDivisionError) as error:
                found.append((type(error).__name__, str(error)))
        return found

    return show


CASES |= {f"wrong values for {name}": wrong_case(function) for name, function in WRONG.items()}


@case
def labels_that_are_ignored_now_and_then(make):
    model = nn.Sequential(nn.Linear(3, 8), nn.Dropout(0.5), nn.Linear(8, 3))
    optimizer = aino.optim.SGD(model.parameters(), lr=0.1)

    def step(x, y):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    compiled, x = make(step), aino.ones(3, 3)
    labels = [[0, 1, 2], [0, 1, 1], [2, 1, 1], [0, -100, 2], [0, 1, 2], [-100, 1, 2]]
    found = [compiled(x, aino.tensor(numbers)).item() for numbers in labels]
    return np.round(found, 6).tolist(), np.round(model[0].weight.tolist(), 6).tolist()


@case
def the_same_labels_for_other_classes(make):
    step, found = make(lambda x, y: nn.functional.cross_entropy(x, y)), []
    labels = aino.tensor([0, 1, 2])
    for count in (3, 5, 3, 4, 3, 5, 3, 5):
        x = aino.arange(3.0 * count).reshape(3, count).sin()
        found.append(step(x, labels).item())
        expected = -x.log_softmax(1)[aino.arange(3), labels].mean().item()
        assert abs(found[-1] - expected) < 1e-6
    return found


# Calls that differ by turns


@case
def freezing_by_turns(make):
    a, b = aino.ones(1, requires_grad=True), aino.ones(1, requires_grad=True)
    optimizer = aino.optim.SGD([a, b], lr=0.1)

    def step():
        optimizer.zero_grad()
        (a + b).sum().backward()
        optimizer.step()

    compiled = make(step)
    for i in range(12):
        a.requires_grad_(i % 2 == 0)
        b.requires_grad_(i % 2 == 1)
        compiled()
    return seen([a, b])


@case
def one_tensor_given_twice_by_turns(make):
    step, found = make(lambda a, b: a * 2 + b), []
    for i in range(12):
        z = aino.ones(1) * i
        found.append(step(z, z if i % 2 else z.clone()).item())
    return found


@case
def modes_by_turns(make):
    step = make(lambda x: x * 2 if aino.is_inference_mode_enabled() else x * 3)
    found = []
    for i in range(9):
        with aino.inference_mode() if i % 2 else aino.no_grad():
            found.append(step(aino.ones(1)).item())
    return found


def test_a_fixed_number_of_numpys_has_a_program():
    for kind in (float, np.float64, np.float32):
        step = aino.compile(lambda x, s: x * round(s))
        for _ in range(4):
            assert step(aino.ones(1), kind(2.0)).item() == 2.0
        assert repr(step).endswith("1 of 1 signatures ready>")


@case
def numbers_of_numpy(make):
    return [
        calls_with(make(lambda x, n: x * float(n)), [kind(i) for i in (1, 2, 3, 3, 3)])
        for kind in (np.float64, np.float32, np.int64)
    ]


@case
def integers_that_change(make):
    found = []
    for function in (
        lambda x, i: x * 2, lambda x, i: x * i, lambda x, i: x[: i % 3 + 1] * 2,
        lambda x, i: x * 2 if i % 4 == 3 else x, lambda x, i: x**i, lambda x, i: x.sum() / (i + 1),
        lambda x, i: x * i if isinstance(i, int) else x, lambda x, i: aino.full((i % 2 + 1,), 2.0),
    ):  # fmt: skip
        step = make(function)
        found.append([seen(step(aino.ones(4) * 2, i)) for i in range(12)])
    return found


def _written(x, n):
    y = x.clone()
    y[n] = 7.0
    return y


#: What can be asked of an integer that is another at each call.
INTEGERS = {
    "x[n]": lambda x, n: x[n], "x[:, n]": lambda x, n: x[:, n], "x[n] = v": _written,
    "x[-n]": lambda x, n: x[-n], "x[n:n + 2]": lambda x, n: x[n : n + 2],
    "x[..., n]": lambda x, n: x[..., n], "x[n, n]": lambda x, n: x[n, n],
    "<<": lambda x, n: x * (n << 1), "reflected <<": lambda x, n: x * (1 << n),
    ">>": lambda x, n: x * (n >> 1), "reflected >>": lambda x, n: x * (64 >> n),
    "&": lambda x, n: x * (n & 1), "reflected &": lambda x, n: x * (5 & n),
    "|": lambda x, n: x * (n | 8), "^": lambda x, n: x * (n ^ 3), "~": lambda x, n: x * ~n,
    "several": lambda x, n: x * ((n << 2 | 1) & ~n ^ (n + 1 >> 1)),
    "pow": lambda x, n: x * pow(n, 2, 5), "reflected pow": lambda x, n: x * 2**n,
    "divmod": lambda x, n: x * divmod(n, 3)[0] + divmod(n, 3)[1],
    "reflected divmod": lambda x, n: x * divmod(17, n + 1)[1],
    "//": lambda x, n: x * (n // 2), "%": lambda x, n: x * (n % 2), "/": lambda x, n: x * (n / 2),
    "range": lambda x, n: sum([x * i for i in range(n)], x),
    "size": lambda x, n: x + aino.ones(n, 1, 1),
    "format": lambda x, n: x * float(f"{n:03d}"), "str": lambda x, n: x * len(str(n)),
    "repr": lambda x, n: x * len(repr(n)),
    "round": lambda x, n: x * round(n), "floor": lambda x, n: x * math.floor(n),
    "ceil": lambda x, n: x * math.ceil(n), "trunc": lambda x, n: x * math.trunc(n),
    "float": lambda x, n: x * float(n), "int": lambda x, n: x * int(n),
    "complex": lambda x, n: x * complex(n).real, "abs": lambda x, n: x * abs(n - 2),
    "+n": lambda x, n: x * +n, "-n": lambda x, n: x * -n, "bool": lambda x, n: x * 2 if n else x,
    "hash": lambda x, n: x * hash(n), "a key": lambda x, n: x * {0: 1.0, 1: 2.0}.get(n, 5.0),
    "an index": lambda x, n: x * [3, 1, 4, 1][n], "==": lambda x, n: x * 2 if n == 2 else x,
    "in": lambda x, n: x * 2 if n in (1, 3) else x, "min": lambda x, n: x * min(n, 2),
    "isinstance": lambda x, n: x * 2 if isinstance(n, int) else x,
    "type": lambda x, n: x * 2 if type(n) is int else x,
    "bit_length": lambda x, n: x * n.bit_length(), "conjugate": lambda x, n: x * n.conjugate(),
    "real": lambda x, n: x * n.real + n.imag,
    "numerator": lambda x, n: x * n.numerator / n.denominator,
    "as_integer_ratio": lambda x, n: x * n.as_integer_ratio()[0],
    "to_bytes": lambda x, n: x * n.to_bytes(2, "big")[1], "sqrt": lambda x, n: x * math.sqrt(n),
    "tensor": lambda x, n: x * aino.tensor(n), "full": lambda x, n: aino.full((2,), n),
    "arange": lambda x, n: aino.arange(n + 1), "roll": lambda x, n: x.roll(n),
    "a dim": lambda x, n: x.sum(n % 2), "a list times n": lambda x, n: x * len([1] * n),
    "split": lambda x, n: x.split(n + 1)[0], "topk": lambda x, n: x.flatten().topk(n + 1)[0],
}  # fmt: skip


def integer_case(function):
    def show(make):
        step, x = make(function), aino.arange(16.0).reshape(4, 4)
        return [seen(step(x, n)) for n in (0, 0, 1, 2, 3, 3, 1, 0)]

    return show


CASES |= {f"an integer for {name}": integer_case(call) for name, call in INTEGERS.items()}

#: What can be asked of a float that is another at each call, and is not above.
FLOATS = {
    "type": lambda x, s: x * 2 if type(s) is float else x,
    "is_integer": lambda x, s: x * s.is_integer(),
    "hex": lambda x, s: x * len(s.hex()), "real": lambda x, s: x * s.real + s.imag,
    "conjugate": lambda x, s: x * s.conjugate(), "ratio": lambda x, s: x * s.as_integer_ratio()[0],
    "divmod": lambda x, s: x * divmod(s, 0.7)[1], "//": lambda x, s: x * (s // 0.7),
    "floor": lambda x, s: x * math.floor(s), "int": lambda x, s: x * int(s),
    "hash": lambda x, s: x * (hash(s) % 7),
    "pow": lambda x, s: x * 2.0**s, "bool": lambda x, s: x * bool(s),
}  # fmt: skip
CASES |= {
    f"a float for {name}": lambda make, call=call: calls_with(make(call), [1.5, 1.5, 2.25, 0.0])
    for name, call in FLOATS.items()
}


def test_what_numbers_do_is_all_there():
    """Every method of an int and of a float is one of a number in a trace."""
    for kind in (int, float):
        number = SymbolicNumber(Trace(), kind(3), "n")
        of_the_class = {"__getnewargs__", "__getformat__", "__setformat__"}
        for name in set(dir(kind)) - of_the_class:
            with contextlib.suppress(FrozenNumberError):  # a program for each value
                getattr(number, name)


@case
def numbers_without_end(make):
    return [
        calls_with(make(lambda x, s: x * min(s, float("inf"))), [1.0, 2.0, 3.0, 4.0]),
        calls_with(make(lambda x, s: x * round(s) if s < math.inf else x), [1.0, math.inf] * 4),
        calls_with(make(lambda x, s: x * math.copysign(1.0, s)), [0.0, -0.0, 1.0, -0.0, 0.0] * 2),
    ]


@case
def floats_whose_paths_are_alike(make):
    step = make(lambda x, d: x * d["a"]["b"] + 10 * x * d["a_b"])
    other = make(lambda x, d: x * d[-1] + 10 * x * d[1])
    return (
        calls(step, aino.ones(1), {"a": {"b": 1.0}, "a_b": 2.0}),
        calls(other, aino.ones(1), {-1: 1.0, 1: 2.0}),
    )


@case
def arrays_of_numpy(make):
    model = nn.Linear(3, 1)
    found = []
    for function in (
        lambda a: model(aino.tensor(a)).sum().detach(),
        lambda a: model(aino.from_numpy(a)).sum().detach(),
        lambda a: aino.ones(2) * a.mean(), lambda a: aino.ones(1) * float(a[0, 0]),
    ):  # fmt: skip
        step = make(function)
        found.append([seen(step(np.full((2, 3), n, np.float32))) for n in (1, 1, 1, 5, 5, 5, 1)])
    return np.round([np.ravel(f) for f in found[:2]], 5).tolist(), found[2:]


@case
def an_object_that_is_given(make):
    class Box:
        s = 1.0

    box, step, found = Box(), make(lambda x, box: x * box.s), []
    for value in (1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 1.0):
        box.s = value
        found.append(step(aino.ones(1), box).item())
    return found


# What is given and what is returned


@case
def a_returned_constant_belongs_to_the_caller(make):
    def step(x):
        h = aino.zeros(2)
        return x + h, h, h[:1]

    compiled, found = make(step), []
    for _ in range(5):
        y, h, part = compiled(aino.ones(2))
        found.append(seen([y, h, part]))
        h += 1
    return found


@case
def arguments_are_called_as_the_entry_calls_its_own(make):
    found = []
    names = ["epoch", "mode", "step", "make", "seen", "dtypes", "x0", "r0", "t0", "group0", "now"]
    for name in [*names, "_kind11", "np", "build"]:
        scope = {}
        exec(f"def function(x, {name}): return x * {name} + 1, {name}", scope)
        found += [
            calls(make(scope["function"]), aino.ones(2), value) for value in (3, 2.0, aino.ones(2))
        ]
    return found


@case
def keys_that_are_no_literals(make):
    colour = enum.Enum("Colour", "RED")
    found = [
        calls(make(lambda d, key=key: d[key] * 2), {key: aino.ones(1)})
        for key in (colour.RED, aino.float32, float("inf"), nn.Linear, (1, "a"), 3)
    ]
    for key in ("class", "a-b", "args"):
        compiled = make(lambda key=key, **given: given[key] * 2)
        found += [compiled(key, **{key: aino.ones(1)}).tolist() for _ in range(4)]
    return found


Pair = namedtuple("Pair", "low high")


@dataclass
class Batch:
    x: aino.Tensor
    scale: float = 2.0
    more: list = field(default_factory=list)


@case
def results_keep_their_types(make):
    def step(x):
        filled = defaultdict(list)
        filled["y"].append(x * 2)
        return OrderedDict(a=x), filled, Pair(x, [x + 1]), Batch(x * 3, more=[x])

    found = []
    compiled = make(step)
    for _ in range(4):
        ordered, filled, pair, batch = compiled(aino.ones(1))
        filled["z"].append(1)
        found.append([type(part).__name__ for part in (ordered, filled, pair, batch)])
        found.append(seen([ordered, filled, pair, batch.x, batch.more, batch.scale]))
    return found


@case
def a_dataclass_is_given(make):
    compiled = make(lambda batch: batch.x * batch.scale + batch.more[0])
    batch = Batch(aino.ones(2), 2.0, [aino.ones(2)])
    found = [compiled(batch).tolist() for _ in range(3)]
    batch.x = aino.full((2,), 5.0)
    found += [compiled(batch).tolist() for _ in range(3)]
    batch.scale = 7.0
    found += [compiled(batch).tolist() for _ in range(3)]
    return found


@case
def joined_along_another_dimension(make):
    return [
        calls(make(lambda x, join=join: (join([x, x]) * 2).sum(0)), aino.arange(12.0).reshape(3, 4))
        for join in (
            lambda parts: aino.cat(parts, 1), lambda parts: aino.stack(parts, 1), aino.hstack,
            lambda parts: aino.stack(parts, -1), aino.vstack,
        )
    ]  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_compiled_shows_what_eager_shows(name):
    assert_shows_the_same(CASES[name])


def test_what_stops_and_goes_on_is_refused():
    def batches(x):
        yield x * 2

    with pytest.raises(CompileError, match="batches stops and goes on"):
        aino.compile(batches, fullgraph=True)
    with pytest.warns(CompileWarning, match="batches stops and goes on"):
        compiled = aino.compile(batches)
    assert [y.item() for y in compiled(aino.ones(1))] == [2.0]


def test_a_copy_of_a_model_that_holds_a_program():
    class Holder(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = nn.Linear(2, 1)
            self.fast = aino.compile(self.linear)

    model = Holder()
    x = aino.ones(1, 2)
    before = [model.fast(x).item() for _ in range(3)]
    other = copy.deepcopy(model)
    with aino.no_grad():
        other.linear.weight.zero_()
        other.linear.bias.fill_(5.0)
    assert [other.fast(x).item() for _ in range(3)] == [5.0] * 3
    assert model.fast(x).item() == before[0]


def test_what_cannot_be_written_goes_on_uncompiled(monkeypatch):
    def fail(*_):
        raise KeyError("planted")

    monkeypatch.setattr("aino.compiler.programs.write_dispatch", fail)
    w = aino.zeros(1)
    step = aino.compile(lambda: w.add_(1).item.__self__)
    step()
    with pytest.warns(CompileWarning, match="goes on uncompiled.*KeyError: 'planted'"):
        step()
    step()
    assert w.item() == 3.0
