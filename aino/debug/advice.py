"""What usually helps: by the operation that made a NaN or inf."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from aino.debug.ranges import plain
from aino.nn.base.parameter import Parameter

_ROOTS = "the slope is infinite at 0: keep its input above it, as in sqrt(x + 1e-12)"
_LOGS = (
    "log is -inf at 0 and NaN below: keep its input above, log(x.clamp(min=1e-12)), or use what "
    "takes logits: log_softmax, cross_entropy, binary_cross_entropy_with_logits"
)
_DIVISIONS = "something was divided by 0: add a small number to the divisor, x / (y + 1e-12)"
_EXPONENTIALS = (
    "exp overflows (above 88.7 in float32, 11.1 in float16): subtract the largest value first, or "
    "use logsumexp, softmax, log1p and their like"
)
_DOMAIN = "its input has left the values for which it is defined: clamp it"
_PRODUCTS = (
    "the products are too large for the dtype, or meet infinities: look at the scale of inputs and "
    "weights, lower the learning rate, clip gradients, normalise"
)
_BY_NAME = {
    **dict.fromkeys(("log", "log2", "log10", "log1p", "xlogy", "logit"), _LOGS),
    **dict.fromkeys(("div", "reciprocal", "remainder", "fmod", "floor_divide"), _DIVISIONS),
    **dict.fromkeys(("exp", "exp2", "expm1", "sinh", "cosh", "logaddexp"), _EXPONENTIALS),
    **dict.fromkeys(("acos", "asin", "acosh", "atanh", "erfinv"), _DOMAIN),
    **dict.fromkeys(
        "mm bmm rows_mm mv dot linear mul square sum mean convolution".split(),  # noqa: SIM905
        _PRODUCTS,
    ),
    "sqrt": "sqrt is not real below 0: clamp its input, sqrt(x.clamp(min=0))",
    "rsqrt": "1/√x is infinite at 0: keep its input above it, as in rsqrt(x + 1e-12)",
    "pow": "a negative number has no real power of a fraction, and 0 none of a negative one",
    "pow_number": "a negative number has no real power of a fraction, and 0 none of a negative one",
    "norm": "the slope of a norm is not defined at 0: add a small number before it",
    "std": "the slope of a standard deviation of equal values is infinite: use var, or add to it",
}  # fmt: skip
_BACKWARD = {
    "sqrt": _ROOTS,
    "rsqrt": _ROOTS,
    "pow": "the slope of a power below 1 is infinite at 0: keep the base above it",
    "pow_number": "the slope of a power below 1 is infinite at 0: keep the base above it",
    "acos": "the slope is infinite at -1 and 1: clamp the input to what lies between",
    "asin": "the slope is infinite at -1 and 1: clamp the input to what lies between",
    "where": "the branch that was not chosen is differentiated too: make its input harmless first, "
             "f(where(ok, x, 1)), then choose",
}  # fmt: skip


def advice_on(
    operation: str, bad: str, direction: str, made: bool, values: Sequence[Any] = ()
) -> str:
    """Return what usually helps where an operation made a NaN or inf, or was given one.

    Arguments:
        operation: the name of the primitive.
        bad: ``"NaN"`` or ``"inf"``.
        direction: ``"forward"`` or ``"backward"``.
        made: whether the operation made it.
        values: what it was given.
    """
    if not made:
        if direction == "backward":
            return "it came with the gradient that backward() was given, or as sums overflowed"
        if any([isinstance(value, Parameter) and _is_bad(value) for value in values]):
            return (
                "a parameter holds it already: an optimizer's step (a learning rate too high, a "
                "gradient not clipped), what was loaded, or how it was initialised"
            )
        return "it was in what the operation was given: look at the data, and at what made it"
    if direction == "backward":
        return _BACKWARD.get(operation, _BY_NAME.get(operation, ""))
    return _BY_NAME.get(operation, "")


def _is_bad(value: Any) -> bool:
    array = plain(value)
    return array is not None and not bool(np.isfinite(array).all())
