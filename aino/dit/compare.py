"""Whether two objects hold the same, part by part; never asked of their own ``==`` alone."""

import dataclasses
import functools
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from aino.autograd.node import HookHandle
from aino.autograd.tensor import Tensor

_EXACT = (bool, int, str, bytes, complex, type(None), type, np.dtype, range, slice)


class Comparison:
    """Compares two trees of objects.

    ``special(comparison, a, b, path)`` may answer for some objects itself (None: it doesn't).
    """

    def __init__(self, special: Callable[["Comparison", Any, Any, str], bool | None]) -> None:
        self.special = special
        self._partner: dict[int, Any] = {}
        self._partner_of: dict[int, Any] = {}
        self._open: set[tuple[int, int]] = set()

    def paired(self, a: Any, b: Any) -> bool | None:
        """True when the two met before, False when either met another, None when both are new.

        Modules that stand in two places on one side have to stand there on the other too.
        """
        known, known_of = self._partner.get(id(a)), self._partner_of.get(id(b))
        if known is None and known_of is None:
            self._partner[id(a)], self._partner_of[id(b)] = b, a
            return None
        return known is b

    def same(self, a: Any, b: Any, path: str = "") -> bool:
        """True when ``b`` could stand for ``a``."""
        a = getattr(a, "_orig_mod", a)  # of a compiled module
        answer = self.special(self, a, b, path)
        if answer is not None:
            return answer
        if a is b:
            return True
        if type(a) is not type(b):
            return False
        if isinstance(a, float | np.generic):
            return bool(a == b or (a != a and b != b))
        if isinstance(a, _EXACT):
            return bool(a == b)
        if isinstance(a, np.ndarray):
            return same_array(a, b)
        if isinstance(a, Tensor):
            return a.requires_grad == b.requires_grad and same_array(a.array, b.array)
        pair = id(a), id(b)
        if pair in self._open:  # an object that holds itself
            return True
        self._open.add(pair)
        try:
            return self._same_parts(a, b, path)
        finally:
            self._open.remove(pair)

    def _same_parts(self, a: Any, b: Any, path: str) -> bool:
        if isinstance(a, list | tuple):
            return len(a) == len(b) and all(
                self.same(x, y, f"{path}.{i}") for i, (x, y) in enumerate(zip(a, b, strict=True))
            )
        if isinstance(a, dict):
            return list(a) == list(b) and all(self.same(a[k], b[k], f"{path}.{k}") for k in a)
        if isinstance(a, set | frozenset):
            return a == b
        if isinstance(a, types.FunctionType):
            return a.__code__ == b.__code__ and self.same(_bound_in(a), _bound_in(b), path)
        if isinstance(a, types.MethodType):
            return a.__func__ is b.__func__ and self.same(a.__self__, b.__self__, path)
        if isinstance(a, functools.partial):
            return self.same([a.func, a.args, a.keywords], [b.func, b.args, b.keywords], path)
        if isinstance(a, HookHandle):
            return self.same(a._hooks.get(a.id), b._hooks.get(b.id), path)
        if hasattr(a, "__dict__"):
            return self.same(vars(a), vars(b), path)
        if dataclasses.is_dataclass(a):  # one with slots
            names = [field.name for field in dataclasses.fields(a)]
            return all(self.same(getattr(a, n), getattr(b, n), f"{path}.{n}") for n in names)
        return False


def _bound_in(function: types.FunctionType) -> list[Any]:
    """What a function carries beside its code."""
    closed = [cell.cell_contents for cell in function.__closure__ or ()]
    return [closed, function.__defaults__, function.__kwdefaults__]


def same_array(a: np.ndarray, b: np.ndarray) -> bool:
    """Equal to the last bit; the same memory is not read."""
    if a.dtype != b.dtype or a.shape != b.shape or a.dtype.hasobject:
        return False
    places = [part.__array_interface__["data"][0] for part in (a, b)]
    if places[0] == places[1] and a.strides == b.strides:
        return True
    return a.tobytes() == b.tobytes()
