"""What happens when a program raises half-way: the call leaves what the function itself leaves.

Checks that look only at what was there come first, when nothing has been done yet. Memory that is
written, and generators that are drawn from, before a call that may raise are put back if it does.
Then the function itself runs, and raises at its own line with all that it does before.
"""

from __future__ import annotations

from types import TracebackType

from aino.autograd.memory import stamp_write
from aino.compiler.backends.numpy.lines import Source
from aino.compiler.ir.analysis import LASTING
from aino.compiler.ir.operations import Operation
from aino.compiler.ir.program import Program
from aino.compiler.ir.raising import may_raise, raising_places
from aino.compiler.ir.regions import Region, Storage
from aino.compiler.uncompiled import RunEagerly
from aino.tracing import LazyGradient

_DRAWS = (Operation.DRAW, Operation.SEED)


class Failure:
    """What one program has to put back, and how far it has come when it raises."""

    def __init__(self, program: Program, source: Source, pending: list[tuple]) -> None:
        self._calls = program.calls
        self._source = source
        #: Leaves with what shows their gradients, and the region that it is in.
        self._pending = pending
        before = self._calls[: max(raising_places(self._calls), default=0)]
        #: Memory that is written before something that may raise, and generators drawn from.
        self.storages: list[Storage] = list(
            dict.fromkeys(v.storage for call in before for v in call.touches() if _lasts(v))
        )
        self.generators = list(
            {id(c.arguments[0]): c.arguments[0] for c in before if c.operation in _DRAWS}.values()
        )

    @property
    def saves(self) -> bool:
        """Whether anything is to be kept at each call for the way back."""
        return bool(self.storages or self.generators)

    def save(self, arrays) -> tuple:
        """Return what is there before the call: of memory copies, of generators their states."""
        states = [generator.source.bit_generator.state for generator in self.generators]
        return arrays, [array.copy() for array in arrays], states

    def raised(self, error: BaseException, saved: tuple, walked: bool = False) -> None:
        """Raise ``RunEagerly`` where all is as it was before; else leave it as far as it came.

        ``walked``: whether the program is one stretch, which C has walked without its lines.
        """
        place = self._place_in_body(0) if walked else self._place(error.__traceback__)
        if place is not None and isinstance(error, Exception) and self._is_as_before(place, saved):
            raise RunEagerly from None
        for call in self._calls[: None if place is None else place + 1]:
            for value in call.touches():
                if value.storage.kind == "static":
                    stamp_write(value.storage.root)
        for leaf, shown, value in self._pending:
            if isinstance(leaf, str):
                continue  # an argument's, which the caller has given
            # A gradient that was on its way is none; one that was there is shown.
            done = place is not None and not any(
                value.storage in [v.storage for v in (*call.touches(), *call.results)]
                for call in self._calls[place:]
            )
            if done:
                leaf.grad = shown
            elif type(leaf.grad) is LazyGradient:
                leaf.grad = None

    def _is_as_before(self, place: int, saved: tuple) -> bool:
        """Tell whether nothing was done yet, or put back what was."""
        foreseen = may_raise(self._calls[place])  # and then has done nothing itself
        done = self._calls[: place if foreseen else place + 1]
        written = any(_lasts(value) for call in done for value in call.touches())
        if any(call.operation is Operation.EXCHANGE for call in done):
            return False  # the other processes have made it, too
        if not written and not any(call.operation in _DRAWS for call in done):
            return True
        if not saved or not foreseen:
            return False
        arrays, copies, states = saved
        for array, copy in zip(arrays, copies):
            array[...] = copy
        for generator, state in zip(self.generators, states):
            generator.source.bit_generator.state = state
        return True

    def _place(self, traceback: TracebackType | None) -> int | None:
        """Return the place of the call that raised, None if it was none of the program's."""
        line = None
        while traceback is not None:
            if traceback.tb_frame.f_code.co_filename.startswith("<program"):
                line = traceback.tb_lineno
                break
            traceback = traceback.tb_next
        if line is None:
            return None
        text = self._source.text.split("\n")
        opening = f"    def {self._source.name}("
        first = next(place for place, found in enumerate(text) if found.startswith(opening))
        return self._place_in_body(line - first - 2)

    def _place_in_body(self, after: int) -> int:
        """Return the place of the first call that is made by a line of the body or those below."""
        calls = {id(call): place for place, call in enumerate(self._calls)}
        for written in self._source.body[after:]:
            if written.call is not None and id(written.call) in calls:
                return calls[id(written.call)]
        return len(self._calls) - 1


def _lasts(value: Region) -> bool:
    return value.storage.kind in LASTING
