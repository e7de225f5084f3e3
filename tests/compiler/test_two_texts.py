"""``source`` is for reading and ``code`` is what runs: both compute what the function computes."""

from pathlib import Path

import numpy as np
import pytest

import aino
from aino import nn
from aino.autograd.primitive import REGISTRY
from aino.compiler.backends.numpy.comments import rule_text
from aino.compiler.specialization import readable
from tests.compiler.test_saved import run

F = nn.functional


def classifier():
    model = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3))
    return model, aino.optim.Adam(model.parameters(), lr=0.01), F.cross_entropy


def regression():
    model = nn.Sequential(nn.Linear(4, 6), nn.GELU(), nn.LayerNorm(6), nn.Linear(6, 1))
    return model, aino.optim.SGD(model.parameters(), lr=0.1, momentum=0.9), F.mse_loss


def clamped():
    model = nn.Sequential(nn.Linear(4, 6), nn.Hardtanh(), nn.Linear(6, 1), nn.ReLU())
    return model, aino.optim.RMSprop(model.parameters(), lr=0.1), F.l1_loss


def probabilities():
    model = nn.Sequential(nn.Linear(4, 3), nn.Softmax(-1), nn.Linear(3, 1), nn.Softplus())
    return model, aino.optim.AdamW(model.parameters(), lr=0.1), F.smooth_l1_loss


def training(make):
    aino.manual_seed(0)
    model, optimizer, criterion = make()
    x = aino.randn(8, 4)
    y = aino.randint(0, 3, (8,)) if make is classifier else aino.randn(8, 1)

    @aino.compile
    def step(x, y):
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return model, step, x, y


@pytest.mark.parametrize("make", [classifier, regression, clamped, probabilities])
def test_what_is_read_computes_what_runs(make):
    model, step, x, y = training(make)
    for _ in range(3):
        step(x, y)
    text = readable(step._ready(), step.name)
    assert text.text == step.source
    memory = dict(text.bound)
    exec(text.text, {"np": np}, spoken := {})
    namespace = {"np": np, **memory}
    exec(text.text, namespace)
    assert spoken.keys() == {"step"}
    parameters = [p.array.copy() for p in model.parameters()]
    states = {k: v.copy() for k, v in memory.items() if isinstance(v, (np.ndarray, dict))}
    as_read = namespace["step"](x.numpy(), y.numpy())
    moved = [p.array.copy() for p in model.parameters()]
    for p, before in zip(model.parameters(), parameters):
        p.array[...] = before
    for name, before in states.items():
        if isinstance(before, dict):
            memory[name].update(before)
        elif memory[name].flags.writeable:
            memory[name][...] = before
    as_run = step(x, y)
    np.testing.assert_array_equal(as_read, as_run.numpy())
    for one, other in zip(moved, model.parameters()):
        np.testing.assert_array_equal(one, other.array)


def test_the_source_is_expressions_and_the_code_has_buffers():
    _, step, x, y = training(classifier)
    step = aino.compile(step.function, backend="numpy")
    for _ in range(3):
        step(x, y)
    assert "linear = x @ linear0_weight.mT" in " ".join(step.source.split())
    assert "np.empty" not in step.source
    assert "= 1.0 - d_tanh" in step.source
    for title in ("# forward", "# backward", "# update"):
        assert title in step.source
        assert title in step.code
    assert "np.empty" in step.code
    assert step.code.startswith("def build(np, ")
    assert step.source.startswith("def step(x, y):")


def test_explain_times_each_line_of_the_code():
    _, step, x, y = training(classifier)
    step = aino.compile(step.function, backend="numpy")
    for _ in range(3):
        step(x, y)
    report = step.explain(2)
    for line in report.lines:
        assert line.text in step.code
    notes = {line.note for line in report.lines}
    assert any(note.startswith("tanh:") for note in notes)


def test_private_parts_of_numpy_are_used_nowhere():
    package = Path(aino.__file__).parent
    using = [
        p.name
        for p in package.rglob("*.py")
        if "numpy._core" in p.read_text() or "np._core" in p.read_text()
    ]
    assert using == []


@pytest.mark.parametrize("low", [-1.0, 0.0])
def test_a_saved_clamp_runs_with_public_numpy(tmp_path, low):
    given = [-2.0, -0.0, 0.0, 0.5, 3.0, float("nan")]

    @aino.compile
    def step(x):
        return x.clamp(low, 1.0)

    for _ in range(3):
        expected = step(aino.tensor(given))
    step.save_source(tmp_path / "saved.py")
    assert "_core" not in (tmp_path / "saved.py").read_text()
    code = (
        "from saved import step\nnan = float('nan')\n"
        f"y = step(np.array({given!r}, np.float32))\n"
        "print(y[:5].sum() + 100 * np.isnan(y[5]) + 1000 * np.signbit(y[1]))"
    )
    y = expected.numpy()
    assert run(tmp_path, code) == y[:5].sum() + 100 + 1000 * np.signbit(y[1])


LAMBDAS = [
    (name, rule.__code__)
    for name, primitive in REGISTRY.items()
    for rule in primitive.rules.values()
    if getattr(rule, "__name__", "") == "<lambda>"
]


def test_a_comment_says_the_rule_and_nothing_beside_it():
    said = 0
    for name, code in LAMBDAS:
        text = rule_text(code)
        if text:
            said += 1
            again = eval(f"lambda {', '.join(code.co_varnames)}: {text}").__code__
            assert (again.co_names, again.co_consts) == (code.co_names, code.co_consts), name
    assert said > 0.9 * len(LAMBDAS)


def test_a_rule_over_several_lines_is_said_in_one():
    assert "np.zeros_like" in rule_text(list(REGISTRY["unmoved"].rules.values())[1].__code__)
    assert rule_text(REGISTRY["mean"].rules["x"].__code__).startswith("spread(kept(g / count(x_sh")
