"""Which recorded nodes lead to what is drawn, and where that ends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from heapq import heappop, heappush
from typing import Any

from aino.autograd.node import Leaf, Node

#: A walk goes no further than this many operations; the rest is drawn as one vertex.
FARTHEST = 10_000


def walk(roots: Iterable[Node], begin: Mapping[Node, Any]) -> tuple[list[Node], bool]:
    """Return the nodes that lead to the roots, oldest first, and whether some were left out.

    The walk ends at leaves and at the nodes of ``begin``.
    """
    found: dict[int, Node] = {}
    order: list[int] = []

    def arrive(node: Node) -> None:
        if node.sequence not in found:
            found[node.sequence] = node
            heappush(order, -node.sequence)

    for root in roots:
        arrive(root)
    steps = 0
    left_out = []
    while order:
        node = found[-heappop(order)]
        if node in begin or type(node) is Leaf:
            continue
        if steps == FARTHEST:
            left_out.append(node.sequence)
            continue
        steps += 1
        for edge in node.inputs:
            if edge is not None:
                arrive(edge)
    for sequence in left_out:
        del found[sequence]
    return [found[sequence] for sequence in sorted(found)], bool(left_out)
