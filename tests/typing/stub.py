"""Writes ``aino/autograd/tensor_methods.pyi``: what is bound to ``Tensor``, for editors.

``python -m tests.typing.stub`` writes it anew, after an operation was added.
"""

import inspect
import re
from pathlib import Path

from aino.layouts import Layout
from aino.ops import later
from aino.ops.public import IN_PLACE, METHODS
from aino.ops.tensor.methods import COMPARISONS, OPERATORS, PROPERTIES
from aino.ops.tensor.placement import PLACE

PATH = Path(__file__).resolve().parents[2] / "aino" / "autograd" / "tensor_methods.pyi"

HEAD = '''\
"""The methods and operators that ``aino.ops`` binds to ``Tensor``; written by tests/typing/stub."""

import builtins
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from aino.autograd.tensor import Tensor
from aino.layouts import Layout
from aino.ops.random.generator import Generator
from aino.types import DeviceLike, DType, Number

class TensorMethods:
'''

PROTOCOLS = """\
    def backward(
        self,
        gradient: Tensor | None = None,
        retain_graph: builtins.bool | None = None,
        create_graph: builtins.bool = False,
        inputs: Any = None,
    ) -> None: ...
    def __neg__(self) -> Tensor: ...
    def __pos__(self) -> Tensor: ...
    def __abs__(self) -> Tensor: ...
    def __invert__(self) -> Tensor: ...
    def __getitem__(self, index: Any) -> Tensor: ...
    def __setitem__(self, index: Any, value: Any) -> None: ...
    def __len__(self) -> builtins.int: ...
    def __iter__(self) -> Iterator[Tensor]: ...
    def __contains__(self, value: object) -> builtins.bool: ...
    def __float__(self) -> builtins.float: ...
    def __int__(self) -> builtins.int: ...
    def __complex__(self) -> complex: ...
    def __bool__(self) -> builtins.bool: ...
    def __index__(self) -> builtins.int: ...
    def __format__(self, spec: str) -> str: ...
    def __dlpack__(self, **keywords: Any) -> Any: ...
    def __dlpack_device__(self) -> tuple[builtins.int, builtins.int]: ...
    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **keywords: Any) -> Any: ...
    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any: ...
"""


def _default(value):
    return repr(value) if isinstance(value, (bool, int, float, str, type(None))) else "..."


def _spelled(annotation):
    """Return an annotation, Python's own names told from the methods of that name."""
    if annotation is inspect.Parameter.empty:
        return "Any"
    return re.sub(r"\b(bool|int|float)\b", r"builtins.\1", annotation)


def signature(name, function):
    """Return the line that declares a function as a method."""
    declared = inspect.signature(function)
    parts, star = ["self"], False
    named = list(declared.parameters.values())[1:]
    for parameter in named:
        text = parameter.name
        if parameter.kind is parameter.VAR_POSITIONAL:
            text, star = f"*{text}", True
        elif parameter.kind is parameter.VAR_KEYWORD:
            text = f"**{text}"
        elif parameter.kind is parameter.KEYWORD_ONLY and not star:
            parts.append("*")
            star = True
        text += f": {_spelled(parameter.annotation)}"
        if parameter.default is not parameter.empty:
            text += f" = {_default(parameter.default)}"
        parts.append(text)
    names = [parameter.name for parameter in named]
    others = getattr(function, "other_names", {})
    if others:
        added = [f"{new}: Any = ..." for new, old in others.items()
                 if old in names and new not in names]  # fmt: skip
        if added and not star:
            parts.append("*")
        parts += added
        # An argument without a default may be given by its other name.
        seen = False
        for place, part in enumerate(parts[1:], 1):
            seen = seen or "=" in part or (added and part.partition(":")[0] in others.values())
            if seen and "=" not in part and not part.startswith("*"):
                parts[place] = part + " = ..."
    return f"    def {name}({', '.join(parts)}) -> {_spelled(declared.return_annotation)}: ..."


def text():
    """Return the whole stub."""
    lines = []
    for name in PROPERTIES:
        lines += ["    @property", f"    def {name}(self) -> Tensor: ..."]
    kinds = {bool: "builtins.bool", Layout: "Layout"}
    lines += [f"    {name}: {kinds[type(value)]}" for name, value in PLACE.items()]
    for name in OPERATORS:
        lines.append(f"    def __{name}__(self, other: Any) -> Tensor: ...")
        lines.append(f"    def __r{name}__(self, other: Any) -> Tensor: ...")
    for name in COMPARISONS:
        ignored = "  # type: ignore[override]" if name in ("eq", "ne") else ""
        lines.append(f"    def __{name}__(self, other: Any) -> Tensor: ...{ignored}")
    lines.append("    def __hash__(self) -> int: ...")
    loaded = {name: later.loaded_method(name) for name in later.METHODS}
    methods = {**METHODS, **loaded, **{f"{name}_": METHODS[name] for name in IN_PLACE}}
    # Tensor itself has what is not bound.
    methods = {k: v for k, v in methods.items() if k not in PROPERTIES}
    for name in sorted(methods):
        line = signature(name, methods[name])
        lines.append(line.rpartition(" -> ")[0] + " -> Tensor: ..." if name[-1] == "_" else line)
    return HEAD + PROTOCOLS + "\n".join(lines) + "\n"


if __name__ == "__main__":
    PATH.write_text(text(), encoding="utf-8")
    print(f"{PATH}: {len(METHODS)} methods")
