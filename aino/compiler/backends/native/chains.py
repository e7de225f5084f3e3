"""Writes a chain of element-wise calls for the walker: loops over flat memory, block by block."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.compiler.backends.native.stretches import agrees
from aino.compiler.ir.operations import Operation
from aino.compiler.ir.program import Call
from aino.compiler.ir.regions import Region
from aino.compiler.passes.fusion import BLOCK, SHARED, Chain
from aino.threads import lanes, pieces

#: Numbers in one block: what a chain hands from call to call stays in the fastest caches.
SMALL_BLOCK = 1 << 12


def parts_of(chain: Chain) -> list[tuple[int, int]]:
    """Return where a chain begins and ends, twice where it is shared between two threads."""
    blocks = pieces(0, chain.size, BLOCK)
    shared = lanes(blocks, [stop - start for start, stop in blocks], SHARED)
    return [(lane[0][0], lane[-1][1]) for lane in shared]


class ChainTable:
    """The operands of a chain and the links between them, as the walker is told of them.

    ``operands``: regions, texts of constants, or storages that have scratch memory of a block.
    """

    def __init__(self, chain: Chain, quiet: Any) -> None:
        self.chain = chain
        self.operands: list[Any] = []
        #: (ufunc, ((operand, role, origin) ...), begin, end)
        self.links: list[tuple] = []
        self.flags: set[bool] = set()
        self.fits = all(
            [self._add(call, 0, chain.size, quiet) for call in chain.steps]
            + [self._add(call, start, start + call.target.size, quiet)
               for start, call in chain.tails]
        )  # fmt: skip
        self.quiet = True in self.flags
        self.fits = self.fits and len(self.flags) == 1

    def _add(self, call: Call, begin: int, end: int, quiet: Any) -> bool:
        """Append a call that runs from one number to another; tell whether it can be walked."""
        function = call.function
        if call.operation is not Operation.UFUNC or call.keywords or function.nout != 1:
            return False
        if not all(isinstance(x, (Region, bool, int, float)) for x in call.arguments):
            return False
        given = [x.dtype if isinstance(x, Region) else type(x) for x in call.arguments]
        try:
            found = function.resolve_dtypes((*given, None))
        except (TypeError, ValueError):
            return False
        asked = [x.dtype if isinstance(x, Region) else d for x, d in zip(call.arguments, found)]
        if found[-1] != call.target.dtype or asked != list(found[:-1]):
            return False
        if not agrees("ufunc", function, (found[-1], *found[:-1])):
            return False
        handling = quiet.get(function, {})
        if set(handling.values()) - {"ignore"}:
            return False
        self.flags.add(bool(handling))
        operands = [
            self._operand(x, dtype, begin, end) for x, dtype in zip(call.arguments, found)
        ] + [self._operand(call.target, found[-1], begin, end)]
        self.links.append((function, tuple(operands), begin, end))
        return None not in operands

    def _operand(self, item: Any, dtype: np.dtype, begin: int, end: int) -> tuple | None:
        """Return (number of the operand, role, origin) of what a call reads or writes."""
        if not isinstance(item, Region):
            text = f"np.array({item!r}, np.{dtype.type.__name__})"
            return self._number_of(text), "number", 0
        if item.storage in self.chain.local:
            return self._number_of(item.storage), "scratch", 0
        if item.shape == ():
            return self._number_of(item), "number", 0
        if item.size == self.chain.size:
            return self._number_of(item), "flat", 0
        if item.size == end - begin:
            return self._number_of(item), "flat", begin
        return None

    def _number_of(self, operand: Any) -> int:
        if operand not in self.operands:
            self.operands.append(operand)
        return self.operands.index(operand)
