"""The lines of a written program, as data: what each is and which call it makes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from aino.compiler.backends.numpy.comments import comment
from aino.compiler.ir.operations import Operation
from aino.compiler.ir.program import Call

#: Where the comments begin.
_COLUMN = 56


class Kind(Enum):
    """What a line does."""

    TITLE = "title"
    STATEMENT = "statement"
    RETURN = "return"


@dataclass
class Line:
    """One line of a step; ``call`` is what it makes, None where it only helps."""

    text: str
    call: Call | None = None
    kind: Kind = Kind.STATEMENT
    #: Whether it is a stretch that is walked in C, of which ``call`` is the last.
    walked: bool = False

    @property
    def is_check(self) -> bool:
        """Whether it does nothing but look at values, and raise where they are wrong."""
        return self.call is not None and self.call.operation is Operation.CHECK

    @property
    def note(self) -> str:
        """What stands beside the line: the formula of its primitive, or the rule."""
        return comment(self.call)


@dataclass
class Source:
    """A program as Python: ``text`` defines ``build(np, ...)``, which returns the step.

    ``bound`` are the arguments of ``build``, ``parameters`` those of the step: the arrays that are
    given at each call. ``prelude``: what is made once. ``gradients``: the names of the regions
    that hold gradients when the step is done.
    """

    name: str
    parameters: list[str]
    bound: dict[str, Any]
    prelude: list[str]
    body: list[Line]
    gradients: list[str] = field(default_factory=list)
    #: Whether parts of it are walked in C.
    walked: bool = False

    @property
    def text(self) -> str:
        """The program, as it runs."""
        return self.written(self.body, self.bound)

    def written(self, body: Sequence[Line], bound, first: Sequence[str] = ()) -> str:
        """Return the program with another body, bound to other names, after other lines."""
        lines = [f"def build(np{''.join(f', {name}' for name in bound)}):"]
        lines += [f"    {line}" if line else "" for line in [*first, *self.prelude]]
        lines += [f"    {line}" for line in written_step(self.name, self.parameters, body)]
        places = f", [{', '.join(self.gradients)}]" if self.gradients else ""
        lines += ["", f"    return {self.name}{places}"]
        return "\n".join(lines) + "\n"


def written_step(name: str, parameters: Sequence[str], body: Sequence[Line]) -> list[str]:
    """Return the lines of a function; a note stands beside the first of several lines."""
    lines = [f"def {name}({', '.join(parameters)}):"]
    last = ""
    for line in body:
        note = line.note if line.call is not None else last
        note, last = ("" if note == last else note), note
        text = f"    {line.text}"
        lines.append(f"{text:<{_COLUMN - 4}}  # {note}" if note else text)
    return lines if body else [*lines, "    pass"]
