"""The activation functions; with ``inplace`` they write their result into their input."""

from __future__ import annotations

from aino.autograd.inplace import inplace as in_place
from aino.autograd.tensor import Tensor
from aino.ops.pointwise import activation as ops
from aino.ops.pointwise import sigmoid, tanh
from aino.ops.pointwise.activation import (
    gelu,
    glu,
    hardshrink,
    logsigmoid,
    prelu,
    softplus,
    softshrink,
    softsign,
    tanhshrink,
)
from aino.ops.pointwise.softmax import gumbel_softmax
from aino.ops.pointwise.softmax import log_softmax as log_softmax_along
from aino.ops.pointwise.softmax import softmax as softmax_along
from aino.ops.pointwise.softmax import softmin as softmin_along
from aino.types import DType
from aino.user_warnings import warn

__all__ = [
    "celu", "elu", "gelu", "glu", "gumbel_softmax", "hardshrink", "hardsigmoid", "hardswish",
    "hardtanh", "leaky_relu", "log_softmax", "logsigmoid", "mish", "prelu", "relu", "relu6",
    "rrelu", "selu", "sigmoid", "silu", "softmax", "softmin", "softplus", "softshrink",
    "softsign", "tanh", "tanhshrink", "threshold", "relu_", "elu_", "selu_", "celu_",
    "leaky_relu_", "hardtanh_", "threshold_", "rrelu_",
]  # fmt: skip

relu_ = in_place(ops.relu)
elu_ = in_place(ops.elu)
selu_ = in_place(ops.selu)
celu_ = in_place(ops.celu)
leaky_relu_ = in_place(ops.leaky_relu)
hardtanh_ = in_place(ops.hardtanh)
threshold_ = in_place(ops.threshold)
rrelu_ = in_place(ops.rrelu)
_relu6_ = in_place(ops.relu6)
_silu_ = in_place(ops.silu)
_mish_ = in_place(ops.mish)
_hardsigmoid_ = in_place(ops.hardsigmoid)
_hardswish_ = in_place(ops.hardswish)


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """Return max(0, x), with slope 0 at 0.

    Arguments:
        input: a tensor of any shape.
        inplace: write the result into the input, which is returned.

    Source: Nair and Hinton, "Rectified linear units improve restricted Boltzmann machines", 2010.

    >>> import aino
    >>> aino.nn.functional.relu(aino.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    return relu_(input) if inplace else ops.relu(input)


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """Return min(max(0, x), 6), with slope 0 at 0 and at 6.

    Arguments:
        input: a tensor of any shape.
        inplace: write the result into the input, which is returned.

    Source: Krizhevsky, "Convolutional deep belief networks on CIFAR-10", 2010.

    >>> import aino
    >>> aino.nn.functional.relu6(aino.tensor([-1.0, 2.0, 8.0]))
    tensor([0., 2., 6.])
    """
    return _relu6_(input) if inplace else ops.relu6(input)


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """Return x where x > 0, else α (eˣ - 1).

    Arguments:
        input: a tensor of any shape.
        alpha: α: far below 0 the result is -α.
        inplace: write the result into the input, which is returned.

    Source: Clevert, Unterthiner and Hochreiter, "Fast and accurate deep network learning by
    exponential linear units", 2015.

    >>> import aino
    >>> aino.nn.functional.elu(aino.tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """
    return elu_(input, alpha) if inplace else ops.elu(input, alpha)


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """Return 1.0507 (x where x > 0, else 1.6733 (eˣ - 1)).

    The two numbers are such that activations keep mean 0 and variance 1 from layer to layer.

    Arguments:
        input: a tensor of any shape.
        inplace: write the result into the input, which is returned.

    Source: Klambauer et al., "Self-normalizing neural networks", 2017.

    >>> import aino
    >>> aino.nn.functional.selu(aino.tensor([-1.0, 2.0]))
    tensor([-1.1113,  2.1014])
    """
    return selu_(input) if inplace else ops.selu(input)


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """Return max(0, x) + min(0, α (e^(x/α) - 1)), whose slope has no jump at 0.

    Raises ``ValueError`` for α = 0.

    Arguments:
        input: a tensor of any shape.
        alpha: α: far below 0 the result is -α.
        inplace: write the result into the input, which is returned.

    Source: Barron, "Continuously differentiable exponential linear units", 2017.

    >>> import aino
    >>> aino.nn.functional.celu(aino.tensor([-1.0, 2.0]), alpha=2.0)
    tensor([-0.7869,  2.0000])
    """
    return celu_(input, alpha) if inplace else ops.celu(input, alpha)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """Return x where x > 0, else slope · x.

    Arguments:
        input: a tensor of any shape.
        negative_slope: the slope where x is not positive.
        inplace: write the result into the input, which is returned.

    Source: Maas, Hannun and Ng, "Rectifier nonlinearities improve neural network acoustic models",
    2013.

    >>> import aino
    >>> aino.nn.functional.leaky_relu(aino.tensor([-1.0, 2.0]), 0.1)
    tensor([-0.1000,  2.0000])
    """
    if inplace:
        return leaky_relu_(input, negative_slope)
    return ops.leaky_relu(input, negative_slope)


def rrelu(
    input: Tensor, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False,
    inplace: bool = False,
) -> Tensor:  # fmt: skip
    """Return x where x > 0, else a · x, with a slope a that is random in training.

    Raises ``ValueError`` when the bounds are in the wrong order.

    Arguments:
        input: a tensor of any shape.
        lower: the lower bound of the slopes.
        upper: their upper bound.
        training: draw a from U(lower, upper) for each element; else a is (lower + upper) / 2.
        inplace: write the result into the input, which is returned.

    Source: Xu et al., "Empirical evaluation of rectified activations in convolutional network",
    2015.

    >>> import aino
    >>> aino.nn.functional.rrelu(aino.tensor([-1.0, 2.0]), 0.0, 0.5)
    tensor([-0.2500,  2.0000])
    """
    if inplace:
        return rrelu_(input, lower, upper, training)
    return ops.rrelu(input, lower, upper, training)


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """Return x σ(x), also known as swish.

    Arguments:
        input: a tensor of any shape.
        inplace: write the result into the input, which is returned.

    Source: Elfwing, Uchibe and Doya, "Sigmoid-weighted linear units", 2017.

    >>> import aino
    >>> aino.nn.functional.silu(aino.tensor([-1.0, 2.0]))
    tensor([-0.2689,  1.7616])
    """
    return _silu_(input) if inplace else ops.silu(input)


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """Return x tanh(ln(1 + eˣ)).

    Arguments:
        input: a tensor of any shape.
        inplace: write the result into the input, which is returned.

    Source: Misra, "Mish: a self regularized non-monotonic neural activation function", 2019.

    >>> import aino
    >>> aino.nn.functional.mish(aino.tensor([-1.0, 2.0]))
    tensor([-0.3034,  1.9440])
    """
    return _mish_(input) if inplace else ops.mish(input)


def hardtanh(
    input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False
) -> Tensor:
    """Return x within [min_val, max_val], with slope 0 at both bounds.

    Raises ``ValueError`` when the bounds are in the wrong order.

    Arguments:
        input: a tensor of any shape.
        min_val: the lower bound.
        max_val: the upper bound.
        inplace: write the result into the input, which is returned.

    >>> import aino
    >>> aino.nn.functional.hardtanh(aino.tensor([-2.0, 0.5, 3.0]))
    tensor([-1.0000,  0.5000,  1.0000])
    """
    if inplace:
        return hardtanh_(input, min_val, max_val)
    return ops.hardtanh(input, min_val, max_val)


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """Return (x + 3) / 6 within [0, 1].

    Arguments:
        input: a tensor of any shape.
        inplace: write the result into the input, which is returned.

    Source: Courbariaux, Bengio and David, "BinaryConnect", 2015.

    >>> import aino
    >>> aino.nn.functional.hardsigmoid(aino.tensor([-4.0, 0.0, 4.0]))
    tensor([0.0000, 0.5000, 1.0000])
    """
    return _hardsigmoid_(input) if inplace else ops.hardsigmoid(input)


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """Return x (x + 3) / 6, the factor (x + 3) / 6 within [0, 1].

    Arguments:
        input: a tensor of any shape.
        inplace: write the result into the input, which is returned.

    Source: Howard et al., "Searching for MobileNetV3", 2019.

    >>> import aino
    >>> aino.nn.functional.hardswish(aino.tensor([-1.0, 1.0, 4.0]))
    tensor([-0.3333,  0.6667,  4.0000])
    """
    return _hardswish_(input) if inplace else ops.hardswish(input)


def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """Return x where x > threshold, else value.

    Arguments:
        input: a tensor of any shape.
        threshold: x stays where it is above this.
        value: what stands in the other places.
        inplace: write the result into the input, which is returned.

    >>> import aino
    >>> aino.nn.functional.threshold(aino.tensor([-1.0, 2.0]), 0.5, -7.0)
    tensor([-7.,  2.])
    """
    if inplace:
        return threshold_(input, threshold, value)
    return ops.threshold(input, threshold, value)


def softmax(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: DType | None = None, *,
    axis: int | None = None,
) -> Tensor:  # fmt: skip
    """Return eˣ / Σ eˣ along ``dim``: positive numbers with the sum 1, without overflow.

    Raises ``DtypeError`` for integers without ``dtype``, ``IndexError`` for a dimension out of
    range.

    Arguments:
        input: x: a tensor of any shape.
        dim: along which dimension the results sum to 1; left out, as is deprecated, it is 0 for 0,
            1 and 3 dimensions, else 1.
        _stacklevel: taken for PyTorch's sake: a warning finds the line by itself.
        dtype: of the computation and of the result; the input's for None.
        axis: NumPy's name for ``dim``.

    >>> import aino
    >>> aino.nn.functional.softmax(aino.tensor([0.0, 1000.0, 1000.0]), 0)
    tensor([0.0000, 0.5000, 0.5000])
    """
    return softmax_along(input, _dim("softmax", input, dim, axis, _stacklevel), dtype)


def log_softmax(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: DType | None = None, *,
    axis: int | None = None,
) -> Tensor:  # fmt: skip
    """Return x - ln Σ eˣ along ``dim``: the logarithm of the softmax, without overflow.

    Raises ``DtypeError`` for integers without ``dtype``, ``IndexError`` for a dimension out of
    range.

    Arguments:
        input: x: a tensor of any shape.
        dim: along which dimension the probabilities sum to 1; left out, as is deprecated, it is 0
            for 0, 1 and 3 dimensions, else 1.
        _stacklevel: taken for PyTorch's sake: a warning finds the line by itself.
        dtype: of the computation and of the result; the input's for None.
        axis: NumPy's name for ``dim``.

    >>> import aino
    >>> aino.nn.functional.log_softmax(aino.tensor([0.0, 0.0]), 0)
    tensor([-0.6931, -0.6931])
    """
    return log_softmax_along(input, _dim("log_softmax", input, dim, axis, _stacklevel), dtype)


def softmin(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: DType | None = None, *,
    axis: int | None = None,
) -> Tensor:  # fmt: skip
    """Return the softmax of -x along ``dim``: the highest number for the lowest input.

    Raises ``DtypeError`` for integers without ``dtype``, ``IndexError`` for a dimension out of
    range.

    Arguments:
        input: x: a tensor of any shape.
        dim: along which dimension the results sum to 1; left out, as is deprecated, it is 0 for 0,
            1 and 3 dimensions, else 1.
        _stacklevel: taken for PyTorch's sake: a warning finds the line by itself.
        dtype: of the computation and of the result; the input's for None.
        axis: NumPy's name for ``dim``.

    >>> import aino
    >>> aino.nn.functional.softmin(aino.tensor([0.0, 1000.0]), 0)
    tensor([1., 0.])
    """
    return softmin_along(input, _dim("softmin", input, dim, axis, _stacklevel), dtype)


def _dim(name: str, input: Tensor, dim: int | None, axis: int | None, stacklevel: int) -> int:
    """Return the dimension, or the one that PyTorch once took where it is left out."""
    if stacklevel.__class__ is not int:
        raise TypeError(f"{name}: dtype is given by name, dtype={stacklevel}")
    if dim is None:
        dim = axis
    if dim is not None:
        return dim
    warn(f"{name}: leaving dim out is deprecated, please say along which dimension it goes")
    return 0 if input.ndim in (0, 1, 3) else 1
