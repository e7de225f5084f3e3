"""The backward walk: from outputs to leaves, newest node first, without recursion."""

from __future__ import annotations

from heapq import heappop, heappush
from importlib import import_module
from typing import Any

import numpy as np

from aino.autograd.duck import added, arrived, pulled_back
from aino.autograd.hooks import (
    as_array,
    in_dtype,
    owned,
    run_before,
    run_behind,
    run_between,
    spent,
    visit_extras,
)
from aino.autograd.memory import check_unwritten, clock, stamp_write
from aino.autograd.mode import mode
from aino.autograd.node import Leaf, Node, Spent
from aino.autograd.passes import (
    BackwardPass,
    drop_queued,
    followers,
    leading_to,
    queued,
    run_queued,
    walking,
    watched,
)
from aino.autograd.tensor import Tensor, make, refresh
from aino.errors import (
    AnomalyError,
    DtypeError,
    GradientError,
    LevelError,
    ShapeError,
    TransformError,
)
from aino.tracing import LazyGradient
from aino.user_warnings import warn

ndarray = np.ndarray


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
                cotangent = in_dtype(cotangent, array.dtype)
        if create_graph and not isinstance(cotangent, Tensor):
            cotangent = make(cotangent)
        # Rules are written without conjugates: they carry the conjugate of PyTorch's gradient.
        if array.dtype.kind == "c":
            cotangent = np.conjugate(cotangent)
        roots.append((tensor.node, cotangent))
    return roots


def walk(roots, wanted, keep, create_graph, sums: bool = False) -> dict[Node, Tensor]:
    """Send the roots' cotangents down the graph; return the gradients of the wanted nodes.

    With ``wanted`` None every leaf is reached and sums into its ``grad``; else only what leads
    to the wanted nodes is computed, and summed only with ``sums``, where nothing is returned.
    """
    level, inside = mode.level, mode.walking
    mode.level, mode.walking = mode.recording() if create_graph else 0, True
    try:
        if not watched:
            found = _walk(roots, wanted, keep, create_graph, sums)
        else:
            before, walking.now = walking.now, BackwardPass(roots, wanted)
            try:
                found = _walk(roots, wanted, keep, create_graph, sums)
            finally:
                walking.now = before
        if queued and not inside:
            run_queued()
        return found
    except BaseException:
        if queued and not inside:
            drop_queued()
        raise
    finally:
        mode.level, mode.walking = level, inside


def _walk(roots, wanted, keep, create_graph, sums):
    found: dict[Node, Tensor] = {}
    useful: Any = None if wanted is None else leading_to(wanted, [node for node, _ in roots])
    # pending: sequence -> [node, cotangent, whether the walk may write into it].
    pending: dict[int, list] = {}
    order: list[int] = []
    told = followers or (mode.anomaly and mode.check_nan)
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
        cotangent = entry[1]
        kind = cotangent.__class__
        if kind is not ndarray and (kind is not Tensor or type(cotangent.array) is not ndarray):
            entry[1] = arrived(node, cotangent, sums or wanted is None)
        cotangent = None
        extras = node.extras
        if extras is not None:
            entry[1] = visit_extras(node, entry)
        if type(node) is Leaf:
            if wanted is None:
                _accumulate(node, entry, create_graph)
            elif node in wanted:
                if sums:
                    _accumulate(node, entry, create_graph)
                else:
                    found[node] = _gradient(entry, create_graph)
            continue
        inputs = node.inputs
        if wanted is not None:
            if node not in useful:
                continue
            inputs = tuple([edge if edge in useful else None for edge in inputs])
            if node in wanted:
                if not sums:
                    found[node] = _gradient([node, entry[1]], create_graph)
                if not any(inputs):
                    continue
        saved = node.saved
        if saved is None:
            raise GradientError(
                f"the graph behind {node.name()} was freed by an earlier backward pass; pass "
                "retain_graph=True to the first to go through it a second time"
            )
        if clock.last_write > node.sequence:
            check_unwritten(node, create_graph)
        if extras is not None and (extras.before or extras.behind):
            cotangents = run_between(node, inputs, entry[1], keep, create_graph)
        else:
            try:
                if create_graph:
                    cotangents = node.pullback_recorded(inputs, entry[1])
                else:
                    cotangents = node.pullback(inputs, saved, entry[1])
            except LevelError as error:
                cotangents = pulled_back(node, inputs, saved, entry[1], create_graph, error)
            if not (keep or create_graph) and saved:
                keeps = node.keeps_arrays
                node.saved = None if keeps else Spent(saved) if keeps is False else spent(saved)
        if told:
            _tell(node, inputs, saved, entry[1], cotangents)
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
            else:
                try:
                    if entry[2]:
                        entry[1] += cotangent
                        continue
                    total = entry[1] + cotangent
                    entry[2] = type(total) is ndarray
                    if not entry[2]:
                        total = added(edge, entry[1], cotangent, total)
                except TransformError:
                    total = added(edge, entry[1], cotangent)
                    entry[2] = False
                entry[1], total = total, None
        # Drop these names, so that a gradient held nowhere else is known to be unshared.
        entry = saved = cotangents = cotangent = None
    return found


def _arrive(pending, order, node, cotangent) -> None:
    entry = pending.get(node.sequence)
    if entry is None:
        pending[node.sequence] = [node, cotangent, False]
        heappush(order, -node.sequence)
    else:
        entry[1] = added(node, entry[1], cotangent)


def _gradient(entry, create_graph) -> Tensor:
    """Return what the user gets: PyTorch's gradient, the conjugate of the cotangent."""
    if create_graph:
        gradient = entry[1]
        return np.conjugate(gradient) if gradient.dtype.kind == "c" else gradient
    array = owned(entry)
    return make(as_array(np.conjugate(array) if array.dtype.kind == "c" else array))


def _accumulate(leaf: Leaf, entry, create_graph) -> None:
    if leaf.frozen:
        return
    extras = leaf.extras
    arrived = None
    if extras is not None and (extras.before or extras.behind):
        arrived = run_before(leaf, entry[1])
        if arrived is None:
            return
        entry[1] = arrived
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
    if extras is not None:
        for hook in list(extras.after.values()):
            hook()
        if arrived is not None:
            run_behind(leaf, (), arrived, create_graph)


def _summed(held: Tensor, array) -> Tensor:
    """Add to a gradient that is there already: in its own memory, as who holds it expects.

    A gradient with a history, and one whose memory can't be written, are left as they are.
    """
    own = held.array
    if held.node is not None or not own.flags.writeable:
        return make(as_array(own + array))
    np.add(own, array, own)
    stamp_write(own)
    return held


def _tell(node: Node, inputs, saved, cotangent, cotangents) -> None:
    """Tell of a node that has computed the cotangents of its inputs."""
    for follow in tuple(followers):
        follow(node, inputs, saved, cotangent, cotangents)
    if mode.anomaly and mode.check_nan:
        _check_finite(node, cotangents)


def _check_finite(node: Node, cotangents) -> None:
    for position, cotangent in enumerate(cotangents):
        array = cotangent.array if isinstance(cotangent, Tensor) else as_array(cotangent)
        if isinstance(array, ndarray) and array.dtype.kind in "fc" and np.isnan(array).any():
            where = ""
            if node.extras is not None and node.extras.trace is not None:
                where = f"; its forward call was:\n{node.extras.trace}"
            raise AnomalyError(f"{node.name()} returned nan for its input {position}{where}")
