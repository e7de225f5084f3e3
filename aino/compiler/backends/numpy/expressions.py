"""Number expressions for the source: what several of them share is computed once."""

from __future__ import annotations

import re
from collections import Counter

from aino.compiler.ir.symbolic import SymbolicNumber, literal

#: How tightly an operator binds; of two equal ones the left is first, but for powers.
_BINDS = {
    "|": 0.2, "^": 0.4, "&": 0.6, "<<": 0.8, ">>": 0.8,
    "+": 1, "-": 1, "*": 2, "/": 2, "//": 2, "%": 2, "**": 4,
}  # fmt: skip
_SIGN, _ATOM = 3, 5
#: So deep an expression may be: Python's own compiler does not go much deeper.
_DEEP = 24
#: An entry of a group, as ``group0['betas'][1]``.
_ENTRY = re.compile(r"\w+\['(\w+)'\](?:\[(\d+)\])?")


class Expressions:
    """Rewrites expressions over a common set of local names.

    ``assignments`` are the lines that come first; ``rewritten`` maps the source of each number to
    its new text.
    """

    def __init__(self, numbers: list[SymbolicNumber], fresh) -> None:
        self._fresh = fresh
        self.assignments: list[str] = []
        #: By source: the text, how tightly its outermost operator binds, how deep it is.
        self._texts: dict[str, tuple[str, float, int]] = {}
        order = _operands_first(numbers)
        counts = Counter(number.source for number in numbers)
        for number in order:
            counts.update([x.source for x in number.parts[1:] if type(x) is SymbolicNumber])
        for number in order:
            self._texts[number.source] = self._written(number, counts[number.source])
        self.rewritten = {number.source: self._texts[number.source][0] for number in numbers}

    def _written(self, number: SymbolicNumber, count: int) -> tuple[str, float, int]:
        """Return a number's text; one that several need has a name, and a part of a deep one."""
        text, binds, depth = self._expression(number)
        shared = len(number.parts) == 3 or _ENTRY.fullmatch(number.source)
        if depth < _DEEP and not (shared and count > 1):
            return text, binds, depth
        name = self._fresh(_wish(number.source))
        self.assignments.append(f"{name} = {text}")
        return name, _ATOM, 0

    def _expression(self, number: SymbolicNumber) -> tuple[str, float, int]:
        """Return an operation with no more parentheses than it needs."""
        if not number.parts:
            return number.source, _ATOM, 0
        symbol, *operands = number.parts
        parts = [self._operand(operand) for operand in operands]
        depth = 1 + max(depth for _, _, depth in parts)
        if "{" in symbol:
            return symbol.format(*[text for text, _, _ in parts]), _ATOM, depth
        if len(parts) == 1:
            return symbol + _within(*parts[0][:2], _SIGN), _SIGN, depth
        binds = _BINDS[symbol]
        power = symbol == "**"
        left = _within(*parts[0][:2], binds + power)
        right = _within(*parts[1][:2], _SIGN if power else binds + 0.1)
        return f"{left} {symbol} {right}", binds, depth

    def _operand(self, number) -> tuple[str, float, int]:
        if type(number) is SymbolicNumber:
            return self._texts[number.source]
        return literal(number), _SIGN if number < 0 else _ATOM, 0


def _operands_first(numbers: list[SymbolicNumber]) -> list[SymbolicNumber]:
    """Return numbers and what they are computed from, each source once, operands before results."""
    order: dict[str, SymbolicNumber] = {}
    stack = [(number, False) for number in reversed(numbers)]
    while stack:
        number, ready = stack.pop()
        if number.source in order:
            continue
        if ready:
            order[number.source] = number
            continue
        stack.append((number, True))
        parts = [part for part in number.parts[1:] if type(part) is SymbolicNumber]
        stack += [(part, False) for part in reversed(parts)]
    return list(order.values())


def _within(text: str, binds: float, needed: float) -> str:
    return text if binds >= needed else f"({text})"


def _wish(source: str) -> str:
    """Return a name for a shared number: after its key where it is an entry."""
    entry = _ENTRY.fullmatch(source)
    if entry is None:
        return "number"
    key, place = entry.groups()
    return key if place is None else f"{key.removesuffix('s')}{int(place) + 1}"
