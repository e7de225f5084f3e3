"""The scales of data at both ends of a network, which computes with numbers of deviation 1.

They are kept in float64, whatever dtype the network is of: a column that moves by a billionth
around 5 has to be centred before it is rounded to float32.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from aino import dtypes
from aino.autograd.tensor import Tensor, make
from aino.nn.base.module import TensorModule
from aino.nn.base.parameter import Buffer

_SHOWN = 4


class _Scaling(TensorModule):
    """``mean`` and ``scale`` (features,), in float64."""

    _keeps_dtype = ("mean", "scale")
    mean: Buffer
    scale: Buffer

    def __init__(self, mean: Any, scale: Any) -> None:
        super().__init__()
        self.mean = Buffer(make(_float64(mean)))
        self.scale = Buffer(make(_float64(scale)))

    def extra_repr(self) -> str:
        return f"mean={_shown(self.mean.array)}, scale={_shown(self.scale.array)}"


class InputScaling(_Scaling):
    """z = (x - mean) / scale, in float64.

    Input (..., features), output (..., features) in float64.

    Arguments:
        mean: (features,), what becomes 0.
        scale: (features,), how far from it becomes 1.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return (x - mean) / scale."""
        return (input - self.mean) / self.scale


class OutputScaling(_Scaling):
    """y = z · scale + mean, computed in float64.

    Input (..., features), output (..., features).

    Arguments:
        mean: (features,), what 0 becomes.
        scale: (features,), how far from it 1 is.
        dtype: of the output; float64 for None.
    """

    def __init__(self, mean: Any, scale: Any, dtype: Any = None) -> None:
        super().__init__(mean, scale)
        self.dtype = dtypes.float64 if dtype is None else dtypes.as_dtype(dtype)

    def forward(self, input: Tensor) -> Tensor:
        """Return z · scale + mean."""
        return (input * self.scale + self.mean).to(self.dtype)


def _float64(values: Any) -> np.ndarray:
    return np.array(values.array if isinstance(values, Tensor) else values, np.float64)


def _shown(values: np.ndarray) -> str:
    shown = ", ".join(f"{value:.4g}" for value in values[:_SHOWN].tolist())
    return f"[{shown}{', ...' if len(values) > _SHOWN else ''}]"
