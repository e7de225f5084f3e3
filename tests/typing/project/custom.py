"""A module, a function with a derivative of its own, and an optimizer, with types."""

from collections.abc import Iterable
from typing import Any

import aino
from aino import Tensor, nn
from aino.autograd import Function


class Residual(nn.Module):
    def __init__(self, features: int) -> None:
        super().__init__()
        self.inner = nn.Linear(features, features)
        self.scale = nn.Parameter(aino.ones(features))
        self.register_buffer("calls", aino.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.scale * aino.tanh(self.inner(x))


class Cube(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        slope: Tensor = 3 * x * x
        return g * slope


class SignDescent(aino.optim.Optimizer):
    def __init__(self, params: Iterable[Tensor], lr: float = 0.1) -> None:
        super().__init__(params, {"lr": lr})

    def step(self, closure: Any = None) -> None:
        with aino.no_grad():
            for group in self.param_groups:
                for p in group["params"]:
                    if p.grad is not None:
                        p.sub_(p.grad.sign(), alpha=group["lr"])


def main() -> None:
    block = Residual(3)
    optimizer = SignDescent(block.parameters())
    x = aino.randn(2, 3, requires_grad=True)
    y: Tensor = Cube.apply(block(x)).sum()
    y.backward()
    optimizer.step()
    (slope,) = aino.autograd.grad(aino.exp(x).sum(), [x])
    values, places = aino.topk(x, 2)
    print(slope.shape, values.shape, places.dtype, x[0].tolist(), x.T.mT.real.detach().numpy())


if __name__ == "__main__":
    main()
