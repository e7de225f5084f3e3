"""Steps of an explanation that belong to one module, folded in HTML."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from itertools import groupby
from typing import NamedTuple

#: Up to so many steps are shown unfolded; of more, the outermost folds alone.
_UNFOLDED = 12


class Block(NamedTuple):
    """A step: the names that lead to its module, and its lines of HTML."""

    module: tuple[str, ...]
    lines: list[str]


def folded(blocks: list[Block], kinds: Mapping[tuple[str, ...], str]) -> list[str]:
    """Return the lines of all steps, those of a module in a ``details`` with its name.

    Steps fold where there are two or more of them, one after another, in a module; a module
    within which all of them lie in one other stands for both.
    """
    return list(_folded(blocks, kinds, 0, len(blocks) <= _UNFOLDED))


def _folded(
    blocks: list[Block], kinds: Mapping[tuple[str, ...], str], depth: int, unfolded: bool
) -> Iterator[str]:
    for path, group in groupby(blocks, lambda block: block.module[: depth + 1]):
        inner = list(group)
        if len(path) <= depth or len(inner) == 1:
            for block in inner:
                yield from block.lines
            continue
        while len({block.module[: len(path) + 1] for block in inner}) == 1 and (
            len(inner[0].module) > len(path)
        ):
            path = inner[0].module[: len(path) + 1]
        kind = kinds.get(path, "")
        yield f'<details class="aino-module"{" open" if unfolded or not depth else ""}><summary>'
        yield f"<b>{escape('.'.join(path))}</b> {escape(kind)} <small>{len(inner):,} steps</small>"
        yield "</summary>"
        yield from _folded(inner, kinds, len(path), unfolded)
        yield "</details>"
