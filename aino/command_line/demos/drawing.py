"""A formula as a page to look at, with its values and gradients."""

import aino


def main() -> None:
    """Draw (w · x + b - y)² with its numbers."""
    w = aino.tensor(2.0, requires_grad=True)
    b = aino.tensor(-1.0, requires_grad=True)
    x, y = aino.tensor(3.0), aino.tensor(4.0)
    loss = (w * x + b - y) ** 2
    path = aino.draw(loss, gradients=True).render("loss.html")
    print(f"loss = (w · x + b - y)² = {loss.item():g}, drawn with its gradients: open {path}")
