"""Run a function once as a trace: the run is made real, its program is kept."""

from __future__ import annotations

import contextlib
import gc
import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from aino.autograd.live import Pending
from aino.autograd.node import Leaf, Node
from aino.autograd.tensor import Tensor
from aino.compiler.lifting import UNTOUCHED, Lifted, slot_of
from aino.compiler.number import Number
from aino.compiler.program import (
    Call,
    Program,
    Returned,
    Storage,
    address,
    rebuild,
    region,
)
from aino.compiler.trace import Trace
from aino.compiler.tracer import Tracer
from aino.errors import CompileError
from aino.ops import random


@dataclass
class Capture:
    """A trace that came to its end: its program, and what the caller gets of this run."""

    trace: Trace
    program: Program
    result: Any


def run_traced(function, arguments, keywords, names, inspect=None) -> Capture:
    """Run ``function`` as a trace and make the run real, or leave everything as it was.

    ``names`` are the names of the positional arguments. ``inspect(trace, program)`` may raise
    before anything becomes real.
    """
    trace = Trace()
    flat: list[tuple[str, Any]] = []
    flatten_arguments(arguments, keywords, names, flat)
    replaced = {}
    for name, item in flat:
        if isinstance(item, (Tensor, np.ndarray)):
            if isinstance(item, Tensor) and item.node is not None and type(item.node) is not Leaf:
                raise CompileError(
                    f"argument {name} has a history of its own, which a compiled function can't "
                    "reach; detach() it"
                )
            trace.add_argument(slot_of(item) if isinstance(item, Tensor) else item, name, item)
        elif type(item) is float:
            label = re.sub(r"\W+", "_", name)
            trace.floats[label] = name
            replaced[name] = Number(trace, item, label)
    arguments, keywords = replace_arguments(arguments, keywords, names, replaced)
    try:
        try:
            with Lifted(trace), watched_draws(trace):
                result = function(*arguments, **keywords)
            program = _finish(trace, result)
            if inspect is not None:
                inspect(trace, program)
        except BaseException:
            trace.abort()
            raise
        trace.commit()
        return Capture(trace, program, _real(result))
    finally:
        trace.let_go()


@contextlib.contextmanager
def watched_draws(trace: Trace):
    """Let the trace answer this thread's random draws, and make them unwatched."""

    def answer(generator, *arguments):
        random.intercepted.function = None
        try:
            if arguments[0] == "manual_seed":
                return trace.reseed(generator, arguments[1])
            if arguments[0] in ("get_state", "set_state"):
                raise CompileError(
                    "the state of a generator is read or set, which would be frozen in the "
                    f"program; do it outside, or use manual_seed{trace.where()}"
                )
            return trace.draw(random.draw, generator, arguments)
        finally:
            random.intercepted.function = answer

    random.intercepted.function = answer
    try:
        yield
    finally:
        random.intercepted.function = None


def flatten_arguments(arguments, keywords, names, found) -> None:
    """List the leaves of the arguments with their names: ``x``, ``batch[0]``, ``x['mean']``."""
    for name, item in zip(names, arguments):
        _flatten(item, name, found)
    for key, item in keywords.items():
        _flatten(item, key, found)


def _flatten(item, name, found) -> None:
    if isinstance(item, (tuple, list)):
        for position, part in enumerate(item):
            _flatten(part, f"{name}[{position}]", found)
    elif isinstance(item, dict):
        for key, part in item.items():
            _flatten(part, f"{name}[{key!r}]", found)
    else:
        found.append((name, item))


def replace_arguments(arguments, keywords, names, replaced):
    """Return the arguments with the named leaves replaced."""

    def change(item, name):
        if name in replaced:
            return replaced[name]
        if isinstance(item, (tuple, list)):
            parts = [change(part, f"{name}[{i}]") for i, part in enumerate(item)]
            return rebuild(type(item), parts)
        if type(item) is dict:
            return {key: change(part, f"{name}[{key!r}]") for key, part in item.items()}
        return item

    if not replaced:
        return arguments, keywords
    changed = tuple(change(item, name) for name, item in zip(names, arguments))
    return changed, {key: change(item, key) for key, item in keywords.items()}


def _finish(trace: Trace, result) -> Program:
    """Make the program of a trace, with what it could not do again in its notes."""
    _refuse_shared_memory(trace)
    kept = {id(x) for x in trace.survivors()}
    program = Program(trace.calls, [], None, [], list(trace.updates.values()))
    for leaf, before in trace.leaves.items():
        if before is UNTOUCHED:
            continue
        gradient = leaf.grad
        if gradient is before and trace.read_first[leaf] is not None:
            continue
        if gradient is None or type(gradient) is Pending:
            program.gradients.append((trace.argument_leaves.get(leaf, leaf), None))
            continue
        _forget_history(gradient, kept, "a gradient made with create_graph=True")
        array = slot_of(gradient)
        tracer = array if type(array) is Tracer else trace.lift(array)
        program.gradients.append((trace.argument_leaves.get(leaf, leaf), tracer.value))
    program.result = _apart(_returned(result, trace, kept, {}), program, {})
    program.notes["quiet"] = trace.quiet
    program.arguments = [s for s in trace.storages if s.kind == "argument"]
    if kept:
        result = None
        gc.collect()
        alive = [x for x in trace.survivors() if id(x) in kept]
        if alive:
            value = slot_of(alive[0]).value
            line = next((c.line for c in trace.calls if value in c.results), "")
            program.notes["unrepeatable"] = (
                f"a tensor of shape {value.shape} made in the step is kept outside of it "
                f"(made at {line}); return it instead, or write it into a tensor that exists "
                "already with copy_()"
            )
    if trace.entries_set:
        program.notes["unrepeatable"] = "the step sets entries of an optimizer's state"
    return program


def _refuse_shared_memory(trace: Trace) -> None:
    """Raise if an argument lies in memory that is known otherwise, and one of them is written.

    The program would hold them for two pieces of memory.
    """
    outside = [s for s in trace.storages if s.root is not None and s.kind != "constant"]
    for given in outside:
        if given.kind != "argument":
            continue
        for other in outside:
            if other is given or not (given.written or other.written):
                continue
            if np.may_share_memory(given.root, other.root) and _overlap(given.root, other.root):
                named = f"argument {other.label}" if other.kind == "argument" else (
                    "a tensor that the function holds")  # fmt: skip
                raise CompileError(
                    f"argument {given.label} shares memory with {named}, and one of them is "
                    "written in place; pass a clone()"
                )


def _overlap(first, second) -> bool:
    try:
        return np.shares_memory(first, second, max_work=10_000)  # type: ignore[arg-type]
    except np.exceptions.TooHardError:
        return True


def _returned(item, trace: Trace, kept, known):
    """Return the returned structure with regions in the places of tensors.

    ``known``: what has been returned before, by the identity of the tensor.
    """
    if isinstance(item, Tensor):
        if id(item) not in known:
            known[id(item)] = _returned_tensor(item, trace, kept)
        return known[id(item)]
    if isinstance(item, (tuple, list)):
        return rebuild(type(item), [_returned(part, trace, kept, known) for part in item])
    if isinstance(item, dict):
        return {key: _returned(part, trace, kept, known) for key, part in item.items()}
    return item


def _returned_tensor(item: Tensor, trace: Trace, kept) -> Returned:
    array = slot_of(item)
    if not trace.made(item):
        tracer = array if type(array) is Tracer else trace.lift(array)
        return Returned(tracer.value, trace.argument_name(item) or item)
    if type(array) is not Tracer:
        array = trace.lift(array)
    if type(item.node) is Leaf:
        raise CompileError(
            "a returned tensor requires grad, but was made in the compiled function; return "
            "tensor.detach() and call requires_grad_() outside"
        )
    _forget_history(item, kept, "a returned tensor")
    return Returned(array.value)


def _apart(item, program: Program, known):
    """Return the returned structure with copies of what a leaf's ``grad`` holds as well."""
    if isinstance(item, Returned):
        storages = {value.storage for _, value in program.gradients if value is not None}
        if item.original is not None or item.value.storage not in storages:
            return item
        if id(item) not in known:
            data = np.empty(item.value.shape, item.value.dtype)
            storage = Storage("temporary")
            storage.address = address(data)
            call = Call(".copy", "method", (item.value,), {}, [region(storage, data)])
            call.section, call.line = program.calls[-1].section, program.calls[-1].line
            program.calls.append(call)
            known[id(item)] = Returned(call.results[0])
        return known[id(item)]
    if isinstance(item, (tuple, list)):
        return rebuild(type(item), [_apart(part, program, known) for part in item])
    if isinstance(item, dict):
        return {key: _apart(part, program, known) for key, part in item.items()}
    return item


def _forget_history(tensor: Tensor, kept, what: str) -> None:
    """Take a tensor that outlives the trace out of its graph; refuse if that is still wanted."""
    if tensor.node is not None and type(tensor.node) is not Leaf:
        if _wants_backward(tensor.node):
            raise CompileError(
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
    seen = {node}
    stack = [node]
    while stack:
        node = stack.pop()
        if node.saved:
            return True
        for edge in node.inputs:
            if edge is not None and edge not in seen and type(edge) is not Leaf:
                seen.add(edge)
                stack.append(edge)
    return False


def _real(item):
    """Return what the caller gets of a traced run: numbers as they are now."""
    if type(item) is Number:
        return item.now
    if isinstance(item, (tuple, list)):
        return rebuild(type(item), [_real(part) for part in item])
    if type(item) is dict:
        return {key: _real(part) for key, part in item.items()}
    return item
