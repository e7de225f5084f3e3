"""Rows of bags of rows, of groups of matrices, and of the losses of sequences and many labels."""

import itertools
import math

import numpy as np

from aino.nn import functional as F
from tests.calculus.row import Row, case, given, integers, positive, real
from tests.calculus.rows_losses import cross_entropy

inf = np.inf


def embedding_bag(i, w, offsets=None, mode="mean", per_sample_weights=None, padding_idx=None,
                  include_last_offset=False, scale_grad_by_freq=False):  # fmt: skip
    if offsets is None:
        bags = [range(n * i.shape[1], (n + 1) * i.shape[1]) for n in range(len(i))]
    else:
        ends = [*offsets, len(i)][1 : None if not include_last_offset else -1]
        bags = [range(a, b) for a, b in zip(offsets, ends)]
    flat, scales = i.reshape(-1), np.ones(i.size)
    if per_sample_weights is not None:
        scales = per_sample_weights.reshape(-1)
    padding = None if padding_idx is None else padding_idx % len(w)
    combine = {"sum": np.sum, "mean": np.mean, "max": np.max}[mode]
    y = np.zeros((len(bags), w.shape[1]))
    for n, bag in enumerate(bags):
        rows = [scales[k] * w[flat[k]] for k in bag if flat[k] != padding]
        if rows:
            y[n] = combine(rows, axis=0)
    return y


def collapsed(path, blank):
    kept = [c for c, _ in itertools.groupby(path)]
    return tuple(c for c in kept if c != blank)


def ctc(x, targets, input_lengths, target_lengths, blank=0, reduction="mean", zero_infinity=False):
    """Minus the logarithm of the sum over all paths, one by one."""
    if x.ndim == 2:
        x, targets = x[:, None], targets[None]
    samples, classes = x.shape[1:]
    counts = np.array(target_lengths).reshape(-1)
    losses = np.zeros(samples)
    ends = np.cumsum(counts)
    for n, length in enumerate(np.array(input_lengths).reshape(-1)):
        labels = targets[n] if targets.ndim == 2 else targets[ends[n] - counts[n] :]
        wanted = tuple(labels[: counts[n]])
        paths = itertools.product(range(classes), repeat=int(length))
        found = [
            math.exp(sum(x[t, n, c] for t, c in enumerate(path)))
            for path in paths
            if collapsed(path, blank) == wanted
        ]
        losses[n] = -math.log(sum(found)) if found else (0.0 if zero_infinity else inf)
    if reduction == "none":
        return losses.reshape(-1)
    return losses.sum() if reduction == "sum" else (losses / np.maximum(counts, 1)).mean()


def multilabel_margin(x, t, reduction="mean"):
    rows, labels = np.atleast_2d(x), np.atleast_2d(t)
    losses = np.zeros(len(rows))
    for n, own in enumerate(labels):
        right = list(itertools.takewhile(lambda c: c >= 0, own))
        others = [c for c in range(rows.shape[1]) if c not in right]
        losses[n] = sum(max(0.0, 1 - rows[n, y] + rows[n, c]) for y in right for c in others)
    losses = losses / rows.shape[1]
    if reduction == "none":
        return losses.reshape(x.shape[:-1])
    return losses.sum() if reduction == "sum" else losses.mean()


def linear_cross_entropy(x, w, t, linear_bias=None, ignore_index=None, **keywords):
    scores = np.tensordot(x, w, (-1, -1))
    scores = scores if linear_bias is None else scores + linear_bias
    return cross_entropy(scores, t, ignore_index=-100 if ignore_index is None else ignore_index,
                         **keywords)  # fmt: skip


def grouped(a, b, offs=None, bias=0.0):
    if offs is None:
        return a @ b + bias
    groups = [slice(low, high) for low, high in zip([0, *offs], offs)]
    if a.ndim == b.ndim:
        return np.stack([a[:, g] @ b[g] for g in groups])
    if a.ndim == 2:
        y = np.zeros((len(a), b.shape[2]))
        for n, g in enumerate(groups):
            y[g] = a[g] @ b[n]
    else:
        y = np.zeros((a.shape[1], b.shape[1]))
        for n, g in enumerate(groups):
            y[:, g] = a[n] @ b[:, g]
    return y


numbers, table = given(np.array([1, 4, 0, 2, 2, 1])), real(5, 3)
starts = given(np.array([0, 2, 2]))
x, lengths = real(4, 2, 3), given(np.array([4, 3]))
labels = given(np.array([[1, 2], [2, 2]]))
ends = given(np.array([1, 3]))

ROWS = [
    Row("nn.functional.embedding_bag", F.embedding_bag, embedding_bag, [
        case(numbers, table, starts), case(numbers, table, starts, mode="sum"),
        case(numbers, table, starts, mode="max"),
        case(given(np.array([[0, 1], [3, 3]])), table),
        case(numbers, table, starts, mode="sum", per_sample_weights=real(6)),
        case(numbers, table, starts, mode="sum", padding_idx=2),
        case(numbers, table, starts, padding_idx=-3), case(numbers, table, starts, mode="max",
                                                           padding_idx=2),
        case(numbers, table, given(np.array([0, 2, 6])), include_last_offset=True),
    ], covers="", dtypes="float32", kinks=[
        case(given(np.array([1, 0, 1])), real(3, 2), given(np.array([0])), mode="sum",
             scale_grad_by_freq=True).slopes([[1.0, 1.0], [1.0, 1.0], [0.0, 0.0]]),
        # Of equal numbers the first is the largest.
        case(given(np.array([[0, 1]])), given([[1.0, 2.0], [1.0, 3.0]]), mode="max").slopes(
            [[1.0, 0.0], [0.0, 1.0]]),
    ], errors=[
        case(numbers, table), case(numbers, table, starts, mode="median"),
        case(given(np.array([[5]])), table), case(given(np.array([[0.5]])), table),
        case(numbers, table, given(np.array([1, 2]))),
        case(numbers, table, given(np.array([0, 9]))),
        case(numbers, table, starts, mode="max", scale_grad_by_freq=True),
        case(given(np.array([[0]])), table, given(np.array([0]))),
        case(numbers, table, starts, per_sample_weights=real(6)),
        case(numbers, table, starts, mode="sum", per_sample_weights=real(5)),
    ]),
    # PyTorch's gradient is right of what log_softmax gave alone: its own samples are compared.
    Row("nn.functional.ctc_loss", F.ctc_loss, ctc, [
        case(x, labels, lengths, given(np.array([2, 1]))),
        case(x, labels, lengths, given(np.array([2, 2])), reduction="sum"),
        case(x, labels, (4, 2), (1, 0), reduction="none"),
        case(x, given(np.array([1, 2, 2])), (4, 3), (1, 2), blank=0),
        case(x, given(np.array([[0, 1], [1, 0]])), (4, 4), (2, 2), blank=2),
        case(real(3, 3), given(np.array([1])), (3,), (1,)),
        case(x, labels, (4, 2), (2, 2), zero_infinity=True),
    ], covers="ctc", dtypes="float32", torch=None,
       kinks=[case(x, labels, (4, 2), (2, 2)).gives(inf)], errors=[
        case(x, labels, (5, 3), (2, 1)), case(x, labels, (4, 3), (3, 1)),
        case(x, labels, (4, 3), (2, 1), blank=3), case(x, labels, (4,), (2, 1)),
        case(x, labels, (4, 3), (2, 1), reduction="median"),
    ]),
    Row("nn.functional.multilabel_margin_loss", F.multilabel_margin_loss, multilabel_margin, [
        case(real(2, 4), given(np.array([[3, 0, -1, 1], [1, -1, 0, 0]]))),
        case(real(2, 4), given(np.array([[0, 1, 2, 3], [-1, 0, 0, 0]])), reduction="none"),
        case(real(4), given(np.array([2, 1, -1, -1])), reduction="sum"),
    ], covers="", dtypes="float32", errors=[
        case(real(2, 4), integers(0, 4, 2, 3)), case(real(2), given(np.array([2, -1]))),
    ]),
    Row("nn.functional.linear_cross_entropy", F.linear_cross_entropy, linear_cross_entropy, [
        case(real(4, 3), real(5, 3), integers(0, 5, 4)),
        case(real(4, 3), real(5, 3), integers(0, 5, 4), linear_bias=real(5), reduction="sum",
             weight=positive(5).constant(), label_smoothing=0.1),
        case(real(3), real(5, 3), given(np.array(1))),
        case(real(2, 3), real(4, 2, 3), integers(0, 4, 2, 2), linear_bias=real(4, 2)),
        case(real(4, 3), real(5, 3), given(np.random.default_rng(0).dirichlet(np.ones(5), 4))),
        case(real(4, 3), real(5, 3), given(np.array([0, 1, 1, 4])), ignore_index=1),
    ], covers="", dtypes="float32", errors=[
        case(real(4, 2), real(5, 3), integers(0, 5, 4)), case(real(), real(5, 3), integers(0, 5)),
        case(real(4, 3), real(3), integers(0, 5, 4)),
        case(real(4, 3), real(5, 3), integers(0, 5, 4), linear_bias=real(4)),
        case(real(3), real(4, 2, 3), integers(0, 4, 2)),
        case(real(4, 3), real(5, 3), real(4, 5), ignore_index=1),
    ]),
    # PyTorch's takes rows whose bytes are a multiple of 16 alone.
    Row("nn.functional.grouped_mm", F.grouped_mm, grouped, [
        case(real(2, 3, 4), real(2, 4, 2)), case(real(3, 4), real(2, 4, 2), offs=ends),
        case(real(2, 3, 4), real(4, 3), offs=ends), case(real(2, 3), real(3, 4), offs=ends),
        case(real(4, 4), real(2, 4, 2), offs=ends),
    ], covers="", torch=None, dtypes="float32", errors=[
        case(real(2, 3, 4), real(2, 3, 2)), case(real(3, 4), real(2, 4, 2)),
        case(real(2, 4), real(2, 4, 2), offs=ends), case(real(3, 4), real(3, 4, 2), offs=ends),
        case(real(3, 4), real(2, 4, 2), offs=given(np.array([3, 1]))), case(real(3), real(3, 2)),
    ]),
]  # fmt: skip
