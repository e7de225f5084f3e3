"""What stands in an array's place in a transform: what all such ducks share.

A duck answers NumPy (NEP 13 and 18) for its level, and refuses what would show one value where
there are many. A kernel or a rule that meets such a refusal has not been written for ducks: the
call path and the backward walk then ask the duck of the youngest level to compute it in another
way (``compute``, ``pull_back``).
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from aino.autograd.levels import Level, LevelShape, levels_of, running
from aino.autograd.memory import owner
from aino.autograd.mode import mode
from aino.autograd.node import Cotangents, Leaf, SparseCotangent
from aino.autograd.tensor import Tensor
from aino.errors import LevelError, TransformError
from aino.pytree import is_plain, parts_of


def _refused(what: str, advice: str):
    def refuse(self, *_, **__):
        self.check_alive()
        raise LevelError(f"{what} inside {self.level.name}: {advice}")

    return refuse


_MANY = "there are as many values as the transform goes over, and none of them is the one"
_BRANCH = f"{_MANY}; choose with aino.where, which takes both ways"


class Duck(np.lib.mixins.NDArrayOperatorsMixin):
    """Base of the arrays of transforms. ``level``: the level that it is of."""

    __slots__ = ()
    level: Level
    shape: LevelShape
    strides: Any

    @property
    def shadow(self) -> np.ndarray:
        """The NumPy memory underneath, which carries the stamps of writes."""
        raise AssertionError

    @property
    def base(self) -> Any:
        """What owns the memory, never None: views are known, and gradients copied."""
        return owner(self.shadow)

    # What NumPy asks. Of ducks of one class it asks the first alone, whatever their levels.

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **keywords):
        duck = self
        for x in inputs if out is None else (*inputs, *out):
            if isinstance(x, Duck):
                if x.level.tick > duck.level.tick:
                    duck = x
            elif isinstance(x, Tensor) or type(x) is SparseCotangent:
                return NotImplemented
        duck.check_alive()
        return duck.answer_ufunc(ufunc, method, inputs, out, keywords)

    def __array_function__(self, function, types, arguments, keywords):
        if any([issubclass(kind, Tensor) for kind in types]):
            return NotImplemented
        duck = youngest((arguments, keywords))
        duck.check_alive()
        keywords = {key: value for key, value in keywords.items() if value is not np._NoValue}
        return duck.answer_function(function, arguments, keywords)

    def answer_ufunc(self, ufunc, method: str, inputs, out, keywords) -> Any:
        """Apply a ufunc, or one of its methods; ``out`` is None or a tuple."""
        raise AssertionError

    def answer_function(self, function, arguments, keywords) -> Any:
        """Apply a function of NumPy's."""
        raise AssertionError

    # What a kernel, a rule or a check asks that was not written for ducks

    def compute(self, declared, arrays, parameters, error):
        """Return what a primitive's kernel gives, which could not take ducks as they are."""
        raise error

    def pull_back(self, node, inputs, saved, g, recorded: bool, error):
        """Return a node's cotangents, which its rules could not compute of ducks as they are."""
        raise error

    def picked_from(self, table, index) -> Any:
        """Return ``table[index]``, where this is of the index, and the table may be plain."""
        raise LevelError(f"a subscript inside {self.level.name} takes plain arrays")

    def through(self, function) -> Any:
        """Return a duck over ``function(held, shift)`` of what this one holds.

        ``shift``: how many axes what it holds has before those that it shows.
        """
        raise AssertionError

    def elementwise(self, kernel, inputs) -> Any:
        """Return what a kernel gives that NumPy can't see into, and that is elementwise."""
        raise LevelError(f"{kernel.__name__} takes plain arrays, one element at a time")

    def opaque(self, kernel, arguments) -> Any:
        """Return what a kernel gives that NumPy can't see into."""
        raise LevelError(f"{kernel.__name__} takes plain arrays")

    def still(self) -> Any:
        """Return what this is without tangents."""
        return self

    def checked(self, check, arguments) -> None:
        """Run a check of values, which raises where they are wrong, on all that ducks hold."""
        raise LevelError(f"{check.__name__} looks at plain arrays")

    def check_alive(self) -> None:
        """Raise where the level has ended; a backward pass may still go through what it left."""
        if not self.level.alive and not mode.walking:
            raise leaked(self.level)

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of a 0-d tensor")
        return self.shape[0]

    def __iter__(self):
        array: Any = self
        return (array[i] for i in range(len(self)))

    __array__ = _refused("a NumPy array was asked for", f"{_MANY}; use the operations of AINO")
    __bool__ = _refused("if, while, and, or, not need one value", _BRANCH)
    __float__ = _refused("float() needs one value", _MANY)
    __int__ = _refused("int() needs one value", _MANY)
    __index__ = _refused("an index or a count needs one value", _MANY)
    __complex__ = _refused("complex() needs one value", _MANY)
    __contains__ = _refused("`in` needs one value", _BRANCH)
    item = _refused("item() needs one value", _MANY)
    tolist = _refused("tolist() needs one value", _MANY)
    tobytes = _refused("tobytes() needs one value", _MANY)
    __hash__ = None  # type: ignore[assignment]


def leaked(level: Level) -> TransformError:
    """Return the error for a tensor that is used after its level has ended."""
    return TransformError(
        f"a tensor that {level.name} made inside is used after {level.name} has ended; return it "
        "from the function instead of keeping it elsewhere"
    )


def of_duck(name: str, array, value, error: Exception) -> Exception:
    """Return the error for a write of a duck into memory that has room for one value."""
    duck = youngest((value,))
    if duck is None or isinstance(array, Duck):
        return error
    if moves(duck):
        return LevelError(
            f"{name} inside {duck.level.name} writes values that have tangents into a tensor of "
            f"shape {tuple(array.shape)} that has none, and no room for them; use the form that "
            "makes a new tensor, or start from one with tangents, as zeros_like of an argument is"
        )
    return LevelError(
        f"{name} inside {duck.level.name} writes a value for each sample into a tensor of shape "
        f"{tuple(array.shape)} that is not batched, which has room for one; use the form that "
        "makes a new tensor, or start from one that is batched, as zeros_like of an argument is"
    )


def youngest(values) -> Any:
    """Return the duck of the youngest level in nested values and tensors, None where none is."""
    found: Any = None
    for value in values:
        if isinstance(value, Tensor):
            value = value.array
        if is_plain(value):
            value = youngest(parts_of(value))
        elif type(value) is Cotangents:
            value = youngest(value.parts.values())
        if isinstance(value, Duck) and (found is None or value.level.tick > found.level.tick):
            found = value
    return found


def elementwise(kernel):
    """Return an elementwise kernel of plain arrays as one that takes ducks, too."""

    @functools.wraps(kernel)
    def call(*inputs):
        for x in inputs:
            if isinstance(x, Duck):
                return youngest(inputs).elementwise(call, inputs)
        return kernel(*inputs)

    return call


def still(array):
    """Return the values that an array stands for, without their tangents.

    For what has no slope: an index, a comparison, a count.
    """
    return array.still() if isinstance(array, Duck) else array


def moves(array) -> bool:
    """Tell whether an array has a tangent."""
    return isinstance(array, Duck) and array.still() is not array


def looked_up(table, index):
    """Return ``table[index]``, where arrays in the index may be ducks and the table none."""
    duck = youngest((index,))
    if duck is None:
        return table[index]
    if isinstance(table, Duck) and table.level.tick > duck.level.tick:
        return table.through(lambda held, _: looked_up(held, index))
    return duck.picked_from(table, index)


def computed(declared, error, arrays, parameters):
    """Return what a primitive gives whose kernel has refused a duck, or raise the refusal."""
    duck = youngest((arrays, parameters))
    if duck is None:
        raise error
    return duck.compute(declared, arrays, parameters, error)


def pulled_back(node, inputs, saved, g, recorded: bool, error):
    """Return the cotangents of a node whose rules have refused a duck, or raise the refusal."""
    duck = youngest((g, saved or ()))
    if duck is None:
        raise error
    return duck.pull_back(node, inputs, saved, g, recorded, error)


def arrived(node, cotangent, sums: bool = False):
    """Return what arrived for a node as its rules may see it.

    Slices are put in place, NumPy's scalars become arrays, and a cotangent is settled: where
    the node's value has no part in a level that has ended, neither has its cotangent. With
    ``sums`` a leaf is about to sum it into its ``grad``, which no running level may reach.
    """
    if type(cotangent) is SparseCotangent:
        return cotangent.dense()
    if isinstance(cotangent, np.generic):
        return np.asarray(cotangent)
    if type(cotangent) is Cotangents:
        return cotangent
    levels = levels_of(cotangent.array if isinstance(cotangent, Tensor) else cotangent)
    if not levels or running.unsettled:
        return cotangent
    own = levels_of(node.shape)
    for level in levels:
        if level not in own and level.settles(cotangent):
            cotangent = level.settled(cotangent)
    if sums and type(node) is Leaf:
        _check_reach(node, cotangent)
    return cotangent


def added(node, first, second, total=None):
    """Return the sum of two cotangents of a node, each settled before.

    ``total`` is their sum as they are, which stands where there was nothing to settle.
    """
    if total is not None and (isinstance(total, np.generic) or type(total) is SparseCotangent):
        return total
    settled = arrived(node, first), arrived(node, second)
    if total is not None and settled[0] is first and settled[1] is second:
        return total
    return settled[0] + settled[1]


def _check_reach(leaf, cotangent) -> None:
    """Raise where a backward pass inside a running level would sum into a leaf from outside."""
    own = levels_of(leaf.shape)
    for level in levels_of(cotangent.array if isinstance(cotangent, Tensor) else cotangent):
        if level not in own:
            raise TransformError(
                f"backward() inside {level.name} reaches a tensor of shape {tuple(leaf.shape)} "
                f"from outside, whose grad can't hold the values of {level.name}; use "
                "aino.func.grad or aino.autograd.grad, and return the gradient"
            )
