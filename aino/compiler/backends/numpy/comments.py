"""What stands beside a call in the source, and small pieces of text for it."""

from __future__ import annotations

import functools
import linecache

import numpy as np

from aino.autograd.primitive import REGISTRY
from aino.compiler.ir.operations import Operation
from aino.compiler.ir.program import Call
from aino.compiler.ir.regions import Region

#: Operators for arithmetic on single numbers.
SYMBOLS = {np.add: "+", np.subtract: "-", np.multiply: "*", np.divide: "/"}


def is_single(call: Call, target: Region) -> bool:
    """Tell whether a call is plain arithmetic on two numbers of one dtype."""
    return (
        call.function in SYMBOLS
        and call.operation is Operation.UFUNC
        and not call.keywords
        and target.size == 1
        and target.dtype.kind == "f"
        and all(
            isinstance(v, Region) and v.size == 1 and v.dtype == target.dtype
            for v in call.arguments
        )
    )


def with_out(name: str, function, arguments: list[str], out: str) -> str:
    """Return a ufunc's call that writes into ``out``."""
    if function in (np.maximum, np.minimum):
        out = f"out={out}"  # NumPy warns of a third argument to these two
    return f"{name}({', '.join([*arguments, out])})"


def empty_like(value: Region) -> str:
    """Return the expression that makes memory of a value's form, strides and all."""
    dtype = f"np.{value.dtype.type.__name__}"
    order = sorted(range(len(value.shape)), key=lambda axis: (-value.strides[axis], axis))
    if order == list(range(len(value.shape))) or value.size <= 1:
        return f"np.empty({value.shape}, {dtype})"
    shape = tuple(value.shape[axis] for axis in order)
    return f"np.empty({shape}, {dtype}).transpose({tuple(np.argsort(order).tolist())})"


def comment(call: Call | None) -> str:
    """Return what stands beside a call: the primitive with its formula, or its rule."""
    if call is None or not call.primitive:
        return ""
    if call.rule is not None:
        rule = rule_text(call.rule)
        return f"∂ {call.primitive}: {rule}" if rule else f"∂ {call.primitive}"
    formula = REGISTRY[call.primitive].formula if call.primitive in REGISTRY else ""
    return f"{call.primitive}: {formula}" if formula else call.primitive


@functools.cache
def rule_text(code) -> str:
    """Return the text of a rule, as it stands in the calculus; of a long one its name."""
    if code.co_name == "<lambda>":
        return _lambda_text(code)
    last = max((line for *_, line in code.co_lines() if line), default=code.co_firstlineno)
    lines = [
        linecache.getline(code.co_filename, number).strip()
        for number in range(code.co_firstlineno, last + 1)
    ]
    returns = [line.removeprefix("return ") for line in lines if line.startswith("return ")]
    if (
        len(returns) == 1
        and len(returns[0]) <= 40
        and returns[0].count("(") == returns[0].count(")")
    ):
        return returns[0]
    return code.co_name.strip("_").replace("_", " ")


def _lambda_text(code) -> str:
    """Return the expression of a lambda, nothing where it is long."""
    places = [place for place in code.co_positions() if place[2:] != (0, 0)]
    first, start = min((place[0], place[2]) for place in places)
    last, stop = max((place[1], place[3]) for place in places)
    text = b"".join(  # columns count bytes
        linecache.getline(code.co_filename, number).encode()[
            start if number == first else None : stop if number == last else None
        ]
        for number in range(first, last + 1)
    )
    words = " ".join(text.decode().split())
    return words if len(words) <= 80 else ""
