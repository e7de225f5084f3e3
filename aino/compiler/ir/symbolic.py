"""SymbolicNumber: a Python number that may be another at the next call of a compiled program."""

from __future__ import annotations

import math
import re
import weakref

import numpy as np

from aino.autograd.operands import dtype_beside
from aino.errors import CompileError
from aino.tracing import unheard


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


#: From how many letters on an expression has a name: else it would double with each squaring.
_LONG = 400
_NAMED = re.compile(r"number_[0-9a-f]{16}")


def named_numbers(definitions: dict[str, str], texts) -> list[tuple[str, str]]:
    """Return the long expressions that stand in texts by their names, those first that others need.

    ``definitions``: all that there are, in the order in which they were made.
    """
    needed: set[str] = set()
    found = [name for text in texts for name in _NAMED.findall(text)]
    while found:
        name = found.pop()
        if name not in needed:
            needed.add(name)
            found += _NAMED.findall(definitions[name])
    return [item for item in definitions.items() if item[0] in needed]


def _known(x):
    """Return an operand as one of Python's numbers, where it is one of NumPy's."""
    return x.item() if isinstance(x, (np.floating, np.integer)) else x


def _now(x):
    return x.now if type(x) in (SymbolicNumber, ReadNumber) else x


def _binary(symbol: str, compute):
    @unheard
    def forward(self, other):
        other = _known(other)
        if type(other) is ReadNumber or not isinstance(other, (SymbolicNumber, int, float)):
            return NotImplemented
        source = f"({self.source} {symbol} {_source(other)})"
        parts = (symbol, self, other)
        return SymbolicNumber(self.trace, compute(self.now, _now(other)), source, parts)

    @unheard
    def reflected(self, other):
        other = _known(other)
        if type(other) is ReadNumber or not isinstance(other, (int, float)):
            return NotImplemented
        source = f"({literal(other)} {symbol} {self.source})"
        return SymbolicNumber(self.trace, compute(other, self.now), source, (symbol, other, self))

    return forward, reflected


def _whole(symbol: str, compute):
    """Return an operator of whole numbers, and its reflection."""
    forward, reflected = _binary(symbol, compute)

    def of_integers(method):
        def call(self, other):
            both = (self.now, _now(_known(other)))
            return method(self, other) if all(type(x) in (int, bool) for x in both) else (
                NotImplemented)  # fmt: skip

        return call

    return of_integers(forward), of_integers(reflected)


def _comparison(symbol: str, compute):
    @unheard
    def compare(self, other):
        other = _known(other)
        if type(other) is ReadNumber or not isinstance(other, (SymbolicNumber, int, float)):
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
    computed from, after the symbol of arithmetic, or a function's text with braces for operands.
    """

    __slots__ = ("trace", "now", "source", "parts")

    def __new__(cls, trace, now, source: str, parts: tuple = ()):
        """Return the number as it is to another thread, and when the trace is over."""
        return object.__new__(cls) if trace.is_here() else now

    def __init__(self, trace, now, source: str, parts: tuple = ()) -> None:
        self.trace = trace
        self.now = now
        self.source = source if len(source) < _LONG else trace.name_number(source)
        self.parts = parts

    __add__, __radd__ = _binary("+", lambda a, b: a + b)
    __sub__, __rsub__ = _binary("-", lambda a, b: a - b)
    __mul__, __rmul__ = _binary("*", lambda a, b: a * b)
    __truediv__, __rtruediv__ = _binary("/", lambda a, b: a / b)
    __floordiv__, __rfloordiv__ = _binary("//", lambda a, b: a // b)
    __mod__, __rmod__ = _binary("%", lambda a, b: a % b)
    _pow, __rpow__ = _binary("**", lambda a, b: a**b)
    __lshift__, __rlshift__ = _whole("<<", lambda a, b: a << b)
    __rshift__, __rrshift__ = _whole(">>", lambda a, b: a >> b)
    __and__, __rand__ = _whole("&", lambda a, b: a & b)
    __or__, __ror__ = _whole("|", lambda a, b: a | b)
    __xor__, __rxor__ = _whole("^", lambda a, b: a ^ b)
    __lt__ = _comparison("<", lambda a, b: a < b)
    __le__ = _comparison("<=", lambda a, b: a <= b)
    __gt__ = _comparison(">", lambda a, b: a > b)
    __ge__ = _comparison(">=", lambda a, b: a >= b)
    __eq__ = _comparison("==", lambda a, b: a == b)
    __ne__ = _comparison("!=", lambda a, b: a != b)

    def __pow__(self, other, modulo=None):
        if modulo is None:
            return self._pow(other)
        if not all(type(_now(_known(x))) in (int, bool) for x in (self, other, modulo)):
            raise TypeError("pow() 3rd argument not allowed unless all arguments are integers")
        text = ", ".join(_source(_known(x)) for x in (self, other, modulo))
        now = pow(self.now, _now(_known(other)), _now(_known(modulo)))
        parts = ("pow({}, {}, {})", self, _known(other), _known(modulo))
        return SymbolicNumber(self.trace, now, f"pow({text})", parts)

    def __divmod__(self, other):
        return self // other, self % other

    def __rdivmod__(self, other):
        return other // self, other % self

    def __invert__(self):
        if type(self.now) is not int:
            raise TypeError(f"bad operand type for unary ~: '{type(self.now).__name__}'")
        return SymbolicNumber(self.trace, ~self.now, f"(~{self.source})", ("~", self))

    def conjugate(self):
        return self

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self

    real = property(lambda self: self)
    imag = property(lambda self: type(self.now)(0))

    def __getattr__(self, name: str):
        """Answer what else numbers have, such as ``bit_length``, for the number as it is now."""
        if name.startswith("__") or not hasattr(self.now, name):
            raise AttributeError(f"{type(self.now).__name__!r} object has no attribute {name!r}")
        self._refuse_freezing()
        return getattr(self.now, name)

    def __neg__(self):
        return SymbolicNumber(self.trace, -self.now, f"(-{self.source})", ("-", self))

    def __pos__(self):
        return self

    def __abs__(self):
        return SymbolicNumber(self.trace, abs(self.now), f"abs({self.source})", ("abs({})", self))

    def __bool__(self) -> bool:
        outcome = bool(self.now)
        self.trace.guard(f"bool({self.source})", outcome)
        return outcome

    def _refuse_freezing(self) -> None:
        """Raise, unless the number is what it is: for another thread, and after the trace."""
        if not self.trace.is_here():
            return
        raise FrozenNumberError(
            f"the number {self.source} changes from call to call, and turning it into a plain "
            f"{type(self.now).__name__} would freeze it; use +, -, *, / and ** on it"
            f"{self.trace.where()}",
            self._origins(),
        )

    def _origins(self) -> set[str]:
        """Return the names of the entries and arguments that the number is computed from."""
        numbers, found, seen = [self], set(), set()
        while numbers:
            number = numbers.pop()
            if id(number) in seen:
                continue
            seen.add(id(number))
            parts = [part for part in number.parts[1:] if type(part) is SymbolicNumber]
            numbers += parts
            if not parts:
                found.add(number.source)
        return found

    @property  # type: ignore[misc]
    def __class__(self):
        """The type of the number that it stands for, so that ``isinstance(x, float)`` holds."""
        return type(self.now)

    def __array__(self, *arguments, **keywords):
        self._refuse_freezing()
        return np.asarray(self.now, *arguments, **keywords)

    def __array_ufunc__(self, ufunc, method, *inputs, **keywords):
        if not self.trace.is_here():
            return getattr(ufunc, method)(*map(_now, inputs), **keywords)
        if method == "__call__" and all(
            isinstance(x, (SymbolicNumber, int, float)) for x in inputs
        ):
            now = ufunc(*[_now(x) for x in inputs]).item()
            form = f"np.{ufunc.__name__}({', '.join(['{}'] * len(inputs))}).item()"
            source = form.format(*map(_source, inputs))
            return SymbolicNumber(self.trace, now, source, (form, *inputs))
        return self.trace.ufunc(ufunc, method, inputs, keywords.pop("out", None), keywords)

    def beside(self, like):
        """Return the tracer of a 0-d array that holds this number in the dtype of ``like``."""
        if not self.trace.is_here():
            return np.array(self.now, dtype_beside(self.now, like.dtype))
        return self.trace.number_array(self, dtype_beside(self.now, like.dtype))


def _freezing(name: str):
    def method(self, *others):
        self._refuse_freezing()
        return getattr(self.now, name)(*[_now(other) for other in others])

    return method


for _name in ("float", "int", "index", "complex", "format", "str", "repr", "round", "trunc",
              "floor", "ceil", "hash"):  # fmt: skip
    setattr(SymbolicNumber, f"__{_name}__", _freezing(f"__{_name}__"))


def _reading(symbol: str, compute):
    """Return an operator of numbers that are read out, and its reflection."""

    def text(x) -> tuple:
        return x.text if type(x) is ReadNumber else (_source(x),)

    def forward(self, other):
        other = _known(other)
        if not isinstance(other, (int, float)) and type(other) is not ReadNumber:
            return NotImplemented
        parts = ("(", *text(self), f" {symbol} ", *text(other), ")")
        return ReadNumber(self.trace, compute(self.now, _now(other)), parts)

    def reflected(self, other):
        other = _known(other)
        if not isinstance(other, (int, float)):
            return NotImplemented
        parts = ("(", *text(other), f" {symbol} ", *text(self), ")")
        return ReadNumber(self.trace, compute(_now(other), self.now), parts)

    return forward, reflected


class ReadNumber:
    """A number that ``item()`` has read out of a tensor in a trace, to be returned.

    Arithmetic makes new ones; whatever else needs the number as it is raises ``CompileError``
    while the trace runs. ``text``: the expression that gives it after the program's end, in
    pieces: strings, and the regions it is read from. When the trace is over it is its value.
    """

    __slots__ = ("trace", "now", "text", "__weakref__")

    def __init__(self, trace, now, text: tuple) -> None:
        self.trace = trace
        self.now = now
        self.text = text
        trace.numbers_read.append(weakref.ref(self))

    __add__, __radd__ = _reading("+", lambda a, b: a + b)
    __sub__, __rsub__ = _reading("-", lambda a, b: a - b)
    __mul__, __rmul__ = _reading("*", lambda a, b: a * b)
    __truediv__, __rtruediv__ = _reading("/", lambda a, b: a / b)

    def __neg__(self):
        return ReadNumber(self.trace, -self.now, ("(-", *self.text, ")"))

    def __round__(self, digits=None):
        after = "" if digits is None else f", {digits!r}"
        return ReadNumber(self.trace, round(self.now, digits), ("round(", *self.text, f"{after})"))

    @property  # type: ignore[misc]
    def __class__(self):
        """The type of the number, so that ``isinstance(x, float)`` holds."""
        return type(self.now)

    def _needed(self, what: str, advice: str):
        if not self.trace.over:
            raise CompileError(
                f"{what} reads a value that is only known when the program runs; {advice}"
                f"{self.trace.where()}"
            )
        return self.now

    def __getattr__(self, name: str):
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._needed("item()", _RETURN), name)


_RETURN = "return the tensor, or the number, and read it outside the compiled function"
_BRANCH = "use aino.where, or branch outside the compiled function"


def _plain(name: str, what: str, advice: str = _RETURN):
    def method(self, *others):
        now = self._needed(what, advice)
        return getattr(now, name)(*[_now(other) for other in others])

    return method


for _name in ("lt", "le", "gt", "ge", "eq", "ne", "bool"):
    setattr(ReadNumber, f"__{_name}__", _plain(f"__{_name}__", "if, while, and, or, not", _BRANCH))
for _name in ("float", "int", "index", "complex", "hash", "str", "repr", "format", "pow", "rpow",
              "mod", "rmod", "floordiv", "rfloordiv", "divmod", "rdivmod", "abs", "trunc", "floor",
              "ceil", "pos"):  # fmt: skip
    setattr(ReadNumber, f"__{_name}__", _plain(f"__{_name}__", "item()"))
ReadNumber.__array__ = _plain("__array__", "item()")  # type: ignore[attr-defined]
ReadNumber.__array_ufunc__ = None  # type: ignore[attr-defined]


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

    @unheard
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
