"""Tree: the part of a module that holds parameters, buffers and modules, and finds them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from aino.autograd.tensor import Tensor
from aino.nn.base.parameter import Buffer, Parameter
from aino.structure_version import structure_version

_NO_BUFFERS: dict[str, bool] = {}


def reads_its_numbers(kind: type[Tree]) -> bool:
    """Tell whether AINO's own code reads numbers among the attributes of such modules."""
    return kind._numbers_matter


def _instead(value: Any, kind: str, owner: str) -> str:
    """Say what was probably meant by a value that is no module."""
    if kind != "module":
        return ""
    if isinstance(value, (list, tuple)):
        return f"; a list is unpacked: {owner}(*modules)" if owner == "Sequential" else ""
    if isinstance(value, type) and issubclass(value, Tree):
        return f"; make a module of the class: {value.__name__}(...)"
    return ""


class Tree:
    """Ordinary attributes, found by walking ``vars(self)`` in the order in which they were set."""

    #: The names of the buffers, each with whether it stands in the state dict.
    _buffer_names: dict[str, bool] = _NO_BUFFERS
    #: Whether AINO's own code reads numbers among the attributes, as ``Dropout`` reads ``p``.
    _numbers_matter = True
    #: Attributes that say what has been, and take no part in what is computed: a program need not
    #: compare them.
    records: tuple[str, ...] = ()

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        ours = (
            kind.__name__ for kind in cls.__mro__
            if kind.__module__.startswith("aino.") and issubclass(kind, Tree)
        )  # fmt: skip
        cls._numbers_matter = next(ours, "") != "Module"

    def __setattr__(self, name: str, value: Any) -> None:
        held = vars(self).get(name)
        if isinstance(value, Tensor):
            if isinstance(value, Buffer):
                vars(self)["_buffer_names"] = self._buffer_names | {name: value.persistent}
            elif isinstance(held, Parameter) and not isinstance(value, Parameter):
                raise TypeError(
                    f"cannot assign a plain tensor as parameter {name!r} (nn.Parameter or None "
                    "expected)"
                )
            elif isinstance(value, Parameter) and name in self._buffer_names:
                self._forget_buffer(name)
        elif name in self._buffer_names and value is not None:
            raise TypeError(
                f"cannot assign {type(value).__name__} as buffer {name!r} (Tensor or None expected)"
            )
        if held is not value and (
            self._numbers_matter or type(value) not in (int, float) or type(held) is not type(value)
        ):
            number = type(value) in (int, float) and type(held) is type(value)
            structure_version.move((id(self), "attr", name) if number else None)
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        object.__delattr__(self, name)
        structure_version.move()
        if name in self._buffer_names:
            self._forget_buffer(name)

    def _forget_buffer(self, name: str) -> None:
        names = self._buffer_names.items()
        vars(self)["_buffer_names"] = {key: kept for key, kept in names if key != name}

    def _register(self, name: str, value: Any, kind: str, wanted: type) -> None:
        """Set an attribute under a name that is free, or say what is wrong with it."""
        if not isinstance(name, str):
            raise TypeError(f"a {kind}'s name should be a string, not {type(name).__name__}")
        if "." in name:
            raise KeyError(f"a {kind}'s name can't contain \".\", got {name!r}")
        if name == "":
            raise KeyError(f"a {kind}'s name can't be empty")
        if value is not None and not isinstance(value, wanted):
            raise TypeError(
                f"a {type(value).__name__} can't be the {kind} {name!r} of {type(self).__name__}"
                f"{_instead(value, kind, type(self).__name__)}"
            )
        if hasattr(self, name) and not isinstance(vars(self).get(name, name), wanted | None):
            raise KeyError(f"attribute {name!r} already exists")
        vars(self)[name] = value
        structure_version.move()

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a tensor that is part of the state but is not learned.

        Arguments:
            name: the attribute's name; ``KeyError`` if it is taken by something else.
            tensor: the values; None keeps the place free.
            persistent: it stands in the state dict; False leaves it out.
        """
        self._register(name, tensor, "buffer", Tensor)
        vars(self)["_buffer_names"] = self._buffer_names | {name: persistent}

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter; the same as assigning it, with the name as a string.

        Arguments:
            name: the attribute's name; ``KeyError`` if it is taken by something else.
            param: the parameter, which is a leaf; None keeps the place free.
        """
        if isinstance(param, Tensor) and not param.is_leaf:
            raise ValueError(
                f"parameter {name!r} would have a history, and parameters are leaves: compute it "
                "in forward() instead"
            )
        self._register(name, param, "parameter", Parameter)

    def add_module(self, name: str, module: Any) -> None:
        """Add a module inside; the same as assigning it, with the name as a string.

        Arguments:
            name: the attribute's name; ``KeyError`` if it is taken by something else.
            module: the module; None keeps the place free.
        """
        self._register(name, module, "module", Tree)

    def register_module(self, name: str, module: Any) -> None:
        """Add a module inside, as ``add_module`` does.

        Arguments:
            name: the attribute's name; ``KeyError`` if it is taken by something else.
            module: the module; None keeps the place free.
        """
        self.add_module(name, module)

    # The walk

    def named_children(self) -> Iterator[tuple[str, Any]]:
        """Yield the modules directly inside, each once, with their names."""
        seen = set()
        for name, value in list(vars(self).items()):
            if isinstance(value, Tree) and id(value) not in seen:
                seen.add(id(value))
                yield name, value

    def children(self) -> Iterator[Any]:
        """Yield the modules directly inside, each once."""
        for _, module in self.named_children():
            yield module

    def named_modules(
        self, memo: set | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Any]]:
        """Yield this module and all inside, with dotted names.

        Arguments:
            memo: modules not to be yielded, by their ids; those that were are added.
            prefix: what the names start with.
            remove_duplicate: yield a module that stands in two places once, under its first name.
        """
        memo = set() if memo is None else memo
        if id(self) in memo:
            return
        if remove_duplicate:
            memo.add(id(self))
        yield prefix, self
        for name, value in list(vars(self).items()):
            if isinstance(value, Tree):
                inner = f"{prefix}.{name}" if prefix else name
                yield from value.named_modules(memo, inner, remove_duplicate)

    def modules(self, remove_duplicate: bool = True) -> Iterator[Any]:
        """Yield this module and all inside, each once, or with False in each of its places."""
        for _, module in self.named_modules(remove_duplicate=remove_duplicate):
            yield module

    def _own_parameters(self) -> list[tuple[str, Parameter]]:
        return [(key, value) for key, value in vars(self).items() if isinstance(value, Parameter)]

    def _own_buffers(self) -> list[tuple[str, Tensor]]:
        own, names = vars(self), self._buffer_names
        return [(key, own[key]) for key in own if key in names and own[key] is not None]

    def _named(
        self, own: Callable[[Any], list], prefix: str, recurse: bool, remove_duplicate: bool
    ) -> Iterator[tuple[str, Any]]:
        walk = self.named_modules(None, prefix, remove_duplicate) if recurse else [(prefix, self)]
        seen = set()
        for path, module in walk:
            for name, tensor in own(module):
                if remove_duplicate:
                    if id(tensor) in seen:
                        continue
                    seen.add(id(tensor))
                yield (f"{path}.{name}" if path else name), tensor

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """Yield the parameters with their dotted names.

        Arguments:
            prefix: what the names start with.
            recurse: those of the modules inside as well; False for this module's own.
            remove_duplicate: yield one that stands in two places once, under its first name.
        """
        return self._named(Tree._own_parameters, prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """Yield the parameters, each once: what an optimizer is given."""
        for _, parameter in self.named_parameters(recurse=recurse):
            yield parameter

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """Yield the buffers with their dotted names.

        Arguments:
            prefix: what the names start with.
            recurse: those of the modules inside as well; False for this module's own.
            remove_duplicate: yield one that stands in two places once, under its first name.
        """
        return self._named(Tree._own_buffers, prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """Yield the buffers, each once."""
        for _, buffer in self.named_buffers(recurse=recurse):
            yield buffer

    def get_submodule(self, target: str) -> Any:
        """Return the module with a dotted name; AttributeError says where the path ends."""
        module: Any = self
        for name in target.split(".") if target else ():
            found = vars(module).get(name)
            if found is None:
                raise AttributeError(f"{type(module).__name__} has no attribute {name!r}")
            if not isinstance(found, Tree):
                raise AttributeError(f"{name!r} is not an nn.Module")
            module = found
        return module

    def set_submodule(self, target: str, module: Any, strict: bool = False) -> None:
        """Put a module in the place with this dotted name.

        Arguments:
            target: the name, such as ``"encoder.layers.0"``.
            module: what is put there.
            strict: raise ``AttributeError`` where no module was.
        """
        if not target:
            raise ValueError("cannot set the module without a target name")
        path, _, name = target.rpartition(".")
        owner = self.get_submodule(path)
        if strict and not isinstance(vars(owner).get(name), Tree):
            raise AttributeError(f"{type(owner).__name__} has no module {name!r}")
        owner.add_module(name, module)

    def get_parameter(self, target: str) -> Parameter:
        """Return the parameter with a dotted name."""
        path, _, name = target.rpartition(".")
        found = vars(self.get_submodule(path)).get(name)
        if not isinstance(found, Parameter):
            raise AttributeError(f"{target!r} is not an nn.Parameter")
        return found

    def get_buffer(self, target: str) -> Tensor:
        """Return the buffer with a dotted name."""
        path, _, name = target.rpartition(".")
        owner = self.get_submodule(path)
        if name not in owner._buffer_names:
            raise AttributeError(f"{target!r} is not a buffer")
        return vars(owner)[name]
