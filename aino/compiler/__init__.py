"""``aino.compile``: the straight-line NumPy program behind a function of tensors."""

from aino.compiler.compiled import compile, reset
from aino.compiler.options import list_backends
from aino.compiler.uncompiled import disable
from aino.tracing import is_tracing as is_compiling

__all__ = ["compile", "disable", "is_compiling", "list_backends", "reset"]
