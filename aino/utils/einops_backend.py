"""AINO's tensors in einops."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from aino.autograd.tensor import Tensor
from aino.ops.creation.from_data import from_numpy
from aino.ops.creation.ranges import arange
from aino.ops.linalg.contraction import einsum
from aino.ops.shape.joining import cat, stack


def follow(backends: Any) -> None:
    """Make tensors known to einops, whose module of back ends is given.

    It finds the classes that stand on its own base by itself.
    """
    base: Any = backends.AbstractBackend

    class AinoBackend(base):
        """What einops asks of a library, for AINO."""

        framework_name = "aino"

        def is_appropriate_type(self, tensor: Any) -> bool:
            return isinstance(tensor, Tensor)

        def from_numpy(self, x: Any) -> Tensor:
            return from_numpy(x)

        def to_numpy(self, x: Tensor) -> Any:
            return x.detach().numpy()

        def arange(self, start: int, stop: int) -> Tensor:
            return arange(start, stop)

        def transpose(self, x: Tensor, axes: Any) -> Tensor:
            return x.permute(axes)

        def reduce(self, x: Any, operation: str, axes: Any) -> Tensor:
            if operation in ("any", "all", "prod"):
                for axis in sorted(axes, reverse=True):
                    x = getattr(x, operation)(dim=axis)
                return x
            return getattr(x, {"min": "amin", "max": "amax"}.get(operation, operation))(dim=axes)

        def stack_on_zeroth_dimension(self, tensors: list) -> Tensor:
            return stack(tensors)

        def add_axis(self, x: Any, new_position: int) -> Tensor:
            return x.unsqueeze(new_position)

        def add_axes(self, x: Any, n_axes: int, pos2len: dict) -> Tensor:
            lengths = [-1] * n_axes
            for position, length in pos2len.items():
                x = x.unsqueeze(position)
                lengths[position] = length
            return x.expand(lengths)

        def tile(self, x: Any, repeats: Any) -> Tensor:
            return x.repeat(repeats)

        def concat(self, tensors: Any, axis: int) -> Tensor:
            return cat(tensors, axis)

        def is_float_type(self, x: Tensor) -> bool:
            return x.array.dtype.kind == "f"

        def layers(self) -> Any:
            return import_module("aino.utils.einops_layers")

        def einsum(self, pattern: str, *x: Tensor) -> Tensor:
            return einsum(pattern, *x)

    known.append(AinoBackend)


#: What has been made known: einops holds its classes weakly.
known: list[type] = []
