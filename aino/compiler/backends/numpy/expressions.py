"""Number expressions for the source: what several of them share is computed once."""

from __future__ import annotations

import re

from aino.compiler.ir.symbolic import SymbolicNumber, literal

#: How tightly an operator binds; of two equal ones the left is first, but for powers.
_BINDS = {
    "|": 0.2, "^": 0.4, "&": 0.6, "<<": 0.8, ">>": 0.8,
    "+": 1, "-": 1, "*": 2, "/": 2, "//": 2, "%": 2, "**": 4,
}  # fmt: skip
_SIGN, _ATOM = 3, 5
#: An entry of a group, as ``group0['betas'][1]``.
_ENTRY = re.compile(r"\w+\['(\w+)'\](?:\[(\d+)\])?")


class Expressions:
    """Rewrites expressions over a common set of local names.

    ``assignments`` are the lines that come first; ``rewritten`` maps the source of each number to
    its new text.
    """

    def __init__(self, numbers: list[SymbolicNumber], fresh) -> None:
        self._fresh = fresh
        self._names: dict[str, str] = {}
        self.assignments: list[str] = []
        self._counts: dict[str, int] = {}
        for number in numbers:
            self._count(number)
        self.rewritten = {number.source: self._text(number)[0] for number in numbers}

    def _count(self, number) -> None:
        if type(number) is SymbolicNumber:
            self._counts[number.source] = self._counts.get(number.source, 0) + 1
            if self._counts[number.source] == 1:
                for part in number.parts[1:]:
                    self._count(part)

    def _text(self, number) -> tuple[str, float]:
        """Return a number's text and how tightly its outermost operator binds."""
        if type(number) is not SymbolicNumber:
            return literal(number), _SIGN if number < 0 else _ATOM
        if number.source in self._names:
            return self._names[number.source], _ATOM
        plain = not number.parts or not number.parts[0]
        text, binds = (number.source, _ATOM) if plain else self._arithmetic(*number.parts)
        shared = len(number.parts) == 3 or _ENTRY.fullmatch(number.source)
        if not shared or self._counts[number.source] < 2:
            return text, binds
        name = self._names[number.source] = self._fresh(_wish(number.source))
        self.assignments.append(f"{name} = {text}")
        return name, _ATOM

    def _arithmetic(self, symbol: str, *operands) -> tuple[str, float]:
        """Return an operation with no more parentheses than it needs."""
        parts = [self._text(operand) for operand in operands]
        if len(parts) == 1:
            return symbol + _within(*parts[0], _SIGN), _SIGN
        binds = _BINDS[symbol]
        power = symbol == "**"
        left = _within(*parts[0], binds + power)
        right = _within(*parts[1], _SIGN if power else binds + 0.1)
        return f"{left} {symbol} {right}", binds


def _within(text: str, binds: float, needed: float) -> str:
    return text if binds >= needed else f"({text})"


def _wish(source: str) -> str:
    """Return a name for a shared number: after its key where it is an entry."""
    entry = _ENTRY.fullmatch(source)
    if entry is None:
        return "number"
    key, place = entry.groups()
    return key if place is None else f"{key.removesuffix('s')}{int(place) + 1}"
