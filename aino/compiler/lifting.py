"""While something is traced, reading a tensor's array gives its tracer instead.

``Tensor.array`` and ``Leaf.grad`` are slots; for the time of a trace they are properties that
ask the trace of the reading thread. Other threads get what the slots hold, as ever.
"""

from __future__ import annotations

import threading
from typing import Any

from aino.autograd.live import Pending, session
from aino.autograd.node import Leaf
from aino.autograd.tensor import Tensor

#: Stands for "was never set".
UNTOUCHED: Any = object()

_ARRAY: Any = Tensor.__dict__["array"]
_GRAD: Any = Leaf.__dict__["grad"]


def slot_of(tensor: Tensor):
    """Return what a tensor really holds, tracer or array."""
    return _ARRAY.__get__(tensor)


def _held(slot, owner):
    try:
        return slot.__get__(owner)
    except AttributeError:
        return UNTOUCHED


def _get_array(tensor):
    array = _ARRAY.__get__(tensor)
    trace = session.trace
    return array if trace is None else trace.lift_tensor(tensor, array)


def _set_array(tensor, array) -> None:
    trace = session.trace
    if trace is not None:
        trace.born(tensor, array, _held(_ARRAY, tensor))
    _ARRAY.__set__(tensor, array)


def _get_grad(leaf):
    gradient = _GRAD.__get__(leaf)
    trace = session.trace
    if trace is None:
        return gradient
    if type(gradient) is Pending:
        gradient = gradient.take()
        _GRAD.__set__(leaf, gradient)
    return trace.read_gradient(leaf, gradient)


def _set_grad(leaf, gradient) -> None:
    trace = session.trace
    if trace is not None:
        trace.set_gradient(leaf, _held(_GRAD, leaf))
    _GRAD.__set__(leaf, gradient)


def _exchange(array, grad) -> None:
    """Set what reads and writes the arrays of tensors and the gradients of leaves."""
    tensor_class: Any = Tensor
    leaf_class: Any = Leaf
    tensor_class.array, leaf_class.grad = array, grad


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
                _exchange(property(_get_array, _set_array), property(_get_grad, _set_grad))
        session.trace = self._trace

    def __exit__(self, *_) -> None:
        session.trace = None
        with Lifted._lock:
            Lifted._inside -= 1
            if not Lifted._inside:
                _exchange(_ARRAY, _GRAD)
