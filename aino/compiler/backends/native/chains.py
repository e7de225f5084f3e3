"""Writes a chain of element-wise calls for the walker: loops over flat memory, block by block."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.compiler.backends.native.instructions import Constant
from aino.compiler.backends.native.stretches import loop_dtypes
from aino.compiler.ir.program import Call
from aino.compiler.ir.regions import Region
from aino.compiler.passes.fusion import BLOCK, SHARED, Chain
from aino.native.trials import agrees, quiet_bits
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

    ``operands``: regions, constants, or storages that have scratch memory of a block.
    ``quiet``: what of overflow and its kin is nobody's business in it, as NumPy's bits.
    """

    def __init__(self, chain: Chain, handling: dict[Any, dict[str, str]]) -> None:
        self.chain = chain
        self._numbers: dict[Any, int] = {}
        #: (ufunc, ((operand, role, origin) ...), begin, end)
        self.links: list[tuple] = []
        calls = [(0, call) for call in chain.steps] + chain.tails
        told = {quiet_bits(handling.get(call.function, {})) for _, call in calls}
        self.quiet = next((bits for bits in told if bits is not None), 0)
        self.fits = told == {self.quiet} and all(
            [self._add(call, start, start + call.target.size) for start, call in calls]
        )
        dtype = chain.steps[0].target.dtype
        self.fits = self.fits and (dtype.char not in "fd" or agrees("chain", None, (dtype,)))

    @property
    def operands(self) -> list[Any]:
        """What the links go over, each once."""
        return list(self._numbers)

    def _add(self, call: Call, begin: int, end: int) -> bool:
        """Append a call that runs from one number to another; tell whether it can be walked."""
        found = loop_dtypes(call)
        if found is None or not agrees("ufunc", call.function, (found[-1], *found[:-1])):
            return False
        values = (*call.arguments, call.target)
        operands = [self._operand(x, dtype, begin, end) for x, dtype in zip(values, found)]
        self.links.append((call.function, tuple(operands), begin, end))
        return None not in operands

    def _operand(self, item: Any, dtype: np.dtype, begin: int, end: int) -> tuple | None:
        """Return (number of the operand, role, origin) of what a call reads or writes."""
        if not isinstance(item, Region):
            return self._number_of(Constant(np.array(item, dtype))), "number", 0
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
        return self._numbers.setdefault(operand, len(self._numbers))
