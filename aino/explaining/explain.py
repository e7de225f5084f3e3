"""``aino.explain``: the backward pass as a worked exercise."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from aino.autograd.labels import labelled
from aino.autograd.node import Leaf, TupleOutput
from aino.autograd.tensor import Tensor, refresh
from aino.drawing import names as naming
from aino.errors import GradientError, ShapeError
from aino.explaining.build import Builder
from aino.explaining.explanation import Explanation
from aino.explaining.owners import Owners
from aino.explaining.passing import reachable
from aino.nn.base.module import Module
from aino.tracing import forbid_in_trace


def explain(
    loss: Tensor,
    wrt: Any = None,
    *,
    gradient: Any = None,
    names: Any = None,
    numbers: int = 12,
    limit: int = 60,
) -> Explanation:
    """Work out the backward pass of a tensor, step by step, with its numbers.

    Each step says which operation it goes back through, what arrives, the local derivative as a
    formula and in numbers, their product, and where that is added; where a gradient is exactly
    zero it says why. Nothing changes: no ``grad`` is summed into, no hook is called, the graph is
    kept. Values are called as in ``aino.draw``: as ``names`` says, else by their labels, else by
    the caller's variables, else v₁, v₂, ... in the order in which they were computed.

    Prints as text; ``.markdown()``, ``.latex()`` and ``.html()`` return it in other forms, and
    notebooks show it by themselves. As HTML, steps fold by module: those that use its parameters,
    and what lies between them. ``.steps`` and ``.answers`` hold what it says.

    Arguments:
        loss: what is differentiated: one number, unless ``gradient`` is given.
        wrt: a tensor, several, or a module: only what leads to these. None for all leaves.
        gradient: the cotangent to begin with, of the shape of ``loss``; 1 by default.
        names: a dict of tensors by their names, or a module.
        numbers: arrays of up to so many elements show their numbers, others shape and norm.
        limit: of more steps than this the rest is counted, not told.

    Raises ``GradientError`` where nothing was recorded, or where the graph was freed by a backward
    pass; ``ShapeError`` for a cotangent of another shape.

    >>> import aino
    >>> w, x = aino.tensor(3.0, requires_grad=True), aino.tensor(2.0)
    >>> loss = (w * x) ** 2
    >>> explanation = aino.explain(loss)
    >>> explanation.answers[0].of.name, explanation.answers[0].gradient
    ('w', array(24., dtype=float32))
    >>> print(explanation.steps[1].operation.formula)
    a · b
    """
    forbid_in_trace("aino.explain", "explain an ordinary call, outside the compiled function")
    caller = sys._getframe(1)
    _check(loss, numbers, limit)
    seed = _seed(loss, gradient)
    known = naming.Names()
    known.add_all(naming.given(names))
    known.add_all(labelled())
    wanted = _wanted(wrt, known)
    known.add_all(naming.of_variables(caller))
    if wanted is not None:
        wanted = [
            (name or _name_of(tensor, known, i), tensor) for i, (name, tensor) in enumerate(wanted)
        ]
    if loss.view_of is not None:
        refresh(loss)
    if loss.node is None:
        raise GradientError(
            "there is no backward pass to explain: nothing that requires a gradient led to this "
            "tensor. Ask for one, x.requires_grad_(), and compute it outside no_grad() and "
            "without detach()"
        )
    _check_kept(loss)
    owners = Owners(caller, names, wrt)
    return Explanation(Builder(loss, seed, wanted, known, numbers, limit, owners).exercise)


def _check(loss: Any, numbers: Any, limit: Any) -> None:
    if isinstance(loss, Module):
        raise TypeError(
            "aino.explain takes what a model computed: aino.explain(loss), with "
            "loss = criterion(model(x), y); aino.summary(model, x) describes the model itself"
        )
    if not isinstance(loss, Tensor):
        raise TypeError(f"aino.explain takes a tensor, not {type(loss).__name__}")
    if type(loss.array) is not np.ndarray:
        raise TypeError("aino.explain takes a tensor of numbers; inside a transform there are none")
    for name, value, least in (("numbers", numbers, 0), ("limit", limit, 1)):
        if not isinstance(value, int) or isinstance(value, bool):
            raise TypeError(f"{name} is a whole number, not {value!r}")
        if value < least:
            raise ValueError(f"{name} should be at least {least}, got {value}")


def _seed(loss: Tensor, gradient: Any) -> np.ndarray:
    array = loss.array
    if gradient is None:
        if array.size != 1 or array.dtype.kind == "c":
            raise GradientError(
                f"aino.explain differentiates one real number; this tensor has shape "
                f"{tuple(array.shape)} of {array.dtype}: reduce it first (loss.sum()), or pass "
                "gradient=, as to backward()"
            )
        return np.ones_like(array)
    seed = gradient.array if isinstance(gradient, Tensor) else np.asarray(gradient)
    if seed.shape != array.shape:
        raise ShapeError(f"the gradient has shape {seed.shape}, its tensor {array.shape}")
    seed = seed.astype(array.dtype)
    # The walk carries the conjugate of what users know.
    return np.asarray(np.conjugate(seed)) if seed.dtype.kind == "c" else seed


def _wanted(wrt: Any, known: naming.Names) -> list[tuple[str, Tensor]] | None:
    """Return the tensors that were asked for, each with its name where that is known."""
    if wrt is None:
        return None
    if isinstance(wrt, Module):
        found: list[tuple[str, Tensor]] = list(wrt.named_parameters())
        known.add_all(found)
        return found
    if isinstance(wrt, Tensor):
        wrt = [wrt]
    if isinstance(wrt, dict):
        known.add_all(naming.given(wrt))
        return list(naming.given(wrt))
    if not isinstance(wrt, Sequence) or not all(isinstance(x, Tensor) for x in wrt) or not wrt:
        raise TypeError(f"wrt is a tensor, several, a dict of them or a module, not {wrt!r}")
    for tensor in wrt:
        if tensor.view_of is not None:
            refresh(tensor)
    return [("", tensor) for tensor in wrt]


def _name_of(tensor: Tensor, known: naming.Names, place: int) -> str:
    named = known.of_node(tensor.node) if tensor.node is not None else None
    named = named or known.of_array(tensor.array)
    return f"wrt[{place}]" if named is None else named.name


def _check_kept(loss: Tensor) -> None:
    """Raise where a backward pass has freed what the rules read."""
    assert loss.node is not None
    for node in reachable(loss.node):
        if node.saved is None and not isinstance(node, (Leaf, TupleOutput)):
            raise GradientError(
                f"the graph behind this tensor was freed by an earlier backward pass (at "
                f"{node.name()}): explain it before backward(), or keep it with "
                "backward(retain_graph=True)"
            )
