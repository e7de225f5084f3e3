"""What names mean while a graph is translated, and the block that is being made of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from aino.onnx.importing.block import Step


@dataclass
class Building:
    """A block that is being made, inside of another or of none."""

    parent: Building | None = None
    size: int = 0
    constants: dict[int, Any] = field(default_factory=dict)
    captured: dict[int, int] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)

    def new(self) -> int:
        """Return the number of a further value."""
        self.size += 1
        return self.size - 1

    def reach(self, owner: Building, number: int) -> int:
        """Return the number that a value of this block, or of one around it, has here."""
        if owner is self:
            return number
        assert self.parent is not None
        outside = self.parent.reach(owner, number)
        if outside not in self.captured:
            self.captured[outside] = self.new()
        return self.captured[outside]


@dataclass
class Names:
    """What names mean in a graph, or in the body of a function, which sees none around it."""

    building: Building
    imports: dict[str, int]
    outer: Names | None = None
    attributes: dict[str, Any] = field(default_factory=dict)
    here: dict[str, int] = field(default_factory=dict)

    def find(self, name: str) -> int | None:
        """Return the number of the value of this name, None where nothing has it."""
        scope: Names | None = self
        while scope is not None:
            if name in scope.here:
                return self.building.reach(scope.building, scope.here[name])
            scope = scope.outer
        return None
