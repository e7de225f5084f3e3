"""Normalisation of each channel of each sample: InstanceNorm1d, 2d and 3d."""

from __future__ import annotations

from typing import Any

from aino.autograd.tensor import Tensor
from aino.errors import ShapeError
from aino.nn import functional as F
from aino.nn.modules.batchnorm import _NormBase
from aino.user_warnings import warn

__all__ = ["InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d"]


class _InstanceNorm(_NormBase):
    """Gives each channel of each sample mean 0 and variance 1."""

    #: The dimensions of one sample.
    _sample_dims = 0

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(
            num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias
        )

    def _check_input_dim(self, input: Tensor) -> None:
        few = self._sample_dims
        if input.dim() not in (few, few + 1):
            raise ShapeError(f"expected {few}D or {few + 1}D input (got {input.dim()}D input)")

    def forward(self, input: Tensor) -> Tensor:
        """Return the normalised input; in training, move the running statistics if there are."""
        self._check_input_dim(input)
        dim = input.dim() - self._sample_dims
        channels = input.shape[dim]
        if channels != self.num_features:
            if self.affine:
                raise ShapeError(
                    f"expected input's size at dim={dim} to match num_features "
                    f"({self.num_features}), but got: {channels}"
                )
            warn(
                f"input's size at dim={dim} does not match num_features, which is not used "
                "because affine=False"
            )
        if not dim:
            return self._normalised(input.unsqueeze(0)).squeeze(0)
        return self._normalised(input)

    def _normalised(self, input: Tensor) -> Tensor:
        return F.instance_norm(
            input,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or not self.track_running_stats,
            0.0 if self.momentum is None else self.momentum,
            self.eps,
        )


class InstanceNorm1d(_InstanceNorm):
    """Gives each channel of each sample mean 0 and variance 1: (x - E[x]) / √(Var[x] + ε) · γ + β.

    The variance divides by the number of elements. ``weight`` γ starts as ones and ``bias`` β as
    zeros, both (C,). Input and output (N, C, L) or (C, L); ``ShapeError`` for another.

    Arguments:
        num_features: C.
        eps: ε, which keeps the denominator from 0.
        momentum: how far the buffers go towards the batch's means.
        affine: learn γ and β; without it both are None.
        track_running_stats: keep running statistics, which evaluation uses.
        device: where the parameters are; there is only the CPU.
        dtype: of the parameters; the default dtype for None.
        bias: learn β, where ``affine``; without it ``bias`` is None.

    Source: Ulyanov, Vedaldi and Lempitsky, "Instance normalization: the missing ingredient for
    fast stylization", 2016.

    >>> import aino
    >>> aino.nn.InstanceNorm1d(1)(aino.tensor([[1.0, 3.0]]))
    tensor([[-1.0000,  1.0000]])
    """

    _sample_dims = 2


class InstanceNorm2d(_InstanceNorm):
    """Gives each channel of each image mean 0 and variance 1, as ``InstanceNorm1d`` does.

    Input and output (N, C, H, W) or (C, H, W); ``ShapeError`` for another.

    Arguments:
        num_features: C.
        eps: ε, which keeps the denominator from 0.
        momentum: how far the buffers go towards the batch's means.
        affine: learn γ and β; without it both are None.
        track_running_stats: keep running statistics, which evaluation uses.
        device: where the parameters are; there is only the CPU.
        dtype: of the parameters; the default dtype for None.
        bias: learn β, where ``affine``; without it ``bias`` is None.

    >>> import aino
    >>> aino.nn.InstanceNorm2d(3)(aino.zeros(2, 3, 4, 4)).shape
    aino.Size([2, 3, 4, 4])
    """

    _sample_dims = 3


class InstanceNorm3d(_InstanceNorm):
    """Gives each channel of each volume mean 0 and variance 1, as ``InstanceNorm1d`` does.

    Input and output (N, C, D, H, W) or (C, D, H, W); ``ShapeError`` for another.

    Arguments:
        num_features: C.
        eps: ε, which keeps the denominator from 0.
        momentum: how far the buffers go towards the batch's means.
        affine: learn γ and β; without it both are None.
        track_running_stats: keep running statistics, which evaluation uses.
        device: where the parameters are; there is only the CPU.
        dtype: of the parameters; the default dtype for None.
        bias: learn β, where ``affine``; without it ``bias`` is None.

    >>> import aino
    >>> aino.nn.InstanceNorm3d(3)(aino.zeros(2, 3, 4, 4, 4)).shape
    aino.Size([2, 3, 4, 4, 4])
    """

    _sample_dims = 4
