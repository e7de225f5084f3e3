"""Settings that change at every call: numbers are followed by one program, others have one each."""

import threading
import types
import warnings

import pytest

import aino
from aino import nn
from aino.compiler.guards.structure import structure
from aino.errors import CompileWarning
from tests.compiler.showing import seen

X = aino.tensor([[1.0, -2.0, 0.5], [3.0, 0.5, -1.0]])
K = 1.0


def followed(step, change, arguments=(X,), calls=12):
    """Return what eager and compiled calls show, with a change before each, and the function."""
    found = []
    for make in (lambda function: function, aino.compile):
        aino.manual_seed(0)
        function, shown = make(step), []
        for i in range(calls):
            change(i)
            shown.append(seen(function(*arguments)))
        found.append(shown)
    return found, function


def of_module(module, name, value):
    def build():
        made = module()
        return (lambda x: made(x).detach()), lambda i: setattr(made, name, value(i))

    return build


def grows(i):
    return 0.05 * (i + 1)


class Scaled(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight, self.level, self.inner = 1.0, 1, nn.Dropout(0.5)

    def forward(self, x):
        return self.inner(x) * self.weight + self.level


#: Settings of AINO's modules that are numbers.
MODULES = {
    "Dropout.p": (lambda: nn.Dropout(0.5), "p", lambda i: 0.1 + i / 100),
    "AlphaDropout.p": (lambda: nn.AlphaDropout(0.5), "p", lambda i: 0.1 + i / 100),
    "LayerNorm.eps": (lambda: nn.LayerNorm(3), "eps", grows),
    "RMSNorm.eps": (lambda: nn.RMSNorm(3), "eps", grows),
    "GroupNorm.eps": (lambda: nn.GroupNorm(1, 3), "eps", grows),
    "ELU.alpha": (nn.ELU, "alpha", grows),
    "CELU.alpha": (nn.CELU, "alpha", grows),
    "LeakyReLU.negative_slope": (nn.LeakyReLU, "negative_slope", grows),
    "Softplus.beta": (nn.Softplus, "beta", lambda i: 0.5 + grows(i)),
    "Threshold.value": (lambda: nn.Threshold(0.1, 5.0), "value", grows),
    "Hardtanh.max_val": (nn.Hardtanh, "max_val", grows),
}


def cases():
    found = {
        name: of_module(*row) for name, row in MODULES.items() if hasattr(nn, name.split(".")[0])
    }

    def case(build):
        found[build.__name__] = build

    @case
    def an_attribute_of_a_module():
        model = Scaled()
        return (lambda x: model(x)), lambda i: setattr(model, "weight", grows(i))

    @case
    def a_whole_number_of_a_module():
        model = Scaled()
        return (lambda x: model(x)), lambda i: setattr(model, "level", i)

    @case
    def a_setting_deep_within():
        model = Scaled()
        return (lambda x: model(x)), lambda i: setattr(model.inner, "p", 0.1 + i / 100)

    @case
    def a_global():
        return (lambda x: x * K), lambda i: globals().update(K=grows(i))

    @case
    def a_cell():
        k = 1.0

        def change(i):
            nonlocal k
            k = grows(i)

        return (lambda x: x * k), change

    @case
    def entries_of_containers():
        settings = {"a": 1.0, "deep": [1.0, {"b": 2.0}]}

        def step(x):
            deep = settings["deep"]
            for value in deep[:1]:
                x = x * value
            return x * settings["a"] + sum(deep[1].values())

        def change(i):
            settings["a"] = settings["deep"][0] = grows(i)
            settings["deep"][1]["b"] = 1.0 / (i + 1)

        return step, change

    @case
    def slots():
        class Slotted:
            __slots__ = ("k",)

        holder = Slotted()
        return (lambda x: x * holder.k), lambda i: setattr(holder, "k", grows(i))

    @case
    def an_attribute_of_a_class():
        class Shared:
            k = 1.0

            def scale(self, x):
                return x * self.k

        first, second = Shared(), Shared()

        def change(i):
            Shared.k = grows(i)

        return (lambda x: first.scale(x) + second.scale(x)), change

    @case
    def a_property():
        class Held:
            _k = 1.0
            k = property(lambda self: self._k * 2)

        holder = Held()
        return (lambda x: x * holder.k), lambda i: setattr(holder, "_k", grows(i))

    @case
    def a_module_of_ones_own():
        module = types.ModuleType("settings_of_a_test")
        return (lambda x: x * module.k), lambda i: setattr(module, "k", grows(i))

    @case
    def attributes_by_computed_names():
        holder = types.SimpleNamespace(k=1.0, other=2.0)

        def change(i):
            holder.k = grows(i)

        return (lambda x: x * getattr(holder, "".join("k")) + vars(holder)["other"]), change

    return found


CASES = cases()


@pytest.mark.parametrize("name", CASES)
def test_one_program_follows_a_number(name):
    step, change = CASES[name]()
    (expected, found), compiled = followed(step, change)
    assert found == expected
    assert len({str(shown) for shown in found}) > 6
    assert len(compiled._dispatches) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        followed(step, change, calls=60)


@pytest.mark.parametrize(
    ("module", "name", "values"),
    [
        (lambda: nn.L1Loss(), "reduction", ["mean", "sum", "none"]),
        (lambda: nn.GELU(), "approximate", ["none", "tanh"]),
        (lambda: nn.Softmax(-1), "dim", [0, 1, -1]),
        (lambda: nn.Flatten(), "start_dim", [0, 1]),
    ],
    ids=["reduction", "approximate", "dim", "start_dim"],
)
def test_a_setting_that_is_no_number_has_a_program_for_each_value(module, name, values):
    made = module()
    pair = (X, X * 2) if name == "reduction" else (X,)
    (expected, found), compiled = followed(
        lambda *given: made(*given),
        lambda i: setattr(made, name, values[i % len(values)]),
        pair,
        20,
    )
    assert found == expected
    assert len(compiled._dispatches) == len(values)


def test_a_number_that_is_needed_as_it_is_has_a_program_for_each_value():
    holder = types.SimpleNamespace(n=1)
    shown = {
        "range": lambda x: sum((x for _ in range(holder.n)), x),
        "str": lambda x: x * len(str(holder.n * 5)),
        "type": lambda x: x * 2 if type(holder.n) is int else x * 3,
        "index": lambda x: x[:, holder.n - 1],
    }
    for name, step in shown.items():
        (expected, found), compiled = followed(
            step, lambda i: setattr(holder, "n", 1 + i % 3), calls=30
        )
        assert found == expected, name
        assert len(compiled._dispatches) <= 3, name


def test_a_number_that_steers_has_a_program_for_each_way():
    holder = types.SimpleNamespace(k=0.0)
    (expected, found), compiled = followed(
        lambda x: x * holder.k if holder.k < 3 else -x,
        lambda i: setattr(holder, "k", float(i % 6)),
        calls=30,
    )
    assert found == expected
    assert len(compiled._dispatches) == 2


def test_a_number_that_becomes_something_else():
    holder = types.SimpleNamespace(k=1.0)
    turns = [1.0, 2.0, 3.0, 4.0, 5.0, 2, 3, True, aino.tensor(2.0), aino.ones(3), 6.0, 7, 8.0]
    (expected, found), _ = followed(
        lambda x: x * holder.k, lambda i: setattr(holder, "k", turns[i]), calls=len(turns)
    )
    assert found == expected
    del holder.k
    compiled = aino.compile(lambda x: x * holder.k)
    with pytest.raises(AttributeError):
        compiled(X)


def test_a_model_is_not_looked_at_anew_for_a_setting_that_is_read(monkeypatch):
    looks = []

    def looked(*arguments):
        looks.append(1)
        return structure(*arguments)

    monkeypatch.setattr("aino.compiler.programs.structure", looked)
    model = nn.Sequential(nn.Dropout(0.5), nn.ELU())
    compiled = aino.compile(lambda x: model(x))
    for i in range(40):
        model[0].p, model[1].alpha = 0.1 + i / 100, grows(i)
        compiled(X)
        if i == 10:
            looks.clear()
    assert looks == []
    model[1] = nn.Tanh()
    assert compiled(aino.zeros(2, 3)).tolist() == [[0.0] * 3] * 2
    assert looks


def test_settings_of_what_is_given():
    class Given:
        k, n = 1.0, 0

    for given in (types.SimpleNamespace(k=1.0, n=0), Given()):

        def step(x, g):
            g.n += 1
            return x * g.k

        def change(i, given=given):
            given.k = grows(i)

        (expected, found), compiled = followed(step, change, (X, given))
        assert found == expected
        assert given.n == 24
        assert len(compiled._dispatches) == 1


def test_each_object_of_a_class_has_its_own_books():
    class Stepping:
        def __init__(self):
            self.n, self.h, self.scale = 0, aino.zeros(2), 1.0

        @aino.compile
        def step(self, x):
            self.n += 1
            self.h = self.h + x * self.scale
            return self.h * self.n

    mine = [Stepping() for _ in range(3)]
    for turn in range(8):
        for place, one in enumerate(mine):
            one.scale = grows(turn) * (place + 1)
            one.step(aino.ones(2))
    total = sum(grows(turn) for turn in range(8))
    assert [one.n for one in mine] == [8, 8, 8]
    for place, one in enumerate(mine):
        assert one.h.tolist() == pytest.approx([total * (place + 1)] * 2)


def test_two_numbers_that_were_one():
    first, second = types.SimpleNamespace(k=1.0), types.SimpleNamespace(k=1.0)

    class Above:
        k = 1.0

    mine, other = Above(), Above()

    def change(i):
        first.k = second.k = Above.k = grows(i)
        if i == 8:
            second.k, other.k = 5.0, 7.0
        if i == 10:
            del other.k

    (expected, found), _ = followed(
        lambda x: x * first.k + second.k + mine.k - 2 * other.k, change, calls=13
    )
    assert found == expected


def test_another_thread_sees_numbers_while_they_are_traced():
    holder, inside, done = types.SimpleNamespace(k=1.0), threading.Event(), threading.Event()
    seen_there = []

    def look():
        inside.wait(10)
        k = holder.k
        seen_there.append([
            float(X[0, 0] * k), type(k * 2), k + 1 > 2, str(k * 1), int(k), [0, 1, 2][int(k) % 2],
            float(aino.full((1,), k)), float(k), f"{k:.1f}", hash(k), {3.0: 1}[k * 1.0],
        ])  # fmt: skip
        done.set()

    def step(x):
        if not isinstance(holder.k, str) and watch:
            inside.set()
            done.wait(10)
        return x * holder.k

    watch = []
    compiled = aino.compile(step)
    for i in range(2):
        holder.k = float(i)
        compiled(X)
    thread = threading.Thread(target=look)
    thread.start()
    watch.append(1)
    holder.k = 3.0
    assert compiled(X).tolist() == (X * 3.0).tolist()
    thread.join()
    assert seen_there == [[3.0, float, True, "3.0", 3, 1, 3.0, 3.0, "3.0", hash(3.0), 1]]
    assert type(holder.k) is float


def test_many_numbers_that_change_are_not_all_followed():
    numbers = [1.0] * 500

    def change(i):
        numbers[:] = [float(i + n) for n in range(500)]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CompileWarning)
        (expected, found), _ = followed(lambda x: x * sum(numbers), change, calls=50)
    assert found == expected


def test_a_check_of_a_program_is_made_for_what_it_reads(monkeypatch):
    monkeypatch.setattr("aino.compiler.self_check.FIRST", 4)
    holder = types.SimpleNamespace(k=1.0, n=0)

    def step(x, m):
        holder.n += m
        return x * holder.k

    compiled = aino.compile(step)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for i in range(60):
            if i % 20 == 19:
                holder.k = grows(i)
            assert compiled(X, 1 if i < 40 else 2).tolist() == (X * holder.k).tolist()
    assert holder.n == 40 + 2 * 20
