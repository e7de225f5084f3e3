"""Tapes: what an elementwise function of arrays does, as loops that C runs over any shape.

A function runs once on arrays that write down what is done with them, for several shapes: what it
does has to be the same for all. Then the tape is run on other numbers, and used only where the
function's own results come out, bit for bit.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from aino.native import found
from aino.native.forms import Form, Part
from aino.native.recorded_array import UnrecordedError, plain
from aino.native.recording import Recorder
from aino.tracing import session

#: On so many elements at most; what is longer is left to NumPy, other threads can run meanwhile.
LONGEST = 1 << 14
_SHAPES = ((), (3,), (2, 3), (2, 3, 4), (2, 2, 3, 2), (40,), (1000,), (7, 700), (LONGEST,))
#: More arrays, or steps, than these no tape has; nor is there one that is for few elements.
_MOST_READ, _MOST_STEPS, _LEAST = 6, 16, 1000


def tape(function: Callable, count: int, dtype: np.dtype) -> Any:
    """Return the tape of a function of ``count`` arrays of a dtype, None where it has none."""
    rng = np.random.default_rng(0)
    steps, result, limit = _same_for_all(function, count, dtype, rng)
    if limit < _LEAST or count > _MOST_READ or len(steps) > _MOST_STEPS:
        return None
    sets = range(1, 1 << count)

    def made(alone: Iterable[int]) -> Any:
        allowed = sum([1 << numbers for numbers in alone])
        return found("Tape")(dtype, count, tuple(steps), result, limit, allowed)

    try:
        tried = made(sets)
    except ValueError:  # what it consists of has no loop
        return None

    def agrees(*shapes: tuple[int, ...]) -> bool:
        return _agrees(tried, function, shapes, dtype, rng)

    if not all([agrees(*[x] * count) for x in _SHAPES if x and math.prod(x) <= limit]):
        return None
    long = (min(limit, 2500),)
    return made([
        numbers for numbers in sets
        if all([agrees(*[() if numbers >> place & 1 else shape for place in range(count)])
                for shape in ((2, 3), long)])
    ])  # fmt: skip


def _same_for_all(function, count, dtype, rng) -> tuple[list[tuple], int, int]:
    """Return the steps of a function, which value it returns, and up to how many elements.

    What it does on arrays of several shapes has to be the same.
    """
    steps: list[tuple] = []
    result, limit = -1, 0
    for shape in _SHAPES:
        try:
            now = _written_down(function, count, dtype, shape, rng)
        except Exception:  # whatever it raises, on arrays that only write down: it has no tape
            break
        if limit == 0:
            steps, result = now
        elif now[1] != result or _signature(now[0]) != _signature(steps):
            break
        limit = max(limit, math.prod(shape))
    return steps, result, limit


def _written_down(function, count, dtype, shape, rng) -> tuple[list[tuple], int]:
    """Return what a function does with arrays of one shape, and which value it returns."""
    recorder = Recorder()
    numbers = [np.asarray(rng.normal(size=shape)).astype(dtype) for _ in range(count)]
    given = [recorder.known(np.array(x)) for x in numbers]
    before, session.recorder = session.recorder, recorder
    try:
        with np.errstate(all="call", call=lambda *_: None):
            recorder.notice()
            answer = function(*given)
    finally:
        session.recorder = before
    values = {memory: memory for memory in range(count)}
    form, steps = Form.of(plain(given[0])), []
    for kind, operands, detail, quiet in recorder.rows:
        if kind not in ("ufunc", "choose"):
            raise UnrecordedError(f"{kind} is not elementwise")
        out, *sources = operands
        told = tuple([_source(x, values, form) for x in sources])
        samples = tuple([np.zeros((), _dtype(x)) for x in (*sources, out)])
        steps.append((detail if kind == "ufunc" else None, told, samples, quiet))
        if _place(out, form) < count:
            raise UnrecordedError("what is given is written")
        values[out.memory] = count + len(steps) - 1
    if not isinstance(answer, np.ndarray):
        raise UnrecordedError("no array is returned")
    return steps, _source(recorder.part(plain(answer)), values, form)


def _dtype(operand: Any) -> np.dtype:
    return operand.form.dtype if isinstance(operand, Part) else operand.dtype


def _place(part: Any, form: Form) -> int:
    """Return the number of the memory that an operand fills."""
    if part.form.shape != form.shape or part.offset or not _is_flat(part.form):
        raise UnrecordedError("an operand is another part of its memory")
    return part.memory


def _is_flat(form: Form) -> bool:
    step = form.dtype.itemsize
    for length, stride in zip(reversed(form.shape), reversed(form.strides)):
        if stride != step:
            return False
        step *= length
    return True


def _source(operand: Any, values: dict[int, int], form: Form) -> Any:
    """Return where an operand comes from: the number of a value, or a constant."""
    if isinstance(operand, Part):
        return values[_place(operand, form)]
    if operand.size != 1:
        raise UnrecordedError("a constant of several numbers")
    return operand.reshape(())


def _signature(steps: list[tuple]) -> list[tuple]:
    """Return what steps are compared by."""
    return [
        (
            function,
            [x if isinstance(x, int) else (x.dtype, x.tobytes()) for x in sources],
            [x.dtype for x in samples],
            quiet,
        )
        for function, sources, samples, quiet in steps
    ]


def _agrees(tried, function, shapes, dtype, rng) -> bool:
    """Tell whether a tape gives what a function gives, where it gives something at all."""
    came = False
    often = _HARD_NUMBERS // max(map(math.prod, shapes))
    for draw in (*_DRAWS, *[_hard] * often):
        given = [np.asarray(draw(rng, shape)).astype(dtype) for shape in shapes]
        answer = tried(*given)
        if answer is None:
            continue
        came = True
        try:
            with np.errstate(all="ignore"):
                expected = np.asarray(function(*given))
        except Exception:
            return False
        same = expected.shape == answer.shape and expected.dtype == answer.dtype
        if not same or expected.tobytes() != answer.tobytes():
            return False
    return came


_HARD = (0.0, -0.0, 1.0, np.inf, -np.inf, np.nan, -np.nan, -2.5, 1e-3)
#: Arrays that are shorter than so many get some of them again and again.
_HARD_NUMBERS = 100


def _hard(rng, shape):
    """Return numbers among which are zeros of both signs, infinities and NaN."""
    if not shape:
        return rng.choice(_HARD)
    numbers = list(itertools.islice(itertools.cycle(_HARD), math.prod(shape)))
    return rng.permutation(np.array(numbers)).reshape(shape)


_DRAWS: tuple[Callable, ...] = (
    lambda rng, shape: rng.normal(size=shape),
    lambda rng, shape: rng.uniform(0.1, 0.9, size=shape),
    lambda rng, shape: 1.0 + rng.exponential(size=shape),
    lambda rng, shape: -100.0 * rng.exponential(size=shape),
    lambda rng, shape: 50.0 + rng.normal(size=shape),
    lambda rng, shape: np.zeros(shape),
    _hard,
)
