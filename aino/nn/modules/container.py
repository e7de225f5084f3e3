"""Lists of modules: Sequential runs them one after another, ModuleList only holds them."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from aino.autograd.tensor import Tensor
from aino.nn.base.module import Module, TensorModule, indented

__all__ = ["Sequential", "ModuleList"]


class _Listed(Module):
    """A module whose modules are a list: their names are their positions."""

    def _items(self) -> list[Any]:
        return [value for value in vars(self).values() if isinstance(value, Module)]

    def _names(self) -> list[str]:
        return [name for name, value in vars(self).items() if isinstance(value, Module)]

    def _name_at(self, index: Any) -> str:
        names = self._names()
        position = operator.index(index)
        if not -len(names) <= position < len(names):
            raise IndexError(f"index {position} is out of range for {len(names)} modules")
        return names[position]

    def _replace(self, modules: Iterable[Any]) -> None:
        """Hold exactly these modules, numbered anew."""
        modules = list(modules)
        for position, module in enumerate(modules):
            if not isinstance(module, Module):
                raise TypeError(
                    f"{type(module).__name__} is not a module; it can't stand at {position} in "
                    f"{type(self).__name__}"
                )
        for name in self._names():
            delattr(self, name)
        for position, module in enumerate(modules):
            self.add_module(str(position), module)

    def __len__(self) -> int:
        return len(self._items())

    def __iter__(self) -> Iterator[Any]:
        return iter(self._items())

    def __contains__(self, module: object) -> bool:
        return any(module is item for item in self._items())

    def __setitem__(self, index: int, module: Any) -> None:
        name = self._name_at(index)
        self.add_module(name, module)

    def __delitem__(self, index: int | slice) -> None:
        items = self._items()
        del items[index]
        self._replace(items)

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if not name.isdigit()]

    def append(self, module: Any) -> Any:
        """Add a module at the end; returns the list."""
        self.add_module(str(len(self)), module)
        return self

    def insert(self, index: int, module: Any) -> Any:
        """Add a module before another; returns the list.

        Arguments:
            index: where the other stands, from the end if negative; ``IndexError`` beyond.
            module: what is added.
        """
        items = self._items()
        if not -len(items) <= index <= len(items):
            raise IndexError(f"index {index} is out of range for {len(items)} modules")
        items.insert(index, module)
        self._replace(items)
        return self

    def extend(self, modules: Iterable[Any]) -> Any:
        """Add modules at the end; returns the list."""
        if not isinstance(modules, Iterable):
            raise TypeError(f"expected an iterable of modules, got {type(modules).__name__}")
        for module in list(modules):
            self.append(module)
        return self

    def pop(self, key: int | slice) -> Any:
        """Take a module out of the list and return it."""
        found = self[key]  # type: ignore[index]
        del self[key]
        return found

    def __iadd__(self, other: Iterable[Any]) -> Any:
        return self.extend(other)


class Sequential(_Listed, TensorModule):
    """Runs modules one after another: each takes what the one before returned.

    Takes the modules, or one mapping of names to modules. It is a list of them besides.

    >>> from aino import nn
    >>> nn.Sequential(nn.Linear(2, 3), nn.Tanh())
    Sequential(
      (0): Linear(in_features=2, out_features=3, bias=True)
      (1): Tanh()
    )
    """

    def __init__(self, *args: Any) -> None:
        super().__init__()
        if len(args) == 1 and isinstance(args[0], Mapping):
            named = dict(args[0])
        else:
            named = {str(position): module for position, module in enumerate(args)}
        for name, module in named.items():
            self.add_module(name, module)

    def constructor_arguments(self) -> tuple[tuple, dict[str, Any]]:
        """Return what would make this list as it is now; a file holds it."""
        if self._names() == list(map(str, range(len(self)))):
            return tuple(self._items()), {}
        return ({name: vars(self)[name] for name in self._names()},), {}

    def forward(self, input: Tensor) -> Tensor:
        """Return what the last module returned."""
        for value in vars(self).values():
            if isinstance(value, Module):
                input = value(input)
        return input

    def __getitem__(self, idx: Any) -> Any:
        if not isinstance(idx, slice):
            return vars(self)[self._name_at(idx)]
        return type(self)({name: vars(self)[name] for name in self._names()[idx]})

    def __add__(self, other: Sequential) -> Sequential:
        if not isinstance(other, Sequential):
            raise TypeError(f"only a Sequential can be added to one, not {type(other).__name__}")
        return Sequential(*self, *other)

    def __iadd__(self, other: Iterable[Any]) -> Any:
        if not isinstance(other, Sequential):
            raise TypeError(f"only a Sequential can be added to one, not {type(other).__name__}")
        return self.extend(other)

    def extend(self, sequential: Iterable[Any]) -> Any:
        """Add modules at the end; returns the list."""
        return super().extend(sequential)

    def __mul__(self, other: int) -> Sequential:
        return Sequential(*(self._items() * _times(other)))

    def __rmul__(self, other: int) -> Sequential:
        return self * other

    def __imul__(self, other: int) -> Any:
        return self.extend(self._items() * (_times(other) - 1))


def _times(count: Any) -> int:
    if not isinstance(count, int):
        raise TypeError(f"a Sequential is repeated a whole number of times, not {count!r}")
    if count <= 0:
        raise ValueError(f"a Sequential is repeated at least once, not {count} times")
    return count


class ModuleList(_Listed):
    """A list whose modules are found: their parameters are the parameters of the model.

    >>> from aino import nn
    >>> nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 2)])
    ModuleList(
      (0-1): 2 x Linear(in_features=2, out_features=2, bias=True)
    )
    """

    def __init__(self, modules: Iterable[Any] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.extend(modules)

    def constructor_arguments(self) -> tuple[tuple, dict[str, Any]]:
        """Return what would make this list as it is now; a file holds it."""
        return (self._items(),), {}

    def __getitem__(self, idx: Any) -> Any:
        if isinstance(idx, slice):
            return type(self)(self._items()[idx])
        return vars(self)[self._name_at(idx)]

    def __add__(self, other: Iterable[Any]) -> ModuleList:
        return ModuleList([*self, *other])

    def _repr_children(self) -> list[str]:
        """Write equal neighbours once, with how many they are."""
        runs: list[tuple[int, int, str]] = []
        for position, module in enumerate(self):
            text = repr(module)
            if runs and runs[-1][2] == text:
                runs[-1] = (runs[-1][0], position, text)
            else:
                runs.append((position, position, text))
        lines = []
        for first, last, text in runs:
            times = "" if first == last else f"-{last}): {last - first + 1} x "
            lines.append(indented(f"({first}{times or '): '}{text}"))
        return lines
