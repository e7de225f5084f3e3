"""PyTorch's samples of its operations under ``vmap`` and ``jvp``, in both libraries."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import torch

import aino
from tests.parity.op_db import difference, entries, given, operation_of, samples_of

SAMPLES = 4
#: The second of two samples in a batch is the first by this: it stays positive, definite, a
#: probability.
SCALE = 0.875


def slots(tree: Any, found: list) -> Any:
    """Return arguments with places for their floating-point tensors, which ``found`` collects."""
    if isinstance(tree, torch.Tensor):
        if not (tree.is_floating_point() or tree.is_complex()) or not tree.numel():
            return tree.detach()
        found.append(tree.detach())
        return _Slot(len(found) - 1)
    if isinstance(tree, dict):
        return {key: slots(item, found) for key, item in tree.items()}
    if isinstance(tree, (list, tuple)):
        return type(tree)(slots(item, found) for item in tree)
    return tree


class _Slot:
    def __init__(self, place: int) -> None:
        self.place = place


def filled(tree: Any, values: Any, other: Callable) -> Any:
    """Return arguments with tensors in their places; ``other`` makes those of a library's."""
    if type(tree) is _Slot:
        return values[tree.place]
    if isinstance(tree, dict):
        return {key: filled(item, values, other) for key, item in tree.items()}
    if isinstance(tree, (list, tuple)):
        return type(tree)(filled(item, values, other) for item in tree)
    return other(tree)


def same(x: Any) -> Any:
    return x


def in_ours(x: Any) -> Any:
    return given(x, [])


def tensors_of(result: Any) -> Any:
    """Return the tensors of a result as a tuple, the integers, which have no tangents, left out."""
    if isinstance(result, (torch.Tensor, aino.Tensor)):
        return (result,)
    if isinstance(result, (tuple, list)):
        return tuple(x for item in result for x in tensors_of(item))
    return ()


def floating(result: Any) -> tuple:
    return tuple(x for x in tensors_of(result) if x.is_floating_point() or x.is_complex())


def by_vmap(library, function, tensors):
    batches = [library.stack([t, t * SCALE]) for t in tensors]
    return library.vmap(lambda *ts: tensors_of(function(ts)))(*batches)


def by_jvp(library, function, tensors):
    tangents = tuple(t * 0.5 + 0.25 for t in tensors)
    return library.func.jvp(lambda *ts: floating(function(ts)), tuple(tensors), tangents)


TRANSFORMS = {"vmap": by_vmap, "jvp": by_jvp}


def compare_entry(name: str, transform: str, dtype: str = "float64") -> str | None:
    """Return what differs first over an entry's samples, None if nothing does."""
    op = entries()[name]
    operation = operation_of(op)
    assert operation is not None
    run = TRANSFORMS[transform]
    for place, sample in enumerate(samples_of(op, dtype, SAMPLES)):
        tensors: list = []
        tree, keywords = slots([sample.input, *sample.args], tensors), slots(sample.kwargs, tensors)
        if not tensors:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")

            def theirs_of(ts, tree=tree, keywords=keywords):
                return op.op(*filled(tree, ts, same), **filled(keywords, ts, same))

            def ours_of(ts, tree=tree, keywords=keywords):
                return operation(*filled(tree, ts, in_ours), **filled(keywords, ts, in_ours))

            try:
                theirs = run(torch, theirs_of, tensors)
            except Exception:
                continue  # PyTorch has none
            shown = f"sample {place}, {sample.input!s:.120} {sample.args!s:.120}"
            shown = f"{' '.join(shown.split())} {sample.kwargs!s:.120}"
            try:
                ours = run(aino, ours_of, [in_ours(t) for t in tensors])
            except Exception as error:
                return f"{shown}: raises {type(error).__name__}: {error}"
        found = difference(ours, theirs)
        if found:
            return f"{shown}: {found}"
    return None
