"""What a backward pass comes to, and the passes that hooks on several gradients wait for."""

from __future__ import annotations

import threading
from typing import Any

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
