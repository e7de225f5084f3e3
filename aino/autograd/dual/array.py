"""DualArray: an array with the direction in which it moves, which forward mode carries along.

What is linear in NumPy acts on both parts. All else is refused as it is, and then computed by
the primitive that asked: the tangent of a result follows from the rules that the primitive has
for reverse mode (``dual/tangents.py``).

The parts are arrays, tracers, batched arrays, or duals of an older level, so that transforms
nest and compile.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.autograd.dual.registry import FUNCTIONS, UFUNCS, computing
from aino.autograd.duck import Duck, looked_up, still, youngest
from aino.autograd.levels import Level, levels_of, merged, shape_of_levels
from aino.autograd.memory import owner
from aino.autograd.mode import mode
from aino.errors import LevelError
from aino.pytree import rebuild

ndarray = np.ndarray
_IN_PLACE = (np.add, np.subtract)


def _everywhere(x, levels):
    """Return a part of a dual in each sample that the other part is in.

    On the way back a cotangent is summed over the samples where its value is one for all of them:
    were one part so and the other not, what is summed would be counted once for each sample.
    """
    for level in levels:
        if level not in levels_of(x):
            x = level.everywhere(x)
    return x


class DualArray(Duck):
    """A value and its tangent, of one level.

    ``primal``: the value. ``tangent``: its derivative in the level's direction, of the same shape
    and dtype. ``returning``: whether it is the cotangent of a dual, on its way back: then its
    parts are crossed, the primal being the cotangent of the tangent, so that rules multiply it
    as they multiply any dual.
    """

    __slots__ = ("primal", "tangent", "level", "shape", "returning", "__weakref__")

    def __init__(self, primal, tangent, level: Level, returning: bool = False) -> None:
        held = levels_of(primal), levels_of(tangent)
        levels: tuple[Level, ...] = (level,)
        if any(held):
            levels = merged(levels, *held)
            if held[0] != held[1]:
                primal, tangent = (_everywhere(x, levels) for x in (primal, tangent))
        self.primal = primal
        self.tangent = tangent
        self.level = level
        self.returning = returning
        self.shape = shape_of_levels(primal.shape, levels)

    # What it is

    @property
    def dtype(self) -> np.dtype:
        return self.primal.dtype

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return self.primal.size

    @property
    def itemsize(self) -> int:
        return self.primal.itemsize

    @property
    def nbytes(self) -> int:
        return self.primal.nbytes

    @property
    def strides(self) -> tuple[int, ...]:
        return self.primal.strides

    @property
    def flags(self):
        return self.primal.flags

    @property
    def shadow(self) -> ndarray:
        primal = self.primal
        return primal if isinstance(primal, ndarray) else primal.shadow

    def through(self, function) -> Any:
        """Return the dual of what ``function`` makes of each part."""
        return of(self.level, function(self.primal, 0), function(self.tangent, 0), self.returning)

    def _each(self, function) -> Any:
        """Return the dual of what a linear function makes of each part."""
        self.check_alive()
        return of(self.level, function(self.primal), function(self.tangent), self.returning)

    def check_alive(self) -> None:
        """Raise where the level has ended, unless its tensors then are their values alone."""
        if not self.level.fades:
            super().check_alive()

    # The same memory

    @property
    def T(self) -> Any:
        return self._each(lambda x: x.T)

    @property
    def mT(self) -> Any:
        return self._each(lambda x: x.mT)

    @property
    def real(self) -> Any:
        return self._each(lambda x: x.real)

    @property
    def imag(self) -> Any:
        return self._each(lambda x: x.imag)

    def reshape(self, *shape, **options) -> Any:
        return self._each(lambda x: x.reshape(*shape, **options))

    def transpose(self, *axes) -> Any:
        return self._each(lambda x: x.transpose(*axes))

    def swapaxes(self, first, second) -> Any:
        return self._each(lambda x: x.swapaxes(first, second))

    def ravel(self, order="C") -> Any:
        return self._each(lambda x: x.ravel(order))

    def squeeze(self, axis=None) -> Any:
        return self._each(lambda x: x.squeeze(axis))

    def diagonal(self, *arguments) -> Any:
        return self._each(lambda x: _writable_as(x.diagonal(*arguments), x))

    def take(self, indices, axis=None) -> Any:
        return np.take(self, indices, axis)

    def repeat(self, repeats, axis=None) -> Any:
        return np.repeat(self, repeats, axis)

    def dot(self, other) -> Any:
        return np.dot(self, other)

    def sum(self, *arguments, **options) -> Any:
        return self._each(lambda x: x.sum(*arguments, **options))

    # Copies

    def astype(self, dtype, order="K", casting="unsafe", subok=True, copy=True) -> Any:
        self.check_alive()
        if not copy and self.dtype == dtype:
            return self
        return self._each(lambda x: x.astype(dtype))

    def copy(self, order="C") -> Any:
        self.check_alive()
        primal = self.primal.copy(order)
        tangent = leveled(self.tangent, primal).copy(order)
        return of(self.level, primal, tangent, self.returning)

    def conj(self) -> Any:
        return np.conjugate(self)

    conjugate = conj

    def fill(self, value) -> None:
        self[...] = value

    def __copy__(self) -> Any:
        return self.copy()

    def __deepcopy__(self, memo) -> Any:
        return self.copy()

    # Parts

    def __getitem__(self, index) -> Any:
        return self._each(lambda x: looked_up(x, index))

    def __setitem__(self, index, value) -> None:
        self.check_alive()
        other = youngest((value,))
        if other is not None and other.level.tick > self.level.tick:
            raise LevelError(
                f"a write inside {other.level.name} goes into a tensor that is not of it"
            )
        own = belongs(value, self.level)
        self.primal[index] = value.primal if own else value
        self.tangent[index] = value.tangent if own else 0

    # What Python asks is asked of the value; but NumPy asks for a float to write it into memory

    def __bool__(self) -> bool:
        return bool(self._value())

    def __int__(self) -> int:
        return int(self._value())

    def __index__(self) -> int:
        return self._value().__index__()

    def item(self) -> Any:
        return self._value().item()

    def tolist(self) -> Any:
        return self._value().tolist()

    def _value(self) -> Any:
        self.check_alive()
        return self.primal

    # What NumPy asks

    def answer_ufunc(self, ufunc, method: str, inputs, out, keywords):
        answer = UFUNCS.get((ufunc, method))
        if answer is None or (out is not None and not belongs(out[0], self.level)):
            raise self.no_tangent(f"np.{ufunc.__name__}")
        if out is None:
            return answer(self.level, ufunc, inputs, keywords)
        (target,) = out
        if ufunc in _IN_PLACE and inputs[0] is target and target.shape == np.broadcast_shapes(
            target.shape, np.shape(inputs[1])
        ):  # fmt: skip
            other = inputs[1]
            own = belongs(other, self.level)
            ufunc(target.primal, other.primal if own else other, out=target.primal)
            if own:
                ufunc(target.tangent, other.tangent, out=target.tangent)
            return target
        target[...] = answer(self.level, ufunc, inputs, keywords)
        return target

    def answer_function(self, function, arguments, keywords):
        answer = FUNCTIONS.get(function)
        if answer is None:
            raise self.no_tangent(f"np.{function.__name__}")
        return answer(self.level, function, arguments, keywords)

    def still(self) -> Any:
        self.check_alive()
        return still(self.primal)

    def opaque(self, kernel, arguments) -> Any:
        """Return what a kernel gives that has no slope: integers and booleans."""
        found = kernel(*part(arguments, self.level, False))
        if any([y.dtype.kind in "fc" for y in (found if isinstance(found, tuple) else (found,))]):
            raise self.no_tangent(kernel.__name__.strip("_"))
        return found

    def no_tangent(self, name: str) -> LevelError:
        """Return the error for what would lose the tangent."""
        return LevelError(
            f"{name} inside {self.level.name} is asked for outside of the operations of AINO, and "
            "what it makes of tangents is not known; func.vjp and double backward passes go "
            "through reverse mode alone"
        )

    def view(self, *arguments) -> Any:
        self.check_alive()
        if not (len(arguments) == 1 and np.dtype(arguments[0]).kind in "fc"):
            raise self.no_tangent("a view of bits")
        return self._each(lambda x: x.view(*arguments))

    def checked(self, check, arguments) -> None:
        computing.checked(check, *[part(x, self.level, False) for x in arguments])

    def compute(self, declared, arrays, parameters, error):
        self.check_alive()
        return computing.compute(self.level, declared, arrays, parameters)

    def pull_back(self, node, inputs, saved, g, recorded, error):
        return computing.pull_back(self.level, node, inputs, g, recorded, error)

    def __getattr__(self, name: str):
        raise AttributeError(
            f"an array inside {self.level.name} does not know the attribute {name!r}"
        )

    def __repr__(self) -> str:
        return f"<{self.level.name}: {self.primal!r}, tangent {self.tangent!r}>"


def _kept_from(what: str):
    def refuse(self, *_, **__):
        self.check_alive()
        raise LevelError(
            f"{what} inside {self.level.name}: the tangent would be lost; use the operations of "
            "AINO, or detach() where it may end"
        )

    return refuse


for _name, _what in {
    "__array__": "a NumPy array was asked for",
    "__float__": "a number was asked for",
    "__complex__": "a number was asked for",
    "tobytes": "the memory was asked for",
}.items():
    setattr(DualArray, _name, _kept_from(_what))


def belongs(x: Any, level: Level) -> bool:
    """Tell whether an operand is a dual of this level."""
    return isinstance(x, DualArray) and x.level is level


def of(level, primal, tangent, returning: bool = False):
    """Return a result and its tangent as one dual, or several; without a tangent, as it is."""
    if isinstance(primal, (tuple, list)):
        parts = [of(level, y, t, returning) for y, t in zip(primal, tangent)]
        return rebuild(type(primal), parts)
    if tangent is None or (level.fades and not level.alive and not mode.walking):
        return primal
    return DualArray(_array(primal), _array(tangent), level, returning)


def part(x, level: Level, tangents: bool) -> Any:
    """Return the values in nested operands, or their tangents: None for what has none."""
    if belongs(x, level):
        return x.tangent if tangents else x.primal
    if isinstance(x, (tuple, list)):
        return rebuild(type(x), [part(item, level, tangents) for item in x])
    return None if tangents else x


def duals_in(items, level: Level) -> list[DualArray]:
    """Return the duals of a level in nested operands."""
    found: list[DualArray] = []
    for item in items:
        if isinstance(item, DualArray):
            if item.level is level:
                found.append(item)
        elif isinstance(item, (tuple, list)):
            found += duals_in(item, level)
        elif isinstance(item, dict):
            found += duals_in(item.values(), level)
    return found


def apart(primal, tangent, sources):
    """Return a value and its tangent such that writes in place go to both alike.

    The tangent gets memory of its own where it shares that of a source, and both lie alike, so
    that what is a view of one is a view of the other.
    """
    primal, tangent = _array(primal), _array(tangent)
    if isinstance(primal, DualArray):
        tangent = leveled(tangent, primal)
    memory = _memory(tangent)
    if any([_memory(x) is memory for x in sources]):
        tangent = tangent.copy()
    if tangent.strides != primal.strides and primal.size:
        if not primal.flags.c_contiguous:
            primal = primal.copy()
        tangent = tangent.copy()
    return primal, tangent


def leveled(tangent, primal):
    """Return a tangent that can take in place whatever the value can: of all of its levels."""
    own = levels_of(tangent)
    if all([level in own for level in levels_of(primal)]):
        return tangent
    return tangent + np.zeros_like(primal)


def _array(x):
    """Return what NumPy gave as an array: it reduces to scalars."""
    return x if hasattr(x, "__array_ufunc__") and not isinstance(x, np.generic) else np.asarray(x)


def _writable_as(view, x):
    """Return NumPy's view of a diagonal, which is read-only, as one that can be written."""
    if type(view) is ndarray:
        view.flags.writeable = x.flags.writeable
    return view


def _memory(array):
    return owner(array if isinstance(array, ndarray) else array.shadow)


def any_returning(duals) -> bool:
    """Tell whether one of the duals is a cotangent on its way back."""
    return any([x.returning for x in duals])
