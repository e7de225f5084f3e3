"""Rows of attention, with a softmax over all scores at once as the oracle."""

import numpy as np

from aino.nn import functional as F
from tests.calculus.row import Row, case, given, real

inf = np.inf


def attention(q, k, v, mask=None, dropout_p=0.0, is_causal=False, scale=None, enable_gqa=False):
    if enable_gqa:
        k, v = (np.repeat(x, q.shape[-3] // x.shape[-3], -3) for x in (k, v))
    scores = q @ np.swapaxes(k, -1, -2) * (q.shape[-1] ** -0.5 if scale is None else scale)
    if is_causal:
        mask = np.tril(np.ones(scores.shape[-2:], bool))
    if mask is not None:
        scores = np.where(mask, scores, -inf) if mask.dtype == bool else scores + mask
    top = scores.max(-1, keepdims=True)
    e = np.exp(scores - np.where(top == -inf, 0.0, top))
    total = e.sum(-1, keepdims=True)
    return e / np.where(total == 0.0, 1.0, total) @ v


q, k, v = real(2, 2, 4, 3), real(2, 2, 5, 3), real(2, 2, 5, 2)
seen = np.random.default_rng(0).random((4, 5)) > 0.4
seen[2] = False
# One score is far above the others, and one row far below them.
steep = np.array([[[30.0, 0.0], [-30.0, 0.0], [0.0, 1.0]]])

ROWS = [
    Row("nn.functional.scaled_dot_product_attention", F.scaled_dot_product_attention, attention, [
        case(q, k, v), case(q, k, v, is_causal=True), case(q, k, v, given(seen)),
        case(q, k, v, real(4, 5).constant(), scale=0.3), case(q, k, v, real(2, 1, 4, 5)),
        case(q, k, v, given(np.where(seen, 0.5, -inf)).constant()),
        case(real(5, 3), real(2, 3), real(2, 4), is_causal=True),
        case(real(3, 2, 3), real(3, 4, 3), real(3, 4, 3), is_causal=True),
        case(real(2, 2, 2, 2, 3), real(2, 2, 2, 3, 3), real(2, 2, 2, 3, 2),
             given(np.random.default_rng(0).random((2, 1, 2, 3)) > 0.3)),
        case(real(2, 4, 2, 3), real(2, 2, 3, 3), real(2, 2, 3, 2), enable_gqa=True),
        case(real(2, 1, 2, 3), real(3, 2, 3), real(3, 2, 2)),
        # With few numbers a position the weights are not kept.
        case(real(2, 2, 7, 1), real(2, 2, 6, 1), real(2, 2, 6, 1), is_causal=True),
        case(real(2, 2, 3, 1), real(2, 2, 6, 1), real(2, 2, 6, 1),
             given(np.random.default_rng(1).random((2, 1, 3, 6)) > 0.5)),
        case(given(steep), given(steep * 3.0), given(steep)),
    ], covers="attention", dtypes="float32", errors=[
        case(q, k, v, given(seen), is_causal=True), case(q, q, v), case(q, real(2, 2, 5, 2), v),
        case(q, k, v, given(np.ones((4, 5), np.int64))), case(real(3), real(3), real(3)),
        case(q, k, v, dropout_p=1.5),
    ]),
]  # fmt: skip
