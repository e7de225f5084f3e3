"""What the rows of training on several ranks have in common: problems, and how ranks compare."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

import aino
from aino import distributed as dist
from aino import nn, optim

ROWS = {}
ALL = slice(None)


def folder():
    """Return the folder of this run, which all ranks see."""
    return Path(sys.argv[1])


def row(function):
    ROWS[function.__name__] = function
    return function


def same_bits(tensors):
    """Tell whether all ranks have the same numbers in tensors, to the last bit."""
    for tensor in tensors:
        mine = np.ascontiguousarray(tensor.detach().numpy()).view(np.uint8).astype(np.int64)
        low, high = aino.from_numpy(mine.copy()), aino.from_numpy(mine.copy())
        dist.all_reduce(low, dist.ReduceOp.MIN)
        dist.all_reduce(high, dist.ReduceOp.MAX)
        if not aino.equal(low, high):
            return False
    return True


def apart(a, b):
    """Return how far the parameters and buffers of two modules are apart."""
    pairs = zip([*a.parameters(), *a.buffers()], [*b.parameters(), *b.buffers()], strict=True)
    return max(float(np.abs(x.detach().numpy() - y.detach().numpy()).max()) for x, y in pairs)


def train(model, batches, loss, share=ALL, compiled=False, steps=50, optimizer=None):
    """Make Adam steps on a share of each batch; return the losses."""
    optimizer = optimizer or optim.Adam([p for p in model.parameters() if p.requires_grad], lr=1e-2)

    def step(x, y):
        optimizer.zero_grad()
        value = loss(model(x), y)
        value.backward()
        optimizer.step()
        return value

    step = aino.compile(step, fullgraph=True) if compiled else step
    return [step(x[share], y[share]) for x, y in batches[:steps]]


# (A bias before a normalisation has a gradient of 0 but for rounding, which Adam makes large.)
# Architectures: what makes a module, what makes a batch, and the loss.


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.encode, self.decode = nn.Linear(6, 5), nn.Linear(5, 6)
        self.again = nn.Linear(6, 5)
        self.again.weight = self.encode.weight

    def forward(self, x):
        return self.again(self.decode(aino.tanh(self.encode(x))))


class Frozen(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(6, 8), nn.Linear(8, 3)
        self.first.weight.requires_grad_(False)

    def forward(self, x):
        return self.second(aino.relu(self.first(x)))


def large():
    # One weight travels alone, the others together.
    return nn.Sequential(nn.Linear(6, 182), nn.ReLU(), nn.Linear(182, 182), nn.Linear(182, 3))


def numbers(*shape):
    return lambda n: (aino.randn(n, *shape).double(), aino.randn(n, 3).double())


def classes(*shape):
    return lambda n: (aino.randn(n, *shape).double(), aino.randint(0, 3, (n,)))


def tokens(n):
    return aino.randint(0, 11, (n, 4)), aino.randint(0, 3, (n,))


ARCHITECTURES = {
    "mlp": (
        lambda: nn.Sequential(nn.Linear(6, 16), nn.Tanh(), nn.Linear(16, 3)),
        numbers(6), nn.functional.mse_loss,
    ),
    "large": (large, classes(6), nn.functional.cross_entropy),
    "tied": (Tied, lambda n: (aino.randn(n, 6).double(), aino.randn(n, 5).double()),
             nn.functional.smooth_l1_loss),
    "frozen": (Frozen, numbers(6), nn.functional.l1_loss),
    "convolution": (
        lambda: nn.Sequential(
            nn.Conv2d(2, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(16, 3)
        ),
        classes(2, 6, 6), nn.functional.cross_entropy,
    ),
    "batch norm": (
        lambda: nn.Sequential(
            nn.Linear(6, 8, bias=False), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3, bias=False),
            nn.BatchNorm1d(3, momentum=None),
        ),
        numbers(6), nn.functional.mse_loss,
    ),
    "batch norm of images": (
        lambda: nn.Sequential(
            nn.Conv2d(2, 4, 3, bias=False), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(),
            nn.Linear(64, 3),
        ),
        classes(2, 6, 6), nn.functional.cross_entropy,
    ),
    "embedding": (
        lambda: nn.Sequential(nn.Embedding(11, 6), nn.LayerNorm(6), nn.Flatten(), nn.Linear(24, 3)),
        tokens, nn.functional.cross_entropy,
    ),
}  # fmt: skip


class Halves(nn.Module):
    """Uses one half or the other."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(2, 2), nn.Linear(2, 2), nn.Linear(2, 2)

    def forward(self, x, which):
        return getattr(self, which)(x)


def mean_over(world, f=lambda r: r + 1.0):
    return sum(map(f, range(world))) / world


def problem(name, world, steps=50, size=4):
    """Return a module of an architecture, the same on all ranks, its batches and its loss."""
    make, batch, loss = ARCHITECTURES[name]
    aino.manual_seed(3)
    model = make().double()
    return model, [batch(size * world) for _ in range(steps)], loss


def share_of(rank, size=4):
    return slice(rank * size, (rank + 1) * size)
