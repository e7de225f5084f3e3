"""A program for any batch size: traced with several sizes, written with the size as a name.

The sizes are primes that the program has no other use for. Where the texts of the programs are
alike but for numbers, and each number is the same multiple of the size in all of them, the number
stands for that multiple. A size that is none of them proves it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from aino.autograd.tensor import Tensor, make
from aino.compiler.backends.numpy.lines import Source
from aino.compiler.export.report import copied_bindings
from aino.compiler.ir.regions import repeats
from aino.compiler.pipeline import FIXED_SIZES
from aino.compiler.specialization import Specialization, build, write
from aino.pytree import mapped

#: Sizes to try it with, three at a time: where one of three is beyond a length from which NumPy is
#: called otherwise, three others may not be.
_PRIMES = ((29, 31, 37, 41, 43, 47), (11, 13, 17, 19, 23), (101, 103, 107, 109, 113, 127))
_NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?:e[-+]?\d+)?(?![\w.])")
_NAME = re.compile(r"[A-Za-z_]\w*")


class FixedSizeError(Exception):
    """A program is for one batch size alone, and why."""


@dataclass
class Batched:
    """A program with its batch size as a name.

    ``made``: what it is bound to and depends on the size, as expressions. ``shapes``: those of
    its arguments, None where the size stands. ``smallest``: the least size that it was seen to be
    right for.
    """

    source: Source
    name: str
    shapes: dict[str, tuple[int | None, ...]]
    made: dict[str, str] = field(default_factory=dict)
    smallest: int = 1


def for_any_batch(compiled, specialization: Specialization, call) -> Batched:
    """Return the program of a call for any batch size; raises ``FixedSizeError`` with the reason.

    The batch is the first dimension of the first argument, and of all that are as long.
    """
    assert specialization.program is not None
    assert specialization.source is not None
    if specialization.program.gradients:
        raise FixedSizeError("it leaves gradients")
    arguments = [s for s in specialization.program.arguments if s.root.ndim]
    if not arguments:
        raise FixedSizeError("it has no argument with a batch dimension")
    length = arguments[0].root.shape[0]
    used = {n for text in specialization.source.text.splitlines() for n in _NUMBER.findall(text)}
    used |= {str(n) for s in specialization.program.storages() for n in s.whole.shape}
    if not length:
        raise FixedSizeError("it was made with an empty batch")
    reason = FixedSizeError("no sizes are left to try it with")
    for primes in _PRIMES:
        sizes = [prime for prime in primes if str(prime) not in used][:3]
        if len(sizes) < 3:
            continue
        try:
            batched = _Writer(sizes, [_trace(compiled, call, length, n) for n in sizes]).write()
            break
        except FixedSizeError as error:
            reason = error
        except Exception as error:
            first = str(error).split("\n")[0]
            raise FixedSizeError(f"it does not run with another: {first}") from None
    else:
        raise reason
    batched.smallest = _smallest(compiled, call, length, batched)
    if length < batched.smallest:
        raise FixedSizeError("it gives something else with another size")
    return batched


def resized(call, length: int, size: int):
    """Return the arguments of a call for another batch size: its samples, over and over."""

    def change(item):
        array = item.array if isinstance(item, Tensor) else item
        if not isinstance(array, np.ndarray) or not array.ndim or array.shape[0] != length:
            return item
        array = np.resize(array, (size, *array.shape[1:]))
        return make(array) if isinstance(item, Tensor) else array

    known: dict[int, Any] = {}  # what is given twice stays one
    args, kwargs = mapped(call, lambda item: known.setdefault(id(item), change(item)))
    return args, kwargs


def _trace(compiled, call, length: int, size: int) -> Specialization:
    """Return the program of a call with another batch size; nothing becomes real."""
    specialization = compiled.rehearsed(*resized(call, length, size))
    chosen = [name for name in compiled.settings.passes if name not in FIXED_SIZES]
    write(specialization, chosen, compiled.name)
    return specialization


class _Writer:
    """Writes one program for those of several sizes."""

    def __init__(self, sizes: list[int], traced: list[Specialization]) -> None:
        self.sizes = sizes
        self.sources = [s.source for s in traced if s.source is not None]
        self.traced = traced
        texts = "\n".join(source.text for source in self.sources)
        self.name = "batch"
        while self.name in _NAME.findall(texts):
            self.name += "_"

    def write(self) -> Batched:
        """Return the program; raises ``FixedSizeError`` where the texts differ in more."""
        first, *others = self.sources
        self.same([source.parameters for source in self.sources], "parameters")
        self.same([list(source.bound) for source in self.sources], "constants")
        prelude = self.lines([source.prelude for source in self.sources])
        body = self.lines([[line.text for line in source.body] for source in self.sources])
        lines = [replace(line, text=text) for line, text in zip(first.body, body)]
        made: dict[str, str] = {}
        for label, item in first.bound.items():
            expression = self.bound([item, *(source.bound[label] for source in others)])
            if expression is not None:
                made[label] = expression
        programs = [specialization.program for specialization in self.traced]
        shapes = {}
        for label, *storages in zip(first.parameters, *(p.arguments for p in programs if p)):
            shapes[label] = self.shape([storage.root.shape for storage in storages])
        source = replace(first, prelude=prelude, body=lines)
        return Batched(source, self.name, shapes, made)

    def same(self, items: list, what: str) -> None:
        """Raise unless all sizes have the same."""
        if any(item != items[0] for item in items):
            raise FixedSizeError(f"its {what} are others with another size")

    def lines(self, texts: list[list[str]]) -> list[str]:
        """Return lines of all sizes as one, with expressions in the places of numbers."""
        if len({len(lines) for lines in texts}) > 1:
            raise FixedSizeError("it takes other steps with another size")
        return [self.line(lines) for lines in zip(*texts)]

    def line(self, lines: tuple[str, ...]) -> str:
        """Return a line of all sizes as one."""
        if len({_NUMBER.sub("0", line) for line in lines}) > 1:
            raise FixedSizeError(f"it takes other steps with another size: {lines[0].strip()}")
        numbers = iter(zip(*(_NUMBER.findall(line) for line in lines)))

        def written(match) -> str:
            found = next(numbers)
            if len(set(found)) == 1:
                return found[0]
            text = self.expression([float(n) if "." in n or "e" in n else int(n) for n in found])
            alone = re.search(r"[(\[,:] ?$", lines[0][: match.start()])
            alone = alone and re.match(r" *[)\],:]", lines[0][match.end() :])
            return text if alone or text == self.name else f"({text})"

        return _NUMBER.sub(written, lines[0])

    def expression(self, values: list) -> str:
        """Return what a number is, in terms of the size."""
        sizes = self.sizes
        if all(isinstance(value, int) for value in values):
            factor, rest = divmod(values[1] - values[0], sizes[1] - sizes[0])
            offset = values[0] - factor * sizes[0]
            if not rest and all(v == factor * n + offset for v, n in zip(values, sizes)):
                text = self.name if factor == 1 else f"{factor} * {self.name}"
                return text if not offset else f"{text} {'-' if offset < 0 else '+'} {abs(offset)}"
        elif all(value == int(value) for value in values):
            text = self.expression([int(value) for value in values])
            return f"1.0 * {text if text == self.name else f'({text})'}"
        else:
            whole = round(values[0] * sizes[0])
            if all(v == whole / n for v, n in zip(values, sizes)):
                return f"{whole} / {self.name}"
        told = ", ".join(f"{value} for {size}" for value, size in zip(values, sizes))
        raise FixedSizeError(f"a number in it is no multiple of the size: {told}")

    def shape(self, shapes: list[tuple[int, ...]]) -> tuple[int | None, ...]:
        """Return the shape of an argument, None where the size stands."""
        found: list[int | None] = []
        for lengths in zip(*shapes):
            found.append(lengths[0] if len(set(lengths)) == 1 else None)
            if found[-1] is None and list(lengths) != self.sizes:
                raise FixedSizeError("its arguments are of other shapes with another size")
        return tuple(found)

    def bound(self, items: list) -> str | None:
        """Return what a program is bound to as an expression, None where it is always the same."""
        if not isinstance(items[0], np.ndarray):
            if any(item is not items[0] and item != items[0] for item in items):
                raise FixedSizeError("it depends on Python objects that are others each time")
            return None
        if all(item is items[0] for item in items):
            return None
        shapes = [item.shape for item in items]
        same = len(set(shapes)) == 1
        if same and all(np.array_equal(a, items[0], equal_nan=a.dtype.kind in "fc") for a in items):
            return None
        if any(not item.flags.c_contiguous and not repeats(item) for item in items):
            raise FixedSizeError("a constant in it does not lie row by row")
        if same:
            return self.repeated_number(items)
        lengths = [self.line(tuple(str(shape) for shape in shapes))]
        return f"({self.rows(items)}).reshape({lengths[0]})"

    def repeated_number(self, items: list[np.ndarray]) -> str:
        """Return constants of one shape that hold one number each."""
        values = [item.reshape(-1)[0].item() for item in items]
        if any((item != value).any() for item, value in zip(items, values)):
            raise FixedSizeError("a constant in it has other numbers with another size")
        if isinstance(values[0], float):
            # What was rounded to the dtype is the same fraction in it.
            whole = round(values[0] * self.sizes[0])
            exact = [items[0].dtype.type(whole / size) for size in self.sizes]
            if exact == values:
                values = [whole / size for size in self.sizes]
        text = self.expression(values)
        return f"np.full({items[0].shape}, {text}, {str(items[0].dtype)!r})"

    def rows(self, items: list[np.ndarray]) -> str:
        """Return a constant as one row for each sample: equal rows, or such as rise evenly."""
        if any(item.size % size for item, size in zip(items, self.sizes)):
            raise FixedSizeError("a constant in it is not made of rows for each sample")
        tables = [item.reshape(size, -1) for item, size in zip(items, self.sizes)]
        row, step = tables[0][0], np.zeros((), items[0].dtype)
        if items[0].dtype.kind in "iuf" and np.isfinite(tables[0][:2]).all():
            step = tables[0][1] - row
        for table in tables:
            rise = np.arange(len(table), dtype=step.dtype).reshape(-1, 1) * step
            if table.shape[1] != row.size or not np.array_equal(
                table, row + rise, equal_nan=table.dtype.kind in "fc"
            ):
                raise FixedSizeError("a constant in it has other numbers with another size")
        dtype = f"np.{row.dtype.type.__name__}"
        if (row == row[0]).all():
            first = f"np.full(({row.size},), {row[0].item()!r}, {dtype})"
        else:
            first = f"np.array({row.tolist()!r}, {dtype})"
        first = re.sub(r"\b(inf|nan)\b", r"np.\1", first)
        if not np.any(step):
            return f"np.tile({first}, {self.name})"
        rising = f"np.arange({self.name}, dtype={dtype}).reshape(-1, 1)"
        return f"{first} + {rising} * np.array({step.tolist()!r}, {dtype})"


def _smallest(compiled, call, length: int, batched: Batched) -> int:
    """Run the program with small sizes, and with one between; return the least that is right."""
    smallest = None
    for size in (7, 2, 1):
        try:
            right = _is_right(compiled, call, length, size, batched)
        except Exception:
            right = False
        if not right:
            break
        smallest = size
    if smallest is None or smallest > 2:
        raise FixedSizeError("it gives something else with another size")
    return smallest


def _is_right(compiled, call, length: int, size: int, batched: Batched) -> bool:
    """Tell whether the program for any size gives what that for one size gives."""
    exact = _trace(compiled, call, length, size)
    assert exact.program is not None
    assert exact.source is not None
    given = [storage.root for storage in exact.program.arguments]
    args, kwargs = resized(call, length, size)
    assert exact.traced_run is not None
    numbers = compiled.live_numbers(args, kwargs, exact.traced_run.trace)
    found: list[Any] = []
    for source in (exact.source, at_size(batched, size)):
        step, _ = build(replace(source, bound=copied_bindings(source.bound)))
        with np.errstate(all="ignore"):
            result = step(*[array.copy() for array in given], *numbers)
        found.append(result if isinstance(result, tuple) else (result,))
    return all(
        a.shape == b.shape and a.dtype == b.dtype and np.allclose(a, b, 1e-4, 1e-5, equal_nan=True)
        for a, b in zip(*found)
    )


def at_size(batched: Batched, size: int) -> Source:
    """Return the program for one size."""
    bound = dict(batched.source.bound)
    for label, text in batched.made.items():
        bound[label] = eval(text, {"np": np, batched.name: size})
    return replace(batched.source, prelude=[f"{batched.name} = {size}", *batched.source.prelude],
                   bound=bound)  # fmt: skip


def spoken(shape: Iterable[int | None], name: str) -> str:
    """Return a shape in words."""
    parts = [name if length is None else str(length) for length in shape]
    return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"
