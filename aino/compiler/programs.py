"""The programs of a compiled function: which signature has one, and what is traced for it."""

from __future__ import annotations

import functools
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from aino.autograd.mode import mode
from aino.compiler.dispatch import write_dispatch
from aino.compiler.guards.arguments import Static, is_dynamic
from aino.compiler.guards.environment import Reading
from aino.compiler.guards.reads import MISSING
from aino.compiler.guards.structure import outer_owners, structure
from aino.compiler.guards.text import MISS
from aino.compiler.ir.symbolic import FrozenNumberError
from aino.compiler.live import LiveValues
from aino.compiler.self_check import DROPPED, SelfCheck
from aino.compiler.signature import ArgumentNumbers, Request, signature
from aino.compiler.specialization import Specialization, built, write
from aino.compiler.tracing.agreement import TraceMismatch, compare
from aino.compiler.tracing.effects import is_repeatable
from aino.compiler.tracing.run import WantsBackwardError, run_traced
from aino.compiler.tracing.shadows import LARGE, collection_paused, give_back
from aino.compiler.uncompiled import RunEagerly, warn_uncompiled, write_refusal
from aino.errors import CompileError
from aino.tracing import one_call, rehearsal, session

#: How many signatures of one function are kept.
KEPT = 16
#: How many calls in a row may be traced before a function goes on without programs.
TOO_OFTEN = 40
#: After how many calls of programs a trace is no longer one that follows soon on another.
RESTED = 100


@dataclass(frozen=True)
class Settings:
    """How a function is compiled."""

    passes: list[str]
    #: How often two traces in a row may differ before a signature is refused.
    patience: int = 3
    #: Whether what can't be compiled raises, and does not go on uncompiled.
    fullgraph: bool = False
    #: Whether integer arguments are read at every call; None: once they have changed.
    dynamic: bool | None = None
    #: How many signatures are kept.
    kept: int = KEPT
    name: str | None = None
    #: Whether programs are walked by ``aino-native``.
    native: bool = False


class Programs:
    """The programs of a function, one for each signature, and what has to be traced.

    ``run`` is what is traced in the function's place. A call that can't be made by a program
    raises ``RunEagerly``, or ``CompileError`` where the settings say so.
    """

    def __init__(self, function, run, settings: Settings, recorded: bool, said=None) -> None:
        self.function = function
        self.settings = settings
        if run is not None:  # else it is a method
            self._run = run
        #: Whether gradients play a part, or the function records nothing in any mode.
        self._recorded = recorded
        #: Why something goes on uncompiled: said once.
        self.said: list[str] = [] if said is None else said
        self.forget()
        called = getattr(function, "__name__", "step" if recorded else "predict")
        self.name: str = settings.name or called
        if not self.name.isidentifier():
            self.name = "step"

    def forget(self) -> None:
        """Begin anew: without programs, and with nothing refused."""
        self._specializations: OrderedDict[Any, Specialization] = OrderedDict()
        self._latest: Specialization | None = None
        #: The arguments of the last call that was traced, and whether it recorded.
        self.last_call: tuple | None = None
        self.last_recorded = False
        #: The guards of the programs that are ready, the newest first: each knows its own calls.
        self._dispatches: list[Any] = []
        #: Signatures that were refused, with a guard that knows their calls; all of them at last.
        self._refused: dict[Any, Any] = {}
        self._given_up = False
        #: How many programs no longer did what the function does.
        self._dropped = 0
        self.said.clear()
        #: What is read of Python's world at every call.
        self._live = LiveValues()
        self._arguments = ArgumentNumbers(self.function, self.settings.dynamic)
        #: The call that was traced last: to say what has changed.
        self._last: Request | None = None
        #: How many traces followed soon on one another, and what the programs had made by then.
        self._in_a_row = 0
        self._made = 0

    def call(self, args, kwargs):
        """Make a call by a program, or trace it; ``RunEagerly`` says that neither can be."""
        for dispatch in self._dispatches:
            result = dispatch(args, kwargs)
            if result is not MISS:
                return result
        return self._call_slowly(args, kwargs)

    def _call_slowly(self, args, kwargs):
        """Find the specialization of this signature, or trace."""
        if self._given_up:
            raise RunEagerly
        made = self._calls_made()
        self._in_a_row = 0 if made - self._made >= RESTED else self._in_a_row + 1
        self._made = made
        if self._in_a_row == TOO_OFTEN:
            self._give_up(
                f"it is traced anew at nearly every call{self._what_changes(args, kwargs)}; give "
                "what changes as a tensor or a float argument"
            )
        with one_call() as call:
            try:
                with collection_paused():
                    return self._trace(args, kwargs)
            except RunEagerly as signal:
                signal.call = call
                raise
            finally:
                self._line_up()

    def _calls_made(self) -> int:
        """Return how many calls the programs have made that are kept."""
        checks = [known.check for known in self._specializations.values()]
        return sum([check.made() for check in checks if check is not None])

    def _line_up(self) -> None:
        """Put the guards in order: of what never has a program first, then the newest programs."""
        if self._given_up:
            self._dispatches = []
            return
        served = {key[0] for key, known in self._specializations.items() if known.dispatch}
        alone = [guard for key, guard in self._refused.items() if key not in served]
        shared = [guard for key, guard in self._refused.items() if key in served]
        self._dispatches = [*alone, *self._ready_dispatches(), *shared]

    def _ready_dispatches(self) -> list:
        """Return the guards of the programs that are ready, the newest first."""
        if self._given_up:
            return []
        ready = [known.dispatch for known in self._specializations.values() if known.dispatch]
        return ready[::-1]

    def _give_up(self, why: str) -> None:
        """Go on without programs from now on: what is called is right, and no faster than eager."""
        if self.settings.fullgraph:
            raise CompileError(f"{self.name}: {why}")
        self._given_up = True
        self._warn(why)
        raise RunEagerly

    def _warn(self, why: str) -> None:
        if not self.said:
            self.said.append(why)
            warn_uncompiled(self.name, why)

    def refuse(self, args, kwargs, error: CompileError, owners=None) -> None:
        """Let calls of this signature go on uncompiled from now on, and say why, once.

        ``owners``: the models and optimizers that took part: when they change, it is tried again.
        """
        if self.settings.fullgraph:
            raise error
        names, flat = self._arguments.flat(args, kwargs)
        outer = outer_owners(list((owners or {}).values()))
        key = signature(args, kwargs, flat)
        self._refused[key] = write_refusal(flat, names, args, kwargs, lambda: structure(outer))
        if len(self._refused) > self.settings.kept:
            # Nothing that it was given could be compiled, or next to nothing.
            self._given_up = True
        self._line_up()
        self._warn(str(error))

    def rehearsed(self, args, kwargs) -> Specialization:
        """Trace a call twice without making it: only its program is wanted."""
        names, flat = self._arguments.flat(args, kwargs)
        specialization = Specialization()
        # Nor does it call what others have the collector call.
        with rehearsal(), collection_paused():
            before, after = [
                run_traced(self._run, args, kwargs, names, flat, commit=False) for _ in range(2)
            ]
        compare(before.program, after.program)
        specialization.traced_run = after
        return specialization

    def live_numbers(self, args, kwargs, trace) -> list:
        """Return the numbers among the arguments that a program is given at each call."""
        flat = dict(self._arguments.flat(args, kwargs)[1])
        return [flat[name] for name in trace.floats.values()]

    def _what_changes(self, args, kwargs) -> str:
        """Say what is not as it was when the function was traced last."""
        request = self._request(args, kwargs)
        last = dict(self._last.flat) if self._last is not None else {}
        for name, item in request.flat:
            if isinstance(item, (int, str, Static)) and not is_dynamic(item):
                if last.get(name, item) != item:
                    place = request.places.get(name)
                    spoken = f"the argument {name}" if place is None else place.spoken
                    return f", because {spoken} is another each time"
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
        if len(self._specializations) > self.settings.kept:
            self._specializations.popitem(last=False)
        return specialization

    def _due_check(self) -> tuple[tuple, Specialization] | None:
        """Return the signature and the program that this call is to be compared with, if it is."""
        for key, specialization in self._specializations.items():
            check = specialization.check
            if check is not None and check.due:
                check.due = False
                return key[0], specialization
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
                f"{self._dropped} of its programs were no longer what it does: {difference}"
            )

    def _request(self, args, kwargs, known: Specialization | None = None) -> Request:
        """Return a call to be traced; ``known``: what it reads anew is what that program reads."""
        live = self._live.flat if known is None else functools.partial(self._live.of, known)
        return self._arguments.request(args, kwargs, live)

    def _trace(self, args, kwargs):
        due = self._due_check()
        check = None
        if due is not None:
            request = self._request(args, kwargs, due[1])
            check = due[1].check if request.key == due[0] else None
        if check is None:
            known = self._known()
            self._live.look([] if known is None else [read for _, read in known.found()])
            request = self._request(args, kwargs)
        specialization = Specialization()

        def inspect_before_commit(trace, program) -> None:
            """Compare with the trace before; give up while nothing is real yet."""
            nonlocal specialization, check
            if trace.once_only:
                if self.settings.fullgraph:
                    raise CompileError(trace.once_only)
                return
            if check is not None:
                difference = check.difference(trace, program)
                if difference is None:
                    return
                self._drop(check, difference)
                check = None
            if any(known_key[0] == request.key for known_key in self._specializations):
                self._refuse_changes(trace, program)
            owners = trace.context.owners.values()
            training = tuple([owner.training for owner in owners if hasattr(owner, "training")])
            frozen = tuple([tensor.node is None for tensor in trace.tensors.values()])
            state = trace.reading.state()
            settings = structure(outer_owners(list(owners)), _unwatched(trace, program))
            key = (request.key, settings, training, frozen, state, trace.turns())
            specialization = self._specialization(key)
            specialization.agreed = False
            before = specialization.traced_run
            if before is None:
                return
            try:
                compare(before.program, program)
                specialization.reference = before.program
                specialization.agreed = True
            except TraceMismatch as difference:
                specialization.differences += 1
                if specialization.differences >= self.settings.patience:
                    specialization.differences = 0
                    specialization.traced_run = None
                    raise CompileError(
                        f"{self.name} does something else at every call: {difference}"
                    ) from None

        traced_run = None
        while traced_run is None:
            session.call.begin_run()
            reading = Reading()
            reading.begin(self.function, [*args, *kwargs.values()], self._known())
            try:
                traced_run = run_traced(
                    self._run, args, kwargs, request.names, request.flat, inspect_before_commit,
                    reading, request.places,
                )  # fmt: skip
            except FrozenNumberError as error:
                reading.restore()
                if not error.arguments:
                    self.refuse(args, kwargs, error, reading.owners)
                    raise RunEagerly from None
                # A number that the function needs as it is: a program for each value of it.
                for name in error.arguments:
                    if name in request.places:
                        self._live.fix(request.places[name])
                    else:
                        self._arguments.fixed.add(name)
            except (WantsBackwardError, RunEagerly):
                reading.restore()
                raise
            except Exception as error:
                reading.restore()
                if reading.iterators:
                    raise  # what it has taken from an iterator can't be put back
                if not self._live.fix_new():
                    self._go_on_eagerly(args, kwargs, error, reading.owners)
            if traced_run is None:
                check = None
                request = self._request(args, kwargs)
        if traced_run.trace.once_only:
            why = CompileError(traced_run.trace.once_only)
            self.refuse(args, kwargs, why, reading.owners)
            return traced_run.result
        if check is not None:
            check.passed()
            return traced_run.result
        self._live.came_through(traced_run)
        self._last = request
        specialization.traced_run = traced_run
        self._latest = specialization
        self.last_call, self.last_recorded = (args, kwargs), mode.level > 0
        if specialization.agreed:
            specialization.differences = 0
            try:
                self._finish(specialization, request)
            except Exception as error:
                # This call is done and right; so are the next ones, without a program.
                specialization.traced_run = None
                told = f"its program could not be written: {type(error).__name__}: {error}"
                self.refuse(args, kwargs, CompileError(told))
        return traced_run.result

    def _refuse_changes(self, trace, program) -> None:
        """Raise for what the function changes at every call, and a program would not."""
        changed = trace.reading.changed()
        if changed is not None:
            reason = program.unrepeatable
            raise CompileError(
                f"{self.name} does something else at every call: {reason}" if reason else
                _changed_by_itself(self.name, changed)
            )  # fmt: skip
        for effect in trace.effects:
            if not is_repeatable(effect.value, trace.reading):
                raise CompileError(
                    f"{self.name} does something else at every call: {program.unrepeatable}"
                )
            if self._live.is_fixed(effect.place):
                raise CompileError(
                    f"{self.name} changes {effect.place.spoken} at every call, and needs it as a "
                    "plain number; change it outside the compiled function"
                )

    def _go_on_eagerly(self, args, kwargs, error: Exception, owners) -> None:
        """Raise ``RunEagerly`` for what was raised in a trace, which has changed nothing."""
        if isinstance(error, CompileError):
            self.refuse(args, kwargs, error, owners)
            raise RunEagerly from None
        # It is the function's own, or comes of the tracers: eagerly it will be seen.
        refuse = functools.partial(self.refuse, args, kwargs, owners=owners)
        raise RunEagerly(error, refuse) from None

    def _finish(self, specialization: Specialization, request: Request) -> None:
        """Optimise, write and compile the program of a specialization."""
        assert specialization.traced_run is not None
        trace, program = specialization.traced_run.trace, specialization.traced_run.program
        write(specialization, self.settings.passes, self.name, self.settings.native)
        source, (step, buffers) = built(specialization)
        owners = outer_owners(list(trace.context.owners.values()))
        live = _unwatched(trace, program)
        before = structure(owners, live)
        specialization.program = program
        specialization.dispatch = write_dispatch(
            trace, program, source, step, buffers, request,
            lambda: structure(owners, live) == before, self._recorded,
        )  # fmt: skip
        if specialization.reference is not None:
            specialization.check = SelfCheck(specialization.reference, self.name)
            specialization.check.attach(specialization.dispatch, MISS)
        assert specialization.optimised is not None
        if specialization.optimised.layout.bytes_before > LARGE or specialization.recorded:
            give_back()


def _unwatched(trace, program) -> frozenset[tuple]:
    """Return what a program does not compare of models: it is read anew, or grows by itself."""
    grown = {(id(effect.place.holder), "grown") for effect, _ in program.stored if effect.appends}
    return frozenset({*trace.reading.live, *grown})


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
