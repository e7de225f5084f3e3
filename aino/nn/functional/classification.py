"""Losses for classes: how little probability the right ones were given."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino import tracing
from aino.autograd.duck import Duck, looked_up
from aino.autograd.rules import fused
from aino.autograd.rules.activation import log_softmax as log_softmax_rule
from aino.autograd.rules.index import gather_of
from aino.autograd.sums import sum_over
from aino.autograd.tensor import Tensor, make
from aino.dtypes import float16
from aino.errors import ArgumentError, BoundsError, DtypeError, ShapeError
from aino.nn.functional.reduction import named_reduction, reduced
from aino.ops.arguments import wrapped
from aino.ops.half import in_float32
from aino.ops.pointwise.softmax import log_softmax


def cross_entropy(
    input: Tensor, target: Tensor, weight: Any = None, size_average: bool | None = None,
    ignore_index: int = -100, reduce: bool | None = None, reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:  # fmt: skip
    """Return the mean of -ln softmax(x) at the right classes: for scores, not for probabilities.

    With label smoothing ε the target is 1 - ε times itself plus ε times the uniform distribution.
    The mean divides by the sum of the classes' weights where the target is indices, by the number
    of samples where it is probabilities. Raises ``IndexError`` for a class index out of range,
    ``ShapeError`` for shapes that do not fit, ``ValueError`` for ε outside [0, 1].

    Arguments:
        input: x: scores (N, C, ...), or (C,) for one sample.
        target: indices of classes (N, ...), integers; or probabilities in the input's shape.
        weight: how much each class counts: (C,).
        size_average, reduce: the older way to choose the reduction; both deprecated.
        ignore_index: samples of this class are left out.
        reduction: "mean", "sum", or "none" for the loss of each sample.
        label_smoothing: ε, 0 to 1.

    Source of label smoothing: Szegedy et al., "Rethinking the Inception architecture", 2016.

    >>> import aino
    >>> scores = aino.tensor([[2.0, 0.0], [0.0, 0.0]])
    >>> aino.nn.functional.cross_entropy(scores, aino.tensor([0, 1]))
    tensor(0.4100)
    """
    if reduction != "mean" or size_average is not None or reduce is not None:
        reduction = named_reduction(size_average, reduce, reduction)
    if input.array.dtype is float16:
        return in_float32(
            cross_entropy, input, target, weight, None, ignore_index, None, reduction,
            label_smoothing,
        )  # fmt: skip
    if weight is None and label_smoothing == 0.0 and reduction == "mean" and ignore_index < 0:
        loss = _plain_cross_entropy(input, target)
        if loss is not None:
            return loss
    if not 0.0 <= label_smoothing <= 1.0:
        raise ArgumentError(f"label_smoothing must be between 0.0 and 1.0, got {label_smoothing}")
    if input.ndim == 0:
        raise ShapeError("cross_entropy: the input has no dimension of classes")
    classes = 0 if input.ndim == 1 else 1
    if target.shape == input.shape and target.array.dtype.kind in "fc":
        if ignore_index >= 0:
            raise ArgumentError(
                "cross_entropy: ignore_index is for targets that are indices of classes; this one "
                "holds probabilities"
            )
        return _of_probabilities(input, target, weight, reduction, label_smoothing, classes)
    scores = log_softmax(input, classes)
    loss = _of_indices(scores, target, weight, ignore_index, reduction)
    if label_smoothing == 0.0:
        return loss
    smooth = _spread_evenly(scores, target, weight, ignore_index, reduction, classes)
    share = label_smoothing / input.shape[classes]
    return (1.0 - label_smoothing) * loss + share * smooth


def _plain_cross_entropy(input: Any, target: Any) -> Any:
    """Return the mean over class indices by one fused operation, None where it does not apply."""
    scores, labels = input.array, target.array
    shape = scores.shape
    if len(shape) != 2 or labels.shape != shape[:1] or not shape[0] or labels.dtype.kind != "i":
        return None
    if scores.dtype.kind != "f" or not scores.flags.c_contiguous or isinstance(labels, Duck):
        return None
    try:
        places = class_places(labels, shape)
    except tracing.UnlikeError:
        return None  # a label that is ignored, or of no class
    return fused.cross_entropy(input, log_softmax_rule(scores, 1), places)


#: The labels that were looked at last, as bytes, with the shape of the scores and their places:
#: a step over all samples has the same at every call, and comparing them is soon done.
_last: tuple[bytes, tuple, Any] = (b"", (), None)


@tracing.precondition
def class_places(labels: Any, shape: tuple[int, int]) -> np.ndarray:
    """Return where the score of each row's class lies in the flat matrix."""
    global _last
    content = labels.tobytes() if labels.nbytes <= 4096 else b""
    before, form, places = _last
    if content and content == before and form == (*shape, labels.dtype):
        return places
    try:
        places = np.ravel_multi_index((np.arange(shape[0]), labels), shape)
    except ValueError:
        raise tracing.UnlikeError("a label is none of the classes") from None
    places.flags.writeable = False
    _last = (content, (*shape, labels.dtype), places)
    return places


def _of_probabilities(input, target, weight, reduction, label_smoothing, classes):
    if label_smoothing > 0.0:
        target = target * (1.0 - label_smoothing) + label_smoothing / input.shape[classes]
    scores = log_softmax(input, classes)
    if weight is not None:
        scores = scores * _along(weight, classes, input.ndim)
    loss = -(scores * target).sum(classes)
    if reduction == "mean":
        return loss.sum() / max(loss.array.size, 1) if loss.ndim else loss
    return reduced(loss, reduction)


def _along(weight: Any, dim: int, rank: int) -> Any:
    """Return class weights as a tensor that is broadcast along the other dimensions."""
    shape = [1] * rank
    shape[dim] = -1
    return weight.reshape(shape)


def _labels(scores: Any, target: Any, ignore_index: int) -> tuple[Any, Any, Any]:
    """Return the classes, 0 where they are ignored, and where they are not ignored."""
    labels = target.array
    shape = scores.array.shape
    if not shape:
        raise ShapeError("the input has no dimension of classes")
    expected = shape[:1] + shape[2:] if len(shape) > 1 else ()
    if labels.shape != expected:
        raise ShapeError(
            f"an input of shape {shape} needs classes of shape {expected}, got {labels.shape}"
        )
    if labels.dtype.kind not in "iu":
        raise DtypeError(
            f"expected class indices of an integer dtype, got {labels.dtype}: target.long(), or "
            f"probabilities of the input's shape, {shape}"
        )
    counted = labels != ignore_index
    safe = np.where(counted, labels, 0)
    tracing.checked(_check_classes, safe, shape[1] if len(shape) > 1 else shape[0])
    return safe, counted, labels


def _check_classes(labels: Any, count: int) -> None:
    if labels.size and (labels.min() < 0 or labels.max() >= count):
        wrong = labels[(labels < 0) | (labels >= count)]
        raise BoundsError(f"Target {int(wrong[0])} is out of bounds: there are {count} classes")


def _of_indices(scores, target, weight, ignore_index, reduction):
    """Return the negative scores of the target classes, weighted, masked and reduced."""
    labels, counted, _ = _labels(scores, target, ignore_index)
    classes = 0 if scores.ndim == 1 else 1
    index = labels[None] if scores.ndim == 1 else labels[:, None]
    picked = gather_of(scores, index, classes, True).reshape(labels.shape)
    if weight is None and type(counted) is np.ndarray and counted.all():
        return reduced(-picked, reduction)
    weights = counted.astype(scores.array.dtype)
    if weight is not None:
        if weight.ndim != 1 or weight.shape[0] != scores.shape[classes]:
            raise ShapeError(
                f"weight has shape {tuple(weight.shape)}; there are {scores.shape[classes]} classes"
            )
        weights = weights * looked_up(weight.array, labels)
    loss = np.where(make(counted), -picked * make(weights), 0.0)
    if reduction == "mean":
        return loss.sum() / wrapped(sum_over(weights))
    return reduced(loss, reduction)


def _spread_evenly(scores, target, weight, ignore_index, reduction, classes):
    """Return the loss of a target that gives all classes the same."""
    labels, counted, _ = _labels(scores, target, ignore_index)
    weights = counted.astype(scores.array.dtype)
    if weight is not None:
        scores = scores * _along(weight, classes, scores.ndim)
        weights = weights * looked_up(weight.array, labels)
    loss = np.where(make(counted), -scores.sum(classes), 0.0)
    if reduction == "mean":
        return loss.sum() / wrapped(sum_over(weights))
    return reduced(loss, reduction)


def nll_loss(
    input: Tensor, target: Tensor, weight: Any = None, size_average: bool | None = None,
    ignore_index: int = -100, reduce: bool | None = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """Return the mean of -x at the right classes: for log-probabilities, as of ``log_softmax``.

    The mean divides by the sum of the weights. Raises ``IndexError`` for a class index out of
    range, ``ShapeError`` for shapes that do not fit.

    Arguments:
        input: x: log-probabilities (N, C, ...), or (C,) for one sample.
        target: indices of classes: (N, ...), or () for one sample; integers.
        weight: how much each class counts: (C,).
        size_average, reduce: the older way to choose the reduction; both deprecated.
        ignore_index: samples of this class are left out.
        reduction: "mean", "sum", or "none" for the loss of each sample.

    >>> import aino
    >>> scores = aino.tensor([[-0.5, -1.0], [-2.0, -0.1]])
    >>> aino.nn.functional.nll_loss(scores, aino.tensor([0, 1]))
    tensor(0.3000)
    """
    reduction = named_reduction(size_average, reduce, reduction)
    if input.array.dtype is float16:
        return in_float32(nll_loss, input, target, weight, None, ignore_index, None, reduction)
    return _of_indices(input, target, weight, ignore_index, reduction)


def multi_margin_loss(
    input: Tensor, target: Tensor, p: int = 1, margin: float = 1.0, weight: Any = None,
    size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """Return the mean of Σ_(j ≠ y) w_y max(0, margin - x_y + x_j)ᵖ / C, with y the right class.

    Raises ``ValueError`` for another p, ``IndexError`` for a class index out of range.

    Arguments:
        input: x: scores (N, C), or (C,) for one sample.
        target: y: indices of classes (N,), or () for one sample; integers.
        p: 1 or 2.
        margin: by how much the right class's score should be the highest.
        weight: w: how much each class counts: (C,); 1 for None.
        size_average, reduce: the older way to choose the reduction; both deprecated.
        reduction: "mean", "sum", or "none" for the loss of each sample.

    >>> import aino
    >>> aino.nn.functional.multi_margin_loss(aino.tensor([[0.5, 1.0, -2.0]]), aino.tensor([1]))
    tensor(0.1667)
    """
    if p not in (1, 2):
        raise ArgumentError("only p == 1 and p == 2 supported")
    classes = input.array.shape[-1:]
    if weight is not None and weight.array.shape != classes:
        raise ShapeError(
            f"multi_margin_loss: weight is one-dimensional, of a number for each of the classes "
            f"{classes}, not of shape {weight.array.shape}"
        )
    reduction = named_reduction(size_average, reduce, reduction)
    if input.array.dtype is float16:
        return in_float32(
            multi_margin_loss, input, target, p, margin, weight, None, None, reduction
        )
    rows = input if input.ndim == 2 else input.reshape(1, -1)
    labels, _, _ = _labels(rows, target.reshape(-1), -100)
    right = gather_of(rows, labels[:, None], 1, True)
    gaps = (margin - right + rows).clamp(min=0.0)
    if p == 2:
        gaps = gaps * gaps
    others = np.arange(rows.shape[1]) != labels[:, None]
    gaps = np.where(make(others), gaps, 0.0)
    if weight is not None:
        gaps = gaps * make(looked_up(weight.array, labels)[:, None])
    loss = gaps.sum(1) / rows.shape[1]
    return reduced(loss if target.ndim else loss.squeeze(0), reduction)


def multilabel_margin_loss(
    input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """Return the mean of Σ_(y, i) max(0, 1 - (x_y - x_i)) / C, with y each right class, i none.

    Raises ``ShapeError`` unless the target has the input's shape, ``IndexError`` for a class index
    out of range.

    Arguments:
        input: x: scores (N, C), or (C,) for one sample.
        target: the right classes of each sample, integers in the input's shape; a negative one ends
            them.
        size_average, reduce: the older way to choose the reduction; both deprecated.
        reduction: "mean", "sum", or "none" for the loss of each sample.

    >>> import aino
    >>> x, right = aino.tensor([0.1, 0.2, 0.4, 0.8]), aino.tensor([3, 0, -1, 1])
    >>> aino.nn.functional.multilabel_margin_loss(x, right)
    tensor(0.8500)
    """
    reduction = named_reduction(size_average, reduce, reduction)
    if input.array.dtype is float16:
        return in_float32(multilabel_margin_loss, input, target, None, None, reduction)
    if input.ndim and not input.shape[-1]:
        raise ShapeError(
            f"multilabel_margin_loss takes scores of at least one class, got {tuple(input.shape)}"
        )
    if input.ndim > 2 or target.shape != input.shape:
        raise ShapeError(
            f"multilabel_margin_loss takes scores (N, C) or (C,) and targets in their shape, got "
            f"{tuple(input.shape)} and {tuple(target.shape)}"
        )
    labels = target.array.reshape((-1, target.shape[-1] if target.ndim else 1))
    if labels.dtype.kind not in "iu":
        raise DtypeError(f"multilabel_margin_loss: targets are integers, not {labels.dtype}")
    rows = input.reshape(*labels.shape)
    counted = np.logical_and.accumulate(labels >= 0, axis=1)
    labels = np.where(counted, labels, 0).astype(np.int64)
    tracing.checked(_check_classes, labels, labels.shape[1])
    classes = np.arange(labels.shape[1])
    wrong = np.logical_not(
        np.logical_or.reduce((labels[..., None] == classes) & counted[..., None], axis=1)
    )
    right = gather_of(rows, labels, 1, False)
    gaps = (1.0 - right[..., None] + rows[:, None]).clamp(min=0.0)
    gaps = np.where(make(counted[..., None] & wrong[:, None]), gaps, 0.0)
    loss = gaps.sum((1, 2)) / max(labels.shape[1], 1)
    return reduced(loss if input.ndim == 2 else loss.squeeze(0), reduction)
