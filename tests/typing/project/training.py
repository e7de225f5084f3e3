"""A training loop, as a user with a checker of types writes it."""

import aino
from aino import Tensor, nn


def train(model: nn.Module, inputs: Tensor, targets: Tensor, steps: int) -> list[float]:
    criterion = nn.CrossEntropyLoss()
    optimizer = aino.optim.Adam(model.parameters(), lr=0.01)
    scheduler = aino.optim.lr_scheduler.StepLR(optimizer, step_size=10)
    losses: list[float] = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = criterion(model(inputs), targets)
        loss.backward()
        optimizer.step()
        scheduler.step()
        losses.append(loss.item())
    return losses


def accuracy(model: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    with aino.no_grad():
        predicted: Tensor = model(inputs).argmax(dim=1)
    right: Tensor = (predicted == targets).to(aino.float32)
    return float(right.mean())


def main() -> None:
    aino.manual_seed(0)
    inputs, targets = aino.randn(64, 4), aino.randint(0, 3, (64,))
    model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Dropout(0.1), nn.Linear(16, 3))
    train(model, inputs, targets, 3)
    print(accuracy(model.eval(), inputs, targets))
    aino.save(model.state_dict(), "weights.dit")
    model.load_state_dict(aino.load("weights.dit"))
    network = aino.NeuralNetwork([4, 8, 3], activation_type="tanh")
    network.fit(inputs, targets, epochs=2, verbose=False)
    print(network.predict(inputs).shape)


if __name__ == "__main__":
    main()
