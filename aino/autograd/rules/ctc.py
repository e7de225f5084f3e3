"""Connectionist temporal classification: minus the logarithm of the probability of a labelling.

All paths that collapse to the labels are summed by the forward recursion over the states blank,
label, blank, label, ..., blank; the derivative comes from the same recursion backward.

Source: Graves et al., "Connectionist temporal classification", 2006.
"""

from __future__ import annotations

import math

import numpy as np

from aino.autograd.primitive import primitive
from aino.autograd.rules.elementwise import logaddexp
from aino.autograd.rules.index import gather
from aino.tracing import opaque

#: The logarithm of a probability that is as good as 0, and can still be added to.
LOWEST = -1e30


def states_of(targets, blank):
    """Return the classes of the states (N, 2 S + 1), and where one may come from two before it."""
    samples, length = targets.shape
    blanks = np.full_like(targets, blank)
    pairs = np.stack([blanks, targets], 2).reshape((samples, 2 * length))
    classes = np.concatenate([pairs, np.full_like(targets, blank, shape=(samples, 1))], 1)
    never = np.zeros_like(classes[:, :2], dtype=bool)
    jumps = (classes[:, 2:] != blank) & (classes[:, 2:] != classes[:, :-2])
    return classes, np.concatenate([never, jumps], 1)


def _moved(a, steps):
    """Return what stands so many states before each; those before the first are impossible."""
    moved = np.full_like(a, -math.inf)
    if steps > 0:
        moved[:, steps:] = a[:, :-steps]
    else:
        moved[:, :steps] = a[:, -steps:]
    return moved


def _log_sum(*terms):
    top = np.maximum.reduce(terms)
    top = np.where(top == -math.inf, 0.0, top)
    total = sum([np.exp(term - top) for term in terms])
    with np.errstate(divide="ignore"):
        return np.log(total) + top


@opaque
def ctc_forward(x, targets, input_lengths, target_lengths, blank):
    """Return the losses of the samples, and the logarithms of the forward probabilities."""
    steps, samples, _ = x.shape
    classes, jumps = states_of(targets, blank)
    emitted = np.take_along_axis(x, np.broadcast_to(classes, (steps, *classes.shape)), 2)
    alpha = np.full(emitted.shape, -math.inf, x.dtype)
    if steps:
        alpha[0, :, 0] = emitted[0, :, 0]
        if targets.shape[1]:
            alpha[0, :, 1] = np.where(target_lengths > 0, emitted[0, :, 1], -math.inf)
    for t in range(1, steps):
        before = alpha[t - 1]
        jumped = np.where(jumps, _moved(before, 2), -math.inf)
        alpha[t] = emitted[t] + _log_sum(before, _moved(before, 1), jumped)
    rows = np.arange(samples)
    last = alpha[input_lengths - 1, rows]
    ends = last[rows, 2 * target_lengths]
    second = np.where(
        target_lengths > 0, last[rows, np.maximum(2 * target_lengths - 1, 0)], -math.inf
    )
    losses = -_log_sum(ends, second)
    # Nothing was read: that is certain of no labels, and impossible of any.
    losses = np.where(input_lengths == 0, np.where(target_lengths == 0, 0.0, math.inf), losses)
    return losses.astype(x.dtype), alpha


@opaque
def ctc_backward(g, x, losses, alpha, targets, input_lengths, target_lengths, blank):
    """Return the slopes for x: minus how often a class is emitted at each step, on average."""
    steps, samples, _ = x.shape
    classes, jumps = states_of(targets, blank)
    emitted = np.take_along_axis(x, np.broadcast_to(classes, (steps, *classes.shape)), 2)
    slopes = np.zeros_like(x)
    rows = np.arange(samples)
    # What may follow: the end is reached from the last two states at the last step.
    end = np.full(classes.shape, -math.inf, x.dtype)
    end[rows, 2 * target_lengths] = 0.0
    some = target_lengths > 0
    end[rows[some], 2 * target_lengths[some] - 1] = 0.0
    jumps = np.concatenate([jumps[:, 2:], np.zeros((samples, 2), bool)], 1)[:, : classes.shape[1]]
    beta = np.full(classes.shape, -math.inf, x.dtype)
    finite = np.where(np.isfinite(losses), losses, -math.inf)
    for t in range(steps - 1, -1, -1):
        if t + 1 < steps:
            after = beta + emitted[t + 1]
            jumped = np.where(jumps, _moved(after, -2), -math.inf)
            beta = _log_sum(after, _moved(after, -1), jumped)
        beta = np.where((input_lengths - 1 == t)[:, None], end, beta)
        beta = np.where((input_lengths - 1 < t)[:, None], -math.inf, beta)
        shares = np.exp(alpha[t] + beta + finite[:, None]) * g[:, None]
        np.subtract.at(slopes[t], (rows[:, None], classes), shares)
    return slopes


def _before(alpha, steps):
    lowest = np.zeros_like(alpha[:, :steps]) + LOWEST
    return np.concatenate([lowest, alpha[:, :-steps]], 1)


def _definition(x, losses, alpha, targets, input_lengths, target_lengths, blank):
    steps = x.shape[0]
    classes, jumps = states_of(targets, blank)
    index = classes + np.zeros((steps, 1, 1), np.int64)
    emitted = gather(x, index, 2, False)
    emitted = np.maximum(emitted, LOWEST)
    states = np.arange(classes.shape[1])
    first = (states == 0) | ((states == 1) & (target_lengths[:, None] > 0))
    a = np.where(first, emitted[0], LOWEST)
    for t in range(1, steps):
        found = a
        if classes.shape[1] > 1:
            found = logaddexp(found, _before(a, 1))
        if classes.shape[1] > 2:
            found = logaddexp(found, np.where(jumps, _before(a, 2), LOWEST))
        a = np.where((t < input_lengths)[:, None], found + emitted[t], a)
    ends = (states == 2 * target_lengths[:, None]) | (states == 2 * target_lengths[:, None] - 1)
    a = np.where(ends, a, LOWEST)
    total = a[:, 0]
    for state in range(1, classes.shape[1]):
        total = logaddexp(total, a[:, state])
    read = np.where(total > 0.5 * LOWEST, -total, math.inf)
    return np.where(input_lengths > 0, read, losses)


ctc = primitive(
    "ctc", lambda x, losses, alpha, targets, input_lengths, target_lengths, blank: losses,
    inputs="x", formula="-ln Σ Π x over all paths", definition=_definition,
    x=lambda g, x, losses, alpha, targets, input_lengths, target_lengths, blank: ctc_backward(
        g, x, losses, alpha, targets, input_lengths, target_lengths, blank
    ),
)  # fmt: skip
