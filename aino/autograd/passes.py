"""What a backward pass comes to, what waits for its end, and hooks on several of its gradients."""

from __future__ import annotations

import threading
from collections.abc import Callable
from threading import get_ident
from typing import Any

from aino.autograd.mode import mode
from aino.autograd.node import Node


def leading_to(wanted, roots) -> set[Node]:
    """Return the nodes between the roots and the wanted nodes, the wanted included."""
    reached = set(roots)
    stack = list(reached)
    oldest = min(node.sequence for node in wanted)
    while stack:
        for edge in stack.pop().inputs:
            if edge is not None and edge.sequence >= oldest and edge not in reached:
                reached.add(edge)
                stack.append(edge)
    useful: set[Node] = set()
    for node in sorted(reached, key=lambda node: node.sequence):
        if node in wanted or not useful.isdisjoint(node.inputs):
            useful.add(node)
    return useful


#: What the threads that are in a backward pass call at its end. (An empty dict is asked for at
#: the end of each pass, which costs nothing.)
queued: dict[int, list[Callable[[], Any]]] = {}


def queue_callback(callback: Callable[[], Any]) -> None:
    """Call ``callback()`` once, when the backward pass that this thread is in has come to its end.

    All gradients are in their leaves then. In a pass inside of another it is the end of the
    outermost; a pass that raises drops its callbacks. Raises ``RuntimeError`` outside of a pass.

    Arguments:
        callback: a function without arguments; it may queue others.
    """
    if not mode.walking:
        raise RuntimeError("Final callbacks can only be installed during backward pass.")
    queued.setdefault(get_ident(), []).append(callback)


def run_queued() -> None:
    """Call what this thread's pass, which has come to its end, has been asked to call."""
    waiting = queued.get(get_ident())
    if waiting is None:
        return
    for callback in waiting:  # which may grow meanwhile
        callback()
    del queued[get_ident()]


def drop_queued() -> None:
    """Forget what this thread's pass was to call: it has raised."""
    queued.pop(get_ident(), None)


#: What is told of each node that a backward pass has come through:
#: ``follow(node, inputs, saved, cotangent, cotangents)``.
followers: list[Callable[..., None]] = []

#: The hooks on several gradients that are registered: only for them a pass is made known.
watched: set[Any] = set()


class _Walking(threading.local):
    """The backward pass that a thread is in."""

    now: BackwardPass | None = None


walking = _Walking()


class BackwardPass:
    """One walk, known to the hooks that wait for several of its gradients."""

    def __init__(self, roots, wanted) -> None:
        self._roots = {node for node, _ in roots}
        self._wanted = wanted

    def visits(self) -> set[Node]:
        """Return the nodes that the walk comes to."""
        if self._wanted is not None:
            return leading_to(self._wanted, self._roots) | self._roots
        reached, stack = set(self._roots), list(self._roots)
        while stack:
            for edge in stack.pop().inputs:
                if edge is not None and edge not in reached:
                    reached.add(edge)
                    stack.append(edge)
        return reached
