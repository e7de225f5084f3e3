"""``aino.compile``: a function of tensors that runs as the NumPy program behind it."""

from __future__ import annotations

import copy
import functools
import inspect
import sys
import threading
import time
import warnings
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, overload

import numpy as np

from aino import dtypes
from aino.autograd.mode import mode, no_grad
from aino.autograd.tensor import Tensor
from aino.compiler.dispatch import MISS, write_dispatch
from aino.compiler.export.report import explain
from aino.compiler.export.saving import save_source
from aino.compiler.guards.arguments import Dynamic, Static, flatten_arguments, is_dynamic, names_of
from aino.compiler.guards.environment import Reading
from aino.compiler.guards.reads import MISSING
from aino.compiler.guards.structure import outer_owners, structure
from aino.compiler.ir.symbolic import FrozenNumberError
from aino.compiler.passes import PASSES
from aino.compiler.self_check import DROPPED, SelfCheck
from aino.compiler.specialization import Specialization, build, optimise
from aino.compiler.tracing.agreement import TraceMismatch, compare
from aino.compiler.tracing.run import run_traced
from aino.compiler.tracing.shadows import LARGE, collection_paused, give_back
from aino.errors import CompileError, CompileWarning
from aino.pytree import structure_of
from aino.tracing import session

#: How many signatures of one function are kept.
KEPT = 16
#: How often two traces in a row may differ before the function is refused.
PATIENCE = 3
#: How many calls in a row may be traced before a function goes on without programs.
TOO_OFTEN = 40


@overload
def compile(
    function: Callable[..., Any], *, passes: Any = ..., patience: int = ...
) -> Compiled: ...
@overload
def compile(
    function: None = None, *, passes: Any = ..., patience: int = ...
) -> Callable[[Callable[..., Any]], Compiled]: ...
def compile(function=None, *, passes=None, patience: int = PATIENCE):
    """Return ``function`` as a straight-line NumPy program, traced from ordinary calls.

    ``function`` takes and returns tensors, arrays and plain values, nested as you like; it may be
    a whole training step (``zero_grad``, forward, loss, ``backward``, ``optimizer.step``). A
    ``Module`` becomes a predictor: it runs without recording. ``passes`` names the optimisations
    to run, all of them by default.

    The first two calls run as traces and are real runs; when both did the same, later calls run
    the program. Shapes, dtypes, grad mode and the structure of models are checked at each call;
    float arguments, learning rates and the contents of tensors are read afresh. Raises
    ``CompileError``, with the line to blame, for what a program could not do again.

    >>> import aino
    >>> @aino.compile
    ... def double(x):
    ...     return x + x
    >>> [double(aino.tensor([n])).item() for n in (1.0, 2.0, 3.0)]
    [2.0, 4.0, 6.0]
    """
    if function is None:
        return functools.partial(compile, passes=passes, patience=patience)
    if isinstance(function, Compiled):
        return function
    if inspect.isgeneratorfunction(function) or inspect.iscoroutinefunction(function):
        raise CompileError(
            f"{function.__name__} stops and goes on, which a program can't; compile a function "
            "that returns its result"
        )
    names = list(PASSES) if passes is None else list(passes)
    for name in names:
        if name not in PASSES:
            raise ValueError(f"unknown pass {name!r}; there are {', '.join(PASSES)}")
    return Compiled(function, names, patience)


class Compiled:
    """What ``aino.compile`` returns: call it as the function.

    ``source`` is the program's text, ``explain()`` what became of it and what it costs.
    """

    def __init__(self, function, passes: list[str], patience: int) -> None:
        self.function = function
        self.passes = passes
        self.patience = patience
        self._module = function if hasattr(function, "named_parameters") else None
        self._run = no_grad()(function.__call__) if self._module is not None else function
        self._specializations: OrderedDict[Any, Specialization] = OrderedDict()
        self._latest: Specialization | None = None
        #: The guards of the programs that are ready, the newest first: each knows its own calls.
        self._dispatches: list[Any] = []
        self._lock = threading.RLock()
        self._given_up = False
        #: How many programs no longer did what the function does.
        self._dropped = 0
        #: Number arguments that the function turns into plain numbers.
        self._fixed: set[str] = set()
        #: Integer arguments as they were first, and those that have been another since.
        self._integers: dict[str, int] = {}
        self._changing: set[str] = set()
        #: What the last trace left where it read, and its arguments: to say what has changed.
        self._last_flat: dict[str, Any] = {}
        #: How many calls in a row were traced, and when and how long the last one was.
        self._in_a_row = 0
        self._traced_at, self._tracing_took = 0.0, 0.0
        self._positional = _positional_names(function)
        if not isinstance(function, type) and hasattr(function, "__name__"):
            functools.update_wrapper(self, function)
        self.name = getattr(function, "__name__", "predict" if self._module else "step")
        if not self.name.isidentifier():
            self.name = "step"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if session.trace is not None:
            return self._run(*args, **kwargs)  # part of the program that is being traced
        lock = self._lock
        lock.acquire()  # in half the time of a with statement
        try:
            for dispatch in self._dispatches:
                result = dispatch(args, kwargs)
                if result is not MISS:
                    return result
            return self._call_slowly(args, kwargs)
        finally:
            lock.release()

    def __deepcopy__(self, memo) -> Compiled:
        return Compiled(copy.deepcopy(self.function, memo), self.passes, self.patience)

    def __reduce__(self):
        name = getattr(self, "__qualname__", "")
        place: Any = sys.modules.get(self.function.__module__)
        for part in name.split("."):
            place = getattr(place, part, None)
        if place is self:  # what a decorator made is found by its name, as a function is
            return name
        return Compiled, (self.function, self.passes, self.patience)

    def __get__(self, instance, owner=None):
        return self if instance is None else functools.partial(self, instance)

    def _call_slowly(self, args, kwargs):
        """Find the specialization of this signature, or trace."""
        if self._given_up:
            return self._run(*args, **kwargs)
        begin = time.perf_counter()
        # Programs have run since, if more time has passed than tracing takes.
        rested = begin - self._traced_at > 5 * self._tracing_took
        self._in_a_row = 0 if rested else self._in_a_row + 1
        if self._in_a_row == TOO_OFTEN:
            self._give_up(
                f"it is traced anew at nearly every call{self._what_changes(args, kwargs)}; give "
                "what changes as a tensor or a float argument",
                stacklevel=4,
            )
            return self._run(*args, **kwargs)
        try:
            with collection_paused():
                return self._trace(args, kwargs)
        finally:
            ready = [v.dispatch for v in self._specializations.values() if v.dispatch is not None]
            self._dispatches = ready[::-1]
            self._traced_at = time.perf_counter()
            self._tracing_took = self._traced_at - begin

    def _give_up(self, why: str, stacklevel: int) -> None:
        """Go on without programs: what is called is right, and no faster than eager."""
        self._given_up = True
        warnings.warn(f"{self.name} goes on uncompiled: {why}", CompileWarning, stacklevel)

    def _what_changes(self, args, kwargs) -> str:
        """Say what is not as it was when the function was traced last."""
        flat = self._flat(args, kwargs, names_of(self._positional, args, kwargs))
        for name, item in flat:
            if isinstance(item, (int, str, Static)) and not is_dynamic(item):
                if self._last_flat.get(name, item) != item:
                    return f", because the argument {name} is another each time"
        known = self._known()
        changed = None if known is None else known.changed()
        return f", because {changed.spoken} is another each time" if changed is not None else ""

    def _known(self) -> Reading | None:
        """Return what the function read when it was traced last."""
        if self._latest is None or self._latest.traced_run is None:
            return None
        return self._latest.traced_run.trace.reading

    def _specialization(self, key) -> Specialization:
        """Return the specialization of a signature and of the ways that its branches went."""
        specialization = self._specializations.get(key)
        if specialization is None or specialization.dispatch is not None:
            # New, or its program is no longer right for the models that it was made for.
            specialization = self._specializations[key] = Specialization()
        self._specializations.move_to_end(key)
        if len(self._specializations) > KEPT:
            self._specializations.popitem(last=False)
        return specialization

    def _due_check(self) -> SelfCheck | None:
        """Return the check of the program that this call is to be compared with, if it is."""
        for specialization in self._specializations.values():
            check = specialization.check
            if check is not None and check.due:
                check.due = False
                return check
        return None

    def _drop(self, check: SelfCheck, difference: str) -> None:
        """Drop a program that is no longer what the function does, and say so."""
        self._specializations = OrderedDict(
            (key, kept) for key, kept in self._specializations.items() if kept.check is not check
        )
        check.warn(difference)
        self._dropped += 1
        if self._dropped == DROPPED:
            self._give_up(
                f"{self._dropped} of its programs were no longer what it does: {difference}",
                stacklevel=6,
            )

    def _flat(self, args, kwargs, names) -> list[tuple[str, Any]]:
        """Return the leaves of the arguments with their names.

        Integers that have changed are live, until the function needs one as it is.
        """
        flat: list[tuple[str, Any]] = []
        flatten_arguments(args, kwargs, names, flat)
        for place, (name, item) in enumerate(flat):
            if name in self._fixed:
                if is_dynamic(item):
                    flat[place] = (name, Static(item))
            elif type(item) is int:
                if self._integers.setdefault(name, item) != item:
                    self._changing.add(name)
                if name in self._changing:
                    flat[place] = (name, Dynamic(item))
        return flat

    def _signature(self, args, kwargs, flat) -> tuple:
        items = [item for _, item in flat]
        first: dict[int, int] = {}
        # Which of the tensors are one and the same.
        same = [first.setdefault(id(x), i) for i, x in enumerate(items) if isinstance(x, Tensor)]
        return (
            structure_of(args), structure_of(kwargs), tuple([_form(item) for item in items]),
            tuple(same), mode.level, mode.inference, dtypes.get_default_dtype(),
        )  # fmt: skip

    def _trace(self, args, kwargs):
        names = names_of(self._positional, args, kwargs)
        flat = self._flat(args, kwargs, names)
        key = self._signature(args, kwargs, flat)
        specialization = Specialization()
        check = self._due_check()

        def inspect_before_commit(trace, program) -> None:
            """Compare with the trace before; give up while nothing is real yet."""
            nonlocal specialization, check
            if check is not None:
                difference = check.difference(trace, program)
                if difference is None:
                    return
                self._drop(check, difference)
                check = None
            seen = any(known_key[0] == key for known_key in self._specializations)
            changed = trace.reading.changed() if seen else None
            if changed is not None:
                reason = program.notes.get("unrepeatable")
                raise CompileError(
                    f"{self.name} does something else at every call: {reason}" if reason else
                    _changed_by_itself(self.name, changed)
                )  # fmt: skip
            owners = trace.context.owners.values()
            training = tuple([owner.training for owner in owners if hasattr(owner, "training")])
            frozen = tuple([tensor.node is None for tensor in trace.tensors.values()])
            state = trace.reading.state()
            specialization = self._specialization((key, training, frozen, state, trace.turns()))
            specialization.notes["agreed"] = False
            before = specialization.traced_run
            if before is None:
                return
            try:
                compare(before.program, program)
                specialization.reference = before.program
                specialization.notes["agreed"] = True
            except TraceMismatch as difference:
                specialization.differences += 1
                if specialization.differences >= self.patience:
                    specialization.differences = 0
                    specialization.traced_run = None
                    raise CompileError(
                        f"{self.name} does something else at every call: {difference}"
                    ) from None

        traced_run = None
        while traced_run is None:
            reading = Reading()
            reading.begin(self.function, [*args, *kwargs.values()], self._known())
            try:
                traced_run = run_traced(
                    self._run, args, kwargs, names, flat, inspect_before_commit, reading
                )
            except FrozenNumberError as error:
                reading.restore()
                if not error.arguments:
                    raise
                # A number that the function needs as it is: a program for each value of it.
                self._fixed |= error.arguments
                flat = self._flat(args, kwargs, names)
                key = self._signature(args, kwargs, flat)
            except CompileError:
                reading.restore()
                raise
        if check is not None:
            check.passed()
            return traced_run.result
        self._last_flat = dict(flat)
        specialization.traced_run = traced_run
        self._latest = specialization
        if specialization.notes["agreed"]:
            specialization.differences = 0
            try:
                self._finish(specialization, args, kwargs, names, flat)
            except Exception as error:
                # This call is done and right; so are the next ones, without a program.
                self._give_up(
                    f"its program could not be written: {type(error).__name__}: {error}",
                    stacklevel=5,
                )
        return traced_run.result

    def _finish(self, specialization: Specialization, args, kwargs, names, flat) -> None:
        """Optimise, write and compile the program of a specialization."""
        assert specialization.traced_run is not None
        trace, program = specialization.traced_run.trace, specialization.traced_run.program
        optimise(specialization, self.passes, self.name)
        assert specialization.source is not None
        step, buffers = build(specialization.source)
        owners = outer_owners(list(trace.context.owners.values()))
        before = structure(owners)
        specialization.program = program
        specialization.dispatch = write_dispatch(
            trace, program, specialization.source, step, buffers, flat, names, args, kwargs,
            lambda: structure(owners) == before, self._module is None,
        )  # fmt: skip
        if specialization.reference is not None:
            specialization.check = SelfCheck(specialization.reference, self.name)
            specialization.check.attach(specialization.dispatch, MISS)
        if specialization.notes["layout"].bytes_before > LARGE:
            give_back()

    # For the reader

    def _ready(self) -> Specialization:
        specialization = self._latest
        if specialization is None or specialization.traced_run is None:
            raise CompileError(
                f"{self.name} has not been called yet: its program is traced from a call"
            )
        if specialization.source is None:
            optimise(specialization, self.passes, self.name)
        return specialization

    @property
    def source(self) -> str:
        """The text of the program of the last signature, as it runs."""
        source = self._ready().source
        assert source is not None
        return source.text

    def explain(self, calls: int = 20):
        """Return what was done to the program and what each of its lines costs."""
        return explain(self._ready(), self.name, calls)

    def save_source(self, path, weights=None) -> None:
        """Write the program as a file that runs with NumPy alone; ``weights`` names its .npz."""
        save_source(self._ready(), self.name, path, weights)

    def __repr__(self) -> str:
        ready = sum(
            specialization.dispatch is not None for specialization in self._specializations.values()
        )
        return f"<compiled {self.name}: {ready} of {len(self._specializations)} signatures ready>"


def _changed_by_itself(name: str, read) -> str:
    before, after = read.before, read.now()
    if read.kind in ("record", "array"):
        what = f"what {read.spoken} holds"
    elif isinstance(before, (bool, int, float, str)) and after is not MISSING:
        what = f"{read.spoken}, from {before!r} to {after!r}"
    else:
        what = read.spoken
    return (
        f"{name} changes {what} at every call, which a compiled program would not do again; keep "
        "it in a tensor that is written in place, or change it outside the compiled function"
    )


def _positional_names(function) -> list[str]:
    """Return the names of a function's positional parameters, fit to be used in the source."""
    target = function.forward if hasattr(function, "named_parameters") else function
    try:
        parameters = inspect.signature(target).parameters.values()
    except (TypeError, ValueError):
        return []
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [parameter.name for parameter in parameters if parameter.kind in kinds]


def _form(item):
    if isinstance(item, Tensor):
        array = item.array
        return ("tensor", array.shape, array.dtype, array.strides, item.node is not None)
    if isinstance(item, np.ndarray):
        return ("array", item.shape, item.dtype, item.strides)
    if is_dynamic(item):
        return int if type(item) is Dynamic else type(item)
    if item is None or isinstance(item, (bool, int, str, complex, bytes, Static, np.generic)):
        return (type(item), item)
    return id(item)
