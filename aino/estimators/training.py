"""What ``NeuralNetwork.fit`` learns by where nothing else is asked for, and optimizers by name."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from aino import optim
from aino.train import Callback
from aino.train.named import OPTIMIZERS

#: Nesterov's momentum on gradients that are never longer than 1, with a rate that falls to 0 along
#: a cosine.
DEFAULT_RATE, MOMENTUM, LONGEST_GRADIENT = 0.1, 0.9, 1.0
#: Weights of a network that learns numbers decay by this, times the share of their variance that it
#: does not explain, over the number of samples; from this share of the epochs on.
_DECAY, _DECAYS_FROM = 20.0, 0.4


class Rule(NamedTuple):
    """How parameters are updated; ``falling``: by the defaults, with all that belongs to them."""

    optimizer: Any
    falling: bool


def make_rule(
    optimizer: Any, parameters: list, rate: float | None, weight_decay: float | None = None
) -> Rule:
    """Return the optimizer of these parameters; weights decay, biases do not."""
    if isinstance(optimizer, optim.Optimizer):
        return Rule(optimizer, False)
    given: Any = parameters
    biases = [p for p in parameters if p.ndim < 2]
    options: dict[str, Any] = {}
    if weight_decay is not None:
        options["weight_decay"] = weight_decay
        if weight_decay and biases:
            weights = [p for p in parameters if p.ndim > 1]
            given = [{"params": weights}, {"params": biases, "weight_decay": 0.0}]
    if rate is not None:
        options["lr"] = rate
    if optimizer is None:
        options = {"lr": DEFAULT_RATE, "momentum": MOMENTUM, "nesterov": True} | options
        return Rule(optim.SGD(given, **options), True)
    made = OPTIMIZERS[optimizer.lower()] if isinstance(optimizer, str) else optimizer
    return Rule(made(given, **options), False)


def kind_of_decay(weight_decay: float | None) -> bool | float | None:
    """Return what two steps have in common that differ in their weight decay alone.

    One that was not given is the optimizer's own, which is not none at all.
    """
    return weight_decay and True


def begin_anew(
    optimizer: Any, default_rate: float, rate: float | None, weight_decay: float | None
) -> None:
    """Let an optimizer of `make_rule` be as if it had been made with these numbers."""
    for group in optimizer.param_groups:
        group["lr"] = default_rate if rate is None else rate
    if weight_decay is not None:
        optimizer.param_groups[0]["weight_decay"] = weight_decay
    optimizer.begin_anew()


class Falling(Callback):
    """Lets the learning rates fall to 0 along a cosine."""

    def on_fit_start(self, loop: Any) -> None:
        self.rates = [group["lr"] for group in loop.optimizer.param_groups]

    def on_epoch_start(self, loop: Any) -> None:
        share = 0.5 * (1.0 + math.cos(math.pi * loop.epoch / loop.epochs))
        for group, rate in zip(loop.optimizer.param_groups, self.rates):
            group["lr"] = rate * share


class Decay(Callback):
    """Lets weights decay as much as the data are noisy, so that noise is not learned by heart.

    A squared error of variance v per sample and weights of variance w before any data were seen are
    most probable together where the mean squared error plus v / (n w) times the sum of squared
    weights is least. Of v the error so far is an estimate, which a network that can explain all
    brings to 0; a network that has not learned anything yet is left alone.

    The targets have a variance of 1.

    Arguments:
        samples: n.
    """

    #: What a group's decay is before: nothing, but no other program.
    none_yet = 1e-30

    def __init__(self, samples: int) -> None:
        self.samples = samples

    def on_epoch_end(self, loop: Any) -> None:
        if loop.epoch < _DECAYS_FROM * loop.epochs:
            return
        noise = min(1.0, loop.history["loss"][-1])
        learned = min(1.0, 4.0 * (1.0 - noise))
        decay = max(self.none_yet, _DECAY * noise * learned / self.samples)
        loop.optimizer.param_groups[0]["weight_decay"] = decay
