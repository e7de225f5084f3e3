"""The loss of sequences whose labels are known, and not where they stand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from aino import tracing
from aino.autograd.duck import Duck
from aino.autograd.rules import ctc as rules
from aino.autograd.tensor import Tensor, make
from aino.dtypes import float16
from aino.errors import ArgumentError, DtypeError, ShapeError
from aino.nn.functional.reduction import named_reduction
from aino.ops.half import in_float32


def ctc_loss(
    log_probs: Tensor, targets: Tensor, input_lengths: Any, target_lengths: Any, blank: int = 0,
    reduction: str = "mean", zero_infinity: bool = False,
) -> Tensor:  # fmt: skip
    """Return -ln p(targets): p sums over all paths that give the labels without blanks and repeats.

    The mean divides each loss by the number of its labels first. The gradient is that of the
    formula, while PyTorch's is right only of what ``log_softmax`` gave. Raises ``ShapeError`` for
    shapes that do not fit, ``ValueError`` for lengths that go beyond what there is.

    Arguments:
        log_probs: logarithms of the classes' probabilities (T, N, C), or (T, C) for one sample.
        targets: the labels, integers (N, S), or all of them one after the other (sum of lengths,).
        input_lengths: how many steps each sample has: (N,), a tensor or a tuple.
        target_lengths: how many labels each sample has.
        blank: the class that stands for no label.
        reduction: "mean", "sum", or "none" for the loss of each sample.
        zero_infinity: a sample with too few steps for its labels has the loss 0, not infinity.

    Source: Graves et al., "Connectionist temporal classification", 2006.

    >>> import aino
    >>> x = aino.zeros(2, 1, 2).log_softmax(2)
    >>> aino.nn.functional.ctc_loss(x, aino.tensor([[1]]), (2,), (1,))
    tensor(0.2877)
    """
    reduction = named_reduction(None, None, reduction)
    if log_probs.array.dtype is float16:
        return in_float32(
            ctc_loss, log_probs, targets, input_lengths, target_lengths, blank, reduction,
            zero_infinity,
        )  # fmt: skip
    if log_probs.ndim not in (2, 3):
        raise ShapeError(f"ctc_loss takes log_probs of 2 or 3 dimensions, got {log_probs.ndim}")
    if log_probs.array.dtype.kind != "f" or targets.array.dtype.kind not in "iu":
        raise DtypeError(
            f"ctc_loss takes floating-point log_probs and integer targets, got {log_probs.dtype} "
            f"and {targets.dtype}"
        )
    batched = log_probs.ndim == 3
    x = log_probs if batched else log_probs.unsqueeze(1)
    steps, samples, count = x.shape
    if not 0 <= blank < count:
        raise ArgumentError(f"ctc_loss: blank must be one of the {count} classes, got {blank}")
    inputs = _lengths("input_lengths", input_lengths, samples)
    lengths = _lengths("target_lengths", target_lengths, samples)
    labels = targets.array if batched else targets.array.reshape((1, -1))
    if labels.ndim == 1:
        lengths = tracing.data_for_shape(lengths, "ctc_loss", "give targets in the shape (N, S)")
        labels = _apart(labels, lengths)
    elif labels.ndim != 2 or labels.shape[0] != samples:
        raise ShapeError(
            f"ctc_loss: targets have the shape ({samples}, S) here, or one dimension, not "
            f"{tuple(targets.shape)}"
        )
    tracing.checked(_check, labels, inputs, lengths, steps, count)
    labels = in_range(labels, lengths, blank)
    if any([isinstance(part, Duck) for part in (x.array, labels, inputs, lengths)]):
        definition = rules.ctc.primitive.definition
        loss = definition(x, math.inf, None, labels, inputs, lengths, blank)
    else:
        found = rules.ctc_forward(x.array, labels, inputs, lengths, blank)
        loss = rules.ctc(x, *found, labels, inputs, lengths, blank)
    if zero_infinity:
        loss = np.where(loss.detach() == math.inf, 0.0, loss)
    if reduction == "none":
        return loss if batched else loss.squeeze(0)
    if reduction == "sum":
        return loss.sum()
    return (loss / make(np.maximum(lengths, 1).astype(x.array.dtype))).mean()


def _lengths(name: str, given: Any, samples: int) -> Any:
    array = given.array if isinstance(given, Tensor) else np.asarray(given)
    if array.dtype.kind not in "iu":
        raise DtypeError(f"ctc_loss: {name} are integers, not {array.dtype}")
    array = array.reshape((-1,))
    if array.shape[0] != samples:
        raise ShapeError(f"ctc_loss: {name} has {array.shape[0]} lengths for {samples} samples")
    return array


def _apart(labels: Any, lengths: Any) -> Any:
    """Return labels that stand one after the other in rows of their own."""
    if int(lengths.sum()) != labels.shape[0]:
        raise ArgumentError(
            f"ctc_loss: target_lengths add up to {int(lengths.sum())}, and there are "
            f"{labels.shape[0]} labels"
        )
    places = np.arange(lengths.max(initial=0))
    index = (np.cumsum(lengths) - lengths)[:, None] + places
    return labels[np.minimum(index, max(labels.shape[0] - 1, 0))]


def in_range(labels, lengths, blank):
    """Return the labels, blanks behind the last of each row."""
    return np.where(np.arange(labels.shape[1]) < lengths[:, None], labels, blank).astype(np.int64)


def _check(labels, inputs, lengths, steps, count) -> None:
    if inputs.size and (inputs.max() > steps or inputs.min() < 0):
        raise ArgumentError(
            f"ctc_loss: expected input_lengths to have values from 0 to {steps}, got "
            f"{inputs.max() if inputs.max() > steps else inputs.min()}"
        )
    if lengths.size and (lengths.max() > labels.shape[1] or lengths.min() < 0):
        raise ArgumentError(
            f"ctc_loss: expected target_lengths to have values from 0 to {labels.shape[1]}, got "
            f"{lengths.max() if lengths.max() > labels.shape[1] else lengths.min()}"
        )
    used = labels[np.arange(labels.shape[1]) < lengths[:, None]]
    if used.size and (used.min() < 0 or used.max() >= count):
        raise ArgumentError(f"ctc_loss: a label is none of the {count} classes")
