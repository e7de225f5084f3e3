"""Convolutions and their transposes, along one, two or three dimensions."""

from __future__ import annotations

import functools
from operator import index
from typing import Any

from aino.autograd.rules import convolution as rules
from aino.autograd.rules.columns import Place, positions
from aino.autograd.tensor import Tensor
from aino.errors import ArgumentError, DtypeError, ShapeError


def conv1d(
    input: Tensor, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0,
    dilation: Any = 1, groups: int = 1,
) -> Tensor:  # fmt: skip
    """Return the convolution of signals: y[t] = b + Σ w[k] · x[stride·t + dilation·k - padding].

    The sum goes over the channels of the input, too.

    Raises ``ShapeError`` for shapes that do not agree, and a kernel that is longer than the padded
    input; ``DtypeError`` where the dtypes differ; ``ValueError`` for numbers out of range.

    Arguments:
        input: x: (N, C, L), or (C, L).
        weight: w: (O, C / groups, K).
        bias: b: (O,); None adds nothing.
        stride: how far the kernel moves from one element of the output to the next.
        padding: how many zeros are put at both ends; "valid" for none, "same" for as many as keep
            the length.
        dilation: how far the kernel's elements are apart.
        groups: into how many parts channels are divided that do not see one another.

    >>> import aino
    >>> x = aino.tensor([[[1.0, 2.0, 3.0, 4.0]]])
    >>> aino.nn.functional.conv1d(x, aino.tensor([[[1.0, 10.0]]]))
    tensor([[[21., 32., 43.]]])
    """
    return _convolved("conv1d", 1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(
    input: Tensor, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0,
    dilation: Any = 1, groups: int = 1,
) -> Tensor:  # fmt: skip
    """Return the convolution of images, as ``conv1d`` does along two dimensions.

    Raises what ``conv1d`` does.

    Arguments:
        input: x: (N, C, H, W), or (C, H, W).
        weight: w: (O, C / groups, KH, KW).
        bias: b: (O,); None adds nothing.
        stride, padding, dilation: as for ``conv1d``, a number for both dimensions or a pair.
        groups: into how many parts channels are divided that do not see one another.

    >>> import aino
    >>> aino.nn.functional.conv2d(aino.ones(1, 1, 3, 3), aino.ones(1, 1, 3, 3), padding=1)
    tensor([[[[4., 6., 4.],
              [6., 9., 6.],
              [4., 6., 4.]]]])
    """
    return _convolved("conv2d", 2, input, weight, bias, stride, padding, dilation, groups)


def conv3d(
    input: Tensor, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0,
    dilation: Any = 1, groups: int = 1,
) -> Tensor:  # fmt: skip
    """Return the convolution of volumes, as ``conv1d`` does along three dimensions.

    Raises what ``conv1d`` does.

    Arguments:
        input: x: (N, C, D, H, W), or (C, D, H, W).
        weight: w: (O, C / groups, KD, KH, KW).
        bias: b: (O,); None adds nothing.
        stride, padding, dilation: as for ``conv1d``, a number for all dimensions or three.
        groups: into how many parts channels are divided that do not see one another.

    >>> import aino
    >>> aino.nn.functional.conv3d(aino.ones(1, 2, 3, 4, 5), aino.ones(6, 2, 2, 2, 2)).shape
    aino.Size([1, 6, 2, 3, 4])
    """
    return _convolved("conv3d", 3, input, weight, bias, stride, padding, dilation, groups)


def conv_transpose1d(
    input: Tensor, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0,
    output_padding: Any = 0, groups: int = 1, dilation: Any = 1,
) -> Tensor:  # fmt: skip
    """Return the transpose of ``conv1d``: each element is spread by the kernel, and all are summed.

    Raises ``ShapeError`` for shapes that do not agree, and where nothing would be left;
    ``DtypeError`` where the dtypes differ; ``ValueError`` for numbers out of range.

    Arguments:
        input: x: (N, C, L), or (C, L).
        weight: w: (C, O / groups, K).
        bias: b: (O,); None adds nothing.
        stride: how far the kernel moves from one element of the input to the next.
        padding: how many elements are cut off at both ends.
        output_padding: how many are put after the last; less than stride or dilation.
        groups: into how many parts channels are divided that do not see one another.
        dilation: how far the kernel's elements are apart.

    >>> import aino
    >>> x = aino.tensor([[[1.0, 2.0]]])
    >>> aino.nn.functional.conv_transpose1d(x, aino.tensor([[[1.0, 10.0]]]), stride=2)
    tensor([[[ 1., 10.,  2., 20.]]])
    """
    return _transposed(
        "conv_transpose1d", 1, input, weight, bias, stride, padding, output_padding, groups,
        dilation,
    )  # fmt: skip


def conv_transpose2d(
    input: Tensor, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0,
    output_padding: Any = 0, groups: int = 1, dilation: Any = 1,
) -> Tensor:  # fmt: skip
    """Return the transpose of ``conv2d``, as ``conv_transpose1d`` is that of ``conv1d``.

    Raises what ``conv_transpose1d`` does.

    Arguments:
        input: x: (N, C, H, W), or (C, H, W).
        weight: w: (C, O / groups, KH, KW).
        bias: b: (O,); None adds nothing.
        stride, padding, output_padding, dilation: as for ``conv_transpose1d``, a number for both
            dimensions or a pair.
        groups: into how many parts channels are divided that do not see one another.

    >>> import aino
    >>> x = aino.ones(1, 2, 3, 4)
    >>> aino.nn.functional.conv_transpose2d(x, aino.ones(2, 5, 3, 3), stride=2).shape
    aino.Size([1, 5, 7, 9])
    """
    return _transposed(
        "conv_transpose2d", 2, input, weight, bias, stride, padding, output_padding, groups,
        dilation,
    )  # fmt: skip


def conv_transpose3d(
    input: Tensor, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0,
    output_padding: Any = 0, groups: int = 1, dilation: Any = 1,
) -> Tensor:  # fmt: skip
    """Return the transpose of ``conv3d``, as ``conv_transpose1d`` is that of ``conv1d``.

    Raises what ``conv_transpose1d`` does.

    Arguments:
        input: x: (N, C, D, H, W), or (C, D, H, W).
        weight: w: (C, O / groups, KD, KH, KW).
        bias: b: (O,); None adds nothing.
        stride, padding, output_padding, dilation: as for ``conv_transpose1d``, a number for all
            dimensions or three.
        groups: into how many parts channels are divided that do not see one another.

    >>> import aino
    >>> x = aino.ones(1, 2, 1, 3, 4)
    >>> aino.nn.functional.conv_transpose3d(x, aino.ones(2, 5, 2, 2, 2)).shape
    aino.Size([1, 5, 2, 4, 5])
    """
    return _transposed(
        "conv_transpose3d", 3, input, weight, bias, stride, padding, output_padding, groups,
        dilation,
    )  # fmt: skip


def conv_tbc(input: Tensor, weight: Tensor, bias: Tensor, pad: int = 0) -> Tensor:
    """Return ``conv1d`` of signals whose dimensions are time, batch and channels.

    Arguments:
        input: x: (L, N, C).
        weight: w: (K, C, O).
        bias: b: (O,).
        pad: how many zeros are put at both ends.

    >>> import aino
    >>> aino.conv_tbc(aino.ones(5, 1, 2), aino.ones(3, 2, 4), aino.zeros(4)).shape
    aino.Size([3, 1, 4])
    """
    if input.ndim != 3 or weight.ndim != 3 or bias.ndim != 1:
        raise ShapeError(
            "conv_tbc takes an input (time, batch, channels), a weight (kernel, channels, out) and "
            f"a bias (out,), not {tuple(input.shape)}, {tuple(weight.shape)}, {tuple(bias.shape)}"
        )
    y = conv1d(input.permute(1, 2, 0), weight.permute(2, 1, 0), bias, padding=pad)
    return y.permute(2, 0, 1)


def convolution(
    input: Tensor, weight: Tensor, bias: Any, stride: Any, padding: Any, dilation: Any,
    transposed: bool, output_padding: Any, groups: int,
) -> Tensor:  # fmt: skip
    """Return a convolution, or the transpose of one, along as many dimensions as the weight has.

    Arguments:
        input: (N, C, *S), or (C, *S); of one to three dimensions *S.
        weight: (O, C / groups, *K), transposed (C, O / groups, *K).
        bias: (O,), or None.
        stride, padding, dilation, groups: as for ``conv2d``.
        transposed: whether it is the transpose, ``conv_transpose2d``.
        output_padding: as there; has no effect otherwise.

    >>> import aino
    >>> x, w = aino.ones(1, 1, 3), aino.ones(1, 1, 2)
    >>> aino.convolution(x, w, None, [1], [0], [1], False, [0], 1)
    tensor([[[2., 2.]]])
    """
    dims = weight.ndim - 2
    if not 1 <= dims <= 3:
        raise ShapeError(
            f"convolution: the weight has one to three dimensions besides its channels, not the "
            f"shape {tuple(weight.shape)}"
        )
    if transposed:
        return _transposed(
            "convolution", dims, input, weight, bias, stride, padding, output_padding, groups,
            dilation,
        )  # fmt: skip
    return _convolved("convolution", dims, input, weight, bias, stride, padding, dilation, groups)


# What all of them share


def _convolved(name, dims, input, weight, bias, stride, padding, dilation, groups):
    shape, kinds = input.array.shape, (input.array.dtype, weight.array.dtype)
    place = _place(
        name, dims, shape, weight.array.shape, None if bias is None else bias.array.shape,
        _hashable(stride), _hashable(padding), _hashable(dilation), groups,
    )  # fmt: skip
    _check_dtypes(name, kinds, bias)
    if len(shape) == dims + 2:
        return rules.convolution(input, weight, bias, place)
    return rules.convolution(input.unsqueeze(0), weight, bias, place).squeeze(0)


def _transposed(
    name, dims, input, weight, bias, stride, padding, output_padding, groups, dilation
):  # fmt: skip
    shape, kinds = input.array.shape, (input.array.dtype, weight.array.dtype)
    place, size = _transposed_place(
        name, dims, shape, weight.array.shape, None if bias is None else bias.array.shape,
        _hashable(stride), _hashable(padding), _hashable(output_padding), groups,
        _hashable(dilation),
    )  # fmt: skip
    _check_dtypes(name, kinds, bias)
    x = input if len(shape) == dims + 2 else input.unsqueeze(0)
    y = rules.convolution_transpose(x, weight, bias, size, place)
    return y if x is input else y.squeeze(0)


def _hashable(value):
    return value if value.__class__ in (int, str) else _listed(value)


def _listed(value):
    return value if isinstance(value, str) or hasattr(value, "__index__") else tuple(value)


def _check_dtypes(name, kinds, bias) -> None:
    first, second = kinds
    if first is not second and first != second:
        raise DtypeError(
            f"{name}: the input is {first} and the weight {second}; bring them together with "
            "input.float() or model.double()"
        )
    if bias is not None and bias.array.dtype != first:
        raise DtypeError(f"{name}: the input is {first} and the bias {bias.array.dtype}")
    if first.kind == "b":
        raise DtypeError(f"{name} does not compute with booleans; use input.float()")


def numbers(name, what, value, dims, lowest):
    """Return a number for each dimension; raises ``ValueError`` for one that is too small."""
    try:
        found = (index(value),) * dims if hasattr(value, "__index__") else tuple(map(index, value))
    except TypeError:
        raise DtypeError(f"{name}: {what} is an integer or several, not {value!r}") from None
    if len(found) == 1:
        found *= dims
    if len(found) != dims:
        raise ShapeError(f"{name}: {what} is one number or {dims}, not {value!r}")
    if min(found) < lowest:
        raise ArgumentError(f"{name}: {what} is at least {lowest}, not {value!r}")
    return found


def _check_groups(name, groups) -> None:
    if not hasattr(groups, "__index__") or groups < 1:
        raise ArgumentError(f"{name}: groups is a positive integer, not {groups!r}")


def _check_ranks(name, dims, shape, weight) -> None:
    if len(shape) not in (dims + 1, dims + 2):
        raise ShapeError(
            f"{name} takes an input of {dims + 2} dimensions, or {dims + 1} without a batch, not "
            f"of the shape {tuple(shape)}"
        )
    if len(weight) != dims + 2:
        raise ShapeError(
            f"{name} takes a weight of {dims + 2} dimensions, not of the shape {tuple(weight)}"
        )


def _check_weight(name, shape, dims, weight, channels, groups) -> None:
    given = shape[-1 - dims]
    if given != channels:
        raise ShapeError(
            f"{name}: with groups={groups} a weight of the shape {tuple(weight)} takes an input of "
            f"{channels} channels; that of the shape {tuple(shape)} has {given}"
        )
    if weight[0] % groups:
        raise ShapeError(
            f"{name}: the first dimension of a weight of the shape {tuple(weight)} can't be "
            f"divided into {groups} groups"
        )
    if not weight[0] or 0 in weight[2:]:
        raise ShapeError(f"{name}: a weight of the shape {tuple(weight)} has no kernel")


def _check_bias(name, weight, bias, channels) -> None:
    if bias is not None and tuple(bias) != (channels,):
        raise ShapeError(
            f"{name}: with a weight of the shape {tuple(weight)} the bias has the shape "
            f"({channels},), not {tuple(bias)}"
        )


@functools.lru_cache(maxsize=512)
def _place(name, dims, shape, weight, bias, stride, padding, dilation, groups) -> tuple:
    """Check what a convolution is given, and return how kernel and input lie to each other."""
    _check_groups(name, groups)
    _check_ranks(name, dims, shape, weight)
    kernel, size = tuple(weight[2:]), shape[-dims:]
    stride = numbers(name, "stride", stride, dims, 1)
    dilation = numbers(name, "dilation", dilation, dims, 1)
    _check_weight(name, shape, dims, weight, weight[1] * groups, groups)
    _check_bias(name, weight, bias, weight[0])
    place = Place(stride, frame(name, padding, kernel, stride, dilation), dilation, groups)
    if min(positions(size, kernel, place)) < 1:
        padded = tuple([n + before + after for n, (before, after) in zip(size, place.padding)])
        reach = tuple([d * (k - 1) + 1 for k, d in zip(kernel, dilation)])
        raise ShapeError(
            f"{name}: the kernel is larger than the input: {reach} with its dilation, the input "
            f"{padded} with its padding"
        )
    return tuple(place)


def frame(name, padding, kernel, stride, dilation):
    """Return how many zeros stand before and after the input in each dimension."""
    if padding == "valid":
        return ((0, 0),) * len(kernel)
    if padding == "same":
        if set(stride) != {1}:
            raise ArgumentError(f"{name}: padding='same' is for stride=1, not {stride}")
        totals = [d * (k - 1) for k, d in zip(kernel, dilation)]
        return tuple([(total // 2, total - total // 2) for total in totals])
    if isinstance(padding, str):
        raise ArgumentError(f"{name}: padding is a number, 'valid' or 'same', not {padding!r}")
    return tuple([(n, n) for n in numbers(name, "padding", padding, len(kernel), 0)])


@functools.lru_cache(maxsize=512)
def _transposed_place(
    name, dims, shape, weight, bias, stride, padding, output_padding, groups, dilation
) -> tuple[tuple, tuple[int, ...]]:
    """The same for a transpose, and the size of what it gives."""
    _check_groups(name, groups)
    _check_ranks(name, dims, shape, weight)
    if isinstance(padding, str):
        raise DtypeError(f"{name}: padding is an integer or several, not {padding!r}")
    kernel, count = tuple(weight[2:]), shape[-dims:]
    stride = numbers(name, "stride", stride, dims, 1)
    padding = numbers(name, "padding", padding, dims, 0)
    extra = numbers(name, "output_padding", output_padding, dims, 0)
    dilation = numbers(name, "dilation", dilation, dims, 1)
    if any([e >= s and e >= d for e, s, d in zip(extra, stride, dilation)]):
        raise ArgumentError(
            f"{name}: output_padding {extra} is to be smaller than stride {stride} or dilation "
            f"{dilation}"
        )
    _check_weight(name, shape, dims, weight, weight[0], groups)
    _check_bias(name, weight, bias, weight[1] * groups)
    size = tuple([
        (t - 1) * s + d * (k - 1) + 1 - 2 * p + e
        for t, s, d, k, p, e in zip(count, stride, dilation, kernel, padding, extra)
    ])  # fmt: skip
    if min(size) < 1:
        raise ShapeError(
            f"{name}: of an input of the size {tuple(count)} nothing is left: the output would "
            f"have the size {size}"
        )
    # So that the convolution of what comes out has as many positions as the input.
    frame = tuple([(p, p - e) for p, e in zip(padding, extra)])
    return (stride, frame, dilation, groups), size
