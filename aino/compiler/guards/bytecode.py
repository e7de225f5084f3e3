"""What a function reads from outside, as its bytecode says: chains such as ``self.cfg["k"]``."""

from __future__ import annotations

import dis
import functools
import types
from typing import Any, NamedTuple

_MISSING: Any = object()
_GLOBALS = ("LOAD_GLOBAL", "LOAD_NAME")
_CELLS = ("LOAD_DEREF", "LOAD_CLASSDEREF")
_NEUTRAL = ("PUSH_NULL", "PRECALL", "CACHE", "COPY", "NOP", "EXTENDED_ARG")


class Chain(NamedTuple):
    """A name and what is read from it: ``("attr", name)`` and ``("item", key)``, in order."""

    kind: str
    name: str
    path: tuple[tuple[str, Any], ...]


@functools.lru_cache(maxsize=1024)
def chains_of(code) -> tuple[Chain, ...]:
    """Return the chains of reads in a function that begin outside of it."""
    first = code.co_varnames[0] if code.co_argcount else None
    found: dict[Chain, None] = {}
    current: Chain | None = None
    constant: Any = _MISSING
    for step in dis.get_instructions(code):
        name = step.opname
        if name in _GLOBALS or name in _CELLS or "LOAD_FAST" in name:
            if current is not None:
                found.setdefault(current)
            # Of two names that one instruction loads the last is read from.
            read = step.argval[-1] if isinstance(step.argval, tuple) else step.argval
            kind = "global" if name in _GLOBALS else "self" if read == first else "cell"
            local = kind == "cell" and name not in _CELLS
            current = None if local else Chain(kind, read, ())
        elif constant is not _MISSING and current is not None and not _subscripts(step):
            found.setdefault(current)  # a constant beside it: they are given to something
            current = None
        elif name in ("LOAD_ATTR", "LOAD_METHOD", "STORE_ATTR") and current is not None:
            current = current._replace(path=(*current.path, ("attr", step.argval)))
        elif name == "LOAD_CONST" and isinstance(step.argval, (str, int)):
            constant = step.argval
            continue
        elif current is not None and constant is not _MISSING and _subscripts(step):
            current = current._replace(path=(*current.path, ("item", constant)))
        elif name not in _NEUTRAL and current is not None:
            found.setdefault(current)
            current = None
        constant = _MISSING
    if current is not None:
        found.setdefault(current)
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):  # a lambda, a generator, a function within
            for chain in chains_of(inner):
                if chain.kind == "cell" and chain.name == first:
                    found.setdefault(chain._replace(kind="self"))
                elif chain.kind == "global" or chain.name in code.co_freevars:
                    found.setdefault(chain)
    return tuple(found)


def _subscripts(step) -> bool:
    return step.opname == "BINARY_SUBSCR" or (
        step.opname == "BINARY_OP" and step.argrepr.startswith("[")
    )
