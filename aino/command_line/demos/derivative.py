"""A derivative by hand, by differences, by AINO: the same."""

import math

import aino


def main() -> None:
    """Differentiate sin(x²) at 1.5 in three ways."""
    print("f(x) = sin(x²) at x = 1.5\n")
    x = aino.tensor(1.5, dtype=aino.float64, requires_grad=True)
    y = aino.sin(x * x)
    y.backward()
    assert x.grad is not None
    h = 1e-6
    differences = (math.sin((1.5 + h) ** 2) - math.sin((1.5 - h) ** 2)) / (2 * h)
    print(f"by the chain rule   cos(x²) · 2x         = {math.cos(1.5**2) * 3.0:.9f}")
    print(f"by differences      (f(x+h) - f(x-h))/2h = {differences:.9f}")
    print(f"by AINO             y.backward(); x.grad = {x.grad.item():.9f}\n")
    print("The steps that AINO went back through:")
    node = y.grad_fn
    while node is not None and node.inputs:
        print(f"  {node.name():<16} {node.primitive.formula}")
        node = next((edge for edge in node.inputs if edge is not None), None)
