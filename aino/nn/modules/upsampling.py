"""Upsampling: signals, images and volumes of another size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aino.autograd.tensor import Tensor
from aino.nn import functional as F
from aino.nn.base.module import TensorModule

__all__ = ["Upsample", "UpsamplingBilinear2d", "UpsamplingNearest2d"]


class Upsample(TensorModule):
    """Gives a signal, an image or a volume other lengths: ``nn.functional.interpolate``.

    Input (N, C, L), (N, C, H, W) or (N, C, D, H, W). A call raises ``ValueError`` unless one of
    size and factor is given, and for a mode or an option that does not go with the rest.

    Arguments:
        size: the lengths of the output, one number for all or one for each.
        scale_factor: the same as factors of the input's lengths, which are rounded down.
        mode: "nearest", "linear" of signals, "bilinear" and "bicubic" of images, "trilinear" of
            volumes.
        align_corners: the outermost elements of both lie upon one another, not their edges.
        recompute_scale_factor: places follow from the rounded lengths instead of the factor.

    >>> import aino
    >>> aino.nn.Upsample(scale_factor=2)(aino.tensor([[[1.0, 3.0]]]))
    tensor([[[1., 1., 3., 3.]]])
    """

    def __init__(
        self, size: int | Sequence[int] | None = None,
        scale_factor: float | Sequence[float] | None = None, mode: str = "nearest",
        align_corners: bool | None = None, recompute_scale_factor: bool | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.name = type(self).__name__
        self.size = size
        self.scale_factor: Any = scale_factor
        if isinstance(scale_factor, (tuple, list)):
            self.scale_factor = tuple([float(factor) for factor in scale_factor])
        elif scale_factor:
            self.scale_factor = float(scale_factor)  # type: ignore[arg-type]
        self.mode = mode
        self.align_corners = align_corners
        self.recompute_scale_factor = recompute_scale_factor

    def forward(self, input: Tensor) -> Tensor:
        """Return the input with other lengths."""
        return F.interpolate(
            input, self.size, self.scale_factor, self.mode, self.align_corners,
            self.recompute_scale_factor,
        )  # fmt: skip

    def extra_repr(self) -> str:
        if self.scale_factor is not None:
            return f"scale_factor={self.scale_factor!r}, mode={self.mode!r}"
        return f"size={self.size!r}, mode={self.mode!r}"


class UpsamplingNearest2d(Upsample):
    """Gives an image another size, each pixel the one that is nearest.

    Input (N, C, H, W).

    Arguments:
        size: the height and width of the output, or one number for both.
        scale_factor: the same as factors of the input's, which are rounded down.

    >>> import aino
    >>> aino.nn.UpsamplingNearest2d(scale_factor=2)(aino.zeros(1, 1, 2, 3)).shape
    aino.Size([1, 1, 4, 6])
    """

    def __init__(
        self, size: int | Sequence[int] | None = None,
        scale_factor: float | Sequence[float] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(size, scale_factor, mode="nearest")


class UpsamplingBilinear2d(Upsample):
    """Gives an image another size by linear interpolation, with its corners upon the input's.

    Input (N, C, H, W).

    Arguments:
        size: the height and width of the output, or one number for both.
        scale_factor: the same as factors of the input's, which are rounded down.

    >>> import aino
    >>> aino.nn.UpsamplingBilinear2d(size=(1, 3))(aino.tensor([[[[1.0, 3.0]]]]))
    tensor([[[[1., 2., 3.]]]])
    """

    def __init__(
        self, size: int | Sequence[int] | None = None,
        scale_factor: float | Sequence[float] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(size, scale_factor, mode="bilinear", align_corners=True)
