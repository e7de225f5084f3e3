"""Calls of elementwise primitives in C, where the package ``aino-native`` is installed.

A call path asks ``quick`` first. It answers with the tensor where a call is plain: tensors that are
no views over arrays of NumPy's own, of one dtype, nobody looking on. The loops it runs are those of
NumPy that the kernel calls, which a tape knows; everything else is left to the call path, which
stays the definition. A backward pass in C (``walk.backward_in_c``) asks ``quick_back`` for the
rules in the same way. Tapes are made when a primitive has been called some times, and used where
they give what kernel and rules give, bit for bit.
"""

from __future__ import annotations

import functools
from importlib import import_module
from typing import Any

import numpy as np

from aino.autograd.declared import Primitive, RecordedNode
from aino.autograd.mode import mode
from aino.autograd.node import Node, noted, tick
from aino.autograd.operands import constant, float32, float64
from aino.autograd.sums import sum_to_shape
from aino.autograd.tensor import Tensor
from aino.native import found

#: After so many calls a tape is made: that takes some milliseconds.
PATIENCE = 64
_DTYPES = (float32, float64)
# As they are when nothing is traced.
_OF_TENSORS = tuple([vars(Tensor)[name] for name in ("array", "node", "view_of")])
_OF_NODES = tuple([
    (vars(Node) | vars(RecordedNode))[name]
    for name in ("inputs", "saved", "noted", "shape", "sequence", "extras")
])  # fmt: skip


def quick_calls(declared: Primitive) -> dict[str, Any]:
    """Return what makes a primitive's plain calls, ``quick``, and what applies its rules.

    Nothing without the package, for primitives that have parameters, more than two inputs, or
    elements that depend on one another, and for those that are not AINO's own.
    """
    made = found("Operation")
    if made is None or not _is_plain(declared):
        return {}
    rules = [declared.reads[name] for name in declared.inputs]
    operation = made(
        takes=len(declared.inputs),
        tensor=Tensor,
        tensor_slots=_OF_TENSORS,
        node=declared.node_class,
        node_slots=_OF_NODES,
        mode=mode, tick=tick, constant=constant, note=noted,
        ufunc=declared.kernel if hasattr(declared.kernel, "reduce") else None,
        sources=tuple([[*declared.inputs, "y"].index(name) for name in declared.saved_names]),
        readers=tuple([
            sum([1 << place for place, reads in enumerate(rules) if name in reads])
            for name in declared.saved_names
        ]),
        prepare=functools.partial(_tapes, (declared.kernel,), (len(declared.inputs),)),
        patience=PATIENCE,
    )  # fmt: skip
    pullback = found("Pullback")(
        node=Node,
        shape_slot=vars(Node)["shape"],
        rules=tuple([(-1, *map(declared.saved_names.index, reads)) for reads in rules]),
        broadcasts=declared.broadcasts,
        sum_to=sum_to_shape,
        prepare=functools.partial(
            _tapes,
            tuple([declared.rules[name] for name in declared.inputs]),
            tuple([1 + len(reads) for reads in rules]),
        ),
        patience=PATIENCE,
    )
    return {"quick": operation, "quick_back": pullback}


def _is_plain(declared: Primitive) -> bool:
    known = {*declared.inputs, "y"}
    several = len(declared.inputs) == 2 and not declared.optional
    return (
        declared.jacobian == "diagonal"
        and (len(declared.inputs) == 1 or several)
        and declared.differentiable == declared.inputs
        and not declared.parameters
        and declared.together is None
        and declared.definition is None
        and not declared.view
        and all([known.issuperset(reads) for reads in declared.reads.values()])
        and all(map(_is_pure, (declared.kernel, *declared.rules.values())))
    )


def _is_pure(function: Any) -> bool:
    """Tell whether a function computes the same every time, as AINO's own kernels and rules do.

    What others declare may read a setting, which a tape would never hear of again.
    """
    own = (getattr(function, "__module__", None) or "").startswith("aino.")
    return own or isinstance(function, np.ufunc)


def _tapes(functions: tuple, counts: tuple[int, ...], which: int) -> tuple:
    """Return a tape of each function over so many arrays, None where it is none."""
    # Loaded when it is first needed: it stands on all that computes.
    tapes = import_module("aino.native.tapes")
    return tuple([tapes.tape(f, count, _DTYPES[which]) for f, count in zip(functions, counts)])
