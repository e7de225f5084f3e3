"""What whole numbers have in common: their greatest divisor, their least multiple."""

from __future__ import annotations

from aino.autograd.rules import exponents as rules
from aino.autograd.tensor import Tensor
from aino.ops.public import operation

__all__ = ["gcd", "lcm"]


@operation(rules.gcd, bound=False)
def gcd(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the greatest common divisor, element by element: never negative, 0 of two zeros.

    Raises ``DtypeError`` for what is not of integers.

    Arguments:
        input: a tensor of integers.
        other: another, that is broadcast with it.

    >>> import aino
    >>> aino.gcd(aino.tensor([12, -9, 0]), aino.tensor([8, 6, 0]))
    tensor([4, 3, 0])
    """


@operation(rules.lcm, bound=False)
def lcm(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the least common multiple, element by element: never negative, 0 where one is 0.

    Raises ``DtypeError`` for what is not of integers.

    Arguments:
        input: a tensor of integers.
        other: another, that is broadcast with it.

    >>> import aino
    >>> aino.lcm(aino.tensor([4, -6, 0]), aino.tensor([6, 9, 5]))
    tensor([12, 18,  0])
    """
