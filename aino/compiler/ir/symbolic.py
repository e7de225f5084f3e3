"""SymbolicNumber: a Python number that may be another at the next call of a compiled program."""

from __future__ import annotations

import math

import numpy as np

from aino.autograd.operands import dtype_beside
from aino.errors import CompileError


class FrozenNumberError(CompileError):
    """A number was turned into a plain one; ``origins`` names the entries it is computed from."""

    def __init__(self, message: str, origins: set[str]) -> None:
        super().__init__(message)
        self.origins = origins
        #: The arguments among them, by name.
        self.arguments: set[str] = set()


def literal(x) -> str:
    """Return a plain number as source."""
    if isinstance(x, float) and (x != x or x in (math.inf, -math.inf)):
        return "np.nan" if x != x else "np.inf" if x > 0 else "-np.inf"
    return repr(x)


def _source(x) -> str:
    return x.source if type(x) is SymbolicNumber else literal(x)


def _known(x):
    """Return an operand as one of Python's numbers, where it is one of NumPy's."""
    return x.item() if isinstance(x, (np.floating, np.integer)) else x


def _now(x):
    return x.now if type(x) is SymbolicNumber else x


def _binary(symbol: str, compute):
    def forward(self, other):
        other = _known(other)
        if not isinstance(other, (SymbolicNumber, int, float)):
            return NotImplemented
        source = f"({self.source} {symbol} {_source(other)})"
        parts = (symbol, self, other)
        return SymbolicNumber(self.trace, compute(self.now, _now(other)), source, parts)

    def reflected(self, other):
        other = _known(other)
        if not isinstance(other, (int, float)):
            return NotImplemented
        source = f"({literal(other)} {symbol} {self.source})"
        return SymbolicNumber(self.trace, compute(other, self.now), source, (symbol, other, self))

    return forward, reflected


def _comparison(symbol: str, compute):
    def compare(self, other):
        other = _known(other)
        if not isinstance(other, (SymbolicNumber, int, float)):
            return NotImplemented
        outcome = compute(self.now, _now(other))
        # The program is only right while this comparison comes out the same way.
        self.trace.guard(f"({self.source} {symbol} {_source(other)})", outcome)
        return outcome

    return compare


class SymbolicNumber:
    """A number with its value now and the expression that gives it at a later call.

    Arithmetic makes new expressions; a comparison becomes a guard of the program; what would
    freeze the value (``float(n)``, ``math.sqrt(n)``) raises ``CompileError``. ``parts``: what it is
    computed from, after the symbol of arithmetic, or "" for a function.
    """

    __slots__ = ("trace", "now", "source", "parts")

    def __init__(self, trace, now, source: str, parts: tuple = ()) -> None:
        self.trace = trace
        self.now = now
        self.source = source
        self.parts = parts

    __add__, __radd__ = _binary("+", lambda a, b: a + b)
    __sub__, __rsub__ = _binary("-", lambda a, b: a - b)
    __mul__, __rmul__ = _binary("*", lambda a, b: a * b)
    __truediv__, __rtruediv__ = _binary("/", lambda a, b: a / b)
    __floordiv__, __rfloordiv__ = _binary("//", lambda a, b: a // b)
    __mod__, __rmod__ = _binary("%", lambda a, b: a % b)
    __pow__, __rpow__ = _binary("**", lambda a, b: a**b)
    __lt__ = _comparison("<", lambda a, b: a < b)
    __le__ = _comparison("<=", lambda a, b: a <= b)
    __gt__ = _comparison(">", lambda a, b: a > b)
    __ge__ = _comparison(">=", lambda a, b: a >= b)
    __eq__ = _comparison("==", lambda a, b: a == b)
    __ne__ = _comparison("!=", lambda a, b: a != b)

    def __neg__(self):
        return SymbolicNumber(self.trace, -self.now, f"(-{self.source})", ("-", self))

    def __pos__(self):
        return self

    def __abs__(self):
        return SymbolicNumber(self.trace, abs(self.now), f"abs({self.source})", ("", self))

    def __bool__(self) -> bool:
        outcome = bool(self.now)
        self.trace.guard(f"bool({self.source})", outcome)
        return outcome

    def _frozen(self, *_, **__):
        raise FrozenNumberError(
            f"the number {self.source} changes from call to call, and turning it into a plain "
            f"{type(self.now).__name__} would freeze it; use +, -, *, / and ** on it"
            f"{self.trace.where()}",
            self._origins(),
        )

    def _origins(self) -> set[str]:
        """Return the names of the entries and arguments that the number is computed from."""
        parts = [part for part in self.parts[1:] if type(part) is SymbolicNumber]
        return set().union(*[part._origins() for part in parts]) if parts else {self.source}

    __float__ = __int__ = __index__ = __complex__ = _frozen

    __format__ = __str__ = __round__ = __trunc__ = __floor__ = __ceil__ = _frozen
    __hash__ = __divmod__ = __rdivmod__ = __array__ = _frozen

    @property  # type: ignore[misc]
    def __class__(self):
        """The type of the number that it stands for, so that ``isinstance(x, float)`` holds."""
        return type(self.now)

    def __array_ufunc__(self, ufunc, method, *inputs, **keywords):
        if method == "__call__" and all(
            isinstance(x, (SymbolicNumber, int, float)) for x in inputs
        ):
            now = ufunc(*[_now(x) for x in inputs]).item()
            text = ", ".join(_source(x) for x in inputs)
            return SymbolicNumber(
                self.trace, now, f"np.{ufunc.__name__}({text}).item()", ("", *inputs)
            )
        return self.trace.ufunc(ufunc, method, inputs, keywords.pop("out", None), keywords)

    @property
    def dtype(self):
        return np.dtype(type(self.now))

    def beside(self, like):
        """Return the tracer of a 0-d array that holds this number in the dtype of ``like``."""
        return self.trace.number_array(self, dtype_beside(self.now, like.dtype))

    def __repr__(self) -> str:
        return f"<number {self.source}, now {self.now}>"


class Mapping:
    """An optimizer's group in a trace: its numbers stand for themselves.

    Numbers read from it are expressions, other entries are plain; what is written back becomes
    an update that the program performs at its end.
    """

    def __init__(self, trace, container, label: str) -> None:
        self._trace = trace
        self._container = container
        self._label = label

    def _live(self, value, source: str):
        if type(value) in (float, int):
            return SymbolicNumber(self._trace, value, source)
        if isinstance(value, (np.floating, np.integer)):
            kind = float if isinstance(value, np.floating) else int
            return SymbolicNumber(self._trace, kind(value), f"{kind.__name__}({source})")
        numbers = (float, int, np.floating, np.integer)
        if type(value) in (tuple, list) and value and all(isinstance(x, numbers) for x in value):
            return tuple(self._live(x, f"{source}[{i}]") for i, x in enumerate(value))
        self._trace.guard_entry(self._container, source, value)
        return value

    def __getitem__(self, key):
        written = self._trace.written_number(self._container, key)
        if written is not None:
            return written
        value = dict.__getitem__(self._container, key)
        return self._live(value, f"{self._label}[{key!r}]")

    def get(self, key, default=None):
        return self[key] if key in self._container else default

    def __contains__(self, key) -> bool:
        return key in self._container

    def __setitem__(self, key, value) -> None:
        if isinstance(value, SymbolicNumber):
            self._trace.write_number(self._container, key, value)
        else:
            self._trace.set_entry(self._container, key, value)
