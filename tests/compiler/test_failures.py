"""A program that raises half-way leaves what the function leaves: gradients, memory, chance."""

import numpy as np
import pytest

import aino
from aino import nn
from aino.compiler import failure
from aino.nn import functional as F
from tests.compiler.showing import seen

CASES: dict = {}


def case(build):
    """Add a function that returns a step, what shows its state, bad arguments and good ones."""
    CASES[build.__name__] = build
    return build


def state_of(model, optimizer):
    return (
        [tensor.tolist() for tensor in model.state_dict().values()],
        [None if p.grad is None else p.grad.tolist() for p in model.parameters()],
        seen(optimizer.state_dict()["state"]),
        aino.get_rng_state().tolist(),
    )


def training(when, optimizer_class=aino.optim.Adam, **settings):
    """A step with dropout, a check of labels, and ``zero_grad`` somewhere, or nowhere."""

    def build():
        model = nn.Sequential(nn.Linear(3, 8), nn.Dropout(0.3), nn.ReLU(), nn.Linear(8, 4))
        optimizer = optimizer_class(model.parameters(), 0.01, **settings)
        books: dict = {"n": 0, "log": []}

        def step(x, y):
            books["n"] += 1
            if when == "first":
                optimizer.zero_grad()
            h = model(x)
            if when == "in between":
                optimizer.zero_grad()
            loss = F.cross_entropy(h, y)
            loss.backward()
            optimizer.step()
            books["log"].append(loss.item())
            if when == "last":
                optimizer.zero_grad()
            return loss.item()

        x = aino.randn(5, 3)
        labels = [aino.tensor([0, 1, 2, 3, last]) for last in (9, 0)]
        return step, lambda: (state_of(model, optimizer), books), (x, labels[0]), (x, labels[1])

    return build


CASES |= {f"labels, zero_grad {when}": training(when)
          for when in ("first", "in between", "last", "never")}  # fmt: skip
CASES["labels, SGD with momentum"] = training("first", aino.optim.SGD, momentum=0.9)


@case
def a_matrix_that_is_singular():
    model = nn.Linear(3, 3)
    optimizer = aino.optim.SGD(model.parameters(), 0.01, momentum=0.9)
    memory, books = aino.zeros(3), {"n": 0}

    def step(x):
        optimizer.zero_grad()
        books["n"] += 1
        memory.add_(1)
        y = aino.linalg.inv(x) @ model(aino.rand(3))
        memory.add_(y.detach())
        y.sum().backward()
        optimizer.step()
        books["n"] += 1
        return y.detach()

    def shown():
        return state_of(model, optimizer), memory.tolist(), books

    return step, shown, (aino.zeros(3, 3),), (aino.eye(3) * 2,)


@case
def an_index_after_the_update():
    w, table = aino.ones(3, requires_grad=True), aino.zeros(2, 3)
    optimizer = aino.optim.Adam([w], 0.1)
    held = []

    def step(x, i):
        optimizer.zero_grad()
        (w * x).sum().backward()
        optimizer.step()
        x.mul_(1.5)
        held.append(w.detach().sum())
        return table[i] + w.detach()

    x = aino.ones(3)

    def shown():
        return seen([w, w.grad, x, optimizer.state_dict()["state"], held])

    return step, shown, (x, aino.tensor([7])), (x, aino.tensor([1]))


@case
def a_check_of_what_is_computed():
    w = aino.ones(3, requires_grad=True)
    optimizer = aino.optim.Adam([w], 0.1)

    def step(x):
        optimizer.zero_grad()
        noise = aino.rand(3)
        chances = (noise * 0 + w.detach() * x).sigmoid() * x
        drawn = aino.bernoulli(chances)
        (w * drawn).sum().backward()
        optimizer.step()
        return drawn + noise

    def shown():
        return seen([w, w.grad, optimizer.state_dict()["state"], aino.get_rng_state()])

    return step, shown, (aino.full((3,), 5.0),), (aino.ones(3),)


@case
def arithmetic_of_numbers():
    w, books = aino.ones(3, requires_grad=True), {"n": 0, "rate": 0.0}
    optimizer = aino.optim.SGD([w], 0.1)

    def step(x, s):
        optimizer.zero_grad()
        books["n"] += 1
        noise = aino.rand(3)
        (w * x).sum().backward()
        books["rate"] = 1.0 / s
        optimizer.step()
        return w.detach() * (2.0 / s) + noise, 3 / s

    def shown():
        return seen([w, w.grad, aino.get_rng_state()]), books

    return step, shown, (aino.ones(3), 0.0), (aino.ones(3), 2.0)


@case
def a_check_after_an_argument_is_written():
    def step(x, y):
        x.add_(1)
        return F.nll_loss(x, y)

    x = aino.zeros(2, 3)
    return step, lambda: x.tolist(), (x, aino.tensor([0, 5])), (x, aino.tensor([0, 1]))


@case
def gradients_that_add_up():
    w = aino.ones(3, requires_grad=True)

    def step(x, i):
        (w * x).sum().backward()
        return (x[i] * w.grad[i]).sum()

    x = aino.arange(3.0)
    return step, lambda: seen(w.grad), (x, aino.tensor([5])), (x, aino.tensor([1]))


def outcomes(build, make, calls=10):
    """Return what each call gives or raises, and the state after it."""
    aino.manual_seed(0)
    step, shown, bad, good = build()
    step, found = make(step), []
    for call in range(calls):
        try:
            found.append(seen(step(*(bad if call in (4, 5, 7) else good))))
        except Exception as error:
            found.append((type(error), str(error)))
        found.append(repr(seen(shown())))
    return found, step


@pytest.mark.parametrize("name", CASES)
def test_what_a_failed_call_leaves_is_what_eager_leaves(name):
    expected, _ = outcomes(CASES[name], lambda function: function)
    assert any(isinstance(part, tuple) and isinstance(part[0], type) for part in expected)
    found, compiled = outcomes(CASES[name], aino.compile)
    assert found == expected
    assert "ready" in repr(compiled)
    assert "0 of" not in repr(compiled)


#: What is switched off, so that the test above has to find it.
FAULTS = {
    "the way back": ("raised", lambda *_: None),
    "what was saved": ("save", lambda self, arrays: (arrays, arrays, [])),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_that_is_planted_is_found(fault, monkeypatch):
    monkeypatch.setattr(failure.Failure, *FAULTS[fault])
    assert any(
        outcomes(build, aino.compile)[0] != outcomes(build, lambda function: function)[0]
        for build in CASES.values()
    )


def test_nothing_is_kept_for_the_way_back_where_checks_come_first():
    for name in ("labels, zero_grad first", "labels, zero_grad last"):
        _, compiled = outcomes(CASES[name], aino.compile)
        assert "save" not in compiled._dispatches[0].source
    _, compiled = outcomes(CASES["an_index_after_the_update"], aino.compile)
    assert "save" in compiled._dispatches[0].source


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
@pytest.mark.parametrize("place", range(12))
def test_what_nobody_foresees_leaves_whole_gradients_or_none(error, place):
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
    optimizer = aino.optim.SGD(model.parameters(), 0.1)
    places: list = []

    def step(x):
        optimizer.zero_grad()
        loss = model(x).square().mean()
        loss.backward()
        optimizer.step()
        return loss.item()

    compiled = aino.compile(step)
    x = aino.randn(5, 3)
    for _ in range(4):
        compiled(x)
    dispatch = compiled._dispatches[0]
    run = dispatch.__globals__["step"]
    code, seen_lines = run.__code__, []

    def interrupt(frame, event, argument):
        if frame.f_code is not code:
            return None
        if event == "line":
            seen_lines.append(frame.f_lineno)
            if len(seen_lines) == 1 + place * 2:
                raise error
        return interrupt

    import sys

    before = sys.gettrace()
    sys.settrace(interrupt)
    try:
        compiled(x)
    except error:
        places.append(1)
    finally:
        sys.settrace(before)
    grads = [p.grad for p in model.parameters()]
    state = [p.detach().clone() for p in model.parameters()]
    if not places:
        return
    # What is shown is the gradient of this call, or nothing; and the next call is right.
    other = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
    for mine, its in zip(other.parameters(), state):
        mine.data.copy_(its)
    aino.optim.SGD(other.parameters(), 0.1)
    other(x).square().mean().backward()
    assert all(g is None or np.isfinite(g.numpy()).all() for g in grads)
    expected = other(x).square().mean().item()
    assert compiled(x) == pytest.approx(expected, rel=1e-6)
