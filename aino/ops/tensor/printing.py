"""Tensors as text, in PyTorch's form: ``tensor([1., 2.], requires_grad=True)``."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import numpy as np

from aino.autograd.tensor import Tensor, make, without_tangents
from aino.dtypes import COMPLEX_OF, bool_, get_default_dtype, int64
from aino.errors import ArgumentError
from aino.tracing import forbid_reading

__all__ = ["set_printoptions", "get_printoptions", "printoptions"]


class PrintOptions:
    """How tensors are printed; ``set_printoptions`` says what each means."""

    def __init__(self) -> None:
        self.precision = 4
        self.threshold: float = 1000
        self.edgeitems = 3
        self.linewidth = 80
        self.sci_mode: bool | None = None


options = PrintOptions()

_PROFILES: dict[str, dict] = {
    "default": {"precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80},
    "short": {"precision": 2, "threshold": 1000, "edgeitems": 2, "linewidth": 80},
    "full": {"precision": 4, "threshold": math.inf, "edgeitems": 3, "linewidth": 80},
}


def set_printoptions(
    precision: Any = None,
    threshold: float | None = None,
    edgeitems: Any = None,
    linewidth: Any = None,
    profile: Any = None,
    sci_mode: Any = None,
) -> None:
    """Set how tensors are printed; what is None stays, but ``sci_mode`` None lets AINO choose.

    ``precision``: digits after the point. ``threshold``: tensors with more elements are
    summarised. ``edgeitems``: what a summary shows at either end. ``linewidth``: characters in a
    line. ``profile``: ``"default"``, ``"short"`` or ``"full"``. ``sci_mode``: whether numbers
    are written as ``1.0000e+00``.

    >>> import aino
    >>> aino.set_printoptions(precision=2)
    >>> aino.tensor([1.12345])
    tensor([1.12])
    >>> aino.set_printoptions(profile="default")
    """
    if profile is not None and profile not in _PROFILES:
        raise ArgumentError(f"profile must be one of {', '.join(_PROFILES)}, got {profile!r}")
    given = {
        "precision": precision,
        "threshold": threshold,
        "edgeitems": edgeitems,
        "linewidth": linewidth,
    }
    chosen = _PROFILES.get(profile, {}) | {k: v for k, v in given.items() if v is not None}
    for name, value in chosen.items():
        setattr(options, name, value)
    options.sci_mode = sci_mode


def get_printoptions() -> dict:
    """Return how tensors are printed, as keywords for ``set_printoptions``.

    >>> import aino
    >>> aino.get_printoptions()["linewidth"]
    80
    """
    return dict(vars(options))


@contextlib.contextmanager
def printoptions(**keywords: Any) -> Iterator[None]:
    """Set how tensors are printed, for the length of a ``with`` block.

    >>> import aino
    >>> with aino.printoptions(precision=1):
    ...     print(aino.tensor([1.12345]))
    tensor([1.1])
    """
    before = get_printoptions()
    set_printoptions(**keywords)
    try:
        yield
    finally:
        set_printoptions(**before)


def tensor_repr(self) -> str:
    """Return the tensor as text: its elements, and of its properties what is not the default."""
    prefix = "tensor("
    given = self.array  # a perceptron's row makes its array anew each time
    array = without_tangents(given)
    if isinstance(array, np.ndarray):
        contents = _contents(array, len(prefix))
        suffixes = _properties(array)
        if array is not given and given.level.alive:
            suffixes.append(f"tangent={make(given.tangent)!r}")
    else:  # what stands in for an array has no elements to show
        forbid_reading("the text of a tensor")
        contents = "..."
        suffixes = [f"size={tuple(array.shape)}", f"dtype=aino.{array.dtype}"]
    if self.grad_fn is not None:
        suffixes.append(f"grad_fn=<{self.grad_fn.name()}>")
    elif self.requires_grad:
        suffixes.append("requires_grad=True")
    text = prefix + contents
    column = len(text) - text.rfind("\n") + 1
    for suffix in suffixes:
        if column + len(suffix) + 2 > options.linewidth:
            text += ",\n" + " " * len(prefix) + suffix
            column = len(prefix) + len(suffix)
        else:
            text += ", " + suffix
            column += len(suffix) + 2
    return text + ")"


def tensor_html(self) -> str | None:
    """Return the tensor as HTML for a notebook, None where its text says what there is to say."""
    return import_module("aino.explaining.showing.tensors").html_of(self)


def tensor_format(self, specification: str) -> str:
    """Format a 0-d tensor as its number, others as their text: ``f"{loss:.3f}"``."""
    if self.array.ndim == 0 and type(self) is Tensor:
        return format(self.item(), specification)
    return object.__format__(self, specification)


def _properties(array) -> list[str]:
    default = get_default_dtype()
    name = "bool" if array.dtype == bool_ else str(array.dtype)
    properties = []
    if array.size == 0:
        if array.ndim != 1:
            properties.append(f"size={array.shape}")
        if array.dtype != default:
            properties.append(f"dtype=aino.{name}")
        return properties
    if not options.edgeitems:
        properties.append(f"size={array.shape}")
    if array.dtype not in (default, COMPLEX_OF[default], int64, bool_):
        properties.append(f"dtype=aino.{name}")
    return properties


class _Notation:
    """How the numbers of one tensor are written: all in one notation, at one width."""

    def __init__(self, values: np.ndarray) -> None:
        self.floating = values.dtype.kind == "f"
        self.whole = True
        self.scientific = False
        self.width = 1
        if not self.floating:
            self.width = max([1, *(len(str(value)) for value in values.ravel().tolist())])
            return
        values = values[np.isfinite(values) & (values != 0)]
        if values.size == 0:
            return
        # Ratios of extreme numbers overflow in their own dtype.
        sizes = np.abs(values).astype(np.float64)
        smallest, largest = float(sizes.min()), float(sizes.max())
        self.whole = bool((values == np.ceil(values)).all())
        if options.sci_mode is None:
            self.scientific = largest / smallest > 1000.0 or largest > 1e8 or smallest < 1e-4
        else:
            self.scientific = options.sci_mode
        self.width = max([1, *(len(self.digits(value)) for value in values.tolist())])

    def digits(self, value) -> str:
        if not self.floating:
            return str(value)
        if self.scientific:
            return f"{value:.{options.precision}e}"
        if self.whole:
            return f"{value:.0f}." if math.isfinite(value) else f"{value:.0f}"
        return f"{value:.{options.precision}f}"

    def __call__(self, value) -> str:
        return self.digits(value).rjust(self.width)


class _ComplexNotation:
    """Real and imaginary parts, each in a notation of its own."""

    def __init__(self, values: np.ndarray) -> None:
        self.real, self.imag = _Notation(values.real), _Notation(values.imag)
        self.width = self.real.width + self.imag.width + 1

    def __call__(self, value) -> str:
        imag = self.imag(value.imag).lstrip()
        sign = "" if imag[0] in "+-" else "+"
        return f"{self.real(value.real)}{sign}{imag}j"


def _contents(array, indent) -> str:
    if array.size == 0:
        return "[]"
    summarize = array.size > options.threshold
    return _nested(array, indent, summarize, notation_of(_edges(array) if summarize else array))


def notation_of(values: np.ndarray) -> Any:
    """Return what writes each of these numbers, as the options say, all at one width."""
    return (_ComplexNotation if values.dtype.kind == "c" else _Notation)(values)


def _edges(array):
    """Return the part of an array that a summary shows."""
    edge = options.edgeitems
    for axis, length in enumerate(array.shape):
        if length > 2 * edge or edge == 0:
            array = np.take(array, [*range(edge), *range(length - edge, length)], axis)
    return array


def _nested(array, indent, summarize, notation) -> str:
    if array.ndim == 0:
        return notation(array.item())
    edge = options.edgeitems
    cut = summarize and len(array) > 2 * edge
    if array.ndim == 1:
        return _row(array, indent, cut, summarize, notation)
    first, last = (array[:edge], array[len(array) - edge :]) if cut else (array, ())
    parts = [_nested(part, indent + 1, summarize, notation) for part in first]
    if cut:
        parts.append("...")
    parts += [_nested(part, indent + 1, summarize, notation) for part in last]
    break_ = "," + "\n" * (array.ndim - 1) + " " * (indent + 1)
    return "[" + break_.join(parts) + "]"


def _row(array, indent, cut, summarize, notation) -> str:
    edge = options.edgeitems
    if summarize and not edge:
        texts = ["..."]
    elif cut:
        texts = [notation(value) for value in array[:edge].tolist()] + [" ..."]
        texts += [notation(value) for value in array[len(array) - edge :].tolist()]
    else:
        texts = [notation(value) for value in array.tolist()]
    per_line = max(1, (options.linewidth - indent) // (notation.width + 2))
    lines = [", ".join(texts[i : i + per_line]) for i in range(0, len(texts), per_line)]
    return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"
