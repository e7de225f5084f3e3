"""Writes a program as a file of its own that runs with NumPy alone."""

from __future__ import annotations

import inspect
import math
import os
import re
from typing import Any

import numpy as np

from aino.autograd.memory import owner
from aino.compiler.backends.numpy.lines import Line
from aino.compiler.export.standalone import STANDALONE, generator_at
from aino.compiler.ir.regions import address
from aino.compiler.ir.symbolic import named_numbers
from aino.compiler.tracing.shadows import window
from aino.errors import CompileError
from aino.ops.random.generator import Generator

_HEADER = '''"""{title}

Written by aino.compile. It needs NumPy only: {usage}
"""

{imports}import numpy as np

'''


def save_source(specialization, name: str, path, weights=None) -> None:
    """Write the program to ``path`` and what it is bound to into ``weights``, an ``.npz``.

    Without ``weights`` the bound arrays are written into the source, which suits small models.
    Checks of values are left out; where the program relies on a number, it is compared.
    """
    source = specialization.source
    body = [line for line in source.body if not line.is_check]
    checks = {line.text.split("(")[0] for line in source.body if line.is_check}
    items = {label: item for label, item in source.bound.items() if label not in checks}
    arrays, views = _memory(items)
    lines = [f"{label} = {_plain(label, item)}" for label, item in items.items()
             if not isinstance(item, np.ndarray)]  # fmt: skip
    needed: list[Any] = [STANDALONE[kind] for kind in STANDALONE
              if any(getattr(item, "__name__", "") == kind for item in items.values())]  # fmt: skip
    if any(isinstance(item, Generator) for item in items.values()):
        needed.append(generator_at)
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
    imports = "".join(f"import {module}\n" for module, used in (
        ("math", any("math." in line for line in lines)), ("os", weights is not None),
    ) if used)  # fmt: skip
    text = _HEADER.format(title=f"{name}({parameters}) as a NumPy program.",
                          usage=f"`from {_module(path)} import {name}`.",
                          imports=f"{imports}\n" if imports else "")  # fmt: skip
    text += "".join(f"\n{inspect.getsource(function)}\n" for function in needed)
    text += opened + "".join(f"{line}\n" for line in [*views, *lines])
    text += "\n\n" + source.written([*_comparisons(specialization.traced_run.trace), *body], items)
    bound = "".join(f", {label}" for label in items)
    left = f"{name}, gradients" if specialization.program.gradients else name
    text += f"\n\n{left} = build(np{bound})\n"
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


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


def _plain(label: str, item: Any) -> str:
    """Return a bound object that is no array as source."""
    name = getattr(item, "__name__", "")
    if isinstance(item, float):
        return _numbers(np.asarray(item))
    if isinstance(item, dict):
        plain = {
            key: value
            for key, value in item.items()
            if isinstance(value, (bool, int, float, str, tuple, type(None)))
        }
        return repr(plain)
    if isinstance(item, Generator):
        return f"generator_at({item.source.bit_generator.state!r})"
    if name in STANDALONE:
        return name
    if name.endswith(" (vectorized)") and hasattr(math, name.split()[0]):
        return f"np.frompyfunc(math.{name.split()[0]}, 1, 1)"
    raise CompileError(f"the program uses {item!r} (as {label}), which NumPy alone does not have")
