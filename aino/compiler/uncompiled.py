"""What is not compiled: the signal to go on eagerly, its warning, and calls that are known for it.

What a program can't do runs as the function itself. A signature that was refused once has a
guard of its own, so that the next call of that kind finds out in a microsecond.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from aino.autograd.mode import mode
from aino.autograd.tensor import Tensor
from aino.compiler.guards.arguments import Static, is_dynamic
from aino.compiler.guards.text import Guards, code_of
from aino.errors import CompileError, CompileWarning
from aino.pytree import structure_of
from aino.structure_version import structure_version
from aino.tracing import OneCall, session
from aino.user_warnings import warn

#: How often the structure of models is looked at again for a signature that was refused.
LOOKS = 3


class RunEagerly(Exception):
    """A call is made as the function itself.

    ``error``: what was raised in the trace, by the function or because of the tracers, and
    ``refuse(error)``, which takes note once the function has come to its end without it. ``call``:
    what the call has exchanged with other processes by then, None where it was not traced.
    """

    def __init__(self, error: Exception | None = None, refuse=None) -> None:
        super().__init__()
        self.error = error
        self.refuse = refuse
        self.call: OneCall | None = None

    @property
    def told(self) -> tuple:
        """What it says, without itself: its frames hold arrays that the function may resize."""
        return self.error, self.refuse, self.call


def disable(fn=None, recursive: bool = True, *, reason: str | None = None):
    """Return a function that is never compiled: what calls it goes on uncompiled, too.

    Arguments:
        fn: the function; None returns a decorator.
        recursive: has no effect: what the function calls is not compiled either.
        reason: why, for the warning.

    >>> import aino
    >>> @aino.compiler.disable
    ... def count(x):
    ...     return int((x > 0).sum())
    >>> count(aino.ones(3))
    3
    """
    if fn is None:
        return functools.partial(disable, recursive=recursive, reason=reason)
    name = getattr(fn, "__name__", type(fn).__name__)

    @functools.wraps(fn)
    def call(*args, **kwargs):
        if session.trace is not None:
            raise CompileError(
                f"{name} is not to be compiled (aino.compiler.disable)"
                f"{': ' + reason if reason else ''}{session.trace.where()}"
            )
        return fn(*args, **kwargs)

    vars(call)["never_compiled"] = True
    return call


def is_disabled(function) -> bool:
    """Tell whether ``disable`` was asked for a function."""
    return getattr(function, "never_compiled", False)


def warn_uncompiled(name: str, why: str) -> None:
    """Say that a function goes on uncompiled, at the line of the user's that called it."""
    warn(f"{name} goes on uncompiled: {why}", CompileWarning)


def only_traced(error: Exception) -> CompileError:
    """Return the refusal for what raised while it was traced, and does not as it is."""
    if isinstance(error, CompileError):
        return error
    return CompileError(
        f"it raises {type(error).__name__} ({error}) with tracers in the places of arrays, and "
        "not as it is"
    )


def write_refusal(flat, names, arguments, keywords, shape_of_models):
    """Return ``dispatch(args, kwargs)`` that raises ``RunEagerly`` for calls of this signature.

    ``shape_of_models()`` is what decides anew: a model that has changed may have a program.
    """
    guards = Guards()
    counts = [(arguments, "args"), (keywords, "kwargs")]
    guards.need(" and ".join(f"len({name}) == {len(given)}" for given, name in counts))
    for position, name in enumerate(names[: len(arguments)]):
        guards.lines.append(f"{name} = args[{position}]")
    for name, key in zip(names[len(arguments) :], keywords):
        guards.need(f"{key!r} in kwargs")
        guards.lines.append(f"{name} = kwargs[{key!r}]")
    for name, item in zip(names, [*arguments, *keywords.values()]):
        if structure_of(item) is not None:
            structure = guards.bind("structure", structure_of)
            shape = guards.bind("shape", structure_of(item))
            guards.need(f"{structure}({name}) == {shape}")
    for name, item in flat:
        guards.need(_condition(guards, name, item))
    guards.need(f"mode.level == {mode.level}")
    before, seen = shape_of_models(), [structure_version.count, LOOKS]

    def still_fits() -> bool:
        if seen[1]:
            seen[1] -= 1
            if shape_of_models() != before:
                return False
        seen[0] = structure_version.count
        return True

    guards.bound |= {"seen": seen, "still_fits": still_fits, "RunEagerly": RunEagerly}
    guards.need("structure_version.count == seen[0] or not seen[1] or still_fits()")
    guards.lines.append("raise RunEagerly")
    text = "def dispatch(args, kwargs):\n" + "\n".join(f"    {line}" for line in guards.lines)
    exec(code_of(text, "<refusal>"), guards.bound)
    return guards.bound.pop("dispatch")


def _condition(guards: Guards, name: str, item: Any) -> str:
    """Return the condition that an argument is of the kind that it was."""
    kind = f"{name}.__class__ is {guards.bind('kind', type(item))}"
    if isinstance(item, Tensor):
        dtype = guards.bind("dtype", item.array.dtype)
        node = "None" if item.node is None else "not None"
        return (f"{kind} and {name}.array.shape == {item.array.shape} and "
                f"{name}.array.dtype is {dtype} and {name}.node is {node}")  # fmt: skip
    if isinstance(item, np.ndarray):
        dtype = guards.bind("dtype", item.dtype)
        return f"{kind} and {name}.shape == {item.shape} and {name}.dtype is {dtype}"
    if isinstance(item, Static):
        known = guards.bind("known", repr(float(item)))
        kind = guards.bind("kind", item.kind)
        return f"{name}.__class__ is {kind} and repr(float({name})) == {known}"
    if is_dynamic(item):
        number = int if isinstance(item, int) else type(item)
        return f"{name}.__class__ is {guards.bind('kind', number)}"
    if item is None or isinstance(item, (bool, int, str, complex, bytes, np.generic)):
        return f"{kind} and {name} == {guards.bind('known', item)}"
    return f"{name} is {guards.bind('known', item)}"
