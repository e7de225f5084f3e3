"""Copies of leaves, and leaves in a pickle."""

from __future__ import annotations

import copy

import numpy as np

from aino.autograd.memory import owner
from aino.autograd.tensor import new
from aino.errors import GradientError


def rebuild(kind, array, requires_grad, grad):
    """Return a leaf of the class ``kind`` over ``array``."""
    result = new(kind)
    result.array = array
    result.node = None
    result.view_of = None
    if requires_grad:
        result.requires_grad_()
    if grad is not None:
        result.grad = grad
    return result


def attributes_of(tensor) -> dict:
    """Return what a subclass or the user has put on a tensor."""
    attributes = getattr(tensor, "__dict__", {})
    return attributes if tensor.label is None else {**attributes, "label": tensor.label}


def pickled(attributes: dict):
    """Return attributes as the state in a pickle: they are set by ``setattr``, one by one."""
    return (None, attributes) if attributes else None


def deepcopy(self, memo):
    """``copy.deepcopy(t)``: a leaf with memory of its own, its gradient copied too.

    Tensors that share memory share it in the copy. Raises ``GradientError`` for a tensor that
    an operation made, whose history can't be copied.
    """
    if id(self) in memo:
        return memo[id(self)]
    if self.grad_fn is not None:
        raise GradientError(
            "only tensors created by the user (leaves) can be deep-copied; detach() or clone() a "
            "tensor that an operation made"
        )
    array = _copied_memory(self.array, memo)
    grad = copy.deepcopy(self.grad, memo)
    result = rebuild(type(self), array, self.requires_grad, grad)
    memo[id(self)] = result
    for name, value in attributes_of(self).items():
        setattr(result, name, copy.deepcopy(value, memo))
    return result


def _copied_memory(array, memo):
    """Return a copy of an array that shares memory with the copies of what it shared with."""
    root = owner(array)
    if root is array:
        return copy.deepcopy(array, memo)
    copied = copy.deepcopy(root, memo)
    if copied.strides != root.strides or not isinstance(array, np.ndarray):
        return array.copy()
    start = array.__array_interface__["data"][0] - root.__array_interface__["data"][0]
    return np.ndarray(array.shape, array.dtype, copied, start, array.strides)


def shallow_copy(self):
    """``copy.copy(t)``: a leaf over the same memory."""
    result = rebuild(type(self), self.array, self.requires_grad, None)
    for name, value in attributes_of(self).items():
        setattr(result, name, value)
    return result


def reduce(self, protocol):
    """Say how a tensor is pickled: as a leaf, with its gradient."""
    array = self.array
    array = array if array.flags.c_contiguous else np.array(array, order="C")
    arguments = (type(self), array, self.requires_grad, self.grad)
    attributes = attributes_of(self)
    return rebuild, arguments, pickled(attributes)
