"""Dictionaries of modules, and lists and dictionaries of parameters."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from aino.autograd.tensor import Tensor
from aino.nn.base.module import Module
from aino.nn.base.parameter import Parameter
from aino.user_warnings import warn

__all__ = ["Container", "ModuleDict", "ParameterList", "ParameterDict"]


class Container(Module):
    """A module with modules inside, by their names: an older class of PyTorch's, which warns.

    Arguments:
        kwargs: the modules by their names.
    """

    def __init__(self, **kwargs: Any) -> None:
        warn(
            "nn.Container is deprecated: all that it does is in nn.Module; subclass that instead",
            FutureWarning,
        )
        super().__init__()
        for name, module in kwargs.items():
            self.add_module(name, module)


class ModuleDict(Module):
    """A dict whose modules are found: their parameters are the parameters of the model.

    >>> from aino import nn
    >>> choices = nn.ModuleDict({"tanh": nn.Tanh(), "relu": nn.ReLU()})
    >>> choices["tanh"]
    Tanh()
    """

    def __init__(self, modules: Any = None) -> None:
        super().__init__()
        if modules is not None:
            self.update(modules)

    def constructor_arguments(self) -> tuple[tuple, dict[str, Any]]:
        """Return what would make this dict as it is now; a file holds it."""
        return (self._held(),), {}

    def _held(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if isinstance(value, Module)}

    def __getitem__(self, key: str) -> Any:
        return self._held()[key]

    def __setitem__(self, key: str, module: Any) -> None:
        self.add_module(key, module)

    def __delitem__(self, key: str) -> None:
        self._held()[key]
        delattr(self, key)

    def __len__(self) -> int:
        return len(self._held())

    def __iter__(self) -> Iterator[str]:
        return iter(self._held())

    def __contains__(self, key: object) -> bool:
        return key in self._held()

    def clear(self) -> None:
        """Remove all modules."""
        for name in self._held():
            delattr(self, name)

    def pop(self, key: str) -> Any:
        """Take a module out of the dict and return it."""
        module = self[key]
        del self[key]
        return module

    def keys(self) -> Any:
        """Return the names of the modules."""
        return self._held().keys()

    def items(self) -> Any:
        """Return the names and the modules."""
        return self._held().items()

    def values(self) -> Any:
        """Return the modules."""
        return self._held().values()

    def update(self, modules: Any) -> None:
        """Add the modules of a mapping, or of an iterable of (name, module) pairs."""
        for name, module in _pairs(modules, "modules"):
            self.add_module(name, module)


def _pairs(given: Any, what: str) -> list[tuple[str, Any]]:
    if isinstance(given, (Mapping, ModuleDict, ParameterDict)):
        return list(given.items())
    if not isinstance(given, Iterable):
        raise TypeError(f"expected a mapping or pairs of names and {what}, got {given!r}")
    pairs = [tuple(pair) for pair in given]
    for position, pair in enumerate(pairs):
        if len(pair) != 2:
            raise ValueError(f"element {position} has length {len(pair)}; 2 is required")
    return pairs


def _described(value: Any) -> str:
    """Return the line that stands for a value in the repr of a container of parameters."""
    if not isinstance(value, Tensor):
        return f"Object of type: {type(value).__name__}"
    kind = "Parameter" if isinstance(value, Parameter) else "Tensor"
    size = "x".join(map(str, value.array.shape))
    return f"{kind} containing: [aino.{value.array.dtype} of size {size}]"


def _as_parameter(value: Any) -> Any:
    if isinstance(value, Tensor) and not isinstance(value, Parameter):
        return Parameter(value)
    return value


class ParameterList(Module):
    """A list whose tensors are parameters of the model; a plain tensor becomes one.

    >>> import aino
    >>> from aino import nn
    >>> len(list(nn.ParameterList([aino.zeros(2), aino.zeros(3)]).parameters()))
    2
    """

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        super().__init__()
        self._size = 0
        if values is not None:
            self.extend(values)

    def constructor_arguments(self) -> tuple[tuple, dict[str, Any]]:
        """Return what would make this list as it is now; a file holds it."""
        return (list(self),), {}

    def _name_at(self, index: Any) -> str:
        position = operator.index(index)
        if not -self._size <= position < self._size:
            raise IndexError(f"index {position} is out of range for {self._size} parameters")
        return str(position % self._size)

    def __getitem__(self, idx: Any) -> Any:
        if isinstance(idx, slice):
            return type(self)(list(self)[idx])
        return vars(self)[self._name_at(idx)]

    def __setitem__(self, idx: int, param: Any) -> None:
        setattr(self, self._name_at(idx), _as_parameter(param))

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Any]:
        return iter([vars(self)[str(position)] for position in range(self._size)])

    def __iadd__(self, parameters: Iterable[Any]) -> Any:
        return self.extend(parameters)

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if not name.isdigit()]

    def append(self, value: Any) -> Any:
        """Add a value at the end; returns the list."""
        self._size += 1
        self[-1] = value
        return self

    def extend(self, values: Iterable[Any]) -> Any:
        """Add values at the end; returns the list."""
        if not isinstance(values, Iterable) or isinstance(values, Tensor):
            raise TypeError(f"expected an iterable of parameters, got {type(values).__name__}")
        for value in list(values):
            self.append(value)
        return self

    def extra_repr(self) -> str:
        return "\n".join(f"  ({key}): {_described(value)}" for key, value in enumerate(self))

    def __call__(self, *args, **kwargs) -> Any:
        raise RuntimeError("ParameterList holds parameters; it computes nothing")


class ParameterDict(Module):
    """A dict whose tensors are parameters of the model; a plain tensor becomes one.

    >>> import aino
    >>> from aino import nn
    >>> list(nn.ParameterDict({"left": aino.zeros(2)}).state_dict())
    ['left']
    """

    def __init__(self, parameters: Any = None) -> None:
        super().__init__()
        self._keys: dict[str, None] = {}
        if parameters is not None:
            self.update(parameters)

    def constructor_arguments(self) -> tuple[tuple, dict[str, Any]]:
        """Return what would make this dict as it is now; a file holds it."""
        return (dict(self.items()),), {}

    def __getitem__(self, key: str) -> Any:
        if key not in self._keys:
            raise KeyError(key)
        return vars(self)[key]

    def __setitem__(self, key: str, value: Any) -> None:
        if not isinstance(key, str):
            raise TypeError(f"a parameter's name should be a string, not {type(key).__name__}")
        if "." in key:
            raise KeyError(f"a parameter's name can't contain \".\", got {key!r}")
        if key not in self._keys and hasattr(self, key):
            raise KeyError(f"attribute {key!r} already exists")
        self._keys[key] = None
        setattr(self, key, _as_parameter(value))

    def __delitem__(self, key: str) -> None:
        del self._keys[key]
        delattr(self, key)

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __reversed__(self) -> Iterator[str]:
        return reversed(self._keys)

    def __contains__(self, key: object) -> bool:
        return key in self._keys

    def copy(self) -> ParameterDict:
        """Return a dict with the same parameters."""
        return ParameterDict(dict(self.items()))

    def setdefault(self, key: str, default: Any = None) -> Any:
        """Return the value of ``key``, after setting it to ``default`` where it has none."""
        if key not in self:
            self[key] = default
        return self[key]

    def clear(self) -> None:
        """Remove all parameters."""
        for key in list(self._keys):
            del self[key]

    def pop(self, key: str) -> Any:
        """Take a parameter out of the dict and return it."""
        value = self[key]
        del self[key]
        return value

    def popitem(self) -> tuple[str, Any]:
        """Take the newest parameter out of the dict and return its name and value."""
        key, _ = self._keys.popitem()
        self._keys[key] = None
        return key, self.pop(key)

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value of ``key``, or ``default`` where there is none."""
        return vars(self)[key] if key in self._keys else default

    def fromkeys(self, keys: Iterable[str], default: Any = None) -> ParameterDict:
        """Return a dict with some keys and one value.

        Arguments:
            keys: the keys.
            default: the value of each of them.
        """
        return ParameterDict(dict.fromkeys(keys, default))

    def keys(self) -> Any:
        """Return the names of the parameters."""
        return self._keys.keys()

    def items(self) -> Any:
        """Return the names and the parameters."""
        return {key: self[key] for key in self._keys}.items()

    def values(self) -> Any:
        """Return the parameters."""
        return {key: self[key] for key in self._keys}.values()

    def update(self, parameters: Any) -> None:
        """Add the parameters of a mapping, or of an iterable of (name, parameter) pairs."""
        for key, value in _pairs(parameters, "parameters"):
            self[key] = value

    def __or__(self, other: ParameterDict) -> ParameterDict:
        return ParameterDict(dict(self.items()) | dict(other.items()))

    def __ior__(self, other: ParameterDict) -> Any:
        self.update(other)
        return self

    def extra_repr(self) -> str:
        return "\n".join(f"  ({key}): {_described(value)}" for key, value in self.items())

    def __call__(self, *args, **kwargs) -> Any:
        raise RuntimeError("ParameterDict holds parameters; it computes nothing")
