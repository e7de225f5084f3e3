"""``aino.compile``: a function of tensors that runs as the NumPy program behind it."""

from __future__ import annotations

import copy
import functools
import inspect
import os
import sys
import weakref
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from typing import Any, TypeVar, overload

from aino.autograd.mode import mode, no_grad, set_grad_enabled
from aino.compiler.dispatch import following
from aino.compiler.entry import ENTRANCE, Entered, entered, entrance, entrance_lock
from aino.compiler.export.listing import Listing, listing
from aino.compiler.export.report import explain
from aino.compiler.export.saving import save_source
from aino.compiler.guards.text import MISS
from aino.compiler.module import CompiledModule, face_of
from aino.compiler.options import check_options, passes_of, walks
from aino.compiler.programs import KEPT, Programs, Settings
from aino.compiler.recorded import RecordedForward
from aino.compiler.specialization import Specialization, readable, write
from aino.compiler.tracing.run import WantsBackwardError
from aino.compiler.uncompiled import RunEagerly, is_disabled, only_traced, warn_uncompiled
from aino.errors import ArgumentError, CompileError
from aino.nn.base.module import Module
from aino.tracing import one_call, session

_Module = TypeVar("_Module", bound=Module)


@overload
def compile(  # type: ignore[overload-overlap]  # a module is callable, too
    model: _Module, *, fullgraph: bool = ..., dynamic: bool | None = ..., backend: Any = ...,
    mode: str | None = ..., options: dict[str, Any] | None = ..., name: str | None = ...,
    disable: bool = ..., recompile_limit: int | None = ..., isolate_recompiles: bool = ...,
    passes: Any = ..., patience: int = ...,
) -> _Module: ...  # fmt: skip
@overload
def compile(
    model: Callable[..., Any], *,
    fullgraph: bool = ..., dynamic: bool | None = ..., backend: Any = ...,
    mode: str | None = ..., options: dict[str, Any] | None = ..., name: str | None = ...,
    disable: bool = ..., recompile_limit: int | None = ..., isolate_recompiles: bool = ...,
    passes: Any = ..., patience: int = ...,
) -> Compiled: ...  # fmt: skip
@overload
def compile(
    model: None = None, *, fullgraph: bool = ..., dynamic: bool | None = ..., backend: Any = ...,
    mode: str | None = ..., options: dict[str, Any] | None = ..., name: str | None = ...,
    disable: bool = ..., recompile_limit: int | None = ..., isolate_recompiles: bool = ...,
    passes: Any = ..., patience: int = ...,
) -> Callable[[Callable[..., Any]], Compiled]: ...  # fmt: skip
def compile(
    model=None,
    *,
    fullgraph: bool = False,
    dynamic: bool | None = None,
    backend: Any = None,
    mode: str | None = None,
    options: dict[str, Any] | None = None,
    name: str | None = None,
    disable: bool = False,
    recompile_limit: int | None = None,
    isolate_recompiles: bool = False,
    passes=None,
    patience: int = 3,
):
    """Return a function or a module as a straight-line NumPy program, traced from ordinary calls.

    What a function takes and returns are tensors, arrays and plain values, nested as you like; it
    may be a whole training step (``zero_grad``, forward, loss, ``backward``, ``optimizer.step``).
    A module stays a module, with the same parameters, and trains. Without ``model`` the result is
    a decorator.

    The first two calls run as traces and are real runs; when both did the same, later calls run the
    program. What can't be compiled goes on as it is, with one ``CompileWarning`` that names the
    line, the reason and what to do. Raises ``ValueError`` for an unknown mode, backend or option.

    Arguments:
        model: the function or the ``Module``.
        fullgraph: raise ``CompileError`` for what can't be compiled instead of going on as it is.
        dynamic: True reads integer arguments at every call from the first on, False makes a
            program for each of their values, None waits until one changes.
        backend: one of ``aino.compiler.list_backends()``; ``"eager"`` compiles nothing.
        mode: PyTorch's modes are taken, and mean the same here.
        options: ``{"passes": [...]}`` names the optimisations to run, as ``passes`` does.
        name: what the program is called; the function's name for None.
        disable: return ``model`` as it is.
        recompile_limit: how many signatures are kept; 16 for None.
        isolate_recompiles: taken for PyTorch's sake: what is compiled here is always its own.
        passes: the names of the optimisations to run; all of them for None.
        patience: how often two traces in a row may differ.

    >>> import aino
    >>> @aino.compile
    ... def double(x):
    ...     return x + x
    >>> [double(aino.tensor([n])).item() for n in (1.0, 2.0, 3.0)]
    [2.0, 4.0, 6.0]
    """
    check_options(mode, backend, options, dynamic, recompile_limit)
    names = passes_of(passes, options)
    settings = Settings(
        names, patience, fullgraph, dynamic, recompile_limit or KEPT, name, walks(backend)
    )
    if model is None:
        return functools.partial(
            _compiled, settings=settings, as_it_is=disable or backend == "eager"
        )
    return _compiled(model, settings, disable or backend == "eager")


def _compiled(function, settings: Settings, as_it_is: bool):
    """Return what ``compile`` makes of a function, now that its settings are known."""
    if as_it_is or isinstance(function, (Compiled, CompiledModule)) or is_disabled(function):
        return function
    if not callable(function):
        raise TypeError(f"aino.compile takes a function or a module, not {type(function).__name__}")
    if inspect.isgeneratorfunction(function) or inspect.iscoroutinefunction(function):
        why = (
            f"{function.__name__} stops and goes on, which a program can't; compile a function "
            "that returns its result"
        )
        if settings.fullgraph:
            raise CompileError(why)
        warn_uncompiled(function.__name__, why)
        return function
    compiled = Compiled(function, settings)
    return face_of(function, compiled) if isinstance(function, Module) else compiled


class Compiled(Entered, Programs):
    """What ``aino.compile`` returns for a function: call it as the function.

    ``source`` is the program to be read, ``code`` what runs, ``explain()`` what became of it and
    what it costs.
    """

    def __init__(self, function, settings: Settings) -> None:
        self._lock: Any = entrance_lock()
        #: The programs of calls whose results lead back to inputs; a module's from the start.
        self._forward: RecordedForward | None = None
        self._is_module = hasattr(function, "named_parameters")
        run = no_grad()(function.__call__) if self._is_module else function
        super().__init__(function, run, settings, not self._is_module)
        if self._is_module:
            self._forward = RecordedForward(function, settings, self.said)
            self._line_up()
        if not isinstance(function, type) and hasattr(function, "__name__"):
            functools.update_wrapper(self, function)
        _ALIVE.add(self)

    def called(self, *args: Any, **kwargs: Any) -> Any:
        """Make a call that C does not make from end to end."""
        if session.as_it_is:
            # Part of the program that is being traced, or of what a transform computes.
            return self.function(*args, **kwargs)
        lock = self._lock
        lock.acquire()  # in half the time of a with statement
        try:
            for dispatch in self._dispatches:
                result = dispatch(args, kwargs)
                if result is not MISS:
                    return result
            return self._call_slowly(args, kwargs)
        except RunEagerly as signal:
            eagerly = signal.told
        finally:
            lock.release()
        return self._run_eagerly(eagerly, args, kwargs)

    __call__ = entered(called, ENTRANCE)

    def _run_eagerly(self, told: tuple, args, kwargs) -> Any:
        """Make a call as the function does; where a trace has raised, its signature is refused."""
        raised, refuse, call = told
        if call is None:
            result = self.function(*args, **kwargs)
        else:
            with one_call(call):
                result = self.function(*args, **kwargs)
        if raised is not None:
            with self._lock:
                refuse(only_traced(raised))
                self._line_up()
        return result

    def many(self, batches: Iterable[Any]) -> list[Any]:
        """Return what the function returns for one batch after the other.

        It is ``[step(*batch) for batch in batches]``; of a list or a tuple of batches, what the
        function reads of Python's world by name is compared with that of the program at the first
        two calls, and later ones compare their arguments alone. Numbers that are read anew at each
        call, as a learning rate, still are. Meanwhile nobody else may change what it reads.

        Arguments:
            batches: the arguments of each call, in a tuple or list; a single one may stand alone.

        >>> import aino
        >>> double = aino.compile(lambda x: x + x)
        >>> [y.item() for y in double.many([aino.tensor(n) for n in (1.0, 2.0, 3.0, 4.0)])]
        [2.0, 4.0, 6.0, 8.0]
        """
        if not isinstance(batches, (list, tuple)) or session.as_it_is:
            return [self(*_arguments_of(batch)) for batch in batches]
        results: list[Any] = []
        while len(results) < len(batches):
            try:
                with self._lock:
                    self._call_in_a_row(batches, results)
            except RunEagerly as signal:
                told = signal.told
            else:
                break
            results.append(self._run_eagerly(told, _arguments_of(batches[len(results)]), {}))
        return results

    def _call_in_a_row(self, batches: Sequence[Any], results: list[Any]) -> None:
        """Append the results of the batches that are left; as in a call, each is asked once.

        The program of the batch before is asked first: after two by it, for the arguments alone.
        """
        last, follow, known = None, None, self._dispatches
        no_keywords: dict[str, Any] = {}
        while len(results) < len(batches):
            args = batches[len(results)]
            if args.__class__ is not tuple:
                args = _arguments_of(args)
            if self._dispatches is not known:  # one was traced, or dropped
                last, follow, known = None, None, self._dispatches
            result = MISS if last is None else (follow or last)(args, no_keywords)
            if result is MISS:
                others = [dispatch for dispatch in known if dispatch is not last]
                last, follow = None, None
                for dispatch in others:
                    result = dispatch(args, no_keywords)
                    if result is not MISS:
                        last = dispatch
                        break
                else:
                    result = self._call_slowly(args, {})
            elif follow is None:
                follow = following(last)
            results.append(result)

    def _trace(self, args, kwargs):
        try:
            return super()._trace(args, kwargs)
        except WantsBackwardError as error:
            if self._forward is None and mode.level:
                self._forward = RecordedForward(self.function, self.settings, self.said)
                self._line_up()
                session.call.begin_run()
                return self._forward.dispatch(args, kwargs)
            self.refuse(args, kwargs, error)
            raise RunEagerly from None

    def _line_up(self) -> None:
        super()._line_up()
        if self._forward is not None:
            # A module's own programs are predictors, which see at a glance whether they are meant.
            predictors = self._ready_dispatches() if self._is_module else []
            others = [guard for guard in self._dispatches if guard not in predictors]
            self._dispatches = [*predictors, self._forward.dispatch, *others]
        self._entrance = entrance(self._lock, self._dispatches, Compiled.called)

    def forget(self) -> None:
        self._entrance = None
        super().forget()
        if self._forward is not None:
            self._forward.forget()
            self._line_up()

    def __deepcopy__(self, memo) -> Compiled:
        return Compiled(copy.deepcopy(self.function, memo), self.settings)

    def __reduce__(self):
        name = getattr(self, "__qualname__", "")
        place: Any = sys.modules.get(self.function.__module__)
        for part in name.split("."):
            place = getattr(place, part, None)
        if place is self:  # what a decorator made is found by its name, as a function is
            return name
        return Compiled, (self.function, self.settings)

    def __get__(self, instance, owner=None):
        return self if instance is None else functools.partial(self, instance)

    # For the reader

    def _ready(self) -> Specialization:
        """Return the specialization that was called last, its program written."""
        programs: Programs = self
        if self._latest is None and self._forward is not None:
            called = self._forward.last_call
            if self._is_module and called is not None:
                # What the module predicts.
                self._latest, self.last_call = self.rehearsed(*called), called
            elif not self._is_module:
                programs = self._forward
        specialization = programs._latest
        if specialization is None or specialization.traced_run is None:
            raise self._uncalled()
        return self._written(specialization)

    def _written(self, specialization: Specialization) -> Specialization:
        if specialization.source is None:
            write(specialization, self.settings.passes, self.name, self.settings.native)
        return specialization

    @property
    def source(self) -> str:
        """The program of the last signature as a person would write it, an expression a line.

        It computes what ``code`` does, without buffers, loops in blocks and their like.
        """
        return readable(self._ready(), self.name).text

    def show_source(self) -> Listing:
        """Return ``source`` to be looked at: coloured, each line with its module and formula.

        ``print`` shows it with the modules beside the lines, ``.ansi()`` is for terminals, and
        notebooks show it by themselves, as ``.html()`` does in a browser: the modules lead to
        their lines in the forward and the backward pass.
        """
        ready = self._ready()
        assert ready.traced_run is not None
        written = readable(ready, self.name)
        return listing(written.text, written.lines, ready.traced_run.trace.context.owners)

    @property
    def code(self) -> str:
        """The text of the program of the last signature, as it runs."""
        ready = self._ready()
        source = ready.native or ready.source
        assert source is not None
        return source.text

    def explain(self, calls: int = 20):
        """Return what was done to the program and what each of its lines costs."""
        return explain(self._ready(), self.name, calls)

    def save_source(
        self, path, weights=None, *, quantize: str | None = None, calibration: Any = None
    ) -> Any:
        """Write the program as a file that runs with NumPy alone, or as one of C99.

        In Python it takes any batch size (the first dimension of the arguments) where the program
        is the same for all; else the file says why not, and what is of another shape is refused.
        In C it predicts for the shapes of the last call; what it takes of memory is returned.
        Raises ``CompileError`` for what can't be written, by its name.

        Arguments:
            path: the file; where it ends in ``.c`` it is C, else Python.
            weights: a file of their own for the weights, an ``.npz``, or for C their bytes; None
                writes them into the source.
            quantize: for C, ``"int8"`` stores matrices of weights as int8 with a scale for each
                row, and measures what that costs.
            calibration: inputs to measure it with, a tensor of samples or the inputs of each call;
                those of the last call for None.
        """
        suffix = os.path.splitext(os.fspath(path))[1]
        if suffix not in ("", ".py", ".c"):
            raise ArgumentError(
                f"save_source: Python is written as .py, C as .c, and nothing as {suffix}"
            )
        if suffix == ".c":
            saving = import_module("aino.compiler.backends.c.saving")
            return saving.save_c(self, self._predicted(), path, weights, quantize, calibration)
        if quantize is not None or calibration is not None:
            raise ArgumentError(
                "save_source: quantize and calibration are for C; name a file that ends in .c"
            )
        specialization, call = self._ready(), self.last_call
        led_back = self._latest is None and self._forward is not None
        with set_grad_enabled(self.last_recorded and not led_back):
            if self._latest is None and self._forward is not None:
                # Of a function whose results lead back to its inputs: what it gives without.
                call = self._forward.last_call
                assert call is not None
                specialization = self._written(self.rehearsed(*call))
            save_source(self, specialization, call, path, weights)
        return None

    def _predicted(self) -> tuple:
        """Return the arguments of the call that a predictor is for."""
        call = self.last_call
        if self._latest is None and self._forward is not None:
            call = self._forward.last_call
        if call is None:
            raise self._uncalled()
        return call

    def _uncalled(self) -> CompileError:
        if self.said:
            return CompileError(f"{self.name} has no program: {self.said[0]}")
        return CompileError(
            f"{self.name} has not been called yet: its program is traced from a call, so call it "
            "once with such inputs as it is for"
        )

    def __repr__(self) -> str:
        known = list(self._specializations.values())
        if self._forward is not None:
            known += self._forward._specializations.values()
        ready = sum(specialization.dispatch is not None for specialization in known)
        return f"<compiled {self.name}: {ready} of {len(known)} signatures ready>"


def _arguments_of(batch: Any) -> tuple:
    """Return the arguments of one call: those in a tuple or list, or a single one."""
    if batch.__class__ is tuple:
        return batch
    return tuple(batch) if isinstance(batch, (tuple, list)) else (batch,)


#: What was compiled and is still there, so that it can be made anew.
_ALIVE: weakref.WeakSet[Compiled] = weakref.WeakSet()


def reset() -> None:
    """Forget all programs, and what was refused: the next calls are traced anew."""
    for compiled in list(_ALIVE):
        compiled.forget()
