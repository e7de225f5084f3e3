"""Convolutions."""

from __future__ import annotations

from aino.autograd.tensor import Tensor
from aino.errors import OnnxError
from aino.nn import functional as F
from aino.onnx.importing.operators.windows import padded, window
from aino.onnx.importing.table import operator

_FORWARD = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
_TRANSPOSED = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}


def _of(table: dict, count: int):
    if count not in table:
        raise OnnxError(f"a convolution over {count} dimensions; there are those over 1, 2 and 3")
    return table[count]


def convolve(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    group: int,
    strides: list[int] | None,
    dilations: list[int] | None,
    pads: list[int] | None,
    auto_pad: str,
) -> Tensor:
    """Return the convolution that the attributes of a node say."""
    strides, dilations, ends, _ = window(
        list(x.shape[2:]), list(weight.shape[2:]), strides, dilations, pads, auto_pad
    )
    padding = [before for before, _ in ends]
    if any(before != after for before, after in ends):
        x, padding = padded(x, ends), [0] * len(ends)
    function = _of(_FORWARD, len(ends))
    return function(x, weight, bias, strides, padding, dilations, group)


@operator("Conv")
def conv(
    X: Tensor,
    W: Tensor,
    B: Tensor | None = None,
    *,
    auto_pad: str,
    dilations: list[int] | None = None,
    group: int,
    kernel_shape: list[int] | None = None,
    pads: list[int] | None = None,
    strides: list[int] | None = None,
) -> Tensor:
    return convolve(X, W, B, group, strides, dilations, pads, auto_pad)


@operator("ConvTranspose")
def conv_transpose(
    X: Tensor,
    W: Tensor,
    B: Tensor | None = None,
    *,
    auto_pad: str,
    dilations: list[int] | None = None,
    group: int,
    kernel_shape: list[int] | None = None,
    output_padding: list[int] | None = None,
    output_shape: list[int] | None = None,
    pads: list[int] | None = None,
    strides: list[int] | None = None,
) -> Tensor:
    count = X.ndim - 2
    strides, dilations = strides or [1] * count, dilations or [1] * count
    more = output_padding or [0] * count
    reach = [(k - 1) * d + 1 for k, d in zip(W.shape[2:], dilations)]
    whole = [(n - 1) * s + r for n, s, r in zip(X.shape[2:], strides, reach)]
    if output_shape is not None or auto_pad in ("SAME_UPPER", "SAME_LOWER"):
        wanted = [n * s for n, s in zip(X.shape[2:], strides)]
        if output_shape is not None:
            wanted = output_shape[-count:]
        ends = []
        for size, extra, asked in zip(whole, more, wanted):
            total = size + extra - asked
            one, other = total // 2, total - total // 2
            ends.append((one, other) if auto_pad == "SAME_UPPER" else (other, one))
    else:
        pads = [0] * (2 * count) if auto_pad == "VALID" or pads is None else pads
        ends = list(zip(pads[:count], pads[count:]))
    y = _of(_TRANSPOSED, count)(X, W, None, strides, 0, 0, group, dilations)
    # What is padded in the other direction is cut off here; where that is negative, it is added.
    y = padded(y, [(-before, extra - after) for (before, after), extra in zip(ends, more)])
    return y if B is None else y + B.reshape(-1, *[1] * count)
