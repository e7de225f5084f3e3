"""ONNX's backend tests, run one by one: passed, refused by name, not to be compared, or failed."""

from __future__ import annotations

import functools
import glob
import os
import warnings
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np

#: Tests that ask for what AINO does not have, by the operator, which the error names.
REFUSED = {
    "ImageDecoder": [
        f"test_image_decoder_decode_{kind}"
        for kind in (
            "bmp_rgb", "jpeg2k_rgb", "jpeg_bgr", "jpeg_grayscale", "jpeg_rgb", "png_rgb", "pnm_rgb",
            "tiff_rgb", "webp_rgb",
        )
    ],
    "Gradient": ["test_gradient_of_add", "test_gradient_of_add_and_mul"],
}  # fmt: skip
#: What the operators above do, and why AINO does not.
REASONS = {
    "ImageDecoder": "reads JPEG, PNG and other files of pictures, for which AINO has no decoder",
    "Gradient": "a graph within the graph is named by its values; backward() gives gradients",
}

#: Tests whose stored outputs no other implementation gives, and why.
NOT_COMPARABLE = dict.fromkeys(
    [
        f"test_bernoulli{kind}{expanded}"
        for kind in ("", "_double", "_seed")
        for expanded in ("", "_expanded")
    ],
    "another generator's random numbers",
) | dict.fromkeys(
    ["test_attention_4d_causal_fp16", "test_attention_4d_causal_fp16_expanded"],
    "rounded in float16 after each step, where AINO rounds once: it is nearer to what is exact",
)


class Outcome(NamedTuple):
    """What became of one test: ``passed``, ``refused``, ``not compared`` or ``failed``, and why."""

    state: str
    why: str = ""


@functools.cache
def node_tests():
    """All of ONNX's node tests by their names."""
    from onnx.backend.test.loader import load_model_tests

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {case.name: case for case in load_model_tests(kind="node")}


@functools.cache
def model_tests():
    """ONNX's tests of models that lie in its package as files, by their names."""
    import onnx
    from onnx.backend.test.loader import load_model_tests

    found = {}
    for kind in ("simple", "pytorch-converted", "pytorch-operator"):
        for case in load_model_tests(kind=kind):
            model = onnx.load(os.path.join(case.model_dir, "model.onnx"))
            sets = [
                (_stored(folder, "input", model.graph.input),
                 _stored(folder, "output", model.graph.output))
                for folder in sorted(glob.glob(os.path.join(case.model_dir, "test_data_set_*")))
            ]  # fmt: skip
            found[case.name] = SimpleNamespace(
                name=case.name, model=model, data_sets=sets, rtol=case.rtol, atol=case.atol
            )
    return found


def _stored(folder, what, ports):
    """The inputs or outputs of a test that lie beside its model."""
    import onnx

    readers = {
        "sequence_type": (onnx.SequenceProto, onnx.numpy_helper.to_list),
        "optional_type": (onnx.OptionalProto, onnx.numpy_helper.to_optional),
        "tensor_type": (onnx.TensorProto, onnx.numpy_helper.to_array),
    }
    found = []
    for number, port in enumerate(ports):
        path = os.path.join(folder, f"{what}_{number}.pb")
        if os.path.exists(path):
            kind, read = readers[port.type.WhichOneof("value")]
            message = kind()
            with open(path, "rb") as file:
                message.ParseFromString(file.read())
            found.append(read(message))
    return found


@functools.cache
def operator_names():
    """The names of all of ONNX's operators."""
    from onnx import defs

    return frozenset(schema.name for schema in defs.get_all_schemas())


def family_of(case):
    """The operator that a test is about: its only one, or the one that it is named after."""
    nodes = [node.op_type for node in case.model.graph.node]
    if len(nodes) == 1:
        return nodes[0]
    words = case.name.removeprefix("test_").replace("_", "")
    named = [name for name in operator_names() if words.startswith(name.lower())]
    return max(named, key=len, default=nodes[-1])


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


def outputs(case):
    """What AINO gives for each set of inputs, and what is wanted."""
    from onnx.backend.test.runner import _normalize_tensor

    from aino.onnx import backend

    prepared = backend.prepare(case.model)
    names = [value.name for value in case.model.graph.input]
    for inputs, wanted in case.data_sets:
        given = [_normalize_tensor(item) for item in inputs]
        results = prepared.run(dict(zip(names, given)))
        yield results, [_normalize_tensor(item) for item in wanted]


def run(case):
    """Run a test on AINO's backend."""
    from aino.errors import OnnxError

    if case.name in NOT_COMPARABLE:
        return Outcome("not compared", NOT_COMPARABLE[case.name])
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            for results, wanted in outputs(case):
                compare(results, wanted, case)
        except OnnxError as error:
            return Outcome("refused", str(error))
        except Exception as error:
            return Outcome("failed", f"{type(error).__name__}: {error}")
    return Outcome("passed")
