"""Which module a step belongs to, as far as parameters tell.

A graph does not record modules. A step that uses a parameter belongs to the module that holds it;
a step between two such steps to the innermost module around both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import FrameType, ModuleType
from typing import Any

from aino.autograd.node import Leaf, Node
from aino.nn.base.module import Module

#: A module by the names that lead to it, from a variable on: ``("model", "encoder", "0")``.
Path = tuple[str, ...]


class Owners:
    """The modules that are known where an explanation is asked for.

    ``kinds``: the class of each module, by its path.
    """

    def __init__(self, caller: FrameType, *given: Any) -> None:
        self.kinds: dict[Path, str] = {}
        self._of: dict[int, Path] = {}
        self._kept: list[Any] = []
        for root, module in _modules(caller, given):
            for path, inner in module.named_modules():
                whole = (*root, *path.split(".")) if path else root
                self.kinds.setdefault(whole, type(inner).__name__)
                for parameter in inner.parameters(recurse=False):
                    self._of.setdefault(id(parameter), whole)
                    self._kept.append(parameter)  # so that no other object gets its identity

    def of_nodes(self, nodes: Iterable[Node]) -> dict[Node, Path]:
        """Return the path of each node that belongs to a module; given oldest first."""
        found: dict[Node, Path] = {}
        waiting: list[Node] = []
        last: tuple[Path, set[int]] | None = None
        for node in nodes:
            used = self._used(node)
            if not used:
                waiting.append(node)
                continue
            path = _common([self._of[x] for x in used])
            if last is not None:
                between = _common([last[0], path])
                # What uses a parameter again is another call, and what lies between is in neither.
                if between == path == last[0] and used & last[1]:
                    between = between[:-1]
                found.update(dict.fromkeys(waiting, between))
            found[node] = path
            waiting = []
            last = path, used
        return {node: path for node, path in found.items() if path}

    def _used(self, node: Node) -> set[int]:
        """Return the identities of the parameters that an operation used."""
        tensors = [edge.tensor() for edge in node.inputs if type(edge) is Leaf]
        return {id(x) for x in tensors if x is not None and id(x) in self._of}


def _common(paths: list[Path]) -> Path:
    first, *others = paths
    for count, name in enumerate(first):
        if any(len(other) <= count or other[count] != name for other in others):
            return first[:count]
    return first


def _modules(caller: FrameType, given: tuple) -> Iterator[tuple[Path, Module]]:
    """Yield the modules that were given, and those in variables and in objects of the user's."""
    for thing in given:
        if isinstance(thing, Module):
            yield (), thing
        elif isinstance(thing, dict):
            yield from [((str(k),), x) for k, x in thing.items() if isinstance(x, Module)]
    skipped = (Module, type, ModuleType)
    for scope in (caller.f_locals, caller.f_globals):
        variables = [(name, x) for name, x in scope.items() if not name.startswith("_")]
        for name, value in variables:
            if isinstance(value, Module):
                yield (name,), value
        for name, value in variables:
            held = None if isinstance(value, skipped) else getattr(value, "__dict__", None)
            if type(held) is dict:
                inside = [(key, x) for key, x in held.items() if isinstance(x, Module)]
                yield from [((f"{name}.{key}",), x) for key, x in inside]
