"""Run a function once as a trace: the run is made real, its program is kept."""

from __future__ import annotations

import contextlib
import gc
import random as python_random
import re
import sys
import threading
from dataclasses import dataclass
from typing import Any

import numpy as np

from aino.autograd.mode import mode
from aino.autograd.node import Leaf, Node, Spent
from aino.autograd.tensor import Tensor
from aino.compiler.guards import bytecode
from aino.compiler.guards.arguments import is_dynamic, replace_arguments
from aino.compiler.guards.environment import Reading
from aino.compiler.guards.places import Place
from aino.compiler.guards.reads import MISSING
from aino.compiler.ir.program import Kept, NumberOf, Program, Returned, append_copy
from aino.compiler.ir.raising import keeps_old_gradients
from aino.compiler.ir.regions import Region
from aino.compiler.ir.symbolic import FrozenNumberError, SymbolicNumber
from aino.compiler.tracing.effects import (
    Exchange,
    ReadOut,
    is_repeatable,
    make_plain,
    plainly,
    read_out,
    settled,
)
from aino.compiler.tracing.frames import iterator_refusal, watched_frames
from aino.compiler.tracing.lifting import UNTOUCHED, Lifted, slot_of
from aino.compiler.tracing.trace import Trace
from aino.compiler.tracing.tracer import Tracer
from aino.errors import CompileError
from aino.ops.random import generator as draws
from aino.pytree import mapped, structure_of
from aino.threads import is_own
from aino.tracing import LazyGradient

_NO_HISTORY = (type(None), Leaf)
_RETURNED = "a returned tensor"
_KEPT = "a tensor that the function keeps"


class WantsBackwardError(CompileError):
    """A gradient has to flow through the function: its forward and backward are two programs."""


@dataclass
class TracedRun:
    """A trace that came to its end: its program, and what the caller gets of this run."""

    trace: Trace
    program: Program
    result: Any


def run_traced(
    function,
    arguments,
    keywords,
    names,
    flat,
    inspect=None,
    reading: Reading | None = None,
    places: dict[str, Place] | None = None,
    *,
    commit: bool = True,
) -> TracedRun:
    """Run ``function`` as a trace and make the run real, or leave everything as it was.

    ``names`` are the names of the arguments, ``flat`` their leaves with names of their own.
    ``inspect(trace, program)`` may raise before anything becomes real. ``reading`` hears of
    every function of the user's that runs. ``places`` are those of the names that stand for values
    of Python's world instead of arguments. Without ``commit`` nothing becomes real: the program
    alone is wanted.
    """
    if not bytecode.UNDERSTOOD:
        raise CompileError(
            f"what a function reads is not understood in Python {sys.version_info[0]}."
            f"{sys.version_info[1]}, whose bytecode is another; nothing is compiled there"
        )
    trace = Trace()
    trace.reading = reading = Reading() if reading is None else reading
    trace.context.owners = reading.owners
    trace.places = places = places or {}
    replaced = {}
    for name, item in flat:
        if isinstance(item, (Tensor, np.ndarray)):
            if mode.level and isinstance(item, Tensor) and type(item.node) not in _NO_HISTORY:
                raise WantsBackwardError(
                    f"argument {name} has a history of its own, which a compiled function can't "
                    "reach; detach() it"
                )
            trace.add_argument(slot_of(item) if isinstance(item, Tensor) else item, name, item)
        elif is_dynamic(item):
            label = re.sub(r"\W+", "_", name)
            while label in trace.floats:
                label += "_"
            trace.floats[label] = name
            now = float(item) if isinstance(item, (float, np.floating)) else int(item)
            replaced[name] = SymbolicNumber(trace, now, label)
    arguments, keywords = replace_arguments(arguments, keywords, names, replaced)
    structure = structure_of((arguments, keywords))
    numbers = [(places[name], number) for name, number in replaced.items() if name in places]
    held = [(places[name], item) for name, item in flat if name in places and name not in replaced]
    reading.live = {place.identity: place.read() for place in places.values()}
    reading.labels = {place.identity: name for name, place in places.items()}
    exchange = Exchange(reading, numbers, held)
    try:
        try:
            try:
                with (
                    Lifted(trace),
                    watched_draws(trace),
                    refused_draws(),
                    watched_frames(trace, reading),
                ):
                    exchange.begin()
                    result = function(*arguments, **keywords)
                    reading.finish()
            finally:
                trace.effects = exchange.end()
            _refuse_unseen(trace, reading)
            if structure_of((arguments, keywords)) != structure:
                raise CompileError(
                    "the function changes a container that it is given (batch.pop(...), "
                    "batch[...] = ...), which a compiled program would not do again; let it take "
                    "a copy, and return what is new"
                )
            result = mapped(result, read_out)
            trace.effects = [e._replace(value=settled(e.value)) for e in trace.effects]
            _refuse_kept_numbers(trace)
            program = _finish(trace, result)
            if inspect is not None:
                inspect(trace, program)
        except FrozenNumberError as error:
            trace.abort()
            error.arguments = {trace.floats[o] for o in error.origins if o in trace.floats}
            raise
        except BaseException:
            trace.abort()
            raise
        if commit:
            trace.commit()
            for effect in trace.effects:
                effect.do(plainly(effect.value))
            make_plain(reading)
        else:
            trace.abort()
        return TracedRun(trace, program, mapped(result, _plain_number))
    finally:
        trace.effects = []
        trace.let_go()


def _plain_number(item):
    return item.now if type(item) in (SymbolicNumber, ReadOut) else item


def _refuse_kept_numbers(trace: Trace) -> None:
    """Raise if a number that was read out is held by something else than the result."""
    if any(reference() is not None for reference in trace.numbers_read):
        gc.collect()
        if any(reference() is not None for reference in trace.numbers_read):
            raise CompileError(
                "a number that item() gave is kept outside of the function; return it instead"
            )


class _Draws:
    """What answers this thread's draws while it is traced."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace

    def __call__(self, generator, *arguments):
        draws.intercepted.function = None
        try:
            if arguments[0] == "manual_seed":
                return self.trace.reseed(generator, arguments[1])
            if arguments[0] in ("get_state", "set_state"):
                raise CompileError(
                    "the state of a generator is read or set, which would be frozen in the "
                    f"program; do it outside, or use manual_seed{self.trace.where()}"
                )
            return self.trace.draw(draws.draw, generator, arguments)
        finally:
            draws.intercepted.function = self


@contextlib.contextmanager
def watched_draws(trace: Trace):
    """Let the trace answer this thread's random draws, and make them unwatched."""

    draws.intercepted.function = _Draws(trace)
    try:
        yield
    finally:
        draws.intercepted.function = None


#: The generators that are not AINO's: how their states are read and set.
_OTHERS: dict[str, tuple[Any, Any]] = {
    "random": (python_random.getstate, python_random.setstate),
    "np.random": (np.random.get_state, np.random.set_state),
}


@contextlib.contextmanager
def refused_draws():
    """Refuse draws from the generators of Python and NumPy, which would be frozen."""
    before = {name: read() for name, (read, _) in _OTHERS.items()}
    yield
    others = [t for t in threading.enumerate() if t is not threading.current_thread()]
    if not all(is_own(thread) for thread in others):
        return  # another thread may have drawn
    for name, (read, restore) in _OTHERS.items():
        if not all(np.array_equal(a, b) for a, b in zip(read(), before[name])):
            restore(before[name])
            raise CompileError(
                f"the function draws from {name}, and a program would draw the same at every "
                "call; draw with aino.rand and its kin, or give the number as an argument"
            )


def _refuse_unseen(trace: Trace, reading: Reading) -> None:
    """Refuse what a program could not follow: the very type of a number, an iterator's place."""
    if trace.frozen:
        raise FrozenNumberError("type() of a number that changes from call to call", trace.frozen)
    if reading.trouble is not None:
        raise CompileError(
            "what the function reads could not be found out: "
            f"{type(reading.trouble).__name__}: {reading.trouble}"
        )
    if reading.iterators:
        # This run may have advanced one, and is real; a second one would advance it again.
        trace.once_only = iterator_refusal(reading)


def _finish(trace: Trace, result) -> Program:
    """Make the program of a trace, and what it could not do again in words."""
    _refuse_shared_memory(trace)
    if any(storage.written for storage in trace.settings):
        raise CompileError(
            "the function writes into a tensor that is a setting of an optimizer, such as its "
            "learning rate; change it outside, after the call"
        )
    _refuse_new_history(trace)
    kept = {id(x) for x in trace.survivors()}
    program = Program(trace.calls, [], None, [], list(trace.updates.values()))
    #: Gradients that are tensors from outside: p.grad = argument.
    given = program.given_gradients
    for leaf, before in trace.leaves.items():
        if before is UNTOUCHED:
            continue
        gradient = leaf.grad
        if gradient is before and trace.read_first[leaf] is not None:
            continue
        if gradient is None or type(gradient) is LazyGradient:
            program.gradients.append((trace.argument_leaves.get(leaf, leaf), None))
            continue
        if not trace.made(gradient):
            holder = trace.argument_leaves.get(leaf, leaf)
            given.append((holder, trace.argument_name(gradient) or gradient))
            continue
        _forget_history(gradient, kept, "a gradient made with create_graph=True")
        array = slot_of(gradient)
        tracer = array if type(array) is Tracer else trace.lift(array)
        program.gradients.append((trace.argument_leaves.get(leaf, leaf), tracer.value))
    known: dict[int, Any] = {}
    program.result = mapped(result, lambda item: _returned(item, trace, kept, known, _RETURNED))
    program.stored = [
        (
            effect._replace(before=None, value=None),
            mapped(effect.value, lambda item: _returned(item, trace, kept, known, _KEPT)),
        )
        for effect in trace.effects
    ]
    apart: dict[int, Any] = {}
    program.map_returned(lambda item: _apart(item, program, apart))
    program.quiet = trace.quiet
    program.keeps_gradients = keeps_old_gradients(trace.calls, list(trace.set_first.values()))
    program.arguments = [s for s in trace.storages if s.kind == "argument"]
    for effect in trace.effects:
        if not is_repeatable(effect.value, trace.reading):
            value = effect.value.value if type(effect.value) is Kept else effect.value
            program.unrepeatable = f"the function deletes {effect.place.spoken}"
            if value is not MISSING:
                program.unrepeatable = (
                    f"the function sets {effect.place.spoken} to a {type(value).__name__}, which "
                    "a compiled program would not make again; set it outside, after the call"
                )
    if kept:
        result = None
        gc.collect()
        alive = [x for x in trace.survivors() if id(x) in kept]
        if alive:
            value = slot_of(alive[0]).value
            line = next((c.line for c in trace.calls if value in c.results), "")
            program.unrepeatable = (
                f"a tensor of shape {value.shape} made in the step is kept outside of it "
                f"(made at {line}); return it instead, or write it into a tensor that exists "
                "already with copy_()"
            )
    if trace.entries_set:
        program.unrepeatable = "the step sets entries of an optimizer's state"
    return program


def _refuse_shared_memory(trace: Trace) -> None:
    """Raise if two pieces of memory from outside are the same, and one of them is written.

    Arrays that own their memory never are; arguments, and views of what is no array, may be.
    """
    outside = [s for s in trace.storages if s.root is not None and s.kind != "constant"]
    for given in outside:
        if given.kind != "argument" and given.root.base is None:
            continue
        for other in outside:
            if other is given or not (given.written or other.written):
                continue
            if np.may_share_memory(given.root, other.root) and _overlap(given.root, other.root):
                first, second = (
                    f"argument {storage.label}" if storage.kind == "argument" else
                    "a tensor that the function holds" for storage in (given, other)
                )  # fmt: skip
                raise CompileError(
                    f"{first} shares memory with {second}, and one of them is written in place; "
                    "use a clone()"
                )


def _overlap(first, second) -> bool:
    try:
        return np.shares_memory(first, second, max_work=10_000)  # type: ignore[arg-type]
    except np.exceptions.TooHardError:
        return True


def _returned(item, trace: Trace, kept, known, what: str):
    """Return the region of a tensor in the returned structure; anything else as it is.

    ``known``: what has been returned before, by the identity of the tensor. ``what``: how an
    error calls it.
    """
    if type(item) is ReadOut:
        return NumberOf([Returned(x) if type(x) is Region else x for x in item.text])
    if not isinstance(item, Tensor):
        return item
    if id(item) not in known:
        known[id(item)] = _returned_tensor(item, trace, kept, what)
    return known[id(item)]


def _returned_tensor(item: Tensor, trace: Trace, kept, what: str) -> Returned:
    array = slot_of(item)
    if not trace.made(item):
        tracer = array if type(array) is Tracer else trace.lift(array)
        return Returned(tracer.value, trace.argument_name(item) or item)
    if type(array) is not Tracer:
        array = trace.lift(array)
    if type(item.node) is Leaf:
        raise CompileError(
            f"{what} requires grad, but was made in the compiled function; return "
            "tensor.detach() and call requires_grad_() outside"
        )
    _forget_history(item, kept, what)
    return Returned(array.value)


def _apart(item, program: Program, known):
    """Return a copy of what a leaf's ``grad`` holds as well; anything else as it is."""
    if not isinstance(item, Returned) or item.original is not None:
        return item
    if all(value is None or value.storage is not item.value.storage
           for _, value in program.gradients):  # fmt: skip
        return item
    if id(item) not in known:
        known[id(item)] = Returned(append_copy(program, item.value))
    return known[id(item)]


def _refuse_new_history(trace: Trace) -> None:
    """Refuse a write that gave a tensor from outside a history, which is one of tracers."""
    for tensor in trace.with_new_history():
        name = trace.argument_name(tensor)
        what = "a tensor from outside" if name is None else f"its argument {name}"
        raise CompileError(
            f"the function writes values that require a gradient into {what}, which would lead "
            "back into it afterwards; write tensor.detach(), or under no_grad()"
        )


def _forget_history(tensor: Tensor, kept, what: str) -> None:
    """Take a tensor that outlives the trace out of its graph; refuse if that is still wanted."""
    if tensor.node is not None and type(tensor.node) is not Leaf:
        if _wants_backward(tensor.node):
            raise (WantsBackwardError if what == _RETURNED else CompileError)(
                f"{what} still wants a backward pass (grad_fn {tensor.node.name()}), which would "
                "have to reach into the compiled function: call backward() inside it, or return "
                "tensor.detach()"
            )
        tensor.node = None
    while tensor is not None:
        kept.discard(id(tensor))
        view, tensor.view_of = tensor.view_of, None
        tensor = view.parent if view is not None else None  # type: ignore[assignment]


def _wants_backward(node: Node) -> bool:
    """Tell whether a graph was not walked yet: values are kept, or nothing shows a pass."""
    seen = {node}
    stack = [node]
    walked = False
    while stack:
        node = stack.pop()
        if node.saved and type(node.saved) is not Spent:
            return True
        walked = walked or node.saved is None or type(node.saved) is Spent
        for edge in node.inputs:
            if edge is not None and edge not in seen and type(edge) is not Leaf:
                seen.add(edge)
                stack.append(edge)
    return not walked
