"""Can a program run as it stands? The tests ask after every pass."""

from __future__ import annotations

import numpy as np

from aino.compiler.ir.operations import WITHOUT_FUNCTION, Operation
from aino.compiler.ir.printer import Printer, called
from aino.compiler.ir.program import Call, Loop, Program
from aino.compiler.ir.regions import Given, Region, Storage

_KINDS = ("argument", "static", "gradient", "constant", "temporary")
_UFUNCS = (
    Operation.UFUNC, Operation.REDUCE, Operation.ACCUMULATE, Operation.REDUCEAT, Operation.OUTER,
    Operation.AT,
)  # fmt: skip


class InvalidProgramError(Exception):
    """A program reads what is not there, leaves its memory or contradicts itself."""


def verify(program: Program) -> None:
    """Raise ``InvalidProgramError`` unless a program can run as it stands.

    Every region is defined before it is read and lies inside its storage; shapes and dtypes of a
    call agree; what is a constant is not written; results are new; outputs exist.
    """
    Verifier(program).run()


class Verifier:
    """Walks over the calls of a program, and knows which memory is filled by then."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.filled: set[Storage] = set()
        self.made: set[Storage] = set()
        self.call: Call | None = None
        self.known: set[Region] = set()
        self.printer = Printer()

    def run(self) -> None:
        """Look at all calls, and at what the caller gets."""
        for call in self.program.calls:
            self.look_at(call)
        self.call = None
        for value in self.program.outputs():
            self.place(value)
            self.need(self.is_there(value), value, "is an output, but nothing fills it")
        given = set(self.program.arguments)
        for storage in self.program.storages():
            if storage.kind == "argument":
                self.need(storage in given, storage.whole, "is no argument of the program")

    def look_at(self, call: Call) -> None:
        """Look at one call."""
        self.call = call
        self.operation(call)
        if isinstance(call, Loop):
            for step in call.calls():
                self.look_at(step)
            self.call = call
            for value in call.results:
                self.place(value)
                self.need(value.storage in self.made, value, "is no result of the loop's steps")
            return
        for value in call.reads():
            self.place(value)
            self.need(self.is_there(value), value, "is read before anything fills it")
        for value in call.touches():
            self.place(value)
            self.need(value.storage.kind != "constant", value, "is a constant, and is written")
            self.need(value.storage.written, value, "is written, but not marked as written")
            self.filled.add(value.storage)
        for value in call.results:
            self.place(value)
            self.need(value.is_whole, value, "is a result, but not the whole of its storage")
            self.need(value.storage.kind == "temporary", value, "is a result, but not temporary")
            self.need(value.storage not in self.made, value, "is made twice")
            self.made.add(value.storage)
            self.filled.add(value.storage)
        self.forms(call)

    def operation(self, call: Call) -> None:
        """Look at whether the function fits the operation."""
        operation, function = call.operation, call.function
        if not isinstance(operation, Operation):
            self.fail(f"{operation!r} is no operation")
        if operation in WITHOUT_FUNCTION:
            fits = function is None
        elif operation in (Operation.METHOD, Operation.ATTRIBUTE):
            fits = isinstance(function, str) and hasattr(np.ndarray, function)
        elif operation in _UFUNCS:
            fits = isinstance(function, np.ufunc)
        else:
            fits = callable(function) and not isinstance(function, np.ufunc)
        if not fits:
            self.fail(f"{function!r} can't be the function of {operation}")
        if operation in (Operation.COPY, Operation.NUMBER) and not (call.out or call.results):
            self.fail("it has nowhere to put what it makes")
        if call.out is not None and call.results:
            self.fail("it both makes a result and fills memory that is there")

    def is_there(self, value: Region) -> bool:
        """Tell whether there is something in a region by now."""
        return value.storage.kind != "temporary" or value.storage in self.filled

    def place(self, value: Region) -> None:
        """Look at where a region lies, and how it comes from the whole of its storage."""
        if value in self.known:
            return
        storage, whole = value.storage, value.storage.whole
        if storage.kind not in _KINDS:
            self.fail(f"{self.shown(value)} lies in memory of the kind {storage.kind!r}")
        self.need(isinstance(whole, Region), value, "lies in a storage that has no whole")
        low, high = whole.extent
        begin, end = value.extent
        self.need(
            not value.size or (low <= begin and end <= high), value, "lies outside of its storage"
        )
        if not value.is_whole:
            self.need(value.cut is not None, value, "is a part, and nothing says how it is cut")
            self.need(isinstance(value.parent, Region), value, "is a part of no other region")
            self.need(value.parent.storage is storage, value, "is cut out of other memory")
            if type(value.cut) is not Given:
                self.place(value.parent)
        self.known.add(value)

    def forms(self, call: Call) -> None:
        """Look at whether shapes and dtypes of a call agree."""
        operation = call.operation
        if operation is Operation.UFUNC and call.function.signature is None:
            self.elementwise(call)
        elif operation is Operation.COPY or (
            operation is Operation.METHOD and call.function in ("copy", "astype")
        ):
            source, target = call.arguments[0], call.target
            if isinstance(source, Region) and not _spreads(source.shape, target.shape):
                self.fail(f"{self.shown(target)} takes a copy of {self.shown(source)}")
        elif operation is Operation.REDUCE and len(call.results) + (call.out is not None) == 1:
            self.reduction(call)
        elif call.function is np.dot and all(isinstance(x, Region) for x in call.arguments):
            first, second = call.arguments
            if len(first.shape) == 2 == len(second.shape):
                shape = (first.shape[0], second.shape[1])
                if first.shape[1] != second.shape[0] or call.target.shape != shape:
                    operands = f"{self.shown(first)} and {self.shown(second)}"
                    self.fail(f"{self.shown(call.target)} can't be the product of {operands}")

    def elementwise(self, call: Call) -> None:
        """Look at an element-wise ufunc: shapes spread, dtypes are those that NumPy gives."""
        regions = [item for item in call.arguments if isinstance(item, Region)]
        targets = call.results or ([call.out] if call.out is not None else [])
        try:
            shape = _spread({value.shape for value in regions})
        except ValueError:
            self.fail(f"{' and '.join(self.shown(value) for value in regions)} don't spread")
        for target in targets:
            fits = _spreads(shape, target.shape) if call.out is not None else shape == target.shape
            if not fits:
                self.fail(f"{self.shown(target)} is to hold a result of shape {shape}")
        if call.keywords or len(regions) + sum(_weak(x) for x in call.arguments) != len(
            call.arguments
        ):
            return
        kinds = [x.dtype if isinstance(x, Region) else type(x) for x in call.arguments]
        try:
            dtypes = call.function.resolve_dtypes((*kinds, *[None] * call.function.nout))
        except TypeError:
            self.fail(f"{called(call)} takes no {', '.join(map(str, kinds))}")
        for target, dtype in zip(targets, dtypes[-call.function.nout :]):
            fits = dtype == target.dtype or (
                call.out is not None and np.can_cast(dtype, target.dtype, "same_kind")
            )
            if not fits:
                self.fail(f"{self.shown(target)} is to hold a result of {dtype}")

    def reduction(self, call: Call) -> None:
        """Look at the shape of a reduction."""
        source = call.arguments[0]
        axis = call.arguments[1] if len(call.arguments) > 1 else call.keywords.get("axis", 0)
        if not isinstance(source, Region) or len(call.arguments) > 2 or "where" in call.keywords:
            return
        rank = len(source.shape)
        axes = range(rank) if axis is None else axis if isinstance(axis, tuple) else (axis,)
        reduced = {a % rank for a in axes} if rank else set()
        keeps = call.keywords.get("keepdims", False)
        shape = tuple(
            1 if place in reduced else length
            for place, length in enumerate(source.shape)
            if keeps or place not in reduced
        )
        if call.target.shape != shape:
            self.fail(f"{self.shown(call.target)} is to hold a result of shape {shape}")

    # Errors

    def need(self, fits, value, what: str) -> None:
        """Raise unless something holds of a region."""
        if not fits:
            self.fail(f"{self.shown(value) if isinstance(value, Region) else value} {what}")

    def shown(self, value: Region) -> str:
        """Return a region with its form, for an error."""
        return f"{self.printer.region(value)} {value.dtype}{list(value.shape)}"

    def fail(self, what: str):
        """Raise, and show the call."""
        if self.call is None:
            raise InvalidProgramError(what)
        shown = Printer()
        shown.call(self.call, "")
        position = next((i for i, c in enumerate(self.program.calls) if c is self.call), None)
        where = "a step of a loop" if position is None else f"call {position}"
        raise InvalidProgramError(f"{what}, in {where}: {shown.lines[0]}")


def _weak(item) -> bool:
    return type(item) in (bool, int, float, complex)


def _spread(shapes) -> tuple[int, ...]:
    """Return the shape that several ones spread to, mostly one and the same."""
    return next(iter(shapes)) if len(shapes) == 1 else np.broadcast_shapes(*shapes)


def _spreads(shape, target) -> bool:
    """Tell whether a shape can be spread over another; leading axes of one are dropped."""
    if shape == target:
        return True
    shape = tuple(shape)
    while len(shape) > len(target) and shape[0] == 1:
        shape = shape[1:]
    try:
        return np.broadcast_shapes(shape, target) == tuple(target)
    except ValueError:
        return False
