"""Writes a program as a person would: an expression a line, before memory is planned.

What runs is another text (see ``emit``): with buffers that are made once, rows that are spread
first and loops in blocks. Both say the same, number for number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from aino.compiler.backends.numpy.emit import Emitter
from aino.compiler.backends.numpy.lines import Line, written_step
from aino.compiler.backends.numpy.names import function_text
from aino.compiler.ir.operations import METHOD_NAMES, Operation
from aino.compiler.ir.program import Call, Program
from aino.compiler.ir.regions import Given, Region, Storage
from aino.compiler.ir.symbolic import SymbolicNumber, literal
from aino.compiler.passes.memory_plan import Layout

_INFIX = {
    np.add: "+", np.subtract: "-", np.multiply: "*", np.divide: "/", np.power: "**",
    np.floor_divide: "//", np.remainder: "%", np.matmul: "@", np.less: "<", np.less_equal: "<=",
    np.greater: ">", np.greater_equal: ">=", np.equal: "==", np.not_equal: "!=",
}  # fmt: skip


def repeated_number(storage: Storage) -> str | None:
    """Return the number that a constant repeats, None where it holds several or may change."""
    if storage.written or storage.whole.dtype.kind not in "fiub":
        return None
    if storage.kind != "constant" and (storage.kind != "static" or storage.root.flags.writeable):
        return None
    array = storage.initial if storage.initial is not None else storage.root
    if not array.size or array.shape != storage.whole.shape:
        return None
    first = array[(0,) * array.ndim]
    same = (
        (array == first).all() and not (array.dtype.kind == "f" and np.signbit(array).any())
        if array.ndim
        else True
    )
    return literal(first.item()) if same else None


@dataclass
class Readable:
    """``text`` defines the step; ``bound`` are the arrays and functions that it names besides.

    ``lines``: its lines below the first one, each with the call that it makes.
    """

    text: str
    bound: dict[str, Any]
    lines: list[Line]


def everything_fresh(program: Program) -> Layout:
    """Return a layout in which each result is made where it is computed."""
    layout = Layout()
    for storage in program.storages():
        outside = {"temporary": "fresh", "argument": "given", "gradient": "given"}
        layout.place[storage] = outside.get(storage.kind, "bound")
    return layout


class ReadableWriter(Emitter):
    """Writes one program for its reader."""

    def __init__(self, program: Program, name: str, containers, floats) -> None:
        super().__init__(program, everything_fresh(program), name, containers, floats)
        #: Storages that stand for themselves: numbers, and constants of one number.
        self.inline: dict[Storage, str] = {}
        self.labels: dict[Storage, str] = {}

    def readable(self, labels) -> Readable:
        """Return the text of the program; ``labels`` name the leaves."""
        for leaf, value in self.program.gradients:
            label = leaf if isinstance(leaf, str) else labels.get(leaf)
            if value is not None and label:
                self.labels.setdefault(value.storage, f"d_{label}")
        source = self.emit(labels)
        text = "\n".join(written_step(self.name, source.parameters, self.body)) + "\n"
        return Readable(text, self.bound, self.body)

    def storage(self, storage: Storage) -> str:
        """Return the name of a storage, or what it holds where that is one number."""
        if storage in self.inline:
            return self.inline[storage]
        if storage not in self.storage_names and storage in self.labels:
            if storage.kind == "temporary":
                name = self.storage_names[storage] = self.names.fresh(self.labels[storage])
                return name
        number = repeated_number(storage)
        if number is not None and storage not in self.storage_names:
            shape, dtype = storage.whole.shape, self.dtype(storage.whole.dtype)
            if shape == ():
                text = number
            elif number in ("0.0", "1.0"):
                text = f"np.{'ones' if number == '1.0' else 'zeros'}({shape}, {dtype})"
            else:
                text = f"np.full({shape}, {number}, {dtype})"
            self.inline[storage] = text
            return text
        return super().storage(storage)

    def value(self, value: Region) -> str:
        """Return a region as it is cut, where it is used."""
        if value is value.storage.whole:
            return self.storage(value.storage)
        return super().value(value) if type(value.cut) is Given else self._cut(value)

    def function(self, function, operation: Operation) -> str:
        """Return a function by its name in NumPy, or by one of its own that is bound."""
        method = METHOD_NAMES.get(operation, "") if operation is not Operation.UFUNC else ""
        short, expression = function_text(function, method)
        if expression:
            return expression
        key = (id(function), method)
        if key not in self.functions:
            self.functions[key] = self.names.fresh(short)
            self.bound[self.functions[key]] = function
        return self.functions[key]

    def dtype(self, dtype: np.dtype) -> str:
        """Return a dtype by its name."""
        return f"np.{dtype.type.__name__}"

    def text(self, item) -> str:
        """Return an argument; a computed number stands in parentheses."""
        text = super().text(item)
        return f"({text})" if isinstance(item, SymbolicNumber) and " " in text else text

    def call(self, call: Call) -> None:
        """Append the line of one call."""
        if call.operation is Operation.NUMBER and call.results:
            self._open_numbers()
            self.inline[call.results[0].storage] = self.text(call.arguments[0])
        else:
            super().call(call)

    def _plain_call(self, call: Call, arguments=None) -> str:
        arguments = call.arguments if arguments is None else arguments
        symbol = _INFIX.get(call.function) if call.operation is Operation.UFUNC else None
        if symbol is None and call.function is np.dot:
            symbol = "@" if all(len(x.shape) for x in arguments if isinstance(x, Region)) else None
        if symbol and len(arguments) == 2 and not call.keywords:
            if symbol == "@":
                return f"{self.text(arguments[0])} @ {self.text(arguments[1])}"
            first, second = [self._operand(*pair) for pair in (arguments, arguments[::-1])]
            return f"{first} {symbol} {second}"
        if call.function is np.negative and not call.keywords:
            return f"-{self._operand(arguments[0])}"
        return super()._plain_call(call, arguments)

    def _operand(self, item, other=None) -> str:
        """Return an operand; what repeats one number beside its like is that number."""
        text = self.text(item)
        if isinstance(item, Region) and isinstance(other, Region) and item.is_whole:
            number = repeated_number(item.storage)
            if number is not None and (item.shape, item.dtype) == (other.shape, other.dtype):
                text = number
        return f"({text})" if text.startswith("-") else text

    def _make(self, call: Call, result: Region) -> str:
        text = self._plain_call(call)
        if result.shape == () and result.storage.written:
            text = f"np.asarray({text})"  # NumPy gives scalars, which can't be written
        return f"{self.storage(result.storage)} = {text}"

    def _into(self, call: Call, target: Region) -> str:
        """Return a call that writes over what is there."""
        place = f"{self.value(target)}[...]"
        if call.operation in (Operation.COPY, Operation.NUMBER):
            return f"{place} = {self.text(call.arguments[0])}"
        first = call.arguments[0] if call.arguments else None
        symbol = _INFIX.get(call.function) if call.operation is Operation.UFUNC else None
        if symbol in ("+", "-", "*", "/") and first is target and not call.keywords:
            return f"{place} {symbol}= {self.text(call.arguments[1])}"
        return f"{place} = {self._plain_call(call)}"
