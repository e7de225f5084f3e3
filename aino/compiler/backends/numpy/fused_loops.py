"""Writes a chain of element-wise calls: a function of one block, and the call that runs all."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from aino.compiler.backends.numpy.comments import with_out
from aino.compiler.ir.program import Call, map_values
from aino.compiler.ir.regions import Region, Storage
from aino.compiler.passes.fusion import BLOCK, SHARED, Chain
from aino.threads import lanes as shared_out
from aino.threads import pieces, worker


def blocks_of(chain: Chain) -> list[tuple[int, int]]:
    """Return the blocks of a chain, cut so that a long tail begins and ends with one."""
    edges = {0, chain.size}
    for start, call in chain.tails:
        assert call.out is not None
        if call.out.size >= BLOCK // 4:
            edges |= {start, start + call.out.size}
    return [block for low, high in pairwise(sorted(edges)) for block in pieces(low, high, BLOCK)]


class ChainWriter:
    """Writes one chain for an emitter."""

    def __init__(self, emitter, chain: Chain) -> None:
        self.emitter = emitter
        self.chain = chain
        self.name = emitter.names.fresh("chain")
        self.lines: list[str] = []
        self.given: dict[Region, tuple[str, str]] = {}
        self.names: dict[Any, str] = {}
        self.slots: dict[Storage, str] = {}

    def write(self) -> str:
        """Append the chain's function to the prelude and return the line that runs it."""
        emitter, chain = self.emitter, self.chain
        self._scratch()
        for call in chain.steps:
            self.lines.append(self._step(call))
        if chain.tails:
            self._tails()
        parameters = "".join(f", {name}" for name, _ in self.given.values())
        head = [f"def {self.name}(start, stop, scratch{parameters}):"]
        head += [
            f"    {name} = scratch[{i}][: stop - start]"
            for i, name in enumerate(self.names_of_slots)
        ]
        head += [
            f"    {name} = {name}[start:stop]"
            for value, (name, _) in self.given.items()
            if value.shape != ()
        ]
        body = [f"    {line}" for line in self.lines]
        emitter.prelude["chains"] += [*head, *body, ""]
        blocks = blocks_of(chain)
        lengths = [stop - start for start, stop in blocks]
        lanes = shared_out(blocks, lengths, SHARED)
        dtype = self._dtype()
        scratch = emitter.names.fresh(f"{self.name}_scratch")
        emitter.prelude["memory"].append(
            f"{scratch} = [[np.empty({max(lengths)}, {dtype}) "
            f"for _ in range({len(self.names_of_slots)})] for _ in range({len(lanes)})]"
        )
        table = emitter.names.fresh(f"{self.name}_blocks")
        emitter.prelude["memory"].append(f"{table} = {lanes}")
        arrays = "".join(f", {text}" for _, text in self.given.values())
        return f"{emitter.bind(run_chain)}({self.name}, {table}, {scratch}{arrays})"

    def _dtype(self) -> str:
        value = (*self.chain.steps[0].touches(), *self.chain.steps[0].results)[0]
        return f"np.{value.dtype.type.__name__}"

    def _scratch(self) -> None:
        """Give the chain's own storages as few block buffers as their lives allow."""
        chain = self.chain
        last: dict[Storage, int] = {}
        for position, call in enumerate(chain.steps):
            for value in (*call.reads(), *call.touches(), *call.results):
                last[value.storage] = position
        for _, call in chain.tails:
            for value in call.reads():
                last[value.storage] = len(chain.steps)
        ends: dict[int, list[Storage]] = {}
        for storage, position in last.items():
            if storage in chain.local:
                ends.setdefault(position, []).append(storage)
        free: list[str] = []
        self.names_of_slots: list[str] = []
        for position, call in enumerate(chain.steps):
            free += [self.slots[s] for s in ends.get(position, ()) if s in self.slots]
            for value in call.results:
                if value.storage in chain.local:
                    if not free:
                        free.append(f"t{len(self.names_of_slots)}")
                        self.names_of_slots.append(free[-1])
                    self.slots[value.storage] = free.pop()
                    if last[value.storage] == position:
                        free.append(self.slots[value.storage])

    def _value(self, value: Region) -> str:
        """Return the name of a block of a value in the chain's function."""
        if value.storage in self.slots:
            return self.slots[value.storage]
        lasting = self.emitter.layout.place.get(value.storage, "bound") in ("bound", "buffer")
        if value.shape == () and lasting:
            return self.emitter.value(value)
        if value not in self.given:
            text = self.emitter.value(value)
            name = f"{text}_" if text.isidentifier() else f"a{len(self.given)}"
            flat = text if len(value.shape) <= 1 else f"{text}.reshape(-1)"
            self.given[value] = (name, flat)
        return self.given[value][0]

    def _step(self, call: Call) -> str:
        target = call.target
        arguments = [
            self._value(item) if isinstance(item, Region) else self.emitter.text(item)
            for item in call.arguments
        ]
        name = self.emitter.function(call.function, call.operation)
        return with_out(name, call.function, arguments, self._value(target))

    def _tails(self) -> None:
        """Apply the parts of a flat result that begin in this block, one kind after the other."""
        emitter, chain = self.emitter, self.chain
        kinds: dict[str, dict[int, list[str]]] = {}
        for start, call in chain.tails:
            assert call.out is not None
            rows = kinds.setdefault(self._pattern(call), {})
            flat = f"{emitter.value(call.out)}.reshape(-1)"
            for low, high in blocks_of(chain):
                first, last = max(low, start), min(high, start + call.out.size)
                if first < last:
                    part = flat if (first, last) == (start, start + call.out.size) else (
                        f"{flat}[{first - start}:{last - start}]")  # fmt: skip
                    rows.setdefault(low, []).append(f"({part}, {first - low}, {last - low})")
        for line, rows in kinds.items():
            table = emitter.names.fresh(f"{self.name}_parts")
            parts = "".join(f"\n        {low}: [{', '.join(row)}]," for low, row in rows.items())
            emitter.prelude["views"].append(f"{table} = {{{parts}\n    }}")
            self.lines.append(f"for part, low, high in {table}.get(start, ()):")
            self.lines.append(f"    {line}")

    def _pattern(self, call: Call) -> str:
        """Return a tail with names in the places of its memory."""

        def named(value: Region) -> str:
            if value is call.out:
                return "part"
            if value.storage in self.slots:
                return f"{self.slots[value.storage]}[low:high]"
            return self._value(value) if value.shape == () else f"{self._flat(value)}[low:high]"

        arguments = map_values(call.arguments, named)
        name = self.emitter.function(call.function, call.operation)
        return with_out(name, call.function, [str(item) for item in arguments], "part")

    def _flat(self, value: Region) -> str:
        known = next(v for v in self.given if v.storage is value.storage)
        return self.given[known][0]


def run_chain(chain, lanes, scratch, *arrays) -> None:
    """Run the blocks of a loop, half of them on a second thread where there are two lanes."""

    def run(lane) -> None:
        blocks, buffers = lane
        for start, stop in blocks:
            chain(start, stop, buffers, *arrays)

    worker.share(run, list(zip(lanes, scratch)))
