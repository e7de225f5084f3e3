"""Compiled steps that outlive a fit: a search over a hundred small networks traces one of them.

A template is a network of its own with an optimizer and a step. A fit of another network of the
same structure borrows it: the weights move into the template's memory, the step learns there, and
they move back. While it is borrowed, nobody else has it.
"""

from __future__ import annotations

import copy
import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from aino.autograd.memory import stamp_write
from aino.compiler.compiled import compile
from aino.nn.base.hooks import has_hooks
from aino.nn.modules.perceptron import Layer
from aino.train import paying

#: How many templates are kept, and how many weights they may have: for a large network the tracing
#: is nothing beside the learning.
_KEPT, _LARGEST = 8, 1 << 18
#: So many calls of a program are traces, as long as these agree.
_TRACES = 2
#: In a fit of so many steps a trace takes about a third of the time.
_ROOM_FOR_A_TRACE = 75


class KeptStep:
    """A step that is compiled as soon as that has paid for itself, over several fits if need be.

    A fit with many steps before it traces at once. Short ones trace when there have been as many
    steps in all, and each of them only one call: so none takes much longer than the others. The
    shortest, which a trace would double, never do.

    Arguments:
        function: the step as it is.
        name: what a warning calls it.
    """

    def __init__(self, function: Callable[..., Any], name: str) -> None:
        self.function = function
        self.program: Any = compile(function, name=name)
        #: By the number of samples: how often the step was called, and how often as a program.
        self.calls: Counter[int] = Counter()
        self.traces: Counter[int] = Counter()
        self.begin(0)

    def begin(self, steps: int) -> None:
        """Begin a fit of so many steps."""
        self.pays = steps >= paying.WORTH_COMPILING
        self.left = _TRACES if self.pays else int(steps >= _ROOM_FOR_A_TRACE)

    def __call__(self, *batch: Any) -> Any:
        size = len(batch[0].array)
        if self.traces[size] >= _TRACES:
            return self.program(*batch)
        calls = self.calls[size] = self.calls[size] + 1
        # In the first call of all the optimizer makes its state.
        worth = (
            self.pays and calls > 1 and size == self.usual(size)
        ) or calls > paying.WORTH_COMPILING
        if not worth or not self.left:
            return self.function(*batch)
        self.left -= 1
        self.traces[size] += 1
        return self.program(*batch)

    def many(self, batches: list[tuple]) -> list[Any]:
        """Learn from one batch after the other; those that have a program in one call."""
        if all(self.traces[len(batch[0].array)] >= _TRACES for batch in batches):
            return self.program.many(batches)
        return [self(*batch) for batch in batches]

    def usual(self, size: int) -> int:
        """Return how many samples most steps look at: the smaller rest of an epoch is another."""
        return self.calls.most_common(1)[0][0]


class Template(NamedTuple):
    """Layers, what updates them, the step in which they learn from a batch, its learning rate."""

    layers: Any
    optimizer: Any
    step: Any
    rate: float


_templates: OrderedDict[Hashable, Template] = OrderedDict()
_lock = threading.Lock()


def forget() -> None:
    """Forget all templates: the next fits trace their steps anew."""
    with _lock:
        _templates.clear()


def structure_of(layers: Any) -> Hashable | None:
    """Return what layers with the same step have in common; None where they need one of their own.

    Hooks, frozen or shared weights and layers of other classes do.
    """
    structure: list[Hashable] = []
    parameters: list[Any] = []
    for layer in layers:
        if type(layer) is not Layer or layer.norm is not None or has_hooks(layer):
            return None
        own = [layer.weight] if layer.bias is None else [layer.weight, layer.bias]
        parameters += own
        structure.append((layer.activation, layer.dropout, layer.weight.shape, len(own)))
    for parameter in parameters:
        if not parameter.requires_grad or parameter.node.extras is not None:
            return None
    alike = {parameter.array.dtype for parameter in parameters}
    shared = len({id(parameter) for parameter in parameters}) < len(parameters)
    if shared or len(alike) > 1 or sum(p.array.size for p in parameters) > _LARGEST:
        return None
    return (*structure, *alike)


@contextmanager
def borrowed(key: Hashable, layers: Any, make: Callable[[Any], Template]) -> Iterator[Template]:
    """Lend a template for a fit of these layers, whose weights are its own meanwhile.

    Arguments:
        key: what all fits of the same step have in common.
        layers: the layers that learn.
        make: makes a template of layers, where none is kept.
    """
    with _lock:
        template = _templates.pop(key, None)
    if template is None:
        template = make(copy.deepcopy(layers))
    pairs = list(zip(layers.parameters(), template.layers.parameters()))
    homes = [own.array for own, _ in pairs]
    for own, lent in pairs:
        np.copyto(lent.array, own.array)
        stamp_write(lent.array)
        own.array = lent.array
    try:
        yield template
    finally:
        for (own, lent), home in zip(pairs, homes):
            np.copyto(home, lent.array)
            stamp_write(home)
            own.array = home
            lent.grad = None
    with _lock:  # not after an error, which may have left a step half done
        _templates[key] = template
        while len(_templates) > _KEPT:
            _templates.popitem(last=False)
