"""Rows of the losses, with the formulas of their definitions as oracles."""

import math

import numpy as np

from aino.nn import functional as F
from tests.calculus.row import Row, between, case, given, integers, positive, real

inf, nan = np.inf, np.nan
REDUCTIONS = ("mean", "sum", "none")


def loss(name, oracle, cases, **options):
    """Return the row of a loss; its oracle gives the losses of the elements."""

    def reduced(*arguments, reduction="mean", **keywords):
        values = oracle(*arguments, **keywords)
        return {"mean": np.mean, "sum": np.sum, "none": np.asarray}[reduction](values)

    options = {"dtypes": "float32", "covers": ""} | options
    return Row(f"nn.functional.{name}", getattr(F, name), reduced, cases, **options)


def each_reduction(*samples, **keywords):
    return [case(*samples, reduction=name, **keywords) for name in REDUCTIONS]


def huber(x, t, delta=1.0):
    d = np.abs(x - t)
    return np.where(d < delta, 0.5 * d * d, delta * (d - 0.5 * delta))


def smooth_l1(x, t, beta=1.0):
    return huber(x, t, beta) / beta if beta else np.abs(x - t)


def poisson(x, t, log_input=True, full=False, eps=1e-8):
    values = np.exp(x) - t * x if log_input else x - t * np.log(x + eps)
    if full:
        counts = np.where(t > 1, t, 1.0)
        stirling = counts * np.log(counts) - counts + 0.5 * np.log(2 * math.pi * counts)
        values = values + np.where(t > 1, stirling, 0.0)
    return values


def gaussian(x, t, var, full=False, eps=1e-6):
    if var.ndim < x.ndim:
        var = var[..., None]
    v = np.maximum(var, eps)
    return 0.5 * (np.log(v) + (x - t) ** 2 / v) + (0.5 * math.log(2 * math.pi) if full else 0.0)


def bce(x, t, weight=1.0):
    return -weight * (t * np.log(x) + (1 - t) * np.log(1 - x))


def bce_logits(x, t, weight=1.0, pos_weight=1.0):
    return weight * (pos_weight * t * np.logaddexp(0, -x) + (1 - t) * np.logaddexp(0, x))


def kl_div(x, t, reduction="mean", log_target=False):
    values = np.exp(t) * (t - x) if log_target else t * (np.log(t) - x)
    if reduction == "batchmean":
        return values.sum() / len(x)
    return {"mean": np.mean, "sum": np.sum, "none": np.asarray}[reduction](values)


def soft_margin(x, t):
    return np.logaddexp(0.0, -t * x)


def multilabel_soft_margin(x, t, weight=1.0):
    return bce_logits(x, t, weight).mean(-1)


def hinge_embedding(x, t, margin=1.0):
    return np.where(t == 1, x, np.maximum(0.0, margin - x))


def margin_ranking(a, b, t, margin=0):
    return np.maximum(0.0, -t * (a - b) + margin)


def cosine_embedding(a, b, t, margin=0):
    cosine = (a * b).sum(-1) / np.sqrt((a * a).sum(-1) * (b * b).sum(-1))
    return np.where(t == 1, 1.0 - cosine, np.maximum(0.0, cosine - margin))


def distance(a, b, p=2.0, eps=1e-6):
    return (np.abs(a - b + eps) ** p).sum(-1) ** (1.0 / p)


def triplet(a, p, n, margin=1.0, p_norm=2.0, swap=False):
    far = distance(a, n, p_norm)
    if swap:
        far = np.minimum(far, distance(p, n, p_norm))
    return np.maximum(0.0, margin + distance(a, p, p_norm) - far)


def multi_margin(x, t, p=1, margin=1.0, weight=None):
    rows = x if x.ndim == 2 else x[None]
    labels = np.atleast_1d(t)
    values = []
    for row, label in zip(rows, labels):
        gaps = np.maximum(0.0, margin - row[label] + row) ** p
        scale = 1.0 if weight is None else weight[label]
        values.append(scale * (gaps.sum() - gaps[label]) / len(row))
    return np.array(values) if x.ndim == 2 else np.array(values[0])


signs = given(np.array([1.0, -1.0, 1.0, -1.0])).constant()
probability = between(0.05, 0.95, 3, 4)
zeros_and_ones = given(np.array([[0.0, 1, 1, 0], [1, 0, 1, 1], [0, 0, 0, 1]])).constant()
scores, labels = real(4, 3), integers(0, 3, 4)

ROWS = [
    loss("mse_loss", lambda x, t: (x - t) ** 2, [
        *each_reduction(real(3, 4), real(3, 4)), case(real(), real()),
        case(real(3, 4), real(3, 4).constant()),
    ], covers="mse_loss"),
    loss("l1_loss", lambda x, t: np.abs(x - t), each_reduction(between(1, 2, 3, 4), real(3, 4)
         .away(1, 2)), kinks=[case(given([1.0, 2.0]), given([1.0, 0.0])).slopes(
             [0.0, 0.5], [0.0, -0.5])]),
    loss("huber_loss", huber, [
        *each_reduction(between(3, 4, 3, 4), between(0, 1, 3, 4)), case(real(2, 3), real(2, 3)),
        case(real(2, 3), real(2, 3), delta=0.3),
    ], covers="huber", errors=[case(real(2), real(2), delta=0.0)],
       kinks=[case(given([1.0, -1.0, inf]), given([0.0, 0.0, 0.0]), reduction="sum")
              .slopes([1.0, -1.0, 1.0], [-1.0, 1.0, -1.0])]),
    loss("smooth_l1_loss", smooth_l1, [
        *each_reduction(real(3, 4), real(3, 4)), case(real(2, 3), real(2, 3), beta=0.3),
        case(real(2, 3), between(3, 4, 2, 3), beta=0.0),
    ], errors=[case(real(2), real(2), beta=-1.0)]),
    loss("poisson_nll_loss", poisson, [
        *each_reduction(real(3, 4), positive(3, 4)),
        case(positive(3, 4), positive(3, 4), log_input=False),
        case(real(3, 4), between(1.2, 4.0, 3, 4), full=True),
        case(real(3, 4), between(0.0, 0.8, 3, 4), full=True),
    ]),
    loss("gaussian_nll_loss", gaussian, [
        *each_reduction(real(3, 4), real(3, 4), positive(3, 4)),
        case(real(3, 4), real(3, 4), positive(3, 1), full=True),
        case(real(3, 4), real(3, 4), positive(3)),
    ], errors=[case(real(3, 4), real(3, 4), given([-1.0, 1.0, 1.0]))]),
    loss("binary_cross_entropy", bce, [
        *each_reduction(probability, probability), case(probability, zeros_and_ones),
        case(probability, probability, weight=positive(3, 4).constant()),
    ], covers="binary_cross_entropy", errors=[case(given([1.5]), given([1.0])),
                                              case(probability, between(0, 1, 3))],
       kinks=[case(given([0.0, 1.0]), given([0.0, 1.0])).gives(0.0),
              case(given([0.0, 1.0]), given([1.0, 0.0])).gives(100.0)]),
    loss("binary_cross_entropy_with_logits", bce_logits, [
        *each_reduction(real(3, 4), probability), case(real(3, 4), zeros_and_ones),
        case(real(3, 4), probability, weight=positive(4).constant()),
        case(real(3, 4), probability, pos_weight=positive(4).constant()),
    ], covers="binary_cross_entropy_with_logits", errors=[case(real(2), real(3))],
       kinks=[case(given([0.0, 1000.0, -1000.0]), given([0.0, 1.0, 0.0]).constant(),
                   reduction="sum").slopes([0.5, 0.0, 0.0])]),
    Row("nn.functional.kl_div", F.kl_div, kl_div, [
        *each_reduction(real(3, 4), positive(3, 4)),
        case(real(3, 4), positive(3, 4), reduction="batchmean"),
        case(real(3, 4), real(3, 4), log_target=True),
    ], covers="", dtypes="float32"),
    loss("soft_margin_loss", soft_margin, each_reduction(real(4), signs)),
    loss("multilabel_soft_margin_loss", multilabel_soft_margin, [
        *each_reduction(real(3, 4), zeros_and_ones),
        case(real(3, 4), zeros_and_ones, weight=positive(4).constant()),
    ]),
    loss("hinge_embedding_loss", hinge_embedding, [
        *each_reduction(between(-2, 0.5, 4), signs), case(between(1.5, 2, 4), signs),
    ]),
    loss("margin_ranking_loss", margin_ranking, [
        *each_reduction(between(1, 2, 4), between(-2, -1, 4), signs),
        case(between(1, 2, 4), between(-2, -1, 4), signs, margin=0.5),
    ], errors=[case(real(4), real(4), real(4, 1))]),
    loss("cosine_embedding_loss", cosine_embedding, [
        *each_reduction(real(4, 3), real(4, 3), signs),
        case(real(4, 3), real(4, 3), signs, margin=-0.9),
        case(real(3), real(3), given(np.array(1.0)).constant()),
    ], errors=[case(real(4, 3), real(4, 3), real(4, 3))], rtol=1e-7),
    loss("triplet_margin_loss", lambda a, p, n, margin=1.0, p_=2.0, swap=False:
         triplet(a, p, n, margin, p_, swap), [
        *each_reduction(real(4, 3), between(3, 4, 4, 3), between(-1, 1, 4, 3)),
        case(real(4, 3), between(3, 4, 4, 3), between(-1, 1, 4, 3), swap=True),
        case(real(4, 3), between(3, 4, 4, 3), real(4, 3), margin=2.0),
    ], errors=[case(real(4, 3), real(4, 3), real(4, 3), margin=0.0)]),
    loss("triplet_margin_with_distance_loss", triplet,
         [case(real(4, 3), between(3, 4, 4, 3), between(-1, 1, 4, 3))]),
    loss("multi_margin_loss", multi_margin, [
        *each_reduction(scores, labels), case(scores, labels, p=2, margin=0.7),
        case(scores, labels, weight=positive(3).constant()),
        case(real(3), given(np.array(1))),
    ], errors=[case(scores, labels, p=3)]),
]  # fmt: skip


def log_softmax(x, axis):
    x = x - x.max(axis=axis, keepdims=True)
    return x - np.log(np.exp(x).sum(axis=axis, keepdims=True))


def nll(x, t, weight=None, ignore_index=-100, reduction="mean"):
    """The losses one by one, at every place of the target."""
    classes = np.moveaxis(x, 1, -1) if x.ndim > 1 else x
    flat, targets = classes.reshape(-1, classes.shape[-1]), t.reshape(-1)
    values, weights = np.zeros(len(targets)), np.zeros(len(targets))
    for place, target in enumerate(targets):
        if target != ignore_index:
            weights[place] = 1.0 if weight is None else weight[target]
            values[place] = -weights[place] * flat[place, target]
    if reduction == "none":
        return values.reshape(t.shape)
    return values.sum() / (weights.sum() if reduction == "mean" else 1.0)


def cross_entropy(x, t, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0):
    axis = 1 if x.ndim > 1 else 0
    if t.dtype.kind == "f":
        count = x.shape[axis]
        t = t * (1 - label_smoothing) + label_smoothing / count
        scaled = log_softmax(x, axis)
        if weight is not None:
            scaled = scaled * weight.reshape([-1 if i == axis else 1 for i in range(x.ndim)])
        values = -(scaled * t).sum(axis)
        samples = values.size
        return {"none": values, "sum": values.sum(), "mean": values.sum() / samples}[reduction]
    logs = log_softmax(x, axis)
    plain = nll(logs, t, weight, ignore_index, reduction)
    if not label_smoothing:
        return plain
    count = x.shape[axis]
    kept = t != ignore_index
    scaled = logs
    weights = kept.astype(float)
    if weight is not None:
        scaled = logs * weight.reshape([-1 if i == axis else 1 for i in range(x.ndim)])
        weights = weights * weight[np.where(kept, t, 0)]
    smooth = np.where(kept, -scaled.sum(axis), 0.0)
    if reduction != "none":
        smooth = smooth.sum() / (weights.sum() if reduction == "mean" else 1.0)
    return (1 - label_smoothing) * plain + label_smoothing / count * smooth


some_ignored = given(np.array([0, -100, 2, 1]))
image, pixels = real(2, 3, 2, 2), integers(0, 3, 2, 2, 2)
distribution = given(np.random.default_rng(0).dirichlet(np.ones(3), 4))

CLASSES = {
    "errors": [
        case(scores, given(np.array([0, 1, 2, 3]))),
        case(scores, given(np.array([0, 1, 2, -1]))),
        case(scores, integers(0, 3, 5)),
        case(scores, given(np.array([0.0, 1.0, 2.0, 0.0]))),
        case(scores, labels, weight=positive(2).constant()),
        case(scores, labels, reduction="median"),
    ],
    "dtypes": "float32",
}

ROWS += [
    Row("nn.functional.nll_loss", F.nll_loss, nll, [
        *each_reduction(scores, labels),
        case(scores, some_ignored), case(scores, labels, ignore_index=1, reduction="none"),
        case(scores, labels, weight=positive(3).constant()),
        case(scores, some_ignored, weight=positive(3).constant(), reduction="sum"),
        case(real(3), given(np.array(1))), case(image, pixels),
    ], covers="gather_of", **CLASSES),
    Row("nn.functional.cross_entropy", F.cross_entropy, cross_entropy, [
        *each_reduction(scores, labels), case(real(1, 1), given(np.array([0]))),
        case(scores, some_ignored), case(scores, labels, ignore_index=1),
        case(scores, labels, weight=positive(3).constant()),
        case(scores, labels, label_smoothing=0.2),
        case(scores, some_ignored, label_smoothing=0.2, weight=positive(3).constant()),
        case(scores, some_ignored, label_smoothing=0.2, reduction="none"),
        case(real(3), given(np.array(1))), case(image, pixels),
        case(image, pixels, weight=positive(3).constant(), reduction="none"),
        case(scores, distribution), case(scores, distribution, reduction="none"),
        case(scores, distribution, weight=positive(3).constant(), label_smoothing=0.1),
        case(image, real(2, 3, 2, 2)), case(real(3), positive(3)),
    ], covers="cross_entropy", kinks=[
        case(given([[1000.0, 0.0], [0.0, -1000.0]]), given(np.array([0, 0]))).slopes(
            [[0.0, 0.0], [0.0, 0.0]]),
        case(given([[0.0, -inf]]), given(np.array([0]))).slopes([[0.0, 0.0]]),
        case(scores, given(np.array([-100] * 4))).gives(nan),
    ], **CLASSES),
]  # fmt: skip
