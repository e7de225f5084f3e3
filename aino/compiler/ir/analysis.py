"""Who makes, reads and writes each storage of a program, found in one walk over its calls."""

from __future__ import annotations

from functools import cached_property

from aino.compiler.ir.operations import Operation
from aino.compiler.ir.program import Call, Program
from aino.compiler.ir.regions import Storage

#: Memory that outlives the call.
LASTING = ("static", "argument", "gradient")


class Analysis:
    """The readers, writers and outputs of a program as it stands, by the positions of its calls.

    A pass asks for it once, before it changes anything. ``makers``: the call that makes a storage
    new; ``readers`` and ``writers``: the calls that read it, and those that write into it when it
    is there already, in order. ``lasting``: what is there after the call. ``returned``: what the
    caller gets for his own. ``outputs``: that, and what the gradients of leaves show.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self.makers: dict[Storage, int] = {}
        self.readers: dict[Storage, list[int]] = {}
        self.writers: dict[Storage, list[int]] = {}
        for position, call in enumerate(program.calls):
            for value in call.reads():
                _note(self.readers, value.storage, position)
            for value in call.touches():
                _note(self.writers, value.storage, position)
            for value in call.results:
                self.makers.setdefault(value.storage, position)

    def calls_reading(self, storage: Storage) -> list[Call]:
        """Return the calls that read a storage, in order."""
        return [self.program.calls[position] for position in self.readers.get(storage, ())]

    def maker(self, storage: Storage) -> Call | None:
        """Return the call that makes a storage, None where it is there before."""
        position = self.makers.get(storage)
        return None if position is None else self.program.calls[position]

    def may_be_kept(self, storage: Storage) -> bool:
        """Tell whether a kernel of Python's made a storage, and may keep what it has returned.

        One that writes into memory that it is given does not.
        """
        maker = self.maker(storage)
        if maker is None or maker.operation is not Operation.KERNEL:
            return False
        return not hasattr(maker.function, "takes_out")

    def first_filler(self, storage: Storage) -> Call | None:
        """Return the call that first puts numbers into a storage, None if there is none."""
        places = [self.makers[storage]] if storage in self.makers else []
        places += self.writers.get(storage, [])[:1]
        return self.program.calls[min(places)] if places else None

    def is_written_before_read(self, storage: Storage) -> bool:
        """Tell whether memory is filled whole before anybody reads it."""
        writers = self.writers.get(storage)
        if not writers:
            return False
        first = writers[0]
        readers = self.readers.get(storage)
        if readers and readers[0] <= first:
            return False
        out = self.program.calls[first].out
        return out is not None and out.storage is storage and out.is_whole

    def first_use(self, storage: Storage) -> int | None:
        """Return the position of the first call that makes, writes or reads a storage."""
        return min(self._uses(storage), default=None)

    def last_use(self, storage: Storage) -> int | None:
        """Return the position of the last call that makes, writes or reads a storage."""
        return max(self._uses(storage), default=None)

    def last_write(self, storage: Storage) -> int:
        """Return the position of the last call that writes into a storage, -1 if none does."""
        writers = self.writers.get(storage)
        return writers[-1] if writers else -1

    def last_read(self, storage: Storage) -> int:
        """Return the position of the last call that reads a storage, -1 if none does."""
        readers = self.readers.get(storage)
        return readers[-1] if readers else -1

    def _uses(self, storage: Storage) -> list[int]:
        found = [self.makers[storage]] if storage in self.makers else []
        for uses in (self.readers.get(storage), self.writers.get(storage)):
            if uses:
                found += (uses[0], uses[-1])
        return found

    @cached_property
    def returned(self) -> set[Storage]:
        """The storages that the caller gets for his own."""
        return {value.storage for value in self.program.returned()}

    @cached_property
    def outputs(self) -> set[Storage]:
        """The storages that outlive the call: returned ones and gradients."""
        return {value.storage for value in self.program.outputs()}


def analysed(program: Program) -> Analysis:
    """Return the analysis of a program as it stands, made anew unless the pipeline keeps it."""
    if program.analysis is not None:
        return program.analysis
    found = Analysis(program)
    if program.keeps_analysis:
        program.analysis = found
    return found


def _note(table: dict[Storage, list[int]], storage: Storage, position: int) -> None:
    places = table.get(storage)
    if places is None:
        table[storage] = [position]
    elif places[-1] != position:
        places.append(position)
