"""What to say where something else was given than a tensor: a list, an array, None, text.

Operations read ``input.array`` at once, without a look at what they were given: a check would
cost every call. So the words are found afterwards, when the read has failed.
"""

from __future__ import annotations

import inspect
from types import FunctionType
from typing import Any

import numpy as np

from aino.autograd.operands import not_a_tensor
from aino.autograd.tensor import Tensor
from aino.errors import DtypeError
from aino.ops.out import documented, primitive_with_out, written

#: How Python says that it could not compute with what it was given.
_NO_INTEGER = "cannot be interpreted as an integer"
_SPEECHLESS = (
    "unsupported operand", "object is not iterable", "not subscriptable", _NO_INTEGER,
)  # fmt: skip


def explained(function, name: str, arguments, keywords, error: Exception) -> Exception:
    """Return the error in the user's words where an argument was no tensor, else as it is."""
    text = str(error)
    speechless = any([words in text for words in _SPEECHLESS])
    if not (isinstance(error, AttributeError) or speechless) or not _is_ours(error):
        return error
    found = _culprit(function, arguments, keywords, error)
    if found is None:
        return error
    if _NO_INTEGER in text:
        return DtypeError(f"{name}: {found[0]} is an integer, not {found[1]!r}")
    return not_a_tensor(name, *found)


_PACKAGE = __file__.rpartition("ops")[0]


def _is_ours(error: Exception) -> bool:
    """Tell whether an error was raised in AINO's code, not in a module of the user's."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and trace.tb_frame.f_code.co_filename.startswith(
        (_PACKAGE, "<primitive")
    )


def _culprit(function, arguments, keywords, error) -> tuple[str, Any] | None:
    """Return the argument that lacked an attribute of tensors, and how to call it."""
    try:
        bound = inspect.signature(function).bind(*arguments, **keywords).arguments
    except (TypeError, ValueError):
        return None
    if not isinstance(error, AttributeError):
        named = [
            (label, x) for label, x in _labelled(bound) if repr(type(x).__name__) in str(error)
        ]
        return named[0] if named else None
    absent = error.obj
    for label, value in _labelled(bound):
        if value is absent and not isinstance(value, Tensor):
            return label, value
    # What failed was made of an argument: a list's first element, another library's dtype.
    for label, value in _labelled(bound):
        strange = isinstance(value, (list, str)) or hasattr(value, "dtype")
        if strange and not isinstance(value, (Tensor, np.generic)):
            return label, value
    return None


def _labelled(bound):
    """Yield the arguments, then what stands in those that are lists, as users would call them."""
    yield from ((f"argument {name!r}", value) for name, value in bound.items())
    for name, value in bound.items():
        if type(value) in (list, tuple):
            for position, part in enumerate(value):
                yield f"element {position} of argument {name!r}", part


def _stand_ins(arguments):
    """Yield what stands in the place of tensors and knows itself what a function does to it."""
    for value in arguments:
        for part in value if type(value) in (list, tuple) else (value,):
            if hasattr(type(part), "__aino_function__"):
                yield part


def takes_tensors(function: Any, module: str = "", name: str = "", out: bool = False) -> Any:
    """Return a function that says in words which argument is no tensor.

    ``module`` and ``name`` say where it is found, by a pickle for example; ``out`` whether it
    takes ``out=``, if it was declared with it (``aino.ops.public.takes_out``).
    """
    shown = function.__dict__.get("with_out") if out else None

    def call(*arguments, **keywords):
        try:
            return function(*arguments, **keywords)
        except (AttributeError, TypeError) as error:
            # The function does not know of ``out``, so that calls without one don't pay for it.
            for value in _stand_ins(arguments):
                return value.__aino_function__(call.__name__, arguments, keywords)
            if shown is None or "out" not in keywords:
                found = explained(function, function.__name__, arguments, keywords, error)
                if found is error:
                    raise
                raise found from None
        target = keywords.pop("out")
        if target is None:
            return call(*arguments, **keywords)
        return written(call, arguments, keywords, target)

    # What functools.wraps does, in fewer calls: the import makes some 300 of them.
    call.__name__, call.__qualname__ = function.__name__, function.__qualname__
    call.__module__ = module or function.__module__
    call.__doc__ = function.__doc__ if shown is None else documented(function.__doc__)
    if name:
        call.__name__ = call.__qualname__ = name
    call.__dict__ = {**function.__dict__, "__wrapped__": shown or function}
    return call


def public(
    functions: dict[str, Any], hot=(), module: str = "", out: bool = False
) -> dict[str, Any]:
    """Return the functions of a namespace, each of which says what it was given.

    Primitives and the ``hot`` functions say so themselves, and stand as they are. ``out``:
    whether those that were declared with ``out=`` take it.
    """
    found: dict[str, Any] = {}
    made: dict[Any, Any] = {}
    for name, function in functions.items():
        if type(function) is not FunctionType or name[0] == "_" or function.__name__ in hot:
            continue
        if "primitive" in function.__dict__ and not (out and "with_out" in function.__dict__):
            continue
        if function not in made:  # of two names the one it calls itself is its own
            own = function.__name__
            home = own if functions.get(own) is function else name
            if "primitive" in function.__dict__:
                made[function] = primitive_with_out(function, module, home)
            else:
                made[function] = takes_tensors(function, module, home if module else "", out)
        found[name] = made[function]
    return found
