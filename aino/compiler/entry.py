"""A call that C makes from end to end: what the lines of a dispatch say, told to ``aino-native``.

Where anything is otherwise than it was, nothing has happened, and the dispatch itself is asked:
it decides. What can't be told so is left to it altogether.
"""

from __future__ import annotations

import ast
import functools
import re
import threading
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from aino.autograd.interposing import code_of as code_when_unwatched
from aino.autograd.mode import mode
from aino.autograd.node import tick
from aino.autograd.tensor import Tensor
from aino.compiler.backends.native import stretches
from aino.compiler.backends.numpy.lines import Kind, Source
from aino.compiler.failure import Failure
from aino.compiler.guards.rows import is_dictionary, row
from aino.compiler.guards.text import Guards, code_of
from aino.compiler.ir.program import Program
from aino.compiler.signature import Request
from aino.compiler.tracing.lifting import SLOTS
from aino.compiler.tracing.trace import Trace
from aino.compiler.uncompiled import RunEagerly
from aino.native import found
from aino.native.trials import stretch_type
from aino.structure_version import structure_version
from aino.tracing import UnlikeError, session

F = TypeVar("F")

#: So much is given to a program, and comes back of it, where C makes the call.
_MOST_GIVEN, _MOST_RESULTS = 16, 8
_SLOTS: Any = {**vars(Tensor), **SLOTS}
_VERSION: Any = type(structure_version).__dict__["count"]


@dataclass
class Body:
    """A program that is one stretch: what that is given, by its place in the step's or its result.

    ``forms``: arrays of the forms of the results. ``numbers``: rows of the entries that follow.
    """

    stretch: Any
    places: list[int]
    forms: list[np.ndarray]
    numbers: list[tuple]


def one_stretch(source: Source, step, containers: dict[str, Any]) -> Body | None:
    """Return a program as one stretch, None where it does anything else."""
    if len(source.body) < 2:
        return None
    *lines, last = source.body
    if last.kind is not Kind.RETURN or not lines[-1].walked:
        return None
    results = [name.strip() for name in last.text.removeprefix("return ").split(",")]
    known = {
        name: cell.cell_contents
        for name, cell in zip(step.__code__.co_freevars, step.__closure__ or ())
    }
    made = {}
    for line in lines[:-1]:
        found = re.fullmatch(r"(\w+) = (np\.empty\(.*\))", line.text)
        if found is None:
            return None
        made[found[1]] = eval(found[2], {**known, "np": np})
    if sorted(made) != sorted(results):
        return None
    walk: Any = ast.parse(lines[-1].text, mode="eval").body
    if not (isinstance(walk, ast.Call) and isinstance(walk.func, ast.Name)) or walk.keywords:
        return None
    stretch = known.get(walk.func.id)
    if type(stretch) is not stretch_type():
        return None
    places: list[int] = []
    numbers: list[tuple] = []
    for given in walk.args:
        if isinstance(given, ast.Name) and given.id in (*source.parameters, *made):
            if numbers:
                return None
            is_made = given.id in made
            place = -1 - results.index(given.id) if is_made else source.parameters.index(given.id)
            places.append(place)
        else:
            entry = _entry(given, containers)
            if entry is None:
                return None
            numbers.append(entry)
    return Body(stretch, places, [made[name] for name in results], numbers)


def _entry(node: ast.AST, containers: dict[str, Any]) -> tuple | None:
    if not (isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name)):
        return None
    holder = containers.get(node.value.id)
    key = node.slice.value if isinstance(node.slice, ast.Constant) else None
    if not is_dictionary(holder) or not isinstance(key, str):
        return None
    return row("item", holder, key, None)


@dataclass
class Run:
    """How C runs a program once all is as it was: what ``walker.Entry`` is told of it."""

    told: dict[str, Any]

    def entry(self, guards: Guards, rows, rest, whole: bool, level, otherwise=None) -> Any:
        """Return the call; ``whole``: whether what is of models and optimizers is compared."""
        in_c, bound = guards.in_c, guards.bound
        asked = None
        if rest:
            opening = in_c.opening if in_c.arguments is not None else []
            asked = _defined("rest(args, kwargs)", [*opening, *rest, "return True"], bound)
        return stretches.entry(
            mode=mode, level=level, inference=in_c.inference,
            version=(structure_version, _VERSION, bound["seen"]) if whole else None,
            arguments=in_c.arguments, rows=[_asking(item, bound) for item in rows],
            same=in_c.same if whole else None, rest=asked, counted=bound,
            otherwise=otherwise, **self.told,
        )  # fmt: skip


def run_of(guards: Guards, trace: Trace, program: Program, source: Source, step, given: list[str],
           failure: Failure, request: Request, result: str) -> Run | None:  # fmt: skip
    """Return how C runs the program, None where it has to be done by the lines.

    ``given``: the expressions of the arrays of the step, ``result`` that of what is returned.
    """
    count = len(program.returned())
    in_c = guards.in_c
    checked = any(getattr(call.function, "is_precondition", False) for call in program.calls)
    if (
        not source.walked
        or found("Entry") is None
        or (request.args and in_c.arguments is None)
        or request.kwargs
        or trace.places
        or trace.floats
        or guards.numbers
        or failure.saves
        or program.stored
        or program.given_gradients
        or any(storage.kind == "gradient" for storage in program.storages())
        or any(isinstance(leaf, str) for leaf, _ in program.gradients)
        or (checked and not program.preconditions_first)
        or count > _MOST_RESULTS
        or not all(re.fullmatch(r"x\d+", name) for name in given)
        or set(re.findall(r"[A-Za-z_]\w*", result)) & {*request.names}
    ):
        return None
    body = one_stretch(source, step, trace.containers)
    places = [int(name[1:]) for name in given]
    raised = failure.raised
    if body is not None:
        places = [place if place < 0 else places[place] for place in body.places]
        raised = functools.partial(failure.raised, walked=True)
    if len(places) + (len(body.numbers) if body else 0) > _MOST_GIVEN:
        return None
    names = [f"t{place}" for place in range(count)]
    is_tuple = count > 0 and result == f"({''.join([f'{name}, ' for name in names])})"
    finish = None
    if not is_tuple and not (count == 1 and result == "t0"):
        made = [f"{name} = make(r{place})" for place, name in enumerate(names)]
        made = [line for line in made if line in guards.lines]
        taken = ", ".join([f"r{place}" for place in range(count)])
        finish = _defined(f"finish({taken})", [*made, f"return {result}"], guards.bound)
    return Run({
        "step": step if body is None else body.stretch, "places": places,
        "numbers": body.numbers if body else [], "forms": body.forms if body else None,
        "results": count, "raised": raised, "unlike": UnlikeError if checked else None,
        "tick": tick, "fill": in_c.fill, "put": in_c.put,
        "tensor": (Tensor, *[_SLOTS[name] for name in ("array", "node", "view_of")]),
        "is_tuple": is_tuple, "finish": finish,
    })  # fmt: skip


class Entered:
    """An object whose calls enter by an entrance: where C makes them, None where it makes none."""

    __slots__ = ("_entrance",)
    _entrance: Any


#: The slot of that.
ENTRANCE: Any = vars(Entered)["_entrance"]


def entrance(lock, dispatches: list, called: Any) -> Any:
    """Return where calls enter that the first of the dispatches make in C, None without any.

    ``called``: what makes the others, and all of them while somebody looks at its calls. After the
    first that is Python's alone they are asked as ever: which comes first counts.
    """
    entries = []
    for dispatch in dispatches:
        entry = getattr(dispatch, "entry", None)
        if entry is None:
            break
        entries.append(entry)
    if not entries or type(lock) is not found("Lock"):
        return None
    code = code_when_unwatched(called)
    return stretches.entrance(lock, session, RunEagerly, tuple(entries), called, code)


def entrance_lock() -> Any:
    """Return a lock of one thread that may take it again: one that C can take, if there is one."""
    return (found("Lock") or threading.RLock)()


def entered(function: F, *places: Any) -> F:
    """Return a method whose calls C makes where it can, the method itself without the package.

    ``places``: the slots that lead from an object to its entrance.
    """
    caller = found("Caller")
    return function if caller is None else caller(list(places), function)


def _asking(item: tuple, bound: dict[str, Any]) -> tuple:
    """Return a row whose condition is a function."""
    *before, holds = item
    return (*before, holds and _defined("holds()", [f"return {holds}"], bound))


def _defined(signature: str, lines: list[str], bound: dict[str, Any]) -> Any:
    text = f"def {signature}:\n" + "\n".join(f"    {line}" for line in lines)
    exec(code_of(text, "<dispatch>"), bound)
    return bound.pop(signature.partition("(")[0])  # it would be a cycle
