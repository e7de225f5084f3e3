"""How the numbers of several processes are put together."""

from __future__ import annotations

import enum


class ReduceOp(enum.Enum):
    """What a reduction does with the numbers of all processes, element by element.

    ``SUM``, ``AVG`` (the sum over the number of processes), ``PRODUCT``, ``MIN``, ``MAX``, and bit
    by bit ``BAND``, ``BOR``, ``BXOR``.
    """

    SUM = 0
    AVG = 1
    PRODUCT = 2
    MIN = 3
    MAX = 4
    BAND = 5
    BOR = 6
    BXOR = 7
