"""What a dispatch gives back, as source: the returned structure, and what is put elsewhere."""

from __future__ import annotations

from aino.compiler.guards.text import Guards
from aino.compiler.ir.program import Kept, NumberOf, Returned
from aino.compiler.ir.symbolic import SymbolicNumber
from aino.pytree import is_container, parts_of, refilled


def numbers_in(item) -> list[SymbolicNumber]:
    """Return the numbers in the returned structure that are computed from live ones."""
    if type(item) is SymbolicNumber:
        return [item]
    return [number for part in parts_of(item) for number in numbers_in(part)]


class Answer:
    """Writes the expression of the returned structure."""

    def __init__(self, guards: Guards) -> None:
        self.guards = guards
        self.made: dict[int, str] = {}

    def text(self, item) -> str:
        """Return the expression of one part."""
        guards = self.guards
        if isinstance(item, Returned):
            return self._tensor(item)
        if isinstance(item, SymbolicNumber):
            return guards.numbers.get(item.source, item.source)
        if type(item) is Kept:
            return guards.bind("kept", item.value)
        if type(item) is NumberOf:
            return "".join(x if isinstance(x, str) else f"{self._tensor(x)}.array" for x in item)
        if isinstance(item, (tuple, list)):
            parts = [self.text(part) for part in item]
            if type(item) not in (tuple, list):
                kind, inner = guards.bind("kind", type(item)), ", ".join(parts)
                return f"{kind}({inner})" if hasattr(item, "_fields") else f"{kind}([{inner}])"
            if isinstance(item, list):
                return f"[{', '.join(parts)}]"
            return f"({''.join(f'{part}, ' for part in parts)})"
        if type(item) is dict:
            parts = [f"{guards.bind('key', key)}: {self.text(part)}" for key, part in item.items()]
            return "{" + ", ".join(parts) + "}"
        if is_container(item):
            inner = ", ".join(self.text(part) for part in parts_of(item))
            template = guards.bind("form", refilled(item, [None] * len(parts_of(item))))
            return f"{guards.bind('refilled', refilled)}({template}, [{inner}])"
        return guards.bind("value", item)

    def _tensor(self, item: Returned) -> str:
        if item.original is not None:
            given = isinstance(item.original, str)
            return item.original if given else self.guards.bind("same", item.original)
        if id(item) not in self.made:
            name = self.made[id(item)] = f"t{len(self.made)}"
            self.guards.lines.append(f"{name} = make(r{len(self.made) - 1})")
        return self.made[id(item)]
