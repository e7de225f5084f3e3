"""Every module of aino.nn as ONNX: onnxruntime gives what it gives, or a refusal says why not."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import aino
from aino import nn
from aino.autograd.tensor import Tensor, make
from aino.errors import CompileError
from tests.nn import rows as tables
from tests.nn.row import ModuleRow

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
onnxruntime.set_default_logger_severity(4)


def all_rows() -> list[ModuleRow]:
    lists = [value for value in vars(tables).values() if isinstance(value, list)]
    rows = [row for values in lists for row in values if isinstance(row, ModuleRow)]
    return list({id(row): row for row in rows}.values())


ROWS = all_rows()

#: Modules that have no counterpart in ONNX, and why; of some only rows whose repr begins so.
REFUSED = {
    "AdaptiveLogSoftmaxWithLoss": "depends on the data",  # the classes choose which rows there are
    "CTCLoss": "ctc_forward",  # a recursion over the steps of each sample's own length
    "Embedding(5, 3, padding_idx=0, max_norm": "depends on the data",  # it shortens its own rows
    "EmbeddingBag(5, 3, max_norm": "depends on the data",  # likewise
    "LSTM(1, 2, proj_size": "_lstm",  # ONNX's LSTM has states as long as its cells
}

#: Modules without a row of their own: they are containers, bases, or made of what has a row.
WITHOUT_ROW = {
    "Container", "Module", "ModuleDict", "ModuleList", "ParameterDict", "ParameterList",
    "Sequential", "NeuralNetwork", "RNNBase", "RNNCellBase", "TensorModule", "DataParallel",
    "Buffer", "Parameter", "UninitializedBuffer", "UninitializedParameter",
}  # fmt: skip


def refusal(row: ModuleRow) -> str | None:
    return next((why for begin, why in REFUSED.items() if row.text.startswith(begin)), None)


def prepared(row: ModuleRow, dtype) -> tuple[nn.Module, list[Tensor]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = row.double().eval()
    return (module.float() if dtype == np.float32 else module), [
        make(array) for array in row.draw(dtype)
    ]


def copies(tensors: list[Tensor]) -> list[Tensor]:
    return [tensor.clone() for tensor in tensors]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.name}-{row}")
def test_onnxruntime_gives_what_the_module_gives(row):
    module, inputs = prepared(row, np.float32)

    def called(*given):
        return row.call(module, given)

    why = refusal(row)
    if why is not None:
        with pytest.raises((aino.onnx.OnnxExporterError, CompileError), match=why):
            aino.onnx.export(called, tuple(copies(inputs)))
        return
    program = aino.onnx.export(called, tuple(copies(inputs)))
    with aino.no_grad():
        expected = called(*copies(inputs))
    expected = list(expected) if isinstance(expected, tuple) else [expected]
    found = program(*inputs)
    assert len(found) == len([x for x in expected if x is not None])
    for one, other in zip(found, expected):
        assert one.shape == other.shape
        assert one.dtype == other.dtype
        np.testing.assert_allclose(one.numpy(), other.numpy(), 1e-4, 1e-5)


def test_every_module_is_exported_or_refused_by_name():
    classes = {
        name for name in nn.__all__ if isinstance(getattr(nn, name), type)
        and issubclass(getattr(nn, name), nn.Module)
    }  # fmt: skip
    known = {row.name for row in ROWS}
    lazy = {name for name in classes if name.startswith("Lazy")}  # others once they have run
    assert classes - known - lazy - WITHOUT_ROW == set()
    assert all(any(row.text.startswith(begin) for row in ROWS) for begin in REFUSED)
