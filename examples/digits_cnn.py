"""Handwritten digits, read by a convolutional network: 8x8 pixels, ten classes.

The 1797 digits are those of scikit-learn (`pip install aino[sklearn]`). A quarter of them is held
out. The training step is compiled.

    python examples/digits_cnn.py
"""

import time

from sklearn.datasets import load_digits

import aino
from aino import nn
from aino.nn import functional as F

EPOCHS, BATCH = 12, 64


def layer(inside, outside):
    """Return a convolution whose outputs are brought to mean 0 and variance 1, and rectified."""
    convolution = nn.Conv2d(inside, outside, kernel_size=3, padding=1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outside), nn.ReLU())


def network():
    """Return three convolutions; after the second and third, the largest of four pixels is kept."""
    return nn.Sequential(
        layer(1, 16),
        layer(16, 32),
        nn.MaxPool2d(2),  # 4x4
        layer(32, 64),
        nn.MaxPool2d(2),  # 2x2
        nn.Flatten(),
        nn.Dropout(0.3),
        nn.Linear(64 * 2 * 2, 10),
    )


def accuracy(model, images, labels):
    model.eval()
    with aino.no_grad():
        return (model(images).argmax(dim=1) == labels).float().mean().item()


def main():
    digits = load_digits()
    images = aino.tensor(digits.images, dtype=aino.float32).unsqueeze(1) / 16.0
    labels = aino.tensor(digits.target)

    aino.set_num_threads(1)  # layers this small are not worth sharing
    aino.manual_seed(0)
    order = aino.randperm(len(images))
    held_out, train = order[:449], order[449:]
    model = network()
    optimizer = aino.optim.Adam(model.parameters(), lr=3e-3)
    scheduler = aino.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=EPOCHS)

    @aino.compile
    def step(images, labels):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        return loss

    start = time.perf_counter()
    for epoch in range(EPOCHS):
        model.train()
        total = 0.0
        for batch in train[aino.randperm(len(train))].split(BATCH):
            total += step(images[batch], labels[batch]).item() * len(batch)
        scheduler.step()
        if epoch % 4 == 3:
            print(f"epoch {epoch + 1:2d}: loss {total / len(train):.4f}")
    seconds = time.perf_counter() - start
    right = accuracy(model, images[held_out], labels[held_out])
    print(f"{right:.1%} of {len(held_out)} held-out digits are read right ({seconds:.1f} s)")
    assert right >= 0.98


if __name__ == "__main__":
    main()
