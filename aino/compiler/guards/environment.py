"""What the user's functions read of Python's world: globals, closures, attributes, entries.

A program is made for the objects and plain values that these names stood for. They are found in
the bytecode of the functions that ran, and of the functions that those name: ``self.cfg["k"]``
is a chain of three reads, each of which a program compares at every call.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import inspect
import types
from collections import deque
from typing import Any

from aino.autograd.tensor import Tensor
from aino.compiler.guards.bytecode import Chain, chains_of
from aino.compiler.guards.ownership import is_foreign, is_ours_type, is_watched
from aino.compiler.guards.snapshots import (
    PLAIN,
    Snapshot,
    entries_of,
    is_record,
    refill,
    same,
)

#: How far calls are followed from the functions that ran: to what they call, and what that calls.
DEEPEST = 2
_MISSING: Any = object()


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
        #: As the globals of the expressions, into which Python puts its own names once.
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
                if of_class and not isinstance(value, PLAIN) and not is_record(value):
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
            if not watched or isinstance(value, PLAIN):
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
        for _, item in entries_of(value):
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
            for _, value in entries:
                plain = value is None or isinstance(value, PLAIN)
                found.append((type(value), value) if plain else id(value))
        return tuple(found)

    def now(self, read: Read) -> Any:
        """Return what a read gives now."""
        try:
            value = eval(_code_of(read.text), self.bound)
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
            if old is _MISSING:
                continue  # it was not there, and what is new does no harm
            with contextlib.suppress(Exception):
                if read.items is not None:
                    refill(old)
                elif not same(old, self.now(read)) and read.holder:
                    holder = eval(_code_of(read.holder), self.bound)
                    kind, key = read.step
                    if kind == "attr":
                        setattr(holder, key, old)
                    else:
                        holder[key] = old


@functools.lru_cache(maxsize=4096)
def _code_of(text: str):
    return compile(text, "<read>", "eval")


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


def read_by(trace, function) -> Reading:
    """Return what the functions that ran in a trace read by name, or would read without one."""
    reading = Reading({}, {} if trace is None else trace.context.owners)
    reading.function(function)
    if trace is None:
        return reading
    for (code, _), (globals_, reference) in list(trace.context.frames.items()):
        reading.code(code, globals_, None, reference())
    return reading


def conditions(reading: Reading, guards) -> list[str]:
    """Return the conditions that every name read stands for what it stood for."""
    found = []
    guards.bound.update(reading.bound)
    for read in reading.reads.values():
        if read.items is not None:
            found.append(f"{guards.bind('fits', read.items.fits)}({read.text})")
            continue
        bound = guards.bind("seen", read.value)
        if isinstance(read.value, float) and read.value != read.value:
            found.append(f"{guards.bind('same', same)}({read.text}, {bound})")
        elif isinstance(read.value, PLAIN):
            found.append(f"{read.text}.__class__ is {bound}.__class__ and {read.text} == {bound}")
        else:
            found.append(f"{read.text} is {bound}")
    return found
