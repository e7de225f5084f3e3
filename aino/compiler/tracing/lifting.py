"""While something is traced, reading a tensor's array gives its tracer instead.

``Tensor.array`` and ``Leaf.grad`` are slots; for the time of a trace they are properties that
ask the trace of the reading thread, and so are the entries of an optimizer's groups. Other
threads get what the slots and entries hold, as always.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from aino.autograd.levels import running
from aino.autograd.node import Leaf, Node
from aino.autograd.tensor import Tensor
from aino.optim.optimizer import Group
from aino.tracing import LazyGradient, session

#: Stands for "was never set".
UNTOUCHED: Any = object()

_ARRAY: Any = Tensor.__dict__["array"]
_GRAD: Any = Leaf.__dict__["grad"]
#: The slots that a program looks at and sets, as they are while something is traced, too.
SLOTS: dict[str, Any] = {
    "array": _ARRAY, "node": Tensor.__dict__["node"],
    "grad": _GRAD, "extras": Node.__dict__["extras"],
}  # fmt: skip


def slot_of(tensor: Tensor):
    """Return what a tensor really holds, tracer or array."""
    return _ARRAY.__get__(tensor)


def gradient_of(leaf: Leaf):
    """Return what a leaf's ``grad`` really holds; the trace does not count it as read."""
    return _GRAD.__get__(leaf)


def _held(slot, owner):
    try:
        return slot.__get__(owner)
    except AttributeError:
        return UNTOUCHED


def _get_array(tensor):
    array = _ARRAY.__get__(tensor)
    trace = session.trace
    if trace is None or (type(array) is not np.ndarray and getattr(array, "trace", None) is trace):
        return array
    return trace.lift_tensor(tensor, array)


def _set_array(tensor, array) -> None:
    trace = session.trace
    if trace is not None:
        before = _held(_ARRAY, tensor)
        if trace.is_place_of(array, before):
            return  # p.data += ...: it was written in place
        trace.born(tensor, array, before)
    _ARRAY.__set__(tensor, array)


def _get_grad(leaf):
    gradient = _GRAD.__get__(leaf)
    trace = session.trace
    if trace is None:
        return gradient
    if type(gradient) is LazyGradient:
        gradient = gradient.take()
        _GRAD.__set__(leaf, gradient)
    return trace.read_gradient(leaf, gradient)


def _set_grad(leaf, gradient) -> None:
    trace = session.trace
    if trace is not None:
        trace.set_gradient(leaf, _held(_GRAD, leaf))
    _GRAD.__set__(leaf, gradient)


def _get_entry(group, key):
    trace = session.trace
    return dict.__getitem__(group, key) if trace is None else trace.mapping(group)[key]


def _set_entry(group, key, value) -> None:
    trace = session.trace
    if trace is None:
        dict.__setitem__(group, key, value)
    else:
        trace.mapping(group)[key] = value


def _get_or(group, key, default=None):
    return _get_entry(group, key) if key in group else default


def _items(group):
    return [(key, _get_entry(group, key)) for key in group]


def _values(group):
    return [_get_entry(group, key) for key in group]


_ENTRIES = {"__getitem__": _get_entry, "__setitem__": _set_entry, "get": _get_or,
            "items": _items, "values": _values}  # fmt: skip


def _exchange(array, grad, lifted: bool) -> None:
    """Set what reads and writes arrays of tensors, gradients of leaves and entries of groups."""
    tensor_class: Any = Tensor
    leaf_class: Any = Leaf
    tensor_class.array, leaf_class.grad = array, grad
    for name, method in _ENTRIES.items():
        if lifted:
            setattr(Group, name, method)
        else:
            delattr(Group, name)


class Lifted:
    """The context in which the properties stand; several threads may be in it at once."""

    _lock = threading.Lock()
    _inside = 0

    def __init__(self, trace) -> None:
        self._trace = trace

    def __enter__(self) -> None:
        with Lifted._lock:
            Lifted._inside += 1
            if Lifted._inside == 1:
                _exchange(property(_get_array, _set_array), property(_get_grad, _set_grad), True)
        session.trace, session.as_it_is = self._trace, True

    def __exit__(self, *_) -> None:
        session.trace, session.as_it_is = None, bool(running.levels)
        with Lifted._lock:
            Lifted._inside -= 1
            if not Lifted._inside:
                _exchange(_ARRAY, _GRAD, False)
