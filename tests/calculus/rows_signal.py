"""Rows of the short-time Fourier transform and its inverse; the oracle goes stretch by stretch."""

import numpy as np

import aino
from tests.calculus.row import Row, case, positive, real

MODES = {"reflect": "reflect", "constant": "constant", "replicate": "edge", "circular": "wrap"}


def widened(window, n_fft, width):
    window = np.ones(width) if window is None else window
    before = (n_fft - width) // 2
    return np.pad(window, (before, n_fft - width - before))


def stft(
    x, n_fft, hop_length=None, win_length=None, window=None, center=True, pad_mode="reflect",
    normalized=False, onesided=None, return_complex=None, align_to_window=None,
):  # fmt: skip
    """Return the transforms of the stretches, one after the other."""
    hop, width = hop_length or n_fft // 4, win_length or n_fft
    is_complex = np.iscomplexobj(x) or np.iscomplexobj(window)
    if center:
        widths = [(0, 0)] * (x.ndim - 1) + [(n_fft // 2, n_fft // 2)]
        x = np.pad(x, widths, MODES[pad_mode])
    window = widened(window, n_fft, width)
    first = 0
    if align_to_window:
        first = -((n_fft - width) // 2)
        x = np.pad(x, [(0, 0)] * (x.ndim - 1) + [(n_fft, n_fft)])
        first += n_fft
    length = x.shape[-1] - (2 * n_fft if align_to_window else 0)
    count = 1 + (length - (width if align_to_window else n_fft)) // hop
    spectra = [
        np.fft.fft(x[..., start : start + n_fft] * window, norm="ortho" if normalized else None)
        for start in range(first, first + count * hop, hop)
    ]
    y = np.stack(spectra, -1)
    if onesided if onesided is not None else not is_complex:
        y = y[..., : n_fft // 2 + 1, :]
    return y if return_complex or return_complex is None else np.stack([y.real, y.imag], -1)


def spectrum(x, y, n_fft, **options):
    """Return spectra of some numbers, and the signal that they mean."""
    return aino.istft(aino.complex(x, y), n_fft, **options)


def istft(x, y, n_fft, hop_length=None, win_length=None, window=None, center=True,
          normalized=False, onesided=None, length=None, return_complex=False):  # fmt: skip
    """Return the weighted mean of what the stretches say, point by point."""
    spectra = x + 1j * y
    hop, width = hop_length or n_fft // 4, win_length or n_fft
    window = widened(window, n_fft, width)
    count = spectra.shape[-1]
    total = np.zeros((*spectra.shape[:-2], n_fft + hop * (count - 1)), complex)
    weight = np.zeros(total.shape[-1], window.dtype)
    norm = "ortho" if normalized else None
    for t in range(count):
        if return_complex:
            stretch = np.fft.ifft(spectra[..., t], norm=norm)
        else:
            stretch = np.fft.irfft(spectra[..., : n_fft // 2 + 1, t], n_fft, norm=norm)
        total[..., t * hop : t * hop + n_fft] += stretch * window
        weight[t * hop : t * hop + n_fft] += window**2
    start = n_fft // 2 if center else 0
    end = total.shape[-1] - start if length is None else start + length
    result = total[..., start:end] / weight[start:end]
    return result if return_complex else result.real


def torch_spectrum(torch, x, y, n_fft, **options):
    return torch.istft(torch.complex(x, y), n_fft, **options)


ROWS = [
    Row("stft", aino.stft, stft,
        [case(real(12), 6, window=positive(6), return_complex=True),
         case(real(2, 12), 6, 2, 4, positive(4), return_complex=True),
         case(real(10), 5, 3, window=positive(5), normalized=True, return_complex=True),
         case(real(12), 6, window=positive(6), onesided=False, return_complex=True),
         case(real(12), 6, window=positive(6), center=False, return_complex=True),
         case(real(12), 6, 2, 4, positive(4), False, return_complex=True, align_to_window=True),
         case(real(13), 7, 2, 4, positive(4), False, return_complex=True, align_to_window=False),
         case(real(12), 6, window=positive(6), return_complex=False),
         *[case(real(8), 4, window=positive(4), pad_mode=mode, return_complex=True)
           for mode in ("constant", "replicate", "circular")]],
        covers="rfft fft windows", dtypes="float32 int64",
        torch=lambda torch, x, *a, **o: torch.stft(x, *a, **o),
        errors=[case(real(12), 6, window=positive(6)), case(real(12), 6, 0, return_complex=True),
                case(real(12), 0, return_complex=True),
                case(real(12), 6, 2, 7, return_complex=True),
                case(real(12), 6, window=positive(5), return_complex=True),
                case(real(4), 6, center=False, return_complex=True),
                case(real(2, 2, 12), 6, window=positive(6), return_complex=True),
                case(real(2), 6, window=positive(6), return_complex=True),
                case(real(12), 6, window=positive(6), return_complex=True, align_to_window=True)]),
    Row("stft of complex signals", lambda x, *a, **o: aino.stft(x * (1 + 2j), *a, **o),
        lambda x, *a, **o: stft(x * (1 + 2j), *a, **o),
        [case(real(10), 4, window=positive(4)),
         case(real(10), 4, 3, window=positive(4), return_complex=False)],
        torch=lambda torch, x, *a, **o: torch.stft(x * (1 + 2j), *a, **o),
        covers="fft windows", method="", dtypes="",
        errors=[case(real(10), 4, window=positive(4), onesided=True)]),
    Row("istft", spectrum, istft,
        [case(real(4, 5), real(4, 5), 6, window=positive(6)),
         case(real(2, 3, 5), real(2, 3, 5), 5, hop_length=2, window=positive(5)),
         case(real(4, 5), real(4, 5), 6, hop_length=2, win_length=4, window=positive(4)),
         case(real(4, 5), real(4, 5), 6, window=positive(6), center=False, normalized=True),
         case(real(4, 5), real(4, 5), 6, hop_length=4, window=positive(6), length=9),
         case(real(6, 4), real(6, 4), 6, window=positive(6)),
         case(real(6, 4), real(6, 4), 6, window=positive(6), onesided=False, return_complex=True)],
        torch=torch_spectrum, covers="irfft ifft window_sum", method="", dtypes="float32",
        errors=[case(real(4, 5), real(4, 5), 8, window=positive(8)),
                case(real(4, 5), real(4, 5), 6, hop_length=7, window=positive(6)),
                case(real(4, 5), real(4, 5), 6, hop_length=0, window=positive(6)),
                case(real(4, 5), real(4, 5), 6, window=positive(5)),
                case(real(4, 5), real(4, 5), 6, window=positive(6), return_complex=True),
                case(real(4, 1), real(4, 1), 6, window=positive(6)),
                case(real(4), real(4), 6, window=positive(6)),
                case(real(4, 0), real(4, 0), 6, window=positive(6))]),
]  # fmt: skip
