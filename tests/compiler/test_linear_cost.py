"""Compiling costs in proportion to the number of calls: what is counted is lines that run."""

import os
import sys

import pytest

import aino
from aino import nn

COMPILER = os.path.join(os.path.dirname(aino.__file__), "compiler") + os.sep


def runge_kutta(steps):
    """A loop of four calls of a network a step, with a number and a constant made in each."""
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    optimizer = aino.optim.SGD(model.parameters(), lr=0.01)

    def slope(time, x):
        return model(aino.cat([x, aino.full((x.shape[0], 1), time)], 1))

    def step(x):
        optimizer.zero_grad()
        for position in range(steps):
            time = 0.1 * position
            k1 = slope(time, x)
            k2 = slope(time + 0.05, x + 0.05 * k1)
            k3 = slope(time + 0.05, x + 0.05 * k2)
            x = x + 0.1 / 6 * (k1 + 2 * k2 + 2 * k3 + slope(time + 0.1, x + 0.1 * k3))
        loss = x.square().mean()
        loss.backward()
        optimizer.step()
        return loss

    return step, (aino.randn(3, 2),)


def numbers(steps):
    """A loop whose time is computed from an argument."""

    def step(x, h):
        time = 0.0
        for _ in range(steps):
            x = x + h * aino.tanh(x * time)
            time = time + h
        return x

    return step, (aino.randn(3, 2), 0.1)


def recurrence(steps):
    """An LSTM by hand: parts of gates, states that begin as zeros, an input a step."""
    inputs, states = nn.Linear(2, 12), nn.Linear(3, 12)
    optimizer = aino.optim.SGD([*inputs.parameters(), *states.parameters()], lr=0.01)

    def step(x):
        optimizer.zero_grad()
        h, c = aino.zeros(2, 3), aino.zeros(2, 3)
        for position in range(steps):
            i, f, o, z = (inputs(x[:, position]) + states(h)).chunk(4, 1)
            c = f.sigmoid() * c + i.sigmoid() * z.tanh()
            h = o.sigmoid() * c.tanh()
        loss = h.square().mean()
        loss.backward()
        optimizer.step()
        return loss

    return step, (aino.randn(2, steps, 2),)


def layers(count):
    """A deep network, and an optimizer that steps its many parameters as one."""
    model = nn.Sequential(*[nn.Linear(3, 3) for _ in range(count)])
    optimizer = aino.optim.Adam(model.parameters(), lr=0.01)

    def step(x):
        optimizer.zero_grad()
        loss = model(x).square().mean()
        loss.backward()
        optimizer.step()
        return loss

    return step, (aino.randn(2, 3),)


def groups(count):
    """A parameter group for each layer, each with numbers of its own."""
    model = nn.Sequential(*[nn.Linear(2, 2) for _ in range(count)])
    optimizer = aino.optim.SGD(
        [{"params": layer.parameters(), "lr": 0.01} for layer in model], lr=0.1, momentum=0.9
    )

    def step(x):
        optimizer.zero_grad()
        loss = model(x).square().mean()
        loss.backward()
        optimizer.step()
        return loss

    return step, (aino.randn(2, 2),)


def joined(count):
    """Gathered pieces, over and over."""

    def step(x):
        for _ in range(count):
            x = aino.cat([x[2:] * 2.0, x[:2] + 1.0])
        return x

    return step, (aino.randn(6),)


def long_stretch(count):
    """One chain of element-wise calls over numbers that do not fit the cache."""

    def step(x):
        for _ in range(count):
            x = aino.tanh(x) * 0.5 + x
        return x

    return step, (aino.randn(1 << 17),)


def squares(count):
    """A number that is squared over and over: its expression doubles each time."""

    def step(x, s):
        for _ in range(count):
            s = s * s
            x = x * 2 if s > 3.0 else x + s
        return x, s

    return step, (aino.randn(2), 0.99)


def arguments(count):
    """Many tensors that are given, half of them written, beside many that are held."""
    held = [aino.zeros(2) for _ in range(count)]

    def step(given):
        for place, x in enumerate(given):
            held[place].add_(x)
            if place % 2:
                x.mul_(2.0)
        return given[0] * 1.0

    return step, ([aino.ones(2) for _ in range(count)],)


def work(make, size) -> int:
    """Return how many lines of the compiler run until a function has its program."""
    function, arguments = make(size)
    compiled = aino.compile(function)
    count = 0

    def line(frame, event, _):
        nonlocal count
        count += event == "line"
        return line

    def call(frame, event, _):
        return line if frame.f_code.co_filename.startswith(COMPILER) else None

    before = sys.gettrace()
    sys.settrace(call)
    try:
        for _ in range(2):
            compiled(*arguments)
    finally:
        sys.settrace(before)
    assert "1 of 1 signatures ready" in repr(compiled)
    return count


@pytest.mark.parametrize(
    "make",
    [
        runge_kutta, numbers, recurrence, layers, groups, joined, long_stretch, squares, arguments,
    ],
)  # fmt: skip
def test_eight_times_the_steps_take_eight_times_the_work(make):
    work(make, 2)  # what is read of the code once
    assert work(make, 24) <= 8.5 * work(make, 3)


def test_the_text_of_guards_grows_with_what_they_compare():
    def length(make, size):
        function, given = make(size)
        step = aino.compile(function)
        for _ in range(2):
            step(*given)
        return len(step._dispatches[0].source)

    for make in (squares, arguments):
        assert length(make, 64) < 10 * length(make, 8)


def test_a_number_that_is_computed_in_a_thousand_steps():
    def step(x, s):
        for _ in range(1000):
            s = s + 0.5
        return x * s

    compiled = aino.compile(step, fullgraph=True)
    assert [compiled(aino.ones(1), s).item() for s in (1.0, 2.0, 3.0)] == [501.0, 502.0, 503.0]
