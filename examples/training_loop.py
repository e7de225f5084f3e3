"""A training loop as in PyTorch: the same words, `aino` in the place of `torch`.

Two spirals, wound around each other, are to be told apart.

    python examples/training_loop.py
"""

import aino
from aino import nn


def spirals(points):
    """Return `points` points of each of two spirals (2·points, 2) and which one each is on."""
    angle = 3.0 * aino.pi * aino.rand(points, 1).sqrt()
    arm = aino.cat([angle * aino.cos(angle), angle * aino.sin(angle)], dim=1) / (3.0 * aino.pi)
    X = aino.cat([arm, -arm]) + 0.02 * aino.randn(2 * points, 2)
    y = aino.cat([aino.zeros(points), aino.ones(points)]).long()
    return X, y


def accuracy(model, X, y):
    model.eval()
    with aino.no_grad():
        return (model(X).argmax(dim=1) == y).float().mean().item()


aino.manual_seed(0)
X_train, y_train = spirals(400)
X_test, y_test = spirals(200)

model = nn.Sequential(
    nn.Linear(2, 64),
    nn.ReLU(),
    nn.Linear(64, 64),
    nn.ReLU(),
    nn.Linear(64, 2),
)
criterion = nn.CrossEntropyLoss()
optimizer = aino.optim.Adam(model.parameters(), lr=1e-2)
scheduler = aino.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=60)

for epoch in range(60):
    model.train()
    total = 0.0
    for batch in aino.randperm(len(X_train)).split(64):
        optimizer.zero_grad()
        loss = criterion(model(X_train[batch]), y_train[batch])
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        total += loss.item() * len(batch)
    scheduler.step()
    if epoch % 10 == 9:
        print(
            f"epoch {epoch + 1:2d}: loss {total / len(X_train):.4f},"
            f" held-out accuracy {accuracy(model, X_test, y_test):.1%}"
        )

assert accuracy(model, X_test, y_test) > 0.97
