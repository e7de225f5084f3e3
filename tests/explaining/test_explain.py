"""``aino.explain``: names, numbers, reasons, forms, and what it refuses."""

from __future__ import annotations

import functools
import re

import numpy as np
import pytest

import aino
from aino import nn
from aino.errors import GradientError, InplaceError, ShapeError
from aino.explaining.explanation import Explanation
from tests.explaining.checking import check_answers, check_steps

FORMS = {
    "text": str,
    "markdown": Explanation.markdown,
    "latex": Explanation.latex,
    "html": Explanation.html,
}


def exercise():
    """Return an exercise of a textbook: L = (w x + b)², by hand."""
    w = aino.tensor(3.0, requires_grad=True)
    x = aino.tensor(2.0)
    b = aino.tensor(1.0, requires_grad=True)
    d = w * x
    e = d + b
    L = e**2
    return aino.explain(L), (w, x, b, d, e, L)


def test_a_worked_exercise_reads_like_one():
    explanation, _ = exercise()
    lines = [line.strip() for line in str(explanation).splitlines()]
    for line in (
        "w = 3",
        "d = w · x = 3 · 2 = 6    (mul)",
        "L = e² = 7² = 49    (square)",
        "Step 1: back through L = e²    (square)",
        "∂L/∂e = 2 · e = 2 · 7 = 14    (local derivative)",
        "∂L/∂d = ∂L/∂e · ∂e/∂d = 14 · 1 = 14",
        "∂d/∂w = x = 2    (local derivative)",
        "∂L/∂w = ∂L/∂d · ∂d/∂w = 14 · 2 = 28",
        "∂L/∂b = 14",
    ):
        assert line in lines, line
    assert [step.operation.title for step in explanation.steps] == ["square", "add", "mul"]
    assert [(a.of.name, float(a.gradient)) for a in explanation.answers] == [("w", 28), ("b", 14)]


def test_the_order_is_that_of_the_backward_walk():
    x = aino.tensor([0.5, 1.0], requires_grad=True)
    order = []

    def note(node, *_):
        order.append(node.name())

    loss = (x.sin() * x.exp()).sum() + (x * x).sum()
    stack = [loss.grad_fn]
    for node in stack:
        node.register_hook(functools.partial(note, node))
        stack += [n for n, _ in node.next_functions if n and n not in stack and n.next_functions]
    loss.backward(retain_graph=True)
    said = [step.operation.title for step in aino.explain(loss).steps]
    assert [name.removesuffix("Backward0").lower() for name in order] == said


def test_only_what_leads_to_wrt():
    a = aino.tensor(2.0, requires_grad=True)
    b = aino.tensor(3.0, requires_grad=True)
    loss = (a * 5.0).exp() * (b * 2.0)
    explanation = aino.explain(loss, wrt=b)
    assert [step.operation.title for step in explanation.steps] == ["mul", "mul"]
    assert [answer.of.name for answer in explanation.answers] == ["b"]
    check_answers(explanation, loss, [b])
    both = aino.explain(loss, wrt={"first": a, "second": b})
    assert [answer.of.name for answer in both.answers] == ["first", "second"]


def test_a_tensor_in_the_middle_can_be_asked_for():
    x = aino.tensor([1.0, 2.0], requires_grad=True)
    h = x * 3.0
    loss = (h * h).sum()
    explanation = aino.explain(loss, wrt=h)
    check_answers(explanation, loss, [h])
    assert len(explanation.steps) == 2


def test_several_uses_are_added_up():
    x = aino.tensor(3.0, requires_grad=True)
    y = x * x + x
    explanation = aino.explain(y)
    text = str(explanation)
    assert "x is used 3 times: the parts are added." in text
    assert "∂y/∂x = 7    (all parts, added)" in text
    uses = [(p.use, p.uses) for s in explanation.steps for p in s.parts if p.operand.name == "x"]
    assert uses == [(1, 3), (2, 3), (3, 3)]
    check_steps(explanation)


def test_broadcasting_is_undone_in_words():
    b = aino.tensor([1.0], requires_grad=True)
    x = aino.ones(2, 3)
    explanation = aino.explain((x * b).sum())
    part = explanation.steps[-1].parts[0]
    assert part.product.shape == (2, 3)
    assert part.gradient.shape == (1,)
    assert "b was broadcast from (1,) to (2, 3)" in str(explanation)
    assert "added, over axes 0, 1" in " ".join(str(explanation).split())


def zero(make):
    def build():
        x = aino.tensor([-1.0, 0.0, 2.0], requires_grad=True)
        return aino.explain(make(x).sum(), names={"x": x}), x

    return build


REASONS = {
    "relu": (zero(lambda x: x.relu()), "2 of 3 elements are 0: there the input is not positive"),
    "clamp": (zero(lambda x: x.clamp(-0.5, 1.0)), "2 of 3 elements are 0: there the value lies"),
    "where": (
        zero(lambda x: aino.where(aino.tensor([True, False, False]), x, 1.0)),
        "2 of 3 elements are 0: there the condition chose the other",
    ),
    "masked_fill": (
        zero(lambda x: x.masked_fill(aino.tensor([True, False, False]), 7.0)),
        "1 of 3 elements are 0",
    ),
    "max": (zero(lambda x: x.max()), "only the largest element counts"),
    "round": (zero(lambda x: x.round()), "all of it is 0: round is flat between its jumps"),
    "a factor": (
        zero(lambda x: x * aino.tensor([0.0, 1.0, 1.0])), "there the other factor, c₁, is 0"),
    "the slope": (zero(lambda x: x**2), "there x is 0, and so is the slope"),
    "not taken": (zero(lambda x: x[1:]), "1 of 3 elements are 0: those elements were not taken"),
    "behind zero": (
        zero(lambda x: (x * 2.0).round() * 3.0),
        "nothing arrives here, so nothing is handed on",
    ),
    "saturated": (zero(lambda x: aino.sigmoid(x + 1000.0)), "all of it is 0: there the slope of"),
}  # fmt: skip


@pytest.mark.parametrize("name", REASONS)
def test_why_a_gradient_is_zero(name):
    build, reason = REASONS[name]
    explanation, _ = build()
    assert reason.lower() in " ".join(str(explanation).lower().split())
    for form in FORMS.values():
        assert "Why zero?" in form(explanation)


def test_no_reason_where_nothing_is_zero():
    x = aino.tensor([1.0, 2.0], requires_grad=True)
    assert "Why zero" not in str(aino.explain((x * 3.0).sum()))


def unused(w, x):
    return x.sum()


def detached(w, x):
    return (w.detach() * x).sum()


def without_grad(w, x):
    with aino.no_grad():
        h = w * 2.0
    return (h * x).sum()


@pytest.mark.parametrize(
    ("compute", "reason"),
    [
        (unused, "no recorded operation leads from it"),
        (detached, "it is used in"),
        (without_grad, "no recorded operation leads from it"),
    ],
    ids=["unused", "detached", "no_grad"],
)
def test_why_there_is_no_gradient(compute, reason):
    w = aino.tensor([1.0, 2.0], requires_grad=True)
    x = aino.tensor([3.0, 4.0], requires_grad=True)
    explanation = aino.explain(compute(w, x), wrt=[w, x])
    first, second = explanation.answers
    assert first.gradient is None
    assert first.of.name == "w"
    assert reason in first.reason
    assert second.gradient is not None
    assert "∂L/∂w = none" in str(explanation)


def test_a_detached_value_is_said_to_be_a_constant():
    w = aino.tensor([1.0, 2.0], requires_grad=True)
    text = str(aino.explain((w.detach() * w).sum()))
    assert "w stands here as a constant" in text
    assert "w.detach() · w" in text


def test_nothing_changes():
    w = aino.tensor([1.0, 2.0], requires_grad=True)
    called = []
    h = w * 2.0
    h.retain_grad()
    h.register_hook(called.append)
    w.grad = aino.tensor([5.0, 5.0])
    loss = h.sum()
    loss.grad_fn.register_hook(lambda *_: called.append(1))
    explanation = aino.explain(loss)
    assert not called
    assert h.grad is None
    assert w.grad.tolist() == [5.0, 5.0]
    assert "a hook of yours stands here" in str(explanation)
    loss.backward()
    assert len(called) == 2
    assert w.grad.tolist() == [7.0, 7.0]


def test_a_freed_graph_says_what_to_do():
    x = aino.tensor([1.0, 2.0], requires_grad=True)
    loss = (x * x).sum()
    loss.backward(retain_graph=True)
    aino.explain(loss)
    loss.backward()
    with pytest.raises(GradientError, match=r"explain it before backward.*retain_graph=True"):
        aino.explain(loss)


def written():
    x = aino.tensor([1.0, 2.0], requires_grad=True)
    h = x * 1.0
    y = (h * h).sum()
    h.add_(1.0)
    return aino.explain(y)


MISTAKES = {
    "no tensor": (lambda: aino.explain(3.0), TypeError, "takes a tensor, not float"),
    "a module": (lambda: aino.explain(nn.Linear(2, 1)), TypeError, r"aino\.summary"),
    "not one number": (
        lambda: aino.explain(aino.ones(2, requires_grad=True) * 2.0),
        GradientError,
        r"shape \(2,\)",
    ),
    "nothing recorded": (lambda: aino.explain(aino.tensor(1.0)), GradientError, "requires_grad_"),
    "another shape": (
        lambda: aino.explain(aino.ones(2, requires_grad=True) * 2.0, gradient=aino.ones(3)),
        ShapeError,
        r"\(3,\)",
    ),
    "written since": (written, InplaceError, "in place"),
    "a bad limit": (lambda: aino.explain(aino.tensor(1.0), limit=0), ValueError, "limit"),
    "a bad wrt": (
        lambda: aino.explain(aino.ones(1, requires_grad=True) * 2.0, wrt="w"), TypeError, "wrt"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes(name):
    call, error, message = MISTAKES[name]
    with pytest.raises(error, match=message):
        call()


def network(width=3):
    aino.manual_seed(0)
    return nn.Sequential(nn.Linear(4, width), nn.Tanh(), nn.Linear(width, 2))


def test_the_parameters_of_a_model_have_their_names():
    model = network()
    x, y = aino.randn(5, 4), aino.tensor([0, 1, 1, 0, 1])
    loss = nn.functional.cross_entropy(model(x), y)
    explanation = aino.explain(loss)
    names = [answer.of.name for answer in explanation.answers]
    assert names == ["model.0.weight", "model.0.bias", "model.2.weight", "model.2.bias"]
    check_answers(explanation, loss, model.parameters())
    check_steps(explanation)
    last = aino.explain(loss, wrt=model[2])
    assert [step.operation.title for step in last.steps] == ["cross_entropy", "linear"]


def test_a_layer_speaks_of_its_parameters():
    model = network(2)
    text = str(aino.explain(model(aino.ones(1, 4)).sum()))
    assert "= v₂ model.2.weightᵀ + model.2.bias" in text
    assert "∂L/∂model.2.weight = (∂L/∂v₃)ᵀ v₂" in text
    assert "∂L/∂model.2.bias: the gradient, added over all that the bias was added to." in text
    x = aino.tensor([[1.0, 2.0]], requires_grad=True)
    assert "= x wᵀ = " in str(aino.explain(nn.functional.linear(x, aino.ones(2, 2)).sum(),
                                           names={"w": model[2].weight, "x": x})).replace(
        "c₁", "w")  # fmt: skip


def test_names_that_are_letters_of_formulas():
    b = aino.tensor(2.0, requires_grad=True)
    a = aino.tensor(3.0, requires_grad=True)
    x = b / a
    lines = [line.strip() for line in str(aino.explain(x**b)).splitlines()]
    assert "x = b / a = 2 / 3 = 0.6667    (div)" in lines
    assert "L = x^b = 0.6667^2 = 0.4444    (pow)" in lines


def test_large_arrays_show_shape_and_norm():
    model = network(40)
    loss = (model(aino.randn(5, 4)) ** 2).mean()
    text = str(aino.explain(loss))
    gradient = aino.autograd.grad(loss, model[0].weight, retain_graph=True)[0].numpy()
    norm = f"{float(np.sqrt((gradient.astype(np.float64) ** 2).sum())):.4g}"
    assert f"∂loss/∂model.0.weight = 40×4, norm {norm}" in text
    assert max(map(len, text.splitlines())) < 200


def test_long_passes_are_cut():
    x = aino.tensor(1.0, requires_grad=True)
    y = x
    for _ in range(50):
        y = (y * 0.99).tanh()
    explanation = aino.explain(y, limit=4)
    assert len(explanation.steps) == 4
    assert len(explanation.forward) == 4
    assert "and 96 more steps of the same kinds: mul × 48, tanh × 48" in str(explanation)
    check_answers(explanation, y, [x])


def test_a_function_of_the_users_own():
    class Cube(aino.autograd.Function):
        calls = 0

        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx, g):
            Cube.calls += 1
            (x,) = ctx.saved_tensors
            return g * 3 * x**2

    x = aino.tensor(2.0, requires_grad=True)
    y = Cube.apply(x)
    explanation = aino.explain(y)
    assert "what Cube.backward returns" in str(explanation)
    assert Cube.calls == 1
    check_answers(explanation, y, [x])


def test_several_outputs():
    x = aino.tensor([[2.0, 1.0], [1.0, 3.0]], requires_grad=True)
    w, v = aino.linalg.eigh(x)
    loss = w.sum() + (v * v)[0, 0]
    explanation = aino.explain(loss)
    check_answers(explanation, loss, [x])
    check_steps(explanation)


def test_forms_hold_the_same_numbers():
    explanation, _ = exercise()
    for form in FORMS.values():
        written = form(explanation)
        for number in ("14", "28", "49"):
            assert number in written
    latex = explanation.latex()
    assert latex.isascii()
    assert latex.count("{") == latex.count("}")
    assert latex.count(r"\begin{align*}") == latex.count(r"\end{align*}")
    assert r"\frac{\partial L}{\partial w} &= " in latex
    html = explanation.html()
    assert html.startswith("<!doctype html>")
    assert "prefers-color-scheme:dark" in html
    assert "http" not in html.replace("http://www.w3.org", "")
    assert explanation._repr_html_() in html
    assert explanation._repr_markdown_() == explanation.markdown()


def test_html_escapes_what_users_call_their_tensors():
    x = aino.tensor(1.0, requires_grad=True)
    html = aino.explain(x * 2.0, names={"<b>": x}).html()
    assert "<b>" not in html
    assert "&lt;b&gt;" in html


@pytest.mark.parametrize("ending", [".txt", ".md", ".tex", ".html"])
def test_saved(tmp_path, ending):
    explanation, _ = exercise()
    path = tmp_path / f"exercise{ending}"
    explanation.save(path)
    assert "28" in path.read_text(encoding="utf-8")
    with pytest.raises(ValueError, match=r"\.html"):
        explanation.save(tmp_path / "exercise.doc")


def test_brackets_of_html_are_closed():
    explanation, _ = exercise()
    html = explanation.html()
    for tag in ("div", "section", "span", "table", "p", "h2", "h3", "h4"):
        opened = len(re.findall(rf"<{tag}[ >]", html))
        assert opened == html.count(f"</{tag}>"), tag


def test_complex_factors_stand_as_they_are_multiplied():
    z = aino.tensor(1 + 2j, requires_grad=True)
    explanation = aino.explain((z * 2j).abs())
    text = str(explanation)
    assert "∂v₁/∂z = conj(0+2j) = 0-2j" in text
    assert "(-0.8944+0.4472j) · (0-2j) = 0.8944+1.789j" in text
    assert "sign(v₁) = sign(-4+2j) = -0.8944+0.4472j" in text
    assert r"\left(0-2j\right)" in explanation.latex()
    assert "(0-2j)" in explanation.html()


def test_a_slope_that_is_a_number_is_said_once():
    w = aino.tensor(2.0, requires_grad=True)
    lines = str(aino.explain(w * 3)).splitlines()
    assert "    ∂L/∂w = 3    (local derivative)" in lines


def test_a_result_beside_others_is_said_where_it_is_computed():
    model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    text = str(aino.explain(model(aino.tensor([[0.0, 1.0], [2.0, 3.0]])).sum()))
    forward = text[text.index("Forward") : text.index("Backward")]
    assert "(result)" not in forward
    assert "(of shape" not in forward
    q, r = aino.linalg.qr(aino.eye(2, requires_grad=True))
    assert "qᴴ q = 1    (qr)" in str(aino.explain((q * r).sum()))
