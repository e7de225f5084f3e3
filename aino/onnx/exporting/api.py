"""``torch.onnx``'s words: a model as ONNX, from the program behind it."""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from aino.autograd.mode import no_grad
from aino.compiler.compiled import Compiled
from aino.compiler.export.recording import Recording, record
from aino.compiler.ir.program import Kept, NumberOf, Returned
from aino.compiler.module import CompiledModule
from aino.errors import ArgumentError, CompileError
from aino.nn.base.module import Module
from aino.onnx.errors import OnnxExporterError
from aino.onnx.exporting.arguments import Given, given, set_dynamic
from aino.onnx.exporting.graph import Graph
from aino.onnx.exporting.joining import join
from aino.onnx.exporting.memory import Places
from aino.onnx.exporting.model import Port, proto_of
from aino.onnx.exporting.program import Joined, Value
from aino.onnx.exporting.result import ONNXProgram
from aino.onnx.exporting.sizes import Dimensions, Size
from aino.onnx.exporting.sizing import choices
from aino.onnx.exporting.table import WHOLE
from aino.onnx.exporting.translate import translate
from aino.onnx.package import onnx_package
from aino.pytree import is_container, named_parts_of, parts_of

__all__ = ["ONNXProgram", "OnnxExporterError", "export", "is_in_onnx_export"]

#: What onnxruntime runs since 1.14, of February 2023.
DEFAULT_OPSET = 18
OPSETS = range(17, 24)


class _Session(threading.local):
    exporting = False


_session = _Session()


def is_in_onnx_export() -> bool:
    """Tell whether this thread is exporting: what a function does only then is exported.

    >>> import aino
    >>> aino.onnx.is_in_onnx_export()
    False
    """
    return _session.exporting


def export(
    model: Callable[..., Any],
    args: tuple[Any, ...] | Any = (),
    f: str | os.PathLike[str] | Any | None = None,
    *,
    kwargs: dict[str, Any] | None = None,
    verbose: bool | None = None,
    input_names: Sequence[str] | None = None,
    output_names: Sequence[str] | None = None,
    opset_version: int | None = None,
    dynamo: bool = True,
    external_data: bool | None = None,
    dynamic_shapes: dict[str, Any] | tuple[Any, ...] | list[Any] | None = None,
    custom_translation_table: Any = None,
    report: bool = False,
    optimize: bool = True,
    verify: bool = False,
    profile: bool = False,
    dump_exported_program: bool = False,
    artifacts_dir: str | os.PathLike[str] = ".",
    export_params: bool = True,
    keep_initializers_as_inputs: bool = False,
    dynamic_axes: Mapping[str, Any] | None = None,
    training: Any = None,
    operator_export_type: Any = None,
    do_constant_folding: bool = True,
    custom_opsets: Any = None,
    export_modules_as_functions: bool = False,
    autograd_inlining: bool = True,
) -> ONNXProgram:
    """Return a model, or a function of tensors, as ONNX; write it to ``f`` where that is given.

    The function is traced as ``aino.compile`` traces it, without making the run real, and what it
    does is written in ONNX's operators: parameters under their names, nodes under those of their
    modules. It is exported as it stands: call ``model.eval()`` before. All that is no tensor
    among the arguments is fixed.

    Raises ``OnnxExporterError`` for what has no counterpart in ONNX, random draws and writes
    into the model among them, and ``CompileError`` for what has no program; both name the place.

    Arguments:
        model: a ``Module``, a function, or what ``aino.compile`` made of one.
        args: example arguments: a tuple, or the only one.
        f: the path of the file, an open file, or None to write none.
        kwargs: example arguments by name.
        verbose: print the graph.
        input_names: names for the graph's inputs, in order; those of the parameters by default.
        output_names: names for its outputs, in order.
        opset_version: the version of ONNX's operators, 17 to 23; 18 for None, which onnxruntime
            has run since 1.14.
        dynamo: there is one way to export; False is refused.
        external_data: parameters go into a file of their own, ``f`` with ``.data`` behind it; None
            does so where they are too many for one file of ONNX, 2 GB.
        dynamic_shapes: which dimensions of inputs may have another length:
            ``{"x": {0: "batch"}}``, or a tuple with an entry for each argument. Dimensions of one
            name are of one length.
        verify: run the model in onnxruntime, and compare.
        export_params: write the parameters; False writes the graph alone.
        keep_initializers_as_inputs: parameters are inputs, too, which may be given at a run.
        dynamic_axes: as ``dynamic_shapes``, by the names of inputs (and outputs):
            ``{"x": {0: "batch"}}`` or ``{"x": [0]}``.
        custom_translation_table, report, optimize, profile: taken with their defaults, as all
            that follow; anything else is refused.
        dump_exported_program, artifacts_dir, training, operator_export_type: likewise.
        do_constant_folding, custom_opsets, export_modules_as_functions: likewise.
        autograd_inlining: likewise.

    >>> import aino
    >>> model = aino.nn.Linear(2, 1).eval()
    >>> aino.onnx.export(model, aino.ones(3, 2), dynamic_shapes={"input": {0: "batch"}})
    <ONNXProgram Linear: 1 nodes, input -> output>
    """
    _refuse_others(
        dynamo=dynamo, custom_translation_table=custom_translation_table, report=report,
        optimize=optimize, profile=profile, dump_exported_program=dump_exported_program,
        artifacts_dir=artifacts_dir, training=training, operator_export_type=operator_export_type,
        do_constant_folding=do_constant_folding, custom_opsets=custom_opsets,
        export_modules_as_functions=export_modules_as_functions,
        autograd_inlining=autograd_inlining,
    )  # fmt: skip
    settings: dict[str, Any] = {
        "external_data": external_data, "keep_initializers_as_inputs": keep_initializers_as_inputs,
        "include_initializers": export_params,
    }  # fmt: skip
    if f is None and list(settings.values()) != [None, False, True]:
        raise ArgumentError(
            "onnx.export: external_data, keep_initializers_as_inputs and export_params say how a "
            "file is written, and f names none; give them to save()"
        )
    onnx_package()
    opset = DEFAULT_OPSET if opset_version is None else opset_version
    if opset not in OPSETS:
        raise ArgumentError(
            f"onnx.export: opset_version is {OPSETS[0]} to {OPSETS[-1]}, not {opset_version!r}"
        )
    function = model._orig_mod if isinstance(model, CompiledModule) else model
    function = function.function if isinstance(function, Compiled) else function
    if not callable(function):
        raise TypeError(f"onnx.export takes a module or a function, not {type(function).__name__}")
    found = given(function, args, kwargs, input_names)
    labels = set_dynamic(found, dynamic_axes, dynamic_shapes)
    _session.exporting = True
    try:
        program = _exported(function, found, output_names, labels, opset)
    finally:
        _session.exporting = False
    if verify:
        _verify(program, function, found)
    if verbose:
        print(program)
    if f is not None:
        program.save(f, **settings)
    return program


#: Options that have one value here.
_FIXED: dict[str, Any] = {
    "dynamo": True, "custom_translation_table": None, "report": False, "optimize": True,
    "profile": False, "dump_exported_program": False, "artifacts_dir": ".", "training": None,
    "operator_export_type": None, "do_constant_folding": True, "custom_opsets": None,
    "export_modules_as_functions": False, "autograd_inlining": True,
}  # fmt: skip


def _refuse_others(**options: Any) -> None:
    for name, value in options.items():
        if value != _FIXED[name]:
            raise ArgumentError(
                f"onnx.export: {name}={value!r} is not there; leave it at {_FIXED[name]!r}"
            )


def _exported(function, found: Given, output_names, labels, opset: int) -> ONNXProgram:
    """Record the function in as many runs as there have to be, and write what it does."""
    lengths = found.lengths()
    if not lengths:
        joined = join([_recorded(function, found, {})])
        return _written(joined, [{}], function, found, output_names, labels, opset)
    failure: Exception | None = None
    for runs in choices(lengths):
        try:
            recordings = [_recorded(function, found, run) for run in runs]
        except (CompileError, OnnxExporterError):
            raise
        except Exception as error:  # the function's own: it does not take these lengths
            failure = failure or error
            continue
        return _written(join(recordings), runs, function, found, output_names, labels, opset)
    raise OnnxExporterError(
        f"with other lengths of its dynamic dimensions ({', '.join(lengths)}) the function raises "
        f"{type(failure).__name__}: {failure}"
    ) from failure


def _recorded(function, found: Given, run: dict[str, int]) -> Recording:
    root = function if isinstance(function, Module) else None
    return record(lambda *own: found.called(function, own), found.resized(run), root, WHOLE)


def _parameters(roots: dict[str, Module]) -> dict[int, str]:
    """Return the names of arrays of parameters and buffers, by their identities."""
    names: dict[int, str] = {}
    for prefix, root in roots.items():
        for name, tensor in [
            *root.named_parameters(remove_duplicate=False),
            *root.named_buffers(remove_duplicate=False),
        ]:
            names.setdefault(id(tensor.array), f"{prefix}{name}")
    return names


def _written(
    joined: Joined, runs, function, found: Given, output_names, labels, opset: int
) -> ONNXProgram:
    places_of: dict[str, tuple[str, int]] = {}
    for name, axes in zip(found.names, found.axes):
        for axis, symbol in axes.items():
            places_of.setdefault(symbol, (name, axis))
    lengths = {symbol: tuple([run[symbol] for run in runs]) for symbol in places_of}
    graph = Graph(opset, Dimensions(lengths, places_of))
    places = graph.memory = Places(graph, _parameters(joined.roots))
    for name in found.names:
        graph.unique(name)
    for memory, name in zip(joined.arguments, found.names):
        places.bind_argument(memory, name)
    translate(joined, graph, places)
    _refuse_effects(joined)
    values = _outputs(joined.result)
    names = _output_names([path for path, _ in values], output_names, found.names)
    outputs = [
        Port(name, value.dtype, _shape(value, graph.dimensions, labels.get(name, {})))
        for name, (_, value) in zip(names, values)
    ]
    unknown = [name for name in labels if name not in names]
    if unknown:
        raise ArgumentError(
            f"onnx.export: dynamic_axes speaks of {unknown[0]!r}; the inputs are "
            f"{', '.join(found.names)} and the outputs {', '.join(names)}"
        )
    graph.name_outputs([places.read(value) for _, value in values], names, found.names)
    inputs = [
        Port(name, tensor.dtype, [axes.get(i, n) for i, n in enumerate(tensor.shape)])
        for name, tensor, axes in zip(found.names, found.tensors, found.axes)
    ]
    title = type(function).__name__ if isinstance(function, Module) else getattr(
        function, "__name__", type(function).__name__)  # fmt: skip
    return ONNXProgram(proto_of(graph, inputs, outputs, title.strip("<>")), found)


def _refuse_effects(joined: Joined) -> None:
    """Raise for what a graph can't do: change what lies outside of it."""
    changed = joined.changed
    if changed:
        raise OnnxExporterError(
            f"the function changes {changed}, which a graph of ONNX can't; call model.eval() "
            "before, or leave it out while aino.onnx.is_in_onnx_export()"
        )


# Outputs


def _outputs(result: Any) -> list[tuple[tuple, Value]]:
    """Return the tensors of a result with their paths."""
    found: list[tuple[tuple, Value]] = []

    def walk(item, path) -> None:
        if isinstance(item, Returned):
            found.append((path, item.value))  # type: ignore[arg-type]
        elif type(item) is NumberOf:
            raise OnnxExporterError(
                "the function returns a number of Python's (item()), which is no tensor; return "
                "the tensor"
            )
        elif is_container(item):
            for key, part in named_parts_of(item):
                walk(part, (*path, key))
        elif item is not None:
            raise OnnxExporterError(
                f"the function returns {item.value if type(item) is Kept else item!r}, which is no "
                "tensor; ONNX has no other outputs"
            )

    walk(result, ())
    if not found:
        raise OnnxExporterError("the function returns no tensor")
    return found


def _output_names(paths: list[tuple], wished: Any, taken: Sequence[str]) -> list[str]:
    names = []
    for path in paths:
        words = [str(part) for part in path]
        if not words or words[0].isdigit():
            words = ["output", *words]
        name = "_".join(words)
        names.append(f"{name}_out" if name in taken else name)
    own = list(wished or [])
    if len(own) > len(names):
        raise ArgumentError(
            f"onnx.export: {len(own)} output_names were given, and there are {len(names)} outputs"
        )
    names[: len(own)] = own
    if len({*names, *taken}) < len(names) + len(taken) or not all(
        isinstance(name, str) and name for name in names
    ):
        raise ArgumentError(
            f"onnx.export: outputs have names of their own, which these are not: {names}"
        )
    return names


def _shape(value: Value, dimensions: Dimensions, labels: dict[int, str]) -> list[Any]:
    """Return the lengths of an output: numbers, and names of those that are dynamic."""
    lengths: list[Any] = []
    for axis, length in enumerate(value.shape):
        if isinstance(length, Size):
            formula = dimensions.formula(length)
            alone = formula is not None and len(formula[0]) == 1 and formula[1:] == (1, 0)
            length = labels.get(axis) or (formula[0][0] if alone and formula else None)
        elif axis in labels:
            raise ArgumentError(
                f"onnx.export: axis {axis} of an output was said to be dynamic, and is {length} "
                "long whatever the inputs are"
            )
        lengths.append(length)
    return lengths


def _verify(program: ONNXProgram, function, found: Given) -> None:
    """Compare onnxruntime's outputs with the function's."""
    with no_grad():
        result = found.called(function, found.tensors)
    expected: list[Any] = []

    def walk(item) -> None:
        if hasattr(item, "detach"):
            expected.append(item)
        elif is_container(item):
            for part in parts_of(item):
                walk(part)

    walk(result)
    got = program(*found.tensors)
    for name, one, other in zip(program.output_names, expected, got):
        if not np.allclose(one.numpy(), other.numpy(), 1e-3, 1e-4, equal_nan=True):
            far = np.abs(one.numpy() - other.numpy()).max()
            warnings.warn(f"onnxruntime gives another {name}, by {far:.3g} at most", stacklevel=3)
