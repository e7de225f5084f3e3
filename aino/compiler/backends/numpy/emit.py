"""Writes a program as Python: a function of arrays, in sections, with a formula beside each call.

The source binds outside memory, makes its buffers and views once, and defines the step. It is
what runs: nothing is added to it but the arrays that it names.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from aino.compiler.backends.numpy.comments import SYMBOLS, empty_like, is_single, with_out
from aino.compiler.backends.numpy.expressions import Expressions
from aino.compiler.backends.numpy.fused_loops import ChainWriter
from aino.compiler.backends.numpy.lines import Kind, Line, Source
from aino.compiler.backends.numpy.names import Names, function_text, wish_for
from aino.compiler.backends.numpy.row_loops import RowsWriter
from aino.compiler.ir.analysis import analysed
from aino.compiler.ir.operations import METHOD_NAMES, WITHOUT_FUNCTION, Operation
from aino.compiler.ir.program import Call, Loop, Program, map_values
from aino.compiler.ir.regions import Answer, Attribute, Given, Method, Region, Storage, Subscript
from aino.compiler.ir.symbolic import SymbolicNumber
from aino.compiler.passes.copies import takes_out
from aino.compiler.passes.fusion import Chain
from aino.compiler.passes.memory_plan import Layout
from aino.compiler.passes.rows import Rows

_TITLES = {"forward": "forward", "backward": "backward", "update": "update"}


class Emitter:
    """Writes one program; ``name`` is what the step is called."""

    def __init__(self, program: Program, layout: Layout, name: str, containers, floats) -> None:
        self.program = program
        self.layout = layout
        self.names = Names(
            ["np", "build", name, "float32", "empty", "self", "bool", "float", "int", "slice"]
        )
        self.name = self.names.fresh(name) if name == "np" else name
        self.bound: dict[str, Any] = {}
        self.prelude: dict[str, list[str]] = {
            "functions": [], "memory": [], "views": [], "chains": []
        }  # fmt: skip
        self.body: list[Line] = []
        self.functions: dict[tuple[int, str], str] = {}
        self.storage_names: dict[Storage, str] = {}
        #: (the storage that owns a buffer, the wish) -> the name for both.
        self.shared: dict[tuple[Storage, str], str] = {}
        #: What a gradient's region is called: after its parameter.
        self.wishes: dict[Region, str] = {}
        self.value_names: dict[Region, str] = {}
        self.objects: dict[int, str] = {}
        self.analysis = analysed(program)
        self.containers = containers
        numbers = [c.arguments[0] for c in program.calls if c.operation is Operation.NUMBER]
        numbers += [number for _, _, number in program.updates]
        self.names.taken.update(floats)
        for number in numbers:
            self.names.taken.update(re.findall(r"[A-Za-z_]\w*", number.source))
        self.expressions = Expressions(numbers, self.names.fresh)
        self.floats = list(floats)
        for label, container in containers.items():
            self.names.taken.add(label)
            self.bound[label] = container

    # Names

    def storage(self, storage: Storage) -> str:
        """Return the name of a storage, bound or made in the prelude when first asked."""
        known = self.storage_names.get(storage)
        if known is not None:
            return known
        place = self.layout.place.get(storage, "bound")
        wish = wish_for(storage, self.analysis.first_filler(storage))
        twin = self.layout.twin.get(storage)
        if place == "buffer" and (twin or storage, wish) in self.shared:
            # The next value of the same operation, in the memory of the last: the same name.
            name = self.storage_names[storage] = self.shared[twin or storage, wish]
            return name
        if twin is not None:
            self.storage(twin)
        name = self.names.fresh(wish)
        self.storage_names[storage] = name
        if place == "bound":
            root = storage.root if storage.kind == "static" else storage.initial
            self.bound[name] = storage.root if root is None else root
        elif place == "buffer":
            self.shared[twin or storage, wish] = name
            text = self.storage(twin) if twin is not None else empty_like(storage.whole)
            self.prelude["memory"].append(f"{name} = {text}")
        return name

    def value(self, value: Region) -> str:
        """Return the name of a region; a view of lasting memory is cut once, in the prelude."""
        if value is value.storage.whole:
            return self.storage(value.storage)
        known = self.value_names.get(value)
        if known is not None:
            return known
        cut = value.cut
        if type(cut) is Given:
            name = self.names.fresh(value.storage.label or "array")
            self.bound[name] = cut.array
        else:
            text = self._cut(value)
            owner = self.storage(value.storage)
            suffix = cut.name if type(cut) is Attribute else "part"
            name = self.names.fresh(self.wishes.get(value, f"{owner}_{suffix}"))
            lines = [f"{name} = {text}"]
            if type(cut) is Method and cut.name == "diagonal":
                lines.append(f"{name}.flags.writeable = True")
            if self.layout.place.get(value.storage, "bound") in ("bound", "buffer"):
                self.prelude["views"] += lines
            else:
                self.body += [Line(line) for line in lines]
        self.value_names[value] = name
        return name

    def _cut(self, value: Region) -> str:
        """Return the expression that cuts a region out of its parent."""
        cut, parent = value.cut, self.value(value.parent)
        if type(cut) is Answer:
            arguments = map_values(
                cut.call.arguments, lambda v: value.parent if v is cut.original else v
            )
            text = self._plain_call(cut.call, arguments)
            return text if cut.position is None else f"{text}[{cut.position}]"
        if type(cut) is Attribute:
            return f"{parent}.{cut.name}"
        if type(cut) is Subscript:
            return f"{parent}[{self.index(cut.index)}]"
        assert type(cut) is Method
        inner = [self.text(item) for item in cut.arguments]
        inner += [f"{key}={self.text(item)}" for key, item in cut.keywords.items()]
        return f"{parent}.{cut.name}({', '.join(inner)})"

    def function(self, function, operation: Operation) -> str:
        """Return the short name of a function, bound in the prelude."""
        method = METHOD_NAMES.get(operation, "") if operation is not Operation.UFUNC else ""
        key = (id(function), method)
        if key not in self.functions:
            short, expression = function_text(function, method)
            name = self.functions[key] = self.names.fresh(short)
            quiet = self.program.quiet.get(function)
            if quiet and expression:
                told = ", ".join(f"{kind}={how!r}" for kind, how in quiet.items())
                expression = f"np.errstate({told})({expression})"
            if expression:
                self.prelude["functions"].append(f"{name} = {expression}")
            else:
                self.bound[name] = function
        return self.functions[key]

    def text(self, item) -> str:
        """Return an argument as source."""
        if isinstance(item, Region):
            return self.value(item)
        if isinstance(item, SymbolicNumber):
            return self.expressions.rewritten.get(item.source, item.source)
        if isinstance(item, np.dtype):
            return self.dtype(item)
        if isinstance(item, type) and issubclass(item, np.generic):
            return self.dtype(np.dtype(item))
        if isinstance(item, (tuple, list)):
            inner = ", ".join(self.text(part) for part in item)
            if isinstance(item, list):
                return f"[{inner}]"
            return f"({inner},)" if len(item) == 1 else f"({inner})"
        if isinstance(item, slice):
            return f"slice({self.text(item.start)}, {self.text(item.stop)}, {self.text(item.step)})"
        if item is Ellipsis:
            return "..."
        if isinstance(item, (bool, int, str, type(None), complex)):
            return repr(item)
        if isinstance(item, float) and item == item and abs(item) != float("inf"):
            return repr(item)
        if id(item) not in self.objects:
            name = self.objects[id(item)] = self.names.fresh(type(item).__name__.lower())
            self.bound[name] = item
        return self.objects[id(item)]

    def dtype(self, dtype: np.dtype) -> str:
        """Return the name of a dtype, bound in the prelude."""
        if id(dtype) not in self.objects:
            name = self.objects[id(dtype)] = self.names.fresh(f"{dtype}_")
            self.prelude["functions"].append(f'{name} = np.dtype("{dtype}")')
        return self.objects[id(dtype)]

    def index(self, index) -> str:
        """Return an index as it is written between brackets."""
        if isinstance(index, tuple) and not index:
            return "()"
        parts = index if isinstance(index, tuple) else (index,)
        written = []
        for part in parts:
            if isinstance(part, slice):
                ends = ["" if end is None else str(end) for end in (part.start, part.stop)]
                step = "" if part.step is None else f":{part.step}"
                written.append(f"{ends[0]}:{ends[1]}{step}")
            else:
                written.append(self.text(part))
        alone = isinstance(index, tuple) and len(parts) == 1 and not isinstance(parts[0], slice)
        return ", ".join(written) + ("," if alone else "")

    # Calls

    def _plain_call(self, call: Call, arguments=None) -> str:
        """Return a call as an expression that makes its own result."""
        arguments = call.arguments if arguments is None else arguments
        keywords = [f"{key}={self.text(item)}" for key, item in call.keywords.items()]
        operation, function = call.operation, call.function
        if operation is Operation.GET:
            return f"{self.text(arguments[0])}[{self.index(arguments[1])}]"
        if operation is Operation.ATTRIBUTE:
            return f"{self.text(arguments[0])}.{function}.copy()"
        if function is np.dot:
            # The method: a third sooner than the function, which dispatches.
            operation, function = Operation.METHOD, "dot"
        if operation is Operation.METHOD:
            inner = ", ".join([self.text(item) for item in arguments[1:]] + keywords)
            return f"{self.text(arguments[0])}.{function}({inner})"
        inner = ", ".join([self.text(item) for item in arguments] + keywords)
        return f"{self.function(function, operation)}({inner})"

    def call(self, call: Call) -> None:
        """Append the line, or lines, of one call."""
        for value in call.touches():
            owner = value.storage
            if self.layout.place.get(owner) == "fresh" and owner not in self.storage_names:
                # What the caller keeps, filled piece by piece: it begins as empty memory.
                self.body.append(Line(f"{self.storage(owner)} = {empty_like(owner.whole)}"))
        if isinstance(call, Loop):
            for value in call.results:
                if self.layout.place[value.storage] == "fresh":
                    line = f"{self.storage(value.storage)} = {empty_like(value)}"
                    self.body.append(Line(line))
            if isinstance(call, Chain):
                line = ChainWriter(self, call).write()
            else:
                assert isinstance(call, Rows)
                line = RowsWriter(self, call).write()
        elif call.operation is Operation.SET:
            target, index, source = call.arguments
            line = f"{self.text(target)}[{self.index(index)}] = {self.text(source)}"
        elif call.out is not None:
            line = self._into(call, call.out)
        elif not call.results:
            line = self._plain_call(call)
        elif len(call.results) > 1:
            names = ", ".join(self.storage(value.storage) for value in call.results)
            line = f"{names} = {self._plain_call(call)}"
        else:
            line = self._make(call, call.results[0])
        self.body.append(Line(line, call))

    def _make(self, call: Call, result: Region) -> str:
        storage = result.storage
        writable = takes_out(call) or call.operation is Operation.NUMBER
        if self.layout.place[storage] == "buffer":
            return self._into(call, result)
        if writable and result.shape == ():
            # NumPy gives scalars where arrays have no dimensions.
            self.body.append(Line(f"{self.storage(storage)} = {empty_like(result)}"))
            return self._into(call, result)
        text = self._plain_call(call)
        name = self.storage(storage)
        if result.shape == () and not writable:
            return f"{name} = np.asarray({text})"
        return f"{name} = {text}"

    def _into(self, call: Call, target: Region) -> str:
        """Return a call that writes its result into ``target``."""
        operation, function = call.operation, call.function
        if operation is Operation.NUMBER:
            self._open_numbers()
            return f"{self.value(target)}[()] = {self.text(call.arguments[0])}"
        if operation in (Operation.COPY, Operation.METHOD):
            return f"{self.value(target)}[...] = {self.text(call.arguments[0])}"
        keywords = dict(call.keywords)
        arguments = [self.text(item) for item in call.arguments]
        if function is np.concatenate:
            axis = arguments[1] if len(arguments) > 1 else self.text(keywords.get("axis", 0))
            name = self.function(function, operation)
            return f"{name}({arguments[0]}, {axis}, {self.value(target)})"
        if is_single(call, target):
            return self._single(call, target)
        out = self.value(target)
        if operation is Operation.REDUCE and set(keywords) <= {"axis", "keepdims", "dtype"}:
            axis = arguments[1] if len(arguments) > 1 else self.text(keywords.get("axis", 0))
            dtype = self.text(keywords.get("dtype"))
            keep = ", True" if keywords.get("keepdims") else ""
            name = self.function(function, operation)
            return f"{name}({arguments[0]}, {axis}, {dtype}, {out}{keep})"
        tail = [f"{key}={self.text(item)}" for key, item in keywords.items()]
        if function is np.dot:
            return f"{arguments[0]}.dot({', '.join([*arguments[1:], out])})"
        if operation is Operation.UFUNC and not tail:
            return with_out(self.function(function, operation), function, arguments, out)
        inner = ", ".join([*arguments, *tail, f"out={out}"])
        return f"{self.function(function, operation)}({inner})"

    def end_of_calls(self) -> None:
        """Append what is left to be written when all calls are known."""

    def bind(self, function) -> str:
        """Return the name of a function of AINO's that runs what the program consists of."""
        name = function.__name__
        if name not in self.bound:
            self.names.taken.add(name)
            self.bound[name] = function
        return name

    def _single(self, call: Call, target: Region) -> str:
        """Return arithmetic on single numbers, which Python indexes sooner than NumPy loops."""
        place, first, second = [
            f"{self.value(value)}[{', '.join('0' * len(value.shape)) or '()'}]"
            for value in (target, *call.arguments)
        ]
        symbol = SYMBOLS[call.function]
        if place == first:
            return f"{place} {symbol}= {second}"
        return f"{place} = {first} {symbol} {second}"

    # The whole

    def emit(self, labels) -> Source:
        """Return the source of the program; ``labels`` name the leaves."""
        parameters = []
        for storage in self.program.arguments:
            name = self.names.fresh(storage.label)
            self.storage_names[storage] = name
            parameters.append(name)
        for storage in self.program.storages():
            if storage.kind == "gradient":
                name = self.names.fresh(f"{storage.label or 'leaf'}_grad")
                self.storage_names[storage] = name
                parameters.append(name)
        parameters += self.floats
        for leaf, value in self.program.gradients:
            if value is not None and (label := leaf if isinstance(leaf, str) else labels.get(leaf)):
                self.wishes.setdefault(value, f"d_{label}")
        for call in self.program.calls:
            named = call.operation in (*WITHOUT_FUNCTION, Operation.METHOD, Operation.ATTRIBUTE)
            if not named and call.function is not np.dot:
                self.function(call.function, call.operation)  # functions have their names first
        section = ""
        for call in self.program.calls:
            if call.section != section:
                section = call.section
                self.body.append(Line(f"# {_TITLES[section]}", kind=Kind.TITLE))
            self.call(call)
        self.end_of_calls()
        returned = [self.value(value) for value in self.program.returned()]
        for _, value in self.program.gradients:
            if value is not None:
                self.value(value)
        self._updates()
        if returned:
            self.body.append(Line(f"return {', '.join(returned)}", kind=Kind.RETURN))
        gradients = [self.value(v) for _, v in self.program.gradients if v is not None]
        prelude = []
        for lines in self.prelude.values():
            prelude += [*lines, ""] if lines else []
        return Source(self.name, parameters, self.bound, prelude, self.body, gradients)

    def _open_numbers(self) -> None:
        """Compute what several number expressions share, before the first of them."""
        self.body += [Line(line) for line in self.expressions.assignments]
        self.expressions.assignments.clear()

    def _updates(self) -> None:
        """Write the numbers back, all at once: each was computed from the old ones."""
        places, sources = [], []
        for container, key, number in self.program.updates:
            label = next(name for name, known in self.containers.items() if known is container)
            places.append(f"{label}[{key!r}]")
            sources.append(self.text(number))
        if places:
            self._open_numbers()
            self.body.append(Line(f"{', '.join(places)} = {', '.join(sources)}"))
