"""``torch.jit``'s names: TorchScript is not there, ``aino.compile`` is.

What marks functions for TorchScript leaves them as they are; what would compile says what to use.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from aino.refusals import refused, refused_class

__all__ = [
    "CompilationUnit", "Final", "RecursiveScriptModule", "ScriptFunction", "ScriptModule",
    "annotate", "export", "fork", "freeze", "ignore", "is_scripting", "is_tracing", "load",
    "optimize_for_inference", "save", "script", "script_if_tracing", "script_method", "trace",
    "trace_module", "unused", "wait",
]  # fmt: skip

_COMPILE = (
    "there is no TorchScript; aino.compile(function) compiles ordinary Python, so leave this out "
    "or put aino.compile in its place"
)
_SAVE = (
    "there is no TorchScript; aino.save(module, path) saves a module, and a compiled function "
    "saves itself as a NumPy program"
)


def __dir__() -> list[str]:
    return __all__


def is_scripting() -> bool:
    """Return False: there is no TorchScript."""
    return False


def is_tracing() -> bool:
    """Return False: there is no TorchScript."""
    return False


def annotate(the_type: Any, the_value: Any) -> Any:
    """Return a value as it is.

    Arguments:
        the_type: has no effect: what TorchScript would take the value for.
        the_value: the value.
    """
    return the_value


def export(fn: Callable) -> Callable:
    """Return a function as it is."""
    return fn


def ignore(drop: Any = False, **kwargs: Any) -> Any:
    """Return a function as it is; with a setting a decorator that does so.

    ``drop`` is the function, or TorchScript's setting.
    """
    return drop if callable(drop) else lambda fn: fn


def unused(fn: Callable) -> Callable:
    """Return a function as it is."""
    return fn


def script_if_tracing(fn: Callable) -> Callable:
    """Return a function as it is: nothing is traced for TorchScript."""
    return fn


script = refused("jit.script", _COMPILE)
script_method = refused("jit.script_method", _COMPILE)
trace = refused("jit.trace", _COMPILE)
trace_module = refused("jit.trace_module", _COMPILE)
freeze = refused("jit.freeze", _COMPILE)
optimize_for_inference = refused("jit.optimize_for_inference", _COMPILE)
fork = refused("jit.fork", "call the function")
wait = refused("jit.wait", "call the function")
save = refused("jit.save", _SAVE)
load = refused("jit.load", _SAVE)
ScriptModule = refused_class("jit.ScriptModule", _COMPILE)
ScriptFunction = refused_class("jit.ScriptFunction", _COMPILE)
RecursiveScriptModule = refused_class("jit.RecursiveScriptModule", _COMPILE)
CompilationUnit = refused_class("jit.CompilationUnit", _COMPILE)
