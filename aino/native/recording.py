"""Records which calls of NumPy a kernel makes, so that the walker makes them without Python.

A kernel that says of itself that its calls depend on shapes alone (``unconditional``) runs once on
arrays that write down what is done with them: which ufunc, product or copy, over which part of
which memory. Whatever else it does with an array refuses to be recorded. Then what was recorded
is walked on other numbers, and used only where the kernel's results come out, bit for bit.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from aino.native.forms import Form, Part
from aino.native.recorded_array import Recorded, UnrecordedError, plain
from aino.native.trials import agrees, quiet_bits, stretch_type
from aino.tracing import session

#: Kinds that consist of lists of instructions.
OF_LISTS = ("both", "either")
#: Scratch memory begins at multiples of so many bytes.
_LINE = 64


@dataclass
class Recording:
    """What a kernel does: instructions over its operands, its results and scratch memory.

    ``given``: how many operands it has. ``results``: the memories of what it returns, None where
    that is nothing. ``scratch``: memory -> how many bytes of it there are, and where they begin.
    """

    given: int
    results: list[int | None]
    scratch: dict[int, tuple[int, int]]
    rows: list[tuple]
    size: int

    def on(self, room: np.ndarray, *places: Any) -> list[tuple]:
        """Return the instructions for operands and results: arrays, or (stand-in, slot).

        ``room``: so many bytes as the recording has scratch memory, for it and for others: nobody
        reads what was left there.
        """
        memories: dict[int, Any] = dict(enumerate(places[: self.given]))
        made = [memory for memory in self.results if memory is not None]
        memories.update(zip(made, places[self.given :]))
        for memory, (length, begin) in self.scratch.items():
            memories[memory] = room[begin : begin + length]
        return [self._row(row, memories) for row in self.rows]

    def _row(self, row: tuple, memories: dict[int, Any]) -> tuple:
        kind, operands, detail, quiet = row
        if kind in OF_LISTS:
            detail = tuple([[self._row(one, memories) for one in part] for part in detail])
        return kind, tuple([self._operand(x, memories) for x in operands]), detail, quiet

    def _operand(self, x: Any, memories: dict[int, Any]) -> Any:
        if not isinstance(x, Part):
            return x
        memory = memories[x.memory]
        if isinstance(memory, tuple):
            return x.form.stand_in(), memory[1], x.offset
        return x.form.at(memory, x.offset)

    @property
    def count(self) -> int:
        """How many instructions there are."""
        return _count(self.rows)


def scratch_of(size: int) -> np.ndarray:
    """Return so many bytes that begin with a line of the cache."""
    memory = np.empty(size + _LINE, np.uint8)
    start = -memory.__array_interface__["data"][0] % _LINE
    return memory[start : start + size]


def _count(rows: list[tuple]) -> int:
    return sum([sum(map(_count, row[2][:2])) if row[0] in OF_LISTS else 1 for row in rows])


@dataclass
class Recorder:
    """Writes down what is done with arrays while a kernel runs."""

    memories: list[np.ndarray] = field(default_factory=list)
    rows: list[tuple] = field(default_factory=list)
    written: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._alone = False
        self._forms: dict[Form, Form] = {}  # each once
        self.notice()

    def notice(self) -> None:
        """Note what is said of overflow and its kin now: where that differs, it is quiet."""
        self._handling = np.geterr()

    @contextlib.contextmanager
    def one_thread(self) -> Iterator[None]:
        """Note of products that one thread computes them."""
        before, self._alone = self._alone, True
        try:
            yield
        finally:
            self._alone = before

    def known(self, array: np.ndarray) -> Any:
        """Return an array as one that is recorded, over memory of its own."""
        self.memories.append(array)
        return array.view(Recorded)

    def part(self, x: np.ndarray) -> Any:
        """Return which part of which memory an array is; what nobody can write is a constant."""
        start = x.__array_interface__["data"][0]
        low, high = np.lib.array_utils.byte_bounds(x)
        for number, memory in enumerate(self.memories):
            first, end = np.lib.array_utils.byte_bounds(memory)
            if first <= low and high <= end and memory.size:
                base = memory.__array_interface__["data"][0]
                form = Form.of(x)
                return Part(number, start - base, self._forms.setdefault(form, form))
        if not x.size or not x.flags.writeable:
            return x
        raise UnrecordedError("memory that is not known")

    def add(self, kind: str, operands: list[np.ndarray], detail: Any) -> None:
        """Append an instruction, of which the first operand is written."""
        arrays = [x.view(np.ndarray) for x in operands]
        if not arrays[0].size:
            return
        if kind in ("ufunc", "copy"):
            _check_apart(arrays[0], arrays[1:])
        parts = [self.part(x) for x in arrays]
        if not isinstance(parts[0], Part):
            raise UnrecordedError("a constant is written")
        self.written.add(parts[0].memory)
        dtypes = tuple([x.dtype for x in arrays])
        function = detail[0] if isinstance(detail, tuple) else detail
        moves = kind == "choose" or (kind == "copy" and dtypes[0] == dtypes[1])
        if not moves and not agrees(kind, function, dtypes):
            raise UnrecordedError("the walker computes it otherwise")
        if function is np.matmul and self._alone:
            detail = (np.matmul, True)
        self.rows.append((kind, tuple(parts), detail, self._quiet()))

    def _quiet(self) -> int:
        """Return what is ignored here and not outside of the kernel, as bits."""
        before = dict(self._handling)
        bits = quiet_bits({k: how for k, how in np.geterr().items() if how != before[k]})
        if bits is None:
            raise UnrecordedError("overflow or its kin is handled in a way of its own")
        return bits

    def both(self, function: Callable[[Any], None], parts: list) -> None:
        """Record what is done with two parts at the same time."""
        if len(parts) != 2:
            for part in parts:
                function(part)
            return
        before, lists = self.rows, []
        for part in parts:
            self.rows = []
            function(part)
            lists.append(self.rows)
        self.rows = [*before, ("both", (), tuple(lists), False)]

    def either(self, condition: Any, when_any: Callable, otherwise: Callable) -> None:
        """Record both ways on, of which a mask chooses one."""
        mask = self.part(condition.view(np.ndarray))
        before, lists = self.rows, []
        for way in (when_any, otherwise):
            self.rows = []
            way()
            lists.append(self.rows)
        self.rows = [*before, ("either", (mask,), tuple(lists), False)]

    def product(self, parts: list, whole: Any) -> None:
        """Record a product that two threads compute in parts, and all of those of a BLAS whole."""
        before, lists = self.rows, []
        with self.one_thread():
            for part in (parts[:1], parts[1:]):
                self.rows = []
                for a, b, out in part:
                    np.matmul(a, b, out=out)
                lists.append(self.rows)
        self.rows = []
        np.matmul(whole[0], whole[1], out=whole[2])
        self.rows = [*before, ("both", (), (*lists, self.rows), False)]


def _check_apart(out: np.ndarray, others: list[np.ndarray]) -> None:
    """Raise where NumPy would compute into memory of its own first."""
    for x in others:
        if not np.may_share_memory(out, x):
            continue
        same = x.__array_interface__["data"][0] == out.__array_interface__["data"][0]
        if not same or Form.of(x) != Form.of(out):
            raise UnrecordedError("an operand overlaps the result")


def recorded(kernel: Callable, arguments: tuple, out: Form | None) -> Recording | None:
    """Return what a kernel does with arrays of these forms, None where that can't be recorded.

    ``arguments``: those of the kernel, with forms in the places of arrays. ``out``: the form of
    what it writes its result into, of a kernel that takes that.
    """
    try:
        return _recorded(kernel, arguments, out)
    except TypeError:  # arguments that can't be compared
        return None


@functools.lru_cache(maxsize=256)
def _recorded(kernel: Callable, arguments: tuple, out: Form | None) -> Recording | None:
    rng = np.random.default_rng(0)
    quiet = np.errstate(all="call", call=lambda *_: None)
    try:
        with quiet:
            arrays = [_numbers(x, rng) for x in arguments if isinstance(x, Form)]
            room = [] if out is None else [out.at(np.zeros(_bytes(out), np.uint8), 0)]
            found = _record(kernel, arguments, arrays, room)
            draws = (_numbers, _large_and_negative, _far_from_zero, _zeros)
            right = found is not None and all([
                _is_right(found, kernel, arguments, draw, rng, out) for draw in draws
            ])  # fmt: skip
            return found if right else None
    except (UnrecordedError, TypeError, ValueError):
        return None


def _record(kernel, arguments, arrays, room) -> Recording | None:
    recorder = Recorder()
    known = iter([recorder.known(x) for x in (*arrays, *room)])
    given = [next(known) if isinstance(x, Form) else x for x in arguments]
    session.recorder = recorder
    try:
        answer = kernel(*given, *known)
    finally:
        session.recorder = None
    count = len(arrays) + len(room)
    if recorder.written & set(range(len(arrays))):
        return None
    returned = () if room else answer if isinstance(answer, tuple) else (answer,)
    results = [None if x is None or not x.size else _result(recorder, x, count) for x in returned]
    made = [memory for memory in results if memory is not None]
    if len(set(made)) < len(made):
        return None
    scratch, size = {}, 0
    for number, memory in enumerate(recorder.memories[count:], count):
        if number not in made:
            scratch[number] = (memory.nbytes, size)
            size += memory.nbytes + -memory.nbytes % _LINE
    return Recording(count, results, scratch, recorder.rows, size)


def _result(recorder: Recorder, x: np.ndarray, count: int) -> int:
    """Return the number of the memory that a result fills."""
    part = recorder.part(plain(x))
    if not isinstance(part, Part) or part.memory < count or part.offset:
        raise UnrecordedError("a result is part of other memory")
    if x.nbytes != recorder.memories[part.memory].nbytes:
        raise UnrecordedError("a result is part of other memory")
    return part.memory


def _bytes(form: Form) -> int:
    reach = [(n - 1) * step for n, step in zip(form.shape, form.strides)]
    if min(reach, default=0) < 0:
        raise UnrecordedError("memory that goes backwards")
    return sum(reach) + form.dtype.itemsize if 0 not in form.shape else 0


def _numbers(form: Form, rng: Any) -> np.ndarray:
    """Return an array of this form with any numbers."""
    if form.dtype.kind != "f":
        raise UnrecordedError("no floating point numbers")
    array = form.at(np.zeros(_bytes(form), np.uint8), 0)
    array[...] = rng.normal(size=form.shape)
    return array


def _large_and_negative(form: Form, rng: Any) -> np.ndarray:
    array = _numbers(form, rng)
    array[...] = -100.0 * np.abs(array)
    return array


def _far_from_zero(form: Form, rng: Any) -> np.ndarray:
    array = _numbers(form, rng)
    array += 50.0
    return array


def _zeros(form: Form, rng: Any) -> np.ndarray:
    array = _numbers(form, rng)
    array[...] = 0.0
    return array


def _is_right(found: Recording, kernel, arguments, draw, rng, out: Form | None) -> bool:
    """Walk what was recorded on other numbers; tell whether the results are the kernel's."""
    arrays = [draw(x, rng) for x in arguments if isinstance(x, Form)]
    rest = iter(arrays)
    given = [next(rest) if isinstance(x, Form) else x for x in arguments]
    with np.errstate(all="ignore"):
        answer = kernel(*given)
    expected = [x for x in (answer if isinstance(answer, tuple) else (answer,)) if x is not None]
    expected = [x for x in expected if x.size]
    targets = [Form.of(x).at(np.full(_bytes(Form.of(x)), 7, np.uint8), 0) for x in expected]
    if out is not None:
        targets = [out.at(np.full(_bytes(out), 7, np.uint8), 0)]
    stretch_type()(
        [], 0, found.on(scratch_of(found.size), *arrays, *targets), lambda *_: None, True
    )()
    return all([a.tobytes() == b.tobytes() for a, b in zip(targets, expected, strict=True)])
