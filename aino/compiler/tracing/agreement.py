"""Two traces must agree: what differs is Python state that a program would not see change."""

from __future__ import annotations

import numpy as np

from aino.compiler.ir.analysis import Analysis
from aino.compiler.ir.printer import called
from aino.compiler.ir.program import Call, Program, Returned
from aino.compiler.ir.regions import Region, Storage
from aino.compiler.ir.symbolic import SymbolicNumber
from aino.pytree import is_container, parts_of

_OUTSIDE = ("static", "constant")


class TraceMismatch(Exception):
    """The first difference between two traces, in the user's terms."""


def compare(before: Program, after: Program) -> None:
    """Raise ``TraceMismatch`` unless both programs do the same; settle what memory is constant.

    Memory from outside that is the same array in both traces is read afresh at each call. Memory
    that is another array with the same contents is a constant; with other contents, the two
    traces disagree.
    """
    if after.unrepeatable:
        raise TraceMismatch(after.unrepeatable)
    pairs = _Pairs()
    for first, second in zip(before.calls, after.calls):
        try:
            pairs.match_calls(first, second)
        except TraceMismatch as difference:
            raise TraceMismatch(f"{difference}, at {second.line or 'an unknown line'}") from None
    if len(before.calls) != len(after.calls):
        longer = max(before.calls, after.calls, key=len)
        line = longer[min(len(before.calls), len(after.calls))].line
        raise TraceMismatch(
            f"one run made {len(before.calls)} NumPy calls and the next {len(after.calls)}; the "
            f"first more is at {line}"
        )
    pairs.match(before.result, after.result, "the returned structure")
    given = [
        [(leaf, x if isinstance(x, str) else id(x)) for leaf, x in program.given_gradients]
        for program in (before, after)
    ]
    if given[0] != given[1]:
        raise TraceMismatch("the runs gave other tensors to leaves as their gradients")
    leaves = [leaf for leaf, _ in before.gradients]
    if leaves != [leaf for leaf, _ in after.gradients]:
        raise TraceMismatch("the runs gave gradients to different leaves")
    for (_, one), (_, other) in zip(before.gradients, after.gradients):
        pairs.match(one, other, "a gradient")
    for (_, key, number), (_, _, later) in zip(before.updates, after.updates):
        pairs.match(number, later, f"the number {key!r}")
    if [effect.identity for effect, _ in before.stored] != [
        effect.identity for effect, _ in after.stored
    ]:
        known = {effect.identity for effect, _ in before.stored}
        others = [effect for effect, _ in after.stored if effect.identity not in known]
        spoken = (others or [effect for effect, _ in before.stored])[0].place.spoken
        raise TraceMismatch(f"{spoken} was changed by one run and not by the next")
    for (_, one), (effect, other) in zip(before.stored, after.stored):
        pairs.match(one, other, f"what {effect.place.spoken} is set to")
    if pairs.constants:
        analysis = Analysis(after)
        for mine, its in pairs.constants:
            _settle(mine, its, analysis)


class _Pairs:
    """Which storage of one trace is which of the other."""

    def __init__(self) -> None:
        self.storages: dict[Storage, Storage] = {}
        self.constants: list[tuple[Storage, Storage]] = []

    def match_calls(self, first: Call, second: Call) -> None:
        if first.operation is not second.operation or (
            first.function is not second.function and first.function != second.function
        ):
            raise TraceMismatch(
                f"one run called {called(first)} where the next called {called(second)}"
            )
        what = f"an argument of {called(second)}"
        self.match(first.arguments, second.arguments, what)
        self.match(first.keywords, second.keywords, what)
        self.match(first.out, second.out, f"the target of {called(second)}")
        self.match(first.writes, second.writes, f"the target of {called(second)}")
        self.match(first.results, second.results, f"the result of {called(second)}")

    def match(self, first, second, what: str) -> None:
        """Compare two arguments: values by their place, anything else by what it is."""
        if isinstance(first, Region) and isinstance(second, Region):
            self.match_values(first, second, what)
        elif isinstance(first, Returned) and isinstance(second, Returned):
            if first.original is not second.original and not (
                isinstance(first.original, str) and first.original == second.original
            ):
                raise TraceMismatch("another tensor was returned")
            if first.original is None:
                self.match_values(first.value, second.value, what)
        elif isinstance(first, SymbolicNumber) and isinstance(second, SymbolicNumber):
            if first.source != second.source:
                raise TraceMismatch(f"{what} was computed as {first.source}, then {second.source}")
        elif isinstance(first, (tuple, list)) and type(first) is type(second):
            if len(first) != len(second):
                raise TraceMismatch(f"{what} had {len(first)} parts, then {len(second)}")
            for a, b in zip(first, second):
                self.match(a, b, what)
        elif isinstance(first, dict) and isinstance(second, dict):
            if first.keys() != second.keys():
                raise TraceMismatch(f"{what} had the keys {list(first)}, then {list(second)}")
            for key in first:
                self.match(first[key], second[key], what)
        elif type(first) is type(second) and is_container(first):
            self.match(parts_of(first), parts_of(second), what)
        elif not same_plain(first, second):
            raise TraceMismatch(f"{what} changed from {first!r} to {second!r}")

    def match_values(self, first: Region, second: Region, what: str) -> None:
        a = (first.shape, first.strides, first.dtype, first.offset)
        b = (second.shape, second.strides, second.dtype, second.offset)
        known = self.storages.get(first.storage)
        if known is None:
            self.storages[first.storage] = second.storage
            self.match_storages(first.storage, second.storage, what)
        elif known is not second.storage:
            raise TraceMismatch(f"{what} is other memory in the next run")
        if a != b:
            raise TraceMismatch(
                f"{what} changed from shape {first.shape} to {second.shape}, or lies elsewhere"
            )

    def match_storages(self, first: Storage, second: Storage, what: str) -> None:
        if first.kind in _OUTSIDE and second.kind in _OUTSIDE:
            if first.root is not second.root:
                self.constants.append((first, second))
            else:
                second.kind = "static"  # an array that a tensor was made of, such as from_numpy's
        elif first.kind != second.kind:
            raise TraceMismatch(f"{what} was {first.kind} memory, then {second.kind}")
        elif first.kind == "gradient" and first.leaf is not second.leaf:
            raise TraceMismatch(f"{what} is the gradient of another leaf")
        elif first.kind == "argument" and first.label != second.label:
            raise TraceMismatch(f"{what} is another argument")


def same_plain(first, second) -> bool:
    """Tell whether two plain arguments are the same, NaN like NaN."""
    if first is second:
        return True
    if type(first) is not type(second):
        return False
    if isinstance(first, slice):
        return (first.start, first.stop, first.step) == (second.start, second.stop, second.step)
    try:
        return bool(first == second) or (first != first and second != second)
    except Exception:
        return False


def _settle(first: Storage, second: Storage, analysis: Analysis) -> None:
    """Make memory that each trace made for itself a constant, or say that it changed."""
    if analysis.is_written_before_read(second):
        second.kind = "temporary"
        return
    before = first.initial if first.initial is not None else first.root
    after = second.initial if second.initial is not None else second.root
    if before.shape != after.shape or not np.array_equal(
        before, after, equal_nan=before.dtype.kind in "fc"
    ):
        line = next((call.line for call in analysis.calls_reading(second)), "an unknown line")
        shown = f" (shape {after.shape})"
        if before.size == 1 == after.size:
            shown = f" from {before.item()!r} to {after.item()!r}"
        raise TraceMismatch(
            f"a value made by Python changed{shown} between two runs, at {line}; give it to the "
            "function as an argument, or keep it in one tensor and change that in place"
        )
    second.kind = "constant"
    if second.initial is None:
        second.initial = after.copy(order="K")
