"""The models that are written as C in the tests: a table of what makes one, and its inputs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import aino
from aino import nn
from aino.nn import functional as F
from examples.published import bert, gpt2, resnet


class Row:
    """A model of the table.

    ``make`` returns a model or a function, ``shapes`` are those of its inputs. ``below``: they are
    indices below that number. ``at``: the input itself. ``avr``: whether avr-libc, which has no
    expm1, log1p, erf and rint, is enough for it.
    """

    def __init__(self, name, make, *shapes, dtype="float32", below=0, avr=True, at=None):
        self.name, self.make, self.shapes = name, make, shapes
        self.dtype, self.below, self.avr, self.at = dtype, below, avr, at

    def __repr__(self) -> str:
        return self.name

    def built(self) -> tuple[Any, list[Any]]:
        """Return the model, as it predicts, and its inputs."""
        aino.manual_seed(len(self.name))
        random = np.random.default_rng(len(self.name))
        default = aino.get_default_dtype()
        aino.set_default_dtype(getattr(aino, self.dtype))
        try:
            model = self.make()
        finally:
            aino.set_default_dtype(default)
        if isinstance(model, nn.Module):
            model.eval()
        if self.at is not None:
            arrays = [np.array(self.at, self.dtype)]
        elif self.below:
            arrays = [random.integers(0, self.below, shape) for shape in self.shapes]
        else:
            arrays = [random.normal(size=shape).astype(self.dtype) * 2 for shape in self.shapes]
        return model, [aino.from_numpy(np.array(array)) for array in arrays]


def settled(model: nn.Module) -> nn.Module:
    """Give a model's batch norms means and variances that are not 0 and 1."""
    random = np.random.default_rng(0)
    for module in model.modules():
        if hasattr(module, "running_mean") and module.running_mean is not None:
            shape = module.running_mean.shape
            module.running_mean.array[...] = random.normal(size=shape)
            module.running_var.array[...] = random.uniform(0.5, 2, size=shape)
    return model


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(4, 4), nn.Linear(8, 2)

    def forward(self, x):
        return self.b(aino.cat([x + F.relu(self.a(x)), x * 2], 1))


class LastStep(nn.Module):
    """A recurrent layer and what is made of its last step."""

    def __init__(self, layer, features):
        super().__init__()
        self.layer, self.head = layer, nn.Linear(features, 2)

    def forward(self, x):
        return self.head(self.layer(x)[0][:, -1])


class Tied(nn.Module):
    """A table that is also the last layer, and indices."""

    def __init__(self):
        super().__init__()
        self.table, self.out = nn.Embedding(7, 4), nn.Linear(4, 7, bias=False)
        self.out.weight = self.table.weight

    def forward(self, index):
        return self.out(self.table(index).mean(1))


class Strange(nn.Module):
    """Names that are none in C."""

    def __init__(self):
        super().__init__()
        self.double, self.exp = nn.Linear(3, 3), nn.Linear(3, 3)
        self.layers = nn.ModuleDict({"für": nn.Linear(3, 3), "a-b": nn.Linear(3, 2)})

    def forward(self, int, *, register=None):
        x = self.exp(self.double(int)).relu()
        return self.layers["a-b"](self.layers["für"](x))


def lenet():
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(),
        nn.MaxPool2d(2), nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84),
        nn.ReLU(), nn.Linear(84, 10),
    )  # fmt: skip


def network(classes, **options):
    """Return a network that has learned classes, or numbers."""
    random = np.random.default_rng(0)
    found = aino.NeuralNetwork(hidden=[5], seed=0, **options)
    X = random.normal(3, 10, size=(24, 4))
    y = X[:, :2] * 7 if classes is None else [classes[i % len(classes)] for i in range(24)]
    return found.fit(X, y, epochs=4, verbose=False)


def activation(name, *arguments, avr=True, **keywords):
    return Row(
        name,
        lambda: nn.Sequential(nn.Linear(4, 6), getattr(nn, name)(*arguments, **keywords)),
        (2, 4), avr=avr,
    )  # fmt: skip


ROWS = [
    # Perceptrons
    Row("Sequential", lambda: nn.Sequential(
        nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3), nn.Softmax(-1)), (1, 4)),
    Row("float64", lambda: nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 3)), (1, 4),
        dtype="float64"),
    Row("without_batch", lambda: nn.Sequential(nn.Linear(4, 5), nn.Sigmoid()), (4,)),
    Row("batch", lambda: nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 2)), (7, 4)),
    Row("no_bias", lambda: nn.Linear(4, 3, bias=False), (1, 4)),
    Row("layer", lambda: nn.Layer(4, 3, "tanh"), (1, 4)),
    Row("identity", nn.Identity, (2, 3)),
    Row("scalar", lambda: lambda x: x * 2 + 1, ()),
    Row("empty", lambda: lambda x: x * 2, (0, 3)),
    Row("network_classes", lambda: network(["a", "b?", 'c"\n']), (1, 4), dtype="float64"),
    Row("network_binary", lambda: network([False, True]), (1, 4)),
    Row("network_numbers", lambda: network(None), (1, 4), dtype="float64"),
    Row("strange", Strange, (1, 3)),
    Row("tied", Tied, (2, 3), below=7),
    Row("dropout", lambda: nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5), nn.Linear(4, 2)),
        (1, 4)),
    Row("batch_norm_1d", lambda: settled(nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6))),
        (2, 4)),
    # Numbers that are none
    Row("nan_and_inf", lambda: lambda x: (F.relu(x), aino.maximum(x, x.flip(0)), x.amax(0)),
        at=[math.nan, math.inf, -math.inf, 1, -1, 0]),
    Row("nan_in_pool", lambda: nn.MaxPool1d(2),
        at=[[[math.nan, 1, 2, math.inf, -math.inf, -math.inf]]]),
    Row("large_and_small", lambda: lambda x: x * aino.tensor(
        [3.4028235e38, 1e-45, 1.17549435e-38, math.inf, 16777217.0, -0.0]), at=[1, 1, 1, 1, 1, 1]),
    # Activations
    *[activation(name) for name in ("ReLU", "Sigmoid", "Tanh", "LeakyReLU", "ReLU6", "Hardtanh",
      "Hardsigmoid", "Hardswish", "Hardshrink", "Softshrink", "Tanhshrink", "Softsign", "SiLU",
      "PReLU", "RReLU", "Mish")],
    *[activation(name, avr=False) for name in ("ELU", "SELU", "CELU", "GELU", "LogSigmoid",
      "Softplus")],
    activation("Softmax", -1), activation("LogSoftmax", -1), activation("Softmin", 1),
    activation("Threshold", 0.1, 2.0), activation("GLU", 1),
    Row("GELU_tanh", lambda: nn.GELU("tanh"), (2, 4)),
    Row("Softplus_beta", lambda: nn.Softplus(2.0, 3.0), (2, 9), avr=False),
    Row("Softmax2d", nn.Softmax2d, (1, 3, 2, 2)),
    # Windows
    Row("lenet", lenet, (1, 1, 28, 28)),
    Row("convnet", lambda: settled(nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=2, padding=1), nn.BatchNorm2d(8), nn.ReLU(),
        nn.Conv2d(8, 8, 3, groups=4, padding=2, dilation=2), nn.Hardswish(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 5))), (2, 3, 11, 9)),
    Row("conv1d", lambda: nn.Sequential(nn.Conv1d(4, 6, 3, groups=2, stride=2), nn.ReLU()),
        (2, 4, 9)),
    Row("conv2d_uneven", lambda: nn.Conv2d(2, 3, (3, 2), stride=(1, 2), padding=(0, 1),
        dilation=(2, 1)), (1, 2, 7, 8)),
    Row("conv_same", lambda: nn.Conv2d(2, 3, 4, padding="same"), (1, 2, 6, 5)),
    Row("conv_reflect", lambda: nn.Conv2d(2, 3, 3, padding=1, padding_mode="reflect"),
        (1, 2, 5, 5)),
    Row("conv_circular", lambda: nn.Conv1d(2, 3, 3, padding=2, padding_mode="circular"), (2, 2, 5)),
    Row("conv_unbatched", lambda: nn.Conv2d(2, 3, 3), (2, 5, 5)),
    Row("depthwise", lambda: nn.Conv2d(4, 4, 3, groups=4, bias=False), (3, 4, 6, 6)),
    Row("conv_transpose", lambda: nn.Sequential(
        nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1, output_padding=1, groups=2), nn.ReLU()),
        (2, 4, 4, 5)),
    Row("conv_transpose_1d", lambda: nn.ConvTranspose1d(2, 3, 4, stride=3, dilation=2), (1, 2, 5)),
    Row("uneven", lambda: nn.Sequential(
        nn.ConvTranspose2d(1, 2, (2, 4), stride=(1, 2), padding=(0, 1), dilation=(2, 1)),
        nn.MaxPool2d((2, 3), (1, 2), (0, 1), dilation=(2, 1)), nn.AvgPool2d((2, 3), (1, 2), (0, 1)),
    ), (1, 1, 5, 9)),
    Row("max_pool", lambda: nn.MaxPool2d(3, stride=2, padding=1, ceil_mode=True), (2, 2, 6, 7)),
    Row("max_pool_dilated", lambda: nn.MaxPool1d(2, stride=1, dilation=3), (1, 2, 8)),
    Row("avg_pool", lambda: nn.AvgPool2d(3, stride=2, padding=1, ceil_mode=True), (2, 2, 6, 7)),
    Row("avg_pool_uncounted", lambda: nn.AvgPool2d(3, 2, 1, count_include_pad=False), (1, 2, 7, 6)),
    Row("avg_pool_divisor", lambda: nn.AvgPool2d(2, divisor_override=3), (1, 2, 4, 4)),
    Row("avg_pool_1d", lambda: nn.AvgPool1d(3, stride=1, padding=1), (2, 5)),
    Row("adaptive", lambda: nn.Sequential(nn.AdaptiveAvgPool2d((3, 2)), nn.AdaptiveMaxPool2d(2)),
        (1, 2, 7, 5)),
    Row("upsample", lambda: nn.Upsample(scale_factor=2), (1, 2, 3, 3)),
    Row("bilinear", lambda: nn.Upsample(scale_factor=2, mode="bilinear"), (1, 2, 3, 4)),
    Row("zero_pad", lambda: nn.ConstantPad2d((1, 0, 2, 1), 0.5), (1, 2, 3, 3)),
    Row("flatten", lambda: nn.Sequential(nn.Flatten(0), nn.Unflatten(0, (2, 6))), (3, 4)),
    # Sequences
    *[Row(f"{kind}_{layers}{'_both' if both else ''}{'_first' if first else ''}",
          lambda kind=kind, layers=layers, both=both, first=first: getattr(nn, kind)(
              3, 4, layers, bidirectional=both, batch_first=first),
          (2, 5, 3)) for kind in ("RNN", "LSTM", "GRU") for layers, both, first in (
              (1, False, False), (2, True, True), (2, True, False), (1, False, True))],
    Row("rnn_relu", lambda: nn.RNN(3, 4, nonlinearity="relu", bias=False), (5, 1, 3)),
    Row("gru_head", lambda: LastStep(nn.GRU(3, 5, batch_first=True), 5), (1, 6, 3)),
    Row("lstm_cell", lambda: nn.LSTMCell(3, 4), (2, 3)),
    Row("gru_cell", lambda: nn.GRUCell(3, 4), (2, 3)),
    # Transformers
    Row("layer_norm", lambda: nn.LayerNorm((3, 4)), (2, 3, 4)),
    Row("group_norm", lambda: nn.GroupNorm(2, 4), (2, 4, 3, 3)),
    Row("instance_norm", lambda: nn.InstanceNorm1d(3, affine=True), (2, 3, 5)),
    Row("rms_norm", lambda: nn.RMSNorm(4), (2, 4)),
    Row("embedding", lambda: nn.Sequential(nn.Embedding(9, 4), nn.Flatten(), nn.Linear(12, 2)),
        (2, 3), below=9),
    Row("encoder", lambda: nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), (2, 5, 8)),
    Row("encoder_first", lambda: nn.TransformerEncoderLayer(
        8, 2, 16, activation="gelu", norm_first=True), (5, 2, 8), avr=False),
    Row("causal", lambda: lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True),
        (1, 2, 4, 3), (1, 2, 4, 3), (1, 2, 4, 3)),
    Row("masked", lambda: lambda q, k, v: F.scaled_dot_product_attention(
        q, k, v, aino.tensor([[True, False, True]] * 2 + [[False] * 3] * 2)),
        (2, 2, 4, 3), (2, 2, 3, 3), (2, 2, 3, 5)),
    Row("residual", Residual, (1, 4)),
    Row("gpt2", lambda: gpt2.GPT2LMHeadModel(gpt2.GPT2Config(
        vocab_size=11, n_positions=8, n_embd=4, n_layer=2, n_head=2)), (2, 4), below=11),
    Row("bert", lambda: bert.BertForMaskedLM(bert.BertConfig(
        vocab_size=11, hidden_size=4, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=6, max_position_embeddings=8)), (2, 4), below=11, avr=False),
    Row("resnet", lambda: settled(resnet.ResNetForImageClassification(resnet.ResNetConfig(
        embedding_size=4, hidden_sizes=[4, 8], depths=[1, 1], layer_type="basic"))),
        (1, 3, 16, 16)),
    # Functions
    Row("several", lambda: lambda x, y: {"sum": x + y, "both": (x.sum(1), x @ y.mT)},
        (2, 3), (2, 3)),
    Row("unused", lambda: _second(nn.Linear(3, 2)), (2, 3), (2, 3)),
    Row("signs_of_zeros", lambda: lambda x: x / aino.tensor([0.0, -0.0]), at=[1, 1]),
    Row("same_twice", lambda: lambda x: (x + 1, x), (2, 3)),
    Row("in_place", lambda: lambda x: (x * 2).add_(1).mul_(x), (2, 3)),
    Row("written_parts", lambda: _parts, (2, 3)),
    Row("shifted", lambda: _shifted, (4, 3)),
    Row("reductions", lambda: lambda x: (x.sum(), x.mean(1, keepdim=True), x.amax(0),
        x.amin((0, 1)), x.prod(2), x.std(1), x.var(0), x.norm(dim=2), aino.logsumexp(x, 1),
        x.argmax(1)), (2, 3, 4)),
    Row("arithmetic", lambda: lambda x: (x / 3 - 1, x**2, x.abs().sqrt(), x.exp(), x.clamp(-1, 1),
        aino.where(x > 0, x, -x), x.sign(), (x > 0) & (x < 1), x.round(), x % 0.7), (2, 3),
        avr=False),
    Row("products", lambda: lambda x, y: (x @ y, x[0] @ y[0], x[0, 0] @ y[0], x[0] @ y[0, :, 0],
        x[0, 0] @ y[0, :, 0]), (2, 3, 4), (2, 4, 5)),
    Row("views", lambda: lambda x: (x.mT + 1, x[:, ::2] * 2, x.flip(1), x.reshape(6, 2).T.relu(),
        aino.stack([x, -x], 1), x.expand(2, 3, 4).sum(0)), (3, 4)),
    Row("mixed_dtypes", lambda: lambda x: (x.double() / 3, x.long() + 1, x.bool(), x.int() * 2.5),
        (2, 3)),
]  # fmt: skip


def _parts(x):
    y = aino.zeros(2, 4)
    y[:, 1:] = x
    y[0] += 1
    return y


def _second(layer):
    return lambda x, y: aino.maximum(layer(y), layer(y) * 2)


def _shifted(x):
    y = x * 1
    y[1:] = y[:-1].clone()
    return y
