"""What the user's functions read of Python's world: globals, closures, attributes, entries.

A program is made for the objects and plain values that these names stood for. They are found in
the bytecode of the functions that ran, and of the functions that those name: ``self.cfg["k"]``
is a chain of three reads, each of which a program compares at every call.
"""

from __future__ import annotations

import contextlib
import dataclasses
import dis
import functools
import inspect
import sys
import sysconfig
import types
from argparse import Namespace
from collections import deque
from typing import Any, NamedTuple

import numpy as np

from aino.autograd.tensor import Tensor
from aino.compiler.context import is_ours, is_watched

_PLAIN = (bool, int, float, str, complex, bytes)
#: Containers over more items than this are known by who they are, and not by what they hold.
MOST_ITEMS = 64
#: How far calls are followed from the functions that ran: to what they call, and what that calls.
DEEPEST = 2
_MISSING: Any = object()
_STANDARD = sysconfig.get_paths()["stdlib"]
_INSTALLED = (sysconfig.get_paths()["purelib"], sysconfig.get_paths()["platlib"])

_GLOBALS = ("LOAD_GLOBAL", "LOAD_NAME")
_CELLS = ("LOAD_DEREF", "LOAD_CLASSDEREF")
_NEUTRAL = ("PUSH_NULL", "PRECALL", "CACHE", "COPY", "NOP", "EXTENDED_ARG")


class Chain(NamedTuple):
    """A name and what is read from it: ``("attr", name)`` and ``("item", key)``, in order."""

    kind: str
    name: str
    path: tuple[tuple[str, Any], ...]


@functools.lru_cache(maxsize=1024)
def chains_of(code) -> tuple[Chain, ...]:
    """Return the chains of reads in a function that begin outside of it."""
    first = code.co_varnames[0] if code.co_argcount else None
    found: dict[Chain, None] = {}
    current: Chain | None = None
    constant: Any = _MISSING
    for step in dis.get_instructions(code):
        name = step.opname
        if name in _GLOBALS or name in _CELLS or "LOAD_FAST" in name:
            if current is not None:
                found.setdefault(current)
            # Of two names that one instruction loads the last is read from.
            read = step.argval[-1] if isinstance(step.argval, tuple) else step.argval
            kind = "global" if name in _GLOBALS else "self" if read == first else "cell"
            local = kind == "cell" and name not in _CELLS
            current = None if local else Chain(kind, read, ())
        elif constant is not _MISSING and current is not None and not _subscripts(step):
            found.setdefault(current)  # a constant beside it: they are given to something
            current = None
        elif name in ("LOAD_ATTR", "LOAD_METHOD", "STORE_ATTR") and current is not None:
            current = current._replace(path=(*current.path, ("attr", step.argval)))
        elif name == "LOAD_CONST" and isinstance(step.argval, (str, int)):
            constant = step.argval
            continue
        elif current is not None and constant is not _MISSING and _subscripts(step):
            current = current._replace(path=(*current.path, ("item", constant)))
        elif name not in _NEUTRAL and current is not None:
            found.setdefault(current)
            current = None
        constant = _MISSING
    if current is not None:
        found.setdefault(current)
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):  # a lambda, a generator, a function within
            for chain in chains_of(inner):
                if chain.kind == "cell" and chain.name == first:
                    found.setdefault(chain._replace(kind="self"))
                elif chain.kind == "global" or chain.name in code.co_freevars:
                    found.setdefault(chain)
    return tuple(found)


def _subscripts(step) -> bool:
    return step.opname == "BINARY_SUBSCR" or (
        step.opname == "BINARY_OP" and step.argrepr.startswith("[")
    )


def is_record(value) -> bool:
    """Tell whether a value is known by what it holds: a container, or an object of the user's."""
    if isinstance(value, (list, dict, set, deque, tuple, types.SimpleNamespace, Namespace)):
        return True
    kind = type(value)
    return (
        not callable(value)
        and not isinstance(value, (*_PLAIN, type, types.ModuleType, np.ndarray, np.generic))
        and not is_ours_type(value)
        and not is_watched(value)
        and not is_foreign(getattr(sys.modules.get(kind.__module__), "__file__", None))
    )


def entries_of(record) -> list[tuple[Any, Any]]:
    """Return what a record holds, by key, place or name."""
    if isinstance(record, dict):
        return list(record.items())
    if isinstance(record, (list, tuple, deque, set)):
        return list(enumerate(record))
    own = dict(getattr(record, "__dict__", {}))
    for kind in type(record).__mro__:
        slots = vars(kind).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if hasattr(record, name):
                own[name] = getattr(record, name)
    return list(own.items())


class Snapshot:
    """What a record held: plain values by value, records by what they held, others by identity."""

    __slots__ = ("entries", "record")

    def __init__(self, record, depth: int = 0) -> None:
        self.record = record
        entries = entries_of(record)
        deep = depth < DEEPEST and len(entries) <= MOST_ITEMS
        self.entries = [
            (key, Snapshot(value, depth + 1) if deep and is_record(value) else value)
            for key, value in entries[:MOST_ITEMS]
        ]

    def fits(self, record) -> bool:
        """Tell whether a record holds what was held."""
        if record is not self.record and type(record) is not type(self.record):
            return False
        now = entries_of(record)
        if min(len(now), MOST_ITEMS) != len(self.entries):
            return False
        for (key, value), (old_key, old) in zip(now, self.entries):
            if not same(key, old_key):
                return False
            if type(old) is Snapshot:
                if value is not old.record or not old.fits(value):
                    return False
            elif not same(value, old):
                return False
        return True


def same(first, second) -> bool:
    """Tell whether two values are one object, or plain and equal; NaN is like NaN."""
    return first is second or (
        type(first) is type(second)
        and isinstance(first, (*_PLAIN, np.generic))
        and bool(first == second or (first != first and second != second))
    )


@dataclasses.dataclass
class Read:
    """One thing that was read: the expression that reads it, how the user writes it, its value."""

    text: str
    spoken: str
    value: Any
    items: Snapshot | None = None
    #: Where to put it back: the expression of what holds it, and how it is reached from there.
    holder: str = ""
    step: tuple[str, Any] = ("", None)


class Reading:
    """Collects what functions read, under names that ``bound`` gives to the objects it begins at.

    ``owners``: models and optimizers that were found; they are watched as a whole.
    """

    def __init__(self, bound: dict[str, Any], owners: dict[int, object]) -> None:
        self.bound = bound
        self.owners = owners
        self.reads: dict[str, Read] = {}
        self._names: dict[int, str] = {}
        self._seen: set[tuple[int, int]] = set()
        self._depth = 0

    # Functions

    def function(self, function, owner=None) -> None:
        """Follow a function of the user's, a method, a partial or an object that is called."""
        if isinstance(function, functools.partial):
            self.record(f"{self._name(function)}.keywords", "keywords", function.keywords)
            self.record(f"{self._name(function)}.args", "arguments", function.args)
            function = function.func
        if isinstance(function, types.MethodType):
            function, owner = function.__func__, function.__self__
        while hasattr(function, "__wrapped__"):  # by no_grad, a cache, a decorator
            self._plain_function(function, owner)
            function = function.__wrapped__
        if isinstance(function, types.MethodType):
            function, owner = function.__func__, function.__self__
        if isinstance(function, (staticmethod, classmethod)):
            function = function.__func__
        if isinstance(function, types.FunctionType):
            self._plain_function(function, owner)
        elif not isinstance(function, type):
            called = inspect.getattr_static(type(function), "__call__", None)
            if isinstance(called, types.FunctionType):
                self.function(called, function)

    def _plain_function(self, function, owner) -> None:
        """Follow a function, with its defaults."""
        if not isinstance(function, types.FunctionType) or self._depth > DEEPEST:
            return
        if is_foreign(function.__code__.co_filename):
            return
        for name in ("__defaults__", "__kwdefaults__"):
            defaults = getattr(function, name)
            if defaults:
                text = f"{self._name(function)}.{name}"
                self.record(text, f"the defaults of {function.__name__}", defaults)
        self._depth += 1
        self.code(function.__code__, function.__globals__, function, owner)
        self._depth -= 1

    def code(self, code, globals_, function, owner) -> None:
        """Follow the chains of one function; ``function`` and ``owner`` where they are known."""
        key = (id(code), id(owner))
        if key in self._seen:
            return
        self._seen.add(key)
        for name in code.co_names if owner is not None else ():
            # super().name, and what else is a method of its own by that name
            for kind in type(owner).__mro__:
                if isinstance(vars(kind).get(name), types.FunctionType):
                    self._plain_function(vars(kind)[name], owner)
        cells = {}
        if function is not None:
            cells = dict(zip(code.co_freevars, function.__closure__ or ()))
        for chain in chains_of(code):
            if chain.kind == "global" and chain.name in globals_:
                text = f"{self._name(globals_)}.get({chain.name!r})"
                self._follow(text, chain.name, globals_[chain.name], chain, globals_)
            elif chain.kind == "cell" and chain.name in cells:
                try:
                    value = cells[chain.name].cell_contents
                except ValueError:  # not bound yet
                    continue
                text = f"{self._name(cells[chain.name])}.cell_contents"
                self._follow(text, chain.name, value, chain, cells[chain.name])
            elif chain.kind == "self" and owner is not None and not is_ours_type(owner):
                self._walk(self._name(owner), chain.name, owner, chain.path)

    def _follow(self, text: str, spoken: str, value, chain: Chain, holder) -> None:
        if isinstance(value, types.ModuleType):
            if is_foreign(getattr(value, "__file__", None)):
                return
        else:
            step = ("item", chain.name) if isinstance(holder, dict) else ("attr", "cell_contents")
            self.read(text, spoken, value, self._name(holder), step)
        self._walk(text, spoken, value, chain.path)

    def _walk(self, text: str, spoken: str, value, path) -> None:
        """Follow a chain from a value on; what it ends at is read as a whole."""
        self._meet(value)
        for step in path:
            kind, key = step
            holder, holder_value, watched = text, value, is_watched(value)
            if kind == "attr":
                if isinstance(value, (list, dict, set, deque)):
                    self.record(text, spoken, value)  # one of its methods is called
                value, text, of_class = _attribute(value, key, text)
                spoken = f"{spoken}.{key}"
                if of_class and not isinstance(value, _PLAIN) and not is_record(value):
                    if value is not _MISSING:
                        self.function(value)  # a method: what it reads is what counts
                    return
            else:
                value, text = _item(value, key, text)
                spoken = f"{spoken}[{key!r}]"
            if value is _MISSING:
                # That it is not there may count as well.
                if kind == "item" and is_record(holder_value):
                    self.record(holder, spoken, holder_value)
                if kind == "attr" and not watched and not isinstance(holder_value, type):
                    self.read(f"hasattr({holder}, {key!r})", spoken, False, "", step)
                return
            # Models are watched as a whole, but for their plain attributes.
            if not watched or isinstance(value, _PLAIN):
                self.read(text, spoken, value, holder, step)
            self._meet(value)
        if is_record(value):
            self.record(text, spoken, value)

    def _meet(self, value) -> None:
        """Follow what was found by name: a model or optimizer, or something that is called."""
        if is_watched(value):
            self.owners.setdefault(id(value), value)
        elif callable(value) and not isinstance(value, Tensor):
            self.function(value)

    # Values

    def read(self, text: str, spoken: str, value, holder: str, step) -> None:
        """Note a value that was read by name."""
        if not isinstance(value, (type, types.ModuleType, types.BuiltinFunctionType)):
            self.reads.setdefault(text, Read(text, spoken, value, None, holder, step))

    def record(self, text: str, spoken: str, value) -> None:
        """Note a container or an object that was read, with what it holds."""
        if f"{text} items" in self.reads:
            return
        self.reads[f"{text} items"] = Read(text, spoken, value, Snapshot(value))
        for _, item in entries_of(value)[:MOST_ITEMS]:
            self._meet(item)

    def _name(self, item) -> str:
        """Return the name under which the reads begin at an object."""
        if id(item) not in self._names:
            self._names[id(item)] = f"_owner{len(self._names)}_{len(self.bound)}"
            self.bound[self._names[id(item)]] = item
        return self._names[id(item)]

    # What changed

    def state(self) -> tuple:
        """Return what was read as a key: plain values, and who the others are."""
        found: list = []
        for read in self.reads.values():
            entries = [(0, read.value)] if read.items is None else entries_of(read.value)
            for _, value in entries[:MOST_ITEMS]:
                plain = value is None or isinstance(value, _PLAIN)
                found.append((type(value), value) if plain else id(value))
        return tuple(found)

    def now(self, read: Read) -> Any:
        """Return what a read gives now."""
        try:
            value = eval(read.text, dict(self.bound))
            return Snapshot(value) if read.items is not None else value
        except Exception:
            return _MISSING

    def look(self) -> list:
        """Return what all reads give now."""
        return [self.now(read) for read in self.reads.values()]

    def changed(self, before: list) -> tuple[Read, Any, Any] | None:
        """Return the first read that gives something else than before, with both values."""
        for read, old in zip(self.reads.values(), before):
            new = self.now(read)
            if type(old) is Snapshot and type(new) is Snapshot:
                alike = old.fits(new.record)
            else:
                alike = same(old, new)
            if not alike:
                return read, old, new
        return None

    def restore(self, before: list) -> None:
        """Put back what a refused run has changed."""
        for read, old in zip(self.reads.values(), before):
            with contextlib.suppress(Exception):
                if read.items is not None:
                    refill(old)
                elif not same(old, self.now(read)) and read.holder:
                    holder = eval(read.holder, dict(self.bound))
                    kind, key = read.step
                    if kind == "attr":
                        setattr(holder, key, old)
                    else:
                        holder[key] = old


def refill(snapshot: Snapshot) -> None:
    """Let a container hold again what it held, and what it held as well."""
    record = snapshot.record
    for _, value in snapshot.entries:
        if type(value) is Snapshot:
            refill(value)
    if snapshot.fits(record):
        return
    entries = [(k, v.record if type(v) is Snapshot else v) for k, v in snapshot.entries]
    if isinstance(record, list):
        record[:] = [value for _, value in entries]
    elif isinstance(record, (set, deque)):
        record.clear()
        (record.update if isinstance(record, set) else record.extend)(v for _, v in entries)
    elif isinstance(record, dict):
        record.clear()
        record.update(entries)
    elif not isinstance(record, tuple):
        for key, value in entries:
            setattr(record, key, value)


def _attribute(owner, name: str, text: str) -> tuple[Any, str, bool]:
    """Return an attribute, the expression that reads it, and whether it is the class's own.

    Methods are bound, and properties are the functions behind them, bound.
    """
    own = getattr(owner, "__dict__", {})
    if name in own:
        text, value, of_class = f"{text}.__dict__.get({name!r})", own[name], False
    else:
        kinds = owner.__mro__ if isinstance(owner, type) else type(owner).__mro__
        value = next((vars(kind)[name] for kind in kinds if name in vars(kind)), _MISSING)
        text, of_class = f"getattr({text}, {name!r}, None)", True
    if isinstance(value, property):
        value = value.fget
    if isinstance(value, types.MemberDescriptorType):  # of __slots__
        try:
            return value.__get__(owner), text, False
        except AttributeError:
            return _MISSING, text, False
    if isinstance(value, (staticmethod, classmethod)):
        return value.__func__, text, True
    if of_class and isinstance(value, types.FunctionType) and not isinstance(owner, type):
        value = types.MethodType(value, owner)
    return value, text, of_class or (isinstance(owner, type) and callable(value))


def _item(owner, key, text: str) -> tuple[Any, str]:
    """Return an entry of a dictionary, list or tuple and the expression that reads it."""
    try:
        if isinstance(owner, dict):
            return dict.__getitem__(owner, key), f"{text}.get({key!r})"
        if isinstance(owner, (list, tuple)):
            return owner[key], f"({text}[{key!r}:] or (None,))[0]"
    except (KeyError, IndexError, TypeError):
        pass
    return _MISSING, text


def is_ours_type(owner) -> bool:
    """Tell whether an object is a tensor or another of AINO's own, whose state is known."""
    module = type(owner).__module__
    return isinstance(owner, Tensor) or (
        (module == "aino" or module.startswith("aino.")) and not is_watched(owner)
    )


def is_foreign(filename: str | None) -> bool:
    """Tell whether a file is AINO's, Python's own, or of a library that was installed."""
    return filename is None or is_ours(filename) or filename.startswith(
        ("<frozen", _STANDARD, *_INSTALLED)
    )  # fmt: skip


def read_by(trace, function) -> Reading:
    """Return what the functions that ran in a trace read by name, or would read without one."""
    reading = Reading({}, {} if trace is None else trace.context.owners)
    reading.function(function)
    if trace is None:
        return reading
    for (code, _), (globals_, reference) in list(trace.context.frames.items()):
        reading.code(code, globals_, None, reference())
    return reading


def conditions(reading: Reading, door) -> list[str]:
    """Return the conditions that every name read stands for what it stood for."""
    found = []
    door.bound.update(reading.bound)
    for read in reading.reads.values():
        if read.items is not None:
            found.append(f"{door.bind('fits', read.items.fits)}({read.text})")
            continue
        bound = door.bind("seen", read.value)
        if isinstance(read.value, float) and read.value != read.value:
            found.append(f"{door.bind('same', same)}({read.text}, {bound})")
        elif isinstance(read.value, _PLAIN):
            found.append(f"{read.text}.__class__ is {bound}.__class__ and {read.text} == {bound}")
        else:
            found.append(f"{read.text} is {bound}")
    return found
