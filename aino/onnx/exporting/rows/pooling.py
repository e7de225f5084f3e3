"""Windows: the largest of each, their means."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.nn.functional import adaptive_pooling, pooling
from aino.onnx.exporting.graph import Graph, product_of
from aino.onnx.exporting.program import Value
from aino.onnx.exporting.sizes import Size
from aino.onnx.exporting.table import DeclinedError, whole


def _each(value: Any, n: int) -> list[Any]:
    """Return a setting for each dimension."""
    if isinstance(value, (tuple, list)):
        return list(value) * n if len(value) == 1 else list(value)
    return [value] * n


def _unless(numbers: list[Any], usual: int) -> list[Any] | None:
    """Return numbers of which some are not as ONNX takes them to be."""
    return numbers if any(number != usual for number in numbers) else None


def _batched(graph: Graph, x: Value, n: int) -> tuple[str, tuple]:
    """Return an input with a batch, and its shape."""
    if x.ndim == n + 2:
        return graph.name(x), x.shape
    shape = (1, *x.shape)
    return graph.reshape(x, x.shape, shape), shape


def _unbatched(graph: Graph, name: str, x: Value, n: int, shape: tuple) -> str:
    return name if x.ndim == n + 2 else graph.reshape(name, (1, *shape), shape)


def _ends(x: Value, n: int, out: Any, kernel, stride, padding, dilation) -> list[Any] | None:
    """Return how far windows reach beyond the end, where lengths are known; else None."""
    ends = []
    for i in range(n):
        length, count = x.shape[x.ndim - n + i], out.shape[out.ndim - n + i]
        if isinstance(length, Size) or isinstance(count, Size):
            return None
        reach = (count - 1) * stride[i] + dilation[i] * (kernel[i] - 1) + 1
        ends.append(max(reach - length - padding[i], padding[i]))
    return ends


@whole(pooling._max_pool)
def _max_pool(
    graph: Graph, n: int, input: Any, kernel_size: Any, stride: Any, padding: Any, dilation: Any,
    ceil_mode: bool, return_indices: bool, result: Any,
) -> Any:  # fmt: skip
    kernel, padding, dilation = (_each(value, n) for value in (kernel_size, padding, dilation))
    stride = kernel if stride is None or stride == () else _each(stride, n)
    out = result[0] if return_indices else result
    ends = _ends(input, n, out, kernel, stride, padding, dilation) if ceil_mode else padding
    name, shape = _batched(graph, input, n)
    found = graph.node(
        "MaxPool", [name], count=2 if return_indices else 0, kernel_shape=kernel, strides=stride,
        pads=_unless([*padding, *(padding if ends is None else ends)], 0),
        dilations=_unless(dilation, 1),
        ceil_mode=1 if ends is None else None,
    )  # fmt: skip
    if not return_indices:
        return _unbatched(graph, found, input, n, out.shape)
    largest, places = found
    plane = graph.ints([product_of(shape[2:])])
    places = graph.node("Mod", [places, plane])
    return [_unbatched(graph, one, input, n, out.shape) for one in (largest, places)]


@whole(pooling._avg_pool)
def _avg_pool(
    graph: Graph, n: int, input: Any, kernel_size: Any, stride: Any, padding: Any,
    ceil_mode: bool, count_include_pad: bool, divisor: Any, result: Any,
) -> str:  # fmt: skip
    kernel, padding = _each(kernel_size, n), _each(padding, n)
    stride = kernel if stride is None or stride == () else _each(stride, n)
    ends: Any = padding
    if ceil_mode:
        ends = _ends(input, n, result, kernel, stride, padding, [1] * n)
        if ends is None or (ends != padding and (count_include_pad or divisor is not None)):
            raise DeclinedError
    name, _ = _batched(graph, input, n)
    padded = (count_include_pad or divisor is not None) and any([*padding, *ends])
    found = graph.node(
        "AveragePool", [name], kernel_shape=kernel, strides=stride,
        pads=_unless([*padding, *ends], 0), count_include_pad=1 if padded else None,
    )  # fmt: skip
    if divisor is not None:
        share = graph.constant(np.prod(kernel) / divisor, input.dtype)
        found = graph.node("Mul", [found, share])
    return _unbatched(graph, found, input, n, result.shape)


def _even(x: Value, n: int, out: Any) -> tuple[list[int], bool]:
    """Return the windows that part an input evenly, and whether there is one alone."""
    lengths, counts = x.shape[x.ndim - n :], out.shape[out.ndim - n :]
    if all(not isinstance(count, Size) and count == 1 for count in counts):
        return [], True
    if any(isinstance(n, Size) for n in (*lengths, *counts)):
        raise DeclinedError
    if any(not count or length % count for length, count in zip(lengths, counts)):
        raise DeclinedError
    return [length // count for length, count in zip(lengths, counts)], False


@whole(adaptive_pooling._adaptive_avg_pool)
def _adaptive_avg_pool(graph: Graph, n: int, input: Any, result: Any) -> str:
    kernel, alone = _even(input, n, result)
    name, _ = _batched(graph, input, n)
    if alone:
        found = graph.node("GlobalAveragePool", [name])
    else:
        found = graph.node("AveragePool", [name], kernel_shape=kernel, strides=kernel)
    return _unbatched(graph, found, input, n, result.shape)


@whole(adaptive_pooling._adaptive_max_pool)
def _adaptive_max_pool(graph: Graph, n: int, input: Any, return_indices: bool, result: Any) -> str:
    if return_indices:
        raise DeclinedError
    kernel, alone = _even(input, n, result)
    name, _ = _batched(graph, input, n)
    if alone:
        found = graph.node("GlobalMaxPool", [name])
    else:
        found = graph.node("MaxPool", [name], kernel_shape=kernel, strides=kernel)
    return _unbatched(graph, found, input, n, result.shape)
