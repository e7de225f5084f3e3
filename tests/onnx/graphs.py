"""Small models in ONNX for the tests."""

import numpy as np
import pytest

import aino


def model(nodes, inputs, outputs, initializers=None, opset=21, domains=None, functions=()):
    """A model of nodes ``(operator, inputs, outputs, attributes)``.

    Arguments:
        nodes: what runs; ``-`` stands for an input that is left out.
        inputs: shapes by names, of float32, or ``(type, shape)``.
        outputs: names, each with a dtype where that is not float32.
        initializers: arrays by names.
        opset: the version of the operators.
        domains: versions of further domains.
        functions: functions of the model's own.
    """
    onnx = pytest.importorskip("onnx")
    helper = onnx.helper

    def typed(name, kind):
        dtype, shape = kind if kind and isinstance(kind[0], type) else (np.float32, kind)
        number = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        return helper.make_tensor_value_info(name, number, shape)

    made = []
    for kind, given, results, *attributes in nodes:
        domain, _, name = kind.rpartition(".")
        ports = [
            ["" if port == "-" else port for port in part.split()] for part in (given, results)
        ]
        made.append(helper.make_node(name, *ports, domain=domain, **dict(*attributes)))
    graph = helper.make_graph(
        made,
        "graph",
        [typed(name, kind) for name, kind in inputs.items()],
        [helper.make_empty_tensor_value_info(name) for name in outputs],
        [onnx.numpy_helper.from_array(np.asarray(value), name)
         for name, value in (initializers or {}).items()],
    )  # fmt: skip
    opsets = [helper.make_opsetid("", opset)]
    opsets += [helper.make_opsetid(name, version) for name, version in (domains or {}).items()]
    return helper.make_model(graph, opset_imports=opsets, functions=functions)


def perceptron(seed=0):
    """A network of two layers that reads its batch size from its input, as exporters write it."""
    rng = np.random.default_rng(seed)
    return model(
        [
            ("Shape", "x", "shape"),
            ("Gather", "shape first", "count"),
            ("Concat", "count rest", "flat", {"axis": 0}),
            ("Reshape", "x flat", "rows"),
            ("Gemm", "rows fc1.weight fc1.bias", "hidden", {"transB": 1}),
            ("Relu", "hidden", "active"),
            ("Gemm", "active fc2.weight fc2.bias", "y", {"transB": 1}),
        ],
        {"x": ("N", 2, 3)},
        ["y"],
        {
            "fc1.weight": rng.normal(size=(8, 6)).astype(np.float32),
            "fc1.bias": rng.normal(size=8).astype(np.float32),
            "fc2.weight": rng.normal(size=(4, 8)).astype(np.float32),
            "fc2.bias": rng.normal(size=4).astype(np.float32),
            "first": np.array([0]),
            "rest": np.array([-1]),
        },
    )


def loaded(*arguments, **keywords):
    """The module of a model."""
    return aino.onnx.load(model(*arguments, **keywords))
