"""Transforms over two dimensions, and over any number of them.

Each is a chain of transforms over one dimension. Of real numbers the last dimension holds half of
the frequencies, the others all.
"""

from __future__ import annotations

from collections.abc import Sequence

from aino.autograd.tensor import Tensor
from aino.ops.fft.transforms import all_to_all, axes_of, half_of_real, real_of_half
from aino.ops.out import into

__all__ = [
    "fft2", "ifft2", "rfft2", "irfft2", "hfft2", "ihfft2", "fftn", "ifftn", "rfftn", "irfftn",
    "hfftn", "ihfftn",
]  # fmt: skip


def fft2(
    input: Tensor,
    s: Sequence[int] | None = None,
    dim: Sequence[int] = (-2, -1),
    norm: str | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the discrete Fourier transform over two dimensions.
    Arguments:
        input: real or complex numbers; float16 is computed in float32.
        s: the lengths to which the input is cut or filled up with zeros, -1 for its own.
        dim: the two dimensions that are transformed, by default the last two.
        norm: "backward" (the default) divides by nothing, "forward" by the number n of points,
            "ortho" by √n.
        out: a complex tensor that is written and returned.

    Raises ``ShapeError`` when a length is 0, a dimension comes twice, or ``s`` and ``dim`` differ
    in number.

    >>> import aino
    >>> aino.fft.fft2(aino.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[10.+0.j, -2.+0.j],
            [-4.+0.j,  0.+0.j]])
    """
    axes, lengths = axes_of("fft2", input, s, dim)
    return into(out, all_to_all("fft2", input, axes, lengths, norm, False), "fft2")


def ifft2(
    input: Tensor,
    s: Sequence[int] | None = None,
    dim: Sequence[int] = (-2, -1),
    norm: str | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the inverse of ``fft2``, the inverse Fourier transform over two dimensions.
    Arguments:
        input: real or complex numbers; float16 is computed in float32.
        s: the lengths to which the input is cut or filled up with zeros, -1 for its own.
        dim: the two dimensions that are transformed, by default the last two.
        norm: "backward" (the default) divides by the number n of points, "forward" by nothing,
            "ortho" by √n.
        out: a complex tensor that is written and returned.

    Raises ``ShapeError`` when a length is 0, a dimension comes twice, or ``s`` and ``dim`` differ
    in number.

    >>> import aino
    >>> aino.fft.ifft2(aino.tensor([[4.0, 0.0], [0.0, 0.0]])).real
    tensor([[1., 1.],
            [1., 1.]])
    """
    axes, lengths = axes_of("ifft2", input, s, dim)
    return into(out, all_to_all("ifft2", input, axes, lengths, norm, True), "ifft2")


def rfft2(
    input: Tensor,
    s: Sequence[int] | None = None,
    dim: Sequence[int] = (-2, -1),
    norm: str | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the Fourier transform of real numbers over two dimensions.
    Along the last of them half of the frequencies are kept, n // 2 + 1: the others are
    conjugates.
    Arguments:
        input: real numbers; float16 is computed in float32.
        s: the lengths to which the input is cut or filled up with zeros, -1 for its own.
        dim: the two dimensions that are transformed, by default the last two.
        norm: "backward" (the default) divides by nothing, "forward" by the number n of points,
            "ortho" by √n.
        out: a complex tensor that is written and returned.

    Raises ``ShapeError`` when a length is 0, a dimension comes twice, or ``s`` and ``dim`` differ
    in number, ``DtypeError`` for complex numbers.

    >>> import aino
    >>> aino.fft.rfft2(aino.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[10.+0.j, -2.+0.j],
            [-4.+0.j,  0.+0.j]])
    """
    axes, lengths = axes_of("rfft2", input, s, dim)
    return into(out, half_of_real("rfft2", input, axes, lengths, norm, False), "rfft2")


def irfft2(
    input: Tensor,
    s: Sequence[int] | None = None,
    dim: Sequence[int] = (-2, -1),
    norm: str | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the inverse of ``rfft2``: real numbers of half of their transform.
    Arguments:
        input: half of a spectrum along the last dimension of ``dim``.
        s: the lengths of the result, -1 for that of the input. By default those of the input,
            but 2 (m - 1) of m along the last dimension; an odd length has to be given.
        dim: the two dimensions that are transformed, by default the last two.
        norm: "backward" (the default) divides by the number n of points, "forward" by nothing,
            "ortho" by √n.
        out: a real tensor that is written and returned.

    Raises ``ShapeError`` when a length is 0, a dimension comes twice, or ``s`` and ``dim`` differ
    in number.

    >>> import aino
    >>> aino.fft.irfft2(aino.tensor([[10.0, -2.0], [-4.0, 0.0]]))
    tensor([[1., 2.],
            [3., 4.]])
    """
    axes, lengths = axes_of("irfft2", input, s, dim)
    return into(out, real_of_half("irfft2", input, axes, lengths, norm, True), "irfft2")


def hfft2(
    input: Tensor,
    s: Sequence[int] | None = None,
    dim: Sequence[int] = (-2, -1),
    norm: str | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the Fourier transform, real, of a symmetric signal over two dimensions.
    Half of the signal is given along the last of them: the others are conjugates, ``x₋ⱼ =
    x̄ⱼ``.
    Arguments:
        input: half of a signal along the last dimension of ``dim``.
        s: the lengths of the result, -1 for that of the input. By default those of the input,
            but 2 (m - 1) of m along the last dimension; an odd length has to be given.
        dim: the two dimensions that are transformed, by default the last two.
        norm: "backward" (the default) divides by nothing, "forward" by the number n of points,
            "ortho" by √n.
        out: a real tensor that is written and returned.

    Raises ``ShapeError`` when a length is 0, a dimension comes twice, or ``s`` and ``dim`` differ
    in number.

    >>> import aino
    >>> aino.fft.hfft2(aino.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[10., -2.],
            [-4.,  0.]])
    """
    axes, lengths = axes_of("hfft2", input, s, dim)
    return into(out, real_of_half("hfft2", input, axes, lengths, norm, False), "hfft2")


def ihfft2(
    input: Tensor,
    s: Sequence[int] | None = None,
    dim: Sequence[int] = (-2, -1),
    norm: str | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the inverse of ``hfft2``: half of the signal whose transform is real.
    Arguments:
        input: real numbers; float16 is computed in float32.
        s: the lengths to which the input is cut or filled up with zeros, -1 for its own.
        dim: the two dimensions that are transformed, by default the last two.
        norm: "backward" (the default) divides by the number n of points, "forward" by nothing,
            "ortho" by √n.
        out: a complex tensor that is written and returned.

    Raises ``ShapeError`` when a length is 0, a dimension comes twice, or ``s`` and ``dim`` differ
    in number, ``DtypeError`` for complex numbers.

    >>> import aino
    >>> aino.fft.ihfft2(aino.tensor([[10.0, -2.0], [-4.0, 0.0]])).real
    tensor([[1., 2.],
            [3., 4.]])
    """
    axes, lengths = axes_of("ihfft2", input, s, dim)
    return into(out, half_of_real("ihfft2", input, axes, lengths, norm, True), "ihfft2")


def fftn(
    input: Tensor,
    s: Sequence[int] | None = None,
    dim: Sequence[int] | None = None,
    norm: str | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the discrete Fourier transform over several dimensions.
    Arguments:
        input: real or complex numbers; float16 is computed in float32.
        s: the lengths to which the input is cut or filled up with zeros, -1 for its own.
        dim: the dimensions that are transformed; by default the last ones, as many as ``s``
            has lengths, or all.
        norm: "backward" (the default) divides by nothing, "forward" by the number n of points,
            "ortho" by √n.
        out: a complex tensor that is written and returned.

    Raises ``ShapeError`` when a length is 0, a dimension comes twice, or ``s`` and ``dim`` differ
    in number.

    >>> import aino
    >>> aino.fft.fftn(aino.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[10.+0.j, -2.+0.j],
            [-4.+0.j,  0.+0.j]])
    """
    axes, lengths = axes_of("fftn", input, s, dim)
    return into(out, all_to_all("fftn", input, axes, lengths, norm, False), "fftn")


def ifftn(
    input: Tensor,
    s: Sequence[int] | None = None,
    dim: Sequence[int] | None = None,
    norm: str | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the inverse of ``fftn``, the inverse Fourier transform over several dimensions.
    Arguments:
        input: real or complex numbers; float16 is computed in float32.
        s: the lengths to which the input is cut or filled up with zeros, -1 for its own.
        dim: the dimensions that are transformed; by default the last ones, as many as ``s``
            has lengths, or all.
        norm: "backward" (the default) divides by the number n of points, "forward" by nothing,
            "ortho" by √n.
        out: a complex tensor that is written and returned.

    Raises ``ShapeError`` when a length is 0, a dimension comes twice, or ``s`` and ``dim`` differ
    in number.

    >>> import aino
    >>> aino.fft.ifftn(aino.tensor([[4.0, 0.0], [0.0, 0.0]])).real
    tensor([[1., 1.],
            [1., 1.]])
    """
    axes, lengths = axes_of("ifftn", input, s, dim)
    return into(out, all_to_all("ifftn", input, axes, lengths, norm, True), "ifftn")


def rfftn(
    input: Tensor,
    s: Sequence[int] | None = None,
    dim: Sequence[int] | None = None,
    norm: str | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the Fourier transform of real numbers over several dimensions.
    Along the last of them half of the frequencies are kept, n // 2 + 1: the others are
    conjugates.
    Arguments:
        input: real numbers; float16 is computed in float32.
        s: the lengths to which the input is cut or filled up with zeros, -1 for its own.
        dim: the dimensions that are transformed; by default the last ones, as many as ``s``
            has lengths, or all.
        norm: "backward" (the default) divides by nothing, "forward" by the number n of points,
            "ortho" by √n.
        out: a complex tensor that is written and returned.

    Raises ``ShapeError`` when a length is 0, a dimension comes twice, or ``s`` and ``dim`` differ
    in number, ``DtypeError`` for complex numbers.

    >>> import aino
    >>> aino.fft.rfftn(aino.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[10.+0.j, -2.+0.j],
            [-4.+0.j,  0.+0.j]])
    """
    axes, lengths = axes_of("rfftn", input, s, dim)
    return into(out, half_of_real("rfftn", input, axes, lengths, norm, False), "rfftn")


def irfftn(
    input: Tensor,
    s: Sequence[int] | None = None,
    dim: Sequence[int] | None = None,
    norm: str | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the inverse of ``rfftn``: real numbers of half of their transform.
    Arguments:
        input: half of a spectrum along the last dimension of ``dim``.
        s: the lengths of the result, -1 for that of the input. By default those of the input,
            but 2 (m - 1) of m along the last dimension; an odd length has to be given.
        dim: the dimensions that are transformed; by default the last ones, as many as ``s``
            has lengths, or all.
        norm: "backward" (the default) divides by the number n of points, "forward" by nothing,
            "ortho" by √n.
        out: a real tensor that is written and returned.

    Raises ``ShapeError`` when a length is 0, a dimension comes twice, or ``s`` and ``dim`` differ
    in number.

    >>> import aino
    >>> aino.fft.irfftn(aino.tensor([[10.0, -2.0], [-4.0, 0.0]]))
    tensor([[1., 2.],
            [3., 4.]])
    """
    axes, lengths = axes_of("irfftn", input, s, dim)
    return into(out, real_of_half("irfftn", input, axes, lengths, norm, True), "irfftn")


def hfftn(
    input: Tensor,
    s: Sequence[int] | None = None,
    dim: Sequence[int] | None = None,
    norm: str | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the Fourier transform, real, of a symmetric signal over several dimensions.
    Half of the signal is given along the last of them: the others are conjugates, ``x₋ⱼ =
    x̄ⱼ``.
    Arguments:
        input: half of a signal along the last dimension of ``dim``.
        s: the lengths of the result, -1 for that of the input. By default those of the input,
            but 2 (m - 1) of m along the last dimension; an odd length has to be given.
        dim: the dimensions that are transformed; by default the last ones, as many as ``s``
            has lengths, or all.
        norm: "backward" (the default) divides by nothing, "forward" by the number n of points,
            "ortho" by √n.
        out: a real tensor that is written and returned.

    Raises ``ShapeError`` when a length is 0, a dimension comes twice, or ``s`` and ``dim`` differ
    in number.

    >>> import aino
    >>> aino.fft.hfftn(aino.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[10., -2.],
            [-4.,  0.]])
    """
    axes, lengths = axes_of("hfftn", input, s, dim)
    return into(out, real_of_half("hfftn", input, axes, lengths, norm, False), "hfftn")


def ihfftn(
    input: Tensor,
    s: Sequence[int] | None = None,
    dim: Sequence[int] | None = None,
    norm: str | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the inverse of ``hfftn``: half of the signal whose transform is real.
    Arguments:
        input: real numbers; float16 is computed in float32.
        s: the lengths to which the input is cut or filled up with zeros, -1 for its own.
        dim: the dimensions that are transformed; by default the last ones, as many as ``s``
            has lengths, or all.
        norm: "backward" (the default) divides by the number n of points, "forward" by nothing,
            "ortho" by √n.
        out: a complex tensor that is written and returned.

    Raises ``ShapeError`` when a length is 0, a dimension comes twice, or ``s`` and ``dim`` differ
    in number, ``DtypeError`` for complex numbers.

    >>> import aino
    >>> aino.fft.ihfftn(aino.tensor([[10.0, -2.0], [-4.0, 0.0]])).real
    tensor([[1., 2.],
            [3., 4.]])
    """
    axes, lengths = axes_of("ihfftn", input, s, dim)
    return into(out, half_of_real("ihfftn", input, axes, lengths, norm, True), "ihfftn")
