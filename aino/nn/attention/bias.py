"""Causal masks of attention where there are more keys than queries, or fewer."""

from __future__ import annotations

import enum
from typing import Any

import numpy as np

from aino.autograd.tensor import Tensor

__all__ = ["CausalBias", "CausalVariant", "causal_lower_right", "causal_upper_left"]


class CausalVariant(enum.IntEnum):
    """Which corner of the scores the diagonal of a causal mask ends in."""

    UPPER_LEFT = 1
    LOWER_RIGHT = 2


class CausalBias(Tensor):
    """A causal mask of booleans, for ``scaled_dot_product_attention``: True where a query may look.

    Arguments:
        variant: in which corner the diagonal ends.
        seq_len_q: how many queries there are.
        seq_len_kv: how many keys.
    """

    def __init__(self, variant: Any, seq_len_q: int, seq_len_kv: int) -> None:
        variant = CausalVariant(variant)
        shift = seq_len_kv - seq_len_q if variant is CausalVariant.LOWER_RIGHT else 0
        super().__init__(np.tri(seq_len_q, seq_len_kv, shift, dtype=bool))
        self.variant = variant
        self.seq_len_q = seq_len_q
        self.seq_len_kv = seq_len_kv


def causal_upper_left(*size: int) -> CausalBias:
    """Return the mask in which the first query looks at the first key.

    Arguments:
        size: the numbers of queries and of keys.

    >>> from aino.nn.attention.bias import causal_upper_left
    >>> causal_upper_left(2, 3).tolist()
    [[True, False, False], [True, True, False]]
    """
    return CausalBias(CausalVariant.UPPER_LEFT, *size)


def causal_lower_right(*size: int) -> CausalBias:
    """Return the mask in which the last query looks at all keys, as with a cache of older keys.

    Arguments:
        size: the numbers of queries and of keys.

    >>> from aino.nn.attention.bias import causal_lower_right
    >>> causal_lower_right(2, 3).tolist()
    [[True, True, False], [True, True, True]]
    """
    return CausalBias(CausalVariant.LOWER_RIGHT, *size)
