"""By which names tensors are known: given ones, a model's, and those of the caller's variables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import FrameType
from typing import Any, NamedTuple

import numpy as np

from aino.autograd.node import Node
from aino.autograd.tensor import Tensor
from aino.nn.base.module import Module
from aino.nn.base.parameter import Buffer, Parameter


class Named(NamedTuple):
    """A tensor, its name, and the kind of vertex that it is drawn as."""

    name: str
    tensor: Tensor
    kind: str


class Names:
    """Tensors by what a graph knows about them: their node, or else their memory.

    The first name that a tensor gets stays.
    """

    def __init__(self) -> None:
        self._by_node: dict[Node, Named] = {}
        self._by_memory: dict[tuple, Named] = {}

    def add(self, name: str, tensor: Tensor, kind: str | None = None) -> None:
        if kind is None:
            kind = kind_of(tensor)
        named = Named(name, tensor, kind)
        if tensor.requires_grad and tensor.node is not None:
            self._by_node.setdefault(tensor.node, named)
        if isinstance(tensor.array, np.ndarray):
            self._by_memory.setdefault(_place(tensor.array), named)

    def add_all(self, pairs: Iterable[tuple[str, Tensor]]) -> None:
        for name, tensor in pairs:
            self.add(name, tensor)

    def of_node(self, node: Node) -> Named | None:
        return self._by_node.get(node)

    def of_array(self, array: np.ndarray) -> Named | None:
        """Return the tensor that has this memory, perhaps in another shape."""
        return self._by_memory.get(_place(array))


def _place(array: np.ndarray) -> tuple:
    return array.__array_interface__["data"][0], array.size, array.dtype


def kind_of(tensor: Tensor) -> str:
    """Return the kind of vertex that a tensor is drawn as if no operation made it."""
    if isinstance(tensor, Parameter):
        return "parameter"
    return "constant" if isinstance(tensor, Buffer) else "input"


def given(names: Any) -> Iterator[tuple[str, Tensor]]:
    """Yield the names that the user gave, and their tensors; raise ``TypeError`` for the rest."""
    if names is None:
        return
    if isinstance(names, Module):
        yield from of_module(names)
        return
    if not isinstance(names, Mapping):
        raise TypeError(
            "names is a dict of tensors by their names, such as {'x': x} or "
            f"dict(model.named_parameters()), or a module; not {type(names).__name__}"
        )
    for name, value in names.items():
        if not isinstance(name, str):
            raise TypeError(
                f"the keys of names are strings, its values tensors: {{'x': x}}; got a key of "
                f"type {type(name).__name__}"
            )
        if isinstance(value, Module):
            yield from of_module(value, name)
        elif isinstance(value, Tensor):
            yield name, value
        else:
            raise TypeError(
                f"names[{name!r}] should be a tensor or a module, not {type(value).__name__}"
            )


def of_module(module: Module, prefix: str = "") -> Iterator[tuple[str, Tensor]]:
    """Yield the parameters and buffers of a module with their dotted names."""
    yield from module.named_parameters(prefix)
    yield from module.named_buffers(prefix)


def of_variables(frame: FrameType) -> Iterator[tuple[str, Tensor]]:
    """Yield tensors by the variables that hold them: itself, in a module, or in a list.

    Names that begin with an underscore are left out: in a notebook they hold past outputs.
    """
    for scope in (frame.f_locals, frame.f_globals):
        variables = [(name, value) for name, value in scope.items() if not name.startswith("_")]
        yield from ((name, value) for name, value in variables if isinstance(value, Tensor))
        for name, value in variables:
            if isinstance(value, Module):
                yield from of_module(value, name)
        for name, value in variables:
            if type(value) in (list, tuple):
                items: Iterable[tuple[Any, Any]] = enumerate(value)
            elif type(value) is dict:
                items = value.items()
            else:
                continue
            for key, item in list(items):
                if isinstance(item, Tensor):
                    yield f"{name}[{key!r}]", item
