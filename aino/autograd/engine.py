"""The doors of the engine: ``backward`` and ``grad``, from which the walk sets out."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from aino.autograd.hooks import in_dtype
from aino.autograd.node import Leaf, Node
from aino.autograd.tensor import Tensor, make, refresh
from aino.autograd.walk import walk
from aino.errors import DtypeError, GradientError, ShapeError
from aino.user_warnings import warn

#: The gradient that a pass over a number begins with: a copy takes a fifth of ``np.ones_like``.
_ONE = {np.dtype(name): np.array(1.0, name) for name in ("float32", "float64")}


def backward(
    tensors: Any,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    grad_variables: Any = None,
    inputs: Any = None,
) -> None:
    """Add the gradients of ``tensors`` to the ``grad`` of the leaves they were computed from.

    What is added to a leaf w is Σₖ gₖ · ∂yₖ/∂w, over the tensors yₖ with their cotangents gₖ.
    Raises ``GradientError`` when nothing requires a gradient, or when the graph was freed by an
    earlier pass, ``ShapeError`` when a cotangent has not the shape of its tensor.

    Arguments:
        tensors: a tensor, or several: what is differentiated.
        grad_tensors: a cotangent of the shape of each tensor; None for one that has one element.
        retain_graph: keep the graph for another pass; as ``create_graph`` by default.
        create_graph: record the pass itself, so that the gradients can be differentiated.
        grad_variables: the old name of ``grad_tensors``.
        inputs: a tensor, several, or a dict of them: sum into the ``grad`` of these alone.

    >>> import aino
    >>> w = aino.tensor(3.0, requires_grad=True)
    >>> aino.autograd.backward(w * w)
    >>> w.grad
    tensor(6.)
    """
    if grad_variables is not None:
        warn("grad_variables is deprecated, please use grad_tensors instead", FutureWarning)
        if grad_tensors is not None:
            raise GradientError("backward: give grad_tensors alone, grad_variables is its old name")
        grad_tensors = grad_variables
    roots = _roots(_listed(tensors), _listed(grad_tensors), create_graph)
    keep = create_graph if retain_graph is None else retain_graph
    if inputs is None:
        walk(roots, None, keep, create_graph)
        return
    targets = _listed(inputs)
    if not targets:
        raise GradientError("backward: inputs is empty; leave it out to reach every leaf")
    wanted = {_node_of(tensor) for tensor in targets}
    for tensor in targets:
        if type(tensor.node) is not Leaf:
            tensor.retain_grad()
    walk(roots, wanted, keep, create_graph, sums=True)


def backward_of(
    self,
    gradient: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Any = None,
) -> None:
    """Add the gradient of this tensor to the ``grad`` of every leaf it was computed from.

    Raises ``GradientError`` when nothing requires a gradient, or when the graph was freed by an
    earlier pass, ``ShapeError`` when ``gradient`` has another shape.

    Arguments:
        gradient: the cotangent, of this tensor's shape; None is 1 for a tensor of one element.
        retain_graph: keep the graph for another pass; as ``create_graph`` by default.
        create_graph: record the pass itself, so that the gradients can be differentiated.
        inputs: a tensor, several, or a dict of them: sum into the ``grad`` of these alone.

    >>> import aino
    >>> w = aino.tensor([1.0, 2.0], requires_grad=True)
    >>> (w * w).backward(aino.tensor([1.0, 10.0]))
    >>> w.grad
    tensor([ 2., 40.])
    """
    backward([self], [gradient], retain_graph, create_graph, inputs=inputs)


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> Any:
    """Return the gradients of ``outputs`` with respect to ``inputs``, touching no ``grad``.

    Only what leads to ``inputs`` is computed. Returns a tuple with a gradient for each input, or
    a dict where they came in one. Raises ``GradientError`` for an input that plays no part, when
    nothing requires a gradient, or when the graph was freed by an earlier pass.

    Arguments:
        outputs: a tensor, or several: what is differentiated.
        inputs: a tensor, several, or a dict of them: with respect to what.
        grad_outputs: a cotangent of the shape of each output; None for one that has one element.
        retain_graph: keep the graph for another pass; as ``create_graph`` by default.
        create_graph: record the pass itself, so that the gradients can be differentiated.
        only_inputs: True; False is deprecated, and changes nothing but for a warning.
        allow_unused: give None for an input that plays no part.
        is_grads_batched: cotangents are stacked along a first dimension, and so are the results.
        materialize_grads: give zeros for an input that plays no part.

    >>> import aino
    >>> x = aino.tensor(2.0, requires_grad=True)
    >>> (slope,) = aino.autograd.grad(x**3, x, create_graph=True)
    >>> aino.autograd.grad(slope, x)
    (tensor(12.),)
    """
    if type(inputs) is dict:
        found = grad(
            outputs, list(inputs.values()), grad_outputs, retain_graph, create_graph, only_inputs,
            allow_unused, is_grads_batched, materialize_grads,
        )  # fmt: skip
        return dict(zip(inputs, found))
    if not only_inputs:
        warn(
            "only_inputs is deprecated and ignored; to sum into every leaf there is backward()",
            FutureWarning,
        )
    outputs, inputs = _listed(outputs), _listed(inputs)
    if not inputs:
        raise GradientError("grad: inputs is empty, so there is nothing to differentiate for")
    if materialize_grads and allow_unused is False:
        raise ValueError("materialize_grads fills unused inputs: allow_unused can't be False")
    keep = create_graph if retain_graph is None else retain_graph
    if is_grads_batched:
        options = (True, allow_unused, False, materialize_grads)
        return _batched(outputs, inputs, _listed(grad_outputs), keep, create_graph, options)
    nodes = [_node_of(tensor) for tensor in inputs]
    roots = _roots(outputs, _listed(grad_outputs), create_graph)
    found = walk(roots, set(nodes), keep, create_graph)
    gradients: list[Tensor | None] = []
    for position, (tensor, node) in enumerate(zip(inputs, nodes)):
        gradient = found.get(node)
        if gradient is None and materialize_grads:
            gradient = make(np.zeros_like(tensor.array))
            if create_graph:
                gradient.requires_grad_()
        elif gradient is None and not allow_unused:
            raise GradientError(
                f"input {position} (shape {tensor.array.shape}) was not used to compute the "
                "outputs; pass allow_unused=True to get None for it"
            )
        gradients.append(gradient)
    return tuple(gradients)


def _batched(outputs, inputs, cotangents, keep, create_graph, options) -> tuple:
    """Return the gradients for each row of the batched cotangents, stacked: one walk for all."""
    sizes = {len(cotangent) for cotangent in cotangents}
    if len(sizes) != 1:
        raise ShapeError(
            "grad: with is_grads_batched=True each output has a batch of cotangents, all of one "
            f"length, got lengths {sorted(sizes)}"
        )
    # Levels are loaded when they are first needed: they stand on all that differentiates.
    levels = import_module("aino.autograd.rules.levels")
    with levels.BatchLevel(sizes.pop(), name="grad(is_grads_batched=True)") as level:
        rows = [levels.enter(cotangent, level, 0) for cotangent in cotangents]
        found = grad(outputs, inputs, rows, keep, create_graph, *options)
        return tuple([g if g is None else levels.leave(g, level, 0) for g in found])


def _listed(value) -> list:
    if value is None:
        return []
    if isinstance(value, Tensor):
        return [value]
    return list(value.values() if type(value) is dict else value)


def _node_of(tensor: Tensor) -> Node:
    if tensor.view_of is not None:
        refresh(tensor)
    if tensor.node is None:
        raise GradientError(
            f"a tensor of shape {tensor.array.shape} does not require a gradient, so none can "
            "be computed for it"
        )
    return tensor.node


def _roots(tensors, gradients, create_graph) -> list:
    """Return (node, cotangent) for each output, or say why there is none."""
    if gradients and len(gradients) != len(tensors):
        raise GradientError(f"got {len(gradients)} gradients for {len(tensors)} tensors")
    roots = []
    for position, tensor in enumerate(tensors):
        if tensor.view_of is not None:
            refresh(tensor)
        array = tensor.array
        if tensor.node is None:
            raise GradientError(
                f"element {position} of the tensors does not require grad and does not have a "
                "grad_fn: nothing that requires a gradient led to it"
            )
        gradient = gradients[position] if gradients else None
        if gradient is None:
            if array.size != 1:
                raise GradientError(
                    "grad can be implicitly created only for scalar outputs; this one has shape "
                    f"{array.shape}: pass its cotangent, or reduce it first"
                )
            if array.dtype.kind == "c":
                raise GradientError(
                    "grad can be implicitly created only for real scalar outputs; this one is "
                    f"{array.dtype}: pass its cotangent"
                )
            plain = type(array) is np.ndarray and not array.shape
            one = _ONE.get(array.dtype) if plain else None
            cotangent = np.ones_like(array) if one is None else one.copy()
        else:
            cotangent = gradient.array if isinstance(gradient, Tensor) else np.asarray(gradient)
            if cotangent.shape != array.shape:
                raise ShapeError(
                    f"the gradient has shape {cotangent.shape}, its tensor {array.shape}"
                )
            if cotangent.dtype.kind == "c" and array.dtype.kind != "c":
                raise DtypeError(f"a {cotangent.dtype} gradient for a {array.dtype} tensor")
            if create_graph:
                cotangent = gradient
            if cotangent.dtype != array.dtype:
                cotangent = in_dtype(cotangent, array.dtype)
        if create_graph and not isinstance(cotangent, Tensor):
            cotangent = make(cotangent)
        # Rules are written without conjugates: they carry the conjugate of PyTorch's gradient.
        if array.dtype.kind == "c":
            cotangent = np.conjugate(cotangent)
        roots.append((tensor.node, cotangent))
    return roots
