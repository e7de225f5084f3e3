"""Levels: the transforms that are running, each a level of what stands in an array's place.

A running ``vmap`` is a level, and so is a dual level of forward mode. A duck array belongs to
one level, and its ``shape`` says of which levels it, or what it holds, is: the shape is all that
a node keeps of its output, so that a backward pass can tell what belongs to whom.

Levels have one order, that of their creation: of two ducks in an operation the younger answers,
and holds the older. Each thread has its own.
"""

from __future__ import annotations

import itertools
import threading
from typing import Any, Self

from aino.tracing import session

_tick = itertools.count(1).__next__


class Level:
    """One running transform: the context in which its duck arrays may be used.

    ``name``: what messages call the transform. ``alive``: whether it is running. A kind of level
    says how a cotangent is settled that comes from a level which has ended.
    """

    #: Whether its arrays, once it has ended, are their values alone instead of leaked.
    fades = False

    def __init__(self, name: str) -> None:
        self.name = name
        self.tick = _tick()
        self.alive = False

    def __enter__(self) -> Self:
        self.alive = True
        running.levels = (*running.levels, self)
        session.as_it_is = True
        return self

    def __exit__(self, *_: object) -> None:
        self.alive = False
        running.levels = tuple([level for level in running.levels if level is not self])
        session.as_it_is = bool(running.levels) or session.trace is not None

    def settles(self, cotangent: Any) -> bool:
        """Tell whether the cotangent of a value that has no part in the level is to be settled."""
        return not self.alive

    def settled(self, cotangent: Any) -> Any:
        """Return the cotangent, an array or a tensor of this level, of a value that has no part
        in the level, now that it has ended."""
        raise AssertionError("a kind of level says how its cotangents are settled")

    def everywhere(self, x: Any) -> Any:
        """Return an array that has no part in this level as it is in each of its samples."""
        return x

    def drawn(self, draw, generator, kind: str, shape, dtype, *parameters) -> Any:
        """Return the random numbers that ``draw``, which is outside of this level, gives in it."""
        return draw(generator, kind, shape, dtype, *parameters)

    def __repr__(self) -> str:
        return f"<{self.name}, level {self.tick}, {'running' if self.alive else 'ended'}>"


class _Running(threading.local):
    """The levels that this thread is in, the innermost last."""

    levels: tuple[Level, ...] = ()
    #: Whether a backward pass leaves cotangents as they are, as those that a tangent is made by.
    unsettled = False


running = _Running()


def drawn_in_level(draw, *arguments) -> Any:
    """Return what a random draw gives inside the innermost level, which then asks the outer."""
    levels = running.levels
    running.levels = levels[:-1]
    try:
        return levels[-1].drawn(draw, *arguments)
    finally:
        running.levels = levels


class LevelShape(tuple):
    """The shape of a duck array, and the levels that it is of, the youngest first."""

    levels: tuple[Level, ...]


def shape_of_levels(shape, levels) -> LevelShape:
    """Return a shape that knows its levels."""
    made = LevelShape(shape)
    made.levels = levels
    return made


def levels_of(value) -> tuple[Level, ...]:
    """Return the levels that a shape, or what has one, is of: none for ordinary arrays."""
    return getattr(value if isinstance(value, tuple) else value.shape, "levels", ())


def merged(*groups: tuple[Level, ...]) -> tuple[Level, ...]:
    """Return the levels of several groups, each once, the youngest first."""
    found = {level for levels in groups for level in levels}
    return tuple(sorted(found, key=lambda level: -level.tick))
