"""Fine-tuning: a network that knows some shapes learns new ones from a few examples.

It is trained on six shapes with many pictures, and saved. Then it is loaded, given a new last
layer, and trained on four other shapes with five pictures each; its convolutions are taken as they
are at first, and tuned at a low rate then. Beside it stands one that starts from nothing.

    python examples/fine_tuning.py
"""

import tempfile
from pathlib import Path

import numpy as np

import aino
from aino import nn
from aino.utils.data import DataLoader, TensorDataset

SIZE = 16
rng = np.random.default_rng(0)
aino.manual_seed(0)

# A shape by the distances of a place from its middle, in units of its size.
SHAPES = {
    "disc": lambda x, y: np.hypot(x, y) < 1,
    "ring": lambda x, y: abs(np.hypot(x, y) - 0.8) < 0.3,
    "square": lambda x, y: np.maximum(abs(x), abs(y)) < 0.9,
    "frame": lambda x, y: abs(np.maximum(abs(x), abs(y)) - 0.7) < 0.3,
    "bar": lambda x, y: (abs(x) < 1) & (abs(y) < 0.3),
    "post": lambda x, y: (abs(x) < 0.3) & (abs(y) < 1),
    "plus": lambda x, y: (np.minimum(abs(x), abs(y)) < 0.3) & (np.maximum(abs(x), abs(y)) < 1),
    "cross": lambda x, y: (abs(abs(x) - abs(y)) < 0.35) & (np.maximum(abs(x), abs(y)) < 1),
    "diamond": lambda x, y: abs(x) + abs(y) < 1.1,
    "stairs": lambda x, y: (x * y > 0) & (np.maximum(abs(x), abs(y)) < 1),
}


def pictures(names, each):
    """Return pictures (n, 1, 16, 16) of the shapes, noisy, at any place, and which one each is."""
    images, labels = [], []
    grid = np.arange(SIZE)
    for label, name in enumerate(names):
        for _ in range(each):
            size = rng.uniform(4, 6)
            left, top = rng.uniform(size, SIZE - 1 - size, 2)
            x, y = (grid - left) / size, (grid[:, None] - top) / size
            image = SHAPES[name](*np.broadcast_arrays(x, y)) * rng.uniform(0.6, 1)
            images.append(image + rng.normal(0, 0.1, image.shape))
            labels.append(label)
    images = np.array(images, np.float32)[:, None]
    return TensorDataset(aino.from_numpy(images), aino.tensor(labels))


class Network(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 8, 5, padding=2), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(8, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(),
        )  # fmt: skip
        self.head = nn.Linear(16 * 16, classes)

    def forward(self, x):
        return self.head(self.features(x))


def train(model, data, epochs, groups):
    model.train()
    optimizer = aino.optim.Adam(groups)
    for _ in range(epochs):
        for x, y in DataLoader(data, batch_size=20, shuffle=True):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x), y).backward()
            optimizer.step()


def accuracy(model, data):
    model.eval()
    x, y = data.tensors
    with aino.no_grad():
        return (model(x).argmax(1) == y).float().mean().item()


known, new = list(SHAPES)[:6], list(SHAPES)[6:]
model = Network(len(known))
train(model, pictures(known, 150), 6, [{"params": model.parameters(), "lr": 3e-3}])
print(f"{', '.join(known)}: {accuracy(model, pictures(known, 50)):.1%} right")

checkpoint = Path(tempfile.mkdtemp()) / "shapes.dit"
aino.save({"model": model.state_dict(), "classes": known}, checkpoint)

few, many = pictures(new, 5), pictures(new, 100)
saved = aino.load(checkpoint, weights_only=True)
tuned = Network(len(saved["classes"]))
tuned.load_state_dict(saved["model"])
tuned.head = nn.Linear(tuned.head.in_features, len(new))
# First the new layer alone, then all of it, the convolutions at a low rate.
tuned.features.requires_grad_(False)
train(tuned, few, 20, [{"params": tuned.head.parameters(), "lr": 1e-3}])
tuned.features.requires_grad_(True)
groups = [
    {"params": tuned.features.parameters(), "lr": 1e-4},
    {"params": tuned.head.parameters(), "lr": 1e-3},
]
train(tuned, few, 40, groups)

fresh = Network(len(new))
train(fresh, few, 60, [{"params": fresh.parameters(), "lr": 1e-3}])
print(f"{', '.join(new)}, five pictures each:")
print(f"  tuned from the checkpoint {accuracy(tuned, many):.1%} right")
print(f"  trained from nothing      {accuracy(fresh, many):.1%} right")
assert accuracy(tuned, many) > max(0.8, accuracy(fresh, many))
