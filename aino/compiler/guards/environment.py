"""What the user's functions read of Python's world: globals, closures, attributes, entries.

Every function of the user's that runs in a trace is met as it begins, at any depth of calls; what
its bytecode reads of what was there before is noted then, before it is used. A program compares
all of it at every call: ``self.cfg["k"]`` is a chain of three reads.
"""

from __future__ import annotations

import functools
import gc
import importlib.util
import io
import operator
import os
import sys
import types
import weakref
from collections import OrderedDict
from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any

import numpy as np

from aino.autograd.tensor import Tensor
from aino.compiler.guards.bytecode import Chain, codes_within, summary_of
from aino.compiler.guards.ownership import is_foreign, is_ours_type, is_users_class, is_watched
from aino.compiler.guards.places import class_place, identity_of
from aino.compiler.guards.reads import GENERATORS, MISSING, Read
from aino.compiler.guards.snapshots import (
    Snapshot,
    attributes_of,
    dictionary_of,
    has_attributes,
    is_container,
    is_plain_tuple,
    is_plain_value,
    is_record,
    is_users_object,
)
from aino.compiler.ir.symbolic import SymbolicNumber
from aino.errors import CompileError
from aino.pytree import parts_of

#: What takes an array into a tensor that shares its memory, or copies it in every program.
_WRAPPERS = {"from_numpy", "as_tensor", "asarray", "tensor"}
_FORMS = {"shape", "dtype", "ndim", "size", "itemsize"}


class Reading:
    """Collects what functions read, as they begin to run.

    ``owners``: models and optimizers that were found; they are watched as a whole.
    """

    def __init__(self) -> None:
        self.owners: dict[int, object] = {}
        self.reads: dict[tuple, Read] = {}
        #: Those that only tell what the run has changed: of what the function was given, which is
        #: looked at by itself, and of what models hold, which are watched as a whole.
        self._unguarded: set[tuple] = set()
        self._given: set[int] = set()
        #: Iterators that were there before: a program would not advance them.
        self.iterators: dict[int, str] = {}
        #: What went wrong in reading, such as an exception of an object that was asked.
        self.trouble: Exception | None = None
        #: What stands in the places that are read anew at each call, by what tells them apart.
        self.live: dict[tuple, Any] = {}
        #: What those are called in programs.
        self.labels: dict[tuple, str] = {}
        self._first: frozenset[int] = frozenset()
        self._known: dict[int, tuple[Any, str]] = {}
        self._met: dict[int, Any] = {}
        self._loose: set[str] = set()
        # By the identity of code: functions of two modules may be of equal code, which does not
        # compare where it stands. The code lives on in ``_codes``.
        self._functions: dict[int, list] = {}
        self._ran: dict[int, set] = {}
        self._within: set[int] = set()
        self._codes: dict[int, types.CodeType] = {}
        self._doubtful: list[tuple[weakref.ref, Chain]] = []
        #: Whether the function at hand reads attributes by computed names, and texts in it.
        self._reflective = False
        self._asked: frozenset[str] = frozenset()
        self._earlier: list[Read] = []

    # The beginning and the end

    def begin(self, function, given: Iterable, earlier: Reading | None) -> None:
        """Start at the function, its arguments, and what it was seen to read before."""
        for item in given:
            self._end(item, "an argument", watch=False)
            self._given.update(map(id, _plain_containers(item)))
        self._unguarded = set(self.reads)
        self.meet(function, getattr(function, "__name__", "the function"))
        if earlier is not None:
            for read in earlier.reads.values():
                before = read.now()
                again = Read(read.holder, read.kind, read.key, read.spoken, before)
                self._earlier.append(again)
            for value, spoken in earlier._known.values():
                self.meet(value, spoken)
        self._first = frozenset(self._met)

    def knows(self, value) -> bool:
        """Tell whether an object was met before the run, so that it is none that it has made."""
        return id(value) in self._first

    def finish(self) -> None:
        """Read of what the functions were given, where it turns out to have been there before."""
        for reference, chain in self._doubtful:
            value = reference()
            if value is not None:
                self._walk(value, chain)
        self._doubtful.clear()

    # What runs

    def ran(self, code, globals_: dict[str, Any], locals_: dict[str, Any]) -> None:
        """Note that a function of the user's begins to run, with these arguments."""
        summary = summary_of(code)
        count = code.co_argcount + code.co_kwonlyargcount
        names = {*code.co_varnames[: count + 2], *code.co_freevars}
        given = {
            name: value for name, value in locals_.items()
            if name in names and not is_plain_value(value) and not isinstance(value, Tensor)
        }  # fmt: skip
        key = frozenset((name, id(value)) for name, value in given.items())
        self._codes[id(code)] = code
        seen = self._ran.setdefault(id(code), set())
        if key in seen:
            return
        seen.add(key)
        if len(seen) == 1:
            self._within.update(map(id, codes_within(code)))
        first = locals_.get(code.co_varnames[0]) if code.co_argcount else None
        functions = self._functions_of(code, first)
        self._reflective = summary.reflective
        self._asked = summary.loose
        if "globals" in code.co_names and "globals" not in globals_:
            for name, value in list(globals_.items()):
                if not name.startswith("__"):
                    self._rebound(globals_, "global", name, value)
                    if is_container(value):
                        self._end(value, name)
        for function in functions:
            self._defaults(function)
            self._read(function, "attr", "__code__", f"the code of {code.co_name}", code)
        loose = set(summary.loose)
        for chain in summary.chains:
            loose |= self._begin_chain(chain, summary, code, functions, globals_, given)
        self.loosen(loose)
        self._reflective = False

    def _functions_of(self, code, first) -> list:
        """Return the functions that have a code: one, or those that one ``def`` made."""
        if id(code) not in self._functions and first is not None:
            kind = first if isinstance(first, type) else type(first)
            for base in kind.__mro__ if is_users_class(kind) else ():
                raw = vars(base).get(code.co_name)
                if any(function.__code__ is code for function in _functions_in(raw)):
                    # However it was called, it is this class's own.
                    self._read(base, "raw", code.co_name, f"{base.__name__}.{code.co_name}", raw)
                    self.meet(raw, code.co_name)
        if id(code) not in self._functions and id(code) not in self._within:
            for function in gc.get_referrers(code):
                if isinstance(function, types.FunctionType):
                    self.meet(function, function.__name__)
        return self._functions.get(id(code), [])

    def _defaults(self, function) -> None:
        for name in ("__defaults__", "__kwdefaults__"):
            defaults = getattr(function, name)
            if defaults:
                spoken = f"the defaults of {function.__name__}"
                self._read(function, "attr", name, spoken, defaults)
                for value in defaults.values() if isinstance(defaults, dict) else defaults:
                    self._end(value, spoken)

    def _begin_chain(self, chain: Chain, summary, code, functions, globals_, given) -> set[str]:
        """Find what a chain begins at, and follow it; return what it reads of who knows what."""
        name = chain.name
        if chain.kind == "global":
            if name in globals_:
                self._rebound(globals_, "global", name, globals_[name])
                self._walk(globals_[name], chain)
            elif name in summary.stored:
                self._read(globals_, "get", name, name, None)
        elif chain.kind == "import":
            module = _imported(name, globals_)
            if module is not None:
                self._walk(module, chain)
        elif chain.kind == "cell" and functions:
            for function in functions:
                place = code.co_freevars.index(name)
                cell = (function.__closure__ or ())[place]
                try:
                    value = cell.cell_contents
                except ValueError:  # not bound yet
                    continue
                self._rebound(cell, "cell", name, value)
                self._walk(value, chain)
        else:
            value = given.get(name)
            if value is not None and self._was_there(value):
                self._walk(value, chain)
            elif has_attributes(value) and not is_record(value):
                try:
                    # Weakly: what is made in a trace must not seem to be kept.
                    self._doubtful.append((weakref.ref(value), chain))
                except TypeError:
                    value = None
            if value is None or name in summary.stored or not self._was_there(value):
                return {key for kind, key in chain.path if kind == "attr"}
        return set()

    def _was_there(self, value) -> bool:
        """Tell whether a value is known for one that no trace has made."""
        known = id(value) in self._met or is_watched(value)
        return known or isinstance(value, (type, types.ModuleType))

    def _rebound(self, holder, kind: str, name: str, value) -> None:
        """Note what a name stands for."""
        if not _is_fixed(value):
            self._read(holder, kind, name, name, value)

    # Chains

    def _walk(self, value, chain: Chain) -> None:
        """Follow a chain from a value on; what it ends at is read as a whole."""
        spoken = chain.name if isinstance(chain.name, str) else chain.name[0]
        given = self._given if chain.kind == "local" else ()
        for position, (kind, key) in enumerate(chain.path, 1):
            if type(value) is list and (kind, key) == ("attr", "append"):
                if position == len(chain.path) and id(value) not in given:
                    # It is not looked at: a program may let it grow.
                    self.meet(value, spoken)
                    self._read(value, "grown", "", spoken, None)
                    return
            if id(value) in given:
                if kind != "item":
                    break
                try:
                    value = value[key]
                except (LookupError, TypeError):
                    return
                spoken = f"{spoken}[{key!r}]"
                continue
            self.meet(value, spoken)
            if is_plain_value(value) or is_ours_type(value):
                return
            if kind == "attr":
                value = self._attribute(value, key, spoken)
                spoken = f"{spoken}.{key}"
            else:
                value = self._item(value, key, spoken, kind)
                spoken = f"{spoken}[{key!r}]"
            if value is MISSING:
                return
        if id(value) in given:
            for leaf in Snapshot(value).leaves():
                self.meet(leaf, spoken)
        else:
            self._end(value, spoken, chain.wrapped)

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
        elif not _is_fixed(value):
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
                return value
        self._end(owner, spoken)
        return MISSING

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
            for function in _functions_in(value):
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

    def _end_of(self, value, spoken: str) -> None:
        if value is not MISSING:
            self._end(value, spoken)

    # Reads

    def _read(self, holder, kind: str, key, spoken: str, before, own: bool = True) -> Read | None:
        """Note a read, unless it is known: return it where it is new."""
        place = (id(holder), kind, key)
        if identity_of(holder, kind, key) in self.live:
            return None
        if place in self._unguarded:
            self._unguarded.discard(place)
            return self.reads[place]
        if place in self.reads or (kind in ("raw", "method") and isinstance(before, type)):
            return None
        label = ""
        if type(before) is SymbolicNumber:
            # What stands in a class, read of an object of it: the number that is read there.
            stands = None if own else class_place(holder, key, spoken)
            if stands is None or stands.identity not in self.live:
                raise CompileError(f"{spoken} is set while the function runs, and read elsewhere")
            before, label = self.live[stands.identity], self.labels[stands.identity]
        read = self.reads[place] = Read(holder, kind, key, spoken, before, own)
        read.label = label
        return read

    def tensors(self) -> set[int]:
        """Return the identities of the tensors that were found by name, or in a model."""
        found: list[Any] = []
        for _, read in self.found():
            found += read.before.leaves() if read.kind == "record" else [read.before]
        for owner in self.owners.values():
            found += [
                held for name, held in vars(owner).items()
                if identity_of(owner, "attr", name) not in self.live
            ]  # fmt: skip
            for group in getattr(owner, "param_groups", ()):
                found += group["params"]
        return {id(value) for value in found if isinstance(value, Tensor)}

    def state(self) -> frozenset:
        """Return what is read as a key: plain values, and who the others are."""
        return frozenset((place, read.state()) for place, read in self.found())

    def found(self) -> list[tuple[tuple, Read]]:
        """Return what a program compares, with its place."""
        return [item for item in self.reads.items() if item[0] not in self._unguarded]

    def changed(self) -> Read | None:
        """Return the first read that gives something else than before the run."""
        for read in [*self.reads.values(), *self._earlier]:
            if not read.is_as_before():
                return read
        return None

    def restore(self) -> None:
        """Put back what a refused run has changed."""
        for read in [*self.reads.values(), *self._earlier]:
            read.put_back()


_FIXED = (
    type, types.ModuleType, types.BuiltinFunctionType, types.FunctionType, types.MethodType,
    np.ufunc, np.dtype,
)  # fmt: skip


def _is_fixed(value) -> bool:
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


def _plain_containers(item) -> list:
    """Return the lists, tuples and dictionaries in an argument, which is taken apart."""
    if type(item) not in (list, tuple, dict, OrderedDict):
        return []
    return [item, *[found for part in parts_of(item) for found in _plain_containers(part)]]


def _found(kinds, name: str) -> tuple[Any, Any]:
    """Return what the first of the classes has under a name, and that class."""
    for kind in kinds:
        if name in vars(kind):
            return vars(kind)[name], kind
    return MISSING, None


def _functions_in(raw) -> list:
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


def _imported(name: tuple, globals_: dict[str, Any]):
    """Return the module that an ``import`` inside of a function gives."""
    path, level, _ = name
    try:
        if level:
            path = importlib.util.resolve_name("." * level + path, globals_["__package__"])
    except (ImportError, KeyError):
        return None
    return sys.modules.get(path)


def conditions(reading: Reading, guards) -> list[str]:
    """Return the conditions that every name read stands for what it stood for."""
    # Where a generator stands is no matter: that a function draws from it was refused.
    # What a list that only grows holds is none, either.
    others = ("state", "grown")
    return [read.condition(guards) for _, read in reading.found() if read.kind not in others]
