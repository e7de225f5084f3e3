"""The backward walk: from outputs to leaves, newest node first, without recursion."""

from __future__ import annotations

import functools
from heapq import heappop, heappush
from typing import Any

import numpy as np

from aino import native
from aino.autograd.duck import added, arrived, pulled_back
from aino.autograd.hooks import (
    as_array,
    owned,
    run_before,
    run_behind,
    run_between,
    spent,
    visit_extras,
)
from aino.autograd.memory import LAST_WRITE, check_unwritten, clock, stamp_write
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
from aino.autograd.tensor import Tensor, make
from aino.errors import AnomalyError, GradientError, LevelError, TransformError
from aino.tracing import LazyGradient

ndarray = np.ndarray


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
    in_c = None if told or create_graph else backward_in_c()
    entry: Any
    # The one entry that waits, where only one does: along a chain nothing has to be ordered.
    ahead: Any = None
    for node, cotangent in roots:
        _arrive(pending, order, node, cotangent)
    node = cotangent = None
    while ahead is not None or order:
        if in_c is not None:
            entry = in_c(pending, order, ahead, keep, useful, wanted)
            ahead = None
            if entry is None:
                break
        elif ahead is None:
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
                join(entry, edge, cotangent)
        # Drop these names, so that a gradient held nowhere else is known to be unshared.
        entry = saved = cotangents = cotangent = None
    return found


def join(entry, edge, cotangent) -> None:
    """Add a cotangent to what has arrived for a node before."""
    try:
        if entry[2]:
            entry[1] += cotangent
            return
        total = entry[1] + cotangent
        entry[2] = type(total) is ndarray
        if not entry[2]:
            total = added(edge, entry[1], cotangent, total)
    except TransformError:
        total = added(edge, entry[1], cotangent)
        entry[2] = False
    entry[1] = total


@functools.cache
def backward_in_c() -> Any:
    """Return what goes over plain nodes in C, None without the package ``aino-native``."""
    made = native.found("Backward")
    return made and made(
        node=Node, leaf=Leaf,
        slots=tuple([vars(Node)[name] for name in ("inputs", "saved", "sequence", "extras")]),
        clock=clock, last_write=LAST_WRITE, push=heappush, pop=heappop,
        spent=spent, spent_type=Spent, join=join, check=check_unwritten, refusal=LevelError,
    )  # fmt: skip


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
