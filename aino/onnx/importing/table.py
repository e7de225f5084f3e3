"""The table of operators: which function computes one, from which version of it on.

A row is a function. Its positional parameters are the operator's inputs, its keyword-only ones the
attributes, both by ONNX's names; what was an attribute and became an input later comes to the same
parameter either way. The annotation of a parameter says how it is given:

=========== ======================================================================================
``Tensor``  a tensor
``Ints``    Python's whole numbers, read from the tensor: what says *how* to compute
``Int``     one of them
``Floats``  Python's floats
``Float``   one of them
``Plain``   a NumPy array without a history: for what has no derivative
``Value``   what there is: tensors, foreign arrays, lists (ONNX's sequences), None
=========== ======================================================================================

``outputs`` is how many outputs are asked for, ``running`` what belongs to a run (`Running`).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

Ints: TypeAlias = list[int]
Int: TypeAlias = int
Floats: TypeAlias = list[float]
Float: TypeAlias = float
Plain: TypeAlias = np.ndarray
Value: TypeAlias = Any

#: What says how to compute, and is part of the graph therefore, not of what is learned.
STRUCTURE = frozenset({"Ints", "Int", "Floats", "Float"})
#: The newest version of ONNX's operators that the rows were written for.
NEWEST = {"": 28, "ai.onnx.ml": 5, "ai.onnx.preview": 1, "ai.onnx.preview.training": 1}
_GIVEN = ("outputs", "running")


@dataclass(frozen=True)
class Row:
    """One operator, from one version on.

    Arguments:
        function: what computes it.
        inputs: the names of its inputs, each with how it is given.
        variadic: how all further inputs are given, None where there are none.
        attributes: the names of the attributes that it takes.
        needed: those that have no default.
        given: which of ``outputs`` and ``running`` it asks for.
        knows: its outputs are known before the data is, as shapes are.
        moves: it only moves elements, so that they may be of any type.
        random: it draws numbers.
        grows: its output may be far larger than its inputs, so that it is not computed when the
            model is loaded.
        buffers: the inputs that are not learned.
    """

    function: Callable[..., Any]
    inputs: dict[str, str]
    variadic: str | None
    attributes: frozenset[str]
    needed: frozenset[str]
    given: tuple[str, ...]
    knows: bool
    moves: bool
    random: bool
    grows: bool
    buffers: tuple[int, ...]


_ROWS: dict[tuple[str, str], dict[int, Row]] = {}


def operator(
    name: str,
    since: int = 1,
    *,
    domain: str = "",
    knows: bool = False,
    moves: bool = False,
    random: bool = False,
    grows: bool = False,
    buffers: tuple[int, ...] = (),
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Enter a function into the table; `Row` says what the options mean.

    Arguments:
        name: the operator's name.
        since: the version from which the function is right, up to the next row's.
        domain: the operator's domain, "" for ONNX's own.
        knows: its outputs are known before the data is.
        moves: elements may be of any type.
        random: it draws numbers.
        grows: it is not computed when the model is loaded.
        buffers: the inputs that are not learned.
    """

    def enter(function: Callable[..., Any]) -> Callable[..., Any]:
        inputs, attributes, needed, given = {}, set(), set(), []
        variadic = None
        for key, parameter in inspect.signature(function).parameters.items():
            way = str(parameter.annotation).removesuffix(" | None")
            if parameter.kind is parameter.VAR_POSITIONAL:
                variadic = way
            elif key in _GIVEN:
                given.append(key)
            elif parameter.kind is parameter.KEYWORD_ONLY:
                attributes.add(key)
                if parameter.default is parameter.empty:
                    needed.add(key)
            else:
                inputs[key] = way
        _ROWS.setdefault((domain, name), {})[since] = Row(
            function, inputs, variadic, frozenset(attributes), frozenset(needed), tuple(given),
            knows, moves, random, grows, buffers,
        )  # fmt: skip
        return function

    return enter


def row_for(domain: str, name: str, version: int) -> Row | None:
    """Return the row that is right for a version of an operator, None where there is none."""
    rows = _ROWS.get((domain, name), {})
    since = max((since for since in rows if since <= version), default=None)
    return None if since is None else rows[since]


def rows() -> dict[tuple[str, str], dict[int, Row]]:
    """Return the whole table: the rows of each operator by the version from which they hold."""
    return _ROWS
