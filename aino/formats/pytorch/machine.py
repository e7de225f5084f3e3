"""The machine that a pickle is written for, with what builds plain values, and nothing else.

A pickle is a list of instructions for a stack. Those that look for a name and call it find here
only the names that they are given; those that make objects of a class, and set their attributes,
are refused. A pickle can say little and mean much, so what it builds is counted.

Source: Python, Lib/pickletools.py, which tells of each instruction.
"""

from __future__ import annotations

import struct
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from aino.formats.pytorch.stream import Stream

_DICTS = (dict, OrderedDict, Counter, defaultdict)
_LONGEST_INTEGER = 1000  # bytes
_LARGEST_KEY = 2**61 - 2  # beyond it, unequal numbers have one hash, and dictionaries get slow
_LARGEST_TUPLE = 100  # values in a tuple that is a key
_HELPFUL = "nothing that a file names is run"


class Global:
    """A name that a pickle may call: with a tuple of arguments it makes a value."""

    __slots__ = ("make", "name")

    def __init__(self, name: str, make: Callable[..., Any] | None = None) -> None:
        self.name = name
        self.make = make


class Unfinished:
    """A value that a pickle makes in two steps, empty between them.

    ``finish(state)`` gives the value, which then stands where this stood.
    """

    def __init__(self, what: str, finish: Callable[[Any], Any]) -> None:
        self.what = what
        self.finish = finish
        self.slots: list[int] = []  # where the machine has noted it


class Machine:
    """Runs one pickle after another from a stream.

    Arguments:
        stream: where they are read.
        find: gives the `Global` or the value of a name, or raises.
        storage: gives what stands for a persistent id, which is how tensors' bytes are named.
        allowed: how many bytes the values may take, by a rough count.
    """

    def __init__(
        self,
        stream: Stream,
        find: Callable[[str], Any],
        storage: Callable[[Any], Any],
        allowed: int,
    ) -> None:
        self.stream = stream
        self.find = find
        self.storage = storage
        self.left = allowed

    def fail(self, cause: str) -> NoReturn:
        """Raise the error of this pickle."""
        raise self.stream.source.error(cause, self.stream.member)

    def spend(self, count: int) -> None:
        """Count memory that is about to be taken."""
        self.left -= count
        if self.left < 0:
            self.fail("its pickle holds more values than a file of this size has reason to")

    def run(self) -> Any:
        """Run one pickle, and return what it leaves."""
        self.stack: list[Any] = []
        self.marks: list[list[Any]] = []
        self.memo: dict[int, Any] = {}
        read, actions = self.stream.read, _ACTIONS
        try:
            while (code := read(1)) != b".":
                action = actions.get(code)
                if action is None:
                    self.fail(_why_not(code))
                action(self)
        except IndexError:
            self.fail("its pickle is damaged: it takes what is not there")
        if self.marks or len(self.stack) != 1:
            self.fail("its pickle is damaged: it does not end with one value")
        return self.stack.pop()

    # Numbers and text

    def integer(self, length: int) -> None:
        """Push a whole number of so many bytes."""
        if length > _LONGEST_INTEGER:
            self.fail(f"holds a whole number of {length:,} bytes")
        self.spend(32 + length)
        self.stack.append(int.from_bytes(self.stream.read(length), "little", signed=True))

    def text(self, length: int) -> None:
        """Push a string of so many bytes of UTF-8."""
        self.spend(64 + length)
        data = self.stream.read(length)
        if not data.isascii():
            self.spend(4 * length)
        try:
            self.stack.append(str(data, "utf-8", "surrogatepass"))
        except UnicodeDecodeError:
            self.fail("holds text that is not UTF-8")

    def bytes(self, length: int) -> None:
        """Push so many bytes."""
        self.spend(48 + length)
        self.stack.append(self.stream.read(length))

    # Containers

    def mark(self) -> None:
        self.spend(72)
        self.marks.append(self.stack)
        self.stack = []

    def since_mark(self) -> list[Any]:
        """What was pushed since the last mark, which goes."""
        found = self.stack
        self.stack = self.marks.pop()
        return found

    def tuple(self, items: list[Any]) -> None:
        """Push a tuple."""
        self.spend(56 + 8 * len(items))
        self.stack.append(tuple(items))

    def last(self, count: int) -> list[Any]:
        """Take the last few values from the stack."""
        if len(self.stack) < count:
            raise IndexError
        found = self.stack[-count:]
        del self.stack[-count:]
        return found

    def append(self, items: list[Any]) -> None:
        """Append to the list on top."""
        target = self.stack[-1]
        if type(target) is not list:
            self.fail(f"appends to a {type(target).__name__}, which is no list")
        self.spend(8 * len(items))
        target.extend(items)

    def set_items(self, items: list[Any]) -> None:
        """Put keys and values into the dictionary on top."""
        target = self.stack[-1]
        if type(target) not in _DICTS:
            self.fail(f"puts items into a {type(target).__name__}, which is no dictionary")
        if len(items) % 2:
            self.fail("its pickle is damaged: a key has no value")
        self.spend(104 * (len(items) // 2) + (200 if not target else 0))
        for key, value in zip(items[::2], items[1::2]):
            self.check_key(key)
            target[key] = value

    def add(self, items: list[Any]) -> None:
        """Add to the set on top."""
        target = self.stack[-1]
        if type(target) is not set:
            self.fail(f"adds to a {type(target).__name__}, which is no set")
        target.update(self.keys(items))

    def keys(self, items: Any) -> list[Any]:
        """The items of a set, each of which can be one."""
        if type(items) not in (list, tuple):
            self.fail(f"makes a set of a {type(items).__name__}")
        self.spend(64 * len(items))
        for item in items:
            self.check_key(item)
        return list(items)

    def check_key(self, key: Any) -> None:
        """Refuse what is no key, or one that takes long to compare."""
        waiting, seen = [key], 0
        while waiting:
            part = waiting.pop()
            kind, seen = type(part), seen + 1
            if kind is tuple and seen + len(part) <= _LARGEST_TUPLE:
                waiting.extend(part)
            elif kind in (int, float) and abs(part) > _LARGEST_KEY:
                if kind is int or abs(part) != float("inf"):
                    self.fail(f"has a key that is too large a number: {part:.3g}")
            elif kind not in (str, int, float, bool, bytes, type(None)):
                self.fail(f"has a key of type {kind.__name__}, or too large a one")

    # Names

    def note(self, place: int) -> None:
        """Note the value on top under a number."""
        value = self.stack[-1]
        if place not in self.memo:
            self.spend(120)
        self.memo[place] = value
        if type(value) is Unfinished:
            value.slots.append(place)

    def recall(self, place: int) -> None:
        """Push what was noted under a number."""
        if place not in self.memo:
            self.fail(f"its pickle is damaged: it has noted nothing as number {place}")
        self.stack.append(self.memo[place])

    def name(self, module: str, name: str) -> None:
        """Push what a name stands for."""
        self.spend(64)
        self.stack.append(self.find(f"{module}.{name}"))

    def stacked_name(self) -> None:
        """Push what the name on the stack stands for."""
        module, name = self.last(2)
        if type(module) is not str or type(name) is not str:
            self.fail("its pickle is damaged: a name is not text")
        self.name(module, name)

    def call(self) -> None:
        """Call what a name stands for."""
        arguments = self.stack.pop()
        target = self.stack.pop()
        if type(target) is not Global or target.make is None or type(arguments) is not tuple:
            shown = target.name if type(target) is Global else f"a {type(target).__name__}"
            self.fail(f"calls {shown}, which makes nothing; {_HELPFUL}")
        self.spend(100)
        try:
            value = target.make(self, *arguments)
        except TypeError:
            self.fail(f"calls {target.name} with other arguments than PyTorch does")
        self.stack.append(value)

    def new_object(self, *_: Any) -> NoReturn:
        """Refuse an object of a class."""
        target = self.stack[-2]
        shown = target.name if type(target) is Global else f"a {type(target).__name__}"
        self.fail(f"makes an object of {shown} in a way that PyTorch does not; {_HELPFUL}")

    def build(self) -> None:
        """Give the value on top its state."""
        state = self.stack.pop()
        target = self.stack[-1]
        if type(target) is Unfinished:
            value = target.finish(state)
            for place in target.slots:
                self.memo[place] = value
            self.stack[-1] = value
        elif type(target) is OrderedDict and type(state) is dict and [*state] == ["_metadata"]:
            vars(target).update(state)  # the versions of modules, on a state_dict
        else:
            shown = type(target).__name__
            self.fail(f"sets attributes of a {shown}, which has none; {_HELPFUL}")

    def refer(self) -> None:
        """Push what a persistent id stands for."""
        self.spend(100)
        self.stack.append(self.storage(self.stack.pop()))


def _number(form: str) -> Callable[[Machine], int]:
    unpack, size = struct.Struct(form).unpack, struct.calcsize(form)
    return lambda machine: unpack(machine.stream.read(size))[0]


_u1, _u2, _u4, _u8 = map(_number, ("<B", "<H", "<I", "<Q"))
_i4, _f8 = map(_number, ("<i", ">d"))


def _push(value: Any) -> Callable[[Machine], None]:
    return lambda machine: machine.stack.append(value)


def _push_number(read: Callable[[Machine], Any], size: int) -> Callable[[Machine], None]:
    def action(machine: Machine) -> None:
        machine.spend(size)
        machine.stack.append(read(machine))

    return action


def _push_new(kind: Callable[[], Any], size: int) -> Callable[[Machine], None]:
    def action(machine: Machine) -> None:
        machine.spend(size)
        machine.stack.append(kind())

    return action


def _protocol(machine: Machine) -> None:
    version = _u1(machine)
    if version > 5:
        machine.fail(f"is a pickle of protocol {version}; those up to 5 are known")


def _frame(machine: Machine) -> None:
    machine.stream.read(8)  # how long it is, which shows by itself


def _byte_array(machine: Machine) -> None:
    machine.bytes(_u8(machine))
    machine.stack[-1] = bytearray(machine.stack[-1])


def _frozen(machine: Machine) -> None:
    items = frozenset(machine.keys(machine.since_mark()))
    machine.stack.append(items)


_ACTIONS: Mapping[bytes, Callable[[Machine], None]] = {
    b"\x80": _protocol,
    b"\x95": _frame,
    b"N": _push(None),
    b"\x88": _push(True),
    b"\x89": _push(False),
    b")": _push(()),
    b"K": lambda m: m.stack.append(_u1(m)),
    b"M": _push_number(_u2, 28),
    b"J": _push_number(_i4, 28),
    b"G": _push_number(_f8, 24),
    b"\x8a": lambda m: m.integer(_u1(m)),
    b"\x8b": lambda m: m.integer(_u4(m)),
    b"\x8c": lambda m: m.text(_u1(m)),
    b"X": lambda m: m.text(_u4(m)),
    b"\x8d": lambda m: m.text(_u8(m)),
    b"U": lambda m: m.text(_u1(m)),  # Python 2's text
    b"T": lambda m: m.text(_u4(m)),
    b"C": lambda m: m.bytes(_u1(m)),
    b"B": lambda m: m.bytes(_u4(m)),
    b"\x8e": lambda m: m.bytes(_u8(m)),
    b"\x96": _byte_array,
    b"]": _push_new(list, 64),
    b"}": _push_new(dict, 64),
    b"\x8f": _push_new(set, 216),
    b"(": Machine.mark,
    b"t": lambda m: m.tuple(m.since_mark()),
    b"\x85": lambda m: m.tuple(m.last(1)),
    b"\x86": lambda m: m.tuple(m.last(2)),
    b"\x87": lambda m: m.tuple(m.last(3)),
    b"a": lambda m: m.append(m.last(1)),
    b"e": lambda m: m.append(m.since_mark()),
    b"s": lambda m: m.set_items(m.last(2)),
    b"u": lambda m: m.set_items(m.since_mark()),
    b"\x90": lambda m: m.add(m.since_mark()),
    b"\x91": _frozen,
    b"q": lambda m: m.note(_u1(m)),
    b"r": lambda m: m.note(_u4(m)),
    b"\x94": lambda m: m.note(len(m.memo)),
    b"h": lambda m: m.recall(_u1(m)),
    b"j": lambda m: m.recall(_u4(m)),
    b"c": lambda m: m.name(m.stream.line(), m.stream.line()),
    b"\x93": Machine.stacked_name,
    b"R": Machine.call,
    b"\x81": Machine.new_object,
    b"\x92": Machine.new_object,
    b"b": Machine.build,
    b"Q": Machine.refer,
}


def _why_not(code: bytes) -> str:
    return (
        f"its pickle holds the instruction {code!r}, which PyTorch does not write; it is damaged, "
        f"or not PyTorch's; {_HELPFUL}"
    )
