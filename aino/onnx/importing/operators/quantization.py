"""Quantised operators: whole numbers that stand for a scale's multiples."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.autograd.tensor import Tensor
from aino.errors import OnnxError
from aino.onnx.importing.elements import NATIVE, dtype_of, is_foreign, number_of
from aino.onnx.importing.operators.conversion import convert
from aino.onnx.importing.operators.convolution import convolve
from aino.onnx.importing.table import Plain, Value, operator

#: The range of each type of whole numbers.
_RANGES = {
    2: (0, 255), 3: (-128, 127), 4: (0, 65535), 5: (-32768, 32767), 21: (0, 15), 22: (-8, 7),
    25: (0, 3), 26: (-2, 1),
}  # fmt: skip
_UINT8 = 2


def _spread(part: Tensor, shape: tuple[int, ...], axis: int, block_size: int) -> Tensor:
    """Return scales or zero points in a form that meets a tensor of this shape."""
    if part.numel() == 1:
        return part.reshape(())
    axis %= len(shape)
    if not block_size:
        return part.reshape([-1 if place == axis else 1 for place in range(len(shape))])
    return part.repeat_interleave(block_size, axis).narrow(axis, 0, shape[axis])


def _floating(value: Any, dtype: Any = np.float32) -> Tensor:
    """Return a tensor of floats for whole numbers, or for an array of what no tensor has."""
    if isinstance(value, Tensor):
        return value.to(dtype)
    return Tensor(np.asarray(value).astype(dtype))


def _is_foreign(value: Any) -> bool:
    return isinstance(value, np.ndarray) and is_foreign(value)


@operator("QuantizeLinear")
def quantize_linear(
    x: Value,
    y_scale: Value,
    y_zero_point: Value = None,
    *,
    axis: int = 1,
    block_size: int = 0,
    output_dtype: int = 0,
    precision: int = 0,
    saturate: int = 1,
) -> Any:
    to = output_dtype or _UINT8
    if y_zero_point is not None:
        to = number_of(y_zero_point.dtype)
        if output_dtype not in (0, to):
            raise OnnxError("output_dtype and the zero point are of different types")
    dtype = dtype_of(precision) if precision in NATIVE else np.float32
    scale = _spread(_floating(y_scale, dtype), tuple(x.shape), axis, block_size)
    scaled = _floating(x, dtype).detach() / scale.detach()
    if to not in _RANGES:
        return convert(scaled, to, saturate)
    whole = scaled.to("float64").round()
    if y_zero_point is not None:
        whole = whole + _spread(_floating(y_zero_point), tuple(x.shape), axis, block_size)
    return convert(whole.clamp(*_RANGES[to]).to("int32"), to)


@operator("DequantizeLinear")
def dequantize_linear(
    x: Value,
    x_scale: Value,
    x_zero_point: Value = None,
    *,
    axis: int = 1,
    block_size: int = 0,
    output_dtype: int = 0,
) -> Any:
    shape = tuple(x.shape)
    whole = _floating(x)
    if x_zero_point is not None:
        whole = whole - _spread(_floating(x_zero_point), shape, axis, block_size)
    scale = _floating(x_scale) if _is_foreign(x_scale) else _floating(x_scale, x_scale.dtype)
    y = whole * _spread(scale, shape, axis, block_size)
    return convert(y, output_dtype or number_of(x_scale.dtype))


@operator("DynamicQuantizeLinear")
def dynamic_quantize_linear(x: Plain) -> tuple[np.ndarray, ...]:
    low, high = min(0, x.min(initial=0)), max(0, x.max(initial=0))
    scale = np.float32((high - low) / 255) if high > low else np.float32(1)
    zero = np.clip(np.rint(-low / scale), 0, 255).astype(np.uint8)
    y = np.clip(np.rint(x / scale) + zero, 0, 255).astype(np.uint8)
    return y, np.array(scale, np.float32), np.array(zero, np.uint8)


def _column(zero: np.ndarray, ndim: int) -> np.ndarray:
    """Return zero points of rows, so that they meet a matrix."""
    return zero.reshape(-1, 1) if zero.ndim == 1 and ndim > 1 else zero


@operator("MatMulInteger")
def mat_mul_integer(
    A: Plain, B: Plain, a_zero_point: Plain | None = None, b_zero_point: Plain | None = None
) -> np.ndarray:
    return _whole_product(A, B, a_zero_point, b_zero_point).astype(np.int32)


def _whole_product(
    a: np.ndarray, b: np.ndarray, a_zero: np.ndarray | None, b_zero: np.ndarray | None
) -> np.ndarray:
    """Return the product of whole numbers less their zero points."""
    a, b = a.astype(np.int64), b.astype(np.int64)
    if a_zero is not None:
        a = a - _column(a_zero.astype(np.int64), a.ndim)
    if b_zero is not None:
        b = b - b_zero.astype(np.int64)
    return np.matmul(a, b)


def _requantized(whole: np.ndarray, scale: np.ndarray, zero: np.ndarray) -> np.ndarray:
    to = number_of(zero.dtype)
    if to not in _RANGES:
        raise OnnxError(f"the result is asked for as {zero.dtype}, which is no whole number")
    y = np.rint(whole * scale) + zero.astype(np.int64)
    return np.clip(y, *_RANGES[to]).astype(np.int32).astype(zero.dtype)


@operator("QLinearMatMul")
def q_linear_mat_mul(
    a: Plain,
    a_scale: Plain,
    a_zero_point: Plain,
    b: Plain,
    b_scale: Plain,
    b_zero_point: Plain,
    y_scale: Plain,
    y_zero_point: Plain,
) -> np.ndarray:
    whole = _whole_product(a, b, a_zero_point, b_zero_point)
    a_scale = _column(a_scale.astype(np.float64), a.ndim)
    scale = a_scale * b_scale.astype(np.float64) / y_scale.astype(np.float64)
    return _requantized(whole, scale, y_zero_point)


def _whole_convolution(
    x: np.ndarray, w: np.ndarray, bias: np.ndarray | None, options: dict[str, Any]
) -> np.ndarray:
    """Return a convolution of whole numbers, which float64 holds exactly."""
    b = None if bias is None else Tensor(bias.astype(np.float64))
    y = convolve(
        Tensor(x.astype(np.float64)), Tensor(w.astype(np.float64)), b, options["group"],
        options["strides"], options["dilations"], options["pads"], options["auto_pad"],
    )  # fmt: skip
    return y.numpy()


def _less(w: np.ndarray, zero: np.ndarray | None) -> np.ndarray:
    w = w.astype(np.int64)
    if zero is None:
        return w
    zero = zero.astype(np.int64)
    return w - (zero.reshape(-1, *[1] * (w.ndim - 1)) if zero.ndim else zero)


@operator("ConvInteger")
def conv_integer(
    x: Plain,
    w: Plain,
    x_zero_point: Plain | None = None,
    w_zero_point: Plain | None = None,
    *,
    auto_pad: str,
    dilations: list[int] | None = None,
    group: int,
    kernel_shape: list[int] | None = None,
    pads: list[int] | None = None,
    strides: list[int] | None = None,
) -> np.ndarray:
    moved = x.astype(np.int64) - (0 if x_zero_point is None else x_zero_point.astype(np.int64))
    options = {
        "group": group, "strides": strides, "dilations": dilations, "pads": pads,
        "auto_pad": auto_pad,
    }  # fmt: skip
    return _whole_convolution(moved, _less(w, w_zero_point), None, options).astype(np.int32)


@operator("QLinearConv")
def q_linear_conv(
    x: Plain,
    x_scale: Plain,
    x_zero_point: Plain,
    w: Plain,
    w_scale: Plain,
    w_zero_point: Plain,
    y_scale: Plain,
    y_zero_point: Plain,
    B: Plain | None = None,
    *,
    auto_pad: str,
    dilations: list[int] | None = None,
    group: int,
    kernel_shape: list[int] | None = None,
    pads: list[int] | None = None,
    strides: list[int] | None = None,
) -> np.ndarray:
    options = {
        "group": group, "strides": strides, "dilations": dilations, "pads": pads,
        "auto_pad": auto_pad,
    }  # fmt: skip
    moved = x.astype(np.int64) - x_zero_point.astype(np.int64)
    whole = _whole_convolution(moved, _less(w, w_zero_point), B, options)
    w_scale = w_scale.astype(np.float64)
    if w_scale.ndim and w_scale.size > 1:
        w_scale = w_scale.reshape(1, -1, *[1] * (x.ndim - 2))
    scale = x_scale.astype(np.float64) * w_scale / y_scale.astype(np.float64)
    return _requantized(whole, scale, y_zero_point)
