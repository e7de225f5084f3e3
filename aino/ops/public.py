"""How a function becomes public: described with PyTorch's words, and bound to ``Tensor``.

``@method`` makes a function a method of ``Tensor`` under its own name; ``@operation`` gives a
primitive the name, the arguments and the docstring it stands over, and makes it a method too.
``aino.ops.tensor.methods`` binds what is listed here. ``@takes_out`` gives a function ``out=``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from types import FunctionType
from typing import Any, TypeVar, overload

import numpy as np

F = TypeVar("F", bound=Callable[..., Any])

#: The methods of ``Tensor``, by name.
METHODS: dict[str, Any] = {}
#: The methods that have a form in place, ``name_``; with the ufunc that writes it, where one does.
IN_PLACE: dict[str, np.ufunc | None] = {}


@overload
def method(function: F) -> F: ...
@overload
def method(
    *, inplace: bool | np.ufunc = ..., aliases: Sequence[str] = ..., name: str | None = ...
) -> Callable[[F], F]: ...
def method(function=None, *, inplace=False, aliases=(), name=None):
    """Make a function a method of ``Tensor``, under its own name (or ``name``) and its ``aliases``.

    ``inplace``: whether there is ``name_``, which writes the result over its first operand; a
    ufunc does so without a copy.
    """

    def bind(function):
        for bound in (name or function.__name__, *aliases):
            METHODS[bound] = function
            if inplace:
                IN_PLACE[bound] = None if inplace is True else inplace
        return function

    return bind if function is None else bind(function)


def takes_out(function: F) -> F:
    """Let a function take ``out=``, its last argument by name, which its body does not know of.

    ``aino.ops.out`` writes what it returned, for the namespaces that ask for it
    (``aino.ops.given.public``). What is returned here is the function without the argument: as a
    method it has none, as in PyTorch, and calls that give none do not pay for it.
    """
    bare: Any = without_out(function)
    bare.with_out = function
    return bare


def without_out(function: Any) -> Any:
    """Return a function as it is but for ``out``, the last of its arguments by name."""
    code = function.__code__
    count = code.co_argcount + code.co_kwonlyargcount
    if code.co_varnames[count - 1] != "out" or code.co_flags & inspect.CO_VARARGS:
        raise TypeError(f"{function.__name__}: out is to be the last argument by name")
    # The argument becomes a variable of the body, which does not mention it.
    code = code.replace(co_kwonlyargcount=code.co_kwonlyargcount - 1)
    bare: Any = FunctionType(
        code, function.__globals__, function.__name__, function.__defaults__, function.__closure__
    )
    keywords, kinds = dict(function.__kwdefaults__), dict(function.__annotations__)
    del keywords["out"], kinds["out"]
    bare.__kwdefaults__, bare.__annotations__ = keywords or None, kinds
    bare.__doc__, bare.__module__ = function.__doc__, function.__module__
    bare.__qualname__ = function.__qualname__
    return bare


def operation(
    primitive: Any,
    *,
    bound: bool = True,
    inplace: bool | np.ufunc = False,
    aliases: Sequence[str] = (),
) -> Callable[[F], F]:
    """Return a decorator that gives a primitive the description it stands over.

    The function that is described has a signature and a docstring, no body: what is called is
    the primitive itself, without a detour. It must not have been called before. Where it takes
    ``out=``, that is the matter of the namespace, as for ``takes_out``. ``bound``: whether it is
    a method of ``Tensor`` too; ``inplace`` and ``aliases`` as for ``method``.
    """

    def describe(described):
        primitive.__doc__ = described.__doc__
        primitive.__name__ = primitive.__qualname__ = described.__name__
        primitive.__module__ = described.__module__
        if "out" in (described.__kwdefaults__ or ()):
            primitive.with_out, described = described, without_out(described)
        primitive.__wrapped__ = described
        declared = primitive.primitive
        declared.arguments = described.__code__.co_varnames[: len(declared.inputs)]
        required = described.__code__.co_argcount - len(described.__defaults__ or ())
        declared.optional = declared.arguments[required:]
        return method(inplace=inplace, aliases=aliases)(primitive) if bound else primitive

    return describe
