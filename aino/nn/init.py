"""Initial values: functions that fill a tensor in place and return it.

While a module is rebuilt from a file they do nothing: its values come from the file.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from aino.autograd.memory import stamp_write
from aino.autograd.tensor import Tensor
from aino.dit.building import building
from aino.errors import ShapeError
from aino.ops.random.generator import Generator, draw
from aino.user_warnings import formerly

__all__ = [
    "calculate_gain", "uniform_", "normal_", "trunc_normal_", "constant_", "ones_", "zeros_",
    "eye_", "dirac_", "xavier_uniform_", "xavier_normal_", "kaiming_uniform_", "kaiming_normal_",
    "orthogonal_", "sparse_", "uniform", "normal", "constant", "eye", "dirac", "xavier_uniform",
    "xavier_normal", "kaiming_uniform", "kaiming_normal", "orthogonal", "sparse",
]  # fmt: skip

_GAINS = {
    "linear": 1.0, "identity": 1.0, "sigmoid": 1.0, "selu": 3.0 / 4.0, "tanh": 5.0 / 3.0,
    "relu": math.sqrt(2.0), "conv1d": 1.0, "conv2d": 1.0, "conv3d": 1.0, "conv_transpose1d": 1.0,
    "conv_transpose2d": 1.0, "conv_transpose3d": 1.0,
}  # fmt: skip


def calculate_gain(nonlinearity: str, param: Any = None) -> float:
    """Return by how much a nonlinearity's weights are scaled up to keep variances as they are.

    1 for linear and sigmoid, 5/3 for tanh, √2 for relu, √(2 / (1 + slope²)) for leaky_relu with
    ``param`` the slope, 3/4 for selu.

    Arguments:
        nonlinearity: the name of the activation.
        param: the slope of a leaky ReLU; 0.01 for None.

    >>> from aino import nn
    >>> nn.init.calculate_gain("tanh")
    1.6666666666666667
    """
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        if isinstance(slope, bool) or not isinstance(slope, (int, float)):
            raise ValueError(f"negative_slope {param} not a valid number")
        return math.sqrt(2.0 / (1.0 + slope**2))
    if nonlinearity not in _GAINS:
        raise ValueError(f"unsupported nonlinearity {nonlinearity!r}")
    return _GAINS[nonlinearity]


def _fill(tensor: Tensor, values: Callable[[tuple[int, ...], np.dtype], Any]) -> Any:
    """Write ``values(shape, dtype)`` into the memory of ``tensor``."""
    # A file brings the values of parameters; a buffer may be no part of the state.
    if not (building.active and tensor.requires_grad):
        array = tensor.array
        np.copyto(array, values(array.shape, array.dtype), casting="same_kind")
        stamp_write(array)
    return tensor


def _fans(tensor: Tensor) -> tuple[int, int]:
    """Return how many inputs an output of this weight has, and how many outputs an input."""
    shape = tensor.array.shape
    if len(shape) < 2:
        raise ShapeError(f"fan in and fan out need at least two dimensions, got shape {shape}")
    field = math.prod(shape[2:])
    return shape[1] * field, shape[0] * field


def uniform_(
    tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None
) -> Any:
    """Fill with numbers drawn uniformly from [a, b).

    Arguments:
        tensor: the tensor that is filled, in place, and returned.
        a: the lower bound.
        b: the upper bound.
        generator: where random numbers come from; the default generator for None.
    """

    def values(shape, dtype):
        numbers = draw(generator, "uniform", shape, dtype)
        return numbers * (b - a) + a

    return _fill(tensor, values)


def normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None
) -> Any:
    """Fill with numbers drawn from the normal distribution N(mean, std²).

    Arguments:
        tensor: the tensor that is filled, in place, and returned.
        mean: the mean.
        std: the standard deviation.
        generator: where random numbers come from; the default generator for None.
    """

    def values(shape, dtype):
        return draw(generator, "normal", shape, dtype) * std + mean

    return _fill(tensor, values)


def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Generator | None = None,
) -> Any:
    """Fill with numbers drawn from N(mean, std²), those outside [a, b] drawn again.

    Arguments:
        tensor: the tensor that is filled, in place, and returned.
        mean: the mean before the ends are cut off.
        std: the standard deviation before.
        a: the lower bound.
        b: the upper bound.
        generator: where random numbers come from; the default generator for None.
    """
    if not a < b:
        raise ValueError(f"trunc_normal_: the interval [{a}, {b}] is empty")
    if mean < a - 2 * std or mean > b + 2 * std:
        warnings.warn(
            "mean is more than 2 std from [a, b] in nn.init.trunc_normal_; the distribution of "
            "values may be incorrect",
            stacklevel=2,
        )

    def values(shape, dtype):
        numbers = draw(generator, "normal", shape, dtype) * std + mean
        for _ in range(_ATTEMPTS):
            outside = (numbers < a) | (numbers > b)
            count = int(np.count_nonzero(outside))
            if not count:
                break
            numbers[outside] = draw(generator, "normal", (count,), dtype) * std + mean
        return np.clip(numbers, a, b)

    return _fill(tensor, values)


#: After so many draws a number is clipped: only an interval far out in a tail comes to that.
_ATTEMPTS = 100


def constant_(tensor: Tensor, val: float) -> Any:
    """Fill with one number.

    Arguments:
        tensor: the tensor that is filled, in place, and returned.
        val: the number.
    """
    return _fill(tensor, lambda shape, dtype: np.asarray(val).astype(dtype))


def ones_(tensor: Tensor) -> Any:
    """Fill with ones."""
    return constant_(tensor, 1.0)


def zeros_(tensor: Tensor) -> Any:
    """Fill with zeros."""
    return constant_(tensor, 0.0)


def eye_(tensor: Tensor) -> Any:
    """Make a matrix the identity, as far as it is square."""
    if tensor.ndim != 2:
        raise ShapeError(f"eye_ fills matrices, got shape {tuple(tensor.shape)}")
    return _fill(tensor, lambda shape, dtype: np.eye(*shape, dtype=dtype))


def dirac_(tensor: Tensor, groups: int = 1) -> Any:
    """Make a convolution's weight pass its input channels on, as many as there are outputs.

    ``tensor`` has 3, 4 or 5 dimensions: outputs, inputs / groups, and the window.

    Arguments:
        tensor: the tensor that is filled, in place, and returned.
        groups: into how many groups the channels are divided.
    """
    shape = tensor.array.shape
    if len(shape) not in (3, 4, 5):
        raise ShapeError(f"dirac_ fills tensors of 3, 4 or 5 dimensions, got shape {shape}")
    if shape[0] % groups:
        raise ValueError(f"dirac_: {shape[0]} outputs can't be split into {groups} groups")

    def values(shape, dtype):
        numbers = np.zeros(shape, dtype)
        outputs = shape[0] // groups
        center = tuple(length // 2 for length in shape[2:])
        for group in range(groups):
            for channel in range(min(outputs, shape[1])):
                numbers[(group * outputs + channel, channel, *center)] = 1
        return numbers

    return _fill(tensor, values)


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Any:
    """Fill from U(-a, a) with a = gain √(6 / (fan_in + fan_out)).

    Arguments:
        tensor: the tensor that is filled, in place, and returned.
        gain: by what the numbers are scaled; see ``calculate_gain``.
        generator: where random numbers come from; the default generator for None.

    Source: Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural
    networks", 2010.
    """
    fan_in, fan_out = _fans(tensor)
    bound = gain * math.sqrt(6.0 / (fan_in + fan_out))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Any:
    """Fill from N(0, σ²) with σ = gain √(2 / (fan_in + fan_out)).

    Arguments:
        tensor: the tensor that is filled, in place, and returned.
        gain: by what the numbers are scaled; see ``calculate_gain``.
        generator: where random numbers come from; the default generator for None.

    Source: Glorot and Bengio, 2010.
    """
    fan_in, fan_out = _fans(tensor)
    return normal_(tensor, 0.0, gain * math.sqrt(2.0 / (fan_in + fan_out)), generator)


def _kaiming_std(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    mode = mode.lower()
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"mode {mode!r} not supported, please use fan_in or fan_out")
    fan = _fans(tensor)[0 if mode == "fan_in" else 1]
    return calculate_gain(nonlinearity, a) / math.sqrt(fan)


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Any:
    """Fill from U(-b, b) with b = gain √(3 / fan); ``a`` is the slope of a leaky ReLU.

    Arguments:
        tensor: the tensor that is filled, in place, and returned.
        a: the slope of a leaky ReLU below 0.
        mode: ``"fan_in"`` keeps variances on the way forward, ``"fan_out"`` on the way back.
        nonlinearity: the name of the activation that follows, as for ``calculate_gain``.
        generator: where random numbers come from; the default generator for None.

    Source: He et al., "Delving deep into rectifiers", 2015.
    """
    if 0 in tensor.array.shape:
        warnings.warn("initializing a tensor without elements does nothing", stacklevel=2)
        return tensor
    bound = math.sqrt(3.0) * _kaiming_std(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Any:
    """Fill from N(0, σ²) with σ = gain / √fan; ``a`` is the slope of a leaky ReLU.

    Arguments:
        tensor: the tensor that is filled, in place, and returned.
        a: the slope of a leaky ReLU below 0.
        mode: ``"fan_in"`` keeps variances on the way forward, ``"fan_out"`` on the way back.
        nonlinearity: the name of the activation that follows, as for ``calculate_gain``.
        generator: where random numbers come from; the default generator for None.

    Source: He et al., 2015.
    """
    if 0 in tensor.array.shape:
        warnings.warn("initializing a tensor without elements does nothing", stacklevel=2)
        return tensor
    return normal_(tensor, 0.0, _kaiming_std(tensor, a, mode, nonlinearity), generator)


def orthogonal_(tensor: Tensor, gain: float = 1, generator: Generator | None = None) -> Any:
    """Fill with a (semi-)orthogonal matrix; dimensions behind the first count as one.

    Arguments:
        tensor: the tensor that is filled, in place, and returned.
        gain: by what the numbers are scaled; see ``calculate_gain``.
        generator: where random numbers come from; the default generator for None.

    Source: Saxe et al., "Exact solutions to the nonlinear dynamics of learning in deep linear
    neural networks", 2013.
    """
    if tensor.ndim < 2:
        raise ShapeError(f"orthogonal_ needs two dimensions or more, got {tuple(tensor.shape)}")

    def values(shape, dtype):
        rows, columns = shape[0], math.prod(shape[1:])
        numbers = draw(generator, "normal", (max(rows, columns), min(rows, columns)), dtype)
        q, r = np.linalg.qr(numbers)
        q = q * np.sign(np.diagonal(r))
        return (q.T if rows < columns else q).reshape(shape) * gain

    return tensor if 0 in tensor.array.shape else _fill(tensor, values)


def sparse_(
    tensor: Tensor, sparsity: float, std: float = 0.01, generator: Generator | None = None
) -> Any:
    """Fill a matrix from N(0, std²) and make the fraction ``sparsity`` of each column zero.

    Arguments:
        tensor: the tensor that is filled, in place, and returned.
        sparsity: the part of each column that is 0, from 0 to 1.
        std: the standard deviation of the rest.
        generator: where random numbers come from; the default generator for None.

    Source: Martens, "Deep learning via Hessian-free optimization", 2010.
    """
    if tensor.ndim != 2:
        raise ShapeError(f"sparse_ fills matrices, got shape {tuple(tensor.shape)}")

    def values(shape, dtype):
        numbers = draw(generator, "normal", shape, dtype) * std
        zeros = math.ceil(sparsity * shape[0])
        for column in range(shape[1]):
            order = draw(generator, "permutation", (shape[0],), np.dtype(np.int64), shape[0])
            numbers[order[:zeros], column] = 0.0
        return numbers

    return _fill(tensor, values)


# PyTorch's names from before those that end in an underscore.
uniform, normal = formerly("nn.init", uniform_), formerly("nn.init", normal_)
constant = formerly("nn.init", constant_)
eye, dirac = formerly("nn.init", eye_), formerly("nn.init", dirac_)
xavier_uniform = formerly("nn.init", xavier_uniform_)
xavier_normal = formerly("nn.init", xavier_normal_)
kaiming_uniform = formerly("nn.init", kaiming_uniform_)
kaiming_normal = formerly("nn.init", kaiming_normal_)
orthogonal, sparse = formerly("nn.init", orthogonal_), formerly("nn.init", sparse_)
