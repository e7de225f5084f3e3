"""A row describes one optimizer, or one schedule, for the tests."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import aino.optim as optim
from aino.optim import lr_scheduler, swa_utils
from tests.optim import oracles
from tests.optim.helpers import SHAPES


@dataclass(frozen=True)
class Row:
    """An optimizer, its oracle, the settings to try it with, what it keeps of a parameter.

    ``keeps`` may depend on the shape of the parameter; ``shapes`` are those that it steps.
    """

    name: str
    oracle: Callable
    keeps: tuple[str, ...] | Callable
    settings: list[dict] = field(default_factory=list)
    refuses: list[dict] = field(default_factory=list)
    shapes: list[tuple[int, ...]] = field(default_factory=lambda: SHAPES)
    takes_complex: bool = True
    maximizes: bool = True

    def kept_of(self, shape):
        return self.keeps(shape) if callable(self.keeps) else self.keeps

    def make(self, parameters, **settings):
        return getattr(optim, self.name)(parameters, **settings)


BETAS = [{"betas": (1.0, 0.9)}, {"betas": (0.9, -0.1)}, {"betas": (0.9,)}]
BASIC = [{"lr": -0.1}, {"lr": math.nan}, {"weight_decay": -1.0}]

ROWS = [
    Row("SGD", oracles.sgd, (), [{}, {"lr": 0.1, "weight_decay": 0.2}],
        refuses=[*BASIC, {"momentum": -0.5}, {"nesterov": True},
                 {"nesterov": True, "momentum": 0.9, "dampening": 0.1}]),
    Row("SGD", oracles.sgd, ("momentum_buffer",),
        [{"momentum": 0.9}, {"momentum": 0.9, "dampening": 0.4, "weight_decay": 0.1},
         {"momentum": 0.9, "nesterov": True}]),
    Row("Adam", oracles.adam, ("step", "exp_avg", "exp_avg_sq"),
        [{}, {"lr": 0.01, "betas": (0.5, 0.9)}, {"weight_decay": 0.1, "eps": 1e-3}],
        refuses=[*BASIC, *BETAS, {"eps": -1.0}]),
    Row("Adam", oracles.adam, ("step", "exp_avg", "exp_avg_sq", "max_exp_avg_sq"),
        [{"amsgrad": True, "weight_decay": 0.1}]),
    Row("AdamW", oracles.adamw, ("step", "exp_avg", "exp_avg_sq"),
        [{}, {"lr": 0.01, "weight_decay": 0.5}], refuses=[*BASIC, *BETAS, {"eps": -1.0}]),
    Row("RMSprop", oracles.rmsprop, ("step", "square_avg"),
        [{}, {"alpha": 0.9, "weight_decay": 0.1}],
        refuses=[*BASIC, {"alpha": 1.5}, {"momentum": -1.0}, {"eps": -1.0}]),
    Row("RMSprop", oracles.rmsprop, ("step", "square_avg", "momentum_buffer", "grad_avg"),
        [{"momentum": 0.9, "centered": True, "eps": 1e-2}]),
    Row("Adagrad", oracles.adagrad, ("step", "sum"),
        [{}, {"lr_decay": 0.1, "initial_accumulator_value": 0.2, "weight_decay": 0.1}],
        refuses=[*BASIC, {"lr_decay": -1.0}, {"initial_accumulator_value": -1.0}]),
    Row("Adadelta", oracles.adadelta, ("step", "square_avg", "acc_delta"),
        [{}, {"lr": 0.5, "rho": 0.5, "weight_decay": 0.1}], refuses=[*BASIC, {"rho": 1.1}]),
    Row("Adamax", oracles.adamax, ("step", "exp_avg", "exp_inf"), [{}, {"weight_decay": 0.1}],
        refuses=[*BASIC, *BETAS]),
    Row("NAdam", oracles.nadam, ("step", "mu_product", "exp_avg", "exp_avg_sq"),
        [{}, {"weight_decay": 0.1}, {"weight_decay": 0.1, "decoupled_weight_decay": True}],
        refuses=[*BASIC, *BETAS, {"momentum_decay": -1.0}]),
    Row("RAdam", oracles.radam, ("step", "exp_avg", "exp_avg_sq"),
        [{}, {"weight_decay": 0.1, "betas": (0.9, 0.99)},
         {"weight_decay": 0.1, "decoupled_weight_decay": True}],
        refuses=[*BASIC, *BETAS]),
    Row("Rprop", oracles.rprop, ("step", "prev", "step_size"), [{}, {"etas": (0.6, 1.1)}],
        refuses=[{"lr": -1.0}, {"etas": (1.1, 1.2)}]),
    Row("Adafactor", oracles.adafactor,
        lambda shape: ("step", "row_var", "col_var") if len(shape) > 1 else ("step", "variance"),
        [{}, {"lr": 0.1, "weight_decay": 0.1, "d": 2.0},
         {"eps": (1e-3, 1e-2), "beta2_decay": -0.5}],
        refuses=[*BASIC, {"beta2_decay": 0.1}, {"eps": (-1.0, 0.1)}, {"eps": (None, -1.0)},
                 {"d": 0.5}], takes_complex=False),
    Row("Muon", oracles.muon, ("momentum_buffer",),
        [{}, {"lr": 0.1, "nesterov": False, "adjust_lr_fn": "match_rms_adamw"},
         {"momentum": 0.5, "weight_decay": 0.0, "ns_steps": 2, "eps": 1e-3}],
        refuses=[*BASIC, {"momentum": -1.0}, {"adjust_lr_fn": "none"}, {"ns_steps": 100},
                 {"ns_coefficients": (1.0, 2.0)}],
        shapes=[(3, 4), (5, 2), (1, 4), (3, 3)], takes_complex=False, maximizes=False),
    Row("ASGD", oracles.asgd, ("step", "eta", "mu", "ax"),
        [{}, {"lambd": 0.1, "t0": 10, "weight_decay": 0.1}], refuses=BASIC),
]  # fmt: skip

#: Not stepped from gradients alone: it has tests of its own.
WITH_CLOSURE = {"LBFGS"}
#: There by name, to say why they are not.
REFUSED = {"SparseAdam"}


@dataclass(frozen=True)
class Schedule:
    """A schedule: how to make it, and the rate that it gives at step t to a group of rate ``base``.

    ``metric(t)`` is what ``step`` is given, where it wants something.
    """

    name: str
    make: Callable
    rate: Callable
    metric: Callable | None = None


def _triangle(t, up, down):
    into = t % (up + down)
    return into / up if into <= up else 1 - (into - up) / down


def _one_cycle(t, base):
    if t <= 5:
        return 0.02 + (0.5 - 0.02) * (1 - math.cos(math.pi * t / 5)) / 2
    low = 0.02 / 1e4
    return low + (0.5 - low) * (1 + math.cos(math.pi * (t - 5) / 14)) / 2


def _warm(t, base):
    begin, length = 0, 3
    while t - begin >= length:
        begin, length = begin + length, length * 2
    return 0.01 + (base - 0.01) * (1 + math.cos(math.pi * (t - begin) / length)) / 2


L = lr_scheduler
SCHEDULES = [
    Schedule("LambdaLR", lambda o: L.LambdaLR(o, lambda t: 1 / (1 + t)), lambda t, b: b / (1 + t)),
    Schedule("MultiplicativeLR", lambda o: L.MultiplicativeLR(o, lambda t: 0.9),
             lambda t, b: b * 0.9**t),
    Schedule("StepLR", lambda o: L.StepLR(o, 4, 0.5), lambda t, b: b * 0.5 ** (t // 4)),
    Schedule("MultiStepLR", lambda o: L.MultiStepLR(o, [3, 7, 7], 0.5),
             lambda t, b: b * (1 if t < 3 else 0.5 if t < 7 else 0.125)),
    Schedule("ConstantLR", lambda o: L.ConstantLR(o, 0.25, 4),
             lambda t, b: b * (0.25 if t < 4 else 1)),
    Schedule("LinearLR", lambda o: L.LinearLR(o, 0.2, 0.8, 6),
             lambda t, b: b * (0.2 + 0.6 * min(t, 6) / 6)),
    Schedule("ExponentialLR", lambda o: L.ExponentialLR(o, 0.9), lambda t, b: b * 0.9**t),
    Schedule("PolynomialLR", lambda o: L.PolynomialLR(o, 12, 2.0),
             lambda t, b: b * (1 - min(t, 12) / 12) ** 2),
    Schedule("CosineAnnealingLR", lambda o: L.CosineAnnealingLR(o, 8, 0.01),
             lambda t, b: 0.01 + (b - 0.01) * (1 + math.cos(math.pi * t / 8)) / 2),
    Schedule("CosineAnnealingWarmRestarts",
             lambda o: L.CosineAnnealingWarmRestarts(o, 3, 2, 0.01), _warm),
    Schedule("CyclicLR", lambda o: L.CyclicLR(o, 0.1, 0.5, 4, 2),
             lambda t, b: 0.1 + 0.4 * _triangle(t, 4, 2)),
    Schedule("CyclicLR", lambda o: L.CyclicLR(o, 0.1, 0.5, 4, mode="triangular2"),
             lambda t, b: 0.1 + 0.4 * _triangle(t, 4, 4) / 2 ** (t // 8)),
    Schedule("CyclicLR", lambda o: L.CyclicLR(o, 0.1, 0.5, 4, mode="exp_range", gamma=0.9),
             lambda t, b: 0.1 + 0.4 * _triangle(t, 4, 4) * 0.9**t),
    Schedule("OneCycleLR", lambda o: L.OneCycleLR(o, 0.5, total_steps=20), _one_cycle),
    Schedule("ReduceLROnPlateau", lambda o: L.ReduceLROnPlateau(o, factor=0.5, patience=3),
             lambda t, b: b * 0.5 ** (max(t - 2, 0) // 4), metric=lambda t: max(1.0, 3.0 - t)),
    Schedule("SequentialLR",
             lambda o: L.SequentialLR(o, [L.ConstantLR(o, 0.1, 9), L.ExponentialLR(o, 0.5)], [5]),
             lambda t, b: 0.1 * b if t < 5 else b * 0.5 ** (t - 5)),
    Schedule("ChainedScheduler",
             lambda o: L.ChainedScheduler([L.ConstantLR(o, 0.5, 4), L.ExponentialLR(o, 0.9)]),
             lambda t, b: b * 0.9**t * (0.5 if t < 4 else 1)),
    Schedule("SWALR", lambda o: swa_utils.SWALR(o, 0.02, 6),
             lambda t, b: 0.02 + (b - 0.02) * (1 + math.cos(math.pi * min(t, 6) / 6)) / 2),
    Schedule("SWALR", lambda o: swa_utils.SWALR(o, 0.02, 5, "linear"),
             lambda t, b: b + (0.02 - b) * min(t, 5) / 5),
]  # fmt: skip
