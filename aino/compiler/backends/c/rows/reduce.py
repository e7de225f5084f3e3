"""Sums, means, extremes over dimensions, and where extremes stand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from aino.autograd.sums import sum_over
from aino.compiler.backends.c.builder import Builder, in_shape
from aino.compiler.backends.c.numbers import literal
from aino.compiler.backends.c.table import (
    DeclinedError,
    RefusedError,
    function,
    method,
    reduction,
    whole,
)
from aino.compiler.ir.program import Call
from aino.compiler.ir.regions import Region


def axes_of(axis: Any, rank: int) -> list[int]:
    """Return the dimensions that are meant, in order."""
    if axis is None:
        return list(range(rank))
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    return sorted(one % rank for one in axes)


#: How each is found: what it begins with, a step, the end; what it needs of the file's functions.
_FOUND: dict[str, dict[str, Any]] = {
    "sum": {"begin": "0", "step": "found += {0}"},
    "mean": {"begin": "0", "step": "found += {0}", "end": "found / COUNT"},
    "prod": {"begin": "1", "step": "found *= {0}"},
    "amax": {"begin": "-INFINITY", "step": "found = larger(found, {0})", "needs": ["larger"]},
    "amin": {"begin": "INFINITY", "step": "found = smaller(found, {0})", "needs": ["smaller"]},
    "any": {"begin": "false", "step": "found = found || {0}"},
    "all": {"begin": "true", "step": "found = found && {0}"},
}


#: What each begins with, where that may be given.
_FIRST = {"sum": 0, "prod": 1, "amax": -math.inf, "amin": math.inf}


def reduced(c: Builder, how: str, x: Any, axis: Any, result: Any, note: str = "") -> None:
    """What is found over dimensions of a region."""
    if not isinstance(x, Region) or not isinstance(result, Region):
        raise DeclinedError
    truth = how in ("any", "all")
    if result.dtype.kind != ("b" if truth else "f") or (x.dtype.kind == "b") != truth:
        raise RefusedError(f"{how} of {x.dtype.name}")
    axes = axes_of(axis, x.ndim)
    rest = [x.shape[i] for i in axes]
    kept = [i for i in range(x.ndim) if i not in axes]
    target = result
    if result.ndim != len(kept):  # the dimensions were kept, with one element
        from_axes = [i for i in range(result.ndim) if i not in axes]
        target = _without(result, from_axes)
    texts = dict(_FOUND[how])
    needs = texts.pop("needs", ())
    if "end" in texts:
        texts["end"] = texts["end"].replace("COUNT", literal(math.prod(rest), result.dtype))
    c.gather(target, [x], [x.shape[i] for i in kept], rest, [[*kept, *axes]], needs=needs,
             note=note or f"{how} over {' x '.join(map(str, rest))}", **texts)  # fmt: skip


def _without(value: Region, kept: list[int]) -> Region:
    return in_shape(value, [value.shape[i] for i in kept], [value.strides[i] for i in kept])


def _whole(name: str, how: str) -> None:
    @whole(name)
    def row(c: Builder, x: Any, axis: Any, result: Any) -> None:
        if x.dtype.kind != "f" or result.dtype.kind != "f":
            raise DeclinedError
        reduced(c, how, x, axis, result)


for _name in ("sum", "mean", "prod", "amax", "amin"):
    _whole(_name, _name)


@whole(sum_over)
def _sum_over(c: Builder, x: Any, axis: Any, result: Any) -> None:
    """A sum inside of a kernel, which NumPy is asked for in several ways."""
    if not isinstance(x, Region) or x.dtype.kind != "f" or result.dtype.kind != "f":
        raise DeclinedError
    reduced(c, "sum", x, axis, result)


@whole("max")
def _max(c: Builder, x: Any, result: Any) -> None:
    if x.dtype.kind != "f":
        raise DeclinedError
    reduced(c, "amax", x, None, result)


@whole("min")
def _min(c: Builder, x: Any, result: Any) -> None:
    if x.dtype.kind != "f":
        raise DeclinedError
    reduced(c, "amin", x, None, result)


def _of_call(how: str, first: Any):
    """Return the row of a reduction of NumPy's; ``first``: the axis where none is given."""

    def row(c: Builder, call: Call) -> None:
        x, *rest = call.arguments
        begin = _FIRST.get(how)
        initial = call.keywords.get("initial", begin)
        if set(call.keywords) - {"axis", "keepdims", "dtype", "initial"} or initial != begin:
            raise RefusedError(f"np.{how} with {', '.join(call.keywords)}=")
        reduced(c, how, x, call.keywords.get("axis", rest[0] if rest else first), call.target,
                call.primitive)  # fmt: skip

    return row


for _function, _how in {
    np.add: "sum", np.multiply: "prod", np.maximum: "amax", np.minimum: "amin",
    np.logical_or: "any", np.bitwise_or: "any", np.logical_and: "all", np.bitwise_and: "all",
}.items():  # fmt: skip
    reduction(_function)(_of_call(_how, 0))
for _name, _how in {
    "sum": "sum", "mean": "mean", "prod": "prod", "max": "amax", "min": "amin", "any": "any",
    "all": "all",
}.items():  # fmt: skip
    _row = _of_call(_how, None)
    method(_name)(_row)
    function(getattr(np, _name))(_row)


def _extreme(name: str):
    """Return the row of ``argmax`` or ``argmin``: the first of equals, and NaN before all."""

    def row(c: Builder, call: Call) -> None:
        x, *rest = call.arguments
        axis = call.keywords.get("axis", rest[0] if rest else None)
        if not isinstance(x, Region) or x.dtype.kind != "f" or call.target.dtype != np.int64:
            raise DeclinedError
        sizes = (1, x.size, 1)
        if axis is not None:
            axis %= x.ndim
            sizes = math.prod(x.shape[:axis]), x.shape[axis], math.prod(x.shape[axis + 1 :])
        x, filled = c.rows(x), c.filled(call.target)
        c.call(name, x.dtype, [x, filled, *sizes], [x], [filled], f"{name} over {sizes[1]}")
        c.settle(filled, call.target)

    return row


for _name in ("argmax", "argmin"):
    method(_name)(_extreme(_name))
    function(getattr(np, _name))(_extreme(_name))
