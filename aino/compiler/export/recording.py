"""One run of a function, recorded: NumPy calls, what function and what module made them.

The compiler's trace gives the calls. Beside it stands what a format has one operator for: a
function of AINO's such as ``layer_norm``, a primitive such as ``softmax``. Each such function that
runs is a *span* of calls with its arguments and its result, which is written as one or, where the
format has nothing for these arguments, call by call. Who calls what is heard from the interpreter,
so that no function has a second version.
"""

from __future__ import annotations

import bisect
import contextlib
import inspect
import sys
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from aino.autograd.duck import Duck
from aino.autograd.interposing import code_of
from aino.autograd.mode import no_grad
from aino.autograd.primitive import REGISTRY
from aino.autograd.tensor import Tensor
from aino.compiler.ir.program import Program
from aino.compiler.ir.regions import Region, Storage
from aino.compiler.programs import Programs, Settings
from aino.compiler.tracing.agreement import TraceMismatch
from aino.compiler.tracing.lifting import slot_of
from aino.compiler.tracing.tracer import Tracer
from aino.errors import CompileError
from aino.nn.base.module import Module
from aino.pytree import mapped
from aino.tracing import session


@dataclass
class Span:
    """The calls ``first`` to ``last`` (excluded) that one function made.

    ``arguments``: by their names, regions in the places of tensors. ``result``: likewise, None
    where the function is not through.
    """

    row: Any
    arguments: dict[str, Any]
    first: int
    frame: Any
    last: int = -1
    result: Any = None


@dataclass
class Recording:
    """What a run did: the program, its spans in the order of their beginnings, the modules' paths.

    ``paths``: (from which call on, path of the innermost module) in order. ``roots``: the modules
    that no other module called, by the beginning of the names of what is in them.
    """

    program: Program
    spans: list[Span]
    paths: list[tuple[int, str]]
    roots: dict[str, Module]

    def path_at(self, number: int) -> str:
        """Return the path of the module that made a call."""
        place = bisect.bisect_right(self.paths, number, key=lambda path: path[0])
        return self.paths[place - 1][1] if place else ""


@dataclass(frozen=True)
class Table:
    """What a format writes as one: the rows of AINO's functions, by their code, and of primitives.

    A row may be anything; it is what a span is known by.
    """

    functions: dict[Any, Any] = field(default_factory=dict)
    primitives: dict[str, Any] = field(default_factory=dict)

    def add(self, function: Any, row: Any) -> None:
        """Note the row of a function, or of a primitive by its name."""
        if isinstance(function, str):
            self.primitives[function] = row
        else:
            self.functions[inspect.unwrap(function).__code__] = row


class NotLiftedError(Exception):
    """An argument that a row could not be given: an array of a transform."""


@dataclass
class _Listener:
    """Hears which functions begin and end."""

    roots: dict[str, Module]
    table: Table
    spans: list[Span] = field(default_factory=list)
    paths: list[tuple[int, str]] = field(default_factory=list)
    _open: list[Span] = field(default_factory=list)
    _modules: list[tuple[Any, str]] = field(default_factory=list)
    _known: dict[int, tuple[Any, Any]] = field(default_factory=dict)
    _names: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for prefix, module in self.roots.items():
            self._name(module, prefix)

    def _name(self, root: Module, prefix: str) -> None:
        for name, module in root.named_modules():
            self._names.setdefault(id(module), f"{prefix}{name}".removesuffix("."))

    def _name_root(self, root: Module) -> None:
        """Name what is in a module that is called by a function: by its class."""
        kind = type(root).__name__.lower()
        places = [kind, *[f"{kind}{i}" for i in range(2, len(self.roots) + 2)]]
        prefix = next(place for place in places if f"{place}." not in self.roots)
        self.roots[f"{prefix}."] = root
        self._name(root, f"{prefix}.")

    def __call__(self, frame, event, argument) -> None:
        if event != "call" and event != "return":
            return
        code = frame.f_code
        known = self._known.get(id(code))
        row = self._row(code) if known is None else known[0]
        trace = session.trace
        if row is None or trace is None:
            return
        if row is _MODULE:
            self._module(frame, event, len(trace.calls))
        elif event == "call":
            self._begin(frame, code, row, trace)
        elif self._open and self._open[-1].frame is frame:
            self._end(argument, trace)

    def _row(self, code) -> Any:
        row = self.table.functions.get(code)
        if code is code_of(Module.__call__):
            row = _MODULE
        elif code.co_filename == f"<primitive {code.co_name}>":
            row = self.table.primitives.get(code.co_name)
        self._known[id(code)] = row, code  # the code is kept, so that its id stays its own
        return row

    def _module(self, frame, event, position: int) -> None:
        if event == "call":
            module = frame.f_locals["self"]
            if id(module) not in self._names and not self._modules:
                self._name_root(module)
            around = self._modules[-1][1] if self._modules else ""
            self._modules.append((frame, self._names.get(id(module), around)))
        else:
            self._modules.pop()
        self.paths.append((position, self._modules[-1][1] if self._modules else ""))

    def _begin(self, frame, code, row, trace) -> None:
        several = bool(code.co_flags & inspect.CO_VARARGS)
        places = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount + several]
        names = places
        if code.co_filename[0] == "<":  # PyTorch's names of inputs are not those of the kernel
            declared = REGISTRY[code.co_name]
            names = (*declared.inputs, *declared.parameters)
        given = frame.f_locals
        span = Span(row, {}, len(trace.calls), frame)
        with _unheard(trace):
            try:
                span.arguments = {
                    name: mapped(given[place], lambda item: _region(item, trace))
                    for name, place in zip(names, places)
                }
            except NotLiftedError:
                span.row = None
        self._open.append(span)
        self.spans.append(span)

    def _end(self, result, trace) -> None:
        span = self._open.pop()
        span.last, span.frame = len(trace.calls), None
        with _unheard(trace):
            try:
                span.result = mapped(result, lambda item: _region(item, trace))
            except NotLiftedError:
                span.row = None

    def clear(self) -> None:
        """Forget a run before the next one."""
        for heard in (self.spans, self.paths, self._open, self._modules):
            heard.clear()


#: Stands for the row of ``Module.__call__``.
_MODULE = object()


@contextlib.contextmanager
def _unheard(trace):
    """Look at tensors without being heard, and as they are."""
    heard = sys.getprofile()
    sys.setprofile(None)
    session.trace = None
    try:
        yield
    finally:
        session.trace = trace
        sys.setprofile(heard)


def _region(item, trace) -> Any:
    """Return the region that a tensor or an array is, anything else as it is."""
    array = _array_of(item, trace) if isinstance(item, Tensor) else item
    if isinstance(array, Duck):
        raise NotLiftedError
    if type(array) is Tracer:
        return array.value
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "biufc":
        return item
    session.trace = trace
    try:
        tracer = trace.lift_tensor(item, array) if isinstance(item, Tensor) else trace.lift(array)
    finally:
        session.trace = None
    return tracer.value


def _array_of(tensor: Tensor, trace) -> Any:
    """Return what a tensor holds; that of a row of a layer is cut out of the layer's."""
    if type(tensor).array is Tensor.array:
        return slot_of(tensor)
    session.trace = trace
    try:
        return tensor.array
    finally:
        session.trace = None


def record(function, tensors: list[Tensor], root: Module | None, table: Table) -> Recording:
    """Run ``function(*tensors)`` as a trace, twice, without making it real; return what it did.

    ``root``: the module that is exported, None where it is a function. ``table``: what may be
    written as one. Raises ``CompileError`` for
    what has no program, and where the two runs differ.
    """
    listener = _Listener({} if root is None else {"": root}, table)

    @no_grad()
    def run(*given):
        listener.clear()
        return function(*given)

    programs = Programs(function, run, Settings([]), recorded=False)
    heard = sys.getprofile()
    sys.setprofile(listener)
    try:
        rehearsed = programs.rehearsed(tuple(tensors), {})
    except TraceMismatch as error:
        raise CompileError(f"the function does something else at every call: {error}") from None
    finally:
        sys.setprofile(heard)
    assert rehearsed.traced_run is not None
    program = rehearsed.traced_run.program
    spans = [s for s in listener.spans if s.row and s.last > s.first]
    return Recording(program, _pure(program, spans), list(listener.paths), listener.roots)


def _pure(program: Program, spans: list[Span]) -> list[Span]:
    """Return the spans that make something new, and write no memory that was there before."""
    first_use: dict[Storage, int] = {}
    for number, call in enumerate(program.calls):
        for value in (*call.reads(), *call.touches(), *call.results):
            first_use.setdefault(value.storage, number)
    pure = []
    for span in spans:
        before = {region.storage for region in _regions(span.arguments)}
        made = [region.storage for region in _regions(span.result)]
        calls = program.calls[span.first : span.last]
        made += [value.storage for call in calls for value in call.touches()]
        if span.result is not None and all(
            storage not in before and first_use.get(storage, -1) >= span.first for storage in made
        ):
            pure.append(span)
    return pure


def _regions(tree) -> list[Region]:
    found: list[Region] = []
    mapped(tree, lambda item: found.append(item) if type(item) is Region else None)
    return found
