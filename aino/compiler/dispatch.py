"""The guarded dispatch of a compiled program: written for one signature, checked at every call.

What a program relies on is compared in straight-line Python; anything else than expected returns
``MISS``, before anything has happened, and the caller traces anew.
"""

from __future__ import annotations

from itertools import repeat
from typing import Any

import numpy as np

from aino import dtypes
from aino.autograd.memory import LAST_WRITE, TIME, clock, stamp_of
from aino.autograd.mode import mode
from aino.autograd.node import Leaf
from aino.autograd.tensor import Tensor, make
from aino.compiler.answer import Answer, numbers_in
from aino.compiler.arguments import open_arguments, same_hooks
from aino.compiler.backends.native.stretches import slots
from aino.compiler.backends.numpy.lines import Source
from aino.compiler.entry import run_of
from aino.compiler.failure import Failure
from aino.compiler.guards.rows import is_dictionary, row, row_of_comparison, row_of_place
from aino.compiler.guards.sharing import guard_sharing, written_storages
from aino.compiler.guards.text import Guards, code_of
from aino.compiler.ir.program import Program
from aino.compiler.ir.symbolic import SymbolicNumber, named_numbers
from aino.compiler.signature import Request
from aino.compiler.tracing.lifting import SLOTS
from aino.compiler.tracing.trace import Trace
from aino.compiler.uncompiled import RunEagerly
from aino.errors import CompileError
from aino.structure_version import structure_version
from aino.tracing import LazyGradient, UnlikeError


def write_dispatch(trace: Trace, program: Program, source: Source, step, buffers,
                   request: Request, still_fits, recorded):  # fmt: skip
    """Return ``dispatch(args, kwargs)``, which runs the program or returns ``MISS``.

    ``recorded``: whether gradients play a part; else it is a predictor, for calls under no_grad.
    """
    guards, flat = Guards(), request.flat
    level = mode.level if recorded else 0
    if not recorded:
        guards.need("not mode.level", [])
    _open_places(guards, trace)
    opened = open_arguments(guards, trace, program, request, source.walked)
    guards.lines += [f"{label} = {name}" for label, name in trace.floats.items() if label != name]
    given_back = [program.result, *[value for _, value in program.stored]]
    _compute_numbers(guards, trace, numbers_in(given_back))
    parts = [_written(guards)]
    _guard_surroundings(guards, trace, still_fits, recorded)
    _guard_tensors(guards, trace, recorded, source.walked)
    parts.append(_written(guards))
    guard_sharing(guards, trace, program, flat, opened)
    parts.append(_written(guards))
    _guard_reads(guards, trace)
    parts.append(_written(guards))
    # Calls are counted, for the program to be compared with its function now and then.
    guards.bound["_calls_to_come"] = repeat(None)
    guards.lines += ["for _ in _calls_to_come: break", "else: return _turn(args, kwargs)"]
    given = _given(guards, trace, program, source, flat) + list(trace.floats)
    guards.bound["step"] = step
    call = f"step({', '.join(given)})"
    count = len(program.returned())
    names_of_results = ", ".join(f"r{i}" for i in range(count))
    call = f"{names_of_results} = {call}" if count else call
    pending = _pending(program, buffers)
    failure = Failure(program, source, pending)
    _run(guards, program, failure, call, given)
    stamps = [stamp_of(s.root) for s in written_storages(program) if s.kind == "static"]
    if stamps and source.walked:
        rows = [(clock, LAST_WRITE, 0), *[(stamp, TIME, 0) for stamp in stamps]]
        guards.in_c.fill = slots(rows)
        guards.lines.append(f"{guards.bind('fill', guards.in_c.fill.fill)}(tick())")
    elif stamps:
        guards.lines.append("clock.last_write = now = tick()")
        for stamp in stamps:
            guards.lines.append(f"{guards.bind('stamp', stamp)}.time = now")
    _leave_gradients(guards, program, pending, source.walked)
    answer = Answer(guards)
    result = answer.text(program.result)
    for effect, value in program.stored:
        _repeat(guards, effect, answer.text(value))
    guards.lines.append(f"return {result}")
    dispatch = _function(guards.lines, guards.bound)
    run = run_of(guards, trace, program, source, step, given, failure, request, result)
    rows, rest = guards.in_c.rows, guards.in_c.rest
    #: The call as C makes it, None where it does not.
    dispatch.entry = run and run.entry(guards, rows, rest, True, level)
    if not program.stored:  # else the program itself may change what was compared
        first, second, third, fourth = parts
        lines = guards.lines[: first[0]] + guards.lines[second[0] : third[0]]
        lines += guards.lines[fourth[0] :]
        some = rows[: first[1]] + rows[second[1] : third[1]]
        left = rest[: first[2]] + rest[second[2] : third[2]]

        def make_following():
            followed = _function(lines, guards.bound)
            return run.entry(guards, some, left, False, level, followed) if run else followed

        dispatch.make_following = make_following
    return dispatch


def _written(guards: Guards) -> tuple[int, int, int]:
    """Return how much of the guards is written: lines, rows, and what is left to Python."""
    return len(guards.lines), len(guards.in_c.rows), len(guards.in_c.rest)


def _function(lines: list[str], bound: dict[str, Any]) -> Any:
    """Return the dispatch that the lines are."""
    text = "def dispatch(args, kwargs):\n" + "\n".join(f"    {line}" for line in lines)
    exec(code_of(text, "<dispatch>"), bound)
    dispatch = bound.pop("dispatch")  # which would be a cycle
    dispatch.source = text
    return dispatch


def following(dispatch: Any) -> Any:
    """Return the dispatch for a call right after two others by it, None where there is none.

    Nothing but the program has run since, and the second of them has found what the first left:
    so what was compared of Python's world is as it was, and only the arguments are compared.
    """
    made = dispatch.__dict__.pop("make_following", None)
    if made is not None:
        dispatch.following = made()
    return getattr(dispatch, "following", None)


def _run(guards: Guards, program: Program, failure: Failure, call: str, given: list[str]) -> None:
    """Run the program; where it raises, what it has done is undone, and the function runs."""
    raised, saved = guards.bind("raised", failure.raised), "()"
    if failure.saves:
        saved = "saved"
        arguments = dict(zip((s.label for s in program.arguments), given))
        gradients = [s for s in program.storages() if s.kind == "gradient"]
        arrays = dict(zip(gradients, given[len(program.arguments) :]))
        names = [
            arguments[s.label] if s.kind == "argument" else arrays[s] if s.kind == "gradient" else
            guards.bind("root", s.root) for s in failure.storages
        ]  # fmt: skip
        guards.lines.append(f"saved = {guards.bind('save', failure.save)}([{', '.join(names)}])")
    guards.lines += ["try:", f"    {call}"]
    if any(getattr(c.function, "is_precondition", False) for c in program.calls):
        guards.lines.append(f"except {guards.bind('unlike', UnlikeError)} as error:")
        guards.lines.append("    return MISS" if program.preconditions_first else (
            f"    raise {guards.bind('error', CompileError)}(str(error)) from None"
        ))  # fmt: skip
    guards.lines += ["except BaseException as error:", f"    {raised}(error, {saved})", "    raise"]


def _compute_numbers(guards: Guards, trace: Trace, numbers: list[SymbolicNumber]) -> None:
    """Compute what is needed of numbers, and compare what steered the function, before all else.

    What arithmetic raises, the function raises by itself.
    """
    computed = [number.source for number in numbers if number.parts]
    lines = [
        f"    {name} = {text}"
        for name, text in named_numbers(trace.definitions, [*trace.guards, *computed])
    ]
    told_of = {
        text: f"({text}) is {outcome}" if isinstance(outcome, bool) else f"({text}) == {outcome!r}"
        for text, outcome in trace.guards.items()
    }
    lines += [f"    if not ({told}): return MISS" for told in told_of.values()]
    for position, text in enumerate(dict.fromkeys(computed)):
        guards.numbers[text] = f"n{position}"
        lines.append(f"    n{position} = {text}")
    if lines:
        eagerly = guards.bind("eagerly", RunEagerly)
        lines = ["try:", *lines]
        lines.append(f"except (ArithmeticError, ValueError): raise {eagerly} from None")
        guards.lines += lines
        rows = [row_of_comparison(text, trace.containers, told) for text, told in told_of.items()]
        found = [one for one in rows if one is not None]
        if computed or len(found) < len(rows):
            guards.in_c.rest += lines
        else:
            guards.in_c.rows += found


def _open_places(guards: Guards, trace: Trace) -> None:
    """Read what stands in the places of Python's world that are read anew at each call."""
    if trace.places:
        guards.lines.append("try:")
        for label, place in trace.places.items():
            guards.lines.append(f"    {label} = {place.expression(guards)}")
        guards.lines.append("except Exception: return MISS")


def _repeat(guards: Guards, effect, value: str) -> None:
    """Change Python's world as the function has changed it."""
    if effect.appends:
        holder = guards.bind_once("_holder", effect.place.holder)
        guards.lines.append(f"{holder}.append({value})")
    else:
        guards.lines += effect.place.assignment(guards, value)


def _guard_surroundings(guards: Guards, trace: Trace, still_fits, recorded: bool) -> None:
    """Grad mode, default dtype, the structure of models, and numbers that steered a branch."""
    if recorded:
        inference = f" and mode.inference is {mode.inference}" if not mode.level else ""
        guards.need(f"mode.level == {mode.level}{inference}", [])
        guards.in_c.inference = mode.inference if inference else None
    default = dtypes.get_default_dtype()
    guards.need(
        f"dtypes._default is {guards.bind('default', default)}",
        [row("item", vars(dtypes), "_default", default)],
    )
    guards.bound["seen"] = seen = [structure_version.count]
    guards.bound["still_fits"] = lambda: _look_closer(seen, still_fits, trace.reading.live)
    guards.need("structure_version.count == seen[0] or still_fits()", [])
    for label, container in trace.containers.items():
        guards.bound[label] = container
    for owner in trace.context.owners.values():
        groups = getattr(owner, "param_groups", ())
        optimizer = guards.bind("optimizer", owner) if groups else ""
        for position, group in enumerate(groups):
            name = guards.bind("group", group)
            rows = [row("part", owner, "param_groups", group, place=position)]
            guards.need(f"{optimizer}.param_groups[{position}] is {name}", rows)
            held = group["params"]
            parameters = guards.bind("params", held)
            plain = is_dictionary(group) and type(held) is list
            rows = [
                row("item", group, "params", held),
                row("length", held, "", None, None, len(held)),
            ]
            guards.need(f"{name}['params'] is {parameters} and len({parameters}) == "
                      f"{len(held)}", rows if plain else None)  # fmt: skip
    for text, value in dict(trace.entries).items():
        if value is None or isinstance(value, bool):
            _need_entry(guards, trace, text, value, f"{text} is {value}", None)
        elif isinstance(value, (str, int, float)):
            condition = f"{text} == {value!r}"
            _need_entry(guards, trace, text, value, condition, condition)
        elif isinstance(value, Tensor):
            condition = f"{text} is {guards.bind('setting', value)}"
            _need_entry(guards, trace, text, value, condition, None)


def _need_entry(guards: Guards, trace: Trace, text: str, value, condition: str, holds) -> None:
    found = row_of_place(text, trace.containers, value, holds)
    guards.need(condition, None if found is None else [found])


def _guard_reads(guards: Guards, trace: Trace) -> None:
    """Every name that was read stands for what it stood for."""
    read = trace.reading.conditions(guards)
    left = [condition for condition, found in read if found is None]
    guards.in_c.rows += [found for _, found in read if found is not None]
    for conditions, lines in (([text for text, _ in read], guards.lines), (left, guards.in_c.rest)):
        if conditions:
            lines.append("try:")
            lines += [f"    if not ({condition}): return MISS" for condition in conditions]
            lines.append("except Exception: return MISS")


def _look_closer(seen, still_fits, live) -> bool:
    """Tell whether models are as they were, but for what is read at each call."""
    count = structure_version.count
    if (live and structure_version.moved_by_settings_alone(seen[0], live)) or still_fits():
        seen[0] = count
        return True
    return False


def _guard_tensors(guards: Guards, trace: Trace, recorded: bool, walked: bool) -> None:
    """Tensors from outside must be the same memory, and want gradients as before."""
    same: list[tuple] = []
    conditions = []
    for tensor in trace.tensors.values():
        same.append((tensor, "array", tensor.array))
        if recorded and (tensor.node is None or type(tensor.node) is Leaf):
            same.append((tensor, "node", tensor.node))
            if tensor.node is not None and tensor.node.extras is None:
                same.append((tensor.node, "extras", None))
            elif tensor.node is not None:
                conditions.append(same_hooks(guards.bind("n", tensor.node), tensor.node))
    if same and walked:
        rows = [(owner, SLOTS[name], value) for owner, name, value in same]
        guards.in_c.same = slots(rows)
        guards.need(f"{guards.bind('same', guards.in_c.same.are)}()", [])
    else:
        conditions[:0] = [
            f"{guards.bind_once('t', owner)}.{name} is "
            f"{value if value is None else guards.bind('m', value)}"
            for owner, name, value in same
        ]
    for leaf, had in trace.read_first.items():
        if had is not None and leaf not in trace.argument_leaves:
            conditions.append(f"{guards.bind('leaf', leaf)}.grad is {'not ' if had else ''}None")
    if conditions:
        guards.need(" and ".join(conditions))


def _given(guards: Guards, trace: Trace, program: Program, source: Source, flat) -> list[str]:
    """Return the expressions of the arrays that the step is given."""
    labels = [name for name, item in flat if isinstance(item, (Tensor, np.ndarray))]
    given = [f"x{labels.index(storage.label)}" for storage in program.arguments]
    for storage in program.storages():
        if storage.kind == "gradient":
            label = trace.argument_leaves.get(storage.leaf)
            holder = f"{label}.node" if label else guards.bind("holder", storage.leaf)
            name = f"g{len(given)}"
            guards.lines.append(f"{name} = {holder}.grad")
            guards.lines.append(
                f"if {name}.__class__ is not Tensor: {name} = {holder}.grad = {name}.take()"
            )
            whole = storage.whole
            guards.need(f"{name}.array.shape == {whole.shape} and {name}.array.dtype == "
                      f"{guards.bind('dtype', whole.dtype)}")  # fmt: skip
            given.append(f"{name}.array")
    return given


def _pending(program: Program, buffers) -> list[tuple]:
    """Return the leaves that get a gradient, with what shows it and the region that it is in."""
    places = iter(buffers)
    return [
        (leaf, LazyGradient(next(places), make), value)
        for leaf, value in program.gradients
        if value is not None
    ]


def _leave_gradients(guards: Guards, program: Program, pending: list[tuple], walked: bool) -> None:
    """Let each leaf show its gradient; it is copied out of its buffer when somebody asks."""
    for leaf, gradient in program.given_gradients:
        holder = f"{leaf}.node" if isinstance(leaf, str) else guards.bind("leaf", leaf)
        shown = gradient if isinstance(gradient, str) else guards.bind("given", gradient)
        guards.lines.append(f"{holder}.grad = {shown}")
    shown_of = iter(pending)
    together: list[tuple] = []
    for leaf, value in program.gradients:
        gradient = None if value is None else next(shown_of)[1]
        if walked and type(leaf) is Leaf:
            together.append((leaf, SLOTS["grad"], gradient))
        else:
            holder = f"{leaf}.node" if isinstance(leaf, str) else guards.bind("leaf", leaf)
            text = "None" if gradient is None else guards.bind("pending", gradient)
            guards.lines.append(f"{holder}.grad = {text}")
        if gradient is not None and type(leaf) is Leaf and type(leaf.grad) is Tensor:
            # What the traced run left there moves into the program's memory.
            gradient.buffer[...] = leaf.grad.array
            leaf.grad = gradient
    if together:
        guards.in_c.put = slots(together)
        guards.lines.append(f"{guards.bind('put', guards.in_c.put.put)}()")
