"""Convolutional networks as blocks: what each module makes of a sample, drawn by its shape."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from aino.autograd.mode import no_grad
from aino.autograd.tensor import Tensor
from aino.drawing import style
from aino.drawing.scene import PAGE, Image, Line, Rect, Scene, Text, colours_of, largest_of
from aino.nn.base.hooks import forget_empty_hooks
from aino.nn.base.module import Module

#: So many sheets of a block are drawn at most, so many maps where their contents are shown.
_SHEETS, _MAPS = 10, 8
#: The sides of the smallest and of the largest sheet.
_SMALL, _LARGE = 16.0, 96.0
_OFFSET = 5.0


class Stage(NamedTuple):
    """What modules, one after another, made of the sample: ``array`` without the batch.

    ``path``: where the first of them is in the network.
    """

    names: list[str]
    path: str
    array: np.ndarray


def stages_of(module: Module, sample: Any) -> list[Stage] | None:
    """Return what the modules inside make of a sample, None where nothing has channels.

    Modules that leave the shape as it is stand together with the one before. The network computes
    as in eval mode, and is left as it was.
    """
    given = sample if isinstance(sample, Tensor) else Tensor(np.asarray(sample))
    given = given.detach()
    stages = [Stage(["input"], "", given.array[0] if given.array.ndim else given.array)]
    paths = {id(inner): path for path, inner in module.named_modules()}

    def see(inner: Module, args: tuple, output: Any) -> None:
        if not isinstance(output, Tensor) or not output.array.ndim:
            return
        array = output.array[0]
        kind, path = type(inner).__name__, paths[id(inner)]
        size = getattr(inner, "kernel_size", None)
        if size is not None:
            sides = size if isinstance(size, tuple) else (size,) * max(array.ndim - 1, 1)
            kind += " " + "×".join(str(side) for side in sides)
        known = stages[-1]
        if array.shape == known.array.shape and len(stages) > 1:
            stages[-1] = Stage([*known.names, kind], known.path, array.copy())
        else:
            stages.append(Stage([kind], path, array.copy()))

    leaves = [inner for inner in module.modules() if not any(True for _ in inner.children())]
    training = {inner: inner.training for inner in module.modules()}
    handles = [inner.register_forward_hook(see) for inner in leaves]
    try:
        for inner in training:
            inner.training = False
        with no_grad():
            module(given)
    finally:
        for handle in handles:
            handle.remove()
        for inner, was in training.items():
            inner.training = was
        for inner in leaves:
            forget_empty_hooks(inner)
    if not any(stage.array.ndim >= 2 for stage in stages[1:]):
        return None
    return stages


def draw_volumes(stages: list[Stage], maps: bool) -> Scene:
    """Return the picture: sheets for channels, bars for vectors, arrows from each to the next.

    ``maps``: the numbers on the sheets, blue above nothing and orange below.
    """
    scene = Scene()
    longest = max([max(stage.array.shape[1:]) for stage in stages if stage.array.ndim >= 2])
    x = lowest = 0.0
    before: float | None = None
    captions: list[tuple[float, list[str]]] = []
    for stage in stages:
        right, height = _stage(scene, stage, x, longest, maps)
        lowest = max(lowest, height / 2)
        texts = _captions(stage)
        wide = max([len(text) * 5.3 for text in texts])
        middle = (x + right) / 2
        captions.append((middle, texts))
        if before is not None:
            scene.add(Line(before, 0.0, x - 5, 0.0, PAGE, 1.3, arrow=True))
        before = right + 5
        x = max(right, middle + wide / 2) + 34
    for middle, texts in captions:
        for number, text in enumerate(texts):
            size, bold = (11.0, True) if number == 0 else (9.5, False)
            scene.add(Text(middle, lowest + 24 + 13 * number, text, size, bold=bold))
    return scene


def _captions(stage: Stage) -> list[str]:
    """Return the shape, what made it, and where that is."""
    shape = " × ".join(str(n) for n in stage.array.shape) or "1"
    texts = [shape, stage.names[0], *(f"+ {name}" for name in stage.names[1:3])]
    if len(stage.names) > 3:
        texts[-1] = f"+ {len(stage.names) - 2} more"
    return [*texts, stage.path] if stage.path else texts


def _stage(scene: Scene, stage: Stage, x: float, longest: int, maps: bool) -> tuple[float, float]:
    """Draw one stage from ``x`` on; return where it ends, and how tall it is."""
    array = stage.array
    if array.ndim < 2:
        return _bar(scene, stage, x, maps)
    faces = array.reshape(array.shape[0], -1, array.shape[-1])  # a signal has one row
    width = _side(faces.shape[2], longest)
    height = _side(faces.shape[1], longest) if array.ndim > 2 else _SMALL
    draw = _faces if maps else _sheets
    return draw(scene, stage.names[0] == "input", faces, x, width, height)


def _sheets(
    scene: Scene, first: bool, faces: np.ndarray, x: float, width: float, height: float
) -> tuple[float, float]:
    """Draw sheets, one behind the other."""
    count = min(len(faces), _SHEETS)
    total = _OFFSET * (count - 1)
    look = style.VERTEX["input" if first else "module"]
    for sheet in range(count):
        left, top = x + _OFFSET * sheet, -(height + total) / 2 + _OFFSET * sheet
        scene.add(Rect(left, top, width, height, look["fillcolor"], look["color"], 1.5))
    if count < len(faces):
        scene.add(Text(x + total + width / 2, (height + total) / 2 + 8, "…", 10.0))
    return x + total + width, height + total


def _faces(
    scene: Scene, first: bool, faces: np.ndarray, x: float, width: float, height: float
) -> tuple[float, float]:
    """Draw feature maps side by side, with their numbers as colours."""
    count = min(len(faces), _MAPS)
    columns = 1 if count < 3 else 2
    rows = -(-count // columns)
    if count > 1:
        shrink = min(1.0, 60.0 / max(width, height))
        width, height = width * shrink, height * shrink
    total = rows * height + (rows - 1) * 4.0
    largest = largest_of(faces)
    for number in range(count):
        row, column = divmod(number, columns)
        left, top = x + column * (width + 4.0), -total / 2 + row * (height + 4.0)
        hint = f"channel {number} of {len(faces)}, {faces.shape[1]} × {faces.shape[2]}"
        pixels = colours_of(faces[number], largest)
        scene.add(Image(left, top, width, height, pixels, style.BOX_LINE, hint))
    wide = columns * width + (columns - 1) * 4.0
    if count < len(faces):
        scene.add(Text(x + wide / 2, total / 2 + 9, f"{count} of {len(faces)}", 9.0))
    return x + wide, total


def _bar(scene: Scene, stage: Stage, x: float, maps: bool) -> tuple[float, float]:
    """Draw a vector as a bar; its numbers, where they are asked for."""
    count = max(stage.array.size, 1)
    height = min(10.0 + 24.0 * math.log2(count + 1), 150.0)
    hint = f"{count} numbers"
    if maps and stage.array.size:
        column = stage.array.reshape(-1, 1)
        pixels = colours_of(column, largest_of(column))
        scene.add(Image(x, -height / 2, 14.0, height, pixels, style.BOX_LINE, hint))
    else:
        look = style.VERTEX["operation"]
        fill = style.OUTPUT_FILL if count <= 1000 else look["fillcolor"]
        scene.add(Rect(x, -height / 2, 14.0, height, fill, look["color"], 2.0, hint))
    return x + 14.0, height


def _side(length: int, longest: int) -> float:
    """Return how long a side is drawn: small ones are not as small as they are."""
    return max(_SMALL, _LARGE * math.sqrt(length / max(longest, 1)))
