"""Gradients of functions: grad, vjp, and what is one of them in other words."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from aino.autograd import engine
from aino.autograd.mode import enable_grad, mode
from aino.autograd.node import tick
from aino.autograd.primitive import alias
from aino.autograd.tensor import Tensor, make
from aino.errors import DtypeError, ShapeError, TransformError
from aino.func.trees import leaves_of, name_of, rebuilt, structure
from aino.pytree import mapped

Argnums = int | tuple[int, ...]


def grad(func: Callable, argnums: Argnums = 0, has_aux: bool = False) -> Callable:
    """Return a function that computes the gradient of ``func``, a function of one number.

    The gradient is nested as the argument is. It can be differentiated again, so that
    ``grad(grad(f))`` is f''. Raises ``ShapeError`` where the value is not a single number,
    ``DtypeError`` for arguments other than tensors of floating point or complex dtype.

    Arguments:
        func: takes tensors, nested in tuples, lists and dicts, and returns a 0-d tensor.
        argnums: with respect to which argument, or which: then the gradients come as a tuple.
        has_aux: ``func`` returns ``(value, aux)``, and so the result is ``(gradient, aux)``.

    >>> import aino
    >>> from aino.func import grad
    >>> grad(lambda x: x**3)(aino.tensor(2.0))
    tensor(12.)
    >>> grad(grad(lambda x: x**3))(aino.tensor(2.0))
    tensor(12.)
    """

    @functools.wraps(func)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        slopes, _, aux = _differentiated(func, argnums, has_aux, args, kwargs, "grad")
        return (slopes, aux) if has_aux else slopes

    return gradient


def grad_and_value(func: Callable, argnums: Argnums = 0, has_aux: bool = False) -> Callable:
    """Return a function that computes the gradient of ``func`` and its value, in this order.

    Arguments:
        func: as for ``grad``.
        argnums: as for ``grad``.
        has_aux: ``func`` returns ``(value, aux)``; the result is ``(gradient, (value, aux))``.

    >>> import aino
    >>> aino.func.grad_and_value(lambda x: x**3)(aino.tensor(2.0))
    (tensor(12.), tensor(8.))
    """

    @functools.wraps(func)
    def both(*args: Any, **kwargs: Any) -> tuple:
        slopes, value, aux = _differentiated(func, argnums, has_aux, args, kwargs, "grad_and_value")
        return slopes, (value, aux) if has_aux else value

    return both


def value_and_grad(func: Callable, argnums: Argnums = 0, has_aux: bool = False) -> Callable:
    """Return a function that computes the value of ``func`` and its gradient, in this order.

    The name and the order are those of JAX.

    Arguments:
        func: as for ``grad``.
        argnums: as for ``grad``.
        has_aux: ``func`` returns ``(value, aux)``; the result is ``((value, aux), gradient)``.

    >>> import aino
    >>> aino.func.value_and_grad(lambda x: x**3)(aino.tensor(2.0))
    (tensor(8.), tensor(12.))
    """

    @functools.wraps(func)
    def both(*args: Any, **kwargs: Any) -> tuple:
        slopes, value, aux = _differentiated(func, argnums, has_aux, args, kwargs, "value_and_grad")
        return (value, aux) if has_aux else value, slopes

    return both


def vjp(func: Callable, *primals: Any, has_aux: bool = False) -> tuple:
    """Return ``func(*primals)`` and a function that multiplies a cotangent by the Jacobian, vᵀJ.

    ``vjp_fn(v)`` takes cotangents nested as the result of ``func``, and gives a tuple of them
    for the primals, nested as these. It may be called again.

    Arguments:
        func: takes the primals, and returns tensors, nested as you like.
        primals: the point at which it is differentiated.
        has_aux: ``func`` returns ``(output, aux)``; the result is ``(output, vjp_fn, aux)``.

    >>> import aino
    >>> y, vjp_fn = aino.func.vjp(aino.sin, aino.tensor([0.0, 1.0]))
    >>> vjp_fn(aino.tensor([1.0, 0.0]))
    (tensor([1., 0.]),)
    """
    output, pulled, aux = pulled_back(func, primals, has_aux, "vjp")

    def vjp_fn(cotangents: Any, retain_graph: bool = True, create_graph: Any = None) -> Any:
        return pulled(cotangents, retain_graph, create_graph)

    return (output, vjp_fn, aux) if has_aux else (output, vjp_fn)


class Recording:
    """The arguments of a function that is to be differentiated, and the graph that it makes.

    ``trees``: the arguments, each tensor with a node of its own, so that what is differentiated
    is this use of it alone: transforms nest without mistaking one for another.
    """

    def __init__(self, trees: tuple, name: str) -> None:
        self.outside = bool(mode.level)
        self.name = name
        self.start = tick()
        self.reached = False
        self.inputs: list[Tensor] = []
        with enable_grad():
            self.trees = tuple([mapped(tree, self._own) for tree in trees])

    def _own(self, leaf: Any) -> Tensor:
        if not isinstance(leaf, Tensor):
            raise DtypeError(
                f"{self.name}: an argument that is differentiated holds a {type(leaf).__name__}; "
                "it has to hold tensors"
            )
        if leaf.dtype.kind not in "fc":
            raise DtypeError(
                f"{self.name}: only tensors of floating point and complex dtype have a "
                f"derivative, got {leaf.dtype}"
            )
        if self.outside and leaf.requires_grad:
            self.reached = True
            own = alias(leaf)
        else:
            own = make(leaf.array).requires_grad_()
        self.inputs.append(own)
        return own

    def reaches_outside(self, output: Tensor) -> bool:
        """Tell whether an output has a part in a graph that was there before."""
        if not self.outside or not output.requires_grad:
            return False
        if self.reached:
            return True
        stack: list[Any] = [output.node]
        seen = set(stack)
        while stack:
            node = stack.pop()
            if node.sequence < self.start:
                return True
            for edge in node.inputs:
                if edge is not None and edge not in seen:
                    seen.add(edge)
                    stack.append(edge)
        return False

    def left(self, tree: Any) -> Any:
        """Return results as the caller may have them, without the graph that was only ours."""
        return mapped(
            tree,
            lambda leaf: (
                make(leaf.array)
                if isinstance(leaf, Tensor) and not self.reaches_outside(leaf)
                else leaf
            ),
        )


def selected(argnums: Argnums, args: tuple, name: str) -> tuple[int, ...]:
    """Return the positions of the arguments that are differentiated, none of them negative."""
    wanted = (argnums,) if isinstance(argnums, int) else tuple(argnums)
    for position in wanted:
        if not isinstance(position, int) or not -len(args) <= position < len(args):
            raise TransformError(
                f"{name}: argnums {argnums!r} was given for {len(args)} positional arguments"
            )
    positions = tuple([position % len(args) for position in wanted])
    if not positions or len(set(positions)) < len(positions):
        raise TransformError(f"{name}: argnums names each argument once, got {argnums!r}")
    return positions


def _differentiated(func, argnums, has_aux, args, kwargs, word: str) -> tuple:
    name = f"{word}({name_of(func)})"
    positions = selected(argnums, args, name)
    recording = Recording(tuple([args[position] for position in positions]), name)
    given = list(args)
    for position, tree in zip(positions, recording.trees):
        given[position] = tree
    with enable_grad():
        value, aux = apart(func(*given, **kwargs), has_aux, name)
    if not isinstance(value, Tensor):
        raise DtypeError(
            f"{name}: the function returned a {type(value).__name__}; a gradient is that of a "
            "tensor" + ("" if has_aux else ", and what else is returned needs has_aux=True")
        )
    if value.ndim:
        raise ShapeError(
            f"{name}: a gradient is that of one number, but the function returned a tensor of "
            f"shape {tuple(value.shape)}; reduce it first, or use vjp or jacrev"
        )
    if value.dtype.kind != "f":
        raise DtypeError(f"{name}: the function returned {value.dtype}; a gradient needs a float")
    create = recording.reaches_outside(value)
    slopes = iter(_slopes([value], recording.inputs, None, create, create))
    trees = [rebuilt(tree, slopes) for tree in recording.trees]
    found = trees[0] if isinstance(argnums, int) else tuple(trees)
    return found, recording.left(value), recording.left(aux)


def apart(result: Any, has_aux: bool, name: str) -> tuple:
    """Return what a function returned, and its auxiliary part, None where it has none."""
    if not has_aux:
        return result, None
    if not isinstance(result, tuple) or len(result) != 2:
        raise DtypeError(f"{name}: with has_aux=True the function returns (output, aux)")
    return result


def _slopes(outputs, inputs, cotangents, keep: bool, create: bool) -> list[Tensor]:
    """Return the gradients of outputs, zero where an input plays no part."""
    used = [k for k, y in enumerate(outputs) if y.requires_grad]
    if not used:
        return [make(np.zeros_like(x.array)) for x in inputs]
    return list(
        engine.grad(
            [outputs[k] for k in used],
            inputs,
            None if cotangents is None else [cotangents[k] for k in used],
            keep,
            create,
            materialize_grads=True,
        )
    )


def pulled_back(func, primals: tuple, has_aux: bool, word: str) -> tuple:
    """Return a function's output, what pulls cotangents back through it, and its aux."""
    name = f"{word}({name_of(func)})"
    recording = Recording(primals, name)
    with enable_grad():
        output, aux = apart(func(*recording.trees), has_aux, name)
    outputs = leaves_of(output)
    for y in outputs:
        if not isinstance(y, Tensor):
            raise DtypeError(
                f"{name}: the function returned a {type(y).__name__}; it has to return tensors"
            )
    outside = any([recording.reaches_outside(y) for y in outputs])

    def pull(cotangents: Any, retain_graph: bool = True, create_graph: Any = None) -> tuple:
        given = leaves_of(cotangents)
        if structure(cotangents) != structure(output):
            raise ShapeError(
                f"{name}: cotangents are nested as the output is, {structure(output)}, got "
                f"{structure(cotangents)}"
            )
        for y, v in zip(outputs, given):
            if not isinstance(v, Tensor) or v.array.shape != y.array.shape:
                shown = tuple(v.shape) if isinstance(v, Tensor) else type(v).__name__
                raise ShapeError(
                    f"{name}: a cotangent has the shape of its output, {tuple(y.shape)}, not "
                    f"{shown}"
                )
        create = create_graph
        if create is None:
            create = mode.level > 0 and (outside or any([v.requires_grad for v in given]))
        slopes = iter(_slopes(outputs, recording.inputs, given, retain_graph, create))
        return tuple([rebuilt(tree, slopes) for tree in recording.trees])

    return recording.left(output), pull, recording.left(aux)


__all__ = ["grad", "grad_and_value", "value_and_grad", "vjp"]
