"""What was compiled is freed with its last name, without the garbage collector."""

import gc
import weakref

import numpy as np
import pytest

import aino
from aino import nn
from aino.compiler.ir.regions import LARGE_CONSTANT, Storage, repeats
from tests.compiler.showing import registry

F = nn.functional
CASES, case = registry()


def network():
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Dropout(0.1), nn.Linear(8, 3))
    return model, aino.optim.Adam(model.parameters(), lr=0.01)


def data():
    return aino.randn(8, 4), aino.randint(0, 3, (8,))


@case
def a_function():
    offset = nn.Parameter(aino.ones(4))
    double = aino.compile(lambda x, n: x * 2 + offset.detach() * n)
    for number in (1, 1, 2, 3, 4):
        double(aino.ones(3, 4), number)
    return [double, offset]


@case
def a_training_step():
    model, optimizer = network()
    x, y = data()

    @aino.compile
    def step(x, y):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    for _ in range(5):
        step(x, y)
    return [step, model, optimizer, *model.parameters()]


@case
def a_predictor():
    model, _ = network()
    predict = aino.compile(model)
    with aino.no_grad():
        for size in (8, 8, 8, 5, 5, 5):
            predict(aino.ones(size, 4))
    return [predict._compiled, model, *model.parameters()]


@case
def a_module_that_trains():
    model, optimizer = network()
    compiled = aino.compile(model)
    x, y = data()
    for _ in range(5):
        optimizer.zero_grad()
        F.cross_entropy(compiled(x), y).backward()
        optimizer.step()
    return [compiled._compiled, model, optimizer, *model.parameters()]


@case
def a_step_that_was_traced_for_many_signatures():
    model, optimizer = network()

    @aino.compile
    def step(x):
        optimizer.zero_grad()
        loss = model(x).square().mean()
        loss.backward()
        optimizer.step()
        return loss.item()

    for size in range(1, 20):
        for _ in range(3):
            step(aino.ones(size, 4))
    return [step, model, optimizer]


@case
def what_was_read_and_saved():
    model, _ = network()
    predict = aino.compile(model.eval())
    with aino.no_grad():
        for _ in range(3):
            predict(aino.ones(2, 4))
    assert predict.source
    assert str(predict.explain(2))
    return [predict._compiled, model]


@case
def fit():
    model = nn.NeuralNetwork([4, 8, 3])
    rng = np.random.default_rng(0)
    model.fit(rng.normal(size=(64, 4)), rng.integers(0, 3, 64), epochs=3, verbose=False)
    return [model, *model.parameters()]


@pytest.mark.parametrize("name", CASES)
def test_reference_counting_alone_frees_it(name):
    CASES[name]()  # what is made once and kept
    gc.collect()
    gc.disable()
    try:
        left = [weakref.ref(item) for item in CASES[name]()]
        assert [known() for known in left if known() is not None] == []
        # Not even small things wait for the collector.
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_zeros_that_gradients_are_placed_in_are_not_kept_with_the_program():
    x = aino.randn(4, 8, 64, 64, requires_grad=True)

    def step():
        x.grad = None
        aino.nn.functional.max_pool2d(x, 2).sum().backward()
        return x.grad.sum()

    compiled = aino.compile(step)
    for _ in range(3):
        compiled()
    constants = [
        storage.initial
        for storage in gc.get_objects()
        if isinstance(storage, Storage) and storage.initial is not None
    ]
    assert any(repeats(array) and array.shape == x.shape for array in constants)
    assert all(repeats(array) or array.nbytes < LARGE_CONSTANT for array in constants)
