"""Writes a program as a file of its own that runs with NumPy alone."""

from __future__ import annotations

import os
import re
from typing import Any

import numpy as np

from aino.errors import CompileError
from aino.ops.random import Generator

_HEADER = '''"""{title}

Written by aino.compile. It needs NumPy only: {usage}
"""

{imports}import numpy as np

'''


def save_source(variant, name: str, path, weights=None) -> None:
    """Write the program to ``path`` and what it is bound to into ``weights``, an ``.npz``.

    Without ``weights`` the bound arrays are written into the source, which suits small models.
    """
    source = variant.source
    arrays: dict[str, np.ndarray] = {}
    lines: list[str] = []
    for label, item in source.bound.items():
        if isinstance(item, np.ndarray):
            arrays[label] = item
        else:
            lines.append(f"{label} = {_plain(label, item)}")
    path = os.fspath(path)
    if weights is None:
        opened = "".join(f"{label} = {_literal(array)}\n" for label, array in arrays.items())
    else:
        weights = os.fspath(weights)
        np.savez(weights, allow_pickle=False, **arrays)
        relative = os.path.relpath(weights, os.path.dirname(path) or ".")
        if not relative.endswith(".npz"):
            relative += ".npz"
        opened = (
            f"_weights = np.load(os.path.join(os.path.dirname(os.path.abspath(__file__)), "
            f"{relative!r}))\n" + "".join(f"{label} = _weights[{label!r}]\n" for label in arrays)
        )
    parameters = ", ".join(source.parameters)
    text = _HEADER.format(title=f"{name}({parameters}) as a NumPy program.",
                          usage=f"`from {_module(path)} import {name}`.",
                          imports="import os\n\n" if weights is not None else "")  # fmt: skip
    text += opened + "".join(f"{line}\n" for line in lines) + "\n\n" + source.text
    bound = "".join(f", {label}" for label in source.bound)
    left = f"{name}, gradients" if variant.program.gradients else name
    text += f"\n\n{left} = build(np{bound})\n"
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def _module(path: str) -> str:
    return re.sub(r"\.py$", "", os.path.basename(path))


def _literal(array: np.ndarray) -> str:
    numbers = re.sub(r"\b(inf|nan)\b", r"np.\1", repr(array.tolist()))
    return f"np.array({numbers}, np.{array.dtype.type.__name__}).reshape({array.shape})"


def _plain(label: str, item: Any) -> str:
    """Return a bound object that is no array as source."""
    if isinstance(item, dict):
        plain = {
            key: value
            for key, value in item.items()
            if isinstance(value, (bool, int, float, str, tuple, type(None)))
        }
        return repr(plain)
    if isinstance(item, Generator):
        return f"np.random.default_rng({item.initial_seed()})"
    if getattr(item, "__name__", "") == "draw":
        return (
            "lambda generator, kind, shape, dtype, *parameters: "
            "{'uniform': generator.random, 'normal': generator.standard_normal, "
            "'exponential': generator.standard_exponential}[kind](shape, dtype)"
        )
    if getattr(item, "__name__", "") == "run_chain":
        return (
            "lambda chain, lanes, scratch, *arrays: "
            "[chain(start, stop, scratch[0], *arrays) for lane in lanes for start, stop in lane]"
        )
    if getattr(item, "__name__", "") == "manual_seed":
        return (
            "lambda generator, seed: setattr(generator.bit_generator, 'state', "
            f"np.random.PCG64(seed % {1 << 64}).state)"
        )
    raise CompileError(f"the program uses {item!r} (as {label}), which NumPy alone does not have")
