"""The scales of data at both ends of a network, which computes with numbers of deviation 1.

They are kept in float64, whatever dtype the network is of: a column that moves by a billionth
around 5 has to be centred before it is rounded to float32.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from aino import dtypes
from aino.autograd.tensor import Tensor, make
from aino.errors import ShapeError
from aino.nn.base.module import TensorModule
from aino.nn.base.parameter import Buffer

#: So many numbers are printed, and so many stand in the description of a file, where they are read
#: by people.
_SHOWN, _DESCRIBED = 4, 16


class _Scaling(TensorModule):
    """``mean`` and ``scale`` (features,), in float64."""

    _keeps_dtype = ("mean", "scale")
    mean: Buffer
    scale: Buffer

    def __init__(self, features: int, mean: Any = 0.0, scale: Any = 1.0) -> None:
        super().__init__()
        self.features = features
        self.mean = Buffer(make(_float64(mean, features)))
        self.scale = Buffer(make(_float64(scale, features)))

    def constructor_arguments(self) -> tuple[tuple, dict[str, Any]]:
        """Return what the module would be made with now."""
        arguments: dict[str, Any] = {"features": self.features}
        if self.features <= _DESCRIBED:
            arguments |= {"mean": self.mean.array.tolist(), "scale": self.scale.array.tolist()}
        return (), arguments

    def extra_repr(self) -> str:
        return f"{self.features}, mean={_shown(self.mean.array)}, scale={_shown(self.scale.array)}"


class InputScaling(_Scaling):
    """z = (x - mean) / scale, in float64.

    Input (..., features), output (..., features) in float64.

    Arguments:
        features: how many numbers a sample has.
        mean: (features,), or one for all: what becomes 0.
        scale: (features,), or one for all: how far from it becomes 1.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return (x - mean) / scale."""
        return (input - self.mean) / self.scale


class OutputScaling(_Scaling):
    """y = z · scale + mean, computed in float64.

    Input (..., features), output (..., features).

    Arguments:
        features: how many numbers an output has.
        mean: (features,), or one for all: what 0 becomes.
        scale: (features,), or one for all: how far from it 1 is.
        dtype: of the output; float64 for None.
    """

    def __init__(self, features: int, mean: Any = 0.0, scale: Any = 1.0, dtype: Any = None) -> None:
        super().__init__(features, mean, scale)
        self.dtype = dtypes.float64 if dtype is None else dtypes.as_dtype(dtype)

    def constructor_arguments(self) -> tuple[tuple, dict[str, Any]]:
        """Return what the module would be made with now."""
        arguments = super().constructor_arguments()[1]
        return (), arguments | {"dtype": self.dtype}

    def forward(self, input: Tensor) -> Tensor:
        """Return z · scale + mean."""
        return (input * self.scale + self.mean).to(self.dtype)


def _float64(values: Any, features: int) -> np.ndarray:
    array = np.array(values.array if isinstance(values, Tensor) else values, np.float64)
    if array.shape not in ((), (features,)):
        raise ShapeError(f"there are {features} features, and scales of shape {array.shape}")
    return np.full(features, array) if array.ndim == 0 else array


def _shown(values: np.ndarray) -> str:
    shown = ", ".join(f"{value:.4g}" for value in values[:_SHOWN].tolist())
    return f"[{shown}{', ...' if len(values) > _SHOWN else ''}]"
