"""Discrete Fourier transforms: ``torch.fft``'s names.

Each transforms over one dimension, over two (``2``) or over several (``n``); those of real numbers
(``r``) and of symmetric signals (``h``) keep half of what is symmetric.
"""

from aino.ops.fft import (
    fft,
    fft2,
    fftfreq,
    fftn,
    fftshift,
    hfft,
    hfft2,
    hfftn,
    ifft,
    ifft2,
    ifftn,
    ifftshift,
    ihfft,
    ihfft2,
    ihfftn,
    irfft,
    irfft2,
    irfftn,
    rfft,
    rfft2,
    rfftfreq,
    rfftn,
)
from aino.ops.given import public as _public

__all__ = [
    "fft", "ifft", "fft2", "ifft2", "fftn", "ifftn", "rfft", "irfft", "rfft2", "irfft2", "rfftn",
    "irfftn", "hfft", "ihfft", "hfft2", "ihfft2", "hfftn", "ihfftn", "fftfreq", "rfftfreq",
    "fftshift", "ifftshift",
]  # fmt: skip

globals().update(_public({name: globals()[name] for name in __all__}, module=__name__))
