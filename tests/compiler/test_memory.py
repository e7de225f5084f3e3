"""Memory with a catch, compiled as eager: gradients, long stretches, strides, writes."""

import numpy as np
import pytest

import aino
from aino import nn
from aino.errors import CompileError
from tests.compiler.showing import assert_shows_the_same, calls, registry, seen

LONG = 200_000
CASES, case = registry()


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
def bits_of_a_long_weight_and_its_update(make):
    found = []
    for dtype in (np.float32, np.float64):
        weight = aino.from_numpy(np.linspace(-1, 1, LONG, dtype=dtype)).requires_grad_()
        optimizer = aino.optim.SGD([weight], 0.01)

        def step(x, weight=weight, optimizer=optimizer):
            optimizer.zero_grad()
            twice = weight * 2
            limited = aino.where(twice > x, twice, x)
            (limited * limited).sum().backward()
            optimizer.step()

        compiled = make(step)
        for _ in range(4):
            compiled(aino.zeros(LONG, dtype=weight.dtype))
        found.append(weight[::999].tolist())
    return found


@case
def a_negated_product_that_is_returned(make):
    def step(x, y):
        product = -x * y
        return product, y - product

    return calls(make(step), aino.tensor([1.0, 2.0]), aino.tensor([3.0, 5.0]))


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


@pytest.mark.parametrize("name", CASES)
def test_compiled_shows_what_eager_shows(name):
    assert_shows_the_same(CASES[name])


def test_two_handles_of_one_memory_are_refused():
    data = np.arange(4.0)
    first, second = aino.from_numpy(data), aino.from_numpy(np.asarray(memoryview(data)))

    def step(x):
        first.add_(x)
        return second * 2

    with pytest.raises(CompileError, match="shares memory with a tensor that the function holds"):
        aino.compile(step, fullgraph=True)(aino.ones(1, dtype=aino.float64))
    assert data.tolist() == [0.0, 1.0, 2.0, 3.0]
