"""Writes element-wise calls over rows: a function of some rows, and the call that runs all."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.compiler.backends.numpy.comments import with_out
from aino.compiler.backends.numpy.fused_loops import run_chain
from aino.compiler.ir.program import Call
from aino.compiler.ir.regions import Region, Storage
from aino.compiler.passes.fusion import SHARED
from aino.compiler.passes.rows import ROW_BLOCK, Rows, is_copy
from aino.threads import lanes


class RowsWriter:
    """Writes one loop over rows for an emitter."""

    def __init__(self, emitter, loop: Rows) -> None:
        self.emitter = emitter
        self.loop = loop
        self.name = emitter.names.fresh("rows")
        #: What is given: region -> its name within the function, and its expression outside.
        self.given: dict[Region, tuple[str, str]] = {}
        self.views: dict[Region, str] = {}

    def write(self) -> str:
        """Append the loop's function to the prelude and return the line that runs it."""
        emitter, loop = self.emitter, self.loop
        lines = [self._step(call) for call in loop.steps]
        parameters = "".join(f", {name}" for name, _ in self.given.values())
        cuts = [
            f"{name} = {name}[start:stop]"
            for value, (name, _) in self.given.items()
            if value not in loop.whole
        ]
        head = [f"def {self.name}(start, stop, scratch{parameters}):"]
        if self.views:
            names = ", ".join(self.views.values())
            head.append(f"    {names}, = [part[: stop - start] for part in scratch]")
        emitter.prelude["chains"] += [*head, *[f"    {line}" for line in [*cuts, *lines]], ""]
        blocks = self._blocks()
        lengths = [loop.work // loop.rows * (stop - start) for start, stop in blocks]
        shared = lanes(blocks, lengths, SHARED)
        table = emitter.names.fresh(f"{self.name}_blocks")
        scratch = emitter.names.fresh(f"{self.name}_scratch")
        emitter.prelude["memory"] += [
            f"{table} = {shared}",
            f"{scratch} = [{self._scratch(blocks[0][1])} for _ in range({len(shared)})]",
        ]
        arrays = "".join(f", {text}" for _, text in self.given.values())
        return f"{emitter.bind(run_chain)}({self.name}, {table}, {scratch}{arrays})"

    def _blocks(self) -> list[tuple[int, int]]:
        """Return the blocks of rows, of which the first is the longest."""
        rows = self.loop.rows
        longest = max([call.target.size for call in self.loop.steps])
        height = max(1, min(-(-rows // 2), ROW_BLOCK * rows // longest))
        return [(start, min(start + height, rows)) for start in range(0, rows, height)]

    def _scratch(self, height: int) -> str:
        """Return the expression that makes memory for what is local, and its regions."""
        places, sizes = self._places()
        forms = [
            f"({places[value.storage]}, {value.shape[1:]}, {self.emitter.dtype(value.dtype)}, "
            f"{value.offset}, {value.strides})"
            for value in self.views
        ]
        if not forms:
            return "[]"
        return f"{self.emitter.bind(row_memory)}({height}, {sizes}, [{', '.join(forms)}])"

    def _places(self) -> tuple[dict[Storage, int], list[int]]:
        """Give what is local as few pieces of memory as their lives allow, and their sizes."""
        last: dict[Storage, int] = {}
        for position, call in enumerate(self.loop.steps):
            for value in (*call.reads(), call.target):
                if value.storage in self.loop.local:
                    last[value.storage] = position
        places: dict[Storage, int] = {}
        sizes: list[int] = []
        free: list[int] = []
        for position, call in enumerate(self.loop.steps):
            storage = call.target.storage
            if storage in last and storage not in places:
                size = storage.whole.strides[0]
                # The piece that is nearest in size: it need not grow.
                free.sort(key=lambda place: abs(sizes[place] - size))
                if free:
                    places[storage] = free.pop(0)
                else:
                    places[storage] = len(sizes)
                    sizes.append(0)
                sizes[places[storage]] = max(sizes[places[storage]], size)
            free += [places[s] for s, end in last.items() if end == position and s in places]
        return places, sizes

    def _value(self, value: Region) -> str:
        """Return the name of some rows of a region in the function."""
        if value.storage in self.loop.local:
            if value not in self.views:
                self.views[value] = f"t{len(self.views)}"
            return self.views[value]
        lasting = self.emitter.layout.place.get(value.storage, "bound") in ("bound", "buffer")
        if value in self.loop.whole and lasting:
            return self.emitter.value(value)
        if value not in self.given:
            text = self.emitter.value(value)
            self.given[value] = (f"a{len(self.given)}", text)
        return self.given[value][0]

    def _step(self, call: Call) -> str:
        target = self._value(call.target)
        if is_copy(call):
            return f"{target}[...] = {self._value(call.arguments[0])}"
        arguments = [
            self._value(item) if isinstance(item, Region) else self.emitter.text(item)
            for item in call.arguments
        ]
        name = self.emitter.function(call.function, call.operation)
        return with_out(name, call.function, arguments, target)


def row_memory(height, sizes, forms) -> list[Any]:
    """Return regions of new memory of some rows: (which memory, shape, dtype, offset, strides)."""
    memory = [np.empty(height * size, np.uint8) for size in sizes]
    return [
        np.ndarray((height, *shape), dtype, memory[place], offset, strides)
        for place, shape, dtype, offset, strides in forms
    ]
