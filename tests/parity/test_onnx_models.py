"""Whole models as ONNX, with dynamic batches and lengths: onnxruntime gives what they give."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import aino
from aino import nn
from aino.func import functional_call, stack_module_state, vmap

pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
onnxruntime.set_default_logger_severity(4)
F = nn.functional


class LeNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 6, 5, padding=2), nn.Conv2d(6, 16, 5)
        self.fc1, self.fc2 = nn.Linear(400, 120), nn.Linear(120, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.fc2(F.relu(self.fc1(x.flatten(1))))


class Residual(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, groups=2)
        self.norm1, self.norm2 = nn.BatchNorm2d(channels), nn.GroupNorm(2, channels)

    def forward(self, x):
        return F.relu(x + self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x))))))


def resnet() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 8, 7, stride=2, padding=3), nn.MaxPool2d(3, 2, 1), Residual(8), Residual(8),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 5),
    )  # fmt: skip


class Recurrent(nn.Module):
    def __init__(self, kind: type, width: int = 5, **settings: Any) -> None:
        super().__init__()
        self.rnn = kind(3, 5, num_layers=2, batch_first=True, **settings)
        self.out = nn.Linear(width, 2)

    def forward(self, x):
        return self.out(self.rnn(x)[0][:, -1])


class LanguageModel(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.gru, self.out = nn.Embedding(11, 6), nn.GRU(6, 7), nn.Linear(7, 11)

    def forward(self, ids, state=None):
        y, state = self.gru(self.embedding(ids), state)
        return {"logits": self.out(y), "state": state}


class Attention(nn.Module):
    """Attention as small GPTs write it by hand, with a mask that is cut to the length."""

    def __init__(self, width: int, heads: int, longest: int, by_hand: bool) -> None:
        super().__init__()
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.heads, self.by_hand = heads, by_hand
        self.register_buffer("mask", aino.tril(aino.ones(longest, longest)))

    def forward(self, x):
        batch, time, width = x.size()
        parts = self.qkv(x).split(width, dim=2)
        q, k, v = (p.view(batch, time, self.heads, -1).transpose(1, 2) for p in parts)
        if self.by_hand:
            scores = (q @ k.transpose(-2, -1)) * (width // self.heads) ** -0.5
            scores = scores.masked_fill(self.mask[:time, :time] == 0, float("-inf"))
            y = F.softmax(scores, dim=-1) @ v
        else:
            y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.out(y.transpose(1, 2).contiguous().view(batch, time, width))


class GPT(nn.Module):
    def __init__(self, by_hand: bool, longest: int = 8, width: int = 16) -> None:
        super().__init__()
        self.tokens, self.places = nn.Embedding(13, width), nn.Embedding(longest, width)
        self.blocks = nn.ModuleList(
            [nn.ModuleDict({
                "norm1": nn.LayerNorm(width), "norm2": nn.LayerNorm(width),
                "attention": Attention(width, 2, longest, by_hand),
                "mlp": nn.Sequential(nn.Linear(width, 32), nn.GELU(), nn.Linear(32, width)),
            }) for _ in range(2)]
        )  # fmt: skip
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, 13, bias=False)
        self.head.weight = self.tokens.weight

    def forward(self, ids):
        x = self.tokens(ids) + self.places(aino.arange(ids.shape[1]))
        for block in self.blocks:
            x = x + block["attention"](block["norm1"](x))
            x = x + block["mlp"](block["norm2"](x))
        return self.head(self.norm(x))


class Encoder(nn.Module):
    """A Transformer over sentences that are filled up, and the mean of what is not filling."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(20, 8, padding_idx=0)
        layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        self.encoder, self.out = nn.TransformerEncoder(layer, 2), nn.Linear(8, 3)

    def forward(self, ids):
        filling = ids == 0
        x = self.encoder(self.embedding(ids), src_key_padding_mask=filling)
        kept = (~filling).float().unsqueeze(-1)
        return self.out((x * kept).sum(1) / kept.sum(1))


def fitted() -> nn.Module:
    """A network with scales of what comes in and what goes out, as ``fit`` leaves it."""
    rng = np.random.default_rng(0)
    x = rng.normal(5.0, 3.0, (60, 4)).astype(np.float32)
    network = aino.NeuralNetwork([4, 8, 3])
    network.fit(x, x[:, :3] * 100.0 + 7.0, epochs=2, verbose=False)
    return network


class Ensemble(nn.Module):
    """The mean of several networks, all at once by vmap."""

    def __init__(self, make: Callable[[], nn.Module]) -> None:
        super().__init__()
        self.members = nn.ModuleList([make() for _ in range(3)])

    def forward(self, x):
        parameters, buffers = stack_module_state(list(self.members))
        one = self.members[0]
        found = vmap(lambda p, b: functional_call(one, (p, b), (x,)))(parameters, buffers)
        return found.mean(0)


def mlp() -> nn.Module:
    return nn.Sequential(
        nn.Linear(4, 8), nn.Tanh(), nn.Dropout(0.5), nn.Linear(8, 3), nn.Softmax(-1)
    )


def small_conv() -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(32, 2))


def ids(top: int, *shape: int) -> aino.Tensor:
    return aino.randint(1, top, shape)


@dataclass
class Case:
    """A model, its inputs for a batch and a time, and which of their dimensions are dynamic."""

    make: Callable[[], nn.Module]
    inputs: Callable[[int, int], tuple]
    dynamic: Any
    most: int = 200  # nodes


BATCH, BOTH = {0: "batch"}, {0: "batch", 1: "time"}
MODELS = {
    "mlp": Case(mlp, lambda n, t: (aino.randn(n, 4),), [BATCH], 4),
    "lenet": Case(LeNet, lambda n, t: (aino.randn(n, 1, 28, 28),), [BATCH], 10),
    "resnet": Case(resnet, lambda n, t: (aino.randn(n, 3, 24 + 2 * t, 24),),
                   [{0: "batch", 2: "height"}], 33),
    "lstm": Case(lambda: Recurrent(nn.LSTM), lambda n, t: (aino.randn(n, t, 3),), [BOTH], 8),
    "lstm both ways": Case(lambda: Recurrent(nn.LSTM, 10, bidirectional=True),
                           lambda n, t: (aino.randn(n, t, 3),), [BOTH], 12),
    "gru": Case(lambda: Recurrent(nn.GRU), lambda n, t: (aino.randn(n, t, 3),), [BOTH], 8),
    "rnn": Case(lambda: Recurrent(nn.RNN), lambda n, t: (aino.randn(n, t, 3),), [BOTH], 8),
    "language model": Case(LanguageModel, lambda n, t: (ids(11, t, n), aino.randn(1, n, 7)),
                           [{0: "time", 1: "batch"}, {1: "batch"}], 8),
    "gpt by hand": Case(lambda: GPT(True), lambda n, t: (ids(13, n, t),), [BOTH], 90),
    "gpt": Case(lambda: GPT(False), lambda n, t: (ids(13, n, t),), [BOTH], 90),
    "encoder": Case(Encoder, lambda n, t: (ids(20, n, t),), [BOTH], 100),
    "attention": Case(lambda: nn.MultiheadAttention(8, 2, batch_first=True),
                      lambda n, t: (aino.randn(n, t, 8),) * 3, [BOTH] * 3, 40),
    "transformer": Case(lambda: nn.Transformer(8, 2, 1, 1, 16, batch_first=True),
                        lambda n, t: (aino.randn(n, t, 8), aino.randn(n, 3, 8)),
                        [BOTH, BATCH], 110),
    "network with scales": Case(fitted, lambda n, t: (aino.randn(n, 4) * 3.0 + 5.0,), [BATCH], 11),
    "ensemble": Case(lambda: Ensemble(mlp), lambda n, t: (aino.randn(n, 4),), [BATCH], 40),
    "ensemble of images": Case(lambda: Ensemble(small_conv),
                               lambda n, t: (aino.randn(n, 1, 6, 6),),
                               None, 60),
}  # fmt: skip


def leaves(item: Any) -> list[aino.Tensor]:
    if isinstance(item, aino.Tensor):
        return [item]
    parts = item.values() if isinstance(item, dict) else item
    return [leaf for part in parts for leaf in leaves(part)]


@pytest.mark.parametrize("name", MODELS)
def test_models_with_other_batches_and_lengths(name):
    aino.manual_seed(0)
    case = MODELS[name]
    model = case.make().eval()
    program = aino.onnx.export(model, case.inputs(3, 5), dynamic_shapes=case.dynamic)
    assert len(program.model_proto.graph.node) <= case.most
    again = aino.onnx.load(program.model_proto)
    for batch, time in ((3, 5), (1, 2), (4, 8), (2, 1)) if case.dynamic else ((3, 5),):
        inputs = case.inputs(batch, time)
        with aino.no_grad():
            expected, back = leaves(model(*inputs)), leaves(again(*inputs))
        found = program(*inputs)
        assert len(found) == len(back) == len(expected)
        for one, other, loaded in zip(found, expected, back):
            assert one.shape == other.shape
            np.testing.assert_allclose(one.numpy(), other.numpy(), 1e-4, 1e-4)
            np.testing.assert_allclose(loaded.numpy(), other.numpy(), 1e-4, 1e-4)


@pytest.mark.parametrize("opset", range(17, 24))
def test_every_version_of_the_operators(opset):
    """What is another operator, or another form of one, in some version."""
    aino.manual_seed(0)
    model = nn.Sequential(
        nn.Conv1d(3, 4, 3, padding=1, padding_mode="circular"), nn.GroupNorm(2, 4), nn.Mish(),
        nn.GELU(), nn.GELU(approximate="tanh"), nn.AvgPool1d(2), nn.LayerNorm(4), nn.RMSNorm(4),
    ).eval()  # fmt: skip

    def called(x):
        y = model(x)
        return y, y.amax(1), y.mean((0, 2)), y.prod(1), (y > 0).any(1), F.softmax(y, 1)

    x = aino.randn(2, 3, 8)
    program = aino.onnx.export(called, (x,), opset_version=opset)
    assert program.model_proto.opset_import[0].version == opset
    for one, other in zip(program(x), called(x)):
        np.testing.assert_allclose(one.numpy(), other.detach().numpy(), 1e-4, 1e-5)
