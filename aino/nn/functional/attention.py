"""Attention: what a position takes from others, by how much its query agrees with their keys."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from aino.autograd.duck import Duck
from aino.autograd.rules import attention as rules
from aino.autograd.tensor import Tensor, make
from aino.dtypes import float16
from aino.errors import ArgumentError, DtypeError, ShapeError
from aino.nn.functional.dropout import dropout
from aino.nn.functional.linear import linear
from aino.ops.half import in_float32
from aino.ops.shape.joining import cat
from aino.user_warnings import warn


def scaled_dot_product_attention(
    query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None,
    dropout_p: float = 0.0, is_causal: bool = False, scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:  # fmt: skip
    """Return softmax(q kᵀ · scale + mask) v: values, weighted by how queries agree with keys.

    Raises ``ShapeError`` for shapes that do not fit together, ``DtypeError`` for different dtypes,
    ``ValueError`` for a mask beside ``is_causal``.

    Arguments:
        query: q: (..., L, E), in most programs (N, heads, L, E).
        key: k: (..., S, E).
        value: v: (..., S, Ev); the output is (..., L, Ev).
        attn_mask: booleans, True where a query may look, or numbers that are added to the scores;
            in a shape that is broadcast to (..., L, S). A query that may look nowhere gives 0.
        dropout_p: the probability that a weight is set to 0, the others being divided by 1 - p.
        is_causal: a query looks at the keys up to its own position alone.
        scale: what the products are multiplied by; 1/√E for None.
        enable_gqa: there are fewer heads of keys and values, each of them for several queries.

    Source: Vaswani et al., "Attention is all you need", 2017.

    >>> import aino
    >>> q = aino.ones(1, 2, 4)
    >>> v = aino.tensor([[[1.0], [3.0]]])
    >>> aino.nn.functional.scaled_dot_product_attention(q, q, v)
    tensor([[[2.],
             [2.]]])
    """
    if enable_gqa:
        key, value = _repeated(query, key, value)
    _check_shapes(query, key, value)
    if is_causal and attn_mask is not None:
        raise ArgumentError("scaled_dot_product_attention: is_causal is a mask; give one of them")
    if not 0.0 <= dropout_p <= 1.0:
        raise ArgumentError(f"dropout probability has to be between 0 and 1, but got {dropout_p}")
    if query.array.dtype is float16:
        return in_float32(
            scaled_dot_product_attention, query, key, value, _additive(attn_mask, query.dtype),
            dropout_p, is_causal, scale,
        )  # fmt: skip
    if scale is None:
        scale = 1.0 / math.sqrt(max(query.shape[-1], 1))
    mask = _additive(attn_mask, query.array.dtype)
    if dropout_p == 0.0 and _is_fused(query, key, value, mask):
        return _fused(query, key, value, None if mask is None else mask.array, is_causal, scale)
    weights = rules.weights_of(query, key, mask, is_causal, scale)
    return dropout(weights, dropout_p) @ value


def _check_shapes(query: Any, key: Any, value: Any) -> None:
    q, k, v = query.array.shape, key.array.shape, value.array.shape
    if min(len(q), len(k), len(v)) < 2:
        raise ShapeError(
            f"attention takes tensors of at least 2 dimensions, got the shapes {q}, {k} and {v}"
        )
    if q[-1] != k[-1] or k[-2] != v[-2]:
        raise ShapeError(
            f"attention: a query (..., L, E), a key (..., S, E) and a value (..., S, Ev) do not "
            f"have the shapes {q}, {k} and {v}"
        )
    if not query.dtype == key.dtype == value.dtype:
        raise DtypeError(
            f"attention: query, key and value need one dtype, got {query.dtype}, {key.dtype} "
            f"and {value.dtype}"
        )


def _repeated(query: Any, key: Any, value: Any) -> tuple[Any, Any]:
    """Return keys and values with each head as often as there are heads of queries to it."""
    if min(query.ndim, key.ndim, value.ndim) < 3:
        raise ShapeError(
            "enable_gqa: query, key and value have a dimension of heads, the third last"
        )
    heads = query.shape[-3]

    def repeated(x):
        own = x.shape[-3]
        if own == 0 or heads % own:
            raise ShapeError(
                f"enable_gqa: {heads} heads of queries can't be shared out to {own} of keys and "
                "values"
            )
        return x if own == heads else x.repeat_interleave(heads // own, -3)

    return repeated(key), repeated(value)


def _additive(mask: Any, dtype: Any) -> Any:
    """Return a mask as numbers that are added to the scores: -inf where nobody looks."""
    if mask is None or mask.array.dtype == dtype:
        return mask
    kind = mask.array.dtype.kind
    if kind == "b":
        return make(np.where(mask.array, 0.0, -math.inf).astype(dtype))
    if kind != "f":
        raise DtypeError(
            f"attn_mask is of booleans, True where a query may look, or of numbers of the query's "
            f"dtype {dtype}, not of {mask.dtype}"
        )
    return mask.to(dtype)


def _is_fused(query: Any, key: Any, value: Any, mask: Any) -> bool:
    """Tell whether attention is computed block by block: for plain arrays of numbers."""
    arrays = [query.array, key.array, value.array]
    if mask is not None:
        if mask.requires_grad:
            return False
        arrays.append(mask.array)
    if arrays[0].dtype.kind != "f" or any([isinstance(x, Duck) for x in arrays]):
        return False
    same = query.shape[:-2] == key.shape[:-2] == value.shape[:-2]
    return same and all([x.size for x in arrays])


def _fused(query: Any, key: Any, value: Any, mask: Any, causal: bool, scale: float) -> Any:
    lead = tuple(query.shape[:-2])
    if len(lead) != 2:
        if mask is not None and mask.ndim > 2 and lead:
            shape = (*lead, query.shape[-2], key.shape[-2])
            mask = np.broadcast_to(mask, shape).reshape((1, -1, *shape[-2:]))
        query, key, value = (x.reshape(1, -1, *x.shape[-2:]) for x in (query, key, value))
    # The weights are kept where they take no more room than all that is kept beside them.
    keep = key.shape[-2] <= 2 * (query.shape[-1] + value.shape[-1])
    q, k, v = query.array, key.array, value.array
    found = rules.attention_forward(q, k, v, mask, causal, scale, keep)
    y = rules.attention(query, key, value, *found, mask, causal, scale)
    return y if len(lead) == 2 else y.reshape(*lead, *y.shape[-2:])


def multi_head_attention_forward(
    query: Tensor, key: Tensor, value: Tensor, embed_dim_to_check: int, num_heads: int,
    in_proj_weight: Tensor | None, in_proj_bias: Tensor | None, bias_k: Tensor | None,
    bias_v: Tensor | None, add_zero_attn: bool, dropout_p: float, out_proj_weight: Tensor,
    out_proj_bias: Tensor | None, training: bool = True, key_padding_mask: Tensor | None = None,
    need_weights: bool = True, attn_mask: Tensor | None = None,
    use_separate_proj_weight: bool = False, q_proj_weight: Tensor | None = None,
    k_proj_weight: Tensor | None = None, v_proj_weight: Tensor | None = None,
    static_k: Tensor | None = None, static_v: Tensor | None = None,
    average_attn_weights: bool = True, is_causal: bool = False,
) -> tuple[Tensor, Tensor | None]:  # fmt: skip
    """Return what ``nn.MultiheadAttention`` computes, and the weights of its heads or None.

    Raises ``ShapeError`` for shapes that do not fit together, ``ValueError`` for ``is_causal``
    without a mask, ``DtypeError`` for a mask of another dtype.

    Arguments:
        query: (L, N, E), or (L, E) for one sample.
        key: (S, N, kdim), or (S, kdim).
        value: (S, N, vdim), or (S, vdim).
        embed_dim_to_check: E.
        num_heads: how many heads there are; E is divided among them.
        in_proj_weight: the weights of the three projections (3 E, E), one below the other.
        in_proj_bias: their shifts (3 E,), or None.
        bias_k, bias_v: a key and a value (1, 1, E) that are added to all others, or None.
        add_zero_attn: add a key and a value of zeros.
        dropout_p: the probability that a weight is set to 0 while training.
        out_proj_weight: the weight of the last projection (E, E).
        out_proj_bias: its shift (E,), or None.
        training: whether to drop weights at all.
        key_padding_mask: (N, S), or (S,): True where nobody looks, or numbers that are added.
        need_weights: return the weights, too.
        attn_mask: (L, S) or (N · num_heads, L, S): True where a query does not look, or numbers.
        use_separate_proj_weight: take the three projections from the three arguments below.
        q_proj_weight, k_proj_weight, v_proj_weight: (E, E), (E, kdim), (E, vdim).
        static_k, static_v: keys and values (N · num_heads, S, E / num_heads) to take instead.
        average_attn_weights: return the mean of the heads' weights, not each of them.
        is_causal: the mask is the causal one; a promise, that saves looking at it.
    """
    return attended(
        query, key, value, embed_dim_to_check, num_heads, in_proj_weight, in_proj_bias, bias_k,
        bias_v, add_zero_attn, dropout_p if training else 0.0, out_proj_weight, out_proj_bias,
        key_padding_mask, need_weights, attn_mask,
        (q_proj_weight, k_proj_weight, v_proj_weight) if use_separate_proj_weight else None,
        static_k, static_v, average_attn_weights, is_causal, False,
    )  # fmt: skip


def attended(
    query, key, value, width, heads, in_proj_weight, in_proj_bias, bias_k, bias_v, add_zero_attn,
    dropout_p, out_proj_weight, out_proj_bias, key_padding_mask, need_weights, attn_mask,
    separate, static_k, static_v, average, is_causal, batch_first,
):  # fmt: skip
    """Return what several heads attend to, and their weights; see the function above.

    ``batch_first``: the samples are along the first axis, not the second.
    """
    batched = query.ndim == 3
    _check_inputs(query, key, value, key_padding_mask, attn_mask, width, heads, separate, batched)
    shared = query is key and key is value
    if not batched:
        axis = 0 if batch_first else 1
        query, key, value = (x.unsqueeze(axis) for x in (query, key, value))
        key_padding_mask = None if key_padding_mask is None else key_padding_mask.unsqueeze(0)
    q, k, v = _projected(query, key, value, shared, in_proj_weight, in_proj_bias, separate)
    # (N, heads, length, width of a head): views, whatever the order of the inputs.
    order = (0, 2, 1, 3) if batch_first else (1, 2, 0, 3)

    def split(x):
        return x.reshape(*x.shape[:2], heads, -1).permute(*order)

    samples = query.shape[0 if batch_first else 1]
    extra = 0
    if bias_k is not None and bias_v is not None:
        if static_k is not None or static_v is not None:
            raise ArgumentError("multi-head attention: bias_k can't be added to static keys")
        k, v = (_and_one(x, one, samples, batch_first) for x, one in ((k, bias_k), (v, bias_v)))
        extra = 1
    elif bias_k is not None or bias_v is not None:
        raise ArgumentError("multi-head attention: give both bias_k and bias_v, or none of them")
    q, k, v = (
        split(x) if static is None else _static(name, static, samples, heads, width)
        for x, static, name in ((q, None, ""), (k, static_k, "static_k"), (v, static_v, "static_v"))
    )
    if add_zero_attn:
        k, v = (_and_zeros(x) for x in (k, v))
        extra += 1
    hint = is_causal and key_padding_mask is None and not need_weights and not extra
    if is_causal and attn_mask is None:
        raise ArgumentError("multi-head attention: is_causal says of attn_mask what it is; give it")
    mask = None
    if not hint:
        mask = _merged(key_padding_mask, attn_mask, q, k, extra)
    weights = None
    if need_weights:
        scores = (q * (1.0 / math.sqrt(q.shape[-1]))) @ k.mT
        weights = (scores if mask is None else scores + mask).softmax(-1)
        weights = dropout(weights, dropout_p)
        y = weights @ v
        weights = weights.mean(1) if average else weights
    else:
        y = scaled_dot_product_attention(q, k, v, mask, dropout_p, hint)
    back = (0, 2, 1, 3) if batch_first else (2, 0, 1, 3)
    y = y.permute(*back)
    y = linear(y.reshape(*y.shape[:2], width), out_proj_weight, out_proj_bias)
    if batched:
        return y, weights
    y = y.squeeze(0 if batch_first else 1)
    return y, None if weights is None else weights.squeeze(0)


def _check_inputs(query, key, value, key_padding_mask, attn_mask, width, heads, separate, batched):
    shapes = tuple(query.shape), tuple(key.shape), tuple(value.shape)
    ranks = [len(shape) for shape in shapes]
    if ranks not in ([3, 3, 3], [2, 2, 2]):
        raise ShapeError(
            "multi-head attention takes query, key and value of 3 dimensions each, or of 2 for one "
            f"sample, got the shapes {shapes[0]}, {shapes[1]} and {shapes[2]}"
        )
    if shapes[0][-1] != width:
        raise ShapeError(f"was expecting embedding dimension of {width}, but got {shapes[0][-1]}")
    if heads < 1 or width % heads:
        raise ShapeError(f"embed_dim {width} not divisible by num_heads {heads}")
    if shapes[1][:-1] != shapes[2][:-1]:
        raise ShapeError(
            f"the key's sequence length and batch sizes {shapes[1][:-1]} do not match the value's "
            f"{shapes[2][:-1]}"
        )
    if separate is None and shapes[1] != shapes[2]:
        raise ShapeError(f"key shape {shapes[1]} does not match value shape {shapes[2]}")
    if key_padding_mask is not None and key_padding_mask.ndim != (2 if batched else 1):
        raise ShapeError(
            f"key_padding_mask has the shape {'(N, S)' if batched else '(S,)'} here, not "
            f"{tuple(key_padding_mask.shape)}"
        )
    if attn_mask is not None and attn_mask.ndim not in (2, 3):
        raise ShapeError(
            f"attn_mask has the shape (L, S) or (N · num_heads, L, S), not {tuple(attn_mask.shape)}"
        )
    masks = key_padding_mask, attn_mask
    for name, mask in zip(("key_padding_mask", "attn_mask"), masks):
        if mask is not None and mask.array.dtype.kind not in "bf":
            raise DtypeError(f"only bool and floating types of {name} are supported")
    if None not in masks and key_padding_mask.dtype != attn_mask.dtype:
        warn(
            "support for mismatched key_padding_mask and attn_mask is deprecated; use the same "
            "type for both instead"
        )


def _projected(query, key, value, shared, weight, bias, separate):
    """Return queries, keys and values: by one product where they come from the same tensor."""
    if separate is None:
        if shared:
            return linear(query, weight, bias).chunk(3, -1)
        separate = weight.chunk(3, 0)
    biases = (None, None, None) if bias is None else bias.chunk(3, 0)
    return tuple([linear(*item) for item in zip((query, key, value), separate, biases)])


def _and_one(x, one, samples, batch_first):
    from_one = one.expand(samples, 1, -1) if batch_first else one.expand(1, samples, -1)
    return cat([x, from_one], 1 if batch_first else 0)


def _and_zeros(x):
    return cat([x, make(np.zeros((*x.shape[:2], 1, x.shape[3]), x.array.dtype))], 2)


def _static(name, given, samples, heads, width):
    expected = (samples * heads, given.shape[1], width // heads)
    if tuple(given.shape) != expected:
        raise ShapeError(f"expecting {name} of shape {expected}, but got {tuple(given.shape)}")
    return given.reshape(samples, heads, *given.shape[1:])


def _merged(key_padding_mask, attn_mask, q, k, extra):
    """Return both masks as one that is added to the scores (N, heads, L, S), None without any."""
    (samples, heads, rows), columns = q.shape[:3], k.shape[2]
    dtype, own = q.array.dtype, columns - extra
    mask = None
    if attn_mask is not None:
        mask = _blocking(attn_mask, dtype)
        wanted = (rows, own) if mask.ndim == 2 else (samples * heads, rows, own)
        if tuple(mask.shape) != wanted:
            raise ShapeError(
                f"the shape of the {mask.ndim}D attn_mask is {tuple(mask.shape)}, but should be "
                f"{wanted}"
            )
        if mask.ndim == 3:
            mask = mask.reshape(samples, heads, rows, own)
    if key_padding_mask is not None:
        if tuple(key_padding_mask.shape) != (samples, own):
            raise ShapeError(
                f"key_padding_mask has the shape {(samples, own)} here, (N, S), not "
                f"{tuple(key_padding_mask.shape)}"
            )
        padding = _blocking(key_padding_mask, dtype)[:, None, None]
        mask = padding if mask is None else mask + padding
    if mask is not None and extra:
        mask = cat([mask, make(np.zeros((*mask.shape[:-1], extra), dtype))], -1)
    return mask


def _blocking(mask, dtype):
    """Return a mask that is True where nobody looks as numbers that are added to the scores."""
    if mask.array.dtype.kind == "b":
        return make(np.where(mask.array, -math.inf, 0.0).astype(dtype))
    return mask.to(dtype)
