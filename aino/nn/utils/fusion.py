"""A batch normalisation in evaluation mode is a linear map, and may join the one before it."""

from __future__ import annotations

import copy
from typing import Any

from aino.autograd.tensor import Tensor
from aino.nn.base.parameter import Parameter
from aino.ops.creation.filled import ones_like, zeros_like

__all__ = [
    "fuse_conv_bn_eval", "fuse_conv_bn_weights", "fuse_linear_bn_eval", "fuse_linear_bn_weights",
]  # fmt: skip


def _scales(mean: Tensor, var: Tensor, eps: float, weight: Any, bias: Any) -> tuple[Any, Any]:
    weight = ones_like(mean) if weight is None else weight
    bias = zeros_like(mean) if bias is None else bias
    return weight * (var + eps).rsqrt(), bias


def fuse_conv_bn_weights(
    conv_w: Tensor, conv_b: Tensor | None, bn_rm: Tensor, bn_rv: Tensor, bn_eps: float,
    bn_w: Tensor | None, bn_b: Tensor | None, transpose: bool = False,
) -> tuple[Parameter, Parameter]:  # fmt: skip
    """Return weight and bias of a convolution that does what it and a batch normalisation do.

    Arguments:
        conv_w: the convolution's weight.
        conv_b: its bias, or None.
        bn_rm: the running mean.
        bn_rv: the running variance.
        bn_eps: ε of the normalisation.
        bn_w: its weight, or None.
        bn_b: its bias, or None.
        transpose: it is a transposed convolution, whose channels stand second in the weight.
    """
    scale, shift = _scales(bn_rm, bn_rv, bn_eps, bn_w, bn_b)
    conv_b = zeros_like(bn_rm) if conv_b is None else conv_b
    shape = [1] * conv_w.ndim
    shape[1 if transpose else 0] = -1
    weight = (conv_w * scale.reshape(shape)).to(conv_w.dtype)
    bias = ((conv_b - bn_rm) * scale + shift).to(conv_b.dtype)
    return (
        Parameter(weight.detach(), conv_w.requires_grad),
        Parameter(bias.detach(), conv_b.requires_grad),
    )


def fuse_conv_bn_eval(conv: Any, bn: Any, transpose: bool = False) -> Any:
    """Return a copy of a convolution that does what it and a batch normalisation do.

    Raises ``AssertionError`` unless both are in evaluation mode.

    Arguments:
        conv: the convolution.
        bn: the batch normalisation behind it, with running statistics.
        transpose: it is a transposed convolution.
    """
    if conv.training or bn.training:
        raise AssertionError("fusion only for eval!")
    fused = copy.deepcopy(conv)
    if bn.running_mean is None or bn.running_var is None:
        raise AssertionError("fusion needs running statistics")
    fused.weight, fused.bias = fuse_conv_bn_weights(
        fused.weight, fused.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias,
        transpose,
    )  # fmt: skip
    return fused


def fuse_linear_bn_weights(
    linear_w: Tensor, linear_b: Tensor | None, bn_rm: Tensor, bn_rv: Tensor, bn_eps: float,
    bn_w: Tensor, bn_b: Tensor,
) -> tuple[Parameter, Parameter]:  # fmt: skip
    """Return weight and bias of a linear map that does what it and a batch normalisation do.

    Arguments:
        linear_w: the map's weight (out, in).
        linear_b: its bias, or None.
        bn_rm: the running mean.
        bn_rv: the running variance.
        bn_eps: ε of the normalisation.
        bn_w: its weight.
        bn_b: its bias.
    """
    return fuse_conv_bn_weights(linear_w, linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b)


def fuse_linear_bn_eval(linear: Any, bn: Any) -> Any:
    """Return a copy of a linear map that does what it and a batch normalisation do.

    Raises ``AssertionError`` unless both are in evaluation mode, and their numbers of features fit.

    Arguments:
        linear: the linear map.
        bn: the batch normalisation behind it, with running statistics.
    """
    if linear.training or bn.training:
        raise AssertionError("fusion only for eval!")
    if bn.num_features not in (linear.out_features, 1):
        raise AssertionError(
            f"to fuse, linear.out_features {linear.out_features} has to be bn.num_features "
            f"{bn.num_features}, or that 1"
        )
    fused = copy.deepcopy(linear)
    if bn.running_mean is None or bn.running_var is None:
        raise AssertionError("fusion needs running statistics")
    fused.weight, fused.bias = fuse_linear_bn_weights(
        fused.weight, fused.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias
    )
    return fused
