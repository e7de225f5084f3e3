"""Compiled steps that outlive a fit: a search over a hundred small networks traces one of them.

A template is a network of its own with an optimizer and a step. A fit of another network of the
same structure borrows it: the weights move into the template's memory, the step learns there, and
they move back. While it is borrowed, nobody else has it.
"""

from __future__ import annotations

import copy
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from aino.autograd.memory import stamp_write
from aino.nn.base.hooks import has_hooks
from aino.nn.modules.perceptron import Layer

#: How many templates are kept, and how many weights they may have: for a large network the tracing
#: is nothing beside the learning.
_KEPT, _LARGEST = 8, 1 << 18


class Template(NamedTuple):
    """Layers, what updates them, the step in which they learn from a batch, its learning rate."""

    layers: Any
    optimizer: Any
    step: Callable[..., Any]
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
