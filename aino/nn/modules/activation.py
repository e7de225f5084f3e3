"""Activation functions as modules: what a layer makes of its weighted sums, element by element."""

from __future__ import annotations

from typing import Any

from aino.autograd.tensor import Tensor
from aino.nn import functional as F
from aino.nn import init
from aino.nn.base.module import TensorModule
from aino.nn.base.parameter import empty_parameter

__all__ = [
    "ReLU", "ReLU6", "SELU", "SiLU", "Mish", "Hardsigmoid", "Hardswish", "Sigmoid", "Tanh",
    "LogSigmoid", "Softsign", "Tanhshrink", "ELU", "CELU", "LeakyReLU", "PReLU", "RReLU", "GELU",
    "Softplus",
]  # fmt: skip


class _InPlace(TensorModule):
    """What has no setting but whether it writes into its input."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class ReLU(_InPlace):
    """y = max(0, x), with slope 0 at 0.

    Source: Nair and Hinton, "Rectified linear units improve restricted Boltzmann machines", 2010.

    >>> import aino
    >>> aino.nn.ReLU()(aino.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return max(0, x)."""
        return F.relu(input, self.inplace)


class ReLU6(_InPlace):
    """y = min(max(0, x), 6), with slope 0 at 0 and at 6.

    Source: Krizhevsky, "Convolutional deep belief networks on CIFAR-10", 2010.

    >>> import aino
    >>> aino.nn.ReLU6()(aino.tensor([-1.0, 2.0, 8.0]))
    tensor([0., 2., 6.])
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return min(max(0, x), 6)."""
        return F.relu6(input, self.inplace)


class SELU(_InPlace):
    """y = 1.0507 (x where x > 0, else 1.6733 (eˣ - 1)).

    Source: Klambauer et al., "Self-normalizing neural networks", 2017.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return the scaled exponential linear unit of x."""
        return F.selu(input, self.inplace)


class SiLU(_InPlace):
    """y = x σ(x), also known as swish.

    Source: Elfwing, Uchibe and Doya, "Sigmoid-weighted linear units", 2017.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return x σ(x)."""
        return F.silu(input, self.inplace)


class Mish(_InPlace):
    """y = x tanh(ln(1 + eˣ)).

    Source: Misra, "Mish: a self regularized non-monotonic neural activation function", 2019.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return x tanh(ln(1 + eˣ))."""
        return F.mish(input, self.inplace)


class Hardsigmoid(_InPlace):
    """y = (x + 3) / 6 within [0, 1].

    Source: Courbariaux, Bengio and David, "BinaryConnect", 2015.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return (x + 3) / 6 within [0, 1]."""
        return F.hardsigmoid(input, self.inplace)


class Hardswish(_InPlace):
    """y = x (x + 3) / 6, the factor within [0, 1].

    Source: Howard et al., "Searching for MobileNetV3", 2019.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return x times its hard sigmoid."""
        return F.hardswish(input, self.inplace)


class Sigmoid(TensorModule):
    """y = σ(x) = 1 / (1 + e⁻ˣ).

    >>> import aino
    >>> aino.nn.Sigmoid()(aino.tensor([0.0]))
    tensor([0.5000])
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return σ(x)."""
        return F.sigmoid(input)


class Tanh(TensorModule):
    """y = tanh x.

    >>> import aino
    >>> aino.nn.Tanh()(aino.tensor([0.0]))
    tensor([0.])
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return tanh x."""
        return F.tanh(input)


class LogSigmoid(TensorModule):
    """y = ln σ(x) = -ln(1 + e⁻ˣ), without overflow.

    >>> import aino
    >>> aino.nn.LogSigmoid()(aino.tensor([-1000.0, 0.0]))
    tensor([-1.0000e+03, -6.9315e-01])
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return ln σ(x)."""
        return F.logsigmoid(input)


class Softsign(TensorModule):
    """y = x / (1 + |x|).

    >>> import aino
    >>> aino.nn.Softsign()(aino.tensor([-1.0, 3.0]))
    tensor([-0.5000,  0.7500])
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return x / (1 + |x|)."""
        return F.softsign(input)


class Tanhshrink(TensorModule):
    """y = x - tanh x.

    >>> import aino
    >>> aino.nn.Tanhshrink()(aino.tensor([-1.0, 2.0]))
    tensor([-0.2384,  1.0360])
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return x - tanh x."""
        return F.tanhshrink(input)


class ELU(TensorModule):
    """y = x where x > 0, else α (eˣ - 1).

    The input may have any shape; the output has the same.

    Arguments:
        alpha: α: far below 0 the result is -α.
        inplace: write the result into the input, which is returned.

    Source: Clevert, Unterthiner and Hochreiter, "Fast and accurate deep network learning by
    exponential linear units", 2015.

    >>> import aino
    >>> aino.nn.ELU()(aino.tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha = alpha
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """Return the exponential linear unit of x."""
        return F.elu(input, self.alpha, self.inplace)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}" + (", inplace=True" if self.inplace else "")


class CELU(ELU):
    """y = max(0, x) + min(0, α (e^(x/α) - 1)), whose slope has no jump at 0.

    The input may have any shape; the output has the same.

    Arguments:
        alpha: α: far below 0 the result is -α; not 0.
        inplace: write the result into the input, which is returned.

    Source: Barron, "Continuously differentiable exponential linear units", 2017.

    >>> import aino
    >>> aino.nn.CELU(alpha=2.0)(aino.tensor([-1.0, 2.0]))
    tensor([-0.7869,  2.0000])
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return the continuously differentiable exponential linear unit of x."""
        return F.celu(input, self.alpha, self.inplace)


class LeakyReLU(TensorModule):
    """y = x where x > 0, else slope · x.

    The input may have any shape; the output has the same.

    Arguments:
        negative_slope: the slope where x is not positive.
        inplace: write the result into the input, which is returned.

    Source: Maas, Hannun and Ng, "Rectifier nonlinearities improve neural network acoustic
    models", 2013.

    >>> import aino
    >>> aino.nn.LeakyReLU(0.1)(aino.tensor([-1.0, 2.0]))
    tensor([-0.1000,  2.0000])
    """

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__()
        self.negative_slope = negative_slope
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """Return x where x > 0, else slope · x."""
        return F.leaky_relu(input, self.negative_slope, self.inplace)

    def extra_repr(self) -> str:
        return f"negative_slope={self.negative_slope}" + (", inplace=True" if self.inplace else "")


class PReLU(TensorModule):
    """y = x where x > 0, else a · x, with a slope a that is learned.

    ``weight`` (num_parameters,) holds the slopes. Input (N, C, ...) and output are of one shape.
    Raises ``ShapeError`` when the number of channels is not that of the slopes, unless there is
    only one.

    Arguments:
        num_parameters: 1 for one slope, C for one in each channel.
        init: what the slopes start with.
        device: where the slopes are; there is only the CPU.
        dtype: of the slopes; the default dtype for None.

    Source: He et al., "Delving deep into rectifiers", 2015.

    >>> import aino
    >>> aino.nn.PReLU()(aino.tensor([-1.0, 2.0])).tolist()
    [-0.25, 2.0]
    """

    def __init__(
        self, num_parameters: int = 1, init: float = 0.25, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        self.num_parameters = num_parameters
        self.init = init
        self.weight = empty_parameter((num_parameters,), device, dtype)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set the slopes to where they started."""
        init.constant_(self.weight, self.init)

    def forward(self, input: Tensor) -> Tensor:
        """Return x where x > 0, else a · x."""
        return F.prelu(input, self.weight)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"


class RReLU(TensorModule):
    """y = x where x > 0, else a · x, with a slope a that is random while training.

    After ``eval()`` a is (lower + upper) / 2. The input may have any shape; the output has the
    same.

    Arguments:
        lower: the lower bound of the slopes: while training each is drawn from U(lower, upper).
        upper: their upper bound; ``ValueError`` in the first call if it is below ``lower``.
        inplace: write the result into the input, which is returned.

    Source: Xu et al., "Empirical evaluation of rectified activations in convolutional network",
    2015.

    >>> import aino
    >>> aino.nn.RReLU(0.0, 0.5).eval()(aino.tensor([-1.0, 2.0]))
    tensor([-0.2500,  2.0000])
    """

    def __init__(
        self, lower: float = 1.0 / 8, upper: float = 1.0 / 3, inplace: bool = False
    ) -> None:
        super().__init__()
        self.lower = lower
        self.upper = upper
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """Return x where x > 0, else a · x."""
        return F.rrelu(input, self.lower, self.upper, self.training, self.inplace)

    def extra_repr(self) -> str:
        return f"lower={self.lower}, upper={self.upper}" + (
            ", inplace=True" if self.inplace else ""
        )


class GELU(TensorModule):
    """y = x Φ(x), Φ the distribution function of N(0, 1).

    The input may have any shape; the output has the same. ``approximate`` is "none", or "tanh" for
    ½ x (1 + tanh(√(2/π) (x + 0.044715 x³))); ``ValueError`` in the first call for another.

    Source: Hendrycks and Gimpel, "Gaussian error linear units", 2016.

    >>> import aino
    >>> aino.nn.GELU()(aino.tensor([-1.0, 2.0]))
    tensor([-0.1587,  1.9545])
    """

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def forward(self, input: Tensor) -> Tensor:
        """Return x Φ(x)."""
        return F.gelu(input, approximate=self.approximate)

    def extra_repr(self) -> str:
        return f"approximate={self.approximate!r}"


class Softplus(TensorModule):
    """y = ln(1 + e^(βx)) / β: a smooth form of max(0, x).

    The input may have any shape; the output has the same.

    Arguments:
        beta: β: the larger, the sharper the bend at 0.
        threshold: where βx is above this, y is x itself: the two are the same to all digits.

    Source: Dugas et al., "Incorporating second-order functional knowledge for better option
    pricing", 2000.

    >>> import aino
    >>> aino.nn.Softplus()(aino.tensor([-1000.0, 0.0, 1000.0]))
    tensor([0.0000e+00, 6.9315e-01, 1.0000e+03])
    """

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta = beta
        self.threshold = threshold

    def forward(self, input: Tensor) -> Tensor:
        """Return ln(1 + e^βx) / β."""
        return F.softplus(input, self.beta, self.threshold)

    def extra_repr(self) -> str:
        return f"beta={self.beta}, threshold={self.threshold}"
