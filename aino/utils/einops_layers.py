"""einops' layers as AINO's modules: ``from aino.utils.einops_layers import Rearrange``."""

from __future__ import annotations

from typing import Any

from aino.autograd.tensor import Tensor
from aino.nn import init
from aino.nn.base.module import Module
from aino.nn.base.parameter import Parameter
from aino.ops.creation.filled import zeros
from aino.ops.linalg.contraction import einsum

_NAMES = ("EinMix", "Rearrange", "Reduce")


def __dir__() -> list[str]:
    return list(_NAMES)


def __getattr__(name: str) -> Any:
    if name not in _NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    for made in _made():
        made.__qualname__ = made.__name__
        globals()[made.__name__] = made
    return globals()[name]


def _made() -> tuple[type, ...]:
    """Return the layers, which are einops' own with a module's ways."""
    try:
        from einops.layers import RearrangeMixin, ReduceMixin
        from einops.layers._einmix import _EinmixMixin
    except ImportError as error:
        raise ImportError("these layers are einops': pip install einops") from error

    class Rearrange(RearrangeMixin, Module):
        """``einops.rearrange`` as a module: ``Rearrange("b c h w -> b (c h w)")``.

        Arguments:
            pattern: what goes where, in einops' words.
            axes_lengths: the lengths that the pattern leaves open, by name.
        """

        def forward(self, input: Tensor) -> Any:
            """Return the tensor rearranged."""
            return self._apply_recipe(input)

    class Reduce(ReduceMixin, Module):
        """``einops.reduce`` as a module: ``Reduce("b c (h 2) (w 2) -> b c h w", "max")``.

        Arguments:
            pattern: what goes where, in einops' words.
            reduction: ``"min"``, ``"max"``, ``"sum"``, ``"mean"`` or ``"prod"``.
            axes_lengths: the lengths that the pattern leaves open, by name.
        """

        def forward(self, input: Tensor) -> Any:
            """Return the tensor reduced."""
            return self._apply_recipe(input)

    class EinMix(_EinmixMixin, Module):
        """einops' linear layer over axes by name."""

        weight: Parameter
        bias: Parameter | None

        def _create_parameters(
            self, weight_shape: Any, weight_bound: float, bias_shape: Any, bias_bound: float
        ) -> None:
            self.weight = Parameter(init.uniform_(zeros(weight_shape), -weight_bound, weight_bound))
            self.bias = None
            if bias_shape is not None:
                self.bias = Parameter(init.uniform_(zeros(bias_shape), -bias_bound, bias_bound))

        def _create_rearrange_layers(
            self, before: str | None, before_lengths: Any, after: str | None, after_lengths: Any
        ) -> None:
            layer: Any = Rearrange
            self.pre_rearrange = None if before is None else layer(before, **before_lengths)
            self.post_rearrange = None if after is None else layer(after, **after_lengths)

        def forward(self, input: Any) -> Any:
            """Return the products, and the bias added."""
            if self.pre_rearrange is not None:
                input = self.pre_rearrange(input)
            result = einsum(self.einsum_pattern, input, self.weight)
            if self.bias is not None:
                result = result + self.bias
            return result if self.post_rearrange is None else self.post_rearrange(result)

    return Rearrange, Reduce, EinMix
