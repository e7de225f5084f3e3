"""What a step changes by itself is refused, and a refusal leaves Python's world as it was."""

import math
import random
import threading
from types import SimpleNamespace

import numpy as np
import pytest

import aino
from aino import nn
from aino.compiler.tracing.run import run_traced
from aino.errors import CompileError, CompileWarning
from tests.compiler.test_state import Trainer


def test_a_log_that_is_made_anew_is_refused_and_stays_right():
    class Logging(Trainer):
        def step(self, x):
            self.count += 1
            self.coefficients.extend([0.0])
            return x * 2

    trainer = Logging()
    step = aino.compile(trainer.step, fullgraph=True)
    for _ in range(2):
        step(aino.ones(1))
    with pytest.raises(CompileError, match=r"changes what self.coefficients holds at every call"):
        step(aino.ones(1))
    assert trainer.count == 2
    assert trainer.coefficients == [1.0, 0.0, 0.0]


@pytest.mark.parametrize("draw", [random.random, np.random.rand])
def test_other_generators_are_refused(draw):
    before = random.getstate(), np.random.get_state()[1].tolist()
    step = aino.compile(lambda x: x * 2 if draw() < 0.5 else x * 3, fullgraph=True)
    with pytest.raises(CompileError, match=r"draws from (np\.)?random"):
        step(aino.ones(1))
    assert (random.getstate(), np.random.get_state()[1].tolist()) == before


def test_state_by_turns_has_a_program_for_each():
    class Game:
        phase = "first"

        def step(self, x):
            return x * 2 if self.phase == "first" else x + 7

    game = Game()
    step, found = aino.compile(game.step), []
    for i in range(12):
        game.phase = ("first", "second")[i % 2]
        found.append(step(aino.ones(1)).item())
    assert found == [2.0, 8.0] * 6
    assert repr(step).endswith("2 of 2 signatures ready>")


def test_what_changes_at_every_call_goes_on_uncompiled():
    trainer = Trainer()
    step = aino.compile(lambda x: x * 2 if int(trainer.count[1:]) % 2 else x * 3)

    def run():
        for i in range(60):
            trainer.count = f"n{i}"
            yield step(aino.ones(1)).item()

    with pytest.warns(CompileWarning, match="because trainer.count is another each time"):
        found = list(run())
    assert found == [3.0, 2.0] * 30


@pytest.mark.parametrize("refusal", ["item", "pop", "sqrt"])
def test_a_refusal_leaves_state_as_it_was(refusal):
    class Counting:
        def __init__(self):
            self.count, self.log = 0, []

        def step(self, x, batch, s):
            self.count += 1
            self.log.append(s * 0 + 1 if refusal == "sqrt" else 1)
            if refusal == "item":
                float(x.sum())
            elif refusal == "pop":
                batch.pop("y")
            return x * math.sqrt(s)

    counting, batch = Counting(), {"y": 1}
    step = aino.compile(counting.step, fullgraph=True)
    if refusal == "sqrt":  # which needs the number as it is, and runs once more
        step(aino.ones(1), batch, 4.0)
        assert (counting.count, counting.log) == (1, [1.0])
        return
    with pytest.raises(CompileError):
        step(aino.ones(1), batch, 4.0)
    assert (counting.count, counting.log) == (0, [])


def test_a_refusal_puts_nothing_where_nothing_was():
    holder = SimpleNamespace(flag=1.0)

    def step(x):
        value = x * holder.flag
        return value * value.sum().item() if holder.flag == 2.0 else value

    step = aino.compile(step, fullgraph=True)
    step(aino.ones(1))
    del holder.flag
    with pytest.raises(AttributeError):
        step(aino.ones(1))
    assert vars(holder) == {}
    holder.flag = 2.0
    with pytest.raises(CompileError):
        step(aino.ones(1))
    assert vars(holder) == {"flag": 2.0}


def test_a_long_list_keeps_what_it_held_through_a_refusal():
    log = list(range(200))

    def step(x):
        log.append(1)
        return x * x.sum().item()

    with pytest.raises(CompileError):
        aino.compile(step, fullgraph=True)(aino.ones(1))
    assert log == list(range(200))


def test_a_counter_that_is_needed_as_a_plain_number_is_refused():
    class Counted(nn.Module):
        def __init__(self):
            super().__init__()
            self.n = 0

        def forward(self, x):
            self.n += 1
            return x * len(range(self.n))

    model = Counted()
    step = aino.compile(lambda x: model(x), fullgraph=True)
    step(aino.ones(1))
    with pytest.raises(
        CompileError, match=r"changes self.n at every call, and needs it as a plain"
    ):
        step(aino.ones(1))
    assert model.n == 1


def test_a_refusal_leaves_what_a_model_keeps_as_it_was():
    class Kept(nn.Module):
        def __init__(self):
            super().__init__()
            self.h, self.made = aino.zeros(2), None

        def forward(self, x):
            self.h = self.h + x
            self.made = nn.Tanh()
            self.fresh = 1
            return x * x.sum().item()

    model = Kept()
    before = model.h
    with pytest.raises(CompileError):
        aino.compile(lambda x: model(x), fullgraph=True)(aino.ones(2))
    assert model.h is before
    assert model.made is None
    assert not hasattr(model, "fresh")


def test_other_threads_may_draw():
    stop = threading.Event()

    def draw_on():
        while not stop.is_set():
            random.random()

    thread = threading.Thread(target=draw_on)
    thread.start()
    try:
        step = aino.compile(lambda x: x * 2)
        assert [step(aino.ones(1)).item() for _ in range(4)] == [2.0] * 4
    finally:
        stop.set()
        thread.join()


def test_a_trainer_with_logs_and_counters_is_traced_a_few_times_only(monkeypatch):
    traced = []

    def counted(*arguments, **keywords):
        traced.append(1)
        return run_traced(*arguments, **keywords)

    monkeypatch.setattr("aino.compiler.programs.run_traced", counted)

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
            self.seen, self.logs, self.dtype = 0, [], "float"

        def forward(self, x):
            return self.net(x)

        def training_step(self, batch, index):
            x, y = batch
            return nn.functional.cross_entropy(self(x), y)

    class Fitting:
        def __init__(self, model):
            self.model, self.best, self.count, self.history = model, 1e9, 0, {"loss": []}
            self.optimizer = aino.optim.Adam(model.parameters(), 0.01)
            self.schedule = aino.optim.lr_scheduler.CosineAnnealingLR(self.optimizer, 100)
            self.fast = aino.compile(self.step)

        def step(self, batch, index):
            self.optimizer.zero_grad()
            loss = self.model.training_step(batch, index)
            loss.backward()
            self.optimizer.step()
            return loss

        def fit(self, batch, count):
            for index in range(count):
                loss = self.fast(batch, index).item()
                self.count += 1
                self.model.seen += 32
                self.model.logs.append(loss)
                self.history["loss"].append(loss)
                self.best = min(self.best, loss)
                self.schedule.step()

    fitting = Fitting(Model())
    fitting.fit((aino.randn(32, 4), aino.randint(0, 3, (32,))), 80)
    assert len(traced) <= 6
    assert len(fitting.history["loss"]) == 80


def test_a_compiled_method_of_a_class_that_counts():
    class Fitting:
        def __init__(self):
            self.weight, self.count, self.scale, self.log = aino.ones(1), 0, 1.0, []

        @aino.compile
        def step(self, x):
            self.weight.mul_(0.5)
            return x * self.scale * self.weight

    first, second = Fitting(), Fitting()
    for fitting in (first, second):
        found = []
        for turn in range(60):
            fitting.scale = 1.0 if turn < 30 else 4.0
            found.append(fitting.step(aino.ones(1)).item())
            fitting.count += 1
            fitting.log.append(turn)
        expected = [(1.0 if turn < 30 else 4.0) * 0.5 ** (turn + 1) for turn in range(60)]
        assert found == expected
    assert len(Fitting.step._specializations) <= 8


def test_a_closer_look_at_models_ignores_logs_and_sees_settings():
    class Noted(nn.Module):
        def __init__(self):
            super().__init__()
            self.drop, self.notes, self.count = nn.Dropout(0.0), [], 0

        def forward(self, x):
            return self.drop(x) * 2

    model = Noted()
    step = aino.compile(lambda x: model(x))
    found = [step(aino.ones(2)).sum().item() for _ in range(3)]
    programs = [step._dispatches[0]]
    for turn in range(3):
        model.count += 1
        model.notes.append(turn)
        nn.Linear(1, 1)  # the structure of some model has changed: every program looks again
        found.append(step(aino.ones(2)).sum().item())
        programs.append(step._dispatches[0])
    assert found == [4.0] * 6
    assert programs == programs[:1] * 4  # the program that was there before the notes
    model.drop.p = 1.0
    assert [step(aino.ones(2)).sum().item() for _ in range(3)] == [0.0] * 3
