"""Why a gradient is exactly zero, or why there is none."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from aino.autograd.tensor import Tensor
from aino.explaining.exercise import Operation, Part, Step
from aino.explaining.passing import undo_broadcasting

#: Whose slope is zero at some elements, by the operation and its operand: why.
_WHY: dict[str, str] = {
    "relu": "there the input is not positive, and relu hands on nothing (the unit is off)",
    "masked": "there the mask is False",
    "where": "there the condition chose the other one",
    "clamp": "there the value lies outside of the bounds, and the bound is a constant",
    "clamp_min": "there the bound was chosen",
    "clamp_max": "there the bound was chosen",
    "hardtanh": "there the value lies outside of the bounds, where the function is flat",
    "hardsigmoid": "there the value lies outside of [-3, 3], where the function is flat",
    "hardswish": "there x ≤ -3, where the function is flat",
    "hardshrink": "there |x| ≤ λ, where the function is flat",
    "softshrink": "there |x| ≤ λ, where the function is flat",
    "threshold": "there the value was replaced by a constant",
    "maximum": "there the other one is larger",
    "minimum": "there the other one is smaller",
    "fmax": "there the other one is larger",
    "fmin": "there the other one is smaller",
    "amax": "only the largest element counts",
    "amin": "only the smallest element counts",
    "max": "only the largest element counts",
    "min": "only the smallest element counts",
    "median": "only the element in the middle counts",
    "nanmedian": "only the element in the middle counts",
    "abs": "at 0 the slope of |x| is taken to be 0",
    "nan_to_num": "there stands a constant in place of nan or infinity",
    "nansum": "there stands nan, which is left out",
    "nanmean": "there stands nan, which is left out",
    "unmoved": "the value does not depend on it",
    "overwrite": "there the value was written over afterwards",
    "replace": "the value was written over afterwards",
    "put": "there the value was written over afterwards",
    "scatter": "there the value was written over afterwards",
    "put_diagonal": "there the value was written over afterwards",
    "getitem": "those elements were not taken",
    "take": "those elements were not taken",
    "pick": "those elements were not taken",
    "gather": "those elements were not taken",
    "choose": "those elements were not taken",
    "embedding": "those rows were not looked up (or are the padding)",
    "diagonal": "those elements do not stand on the diagonal",
    "tril": "those elements were left out",
    "triu": "those elements were left out",
}  # fmt: skip
#: What is flat between its jumps.
_STEPS = ("floor", "ceil", "trunc", "round", "sign", "sgn", "signum", "floor_divide",
          "trunc_divide", "heaviside")  # fmt: skip


def why_zero(part: Part, step: Step) -> str:
    """Return why what a step hands on is exactly zero somewhere, empty where it is not."""
    gradient, title = part.gradient, step.operation.title
    count = int(gradient.size - np.count_nonzero(gradient))
    if not count:
        return ""
    if not np.any(step.incoming):
        return "nothing arrives here, so nothing is handed on"
    where = "" if gradient.size == 1 else f"{count} of {gradient.size} elements are 0: "
    if count == gradient.size > 1:
        where = "all of it is 0: "
    if gradient.size == 1:
        where = "it is exactly 0: "
    if title in _STEPS:
        return f"{where}{title} is flat between its jumps, its slope is 0 everywhere"
    if title == "copysign":
        return f"{where}only the sign of it is used, and that does not change"
    if title in _WHY and not (title == "where" and part.letter == "condition"):
        return where + _WHY[title]
    local = part.local
    if (
        part.undone
        and undo_broadcasting(np.absolute(part.product), gradient.shape)[gradient == 0].any()
    ):
        return f"{where}the gradients of its copies cancel"
    if part.kind == "elementwise" and local is not None:
        lost = (part.product == 0) & (step.incoming != 0)
        if not lost.any():
            return f"{where}there nothing arrives"
        factor = [q for key, q in step.operation.operands.items() if key != part.letter]
        if title in ("mul", "scale") and len(factor) == 1:
            return f"{where}there the other factor, {factor[0].name}, is 0"
        if title in ("square", "pow_number", "mul"):
            return f"{where}there {part.operand.name} is 0, and so is the slope"
        return f"{where}there the slope of {title} is 0"
    if part.kind == "spread" and local is not None:
        if (local == 0)[gradient == 0].any():
            return f"{where}the slope of {title} is 0 there"
        return f"{where}there nothing arrives"
    if part.kind == "jacobian" and local is not None:
        if (~np.any(local, axis=0)).sum() >= count:
            return f"{where}those elements do not move the output of {title}"
        ways = np.absolute(local)[:, gradient.ravel() == 0]
        if not np.any(np.absolute(step.incoming.ravel()) @ ways):
            return f"{where}nothing arrives for what they went into"
    return f"{where}what comes back to them through {title} comes to exactly 0"


def nothing_reaches(tensor: Tensor, operations: Iterable[Operation]) -> str:
    """Return why no gradient reaches a tensor that was asked for."""
    if not tensor.requires_grad:
        return (
            "it does not require a gradient: it was made without requires_grad=True, detached, or "
            "computed under no_grad()"
        )
    for operation in operations:
        for quantity in operation.operands.values():
            if quantity.kind == "constant" and _shares(quantity.array, tensor.array):
                return (
                    f"it is used in {operation.result.name} as a constant: it was detached, or "
                    "read under no_grad(), before"
                )
    return (
        "no recorded operation leads from it to the output: it was not used, or what was computed "
        "from it was detached, computed under no_grad(), or turned into a NumPy array or a number"
    )


def _shares(array: Any, other: Any) -> bool:
    return (
        isinstance(array, np.ndarray)
        and isinstance(other, np.ndarray)
        and np.may_share_memory(array, other)
    )
