"""A model as it was found: what a call of it may change, kept, and put back."""

from __future__ import annotations

import contextlib
import copy
import random
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from aino.autograd.memory import stamp_write
from aino.autograd.node import Leaf
from aino.autograd.tensor import Tensor, make
from aino.nn.base.module import Module
from aino.nn.base.uninitialized import is_lazy
from aino.ops.random.generator import Generator, default_generator

#: Containers whose contents are kept; what else an attribute holds is kept as that object.
_CONTAINERS = (list, dict, set, deque, OrderedDict, defaultdict)


class Found:
    """All that the modules of a model hold, as it is now; ``put_back()`` makes it so again.

    The attributes of each module, modes included; the memory, the values, the history and the
    gradient of its parameters, its buffers and of other tensors; what is in its lists, dicts and
    sets; the state of its random generators. A lazy module becomes another one by its first call,
    and stays that.

    Arguments:
        model: the module.
        gradients: False leaves those of parameters as they come to be.
    """

    def __init__(self, model: Module, gradients: bool = True) -> None:
        self._attributes = [
            (vars(module), dict(vars(module)))
            for module in model.modules()
            if not any([is_lazy(x) for x in vars(module).values() if isinstance(x, Tensor)])
        ]
        values = [value for _, before in self._attributes for value in before.values()]
        self._containers = [(one, copy.copy(one)) for one in values if type(one) in _CONTAINERS]
        tensors = {
            id(x): x
            for x in (*model.parameters(), *model.buffers(), *values)
            if isinstance(x, Tensor) and not is_lazy(x)
        }
        self._tensors = [(x, x.array, x.node) for x in tensors.values()]
        self._gradients = [
            (x, x.grad) for x in tensors.values() if gradients and type(x.node) is Leaf
        ]
        held = [x for x in (*tensors.values(), *[g for _, g in self._gradients]) if x is not None]
        arrays = {id(x.array): x.array for x in held if type(x.array) is np.ndarray}
        self._values = [(array, array.copy()) for array in arrays.values()]
        self._draws = [(one, _state_of(one)) for one in values if _state_of(one) is not None]

    def put_back(self) -> None:
        """Put everything back that is not as it was."""
        for attributes, before in self._attributes:
            same = len(attributes) == len(before) and all(
                name in attributes and attributes[name] is value for name, value in before.items()
            )
            if not same:
                attributes.clear()
                attributes.update(before)
        for container, contents in self._containers:
            _fill(container, contents)
        for tensor, array, node in self._tensors:
            if tensor.array is not array:
                tensor.data = make(array)
            if tensor.node is not node:
                tensor.node = node
        for tensor, gradient in self._gradients:
            if tensor.grad is not gradient:
                tensor.grad = gradient
        for array, values in self._values:
            if not _same_bits(array, values):
                np.copyto(array, values)
                stamp_write(array)
        for generator, state in self._draws:
            _set_state(generator, state)


@contextlib.contextmanager
def as_found(model: Module) -> Iterator[None]:
    """Put a model back as it was found at the end of a ``with`` block, whatever happens in it."""
    found = Found(model)
    try:
        yield
    finally:
        found.put_back()


@contextlib.contextmanager
def random_as_found() -> Iterator[None]:
    """Put the random state back that AINO, NumPy and Python have: they draw as if nothing was."""
    own, python = default_generator.get_state(), random.getstate()
    arrays = np.random.get_state()  # noqa: NPY002 - what a user's model draws
    try:
        yield
    finally:
        default_generator.set_state(own)
        np.random.set_state(arrays)  # noqa: NPY002
        random.setstate(python)


def _fill(container: Any, contents: Any) -> None:
    """Let a container hold what it held, where it does not."""
    if isinstance(container, dict):
        now, before = [[*one.keys(), *one.values()] for one in (container, contents)]
    else:
        now, before = list(container), list(contents)
    if len(now) == len(before) and all(x is y for x, y in zip(now, before)):
        return
    container.clear()
    (container.extend if isinstance(container, (list, deque)) else container.update)(contents)


def _same_bits(array: np.ndarray, other: np.ndarray) -> bool:
    # Numbers would not do: NaN is not NaN, and -0 is 0.
    width = next(size for size in (8, 4, 2, 1) if not array.dtype.itemsize % size)
    bits = [np.ascontiguousarray(one).reshape(-1).view(f"u{width}") for one in (array, other)]
    return bool((bits[0] == bits[1]).all())


def _state_of(generator: Any) -> Any:
    if isinstance(generator, Generator):
        return generator.get_state()
    if isinstance(generator, random.Random):
        return generator.getstate()
    return generator.bit_generator.state if isinstance(generator, np.random.Generator) else None


def _set_state(generator: Any, state: Any) -> None:
    if isinstance(generator, np.random.Generator):
        generator.bit_generator.state = state
    else:
        put: Callable[[Any], None] = getattr(generator, "set_state", None) or generator.setstate
        put(state)
