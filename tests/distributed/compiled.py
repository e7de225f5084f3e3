"""Run by every rank: compiled steps that exchange numbers, and what might set ranks apart."""

import warnings

import numpy as np

import aino
import aino.distributed as dist
from aino import nn
from aino.compiler import self_check
from tests.distributed.checking import check, raises, run_all

F = nn.functional


def same_everywhere(tensor):
    """Fail unless all ranks have the same bits."""
    every = [aino.zeros_like(tensor) for _ in range(dist.get_world_size())]
    dist.all_gather(every, tensor.detach().clone())
    for other in every:
        np.testing.assert_array_equal(other.numpy(), tensor.detach().numpy())


def training(rank, seed=0):
    """Return a model, and a step that averages its gradients over all ranks."""
    aino.manual_seed(seed)
    model = nn.Sequential(nn.Linear(4, 3, bias=False), nn.Tanh()).double()
    optimizer = aino.optim.Adam(model.parameters(), lr=0.01)

    def step(x, y):
        optimizer.zero_grad()
        loss = F.mse_loss(model(x), y)
        loss.backward()
        for parameter in model.parameters():
            dist.all_reduce(parameter.grad, dist.ReduceOp.AVG)
        total = loss.detach().clone()
        dist.all_reduce(total)
        optimizer.step()
        return total

    return model, step


def batches(rank, steps, rows=6):
    normal = np.random.default_rng(rank).normal
    return [
        tuple(aino.from_numpy(normal(size=(rows, columns))) for columns in (4, 3))
        for _ in range(steps)
    ]


@check
def three_hundred_steps_are_those_of_eager(rank, count):
    data = batches(rank, 300)
    model, step = training(rank)
    eager = [step(*batch).item() for batch in data]
    other, step = training(rank)
    compiled = aino.compile(step, fullgraph=True)
    assert [compiled(*batch).item() for batch in data] == eager
    for one, two in zip(model.parameters(), other.parameters()):
        np.testing.assert_array_equal(one.detach().numpy(), two.detach().numpy())
        same_everywhere(two)
    assert compiled.code.count("all_reduce(") == 2
    if rank == 0:  # which runs the program, and asks nobody
        assert "all_reduce" in str(compiled.explain(calls=2))
    raises(aino.errors.CompileError, "ProcessGroup", compiled.save_source, "/dev/null")


@check
def ranks_compare_their_programs_at_other_calls(rank, count):
    # One compares its program at every other call, the other never.
    before = self_check.FIRST, self_check.SELDOM
    self_check.FIRST, self_check.SELDOM = (2, 0) if rank == 0 else (10**6, 50)
    try:
        _, eager = training(rank)
        model, step = training(rank)
        compiled = aino.compile(step, fullgraph=True)
        for batch in batches(rank, 30):
            assert compiled(*batch).item() == eager(*batch).item()
        for parameter in model.parameters():
            same_everywhere(parameter)
    finally:
        self_check.FIRST, self_check.SELDOM = before


@check
def one_rank_traces_anew(rank, count):
    model, step = training(rank)
    compiled = aino.compile(step, fullgraph=True)
    _, eager = training(rank)
    for i in range(12):
        rows = 6 if rank == 0 else 3 + i % 4
        for batch in batches(10 * i + rank, 1, rows):
            assert compiled(*batch).item() == eager(*batch).item()
    for parameter in model.parameters():
        same_everywhere(parameter)


def exchanged_by(function, rank, calls=6):
    """Return what a compiled function gives, and whether it went on uncompiled."""
    compiled = aino.compile(function)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        given = [compiled(aino.tensor([float(rank + i)])).tolist() for i in range(calls)]
    return given, [str(warning.message) for warning in told]


@check
def one_rank_goes_on_uncompiled(rank, count):
    # The trace of rank 0 is given up after its exchange, which the others have made by then.
    def function(x):
        y = x.clone()
        dist.all_reduce(y)
        if rank == 0:
            float(y)
        z = y * 2
        dist.all_reduce(z)
        return z

    given, told = exchanged_by(function, rank)
    every = [sum(r + i for r in range(count)) * 2 * count for i in range(6)]
    assert given == [[value] for value in every], given
    assert bool(told) == (rank == 0), told


@check
def one_rank_needs_a_number_as_it_is(rank, count):
    # A float argument that is asked for its type is traced again in the same call.
    def function(x, n):
        y = x * n
        dist.all_reduce(y)
        if rank == 0 and type(n) is int:
            y = y + 0
        return [y, x][0]

    compiled = aino.compile(function)
    for i in range(6):
        n = i % 3 + 1
        assert compiled(aino.tensor([1.0]), n).item() == n * count


@check
def a_call_of_one_within_another_uncompiled(rank, count):
    @aino.compile
    def inner(x):
        y = x + 1
        dist.all_reduce(y)
        return y

    def outer(x):
        y = inner(x)
        if rank == 0:
            float(y)
        return inner(y)

    given, _ = exchanged_by(outer, rank, 5)
    for i in range(5):
        first = sum(r + i + 1 for r in range(count))
        assert given[i] == [(first + 1) * count]


@check
def a_module_whose_backward_pass_exchanges(rank, count):
    class Sum(aino.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            y = x.clone()
            dist.all_reduce(y)
            return y

        @staticmethod
        def backward(ctx, g):
            g = g.clone()
            dist.all_reduce(g)
            return g

    def function(x):
        return Sum.apply(x * x)

    compiled = aino.compile(function)
    for i in range(4):
        x = aino.tensor([float(rank + i)], requires_grad=True)
        y = compiled(x)
        (y * (rank + 1)).sum().backward()
        assert y.item() == sum((r + i) ** 2 for r in range(count))
        assert x.grad.item() == 2 * (rank + i) * sum(r + 1 for r in range(count))


@check
def every_kind_of_exchange_in_a_program(rank, count):
    def function(x):
        y = x * (rank + 1.0)
        dist.broadcast(y, 0)
        every = [aino.zeros_like(x) for _ in range(count)]
        dist.all_gather(every, x * rank)
        together = aino.zeros(2 * count)
        dist.all_gather_into_tensor(together, x + rank)
        part = aino.zeros(2)
        dist.reduce_scatter_tensor(part, together * 1.0)
        work = dist.all_reduce(part, dist.ReduceOp.MAX, async_op=True)
        work.wait()
        dist.barrier()
        if dist.get_rank() != rank or dist.get_world_size() != count:
            raise AssertionError("ranks are constants")
        return [y, *every, together, part]

    compiled = aino.compile(function, fullgraph=True)
    for i in range(5):
        x = aino.tensor([1.0, 2.0]) + i
        for one, two in zip(compiled(x), function(x)):
            np.testing.assert_array_equal(one.numpy(), two.numpy())
    names = ("broadcast", "all_gather", "all_gather_single", "reduce_scatter_single", "barrier")
    order = [compiled.code.index(f"{name}(") for name in names]
    assert order == sorted(order)


@check
def a_group_that_has_ended_is_noticed(rank, count):
    group = dist.new_group(list(range(count)))

    def function(x):
        y = x * 1.0
        dist.all_reduce(y, group=group)
        return y

    compiled = aino.compile(function)
    for _ in range(4):
        assert compiled(aino.ones(1)).item() == count
    dist.barrier()
    dist.destroy_process_group(group)
    raises(ValueError, "has been destroyed", compiled, aino.ones(1))


@check
def what_no_program_holds_goes_on_uncompiled(rank, count):
    def function(x):
        every = [None] * count
        dist.all_gather_object(every, rank)
        return x * sum(every)

    given, told = exchanged_by(function, rank)
    assert given[0] == [float(rank) * sum(range(count))]
    assert [("objects" in text) for text in told] == [True]


run_all()
