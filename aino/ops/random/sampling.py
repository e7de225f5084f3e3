"""Tensors of random numbers: uniform, standard normal, whole."""

from __future__ import annotations

from typing import Any

from aino import dtypes
from aino.autograd.tensor import Tensor
from aino.dtypes import as_dtype, get_default_dtype
from aino.errors import ArgumentError, DtypeError
from aino.layouts import check_memory_format
from aino.ops.creation.filled import shape_of
from aino.ops.creation.from_data import born
from aino.ops.out import dtype_for, into
from aino.ops.public import takes_out
from aino.ops.random.generator import Generator, draw
from aino.types import DeviceLike, DType

__all__ = [
    "rand", "randn", "randint", "randperm", "rand_like", "randn_like", "randint_like",
]  # fmt: skip


def floating(name, dtype):
    """Return the dtype of random numbers that are not integers."""
    dtype = get_default_dtype() if dtype is None else as_dtype(dtype)
    if dtype.kind not in "fc":
        raise DtypeError(f"{name}: random numbers of this kind need a float dtype, not {dtype}")
    return dtype


def rand(
    *sizes: Any,
    size: Any = None,
    generator: Generator | None = None,
    dtype: DType | None = None,
    layout: Any = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
    out: Tensor | None = None,
) -> Tensor:
    """Return numbers drawn uniformly from [0, 1).

    Raises ``DtypeError`` for a dtype that is not of floating-point or complex numbers.

    Arguments:
        sizes, size: the shape, as numbers, as one sequence, or as ``size=``.
        generator: where the random numbers come from; the default generator for None.
        dtype: the default dtype for None.
        layout, device, requires_grad, pin_memory, out: as for ``zeros``.

    >>> import aino
    >>> x = aino.rand(2, 3)
    >>> x.shape, (x >= 0).all().item(), (x < 1).all().item()
    (aino.Size([2, 3]), True, True)
    """
    dtype = floating("rand", dtype_for(out, dtype, "rand"))
    array = draw(generator, "uniform", shape_of(sizes, size), dtype)
    return into(out, born(array, device, requires_grad, layout, pin_memory), "rand")


def randn(
    *sizes: Any,
    size: Any = None,
    generator: Generator | None = None,
    dtype: DType | None = None,
    layout: Any = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
    out: Tensor | None = None,
) -> Tensor:
    """Return numbers drawn from the standard normal distribution, N(0, 1).

    Raises ``DtypeError`` for a dtype that is not of floating-point or complex numbers.

    Arguments:
        sizes, size: the shape, as numbers, as one sequence, or as ``size=``.
        generator: where the random numbers come from; the default generator for None.
        dtype: the default dtype for None.
        layout, device, requires_grad, pin_memory, out: as for ``zeros``.

    >>> import aino
    >>> aino.randn(2, 3, dtype=aino.float64).dtype
    dtype('float64')
    """
    dtype = floating("randn", dtype_for(out, dtype, "randn"))
    array = draw(generator, "normal", shape_of(sizes, size), dtype)
    return into(out, born(array, device, requires_grad, layout, pin_memory), "randn")


@takes_out
def randint(
    low: Any = None,
    high: Any = None,
    size: Any = None,
    *,
    generator: Generator | None = None,
    dtype: DType | None = None,
    layout: Any = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
    out: Tensor | None = None,
) -> Tensor:
    """Return integers drawn uniformly from low, ..., high - 1.

    Raises ``ArgumentError`` where there is no such integer, ``DtypeError`` where the dtype can't
    hold one.

    Arguments:
        low: the smallest integer; 0 where it is left out: ``randint(high, size)``.
        high: what is above the largest integer.
        size: the shape, a tuple or a list.
        generator: where the random numbers come from; the default generator for None.
        dtype: int64 for None.
        layout, device, requires_grad, pin_memory: as for ``zeros``.

    >>> import aino
    >>> x = aino.randint(3, 5, (100,))
    >>> x.min().item(), x.max().item()
    (3, 4)
    """
    if size is None and low is not None:
        low, high, size = None, low, high
    elif high is None:
        low, high = None, low
    if high is None:
        raise TypeError("randint: the bound high is missing: randint(high, size)")
    low = 0 if low is None else low
    if not isinstance(size, (tuple, list)):
        raise TypeError(f"randint: expected a shape as a tuple, got {size!r}")
    dtype = dtypes.int64 if dtype is None else as_dtype(dtype)
    array = _integers("randint", generator, low, high, shape_of((size,)), dtype)
    return born(array, device, requires_grad, layout, pin_memory)


def _integers(name, generator, low, high, shape, dtype):
    low, high = int(low), int(high)
    if low >= high:
        raise ArgumentError(f"{name}: no integer lies in {low}, ..., {high - 1}")
    return draw(generator, "integers", shape, dtype, low, high)


@takes_out
def randperm(
    n: int,
    *,
    generator: Generator | None = None,
    dtype: DType | None = None,
    layout: Any = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
    out: Tensor | None = None,
) -> Tensor:
    """Return the integers 0, ..., n - 1 in random order, each order as likely as any other.

    Raises ``ArgumentError`` for a negative n.

    Arguments:
        n: how many integers.
        generator: where the random numbers come from; the default generator for None.
        dtype: int64 for None.
        layout, device, requires_grad, pin_memory: as for ``zeros``.

    >>> import aino
    >>> sorted(aino.randperm(4).tolist())
    [0, 1, 2, 3]
    """
    if n < 0:
        raise ArgumentError(f"randperm: n must not be negative, got {n}")
    dtype = dtypes.int64 if dtype is None else as_dtype(dtype)
    return born(
        draw(generator, "permutation", (n,), dtype, n), device, requires_grad, layout, pin_memory
    )


def rand_like(
    input: Tensor,
    *,
    generator: Generator | None = None,
    dtype: DType | None = None,
    layout: Any = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """Return numbers drawn uniformly from [0, 1), in the shape of ``input``.

    Raises ``DtypeError`` for a dtype that is not of floating-point or complex numbers.

    Arguments:
        input: the tensor whose shape is taken.
        generator: where the random numbers come from; the default generator for None.
        dtype: that of ``input`` for None.
        layout, device, requires_grad, pin_memory: as for ``zeros``.
        memory_format: ``aino.contiguous_format``, or None; rows lie one after the other.

    >>> import aino
    >>> aino.rand_like(aino.zeros(2, 3)).shape
    aino.Size([2, 3])
    """
    check_memory_format(memory_format)
    dtype = floating("rand_like", input.dtype if dtype is None else dtype)
    array = draw(generator, "uniform", input.array.shape, dtype)
    return born(array, device, requires_grad, layout, pin_memory)


def randn_like(
    input: Tensor,
    *,
    generator: Generator | None = None,
    dtype: DType | None = None,
    layout: Any = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """Return numbers drawn from the standard normal distribution, in the shape of ``input``.

    Raises ``DtypeError`` for a dtype that is not of floating-point or complex numbers.

    Arguments:
        input: the tensor whose shape is taken.
        generator: where the random numbers come from; the default generator for None.
        dtype: that of ``input`` for None.
        layout, device, requires_grad, pin_memory: as for ``zeros``.
        memory_format: ``aino.contiguous_format``, or None; rows lie one after the other.

    >>> import aino
    >>> aino.randn_like(aino.zeros(2, 3)).shape
    aino.Size([2, 3])
    """
    check_memory_format(memory_format)
    dtype = floating("randn_like", input.dtype if dtype is None else dtype)
    array = draw(generator, "normal", input.array.shape, dtype)
    return born(array, device, requires_grad, layout, pin_memory)


def randint_like(
    input: Tensor,
    low: Any = None,
    high: Any = None,
    *,
    generator: Generator | None = None,
    dtype: DType | None = None,
    layout: Any = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """Return integers drawn uniformly from low, ..., high - 1, in the shape of ``input``.

    Raises ``ArgumentError`` where there is no such integer, ``DtypeError`` where the dtype can't
    hold one.

    Arguments:
        input: the tensor whose shape is taken.
        low: the smallest integer; 0 where it is left out: ``randint_like(input, high)``.
        high: what is above the largest integer.
        generator: where the random numbers come from; the default generator for None.
        dtype: that of ``input`` for None.
        layout, device, requires_grad, pin_memory: as for ``zeros``.
        memory_format: ``aino.contiguous_format``, or None; rows lie one after the other.

    >>> import aino
    >>> aino.randint_like(aino.zeros(2), 3, 4)
    tensor([3., 3.])
    """
    check_memory_format(memory_format)
    if high is None:
        low, high = 0, low
    if high is None:
        raise TypeError("randint_like: the bound high is missing")
    low = 0 if low is None else low
    dtype = input.dtype if dtype is None else as_dtype(dtype)
    array = _integers("randint_like", generator, low, high, input.array.shape, dtype)
    return born(array, device, requires_grad, layout, pin_memory)
