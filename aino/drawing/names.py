"""By which names tensors are known: given ones, a model's, and those of the caller's variables."""

from __future__ import annotations

import dis
from collections.abc import Iterable, Iterator, Mapping
from types import FrameType, ModuleType
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
        self._known: set[str | None] = set()

    def __contains__(self, name: str | None) -> bool:
        """Tell whether some tensor has this name now."""
        return name in self._known

    def add(self, name: str, tensor: Tensor, kind: str | None = None) -> None:
        if kind is None:
            kind = kind_of(tensor)
        named = Named(name, tensor, kind)
        self._known.add(name)
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
    """Yield the parameters and buffers of a module with their dotted names, and other tensors."""
    yield from module.named_parameters(prefix)
    yield from module.named_buffers(prefix)
    for path, inner in module.named_modules(prefix=prefix):
        for key, value in vars(inner).items():
            if isinstance(value, Tensor) and not isinstance(value, (Parameter, Buffer)):
                yield f"{path}.{key}" if path else key, value


def of_variables(frame: FrameType) -> Iterator[tuple[str, Tensor]]:
    """Yield tensors by the variables that hold them: itself, in an object, in a module, or a list.

    What a variable holds comes before what lies in an object, ``self.w``, and that before the
    parameters of modules. The variable of a loop comes last: it holds by chance what it does.
    Names that begin with an underscore are left out: in a notebook they hold past outputs.
    """
    passing = _loop_variables(frame.f_code)
    late: list[tuple[str, Tensor]] = []
    for scope in (frame.f_locals, frame.f_globals):
        variables = [
            (name, value) for name, value in scope.items()
            if not name.startswith("_") and name.isidentifier()
        ]  # fmt: skip
        for name, value in variables:
            if isinstance(value, Tensor):
                if name in passing:
                    late.append((name, value))
                else:
                    yield name, value
        variables = [(name, value) for name, value in variables if name not in passing]
        for name, value in variables:
            if not isinstance(value, (Tensor, type, ModuleType)):
                yield from _attributes(name, value)
        for name, value in variables:
            if isinstance(value, Module):
                yield from of_module(value, name)
        for name, value in variables:
            yield from _items(name, value)
    yield from late


def _attributes(name: str, value: Any) -> Iterator[tuple[str, Tensor]]:
    """Yield the tensors that an object of the user's holds, by their attributes."""
    if type(value).__module__.partition(".")[0] in ("aino", "builtins", "numpy"):
        return
    attributes = getattr(value, "__dict__", None)
    if type(attributes) is not dict:
        return
    for key, item in list(attributes.items()):
        if isinstance(item, Tensor):
            yield f"{name}.{key}", item
        elif isinstance(item, Module):
            if not isinstance(value, Module):
                yield from of_module(item, f"{name}.{key}")
        else:
            yield from _items(f"{name}.{key}", item)


def _items(name: str, value: Any) -> Iterator[tuple[str, Tensor]]:
    """Yield the tensors of a list, a tuple or a dict, by their places."""
    if type(value) in (list, tuple):
        items: Iterable[tuple[Any, Any]] = enumerate(value)
    elif type(value) is dict:
        items = value.items()
    else:
        return
    for key, item in list(items):
        if isinstance(item, Tensor):
            yield f"{name}[{key!r}]", item


def _loop_variables(code: Any) -> set[str]:
    """Return the variables that ``for`` sets in a code."""
    found: set[str] = set()
    looping = 0
    for instruction in dis.get_instructions(code):
        if instruction.opname == "FOR_ITER":
            looping = 1
        elif instruction.opname == "UNPACK_SEQUENCE" and looping:
            looping += instruction.arg or 0
        elif looping and instruction.opname.startswith("STORE_"):
            names = instruction.argval
            found.update(names if isinstance(names, tuple) else (names,))
            looping -= 1
            # A sequence that was taken apart has used up one for itself.
            looping = 0 if looping < 1 else looping
        elif instruction.opname not in ("CACHE", "EXTENDED_ARG", "NOP"):
            looping = 0
    return found
