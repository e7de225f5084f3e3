"""Three neurons learn what one cannot: exclusive or."""

import aino
from aino import nn


def main() -> None:
    """Train a network of a hidden layer on the four cases of exclusive or."""
    aino.manual_seed(0)
    x = aino.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    y = aino.tensor([[0.0], [1.0], [1.0], [0.0]])
    model = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1), nn.Sigmoid())
    optimizer = aino.optim.Adam(model.parameters(), lr=0.1)
    print("step   loss")
    for step in range(201):
        loss = nn.functional.binary_cross_entropy(model(x), y)
        if step % 40 == 0:
            print(f"{step:>4}   {loss.item():.4f}  {'#' * round(40 * loss.item())}")
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print("\n a b   wanted  learned")
    for given, wanted, learned in zip(x.tolist(), y.tolist(), model(x).tolist(), strict=True):
        print(f" {given[0]:.0f} {given[1]:.0f}   {wanted[0]:>6.0f}  {learned[0]:.3f}")
