"""What a call is given and reads anew, and the signature that a program is made for."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

import numpy as np

from aino import dtypes
from aino.autograd.mode import mode
from aino.autograd.tensor import Tensor
from aino.compiler.guards.arguments import Dynamic, Static, flatten_arguments, is_dynamic, names_of
from aino.compiler.guards.places import Place
from aino.pytree import structure_of


@dataclass
class Request:
    """One call that is to be traced: its arguments, with names for all that a program is given.

    ``flat``: the leaves of the arguments, and after them the values of ``places``, by name.
    ``key``: the signature, which is the same for calls that one program may make.
    """

    args: tuple
    kwargs: dict[str, Any]
    names: list[str]
    flat: list[tuple[str, Any]]
    places: dict[str, Place]
    key: tuple


class ArgumentNumbers:
    """Which number arguments are read at every call, and which are part of the signature.

    ``dynamic``: whether integers are read at every call; None: once they have changed.
    """

    def __init__(self, function, dynamic: bool | None) -> None:
        self.positional = positional_names(function)
        self.dynamic = dynamic
        #: Number arguments that the function turns into plain numbers.
        self.fixed: set[str] = set()
        #: Integer arguments as they were first, and those that have been another since.
        self._integers: dict[str, int] = {}
        self._changing: set[str] = set()

    def flat(self, args, kwargs) -> tuple[list[str], list[tuple[str, Any]]]:
        """Return names for the arguments, and their leaves with names of their own.

        Integers that have changed are live, until the function needs one as it is.
        """
        names = names_of(self.positional, args, kwargs)
        flat: list[tuple[str, Any]] = []
        flatten_arguments(args, kwargs, names, flat)
        for place, (name, item) in enumerate(flat):
            if name in self.fixed:
                if is_dynamic(item):
                    flat[place] = (name, Static(item))
            elif type(item) is int and self.dynamic is not False:
                if self.dynamic:
                    self._changing.add(name)
                if self._integers.setdefault(name, item) != item:
                    self._changing.add(name)
                if name in self._changing:
                    flat[place] = (name, Dynamic(item))
        return names, flat

    def request(self, args, kwargs, live) -> Request:
        """Return a call with its signature; ``live``: the values that are read anew besides."""
        names, flat = self.flat(args, kwargs)
        taken = {*names, *[name for name, _ in flat]}
        found = live(taken)
        flat += [(label, value) for label, value, _ in found]
        places = {label: place for label, _, place in found}
        return Request(args, kwargs, names, flat, places, signature(args, kwargs, flat, places))


def signature(args, kwargs, flat, places=()) -> tuple:
    """Return the signature of a call: the forms of what it is given, and the modes."""
    items = [item for _, item in flat]
    first: dict[int, int] = {}
    # Which of the tensors are one and the same.
    same = [first.setdefault(id(x), i) for i, x in enumerate(items) if isinstance(x, Tensor)]
    return (
        structure_of(args), structure_of(kwargs), tuple([_form(item) for item in items]),
        tuple(same), tuple(places), mode.level, mode.inference, dtypes.get_default_dtype(),
    )  # fmt: skip


def positional_names(function) -> list[str]:
    """Return the names of a function's positional parameters, fit to be used in the source."""
    target = function.forward if hasattr(function, "named_parameters") else function
    try:
        parameters = inspect.signature(target).parameters.values()
    except (TypeError, ValueError):
        return []
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [parameter.name for parameter in parameters if parameter.kind in kinds]


def _form(item):
    if isinstance(item, Tensor):
        array = item.array
        return ("tensor", array.shape, array.dtype, array.strides, item.node is not None)
    if isinstance(item, np.ndarray):
        return ("array", item.shape, item.dtype, item.strides)
    if is_dynamic(item):
        return int if type(item) is Dynamic else type(item)
    if item is None or isinstance(item, (bool, int, str, complex, bytes, Static, np.generic)):
        return (type(item), item)
    return id(item)
