"""A module called with other tensors in the place of its own; ``aino.func`` has it, too."""

from __future__ import annotations

from typing import Any

from aino.func.modules import functional_call as _functional_call
from aino.nn.base.module import Module
from aino.user_warnings import warn

__all__ = ["functional_call"]


def functional_call(
    module: Module, parameters_and_buffers: dict[str, Any], args: Any = None,
    kwargs: dict[str, Any] | None = None, *, tie_weights: bool = True, strict: bool = False,
) -> Any:  # fmt: skip
    """Return what a module gives with these tensors for its own: ``aino.func.functional_call``.

    PyTorch has replaced it by that, and so warns.

    Arguments:
        module: the module.
        parameters_and_buffers: the tensors, by the names of what they replace.
        args: what it is called with: a tuple, or the only argument.
        kwargs: what it is called with by name.
        tie_weights: a tensor stands for all names of its parameter.
        strict: all parameters and buffers have to be given.
    """
    warn(
        "nn.utils.stateless.functional_call is deprecated in favor of func.functional_call",
        FutureWarning,
    )
    return _functional_call(
        module, parameters_and_buffers, args, kwargs, tie_weights=tie_weights, strict=strict
    )
