"""Rows of convolutions, their transposes, and columns of what a kernel covers."""

from itertools import product

import numpy as np

from aino.autograd.rules import convolution as rules
from aino.autograd.rules import folding
from aino.nn import functional as F
from aino.nn import grad
from tests.calculus.row import Row, case, real


def every(value, dims):
    return tuple(value) if isinstance(value, tuple | list) else (value,) * dims


def shift(y, bias):
    return y if bias is None else y + bias.reshape(-1, *[1] * (y.ndim - 2))


def covered(size, kernel, stride, dilation):
    """Yield for each element of a kernel where it lies, at all positions."""
    counts = [(n - d * (k - 1) - 1) // s + 1 for n, k, s, d in zip(size, kernel, stride, dilation)]
    for offset in product(*map(range, kernel)):
        starts = [k * d for k, d in zip(offset, dilation)]
        stops = [start + (n - 1) * s + 1 for start, n, s in zip(starts, counts, stride)]
        yield offset, tuple(map(slice, starts, stops, stride))


def convolution(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    dims = weight.ndim - 2
    if x.ndim == dims + 1:
        return convolution(x[None], weight, bias, stride, padding, dilation, groups)[0]
    stride, dilation = every(stride, dims), every(dilation, dims)
    if padding == "same":
        totals = [d * (k - 1) for d, k in zip(dilation, weight.shape[2:])]
        padding = [(total // 2, total - total // 2) for total in totals]
    else:
        padding = [(n, n) for n in every(0 if padding == "valid" else padding, dims)]
    x = np.pad(x, [(0, 0), (0, 0), *padding])
    x = x.reshape(len(x), groups, x.shape[1] // groups, *x.shape[2:])
    weight = weight.reshape(groups, -1, *weight.shape[1:])
    y = 0.0
    for offset, place in covered(x.shape[3:], weight.shape[3:], stride, dilation):
        part = x[(slice(None),) * 3 + place]
        y = y + np.einsum("ngc...,goc->ngo...", part, weight[(slice(None),) * 3 + offset])
    return shift(y.reshape(len(y), y.shape[1] * y.shape[2], *y.shape[3:]), bias)


def transpose(x, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    dims = weight.ndim - 2
    if x.ndim == dims + 1:
        return transpose(
            x[None], weight, bias, stride, padding, output_padding, groups, dilation
        )[0]  # fmt: skip
    stride, dilation, kernel = every(stride, dims), every(dilation, dims), weight.shape[2:]
    padding, extra = every(padding, dims), every(output_padding, dims)
    whole = [
        (t - 1) * s + d * (k - 1) + 1
        for t, s, d, k in zip(x.shape[2:], stride, dilation, kernel)
    ]  # fmt: skip
    room = [n + e for n, e in zip(whole, extra)]
    y = np.zeros((len(x), groups, weight.shape[1], *room), x.dtype)
    x = x.reshape(len(x), groups, -1, *x.shape[2:])
    weight = weight.reshape(groups, -1, *weight.shape[1:])
    for offset, place in covered(whole, kernel, stride, dilation):
        part = np.einsum("ngc...,gco->ngo...", x, weight[(slice(None),) * 3 + offset])
        y[(slice(None),) * 3 + place] += part
    inner = tuple(slice(p, n - p) for p, n in zip(padding, room))
    y = y[(slice(None),) * 3 + inner]
    return shift(y.reshape(len(y), -1, *y.shape[3:]), bias)


def weight_of(a, b, shape, stride=1, padding=0, dilation=1, groups=1):
    """Return Σ a · (b ∗ w) differentiated by each number of w, one after the other."""
    y = np.zeros(shape, a.dtype)
    for place in np.ndindex(*shape):
        one = np.zeros(shape)
        one[place] = 1.0
        y[place] = (a * convolution(b, one, None, stride, padding, dilation, groups)).sum()
    return y


def unfold(x, kernel_size, dilation=1, padding=0, stride=1):
    if x.ndim == 3:
        return unfold(x[None], kernel_size, dilation, padding, stride)[0]
    kernel, padding = every(kernel_size, 2), every(padding, 2)
    x = np.pad(x, [(0, 0), (0, 0), *[(n, n) for n in padding]])
    parts = [
        x[(slice(None),) * 2 + place].reshape(*x.shape[:2], -1)
        for _, place in covered(x.shape[2:], kernel, every(stride, 2), every(dilation, 2))
    ]
    return np.stack(parts, 2).reshape(len(x), -1, parts[0].shape[-1])


def fold(x, output_size, kernel_size, dilation=1, padding=0, stride=1):
    if x.ndim == 2:
        return fold(x[None], output_size, kernel_size, dilation, padding, stride)[0]
    kernel, padding = every(kernel_size, 2), every(padding, 2)
    size = every(output_size, 2)
    whole = [n + 2 * p for n, p in zip(size, padding)]
    channels = x.shape[1] // (kernel[0] * kernel[1])
    y = np.zeros((len(x), channels, *whole), x.dtype)
    x = x.reshape(len(x), channels, -1, x.shape[-1])
    every_place = covered(whole, kernel, every(stride, 2), every(dilation, 2))
    for number, (_, place) in enumerate(every_place):
        part = y[(slice(None),) * 2 + place]
        part += x[:, :, number].reshape(part.shape)
    return y[:, :, padding[0] : padding[0] + size[0], padding[1] : padding[1] + size[1]]


def functional(name, oracle, cases, **options):
    options = {"dtypes": "float32 float16 int64", "complex": True} | options
    return Row(f"nn.functional.{name}", getattr(F, name), oracle, cases, **options)


def place(stride=(1, 1), padding=((0, 0), (0, 0)), dilation=(1, 1), groups=1):
    return (stride, padding, dilation, groups)


ROWS = [
    functional("conv1d", convolution, [
        case(real(2, 3, 7), real(4, 3, 3), real(4)),
        case(real(4, 7), real(4, 2, 3), None, 2, 1, 2, 2),
        case(real(2, 2, 6), real(3, 2, 4), real(3), padding="same"),
        case(real(1, 2, 6), real(3, 2, 1), padding="valid"),
    ], covers="convolution",
       errors=[case(real(2, 3, 7), real(4, 2, 3)), case(real(2, 3, 2), real(4, 3, 3)),
               case(real(2, 3, 7), real(4, 3, 3), real(3)), case(real(7), real(4, 3, 3)),
               case(real(2, 3, 7), real(4, 3, 3), stride=0),
               case(real(2, 3, 7), real(4, 3, 3), padding=-1),
               case(real(2, 3, 7), real(4, 3, 3), padding="full"),
               case(real(2, 3, 7), real(4, 3, 3), padding="same", stride=2),
               case(real(2, 3, 7), real(4, 3, 3), dilation=0),
               case(real(2, 3, 7), real(4, 3, 3), groups=0),
               case(real(2, 4, 7), real(5, 2, 3), groups=2),
               case(real(2, 3, 7), real(4, 3, 3), stride=(1, 1)),
               case(real(2, 3, 7), real(4, 3, 3, 3)), case(real(2, 3, 7), real(4, 3, 0))]),
    functional("conv2d", convolution, [
        case(real(2, 3, 5, 4), real(4, 3, 3, 2), real(4), padding=1),
        case(real(2, 4, 6, 7), real(4, 2, 2, 3), real(4), (2, 3), (1, 2), (2, 1), 2),
        case(real(2, 3, 4, 4), real(3, 1, 3, 3), None, 1, 1, 1, 3),
        case(real(3, 5, 4), real(2, 3, 2, 2), padding="same"),
        case(real(0, 3, 5, 4), real(2, 3, 2, 2), real(2)),
    ], covers="convolution", dtypes="float32 float16",
       errors=[case(real(5, 4), real(2, 3, 2, 2)), case(real(1, 3, 1, 4), real(2, 3, 2, 2))]),
    functional("conv3d", convolution, [
        case(real(1, 2, 4, 3, 4), real(3, 2, 2, 2, 3), real(3), (2, 1, 1), (0, 1, 1)),
        case(real(3, 2, 2, 3), real(3, 1, 2, 1, 2), None, groups=3),
    ], covers="convolution"),
    # PyTorch sums their float16 in float16.
    functional("conv_transpose1d", transpose, [
        case(real(2, 3, 4), real(3, 2, 3), real(2)),
        case(real(4, 4), real(4, 1, 3), None, 2, 1, 1, 2, 2),
        case(real(1, 2, 4), real(2, 2, 2), None, 1, 0, 1, 1, 2),
    ], covers="convolution_transpose", dtypes="float32 int64",
       errors=[case(real(2, 3, 4), real(2, 2, 3)), case(real(2, 3, 4), real(3, 2, 3), real(3)),
               case(real(2, 3, 4), real(3, 2, 3), output_padding=1),
               case(real(2, 3, 4), real(3, 2, 3), output_padding=-1, stride=2),
               case(real(2, 3, 4), real(3, 2, 3), padding=4),
               case(real(2, 3, 4), real(3, 2, 3), padding="same")]),
    functional("conv_transpose2d", transpose, [
        case(real(2, 4, 3, 2), real(4, 2, 2, 3), real(4), (2, 1), (1, 0), (1, 0), 2, (1, 2)),
        case(real(2, 3, 2), real(2, 1, 3, 3), real(1), padding=(2, 0)),
    ], covers="convolution_transpose", dtypes="float32"),
    functional("conv_transpose3d", transpose, [
        case(real(1, 2, 2, 3, 2), real(2, 1, 2, 2, 2), real(1), (1, 2, 1)),
    ], covers="convolution_transpose", dtypes="float32 int64"),
    # PyTorch's has no second derivatives, and no complex numbers.
    functional("conv_tbc", lambda x, weight, bias, pad=0: convolution(
        x.transpose(1, 2, 0), weight.transpose(2, 1, 0), bias, padding=pad).transpose(2, 0, 1), [
        case(real(5, 2, 3), real(2, 3, 4), real(4)), case(real(5, 2, 3), real(2, 3, 4), real(4), 1),
    ], covers="convolution", complex=False, dtypes="float32",
       errors=[case(real(5, 3), real(2, 3, 4), real(4))]),
    functional("unfold", unfold, [
        case(real(2, 3, 4, 5), (2, 3)),
        case(real(2, 4, 5), 2, dilation=2, padding=(1, 0), stride=(1, 2)),
    ], covers="unfolded", dtypes="float32 float16 bool",
       errors=[case(real(4, 5), 2), case(real(2, 3, 4, 5), 5), case(real(2, 3, 4, 5), 2, stride=0),
               case(real(2, 3, 4, 5), (2, 2, 2)), case(real(2, 3, 4, 5), 2, padding=-1)]),
    functional("fold", fold, [
        case(real(2, 12, 12), (4, 5), 2),
        case(real(4, 6), (4, 5), 2, dilation=2, padding=(1, 0), stride=(2, 1)),
    ], covers="folded", dtypes="float32 float16", errors=[
        case(real(2, 12, 11), (4, 5), 2), case(real(2, 11, 12), (4, 5), 2), case(real(2), 2, 2),
    ]),
    # The rules of one another, as they are called.
    Row("convolution", rules.convolution,
        lambda x, w, b, p: convolution(np.pad(x, [(0, 0)] * 2 + [*p[1]]), w, b, p[0], 0, *p[2:]),
        [case(real(2, 2, 3, 4), real(2, 1, 2, 2), real(2),
              place((2, 1), ((1, 0), (0, 2)), groups=2))],
        torch=None, complex=True, method=""),
    Row("convolution_transpose", rules.convolution_transpose,
        lambda x, w, b, size, p: transpose(x, w, b, p[0], 1, (1, 0), p[3], p[2]),
        [case(real(2, 2, 3, 4), real(2, 2, 2, 2), real(2), (5, 3),
              place((2, 1), ((1, 0), (1, 1))))],
        torch=None, complex=True, method=""),
    Row("convolution_weight", rules.convolution_weight,
        lambda a, b, extent, p: weight_of(a, b, (2, 1, *extent), p[0], 1, p[2], p[3]),
        [case(real(2, 2, 2, 4), real(2, 2, 3, 4), (2, 3),
              place((2, 1), ((1, 1), (1, 1)), groups=2))],
        torch=None, complex=True, method=""),
    Row("channel_sums", rules.channel_sums,
        lambda x: x.sum((0, *range(2, x.ndim))),
        [case(real(2, 3, 2, 4)), case(real(1, 2, 3)), case(real(2, 1, 0, 2))],
        torch=None, complex=True, method=""),
    Row("unfolded", folding.unfolded, lambda x, extent, p: unfold(x, extent, p[2], (1, 0), p[0]),
        [case(real(1, 2, 3, 4), (2, 2), place((2, 1), ((1, 1), (0, 0))))], torch=None, method=""),
    Row("folded", folding.folded, lambda x, size, extent, p: fold(x, size, extent, p[2], 0, p[0]),
        [case(real(1, 4, 4), (3, 4), (2, 1), place((1, 2)))], torch=None, method=""),
    *[
        Row(f"nn.grad.{name}_input", getattr(grad, f"{name}_input"),
            lambda size, w, g, *rest: (
                lambda s, p, d, groups: transpose(g, w, None, s, p, [
                    n - (t - 1) * s - d * (k - 1) - 1 + 2 * p
                    for n, t, k in zip(size[2:], g.shape[2:], w.shape[2:])
                ], groups, d)
            )(*rest),
            [case((2, 4, *size), real(2, 2, *kernel), real(2, 2, *count), 2, 1, 1, 2)],
            torch=lambda torch, *given, name=name: getattr(torch.nn.grad, f"{name}_input")(*given),
            covers="convolution_transpose", dtypes="float32")
        for name, size, kernel, count in (
            ("conv1d", (6,), (3,), (3,)), ("conv2d", (4, 3), (2, 2), (3, 2)),
            ("conv3d", (2, 3, 2), (2, 1, 2), (2, 3, 2)),
        )
    ],
    *[
        Row(f"nn.grad.{name}_weight", getattr(grad, f"{name}_weight"),
            lambda x, shape, g, *rest: weight_of(g, x, shape, *rest),
            [case(real(2, 4, *size), (2, 2, *kernel), real(2, 2, *count), 2, 1, 1, 2)],
            torch=lambda torch, *given, name=name: getattr(torch.nn.grad, f"{name}_weight")(*given),
            covers="convolution_weight", dtypes="float32")
        for name, size, kernel, count in (
            ("conv1d", (6,), (3,), (3,)), ("conv2d", (4, 3), (2, 2), (3, 2)),
            ("conv3d", (2, 3, 2), (2, 1, 2), (2, 3, 2)),
        )
    ],
]  # fmt: skip
