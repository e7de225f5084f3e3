"""The local derivative of an operation by one of its inputs, as a formula and in numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from aino.autograd.node import Node
from aino.errors import AinoError
from aino.explaining.build import Builder as Explainer
from aino.explaining.notation import as_text
from aino.explaining.passing import Visit, local_derivative

#: Beyond so many elements no local derivative is computed.
_LARGEST = 1_000_000


class Slope:
    """``formula``: in names, with ``g`` for the gradient of the output where it is no factor.

    ``array``: the numbers: of the output's shape where each element depends on its own, else the
    Jacobian, a row for each element of the output; None where that is large.
    """

    def __init__(self, formula: str, array: np.ndarray | None) -> None:
        self.formula = formula
        self.array = array


def slope_of(node: Node, place: int, dtype: Any, names: Mapping[str, str]) -> Slope | None:
    """Return the local derivative of a node by its edge ``place``; None where it is not known."""
    declared = node.primitive
    if declared is None or declared.outputs or np.prod(node.shape, dtype=float) > _LARGEST:
        return None
    ones = np.ones(node.shape, dtype)
    try:
        with np.errstate(all="ignore"):
            handed = node.pullback(node.inputs, node.saved, ones)  # type: ignore[attr-defined]
    except AinoError:  # a rule that holds for some gradients alone
        return None
    dense = [x.dense() if hasattr(x, "dense") else x for x in handed]
    visit = Visit(node, (ones,), tuple(dense))
    local = local_derivative(visit, place)
    formula = ""
    if not declared.variadic:
        slope, rule = Explainer._formulas(visit, place, declared.differentiable[place], local)
        found = slope if slope is not None else rule
        formula = "" if found is None else as_text(found, names)
    return Slope(formula, local.array)
