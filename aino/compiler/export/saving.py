"""Writes a program as a file of its own that runs with NumPy alone."""

from __future__ import annotations

import os
import re
from typing import Any

import numpy as np

from aino.autograd.memory import owner
from aino.compiler.backends.numpy.lines import Line
from aino.compiler.export.batch import Batched, FixedSizeError, for_any_batch, spoken
from aino.compiler.export.standalone import Bundle, array_of, generator_at
from aino.compiler.ir.regions import address
from aino.compiler.ir.symbolic import named_numbers
from aino.compiler.tracing.shadows import window
from aino.errors import CompileError
from aino.ops.random.generator import Generator

#: How many batch sizes a saved program keeps its buffers for.
_KEPT = 8


def save_source(compiled, specialization, call, path, weights=None) -> None:
    """Write the program to ``path`` and what it is bound to into ``weights``, an ``.npz``.

    Without ``weights`` the bound arrays are written into the source, which suits small models.
    Checks of values are left out; where the program relies on a number, it is compared.
    """
    batched, fixed = None, ""
    try:
        with np.errstate(all="ignore"):
            batched = for_any_batch(compiled, specialization, call)
    except FixedSizeError as error:
        fixed = str(error)
    path = os.fspath(path)
    text = _File(compiled.name, specialization, batched, fixed, path, weights).text()
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


class _File:
    """The text of one saved program."""

    def __init__(self, name, specialization, batched: Batched | None, fixed, path, weights):
        self.name = name
        self.program = specialization.program
        self.trace = specialization.traced_run.trace
        self.batched = batched
        self.fixed = fixed
        self.path = path
        self.weights = weights
        self.source = specialization.source if batched is None else batched.source
        self.made = {} if batched is None else batched.made
        self.bundle = Bundle()

    def text(self) -> str:
        """Return the whole file; writes the weights where they have a file of their own."""
        source = self.source
        checks = {line.text.split("(")[0] for line in source.body if line.is_check}
        body = [line for line in source.body if not line.is_check]
        items = {label: item for label, item in source.bound.items()
                 if label not in checks and label not in self.made}  # fmt: skip
        arrays, views = _memory(items)
        plain = {label: self.plain(label, item) for label, item in items.items()
                 if not isinstance(item, np.ndarray)}  # fmt: skip
        self.bundle.add(array_of)
        opened = self.opened(arrays)
        lines = [f"{label} = {text}" for label, text in plain.items()
                 if label not in self.bundle.names]  # fmt: skip
        lines = [*views, *lines]
        taken = {*self.bundle.names, self.name, "np", "math", "os"} & set(items)
        for label in taken:
            if plain.get(label, label) != label or label not in self.bundle.names:
                raise CompileError(
                    f"{label} is the name of a tensor and of what the saved program needs; give "
                    "the tensor another"
                )
        prelude = [f"{label} = {text}" for label, text in self.made.items()]
        size = [] if self.batched is None else [self.batched.name]
        build = source.written([*_comparisons(self.trace), *body], [*size, *items], prelude)
        parameters = ", ".join(source.parameters)
        head = [
            f'"""{self.name}({parameters}) as a NumPy program.',
            "",
            f"Written by aino.compile. It needs NumPy only: `from {_module(self.path)} import "
            f"{self.name}`.",
            *self.about(),
            '"""',
            "",
            "from __future__ import annotations",
            "",
            *sorted(
                {*self.bundle.imports, *(["import os"] if self.weights is not None else [])}
                - {"import numpy as np"}
            ),
            "",
            "import numpy as np",
        ]
        parts = ["\n".join(head), self.bundle.text.strip("\n"), "\n".join([*opened, *lines]),
                 build.rstrip("\n"), self.entry(list(items))]  # fmt: skip
        return "\n\n\n".join(part for part in parts if part) + "\n"

    def about(self) -> list[str]:
        """Return what the file says of its sizes."""
        if self.batched is None:
            return [f"It is for the shapes that it was made with alone, because {self.fixed}."]
        least = self.batched.smallest
        return [f"It takes any batch size{'' if least == 1 else f' from {least} on'}."]

    def plain(self, label: str, item: Any) -> str:
        """Return a bound object that is no array as source."""
        if isinstance(item, float):
            return _numbers(np.asarray(item))
        if isinstance(item, np.generic):
            return f"{_literal(np.asarray(item))}[()]"
        if isinstance(item, dict):
            kinds = (bool, int, float, str, tuple, type(None))
            return repr({key: value for key, value in item.items() if isinstance(value, kinds)})
        if isinstance(item, Generator):
            return f"{self.bundle.add(generator_at)}({item.source.bit_generator.state!r})"
        try:
            return self.bundle.add(item)
        except CompileError as error:
            calls = [line.call for line in self.source.body if line.call is not None]
            what = next((call.primitive for call in calls if call.function is item), "") or label
            raise CompileError(f"{self.name} can't be saved, because of {what}: {error}") from None

    def opened(self, arrays: dict[str, np.ndarray]) -> list[str]:
        """Return the lines that give the arrays."""
        if self.weights is None:
            return [f"{label} = {_literal(array)}" for label, array in arrays.items()]
        weights = os.fspath(self.weights)
        np.savez(weights, allow_pickle=False, **arrays)
        relative = os.path.relpath(weights, os.path.dirname(self.path) or ".")
        if not relative.endswith(".npz"):
            relative += ".npz"
        place = f"os.path.join(os.path.dirname(os.path.abspath(__file__)), {relative!r})"
        return [f"_weights = np.load({place})",
                *(f"{label} = _weights[{label!r}]" for label in arrays)]  # fmt: skip

    def entry(self, bound: list[str]) -> str:
        """Return the function that the file is for: it checks what it is given, and computes."""
        parameters, storages = self.source.parameters, self.program.storages()
        given = [*self.program.arguments, *(s for s in storages if s.kind == "gradient")]
        written = {v.storage for c in self.program.calls for v in c.touches()}
        size = "batch" if self.batched is None else self.batched.name
        reads, first = [], None
        for label, storage in zip(parameters, given):
            shape = storage.root.shape
            if self.batched is not None and label in self.batched.shapes:
                shape = self.batched.shapes[label]
                if None in shape and first is None:
                    first = (label, shape.index(None))
            expected = tuple(-1 if length is None else length for length in shape)
            rows = "None" if first is None or None not in shape else size
            told = spoken(shape, size)
            if first == (label, expected.index(-1) if -1 in expected else None):
                reads.append(f"{size} = np.shape({label})[{first[1]}] if np.ndim({label}) else 0")
            copied = storage not in written
            reads.append(f"{label} = array_of({label!r}, {label}, {str(storage.root.dtype)!r}, "
                         f"{expected}, {rows}, {told!r}, {copied})")  # fmt: skip
        inner = ", ".join(parameters)
        names = "".join(f", {label}" for label in bound)
        if self.batched is None:
            left = "_program, gradients" if self.program.gradients else "_program"
            return "\n".join([
                f"{left} = build(np{names})", "", "", f"def {self.name}({inner}):",
                *(f"    {line}" for line in reads), f"    return _program({inner})",
            ])  # fmt: skip
        least = self.batched.smallest
        refused = f"{self.name}: a batch of {{{size}}}, but it takes {least} or more"
        return "\n".join([
            "#: The programs by their batch sizes, each with buffers of its own.",
            "_programs = {}", "", "", f"def {self.name}({inner}):",
            *(f"    {line}" for line in reads),
            f"    if {size} < {least}:",
            f"        raise ValueError(f{refused!r})",
            f"    program = _programs.get({size})",
            "    if program is None:",
            f"        while len(_programs) >= {_KEPT}:",
            "            del _programs[next(iter(_programs))]",
            f"        program = _programs[{size}] = build(np, {size}{names})",
            f"    return program({inner})",
        ])  # fmt: skip


def _memory(items: dict[str, Any]) -> tuple[dict[str, np.ndarray], list[str]]:
    """Return the arrays to save, and the lines that cut those out of others that share memory."""
    arrays = {label: item for label, item in items.items() if isinstance(item, np.ndarray)}
    users: dict[int, list[str]] = {}
    for label, item in arrays.items():
        users.setdefault(id(owner(item)), []).append(label)
    saved, lines = {}, []
    for labels in users.values():
        base = owner(arrays[labels[0]])
        if len(labels) == 1:
            saved[labels[0]] = arrays[labels[0]]
            continue
        memory = f"{labels[0]}_memory"
        # Flat, in the order in which it lies.
        flat = np.ndarray((base.size,), base.dtype)
        saved[memory] = window(base, 0, flat).copy()
        for label in labels:
            array = arrays[label]
            offset = address(array) - address(base)
            lines.append(f"{label} = np.ndarray({array.shape}, {str(array.dtype)!r}, {memory}, "
                         f"{offset}, {array.strides})")  # fmt: skip
    return saved, lines


def _comparisons(trace) -> list[Line]:
    """Return the lines that compare the numbers on which the program relies."""
    definitions = named_numbers(trace.definitions, trace.guards)
    lines = [Line(f"{name} = {text}") for name, text in definitions]
    for text, outcome in trace.guards.items():
        told = f"the program was saved for other numbers: {text} is no longer {outcome!r}"
        lines += [Line(f"if {text} != {outcome!r}:"), Line(f"    raise RuntimeError({told!r})")]
    return lines


def _module(path: str) -> str:
    return re.sub(r"\.py$", "", os.path.basename(path))


def _literal(array: np.ndarray) -> str:
    kind = array.dtype.type.__name__
    if array.dtype.kind == "c":
        part = "float32" if array.dtype.itemsize == 8 else "float64"
        pairs = _numbers(np.stack([array.real, array.imag], -1))
        return f"np.array({pairs}, np.{part}).view(np.{kind}).reshape({array.shape})"
    return f"np.array({_numbers(array)}, np.{kind}).reshape({array.shape})"


def _numbers(array: np.ndarray) -> str:
    return re.sub(r"\b(inf|nan)\b", r"np.\1", repr(array.tolist()))
