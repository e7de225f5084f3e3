"""The interface between ordinary code and a trace.

While ``aino.compile`` traces a function, ``session.trace`` is the trace of this thread. Code that
reads numbers which change from step to step (learning rates, step counts), draws random numbers
or changes Python state asks here, and pays one attribute read when nothing is traced.
"""

from __future__ import annotations

import contextlib
import functools
import sys
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from aino.errors import CompileError, LevelError

F = TypeVar("F", bound=Callable[..., Any])


class Session(threading.local):
    """The trace that this thread is in, None in ordinary code.

    ``as_it_is``: whether compiled functions run as they are: in a trace, and in a transform.
    """

    trace: Any = None
    as_it_is = False
    #: The call of a compiled function that is being traced, and what it has exchanged.
    call: Any = None
    #: Whether a program only runs to be looked at: then nothing is exchanged.
    rehearses = False
    #: What writes down the calls of NumPy that a kernel makes, where it does.
    recorder: Any = None
    #: What hears of each frame that begins in a trace, where it can be sent away for a while.
    hear: Any = None


session = Session()


def unheard(function: F) -> F:
    """Return a function of a trace that runs without the watch: no code of the user's is called.

    Most of what happens in a trace happens there. Later versions of Python take long to change
    who hears of frames.
    """
    if sys.version_info >= (3, 12):
        return function

    @functools.wraps(function)
    def quietly(*arguments):
        hear = session.hear
        if hear is None:
            return function(*arguments)
        session.hear = None
        sys.setprofile(None)
        try:
            return function(*arguments)
        finally:
            sys.setprofile(hear)
            session.hear = hear

    return quietly  # type: ignore[return-value]


def hyperparameters(group):
    """Return an optimizer's group, its numbers standing for themselves in a trace.

    A compiled program reads them again at every call, and writes back what the step changes.
    """
    trace = session.trace
    return group if trace is None else trace.mapping(group)


def number_of(tensor):
    """Return the number that a tensor of one element holds, such as a learning rate.

    A compiled program reads it again at every call.
    """
    trace = session.trace
    return tensor.array.item() if trace is None else trace.number_of(tensor)


def is_tracing() -> bool:
    """Tell whether this thread is being traced."""
    return session.trace is not None


def untraced(method):
    """Return a method that runs as ordinary code on real memory, also inside a trace.

    For what prepares Python objects, such as the layout of an optimizer's state.
    """

    @functools.wraps(method)
    def call(*arguments, **keywords):
        trace, session.trace = session.trace, None
        try:
            return method(*arguments, **keywords)
        finally:
            session.trace = trace

    return call


def known(array):
    """Return a constant array as a trace sees it, for functions that dispatch on it alone."""
    trace = session.trace
    return array if trace is None else trace.lift(array)


def data_for_shape(array, what: str, instead: str):
    """Return an array whose content decides on a shape, as plain data.

    In a trace that is data which is the same at every call; anything else raises ``CompileError``,
    and ``LevelError`` what differs from sample to sample in a transform.
    """
    if hasattr(array, "still"):
        array = array.still()
    if hasattr(array, "level"):
        raise LevelError(
            f"the shape of what {what} gives depends on the data, which {array.level.name} has as "
            f"many of as samples: {instead}"
        )
    trace = session.trace
    return array if trace is None else trace.data_for_shape(array, what, instead)


def checked(check, *arguments) -> None:
    """Run a check of values, which raises where they are wrong.

    A program makes it again at each call: what is recorded has no branch that could raise.
    Arrays of a transform are checked for all that they stand for.
    """
    ducks = _ducks(arguments)
    if ducks:
        max(ducks, key=lambda duck: duck.level.tick).checked(check, arguments)
        return
    trace = session.trace
    if trace is None:
        check(*arguments)
    else:
        trace.check(check, arguments)


def _ducks(arguments) -> list:
    """Return the arrays of transforms among arguments, and in the lists among them."""
    found = []
    for argument in arguments:
        parts = argument if isinstance(argument, (list, tuple)) else (argument,)
        found += [x for x in parts if hasattr(x, "level")]
    return found


class UnlikeError(Exception):
    """The data is not such as a program was made for: it has to be traced anew."""


def precondition(kernel):
    """Return a kernel that a trace records as one call, to be made before all others.

    It raises ``UnlikeError`` for data that takes another way; nothing has happened by then.
    """
    kernel.is_precondition = True
    return opaque(kernel)


def over_leading(kernel):
    """Say of a kernel of one array that it goes over all dimensions but the last by itself.

    A dimension among its other arguments counts from the end. So ``vmap`` calls it once for all.
    """
    kernel.is_over_leading = True
    return kernel


def takes_out(kernel):
    """Say of an opaque kernel that it writes its one result into ``out`` where that is given.

    A program then gives it memory that is used again at each call.
    """
    kernel.takes_out = True
    return kernel


def unconditional(kernel):
    """Say of an opaque kernel that which calls of NumPy it makes depends on shapes alone.

    It allocates by ``autograd.rules.room``, so that an array of another class hears of all that is
    done.
    """
    kernel.is_unconditional = True
    return kernel


def either(condition, when_any, otherwise) -> None:
    """Call the first of two functions, in a kernel, where any number of an array is true.

    Both write into memory that is there before. So which calls a kernel makes may depend on its
    numbers, and it can still be ``unconditional``.
    """
    if session.recorder is not None:
        session.recorder.either(condition, when_any, otherwise)
    elif condition.any():
        when_any()
    else:
        otherwise()


def nothing() -> None:
    """Do nothing: one of two ways of ``either``."""


def is_shared(kernel):
    """Say of an opaque kernel that both of AINO's threads compute it where it is long."""
    kernel.is_shared = True
    return kernel


def in_samples(answer):
    """Say what an opaque kernel gives for all samples of ``vmap`` at once.

    ``answer(kernel, batched, *arguments)``: those of which ``batched`` is True have the samples
    along an axis before their own; so has what is returned.
    """

    def say(kernel):
        kernel.in_samples = answer
        return kernel

    return say


def opaque(kernel):
    """Return a kernel that a trace records as one call, for what NumPy's dispatch can't see.

    The array of another transform calls it in its own way: ``vmap`` for each sample, unless the
    kernel says how all of them are computed (``in_samples``, ``over_leading``).
    """

    @functools.wraps(kernel)
    def call(*arguments):
        ducks = _ducks(arguments)
        if ducks:
            return max(ducks, key=lambda duck: duck.level.tick).opaque(call, arguments)
        trace = session.trace
        return kernel(*arguments) if trace is None else trace.opaque(kernel, arguments)

    return call


class Exchanges:
    """What one call of a compiled function has exchanged with other processes, and what came of it.

    A traced run may be given up half-way, and the call then runs again, while the others have
    made theirs. They are not asked again: what came of it is given to the next run.
    """

    def __init__(self) -> None:
        self._done: list[tuple[Any, list[Any]]] = []
        self.place = 0

    def perform(self, kernel, arguments, written, keeps: bool) -> None:
        """Make an exchange, or write what came of it in a run before; keep it for another run."""
        targets = _arrays([arguments[place] for place in written])
        if self.place == len(self._done):
            kernel(*arguments).wait()
            if keeps:
                self._done.append((kernel, [target.copy() for target in targets]))
                self.place += 1
            return
        before, results = self._done[self.place]
        forms = [[(x.shape, x.dtype) for x in arrays] for arrays in (results, targets)]
        if before is not kernel or forms[0] != forms[1]:
            raise CompileError(
                f"the function exchanged {before.__name__} with the other processes when it was "
                f"traced, and {kernel.__name__} when it ran: it has to do the same"
            )
        for target, result in zip(targets, results):
            target[...] = result
        self.place += 1

    def end(self) -> None:
        """Raise where the last run has exchanged less than one before."""
        if self.place < len(self._done):
            raise CompileError(
                f"the function made {len(self._done)} exchanges with the other processes when it "
                f"was traced, and {self.place} when it ran: it has to do the same"
            )


class OneCall:
    """One call of a compiled function, however often it has to be run.

    ``keeps``: whether there may be another run, so that what is exchanged is kept for it.
    """

    def __init__(self, exchanges: Exchanges) -> None:
        self.exchanges = exchanges
        self.keeps = True
        self._start = exchanges.place

    def begin_run(self) -> None:
        """Begin with the first exchange of the call."""
        self.exchanges.place = self._start


@contextlib.contextmanager
def one_call(call: OneCall | None = None):
    """Be one call of a compiled function, or its last run: the function as it is."""
    before = session.call
    if call is None:
        call = OneCall(Exchanges() if before is None else before.exchanges)
    else:
        call.begin_run()
        call.keeps = before is not None and before.keeps
    session.call = call
    try:
        yield call
        if before is None:
            call.exchanges.end()
    finally:
        session.call = before


def _arrays(items) -> list:
    """Return the arrays among arguments, and in the lists among them."""
    found: list = []
    for item in items:
        found += (
            _arrays(item) if isinstance(item, (list, tuple)) else [] if item is None else [item]
        )
    return found


@contextlib.contextmanager
def rehearsal():
    """Run programs to look at them: other processes do not hear of it."""
    before, session.rehearses = session.rehearses, True
    try:
        yield
    finally:
        session.rehearses = before


def exchange(*written: int):
    """Say of a kernel that it exchanges arrays with other processes, and waits for them.

    It returns work that has begun; ``written``: the places of the arguments that it writes into,
    arrays or lists of them. A program makes it again at each call, in the same order.
    """

    def declare(kernel):
        @functools.wraps(kernel)
        def perform(*arguments) -> None:
            if session.rehearses:
                return
            call = session.call
            if call is None:
                kernel(*arguments).wait()
            else:
                call.exchanges.perform(kernel, arguments, written, call.keeps)

        @functools.wraps(kernel)
        def call(*arguments) -> None:
            ducks = _ducks(arguments)
            if ducks:
                raise LevelError(
                    f"{kernel.__name__}: what a transform (vmap, jvp) holds can't be exchanged "
                    "with other processes; do it outside"
                )
            trace = session.trace
            if trace is None:
                perform(*arguments)
            else:
                trace.exchange(perform, arguments, written)

        vars(call)["begin"] = kernel
        return call

    return declare


def rely_on(holder, attribute: str) -> None:
    """Say that what is computed now holds while an attribute is as it is."""
    if session.trace is not None:
        session.trace.rely_on(holder, attribute)


def forbid_in_trace(what: str, instead: str) -> None:
    """Raise ``CompileError`` in a trace: a compiled program would not do ``what`` again."""
    if session.trace is not None:
        raise CompileError(
            f"{what} changes Python state that a compiled step would not change again; {instead}"
            f"{session.trace.where()}"
        )


def forbid_layout(what: str, instead: str) -> None:
    """Raise ``CompileError`` in a trace: how values lie in memory is the program's own matter."""
    if session.trace is not None:
        raise CompileError(
            f"{what} depends on how a tensor lies in memory, which a compiled program decides for "
            f"itself; {instead}{session.trace.where()}"
        )


def forbid_reading(what: str) -> None:
    """Raise ``CompileError`` in a trace: ``what`` shows values that only a program will know."""
    if session.trace is not None:
        raise CompileError(
            f"{what} shows values that are only known when the program runs; return the tensor "
            f"and show it outside the compiled function{session.trace.where()}"
        )


class LazyGradient:
    """A gradient that a compiled program left in a buffer: copied out when somebody asks."""

    __slots__ = ("buffer", "make")

    def __init__(self, buffer, make) -> None:
        self.buffer = buffer
        self.make = make

    def take(self):
        """Return the gradient as a tensor of its own."""
        return self.make(self.buffer.copy())


def fused(kernel):
    """Return a kernel of plain arrays that a trace records as one call.

    It is that of a primitive which has a definition: arrays of transforms are refused here, and
    then computed by that.
    """

    @functools.wraps(kernel)
    def call(*arguments):
        if _ducks(arguments):
            raise LevelError(f"{kernel.__name__.strip('_')} takes plain arrays")
        trace = session.trace
        return kernel(*arguments) if trace is None else trace.opaque(kernel, arguments)

    return call
