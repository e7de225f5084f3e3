"""Rows of attention and transformers, with all heads written out in NumPy as the oracles."""

import math

import numpy as np

from tests.calculus.row import real
from tests.nn.row import row


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def heads(x, count):
    """(N, L, E) as (N, count, L, E / count)."""
    return np.swapaxes(x.reshape(*x.shape[:2], count, -1), 1, 2)


def attend(query, key, value, state, count, prefix="", mask=0.0):
    """Multi-head attention of samples that lie along the first axis, and the heads' weights."""
    state = {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
    width = query.shape[-1]
    if "in_proj_weight" in state:
        weights = np.split(state["in_proj_weight"], 3)
    else:
        weights = [state[f"{name}_proj_weight"] for name in "qkv"]
    shifts = np.split(state.get("in_proj_bias", np.zeros(3 * width)), 3)
    q, k, v = (x @ w.T + b for x, w, b in zip((query, key, value), weights, shifts))
    if "bias_k" in state:
        ones = [np.broadcast_to(state[name], (len(k), 1, width)) for name in ("bias_k", "bias_v")]
        k, v = (np.concatenate(pair, 1) for pair in zip((k, v), ones))
    q, k, v = (heads(x, count) for x in (q, k, v))
    if state.get("zero"):
        k, v = (np.concatenate([x, np.zeros_like(x[:, :, :1])], 2) for x in (k, v))
    weights = softmax(q @ np.swapaxes(k, -1, -2) / np.sqrt(width // count) + mask)
    y = np.swapaxes(weights @ v, 1, 2).reshape(*query.shape)
    y = y @ state["out_proj.weight"].T + state.get("out_proj.bias", 0.0)
    return y, weights


def first_axes(*arrays):
    return [np.swapaxes(x, 0, 1) for x in arrays]


def multihead(count, batch_first=False, **extra):
    def oracle(query, key, value, padding=None, need_weights=True, mask=None, *_, **state):
        batched = query.ndim == 3
        if not batched:
            query, key, value = query[None], key[None], value[None]
        elif not batch_first:
            query, key, value = first_axes(query, key, value)
        y, _ = attend(query, key, value, state | extra, count)
        return (y if batch_first or not batched else first_axes(y)[0]) if batched else y[0]

    return oracle


def multihead_weights(query, key, value, **state):
    return attend(query, key, value, state, 2)[1].mean(1)


def norm(x, state, name):
    z = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)
    return z * state[f"{name}.weight"] + state.get(f"{name}.bias", 0.0)


def feed(x, state, activation):
    x = activation(x @ state["linear1.weight"].T + state.get("linear1.bias", 0.0))
    return x @ state["linear2.weight"].T + state.get("linear2.bias", 0.0)


def relu(x):
    return np.maximum(0.0, x)


def gelu(x):
    return 0.5 * x * np.vectorize(math.erfc)(-x / math.sqrt(2.0))


def inside(state, prefix):
    return {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}


def encoder_layer(x, state, activation=relu, norm_first=False):
    def own(x):
        return attend(x, x, x, state, 2, "self_attn.")[0]

    if norm_first:
        x = x + own(norm(x, state, "norm1"))
        return x + feed(norm(x, state, "norm2"), state, activation)
    x = norm(x + own(x), state, "norm1")
    return norm(x + feed(x, state, activation), state, "norm2")


def decoder_layer(x, memory, state, norm_first=False):
    def own(x):
        return attend(x, x, x, state, 2, "self_attn.")[0]

    def other(x):
        return attend(x, memory, memory, state, 2, "multihead_attn.")[0]

    if norm_first:
        x = x + own(norm(x, state, "norm1"))
        x = x + other(norm(x, state, "norm2"))
        return x + feed(norm(x, state, "norm3"), state, relu)
    x = norm(x + own(x), state, "norm1")
    x = norm(x + other(x), state, "norm2")
    return norm(x + feed(x, state, relu), state, "norm3")


def transformer(src, tgt, **state):
    memory, x = first_axes(src, tgt)
    memory = encoder_layer(memory, inside(state, "encoder.layers.0."))
    memory = norm(memory, inside(state, "encoder."), "norm")
    x = decoder_layer(x, memory, inside(state, "decoder.layers.0."))
    return first_axes(norm(x, inside(state, "decoder."), "norm"))[0]


LAYER = """TransformerEncoderLayer(
  (self_attn): MultiheadAttention(
    (out_proj): NonDynamicallyQuantizableLinear(in_features=4, out_features=4, bias=True)
  )
  (linear1): Linear(in_features=4, out_features=3, bias=True)
  (dropout): Dropout(p=0.1, inplace=False)
  (linear2): Linear(in_features=3, out_features=4, bias=True)
  (norm1): LayerNorm((4,), eps=1e-05, elementwise_affine=True, bias=True)
  (norm2): LayerNorm((4,), eps=1e-05, elementwise_affine=True, bias=True)
  (dropout1): Dropout(p=0.1, inplace=False)
  (dropout2): Dropout(p=0.1, inplace=False)
)"""
DECODER = """TransformerDecoderLayer(
  (self_attn): MultiheadAttention(
    (out_proj): NonDynamicallyQuantizableLinear(in_features=4, out_features=4, bias=True)
  )
  (multihead_attn): MultiheadAttention(
    (out_proj): NonDynamicallyQuantizableLinear(in_features=4, out_features=4, bias=True)
  )
  (linear1): Linear(in_features=4, out_features=3, bias=True)
  (dropout): Dropout(p=0.1, inplace=False)
  (linear2): Linear(in_features=3, out_features=4, bias=True)
  (norm1): LayerNorm((4,), eps=1e-05, elementwise_affine=True, bias=True)
  (norm2): LayerNorm((4,), eps=1e-05, elementwise_affine=True, bias=True)
  (norm3): LayerNorm((4,), eps=1e-05, elementwise_affine=True, bias=True)
  (dropout1): Dropout(p=0.1, inplace=False)
  (dropout2): Dropout(p=0.1, inplace=False)
  (dropout3): Dropout(p=0.1, inplace=False)
)"""
NORM = "(norm): LayerNorm((4,), eps=1e-05, elementwise_affine=True, bias=True)"


def moved(text, steps=1):
    return text.replace("\n", "\n" + "  " * steps)


def stack(name, layer):
    layers = f"(layers): ModuleList(\n  (0-1): 2 x {moved(layer)}\n)"
    return f"{name}(\n  {moved(layers)}\n)"


def stacked(name, layer):
    """One layer and a norm at the end."""
    layers = f"(layers): ModuleList(\n  (0): {moved(layer)}\n)"
    return f"{name}(\n  {moved(layers)}\n  {NORM}\n)"


def attention_text(width):
    return (
        "MultiheadAttention(\n  (out_proj): NonDynamicallyQuantizableLinear("
        f"in_features={width}, out_features={width}, bias=True)\n)"
    )


def two_layers(layer):
    def oracle(*inputs, **state):
        inputs = first_axes(*inputs)
        x = inputs[0]
        for place in range(2):
            x = layer(x, *inputs[1:], inside(state, f"layers.{place}."))
        return first_axes(x)[0]

    return oracle


x, other = real(3, 2, 4), real(5, 2, 4)

ROWS = [
    row("MultiheadAttention", 4, 2, inputs=(x, other, other), oracle=multihead(2), output=0,
        text=attention_text(4),
        errors=[((4, 3), {}, ValueError), ((0, 1), {}, ValueError)],
        bad_inputs=[(x, other, x), (real(3, 2, 5), other, other), (real(3, 4), other, other),
                    (real(2, 3, 2, 4), other, other)]),
    row("MultiheadAttention", 4, 2, batch_first=True, output=1, text=attention_text(4),
        inputs=(real(2, 3, 4), real(2, 5, 4), real(2, 5, 4)), oracle=multihead_weights),
    row("MultiheadAttention", 4, 2, kdim=3, vdim=2, add_bias_kv=True, add_zero_attn=True,
        inputs=(real(3, 4), real(5, 3), real(5, 2)), oracle=multihead(2, zero=True), output=0,
        text=attention_text(4), order=1),
    row("TransformerEncoderLayer", 4, 2, 3, inputs=x, random=True, text=LAYER, order=1,
        oracle=lambda x, **state: first_axes(encoder_layer(first_axes(x)[0], state))[0]),
    row("TransformerEncoderLayer", 4, 2, 3, activation="gelu", batch_first=True, norm_first=True,
        dropout=0.0, inputs=x, text=LAYER.replace("p=0.1", "p=0.0"), order=0,
        oracle=lambda x, **state: encoder_layer(x, state, gelu, True),
        errors=[((4, 2), {"activation": "relu6"}, ValueError)]),
    row("TransformerDecoderLayer", 4, 2, 3, inputs=(x, other), random=True, text=DECODER, order=1,
        oracle=lambda x, other, **state: first_axes(
            decoder_layer(*first_axes(x, other), state))[0]),
    row("TransformerDecoderLayer", 4, 2, 3, norm_first=True, inputs=(x, other), random=True,
        text=DECODER, order=0, oracle=lambda x, other, **state: first_axes(
            decoder_layer(*first_axes(x, other), state, True))[0]),
    row("TransformerEncoder", lambda nn: nn.TransformerEncoderLayer(4, 2, 3), 2, inputs=x,
        random=True, order=0, text=stack("TransformerEncoder", LAYER),
        oracle=two_layers(encoder_layer)),
    row("TransformerDecoder", lambda nn: nn.TransformerDecoderLayer(4, 2, 3), 2,
        inputs=(x, other), random=True, order=0, text=stack("TransformerDecoder", DECODER),
        oracle=two_layers(decoder_layer)),
    row("Transformer", 4, 2, 1, 1, 3, inputs=(other, x), random=True, order=0, oracle=transformer,
        text=f"""Transformer(
  (encoder): {moved(stacked("TransformerEncoder", LAYER))}
  (decoder): {moved(stacked("TransformerDecoder", DECODER))}
)""", bad_inputs=[(real(5, 3, 4), x), (real(5, 2, 3), x)]),
]  # fmt: skip
