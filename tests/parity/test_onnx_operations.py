"""Every operation as ONNX: what is exported is right, and what is not is refused, never wrong."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import aino
from aino.autograd.tensor import Tensor
from aino.errors import CompileError
from tests.calculus import harness

pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
onnxruntime.set_default_logger_severity(4)

ROWS = [row for row in harness.load_rows() if not row.seeded and row.cases]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_an_operation_is_exported_right_or_refused(row):
    case = row.cases[0]
    arrays = harness.drawn(row, case, np.float32)

    def called(*tensors):
        return harness.call(row, case, tensors)

    def tensors():
        return tuple([aino.tensor(array) for array in arrays])

    try:
        with aino.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = called(*tensors())
    except Exception:
        pytest.skip("it does not take float32")
    if not arrays or not all(isinstance(y, Tensor) and y.dtype.kind != "c" for y in expected):
        pytest.skip("ONNX has tensors of real numbers alone")
    if any(array.dtype.kind == "c" for array in arrays):
        pytest.skip("ONNX has no complex inputs")
    try:
        program = aino.onnx.export(called, tensors())
    except (aino.onnx.OnnxExporterError, CompileError):
        return
    found = program(*tensors())
    assert len(found) == len(expected)
    for one, other in zip(found, expected):
        assert one.shape == other.shape
        assert one.dtype == other.dtype
        np.testing.assert_allclose(one.numpy(), other.detach().numpy(), 1e-3, 1e-4)


def test_most_operations_are_exported():
    """The primitives that the table writes as one, and those that follow from NumPy's calls."""
    names = ("exp", "matmul", "softmax", "cumsum", "gather", "sort", "where", "einsum", "norm")
    known = {row.name: row for row in ROWS}
    for name in names:
        row = known[name]
        case = row.cases[0]
        arrays = harness.drawn(row, case, np.float32)
        tensors = tuple([aino.tensor(array) for array in arrays])
        aino.onnx.export(lambda *given, r=row, c=case: harness.call(r, c, given), tensors)
