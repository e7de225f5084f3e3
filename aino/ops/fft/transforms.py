"""What all transforms share: lengths, scales, dtypes, and the four maps that they are made of.

A transform of real numbers goes over one dimension, whatever others are transformed beside it.
"""

from __future__ import annotations

from operator import index

from aino.autograd.primitive import cast
from aino.autograd.rules import fft as rules
from aino.autograd.rules import shape as shape_rules
from aino.autograd.rules.complex import conj
from aino.autograd.rules.index import getitem
from aino.autograd.tensor import Tensor
from aino.dtypes import COMPLEX_OF, get_default_dtype
from aino.errors import ArgumentError, BoundsError, DtypeError, ShapeError
from aino.ops.arguments import dim_of, dims_of


def scale_of(name: str, norm: str | None) -> str:
    """Return the name of a scale; raises ``ArgumentError`` when there is none such."""
    if norm is None:
        return "backward"
    if norm not in rules.TURNED:
        raise ArgumentError(f"{name}: norm is 'backward', 'ortho', 'forward' or None, not {norm!r}")
    return norm


def axis_of(name: str, input: Tensor, dim: int) -> int:
    """Return the one dimension that is transformed, counted from the front."""
    if not input.array.ndim:
        raise BoundsError(f"{name}: a 0-d tensor has no dimension {dim} to transform")
    return dim_of(dim, input.array.ndim)


def axes_of(name: str, input: Tensor, s, dim) -> tuple[tuple[int, ...], list[int | None]]:
    """Return the dimensions that are transformed, and the length that is asked for along each.

    Without ``dim`` they are the last ones, as many as there are lengths, or all. A length of -1
    is that of the input, which stands as None here.
    """
    rank = input.array.ndim
    lengths = None if s is None else _integers(s)
    if dim is None:
        count = rank if lengths is None else len(lengths)
        if count > rank:
            raise ShapeError(
                f"{name}: s has {count} lengths, the input {rank} dimensions "
                f"(shape {input.array.shape})"
            )
        axes = tuple(range(rank - count, rank))
    else:
        dims = _integers(dim)
        for one in dims if not rank else ():
            raise BoundsError(f"{name}: a 0-d tensor has no dimension {one} to transform")
        axes = dims_of(dims, rank)
    if lengths is None:
        return axes, [None] * len(axes)
    if len(lengths) != len(axes):
        raise ShapeError(f"{name}: s has {len(lengths)} lengths for {len(axes)} dimensions")
    return axes, [None if length == -1 else length for length in lengths]


def _integers(values) -> list[int]:
    return [index(values)] if hasattr(values, "__index__") else [index(value) for value in values]


def checked(name: str, length: int) -> int:
    """Return the length of a signal; raises ``ShapeError`` unless it has a point at least."""
    if length < 1:
        raise ShapeError(
            f"{name}: Invalid number of data points ({length}) specified; a signal has one at least"
        )
    return length


def fitted(name: str, input: Tensor, axes, lengths) -> Tensor:
    """Return the input, cut or filled up with zeros to these lengths; None is its own."""
    shape = input.array.shape
    wanted = dict(zip(axes, lengths))
    for axis, length in wanted.items():
        wanted[axis] = checked(name, shape[axis] if length is None else index(length))
    if any([length < shape[axis] for axis, length in wanted.items()]):
        cut = [slice(min(wanted.get(i, n), n)) for i, n in enumerate(shape)]
        input = getitem(input, tuple(cut))
    if any([length > shape[axis] for axis, length in wanted.items()]):
        widths = [(0, max(wanted.get(i, n) - n, 0)) for i, n in enumerate(shape)]
        input = shape_rules.pad(input, tuple(widths), 0.0)
    return input


def real_input(name: str, input: Tensor) -> Tensor:
    """Return a real input, integers in the default dtype; raises ``DtypeError`` for others."""
    if input.array.dtype.kind == "c":
        raise DtypeError(
            f"{name} expects a real input tensor, but got {input.dtype}; "
            f"{'ifft' if name[0] == 'i' else 'fft'} takes complex ones"
        )
    return floating(input)


def floating(input: Tensor) -> Tensor:
    """Return a tensor of numbers that are not whole, integers in the default dtype."""
    return input if input.array.dtype.kind in "fc" else cast(input, get_default_dtype())


def complex_input(input: Tensor) -> Tensor:
    """Return the input as complex numbers."""
    input = floating(input)
    dtype = input.array.dtype
    return input if dtype.kind == "c" else cast(input, COMPLEX_OF[dtype])


# The transforms, over axes counted from the front and lengths that are known


def all_to_all(name: str, input: Tensor, axes, lengths, norm, inverse: bool) -> Tensor:
    """Transform over any number of dimensions, every frequency being kept."""
    norm = scale_of(name, norm)
    input = fitted(name, input, axes, lengths)
    if not axes:
        return complex_input(input)
    return (rules.ifft if inverse else rules.fft)(input, axes, norm)


def half_of_real(name: str, input: Tensor, axes, lengths, norm, inverse: bool) -> Tensor:
    """Transform real numbers: over the last of the dimensions half of the frequencies are kept.

    The inverse is that of signals which are symmetric in frequency: ``ihfft``.
    """
    norm = scale_of(name, norm)
    _at_least_one(name, axes)
    input = fitted(name, real_input(name, input), axes, lengths)
    *others, last = axes
    if not inverse:
        result = rules.rfft(input, last, norm)
    else:
        result = conj(rules.rfft(input, last, rules.TURNED[norm]))
    if others:
        result = (rules.ifft if inverse else rules.fft)(result, tuple(others), norm)
    return result


def real_of_half(name: str, input: Tensor, axes, lengths, norm, inverse: bool) -> Tensor:
    """Transform half of a symmetric signal, or spectrum, to real numbers.

    The length along the last dimension is that of the result, 2 (m - 1) unless it is given. What
    isn't the inverse is ``hfft``, of signals that are symmetric in time.
    """
    norm = scale_of(name, norm)
    _at_least_one(name, axes)
    *others, last = axes
    length = lengths[-1]
    length = 2 * (input.array.shape[last] - 1) if length is None else index(length)
    checked(name, length)
    input = complex_input(fitted(name, input, axes, [*lengths[:-1], length // 2 + 1]))
    if others:
        input = (rules.ifft if inverse else rules.fft)(input, tuple(others), norm)
    if inverse:
        return rules.irfft(input, length, last, norm)
    return rules.irfft(conj(input), length, last, rules.TURNED[norm])


def _at_least_one(name: str, axes) -> None:
    if not axes:
        raise ShapeError(f"{name} must transform at least one axis")
