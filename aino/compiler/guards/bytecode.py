"""What a function reads from outside, as its bytecode says: chains such as ``self.cfg["k"]``.

Needs the standard library alone. Bytecode is another in each version of Python; ``UNDERSTOOD``
tells whether what is read here of functions that are known comes out right.
"""

from __future__ import annotations

import dis
import functools
import sys
import types
from typing import Any, NamedTuple

_MISSING: Any = object()
_GLOBALS = ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS")
_CELLS = ("LOAD_DEREF", "LOAD_CLASSDEREF", "LOAD_FROM_DICT_OR_DEREF")
_ATTRIBUTES = (
    "LOAD_ATTR", "LOAD_METHOD", "STORE_ATTR", "DELETE_ATTR", "IMPORT_FROM", "LOAD_SUPER_ATTR"
)  # fmt: skip
_NEUTRAL = ("PUSH_NULL", "PRECALL", "CACHE", "COPY", "NOP", "EXTENDED_ARG", "NOT_TAKEN")
_CALLS = ("CALL", "CALL_FUNCTION_EX", "CALL_KW")
_SMALL = ("LOAD_SMALL_INT", "LOAD_CONST", "LOAD_CONST_IMMORTAL", "LOAD_CONST_MORTAL")
#: What reads attributes by names that are computed, or all of them.
_REFLECTIVE = {
    "getattr", "hasattr", "setattr", "delattr", "vars", "dir", "eval", "exec", "attrgetter",
    "methodcaller", "__dict__", "__getattribute__", "asdict", "astuple", "replace", "copy",
    "deepcopy", "dumps", "pformat", "repr", "str", "format", "print", "pickle",
}  # fmt: skip


class Chain(NamedTuple):
    """A name and what is read from it: ``("attr", name)`` and ``("item", key)``, in order.

    ``kind``: "global", "cell", "local" or "import". ``wrapped``: it is given, as the one argument,
    to the last name of the chain ``wrapped`` before it.
    """

    kind: str
    name: Any
    path: tuple[tuple[str, Any], ...] = ()
    wrapped: str = ""


class Summary(NamedTuple):
    """What a code object says of its reads.

    ``loose``: attributes of what is no name, such as ``type(self).k``. ``reflective``: attributes
    may be read by names that are computed. ``types``: locals whose very type is asked, with ""
    for what is read by a chain, and None for anything else.
    """

    chains: tuple[Chain, ...]
    loose: frozenset[str]
    reflective: bool
    types: frozenset[str | None]
    stored: frozenset[str]


class _Scan:
    """One pass over the instructions of a function."""

    def __init__(self, code) -> None:
        self.code = code
        self.found: dict[Chain, None] = {}
        self.loose: set[str] = set()
        self.types: set[str | None] = set()
        self.stored: set[str] = set()
        self.current: Chain | None = None
        self.before: Chain | None = None
        self.constants: list[Any] = []
        self.types_open = 0

    def end(self, step=None) -> None:
        """Take the chain so far as read to its end."""
        chain, before = self.current, self.before
        self.before = chain
        self.current = None
        if chain is None:
            return
        if step is not None and step.opname in _CALLS and step.arg == 1 and before is not None:
            called = before.path[-1][1] if before.path else before.name
            chain = chain._replace(wrapped=str(called))
            if called == "type" and not before.path:
                self.types_open -= 1
                self.types.add(chain.name if chain.kind != "global" and not chain.path else "")
        self.found.setdefault(chain)

    def begin(self, kind: str, name) -> None:
        self.end()
        self.current = Chain(kind, name)
        if (kind, name) == ("global", "type"):
            self.types_open += 1  # until it is seen what it is given

    def see(self, step) -> None:
        name = step.opname
        constants, self.constants = self.constants, []
        if name in _GLOBALS:
            self.begin("global", step.argval)
        elif name in _CELLS:
            kind = "cell" if step.argval in self.code.co_freevars else "local"
            self.begin(kind, step.argval)
        elif name == "STORE_GLOBAL" or (
            name == "STORE_DEREF" and step.argval in self.code.co_freevars
        ):
            self.begin("global" if name == "STORE_GLOBAL" else "cell", step.argval)
            self.end()
            self.stored.add(step.argval)
        elif name.startswith("STORE_FAST") or name == "STORE_DEREF":
            self.end()
            names = step.argval if isinstance(step.argval, tuple) else (step.argval,)
            self.stored.update(names if name != "STORE_FAST_LOAD_FAST" else names[:1])
            if name == "STORE_FAST_LOAD_FAST":
                self.begin("local", names[1])
        elif name.startswith("LOAD_FAST") and name != "LOAD_FAST_AND_CLEAR":
            names = step.argval if isinstance(step.argval, tuple) else (step.argval,)
            for local in names:
                self.begin("local", local)
        elif name in _SMALL:
            self.constants = [*constants, step.argval]
        elif name == "IMPORT_NAME":
            self.end()
            level = constants[-2] if len(constants) > 1 else 0
            whole = bool(constants[-1]) if constants else False
            self.current = Chain("import", (step.argval, level, whole))
        elif constants and self.current is not None and _subscripts(step):
            self.current = self.current._replace(path=(*self.current.path, ("item", constants[-1])))
            if name == "STORE_SUBSCR":
                self.end()
        elif name in _ATTRIBUTES:
            if name == "LOAD_SUPER_ATTR":
                self.loose.add(step.argval)
            if constants or self.current is None:
                self.end()
                self.loose.add(step.argval)
            elif name == "IMPORT_FROM":
                self.found.setdefault(
                    self.current._replace(path=(*self.current.path, ("attr", step.argval)))
                )
                return
            else:
                path = (*self.current.path, ("attr", step.argval))
                self.current = self.current._replace(path=path)
        elif name not in _NEUTRAL:
            given = self.current
            if constants and given is not None and name in _CALLS and step.arg in (1, 2):
                # environ.get("k"), getattr(self, "k")
                if given.path and given.path[-1] == ("attr", "get"):
                    self.found.setdefault(
                        given._replace(path=(*given.path[:-1], ("get", constants[0])))
                    )
                    self.current = self.before = None
                    return
            self.end(step if not constants else None)
        elif constants:
            self.constants = constants

    def summary(self) -> Summary:
        for step in dis.get_instructions(self.code):
            self.see(step)
        self.end()
        if self.types_open:
            self.types.add(None)
        names = {*self.code.co_names}
        attributes = {key for chain in self.found for kind, key in chain.path if kind == "attr"}
        reflective = bool(names & _REFLECTIVE) or bool(attributes & {"__dict__"})
        matches = any(step.opname == "MATCH_CLASS" for step in dis.get_instructions(self.code))
        texts = [c for c in self.code.co_consts if isinstance(c, str) and c.isidentifier()]
        loose = self.loose | (set(texts) if reflective else set())
        return Summary(
            tuple(self.found), frozenset(loose), reflective or matches, frozenset(self.types),
            frozenset(self.stored),
        )  # fmt: skip


@functools.lru_cache(maxsize=4096)
def summary_of(code) -> Summary:
    """Return what a function's bytecode says of what it reads from outside."""
    return _Scan(code).summary()


def _subscripts(step) -> bool:
    return step.opname in ("BINARY_SUBSCR", "DELETE_SUBSCR", "STORE_SUBSCR") or (
        step.opname == "BINARY_OP" and step.argrepr.startswith("[")
    )


def codes_within(code) -> list:
    """Return the code of the functions that are written inside of a function, at any depth."""
    found = []
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            found += [inner, *codes_within(inner)]
    return found


# Whether this Python is understood


_KNOWN = """
def known(self, a):
    from math import pi

    def inside(b):
        return b * a.scale + self.deep

    c = self.cfg["k"].value + _MISSING.one.two[3]
    for part in self.parts:
        c += part.weight
    return inside(c) + type(self).shared + a.method(self.last, c).of_result + pi
"""

_EXPECTED = {
    Chain("local", "self", (("attr", "cfg"), ("item", "k"), ("attr", "value"))),
    Chain("global", "_MISSING", (("attr", "one"), ("attr", "two"), ("item", 3))),
    Chain("local", "self", (("attr", "parts"),)),
    Chain("local", "self", (("attr", "last"),)),
    Chain("local", "part", (("attr", "weight"),)),
    Chain("import", ("math", 0, True), (("attr", "pi"),)),
}


def _understood() -> bool:
    """Tell whether a function that is known is read as it is written."""
    try:
        whole = codes_within(compile(_KNOWN, "<known>", "exec"))
        summary, inner = (_Scan(code).summary() for code in whole)
        cells = {chain[:3] for chain in inner.chains}
    except Exception:
        return False
    found = {chain._replace(wrapped="") for chain in summary.chains}
    return (
        found >= _EXPECTED
        and {"shared", "of_result"} <= summary.loose
        and summary.types == {"self"}
        and {("cell", "a", (("attr", "scale"),)), ("cell", "self", (("attr", "deep"),))} <= cells
    )


#: The versions whose bytecode is read; a later one is, once it has been tried.
UNDERSTOOD: bool = (3, 11) <= sys.version_info[:2] <= (3, 13) and _understood()
