"""What an optimizer remembers of each parameter: dicts outside, flat arrays underneath."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from typing import Any

import numpy as np

from aino.autograd.tensor import Tensor, make
from aino.dtypes import float32, float64, get_default_dtype


def as_tensor(value: float) -> Tensor:
    """Return a number as the tensor that PyTorch keeps; nobody can write to it in place.

    A count is float32, as there; other numbers are float64, so that no bit is lost in a file.
    """
    exact = type(value) is float or get_default_dtype() is float64
    array = np.array(value, float64 if exact else float32)
    array.flags.writeable = False
    return make(array)


class ParameterState(MutableMapping[str, Any]):
    """The state of one parameter, ``optimizer.state[parameter]``: a dict of names to tensors.

    While a segment steps the parameter, the tensors are views of the segment's flat arrays, so
    that writing into them in place is seen, and numbers such as ``step`` are the segment's.
    Setting or deleting an entry takes the segment apart; the next step packs it again.
    """

    __slots__ = ("entries", "segment", "__weakref__")

    def __init__(self, entries: Mapping[str, Any] = {}) -> None:
        self.entries: dict[str, Any] = dict(entries)
        self.segment: Any = None

    def leave(self) -> None:
        """Leave the segment, if there is one, with all entries in this dict."""
        if self.segment is not None:
            self.segment.dissolve()

    def _numbers(self) -> dict[str, Any]:
        """Return the numbers that the segment keeps; an underscore hides its own."""
        if self.segment is None:
            return {}
        numbers = self.segment.numbers.items()
        return {name: value for name, value in numbers if name[0] != "_"}

    def __getitem__(self, name: str) -> Any:
        numbers = self._numbers()
        return as_tensor(numbers[name]) if name in numbers else self.entries[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self.leave()
        self.entries[name] = value

    def __delitem__(self, name: str) -> None:
        self.leave()
        del self.entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter([*self._numbers(), *self.entries])

    def __len__(self) -> int:
        return len(self._numbers()) + len(self.entries)

    def __repr__(self) -> str:
        return repr(dict(self))

    def __reduce__(self):
        return ParameterState, (dict(self),)


class State(MutableMapping[Any, Any]):
    """``optimizer.state``: what is remembered of each parameter, made when first asked for."""

    def __init__(self, states: Iterable[tuple[Any, Any]] = ()) -> None:
        self._states: dict[Any, Any] = {}
        self.update(states)

    def __getitem__(self, key: Any) -> Any:
        found = self._states.get(key)
        if found is None:
            found = self._states[key] = ParameterState()
        return found

    def __setitem__(self, key: Any, entries: Any) -> None:
        before = self._states.get(key)
        if isinstance(before, ParameterState):
            before.leave()
        self._states[key] = ParameterState(entries) if isinstance(key, Tensor) else entries

    def __delitem__(self, key: Any) -> None:
        before = self._states.pop(key)
        if isinstance(before, ParameterState):
            before.leave()

    def get(self, key: Any, default: Any = None) -> Any:
        found = self._states.get(key)
        return default if found is None else found

    def __contains__(self, key: Any) -> bool:
        return bool(self._states.get(key))

    def __iter__(self) -> Iterator[Any]:
        """List the keys whose state is not empty: SGD without momentum remembers nothing."""
        return iter([key for key, entries in self._states.items() if entries])

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return repr({key: dict(entries) for key, entries in self.items()})

    def __reduce__(self):
        return State, (list(self.items()),)
