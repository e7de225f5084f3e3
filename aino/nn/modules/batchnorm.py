"""Normalisation of channels over a batch: BatchNorm1d, 2d and 3d, and SyncBatchNorm."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from aino.autograd.tensor import Tensor, make
from aino.devices import check_device
from aino.errors import ShapeError
from aino.nn import functional as F
from aino.nn import init
from aino.nn.base.module import TensorModule
from aino.nn.base.parameter import empty_parameter

__all__ = ["BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "SyncBatchNorm"]


class _NormBase(TensorModule):
    """What normalises channels and may keep running statistics of them."""

    _came_later = ("num_batches_tracked",)

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        check_device(device)
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        shape = (num_features,)
        self.weight = empty_parameter(shape, device, dtype) if affine else None
        self.bias = empty_parameter(shape, device, dtype) if affine and bias else None
        mean = variance = count = None
        if track_running_stats:
            like = empty_parameter(shape, device, dtype)
            mean, variance = make(np.zeros_like(like.array)), make(np.ones_like(like.array))
            count = make(np.zeros((), np.int64))
        self.register_buffer("running_mean", mean)
        self.register_buffer("running_var", variance)
        self.register_buffer("num_batches_tracked", count)
        self.reset_parameters()

    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def reset_running_stats(self) -> None:
        """Make the running means zeros and the running variances ones, of no batches."""
        if self.running_mean is not None:
            self.running_mean.zero_()
        if self.running_var is not None:
            self.running_var.fill_(1)
        if self.num_batches_tracked is not None:
            self.num_batches_tracked.zero_()

    def reset_parameters(self) -> None:
        """Reset the running statistics; make the weight ones and the bias zeros."""
        self.reset_running_stats()
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def _check_input_dim(self, input: Tensor) -> None:
        raise NotImplementedError(f"{type(self).__name__} does not say which inputs it takes")

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, "
            f"affine={self.affine}, bias={self.bias is not None}, "
            f"track_running_stats={self.track_running_stats}"
        )


class _BatchNorm(_NormBase):
    """Gives each channel of a batch mean 0 and variance 1."""

    #: What ``func.replace_all_batch_norm_modules_`` looks for.
    normalises_batches = True

    def forward(self, input: Tensor) -> Tensor:
        """Return the normalised input; in training, move the running statistics."""
        self._check_input_dim(input)
        momentum: Any = self.momentum
        tracked = self.training and self.track_running_stats
        if momentum is None and tracked and self.num_batches_tracked is not None:
            # A tensor, not a number: a program computes it anew at each call.
            momentum = 1.0 / (self.num_batches_tracked + 1).double()
        own = self.training or (self.running_mean is None and self.running_var is None)
        given = tracked or not self.training
        y = self._normalised(
            input,
            self.running_mean if given else None,
            self.running_var if given else None,
            own,
            0.0 if momentum is None else momentum,
        )
        if tracked and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
        return y

    def _normalised(self, input, running_mean, running_var, own: bool, momentum) -> Tensor:
        """Return the normalised input; ``own`` says that its own statistics are taken."""
        return F.batch_norm(
            input, running_mean, running_var, self.weight, self.bias, own, momentum, self.eps
        )


class BatchNorm1d(_BatchNorm):
    """Gives each channel of a batch mean 0 and variance 1: y = (x - E[x]) / √(Var[x] + ε) · γ + β.

    ``weight`` γ starts as ones and ``bias`` β as zeros, both (C,). In training, mean and variance
    are those of the batch, the variance divided by the number of elements, and the buffers
    ``running_mean`` and ``running_var`` (with the unbiased variance) follow them; evaluation uses
    the buffers. Input and output (N, C) or (N, C, L); ``ShapeError`` for another, and for one
    value per channel in training.

    Arguments:
        num_features: C.
        eps: ε, which keeps the denominator from 0.
        momentum: how far the buffers go towards each batch; None makes them its average over all.
        affine: learn γ and β; without it both are None.
        track_running_stats: keep the buffers; without it evaluation uses the batch, too.
        device: where the parameters are; there is only the CPU.
        dtype: of the parameters; the default dtype for None.
        bias: learn β; without it ``bias`` is None.

    Source: Ioffe and Szegedy, "Batch normalization: accelerating deep network training by reducing
    internal covariate shift", 2015.

    >>> import aino
    >>> aino.nn.BatchNorm1d(1, affine=False)(aino.tensor([[1.0], [3.0]]))
    tensor([[-1.0000],
            [ 1.0000]])
    """

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() not in (2, 3):
            raise ShapeError(f"expected 2D or 3D input (got {input.dim()}D input)")


class BatchNorm2d(_BatchNorm):
    """Gives each channel of a batch of images mean 0 and variance 1, as ``BatchNorm1d`` does.

    Input and output (N, C, H, W); ``ShapeError`` for another.

    Arguments:
        num_features: C.
        eps: ε, which keeps the denominator from 0.
        momentum: how far the buffers go towards each batch; None makes them its average over all.
        affine: learn γ and β; without it both are None.
        track_running_stats: keep the buffers; without it evaluation uses the batch, too.
        device: where the parameters are; there is only the CPU.
        dtype: of the parameters; the default dtype for None.
        bias: learn β; without it ``bias`` is None.

    >>> import aino
    >>> aino.nn.BatchNorm2d(3)(aino.zeros(2, 3, 4, 4)).shape
    aino.Size([2, 3, 4, 4])
    """

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() != 4:
            raise ShapeError(f"expected 4D input (got {input.dim()}D input)")


class BatchNorm3d(_BatchNorm):
    """Gives each channel of a batch of volumes mean 0 and variance 1, as ``BatchNorm1d`` does.

    Input and output (N, C, D, H, W); ``ShapeError`` for another.

    Arguments:
        num_features: C.
        eps: ε, which keeps the denominator from 0.
        momentum: how far the buffers go towards each batch; None makes them its average over all.
        affine: learn γ and β; without it both are None.
        track_running_stats: keep the buffers; without it evaluation uses the batch, too.
        device: where the parameters are; there is only the CPU.
        dtype: of the parameters; the default dtype for None.
        bias: learn β; without it ``bias`` is None.

    >>> import aino
    >>> aino.nn.BatchNorm3d(3)(aino.zeros(2, 3, 4, 4, 4)).shape
    aino.Size([2, 3, 4, 4, 4])
    """

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() != 5:
            raise ShapeError(f"expected 5D input (got {input.dim()}D input)")


class SyncBatchNorm(_BatchNorm):
    """Normalises channels over the batches of all ranks: y = (x - E[x]) / √(Var[x] + ε) · γ + β.

    In training, mean and variance are those of all ranks' batches together, and so are the
    gradients: what one process gives for the whole batch. The batches may differ in size, and be
    empty on some of the ranks; each rank takes part in every step. In evaluation, with one rank,
    and before ``distributed.init_process_group``, it is ``BatchNorm2d``. Input and output
    (N, C, ...), of two dimensions or more; ``ShapeError`` for another.

    Arguments:
        num_features: C.
        eps: ε, which keeps the denominator from 0.
        momentum: how far the buffers go towards each batch; None makes them its average over all.
        affine: learn γ and β; without it both are None.
        track_running_stats: keep the buffers; without it evaluation uses the batch, too.
        process_group: the ranks; all for None.
        device: where the parameters are; there is only the CPU.
        dtype: of the parameters; the default dtype for None.
        bias: learn β; without it ``bias`` is None.

    >>> import aino
    >>> model = aino.nn.Sequential(aino.nn.Linear(2, 3), aino.nn.BatchNorm1d(3))
    >>> type(aino.nn.SyncBatchNorm.convert_sync_batchnorm(model)[1]).__name__
    'SyncBatchNorm'
    """

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        process_group: Any = None,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(
            num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias
        )
        self.process_group = process_group

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() < 2:
            raise ShapeError(f"expected at least 2D input (got {input.dim()}D input)")
        if input.shape[1] == 0:
            raise ShapeError("SyncBatchNorm number of input channels should be non-zero")

    def _normalised(self, input, running_mean, running_var, own: bool, momentum) -> Tensor:
        if self.training:
            # Ranks are loaded when they are asked for: most programs have one.
            group = self.process_group or import_module("aino.distributed").group.WORLD
            if group is not None and group.size() > 1:
                parallel = import_module("aino.nn.parallel.sync_batchnorm")
                return parallel.sync_batch_norm(
                    input, running_mean, running_var, self.weight, self.bias, momentum, self.eps,
                    group,
                )  # fmt: skip
        return super()._normalised(input, running_mean, running_var, own, momentum)

    @classmethod
    def convert_sync_batchnorm(cls, module: Any, process_group: Any = None) -> Any:
        """Return a module whose ``BatchNorm`` layers are ``SyncBatchNorm``, with their parameters.

        Arguments:
            module: one such layer, for which a new one is returned, or what has some inside.
            process_group: what the new layers are given.
        """
        result = module
        if isinstance(module, _BatchNorm):
            result = cls(
                module.num_features, module.eps, module.momentum, module.affine,
                module.track_running_stats, process_group, bias=module.bias is not None,
            )  # fmt: skip
            if module.affine:
                result.weight, result.bias = module.weight, module.bias
            for name in ("running_mean", "running_var", "num_batches_tracked"):
                setattr(result, name, getattr(module, name))
            result.train(module.training)
        for name, child in module.named_children():
            converted = cls.convert_sync_batchnorm(child, process_group)
            if converted is not child:
                result.add_module(name, converted)
        return result
