"""``step.many(batches)``: what the calls would give one after the other."""

import numpy as np
import pytest

import aino
from aino import nn
from aino.compiler import self_check
from aino.compiler.dispatch import following
from tests.compiler.test_self_check import CELL, hidden

RATES = [0.1, 0.1, 0.05, 0.05, 0.2, 0.01]


def made(seed=0, transform=aino.compile, kind=aino.optim.Adam):
    """Return a network, its optimizer and a step."""
    aino.manual_seed(seed)
    network = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3))
    optimizer = kind(network.parameters(), lr=0.1)
    criterion = nn.CrossEntropyLoss()

    @transform
    def step(x, y):
        optimizer.zero_grad()
        loss = criterion(network(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return network, optimizer, step


def batches(sizes=(8,) * 6):
    aino.manual_seed(1)
    return [(aino.randn(n, 4), aino.randint(0, 3, (n,))) for n in sizes]


def told(network, losses):
    return [x.item() for x in losses], [p.array.tobytes() for p in network.parameters()]


SIZES = {
    "one size": (8,) * 12,
    "a shorter one last": (*(8,) * 7, 5),
    "two in turn": (8, 5) * 8,
    "in runs": (8,) * 6 + (5,) * 6 + (8,) * 6,
    "none": (),
    "one": (8,),
}


@pytest.mark.parametrize("sizes", SIZES.values(), ids=list(SIZES))
@pytest.mark.parametrize("as_list", [list, tuple, iter])
def test_it_is_what_the_calls_would_give(sizes, as_list):
    network, _, step = made()
    one_by_one, _, other = made()
    for turn in range(2):  # once with what is traced on the way, once with programs alone
        given = batches(sizes)
        found = told(network, step.many(as_list(given)))
        assert found == told(one_by_one, [other(*batch) for batch in given]), turn


def test_calls_that_follow_compare_the_arguments_alone():
    _, _, step = made()
    step.many(batches())
    (dispatch,) = step._dispatches
    follow = following(dispatch)
    text, first = getattr(follow, "otherwise", follow).source, dispatch.source
    for guard in ("structure_version", "mode.level", "['lossf']", "__code__"):
        assert guard not in text
    assert "structure_version" in first
    assert "_turn(args, kwargs)" in text  # the program still is compared with its function


def test_a_rate_that_changes_between_is_read():
    network, optimizer, step = made()
    one_by_one, other_optimizer, other = made()
    for rate in RATES:
        for chosen in (optimizer, other_optimizer):
            chosen.param_groups[0]["lr"] = rate
        found = told(network, step.many(batches()))
        assert found == told(one_by_one, [other(*batch) for batch in batches()])


def test_what_changes_between_two_runs_is_seen():
    network, _, step = made(kind=aino.optim.SGD)
    one_by_one, _, other = made(kind=aino.optim.SGD)
    for change in (
        lambda model: None,
        lambda model: model[0].requires_grad_(False),
        lambda model: setattr(model[2], "bias", nn.Parameter(aino.zeros(3))),
        lambda model: model.eval(),
    ):
        for model in (network, one_by_one):
            change(model)
        found = told(network, step.many(batches()))
        assert found == told(one_by_one, [other(*batch) for batch in batches()])


def test_gradients_that_are_gathered():
    """Whether there is a gradient already is another program, and the first call changes that."""
    w = aino.ones(3, requires_grad=True)
    gather = aino.compile(lambda x: (w * x).sum().backward())
    for _ in range(5):
        w.grad = None
        gather.many([aino.tensor([1.0, 2.0, n]) for n in range(7)])
        assert w.grad.tolist() == [7.0, 14.0, 21.0]


def test_what_the_function_counts_is_counted():
    class Counter:
        calls = 0

    def run(many):
        counter = Counter()

        @aino.compile
        def step(x):
            counter.calls += 1
            return x * counter.calls

        given = [aino.tensor(2.0)] * 9
        results = step.many(given) if many else [step(x) for x in given]
        return [x.item() for x in results], counter.calls

    assert run(True) == run(False)
    assert run(True)[1] == 9


def test_after_a_call_that_changes_pythons_world_all_of_it_is_compared():
    class Counter:
        calls = 0

    counter = Counter()

    def count(x):
        counter.calls += 1
        return x + 1.0

    for function, follows in ((count, False), (lambda x: x + 1.0, True)):
        step = aino.compile(function)
        step.many([aino.tensor(2.0)] * 5)
        assert (following(step._dispatches[0]) is not None) is follows


def test_numbers_that_steer_are_compared_at_every_call():
    class State:
        turn = 0.0

    def run(many):
        State.turn = 0.0

        @aino.compile
        def step(x):
            State.turn = State.turn + 1.0
            return x * 2.0 if State.turn > 6.0 else x

        given = [aino.tensor(3.0)] * 10
        results = step.many(given) if many else [step(x) for x in given]
        return [x.item() for x in results]

    assert run(True) == run(False) == [3.0] * 6 + [6.0] * 4


def test_labels_of_no_class_raise_where_they_come():
    network, _, step = made()
    one_by_one, _, other = made()
    given = batches()
    given[4] = (given[4][0], aino.full((8,), 3))
    with pytest.raises(IndexError) as error:
        step.many(given)
    with pytest.raises(IndexError, match=str(error.value).replace("(", r"\(")):
        [other(*batch) for batch in given]
    assert told(network, []) == told(one_by_one, [])


@pytest.mark.parametrize("place", [0, 2, 5])
def test_a_batch_in_memory_that_is_written_is_found_wherever_it_comes(place):
    w = aino.ones(4)

    @aino.compile(fullgraph=True)
    def step(v):
        w.mul_(2.0)
        return (v + w).sum()

    given = [aino.ones(4) for _ in range(7)]
    step.many(given)
    given[place] = w.detach()[:]
    before = w.tolist()
    with pytest.raises(aino.errors.CompileError, match="argument v shares memory"):
        step.many(given)
    assert w.tolist() == [2.0**place * x for x in before]


@pytest.mark.parametrize("place", [0, 2, 5])
def test_batches_of_one_tensor_twice_and_of_two_are_told_apart(place):
    product = aino.compile(lambda a, b: a * b.add_(1.0))
    for twice in (True, False, True, False):
        given = [(aino.ones(2), aino.ones(2)) for _ in range(7)]
        if twice:
            given[place] = given[place][:1] * 2
        expected = [4.0 if a is b else 2.0 for a, b in given]
        assert [x[0].item() for x in product.many(given)] == expected


def test_what_a_batch_may_be():
    double = aino.compile(lambda x, y=1.0: x * 2.0 + y)
    x = aino.tensor([1.0, 2.0])
    given = [(x,), [x], x, (x, 3.0), x.numpy()]
    for _ in range(3):
        found = [np.asarray(result).tolist() for result in double.many(given)]
        assert found == [[3.0, 5.0]] * 3 + [[5.0, 7.0]] + [[3.0, 5.0]]


def by_its_value(x):
    return x * 2.0 if float(x.sum()) > 0 else x


def by_its_array(x):
    if type(x.array) is not np.ndarray:
        raise TypeError("an array of NumPy's is needed")
    return by_its_value(x)


@pytest.mark.parametrize("function", [by_its_value, by_its_array])
def test_a_function_that_cannot_be_compiled_runs_as_it_is(function):
    branch = aino.compile(function)
    given = [aino.tensor([float(n)]) for n in (1, -1, 2, -2, 3)]
    with pytest.warns(aino.errors.CompileWarning):
        assert [x.item() for x in branch.many(given)] == [2.0, -1.0, 4.0, -2.0, 6.0]
    assert branch._refused


def test_within_another_program_it_is_part_of_it():
    inner = aino.compile(lambda x: x * 3.0)

    @aino.compile
    def outer(x, y):
        first, second = inner.many([x, y])
        return first + second

    for _ in range(4):
        assert outer(aino.tensor(1.0), aino.tensor(2.0)).item() == 9.0


@pytest.mark.parametrize("before", range(8, 20))
def test_a_program_is_compared_with_its_function_on_the_way(monkeypatch, before):
    monkeypatch.setattr(self_check, "FIRST", 8)
    monkeypatch.setattr(self_check, "clock", lambda: 0.0)
    CELL.value = 1.0
    step = aino.compile(lambda x: x * hidden())
    step.many([aino.tensor(1.0)] * before)
    CELL.value = 5.0
    with pytest.warns(aino.errors.CompileWarning, match="may be stale"):
        found = [x.item() for x in step.many([aino.tensor(1.0)] * 30)]
    assert set(found[9:]) == {5.0}
