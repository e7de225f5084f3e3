"""The backward walk: from outputs to leaves, newest node first, without recursion."""

from __future__ import annotations

from heapq import heappop, heappush
from sys import getrefcount
from typing import Any

import numpy as np

from aino.autograd.memory import any_written_since, clock, stamp_write, written_since
from aino.autograd.mode import enable_grad, mode, no_grad
from aino.autograd.node import Cotangents, Leaf, Node, SparseCotangent, Spent
from aino.autograd.tensor import Tensor, make, refresh
from aino.errors import AnomalyError, DtypeError, GradientError, InplaceError, ShapeError
from aino.tracing import LazyGradient

ndarray = np.ndarray


def backward(tensors, gradients=None, retain_graph=None, create_graph=False, inputs=None) -> None:
    """Add the gradients of ``tensors`` to the ``grad`` of the leaves they were computed from.

    ``gradients`` holds one cotangent for each tensor, None for a scalar. ``inputs`` restricts
    the pass to these tensors.

    >>> import aino
    >>> w = aino.tensor(3.0, requires_grad=True)
    >>> aino.autograd.backward(w * w)
    >>> w.grad
    tensor(6.)
    """
    roots = _roots(_listed(tensors), _listed(gradients), create_graph)
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
    found = walk(roots, wanted, keep, create_graph)
    for tensor in targets:
        # What is no leaf keeps its gradient itself, now that it retains it.
        gradient = found.pop(tensor.node, None) if type(tensor.node) is Leaf else None
        if gradient is not None:
            held = tensor.grad
            if held is not None:
                recorded = create_graph or gradient.node is not None
                gradient = held + gradient if recorded else _summed(held, gradient.array)
            tensor.grad = gradient


def backward_of(self, gradient=None, retain_graph=None, create_graph=False, inputs=None) -> None:
    """Add the gradient of this tensor to the ``grad`` of every leaf it was computed from.

    ``gradient`` is the cotangent, of this tensor's shape; a scalar needs none. With
    ``create_graph`` the gradients are themselves differentiable. ``inputs`` restricts the pass
    to the named leaves. Raises ``GradientError`` when nothing requires a gradient, or when the
    graph was freed by an earlier pass without ``retain_graph``.
    """
    backward([self], [gradient], retain_graph, create_graph, inputs)


def grad(
    outputs,
    inputs,
    grad_outputs=None,
    retain_graph=None,
    create_graph=False,
    allow_unused=None,
    is_grads_batched=False,
    materialize_grads=False,
) -> tuple:
    """Return the gradients of ``outputs`` with respect to ``inputs``, touching no ``grad``.

    Only what leads to ``inputs`` is computed. An input that plays no part raises
    ``GradientError``, unless ``allow_unused`` (then None) or ``materialize_grads`` (zeros).

    >>> import aino
    >>> x = aino.tensor(2.0, requires_grad=True)
    >>> (slope,) = aino.autograd.grad(x**3, x, create_graph=True)
    >>> aino.autograd.grad(slope, x)
    (tensor(12.),)
    """
    outputs, inputs = _listed(outputs), _listed(inputs)
    if materialize_grads and allow_unused is False:
        raise ValueError("materialize_grads fills unused inputs: allow_unused can't be False")
    keep = create_graph if retain_graph is None else retain_graph
    if is_grads_batched:
        options = (allow_unused, False, materialize_grads)
        return _batched(outputs, inputs, _listed(grad_outputs), keep, create_graph, options)
    nodes = [_node_of(tensor) for tensor in inputs]
    roots = _roots(outputs, _listed(grad_outputs), create_graph)
    found = walk(roots, set(nodes), keep, create_graph)
    gradients: list[Tensor | None] = []
    for position, (tensor, node) in enumerate(zip(inputs, nodes)):
        gradient = found.get(node)
        if gradient is None and materialize_grads:
            gradient = make(np.zeros_like(tensor.array))
        elif gradient is None and not allow_unused:
            raise GradientError(
                f"input {position} (shape {tensor.array.shape}) was not used to compute the "
                "outputs; pass allow_unused=True to get None for it"
            )
        gradients.append(gradient)
    return tuple(gradients)


def _batched(outputs, inputs, cotangents, keep, create_graph, options) -> tuple:
    """Return the gradients for each row of the batched cotangents, stacked."""
    count = len(cotangents[0])
    rows = []
    for row in range(count):
        cut = [cotangent[row] for cotangent in cotangents]
        rows.append(grad(outputs, inputs, cut, keep or row < count - 1, create_graph, *options))
    return tuple(None if column[0] is None else np.stack(column) for column in zip(*rows))


def _listed(value) -> list:
    if value is None:
        return []
    return [value] if isinstance(value, Tensor) else list(value)


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
            cotangent = np.ones_like(array)
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
                cotangent = cotangent.astype(array.dtype)
        if create_graph and not isinstance(cotangent, Tensor):
            cotangent = make(cotangent)
        # Rules are written without conjugates: they carry the conjugate of PyTorch's gradient.
        if array.dtype.kind == "c":
            cotangent = np.conjugate(cotangent)
        roots.append((tensor.node, cotangent))
    return roots


def walk(roots, wanted, keep, create_graph) -> dict[Node, Tensor]:
    """Send the roots' cotangents down the graph; return the gradients of the wanted nodes.

    With ``wanted`` None every leaf is reached and sums into its ``grad``; else nothing is
    summed and only what leads to the wanted nodes is computed.
    """
    with enable_grad() if create_graph else no_grad():
        return _walk(roots, wanted, keep, create_graph)


def _walk(roots, wanted, keep, create_graph):
    found: dict[Node, Tensor] = {}
    useful: Any = None if wanted is None else _leading_to(wanted, [node for node, _ in roots])
    # pending: sequence -> [node, cotangent, whether the walk may write into it].
    pending: dict[int, list] = {}
    order: list[int] = []
    anomaly = mode.anomaly and mode.check_nan
    entry: Any
    # The one entry that waits, where only one does: along a chain nothing has to be ordered.
    ahead: Any = None
    for node, cotangent in roots:
        _arrive(pending, order, node, cotangent)
    node = cotangent = None
    while ahead is not None or order:
        if ahead is None:
            entry = pending.pop(-heappop(order))
        else:
            entry, ahead = ahead, None
        node = entry[0]
        if entry[1].__class__ is SparseCotangent:
            entry[1] = entry[1].dense()
        if node.extras is not None:
            entry[1] = _visit_extras(node, entry)
        if type(node) is Leaf:
            if wanted is None:
                _accumulate(node, entry, create_graph)
            elif node in wanted:
                found[node] = _gradient(entry, create_graph)
            continue
        inputs = node.inputs
        if wanted is not None:
            if node in wanted:
                found[node] = _gradient([node, entry[1]], create_graph)
            if node not in useful:
                continue
            inputs = tuple([edge if edge in useful else None for edge in inputs])
        saved = node.saved
        if saved is None:
            raise GradientError(
                f"the graph behind {node.name()} was freed by an earlier backward pass; pass "
                "retain_graph=True to the first to go through it a second time"
            )
        if clock.last_write > node.sequence:
            _check_unwritten(node)
        if create_graph:
            cotangents = node.pullback_recorded(inputs, entry[1])
        else:
            if entry[1].__class__ is not ndarray:
                # NumPy turns 0-d arrays into scalars, which can't be written to or viewed.
                entry[1] = _array(entry[1])
            cotangents = node.pullback(inputs, saved, entry[1])
            if not keep and saved:
                keeps = node.keeps_arrays
                node.saved = None if keeps else Spent(saved) if keeps is False else _spent(saved)
        if anomaly:
            _check_finite(node, cotangents)
        entry = None
        for edge, cotangent in zip(inputs, cotangents):
            if cotangent is None:
                continue
            if ahead is not None:
                key = ahead[0].sequence
                pending[key], ahead = ahead, None
                heappush(order, -key)
            elif not order:
                ahead = [edge, cotangent, False]
                continue
            key = edge.sequence
            entry = pending.get(key)
            if entry is None:
                pending[key] = [edge, cotangent, False]
                heappush(order, -key)
            elif entry[2]:
                entry[1] += cotangent
            else:
                entry[1] = entry[1] + cotangent
                entry[2] = type(entry[1]) is ndarray
        # Drop these names, so that a gradient held nowhere else is known to be unshared.
        entry = saved = cotangents = cotangent = None
    return found


def _arrive(pending, order, node, cotangent) -> None:
    entry = pending.get(node.sequence)
    if entry is None:
        pending[node.sequence] = [node, cotangent, False]
        heappush(order, -node.sequence)
    else:
        entry[1] = entry[1] + cotangent


def _leading_to(wanted, roots) -> set[Node]:
    """Return the nodes between the roots and the wanted nodes, the wanted included."""
    reached = set(roots)
    stack = list(reached)
    oldest = min(node.sequence for node in wanted)
    while stack:
        for edge in stack.pop().inputs:
            if edge is not None and edge.sequence >= oldest and edge not in reached:
                reached.add(edge)
                stack.append(edge)
    useful: set[Node] = set()
    for node in sorted(reached, key=lambda node: node.sequence):
        if node in wanted or not useful.isdisjoint(node.inputs):
            useful.add(node)
    return useful


def _unheld(entry) -> tuple[ndarray, int]:
    """Take the array out of an entry and count who else holds it."""
    array = entry[1]
    entry[1] = None
    return array, getrefcount(array)


_UNSHARED = _unheld([None, np.empty(0)])[1]


def _owned(entry):
    """Return an entry's array, copied unless nobody else can see its memory."""
    array, holders = _unheld(entry)
    if holders > _UNSHARED or array.base is not None:
        return array.copy()
    return array


def _gradient(entry, create_graph) -> Tensor:
    """Return what the user gets: PyTorch's gradient, the conjugate of the cotangent."""
    if create_graph:
        gradient = entry[1]
        return np.conjugate(gradient) if gradient.dtype.kind == "c" else gradient
    array = _owned(entry)
    return make(_array(np.conjugate(array) if array.dtype.kind == "c" else array))


def _array(value):
    """Return a NumPy scalar, which 0-d arrays turn into, as an array; others as they are."""
    return np.asarray(value) if isinstance(value, np.generic) else value


def _accumulate(leaf: Leaf, entry, create_graph) -> None:
    if leaf.frozen:
        return
    held: Any = leaf.grad
    if held.__class__ is LazyGradient:
        held = held.take()
    if held is None:
        gradient = _gradient(entry, create_graph)
        # A recorded gradient may be the cotangent of another leaf too, or the user's own.
        leaf.grad = gradient.clone() if create_graph else gradient
    elif create_graph:
        leaf.grad = held + _gradient(entry, True)
    else:
        array = entry[1]
        if array.dtype.kind == "c":
            array = np.conjugate(array)
        leaf.grad = _summed(held, array)
    if leaf.extras is not None:
        for hook in list(leaf.extras.after.values()):
            hook()


def _summed(held: Tensor, array) -> Tensor:
    """Add to a gradient that is there already: in its own memory, as who holds it expects.

    A gradient with a history, and one whose memory can't be written, are left as they are.
    """
    own = held.array
    if held.node is not None or not own.flags.writeable:
        return make(_array(own + array))
    np.add(own, array, own)
    stamp_write(own)
    return held


def _visit_extras(node: Node, entry):
    """Run the hooks of a node on its gradient and keep it where that was asked for."""
    extras = node.extras
    assert extras is not None
    if extras.hooks or extras.hands_out:
        # The user's code may write into what it is given: nobody else sees that memory.
        if type(entry[1]) is ndarray:
            entry[1] = _owned(entry)
        elif not isinstance(entry[1], (Tensor, Cotangents)):
            entry[1] = entry[1].copy()
    cotangent = entry[1]
    if not extras.hooks and extras.keeper is None:
        return cotangent
    recorded = isinstance(cotangent, Tensor)
    gradient = cotangent if recorded else make(_array(cotangent))
    turned = gradient.dtype.kind == "c"
    if turned:
        gradient = np.conjugate(gradient)
    for hook in list(extras.hooks.values()):
        replacement = hook(gradient)
        if replacement is not None:
            if replacement.shape != gradient.shape:
                raise ShapeError(
                    f"a hook on {node.name()} returned a gradient of shape "
                    f"{tuple(replacement.shape)} in place of {tuple(gradient.shape)}"
                )
            gradient = replacement
    if extras.keeper is not None:
        kept = extras.keeper[1]
        addend = gradient if recorded else make(gradient.array.copy())
        kept.grad = addend if kept.grad is None else kept.grad + addend
    if turned:
        gradient = np.conjugate(gradient)
    return gradient if recorded else gradient.array


def _spent(saved) -> Spent | None:
    """Return what stays of saved values after a pass: all of them where none is an array."""
    for value in saved:
        if hasattr(value, "strides"):
            return None
        if type(value) is tuple and any([hasattr(part, "strides") for part in value]):
            return None
    return Spent(saved)


def _check_unwritten(node: Node) -> None:
    """Raise if a value that the node's rules read was written since it was recorded."""
    if node.saved is None or not any_written_since(node.saved, node.sequence):
        return
    for name, value in node.saved_values():
        for array in value if isinstance(value, list) else (value,):
            if hasattr(array, "strides") and written_since(array, node.sequence):
                raise InplaceError(
                    f"{node.name()} needs its {name!r} (shape {array.shape}, {array.dtype}) as it "
                    "was when it was computed, but an operation in place has changed it since; "
                    "clone() it before it is changed, or use the form that makes a new tensor"
                )


def _check_finite(node: Node, cotangents) -> None:
    for position, cotangent in enumerate(cotangents):
        array = cotangent.array if isinstance(cotangent, Tensor) else _array(cotangent)
        if isinstance(array, ndarray) and array.dtype.kind in "fc" and np.isnan(array).any():
            where = ""
            if node.extras is not None and node.extras.trace is not None:
                where = f"; its forward call was:\n{node.extras.trace}"
            raise AnomalyError(f"{node.name()} returned nan for its input {position}{where}")
