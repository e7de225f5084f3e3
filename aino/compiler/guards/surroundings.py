"""What there is around a function: objects that are known, and how their attributes are read."""

from __future__ import annotations

import functools
import io
import operator
import os
import sys
import types
import weakref
from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any

import numpy as np

from aino.autograd.tensor import Tensor
from aino.compiler.guards.ownership import is_foreign, is_ours_type, is_users_class, is_watched
from aino.compiler.guards.read_set import ReadSet
from aino.compiler.guards.reads import GENERATORS, MISSING
from aino.compiler.guards.snapshots import (
    attributes_of,
    dictionary_of,
    has_attributes,
    hidden_of,
    hides,
    is_container,
    is_plain_tuple,
    is_plain_value,
    is_record,
    is_users_object,
)

#: What takes an array into a tensor that shares its memory, or copies it in every program.
_WRAPPERS = {"from_numpy", "as_tensor", "asarray", "tensor"}
_FORMS = {"shape", "dtype", "ndim", "size", "itemsize"}


class Surroundings(ReadSet):
    """Reads attributes, entries and whole values of what was there before a run."""

    def __init__(self) -> None:
        super().__init__()
        #: Iterators that were there before: a program would not advance them.
        self.iterators: dict[int, str] = {}
        #: What went wrong in reading, such as an exception of an object that was asked.
        self.trouble: Exception | None = None
        self._known: dict[int, tuple[Any, str]] = {}
        self._met: dict[int, Any] = {}
        self._loose: set[str] = set()
        # By the identity of code: functions of two modules may be of equal code, which does not
        # compare where it stands. The code lives on in ``_codes``.
        self._functions: dict[int, list] = {}
        self._codes: dict[int, types.CodeType] = {}
        #: Whether the function at hand reads attributes by computed names, and texts in it.
        self._reflective = False
        self._asked: frozenset[str] = frozenset()

    # Attributes and entries

    def _attribute(self, owner, name: str, spoken: str) -> Any:
        """Read an attribute; return it, or ``MISSING`` where nothing more is to be followed."""
        said = f"{spoken}.{name}"
        if isinstance(owner, types.ModuleType):
            return self._of_module(owner, name, said)
        if isinstance(owner, np.ndarray):
            if name in _FORMS:
                self._read(owner, "attr", name, said, getattr(owner, name))
            else:
                self._end(owner, spoken)
            return MISSING
        if name == "__class__":
            return type(owner)
        raw, base = _found(type(owner).__mro__, name)
        is_data = hasattr(type(raw), "__set__") or hasattr(type(raw), "__delete__")
        if is_data and not isinstance(raw, types.MemberDescriptorType):
            return self._of_class(type(owner), raw, base, name, said)  # a property
        if isinstance(owner, type):
            mine, holder = _found(owner.__mro__, name)
            if mine is not MISSING:
                return self._of_class(owner, mine, holder, name, said)
        own = dictionary_of(owner)
        if not isinstance(owner, type) and own is not None and name in own:
            return self._own(owner, name, said, own[name])
        if isinstance(raw, types.MemberDescriptorType):
            try:
                return self._own(owner, name, said, raw.__get__(owner))
            except AttributeError:
                raw = MISSING
        if raw is not MISSING:
            return self._of_instance(owner, raw, base, name, spoken)
        hidden = hidden_of(owner, name, MISSING)
        if hidden is not MISSING:
            return self._own(owner, name, said, hidden)
        if is_container(owner):
            self._end(owner, spoken)
        elif not hasattr(type(owner), "__getattr__") and (
            has_attributes(owner)
            or is_watched(owner)
            or isinstance(owner, (type, types.FunctionType))
        ):
            self._read(owner, "missing", name, said, False)
        return MISSING

    def _own(self, owner, name: str, said: str, value) -> Any:
        if hasattr(type(owner), "add_param_group") and name in ("param_groups", "state"):
            return MISSING  # settings and state are live
        # Models are watched as a whole, but for their plain attributes.
        if not is_watched(owner) or is_plain_value(value):
            self._read(owner, "attr", name, said, value)
        else:
            self._look_at(owner, name, said, value)
        return value

    def _look_at(self, owner, name: str, said: str, value, own: bool = True) -> None:
        """Note what a model has under a name, to see whether the run sets it anew."""
        place = (id(owner), "attr", name)
        if place not in self.reads and self._read(owner, "attr", name, said, value, own):
            self._unguarded.add(place)

    def _of_module(self, module, name: str, said: str) -> Any:
        value = vars(module).get(name, MISSING)
        file = getattr(module, "__file__", None)
        if (file is None and module.__name__ in sys.builtin_module_names) or is_foreign(file or ""):
            # Of Python's own modules what changes counts, such as os.environ; AINO's are known.
            self.meet(value, said)
            kept = has_attributes(value) or is_container(value)
            return value if kept and not module.__name__.startswith(("aino", "numpy")) else MISSING
        if value is MISSING:
            self._read(module, "missing", name, said, False)
        elif not is_fixed(value):
            self._read(module, "attr", name, said, value)
        return value

    def _of_instance(self, owner, raw, base, name: str, spoken: str) -> Any:
        """Read what an object has of its class: a method, or a value that all share."""
        said = f"{spoken}.{name}"
        if is_container(owner) or isinstance(owner, ContextVar) or not is_users_class(base):
            if not is_watched(owner):
                self._end(owner, spoken)  # one of its methods is called
            elif is_plain_value(raw):
                self._look_at(owner, name, said, raw, False)
            return MISSING
        if isinstance(raw, types.FunctionType) and not is_watched(owner):
            self._read(owner, "method", name, said, raw)
            self.meet(raw, said)
            return MISSING
        if hasattr(type(raw), "__get__"):
            return self._of_class(type(owner), raw, base, name, said)
        self._read(owner, "attr", name, said, raw, False)
        return raw

    def _of_class(self, owner: type, raw, base: type, name: str, said: str) -> Any:
        """Read what a class has, or the classes that it inherits from."""
        if not is_users_class(base):
            return MISSING
        if isinstance(raw, (types.FunctionType, property)) or not hasattr(type(raw), "__get__"):
            self._read(owner, "attr", name, said, raw, base is owner)
        elif isinstance(raw, classmethod):
            self._read(owner, "method", name, said, raw.__func__)
        elif isinstance(raw, staticmethod):
            self._read(owner, "attr", name, said, raw.__func__, base is owner)
        else:
            self._read(base, "raw", name, said, raw)
        self.meet(raw, said)
        return MISSING if hasattr(type(raw), "__get__") else raw

    def _item(self, owner, key, spoken: str, kind: str) -> Any:
        """Read an entry by its key; without it, the whole is what counts."""
        try:
            own = type(owner).__getitem__
        except AttributeError:
            self._end(owner, spoken)
            return MISSING
        python = isinstance(own, types.FunctionType) and not is_foreign(own.__code__.co_filename)
        if not python and not isinstance(owner, (np.ndarray, Tensor, type)):
            try:
                value = dict.__getitem__(owner, key) if isinstance(owner, dict) else owner[key]
            except Exception:
                value = MISSING
            if value is not MISSING and (is_container(owner) or is_plain_value(value)):
                self._read(owner, "item", key, f"{spoken}[{key!r}]", value)
                if type(owner) is list:
                    self._watch_length(owner, spoken)  # its entries may move to other places
                return value
        self._end(owner, spoken)
        return MISSING

    def _watch_length(self, owner: list, spoken: str) -> None:
        """Note what a list holds, to see whether the run lets it grow, or takes from it."""
        read = self._read(owner, "grown", "", spoken, None)
        if read is not None and self.live:
            read.before.open(self.live)

    # Values as a whole

    def _end(self, value, spoken: str, wrapped: str = "", watch: bool = True) -> None:
        """Read a value as a whole: nobody knows what is done with it."""
        self.meet(value, spoken)
        if isinstance(value, np.ndarray):
            if watch and wrapped not in _WRAPPERS:
                self._read(value, "array", "", spoken, None)
        elif is_ours_type(value) or isinstance(value, _FIXED) or is_plain_tuple(value):
            return
        elif isinstance(value, GENERATORS):
            self._read(value, "state", "", spoken, None)
        elif isinstance(value, (operator.attrgetter, operator.methodcaller)):
            names = [name for name in value.__reduce__()[1] if isinstance(name, str)]
            self.loosen([part for name in names for part in name.split(".")])
        elif isinstance(value, weakref.ref):
            self._end(value(), spoken)
        elif isinstance(value, ContextVar):
            now = value.get(None)
            self._read(value, "context", "", spoken, now)
            self._end(now, spoken)
        elif is_record(value):
            self._record(value, spoken, False)
        elif self._reflective and has_attributes(value):
            self._record(value, spoken, True)
        elif self._reflective and is_watched(value):
            for name, held in list(vars(value).items()):
                if is_plain_value(held) and not name.startswith("_"):
                    self._read(value, "attr", name, f"{spoken}.{name}", held)
            for name in self._asked - vars(value).keys():
                if not hasattr(type(value), name):
                    self._read(value, "missing", name, f"{spoken}.{name}", False)
        elif hasattr(type(value), "__next__") and not isinstance(value, io.IOBase):
            if not is_users_object(value):
                self.iterators.setdefault(id(value), spoken)

    def _record(self, value, spoken: str, whole: bool) -> None:
        read = self._read(value, "record", whole, spoken, None)
        if read is not None and self.live:
            read.before.open(self.live)
        for leaf in read.before.leaves() if read is not None else ():
            if isinstance(leaf, np.ndarray):
                self._read(leaf, "array", "", spoken, None)
            else:
                self.meet(leaf, spoken)

    # What is known

    def meet(self, value, spoken: str) -> None:
        """Get to know what was there before: what it holds may be read by name."""
        if id(value) in self._met or is_plain_value(value) or isinstance(value, Tensor):
            return
        self._met[id(value)] = value
        if isinstance(value, types.FunctionType):
            self._meet_function(value, spoken)
        elif isinstance(value, types.MethodType):
            self._end(value.__self__, spoken)
            self.meet(value.__func__, spoken)
        elif isinstance(value, functools.partial):
            self._record(value.keywords, f"the keywords of {spoken}", False)
            self._record(value.args, f"the arguments of {spoken}", False)
            self.meet(value.func, spoken)
        elif isinstance(value, (staticmethod, classmethod, property, functools.cached_property)):
            for function in functions_in(value):
                self.meet(function, spoken)
        elif isinstance(value, functools.singledispatchmethod):
            self.meet(value.dispatcher, spoken)
        elif isinstance(value, type):
            if is_users_class(value):
                self._know(value, spoken)
                self.meet(type(value), spoken)
                for base in value.__mro__[1:]:
                    self.meet(base, base.__name__)
        elif isinstance(value, types.ModuleType):
            if not is_foreign(getattr(value, "__file__", None)):
                self._know(value, spoken)
        elif hides(value):
            self._know(value, spoken)
        elif is_watched(value) or is_users_object(value):
            if is_watched(value):
                self.owners.setdefault(id(value), value)
            self._know(value, spoken)
            self.meet(type(value), type(value).__name__)

    def _meet_function(self, function, spoken: str) -> None:
        if function is os.getenv:
            self._end(os.environ, "os.environ")
        self._codes[id(function.__code__)] = function.__code__
        self._functions.setdefault(id(function.__code__), []).append(function)
        if hasattr(function, "__wrapped__"):  # by no_grad, a cache, a decorator
            self.meet(function.__wrapped__, spoken)
        registry = getattr(function, "registry", None)
        if isinstance(registry, types.MappingProxyType):  # of singledispatch
            self._record(registry, f"the registry of {spoken}", False)
        if function.__module__ and function.__module__.startswith(("aino.", "functools")):
            for cell in function.__closure__ or ():  # a wrapper around a function of the user's
                try:
                    if isinstance(cell.cell_contents, (types.FunctionType, types.MethodType)):
                        self.meet(cell.cell_contents, spoken)
                except ValueError:
                    continue

    def _know(self, value, spoken: str) -> None:
        self._known[id(value)] = (value, spoken)
        for name in list(self._loose):
            self._read_loosely(value, spoken, name)

    def loosen(self, names: Iterable[str]) -> None:
        """Read attributes by these names of everything that is known."""
        new = set(names) - self._loose
        self._loose |= new
        for value, spoken in list(self._known.values()) if new else ():
            for name in new:
                self._read_loosely(value, spoken, name)

    def _read_loosely(self, owner, spoken: str, name: str) -> None:
        said = f"{spoken}.{name}"
        if isinstance(owner, type):
            raw, base = _found(owner.__mro__, name)
            if raw is not MISSING:
                self._end_of(self._of_class(owner, raw, base, name, said), said)
        elif isinstance(owner, types.ModuleType):
            if name in vars(owner):
                self._end_of(self._of_module(owner, name, said), said)
        elif name in attributes_of(owner):
            self._end_of(self._own(owner, name, said, attributes_of(owner)[name]), said)
        elif (hidden := hidden_of(owner, name, MISSING)) is not MISSING:
            self._end_of(self._own(owner, name, said, hidden), said)

    def _end_of(self, value, spoken: str) -> None:
        if value is not MISSING:
            self._end(value, spoken)


_FIXED = (
    type, types.ModuleType, types.BuiltinFunctionType, types.FunctionType, types.MethodType,
    np.ufunc, np.dtype,
)  # fmt: skip


def is_fixed(value) -> bool:
    """Tell whether nobody replaces what a name stands for: a module, what is Python's or AINO's."""
    if isinstance(value, types.ModuleType):
        return is_foreign(getattr(value, "__file__", None))
    if isinstance(value, (types.BuiltinFunctionType, np.ufunc, np.dtype)):
        return True
    if isinstance(value, type):
        return not is_users_class(value)
    if isinstance(value, types.FunctionType):
        return is_foreign(value.__code__.co_filename) and not hasattr(value, "__wrapped__")
    return False


def _found(kinds, name: str) -> tuple[Any, Any]:
    """Return what the first of the classes has under a name, and that class."""
    for kind in kinds:
        if name in vars(kind):
            return vars(kind)[name], kind
    return MISSING, None


def functions_in(raw) -> list:
    """Return the functions in what a class holds: a method, a property, what decorators made."""
    if isinstance(raw, property):
        parts = [raw.fget, raw.fset, raw.fdel]
    elif isinstance(raw, functools.cached_property):
        parts = [raw.func]
    elif isinstance(raw, (staticmethod, classmethod)):
        parts = [raw.__func__]
    else:
        parts = [raw]
    return [part for part in parts if isinstance(part, types.FunctionType)]
