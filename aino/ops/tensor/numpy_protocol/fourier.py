"""``np.fft`` on tensors: NumPy's names and arguments, over AINO's transforms.

NumPy lets an axis come twice in a transform over several, and transforms it twice.
"""

from __future__ import annotations

from aino.ops import fft
from aino.ops.fft.frequencies import fftshift as shifted
from aino.ops.fft.frequencies import ifftshift as unshifted
from aino.ops.tensor.numpy_protocol.table import axes_of, into, numpy_function, tensor_of
from aino.user_warnings import warn


def _one(name):
    """Enter NumPy's transform over one axis."""
    transform = getattr(fft, name)

    def call(a, n=None, axis=-1, norm=None, out=None):
        return into(out, transform(tensor_of(a), n, axis, norm), f"fft.{name}")

    numpy_function(f"fft.{name}")(call)


for _name in ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft"):
    _one(_name)


def _lengths(a, s, axes):
    """Return the lengths and the axes that NumPy's arguments mean.

    A length of -1 is that of the input, before anything has been transformed; None stands for
    what a transform takes by itself.
    """
    if axes is None and s is None:
        axes = range(a.ndim)
    if axes is None:
        warn(
            "np.fft: `axes` should not be `None` if `s` is not `None`; the last ones are taken",
            DeprecationWarning,
        )
        axes = range(-len(s), 0)
    axes = [axes_of((axis,), a.ndim)[0] for axis in axes]
    lengths = [-1] * len(axes) if s is None else list(s)
    if len(lengths) != len(axes):
        raise ValueError(f"np.fft: s has {len(lengths)} lengths for {len(axes)} axes")
    return [a.shape[axis] if n == -1 else n for n, axis in zip(lengths, axes)], axes


def _over_all(a, lengths, axes, norm, transform):
    """Transform over one axis after the other, the last one first, as NumPy does."""
    for axis, n in zip(reversed(axes), reversed(lengths)):
        a = transform(a, n, axis, norm)
    return a


def _several(name, plane):
    """Enter NumPy's transform over several axes; ``plane``: over two of them."""
    first = name.removesuffix("n" if not plane else "2")
    default = (-2, -1) if plane else None
    others = {"rfft": fft.fft, "irfft": fft.ifft}.get(first)

    def transform(a, s, axes, norm):
        a = tensor_of(a)
        lengths, axes = _lengths(a, s, axes)
        if first == "irfft" and s is None:
            lengths[-1:] = [None]
        if others is None:
            return _over_all(a, lengths, axes, norm, getattr(fft, first))
        if not axes:
            raise IndexError(f"np.fft.{name}: at least one axis is transformed")
        if first == "rfft":
            a = fft.rfft(a, lengths[-1], axes[-1], norm)
            return _over_all(a, lengths[:-1], axes[:-1], norm, others)
        # The inverse goes the other way round.
        a = _over_all(a, lengths[-2::-1], axes[-2::-1], norm, others)
        return fft.irfft(a, lengths[-1], axes[-1], norm)

    def call(a, s=None, axes=default, norm=None, out=None):
        return into(out, transform(a, s, axes, norm), f"fft.{name}")

    numpy_function(f"fft.{name}")(call)


for _name in ("fft", "ifft", "rfft", "irfft"):
    _several(f"{_name}2", True)
    _several(f"{_name}n", False)


def _axes_in_turn(x, axes):
    if axes is None or hasattr(axes, "__index__"):
        return axes if axes is None else axes_of((axes,), x.ndim)
    return [axes_of((axis,), x.ndim)[0] for axis in axes]


@numpy_function("fft.fftshift")
def fftshift(x, axes=None):
    x = tensor_of(x)
    return shifted(x, _axes_in_turn(x, axes))


@numpy_function("fft.ifftshift")
def ifftshift(x, axes=None):
    x = tensor_of(x)
    return unshifted(x, _axes_in_turn(x, axes))
