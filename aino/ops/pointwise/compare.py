"""Comparisons, and logic on truth values and bits. None of them has a derivative."""

from __future__ import annotations

import numpy as np

from aino.autograd.calling import wrap
from aino.autograd.duck import still
from aino.autograd.rules import compare as rules
from aino.autograd.tensor import Tensor, make
from aino.errors import ArgumentError, DtypeError
from aino.ops.public import method, operation, takes_out
from aino.types import Number

__all__ = [
    "eq", "ne", "not_equal", "lt", "less", "le", "less_equal", "gt", "greater", "ge",
    "greater_equal", "equal", "isclose", "allclose", "isnan", "isinf", "isfinite", "isposinf",
    "isneginf", "isreal", "signbit", "logical_and", "logical_or", "logical_xor", "logical_not",
    "bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_not", "bitwise_left_shift",
    "bitwise_right_shift",
]  # fmt: skip


@operation(rules.eq, inplace=True)
def eq(input: Tensor, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """Return where elements are equal; nan equals nothing.

    Arguments:
        input: a tensor.
        other: a tensor that is broadcast with it, or a number.

    >>> import aino
    >>> aino.eq(aino.tensor([1.0, 2.0]), 2)
    tensor([False,  True])
    """


@operation(rules.ne, inplace=True, aliases=("not_equal",))
def ne(input: Tensor, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """Return where elements differ; nan differs from everything.

    Arguments:
        input: a tensor.
        other: a tensor that is broadcast with it, or a number.

    >>> import aino
    >>> aino.ne(aino.tensor([1.0, 2.0]), 2)
    tensor([ True, False])
    """


@operation(rules.lt, inplace=True, aliases=("less",))
def lt(input: Tensor, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """Return where ``input < other``.

    Arguments:
        input: a tensor.
        other: a tensor that is broadcast with it, or a number.

    >>> import aino
    >>> aino.lt(aino.tensor([1.0, 2.0]), 2)
    tensor([ True, False])
    """


@operation(rules.le, inplace=True, aliases=("less_equal",))
def le(input: Tensor, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """Return where ``input <= other``.

    Arguments:
        input: a tensor.
        other: a tensor that is broadcast with it, or a number.

    >>> import aino
    >>> aino.le(aino.tensor([2.0, 3.0]), 2)
    tensor([ True, False])
    """


@operation(rules.gt, inplace=True, aliases=("greater",))
def gt(input: Tensor, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """Return where ``input > other``.

    Arguments:
        input: a tensor.
        other: a tensor that is broadcast with it, or a number.

    >>> import aino
    >>> aino.gt(aino.tensor([2.0, 3.0]), 2)
    tensor([False,  True])
    """


@operation(rules.ge, inplace=True, aliases=("greater_equal",))
def ge(input: Tensor, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """Return where ``input >= other``.

    Arguments:
        input: a tensor.
        other: a tensor that is broadcast with it, or a number.

    >>> import aino
    >>> aino.ge(aino.tensor([1.0, 2.0]), 2)
    tensor([False,  True])
    """


not_equal, less, less_equal, greater, greater_equal = ne, lt, le, gt, ge


@method
def equal(input: Tensor, other: Tensor) -> bool:
    """Tell whether two tensors have the same shape and the same elements.

    Arguments:
        input: a tensor.
        other: the tensor that it is compared with.

    >>> import aino
    >>> aino.equal(aino.tensor([1.0, 2.0]), aino.tensor([1.0, 2.0]))
    True
    """
    return input.array.shape == other.array.shape and rules.eq(input, other).array.all().item()


@method
def isclose(
    input: Tensor,
    other: Tensor,
    rtol: float = 1e-05,
    atol: float = 1e-08,
    equal_nan: bool = False,
) -> Tensor:
    """Return where ``|input - other| <= atol + rtol · |other|``.

    Equal infinities are close. Raises ``DtypeError`` when the dtypes differ, ``ValueError`` for a
    negative tolerance.

    Arguments:
        input: a tensor.
        other: the tensor that it is compared with, broadcast.
        rtol: how far apart, as a part of ``other``.
        atol: how far apart at least.
        equal_nan: whether nan is close to nan.

    >>> import aino
    >>> aino.isclose(aino.tensor([1.0, 2.0]), aino.tensor([1.0 + 1e-6, 2.1]))
    tensor([ True, False])
    """
    a, b = still(input.array), still(other.array)
    if a.dtype != b.dtype:
        raise DtypeError(f"isclose: expected tensors of one dtype, got {a.dtype} and {b.dtype}")
    if rtol < 0 or atol < 0:
        raise ArgumentError(f"isclose: rtol and atol can't be negative, got {rtol} and {atol}")
    same = a == b
    if equal_nan:
        same = same | ((a != a) & (b != b))
    if rtol == 0 and atol == 0:
        return make(wrap(same))
    if a.dtype.kind in "biu":
        a, b = a.astype(np.float64), b.astype(np.float64)
    with np.errstate(invalid="ignore"):
        distance = np.absolute(a - b)
        near = np.isfinite(distance) & (distance <= atol + rtol * np.absolute(b))
    return make(wrap(same | near))


@method
def allclose(
    input: Tensor,
    other: Tensor,
    rtol: float = 1e-05,
    atol: float = 1e-08,
    equal_nan: bool = False,
) -> bool:
    """Tell whether all elements are close: ``|input - other| <= atol + rtol · |other|``.

    Raises what ``isclose`` does.

    Arguments:
        input: a tensor.
        other: the tensor that it is compared with, broadcast.
        rtol: how far apart, as a part of ``other``.
        atol: how far apart at least.
        equal_nan: whether nan is close to nan.

    >>> import aino
    >>> aino.allclose(aino.tensor([1.0, 2.0]), aino.tensor([1.0, 2.1]))
    False
    """
    return isclose(input, other, rtol, atol, equal_nan).array.all().item()


@operation(rules.isnan)
def isnan(input: Tensor) -> Tensor:
    """Return where elements are nan.

    >>> import aino
    >>> aino.isnan(aino.tensor([1.0, aino.nan]))
    tensor([False,  True])
    """


@operation(rules.isinf)
def isinf(input: Tensor) -> Tensor:
    """Return where elements are infinite, positive or negative.

    >>> import aino
    >>> aino.isinf(aino.tensor([1.0, -aino.inf]))
    tensor([False,  True])
    """


@operation(rules.isfinite)
def isfinite(input: Tensor) -> Tensor:
    """Return where elements are neither infinite nor nan.

    >>> import aino
    >>> aino.isfinite(aino.tensor([1.0, aino.inf, aino.nan]))
    tensor([ True, False, False])
    """


@method
@takes_out
def isposinf(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return where elements are positive infinity. Raises ``DtypeError`` for complex numbers.

    >>> import aino
    >>> aino.isposinf(aino.tensor([-aino.inf, aino.inf]))
    tensor([False,  True])
    """
    return _is_this("isposinf", input, np.inf)


@method
@takes_out
def isneginf(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return where elements are negative infinity. Raises ``DtypeError`` for complex numbers.

    >>> import aino
    >>> aino.isneginf(aino.tensor([-aino.inf, aino.inf]))
    tensor([ True, False])
    """
    return _is_this("isneginf", input, -np.inf)


def _is_this(name, input, value):
    if input.dtype.kind == "c":
        raise DtypeError(f"{name}: complex numbers have no sign")
    return rules.eq(input, value)


@method
def isreal(input: Tensor) -> Tensor:
    """Return where the imaginary part is zero: everywhere, unless the dtype is complex.

    >>> import aino
    >>> aino.isreal(aino.tensor([1 + 0j, 1j]))
    tensor([ True, False])
    """
    return make(wrap(still(input.array).imag == 0))


@method
@takes_out
def signbit(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return where a minus stands before the element, that of -0.0 included.

    >>> import aino
    >>> aino.signbit(aino.tensor([1.0, -2.0, -0.0]))
    tensor([False,  True,  True])
    """
    kind = input.dtype.kind
    if kind == "c":
        raise DtypeError("signbit: complex numbers have no sign")
    return rules.signbit(input) if kind == "f" else rules.lt(input, 0)


@operation(rules.logical_and, inplace=True)
def logical_and(input: Tensor, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """Return where both elements are true.

    Arguments:
        input: a tensor; what is not zero is true.
        other: a tensor that is broadcast with it, or a number.

    >>> import aino
    >>> aino.logical_and(aino.tensor([True, True]), aino.tensor([0.0, 2.0]))
    tensor([False,  True])
    """


@operation(rules.logical_or, inplace=True)
def logical_or(input: Tensor, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """Return where at least one of two elements is true.

    Arguments:
        input: a tensor; what is not zero is true.
        other: a tensor that is broadcast with it, or a number.

    >>> import aino
    >>> aino.logical_or(aino.tensor([False, True]), aino.tensor([0.0, 2.0]))
    tensor([False,  True])
    """


@operation(rules.logical_xor, inplace=True)
def logical_xor(input: Tensor, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """Return where exactly one of two elements is true.

    Arguments:
        input: a tensor; what is not zero is true.
        other: a tensor that is broadcast with it, or a number.

    >>> import aino
    >>> aino.logical_xor(aino.tensor([False, True]), aino.tensor([2.0, 2.0]))
    tensor([ True, False])
    """


@operation(rules.logical_not, inplace=True)
def logical_not(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return where elements are zero, or False.

    >>> import aino
    >>> aino.logical_not(aino.tensor([0.0, 2.0]))
    tensor([ True, False])
    """


@operation(rules.bitwise_and, inplace=True)
def bitwise_and(input: Tensor, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """Return the bits that both elements have; of booleans, whether both are True.

    Raises ``TypeError`` for other numbers.

    Arguments:
        input: a tensor of integers or booleans.
        other: a tensor that is broadcast with it, or a number.

    >>> import aino
    >>> aino.bitwise_and(aino.tensor([6, 5]), 3)
    tensor([2, 1])
    """


@operation(rules.bitwise_or, inplace=True)
def bitwise_or(input: Tensor, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """Return the bits that one of two elements has; of booleans, whether one is True.

    Raises ``TypeError`` for other numbers.

    Arguments:
        input: a tensor of integers or booleans.
        other: a tensor that is broadcast with it, or a number.

    >>> import aino
    >>> aino.bitwise_or(aino.tensor([6, 5]), 3)
    tensor([7, 7])
    """


@operation(rules.bitwise_xor, inplace=True)
def bitwise_xor(input: Tensor, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """Return the bits that exactly one of two elements has; of booleans, whether they differ.

    Raises ``TypeError`` for other numbers.

    Arguments:
        input: a tensor of integers or booleans.
        other: a tensor that is broadcast with it, or a number.

    >>> import aino
    >>> aino.bitwise_xor(aino.tensor([6, 5]), 3)
    tensor([5, 6])
    """


@operation(rules.bitwise_not, inplace=True)
def bitwise_not(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the other bits, of integers or booleans: ``~x``.

    >>> import aino
    >>> aino.bitwise_not(aino.tensor([0, 5])), ~aino.tensor([True, False])
    (tensor([-1, -6]), tensor([False,  True]))
    """


@operation(rules.bitwise_left_shift, inplace=True)
def bitwise_left_shift(
    input: Tensor, other: Tensor | Number, *, out: Tensor | None = None
) -> Tensor:
    """Return the bits moved to the left: ``input · 2**other``.

    Arguments:
        input: a tensor of integers.
        other: by how many places: integers that are broadcast, or a number.

    >>> import aino
    >>> aino.bitwise_left_shift(aino.tensor([1, 3]), 2)
    tensor([ 4, 12])
    """


@operation(rules.bitwise_right_shift, inplace=True)
def bitwise_right_shift(
    input: Tensor, other: Tensor | Number, *, out: Tensor | None = None
) -> Tensor:
    """Return the bits moved to the right, with the sign kept: ``⌊input / 2**other⌋``.

    Arguments:
        input: a tensor of integers.
        other: by how many places: integers that are broadcast, or a number.

    >>> import aino
    >>> aino.bitwise_right_shift(aino.tensor([9, -8]), 2)
    tensor([ 2, -2])
    """
