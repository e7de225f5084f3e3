"""Gradients of convolutions as functions: what ``backward`` computes, where only that is wanted."""

from __future__ import annotations

from typing import Any

from aino.autograd.rules import convolution as rules
from aino.autograd.rules.columns import Place, positions
from aino.autograd.tensor import Tensor
from aino.errors import ShapeError
from aino.nn.functional.conv import frame, numbers

__all__ = [
    "conv1d_input", "conv1d_weight", "conv2d_input", "conv2d_weight", "conv3d_input",
    "conv3d_weight",
]  # fmt: skip


def _of_input(name, dims, input_size, weight, grad_output, stride, padding, dilation, groups):
    size, kernel = tuple(input_size)[2:], tuple(weight.shape[2:])
    place = _place(name, dims, size, kernel, grad_output, stride, padding, dilation, groups)
    return rules.convolution_transpose(grad_output, weight, None, size, place)


def _of_weight(name, dims, input, weight_size, grad_output, stride, padding, dilation, groups):
    size, kernel = tuple(input.shape[2:]), tuple(weight_size)[2:]
    place = _place(name, dims, size, kernel, grad_output, stride, padding, dilation, groups)
    return rules.convolution_weight(grad_output, input, kernel, place)


def _place(name, dims, size, kernel, grad_output, stride, padding, dilation, groups):
    """Return how kernel and input lie to each other, once the gradient is one of their output."""
    if len(size) != dims or len(kernel) != dims:
        raise ShapeError(
            f"{name}: input and weight have {dims + 2} dimensions, not {len(size) + 2} and "
            f"{len(kernel) + 2}"
        )
    stride = numbers(name, "stride", stride, dims, 1)
    dilation = numbers(name, "dilation", dilation, dims, 1)
    place = Place(stride, frame(name, padding, kernel, stride, dilation), dilation, groups)
    count, given = positions(size, kernel, place), tuple(grad_output.shape[2:])
    if count != given:
        raise ShapeError(f"{name}: grad_output has the size {given}, and the output {count}")
    return tuple(place)


def conv1d_input(
    input_size: Any, weight: Tensor, grad_output: Tensor, stride: Any = 1, padding: Any = 0,
    dilation: Any = 1, groups: int = 1,
) -> Tensor:  # fmt: skip
    """Return the gradient of ``conv1d`` with respect to its input.

    Raises ``ShapeError`` where the sizes do not agree.

    Arguments:
        input_size: the shape of the input, (N, C, L).
        weight: as for ``conv1d``.
        grad_output: the gradient of the output, of its shape.
        stride, padding, dilation, groups: as for ``conv1d``.

    >>> import aino
    >>> w, g = aino.tensor([[[1.0, 10.0]]]), aino.tensor([[[1.0, 2.0]]])
    >>> aino.nn.grad.conv1d_input((1, 1, 3), w, g)
    tensor([[[ 1., 12., 20.]]])
    """
    return _of_input(
        "conv1d_input", 1, input_size, weight, grad_output, stride, padding, dilation, groups
    )


def conv1d_weight(
    input: Tensor, weight_size: Any, grad_output: Tensor, stride: Any = 1, padding: Any = 0,
    dilation: Any = 1, groups: int = 1,
) -> Tensor:  # fmt: skip
    """Return the gradient of ``conv1d`` with respect to its weight.

    Raises ``ShapeError`` where the sizes do not agree.

    Arguments:
        input: as for ``conv1d``.
        weight_size: the shape of the weight, (O, C / groups, K).
        grad_output: the gradient of the output, of its shape.
        stride, padding, dilation, groups: as for ``conv1d``.

    >>> import aino
    >>> x, g = aino.tensor([[[1.0, 2.0, 3.0]]]), aino.tensor([[[1.0, 10.0]]])
    >>> aino.nn.grad.conv1d_weight(x, (1, 1, 2), g)
    tensor([[[21., 32.]]])
    """
    return _of_weight(
        "conv1d_weight", 1, input, weight_size, grad_output, stride, padding, dilation, groups
    )


def conv2d_input(
    input_size: Any, weight: Tensor, grad_output: Tensor, stride: Any = 1, padding: Any = 0,
    dilation: Any = 1, groups: int = 1,
) -> Tensor:  # fmt: skip
    """Return the gradient of ``conv2d`` with respect to its input, as ``conv1d_input`` does.

    Arguments:
        input_size: the shape of the input, (N, C, H, W).
        weight, stride, padding, dilation, groups: as for ``conv2d``.
        grad_output: the gradient of the output, of its shape.

    >>> import aino
    >>> w, g = aino.ones(1, 1, 2, 2), aino.ones(1, 1, 1, 2)
    >>> aino.nn.grad.conv2d_input((1, 1, 2, 3), w, g)
    tensor([[[[1., 2., 1.],
              [1., 2., 1.]]]])
    """
    return _of_input(
        "conv2d_input", 2, input_size, weight, grad_output, stride, padding, dilation, groups
    )


def conv2d_weight(
    input: Tensor, weight_size: Any, grad_output: Tensor, stride: Any = 1, padding: Any = 0,
    dilation: Any = 1, groups: int = 1,
) -> Tensor:  # fmt: skip
    """Return the gradient of ``conv2d`` with respect to its weight, as ``conv1d_weight`` does.

    Arguments:
        input, stride, padding, dilation, groups: as for ``conv2d``.
        weight_size: the shape of the weight, (O, C / groups, KH, KW).
        grad_output: the gradient of the output, of its shape.

    >>> import aino
    >>> x, g = aino.ones(1, 1, 3, 3), aino.ones(1, 1, 2, 2)
    >>> aino.nn.grad.conv2d_weight(x, (1, 1, 2, 2), g)
    tensor([[[[4., 4.],
              [4., 4.]]]])
    """
    return _of_weight(
        "conv2d_weight", 2, input, weight_size, grad_output, stride, padding, dilation, groups
    )


def conv3d_input(
    input_size: Any, weight: Tensor, grad_output: Tensor, stride: Any = 1, padding: Any = 0,
    dilation: Any = 1, groups: int = 1,
) -> Tensor:  # fmt: skip
    """Return the gradient of ``conv3d`` with respect to its input, as ``conv1d_input`` does.

    Arguments:
        input_size: the shape of the input, (N, C, D, H, W).
        weight, stride, padding, dilation, groups: as for ``conv3d``.
        grad_output: the gradient of the output, of its shape.

    >>> import aino
    >>> w, g = aino.ones(1, 1, 2, 1, 1), aino.ones(1, 1, 2, 1, 1)
    >>> aino.nn.grad.conv3d_input((1, 1, 3, 1, 1), w, g).reshape(3)
    tensor([1., 2., 1.])
    """
    return _of_input(
        "conv3d_input", 3, input_size, weight, grad_output, stride, padding, dilation, groups
    )


def conv3d_weight(
    input: Tensor, weight_size: Any, grad_output: Tensor, stride: Any = 1, padding: Any = 0,
    dilation: Any = 1, groups: int = 1,
) -> Tensor:  # fmt: skip
    """Return the gradient of ``conv3d`` with respect to its weight, as ``conv1d_weight`` does.

    Arguments:
        input, stride, padding, dilation, groups: as for ``conv3d``.
        weight_size: the shape of the weight, (O, C / groups, KD, KH, KW).
        grad_output: the gradient of the output, of its shape.

    >>> import aino
    >>> x, g = aino.ones(1, 1, 3, 1, 1), aino.ones(1, 1, 2, 1, 1)
    >>> aino.nn.grad.conv3d_weight(x, (1, 1, 2, 1, 1), g).reshape(2)
    tensor([2., 2.])
    """
    return _of_weight(
        "conv3d_weight", 3, input, weight_size, grad_output, stride, padding, dilation, groups
    )
