"""Models as ONNX: what onnxruntime or ONNX's own evaluator gives is what the model gives."""

from __future__ import annotations

import io
import os

import numpy as np
import pytest

import aino
from aino import nn
from aino.errors import ArgumentError, CompileError
from aino.onnx.exporting.table import WHOLE

onnx = pytest.importorskip("onnx")
reference = pytest.importorskip("onnx.reference")
F = nn.functional


def run(program, *tensors):
    """Return what ONNX's own evaluator gives."""
    evaluator = reference.ReferenceEvaluator(program.model_proto)
    arrays = [tensor.detach().numpy() for tensor in tensors]
    return evaluator.run(None, dict(zip(program.input_names, arrays)))


def operators(program) -> list[str]:
    return [node.op_type for node in program.model_proto.graph.node]


def lengths(port) -> list:
    return [d.dim_param or d.dim_value for d in port.type.tensor_type.shape.dim]


class Small(nn.Module):
    """Convolution, pooling, normalisation and a layer, with a weight that is used twice."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.fc = nn.Linear(4 * 2 * 2, 4)
        self.tied = nn.Linear(4, 16, bias=False)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.norm(self.conv(x))), 2)
        return self.tied(self.fc(x.flatten(1)))


def test_a_network_takes_any_batch_and_reads_as_it_was_written():
    aino.manual_seed(0)
    model = Small().eval()
    x = aino.randn(3, 1, 4, 4)
    program = aino.onnx.export(model, (x,), dynamic_shapes={"x": {0: "batch"}})
    assert operators(program) == [
        "Conv", "BatchNormalization", "Relu", "MaxPool", "Reshape", "Gemm", "MatMul",
    ] or operators(program)[-1] == "Gemm"  # fmt: skip
    graph = program.model_proto.graph
    state = model.state_dict()
    weights = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
    for name in ("conv.weight", "conv.bias", "norm.running_mean", "fc.weight", "tied.weight"):
        assert np.array_equal(weights[name], state[name].numpy())
    assert graph.node[0].name == "conv.Conv"
    assert lengths(graph.input[0]) == ["batch", 1, 4, 4]
    assert lengths(graph.output[0]) == ["batch", 16]
    for size in (1, 2, 5):
        x = aino.randn(size, 1, 4, 4)
        np.testing.assert_allclose(run(program, x)[0], model(x).detach().numpy(), 1e-4, 1e-5)


#: Functions of x (3, 4) and y (3, 4): each is exported with any number of rows.
FUNCTIONS = {
    "arithmetic": lambda x, y: (x - 2.0) * y / (x.abs() + 1.0) - -x,
    "comparisons": lambda x, y: aino.where((x > y) | (x <= -1.0), x, y * 2.0),
    "views": lambda x, y: aino.cat([x.t()[1:3].t(), y[:, ::2]], 1),
    "writes": lambda x, y: written(x, y),
    "reductions": lambda x, y: aino.stack([x.sum(1), y.mean(1), x.amax(1), y.std(1)]),
    "shapes": lambda x, y: (x.reshape(-1, 2, 2) @ y.view(-1, 2, 2).mT).flatten(1),
    "of a size": lambda x, y: x * x.shape[0] + aino.arange(x.shape[0]).unsqueeze(1),
    "constants": lambda x, y: x + aino.zeros(x.shape[0], 4) + aino.tensor([1.0, 2.0, 3.0, 4.0]),
    "indices": lambda x, y: x[:, aino.tensor([3, 0, 0])] + y.gather(1, (x[:, :3] > 0).long()),
    "sorted": lambda x, y: x.sort(1).values + y.cumsum(1),
    "scores": lambda x, y: F.softmax(x, -1) + F.log_softmax(y, 0),
    "logic": lambda x, y: ((x > 0) & (y > 0)).float() + (x > 0).any(1, keepdim=True),
}  # fmt: skip


def written(x, y):
    out = x.clone()
    out[:, 1:3] = y[:, :2]
    out[:, ::3] *= 2.0
    return out.relu_()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_of_tensors_with_any_number_of_rows(name):
    aino.manual_seed(1)
    function = FUNCTIONS[name]
    given = (aino.randn(3, 4), aino.randn(3, 4))
    rows = {0: "rows"}
    program = aino.onnx.export(function, given, dynamic_shapes={"x": rows, "y": rows})
    for count in (1, 2, 6):
        x, y = aino.randn(count, 4), aino.randn(count, 4)
        np.testing.assert_allclose(run(program, x, y)[0], function(x, y).numpy(), 1e-5, 1e-6)


def test_names_of_inputs_and_outputs():
    def function(x, batch, *, scale):
        return {"sum": x + batch["y"][0], "pair": (x * scale, x)}

    x = aino.ones(2, 3)
    kwargs = {"scale": aino.ones(3)}
    program = aino.onnx.export(function, (x, {"y": [x]}), kwargs=kwargs)
    assert program.input_names == ["x", "batch_y_0", "scale"]
    assert program.output_names == ["sum", "pair_0", "pair_1"]
    program = aino.onnx.export(
        function, (x, {"y": [x]}), kwargs=kwargs, input_names=["a", "b", "c"],
        output_names=["s"], dynamic_axes={"a": {0: "n"}, "b": {0: "n"}, "s": {0: "rows"}},
    )  # fmt: skip
    assert program.input_names == ["a", "b", "c"]
    assert program.output_names == ["s", "pair_0", "pair_1"]
    assert lengths(program.model_proto.graph.output[0]) == ["rows", 3]
    found = run(program, aino.full((5, 3), 2.0), aino.ones(5, 3), aino.tensor([1.0, 2.0, 3.0]))
    assert np.array_equal(found[0], np.full((5, 3), 3.0, np.float32))
    assert np.array_equal(found[2], np.full((5, 3), 2.0, np.float32))


def test_tied_weights_are_one_initializer():
    model = nn.Sequential(nn.Embedding(5, 4), nn.Linear(4, 5, bias=False))
    model[1].weight = model[0].weight
    program = aino.onnx.export(model, (aino.tensor([[1, 2]]),))
    assert [tensor.name for tensor in program.model_proto.graph.initializer] == ["0.weight"]


@pytest.mark.parametrize("dtype", [aino.float32, aino.float64, aino.int64, aino.int32, aino.bool])
def test_dtypes(dtype):
    x = aino.tensor([[0, 1], [1, 1]]).to(dtype)
    program = aino.onnx.export(lambda x: (x, x + x, x == x), (x,))
    found = run(program, x)
    assert [str(array.dtype) for array in found] == [str(x.numpy().dtype)] * 2 + ["bool"]
    assert np.array_equal(found[1], (x + x).numpy())


# Files


def test_a_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    model = nn.Linear(300, 2).eval()
    x = aino.randn(2, 300)
    path = tmp_path / "model.onnx"
    aino.onnx.export(model, (x,), path)
    before = path.read_bytes()
    assert onnx.load(path).producer_name == "aino"
    monkeypatch.setattr(os, "fsync", lambda descriptor: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        aino.onnx.export(model, (x,), path, verbose=False)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["model.onnx"]


def test_parameters_in_a_file_of_their_own(tmp_path):
    model = nn.Linear(300, 2).eval()
    x = aino.randn(2, 300)
    program = aino.onnx.export(model, (x,), tmp_path / "model.onnx", external_data=True)
    assert sorted(os.listdir(tmp_path)) == ["model.onnx", "model.onnx.data"]
    assert (tmp_path / "model.onnx").stat().st_size < 1000
    loaded = onnx.load(tmp_path / "model.onnx")
    onnx.checker.check_model(loaded)
    found = reference.ReferenceEvaluator(loaded).run(None, {"input": x.numpy()})
    np.testing.assert_allclose(found[0], run(program, x)[0])
    file = io.BytesIO()
    program.save(file, include_initializers=False)
    bare = onnx.load_from_string(file.getvalue())
    assert [port.name for port in bare.graph.input] == ["input", "weight", "bias"]
    assert not bare.graph.initializer


# What is refused, in words


REFUSED = [
    ("dropout in training", lambda x: F.dropout(x), r"random draw .* model\.eval\(\)"),
    ("a mask", lambda x: x[x > 0], "depends on the data"),
    ("a branch", lambda x: x if x.sum() > 0 else -x, "if, while"),
    ("complex numbers", lambda x: aino.fft.fft(x).real, "fft"),
    ("no tensor", lambda x: 3, "no tensor"),
    ("something else", lambda x: (x, "text"), "'text', which is no tensor"),
    ("a number", lambda x: x.sum().item(), r"item\(\)"),
    ("NumPy's array", lambda x: x.numpy(), "does something else at every call"),
    ("a decomposition", lambda x: aino.linalg.svd(x @ x.mT)[1], "counterpart"),
]


@pytest.mark.parametrize(("name", "function", "words"), REFUSED)
def test_what_has_no_counterpart_is_refused(name, function, words):
    with pytest.raises((aino.onnx.OnnxExporterError, CompileError), match=words):
        aino.onnx.export(function, (aino.ones(2, 3),))
    assert not aino.onnx.is_in_onnx_export()


def test_a_model_that_changes_while_it_predicts_is_refused():
    model = nn.BatchNorm1d(3)
    before = model.running_mean.clone()
    with pytest.raises(aino.onnx.OnnxExporterError, match=r"model\.eval\(\)"):
        aino.onnx.export(model, (aino.randn(4, 3),))
    assert (model.running_mean == before).all()


OPTIONS = [
    ({"dynamo": False}, "dynamo"), ({"report": True}, "report"), ({"optimize": False}, "optimize"),
    ({"custom_opsets": {"mine": 1}}, "custom_opsets"), ({"training": 1}, "training"),
    ({"opset_version": 9}, "17 to"), ({"opset_version": 99}, "17 to"),
    ({"export_params": False}, r"save\(\)"), ({"input_names": ["a", "b"]}, "input_names"),
    ({"output_names": ["a", "b"]}, "output_names"), ({"output_names": ["x"]}, "names of their own"),
    ({"dynamic_axes": {"z": [0]}}, "'z'"), ({"dynamic_shapes": {"z": {0: "n"}}}, "'z'"),
    ({"dynamic_shapes": {"x": {5: "n"}}}, "no axis 5"),
    ({"dynamic_shapes": {"x": {0: "n"}}, "dynamic_axes": {"x": [0]}}, "not both"),
    ({"dynamic_shapes": {"x": {0: "n", 1: "n"}}}, "'n' is 2"),
]  # fmt: skip


@pytest.mark.parametrize(("options", "words"), OPTIONS, ids=lambda x: str(x)[:40])
def test_options_act_or_are_refused(options, words):
    with pytest.raises(ArgumentError, match=words):
        aino.onnx.export(lambda x: x * 2.0, (aino.ones(2, 3),), **options)


def test_what_depends_on_a_dynamic_length_is_refused():
    with pytest.raises(aino.onnx.OnnxExporterError, match="dynamic"):
        aino.onnx.export(
            lambda x: x * 2.0 if x.shape[0] > 6 else x, (aino.ones(5, 3),),
            dynamic_shapes={"x": {0: "n"}},
        )  # fmt: skip


def test_a_function_can_tell_that_it_is_exported():
    program = aino.onnx.export(
        lambda x: x * 2.0 if aino.onnx.is_in_onnx_export() else x, (aino.ones(2),)
    )
    assert operators(program) == ["Mul"]


def test_rows_are_of_primitives_that_there_are():
    from aino.autograd.primitive import REGISTRY

    aino.onnx.export(lambda x: x + 1.0, (aino.ones(2),))
    assert set(WHOLE.primitives) <= set(REGISTRY)
