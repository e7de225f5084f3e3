"""The hooks that a backward pass meets: on the gradient of a tensor, and around a node.

A hook sees PyTorch's gradients, which for complex numbers are the conjugates of what the rules
carry, in memory that nobody else sees.
"""

from __future__ import annotations

from sys import getrefcount
from typing import Any

import numpy as np

from aino.autograd.duck import pulled_back
from aino.autograd.node import Cotangents, Node, SparseCotangent, Spent
from aino.autograd.tensor import Tensor, make
from aino.errors import DtypeError, GradientError, LevelError, ShapeError

ndarray = np.ndarray


def _unheld(entry) -> tuple[ndarray, int]:
    """Take the array out of an entry and count who else holds it."""
    array = entry[1]
    entry[1] = None
    return array, getrefcount(array)


_UNSHARED = _unheld([None, np.empty(0)])[1]


def owned(entry):
    """Return an entry's array, copied unless nobody else can see its memory."""
    array, holders = _unheld(entry)
    if holders > _UNSHARED or array.base is not None:
        return array.copy()
    return array


def as_array(value):
    """Return a NumPy scalar, which 0-d arrays turn into, as an array; others as they are."""
    return np.asarray(value) if isinstance(value, np.generic) else value


def in_dtype(value, dtype):
    """Return an array, or a tensor with its history, in another dtype."""
    return value.to(dtype) if isinstance(value, Tensor) else value.astype(dtype)


def visit_extras(node: Node, entry):
    """Run the hooks on a node's gradient and keep it where that was asked for."""
    extras = node.extras
    assert extras is not None
    if extras.hooks or extras.hands_out:
        # The user's code may write into what it is given: nobody else sees that memory.
        if type(entry[1]) is ndarray:
            entry[1] = owned(entry)
        elif not isinstance(entry[1], (Tensor, Cotangents)):
            entry[1] = entry[1].copy()
    if isinstance(extras.grad_dtype, np.dtype) and entry[1].dtype != extras.grad_dtype:
        entry[1] = in_dtype(entry[1], extras.grad_dtype)
    cotangent = entry[1]
    if not extras.hooks and extras.keeper is None:
        return cotangent
    recorded = isinstance(cotangent, Tensor)
    gradient = cotangent if recorded else make(as_array(cotangent))
    turned = gradient.dtype.kind == "c"
    if turned:
        gradient = np.conjugate(gradient)
    for hook in list(extras.hooks.values()):
        replacement = hook(gradient)
        if replacement is not None:
            check_replacement(replacement, gradient, f"a hook on {node.name()}")
            gradient = replacement
    if extras.keeper is not None:
        kept = extras.keeper[1]
        addend = gradient if recorded else make(gradient.array.copy())
        kept.grad = addend if kept.grad is None else kept.grad + addend
    if turned:
        gradient = np.conjugate(gradient)
    return gradient if recorded else gradient.array


def run_before(node: Node, cotangent):
    """Show what arrived for a node's outputs to its pre-hooks; return what they make of it."""
    assert node.extras is not None
    several, recorded = type(cotangent) is Cotangents, _is_recorded(cotangent)
    shown = _shown(cotangent, node.count_outputs())
    for hook in list(node.extras.before.values()):
        shown = _replaced(hook(shown), shown, "pre-hook", node)
    parts = {k: _carried(part, recorded) for k, part in enumerate(shown) if part is not None}
    if not parts:
        return None
    return Cotangents(parts) if several else parts[0]


def run_between(node: Any, inputs, cotangent, keep: bool, create_graph: bool):
    """Return the cotangents of a node's inputs, computed between the hooks on the node."""
    cotangent = run_before(node, cotangent)
    found: Any = (None,) * len(inputs)
    if cotangent is not None:
        cotangent = cotangent if create_graph else as_array(cotangent)
        try:
            if create_graph:
                found = node.pullback_recorded(inputs, cotangent)
            else:
                found = node.pullback(inputs, node.saved, cotangent)
        except LevelError as error:
            found = pulled_back(node, inputs, node.saved, cotangent, create_graph, error)
    if node.saved and not keep and not create_graph:
        node.saved = spent(node.saved)
    return run_behind(node, found, cotangent, create_graph)


def run_behind(node: Node, found, cotangent, create_graph: bool) -> list:
    """Show a node's hooks what it made of what arrived; return what they make of that."""
    assert node.extras is not None
    outputs = _shown(cotangent, node.count_outputs())
    places = node.input_places()
    shown = tuple([None if found[k] is None else _seen(found[k]) for k in places])
    for hook in list(node.extras.behind.values()):
        shown = _replaced(hook(shown, outputs), shown, "hook", node)
    result: list[Any] = [None] * len(found)
    for place, gradient in zip(places, shown):
        result[place] = None if gradient is None else _carried(gradient, create_graph)
    return result


def _is_recorded(cotangent) -> bool:
    parts = cotangent.parts.values() if type(cotangent) is Cotangents else (cotangent,)
    return any([isinstance(part, Tensor) for part in parts])


def _shown(cotangent, count: int) -> tuple:
    """Return what arrived as gradients: one for each output, None where there is none."""
    parts = cotangent.parts if type(cotangent) is Cotangents else {0: cotangent}
    found = [parts.get(position) for position in range(count)]
    return tuple([None if part is None else _seen(part) for part in found])


def _seen(cotangent) -> Tensor:
    """Return a cotangent as the gradient that users know, in memory of its own."""
    if type(cotangent) is SparseCotangent:
        cotangent = cotangent.dense()
    if not isinstance(cotangent, Tensor):
        cotangent = make(as_array(cotangent).copy())
    return np.conjugate(cotangent) if cotangent.dtype.kind == "c" else cotangent


def _carried(gradient, recorded: bool):
    """Return a gradient as the walk carries it."""
    if gradient.dtype.kind == "c":
        gradient = np.conjugate(gradient)
    return gradient if recorded else gradient.array


def _replaced(returned, shown: tuple, what: str, node: Node) -> tuple:
    """Return what a hook put in place of the gradients that it was shown."""
    if returned is None:
        return shown
    if not isinstance(returned, tuple):
        raise TypeError(
            f"a {what} on {node.name()} returns None or a tuple of gradients, got "
            f"{type(returned).__name__}"
        )
    if len(returned) != len(shown):
        raise GradientError(
            f"a {what} on {node.name()} returned {len(returned)} gradients in place of {len(shown)}"
        )
    for new, old in zip(returned, shown):
        check_replacement(new, old, f"a {what} on {node.name()}")
    return returned


def check_replacement(new, old, who: str) -> None:
    """Raise unless a gradient may stand in the place of another."""
    if new is None:
        return
    if not isinstance(new, Tensor):
        raise TypeError(f"{who} returned {type(new).__name__} in place of a gradient")
    if old is None:
        raise GradientError(f"{who} returned a gradient where there is none")
    if new.shape != old.shape:
        raise ShapeError(
            f"{who} returned a gradient of shape {tuple(new.shape)} in place of {tuple(old.shape)}"
        )
    if new.dtype != old.dtype:
        raise DtypeError(f"{who} returned a gradient of {new.dtype} in place of {old.dtype}")


def spent(saved) -> Spent | None:
    """Return what stays of saved values after a pass: all of them where none is an array."""
    for value in saved:
        if hasattr(value, "strides"):
            return None
        if type(value) is tuple and any([hasattr(part, "strides") for part in value]):
            return None
    return Spent(saved)
