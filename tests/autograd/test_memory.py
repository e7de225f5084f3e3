"""Long chains without recursion, and memory that goes with its last reference."""

from __future__ import annotations

import gc
import itertools
import sys
import tracemalloc
import weakref

import numpy as np
import pytest

import aino


@pytest.fixture
def no_collector():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def chain(x, length):
    y = x
    for _ in range(length):
        y = y + x
    return y


def test_a_million_operations(no_collector):
    """A walk that took their square would not be done in a lifetime."""
    x = aino.tensor(1.0, requires_grad=True)
    chain(x, 1_000_000).backward()
    assert x.grad.item() == 1_000_001


def test_a_walk_takes_as_many_calls_as_there_are_operations():
    x = aino.tensor(1.0, requires_grad=True)

    def calls(length):
        y, count = chain(x, length), itertools.count()
        with aino.backends.native.flags(enabled=False):  # there are no calls to count in C
            sys.setprofile(lambda *_: next(count))
            try:
                y.backward()
            finally:
                sys.setprofile(None)
        return next(count)

    few = calls(1_000)
    assert few > 1_000
    assert calls(4_000) < 4.1 * few


def test_a_million_operations_are_freed_without_recursion(no_collector):
    x = aino.tensor(1.0, requires_grad=True)
    y = chain(x, 1_000_000)
    del y  # a destructor that recursed would overflow the stack here


def test_a_deep_graph_with_values_kept(no_collector):
    x = aino.tensor([0.5, -0.5], requires_grad=True)
    y = x
    for _ in range(50_000):
        y = y * 0.99999 + x * 1e-5
    y.sum().backward()
    assert np.isfinite(x.grad.array).all()


def test_a_graph_goes_with_its_last_reference(no_collector):
    x = aino.ones(10, requires_grad=True)
    y = x * 2.0
    middle = weakref.ref(y.grad_fn)
    loss = (y * y).sum()
    del y
    assert middle() is not None
    del loss
    assert middle() is None


def test_backward_frees_what_the_rules_read(no_collector):
    x = aino.ones(10, requires_grad=True)
    y = x * 2.0
    loss = (y * y).sum()
    kept = weakref.ref(y.array)
    del y
    assert kept() is not None
    loss.backward()
    assert kept() is None


def test_a_value_that_no_rule_reads_is_not_kept(no_collector):
    x = aino.ones(10, requires_grad=True)
    y = x * 2.0
    kept = weakref.ref(y.array)
    z = y + x
    del y
    assert kept() is None
    z.sum().backward()
    assert x.grad.tolist() == [3.0] * 10


def test_steps_leave_no_garbage(no_collector):
    w = aino.ones(100, 100, requires_grad=True)
    x = aino.ones(100, 100)

    def step():
        w.grad = None
        loss = ((x * w + 1.0) * w).sum()
        loss.backward()

    step()
    gc.collect()
    tracemalloc.start()
    step()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(50):
        step()
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert after - before < 20_000
    assert gc.collect() == 0


def test_second_order_steps_leave_no_garbage(no_collector):
    x = aino.ones(20, requires_grad=True)

    def step():
        (slope,) = aino.autograd.grad((x * x * x).sum(), x, create_graph=True)
        (slope * slope).sum().backward()
        x.grad = None

    step()
    gc.collect()
    step()
    assert gc.collect() == 0


@pytest.mark.parametrize("kind", ["hook", "retain_grad", "view", "function"])
def test_extras_make_no_cycle(no_collector, kind):
    class Twice(aino.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            y = x * 2.0
            ctx.save_for_backward(x, y)
            return y, x * 1.0

        @staticmethod
        def backward(ctx, g, _):
            saved = ctx.saved_tensors
            return g * 2.0 + 0.0 * saved[0]

    def step():
        x = aino.ones(10, requires_grad=True)
        y = x * 2.0
        if kind == "hook":
            y.register_hook(lambda g: g * 2.0)
        elif kind == "retain_grad":
            y.retain_grad()
        elif kind == "view":
            y = y.reshape(2, 5)[0]
        else:
            y, _ = Twice.apply(y)
        loss = (y * y).sum()
        loss.backward()
        return weakref.ref(loss.grad_fn), weakref.ref(y), weakref.ref(x)

    assert [reference() for reference in step()] == [None, None, None]
    assert gc.collect() == 0
