"""What is called at the end of a backward pass."""

from __future__ import annotations

import pytest

import aino
from aino.autograd import Variable, passes
from aino.autograd.passes import queue_callback


class Log(list):
    """What happened, in order."""

    def hooked(self, tensor, *callbacks):
        """Return the tensor, the gradient of which queues callbacks."""
        tensor.register_hook(lambda g: [queue_callback(one) for one in callbacks] and None)
        return tensor


def note(log, word, leaf):
    return lambda: log.append((word, aino.is_grad_enabled(), leaf.grad is not None))


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (lambda y, x: y.backward(), (False, True)),
        (lambda y, x: y.backward(create_graph=True), (True, True)),
        (lambda y, x: aino.autograd.grad(y, x), (False, False)),
        (lambda y, x: y.backward(inputs=[x]), (False, True)),
    ],
    ids=["backward", "create_graph", "grad", "inputs"],
)
def test_it_is_called_once_when_all_gradients_are_there(run, expected):
    x, log = aino.ones(2, requires_grad=True), Log()
    late = aino.ones(2)  # a part of the graph that is walked after the hook
    y = log.hooked(x.exp() * late, note(log, "end", x)).sum()
    run(y, x)
    assert log == [("end", *expected)]
    assert not passes.queued
    run((x * 2.0).sum(), x)
    assert len(log) == 1


def test_callbacks_are_called_in_order_and_may_queue_others():
    x, log = aino.ones(2, requires_grad=True), Log()
    log.hooked(
        x * 2.0,
        lambda: queue_callback(lambda: log.append(3)), lambda: log.append(1), lambda: log.append(2),
    ).sum().backward()  # fmt: skip
    assert log == [1, 2, 3]


def test_a_pass_inside_of_another_leaves_them_to_the_outer():
    x, log = aino.ones(2, requires_grad=True), Log()

    def inner(_):
        w = aino.ones(2, requires_grad=True)
        with aino.enable_grad():
            y = log.hooked(w * 2.0, note(log, "end", x)).sum()
        y.backward()
        log.append("inner is over")

    y = x * 3.0
    y.register_hook(inner)
    y.sum().backward()
    assert log == ["inner is over", ("end", False, True)]


def test_a_pass_in_a_callback_is_the_same_pass():
    x, log = aino.ones(2, requires_grad=True), Log()
    w = aino.ones(2, requires_grad=True)
    second = log.hooked(w * 2.0, lambda: log.append("second")).sum()
    log.hooked(x * 2.0, second.backward, lambda: log.append("first")).sum().backward()
    assert log == ["first", "second"]
    assert w.grad.tolist() == [2.0, 2.0]


class Broken(Exception):
    pass


def fail(*_):
    raise Broken


@pytest.mark.parametrize("where", ["hook", "callback"])
def test_a_pass_that_raises_drops_them(where):
    x, log = aino.ones(2, requires_grad=True), Log()
    first = x * 2.0
    if where == "hook":
        first.register_hook(fail)
    y = log.hooked(first * 2.0, *([fail] if where == "callback" else []), lambda: log.append(1))
    with pytest.raises(Broken):
        y.sum().backward()
    (x * 2.0).sum().backward()
    assert log == []
    assert not passes.queued
    with pytest.raises(RuntimeError, match="during backward pass"):
        queue_callback(fail)


def test_it_has_its_name_in_pytorch_too():
    x, log = aino.ones(2, requires_grad=True), []
    y = x * 2.0
    y.register_hook(lambda g: Variable._execution_engine.queue_callback(lambda: log.append(1)))
    y.sum().backward()
    assert log == [1]
