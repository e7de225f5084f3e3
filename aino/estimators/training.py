"""The loop in which a network learns."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from aino import optim
from aino.autograd.tensor import make
from aino.compiler.compiled import compile
from aino.errors import CompileError
from aino.estimators.arguments import OPTIMIZERS
from aino.nn.utils import clip_grad_norm_
from aino.ops.random.generator import draw

#: What ``fit`` uses where nothing else is asked for: Nesterov's momentum on gradients that are
#: never longer than 1, with a rate that falls to 0 along a cosine.
DEFAULT_RATE, MOMENTUM, LONGEST_GRADIENT = 0.1, 0.9, 1.0

#: Tracing takes as long as a hundred steps or two.
WORTH_COMPILING = 200


class Rule(NamedTuple):
    """How parameters are updated; ``falling``: by the defaults, with all that belongs to them."""

    optimizer: Any
    falling: bool


def make_rule(optimizer: Any, parameters: list, rate: float | None) -> Rule:
    """Return the optimizer of these parameters."""
    if optimizer is None:
        rate = DEFAULT_RATE if rate is None else rate
        return Rule(optim.SGD(parameters, lr=rate, momentum=MOMENTUM, nesterov=True), True)
    if isinstance(optimizer, optim.Optimizer):
        return Rule(optimizer, False)
    made = OPTIMIZERS[optimizer.lower()] if isinstance(optimizer, str) else optimizer
    return Rule(made(parameters) if rate is None else made(parameters, lr=rate), False)


def batch_size_for(samples: int) -> int:
    """Return how many samples a step looks at: all of a few, a hundredth of many."""
    return samples if samples <= 32 else min(256, max(32, samples // 100))


def batches(samples: int, size: int, shuffle: bool) -> Iterator[np.ndarray]:
    """Yield which samples each step of an epoch looks at."""
    if size >= samples:
        yield np.arange(samples)
        return
    order: Any = np.arange(samples)
    if shuffle:
        order = draw(None, "permutation", (samples,), order.dtype, samples)
    for start in range(0, samples, size):
        yield order[start : start + size]


def make_step(loss_of: Callable, rule: Rule, parameters: list) -> Callable:
    """Return the function that learns from one batch and returns its loss."""
    optimizer = rule.optimizer

    def step(*batch: Any) -> Any:
        optimizer.zero_grad()
        value = loss_of(*batch)
        value.backward()
        if rule.falling:
            clip_grad_norm_(parameters, LONGEST_GRADIENT)
        optimizer.step()
        return value

    return step


def compiled(step: Callable, size: int, steps: int) -> Callable:
    """Return the step as the program behind it, where so many steps are worth the tracing.

    The first step, in which the optimizer makes its state, is computed as it is. So are the last,
    smaller batch of an epoch and, with a warning, what has no program: a layer of the user's own
    may do what none could do again.
    """
    if steps < WORTH_COMPILING:
        return step
    program: Any = compile(step, fullgraph=True)
    begun = False

    def call(*batch: Any) -> Any:
        nonlocal program, begun
        if begun and program is not None and batch[0].array.shape[0] == size:
            try:
                return program(*batch)
            except CompileError as error:
                program = None
                warnings.warn(f"fit goes on uncompiled: {error}", RuntimeWarning, stacklevel=5)
        begun = True
        return step(*batch)

    return call


def run(
    step: Callable, rule: Rule, arrays: list, epochs: int, size: int, shuffle: bool
) -> Iterator[float]:  # fmt: skip
    """Learn for so many epochs; yield the mean loss of each."""
    samples = len(arrays[0])
    groups = rule.optimizer.param_groups
    rates = [group["lr"] for group in groups]
    whole = tuple([make(array[:]) for array in arrays]) if size >= samples else None
    for epoch in range(epochs):
        if rule.falling:
            share = 0.5 * (1.0 + math.cos(math.pi * epoch / epochs))
            for group, rate in zip(groups, rates):
                group["lr"] = rate * share
        total = 0.0
        for chosen in batches(samples, size, shuffle):
            # take() finds rows in half the time of X[chosen].
            batch = whole or tuple([make(array.take(chosen, 0)) for array in arrays])
            total += step(*batch).array.item() * len(batch[0].array)
        yield total / samples
