"""The guards of a call's arguments: what they were when the program was made, checked first.

Where a program is walked in C, so are tensors and arrays without a history compared; what else
there may be in a call is compared in Python.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.autograd.node import Leaf
from aino.autograd.tensor import Tensor
from aino.compiler.backends.native import stretches
from aino.compiler.guards.arguments import Dynamic, Static, is_dynamic
from aino.compiler.guards.sharing import apart_from, written_storages
from aino.compiler.guards.snapshots import Snapshot, is_record
from aino.compiler.guards.text import Guards
from aino.compiler.ir.operations import Operation
from aino.compiler.ir.program import Program
from aino.compiler.ir.regions import Method
from aino.compiler.signature import Request
from aino.compiler.tracing.lifting import SLOTS
from aino.compiler.tracing.trace import Trace
from aino.native.trials import stand_in
from aino.pytree import structure_of

#: So many arguments are compared in C.
_FEW = 6


def open_arguments(
    guards: Guards, trace: Trace, program: Program, request: Request, walked: bool
) -> bool:
    """Check the arguments and bind their arrays to ``x0``, ``x1`` ...

    Returns whether that was left to C, and with it whose memory is whose.
    """
    places = request.places
    own = [(name, item) for name, item in request.flat if name not in places]
    rest = [(name, item) for name, item in request.flat if name in places]
    if walked and _are_plain(request, own, rest, program):
        _open_in_c(guards, program, own)
        _check_items(guards, trace, program, rest, request.names)
        return True
    _open_one_by_one(guards, request)
    _check_items(guards, trace, program, request.flat, request.names)
    return False


def _are_plain(request: Request, own: list, rest: list, program: Program) -> bool:
    """Tell whether the arguments are a few tensors and arrays without a history, given by place."""
    read = _labels_read(program)
    return (
        0 < len(own) <= _FEW
        and not request.kwargs
        and len(own) == len(request.args)
        and all(item is given for (_, item), given in zip(own, request.args))
        and all(
            isinstance(item.array, np.ndarray) and item.node is None
            if isinstance(item, Tensor)
            else type(item) is np.ndarray and name in read
            for name, item in own
        )
        and not any(isinstance(item, (Tensor, np.ndarray)) for _, item in rest)
    )


def _open_in_c(guards: Guards, program: Program, own: list[tuple[str, Any]]) -> None:
    """Let C compare the arguments, and say that none lies where the program writes."""
    rigid = _rigid(program)
    rows: list[tuple] = []
    first_arrays: dict[int, int] = {}
    first_objects: dict[int, int] = {}
    for place, (name, item) in enumerate(own):
        slots = (SLOTS["array"], SLOTS["node"]) if isinstance(item, Tensor) else (None, None)
        array = item.array if isinstance(item, Tensor) else item
        form = stand_in(array.shape, array.strides, array.dtype)
        same = first_arrays.setdefault(id(array), place), first_objects.setdefault(id(item), place)
        rows.append((type(item), *slots, form, array.dtype, name in rigid, *same))
    roots = list({
        id(storage.root): storage.root
        for storage in written_storages(program) if storage.kind == "static"
    }.values())  # fmt: skip
    guards.in_c.arguments = stretches.arguments(rows, roots, apart_from)
    opened = guards.bind("open", guards.in_c.arguments.open)
    opening = [f"opened = {opened}(args, kwargs)", "if opened is None: return MISS"]
    opening.append(f"[{', '.join([f'x{k}' for k in range(len(own))])}] = opened")
    opening += [f"{name} = args[{position}]" for position, (name, _) in enumerate(own)]
    guards.in_c.opening = opening
    guards.lines += opening


def _open_one_by_one(guards: Guards, request: Request) -> None:
    """Check how many arguments there are, how they are nested, and give them their names."""
    names, arguments, keywords = request.names, request.args, request.kwargs
    counts = [(arguments, "args"), (keywords, "kwargs")]
    guards.need(" and ".join(
        f"len({name}) == {len(given)}" if given else f"not {name}" for given, name in counts
    ), None if arguments or keywords else [])  # fmt: skip
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


def _check_items(guards: Guards, trace: Trace, program: Program, flat: list[tuple[str, Any]],
                 names: list[str]) -> None:  # fmt: skip
    """Check what the arguments are made of, one after the other."""
    rigid, read = _rigid(program), _labels_read(program)
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
        guards.need(same_hooks(node, leaf))
    else:
        guards.need(
            f"type({node}) is Leaf and ({node}.extras is None or "
            f"not {guards.bind('has_hooks', _has_hooks)}({node}))"
        )
    had = trace.read_first.get(leaf)
    if had is not None:
        guards.need(f"{node}.grad is {'not ' if had else ''}None")


def _labels_read(program: Program) -> set[str]:
    return {storage.label for storage in program.storages() if storage.kind == "argument"}


def _has_hooks(leaf: Leaf) -> bool:
    return leaf.extras is not None and bool(leaf.extras.hook_keys())


def same_hooks(name: str, leaf: Leaf) -> str:
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
