"""From ONNX's messages to a block: each node bound to its row once, functions written out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from aino.errors import OnnxError
from aino.onnx.importing import operators  # noqa: F401  (its rows enter the table)
from aino.onnx.importing.block import Block, Step
from aino.onnx.importing.reading import imports_of, plain_domain
from aino.onnx.importing.scope import Building, Names
from aino.onnx.importing.table import NEWEST, Row, row_for
from aino.onnx.importing.tensors import Tensors
from aino.onnx.package import onnx_package

_MOST_NODES = 100_000
_DEEPEST = 24


class Translator:
    """Translates one model.

    ``initial`` has its initializers after that, names and values by their numbers, ``sources`` the
    messages that they came from.
    """

    def __init__(self, model: Any, tensors: Tensors) -> None:
        self.model = model
        self.tensors = tensors
        self.problems: dict[str, None] = {}
        self.initial: dict[int, tuple[str, np.ndarray]] = {}
        self.sources: dict[int, Any] = {}
        self.functions: dict[tuple[str, str, str], Any] = {}
        self._root = Building()
        self._nodes = 0
        self._depth = 0
        self._open: list[int] = []
        self._types: dict[str, Any] | None = None
        for function in model.functions:
            key = (plain_domain(function.domain), function.name, function.overload)
            if key in self.functions:
                raise OnnxError(f"the function {function.name!r} is defined twice")
            self.functions[key] = function

    def translate(self) -> tuple[Block, list[str], dict[str, int], list[str]]:
        """Return the graph, the names of its inputs, those with a value of their own, and outputs.

        Raises one ``OnnxError`` that lists all that AINO does not have.
        """
        model = self.model
        if not model.HasField("graph"):
            raise OnnxError("this is no model in ONNX: it has no graph")
        names = Names(self._root, imports_of(model.opset_import, "the model"))
        given = self._fill(model.graph, names, "")
        outputs = [self._output(value.name, names) for value in model.graph.output]
        if self.problems:
            listed = "".join(f"\n  {problem}" for problem in self.problems)
            raise OnnxError(f"the model needs what AINO does not have:{listed}")
        optional = {
            value.name: names.here[value.name]
            for value in model.graph.input
            if names.here[value.name] in self.initial
        }
        block = _finished(self._root, [names.here[name] for name in given], outputs)
        return block, given, optional, [value.name for value in model.graph.output]

    def _fill(self, graph: Any, names: Names, where: str) -> list[str]:
        """Translate what a graph has into its building; returns the names of its inputs."""
        initial = set()
        if len(graph.sparse_initializer):
            self.problems[f"sparse initializers{where}"] = None
        for tensor in graph.initializer:
            if tensor.name in initial:
                raise OnnxError(f"the initializer {tensor.name!r}{where} is there twice")
            initial.add(tensor.name)
            array = self.tensors.read(tensor, f"the initializer {tensor.name!r}{where}")
            number = self._root.new()
            self.initial[number] = tensor.name, array
            self.sources[number] = tensor
            names.here[tensor.name] = names.building.reach(self._root, number)
        given = []
        for value in graph.input:
            if value.name in initial:
                continue
            if value.name in given or not value.name:
                raise OnnxError(f"the input {value.name!r}{where} is there twice or has no name")
            given.append(value.name)
            names.here[value.name] = names.building.new()
        self._translate_nodes(graph.node, names, where)
        return given

    def _output(self, name: str, names: Names) -> int:
        number = names.find(name)
        if number is None:
            raise OnnxError(f"the output {name!r} is given by no node, input or initializer")
        return number

    def _translate_nodes(self, nodes: Iterable[Any], names: Names, where: str) -> None:
        for place, node in enumerate(nodes):
            self._nodes += 1
            if self._nodes > _MOST_NODES:
                raise OnnxError(f"with its functions written out it has over {_MOST_NODES} nodes")
            title = node.name or next((name for name in node.output if name), f"number {place}")
            self._node(node, names, f"{node.op_type} {title!r}{where}")

    def _node(self, node: Any, names: Names, title: str) -> None:
        inputs: list[int | None] = []
        for name in node.input:
            number = names.find(name) if name else None
            if name and number is None:
                raise OnnxError(
                    f"{title} takes {name!r}, which no node before it, input or initializer gives; "
                    "nodes stand in the order in which they run, so that there is no circle"
                )
            inputs.append(number)
        domain = plain_domain(node.domain)
        function = self.functions.get((domain, node.op_type, node.overload))
        if function is not None:
            outputs = self._call(function, node, inputs, names, title)
        elif (domain, node.op_type) == ("", "Constant"):
            outputs = [self._constant(node, names, title)]
        else:
            outputs = self._operator(domain, node, inputs, names, title)
        for name, number in zip(node.output, outputs):
            if not name:
                continue
            if name in names.here:
                raise OnnxError(f"{title} gives {name!r}, which there is already")
            names.here[name] = names.building.new() if number is None else number

    def _operator(
        self, domain: str, node: Any, inputs: list[int | None], names: Names, title: str
    ) -> list[int | None]:
        """Bind a node to its row, or write out the function that it stands for."""
        unknown: list[int | None] = [None] * len(node.output)
        schema = self._schema(domain, node, names)
        if schema is None:
            return unknown
        row = row_for(domain, node.op_type, schema.since_version)
        if row is None:
            return self._written_out(schema, node, inputs, names, title)
        if not schema.min_input <= len(inputs) <= schema.max_input:
            raise OnnxError(
                f"{title} has {len(inputs)} inputs; {schema.min_input} to {schema.max_input} are "
                "possible"
            )
        if len(node.output) > schema.max_output:
            raise OnnxError(
                f"{title} has {len(node.output)} outputs; {schema.max_output} are possible"
            )
        attributes = self._attributes(row, schema, node, names, title)
        ways = [*row.inputs.values()]
        if len(inputs) > len(ways):
            if row.variadic is None:
                self.problems[f"{title}: its input number {len(ways) + 1}"] = None
                return unknown
            ways += [row.variadic] * (len(inputs) - len(ways))
        for key in row.inputs:
            # What is an input here and an attribute in an older version came as one of them.
            if key in attributes and len(inputs) > [*row.inputs].index(key):
                del attributes[key]
        outputs = tuple(names.building.new() if name else None for name in node.output)
        kinds = [_type_name(schema.inputs, place) for place in range(len(inputs))]
        alike = tuple(
            tuple(n for n, kind in enumerate(kinds) if kind == _type_name(schema.outputs, place))
            for place in range(len(outputs))
        )
        names.building.steps.append(
            Step(row, title, tuple(inputs), outputs, tuple(ways[: len(inputs)]), attributes, alike)
        )
        return list(outputs)

    def _schema(self, domain: str, node: Any, names: Names) -> Any:
        """Return what ONNX says of an operator, None for what is not known to ONNX or AINO."""
        called = f"{domain}.{node.op_type}" if domain else node.op_type
        version = names.imports.get(domain)
        if version is None:
            self.problems[f"{called}: the model does not say which version of its domain"] = None
            return None
        defs = onnx_package().defs
        newest = {"": defs.onnx_opset_version, "ai.onnx.ml": defs.onnx_ml_opset_version}
        known = newest[domain]() if domain in newest else NEWEST.get(domain, version)
        if not 0 < version <= known:
            self.problems[
                f"version {version} of the operators of {domain or 'ONNX'}; the package onnx knows "
                f"them up to {known}"
            ] = None
            return None
        try:
            schema = defs.get_schema(node.op_type, version, domain)
        except Exception:
            self.problems[f"{called}, which ONNX's operators of version {version} do not have"] = (
                None
            )
            return None
        if schema.deprecated or schema.since_version > NEWEST.get(domain, 0):
            why = "is no longer there" if schema.deprecated else "is newer than AINO"
            self.problems[f"{called}, which {why} in version {version}"] = None
            return None
        return schema

    def _attributes(
        self, row: Row, schema: Any, node: Any, names: Names, title: str
    ) -> dict[str, Any]:
        """Return what a row is bound to: the node's attributes, and ONNX's defaults."""
        found: dict[str, Any] = {}
        seen = set()
        for attribute in node.attribute:
            key = attribute.name
            if key in seen:
                raise OnnxError(f"{title} has the attribute {key!r} twice")
            seen.add(key)
            if attribute.ref_attr_name:
                attribute = names.attributes.get(attribute.ref_attr_name)
                if attribute is None:
                    continue
            known = schema.attributes.get(key)
            if known is None:
                raise OnnxError(f"{title} has the attribute {key!r}, which ONNX does not give it")
            if attribute.type != known.type.value:
                raise OnnxError(f"{title} has the attribute {key!r} of another type than ONNX's")
            if key in row.attributes or key in row.inputs:
                found[key] = self._value(attribute, names, title)
            elif known.default_value.type and self._same(attribute, known.default_value):
                continue
            else:
                self.problems[f"{title}: its attribute {key!r}"] = None
        for key, known in schema.attributes.items():
            if key in found or not (key in row.attributes or key in row.inputs):
                continue
            if known.default_value.type:
                found[key] = self._value(known.default_value, names, title)
            elif known.required or key in row.needed:
                raise OnnxError(f"{title} lacks the attribute {key!r}")
        return found

    @staticmethod
    def _same(one: Any, other: Any) -> bool:
        helper = onnx_package().helper
        return helper.get_attribute_value(one) == helper.get_attribute_value(other)

    def _value(self, attribute: Any, names: Names, title: str) -> Any:
        """Return what an attribute holds, as Python has it; a graph becomes a block."""
        what = f"the attribute {attribute.name!r} of {title}"
        kinds = attribute
        match attribute.type:
            case kinds.FLOAT:
                return attribute.f
            case kinds.INT:
                return attribute.i
            case kinds.STRING:
                return _text(attribute.s, what)
            case kinds.TENSOR:
                return self.tensors.read(attribute.t, what)
            case kinds.GRAPH:
                return self._graph(attribute.g, names, f" in {title}")
            case kinds.FLOATS:
                return list(attribute.floats)
            case kinds.INTS:
                return list(attribute.ints)
            case kinds.STRINGS:
                return [_text(part, what) for part in attribute.strings]
            case kinds.TYPE_PROTO:
                return attribute.tp
        raise OnnxError(f"{what} is of a type that AINO does not read")

    def _graph(self, graph: Any, outer: Names, where: str) -> Block:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise OnnxError(f"its graphs lie within one another deeper than {_DEEPEST}")
        names = Names(Building(outer.building), outer.imports, outer, outer.attributes)
        given = self._fill(graph, names, where)
        outputs = [self._output(value.name, names) for value in graph.output]
        self._depth -= 1
        return _finished(names.building, [names.here[name] for name in given], outputs)

    def _constant(self, node: Any, names: Names, title: str) -> int:
        """Enter the value of a node that is a constant."""
        if len(node.attribute) != 1 or len(node.output) != 1:
            raise OnnxError(f"{title} has {len(node.attribute)} values; a constant has one")
        attribute = node.attribute[0]
        if attribute.ref_attr_name:
            attribute = names.attributes.get(attribute.ref_attr_name)
            if attribute is None:
                raise OnnxError(f"{title} takes its value from an attribute that is not given")
        number = names.building.new()
        if attribute.type in (attribute.SPARSE_TENSOR, attribute.SPARSE_TENSORS):
            self.problems[f"{title}: a sparse value"] = None
            return number
        value = self._value(attribute, names, title)
        if not isinstance(value, np.ndarray):
            kind = type(value[0] if isinstance(value, list) and value else value)
            dtype: Any = {int: np.int64, float: np.float32, str: object}.get(kind, np.float32)
            if attribute.type == attribute.INTS:
                dtype = np.int64
            value = np.array(value, dtype)
        names.building.constants[number] = value
        return number

    # Functions

    def _call(
        self, function: Any, node: Any, inputs: list[int | None], names: Names, title: str
    ) -> list[int | None]:
        """Write the body of a function out in the place of its call."""
        if id(function) in self._open:
            raise OnnxError(f"the function {function.name!r} calls itself")
        attributes = {attribute.name: attribute for attribute in function.attribute_proto}
        for attribute in node.attribute:
            if not attribute.ref_attr_name:
                attributes[attribute.name] = attribute
            elif attribute.ref_attr_name in names.attributes:
                attributes[attribute.name] = names.attributes[attribute.ref_attr_name]
        if len(inputs) > len(function.input) or len(node.output) > len(function.output):
            raise OnnxError(f"{title} has more inputs or outputs than its function")
        own = imports_of(function.opset_import, f"the function {function.name!r}")
        inside = Names(names.building, names.imports | own, None, attributes)
        for place, name in enumerate(function.input):
            number = inputs[place] if place < len(inputs) else None
            if number is None:
                # An input that is left out is there without a value.
                number = names.building.new()
                names.building.constants[number] = None
            inside.here[name] = number
        self._open.append(id(function))
        self._depth += 1
        if self._depth > _DEEPEST:
            raise OnnxError(f"its functions call one another deeper than {_DEEPEST}")
        self._translate_nodes(function.node, inside, f" in {title}")
        self._depth -= 1
        self._open.pop()
        return [
            self._output(name, inside) if wanted else None
            for wanted, name in zip(node.output, function.output)
        ]

    def _written_out(
        self, schema: Any, node: Any, inputs: list[int | None], names: Names, title: str
    ) -> list[int | None]:
        """Write out the function that ONNX itself defines an operator by."""
        onnx = onnx_package()
        function = onnx.FunctionProto()
        called = f"{schema.domain}.{schema.name}" if schema.domain else schema.name
        if schema.has_function:
            function.CopyFrom(schema.function_body)
        elif schema.has_context_dependent_function:
            types = [self._type_of(name) for name in node.input]
            if None not in types:
                body = schema.get_context_dependent_function(
                    node.SerializeToString(), [kind.SerializeToString() for kind in types]
                )
                function.ParseFromString(body)
        if not function.node:
            self.problems[f"{called} (version {schema.since_version})"] = None
            return [None] * len(node.output)
        for key, known in schema.attributes.items():
            if known.default_value.type and key not in [a.name for a in function.attribute_proto]:
                function.attribute_proto.append(known.default_value)
        return self._call(function, node, inputs, names, title)

    def _type_of(self, name: str) -> Any:
        """Return the type of a value of the outermost graph, None where ONNX cannot tell."""
        onnx = onnx_package()
        if self._types is None:
            model = self.model
            try:
                model = onnx.shape_inference.infer_shapes(model)
            except Exception:
                pass
            graph = model.graph
            values = [*graph.value_info, *graph.input, *graph.output]
            self._types = {value.name: value.type for value in values} | {"": onnx.TypeProto()}
        return self._types.get(name)


def _finished(building: Building, inputs: list[int], outputs: list[int]) -> Block:
    return Block(
        building.size, inputs, outputs, building.constants, building.captured, building.steps
    )


def _type_name(formal: Any, place: int) -> str:
    """Return what ONNX calls the type of an input or output; the last may stand for many."""
    return formal[min(place, len(formal) - 1)].type_str


def _text(content: bytes, what: str) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise OnnxError(f"{what} is text that is not UTF-8") from None
