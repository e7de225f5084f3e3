"""The guarded dispatch of a compiled program: written for one signature, checked at every call.

What a program relies on is compared in straight-line Python; anything else than expected returns
``MISS``, before anything has happened, and the caller traces anew.
"""

from __future__ import annotations

from itertools import repeat

import numpy as np

from aino import dtypes
from aino.autograd.memory import TIME, stamp_of
from aino.autograd.mode import mode
from aino.autograd.node import Leaf
from aino.autograd.tensor import Tensor, make
from aino.compiler.answer import Answer, numbers_in
from aino.compiler.backends.native.stretches import slots
from aino.compiler.backends.numpy.lines import Source
from aino.compiler.failure import Failure
from aino.compiler.guards.arguments import Dynamic, Static, is_dynamic
from aino.compiler.guards.sharing import guard_sharing, written_storages
from aino.compiler.guards.snapshots import Snapshot, is_record
from aino.compiler.guards.text import Guards, code_of
from aino.compiler.ir.operations import Operation
from aino.compiler.ir.program import Program
from aino.compiler.ir.regions import Method
from aino.compiler.ir.symbolic import SymbolicNumber, named_numbers
from aino.compiler.signature import Request
from aino.compiler.tracing.lifting import SLOTS
from aino.compiler.tracing.trace import Trace
from aino.compiler.uncompiled import RunEagerly
from aino.errors import CompileError
from aino.pytree import structure_of
from aino.structure_version import structure_version
from aino.tracing import LazyGradient, UnlikeError


def write_dispatch(trace: Trace, program: Program, source: Source, step, buffers,
                   request: Request, still_fits, recorded):  # fmt: skip
    """Return ``dispatch(args, kwargs)``, which runs the program or returns ``MISS``.

    ``recorded``: whether gradients play a part; else it is a predictor, for calls under no_grad.
    """
    guards, flat = Guards(), request.flat
    if not recorded:
        guards.need("not mode.level")
    _open_places(guards, trace)
    _open_arguments(guards, trace, program, flat, request.names, request.args, request.kwargs)
    guards.lines += [f"{label} = {name}" for label, name in trace.floats.items() if label != name]
    given_back = [program.result, *[value for _, value in program.stored]]
    _compute_numbers(guards, trace, numbers_in(given_back))
    _guard_surroundings(guards, trace, still_fits, recorded)
    _guard_tensors(guards, trace, recorded, source.walked)
    guard_sharing(guards, trace, program, flat)
    read = trace.reading.conditions(guards)
    if read:
        guards.lines.append("try:")
        guards.lines += [f"    if not ({condition}): return MISS" for condition in read]
        guards.lines += ["except Exception: return MISS"]
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
    _run(guards, program, source, pending, call, given)
    stamps = [stamp_of(s.root) for s in written_storages(program) if s.kind == "static"]
    if stamps and source.walked:
        fill = guards.bind("fill", slots([(stamp, TIME, 0) for stamp in stamps]).fill)
        guards.lines += ["clock.last_write = now = tick()", f"{fill}(now)"]
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
    text = "def dispatch(args, kwargs):\n" + "\n".join(f"    {line}" for line in guards.lines)
    exec(code_of(text, "<dispatch>"), guards.bound)
    dispatch = guards.bound.pop("dispatch")  # which would be a cycle
    dispatch.source = text
    return dispatch


def _run(guards: Guards, program: Program, source: Source, pending, call: str,
         given: list[str]) -> None:  # fmt: skip
    """Run the program; where it raises, what it has done is undone, and the function runs."""
    failure = Failure(program, source, pending)
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
    for text, outcome in trace.guards.items():
        told = f"({text}) is {outcome}" if isinstance(outcome, bool) else f"({text}) == {outcome!r}"
        lines.append(f"    if not ({told}): return MISS")
    for position, text in enumerate(dict.fromkeys(computed)):
        guards.numbers[text] = f"n{position}"
        lines.append(f"    n{position} = {text}")
    if lines:
        eagerly = guards.bind("eagerly", RunEagerly)
        guards.lines += ["try:", *lines]
        guards.lines.append(f"except (ArithmeticError, ValueError): raise {eagerly} from None")


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


def _open_arguments(guards: Guards, trace: Trace, program: Program, flat, names, arguments,
                    keywords) -> None:  # fmt: skip
    """Check the arguments and bind their arrays to ``x0``, ``x1`` ..."""
    counts = [(arguments, "args"), (keywords, "kwargs")]
    guards.need(" and ".join(
        f"len({name}) == {len(given)}" if given else f"not {name}" for given, name in counts
    ))  # fmt: skip
    for position, name in enumerate(names[: len(arguments)]):
        guards.lines.append(f"{name} = args[{position}]")
    for name, key in zip(names[len(arguments) :], keywords):
        guards.need(f"{key!r} in kwargs")
        guards.lines.append(f"{name} = kwargs[{key!r}]")
    for name, item in zip(names, [*arguments, *keywords.values()]):
        shape = structure_of(item)
        if shape is not None:
            structure = guards.bind("structure", structure_of)
            guards.need(f"{structure}({name}) == {guards.bind('shape', shape)}")
    rigid = _rigid(program)
    read = {storage.label for storage in program.storages() if storage.kind == "argument"}
    position = 0
    for name, item in flat:
        if isinstance(item, Tensor):
            kind = guards.bind("kind", type(item))
            guards.need(f"{name}.__class__ is {kind}")
            guards.lines.append(f"x{position} = {name}.array")
            _check_array(guards, f"x{position}", item.array, name in rigid)
            if type(item.node) is Leaf:
                _check_leaf(guards, f"{name}.node", item.node, trace)
            elif item.node is None:
                guards.need(f"{name}.node is None")
            else:  # its history plays no part where nothing is recorded
                guards.need(f"type({name}.node) not in (None.__class__, Leaf)")
            position += 1
        elif isinstance(item, np.ndarray):
            guards.need(f"{name}.__class__ is ndarray")
            guards.lines.append(f"x{position} = {name}")
            _check_array(guards, f"x{position}", item, name in rigid)
            if name not in read:
                # It was read by NumPy alone, if at all: the program is made for what it holds.
                held = guards.bind("held", item.copy())
                guards.need(f"{guards.bind('equal', np.array_equal)}(x{position}, {held})")
            position += 1
        elif is_dynamic(item):
            number = int if type(item) is Dynamic else type(item)
            guards.need(f"{name}.__class__ is {guards.bind('kind', number)}")
        elif isinstance(item, Static):
            # 0.0 is not -0.0, and NaN is NaN.
            known = guards.bind("known", repr(float(item)))
            guards.need(f"{name}.__class__ is {guards.bind('kind', item.kind)} and "
                      f"repr(float({name})) == {known}")  # fmt: skip
        elif item is None or isinstance(item, (bool, int, str, complex, bytes, np.generic)):
            known = guards.bind("known", item)
            guards.need(f"{name}.__class__ is {known}.__class__ and {name} == {known}")
        else:
            guards.need(f"{name} is {guards.bind('known', item)}")
            if is_record(item) and name not in names[:1]:
                # Of the first, which is self in a method, what is read is known one by one.
                contents = Snapshot(item)
                contents.open(trace.reading.live)
                guards.need(f"{guards.bind('fits', contents.fits)}({name})")


def _check_leaf(guards: Guards, node: str, leaf: Leaf, trace: Trace) -> None:
    """Check what a program relies on of an argument's leaf: its hooks, and that it has a grad."""
    if _has_hooks(leaf):
        guards.need(f"{node} is {guards.bind('n', leaf)}")
        guards.need(_same_hooks(node, leaf))
    else:
        guards.need(
            f"type({node}) is Leaf and ({node}.extras is None or "
            f"not {guards.bind('has_hooks', _has_hooks)}({node}))"
        )
    had = trace.read_first.get(leaf)
    if had is not None:
        guards.need(f"{node}.grad is {'not ' if had else ''}None")


def _has_hooks(leaf: Leaf) -> bool:
    return leaf.extras is not None and bool(leaf.extras.hook_keys())


def _same_hooks(name: str, leaf: Leaf) -> str:
    """Return the condition that a leaf has the hooks that it has now."""
    assert leaf.extras is not None
    return f"{name}.extras is not None and {name}.extras.hook_keys() == {leaf.extras.hook_keys()}"


def _rigid(program: Program) -> set[str]:
    """Return the arguments whose strides decide what is a view of them and what is a copy.

    Matrices always count: their layout goes on into what is computed from them.
    """
    kinds = ("reshape", "ravel", "view")
    written = set(written_storages(program))
    found = {
        storage.label
        for storage in program.storages()
        if storage.kind == "argument"
        and (
            len(storage.whole.shape) > 1
            or storage in written
            or any(type(v.cut) is Method and v.cut.name in kinds for v in storage.regions())
        )
    }
    for call in program.calls:
        if call.operation is Operation.METHOD and call.function in kinds:
            found |= {v.storage.label for v in call.reads() if v.storage.kind == "argument"}
    return found


def _check_array(guards: Guards, name: str, array, rigid: bool) -> None:
    dtype = guards.bind("dtype", array.dtype)
    guards.need(f"{name}.shape == {array.shape} and {name}.dtype is {dtype}")
    if rigid:
        guards.need(f"{name}.strides == {array.strides}")


def _guard_surroundings(guards: Guards, trace: Trace, still_fits, recorded: bool) -> None:
    """Grad mode, default dtype, the structure of models, and numbers that steered a branch."""
    if recorded:
        inference = f" and mode.inference is {mode.inference}" if not mode.level else ""
        guards.need(f"mode.level == {mode.level}{inference}")
    guards.need(f"dtypes._default is {guards.bind('default', dtypes.get_default_dtype())}")
    guards.bound["seen"] = seen = [structure_version.count]
    guards.bound["still_fits"] = lambda: _look_closer(seen, still_fits, trace.reading.live)
    guards.need("structure_version.count == seen[0] or still_fits()")
    for label, container in trace.containers.items():
        guards.bound[label] = container
    for owner in trace.context.owners.values():
        groups = getattr(owner, "param_groups", ())
        optimizer = guards.bind("optimizer", owner) if groups else ""
        for position, group in enumerate(groups):
            name = guards.bind("group", group)
            guards.need(f"{optimizer}.param_groups[{position}] is {name}")
            parameters = guards.bind("params", group["params"])
            guards.need(f"{name}['params'] is {parameters} and len({parameters}) == "
                      f"{len(group['params'])}")  # fmt: skip
    for text, value in dict(trace.entries).items():
        if value is None or isinstance(value, bool):
            guards.need(f"{text} is {value}")
        elif isinstance(value, (str, int, float)):
            guards.need(f"{text} == {value!r}")
        elif isinstance(value, Tensor):
            guards.need(f"{text} is {guards.bind('setting', value)}")


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
                conditions.append(_same_hooks(guards.bind("n", tensor.node), tensor.node))
    if same and walked:
        rows = [(owner, SLOTS[name], value) for owner, name, value in same]
        conditions.insert(0, f"{guards.bind('same', slots(rows).are)}()")
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
        guards.lines.append(f"{guards.bind('put', slots(together).put)}()")
