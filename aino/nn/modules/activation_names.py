"""The activations that layers know by name."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from aino.nn import functional as F


def _identity(x: Any) -> Any:
    return x


def _softmax(x: Any) -> Any:
    return F.softmax(x, -1)


def _log_softmax(x: Any) -> Any:
    return F.log_softmax(x, -1)


#: Name -> function.
ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "linear": _identity, "identity": _identity, "sigmoid": F.sigmoid, "tanh": F.tanh,
    "relu": F.relu, "relu6": F.relu6, "leaky_relu": F.leaky_relu, "elu": F.elu, "selu": F.selu,
    "celu": F.celu, "gelu": F.gelu, "silu": F.silu, "swish": F.silu, "mish": F.mish,
    "softplus": F.softplus, "softsign": F.softsign, "hardtanh": F.hardtanh,
    "hardsigmoid": F.hardsigmoid, "hardswish": F.hardswish, "hardshrink": F.hardshrink,
    "softshrink": F.softshrink, "tanhshrink": F.tanhshrink, "logsigmoid": F.logsigmoid,
    "softmax": _softmax, "log_softmax": _log_softmax,
}  # fmt: skip

#: Those that look at all neurons of a layer at once.
JOINT = ("softmax", "log_softmax")
#: Those that let positive numbers pass about as they are, and keep variances with He's weights.
RECTIFIERS = ("relu", "relu6", "leaky_relu", "elu", "celu", "gelu", "silu", "swish", "mish")


def suggestion(name: Any, known: Any) -> str:
    """Return what a mistyped name was probably meant to be, as the end of a message."""
    # difflib is loaded for a mistake only: it costs a tenth of the package.
    close = import_module("difflib").get_close_matches(str(name).lower(), list(known), 1, 0.6)
    return f": did you mean {close[0]!r}?" if close else f"; there are {', '.join(known)}"


def check_activation(name: Any) -> str:
    """Return the name as the table has it; ValueError says what was probably meant."""
    if name is None:
        return "linear"
    if not isinstance(name, str):
        raise TypeError(f"an activation is given by its name, not by {type(name).__name__}")
    if name not in ACTIVATIONS:
        raise ValueError(f"unknown activation {name!r}" + suggestion(name, ACTIVATIONS))
    return name
