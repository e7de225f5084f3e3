"""The array standard's extension for Fourier transforms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aino import fft as transforms
from aino.array_api.given import checked
from aino.autograd.tensor import Tensor

__all__ = [
    "fft", "ifft", "rfft", "irfft", "hfft", "ihfft", "fftn", "ifftn", "rfftn", "irfftn",
    "fftfreq", "fftshift", "ifftshift", "rfftfreq",
]  # fmt: skip


def _over_one(name: str, result: str) -> Callable[..., Tensor]:
    function = getattr(transforms, name)

    def call(x, /, *, n=None, axis=-1, norm="backward"):
        return function(checked(name, x), n, axis, norm)

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"""Return {result}.

    Arguments:
        x: a tensor.
        n: the length to transform, cut or filled with zeros; that of the axis for None.
        axis: the axis.
        norm: 'backward', 'ortho' or 'forward': where the scale is.
    """
    return call


def _over_several(name: str, result: str) -> Callable[..., Tensor]:
    function = getattr(transforms, name)

    def call(x, /, *, s=None, axes=None, norm="backward"):
        return function(checked(name, x), s, axes, norm)

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"""Return {result}.

    Arguments:
        x: a tensor.
        s: the lengths to transform, cut or filled with zeros; those of the axes for None.
        axes: the axes; for None all of them, or the last ``len(s)``.
        norm: 'backward', 'ortho' or 'forward': where the scale is.
    """
    return call


fft = _over_one("fft", "the discrete Fourier transform")
ifft = _over_one("ifft", "the inverse of ``fft``")
rfft = _over_one("rfft", "the half of the transform of real numbers that says all")
irfft = _over_one("irfft", "the inverse of ``rfft``")
hfft = _over_one("hfft", "the transform of the half of a Hermitian signal, which is real")
ihfft = _over_one("ihfft", "the inverse of ``hfft``")
fftn = _over_several("fftn", "the discrete Fourier transform over several axes")
ifftn = _over_several("ifftn", "the inverse of ``fftn``")
rfftn = _over_several(
    "rfftn", "the half of the transform of real numbers over several axes that says all"
)
irfftn = _over_several("irfftn", "the inverse of ``rfftn``")


def fftfreq(n: int, /, *, d: float = 1.0, dtype: Any = None, device: Any = None) -> Tensor:
    """Return the frequencies of a transform of ``n`` numbers.

    Arguments:
        n: how many numbers.
        d: the distance between two of them.
        dtype: the dtype; the default one for None.
        device: the CPU, if any is named.
    """
    return transforms.fftfreq(n, d, dtype=dtype, device=device)


def rfftfreq(n: int, /, *, d: float = 1.0, dtype: Any = None, device: Any = None) -> Tensor:
    """Return the frequencies of a transform of ``n`` real numbers.

    Arguments:
        n: how many numbers.
        d: the distance between two of them.
        dtype: the dtype; the default one for None.
        device: the CPU, if any is named.
    """
    return transforms.rfftfreq(n, d, dtype=dtype, device=device)


def fftshift(x: Tensor, /, *, axes: Any = None) -> Tensor:
    """Return a transform with the frequency 0 in the middle.

    Arguments:
        x: a tensor.
        axes: along which axis, or several; None is all of them.
    """
    return transforms.fftshift(checked("fftshift", x), axes)


def ifftshift(x: Tensor, /, *, axes: Any = None) -> Tensor:
    """Return a transform with the frequency 0 first again.

    Arguments:
        x: a tensor.
        axes: along which axis, or several; None is all of them.
    """
    return transforms.ifftshift(checked("ifftshift", x), axes)


def __dir__() -> list[str]:
    return __all__
