"""MultiheadAttention: several heads, each with queries, keys and values of its own."""

from __future__ import annotations

from typing import Any

from aino.autograd.tensor import Tensor
from aino.nn import init
from aino.nn.base.module import Module
from aino.nn.base.parameter import empty_parameter
from aino.nn.functional.attention import attended
from aino.nn.modules.linear import NonDynamicallyQuantizableLinear

__all__ = ["MultiheadAttention"]


class MultiheadAttention(Module):
    """Attention of several heads: softmax(q kᵀ / √d) v for each, side by side, then a linear map.

    The weights of the projections start as Xavier's uniform distribution has it, shifts as zeros.
    It is called with query (L, N, E), key (S, N, kdim) and value (S, N, vdim), the first two axes
    exchanged with ``batch_first``, or without N for one sample; it returns the result (L, N, E)
    and the weights of the heads (N, L, S), or None with ``need_weights=False``, which is faster.
    Raises ``ValueError`` unless ``embed_dim`` is a multiple of ``num_heads``.

    Arguments:
        embed_dim: E: how many numbers a position has.
        num_heads: how many heads there are; each has d = E / num_heads numbers.
        dropout: the probability that a weight is set to 0 while training.
        bias: the projections have shifts.
        add_bias_kv: add a key and a value to all others, which are learned.
        add_zero_attn: add a key and a value of zeros.
        kdim: how many numbers a key has; E for None.
        vdim: how many numbers a value has; E for None.
        batch_first: the samples are along the first axis: (N, L, E).
        device: where the parameters are; there is only the CPU.
        dtype: of the parameters; the default dtype for None.

    Source: Vaswani et al., "Attention is all you need", 2017.

    >>> import aino
    >>> attention = aino.nn.MultiheadAttention(8, 2, batch_first=True)
    >>> x = aino.zeros(3, 5, 8)
    >>> y, weights = attention(x, x, x)
    >>> y.shape, weights.shape
    (aino.Size([3, 5, 8]), aino.Size([3, 5, 5]))
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if embed_dim <= 0 or num_heads <= 0:
            raise ValueError(
                f"embed_dim and num_heads must be greater than 0, got embed_dim={embed_dim} and "
                f"num_heads={num_heads} instead"
            )
        if embed_dim % num_heads:
            raise ValueError(
                f"embed_dim must be divisible by num_heads, got {embed_dim} and {num_heads}"
            )
        super().__init__()
        self.embed_dim = embed_dim
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self._qkv_same_embed_dim = self.kdim == embed_dim == self.vdim
        self.num_heads = num_heads
        self.dropout = dropout
        self.batch_first = batch_first
        self.head_dim = embed_dim // num_heads

        def made(*shape):
            return empty_parameter(shape, device, dtype)

        if self._qkv_same_embed_dim:
            self.in_proj_weight = made(3 * embed_dim, embed_dim)
            separate = (None, None, None)
        else:
            self.in_proj_weight = None
            separate = tuple([made(embed_dim, n) for n in (embed_dim, self.kdim, self.vdim)])
        self.q_proj_weight, self.k_proj_weight, self.v_proj_weight = separate
        self.in_proj_bias = made(3 * embed_dim) if bias else None
        self.out_proj = NonDynamicallyQuantizableLinear(embed_dim, embed_dim, bias, device, dtype)
        self.bias_k = made(1, 1, embed_dim) if add_bias_kv else None
        self.bias_v = made(1, 1, embed_dim) if add_bias_kv else None
        self.add_zero_attn = add_zero_attn
        self._reset_parameters()

    def _reset_parameters(self) -> None:
        """Draw the projections anew."""
        weights = (
            self.in_proj_weight, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight,
        )  # fmt: skip
        for weight in weights:
            if weight is not None:
                init.xavier_uniform_(weight)
        for shift in (self.in_proj_bias, self.out_proj.bias):
            if shift is not None:
                init.zeros_(shift)
        for one in (self.bias_k, self.bias_v):
            if one is not None:
                init.xavier_normal_(one)

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """Return what the queries take from the values, and the weights of the heads or None.

        Arguments:
            query: (L, N, E), (N, L, E) with ``batch_first``, or (L, E).
            key: (S, N, kdim), and so on.
            value: (S, N, vdim), and so on.
            key_padding_mask: (N, S): True where nobody looks, or numbers that are added.
            need_weights: return the weights, too.
            attn_mask: (L, S), or (N · num_heads, L, S): True where a query does not look, or
                numbers that are added to the scores.
            average_attn_weights: return the mean of the heads' weights, not each of them.
            is_causal: the mask is the causal one; a promise, that saves looking at it.
        """
        separate = None
        if not self._qkv_same_embed_dim:
            separate = self.q_proj_weight, self.k_proj_weight, self.v_proj_weight
        return attended(
            query, key, value, self.embed_dim, self.num_heads, self.in_proj_weight,
            self.in_proj_bias, self.bias_k, self.bias_v, self.add_zero_attn,
            self.dropout if self.training else 0.0, self.out_proj.weight, self.out_proj.bias,
            key_padding_mask, need_weights, attn_mask, separate, None, None, average_attn_weights,
            is_causal, self.batch_first,
        )  # fmt: skip
