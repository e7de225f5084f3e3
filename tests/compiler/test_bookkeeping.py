"""What a step writes down beside computing: counters, logs, averages; its program does the same."""

import gc
import types
import warnings
import weakref
from collections import deque

import pytest

import aino
from aino import nn
from aino.errors import CompileError
from tests.compiler.showing import seen

X = aino.tensor([[1.0, -2.0], [3.0, 0.5]])
CASES: dict = {}
COUNT = 0
LAST = None


def case(build):
    """Add a function that returns a step, and what shows its books."""
    CASES[build.__name__] = build
    return build


def books(**values):
    return types.SimpleNamespace(**values)


@case
def a_counter():
    b = books(n=0)

    def step(x):
        b.n += 1
        return x * b.n

    return step, lambda: b.n


@case
def counters_everywhere():
    global COUNT
    COUNT, n = 0, 0
    table, row = {"n": 0, "deep": {"n": 0}}, [0, 5]

    class Shared:
        n = 0

    def step(x):
        global COUNT, LAST
        nonlocal n
        COUNT += 1
        n = n + 2
        LAST = x.sum()
        table["n"] += 1
        table["deep"]["n"] -= 1
        row[0] += row[1]
        Shared.n += 1
        step.calls += 1
        return x + COUNT * n

    step.calls = 0
    return step, lambda: (COUNT, LAST, n, table, row, Shared.n, step.calls)


@case
def a_running_average():
    b = books(mean=aino.zeros(2), number=0.0)

    def step(x):
        b.mean = 0.9 * b.mean + 0.1 * x.mean(0)
        b.number = 0.9 * b.number + 0.1 * x.sum().item()
        return x - b.mean

    return step, lambda: (b.mean, b.number)


@case
def logs():
    b = books(losses=[], pairs={"all": []})

    def step(x):
        loss = (x * x).sum()
        b.losses.append(loss)
        b.losses.append(loss.item())
        b.pairs["all"].append((len(x), loss.item() * 2, x))
        return loss

    return step, lambda: (b.losses, b.pairs)


@case
def the_last_of_everything():
    b = books(state=None, out=None, size=None, same=None)

    def step(x):
        y = x * 2
        b.state, b.out, b.size, b.same = y, y, tuple(y.shape), x
        return y

    return step, lambda: (b.state, b.out is b.state, b.size, b.same is X)


@case
def states_that_change_places():
    b = books(old=aino.zeros(2, 2), new=aino.ones(2, 2))

    def step(x):
        b.old, b.new = b.new, b.old + x
        return b.new

    return step, lambda: (b.old, b.new)


@case
def a_state_in_a_window():
    b = books(window=aino.zeros(4, 2))

    def step(x):
        b.window = aino.cat([b.window, x])[2:]
        return b.window.sum()

    return step, lambda: b.window


@case
def branches_on_a_counter():
    b = books(n=0, every=0)

    def step(x):
        b.n += 1
        if b.n % 3 == 0:
            b.every = b.n
        return x if b.n % 2 else -x

    return step, lambda: (b.n, b.every)


@case
def a_property_and_a_method():
    class Kept:
        def __init__(self):
            self._n = 0

        n = property(lambda self: self._n, lambda self, value: setattr(self, "_n", value))

        def up(self):
            self.n = self.n + 1

    kept = Kept()

    def step(x):
        kept.up()
        return x * kept.n

    return step, lambda: vars(kept)


@case
def a_class_that_counts_what_is_set():
    class Counting:
        def __setattr__(self, name, value):
            object.__setattr__(self, "sets", vars(self).get("sets", 0) + 1)
            object.__setattr__(self, name, value)

    kept = Counting()
    kept.k = 1

    def step(x):
        kept.k = kept.k + 1
        return x * kept.k

    return step, lambda: vars(kept)


@case
def a_model_that_keeps_books():
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = nn.Linear(2, 2)
            self.n, self.h, self.log = 0, aino.zeros(2), []
            self.register_buffer("mean", aino.zeros(2))

        def forward(self, x):
            y = self.linear(x)
            self.n += 1
            self.h = self.h * 0.5 + y.detach()[0]
            self.mean = self.mean * 0.9 + 0.1 * y.detach().mean(0)
            self.linear.note = self.n
            self.log.append(y.detach().sum())
            return y * self.n

    model = Model()
    optimizer = aino.optim.SGD(model.parameters(), 0.01)

    def step(x):
        optimizer.zero_grad()
        loss = model(x).square().mean()
        loss.backward()
        optimizer.step()
        return loss.item()

    return step, lambda: (model.n, model.h, model.mean, model.linear.note, model.log, dict(
        model.named_buffers()))  # fmt: skip


@case
def a_loss_that_is_kept_and_returned():
    w = aino.ones(2, requires_grad=True)
    b = books(losses=[], last=None)

    def step(x):
        loss = (x * w).sum()
        b.losses.append(loss)
        b.last = loss.detach()
        return loss

    def whole(x):
        loss = compiled[0](x)
        loss.backward()
        return loss.detach()

    compiled = [step]
    return step, lambda: ([loss.detach() for loss in b.losses], b.last), whole, compiled


def run(build, make, calls=12):
    """Return what calls and books show, and the compiled function."""
    aino.manual_seed(0)
    step, shown, *outer = build()
    function = make(step)
    call = function
    if outer:
        call, holder = outer
        holder[0] = function
    found = [(seen(call(X)), seen(shown())) for _ in range(calls)]
    return found, function


@pytest.mark.parametrize("name", CASES)
def test_a_program_keeps_the_books(name):
    expected, _ = run(CASES[name], lambda function: function)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found, compiled = run(CASES[name], aino.compile)
    assert found == expected
    assert len(compiled._dispatches) == (3 if name == "branches_on_a_counter" else 1), compiled


def test_books_that_the_user_sets_between_calls():
    turns = {4: ("n", 100), 6: ("h", aino.ones(2)), 8: ("h", None), 10: ("n", 2.5), 12: ("n", None)}
    found = []
    for make in (lambda function: function, aino.compile):
        b = books(n=0, h=None)

        def step(x, b=b):
            b.n = 1 if b.n is None else b.n + 1
            b.h = x[0] if b.h is None else b.h + x[0]
            return b.h * b.n

        function, shown = make(step), []
        for turn in range(16):
            if turn in turns:
                setattr(b, *turns[turn])
            shown.append((seen(function(X)), b.n, type(b.n), seen(b.h)))
        found.append(shown)
    assert found[0] == found[1]


def test_what_is_kept_is_no_array_of_the_programs():
    b = books(h=aino.zeros(2), all=[])

    @aino.compile
    def step(x):
        b.h = b.h + x
        b.all.append(b.h)
        return b.h

    results = [step(aino.ones(2)) for _ in range(6)]
    assert [h.tolist() for h in b.all] == [[n, n] for n in range(1, 7)]
    assert all(kept is result for kept, result in zip(b.all, results))
    results[-1].mul_(10)
    assert step(aino.ones(2)).tolist() == [61.0, 61.0]


def refusals():
    """Return books, and steps that change them as a program would not, by the words for it."""
    b = books(made=None, log=deque(), text=[], seen=set(), h=aino.zeros(2), gone=1)

    def makes(x):
        b.made = {"x": x}

    def queues(x):
        b.log.append(x)

    def adds(x):
        b.seen.add(len(b.seen))

    return b, {
        "sets b.made to a dict": makes,
        "changes what b.log holds": queues,
        "changes": adds,
    }


@pytest.mark.parametrize("words", refusals()[1])
def test_what_a_program_would_not_do_again_is_refused(words):
    b, steps = refusals()
    step = aino.compile(steps[words], fullgraph=True)

    def call_often():
        for _ in range(5):
            before.append(seen(list(vars(b).values())))
            step(aino.ones(2))

    before: list = []
    with pytest.raises(CompileError, match=words):
        call_often()
    assert seen(list(vars(b).values())) == before[-1]


def test_an_error_of_the_function_leaves_the_books_as_eager():
    for make in (lambda function: function, aino.compile):
        b = books(n=0, log=[])

        def step(x, fail, b=b):
            b.n += 1
            b.log.append(b.n)
            if fail:
                raise ValueError("no")
            b.n += 10
            return x * b.n

        function = make(step)
        for turn in range(8):
            if turn % 3 == 2:
                with pytest.raises(ValueError, match="no"):
                    function(X, True)
            else:
                function(X, False)
        assert (b.n, b.log) == (68, [1, 12, 23, 24, 35, 46, 47, 58])


def test_kept_tensors_are_freed_with_their_books():
    b = books(h=aino.zeros(2))

    @aino.compile
    def step(x):
        b.h = b.h + x
        return b.h.sum()

    gc.collect()
    gone = []
    for _ in range(8):
        gone.append(weakref.ref(b.h))
        step(aino.ones(2))
    assert [reference() is None for reference in gone[3:]] == [True] * 5


#: What is done to a list whose first entry is a counter: entries move, go, come.
LISTS = [
    "L[0] += 1; L.append(2)", "L[0] += 1; L.insert(0, 5)", "L.pop(); L[0] += 1",
    "L[0] += 1; L[1] = L[0]", "L[0] += 1; L.append(L[0])", "L[0] += 1; L.reverse()",
    "L[0], L[1] = L[1] + 1, L[0]", "L[0] += 1; L.append(x.sum()); L.append(3)",
    "L[0] += 1; L.pop(); L.append(1)", "L[0] += 1; L.clear()", "L[0] = 7; L.insert(0, 1)",
    "L[0] += 1; del L[0]", "L[0] += 1; L.sort()", "D['a'] += 1; del D['b']",
    "D['a'] += 1; D['b'] = D.pop('a')", "D['a'] += 1; D['c'] = D['a']", "D['a'] += 1; D.clear()",
    "D.update(a=D['a'] + 1)", "D['a'] += 1; D.setdefault('d', D['a'])",
]  # fmt: skip


@pytest.mark.parametrize("work", LISTS)
def test_entries_that_move_while_numbers_are_read(work):
    found = []
    for make in (lambda function: function, aino.compile):
        names: dict = {}

        def fill(names=names):
            names["L"][:] = [1, 2.0, 3]
            names["D"].clear()
            names["D"].update(a=1, b=2.0)

        body = work.replace("; ", "\n    ")
        exec(f"L, D = [], {{}}\ndef step(x):\n    {body}\n    return x * 2", names)
        fill()
        step, shown = make(names["step"]), []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for _ in range(9):
                try:
                    step(X)
                except (KeyError, IndexError) as error:
                    shown.append(type(error))
                both = [*names["L"], *names["D"].items()]
                shown.append((seen(both), [type(entry) for entry in both]))
                if len(names["L"]) < 2 or "a" not in names["D"]:
                    fill()
        found.append(shown)
    assert found[0] == found[1]
