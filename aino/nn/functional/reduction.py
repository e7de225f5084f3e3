"""How the losses of single elements become one number."""

from __future__ import annotations

from typing import Any

from aino.autograd.tensor import Tensor
from aino.errors import ArgumentError, ShapeError
from aino.user_warnings import warn


def named_reduction(size_average: bool | None, reduce: bool | None, reduction: str) -> str:
    """Return the reduction's name; the two older arguments overrule it, as in PyTorch."""
    if size_average is None and reduce is None:
        if reduction not in ("none", "mean", "sum"):
            raise ArgumentError(f"{reduction!r} is not a valid value for reduction")
        return reduction
    if isinstance(size_average, Tensor) or isinstance(reduce, Tensor):
        raise ArgumentError(
            "size_average and reduce are True or False, not tensors; a loss is made first, and "
            "called with tensors then: nn.MSELoss()(input, target)"
        )
    if reduce is False:
        name = "none"
    else:
        name = "sum" if size_average is False else "mean"
    warn(f"size_average and reduce are deprecated, please use reduction={name!r} instead")
    return name


def reduced(loss: Any, reduction: str) -> Tensor:
    """Return the mean of the losses, their sum, or themselves."""
    if reduction == "mean":
        return loss.mean()
    return loss.sum() if reduction == "sum" else loss


def warn_of_broadcasting(name: str, input: Any, target: Any) -> None:
    """Warn when input and target only fit together by being broadcast."""
    if input.shape != target.shape:
        warn(
            f"{name}: using a target size ({tuple(target.shape)}) that is different to the input "
            f"size ({tuple(input.shape)}); this will likely lead to incorrect results due to "
            "broadcasting, please ensure they have the same size"
        )


def require_same_shape(name: str, input: Any, target: Any) -> None:
    """Raise ``ShapeError`` unless input and target have one shape."""
    if input.shape != target.shape:
        raise ShapeError(
            f"{name}: the target has shape {tuple(target.shape)}, the input "
            f"{tuple(input.shape)}; they have to be the same"
        )
