"""Transformers: layers of attention and of two linear maps, with residual connections."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from aino.autograd.tensor import Tensor
from aino.errors import ArgumentError, ShapeError
from aino.nn import functional as F
from aino.nn import init
from aino.nn.base.module import TensorModule
from aino.nn.modules.container import ModuleList
from aino.nn.modules.dropout import Dropout
from aino.nn.modules.linear import Linear
from aino.nn.modules.multihead_attention import MultiheadAttention
from aino.nn.modules.normalization import LayerNorm
from aino.ops.creation.filled import full
from aino.ops.shape.arranging import triu

__all__ = [
    "Transformer", "TransformerDecoder", "TransformerDecoderLayer", "TransformerEncoder",
    "TransformerEncoderLayer",
]  # fmt: skip

_ACTIVATIONS = {"relu": F.relu, "gelu": F.gelu}


def _activation(activation: Any) -> Any:
    if not isinstance(activation, str):
        return activation
    if activation not in _ACTIVATIONS:
        raise ArgumentError(f"activation should be relu/gelu, not {activation}")
    return _ACTIVATIONS[activation]


class _TransformerLayer(TensorModule):
    """What layers of encoders and of decoders have in common: two linear maps, dropout, norms."""

    self_attn: MultiheadAttention
    linear1: Linear
    linear2: Linear
    dropout: Dropout
    norm_first: bool
    activation: Any

    def _feed(self, x: Tensor, last: Dropout) -> Tensor:
        return last(self.linear2(self.dropout(self.activation(self.linear1(x)))))

    def _attend(self, x, mask, padding, is_causal):
        return self.self_attn(
            x, x, x, attn_mask=mask, key_padding_mask=padding, is_causal=is_causal,
            need_weights=False,
        )[0]  # fmt: skip


class TransformerEncoderLayer(_TransformerLayer):
    """Self-attention and two linear maps, each with a residual connection and layer normalisation.

    Input and output (L, N, d_model), (N, L, d_model) with ``batch_first``, or (L, d_model).

    Arguments:
        d_model: how many numbers a position has.
        nhead: how many heads the attention has.
        dim_feedforward: how many numbers there are between the two linear maps.
        dropout: the probability that a number is set to 0 while training.
        activation: the function between the linear maps: "relu", "gelu", or a function.
        layer_norm_eps: ε of the layer normalisation.
        batch_first: the samples are along the first axis.
        norm_first: normalise before attention and the linear maps, not after them.
        bias: the linear maps and the normalisation have shifts.
        device: where the parameters are; there is only the CPU.
        dtype: of the parameters; the default dtype for None.

    Source: Vaswani et al., "Attention is all you need", 2017.

    >>> import aino
    >>> layer = aino.nn.TransformerEncoderLayer(d_model=8, nhead=2, batch_first=True)
    >>> layer(aino.zeros(3, 5, 8)).shape
    aino.Size([3, 5, 8])
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Callable[[Tensor], Tensor] = F.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        made: dict[str, Any] = {"device": device, "dtype": dtype}
        self.self_attn = MultiheadAttention(
            d_model, nhead, dropout=dropout, bias=bias, batch_first=batch_first, **made
        )
        self.linear1 = Linear(d_model, dim_feedforward, bias=bias, **made)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias=bias, **made)
        self.norm_first = norm_first
        self.norm1 = LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **made)
        self.norm2 = LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **made)
        self.dropout1 = Dropout(dropout)
        self.dropout2 = Dropout(dropout)
        self.activation = _activation(activation)

    def forward(
        self,
        src: Tensor,
        src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool = False,
    ) -> Tensor:
        """Return the input, passed through the layer.

        Arguments:
            src: the positions.
            src_mask: who looks where: see ``MultiheadAttention``.
            src_key_padding_mask: where nobody looks, for each sample.
            is_causal: the mask is the causal one; a promise, that saves looking at it.
        """

        def attend(x):
            return self.dropout1(self._attend(x, src_mask, src_key_padding_mask, is_causal))

        x = src
        if self.norm_first:
            x = x + attend(self.norm1(x))
            return x + self._feed(self.norm2(x), self.dropout2)
        x = self.norm1(x + attend(x))
        return self.norm2(x + self._feed(x, self.dropout2))


class TransformerDecoderLayer(_TransformerLayer):
    """Self-attention, attention to another sequence, and two linear maps.

    Each has a residual connection and layer normalisation. ``tgt`` and the output are (T, N,
    d_model), ``memory`` (S, N, d_model), the first two axes exchanged with ``batch_first``; or
    without N for one sample.

    Arguments:
        d_model: how many numbers a position has.
        nhead: how many heads the attention has.
        dim_feedforward: how many numbers there are between the two linear maps.
        dropout: the probability that a number is set to 0 while training.
        activation: the function between the linear maps: "relu", "gelu", or a function.
        layer_norm_eps: ε of the layer normalisation.
        batch_first: the samples are along the first axis.
        norm_first: normalise before attention and the linear maps, not after them.
        bias: the linear maps and the normalisation have shifts.
        device: where the parameters are; there is only the CPU.
        dtype: of the parameters; the default dtype for None.

    Source: Vaswani et al., "Attention is all you need", 2017.

    >>> import aino
    >>> layer = aino.nn.TransformerDecoderLayer(d_model=8, nhead=2, batch_first=True)
    >>> layer(aino.zeros(3, 5, 8), aino.zeros(3, 7, 8)).shape
    aino.Size([3, 5, 8])
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Callable[[Tensor], Tensor] = F.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        made: dict[str, Any] = {"device": device, "dtype": dtype}
        heads: dict[str, Any] = {"dropout": dropout, "bias": bias, "batch_first": batch_first}
        self.self_attn = MultiheadAttention(d_model, nhead, **heads, **made)
        self.multihead_attn = MultiheadAttention(d_model, nhead, **heads, **made)
        self.linear1 = Linear(d_model, dim_feedforward, bias=bias, **made)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias=bias, **made)
        self.norm_first = norm_first
        self.norm1 = LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **made)
        self.norm2 = LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **made)
        self.norm3 = LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **made)
        self.dropout1 = Dropout(dropout)
        self.dropout2 = Dropout(dropout)
        self.dropout3 = Dropout(dropout)
        self.activation = _activation(activation)

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """Return the targets, passed through the layer.

        Arguments:
            tgt: the positions.
            memory: those of the other sequence, such as an encoder's output.
            tgt_mask: who looks where among the targets.
            memory_mask: who looks where in the memory.
            tgt_key_padding_mask: where nobody looks among the targets, for each sample.
            memory_key_padding_mask: where nobody looks in the memory, for each sample.
            tgt_is_causal: ``tgt_mask`` is the causal one; a promise.
            memory_is_causal: ``memory_mask`` is the causal one; a promise.
        """

        def attend(x):
            return self.dropout1(self._attend(x, tgt_mask, tgt_key_padding_mask, tgt_is_causal))

        def recall(x):
            return self.dropout2(
                self.multihead_attn(
                    x, memory, memory, attn_mask=memory_mask,
                    key_padding_mask=memory_key_padding_mask, is_causal=memory_is_causal,
                    need_weights=False,
                )[0]
            )  # fmt: skip

        x = tgt
        if self.norm_first:
            x = x + attend(self.norm1(x))
            x = x + recall(self.norm2(x))
            return x + self._feed(self.norm3(x), self.dropout3)
        x = self.norm1(x + attend(x))
        x = self.norm2(x + recall(x))
        return self.norm3(x + self._feed(x, self.dropout3))


def _copies(layer: Any, count: int) -> ModuleList:
    return ModuleList([copy.deepcopy(layer) for _ in range(count)])


class TransformerEncoder(TensorModule):
    """Several copies of an encoder's layer, one after the other.

    Arguments:
        encoder_layer: the layer, a ``TransformerEncoderLayer``; it is copied.
        num_layers: how many there are.
        norm: a normalisation at the end, or None.
        enable_nested_tensor: taken for PyTorch's sake; padding is computed as the rest is.
        mask_check: taken for PyTorch's sake.

    >>> import aino
    >>> layer = aino.nn.TransformerEncoderLayer(d_model=8, nhead=2)
    >>> aino.nn.TransformerEncoder(layer, num_layers=2)(aino.zeros(5, 3, 8)).shape
    aino.Size([5, 3, 8])
    """

    def __init__(
        self,
        encoder_layer: Any,
        num_layers: int,
        norm: Any = None,
        enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ) -> None:
        super().__init__()
        self.layers = _copies(encoder_layer, num_layers)
        self.num_layers = num_layers
        self.norm = norm
        self.enable_nested_tensor = enable_nested_tensor
        self.mask_check = mask_check

    def forward(
        self,
        src: Tensor,
        mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool | None = None,
    ) -> Tensor:
        """Return the input, passed through all layers.

        Arguments:
            src: the positions.
            mask: who looks where: see ``MultiheadAttention``.
            src_key_padding_mask: where nobody looks, for each sample.
            is_causal: the mask is the causal one; a promise, that saves looking at it.
        """
        x = src
        for layer in self.layers:
            x = layer(
                x, src_mask=mask, src_key_padding_mask=src_key_padding_mask,
                is_causal=bool(is_causal),
            )  # fmt: skip
        return x if self.norm is None else self.norm(x)


class TransformerDecoder(TensorModule):
    """Several copies of a decoder's layer, one after the other.

    Arguments:
        decoder_layer: the layer, a ``TransformerDecoderLayer``; it is copied.
        num_layers: how many there are.
        norm: a normalisation at the end, or None.

    >>> import aino
    >>> layer = aino.nn.TransformerDecoderLayer(d_model=8, nhead=2)
    >>> decoder = aino.nn.TransformerDecoder(layer, num_layers=2)
    >>> decoder(aino.zeros(5, 3, 8), aino.zeros(7, 3, 8)).shape
    aino.Size([5, 3, 8])
    """

    def __init__(self, decoder_layer: Any, num_layers: int, norm: Any = None) -> None:
        super().__init__()
        self.layers = _copies(decoder_layer, num_layers)
        self.num_layers = num_layers
        self.norm = norm

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """Return the targets, passed through all layers.

        Arguments:
            tgt: the positions.
            memory: those of the other sequence, such as an encoder's output.
            tgt_mask: who looks where among the targets.
            memory_mask: who looks where in the memory.
            tgt_key_padding_mask: where nobody looks among the targets, for each sample.
            memory_key_padding_mask: where nobody looks in the memory, for each sample.
            tgt_is_causal: ``tgt_mask`` is the causal one; a promise.
            memory_is_causal: ``memory_mask`` is the causal one; a promise.
        """
        x = tgt
        for layer in self.layers:
            x = layer(
                x, memory, tgt_mask=tgt_mask, memory_mask=memory_mask,
                tgt_key_padding_mask=tgt_key_padding_mask,
                memory_key_padding_mask=memory_key_padding_mask,
                tgt_is_causal=bool(tgt_is_causal), memory_is_causal=memory_is_causal,
            )  # fmt: skip
        return x if self.norm is None else self.norm(x)


class Transformer(TensorModule):
    """An encoder and a decoder that attends to what the encoder made of the source.

    All matrices start as Xavier's uniform distribution has it. ``src`` (S, N, d_model), ``tgt`` and
    the output (T, N, d_model), the first two axes exchanged with ``batch_first``.

    Arguments:
        d_model: how many numbers a position has.
        nhead: how many heads the attention has.
        num_encoder_layers: how many layers the encoder has.
        num_decoder_layers: how many layers the decoder has.
        dim_feedforward: how many numbers there are between the two linear maps of a layer.
        dropout: the probability that a number is set to 0 while training.
        activation: the function between the linear maps: "relu", "gelu", or a function.
        custom_encoder: another encoder.
        custom_decoder: another decoder.
        layer_norm_eps: ε of the layer normalisation.
        batch_first: the samples are along the first axis.
        norm_first: normalise before attention and the linear maps, not after them.
        bias: the linear maps and the normalisation have shifts.
        device: where the parameters are; there is only the CPU.
        dtype: of the parameters; the default dtype for None.

    Source: Vaswani et al., "Attention is all you need", 2017.

    >>> import aino
    >>> model = aino.nn.Transformer(8, 2, 1, 1, 16)
    >>> model(aino.zeros(7, 3, 8), aino.zeros(5, 3, 8)).shape
    aino.Size([5, 3, 8])
    """

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Callable[[Tensor], Tensor] = F.relu,
        custom_encoder: Any = None,
        custom_decoder: Any = None,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        settings: tuple = (
            d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first,
            norm_first, bias, device, dtype,
        )  # fmt: skip

        def norm():
            return LayerNorm(d_model, eps=layer_norm_eps, bias=bias, device=device, dtype=dtype)

        if custom_encoder is None:
            layer = TransformerEncoderLayer(*settings)
            custom_encoder = TransformerEncoder(layer, num_encoder_layers, norm())
        self.encoder = custom_encoder
        if custom_decoder is None:
            other = TransformerDecoderLayer(*settings)
            custom_decoder = TransformerDecoder(other, num_decoder_layers, norm())
        self.decoder = custom_decoder
        self._reset_parameters()
        self.d_model = d_model
        self.nhead = nhead
        self.batch_first = batch_first

    def _reset_parameters(self) -> None:
        for parameter in self.parameters():
            if parameter.ndim > 1:
                init.xavier_uniform_(parameter)

    def forward(
        self,
        src: Tensor,
        tgt: Tensor,
        src_mask: Tensor | None = None,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        src_is_causal: bool | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """Return the targets, decoded with a look at the source.

        Arguments:
            src: the positions of the source.
            tgt: those of the targets.
            src_mask, tgt_mask, memory_mask: who looks where in the source, among the targets, and
                from the targets to the source.
            src_key_padding_mask, tgt_key_padding_mask, memory_key_padding_mask: where nobody looks,
                for each sample.
            src_is_causal, tgt_is_causal, memory_is_causal: the mask is the causal one; a promise.
        """
        samples = 0 if self.batch_first else 1
        if src.ndim == 3 and src.shape[samples] != tgt.shape[samples]:
            raise ShapeError(
                f"the batch number of src and tgt must be equal, got {src.shape[samples]} and "
                f"{tgt.shape[samples]}"
            )
        if src.shape[-1] != self.d_model or tgt.shape[-1] != self.d_model:
            raise ShapeError(
                f"the feature number of src and tgt must be equal to d_model {self.d_model}, got "
                f"{src.shape[-1]} and {tgt.shape[-1]}"
            )
        memory = self.encoder(
            src, mask=src_mask, src_key_padding_mask=src_key_padding_mask, is_causal=src_is_causal
        )
        return self.decoder(
            tgt, memory, tgt_mask=tgt_mask, memory_mask=memory_mask,
            tgt_key_padding_mask=tgt_key_padding_mask,
            memory_key_padding_mask=memory_key_padding_mask,
            tgt_is_causal=tgt_is_causal, memory_is_causal=memory_is_causal,
        )  # fmt: skip

    @staticmethod
    def generate_square_subsequent_mask(sz: int, device: Any = None, dtype: Any = None) -> Tensor:
        """Return the causal mask (sz, sz): 0 up to the diagonal, -inf above it.

        Arguments:
            sz: how many positions there are.
            device: where the mask is; there is only the CPU.
            dtype: of the mask; the default dtype for None.

        >>> import aino
        >>> aino.nn.Transformer.generate_square_subsequent_mask(2)
        tensor([[0., -inf],
                [0., 0.]])
        """
        return triu(full((sz, sz), float("-inf"), device=device, dtype=dtype), 1)
