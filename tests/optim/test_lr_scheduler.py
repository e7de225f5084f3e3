"""Every schedule, from its row: thirty steps against a formula in closed form."""

import math
import warnings

import numpy as np
import pytest

from aino.autograd.tensor import make
from aino.optim import SGD, Adagrad, Adam
from aino.optim.lr_scheduler import (
    ChainedScheduler,
    ConstantLR,
    CosineAnnealingLR,
    CosineAnnealingWarmRestarts,
    CyclicLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    LRScheduler,
    MultiplicativeLR,
    OneCycleLR,
    PolynomialLR,
    ReduceLROnPlateau,
    SequentialLR,
    StepLR,
)
from tests.optim.helpers import parameters
from tests.optim.rows import SCHEDULES, Schedule

BASES = (0.3, 0.1)
each = pytest.mark.parametrize("row", SCHEDULES, ids=lambda row: row.name)


def optimizer_of(**settings):
    first, second, *_ = parameters()
    groups = [{"params": [first], "lr": BASES[0]}, {"params": [second], "lr": BASES[1]}]
    return SGD(groups, momentum=0.9, **settings)


def advance(scheduler, row, t):
    scheduler.optimizer.step()
    scheduler.step(*[] if row.metric is None else [row.metric(t)])


def rates(optimizer):
    return [group["lr"] for group in optimizer.param_groups]


def check(row, steps=18):
    optimizer = optimizer_of()
    scheduler = row.make(optimizer)
    for t in range(steps + 1):
        if t:
            advance(scheduler, row, t)
        wanted = [row.rate(t, base) for base in BASES]
        np.testing.assert_allclose(rates(optimizer), wanted, rtol=1e-12, atol=1e-15)
        assert scheduler.get_last_lr() == rates(optimizer)


def test_every_schedule_has_a_row():
    def classes(cls):
        for child in cls.__subclasses__():
            yield child
            yield from classes(child)

    names = {cls.__name__ for cls in classes(LRScheduler) if cls.__module__.startswith("aino.")}
    public = {name for name in names if not name.startswith("_")}
    assert {"StepLR", "SWALR"} < public
    assert public == {row.name for row in SCHEDULES}


@each
def test_the_rates_are_those_of_the_formula(row):
    check(row)


@each
def test_planted_errors_are_caught(row):
    def late(t, base):
        return row.rate(max(t - 1, 0), base)

    def rough(t, base):
        return row.rate(t, base) * (1 + 1e-9)

    for planted in (late, rough):
        with pytest.raises(AssertionError):
            check(Schedule(row.name, row.make, planted, row.metric))


@each
def test_a_schedule_resumed_from_its_state_dict_goes_on(row):
    first, second = optimizer_of(), optimizer_of()
    scheduler, resumed = row.make(first), row.make(second)
    for t in range(1, 7):
        advance(scheduler, row, t)
    saved = scheduler.state_dict()
    assert "optimizer" not in saved
    resumed.load_state_dict(saved)
    second.load_state_dict(first.state_dict())
    for t in range(7, 14):
        advance(scheduler, row, t)
        advance(resumed, row, t)
        assert rates(first) == rates(second)


@each
def test_a_learning_rate_that_is_a_tensor_is_written_in_place(row):
    optimizer, reference = optimizer_of(), optimizer_of()
    held = [make(np.array(base)) for base in BASES]
    for group, tensor in zip(optimizer.param_groups, held):
        group["lr"] = tensor
    scheduler, plain = row.make(optimizer), row.make(reference)
    for t in range(1, 8):
        advance(scheduler, row, t)
        advance(plain, row, t)
    assert [group["lr"] for group in optimizer.param_groups] == held
    np.testing.assert_allclose([t.array.item() for t in held], rates(reference), rtol=1e-12)


def test_momentum_cycles_the_other_way():
    optimizer = optimizer_of()
    scheduler = CyclicLR(optimizer, 0.1, 0.5, 4, base_momentum=0.8, max_momentum=0.9)
    seen = []
    for _ in range(9):
        seen.append(optimizer.param_groups[0]["momentum"])
        optimizer.step()
        scheduler.step()
    np.testing.assert_allclose(
        seen, [0.9, 0.875, 0.85, 0.825, 0.8, 0.825, 0.85, 0.875, 0.9], rtol=1e-12
    )


def test_the_first_beta_cycles_where_there_is_no_momentum():
    optimizer = Adam(parameters(), betas=(0.5, 0.99))
    OneCycleLR(optimizer, 0.1, total_steps=10)
    assert optimizer.param_groups[0]["betas"] == (0.95, 0.99)
    with pytest.raises(ValueError, match="momentum or beta1"):
        CyclicLR(Adagrad(parameters()), 0.1, 0.5)


def test_a_given_epoch_uses_the_closed_form():
    optimizer = optimizer_of()
    scheduler = CosineAnnealingLR(optimizer, 8)
    optimizer.step()
    with pytest.warns(UserWarning, match="scheduler.step\\(epoch\\)"):
        scheduler.step(4)
    np.testing.assert_allclose(rates(optimizer), [base / 2 for base in BASES])


def test_warm_restarts_take_fractions_of_an_epoch():
    optimizer = optimizer_of()
    scheduler = CosineAnnealingWarmRestarts(optimizer, 4, T_mult=2)
    optimizer.step()
    scheduler.step(6.0)
    wanted = BASES[0] * (1 + math.cos(math.pi * 2 / 8)) / 2
    np.testing.assert_allclose(rates(optimizer)[0], wanted)
    with pytest.raises(ValueError, match="non-negative"):
        scheduler.step(-1)


def test_stepping_before_the_optimizer_warns():
    scheduler = StepLR(optimizer_of(), 2)
    with pytest.warns(UserWarning, match="before optimizer.step"):
        scheduler.step()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scheduler.step()


def test_asking_for_the_next_rates_warns():
    scheduler = StepLR(optimizer_of(), 2)
    with pytest.warns(UserWarning, match="get_last_lr"):
        scheduler.get_lr()


def test_callables_with_a_memory_are_saved():
    class Halving:
        def __init__(self):
            self.calls = 0

        def __call__(self, t):
            self.calls += 1
            return 0.5**self.calls

    first, second = Halving(), Halving()
    scheduler = MultiplicativeLR(optimizer_of(), first)
    scheduler.optimizer.step()
    scheduler.step()
    other = MultiplicativeLR(optimizer_of(), second)
    other.load_state_dict(scheduler.state_dict())
    assert second.calls == first.calls == 2
    plain = LambdaLR(optimizer_of(), lambda t: 1.0)
    assert plain.state_dict()["lr_lambdas"] == [None, None]


def test_a_schedule_of_your_own():
    class Harmonic(LRScheduler):
        def get_lr(self):
            return [base / (1 + self.last_epoch) for base in self.base_lrs]

    optimizer = optimizer_of()
    scheduler = Harmonic(optimizer)
    optimizer.step()
    scheduler.step()
    assert scheduler.get_last_lr() == [base / 2 for base in BASES]


def test_resuming_wants_the_initial_rates():
    with pytest.raises(KeyError, match=r"initial_lr.*param_groups\[0\]"):
        StepLR(optimizer_of(), 2, last_epoch=3)
    optimizer = optimizer_of()
    for group, base in zip(optimizer.param_groups, BASES):
        group["initial_lr"] = base
    CosineAnnealingLR(optimizer, 8, last_epoch=3)
    np.testing.assert_allclose(rates(optimizer), BASES)


@pytest.mark.parametrize(
    ("make_scheduler", "error", "match"),
    [
        (lambda o: StepLR(3, 2), TypeError, "int is not an Optimizer"),
        (lambda o: StepLR(o, 0), ValueError, "step_size must be a positive"),
        (lambda o: CosineAnnealingLR(o, 0), ValueError, "T_max must be a positive"),
        (lambda o: PolynomialLR(o, 0), ValueError, "total_iters must be a positive"),
        (lambda o: ConstantLR(o, 1.5), ValueError, "between 0 and 1, not 1.5"),
        (lambda o: LinearLR(o, 0.0), ValueError, "above 0"),
        (lambda o: LinearLR(o, 0.1, 2.0), ValueError, "end_factor"),
        (lambda o: LambdaLR(o, [len]), ValueError, "Expected 2 lr_lambdas, but got 1"),
        (lambda o: MultiplicativeLR(o, 0.5), TypeError, "a function, but got float"),
        (lambda o: CosineAnnealingWarmRestarts(o, 0), ValueError, "T_0"),
        (lambda o: CosineAnnealingWarmRestarts(o, 1, 0.5), ValueError, "T_mult"),
        (lambda o: CosineAnnealingWarmRestarts(o, 1, 1, "x"), ValueError, "eta_min"),
        (lambda o: CyclicLR(o, 0.1, 0.5, mode="square"), ValueError, "square"),
        (lambda o: CyclicLR(o, [0.1], 0.5), ValueError, "base_lr has 1 values"),
        (lambda o: OneCycleLR(o, 0.1), ValueError, "total_steps OR"),
        (lambda o: OneCycleLR(o, 0.1, total_steps=-1), ValueError, "positive integer total_steps"),
        (lambda o: OneCycleLR(o, 0.1, total_steps=9, pct_start=2.0), ValueError, "pct_start"),
        (lambda o: OneCycleLR(o, 0.1, total_steps=9, anneal_strategy="x"), ValueError, "'x'"),
        (lambda o: ReduceLROnPlateau(o, factor=1.0), ValueError, "Factor should be < 1.0"),
        (lambda o: ReduceLROnPlateau(o, "most"), ValueError, "mode most"),
        (lambda o: ReduceLROnPlateau(o, threshold_mode="x"), ValueError, "threshold mode x"),
        (lambda o: ReduceLROnPlateau(o, min_lr=[0.1]), ValueError, "min_lr has 1 values"),
        (lambda o: SequentialLR(o, [], []), ValueError, "at least one"),
        (lambda o: SequentialLR(o, [StepLR(o, 2)], [3]), ValueError, "milestone"),
        (lambda o: SequentialLR(o, [StepLR(optimizer_of(), 2)], []), ValueError, "same optimizer"),
        (lambda o: ChainedScheduler([]), ValueError, "at least one"),
        (lambda o: ChainedScheduler([3]), TypeError, "index 0 has no optimizer"),
        (lambda o: ChainedScheduler([ReduceLROnPlateau(o)]), ValueError, "ReduceLROnPlateau"),
    ],
)
def test_what_makes_no_schedule_is_refused_and_changes_nothing(make_scheduler, error, match):
    optimizer = optimizer_of()
    before = [dict(group) for group in optimizer.param_groups]
    with pytest.raises(error, match=match):
        make_scheduler(optimizer)
    for group in optimizer.param_groups:
        group.pop("initial_lr", None)  # left by the inner schedulers, which are sound
    assert [dict(group) for group in optimizer.param_groups] == before


def test_one_cycle_ends():
    optimizer = optimizer_of()
    scheduler = OneCycleLR(optimizer, 0.1, total_steps=3)
    optimizer.step()
    for _ in range(3):
        scheduler.step()
    with pytest.raises(ValueError, match="3"):
        scheduler.step()


def test_plateaus_respect_cooldown_and_the_lowest_rate():
    optimizer = optimizer_of()
    scheduler = ReduceLROnPlateau(optimizer, patience=0, cooldown=2, factor=0.1, min_lr=0.05)
    seen = []
    for _ in range(6):
        scheduler.step(make(np.array(1.0)))
        seen.append(rates(optimizer)[0])
    np.testing.assert_allclose(seen, [0.3, 0.05, 0.05, 0.05, 0.05, 0.05])
    optimizer.add_param_group({"params": parameters(seed=5), "lr": 1.0})
    for _ in range(6):
        scheduler.step(1.0)
    assert rates(optimizer)[2] < 1.0


def test_schedules_inside_schedules_are_undone_and_saved():
    optimizer = optimizer_of()
    optimizer.step()
    inner = SequentialLR(optimizer, [ConstantLR(optimizer, 0.5, 3), StepLR(optimizer, 2)], [3])
    scheduler = SequentialLR(optimizer, [inner, ExponentialLR(optimizer, 0.5)], [4])
    assert rates(optimizer) == [base / 2 for base in BASES]
    saved = scheduler.state_dict()
    assert len(saved["_schedulers"]) == 2
    assert len(saved["_schedulers"][0]["_schedulers"]) == 2
    with pytest.raises(ValueError, match="1 schedulers was given to 2"):
        scheduler.load_state_dict({**saved, "_schedulers": saved["_schedulers"][:1]})
