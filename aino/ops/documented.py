"""Primitives as public functions: with PyTorch's name, its names of the arguments, a docstring."""

from __future__ import annotations

from typing import Any


def documented(primitive):
    """Return a decorator that gives a primitive the description it stands over.

    The function that is described has a signature and a docstring, no body: what is called is
    the primitive itself, without a detour. It must not have been called before.
    """

    def describe(described) -> Any:
        primitive.__doc__ = described.__doc__
        primitive.__name__ = primitive.__qualname__ = described.__name__
        primitive.__module__ = described.__module__
        primitive.__wrapped__ = described
        declared = primitive.primitive
        declared.arguments = described.__code__.co_varnames[: len(declared.inputs)]
        return primitive

    return describe
