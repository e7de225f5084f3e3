"""Normalisation as the ``aino`` namespace has it, its arguments in PyTorch's order there."""

from __future__ import annotations

from typing import Any

from aino.autograd.mode import no_grad
from aino.autograd.primitive import cast
from aino.autograd.rules.normalization import moments
from aino.autograd.tensor import Tensor
from aino.nn import functional as F
from aino.nn.functional.batchnorm import _batch_norm, _group_norm, _update

__all__ = [
    "batch_norm", "batch_norm_update_stats", "group_norm", "instance_norm", "native_batch_norm",
    "native_group_norm",
]  # fmt: skip


def batch_norm(
    input: Tensor, weight: Tensor | None, bias: Tensor | None, running_mean: Tensor | None,
    running_var: Tensor | None, training: bool, momentum: float, eps: float, cudnn_enabled: bool,
) -> Tensor:  # fmt: skip
    """Return the input, each channel normalised over the batch: ``nn.functional.batch_norm``.

    Arguments:
        input, weight, bias, running_mean, running_var, training, momentum, eps: as there.
        cudnn_enabled: has no effect: there is no accelerator.

    >>> import aino
    >>> x = aino.tensor([[1.0], [3.0]])
    >>> aino.batch_norm(x, None, None, None, None, True, 0.1, 1e-9, False)
    tensor([[-1.],
            [ 1.]])
    """
    return F.batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps)


def native_batch_norm(
    input: Tensor, weight: Tensor | None, bias: Tensor | None, running_mean: Tensor | None,
    running_var: Tensor | None, training: bool, momentum: float, eps: float,
) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
    """Return what ``batch_norm`` returns, the means, and one by the standard deviations.

    The last two are empty outside of training, and have no derivative.

    Arguments:
        input, weight, bias, running_mean, running_var, training, momentum, eps: as for
            ``nn.functional.batch_norm``.

    >>> import aino
    >>> x = aino.tensor([[1.0], [3.0]])
    >>> aino.native_batch_norm(x, None, None, None, None, True, 0.1, 0.0)[1:]
    (tensor([2.]), tensor([1.]))
    """
    y, mean, variance = _batch_norm(
        input, running_mean, running_var, weight, bias, training, momentum, eps
    )
    if not training or mean is None:
        return y, input.new_empty(0), input.new_empty(0)
    mean, variance = mean.detach(), variance.detach()
    return y, _as_input(mean, input), _as_input((variance + eps).rsqrt(), input)


def _as_input(statistics: Tensor, input: Tensor) -> Tensor:
    return cast(statistics, input.array.dtype)


def batch_norm_update_stats(
    input: Tensor, running_mean: Tensor | None, running_var: Tensor | None, momentum: float
) -> tuple[Tensor, Tensor]:
    """Return mean and biased variance of each channel; the running statistics go towards them.

    Arguments:
        input, running_mean, running_var, momentum: as for ``nn.functional.batch_norm``.

    >>> import aino
    >>> aino.batch_norm_update_stats(aino.tensor([[1.0], [3.0]]), None, None, 0.1)
    (tensor([2.]), tensor([1.]))
    """
    with no_grad():
        mean, variance = moments(input.detach())
        _update(running_mean, running_var, mean, variance, momentum, input.numel() // len(mean))
    return mean, variance


def instance_norm(
    input: Tensor, weight: Tensor | None, bias: Tensor | None, running_mean: Tensor | None,
    running_var: Tensor | None, use_input_stats: bool, momentum: float, eps: float,
    cudnn_enabled: bool,
) -> Tensor:  # fmt: skip
    """Return the input, each channel of each sample normalised: ``nn.functional.instance_norm``.

    Arguments:
        input, weight, bias, running_mean, running_var, use_input_stats, momentum, eps: as there.
        cudnn_enabled: has no effect: there is no accelerator.

    >>> import aino
    >>> x = aino.tensor([[[1.0, 3.0]]])
    >>> aino.instance_norm(x, None, None, None, None, True, 0.1, 1e-9, False)
    tensor([[[-1.,  1.]]])
    """
    return F.instance_norm(
        input, running_mean, running_var, weight, bias, use_input_stats, momentum, eps
    )


def group_norm(
    input: Tensor, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None,
    eps: float = 1e-5, cudnn_enabled: bool = True,
) -> Tensor:  # fmt: skip
    """Return the input, normalised over groups of channels: ``nn.functional.group_norm``.

    Arguments:
        input, num_groups, weight, bias, eps: as there.
        cudnn_enabled: has no effect: there is no accelerator.

    >>> import aino
    >>> aino.group_norm(aino.tensor([[1.0, 3.0]]), 1, eps=0.0)
    tensor([[-1.,  1.]])
    """
    return F.group_norm(input, num_groups, weight, bias, eps)


def native_group_norm(
    input: Tensor, weight: Tensor | None, bias: Tensor | None, N: Any, C: Any, HxW: Any,
    group: int, eps: float,
) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
    """Return what ``group_norm`` returns, the means, and one by the standard deviations.

    Arguments:
        input, weight, bias, eps: as for ``nn.functional.group_norm``.
        N, C, HxW: how many samples, channels, and elements of a channel there are.
        group: how many groups.

    >>> import aino
    >>> x = aino.tensor([[1.0, 3.0]])
    >>> aino.native_group_norm(x, None, None, 1, 2, 1, 1, 0.0)[1:]
    (tensor([[2.]]), tensor([[1.]]))
    """
    x = input.reshape(N, C, HxW)
    y, mean, variance = _group_norm(x, group, weight, bias, eps)
    if mean is None:
        return y.reshape(input.shape), input.new_zeros(N, group), input.new_zeros(N, group)
    statistics = [x.reshape(N, group) for x in (mean, (variance + eps).rsqrt())]
    return y.reshape(input.shape), *[_as_input(x, input) for x in statistics]
