"""ONNX's backend tests, run one by one: passed, refused by name, or failed."""

from __future__ import annotations

import functools
import warnings
from typing import NamedTuple

import numpy as np


class Outcome(NamedTuple):
    """What became of one test: ``passed``, ``refused`` or ``failed``, and why."""

    state: str
    why: str = ""


@functools.cache
def node_tests():
    """All of ONNX's node tests by their names."""
    from onnx.backend.test.loader import load_model_tests

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {case.name: case for case in load_model_tests(kind="node")}


def family_of(case):
    """The operator that a test is about: the first of its graph that has no further meaning."""
    nodes = [node.op_type for node in case.model.graph.node]
    if len(nodes) == 1:
        return nodes[0]
    words = case.name.removeprefix("test_").replace("_", "")
    named = [name for name in set(nodes) | ALL_NAMES() if words.startswith(name.lower())]
    return max(named, key=len, default=nodes[-1])


@functools.cache
def ALL_NAMES():
    from onnx import defs

    return frozenset(schema.name for schema in defs.get_all_schemas())


def compare(results, wanted, case):
    """Compare as ONNX's own runner does; arrays without dimensions in a list it cannot compare."""
    from onnx.backend.test.runner import Runner

    assert len(results) == len(wanted)
    for result, expected in zip(results, wanted):
        if isinstance(expected, list):
            assert isinstance(result, list)
            compare(result, expected, case)
        else:
            Runner.assert_similar_outputs([expected], [result], case.rtol, case.atol)


def run(case):
    """Run a test on AINO's backend."""
    from onnx.backend.test.runner import _normalize_tensor

    from aino.errors import OnnxError
    from aino.onnx import backend

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            prepared = backend.prepare(case.model)
            for inputs, wanted in case.data_sets:
                given = [_normalize_tensor(item) for item in inputs]
                results = prepared.run(given)
                compare(results, [_normalize_tensor(item) for item in wanted], case)
        except OnnxError as error:
            return Outcome("refused", str(error))
        except Exception as error:
            return Outcome("failed", f"{type(error).__name__}: {error}")
    return Outcome("passed")
