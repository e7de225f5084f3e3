"""A model from ONNX as a module."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.autograd.mode import no_grad
from aino.autograd.tensor import Tensor
from aino.dit.building import building
from aino.dit.registry import register
from aino.errors import OnnxError
from aino.nn.base.module import Module
from aino.nn.base.parameter import Buffer, Parameter
from aino.onnx.importing.block import Running, as_given
from aino.onnx.importing.elements import dtype_of, is_foreign, name_of
from aino.onnx.importing.reading import read_model
from aino.onnx.importing.settle import kinds_of, settle
from aino.onnx.importing.tensors import Tensors, shape_of
from aino.onnx.importing.translate import Translator
from aino.ops.creation.from_data import tensor as make_tensor
from aino.ops.tensor.inplace import copy_

#: Says of an initializer in a module's own graph that its values are in the module's state.
_IN_STATE = "aino.state"


class Program:
    """A model that is translated: the graph, what its inputs and outputs are, what it holds."""

    def __init__(self, model: Any, tensors: Tensors) -> None:
        translator = Translator(model, tensors)
        self.block, self.inputs, self.optional, self.outputs = translator.translate()
        self.kinds = kinds_of(self.block, translator.initial)
        self.held: dict[int, tuple[str, np.ndarray]] = {}
        for number, (name, array) in translator.initial.items():
            if self.kinds[number] == "constant":
                self.block.constants[number] = array
            else:
                self.held[number] = name, array
        self.sources = {number: translator.sources[number] for number in translator.initial}
        self.types = {value.name: value.type for value in model.graph.input}
        self.places = _places({number: name for number, (name, _) in self.held.items()})
        settle(self.block, self.places)


@register
class ONNXModule(Module):
    """A model from ONNX: its initializers are parameters and buffers, its nodes AINO's functions.

    `aino.onnx.load` makes one. Called with the graph's inputs, in order or by name, it returns the
    graph's output, or a tuple of them. ``inputs`` and ``outputs`` are their names.

    Floating initializers are learned; those that a batch normalisation keeps its statistics in, and
    whole numbers, are buffers. Nodes that ask for training mode (``Dropout``,
    ``BatchNormalization``) have it until ``eval()``.

    Arguments:
        graph: the model without the values of its state, as bytes.
        program: the same, translated; for `aino.onnx.load`.
    """

    _not_stored = ("_program", "_holders")
    # Made when it is first called, of what is compared anyway.
    records = ("_program", "_holders")
    _program: Program | None
    _holders: list[tuple[dict[str, Any], str]] | None

    def __init__(self, graph: np.ndarray, *, program: Program | None = None) -> None:
        super().__init__()
        self.graph = graph
        if program is None:
            program = _translated(graph)
        self.inputs = tuple(program.inputs)
        self.outputs = tuple(program.outputs)
        for number, (_, array) in program.held.items():
            kind = Parameter if program.kinds[number] == "parameter" else Buffer
            self._hold(program.places[number], kind(array))
        object.__setattr__(self, "_program", program)
        object.__setattr__(self, "_holders", None)

    def constructor_arguments(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return what the same module would be made with."""
        return (self.graph,), {}

    def __getstate__(self) -> dict[str, Any]:
        return super().__getstate__() | {"_program": None, "_holders": None}

    def forward(self, *inputs: Any, **named: Any) -> Any:
        """Return the graph's output, or a tuple of its outputs."""
        program = self._program
        if program is None:
            program = _translated(self.graph)
            object.__setattr__(self, "_program", program)
        outside = dict(zip(program.held, self._values(program)))
        given = self._given(program, inputs, named, outside)
        results = program.block.run(given, outside, Running(self.training, self._update))
        return results[0] if len(results) == 1 else tuple(results)

    def _hold(self, place: str, value: Tensor) -> None:
        holder: Module = self
        *path, name = place.split(".")
        for part in path:
            if not isinstance(vars(holder).get(part), Module):
                holder.add_module(part, Module())
            holder = vars(holder)[part]
        setattr(holder, name, value)

    def _values(self, program: Program) -> list[Tensor]:
        """Return the parameters and buffers in the order in which the graph holds them."""
        holders = self._holders
        if holders is None:
            holders = []
            for place in program.places.values():
                *path, name = place.split(".")
                holder: Any = self
                for part in path:
                    holder = vars(holder)[part]
                holders.append((vars(holder), name))
            object.__setattr__(self, "_holders", holders)
        return [attributes[name] for attributes, name in holders]

    def _update(self, place: str, value: Tensor) -> None:
        *path, name = place.split(".")
        holder: Any = self
        for part in path:
            holder = vars(holder)[part]
        with no_grad():
            copy_(vars(holder)[name], value)

    def _given(
        self, program: Program, inputs: tuple, named: dict[str, Any], outside: dict[int, Any]
    ) -> list[Any]:
        """Return the inputs in order; those that have values of their own go into ``outside``."""
        names = program.inputs
        if len(inputs) > len(names):
            raise TypeError(
                f"the model takes {len(names)} inputs, {names}; {len(inputs)} are given"
            )
        values = dict(zip(names, inputs))
        for name, value in named.items():
            if name in values:
                raise TypeError(f"the input {name!r} is given twice")
            if name in program.optional:
                outside[program.optional[name]] = _checked(name, value, program.types[name])
            elif name in names:
                values[name] = value
            else:
                raise TypeError(f"the model has no input {name!r}; it takes {names}")
        missing = [name for name in names if name not in values]
        if missing:
            raise TypeError(f"the model's inputs {missing} are not given")
        return [_checked(name, values[name], program.types[name]) for name in names]

    def extra_repr(self) -> str:
        """Return the names of the inputs and outputs."""
        return f"{', '.join(self.inputs)} -> {', '.join(self.outputs)}"


def _places(names: dict[int, str]) -> dict[int, str]:
    """Return where in the module each initializer is: its own name, wherever that can be.

    A dot leads into a module inside. A name that means something else there has ``_`` after it.
    """
    places: dict[int, str] = {}
    taken: set[str] = set()
    rooms: set[str] = set()
    for number, name in names.items():
        parts = [part or "_" for part in name.split(".")][:64]
        parts = [part + "_" * (hasattr(ONNXModule, part) or part in _OWN) for part in parts]
        while True:
            place = ".".join(parts)
            above = [".".join(parts[:length]) for length in range(1, len(parts))]
            held = next((at for at, room in enumerate(above) if room in taken), None)
            if held is not None:
                parts[held] += "_"  # a tensor is where a module would have to be
            elif place in taken or place in rooms:
                parts[-1] += "_"
            else:
                break
        taken.add(place)
        rooms.update(above)
        places[number] = place
    return places


_OWN = {"graph", "inputs", "outputs", "training", "_program", "_holders", "_constructor"}


def _checked(name: str, value: Any, kind: Any) -> Any:
    """Return an input as the graph has it: a tensor of the kind that it says it takes."""
    if value is None:
        return None
    if kind.WhichOneof("value") != "tensor_type":
        return _part(value)
    value = make_tensor(value) if isinstance(value, list) else _part(value)
    wanted = kind.tensor_type.elem_type
    if not wanted:
        return value
    held, asked = value.dtype, dtype_of(wanted)
    both = held.kind + asked.kind
    if held == asked or both == "ff" or (_text(held) and _text(asked)):
        return value
    raise OnnxError(f"the input {name!r} is of {name_of(wanted)}; {held} is given")


def _text(dtype: np.dtype) -> bool:
    return dtype.kind in "OUS"


def _part(value: Any) -> Any:
    if value is None or isinstance(value, Tensor):
        return value
    if isinstance(value, list):
        return [_part(part) for part in value]
    if isinstance(value, (np.ndarray, np.generic)):
        array = np.asarray(value)
        return array if is_foreign(array) else as_given(array)
    return make_tensor(value)


# A module's own graph


class _Blank(Tensors):
    """Reads a module's own graph, whose state has its values in a place of its own."""

    def read(self, tensor: Any, what: str) -> np.ndarray:
        if any(entry.key == _IN_STATE for entry in tensor.external_data):
            shape, dtype = shape_of(tensor, what), dtype_of(tensor.data_type)
            if is_foreign(np.empty(0, dtype)):
                raise OnnxError(f"{what} is of a type that no tensor has")
            return building.blank(shape, dtype) if building.active else np.zeros(shape, dtype)
        return super().read(tensor, what)


def _translated(graph: np.ndarray) -> Program:
    if not isinstance(graph, np.ndarray) or graph.dtype != np.uint8 or graph.ndim != 1:
        raise OnnxError("an ONNXModule is made by aino.onnx.load, or of the bytes of its graph")
    model, _ = read_model(graph.tobytes())
    return Program(model, _Blank(None))


def emptied(model: Any, program: Program) -> np.ndarray:
    """Take the values that a module's state will have out of a model, and return it as bytes."""
    for number, tensor in program.sources.items():
        if number in program.held:
            shape, dtype, name = list(tensor.dims), tensor.data_type, tensor.name
            tensor.Clear()
            tensor.dims.extend(shape)
            tensor.data_type, tensor.name = dtype, name
            tensor.data_location = tensor.EXTERNAL
            tensor.external_data.add(key=_IN_STATE)
        elif tensor.data_location == tensor.EXTERNAL:
            tensor.ClearField("data_location")
            tensor.ClearField("external_data")
            tensor.raw_data = program.block.constants[number].tobytes()
    model.ClearField("metadata_props")
    return np.frombuffer(model.SerializeToString(), np.uint8)
