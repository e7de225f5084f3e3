"""Attention, with masks, caches, groups of heads and windows, and rotary embeddings."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from aino.autograd.tensor import Tensor
from aino.errors import OnnxError
from aino.nn import functional as F
from aino.onnx.importing.elements import dtype_of
from aino.onnx.importing.table import Plain, operator
from aino.ops.pointwise.choosing import where
from aino.ops.shape.joining import cat


def _heads(x: Tensor, count: int | None, what: str) -> Tensor:
    """Return a tensor as samples, heads, places and features."""
    if x.ndim == 4:
        return x
    if not count or x.shape[-1] % count:
        raise OnnxError(f"{what} heads do not share {x.shape[-1]} features: {count}")
    return x.reshape(x.shape[0], x.shape[1], count, -1).transpose(1, 2)


def _allowed(
    queries: int, keys: int, offset: Any, causal: int, left: int, right: int, lengths: Any
) -> np.ndarray | None:
    """Return which keys a query may see, as far as that is a matter of their places.

    Arguments:
        queries: how many queries there are.
        keys: how many keys.
        offset: how many keys come before the first query; one for each sample, or one for all.
        causal: whether a query sees only what is not after it.
        left: how far back it sees, -1 for all the way.
        right: how far ahead.
        lengths: how many keys there are in each sample, None where all count.
    """
    at = np.arange(queries).reshape(-1, 1) + np.asarray(offset).reshape(-1, 1, 1, 1)
    key = np.arange(keys)
    seen: Any = None
    for part in (
        key <= at if causal else None,
        key >= at - left if left >= 0 else None,
        key <= at + right if right >= 0 else None,
        None if lengths is None else key < np.asarray(lengths).reshape(-1, 1, 1, 1),
    ):
        if part is not None:
            seen = part if seen is None else seen & part
    return seen


@operator("Attention")
def attention(
    Q: Tensor,
    K: Tensor,
    V: Tensor,
    attn_mask: Tensor | None = None,
    past_key: Tensor | None = None,
    past_value: Tensor | None = None,
    nonpad_kv_seqlen: Plain | None = None,
    *,
    is_causal: int,
    kv_num_heads: int | None = None,
    left_window_size: int = -1,
    q_num_heads: int | None = None,
    qk_matmul_output_mode: int,
    right_window_size: int = -1,
    scale: float | None = None,
    softcap: float,
    softmax_precision: int | None = None,
    outputs: int,
) -> tuple[Any, ...]:
    if (past_key is None) != (past_value is None):
        raise OnnxError("past_key and past_value come together or not at all")
    if past_key is not None and nonpad_kv_seqlen is not None:
        raise OnnxError("there are lengths (nonpad_kv_seqlen) and a past, which says them, too")
    together = Q.ndim == 3
    q = _heads(Q, q_num_heads, "q")
    k, v = _heads(K, kv_num_heads, "k"), _heads(V, kv_num_heads, "v")
    queries, offset = q.shape[2], 0
    if past_key is not None and past_value is not None:
        offset = past_key.shape[2]
        k, v = cat([past_key, k], 2), cat([past_value, v], 2)
    present = k, v
    groups = q.shape[1] // k.shape[1]
    if groups > 1:
        k, v = k.repeat_interleave(groups, 1), v.repeat_interleave(groups, 1)
    keys = k.shape[2]
    if nonpad_kv_seqlen is not None:
        offset = nonpad_kv_seqlen.astype(np.int64) - queries
    factor = math.sqrt(1 / math.sqrt(q.shape[-1]) if scale is None else scale)
    scores = (q * factor).matmul((k * factor).mT)
    plain = scores
    if softcap:
        scores = (scores / softcap).tanh() * softcap
    capped = scores
    seen = _allowed(
        queries, keys, offset, is_causal, left_window_size, right_window_size, nonpad_kv_seqlen
    )
    scores, blocked = _masked(scores, attn_mask, seen, keys)
    wide = scores if softmax_precision is None else scores.to(dtype_of(softmax_precision))
    weights = wide.softmax(-1).to(q.dtype)
    if blocked is not None:
        # A query that sees no key at all has no weights.
        weights = weights.masked_fill(blocked, 0)
    y = weights.matmul(v)
    if together:
        y = y.transpose(1, 2).reshape(y.shape[0], queries, -1)
    shown = {0: plain, 1: capped, 2: scores, 3: weights}
    if qk_matmul_output_mode not in shown:
        raise OnnxError(f"qk_matmul_output_mode {qk_matmul_output_mode} is none of 0 to 3")
    return (y, *present, shown[qk_matmul_output_mode])[:outputs]


def _masked(
    scores: Tensor, mask: Tensor | None, seen: np.ndarray | None, keys: int
) -> tuple[Tensor, Tensor | None]:
    """Return scores of which those that a mask hides are -inf, and which queries see nothing."""
    hidden: Any = None if seen is None else Tensor(~seen)
    if mask is not None:
        missing = keys - mask.shape[-1]
        if mask.dtype.kind == "b":
            own = F.pad(mask.logical_not(), [0, missing], value=True) if missing else ~mask
        else:
            if missing:
                mask = F.pad(mask, [0, missing], value=-math.inf)
            scores = scores + mask
            own = mask.detach() == -math.inf
        hidden = own if hidden is None else hidden.logical_or(own)
    if hidden is None:
        return scores, None
    return where(hidden, Tensor(np.array(-math.inf, scores.dtype)), scores), hidden.all(-1, True)


@operator("RotaryEmbedding")
def rotary_embedding(
    X: Tensor,
    cos_cache: Tensor,
    sin_cache: Tensor,
    position_ids: Tensor | None = None,
    *,
    interleaved: int,
    num_heads: int | None = None,
    rotary_embedding_dim: int,
) -> Tensor:
    x = X.transpose(1, 2) if X.ndim == 4 else X.reshape(*X.shape[:2], num_heads or 0, -1)
    size = rotary_embedding_dim or x.shape[-1]
    turned, rest = x[..., :size], x[..., size:]
    if position_ids is not None:
        cos_cache, sin_cache = cos_cache[position_ids], sin_cache[position_ids]
    cos, sin = cos_cache.unsqueeze(2), sin_cache.unsqueeze(2)
    if interleaved:
        one, other = turned[..., 0::2], turned[..., 1::2]
    else:
        one, other = turned[..., : size // 2], turned[..., size // 2 :]
    pair = [cos * one - sin * other, sin * one + cos * other]
    if interleaved:
        both = cat([part.unsqueeze(-1) for part in pair], -1).reshape(turned.shape)
    else:
        both = cat(pair, -1)
    y = cat([both, rest], -1)
    return y.transpose(1, 2) if X.ndim == 4 else y.reshape(X.shape)
