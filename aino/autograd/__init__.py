"""Tensors, the recorded graph, and differentiation: PyTorch's ``torch.autograd``."""

from importlib import import_module
from typing import TYPE_CHECKING

from aino.autograd.engine import backward, grad
from aino.autograd.gradcheck import GradcheckError, gradcheck, gradgradcheck
from aino.autograd.mode import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    no_grad,
    set_grad_enabled,
)
from aino.autograd.node import Node

if TYPE_CHECKING:
    from aino.autograd import forward_ad, functional, graph
    from aino.autograd.anomaly import (
        detect_anomaly,
        is_anomaly_check_nan_enabled,
        is_anomaly_enabled,
        set_detect_anomaly,
    )
    from aino.autograd.function import Function, FunctionCtx, once_differentiable
    from aino.autograd.variable import Variable

__all__ = [
    "Function", "FunctionCtx", "GradcheckError", "Node", "Variable", "backward", "detect_anomaly",
    "enable_grad", "forward_ad", "functional", "grad", "gradcheck", "gradgradcheck", "graph",
    "inference_mode",
    "is_anomaly_check_nan_enabled", "is_anomaly_enabled", "is_grad_enabled", "no_grad",
    "once_differentiable", "set_detect_anomaly", "set_grad_enabled",
]  # fmt: skip

_LAZY = {
    "Function": "function",
    "Variable": "variable",
    "FunctionCtx": "function",
    "once_differentiable": "function",
    "detect_anomaly": "anomaly",
    "set_detect_anomaly": "anomaly",
    "is_anomaly_enabled": "anomaly",
    "is_anomaly_check_nan_enabled": "anomaly",
}


def __dir__() -> list[str]:
    return __all__


if not TYPE_CHECKING:

    def __getattr__(name: str):
        if name in ("forward_ad", "functional", "graph"):
            return import_module(f"aino.autograd.{name}")
        if name not in _LAZY:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"aino.autograd.{_LAZY[name]}"), name)
        globals()[name] = value
        return value
