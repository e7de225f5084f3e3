"""Signals: transforms, windows, mel filters."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from aino import fft
from aino.autograd.tensor import Tensor
from aino.onnx.importing.elements import dtype_of
from aino.onnx.importing.table import Float, Int, operator
from aino.ops.pointwise.complex_numbers import view_as_complex, view_as_real


def _complex(x: Tensor) -> Tensor:
    """Return numbers of a last dimension of one part, which is real, or of two."""
    return x[..., 0] if x.shape[-1] == 1 else view_as_complex(x)


def _transformed(x: Tensor, length: int | None, axis: int, inverse: int, onesided: int) -> Tensor:
    signal = _complex(x)
    if axis < 0:
        axis += x.ndim
    if inverse and onesided:
        return fft.irfft(signal, length, axis).unsqueeze(-1)
    if inverse:
        return view_as_real(fft.ifft(signal, length, axis))
    result = fft.fft(signal, length, axis)
    if onesided:
        result = result.narrow(axis, 0, result.shape[axis] // 2 + 1)
    return view_as_real(result)


@operator("DFT", 20)
def dft(
    input: Tensor,
    dft_length: Int | None = None,
    axis: Int | None = None,
    *,
    inverse: int,
    onesided: int,
) -> Tensor:
    return _transformed(input, dft_length, -2 if axis is None else axis, inverse, onesided)


@operator("DFT", 17)
def former_dft(
    input: Tensor, dft_length: Int | None = None, *, axis: int, inverse: int, onesided: int
) -> Tensor:
    return _transformed(input, dft_length, axis, inverse, onesided)


@operator("STFT")
def stft(
    signal: Tensor,
    frame_step: Int,
    window: Tensor | None = None,
    frame_length: Int | None = None,
    *,
    onesided: int,
) -> Tensor:
    x = _complex(signal if signal.ndim > 2 else signal.unsqueeze(-1))
    size = x.shape[1]
    length = frame_length or (size if window is None else window.shape[0])
    starts = np.arange((size - length) // frame_step + 1) * frame_step
    frames = x[:, Tensor(starts[:, None] + np.arange(length))]
    if window is not None:
        frames = frames * window
    result = fft.fft(frames, None, -1)
    if onesided:
        result = result.narrow(-1, 0, length // 2 + 1)
    return view_as_real(result)


def _window(size: int, periodic: int, dtype: int, parts: list[float]) -> np.ndarray:
    """Return a sum of cosines over a window, whose factors have alternating signs."""
    angle = np.arange(size) * (2 * math.pi / (size if periodic else size - 1))
    total: Any = 0
    for number, part in enumerate(parts):
        total = total + (-1) ** number * part * np.cos(number * angle)
    return total.astype(dtype_of(dtype))


@operator("HannWindow", grows=True)
def hann_window(size: Int, *, output_datatype: int, periodic: int) -> np.ndarray:
    return _window(size, periodic, output_datatype, [0.5, 0.5])


@operator("HammingWindow", grows=True)
def hamming_window(size: Int, *, output_datatype: int, periodic: int) -> np.ndarray:
    return _window(size, periodic, output_datatype, [25 / 46, 21 / 46])


@operator("BlackmanWindow", grows=True)
def blackman_window(size: Int, *, output_datatype: int, periodic: int) -> np.ndarray:
    return _window(size, periodic, output_datatype, [0.42, 0.5, 0.08])


@operator("MelWeightMatrix", grows=True)
def mel_weight_matrix(
    num_mel_bins: Int,
    dft_length: Int,
    sample_rate: Int,
    lower_edge_hertz: Float,
    upper_edge_hertz: Float,
    *,
    output_datatype: int,
) -> np.ndarray:
    low, high = (2595 * math.log10(1 + edge / 700) for edge in (lower_edge_hertz, upper_edge_hertz))
    count = num_mel_bins + 2
    mel = low + np.arange(count) * ((high - low) / count)
    hertz = 700 * (10 ** (mel / 2595) - 1)
    edges = ((dft_length + 1) * hertz // sample_rate).astype(np.int64)
    matrix = np.zeros((dft_length // 2 + 1, num_mel_bins))
    for number in range(num_mel_bins):
        left, middle, right = edges[number : number + 3]
        if middle > left:
            matrix[left : middle + 1, number] = np.arange(middle - left + 1) / (middle - left)
        else:
            matrix[middle, number] = 1
        if right > middle:
            matrix[middle:right, number] = np.arange(right - middle, 0, -1) / (right - middle)
    return matrix.astype(dtype_of(output_datatype))
