"""The functions of a predictor's file, as far as it needs them.

They are written for ``real``, which becomes float or double, its constants and the functions of
``math.h`` with it. ``MATRIX(w)`` is a parameter for a matrix of weights, ``PASS(w)`` hands it on,
``SCALED(sum, w, row)`` is a sum over one of its rows: of int8 weights, times the row's scale.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

from aino.compiler.backends.c.functions import layers, scalars, sequences, windows
from aino.compiler.backends.c.numbers import type_of
from aino.compiler.backends.c.statements import Needed, in_type


def _by_name(*texts: str) -> dict[str, str]:
    """Return each function with the comment above it, by its name."""
    found = {}
    for text in texts:
        for block in re.split(r"\n\n+(?=/\*)", text.strip()):
            name = re.search(r"^static \w+ (\w+)\(", block, re.MULTILINE)
            assert name is not None, block
            found[name[1]] = block
    return found


FUNCTIONS = _by_name(scalars.TEXT, layers.TEXT, windows.TEXT, sequences.TEXT)


def with_needed(needed: list[Needed]) -> list[Needed]:
    """Return functions with those that they call, each behind what it calls."""
    found: dict[Needed, None] = {}

    def visit(one: Needed) -> None:
        name, dtype, quantized = one
        text = FUNCTIONS[name]
        body = text[text.index("{") :]
        for other in FUNCTIONS:
            if other != name and re.search(rf"(?<!\w){other}\(", body):
                visit((other, dtype, quantized and "MATRIX" in FUNCTIONS[other]))
        found.setdefault(one)

    for one in needed:
        visit(one)
    return list(found)


def text_of(needed: Needed, names: Callable[[Needed], str]) -> str:
    """Return the text of a function; ``names`` says what it and others are called."""
    name, dtype, quantized = needed
    note, body = FUNCTIONS[name].split("*/\n", 1)
    text = f"{note}*/\n{in_type(body, dtype)}"
    weight = "const int8_t" if quantized else "const real"
    scales = r", const real *\1_scale" if quantized else ""
    text = re.sub(r"MATRIX\((\w+)\)", rf"{weight} *\1{scales}", text)
    text = re.sub(r"PASS\((\w+)\)", r"\1, \1_scale" if quantized else r"\1", text)
    scaled = r"\1 * \2_scale[\3]" if quantized else r"\1"
    text = re.sub(r"SCALED\(([^,]+), (\w+), (\w+)\)", scaled, text)
    text = re.sub(r"\breal\b", type_of(dtype), text)
    for other in FUNCTIONS:
        called = names((other, np.dtype(dtype), quantized and "MATRIX" in FUNCTIONS[other]))
        if called != other:
            text = re.sub(rf"(?<!\w){other}\(", f"{called}(", text)
    return text
