"""Models go out as ONNX and come in again, and are what they were."""

import itertools

import numpy as np
import pytest

import aino
from examples.published import bert, gpt2, resnet

onnx = pytest.importorskip("onnx")

TOKENS = np.array([[1, 2, 3, 4], [5, 6, 7, 8]])
MASK = np.array([[1, 1, 1, 1], [1, 1, 0, 0]])
IMAGES = np.random.default_rng(0).normal(size=(2, 3, 32, 32)).astype(np.float32)
GPT2 = {"vocab_size": 11, "n_positions": 16, "n_embd": 4, "n_layer": 1, "n_head": 2}
BERT = {
    "vocab_size": 11, "hidden_size": 4, "num_hidden_layers": 1, "num_attention_heads": 2,
    "intermediate_size": 6, "max_position_embeddings": 16,
}  # fmt: skip
RESNET = {"embedding_size": 4, "hidden_sizes": [4, 8], "depths": [1, 1], "layer_type": "basic"}

MODELS = {
    "gpt2": (gpt2.GPT2LMHeadModel, GPT2, (TOKENS, MASK)),
    "bert": (bert.BertForSequenceClassification, BERT, (TOKENS, MASK)),
    "resnet": (resnet.ResNet, RESNET, (IMAGES,)),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_published_model_comes_back(name):
    kind, settings, arrays = MODELS[name]
    aino.manual_seed(0)
    model = kind(kind.config_class.from_dict(settings)).eval()
    inputs = [aino.tensor(array) for array in arrays]
    axes = {0: "batch"} if kind is resnet.ResNet else {0: "batch", 1: "length"}
    program = aino.onnx.export(model, tuple(inputs), dynamic_shapes=(axes,) * len(inputs))
    again = aino.onnx.load(program.model_proto)
    for rows, length in ((2, 4), (1, 4), (3, 6)):
        others = [
            aino.tensor(np.resize(array, (rows, *array.shape[1:])))
            if kind is resnet.ResNet
            else aino.tensor(np.resize(array, (rows, length)))
            for array in arrays
        ]
        with aino.no_grad():
            assert aino.allclose(again(*others), model(*others), atol=1e-5)
    own = {name: value for name, value in again.named_parameters() if name in model.state_dict()}
    assert len(own) >= 0.9 * len(list(model.parameters()))
    again(*inputs).square().sum().backward()
    model(*inputs).square().sum().backward()
    wanted = dict(model.named_parameters())
    for key, parameter in own.items():
        gradient = parameter.grad
        assert aino.allclose(gradient, wanted[key].grad, atol=1e-4), key


#: Names of tensors, each a way into another one's place.
NAMES = ("a", "a.b", "a.b.c", "a_", "a..b", "", "a_.b", "0.25", "0")


@pytest.mark.parametrize("names", list(itertools.permutations(NAMES[:4])))
def test_a_tensor_has_a_name_that_leads_through_another_ones(names):
    names = [*names, *NAMES[4:]]
    helper, proto = onnx.helper, onnx.TensorProto
    nodes, total = [], "x"
    for number, name in enumerate(filter(None, names)):
        nodes.append(helper.make_node("Add", [total, name], [f"sum {number}"]))
        total = f"sum {number}"
    values = [
        helper.make_tensor(name, proto.FLOAT, [1], [2.0**number])
        for number, name in enumerate(filter(None, names))
    ]
    ports = [helper.make_tensor_value_info(n, proto.FLOAT, [1]) for n in ("x", total)]
    graph = helper.make_graph(nodes, "names", ports[:1], ports[1:], values)
    module = aino.onnx.load(helper.make_model(graph))
    assert module(aino.zeros(1)).item() == 2.0 ** len(values) - 1
    assert len(module.state_dict()) == len(values)
