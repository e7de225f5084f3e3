"""Dynamic lengths on both sides of those at which kernels go another way: long sums and short."""

import numpy as np
import pytest

import aino
from aino import nn

pytest.importorskip("onnx")
reference = pytest.importorskip("onnx.reference")
F = nn.functional
ATTENTION = nn.MultiheadAttention(4, 2, batch_first=True)

#: What is exported with the first dimension dynamic, and the shape of the example.
ROWS = {
    "sum": (lambda x: x.sum(-1), (150, 3, 16)),
    "sum of all rows": (lambda x: x.sum(0), (150, 3, 16)),
    "mean": (lambda x: x.mean((0, 1)), (150, 3, 16)),
    "variance": (lambda x: x.var(-1), (150, 3, 16)),
    "deviation": (lambda x: x.std(0), (1500, 3)),
    "squares": (lambda x: F.mse_loss(x, 2 * x), (150, 3, 16)),
    "length": (lambda x: F.normalize(x, dim=-1), (150, 3, 16)),
    "softmax": (lambda x: F.softmax(x, 1), (150, 3, 16)),
    "logarithms": (lambda x: F.log_softmax(x, -1) + x.logsumexp(-1, True), (150, 3, 16)),
    "layer norm": (lambda x: F.layer_norm(x, (16,)), (150, 3, 16)),
    "rms norm": (lambda x: F.rms_norm(x, (16,)), (150, 3, 16)),
    "pooling": (lambda x: F.adaptive_avg_pool2d(x, 1), (150, 2, 3, 3)),
    "accumulation": (lambda x: x.cumsum(0), (1500, 3)),
    "attention": (lambda x: ATTENTION(x, x, x)[0], (150, 3, 4)),
    "a layer that is a function of others": (
        lambda x: F.gelu(F.layer_norm(x, (16,))).mean(1).softmax(-1), (150, 3, 16)),
}  # fmt: skip


@pytest.mark.parametrize("what", ROWS)
def test_a_kernel_that_goes_another_way_is_one_operator(what):
    function, shape = ROWS[what]
    rng = np.random.default_rng(0)
    x = aino.tensor(rng.normal(size=shape), dtype=aino.float32)
    program = aino.onnx.export(function, (x,), dynamic_shapes=({0: "n"},))
    evaluator = reference.ReferenceEvaluator(program.model_proto)
    for length in (2, 3, 130, 700):
        x = aino.tensor(rng.normal(size=(length, *shape[1:])), dtype=aino.float32)
        (found,) = evaluator.run(None, {program.input_names[0]: x.numpy()})
        np.testing.assert_allclose(found, function(x).detach().numpy(), 1e-4, 1e-5)


def test_what_goes_another_way_and_is_no_function_is_named():
    def function(x):
        return x.exp() if x.shape[0] > 10 else x.log()

    with pytest.raises(aino.onnx.OnnxExporterError, match=r"other lengths.*exp or log"):
        aino.onnx.export(function, (aino.ones(20, 2),), dynamic_shapes=({0: "n"},))
    with pytest.raises(aino.onnx.OnnxExporterError, match="more calls for some lengths"):
        aino.onnx.export(
            lambda x: sum(x[i] for i in range(len(x))), (aino.ones(20, 2),),
            dynamic_shapes=({0: "n"},),
        )  # fmt: skip
