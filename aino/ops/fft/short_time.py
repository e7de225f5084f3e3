"""The short-time Fourier transform: one transform for each stretch of a signal, and its inverse."""

from __future__ import annotations

from operator import index

import numpy as np

from aino.autograd.rules import fft as rules
from aino.autograd.rules.complex import view_as_real
from aino.autograd.rules.elementwise import div, mul
from aino.autograd.rules.index import getitem
from aino.autograd.rules.shape import expand, transposed, window_sum, windows
from aino.autograd.rules.shape import pad as zero_pad
from aino.autograd.tensor import Tensor, make
from aino.errors import ArgumentError, DtypeError, ShapeError
from aino.ops.fft.transforms import complex_input
from aino.ops.shape.padding import pad
from aino.tracing import checked
from aino.user_warnings import warn

__all__ = ["stft", "istft"]

#: Below this sum of squared windows a stretch of the signal is not known.
_LEAST = 1e-11


def stft(
    input: Tensor,
    n_fft: int,
    hop_length: int | None = None,
    win_length: int | None = None,
    window: Tensor | None = None,
    center: bool = True,
    pad_mode: str = "reflect",
    normalized: bool = False,
    onesided: bool | None = None,
    return_complex: bool | None = None,
    align_to_window: bool | None = None,
) -> Tensor:
    """Return the Fourier transforms of the windowed stretches of a signal: ``(..., f, t)``.

    ``Y[f, t] = Σₖ window[k] · input[t · hop_length + k] · e^(-2πifk / n_fft)``.

    Arguments:
        input: signals, of shape (length) or (batch, length).
        n_fft: the length of a stretch.
        hop_length: the steps from one stretch to the next, by default n_fft // 4.
        win_length: the length of the window, by default n_fft; a shorter one stands in the middle.
        window: the window, of shape (win_length); all ones without it.
        center: whether stretch t has its middle at t · hop_length; the input is padded for that.
        pad_mode: how it is padded: 'reflect', 'constant', 'replicate' or 'circular'.
        normalized: whether each transform is divided by √n_fft.
        onesided: whether only the first n_fft // 2 + 1 frequencies are returned: the default
            where signal and window are real.
        return_complex: True for complex numbers, False for pairs (real, imaginary) in a further
            dimension; has to be given where signal and window are real.
        align_to_window: with ``center=False``, whether the first window, not the first stretch,
            begins where the input does.

    Raises ``ShapeError`` or ``ArgumentError`` where lengths do not fit together.

    >>> import aino
    >>> x = aino.sin(aino.arange(16) * (aino.pi / 2))
    >>> spectrum = aino.stft(x, 8, window=aino.hann_window(8), return_complex=True)
    >>> spectrum.shape, spectrum.abs().argmax(0)[2:6]
    (aino.Size([5, 9]), tensor([2, 2, 2, 2]))
    """
    n_fft, hop, width = _lengths("stft", n_fft, hop_length, win_length)
    complex_result = input.dtype.kind == "c" or (window is not None and window.dtype.kind == "c")
    if return_complex is None and not complex_result:
        raise ArgumentError(
            "stft requires the return_complex parameter be given for real inputs: True for "
            "complex numbers, False for pairs"
        )
    if center and align_to_window is not None:
        raise ArgumentError("stft: align_to_window should only be set when center=False")
    if input.dtype.kind not in "fc":
        raise DtypeError(f"stft: expected floating-point or complex numbers, got {input.dtype}")
    if input.ndim not in (1, 2):
        raise ShapeError(f"stft: expected a signal of 1 or 2 dimensions, got {input.array.shape}")
    if hop < 1:
        raise ArgumentError(f"stft: expected hop_length > 0, but got {hop}")
    if center:
        input = pad(input, (n_fft // 2, n_fft // 2), pad_mode)
    length = input.array.shape[-1]
    stretch = width if align_to_window else n_fft
    if not n_fft > 0 or stretch > length:
        raise ShapeError(
            f"stft: expected 0 < n_fft <= {length}, the length of the signal, but got {n_fft}"
        )
    window = _window_of("stft", window, width)
    if onesided is None:
        onesided = not complex_result
    elif onesided and complex_result:
        raise ArgumentError("Cannot have onesided output if window or input is complex")
    if align_to_window:
        # The window stands in the middle of a stretch, whose beginning lies before the input.
        before = (n_fft - width) // 2
        input = zero_pad(input, _last(input, before, n_fft - width - before), 0.0)
    frames = windows(input, input.ndim - 1, n_fft, hop)
    if window is not None:
        frames = mul(frames, _widened(window, n_fft))
    norm = "ortho" if normalized else "backward"
    axis = frames.ndim - 1
    result = rules.rfft(frames, axis, norm) if onesided else rules.fft(frames, (axis,), norm)
    result = transposed(result)
    return result if return_complex or return_complex is None else view_as_real(result)


def istft(
    input: Tensor,
    n_fft: int,
    hop_length: int | None = None,
    win_length: int | None = None,
    window: Tensor | None = None,
    center: bool = True,
    normalized: bool = False,
    onesided: bool | None = None,
    length: int | None = None,
    return_complex: bool = False,
) -> Tensor:
    """Return the signal of a short-time Fourier transform, the inverse of ``stft``.

    Where stretches overlap, what each says is weighted by its window; the sum of the squared
    windows must not vanish anywhere. Griffin and Lim, "Signal estimation from modified
    short-time Fourier transform" (1984).

    Arguments:
        input: complex spectra, of shape (f, t) or (batch, f, t).
        n_fft: the length of a stretch.
        hop_length: the steps from one stretch to the next, by default n_fft // 4.
        win_length: the length of the window, by default n_fft.
        window: the window that ``stft`` was given; all ones without it.
        center: whether ``stft`` padded the signal.
        normalized: whether ``stft`` divided by √n_fft.
        onesided: whether the input holds n_fft // 2 + 1 frequencies, by default as it does.
        length: the length of the signal; by default what the stretches cover.
        return_complex: whether the signal is complex.

    Raises ``ShapeError`` or ``ArgumentError`` where lengths do not fit together, or the windows
    leave a hole.

    >>> import aino
    >>> x, window = aino.arange(16.0), aino.hann_window(8)
    >>> spectrum = aino.stft(x, 8, window=window, return_complex=True)
    >>> aino.allclose(aino.istft(spectrum, 8, window=window), x, atol=1e-5)
    True
    """
    n_fft, hop, width = _lengths("istft", n_fft, hop_length, win_length)
    onesided = _check_spectrum(input, n_fft, onesided)
    if not 0 < hop <= width:
        raise ArgumentError(f"istft: expected 0 < hop_length <= win_length ({width}), got {hop}")
    window = _window_of("istft", window, width)
    if return_complex and onesided:
        raise ArgumentError("Cannot have onesided output if window or input is complex")
    if not return_complex and window is not None and window.dtype.kind == "c":
        raise ArgumentError("Complex windows are incompatible with return_complex=False")
    spectra = transposed(input)
    axis, norm = spectra.ndim - 1, "ortho" if normalized else "backward"
    if return_complex:
        frames = rules.ifft(spectra, (axis,), norm)
    else:
        if not onesided:
            spectra = getitem(spectra, (..., slice(n_fft // 2 + 1)))
        frames = rules.irfft(complex_input(spectra), n_fft, axis, norm)
    if window is None:
        window = make(np.ones(n_fft, frames.array.real.dtype))
    else:
        window = _widened(window, n_fft)
    count = frames.array.shape[-2]
    covered = n_fft + hop * (count - 1)
    signal = window_sum(
        mul(frames, window), axis - 1, n_fft, hop, (*frames.array.shape[:-2], covered)
    )
    squares = expand(mul(window, window), (count, n_fft))
    weight = window_sum(squares, 0, n_fft, hop, (covered,))
    start = n_fft // 2 if center else 0
    if length is not None:
        end = start + index(length)
    else:
        end = covered - start if center else covered
    if min(end, covered) <= start:
        raise ShapeError(
            f"istft: nothing is left of a signal of {covered} points from {start} to {end}"
        )
    weight = getitem(weight, slice(start, min(end, covered)))
    checked(_check_overlap, weight.array)
    signal = div(getitem(signal, (..., slice(start, min(end, covered)))), weight)
    if end > covered:
        warn(
            f"istft: the stretches cover {covered - start} points, fewer than length={length}; "
            "the signal is filled up with zeros"
        )
        signal = zero_pad(signal, _last(signal, 0, end - covered), 0.0)
    return signal


def _lengths(name: str, n_fft, hop_length, win_length) -> tuple[int, int, int]:
    """Return the lengths of a stretch, of the hop between two, and of the window."""
    n_fft = index(n_fft)
    hop = n_fft // 4 if hop_length is None else index(hop_length)
    width = n_fft if win_length is None else index(win_length)
    if not 0 < width <= n_fft:
        raise ArgumentError(
            f"{name}: expected 0 < win_length <= n_fft, but got win_length={width}, n_fft={n_fft}"
        )
    return n_fft, hop, width


def _window_of(name: str, window: Tensor | None, width: int) -> Tensor | None:
    if window is not None and window.array.shape != (width,):
        raise ShapeError(
            f"{name}: expected a window of shape ({width},), which is win_length, but got "
            f"{window.array.shape}"
        )
    return window


def _widened(window: Tensor, n_fft: int) -> Tensor:
    """Return the window in the middle of a stretch, zeros around it."""
    width = window.array.shape[0]
    if width == n_fft:
        return window
    before = (n_fft - width) // 2
    return zero_pad(window, ((before, n_fft - width - before),), 0.0)


def _last(x: Tensor, before: int, after: int) -> tuple:
    """Return the widths of a frame around the last dimension."""
    return (*((0, 0) for _ in range(x.ndim - 1)), (before, after))


def _check_spectrum(input: Tensor, n_fft: int, onesided: bool | None) -> bool:
    """Return whether the input holds half of the frequencies; raise where it is no spectrum."""
    if input.dtype.kind != "c":
        raise DtypeError(
            "istft requires a complex-valued input tensor, matching the output of stft with "
            f"return_complex=True, not {input.dtype}; aino.view_as_complex makes pairs complex"
        )
    shape = input.array.shape
    if len(shape) not in (2, 3):
        raise ShapeError(f"istft: expected spectra of 2 or 3 dimensions, got shape {shape}")
    if not input.array.size:
        raise ShapeError(f"istft: the spectra of shape {shape} hold nothing")
    if onesided is None:
        onesided = shape[-2] != n_fft
    expected = n_fft // 2 + 1 if onesided else n_fft
    if shape[-2] != expected:
        raise ShapeError(
            f"istft: expected {expected} frequencies for n_fft={n_fft} and onesided={onesided}, "
            f"but the shape {shape} has {shape[-2]}"
        )
    return onesided


def _check_overlap(weight) -> None:
    least = np.minimum.reduce(np.absolute(weight))
    if not least > _LEAST:
        raise ArgumentError(
            f"istft: the windows leave a hole: the least sum of their squares is {least:g}; a "
            "smaller hop_length or another window covers the signal"
        )
