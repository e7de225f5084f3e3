"""Small networks of every kind, in the words that PyTorch and AINO share."""

from __future__ import annotations

from typing import Any

import numpy as np


def convolutional(lib):
    nn = lib.nn
    return nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4), nn.ReLU(inplace=True),
        nn.MaxPool2d(2), nn.Conv2d(4, 6, 3, padding=1, groups=2), nn.GELU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 3),
    )  # fmt: skip


def residual(lib):
    nn, functional = lib.nn, lib.nn.functional

    class Block(nn.Module):
        def __init__(self, width, out, stride):
            super().__init__()
            self.conv1 = nn.Conv2d(width, out, 3, stride, 1, bias=False)
            self.bn1 = nn.BatchNorm2d(out)
            self.conv2 = nn.Conv2d(out, out, 3, 1, 1, bias=False)
            self.bn2 = nn.BatchNorm2d(out)
            self.shortcut = nn.Sequential()
            if stride != 1 or width != out:
                self.shortcut = nn.Sequential(
                    nn.Conv2d(width, out, 1, stride, bias=False), nn.BatchNorm2d(out)
                )

        def forward(self, x):
            y = functional.relu(self.bn1(self.conv1(x)))
            y = self.bn2(self.conv2(y))
            y += self.shortcut(x)
            return functional.relu(y)

    return nn.Sequential(
        Block(2, 3, 1), Block(3, 4, 2), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(16, 3)
    )


def upwards(lib):
    """An encoder and a decoder that is handed the finer images (U-Net)."""
    nn, functional = lib.nn, lib.nn.functional

    class UNet(nn.Module):
        def __init__(self):
            super().__init__()
            self.down = nn.Conv2d(2, 4, 3, padding=1, padding_mode="reflect")
            self.deep = nn.Conv2d(4, 5, 3, padding="same", dilation=2)
            self.up = nn.ConvTranspose2d(5, 4, 2, stride=2)
            self.norm = nn.GroupNorm(2, 8)
            self.out = nn.Conv2d(8, 3, 1)

        def forward(self, x):
            fine = functional.leaky_relu(self.down(x), 0.1)
            deep = functional.silu(self.deep(functional.max_pool2d(fine, 2)))
            y = self.norm(lib.cat([self.up(deep), fine], dim=1))
            y = functional.interpolate(y, scale_factor=0.5, mode="bilinear", align_corners=False)
            return self.out(y).flatten(2).mean(-1)

    return UNet()


def recurrent(lib):
    nn = lib.nn

    class Reader(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm = nn.LSTM(4, 5, num_layers=2, batch_first=True, bidirectional=True)
            self.gru = nn.GRU(10, 6)
            self.head = nn.Linear(6, 3)

        def forward(self, x):
            y, (h, c) = self.lstm(x)
            z, last = self.gru(y.transpose(0, 1))
            return self.head(last[-1]) + 0.1 * (h.sum() + c.sum()) + z.mean()

    return Reader()


def attentive(lib):
    nn = lib.nn

    class Speaker(nn.Module):
        def __init__(self):
            super().__init__()
            self.words = nn.Embedding(7, 8)
            self.places = nn.Parameter(lib.zeros(1, 6, 8))
            layer = nn.TransformerEncoderLayer(
                8, 2, 16, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
            )
            self.body = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
            self.norm = nn.LayerNorm(8)
            self.head = nn.Linear(8, 3, bias=False)

        def forward(self, x):
            mask = nn.Transformer.generate_square_subsequent_mask(x.shape[1])
            y = self.body(self.words(x) + self.places, mask=mask.double(), is_causal=True)
            return self.head(self.norm(y)).mean(1)

    return Speaker()


def one_dimensional(lib):
    nn = lib.nn
    return nn.Sequential(
        nn.Conv1d(4, 6, 3, stride=2, padding=1), nn.BatchNorm1d(6), nn.ELU(), nn.MaxPool1d(2),
        nn.Flatten(), nn.Linear(6, 5), nn.BatchNorm1d(5),
        nn.Tanh(), nn.Linear(5, 3),
    )  # fmt: skip


IMAGES, SERIES, WORDS = (4, 2, 8, 8), (4, 6, 4), (4, 6)
#: name -> (what makes the network, the shape of what it reads)
NETWORKS: dict[str, tuple[Any, tuple[int, ...]]] = {
    "convolutional": (convolutional, IMAGES),
    "residual": (residual, IMAGES),
    "upwards": (upwards, IMAGES),
    "recurrent": (recurrent, SERIES),
    "attentive": (attentive, WORDS),
    "one_dimensional": (one_dimensional, (4, 4, 4)),
}


def training(lib, name, compile=None):
    """Return a model, and a function that trains it by one step; all of it in float64."""
    make, shape = NETWORKS[name]
    rng = np.random.default_rng(0)
    model = make(lib).double()
    state = {}
    for key, value in model.state_dict().items():
        size = tuple(value.shape)
        if key.endswith(("running_mean", "running_var", "num_batches_tracked")):
            state[key] = value
        else:
            state[key] = lib.from_numpy(rng.uniform(-0.5, 0.5, size))
    model.load_state_dict(state)
    inputs = rng.integers(0, 7, shape) if shape == WORDS else rng.normal(size=shape)
    x, target = lib.from_numpy(inputs), lib.from_numpy(rng.integers(0, 3, shape[0]))
    optimizer = lib.optim.AdamW(model.parameters(), lr=0.01, weight_decay=0.1)
    cross_entropy = lib.nn.functional.cross_entropy

    def step(x, target):
        optimizer.zero_grad()
        loss = cross_entropy(model(x), target, label_smoothing=0.1)
        loss.backward()
        lib.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return loss.detach()

    run = step if compile is None else compile(step)
    return model, lambda: run(x, target)
