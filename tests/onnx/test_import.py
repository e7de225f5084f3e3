"""Models in ONNX as modules: values, gradients, compiled programs, transforms, training, files."""

import copy
import functools
import pickle
from importlib import import_module

import numpy as np
import pytest

import aino
from aino import nn
from aino.errors import CompileError, OnnxError
from tests.onnx import backend_tests
from tests.onnx.graphs import loaded, model, perceptron

onnx = pytest.importorskip("onnx")
helper = onnx.helper
RNG = np.random.default_rng(3)


def weights(*shape):
    return RNG.normal(size=shape).astype(np.float32)


def one(operator, shape=(3, 4), attributes=None, opset=21, inputs="x", **initializers):
    """A model of one operator: the shape of its input, and further inputs that it holds."""
    names = " ".join([inputs, *initializers])
    return functools.partial(
        model, [(operator, names, "y", attributes or {})], {"x": shape}, ["y"], initializers, opset
    )


#: What a gradient flows through: each is differentiated, compiled, and run for samples.
GRAPHS = {
    "perceptron": lambda: perceptron(),
    "Clip": one("Clip", min=np.float32(-0.5), max=np.float32(0.7)),
    "Pow": functools.partial(
        model, [("Exp", "x", "e"), ("Pow", "e p", "y")], {"x": (3, 4)}, ["y"],
        {"p": np.float32(3)},
    ),
    "PRelu": one("PRelu", slope=weights(4)),
    "Gelu": one("Gelu"),
    "HardSigmoid": one("HardSigmoid", attributes={"alpha": 0.3}),
    "Selu": one("Selu"),
    "Shrink": one("Shrink", attributes={"bias": 0.1, "lambd": 0.2}),
    "Softmax of old": one("Softmax", (2, 3, 2), {"axis": 1}, 11),
    "LogSoftmax": one("LogSoftmax", attributes={"axis": 0}),
    "ReduceLogSumExp": one("ReduceLogSumExp", axes=np.array([1])),
    "ReduceL2 of old": one("ReduceL2", attributes={"axes": [0], "keepdims": 0}, opset=13),
    "ReduceProd": one("ReduceProd", axes=np.array([-1])),
    "ReduceMax": one("ReduceMax", axes=np.array([0])),
    "CumSum": one("CumSum", attributes={"exclusive": 1, "reverse": 1}, axis=np.array(1)),
    "CumProd": one("CumProd", attributes={"exclusive": 1}, opset=26, axis=np.array(0)),
    "TopK": one("TopK", k=np.array([2])),
    "Slice backward": one("Slice", s=np.array([-1, 0]), e=np.array([-9, 3]), a=np.array([1, 0]),
                          t=np.array([-2, 1])),
    "Slice of old": one("Slice", attributes={"starts": [1], "ends": [3], "axes": [1]}, opset=9),
    "Pad": one("Pad", p=np.array([0, 1, 0, 2]), v=np.float32(0.5)),
    "Pad reflect": one("Pad", attributes={"mode": "reflect"}, p=np.array([1, 0, 1, 2])),
    "Pad of old": one("Pad", attributes={"pads": [0, -1, 0, 2], "mode": "edge"}, opset=10),
    "Expand": one("Expand", (3, 1), s=np.array([2, 3, 4])),
    "Tile": one("Tile", r=np.array([1, 2])),
    "Split": functools.partial(
        model, [("Split", "x", "a b", {"axis": 1, "num_outputs": 2}), ("Mul", "a b", "y")],
        {"x": (3, 4)}, ["y"],
    ),
    "DepthToSpace": one("DepthToSpace", (1, 8, 2, 2), {"blocksize": 2, "mode": "CRD"}),
    "Gather": one("Gather", attributes={"axis": 1}, i=np.array([[0, -1], [2, 2]])),
    "GatherElements": one("GatherElements", attributes={"axis": 1}, i=np.array([[0, -1, 2]] * 3)),
    "GatherND": one("GatherND", i=np.array([[0, -1], [2, 2]])),
    "ScatterND": one("ScatterND", attributes={"reduction": "mul"}, i=np.array([[0], [2], [0]]),
                     u=weights(3, 4)),
    "ScatterElements": one("ScatterElements", attributes={"axis": 1}, i=np.array([[1, -1]]),
                           u=weights(1, 2)),
    "Where": functools.partial(
        model, [("Greater", "x zero", "c"), ("Where", "c x w", "y")], {"x": (3, 4)}, ["y"],
        {"zero": np.float32(0), "w": weights(4)},
    ),
    "Einsum": one("Einsum", attributes={"equation": "ij,jk->ki"}, w=weights(4, 2)),
    "Gemm": one("Gemm", attributes={"alpha": 0.5, "beta": 2.0, "transA": 1}, w=weights(3, 2),
                b=weights(2)),
    "Conv": one("Conv", (1, 4, 5, 5), {"group": 2, "pads": [1, 0, 2, 1], "strides": [2, 1],
                                       "dilations": [1, 2]}, w=weights(4, 2, 2, 2), b=weights(4)),
    "Conv same": one("Conv", (1, 2, 6), {"auto_pad": "SAME_LOWER", "strides": [2]},
                     w=weights(3, 2, 3)),
    "ConvTranspose": one("ConvTranspose", (1, 2, 3, 3), {"output_padding": [1, 0], "pads":
                         [0, 1, 1, 0], "strides": [2, 1]}, w=weights(2, 3, 2, 3), b=weights(3)),
    "MaxPool": one("MaxPool", (1, 2, 5, 6), {"kernel_shape": [2, 3], "pads": [0, 1, 1, 0],
                                             "ceil_mode": 1, "strides": [2, 2]}),
    "AveragePool": one("AveragePool", (1, 2, 5, 6), {"kernel_shape": [2, 2], "pads": [1, 0, 0, 1],
                                                     "dilations": [1, 2], "strides": [2, 1]}),
    "LpPool": one("LpPool", (1, 2, 5), {"kernel_shape": [2]}),
    "BatchNormalization": one("BatchNormalization", (2, 3, 4), scale=weights(3), b=weights(3),
                              mean=weights(3), var=np.ones(3, np.float32)),
    "BatchNormalization of a batch": functools.partial(
        model, [("BatchNormalization", "x scale b mean var", "y m v", {"training_mode": 1})],
        {"x": (4, 3, 2)}, ["y"], {"scale": weights(3), "b": weights(3), "mean": weights(3),
                                  "var": np.ones(3, np.float32)},
    ),
    "InstanceNormalization": one("InstanceNormalization", (2, 3, 4), s=weights(3), b=weights(3)),
    "GroupNormalization": one("GroupNormalization", (2, 4, 3), {"num_groups": 2, "stash_type": 11},
                              s=weights(4), b=weights(4)),
    "LayerNormalization": one("LayerNormalization", (2, 3, 4), {"stash_type": 11}, s=weights(4),
                              b=weights(4)),
    "RMSNormalization": one("RMSNormalization", attributes={"stash_type": 11}, opset=23,
                            s=weights(4)),
    "LRN": one("LRN", (1, 4, 2, 2), {"size": 3, "alpha": 0.5}),
    "LpNormalization": one("LpNormalization"),
    "Resize": one("Resize", (1, 1, 4, 3), {"mode": "cubic"}, inputs="x -",
                  s=np.array([1, 1, 0.6, 1.7], np.float32)),
    "Resize to": one("Resize", (1, 1, 4, 3), {"mode": "linear", "antialias": 1}, inputs="x - -",
                     s=np.array([1, 1, 2, 5])),
    "GridSample": one("GridSample", (1, 1, 4, 4), {"mode": "linear"},
                      g=np.clip(weights(1, 2, 3, 2), -0.8, 0.8)),
    "RoiAlign": one("RoiAlign", (1, 2, 4, 4), {"output_height": 2, "output_width": 2},
                    r=np.array([[0, 0, 2.5, 3]], np.float32), b=np.array([0])),
    "DeformConv": one("DeformConv", (1, 1, 3, 3), w=weights(2, 1, 2, 2), o=weights(1, 8, 2, 2),
                      opset=22),
    "Col2Im": one("Col2Im", (1, 4, 4), i=np.array([3, 3]), b=np.array([2, 2])),
    "LSTM": one("LSTM", (2, 1, 2), {"direction": "bidirectional"}, w=weights(2, 8, 2),
                r=weights(2, 8, 2), b=weights(2, 16)),
    "GRU": one("GRU", (2, 2, 2), {"linear_before_reset": 1, "direction": "reverse"},
               w=weights(1, 6, 2), r=weights(1, 6, 2), b=weights(1, 12)),
    "RNN": one("RNN", (3, 2, 4), {"activations": ["Affine"], "activation_alpha": [0.5]},
               w=weights(1, 3, 4), r=weights(1, 3, 3)),
    "DFT": one("DFT", (2, 4, 1), {"onesided": 1}, opset=20),
    "STFT": one("STFT", (1, 8, 1), opset=17, step=np.array(2), window=weights(4)),
    "cross entropy": one("SoftmaxCrossEntropyLoss", attributes={"reduction": "mean"},
                         t=np.array([0, 3, 1])),
    "Attention": functools.partial(
        model, [("Attention", "x x x", "y", {"is_causal": 1, "q_num_heads": 2,
                                             "kv_num_heads": 2})],
        {"x": (1, 3, 4)}, ["y"], {}, 23,
    ),
    "Celu": one("Celu", attributes={"alpha": 0.7}),
    "MeanVarianceNormalization": one("MeanVarianceNormalization", (2, 3, 2, 2)),
    "DequantizeLinear": functools.partial(
        model, [("DequantizeLinear", "q scale zero", "w", {"axis": 0}), ("MatMul", "x w", "y")],
        {"x": (2, 3)}, ["y"], {"q": np.array([[1, -2], [3, 4], [5, 6]], np.int8),
                               "scale": np.array([0.5, 0.25, 0.1], np.float32),
                               "zero": np.array([0, 1, 2], np.int8)},
    ),
}  # fmt: skip


@functools.cache
def graph(name):
    return GRAPHS[name]()


def prepared(name):
    """The module of a graph in float64, and an input."""
    made = graph(name)
    module = aino.onnx.load(made).double()
    shape = [d.dim_value or 3 for d in made.graph.input[0].type.tensor_type.shape.dim]
    x = np.random.default_rng(len(name)).normal(size=shape)
    return module, aino.tensor(x)


@pytest.mark.parametrize("name", GRAPHS)
def test_gradients_of_inputs_and_parameters_are_right(name):
    module, x = prepared(name)
    state = module.state_dict()
    parameters = [p.detach().clone().requires_grad_() for p in module.parameters()]
    names = [key for key, _ in module.named_parameters()]

    def function(x, *values):
        return aino.func.functional_call(module, state | dict(zip(names, values)), (x,))

    assert aino.autograd.gradcheck(function, (x.requires_grad_(), *parameters), fast_mode=True)


#: What reads data as Python's numbers, as the regions of interest.
READS = {"RoiAlign"}


@pytest.mark.parametrize("name", sorted(GRAPHS.keys() - READS))
def test_compiled_it_gives_the_same(name):
    module, x = prepared(name)
    before = copy.deepcopy(module)
    program = aino.compile(module, fullgraph=True)
    with aino.no_grad():
        for _ in range(2):
            aino.testing.assert_close(program(x), before(x), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", READS)
def test_what_reads_data_is_refused_by_the_compiler_in_its_own_words(name):
    module, x = prepared(name)
    with aino.no_grad(), pytest.raises(CompileError, match="only known when the program runs"):
        aino.compile(module, fullgraph=True)(x)


#: What writes into the module: not for samples at once.
WRITES = {"BatchNormalization of a batch"}


@pytest.mark.parametrize("name", sorted(GRAPHS.keys() - WRITES))
def test_of_samples_it_gives_each_one_s(name):
    module, x = prepared(name)
    xs = aino.stack([x, x * 0.5, -x])
    with aino.no_grad():
        aino.testing.assert_close(aino.vmap(module)(xs), aino.stack([module(part) for part in xs]))


#: ONNX's own tests of these files run here; all of them are among the parities.
FILES = (
    "bitshift", "celu", "clip", "convtranspose", "dequantizelinear", "gather", "gru", "if_",
    "layernormalization", "loop", "nonmaxsuppression", "onehot", "optionalgetelement", "relu",
    "reshape", "scan", "sequenceinsert", "slice", "softmax", "topk",
)  # fmt: skip


def test_some_of_onnx_s_own_tests_pass():
    from onnx.backend.test.case.node import _NodeTestCases

    for file in FILES:
        import_module(f"onnx.backend.test.case.node.{file}")
    cases = [*_NodeTestCases, *backend_tests.model_tests().values()]
    assert len(cases) > 250
    outcomes = {case.name: backend_tests.run(case) for case in cases}
    assert {name: found for name, found in outcomes.items() if found.state == "failed"} == {}
    refused = {name for name, found in outcomes.items() if found.state == "refused"}
    assert refused == {*backend_tests.REFUSED["Gradient"]}


def test_initializers_are_parameters_and_buffers_under_their_own_names():
    module = loaded(
        [("Gather", "table ids", "rows"), ("Add", "rows bias", "z"), ("Reshape", "z shape", "flat"),
         ("BatchNormalization", "flat s b mean var", "y")],
        {"x": (2,)}, ["y"],
        {"table": weights(4, 3), "ids": np.array([0, 2]), "bias": weights(3),
         "shape": np.array([-1, 3]), "s": weights(3), "b": weights(3), "mean": weights(3),
         "var": np.ones(3, np.float32)},
    )  # fmt: skip
    assert [name for name, _ in module.named_parameters()] == ["table", "bias", "s", "b"]
    # The shape says how to compute, and the places are data.
    assert [name for name, _ in module.named_buffers()] == ["ids", "mean", "var"]
    assert module(aino.ones(2)).shape == (2, 3)


@pytest.mark.parametrize(
    ("names", "keys"),
    [
        (["layer.0.weight", "layer.1.weight"], ["layer.0.weight", "layer.1.weight"]),
        (["forward", "training", "graph", "class"], ["forward_", "training_", "graph_", "class"]),
        (["a", "a.b", "a.b.c"], ["a", "a_.b", "a_.b_.c"]),
        (["a.b", "a"], ["a.b", "a_"]),
        ([".w", "w.", "..", "onnx::MatMul_12/x"], ["_.w", "w._", "_._._", "onnx::MatMul_12/x"]),
    ],
)
def test_names_that_cannot_be_attributes_get_others(names, keys):
    values = {name: np.float32(number + 1) for number, name in enumerate(names)}
    nodes = [("Sum", " ".join(["x", *names]), "y")]
    module = loaded(nodes, {"x": (1,)}, ["y"], values)
    assert len(module.state_dict()) == len(names)
    assert module(aino.zeros(1)).item() == sum(values.values())
    assert {*module.state_dict()} == {*keys}


def test_it_trains_and_comes_back_from_a_file_and_out_as_onnx(tmp_path):
    module = aino.onnx.load(perceptron())
    optimizer = aino.optim.Adam(module.parameters(), lr=0.05)
    x, target = aino.tensor(weights(16, 2, 3)), aino.tensor(RNG.integers(0, 4, 16))

    @aino.compile(fullgraph=True)
    def step():
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(module(x), target)
        loss.backward()
        optimizer.step()
        return loss

    losses = [step().item() for _ in range(40)]
    assert losses[-1] < 0.2 * losses[0]
    expected = module(x)
    aino.save(module, tmp_path / "m.dit")
    for back in (
        aino.load(tmp_path / "m.dit"), copy.deepcopy(module), pickle.loads(pickle.dumps(module)),
    ):  # fmt: skip
        assert aino.equal(back(x), expected)
        assert [*back.state_dict()] == [*module.state_dict()]
    again = aino.onnx.load(aino.onnx.export(module, (x,)).model_proto)
    aino.testing.assert_close(again(x), expected)


def test_training_mode_is_the_graph_s_until_eval():
    module = loaded(
        [("Dropout", "x ratio on", "d"),
         ("BatchNormalization", "d s b mean var", "y m v", {"training_mode": 1, "momentum": 0.5})],
        {"x": (4, 3)}, ["y", "m"],
        {"ratio": np.float32(0.5), "on": np.array(True), "s": np.ones(3, np.float32),
         "b": np.zeros(3, np.float32), "mean": np.zeros(3, np.float32),
         "var": np.ones(3, np.float32)},
    )  # fmt: skip
    x = aino.tensor(weights(400, 3)) + 1
    y, mean = module(x)
    assert abs(y.mean().item()) < 1e-5
    aino.testing.assert_close(module.mean, mean)
    assert (module.mean > 0.2).all()
    before = module.mean.clone()
    module.eval()
    y, mean = module(x)
    aino.testing.assert_close(y, (x - before) / (module.var + 1e-5).sqrt())
    assert aino.equal(module.mean, before)
    assert aino.equal(mean, before)


def branches():
    """A model that adds or takes away a weight that its branches find around them."""
    empty = helper.make_empty_tensor_value_info
    then, other = (
        helper.make_graph([helper.make_node(kind, ["x", "w"], ["r"])], kind, [], [empty("r")])
        for kind in ("Add", "Sub")
    )
    made = model(
        [("ReduceSum", "x", "s", {"keepdims": 0}), ("Greater", "s zero", "c")],
        {"x": (2,)}, ["y"], {"w": np.ones(2, np.float32), "zero": np.float32(0)},
    )  # fmt: skip
    made.graph.node.append(
        helper.make_node("If", ["c"], ["y"], then_branch=then, else_branch=other)
    )
    return made


def test_branches_run_with_python_s_values_and_gradients_flow_through_them():
    module = aino.onnx.load(branches())
    assert module(aino.ones(2)).tolist() == [2, 2]
    module(-aino.ones(2)).sum().backward()
    assert module.w.grad.tolist() == [-1, -1]
    with pytest.raises(CompileError, match="only known when the program runs"):
        aino.compile(module, fullgraph=True)(aino.ones(2))


def test_functions_of_the_model_take_their_attributes_from_the_call():
    function = helper.make_function(
        "own", "Scaled", ["a", "unused"], ["b"],
        [helper.make_node("LeakyRelu", ["a"], ["b"])], [helper.make_opsetid("", 21)],
        attributes=["slope"],
    )  # fmt: skip
    reference = function.node[0].attribute.add(name="alpha", ref_attr_name="slope")
    reference.type = onnx.AttributeProto.FLOAT
    module = loaded(
        [("own.Scaled", "x", "a", {"slope": 0.5}), ("own.Scaled", "a", "y", {"slope": 0.1})],
        {"x": (2,)}, ["y"], domains={"own": 1}, functions=[function],
    )  # fmt: skip
    aino.testing.assert_close(module(aino.tensor([-2.0, 3.0])), aino.tensor([-0.1, 3.0]))


def test_inputs_are_given_in_order_or_by_name_and_checked():
    module = loaded(
        [("Sub", "a b", "c"), ("Add", "c w", "y")], {"a": (2,), "b": (2,), "w": (2,)}, ["y"],
        {"w": np.ones(2, np.float32)},
    )  # fmt: skip
    one, two = aino.ones(2), np.full(2, 2, np.float32)
    assert (module.inputs, module.outputs) == (("a", "b"), ("y",))
    assert module(one, two).tolist() == module(b=two, a=one).tolist() == [0, 0]
    assert module([1.0, 1.0], two, w=aino.zeros(2)).tolist() == [-1, -1]
    for call, error, words in [
        (lambda: module(one), TypeError, r"inputs \['b'\] are not given"),
        (lambda: module(one, one, one), TypeError, "2 inputs, .*; 3 are given"),
        (lambda: module(one, one, a=one), TypeError, "'a' is given twice"),
        (lambda: module(one, one, z=one), TypeError, "no input 'z'"),
        (lambda: module(one, aino.tensor([1, 2])), OnnxError, "'b' is of FLOAT; int64 is given"),
    ]:
        with pytest.raises(error, match=words):
            call()


def test_what_a_model_knows_stays_its_own():
    module = loaded(
        [("Constant", "", "c", {"value_floats": [1.0, 2.0]}), ("Identity", "c", "y")],
        {"x": (2,)}, ["y"],
    )  # fmt: skip
    module(aino.ones(2)).add_(5)
    assert module(aino.ones(2)).tolist() == [1, 2]


def test_bfloat16_is_computed_in_float32_and_rounded_after_each_operator():
    ml_dtypes = pytest.importorskip("ml_dtypes")
    values = np.array([1.0, 1.0078125, 300.0], ml_dtypes.bfloat16)
    module = loaded(
        [("Mul", "x w", "m"), ("Transpose", "m", "t"), ("Cast", "t", "y", {"to": 1})],
        {"x": (ml_dtypes.bfloat16, (3,))}, ["y"], {"w": values},
    )  # fmt: skip
    wanted = (values.astype(np.float32) ** 2).astype(ml_dtypes.bfloat16).astype(np.float32)
    assert module(values).tolist() == wanted.tolist()
    cast = loaded([("Cast", "x", "y", {"to": 16})], {"x": (2,)}, ["y"])
    with pytest.raises(OnnxError, match="carries no gradient"):
        cast(aino.ones(2, requires_grad=True))


def test_onnx_s_interface_of_backends():
    from aino.onnx import backend

    x = weights(2, 3)
    relu = helper.make_node("Relu", ["x"], ["y"])
    (y,) = backend.run_node(relu, [x])
    assert np.array_equal(y, np.maximum(x, 0))
    prepared = backend.prepare(perceptron())
    assert [a.shape for a in prepared.run(weights(5, 2, 3))] == [(5, 4)]
    assert prepared.run({"x": weights(2, 2, 3)})[0].dtype == np.float32
    assert [backend.supports_device(name) for name in ("CPU", "CUDA:1")] == [True, False]
    assert backend.is_compatible(perceptron())
    assert not backend.is_compatible(model([("Fold", "x", "y")], {"x": (1,)}, ["y"]))
    with pytest.raises(ValueError, match="on the CPU"):
        backend.prepare(perceptron(), "CUDA")
