"""``save_source("predict.c")``: records a model, and writes it as a file of C."""

from __future__ import annotations

import inspect
import json
import os
from typing import Any, NamedTuple

import numpy as np

from aino.autograd.mode import no_grad
from aino.autograd.tensor import Tensor, make
from aino.compiler.backends.c.builder import Builder
from aino.compiler.backends.c.constants import packed
from aino.compiler.backends.c.file import Contents, File, Port
from aino.compiler.backends.c.layout import Layout
from aino.compiler.backends.c.memory import needed, plan
from aino.compiler.backends.c.naming import Scope, identifier
from aino.compiler.backends.c.quantization import Loss, calls_of, loss_of
from aino.compiler.backends.c.table import WHOLE, RefusedError
from aino.compiler.backends.c.translate import translate
from aino.compiler.export.recording import record
from aino.compiler.ir.program import Kept, Program, Returned
from aino.compiler.ir.regions import Region, Storage, is_contiguous
from aino.compiler.specialization import write
from aino.errors import ArgumentError, CompileError
from aino.nn.base.module import Module
from aino.pytree import is_container, mapped, named_parts_of


class CSource(NamedTuple):
    """What a saved predictor takes: bytes of constants and of scratch memory.

    ``loss``: what int8 weights lose, None where they are as in the model.
    """

    constants: int
    scratch: int
    loss: Loss | None


def save_c(
    compiled: Any, call: tuple, path: Any, weights: Any, quantize: Any, calibration: Any
) -> CSource:
    """Write what a call predicts to ``path`` as C99, and its weights to ``weights``, if given."""
    function, (args, kwargs) = compiled.function, call
    path = os.fspath(path)
    if quantize not in (None, "int8"):
        raise ArgumentError(f"save_source: quantize is 'int8' or None, not {quantize!r}")
    if calibration is not None and quantize is None:
        raise ArgumentError(
            "save_source: calibration measures what quantize='int8' loses; give both"
        )
    name = identifier(os.path.splitext(os.path.basename(path))[0])
    labels, tensors, fixed = _given(function, args, kwargs)
    root = function if isinstance(function, Module) else None
    title = type(function).__name__ if root is not None else compiled.name

    def called(*own: Any) -> Any:
        rest = iter(own)
        given = mapped((args, kwargs), lambda x: next(rest) if isinstance(x, Tensor) else x)
        return function(*given[0], **given[1])

    recording = record(called, [make(np.array(t.array, order="C")) for t in tensors], root, WHOLE)
    _refuse_effects(recording.program, title)
    builder = translate(recording, quantize is not None, title)
    scope = Scope([name, *[f"{name}_{end}" for end in ("in", "memory", "labels")], "weights"])
    inputs = [Port(scope.name(n), t.dtype, tuple(t.shape)) for n, t in zip(labels, tensors)]
    outputs, filled = _outputs(builder, recording.program, scope, title)
    statements = needed(builder.statements, list(filled))
    given = {s: port.name for s, port in zip(recording.program.arguments, inputs)}
    places = {region.storage: port.name for region, port in filled.items()}
    main = _main_dtype([*outputs, *inputs])
    layout = Layout(
        builder, plan(statements, places), {**given, **places}, recording.roots, main, scope
    )
    contents = Contents(name, title, inputs, outputs, statements, layout)
    if fixed:
        contents.told.append(f"As in the call that it was written from: {', '.join(fixed)}.")
    _say_classes(contents, function)
    loss = None
    if quantize is not None:
        shapes, dtypes = [p.shape for p in inputs], [p.dtype for p in inputs]
        own = [[t.array for t in tensors]] if calibration is None else calibration
        with no_grad():
            specialization = compiled.rehearsed(args, kwargs)
            write(specialization, compiled.settings.passes, compiled.name)
        source = specialization.source
        loss = loss_of(source, statements, builder, calls_of(own, shapes, dtypes))
        contents.told.append(str(loss))
    try:
        file = File(contents)
        if weights is not None:
            data, starts, mark = packed(layout.constants)
            contents.weights = os.path.basename(os.fspath(weights)), starts, mark
        text = file.text()
    except RefusedError as error:
        raise CompileError(f"{title} can't be written as C, because of {error}") from None
    if weights is not None:
        with open(weights, "wb") as binary:
            binary.write(data)
    with open(path, "w", encoding="utf-8") as written:
        written.write(text)
    return CSource(file.constants, file.scratch, loss)


def _given(function: Any, args: tuple, kwargs: dict) -> tuple[list[str], list[Tensor], list[str]]:
    """Return the tensors of a call, with the names of the parameters that they are in.

    And what is no tensor, which the file has as it is, in words.
    """
    called = function.forward if isinstance(function, Module) else function
    try:
        parameters = list(inspect.signature(called).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    plain = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    names = [p.name for p in parameters if p.kind in plain][: len(args)]
    names += [f"input_{i}" for i in range(len(args) - len(names))]
    labels: list[str] = []
    tensors: list[Tensor] = []
    fixed: list[str] = []

    def walk(item: Any, label: str) -> None:
        if isinstance(item, Tensor):
            labels.append(label)
            tensors.append(item.detach())
        elif isinstance(item, np.ndarray):
            raise CompileError(
                f"save_source: {label} is an array, which C would have as a constant; call it "
                "with a tensor"
            )
        elif is_container(item):
            for key, one in named_parts_of(item):
                walk(one, f"{label}_{key}")
        elif item is not None:
            fixed.append(f"{label} = {item!r}".replace("*/", ""))

    for label, item in [*zip(names, args), *kwargs.items()]:
        walk(item, label)
    return labels, tensors, fixed


def _refuse_effects(program: Program, title: str) -> None:
    """Raise for what a predictor can't do: change what lies outside of it."""
    changed = ""
    if program.gradients or program.given_gradients:
        changed = "gradients"
    elif program.updates:
        changed = "numbers of an optimizer"
    elif program.stored:
        changed = program.stored[0][0].place.spoken
    if changed:
        raise CompileError(
            f"{title} can't be written as C: it changes {changed}, which a predictor does not; "
            "compile what predicts alone, after model.eval()"
        )


def _outputs(
    builder: Builder, program: Program, scope: Scope, title: str
) -> tuple[list[Port], dict[Region, Port]]:
    """Return the outputs, and the regions that they are; each has memory of its own."""
    found: list[tuple[str, Region]] = []

    def walk(item: Any, label: str) -> None:
        if isinstance(item, Returned):
            found.append((label, item.value))
        elif is_container(item):
            for key, one in named_parts_of(item):
                walk(one, f"{label}_{key}" if str(key).isdigit() or label != "output" else str(key))
        elif item is not None and not (type(item) is Kept and item.value is None):
            raise CompileError(f"{title} can't be written as C: it returns {item!r}, no tensor")

    walk(program.result, "output")
    if not found:
        raise CompileError(f"{title} can't be written as C: it returns no tensor")
    ports, filled, taken = [], {}, set()
    made: set[Storage] = {value.storage for s in builder.statements for value in s.writes}
    for label, region in found:
        port = Port(scope.name(label), region.dtype, tuple(region.shape))
        ports.append(port)
        whole = region.storage.whole
        own = region.storage in made and region.storage not in taken and is_contiguous(region)
        if not own or region.size != whole.size or region.dtype != whole.dtype:
            builder.path = ""
            region, source = builder.new(region.shape, region.dtype), region
            builder.copy(source, region, f"what is returned as {port.name}")
        taken.add(region.storage)
        filled[region] = port
    return ports, filled


def _main_dtype(ports: list[Port]) -> Any:
    """Return the dtype that the functions are for that have their plain names."""
    return next((p.dtype for p in ports if np.dtype(p.dtype).kind == "f"), np.dtype(np.float32))


def _say_classes(contents: Contents, network: Any) -> None:
    """Say which classes the outputs of a network that has learned them stand for."""
    classes, learned = getattr(network, "classes", None), getattr(network, "kind", None)
    if classes is None or learned is None or len(contents.outputs) != 1:
        return
    count, said = contents.outputs[0].shape[-1:], [str(label) for label in classes]
    contents.labels = [_text(label) for label in said]
    if count == (1,) and len(said) == 2:
        bound = "0" if getattr(network, "scores", False) else "0.5"
        contents.told.append(
            f"{contents.name}_labels are its two classes: the second where the output is above "
            f"{bound}, else the first."
        )
    elif count == (len(said),):
        contents.told.append(
            f"{contents.name}_labels are its classes: that of the largest output is the answer."
        )
    else:
        contents.labels = []


def _text(label: str) -> str:
    """Return a text as C has it."""
    return json.dumps(label, ensure_ascii=False).replace("?", "\\?")
