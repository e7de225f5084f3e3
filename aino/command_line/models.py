"""What commands share: models from files, and inputs to run them on."""

from __future__ import annotations

import os
from argparse import ArgumentTypeError
from typing import Any

import aino
from aino.errors import FormatError
from aino.formats import identify


def model_in(path: str) -> Any:
    """Return the module that a file holds; raise ``FormatError`` for one that holds none."""
    found = loaded(path)
    if isinstance(found, aino.nn.Module):
        return found
    parts = found.items() if isinstance(found, dict) else ()
    modules = [name for name, part in parts if isinstance(part, aino.nn.Module)]
    if len(modules) == 1:
        return found[modules[0]]
    if modules:
        raise FormatError(
            f"{path}: holds several models ({', '.join(map(str, modules))}); save the one that is "
            "meant by itself: aino.save(model, 'model.dit')"
        )
    raise FormatError(
        f"{path}: holds {_described(found)}, no model: only a .dit (aino.save(model, 'model.dit')) "
        "and ONNX hold the architecture beside the values"
    )


def loaded(path: str) -> Any:
    """Return what is in a file of any kind that AINO reads."""
    check_file(path)
    is_onnx = identify.kind_of(path) == "onnx"
    return aino.onnx.load(path) if is_onnx else aino.load(path)


def check_file(path: str) -> None:
    """Raise ``FileNotFoundError`` for a file that is not there."""
    if not os.path.exists(path):
        raise FileNotFoundError(2, "no such file", path)


def _described(found: Any) -> str:
    if isinstance(found, dict):
        tensors = sum(isinstance(value, aino.Tensor) for value in found.values())
        return f"{tensors} tensors" if tensors == len(found) else f"a dict of {len(found)} entries"
    return f"a {type(found).__name__}"


def add_input(command: Any, why: str) -> None:
    """Let a command take the shape of an input."""
    command.add_argument(
        "--input", metavar="SHAPE", type=_shape,
        help=f"the shape of the model's input, with the batch first, such as 1,3,32,32; {why}",
    )  # fmt: skip


def _shape(text: str) -> tuple[int, ...]:
    parts = text.replace("x", ",").replace("(", "").replace(")", "").split(",")
    try:
        shape = tuple([int(part) for part in parts if part.strip()])
    except ValueError:
        shape = ()
    if not shape or min(shape) < 1:
        raise ArgumentTypeError(
            f"{text!r} is no shape; whole numbers with commas between them: --input 1,3,32,32"
        )
    return shape


def depth(text: str) -> int:
    """Return how many levels of modules a word says."""
    if not text.isdecimal():
        raise ArgumentTypeError(f"{text!r} is no number of levels: 0, 1, 2, ...")
    return int(text)


def input_for(model: Any, shape: tuple[int, ...] | None, path: str) -> aino.Tensor:
    """Return an input of a shape, or of the one that the model says of itself."""
    shape = shape or _own_shape(model)
    if shape is None:
        raise FormatError(
            f"{path}: the model does not say the shape of its input; give it with the batch first: "
            "--input 1,3,32,32"
        )
    for name, part in model.named_modules():
        if type(part).__name__ == "Embedding" and (not name or _is_first(model, part)):
            return aino.zeros(*shape, dtype=aino.int64)
    floating = [p.dtype for p in model.parameters() if p.is_floating_point()]
    return aino.randn(*shape).to(floating[0] if floating else aino.float32)


def knows_its_input(model: Any) -> bool:
    """Tell whether the first layer says what shape of input it takes."""
    return _own_shape(model) is not None


def _is_first(model: Any, part: Any) -> bool:
    leaves = [one for one in model.modules() if next(iter(one.children()), None) is None]
    return bool(leaves) and leaves[0] is part


def _own_shape(model: Any) -> tuple[int, ...] | None:
    """Return a shape with which the model's first layer can do, None where that is unknown."""
    for part in model.modules():
        own = next(iter(part.parameters()), None)
        if next(iter(part.children()), None) is None and own is not None:
            width = getattr(part, "in_features", None)
            return (1, width) if isinstance(width, int) else None
    return None
