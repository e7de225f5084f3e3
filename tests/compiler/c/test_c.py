"""``save_source("predict.c")``: what C predicts is what the model predicts."""

from __future__ import annotations

import dataclasses
import inspect
import math
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

import aino
from aino import nn
from aino.compiler.backends.c.constants import quantized
from aino.compiler.backends.c.naming import Scope
from aino.compiler.backends.c.numbers import literal
from aino.errors import CompileError
from aino.nn import functional as F

from .models import ROWS
from .predictors import FLAGS, Predictor, asked, built, compare

BY_NAME = {row.name: row for row in ROWS}
needs_compiler = pytest.mark.skipif(shutil.which("gcc") is None, reason="there is no gcc here")

#: Those that the ordinary suite builds; all of them are built by ``wide.py``.
CORE = [
    "Sequential", "scalar", "empty",
    "network_classes", "strange", "tied", "batch_norm_1d", "nan_and_inf",
    "nan_in_pool", "large_and_small", "PReLU", "Hardshrink", "Softplus", "convnet",
    "conv2d_uneven", "conv_transpose", "avg_pool", "uneven", "RNN_1", "LSTM_2_both_first",
    "gru_cell", "embedding", "encoder", "residual", "several", "same_twice", "unused",
    "signs_of_zeros",
    "written_parts", "shifted", "reductions", "views", "mixed_dtypes",
]  # fmt: skip
#: Built once more in other ways: (row, options).
OTHERS = {
    "int8_mlp": ("Sequential", {"quantize": "int8"}),
    "int8_convnet": ("convnet", {"quantize": "int8"}),
    "int8_lstm": ("LSTM_2_both_first", {"quantize": "int8"}),
    "int8_tied": ("tied", {"quantize": "int8", "weights": True}),
    "binary": ("float64", {"weights": True}),
    "binary_network": ("network_classes", {"weights": True}),
}


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """All predictors by name, each with what it answered: built as one program."""
    folder = tmp_path_factory.mktemp("c")
    made = [Predictor(name, *BY_NAME[name].built(), folder) for name in CORE]
    made += [Predictor(name, *BY_NAME[row].built(), folder, **options)
             for name, (row, options) in OTHERS.items()]  # fmt: skip
    wrong = [(i, p.question(i, weights=bytes(64))) for i, p in enumerate(made) if p.binary]
    beyond = [(i, p.question(i, [p.inputs[0] + 100])) for i, p in enumerate(made)
              if p.inputs[0].dtype.kind == "i"]  # fmt: skip
    negative = [(i, p.question(i, [p.inputs[0] - 100])) for i, p in enumerate(made)
                if p.inputs[0].dtype.kind == "i"]  # fmt: skip
    questions = [*[(i, p.question(i)) for i, p in enumerate(made)], *wrong, *beyond, *negative]
    program = built(made, folder)
    found = asked(program, [q for _, q in questions], [made[i] for i, _ in questions])
    status = {"wrong": [], "beyond": []}
    status["wrong"] = [s for s, _ in found[len(made) : len(made) + len(wrong)]]
    status["beyond"] = [s for s, _ in found[len(made) + len(wrong) :]]
    return {p.name[2:]: (p, *answer) for p, answer in zip(made, found)}, status


@needs_compiler
@pytest.mark.parametrize("name", CORE)
def test_it_predicts_what_the_model_predicts(answers, name):
    compare(*answers[0][name])


@needs_compiler
@pytest.mark.parametrize("name", [n for n, (_, o) in OTHERS.items() if "quantize" not in o])
def test_with_weights_in_a_file_of_their_own(answers, name):
    predictor, status, outputs = answers[0][name]
    compare(predictor, status, outputs)
    assert "static const double" not in predictor.text
    assert predictor.binary.stat().st_size >= predictor.saved.constants


@needs_compiler
@pytest.mark.parametrize("name", [n for n, (_, o) in OTHERS.items() if "quantize" in o])
def test_int8_loses_what_it_says_that_it_loses(answers, name):
    predictor, status, outputs = answers[0][name]
    assert status == 0
    away = np.concatenate([
        np.abs(a - b).ravel() for a, b in zip(outputs, predictor.expected)
    ])  # fmt: skip
    loss = predictor.saved.loss
    assert away.max() == pytest.approx(loss.largest, rel=1e-3)
    assert away.mean() == pytest.approx(loss.mean, rel=1e-3)
    assert 0 < loss.largest < 0.05 * loss.largest_output
    assert f"{loss.largest:.3g} at most" in " ".join(predictor.text.replace(" *", " ").split())


@needs_compiler
def test_weights_of_another_file_and_indices_out_of_bounds_are_told(answers):
    assert answers[1]["wrong"] == [2, 2, 2]
    # Where weights are wrong and the index is, too, the weights are looked at first.
    assert set(answers[1]["beyond"]) == {1}


def test_int8_is_a_third_of_float(tmp_path):
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10)).eval()
    compiled = aino.compile(model)
    compiled(aino.rand(1, 64))
    whole = compiled.save_source(tmp_path / "a.c")
    small = compiled.save_source(tmp_path / "b.c", quantize="int8", calibration=aino.rand(5, 64))
    assert small.constants < whole.constants / 3
    assert small.loss.samples == 5
    assert whole.loss is None


# What the file says


def written(tmp_path, model, *inputs, name="predict.c", **options):
    compiled = aino.compile(model)
    with aino.no_grad():
        compiled(*inputs)
    saved = compiled.save_source(tmp_path / name, **options)
    return (tmp_path / name).read_text(), saved


DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "compile.md"


def documented():
    """Return the model of the document, and the blocks of C there."""
    text = DOCUMENT.read_text(encoding="utf-8")
    model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3), nn.Softmax(-1))
    return model.eval(), re.findall(r"```c\n(.*?)```", text, re.DOTALL)


def test_it_reads_as_the_layers_that_it_is_made_of(tmp_path):
    model, (predictor, _) = documented()
    text, saved = written(tmp_path, model, aino.ones(1, 4))
    assert predictor in text
    assert saved.constants == 4 * (4 * 16 + 16 + 16 * 3 + 3)
    assert saved.scratch == 4 * 16
    assert f"Memory: {saved.constants} bytes of constants, {saved.scratch} bytes of scratch" in text
    assert "#define PREDICT_INPUT_SIZE 4\n#define PREDICT_OUTPUT_SIZE 3\n" in text


@needs_compiler
def test_the_documented_program_calls_it(tmp_path):
    model, (_, main) = documented()
    written(tmp_path, model, aino.ones(1, 4))
    (tmp_path / "main.c").write_text(main)
    command = ["gcc", *FLAGS, "predict.c", "main.c", "-lm", "-o", "main"]
    subprocess.run(command, cwd=tmp_path, check=True)
    printed = subprocess.run([tmp_path / "main"], check=True, capture_output=True, text=True).stdout
    expected = model(aino.tensor([[5.1, 3.5, 1.4, 0.2]]))[0].tolist()
    assert [float(x) for x in printed.split()] == pytest.approx(expected, rel=1e-4)


def test_memory_is_used_again(tmp_path):
    model = nn.Sequential(*[nn.Linear(8, 8) for _ in range(6)]).eval()
    _, saved = written(tmp_path, model, aino.ones(1, 8))
    assert saved.scratch == 2 * 8 * 4


def test_no_memory_is_taken_where_none_is_needed(tmp_path):
    text, saved = written(tmp_path, nn.Linear(2, 2).eval(), aino.ones(1, 2))
    assert saved.scratch == 0
    assert "struct predict_memory" not in text


def test_weights_are_those_of_the_time_of_saving(tmp_path):
    model = nn.Linear(1, 1).eval()
    compiled = aino.compile(model)
    with aino.no_grad():
        compiled(aino.ones(1, 1))
        model.weight.fill_(0.123)
    compiled.save_source(tmp_path / "predict.c")
    assert "0.123f" in (tmp_path / "predict.c").read_text()


def test_classes_have_their_labels(tmp_path):
    text, _ = written(tmp_path, BY_NAME["network_classes"].built()[0], aino.ones(1, 4))
    assert 'const char *const predict_labels[3] = {\n    "a", "b\\?", "c\\"\\n"\n};' in text
    assert "that of the largest output is the answer" in text
    text, _ = written(tmp_path, BY_NAME["network_binary"].built()[0], aino.ones(1, 4))
    assert '"False", "True"' in text
    assert "the second where the output is above" in text


@pytest.mark.parametrize(("file", "name"), [
    ("predict.c", "predict"), ("my-model 2.c", "my_model_2"), ("2nd.c", "layer_2nd"),
    ("double.c", "double_2"), ("für.c", "f_r"),
])  # fmt: skip
def test_the_function_is_called_as_the_file(tmp_path, file, name):
    text, _ = written(tmp_path, nn.Linear(2, 2).eval(), aino.ones(1, 2), name=file)
    assert re.search(rf"^int {name}\(const float \*input, float \*output\);$", text, re.MULTILINE)


def test_what_is_no_tensor_is_fixed_and_the_head_says_so(tmp_path):
    compiled = aino.compile(lambda x, scale, *, mode: x * scale if mode == "a" else x)
    for _ in range(3):
        compiled(aino.ones(3), 0.5, mode="a")
    compiled.save_source(tmp_path / "scaled.c")
    text = " ".join((tmp_path / "scaled.c").read_text().split("*/")[0].replace("*", "").split())
    assert "As in the call that it was written from: scale = 0.5, mode = 'a'." in text


def test_inputs_and_outputs_in_dataclasses_have_the_names_of_their_fields(tmp_path):
    @dataclasses.dataclass(slots=True)
    class Pair:
        left: aino.Tensor
        right: aino.Tensor

    compiled = aino.compile(lambda pair: Pair(pair.left * 2.0, pair.right + pair.left))
    for _ in range(3):
        compiled(Pair(aino.ones(3), aino.ones(3)))
    compiled.save_source(tmp_path / "pair.c")
    text = (tmp_path / "pair.c").read_text()
    assert (
        "int pair(const float *pair_left, const float *pair_right, float *left, float *right)"
        in " ".join(text.split())
    )


def test_several_inputs_and_outputs_have_their_names(tmp_path):
    def both(x, y):
        return {"sum": x + y, "product": x * y}

    text, _ = written(tmp_path, both, aino.ones(2), aino.ones(2))
    assert "int predict(const float *x, const float *y, float *sum, float *product);" in text


# What can't be


class Counting(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("count", aino.zeros(()))

    def forward(self, x):
        self.count += 1
        return x * self.count


class Remembering(nn.Module):
    seen = None

    def forward(self, x):
        self.seen = x.sum()
        return x * 2


REFUSED = {
    "training": (lambda: nn.Sequential(nn.Linear(2, 2), nn.Dropout()).train(), "model.eval"),
    "batch_norm_in_training": (lambda: nn.BatchNorm1d(2).train(), "model.eval"),
    "a_buffer": (Counting, "changed in place"),
    "an_attribute": (Remembering, "it changes"),
    "complex": (lambda: lambda x: x * 1j, "complex"),
    "half": (lambda: lambda x: x.half() + 1, "float16"),
    "sort": (lambda: lambda x: x.sort(-1)[0], "sort"),
    "cumsum": (lambda: lambda x: x.cumsum(0), "cumsum"),
    "svd": (lambda: lambda x: aino.linalg.svdvals(x), r"\(.*test_c.py:\d+\)"),
    "fft": (lambda: lambda x: aino.fft.rfft(x).abs(), "fft"),
    "gather": (lambda: lambda x: x[x.argmax(0)], "index|indices"),
    "uncompiled": (lambda: lambda x: x * float(x.sum()), "has no program: .*float"),
    "projection": (lambda: nn.LSTM(2, 3, proj_size=1), "proj_size"),
    "argument": (lambda: lambda x: x.add_(1), "an input that is changed in place"),
    "number": (lambda: lambda x: (x * 2, 3), "returns 3"),
    "nothing": (lambda: lambda x: None, "returns no tensor"),
    "in_a_module": (lambda: nn.Sequential(nn.Linear(2, 2), nn.Hardtanh(), Sorting()), "module '2'"),
}


class Sorting(nn.Module):
    def forward(self, x):
        return x.sort(-1)[0]


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.filterwarnings("ignore")
def test_what_cannot_be_is_refused_by_name(tmp_path, name):
    make, said = REFUSED[name]
    compiled = aino.compile(make())
    with aino.no_grad():
        compiled(aino.ones(2, 2))
        with pytest.raises(CompileError, match=said):
            compiled.save_source(tmp_path / "predict.c")
    assert not (tmp_path / "predict.c").exists()


def test_options_that_make_no_sense_are_refused(tmp_path):
    compiled = aino.compile(nn.Linear(2, 2).eval())
    with pytest.raises(CompileError, match="not been called yet"):
        compiled.save_source(tmp_path / "predict.c")
    compiled(aino.ones(1, 2))
    for options, said in [
        ({"quantize": "int4"}, "'int8' or None"),
        ({"calibration": aino.ones(1, 2)}, "give both"),
        ({"quantize": "int8", "calibration": aino.ones(1, 3)}, "shape"),
        ({"quantize": "int8", "calibration": [aino.ones(2, 2)]}, "shapes"),
        ({"quantize": "int8", "calibration": []}, "no inputs"),
    ]:
        with pytest.raises(ValueError, match=said):
            compiled.save_source(tmp_path / "predict.c", **options)
    with pytest.raises(ValueError, match="are for C"):
        compiled.save_source(tmp_path / "predict.py", quantize="int8")
    assert not list(tmp_path.iterdir())


# Parts of it


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numbers_are_read_as_what_they_are(dtype):
    numbers = np.random.default_rng(0).normal(size=300).astype(dtype)
    limits = np.finfo(dtype)
    numbers = [
        *numbers,
        *(numbers * 1e30).tolist(),
        limits.max,
        limits.tiny,
        limits.smallest_subnormal,
    ]
    for number in numbers:
        text = literal(number, dtype)
        assert dtype(text.removesuffix("f")) == dtype(number)
        assert text.endswith("f") == (dtype is np.float32)
    assert [literal(x, dtype) for x in (math.nan, math.inf, -math.inf)] == [
        "NAN", "INFINITY", "-INFINITY"]  # fmt: skip


def test_int8_rows_keep_their_largest():
    matrix = np.array([[1.0, -2.0], [0.0, 0.0], [1e-3, 5e-4]], np.float32)
    whole, scale = quantized(matrix)
    assert whole.dtype == np.int8
    assert np.abs(whole).max(1).tolist() == [127, 0, 127]
    assert np.abs(whole * scale[:, None] - matrix).max() <= scale.max() / 2


def test_names_are_names_of_c():
    scope = Scope()
    found = [scope.name(name) for name in ("int", "exp", "a.b", "a_b", "3", "ä", "linear", "")]
    assert len(set(found)) == len(found)
    assert all(re.fullmatch(r"[A-Za-z]\w*", name, re.ASCII) for name in found)
    assert not {"int", "exp", "linear"} & set(found)


def test_functions_that_c_has_one_of_exist():
    from aino.autograd.primitive import REGISTRY
    from aino.compiler.backends.c.table import WHOLE

    assert set(WHOLE.primitives) <= set(REGISTRY)
    assert inspect.unwrap(F.gelu).__code__ in WHOLE.functions
