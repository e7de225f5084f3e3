"""Rows of the discrete Fourier transforms: NumPy's are the oracle, PyTorch's the parity."""

import numpy as np

import aino
from aino.autograd.rules import fft as rules
from tests.calculus.row import Row, case, given, real

NORMS = ("backward", "ortho", "forward")
ONE = {
    "fft": "fft", "ifft": "ifft", "rfft": "rfft", "irfft": "irfft", "hfft": "irfft",
    "ihfft": "rfft",
}  # fmt: skip


def numpy_name(options):
    """Return the options by NumPy's names."""
    return {{"dim": "axis"}.get(key, key): value for key, value in options.items()}


def one(name):
    """Return the row of a transform over one dimension."""
    numpys = getattr(np.fft, name)
    real_input = name in ("rfft", "ihfft")
    return Row(
        f"fft.{name}", getattr(aino.fft, name),
        lambda x, *given, **options: numpys(x, *given, **numpy_name(options)),
        [case(real(2, 6)), case(real(5)), case(real(4, 5, 2), dim=1), case(real(2, 6), 4),
         case(real(2, 5), 8), case(real(3, 4), 7, 0), *[case(real(3, 4), norm=n) for n in NORMS],
         *[case(real(3, 5), n=m, norm=n) for n in NORMS for m in (5, 6, 9)],
         case(real(3), n=1), case(real(1, 3), n=2)],
        covers=ONE[name], complex=not real_input, dtypes="bool uint8 int64 float32",
        errors=[case(real(3), 0), case(real(3), -1), case(real(3), dim=1), case(real()),
                case(real(3, 0)), case(real(3), norm="half"),
                *([case(given([1j, 2.0], np.complex128))] if real_input else [])],
    )  # fmt: skip


def over(x, s, dim):
    """Return the axes of an n-d transform, and the length along each."""
    rank = x.ndim
    if dim is None:
        dim = range(rank) if s is None else range(rank - len(s), rank)
    axes = [axis % rank for axis in dim]
    return axes, [None if n == -1 else n for n in s or [None] * len(axes)]


def chain(name):
    """Return the transform over several dimensions as one over each, the last one in its turn."""
    inner = {"rfft": "fft", "irfft": "ifft", "hfft": "fft", "ihfft": "ifft"}.get(name, name)

    def oracle(x, s=None, dim=None, norm=None):
        axes, lengths = over(x, s, dim)
        half_last = name in ("irfft", "hfft")
        if axes and not half_last:
            x = getattr(np.fft, name)(x, lengths[-1], axes[-1], norm)
        for axis, n in zip(axes[:-1], lengths[:-1]):
            x = getattr(np.fft, inner)(x, n, axis, norm)
        return getattr(np.fft, name)(x, lengths[-1], axes[-1], norm) if half_last else x

    return oracle


def several(name, count):
    """Return the row of a transform over two dimensions, or over any number."""
    real_input = name in ("rfft", "ihfft")
    two = case(real(3, 4))
    any_number = [
        case(real(3)), case(real(2, 3, 2)), case(real(3, 4), (3,)), case(real(3, 4), dim=(0,)),
        case(real(2, 3, 4), (5, -1), (2, 0)), case(real(3, 4), s=(2, 6), norm="forward"),
    ]  # fmt: skip
    plane = [
        case(real(2, 3, 3)), case(real(2, 3, 4), dim=(2, 0)), case(real(3, 4), (2, -1)),
        case(real(3, 2), (4, 3), (1, 0)),
    ]  # fmt: skip
    default = None if count == "n" else (-2, -1)
    oracle = chain(name)
    return Row(
        f"fft.{name}{count}", getattr(aino.fft, f"{name}{count}"),
        lambda x, s=None, dim=default, norm=None: oracle(x, s, dim, norm),
        [two, *(any_number if count == "n" else plane), *[case(real(2, 3), norm=n) for n in NORMS]],
        covers={"hfft": "irfft conj", "ihfft": "rfft conj"}.get(name, ONE[name]),
        complex=not real_input, dtypes="bool uint8 int64 float32",
        errors=[case(real(3, 4), (2, 0)), case(real(3, 4), (2, 2), (0, 0)),
                case(real(3, 4), dim=(0, -2)), case(real(3, 4), (2,), (0, 1)),
                case(real(3, 4), s=(2, 2, 2)), case(real(3, 4), dim=(0, 2)),
                case(real(3, 4), norm="half"), case(real(3, 4), (-2, 3)),
                *([case(given([[1j, 2.0]], np.complex128))] if real_input else []),
                *([case(real(3, 4), dim=())] if name not in ("fft", "ifft") else [])],
    )  # fmt: skip


def shift(name):
    numpys = getattr(np.fft, name)
    return Row(
        f"fft.{name}", getattr(aino.fft, name), lambda x, dim=None: numpys(x, dim),
        [case(real(5)), case(real(4, 3)), case(real(4, 3), 0), case(real(4, 3, 5), dim=(0, -1)),
         case(real(4, 5), (1, 1))],
        covers="roll", complex=True, errors=[case(real(3), 1)],
    )  # fmt: skip


def frequencies(name):
    numpys = getattr(np.fft, name)
    return Row(
        f"fft.{name}", getattr(aino.fft, name),
        lambda n, d=1.0, dtype=np.float32: numpys(n, d).astype(dtype),
        [case(n) for n in (1, 2, 5, 8)]
        + [case(5, 0.25), case(6, d=2.0), case(7, 0.1, dtype=np.float32)],
        covers="", order=0,
        errors=[case(4, dtype=np.int64), *([case(-1)] if name == "fftfreq" else [])],
    )  # fmt: skip


ROWS = [
    *[one(name) for name in ONE],
    *[several(name, count) for name in ONE for count in ("2", "n")],
    shift("fftshift"), shift("ifftshift"), frequencies("fftfreq"), frequencies("rfftfreq"),
    Row("fft over nothing", lambda x: aino.fft.fftn(x, dim=()), lambda x: x + 0j,
        [case(real(3))], torch=lambda torch, x: torch.fft.fftn(x, dim=()), covers="cast",
        complex=True, method=""),
    Row("the primitive rfft", rules.rfft, lambda x, axis, norm: np.fft.rfft(x, None, axis, norm),
        [case(real(2, 6), 1, "ortho"), case(real(3, 2), 0, "forward")], torch=None, method="",
        covers="rfft"),
]  # fmt: skip
