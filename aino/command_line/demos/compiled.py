"""A training step becomes a NumPy program, printed and timed."""

import time

import aino
from aino import nn


def main() -> None:
    """Compile the training step of a small network; print its program and both times."""
    aino.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
    optimizer = aino.optim.SGD(model.parameters(), lr=0.01)
    x, y = aino.randn(32, 4), aino.randn(32, 1)

    def step(x: aino.Tensor, y: aino.Tensor) -> aino.Tensor:
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    compiled = aino.compile(step)
    for _ in range(3):
        compiled(x, y)
    print(compiled.source)
    for name, function in (("as it is", step), ("compiled", compiled)):
        begin = time.perf_counter()
        for _ in range(300):
            function(x, y)
        print(f"{name}: {(time.perf_counter() - begin) / 300 * 1e6:.0f} µs a step")
