"""Attention: for each query a softmax over keys, and the values weighed by it."""

from __future__ import annotations

import inspect
import math
from typing import Any

import numpy as np

from aino.autograd.rules import attention as rules
from aino.compiler.backends.c.builder import Builder, in_shape
from aino.compiler.backends.c.statements import Moving
from aino.compiler.backends.c.table import DeclinedError, RefusedError, kernel, whole
from aino.compiler.ir.program import Call
from aino.compiler.ir.regions import Region
from aino.nn import functional as F


@whole(F.scaled_dot_product_attention)
def _attention(
    c: Builder, query: Any, key: Any, value: Any, attn_mask: Any, dropout_p: float,
    is_causal: bool, scale: Any, enable_gqa: bool, result: Any,
) -> None:  # fmt: skip
    if dropout_p or (enable_gqa and query.shape[-3] != key.shape[-3]):
        raise DeclinedError
    if scale is None:
        scale = 1.0 / math.sqrt(max(query.shape[-1], 1))
    _attended(c, query, key, value, attn_mask, is_causal, scale, result)


@kernel(inspect.unwrap(rules.attention_forward))
def _attention_kernel(c: Builder, call: Call) -> None:
    """The kernel, of whose results the first alone is written."""
    q, k, v, mask, causal, scale = call.arguments[:6]
    _attended(c, q, k, v, mask, causal, scale, call.results[0])


def _attended(
    c: Builder, q: Region, k: Region, v: Region, mask: Any, causal: bool, scale: float, y: Region
) -> None:
    lead = y.shape[:-2]
    if any(x.shape[:-2] != lead for x in (q, k, v)) or q.dtype.kind != "f":
        raise DeclinedError
    added = _added(c, mask, (*lead, q.shape[-2], k.shape[-2]), q.dtype)
    q, k, v = (x if x.strides[-1] == x.dtype.itemsize else c.rows(x) for x in (q, k, v))
    filled = y if y.strides[-1] == y.dtype.itemsize else c.filled(y)
    size = q.dtype.itemsize
    steps = [x.strides[-2] // size for x in (q, k, v, filled)]
    scores = c.new((k.shape[-2],), q.dtype)
    note = (
        f"{'causal ' if causal else ''}attention, {q.shape[-2]} queries, {k.shape[-2]} keys of "
        f"{q.shape[-1]}"
    )
    c.call(
        "attention", q.dtype,
        [Moving(q), Moving(k), Moving(v), None if added is None else Moving(added), Moving(filled),
         scores, *steps, q.shape[-2], k.shape[-2],
         q.shape[-1], v.shape[-1], float(scale), int(bool(causal))],
        [q, k, v, scores, *([] if added is None else [added])], [filled, scores], note, loops=lead,
    )  # fmt: skip
    c.settle(filled, y)


def _added(c: Builder, mask: Any, shape: tuple, dtype: Any) -> Region | None:
    """Return what a known mask adds to scores: 0, or minus infinity where nothing is looked at."""
    if mask is None:
        return None
    if not isinstance(mask, Region) or not c.is_known(mask):
        raise RefusedError("attention with a mask that is computed")
    array = c.array(mask)
    if array.dtype == bool:
        array = np.where(array, 0.0, -math.inf)
    lead = np.broadcast_shapes(array.shape, (*array.shape[:-2], *shape[-2:]))
    array = np.broadcast_to(array, lead).astype(dtype)
    found = c.constant(array, "mask")
    missing = len(shape) - found.ndim
    strides = [0] * missing + [0 if n == 1 else s for n, s in zip(found.shape, found.strides)]
    return in_shape(found, shape, strides)
