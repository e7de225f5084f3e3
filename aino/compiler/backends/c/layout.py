"""What all is called in a predictor's file: inputs, outputs, constants, memory, functions."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from aino.autograd.memory import owner
from aino.compiler.backends.c.builder import Builder
from aino.compiler.backends.c.constants import Constant, quantized
from aino.compiler.backends.c.memory import Plan
from aino.compiler.backends.c.naming import Scope
from aino.compiler.backends.c.numbers import type_of
from aino.compiler.backends.c.statements import Needed
from aino.compiler.backends.c.table import RefusedError
from aino.compiler.ir.regions import Region, Storage, address, contiguous_strides
from aino.nn.base.module import Module


class Layout:
    """The names of a file (``statements.Names``).

    ``given``: the names of the memory of inputs and outputs. ``main``: the dtype whose functions
    have their plain names.
    """

    def __init__(
        self, builder: Builder, plan: Plan, given: dict[Storage, str], roots: dict[str, Module],
        main: Any, scope: Scope,
    ) -> None:  # fmt: skip
        self.builder = builder
        self.plan = plan
        self.main = np.dtype(main)
        self.scope = scope
        self.constants: list[Constant] = []
        self.functions: dict[Needed, str] = {}
        #: The names of temporaries, in the order in which they are met.
        self.buffers: dict[Storage, str] = {}
        self._given = given
        self._parameters = _parameters(roots)
        self._known: dict[tuple, tuple[str, tuple[int, ...]]] = {}

    # As statements ask

    def place(self, region: Region) -> tuple[str, int, tuple[int, ...]]:
        """Return the name of the memory of a region, where it begins, and its strides."""
        if self.builder.is_known(region):
            name, strides = self._constant(region)
            return name, 0, strides
        storage = region.storage
        held = self.plan.dtypes.get(storage, storage.whole.dtype)
        if held != region.dtype:
            raise RefusedError(f"numbers of {held} that are read as {region.dtype}")
        size = region.dtype.itemsize
        return (
            self._name(storage),
            region.offset // size,
            tuple([s // size for s in region.strides]),
        )

    def pointer(self, region: Region) -> str:
        """Return a pointer to the first element of a region."""
        name, start, _ = self.place(region)
        return f"{name} + {start}" if start else name

    def matrix(self, region: Region) -> str:
        """Return the arguments that a matrix of weights is: with its scales where it is int8."""
        if not self.builder.quantized:
            return self.pointer(region)
        key = ("int8", *_form(region))
        if key not in self._known:
            whole, scale = quantized(self.builder.array(region))
            name = self._label(region)
            self.constants.append(Constant(name, whole, "times the scale of its row"))
            scales = self.scope.name(f"{name}_scale")
            self.constants.append(Constant(scales, scale))
            self._known[key] = (f"{name}, {scales}", ())
        return self._known[key][0]

    def function(self, needed: Needed) -> str:
        """Return the name of a function."""
        if needed not in self.functions:
            name, dtype, is_int8 = needed
            plain = f"{name}_int8" if is_int8 else name
            alone = np.dtype(dtype) == self.main
            self.functions[needed] = plain if alone else f"{plain}_{type_of(dtype)}"
        return self.functions[needed]

    # What is behind them

    def _name(self, storage: Storage) -> str:
        root = self.plan.group.get(storage, storage)
        if root in self._given:
            return self._given[root]
        if root not in self.plan.start:
            raise RefusedError("memory that nothing has filled")
        if root not in self.buffers:
            path = self.builder.paths.get(root, "")
            self.buffers[root] = self.scope.name(f"y_{path}" if path else "y")
        return self.buffers[root]

    def _constant(self, region: Region) -> tuple[str, tuple[int, ...]]:
        """Return the name of what is known, and its strides, those of axes that repeat being 0."""
        key = _form(region)
        if key not in self._known:
            array = self.builder.array(region)
            once = tuple([slice(0, 1) if s == 0 else slice(None) for s in region.strides])
            compact = np.array(array[once], order="C")
            strides = [
                0 if n == 1 or own == 0 else step // compact.itemsize
                for n, own, step in zip(
                    compact.shape, region.strides, contiguous_strides(compact.shape, compact.dtype)
                )
            ]
            if np.array_equal(strides, [s // compact.itemsize for s in region.strides]):
                strides = [s // compact.itemsize for s in region.strides]
            name = self._label(region)
            self.constants.append(Constant(name, compact))
            self._known[key] = (name, tuple(strides))
        return self._known[key]

    def _label(self, region: Region) -> str:
        """Return a name for what is known: that of the parameter, if it is one."""
        root = region.storage.root
        name = self._parameters.get(address(owner(root)) + region.offset)
        if name is None:
            path = self.builder.paths.get(region.storage, "")
            name = f"{path}_{region.storage.label or 'constant'}".lstrip("_")
        return self.scope.name(f"layer_{name}" if name[0].isdigit() else name)

    def struct(self) -> list[tuple[str, str, int]]:
        """Return the members of the memory of a call: type, name and length."""
        names = {"float": "floats", "double": "doubles", "bool": "truths"}
        members = []
        for dtype, count in self.plan.pools.items():
            kind = type_of(dtype)
            members.append((kind, names.get(kind, re.sub(r"_t$", "s", kind)), count))
        return sorted(members, key=lambda one: one[0] != "double")

    def pointers(self) -> list[str]:
        """Return the lines that say where each buffer lies."""
        members = {kind: name for kind, name, _ in self.struct()}
        lines = []
        for storage, name in self.buffers.items():
            kind = type_of(self.plan.dtypes[storage])
            start = self.plan.start[storage]
            count = self.plan.extent(storage)
            lines.append(f"{kind} *const {name} = memory->{members[kind]} + {start}; /* {count} */")
        return lines


def _form(region: Region) -> tuple:
    """Return what two regions have in common that are the same numbers of one storage."""
    shape = tuple([n for n in region.shape if n != 1])
    strides = tuple([s for n, s in zip(region.shape, region.strides) if n != 1])
    return region.storage, region.offset, region.shape, shape, strides


def _parameters(roots: dict[str, Module]) -> dict[int, str]:
    """Return the names of parameters and buffers, by where they lie."""
    names: dict[int, str] = {}
    for prefix, root in roots.items():
        for name, tensor in [
            *root.named_parameters(remove_duplicate=False),
            *root.named_buffers(remove_duplicate=False),
        ]:
            if tensor.array.size:
                names.setdefault(address(tensor.array), f"{prefix}{name}")
    return names
