"""What a traced run relies on, and what it sets: numbers, comparisons of them, plain entries.

A number stands for itself in the program, as an expression; where the run went one way because of
what a number is, the program holds as long as the comparison comes out the same.
"""

from __future__ import annotations

import hashlib
from threading import get_ident
from typing import Any

from aino.compiler.ir.regions import Storage
from aino.compiler.ir.symbolic import Mapping, SymbolicNumber
from aino.compiler.tracing.boundary import Outside
from aino.compiler.tracing.lifting import UNTOUCHED
from aino.errors import CompileError
from aino.tracing import unheard


class Relied(Outside):
    """The part of a trace that knows numbers and plain entries, and what is relied on of them."""

    def __init__(self) -> None:
        super().__init__()
        self.guards: dict[str, Any] = {}
        self.entries: list[tuple[Any, Any]] = []
        self.containers: dict[str, Any] = {}
        self._labels: dict[int, str] = {}
        #: The memory of tensors that are read as numbers: nothing may write it meanwhile.
        self.settings: list[Storage] = []
        #: Long expressions of numbers, by the names that stand for them.
        self.definitions: dict[str, str] = {}
        self.entries_set = False
        self.over = False
        self._thread = get_ident()

    def name_number(self, source: str) -> str:
        """Return the name of a long expression: the same for the same one in every trace."""
        name = f"number_{hashlib.sha256(source.encode()).hexdigest()[:16]}"
        self.definitions[name] = source
        return name

    def guard(self, source: str, outcome) -> None:
        """Note a comparison that the program relies on."""
        if self.is_here():
            self.guards[source] = outcome

    def is_here(self) -> bool:
        """Tell whether the trace is at work in this thread."""
        return not self.over and get_ident() == self._thread

    def turns(self) -> tuple:
        """Return which way the run went where it may go another: comparisons, gradients there."""
        return tuple(self.guards.items()), tuple(self.read_first.values())

    def guard_entry(self, container, source: str, value) -> None:
        """Note a plain entry of a group that the program relies on."""
        self.entries.append((source, value))

    def rely_on(self, holder, attribute: str) -> None:
        """Let the program hold while an attribute of an object of AINO's is as it is."""
        source = f"{self._label(holder, 'holder')}.{attribute}"
        self.guard_entry(holder, source, getattr(holder, attribute))

    @unheard
    def mapping(self, container) -> Mapping:
        """Return a group, or a state, whose numbers stand for themselves."""
        return Mapping(self, container, self._label(container, "group"))

    def number_of(self, tensor) -> SymbolicNumber:
        """Return the number in a tensor from outside, as it will be when the program runs."""
        tracer = tensor.array
        root = tracer.value.storage.root
        if root is None or root.size != 1 or self.made(tensor):
            raise CompileError(
                f"a setting is a tensor that the step computes{self.where()}; keep it in one "
                "tensor of one element, and change that in place outside the compiled function"
            )
        label = self._label(root, "setting")
        self.settings.append(tracer.value.storage)
        return SymbolicNumber(self, tracer.shadow.item(), f"{label}.item()")

    def _label(self, held, wish: str) -> str:
        """Return the name that a group, a state or an array has in expressions."""
        label = self._labels.get(id(held))
        if label is None:
            label = self._labels[id(held)] = f"{wish}{len(self.containers)}"
            self.containers[label] = held
        return label

    def written_number(self, container, key):
        """Return the expression that the step has put into a container, None if it has not."""
        update = self.updates.get((id(container), key))
        return None if update is None else update[2]

    def write_number(self, container, key, number: SymbolicNumber) -> None:
        """Note that the step writes a number back."""
        self.updates[(id(container), key)] = (container, key, number)

    def set_entry(self, container, key, value) -> None:
        """Set a plain entry, as the step does once (making its state), with a way back."""
        before = dict.get(container, key, UNTOUCHED)
        if type(value) in (int, float) and type(before) in (int, float):
            self.write_number(container, key, SymbolicNumber(self, value, repr(value)))
            return
        self.entries_set = True
        self._undo.append((container, key, before))
        dict.__setitem__(container, key, value)
