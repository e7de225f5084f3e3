"""Primitive: a kernel, one rule for each input, a formula; and the call path made of them.

    mul = primitive("mul", np.multiply, formula="a · b", broadcasts=True, promotes="common",
                    jacobian="diagonal",
                    a=lambda g, b: g * b,
                    b=lambda g, a: g * a)

A rule's signature says what it reads, and only that is kept for the backward pass:

    g            the gradient of the output
    y            the output
    a, x, ...    an input, by its name in the kernel
    x_shape      the shape of an input (x_dtype its dtype), where no more is needed
    axis, ...    a parameter of the kernel, by its name

The call path is straight-line Python, written for the primitive's arity when it is first called;
``function.source`` shows it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.autograd.calling import announce, several, stub, variadic
from aino.autograd.declared import REGISTRY as REGISTRY
from aino.autograd.declared import Primitive


def primitive(
    name, kernel, *, formula, inputs=None, broadcasts=False, promotes=None, view=False,
    definition=None, outputs="", jacobian=None, jvp=None, linked=False, together=None, **rules,
):  # fmt: skip
    """Declare a primitive and return the function that computes and records it.

    ``inputs`` names the array arguments where they are more than those that have rules, or
    ``"*xs"`` for a list of them. ``broadcasts``: gradients are summed back to the inputs' shapes.
    ``promotes``: ``"common"`` brings the inputs to one dtype, ``"float"`` to a floating or complex
    one; ``"floating"`` refuses what is not floating already, ``"ordered"`` what is complex.
    ``view``: the output may share the input's memory. ``definition``: for a fused kernel, what
    it computes in terms of other primitives; differentiated for derivatives of higher order.
    ``outputs`` names what a kernel returns as a tuple: a rule then begins with the gradient of
    each output, None where nothing arrived for it, and reads outputs by their names.
    ``jacobian`` is what is known of the derivative, from which forward mode follows:
    ``"diagonal"`` where each element depends on its own alone;
    ``"diagonal if real"`` where that holds for real numbers; ``"symmetric"`` where it is its own
    transpose; ``"linear"``, ``"multilinear"`` in all inputs together, or in each of them;
    ``"reduced"`` where each element goes into one result; it is derived from the rules
    alone. ``jvp`` has rules for the tangents of inputs, where they are simpler than that: they
    begin with the tangent, and read what other rules read. ``linked``: the gradient counts as made
    with the input, as in PyTorch, though no rule reads that: it can be differentiated for it.
    ``together`` stands for the rules where all cotangents come of one computation: it begins with
    a tuple that says which of the ``inputs`` want one, and returns one for each of them.
    The function takes arrays too, and then returns arrays and records nothing.
    """
    declared = Primitive(
        name, kernel, formula, inputs, broadcasts, promotes, view, definition, rules, outputs,
        jacobian, jvp, linked, together,
    )  # fmt: skip
    if name in REGISTRY:
        raise TypeError(f"primitive {name!r} is declared twice")
    REGISTRY[name] = declared
    write = variadic if declared.variadic else several if declared.outputs else stub
    function: Any = write(declared)
    function.primitive = declared
    declared.function = function
    if write is not stub:
        announce(function)
    return function


def _cast_kernel(x, dtype):
    return (x.real if x.dtype.kind == "c" and dtype.kind != "c" else x).astype(dtype)


cast = primitive(
    "cast", _cast_kernel, formula="x as dtype", jacobian="diagonal",
    x=lambda g, x_dtype: cast(g, x_dtype),
)  # fmt: skip

alias = primitive("alias", lambda x: x, formula="x", jacobian="diagonal", x=lambda g: g)

#: A value that does not change with x, though it was made with it: the slope is zero, not missing.
unmoved = primitive(
    "unmoved", lambda value, x: value, formula="value, whatever x is",
    value=lambda g: g,
    x=lambda g, x_shape, x_dtype: cast(np.zeros_like(g, shape=x_shape), x_dtype),
)  # fmt: skip
