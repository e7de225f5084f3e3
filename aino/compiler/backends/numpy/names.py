"""Names for the source: parameters by their names in the model, results by what made them."""

from __future__ import annotations

import keyword
import re

import numpy as np

from aino.compiler.ir.operations import Operation
from aino.compiler.ir.program import Call
from aino.compiler.ir.regions import Storage
from aino.compiler.tracing.trace import Trace


class Names:
    """Hands out identifiers, each once."""

    def __init__(self, taken=()) -> None:
        self.taken = set(taken)
        #: The number with which a wish is tried next: smaller ones are taken.
        self._next: dict[str, int] = {}

    def fresh(self, wish: str) -> str:
        """Return ``wish`` as an identifier, with a number if it is taken."""
        name = re.sub(r"\W+", "_", wish).strip("_") or "value"
        if name[0].isdigit() or keyword.iskeyword(name):
            name = f"_{name}"
        candidate = name
        if candidate in self.taken:
            number = self._next.get(name, 2)
            while (candidate := f"{name}_{number}") in self.taken:
                number += 1
            self._next[name] = number + 1
        self.taken.add(candidate)
        return candidate


def label_outside(trace: Trace) -> None:
    """Label the memory from outside with the names of parameters, buffers and states."""
    labels: dict[int, str] = {}
    owners = list(trace.context.owners.values())
    modules = [owner for owner in owners if hasattr(owner, "named_parameters")]
    inner = {id(child) for module in modules for child in _children(module)}
    roots = [module for module in modules if id(module) not in inner and any(_named(module))]
    for number, module in enumerate(roots):
        prefix = "" if len(roots) == 1 else f"model{number + 1}_"
        for name, tensor in _named(module):
            labels.setdefault(id(tensor), prefix + _spoken(module, name))
    for optimizer in owners:
        for label, tensor in getattr(optimizer, "named_memory", dict)().items():
            labels.setdefault(id(tensor), label)
    for key, tensor in trace.tensors.items():
        place = trace.place_of(tensor.array)
        if place is not None and place.is_whole and not place.storage.label:
            place.storage.label = labels.get(key, "")
    for leaf, tensor in trace.leaf_tensors():
        trace.leaf_labels[leaf] = labels.get(id(tensor), "")


def _named(module) -> list:
    return [*module.named_parameters(), *module.named_buffers()]


def _spoken(module, name: str) -> str:
    """Return a parameter's path as a name: ``0.weight`` of a Sequential as ``linear0_weight``."""
    parts = []
    for part in name.split("."):
        module = getattr(module, "_modules", vars(module)).get(part, module)
        parts.append(f"{type(module).__name__.lower()}{part}" if part.isdigit() else part)
    return "_".join(parts)


def _children(module):
    modules = iter(module.modules())
    next(modules)
    return modules


def wish_for(storage: Storage, call: Call | None) -> str:
    """Return what a result would be called: after the primitive, or the function, that made it."""
    if storage.label:
        return storage.label
    if storage.kind != "temporary":
        return storage.kind if storage.kind == "gradient" or storage.written else "constant"
    if call is None:
        return "flat"
    operation = call.operation
    if operation is Operation.NUMBER:
        return "number"
    if operation is Operation.LOOP:
        return "result"
    function = call.function
    plain = function if isinstance(function, str) else getattr(function, "__name__", "")
    if operation is Operation.COPY:
        plain = "copy"
    if operation in (Operation.REDUCE, Operation.ACCUMULATE):
        plain = {"add": "sum", "maximum": "max", "minimum": "min", "multiply": "prod"}.get(
            plain, plain
        )
    made = call.primitive or plain or "item"
    return f"d_{made}" if call.section == "backward" else made


def function_text(function, method: str) -> tuple[str, str]:
    """Return a NumPy function's short name for the body and the expression that binds it."""
    if method in ("reduce", "accumulate", "at", "outer"):
        return f"{function.__name__}_{method}", f"np.{function.__name__}.{method}"
    module = getattr(function, "__module__", "numpy") or "numpy"
    name = function.__name__
    if isinstance(function, np.ufunc):
        found = next((n for n in (name, "conjugate") if getattr(np, n, None) is function), None)
        if found:
            return found, f"np.{found}"
        return name.strip("_"), ""
    if module.startswith("numpy"):
        path = module.removeprefix("numpy").removeprefix(".")
        dotted = f"np.{path}.{name}" if path and hasattr(np, path.split(".")[0]) else f"np.{name}"
        return name, dotted
    return name, ""
