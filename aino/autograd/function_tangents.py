"""A Function in forward mode: by its own ``jvp``, else by its backward, transposed."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.autograd import engine
from aino.autograd.duck import youngest
from aino.autograd.function import Function, called
from aino.autograd.levels import levels_of, running
from aino.autograd.mode import enable_grad, mode, no_grad
from aino.autograd.primitive import alias
from aino.autograd.rules.duals import make_dual, unpack_primal, unpack_tangent
from aino.autograd.rules.shape import clone
from aino.autograd.tensor import Tensor, make
from aino.errors import DtypeError, ShapeError, TransformError


def apply_to_duals(cls: Any, args: tuple) -> Any:
    """Return what a Function gives for arguments that have tangents, with theirs."""
    level = youngest(args).level
    moves = [isinstance(x, Tensor) and level in levels_of(x.array) for x in args]
    values = tuple([clone(unpack_primal(x, level)) if m else x for x, m in zip(args, moves)])
    tangents = [unpack_tangent(x, level) if m else None for x, m in zip(args, moves)]
    by = _by_jvp if cls.jvp is not Function.jvp else _by_backward
    result, moved = by(cls, values, tangents, level)
    if not isinstance(result, tuple):
        return _dual(cls, 0, result, moved[0], level)
    return tuple([_dual(cls, k, y, t, level) for k, (y, t) in enumerate(zip(result, moved))])


def _dual(cls, position: int, y, tangent, level) -> Any:
    if tangent is None or not isinstance(y, Tensor) or y.dtype.kind not in "fc":
        return y
    if not isinstance(tangent, Tensor):
        raise DtypeError(
            f"{cls.__name__}.jvp returned a {type(tangent).__name__} for output {position}; "
            "expected a tensor or None"
        )
    if tangent.array.shape != y.array.shape:
        raise ShapeError(
            f"{cls.__name__}.jvp returned a tangent of shape {tuple(tangent.shape)} for output "
            f"{position}, which has the shape {tuple(y.shape)}"
        )
    return make_dual(y, tangent, level)


def _by_jvp(cls, values, tangents, level) -> tuple:
    noted: list[Any] = []
    older = youngest(values)
    if older is not None and older.still() is not older:
        # The values move, too, at an older level: this call gives them, the other the context.
        result = apply_to_duals(cls, values)
        with no_grad():
            called(cls, values, noted)
    else:
        result = called(cls, values, noted)
    kept = noted[0]
    context = kept.context
    _check_clean(cls, kept)
    outputs = result if isinstance(result, tuple) else (result,)
    given = [
        make(np.zeros_like(x.array))
        if t is None and context.materialize_grads and isinstance(x, Tensor) and _floats(x)
        else t
        for x, t in zip(values, tangents)
    ]
    # An output that was saved is found as it is recorded.
    recorded = {id(raw): y for raw, y in zip(kept.outputs, outputs)}
    context.found_in_jvp = tuple([recorded.get(id(x), x) for x in kept.saved])
    try:
        moved = cls.jvp(context, *given)
    finally:
        context.found_in_jvp = None
    moved = moved if isinstance(moved, tuple) else (moved,)
    if len(moved) != len(outputs):
        raise TransformError(
            f"{cls.__name__}.jvp returned {len(moved)} tangents for {len(outputs)} outputs"
        )
    return result, moved


def _check_clean(cls, kept) -> None:
    if kept.dirty:
        raise TransformError(
            f"{cls.__name__} changes an input in place, which has a tangent here; return a new "
            "tensor instead"
        )


def _floats(x: Tensor) -> bool:
    return x.dtype.kind in "fc"


def _by_backward(cls, values, tangents, level) -> tuple:
    """Return the outputs, and their tangents by the derivative of backward by the cotangents."""
    inside, running.unsettled = running.unsettled, True
    try:
        outside = mode.level > 0 and any(
            [isinstance(x, Tensor) and x.requires_grad for x in values]
        )
        recording = mode.level > 0 and (
            outside or any([t is not None and t.requires_grad for t in tangents])
        )
        with enable_grad():
            given = [
                x if t is None else (alias(x) if x.requires_grad else x.requires_grad_())
                for x, t in zip(values, tangents)
            ]
            noted: list[Any] = []
            result = called(cls, tuple(given), noted)
            _check_clean(cls, noted[0])
            outputs = result if isinstance(result, tuple) else (result,)
            pairs = [(x, t) for x, t in zip(given, tangents) if t is not None]
            used = [y for y in outputs if isinstance(y, Tensor) and y.requires_grad]
            moved: dict[int, Any] = {}
            if used:
                seeds = [make(np.zeros_like(y.array)).requires_grad_() for y in used]
                slopes = engine.grad(
                    used, [x for x, _ in pairs], seeds, True, True, allow_unused=True
                )
                back = [
                    (s, t) for s, (_, t) in zip(slopes, pairs) if s is not None and s.requires_grad
                ]
                found: Any = [None] * len(used)
                if back:
                    found = engine.grad(
                        [s for s, _ in back], seeds, [t for _, t in back], True, recording,
                        allow_unused=True,
                    )  # fmt: skip
                moved = {
                    id(y): make(np.zeros_like(y.array)) if t is None else t
                    for y, t in zip(used, found)
                }
        found = [moved.get(id(y)) for y in outputs]
        if not outside:
            outputs = tuple([make(y.array) if isinstance(y, Tensor) else y for y in outputs])
        return outputs if isinstance(result, tuple) else outputs[0], found
    finally:
        running.unsettled = inside
