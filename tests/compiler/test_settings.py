"""Settings of optimizers and float arguments with a catch, compiled as eager."""

import math

import numpy as np
import pytest

import aino
from aino import nn
from aino.errors import CompileError
from tests.compiler.showing import assert_shows_the_same, calls_with, registry, seen

CASES, case = registry()


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
    "what is computed from it": lambda x, s: x * round(abs(-s) * 2 + np.sqrt(s)),
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


CASES |= {f"a float for {name}": float_case(function) for name, function in FLOATS.items()}


@case
def rates_asked_of_a_scheduler(make):
    w = aino.ones(1, requires_grad=True)
    optimizer = aino.optim.SGD([w], 0.1)
    scheduler = aino.optim.lr_scheduler.StepLR(optimizer, 3, 0.1)
    step, found = make(lambda x: x * scheduler.get_last_lr()[0]), []
    for _ in range(8):
        found.append(round(step(aino.ones(1)).item(), 7))
        optimizer.step()
        scheduler.step()
    return found


@case
def betas_in_a_list(make):
    def change(optimizer, i):
        optimizer.param_groups[0]["betas"] = [0.9 / (1 + i), np.float64(0.99)]

    return rates(make, aino.optim.Adam, change)


# A tensor of one element as a learning rate

OPTIMIZERS = [
    "SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adadelta", "Adamax", "NAdam", "RAdam", "ASGD",
    "Rprop",
]  # fmt: skip


def rate_in_a_tensor(name):
    def shown(make):
        rate = aino.tensor(0.1)
        scheduler: list = []

        def change(optimizer, i):
            if i == 3:
                rate.mul_(0.5)
            if i == 4:
                scheduler.append(aino.optim.lr_scheduler.ExponentialLR(optimizer, 0.5))
            if i > 4:
                optimizer.step()
                scheduler[0].step()
            if i == 7:
                optimizer.param_groups[0]["lr"] = aino.tensor(0.3)

        return rates(make, getattr(aino.optim, name), change, rate), rate.item()

    return shown


CASES |= {f"a tensor as the rate of {name}": rate_in_a_tensor(name) for name in OPTIMIZERS}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_tensor_as_a_rate_is_followed_by_one_program(name):
    rate = aino.tensor(0.1)
    w = aino.ones(2, requires_grad=True)
    optimizer = getattr(aino.optim, name)([w], lr=rate)

    @aino.compile(fullgraph=True)
    def step():
        optimizer.zero_grad()
        (w * w).sum().backward()
        optimizer.step()

    for _ in range(12):
        rate.mul_(0.9)
        step()
    branches = 2 if name == "RAdam" else 1  # which rectifies from its sixth step on
    assert len(step._dispatches) == branches


def test_a_rate_that_the_step_writes_or_computes_is_refused_by_name():
    rate, w = aino.tensor(0.1), aino.ones(2, requires_grad=True)
    optimizer = aino.optim.SGD([w], lr=rate)

    def decaying():
        w.sum().backward()
        optimizer.step()
        rate.mul_(0.5)

    def computed():
        w.sum().backward()
        optimizer.param_groups[0]["lr"] = rate * 0.5
        optimizer.step()

    for step, words in ((decaying, "writes into a tensor that is a setting"),
                        (computed, "a setting is a tensor that the step computes")):  # fmt: skip
        with pytest.raises(CompileError, match=words):
            aino.compile(step, fullgraph=True)()
    assert (rate.item(), w.tolist(), w.grad) == (aino.tensor(0.1).item(), [1.0, 1.0], None)


@pytest.mark.parametrize("name", CASES)
def test_compiled_shows_what_eager_shows(name):
    assert_shows_the_same(CASES[name])


def notes_on(make_module, note):
    """Return how many programs a step keeps whose module is given another note at each call."""
    module = make_module()
    step = aino.compile(lambda x: module(x))
    found = []
    for i in range(60):
        note(module, i)
        found.append(step(aino.ones(2)).tolist())
    return len(step._dispatches), found


@pytest.mark.parametrize(
    "note",
    [
        lambda module, i: setattr(module, "note", i),
        lambda module, i: setattr(module, "seen", f"batch {i}"),
        lambda module, i: setattr(module, "last", aino.ones(2) * i),
    ],
    ids=["a number", "text", "a tensor"],
)
@pytest.mark.parametrize(
    "make_module",
    [lambda: nn.Linear(2, 2), lambda: nn.Sequential(nn.Linear(2, 2), nn.Tanh()), nn.ELU],
    ids=["Linear", "Sequential", "ELU"],
)
def test_notes_on_modules_do_not_trace_anew(make_module, note):
    programs, found = notes_on(make_module, note)
    assert programs == 1
    assert all(result == found[0] for result in found)


def test_settings_of_modules_are_no_notes():
    module = nn.ELU()
    step = aino.compile(lambda x: module(x))
    for alpha in (1.0, 1.0, 1.0, 2.0, 2.0, 3.0):
        module.alpha = alpha
        assert step(aino.tensor([-1.0])).item() == module(aino.tensor([-1.0])).item()
