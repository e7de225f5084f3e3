"""Complex numbers: their parts, and how they are put together."""

from __future__ import annotations

import numpy as np

from aino.autograd.rules import complex as rules
from aino.autograd.rules import elementwise, trigonometry
from aino.autograd.rules.shape import clone
from aino.autograd.tensor import Tensor
from aino.errors import DtypeError, ShapeError
from aino.ops.public import method, operation, takes_out

__all__ = [
    "real", "imag", "conj", "conj_physical", "resolve_conj", "resolve_neg", "angle", "complex",
    "polar", "view_as_real", "view_as_complex",
]  # fmt: skip


@method
def real(input: Tensor) -> Tensor:
    """Return the real part, sharing memory; a real tensor is its own.

    >>> import aino
    >>> aino.real(aino.tensor([1 + 2j]))
    tensor([1.])
    """
    return rules.real(input) if input.dtype.kind == "c" else input


@method
def imag(input: Tensor) -> Tensor:
    """Return the imaginary part, sharing memory. Raises ``DtypeError`` for real tensors.

    >>> import aino
    >>> aino.imag(aino.tensor([1 + 2j]))
    tensor([2.])
    """
    if input.dtype.kind != "c":
        raise DtypeError(f"imag: a tensor of dtype {input.dtype} has no imaginary part")
    return rules.imag(input)


@method
def conj(input: Tensor) -> Tensor:
    """Return the complex conjugate: ``a - bi``; a real tensor is its own.

    PyTorch's is a view of the same memory. NumPy has no such view: of complex numbers this is a
    copy, taken now, that can't be written in place; ``conj_physical`` or ``clone()`` can.

    >>> import aino
    >>> aino.conj(aino.tensor([1 + 2j]))
    tensor([1.-2.j])
    """
    if input.dtype.kind != "c":
        return input
    result = rules.conj(input)
    result.array.flags.writeable = False
    return result


@method(inplace=True)
@takes_out
def conj_physical(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the complex conjugate in memory of its own; a real tensor is its own.

    >>> import aino
    >>> aino.conj_physical(aino.tensor([1 + 2j]))
    tensor([1.-2.j])
    """
    return rules.conj(input) if input.dtype.kind == "c" else input


@method
def resolve_conj(input: Tensor) -> Tensor:
    """Return the input, or a copy that can be written of what ``conj`` made.

    >>> import aino
    >>> aino.resolve_conj(aino.tensor([1j]).conj())
    tensor([0.-1.j])
    """
    computed = input.dtype.kind == "c" and not input.array.flags.writeable
    return clone(input) if computed else input


@method
def resolve_neg(input: Tensor) -> Tensor:
    """Return the input: signs are computed at once here.

    >>> import aino
    >>> aino.resolve_neg(aino.tensor([1.0]))
    tensor([1.])
    """
    return input


@operation(rules.angle)
def angle(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the angle of complex numbers in (-π, π]; 0 or π of real ones.

    >>> import aino
    >>> aino.angle(aino.tensor([1j, -1 + 0j]))
    tensor([1.5708, 3.1416])
    """


@takes_out
def complex(real: Tensor, imag: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return complex numbers of two parts: ``real + imag · i``.

    Raises ``DtypeError`` unless both parts are of one dtype, float32 or float64.

    Arguments:
        real: the real parts, float32 or float64.
        imag: the imaginary parts, of the same dtype, broadcast.

    >>> import aino
    >>> aino.complex(aino.tensor([1.0]), aino.tensor([2.0]))
    tensor([1.+2.j])
    """
    _check_parts("complex", real, imag)
    return rules.complex(real, imag)


@takes_out
def polar(abs: Tensor, angle: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return complex numbers of a length and an angle: ``abs · (cos angle + i sin angle)``.

    Raises ``DtypeError`` unless both are of one dtype, float32 or float64.

    Arguments:
        abs: the absolute values, float32 or float64.
        angle: the angles in radians, of the same dtype, broadcast.

    >>> import aino
    >>> aino.polar(aino.tensor([2.0]), aino.tensor([0.0]))
    tensor([2.+0.j])
    """
    _check_parts("polar", abs, angle)
    cosine, sine = trigonometry.cos(angle), trigonometry.sin(angle)
    return rules.complex(elementwise.mul(abs, cosine), elementwise.mul(abs, sine))


def _check_parts(name, first, second) -> None:
    if first.dtype != second.dtype or first.dtype not in (np.float32, np.float64):
        raise DtypeError(
            f"{name}: expected two tensors of float32 or two of float64, got {first.dtype} and "
            f"{second.dtype}"
        )


def view_as_real(input: Tensor) -> Tensor:
    """Return complex numbers as pairs (real, imaginary) in a new last dimension, a view.

    >>> import aino
    >>> aino.view_as_real(aino.tensor([1 + 2j, 3 + 4j]))
    tensor([[1., 2.],
            [3., 4.]])
    """
    if input.dtype.kind != "c":
        raise DtypeError(f"view_as_real: expected a complex tensor, got {input.dtype}")
    return rules.view_as_real(input)


def view_as_complex(input: Tensor) -> Tensor:
    """Return pairs (real, imaginary) in the last dimension as complex numbers, a view.

    >>> import aino
    >>> aino.view_as_complex(aino.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([1.+2.j, 3.+4.j])
    """
    shape = input.array.shape
    if input.dtype not in (np.float32, np.float64):
        raise DtypeError(f"view_as_complex: expected float32 or float64, got {input.dtype}")
    if not shape or shape[-1] != 2 or input.array.strides[-1] != input.itemsize:
        raise ShapeError(
            f"view_as_complex: the last dimension of a tensor of shape {shape} does not hold "
            "pairs that lie side by side in memory"
        )
    return rules.view_as_complex(input)
