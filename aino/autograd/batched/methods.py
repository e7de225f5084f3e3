"""Methods of arrays that only compute: the functions of the same names."""

from __future__ import annotations

import numpy as np

from aino.autograd.batched.registry import METHODS

for _name in (
    "all", "any", "argmax", "argmin", "argsort", "cumprod", "cumsum", "diagonal", "dot",
    "max", "mean", "min", "nonzero", "prod", "ravel", "repeat", "round", "squeeze", "std", "sum",
    "swapaxes", "take", "trace", "var", "clip",
):  # fmt: skip
    METHODS[_name] = getattr(np, _name)
METHODS["flatten"] = lambda array, order="C": np.ravel(array, order).copy()
METHODS["conjugate"] = np.conjugate
