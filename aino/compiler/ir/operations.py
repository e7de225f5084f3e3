"""What a call of a program can be: a closed list, so that a pass or a back end knows them all."""

from __future__ import annotations

from enum import Enum

import numpy as np


class Operation(Enum):
    """The kind of a call; what its ``function`` is depends on it.

    Of a ufunc and its methods the function is the ufunc, of ``FUNCTION`` one of NumPy's, of
    ``METHOD`` and ``ATTRIBUTE`` the name that arrays have it under, of ``KERNEL``, ``CHECK``,
    ``DRAW``, ``SEED`` and ``EXCHANGE`` a Python function. The others have none.
    """

    UFUNC = "ufunc"
    REDUCE = "reduce"
    ACCUMULATE = "accumulate"
    REDUCEAT = "reduceat"
    OUTER = "outer"
    #: ``ufunc.at``: its first argument is written.
    AT = "at"
    FUNCTION = "function"
    METHOD = "method"
    ATTRIBUTE = "attribute"
    #: ``array[index]`` that makes a copy.
    GET = "get"
    #: ``array[index] = value`` with an index that is computed.
    SET = "set"
    #: One region is copied into another.
    COPY = "copy"
    #: A Python number becomes a 0-d array: how a live number enters NumPy calls.
    NUMBER = "number"
    #: A function that NumPy's dispatch can't see into.
    KERNEL = "kernel"
    #: A check of values, which raises where they are wrong.
    CHECK = "check"
    DRAW = "draw"
    SEED = "seed"
    #: What other processes have comes into regions that it reads and writes.
    EXCHANGE = "exchange"
    #: Element-wise calls that run block by block.
    LOOP = "loop"


#: The methods of a ufunc, by their names in NumPy.
UFUNC_METHODS = {
    "__call__": Operation.UFUNC,
    "reduce": Operation.REDUCE,
    "accumulate": Operation.ACCUMULATE,
    "reduceat": Operation.REDUCEAT,
    "outer": Operation.OUTER,
    "at": Operation.AT,
}

METHOD_NAMES = {operation: name for name, operation in UFUNC_METHODS.items()}

#: Those that run, and in this order, though nobody may read what they make.
EFFECTS = frozenset({Operation.CHECK, Operation.DRAW, Operation.SEED, Operation.EXCHANGE})

#: Those that have no function: what they do is said by the operation alone.
WITHOUT_FUNCTION = frozenset(
    {Operation.GET, Operation.SET, Operation.COPY, Operation.NUMBER, Operation.LOOP}
)


def numpy_operation(function) -> Operation:
    """Return the operation of a function of NumPy's that is called as it is."""
    return Operation.UFUNC if isinstance(function, np.ufunc) else Operation.FUNCTION
