"""Windows that slide over signals and images: convolutions, the largest of each, their means."""

from __future__ import annotations

import math
from typing import Any

from aino.autograd.rules.columns import Place
from aino.compiler.backends.c.builder import Builder, spoken
from aino.compiler.backends.c.statements import Matrix
from aino.compiler.backends.c.table import DeclinedError, RefusedError, whole
from aino.compiler.ir.regions import Region
from aino.nn.functional import adaptive_pooling, pooling


def _two(values: Any, fill: int) -> list[int]:
    """Return a setting for rows and columns: a signal has one row."""
    values = [int(value) for value in values]
    if len(values) > 2:
        raise RefusedError("windows of three dimensions; C has those of one and two")
    return [fill] * (2 - len(values)) + values


def _each(value: Any, n: int) -> list[int]:
    if isinstance(value, (tuple, list)):
        return list(value) * n if len(value) == 1 else list(value)
    return [value] * n


def _real(x: Any, result: Any) -> None:
    if not isinstance(result, Region) or x.dtype.kind != "f" or result.dtype != x.dtype:
        raise DeclinedError


def _window(lengths, counts, kernel, stride, before, dilation) -> dict[str, Any]:
    """Return the members of the structure that says how a window slides."""
    return {
        "size": _two(lengths, 1), "result": _two(counts, 1), "kernel": _two(kernel, 1),
        "stride": _two(stride, 1), "before": _two(before, 0), "dilation": _two(dilation, 1),
    }  # fmt: skip


@whole("convolution")
def _convolution(c: Builder, x: Any, weight: Any, bias: Any, place: Any, result: Any) -> None:
    _real(x, result)
    if not c.is_known(weight):
        raise DeclinedError
    place = Place(*place)
    window = _window(
        x.shape[2:], result.shape[2:], weight.shape[2:], place.stride,
        [pair[0] for pair in place.padding], place.dilation,
    )  # fmt: skip
    _convolved(c, "convolution", x, weight, bias, window, place.groups, result)


@whole("convolution_transpose")
def _convolution_transpose(
    c: Builder, x: Any, weight: Any, bias: Any, size: Any, place: Any, result: Any
) -> None:
    _real(x, result)
    if not c.is_known(weight) or c.quantized:
        raise RefusedError(
            "convolution_transpose, whose weights are not stored by outputs: leave quantize out"
            if c.quantized else "convolution_transpose with weights that are computed"
        )  # fmt: skip
    place = Place(*place)
    window = _window(
        x.shape[2:], size, weight.shape[2:], place.stride,
        [pair[0] for pair in place.padding], place.dilation,
    )  # fmt: skip
    _convolved(c, "convolution_transpose", x, weight, bias, window, place.groups, result)


def _convolved(
    c: Builder, name: str, x: Region, weight: Region, bias: Any, window: dict, groups: int,
    result: Region,
) -> None:  # fmt: skip
    channels, outputs = x.shape[1], result.shape[1]
    x, weight, filled = c.rows(x), c.rows(weight), c.filled(result)
    bias = None if bias is None else c.rows(bias)
    reads = [x, weight, *([] if bias is None else [bias])]
    grouped = f" in {groups} groups" if groups > 1 else ""
    note = (
        f"{name.replace('_', ', ')}, {channels} of {spoken(x.shape[2:])} -> {outputs} of "
        f"{spoken(result.shape[2:])}{grouped}, kernel {spoken(weight.shape[2:])}"
    )
    window = {"channels": channels, "outputs": outputs, "groups": groups, **window}
    c.call(name, x.dtype, [x, Matrix(weight), bias, filled, x.shape[0]], reads, [filled], note,
           window=window)  # fmt: skip
    c.settle(filled, result)


@whole(pooling._max_pool)
def _max_pool(
    c: Builder, n: int, input: Any, kernel_size: Any, stride: Any, padding: Any, dilation: Any,
    return_indices: bool, result: Any,
) -> None:  # fmt: skip
    if return_indices:
        raise DeclinedError
    _real(input, result)
    kernel, padding, dilation = (_each(value, n) for value in (kernel_size, padding, dilation))
    stride = kernel if stride is None or stride == () else _each(stride, n)
    _pooled(c, "largest", n, input, kernel, stride, padding, dilation, [], result)


@whole(pooling._avg_pool)
def _avg_pool(
    c: Builder, n: int, input: Any, kernel_size: Any, stride: Any, padding: Any,
    count_include_pad: bool, divisor: Any, result: Any,
) -> None:  # fmt: skip
    _real(input, result)
    kernel, padding = _each(kernel_size, n), _each(padding, n)
    stride = kernel if stride is None or stride == () else _each(stride, n)
    how = [divisor or 0, int(bool(count_include_pad))]
    _pooled(c, "average", n, input, kernel, stride, padding, [1] * n, how, result)


def _pooled(c, name, n, x, kernel, stride, padding, dilation, how, result) -> None:
    lengths, counts = x.shape[x.ndim - n :], result.shape[result.ndim - n :]
    window = _window(lengths, counts, kernel, stride, padding, dilation)
    planes = math.prod(x.shape[: x.ndim - n])
    x, filled = c.rows(x), c.filled(result)
    note = f"{name} of {spoken(kernel)}, {planes} of {spoken(lengths)} -> {spoken(counts)}"
    c.call(name, x.dtype, [x, filled, planes, *how], [x], [filled], note, window=window)
    c.settle(filled, result)


def _adaptive(c: Builder, name: str, n: int, x: Region, result: Region) -> None:
    _real(x, result)
    lengths, counts = x.shape[x.ndim - n :], result.shape[result.ndim - n :]
    sizes = [*_two(lengths, 1), *_two(counts, 1)]
    planes = math.prod(x.shape[: x.ndim - n])
    x, filled = c.rows(x), c.filled(result)
    note = f"{name.replace('_', ' ')}, {planes} of {spoken(lengths)} -> {spoken(counts)}"
    c.call(name, x.dtype, [x, filled, planes, *sizes], [x], [filled], note)
    c.settle(filled, result)


@whole(adaptive_pooling._adaptive_avg_pool)
def _adaptive_avg_pool(c: Builder, n: int, input: Any, result: Any) -> None:
    _adaptive(c, "adaptive_average", n, input, result)


@whole(adaptive_pooling._adaptive_max_pool)
def _adaptive_max_pool(c: Builder, n: int, input: Any, return_indices: bool, result: Any) -> None:
    if return_indices:
        raise DeclinedError
    _adaptive(c, "adaptive_largest", n, input, result)
