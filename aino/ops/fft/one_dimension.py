"""Transforms over one dimension."""

from __future__ import annotations

from aino.autograd.tensor import Tensor
from aino.ops.fft.transforms import all_to_all, axis_of, half_of_real, real_of_half
from aino.ops.out import into

__all__ = ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft"]


def fft(
    input: Tensor,
    n: int | None = None,
    dim: int = -1,
    norm: str | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the discrete Fourier transform: ``yₖ = Σⱼ xⱼ e^(-2πijk/n)``.

    Arguments:
        input: real or complex numbers; float16 is computed in float32.
        n: the length of the signal, which is cut or filled up with zeros; by default its own.
        dim: the dimension that is transformed.
        norm: "backward" (the default) divides by nothing, "forward" by n, "ortho" by √n.
        out: a complex tensor that is written and returned.

    Raises ``ShapeError`` for a signal without a point.

    >>> import aino
    >>> aino.fft.fft(aino.tensor([1.0, 2.0, 3.0, 4.0]))
    tensor([10.+0.j, -2.+2.j, -2.+0.j, -2.-2.j])
    """
    axis = axis_of("fft", input, dim)
    return into(out, all_to_all("fft", input, (axis,), [n], norm, False), "fft")


def ifft(
    input: Tensor,
    n: int | None = None,
    dim: int = -1,
    norm: str | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the inverse of ``fft``: ``xⱼ = 1/n Σₖ yₖ e^(2πijk/n)``.

    Arguments:
        input: real or complex numbers; float16 is computed in float32.
        n: the length of the signal, which is cut or filled up with zeros; by default its own.
        dim: the dimension that is transformed.
        norm: "backward" (the default) divides by n, "forward" by nothing, "ortho" by √n.
        out: a complex tensor that is written and returned.

    Raises ``ShapeError`` for a signal without a point.

    >>> import aino
    >>> aino.fft.ifft(aino.tensor([10.0 + 0j, -2 + 2j, -2 + 0j, -2 - 2j])).real
    tensor([1., 2., 3., 4.])
    """
    axis = axis_of("ifft", input, dim)
    return into(out, all_to_all("ifft", input, (axis,), [n], norm, True), "ifft")


def rfft(
    input: Tensor,
    n: int | None = None,
    dim: int = -1,
    norm: str | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the first half of the Fourier transform of real numbers, n // 2 + 1 frequencies.

    The other half are their conjugates: ``y₋ₖ = ȳₖ``.

    Arguments:
        input: real numbers; float16 is computed in float32.
        n: the length of the signal, which is cut or filled up with zeros; by default its own.
        dim: the dimension that is transformed.
        norm: "backward" (the default) divides by nothing, "forward" by n, "ortho" by √n.
        out: a complex tensor that is written and returned.

    Raises ``ShapeError`` for a signal without a point, ``DtypeError`` for complex numbers.

    >>> import aino
    >>> aino.fft.rfft(aino.tensor([1.0, 2.0, 3.0, 4.0]))
    tensor([10.+0.j, -2.+2.j, -2.+0.j])
    """
    axis = axis_of("rfft", input, dim)
    return into(out, half_of_real("rfft", input, (axis,), [n], norm, False), "rfft")


def irfft(
    input: Tensor,
    n: int | None = None,
    dim: int = -1,
    norm: str | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the inverse of ``rfft``: real numbers of half of their Fourier transform.

    Imaginary parts that a transform of real numbers doesn't have, at frequency 0 for example,
    are not looked at.

    Arguments:
        input: half of a spectrum, n // 2 + 1 frequencies.
        n: the length of the result; by default 2 (m - 1) of m frequencies. An odd length has
            to be given.
        dim: the dimension that is transformed.
        norm: "backward" (the default) divides by n, "forward" by nothing, "ortho" by √n.
        out: a real tensor that is written and returned.

    Raises ``ShapeError`` for a result without a point.

    >>> import aino
    >>> aino.fft.irfft(aino.tensor([6.0 + 0j, -1.5 + 0.8660j]), n=3)
    tensor([1.0000, 2.0000, 3.0000])
    """
    axis = axis_of("irfft", input, dim)
    return into(out, real_of_half("irfft", input, (axis,), [n], norm, True), "irfft")


def hfft(
    input: Tensor,
    n: int | None = None,
    dim: int = -1,
    norm: str | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the Fourier transform of a signal with ``x₋ⱼ = x̄ⱼ``, of which half is given.

    Such a transform is real.

    Arguments:
        input: half of a signal, n // 2 + 1 points.
        n: the length of the result; by default 2 (m - 1) of m points. An odd length has to be
            given.
        dim: the dimension that is transformed.
        norm: "backward" (the default) divides by nothing, "forward" by n, "ortho" by √n.
        out: a real tensor that is written and returned.

    Raises ``ShapeError`` for a result without a point.

    >>> import aino
    >>> aino.fft.hfft(aino.tensor([1.0 + 0j, 0.5j, 0.0 + 0j]))
    tensor([1., 2., 1., 0.])
    """
    axis = axis_of("hfft", input, dim)
    return into(out, real_of_half("hfft", input, (axis,), [n], norm, False), "hfft")


def ihfft(
    input: Tensor,
    n: int | None = None,
    dim: int = -1,
    norm: str | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the inverse of ``hfft``: half of the signal whose transform is real.

    Arguments:
        input: real numbers; float16 is computed in float32.
        n: the length of the spectrum, which is cut or filled up with zeros; by default its own.
        dim: the dimension that is transformed.
        norm: "backward" (the default) divides by n, "forward" by nothing, "ortho" by √n.
        out: a complex tensor that is written and returned.

    Raises ``ShapeError`` for a spectrum without a point, ``DtypeError`` for complex numbers.

    >>> import aino
    >>> aino.fft.ihfft(aino.tensor([1.0, 2.0, 1.0, 0.0]))
    tensor([1.-0.0000j, 0.+0.5000j, 0.-0.0000j])
    """
    axis = axis_of("ihfft", input, dim)
    return into(out, half_of_real("ihfft", input, (axis,), [n], norm, True), "ihfft")
