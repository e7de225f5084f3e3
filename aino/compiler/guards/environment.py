"""What the user's functions read of Python's world: globals, closures, attributes, entries.

Every function of the user's that runs in a trace is met as it begins, at any depth of calls; what
its bytecode reads of what was there before is noted then, before it is used. A program compares
all of it at every call: ``self.cfg["k"]`` is a chain of three reads.
"""

from __future__ import annotations

import gc
import importlib.util
import sys
import types
import weakref
from collections import OrderedDict
from collections.abc import Collection, Iterable
from typing import Any

from aino.autograd.tensor import Tensor
from aino.compiler.guards.bytecode import Chain, codes_within, summary_of
from aino.compiler.guards.ownership import is_ours_type, is_users_class, is_watched
from aino.compiler.guards.reads import MISSING, Read
from aino.compiler.guards.snapshots import (
    Snapshot,
    has_attributes,
    is_container,
    is_plain_value,
    is_record,
)
from aino.compiler.guards.surroundings import Surroundings, functions_in, is_fixed
from aino.pytree import parts_of


class Reading(Surroundings):
    """Collects what functions read, as they begin to run."""

    def __init__(self) -> None:
        super().__init__()
        self._given: set[int] = set()
        self._first: frozenset[int] = frozenset()
        self._ran: dict[int, set] = {}
        self._within: set[int] = set()
        self._doubtful: list[tuple[weakref.ref, Chain]] = []

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
                again = Read(read.holder, read.kind, read.key, read.spoken, before, read.own)
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
                self._walk(value, chain, self._given)
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
                if any(function.__code__ is code for function in functions_in(raw)):
                    # However it was called, it is this class's own.
                    self._read(base, "raw", code.co_name, f"{base.__name__}.{code.co_name}", raw)
                    self.meet(raw, code.co_name)
        if id(code) not in self._functions and id(code) not in self._within:
            for function in _functions_with(code):
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
                self._walk(value, chain, self._given)
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
        if not is_fixed(value):
            self._read(holder, kind, name, name, value)

    # Chains

    def _walk(self, value, chain: Chain, given: Collection[int] = ()) -> None:
        """Follow a chain from a value on; what it ends at is read as a whole.

        ``given``: containers among the arguments, which are looked at by themselves: what an inner
        function, made in the run, reads of an outer one's arguments is read of them.
        """
        spoken = chain.name if isinstance(chain.name, str) else chain.name[0]
        for position, (kind, key) in enumerate(chain.path, 1):
            if type(value) is list and (kind, key) == ("attr", "append"):
                if position == len(chain.path) and id(value) not in given:
                    # It is not looked at: a program may let it grow.
                    self.meet(value, spoken)
                    self._watch_length(value, spoken)
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


def _functions_with(code) -> list[types.FunctionType]:
    """Return the functions that have a code, wherever they are."""
    found = [x for x in gc.get_referrers(code) if isinstance(x, types.FunctionType)]
    if not found and gc.get_freeze_count():
        # What gc.freeze() has put away is not looked at.
        gc.unfreeze()
        found = [x for x in gc.get_referrers(code) if isinstance(x, types.FunctionType)]
        gc.freeze()
    return found


def _plain_containers(item) -> list:
    """Return the lists, tuples and dictionaries in an argument, which is taken apart."""
    if type(item) not in (list, tuple, dict, OrderedDict):
        return []
    return [item, *[found for part in parts_of(item) for found in _plain_containers(part)]]


def _imported(name: tuple, globals_: dict[str, Any]):
    """Return the module that an ``import`` inside of a function gives."""
    path, level, _ = name
    try:
        if level:
            path = importlib.util.resolve_name("." * level + path, globals_["__package__"])
    except (ImportError, KeyError):
        return None
    return sys.modules.get(path)
