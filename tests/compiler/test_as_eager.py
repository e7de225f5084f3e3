"""Small programs with a catch: whatever an eager loop shows, the compiled one shows.

A case takes ``make``, which is either ``aino.compile`` or nothing at all, and returns what a user
would see.
"""

import copy
import enum
import math
from collections import OrderedDict, defaultdict, namedtuple
from dataclasses import dataclass, field

import numpy as np
import pytest

import aino
from aino import nn
from aino.errors import CompileError, CompileWarning

LONG = 200_000
CASES = {}


def case(function):
    CASES[function.__name__] = function
    return function


def seen(result):
    """Return what a result shows, as plain numbers."""
    if isinstance(result, aino.Tensor):
        return result.tolist()
    if isinstance(result, np.ndarray):
        return result.tolist()
    if isinstance(result, (tuple, list)):
        return [seen(part) for part in result]
    if isinstance(result, dict):
        return type(result).__name__, {str(key): seen(part) for key, part in result.items()}
    return result


def calls(step, *arguments, times=4):
    return [seen(step(*[a() if callable(a) else a for a in arguments])) for _ in range(times)]


# Gradients


@case
def an_embedding_whose_gradient_comes_transposed(make):
    table, y = nn.Embedding(5, 3), aino.ones(3, 4)

    def step(index):
        table.zero_grad()
        (table(index).T * y).pow(2).sum().backward()

    calls(make(step), aino.tensor([0, 0, 1, 4]))
    return table.weight.grad.tolist()


@case
def sums_at_places_of_a_transposed_matrix(make):
    return calls(make(lambda x: x.index_add(0, aino.tensor([0]), x[:1])), aino.ones(3, 2).T)


@case
def gradients_that_numpy_makes_anew(make):
    found = []
    for name in ("roll", "triu", "flip"):
        w = aino.arange(6.0).reshape(2, 3).requires_grad_()
        optimizer = aino.optim.SGD([w], lr=0.1)
        argument = {"roll": 1, "triu": 0, "flip": 1}[name]

        def step(w=w, optimizer=optimizer, name=name, argument=argument):
            optimizer.zero_grad()
            (getattr(w, name)(argument) * aino.arange(6.0).reshape(2, 3)).sum().backward()
            optimizer.step()

        compiled = make(step)
        for _ in range(4):
            compiled()
        found.append((w.tolist(), w.grad.tolist()))
    return found


# Blocks of long stretches


@case
def an_element_of_a_long_result(make):
    x = aino.arange(float(LONG)) / LONG + 1
    functions = [
        lambda x: (x * 2 + (x * 2)[0]) * 3,
        lambda x: (lambda t: (t / t[-1]).exp())(x * 2),
        lambda x: (lambda t: (t / t[:1]).exp())(x * 2),
        lambda x: (x * x[3] + 1).sin(),
        lambda x: (x.mean(), (x - x.mean()) * 2),
        lambda x: (x / x.median() * 2).exp(),
        lambda x: (x * aino.rand(()) * 2).sin(),
    ]
    return [calls(make(function), x) for function in functions]


@case
def an_element_of_long_memory_that_is_written(make):
    a = aino.arange(float(LONG), dtype=aino.float64) / LONG + 1

    @aino.no_grad()
    def step(x):
        y = x + a[0]
        a.mul_(1.5)
        a.div_(a[0])
        a.add_(x)
        return (y * 2).sum(), a.sum()

    return calls(make(step), aino.ones(LONG, dtype=aino.float64))


@case
def parts_of_long_results_are_applied_each_in_its_own_way(make):
    first, second, third = aino.zeros(3), aino.zeros(3), aino.tensor(0.5)

    @aino.no_grad()
    def step(x):
        a = x * third
        b = a + 1
        first.sub_(a[:3])
        second.add_(b[3:6])
        third.sub_(a[5])
        return b.sum()

    return calls(make(step), aino.full((LONG,), 0.1)), seen([first, second, third])


@case
def a_penalty_on_the_norm_of_a_long_weight(make):
    w = aino.ones(LONG, requires_grad=True)

    def step(x):
        w.grad = None
        (w.norm() + (w * x).sum()).backward()

    calls(make(step), aino.ones(LONG))
    return w.grad[:3].tolist()


# Memory that does not lie row by row


@case
def arguments_that_are_slices(make):
    def flat_write(x):
        x.reshape(-1).add_(1)
        return x.sum()

    return [
        calls(make(lambda x: (x[0], x.flatten())), lambda: aino.arange(12.0).reshape(2, 6)[:, ::2]),
        calls(make(flat_write), lambda: aino.arange(12.0).reshape(4, 3)[:, :2]),
        calls(make(flat_write), lambda: aino.from_numpy(np.ones((2, 3))[::-1])),
        calls(make(lambda x: x + x[0]), lambda: aino.from_numpy(np.arange(6.0)[::-2])),
    ]


@case
def a_view_of_permuted_memory(make):
    a = aino.arange(24.0).reshape(2, 3, 4).permute(0, 2, 1) * 1.0
    view = a[0]
    constant = aino.arange(24.0).reshape(2, 3, 4).permute(0, 2, 1).array * np.float32(2)

    def step(x):
        view.add_(x)
        return view.sum(), a[1], a * x, aino.from_numpy(constant)[1] * x

    return calls(make(step), aino.ones(1)), seen(a)


@case
def memory_that_may_not_be_written(make):
    fixed = np.ones(2)
    fixed.flags.writeable = False
    model, weight, constant = nn.Linear(3, 1), aino.ones(2), aino.from_numpy(fixed)

    def step(x, write):
        model(x).sum().backward()
        if write:
            constant.add_(1)
        x.add_(1)
        return x.sum()

    compiled, found = make(step), []
    data = np.ones((2, 3), np.float32)
    data.flags.writeable = False
    for write in (False, True):
        for _ in range(3):
            try:
                compiled(aino.from_numpy(data), write)
            except aino.errors.InplaceError as error:
                found.append(str(error))
    return found, seen([weight, constant])


@case
def constants_of_one_repeated_number(make):
    return calls(
        make(lambda x: (aino.ones(3, 2) + aino.ones(3, 2), aino.ones(2) * 2 * aino.ones(2) + x)),
        aino.ones(1),
    )


# Settings of optimizers, whoever reads them


class Plain(aino.optim.Optimizer):
    """As a user writes an optimizer."""

    def __init__(self, params, lr):
        super().__init__(params, {"lr": lr})

    @aino.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                p.add_(p.grad, alpha=-group["lr"])


def rates(make, optimizer_class, change, lr=0.1):
    w = aino.ones(2, requires_grad=True)
    optimizer = optimizer_class([w], lr)

    def step():
        optimizer.zero_grad()
        (w * w).sum().backward()
        optimizer.step()

    compiled, found = make(step), []
    for i in range(8):
        change(optimizer, i)
        compiled()
        found.append(w.tolist())
    return found


@case
def rates_that_the_users_own_optimizer_reads(make):
    def decay(optimizer, i):
        optimizer.param_groups[0]["lr"] = 0.1 / (1 + i)

    return rates(make, Plain, decay)


@case
def rates_in_new_groups(make):
    def renew(optimizer, i):
        if i == 4:
            optimizer.param_groups[0] = {**optimizer.param_groups[0]}
        if i == 5:
            optimizer.param_groups[0]["lr"] = 0.01
        if i == 6:
            optimizer.param_groups = [dict(optimizer.param_groups[0], lr=0.5)]

    return rates(make, aino.optim.SGD, renew)


@case
def rates_of_numpy(make):
    def cosine(kind):
        def change(optimizer, i):
            optimizer.param_groups[0]["lr"] = kind(0.05 * (1 + np.cos(i / 8)))

        return change

    found = [
        rates(make, optimizer, cosine(kind), kind(0.25))
        for kind in (np.float32, np.float64)
        for optimizer in (aino.optim.SGD, aino.optim.Adam, Plain)
    ]
    # NumPy rounds its float32 numbers where the program computes with Python's.
    return np.round(found, 5).tolist()


@case
def a_rate_that_the_step_sets(make):
    w = aino.ones(1, requires_grad=True)
    optimizer = aino.optim.SGD([w], 0.1)

    def step(lr):
        optimizer.param_groups[0]["lr"] = lr
        optimizer.zero_grad()
        w.sum().backward()
        optimizer.step()

    compiled, found = make(step), []
    for i in range(6):
        compiled(0.1 / (i + 1))
        found.append((w.item(), optimizer.param_groups[0]["lr"]))
    return found


@case
def a_parameter_taken_out_of_its_group(make):
    v, w = aino.ones(1, requires_grad=True), aino.ones(1, requires_grad=True)
    optimizer = aino.optim.SGD([v, w], 0.1)

    def step():
        optimizer.zero_grad()
        (v + w).sum().backward()
        optimizer.step()

    compiled = make(step)
    for i in range(6):
        if i == 4:
            optimizer.param_groups[0]["params"].pop()
        compiled()
    return seen([v, w])


# Float arguments

FLOATS = {
    "isinstance": lambda x, s: x * s if isinstance(s, float) else x * 100,
    "format": lambda x, s: x * float(f"{s:.2f}"),
    "round": lambda x, s: x * round(s),
    "a key": lambda x, s: x * {1.0: 2.0}.get(s, 1.0),
    "divmod": lambda x, s: x * divmod(s, 2)[0],
    "in a tensor": lambda x, s: aino.tensor([s, 1.0]) * x,
    "the order of a norm": lambda x, s: x.norm(s),
    "the end of a range": lambda x, s: aino.linspace(0, s, 3),
    "what is filled in": lambda x, s: x.masked_fill(x > 0, s),
    "math": lambda x, s: x * math.sqrt(s),
    "clamp": lambda x, s: (x * 3).clamp(0.5, s),
    "a power": lambda x, s: x**s + (2 * x) ** (s / 2),
    "a comparison": lambda x, s: x * 2 if s > 3.0 else x * 3,
    "where": lambda x, s: aino.where(x > 0, s, -s),
    "full": lambda x, s: aino.full((2,), s) + x,
    "add with alpha": lambda x, s: x.add(x, alpha=s),
    "lerp": lambda x, s: x.lerp(x * 2, s / 10),
}


def float_case(function):
    return lambda make: calls_with(make(function), [1.0, 2.0, 3.0, 4.0, 3.0, 4.0, 5.0])


def calls_with(step, numbers):
    return [seen(step(aino.ones(2), number)) for number in numbers]


CASES |= {f"a float for {name}": float_case(function) for name, function in FLOATS.items()}


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


@case
def numbers_of_numpy(make):
    return [
        calls_with(make(lambda x, n: x * float(n)), [kind(i) for i in (1, 2, 3, 3, 3)])
        for kind in (np.float64, np.float32, np.int64)
    ]


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
    found = []
    for make in (lambda function: function, aino.compile):
        aino.manual_seed(0)
        found.append(CASES[name](make))
    assert found[0] == found[1]


def test_two_handles_of_one_memory_are_refused():
    data = np.arange(4.0)
    first, second = aino.from_numpy(data), aino.from_numpy(np.asarray(memoryview(data)))

    def step(x):
        first.add_(x)
        return second * 2

    with pytest.raises(CompileError, match="shares memory with a tensor that the function holds"):
        aino.compile(step)(aino.ones(1, dtype=aino.float64))
    assert data.tolist() == [0.0, 1.0, 2.0, 3.0]


def test_what_stops_and_goes_on_is_refused():
    def batches(x):
        yield x * 2

    with pytest.raises(CompileError, match="batches stops and goes on"):
        aino.compile(batches)


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

    monkeypatch.setattr("aino.compiler.compiled.write_entry", fail)
    w = aino.zeros(1)
    step = aino.compile(lambda: w.add_(1).item.__self__)
    step()
    with pytest.warns(CompileWarning, match="goes on uncompiled.*KeyError: 'planted'"):
        step()
    step()
    assert w.item() == 3.0
