"""The guarded door of a compiled program: written for one signature, checked at every call.

What a program relies on is compared in straight-line Python; anything else than expected returns
``MISS``, before anything has happened, and the caller traces anew.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from aino import dtypes
from aino.autograd.live import Pending
from aino.autograd.memory import clock, stamp_of
from aino.autograd.mode import mode
from aino.autograd.node import Leaf, tick
from aino.autograd.tensor import Tensor, make
from aino.compiler.emit import Source
from aino.compiler.number import Number
from aino.compiler.program import Program, Returned
from aino.compiler.trace import Trace
from aino.epoch import epoch

#: What an entry returns when the call is not the one it was written for.
MISS: Any = object()


class Door:
    """The text of an entry and what it names."""

    def __init__(self) -> None:
        self.bound: dict[str, Any] = {
            "Tensor": Tensor, "ndarray": np.ndarray, "MISS": MISS, "make": make, "mode": mode,
            "epoch": epoch, "tick": tick, "clock": clock, "Leaf": Leaf, "dtypes": dtypes, "np": np,
        }  # fmt: skip
        self.lines: list[str] = []

    def bind(self, name: str, value) -> str:
        """Bind a value under a name of its own and return the name."""
        candidate = f"_{name}{len(self.bound)}"
        self.bound[candidate] = value
        return candidate

    def need(self, condition: str) -> None:
        """Let the entry miss unless ``condition`` holds."""
        self.lines.append(f"if not ({condition}): return MISS")


def write_entry(trace: Trace, program: Program, source: Source, step, buffers, flat, names,
                arguments, keywords, still_fits, recorded):  # fmt: skip
    """Return ``entry(args, kwargs)``, which runs the program or returns ``MISS``.

    ``recorded``: whether gradients play a part, or the function records nothing in any mode.
    """
    door = Door()
    _open_arguments(door, flat, names, arguments, keywords)
    door.lines += [f"{label} = {name}" for label, name in trace.floats.items() if label != name]
    _guard_surroundings(door, trace, still_fits, recorded)
    _guard_tensors(door, trace, recorded)
    given = _given(door, program, source, flat) + list(trace.floats)
    door.bound["step"] = step
    call = f"step({', '.join(given)})"
    count = len(_returned(program.result))
    names_of_results = ", ".join(f"r{i}" for i in range(count))
    door.lines.append(f"{names_of_results} = {call}" if count else call)
    stamps = [stamp_of(s.root) for s in program.storages() if s.kind == "static" and _is_written(program, s)]  # fmt: skip
    if stamps:
        door.lines.append("clock.last_write = now = tick()")
        for stamp in stamps:
            door.lines.append(f"{door.bind('stamp', stamp)}.time = now")
    _leave_gradients(door, program, buffers)
    counter = iter(range(count))
    door.lines.append(f"return {_result(door, program.result, counter)}")
    text = "def entry(args, kwargs):\n" + "\n".join(f"    {line}" for line in door.lines)
    exec(compile(text, "<entry>", "exec"), door.bound)
    entry = door.bound["entry"]
    entry.source = text
    return entry


def _is_written(program: Program, storage) -> bool:
    return any(value.storage is storage for call in program.calls for value in call.touches())


def structure_of(item):
    """Return the shape of nested arguments, without their leaves."""
    if isinstance(item, (tuple, list)):
        return (type(item), tuple([structure_of(part) for part in item]))
    if isinstance(item, dict):
        return (dict, tuple([(key, structure_of(part)) for key, part in item.items()]))
    return None


def _open_arguments(door: Door, flat, names, arguments, keywords) -> None:
    """Check the arguments and bind their arrays to ``x0``, ``x1`` ..."""
    door.need(f"len(args) == {len(arguments)} and len(kwargs) == {len(keywords)}")
    for position, name in enumerate(names[: len(arguments)]):
        door.lines.append(f"{name} = args[{position}]")
    for key in keywords:
        door.need(f"{key!r} in kwargs")
        door.lines.append(f"{key} = kwargs[{key!r}]")
    for name, item in [*zip(names, arguments), *keywords.items()]:
        shape = structure_of(item)
        if shape is not None:
            structure = door.bind("structure", structure_of)
            door.need(f"{structure}({name}) == {door.bind('shape', shape)}")
    position = 0
    for name, item in flat:
        if isinstance(item, Tensor):
            kind = door.bind("kind", type(item))
            door.need(f"{name}.__class__ is {kind}")
            door.lines.append(f"x{position} = {name}.array")
            _check_array(door, f"x{position}", item.array)
            if item.node is None:
                door.need(f"{name}.node is None")
            else:
                door.need(f"type({name}.node) is Leaf")
            position += 1
        elif isinstance(item, np.ndarray):
            door.need(f"{name}.__class__ is ndarray")
            door.lines.append(f"x{position} = {name}")
            _check_array(door, f"x{position}", item)
            position += 1
        elif type(item) is float:
            door.need(f"{name}.__class__ is float")
        elif item is None or isinstance(item, (bool, int, str, complex, bytes)):
            known = door.bind("known", item)
            door.need(f"{name}.__class__ is {known}.__class__ and {name} == {known}")
        else:
            door.need(f"{name} is {door.bind('known', item)}")


def _check_array(door: Door, name: str, array) -> None:
    dtype = door.bind("dtype", array.dtype)
    door.need(f"{name}.shape == {array.shape} and {name}.dtype is {dtype}")


def _guard_surroundings(door: Door, trace: Trace, still_fits, recorded: bool) -> None:
    """Grad mode, default dtype, the structure of models, and numbers that steered a branch."""
    if recorded:
        door.need(f"mode.level == {mode.level}")
    door.need(f"dtypes._default is {door.bind('default', dtypes.get_default_dtype())}")
    door.bound["seen"] = seen = [epoch.count]
    door.bound["still_fits"] = lambda: _look_closer(seen, still_fits)
    door.need("epoch.count == seen[0] or still_fits()")
    for label, container in trace.containers.items():
        door.bound[label] = container
    for owner in trace.context.owners.values():
        for group in getattr(owner, "param_groups", ()):
            name = door.bind("group", group)
            for key, value in group.items():
                if value is None or isinstance(value, bool):
                    door.need(f"{name}[{key!r}] is {value}")
    for text, outcome in trace.guards.items():
        door.need(f"({text}) is {outcome}" if isinstance(outcome, bool) else f"({text}) == {outcome!r}")
    for text, value in dict(trace.entries).items():
        if value is None or isinstance(value, bool):
            door.need(f"{text} is {value}")
        elif isinstance(value, (str, int, float)):
            door.need(f"{text} == {value!r}")


def _look_closer(seen, still_fits) -> bool:
    count = epoch.count
    if still_fits():
        seen[0] = count
        return True
    return False


def _guard_tensors(door: Door, trace: Trace, recorded: bool) -> None:
    """Tensors from outside must be the same memory, and want gradients as before."""
    conditions = []
    for tensor in trace.tensors.values():
        name = door.bind("t", tensor)
        conditions.append(f"{name}.array is {door.bind('m', tensor.array)}")
        if recorded and (tensor.node is None or type(tensor.node) is Leaf):
            node = door.bind("n", tensor.node)
            conditions.append(f"{name}.node is {node}")
            if tensor.node is not None:
                conditions.append(f"{node}.extras is None" if tensor.node.extras is None else (
                    f"list({node}.extras.hooks) == {list(tensor.node.extras.hooks)} and "
                    f"list({node}.extras.after) == {list(tensor.node.extras.after)}"))  # fmt: skip
    for leaf, had in trace.read_first.items():
        if had is not None and leaf not in trace.argument_leaves:
            conditions.append(f"{door.bind('leaf', leaf)}.grad is {'not ' if had else ''}None")
    if conditions:
        door.need(" and ".join(conditions))


def _given(door: Door, program: Program, source: Source, flat) -> list[str]:
    """Return the expressions of the arrays that the step is given."""
    labels = [name for name, item in flat if isinstance(item, (Tensor, np.ndarray))]
    given = [f"x{labels.index(storage.label)}" for storage in program.arguments]
    for storage in program.storages():
        if storage.kind == "gradient":
            holder = door.bind("holder", storage.leaf)
            name = f"g{len(given)}"
            door.lines.append(f"{name} = {holder}.grad")
            door.lines.append(
                f"if {name}.__class__ is not Tensor: {name} = {holder}.grad = {name}.take()"
            )
            whole = storage.whole
            door.need(f"{name}.array.shape == {whole.shape} and {name}.array.dtype == "
                      f"{door.bind('dtype', whole.dtype)}")  # fmt: skip
            given.append(f"{name}.array")
    return given


def _leave_gradients(door: Door, program: Program, buffers) -> None:
    """Let each leaf show its gradient; it is copied out of its buffer when somebody asks."""
    places = iter(buffers)
    for leaf, value in program.gradients:
        holder = f"{leaf}.node" if isinstance(leaf, str) else door.bind("leaf", leaf)
        if value is None:
            door.lines.append(f"{holder}.grad = None")
        else:
            pending = Pending(next(places), make)
            door.lines.append(f"{holder}.grad = {door.bind('pending', pending)}")


def _returned(item) -> list[Returned]:
    if isinstance(item, Returned):
        return [item] if item.original is None else []
    if isinstance(item, dict):
        item = list(item.values())
    if isinstance(item, (tuple, list)):
        return [found for part in item for found in _returned(part)]
    return []


def _result(door: Door, item, counter) -> str:
    """Return the expression of the returned structure."""
    if isinstance(item, Returned):
        if item.original is not None:
            return door.bind("same", item.original)
        return f"make(r{next(counter)})"
    if isinstance(item, Number):
        return item.source
    if isinstance(item, (tuple, list)):
        parts = [_result(door, part, counter) for part in item]
        if hasattr(item, "_fields"):
            return f"{door.bind('kind', type(item))}({', '.join(parts)})"
        if isinstance(item, list):
            return f"[{', '.join(parts)}]"
        return f"({''.join(f'{part}, ' for part in parts)})"
    if isinstance(item, dict):
        parts = [f"{key!r}: {_result(door, part, counter)}" for key, part in item.items()]
        return "{" + ", ".join(parts) + "}"
    return door.bind("value", item)
