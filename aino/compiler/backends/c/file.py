"""The text of a predictor's file."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass, field
from typing import Any

from aino.compiler.backends.c.functions.windows import WINDOW
from aino.compiler.backends.c.layout import Layout
from aino.compiler.backends.c.needed import text_of, with_needed
from aino.compiler.backends.c.numbers import type_of
from aino.compiler.backends.c.statements import MATH, Statement

_HEADERS = {
    "limits": r"\bINT_MAX\b",
    "math": r"\b(NAN|INFINITY|isnan|isinf|isfinite|signbit)\b", "stdbool": r"\bbool\b",
    "stddef": r"\bNULL\b", "stdint": r"\bu?int\d+_t\b",
}  # fmt: skip
_BYTES = {"float": 4, "double": 8, "bool": 1}
#: What a call takes of the stack at most: measured, with half as much to spare.
STACK = 512


@dataclass
class Port:
    """An input or an output: its name, its dtype and its shape."""

    name: str
    dtype: Any
    shape: tuple[int, ...]

    @property
    def length(self) -> int:
        count = 1
        for one in self.shape:
            count *= one
        return count


@dataclass
class Contents:
    """What a file is written from.

    ``name``: of the function. ``title``: what it predicts for. ``told``: further lines for its
    head. ``labels``: of classes. ``weights``: the name of the file of weights, where each constant
    begins in it, and what it is known by; None where they are in the source.
    """

    name: str
    title: str
    inputs: list[Port]
    outputs: list[Port]
    statements: list[Statement]
    layout: Layout
    told: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    weights: tuple[str, dict[str, int], int] | None = None


def bytes_of(kind: str) -> int:
    """Return how many bytes a type has."""
    found = re.search(r"int(\d+)_t", kind)
    return _BYTES[kind] if found is None else int(found[1]) // 8


def _uncommented(text: str) -> str:
    """Return a text of C without its comments."""
    return re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)


def _wrapped(text: str) -> list[str]:
    """Return a prototype in lines, the further ones behind its parenthesis."""
    own = text[: len(text) - len(text.lstrip())]
    behind = " " * min(text.index("(") + 1, 40)
    return textwrap.wrap(text, 96, initial_indent=own, subsequent_indent=behind)


class File:
    """Writes one file; ``constants`` and ``scratch`` are bytes, known once it is written."""

    def __init__(self, contents: Contents) -> None:
        self.contents = contents
        self.layout = contents.layout
        body = [self._step(statement) for statement in contents.statements]
        self.body = [line for lines in body for line in lines]
        needed = with_needed([n for s in contents.statements for n in s.needs])
        self.functions = [text_of(one, self.layout.function) for one in needed]
        self.members = self.layout.struct()
        self.scratch = sum(bytes_of(kind) * count for kind, _, count in self.members)
        windows = sum(bool(getattr(s, "window", None)) for s in contents.statements)
        self.windows = windows
        self.constants = sum(c.array.nbytes for c in self.layout.constants) + 60 * windows

    def _step(self, statement: Statement) -> list[str]:
        lines = statement.lines(self.layout)
        path = self.layout.builder.paths.get(statement.writes[0].storage, "")
        told = [part for part in (path, statement.note) if part]
        note = ": ".join(told).replace("*/", "")
        return [*([f"/* {note} */"] if note else []), *lines]

    def text(self) -> str:
        """Return the whole file."""
        parts = [
            self._declared(), *([WINDOW] if self.windows else []), *self._constants(),
            *self.functions, *self._predict(),
        ]  # fmt: skip
        code = _uncommented("\n".join(parts))
        math = sorted({found[1] for found in MATH.finditer(code)})
        headers = [f"#include <{name}.h>" for name, use in _HEADERS.items()
                   if re.search(use, code) or (name == "math" and math)]  # fmt: skip
        written = [self._head(math), "\n".join(headers), *parts, self._labels()]
        return "\n\n".join(part for part in written if part) + "\n"

    # The head

    def _head(self, math: list[str]) -> str:
        """Return the comment that says what the file is; ``math``: what it calls of math.h."""
        c = self.contents
        lines = [f"{c.name}.c: what {c.title} predicts, written by aino.compile", ""]
        lines += [f"    {line}" for text in self._prototypes() for line in _wrapped(f"{text};")]
        lines.append("")
        for port, what in [*[(p, "in ") for p in c.inputs], *[(p, "out") for p in c.outputs]]:
            lines.append(f"{what}  {port.name}: {type_of(port.dtype)}[{port.length}], "
                         f"of shape {tuple(port.shape)}, row by row")  # fmt: skip
        lines += ["", *self._returns(), ""]
        lines.append(
            f"Memory: {self.constants} bytes of constants, {self.scratch} bytes of scratch,"
        )
        lines.append(f"less than {STACK} bytes of stack; nothing is allocated, nothing recurses.")
        needs = f"Needs C99{' and, of math.h, ' + ', '.join(math) if math else ''}."
        lines += textwrap.wrap(needs, 92)
        for told in c.told:
            lines += ["", *textwrap.wrap(told, 92)]
        return "\n".join(["/*", *[f" * {line}".rstrip() for line in lines], " */"])

    def _returns(self) -> list[str]:
        fails = any(getattr(s, "fails", False) for s in self.contents.statements)
        other = self.contents.weights is not None
        ways = ["0 when it is done", *(["1 for an index out of bounds"] if fails else []),
                *(["2 for weights of another file"] if other else [])]  # fmt: skip
        lines = [f"Returns {', '.join(ways)}. Inputs and outputs do not overlap."]
        if self.members:
            lines += [
                f"{self.contents.name} computes in memory of its own, one call at a time;",
                f"{self.contents.name}_in in memory that it is given, which need not be kept.",
            ]
        if self.contents.weights is not None:
            lines += [
                f"weights points to the contents of {self.contents.weights[0]}, which begin at a",
                "multiple of 8 bytes: in flash, mapped into memory, or linked (ld -r -b binary).",
            ]
        return lines

    def _parameters(self) -> str:
        c = self.contents
        parts = [f"const {type_of(p.dtype)} *{p.name}" for p in c.inputs]
        parts += [f"{type_of(p.dtype)} *{p.name}" for p in c.outputs]
        parts += ["const void *weights"] if c.weights is not None else []
        return ", ".join(parts)

    def _prototypes(self) -> list[str]:
        name, parameters = self.contents.name, self._parameters()
        found = [f"int {name}({parameters})"]
        if self.members:
            found.append(f"int {name}_in(struct {name}_memory *memory, {parameters})")
        return found

    # The parts

    def _declared(self) -> str:
        c = self.contents
        upper = c.name.upper()
        lines = [
            f"#define {upper}_{port.name.upper()}_SIZE {port.length}"
            for port in (*c.inputs, *c.outputs)
        ]
        longest = max(
            [*[x.array.size for x in self.layout.constants], *[n for _, _, n in self.members],
             *[p.length for p in (*c.inputs, *c.outputs)]], default=0)  # fmt: skip
        if longest > 32767:
            lines += ["", f"#if INT_MAX < {longest}", "#error \"int is too small for this model\"",
                      "#endif"]  # fmt: skip
        if self.members:
            members = [f"    {kind} {name}[{count}];" for kind, name, count in self.members]
            lines += ["", f"struct {c.name}_memory {{", *members, "};"]
        lines += ["", *[line for text in self._prototypes() for line in _wrapped(f"{text};")]]
        return "\n".join(lines)

    def _constants(self) -> list[str]:
        if self.contents.weights is not None:
            return []
        return [constant.text() for constant in self.layout.constants]

    def _labels(self) -> str:
        c = self.contents
        if not c.labels:
            return ""
        texts = ", ".join(c.labels)
        body = textwrap.wrap(texts, 92, initial_indent="    ", subsequent_indent="    ")
        head = (
            f"/* The classes, in the order of the outputs. */\n"
            f"extern const char *const {c.name}_labels[{len(c.labels)}];\n"
        )
        return head + "\n".join([f"const char *const {c.name}_labels[{len(c.labels)}] = {{", *body,
                                 "};"])  # fmt: skip

    def _opened(self) -> list[str]:
        """Return the lines that find the constants in the file of weights."""
        weights = self.contents.weights
        if weights is None:
            return []
        _, places, mark = weights
        lines = []
        for constant in self.layout.constants:
            kind = type_of(constant.array.dtype)
            lines.append(f"const {kind} *const {constant.name} = (const {kind} *)(const void *)"
                         f"((const char *)weights + {places[constant.name]});")  # fmt: skip
        return [*lines, "", f"if (*(const uint32_t *)weights != {mark}U)", "    return 2;", ""]

    def _predict(self) -> list[str]:
        c = self.contents
        opened, pointers = self._opened(), self.layout.pointers()
        body = [*pointers, *([""] if pointers and opened == [] else []), *opened, *self.body,
                "return 0;"]  # fmt: skip
        text = _uncommented("\n".join(body))
        unused = [p.name for p in c.inputs if not re.search(rf"\b{p.name}\b", text)]
        body = [*[f"(void){name};" for name in unused], *body]
        inner = ["{", *[f"    {line}".rstrip() for line in body], "}"]
        prototypes = self._prototypes()
        found = ["\n".join([*_wrapped(prototypes[-1]), *inner])]
        if self.members:
            names = [p.name for p in (*c.inputs, *c.outputs)]
            names += ["weights"] if c.weights is not None else []
            found.append("\n".join([
                *_wrapped(prototypes[0]), "{", f"    static struct {c.name}_memory memory;", "",
                f"    return {c.name}_in(&memory, {', '.join(names)});", "}",
            ]))  # fmt: skip
        return found
