"""Tensors are drawn with what was recorded on the way to them."""

import numpy as np
import pytest

import aino
from aino import nn
from aino.errors import GradientError
from tests.drawing.reading import read


def leaf(*values):
    return aino.tensor(list(values), requires_grad=True)


def test_each_operation_shows_name_formula_and_value():
    x, w = leaf(1.0, 2.0), leaf(0.5, -1.0)
    y = aino.tanh((w * x).sum())
    found = read(aino.draw(y))
    assert found.vertex("x") == ["x", "(2,) float32", "[1, 2]"]
    product, total, result = "mul  v₁ = w · x", "sum  v₂ = Σ v₁", "tanh  y = tanh v₂"
    assert found.vertex(product) == [product, "(2,) float32", "[0.5, -2]"]
    assert found.vertex(total) == [total, "() float32", "-1.5"]
    assert found.vertex(result) == [result, "() float32", "-0.9051"]
    assert found.pairs() == [
        (product, total), (total, result), ("w", product), ("x", product)
    ]  # fmt: skip


def test_kinds_differ_in_shape_and_colour():
    x, factor = leaf(1.0, 2.0), aino.tensor([3.0, 4.0])
    parameter = nn.Parameter(aino.ones(2))
    y = x * factor + parameter
    found = read(aino.draw(y))
    looks = [found.look(title) for title in ("x", "factor", "parameter", "mul  v₁ = x · factor")]
    assert len({look.split(", fillcolor")[0] for look in looks[:1] + looks[2:]}) == 3
    assert len({look.split("fillcolor=")[1][:9] for look in looks[:1] + looks[2:]}) == 3
    assert 'peripheries="2"' in found.look("add  y = v₁ + parameter")


def test_gradients_are_shown_after_backward():
    x = leaf(1.0, 2.0)
    h = x * x
    h.retain_grad()
    y = h.sum()
    y.backward(retain_graph=True)
    found = read(aino.draw(y))
    assert found.vertex("x")[-1] == "grad [2, 4]"
    assert found.vertex("mul  h = x · x")[1:] == ["(2,) float32", "[1, 4]", "grad [1, 1]"]


def test_a_freed_graph_is_drawn_with_its_values():
    x = leaf(1.0, 2.0)
    y = aino.exp(aino.sin(x) * 3.0).sum()
    before = aino.draw(y).source
    y.backward()
    x.grad = None
    assert aino.draw(y).source == before
    assert read(aino.draw(y)).vertex("exp  v₃ = exp(v₂)")[-1] == "[12.48, 15.3]"


def test_what_was_changed_since_is_not_computed_with():
    x = leaf(1.0, 2.0)
    y = aino.exp(aino.sin(x) * 3.0).sum()
    y.backward()
    with aino.no_grad():
        x.fill_(7.0)
    found = read(aino.draw(y))
    assert found.vertex("exp  v₃ = exp(v₂)") == ["exp  v₃ = exp(v₂)", "(2,) float32"]
    assert found.vertex("sum  y = Σ v₃")[-1] == f"{y.item():.4g}"
    with pytest.raises(GradientError, match="was given is gone, or was changed since"):
        aino.draw(y, gradients=True)


def test_gradients_of_all_values_on_demand():
    x = leaf(1.0, 2.0)
    h = x * x
    calls = []
    h.register_hook(calls.append)
    h.retain_grad()
    y = (h * 3.0).sum()
    found = read(aino.draw(y, gradients=True))
    assert [lines[-1] for lines in found.labels.values()] == [
        "grad [6, 12]", "grad [3, 3]", "grad [1, 1]", "grad 1"
    ]  # fmt: skip
    assert (x.grad, h.grad, calls) == (None, None, [])
    y.backward()
    assert x.grad.tolist() == [6.0, 12.0]
    assert h.grad.tolist() == [3.0, 3.0]
    assert len(calls) == 1


def test_a_leaf_shows_its_value_wherever_it_is_held():
    def forward():
        holder["w"] = leaf(2.0, 3.0)
        return (holder["w"] + 1.0).sum()

    holder = {}
    assert "[2, 3]" in aino.draw(forward()).source


def test_names_are_given_or_those_of_variables():
    x, y = leaf(1.0), [leaf(2.0)]
    z = x * y[0]
    assert {"x", "y[0]"} <= set(read(aino.draw(z)).titles())
    found = read(aino.draw(z, names={"left": x, "right": y[0], "product": z}))
    assert {"left", "right"} <= set(found.titles())
    assert "mul  product = left · right" in found.titles()


def test_names_of_a_model():
    model = nn.Linear(2, 1)
    loss = model(aino.ones(1, 2)).sum()
    for names in (model, dict(model.named_parameters())):
        assert {"weight", "bias"} <= set(read(aino.draw(loss, names=names)).titles())
    assert "linear.weight" in read(aino.draw(loss, names={"linear": model})).titles()
    assert "model.weight" in read(aino.draw(loss)).titles()


def test_several_outputs():
    x = leaf(1.0, 2.0)
    found = read(aino.draw({"total": x.sum(), "parts": (x * 2.0, x * 3.0)}))
    said = [lines[0] for name, lines in found.labels.items() if "periph" in found.looks[name]]
    assert said == ["sum  total = Σ x", "mul  parts[0] = x · 2", "mul  parts[1] = x · 3"]
    found = read(aino.draw([x.sum(), x.exp()]))
    assert found.titles()[1:] == ["sum  output[0] = Σ x", "exp  output[1] = exp(x)"]


def test_an_output_without_a_gradient_is_drawn_too():
    x = leaf(1.0, 2.0)
    found = read(aino.draw((x.sum(), x.argmax())))
    assert found.vertex("output[1]") == ["output[1]", "() int64", "1"]


def test_constants_are_dashed_and_numbers_stand_in_the_formula():
    x, mask = leaf(1.0, 2.0), aino.tensor([1.0, 0.0])
    y = (x * mask / 4.0).sum()
    found = read(aino.draw(y))
    assert [attributes for tail, _, attributes in found.edges if tail == "mask"] == [
        ' [style="dashed"]'
    ]
    assert "div  v₂ = v₁ / 4" in found.titles()


#: What the user calls his tensors, and the formula of the calculus with other things by its
#: letters: each box speaks of the user's.
SPOKEN = {
    "add  y = b + 3": lambda a, b: b + 3,
    "sub  y = 2 - b": lambda a, b: 2 - b,
    "sub  y = b - a": lambda a, b: b - a,
    "mul  y = b · a": lambda a, b: b * a,
    "mul  y = b · (-2)": lambda a, b: b * -2.0,
    "div  y = 1 / a": lambda a, b: aino.div(1.0, a),
    "pow  y = b³": lambda a, b: b**3,
    "pow  y = b^1.5": lambda a, b: b**1.5,
    "pow  y = 2^a": lambda a, b: 2.0**a,
    "exp  y = exp(a)": lambda a, b: a.exp(),
    "maximum  y = max(b, 0.5)": lambda a, b: aino.maximum(b, aino.tensor(0.5)),
    "y = b where [True, False], else 0": lambda a, b: aino.where(
        aino.tensor([True, False]), b, 0.0
    ),
    "getitem  y = b[:1]": lambda a, b: b[:1],
    "stack  y = [b, a] on a new axis": lambda a, b: aino.stack([b, a]),
    "cat  y = [b, [5, 6]] end to end": lambda a, b: aino.cat([b, aino.tensor([5.0, 6.0])]),
    "mse_loss  y = Σ (b - a)² / n": lambda a, b: aino.nn.functional.mse_loss(b, a),
    "cumsum  yᵢ = b₀ + ... + bᵢ": lambda a, b: b.cumsum(0),
    "gather  y = b[1]": lambda a, b: b.max(0).values,
    "to  y = b as float64": lambda a, b: b.double(),
}


@pytest.mark.parametrize("said", SPOKEN)
def test_formulas_speak_the_users_names(said):
    a, b = leaf(1.0, 2.0), leaf(1.5, 2.5)
    y = SPOKEN[said](a, b)
    assert said in [line for lines in read(aino.draw(y)).labels.values() for line in lines]


def test_names_that_others_have_are_told_apart():
    x, other = leaf(1.0), leaf(2.0)
    found = read(aino.draw(x * other, names={"x": other, "v₁": x}))
    assert found.titles() == ["v₁", "x", "mul  v₂ = v₁ · x"]
    x.label, other.label = "w", "w"
    assert read(aino.draw(x * other)).titles()[:2] == ["w", "w′"]


def test_names_of_objects_and_of_loops():
    class Model:
        def __init__(self):
            self.w = leaf(1.0, 2.0)
            self.layers = [leaf(3.0, 4.0)]

        def drawn(self, x):
            for p in (self.w, self.layers[0]):
                assert p.requires_grad
            return read(aino.draw((self.w * x + self.layers[0]).sum()))

    assert Model().drawn(aino.tensor([5.0, 6.0])).titles()[:3] == ["self.w", "self.layers[0]", "x"]


def test_a_tensor_used_twice_has_one_edge():
    x = leaf(3.0)
    assert read(aino.draw(x * x)).pairs() == [("x", "mul  v₁ = x · x")]
    (edge,) = read(aino.draw(x / x)).edges
    assert edge[:2] == ("x", "div  v₁ = x / x")


def test_parameters_of_an_operation_are_shown():
    x = aino.ones(2, 3, 4).requires_grad_()
    y = x.sum(dim=1, keepdim=True)[0, :, 1:3].permute(1, 0) ** 3
    lines = [line for vertex in read(aino.draw(y)).labels.values() for line in vertex]
    for expected in ("axis = 1", "keepdims = True", "getitem  v₂ = v₁[0, :, 1:3]", "axes = 1, 0",
                     "pow  y = v₃³"):  # fmt: skip
        assert expected in lines, expected


def test_views_and_writes_in_place():
    a = leaf(1.0, 2.0, 3.0)
    b = a * 2.0
    view = b[:2]
    view.mul_(aino.tensor([3.0, 4.0]))
    y = (b * view.sum()).sum()
    found = read(aino.draw(y, gradients=True))
    written = found.vertex("setitem  v₁[path] = v₃")
    assert written[1:4] == ["b", "(3,) float32", "[6, 16, 6]"]
    (before,) = [v for v in found.labels.values() if v[0] == "mul  v₁ = a · 2"]
    # What was overwritten is known from the operation that read it in time.
    assert before[-1].startswith("grad")
    y.backward()
    assert f"grad [{', '.join(f'{g:.4g}' for g in a.grad.tolist())}]" in found.vertex("a")


def test_a_value_that_was_written_since_is_not_shown():
    x = leaf(1.0, 2.0)
    h = x + 1.0
    y = (h + 1.0).sum()
    with aino.no_grad():
        h.detach().fill_(7.0)
    found = read(aino.draw(y, names={"unrelated": x}))
    sums = [lines for lines in found.labels.values() if lines[0].startswith("add")]
    assert all("[2, 3]" not in lines and "[8, 8]" not in lines for lines in sums)


def test_functions_of_the_user_and_their_outputs():
    class Both(aino.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2.0, x * 3.0

        @staticmethod
        def backward(ctx, g, h):
            return g * 2.0 + h * 3.0

    x = leaf(1.0, 2.0)
    double, triple = Both.apply(x)
    found = read(aino.draw(double + triple))
    assert found.vertex("output 1")[1:] == ["triple", "(2,) float32", "[3, 6]"]
    assert ("Both", "output 0") in found.pairs()
    assert ("x", "Both") in found.pairs()


def test_derivatives_can_be_drawn():
    x = leaf(2.0)
    (slope,) = aino.autograd.grad((x**3).sum(), x, create_graph=True)
    assert "slope = " in aino.draw(slope).source


def test_dtypes_and_complex_numbers():
    z = aino.tensor([1.0 + 2.0j], requires_grad=True)
    found = read(aino.draw(aino.abs(z * z)))
    assert found.vertex("z")[1:] == ["(1,) complex64", "[1+2j]"]
    assert any("(1,) float32" in lines for lines in found.labels.values())
    half = aino.ones(2, dtype=aino.float64).requires_grad_()
    assert "(2,) float64" in read(aino.draw(half * 2.0)).vertex("mul  v₁ = half · 2")


def test_large_values_show_no_numbers_but_norms():
    x = aino.ones(4, 4).requires_grad_()
    y = x.sum()
    y.backward()
    assert read(aino.draw(y)).vertex("x") == ["x", "(4, 4) float32, norm 4", "‖grad‖ = 4"]
    found = read(aino.draw(y, numbers=16)).vertex("x")
    assert found[2:6] == ["[1, 1, 1, 1]"] * 4
    assert read(aino.draw(y, numbers=0)).vertex("sum  y = Σ x")[1:] == ["() float32, norm 16"]


@pytest.mark.parametrize("shape", [(0,), (2, 0), ()])
def test_empty_and_scalar_tensors(shape):
    x = aino.zeros(*shape).requires_grad_() if shape else aino.tensor(0.0, requires_grad=True)
    assert f"{tuple(shape)} float32" in read(aino.draw(x * 2.0)).vertex("x")


def test_the_same_picture_each_time():
    def picture():
        x = leaf(1.0, 2.0)
        y = aino.tanh(x * np.array([1.0, 2.0], np.float32)).sum() * x.mean()
        return aino.draw(y).source

    assert picture() == picture()


def test_drawing_leaves_no_trace():
    x = leaf(1.0, 2.0)
    y = (x * x).sum()
    aino.draw(y)
    aino.draw(y, gradients=True)
    assert x.grad is None
    y.backward()
    assert x.grad.tolist() == [2.0, 4.0]


def test_a_leaf_alone():
    x = leaf(1.0)
    assert read(aino.draw(x)).vertex("x") == ["x", "(1,) float32", "[1]"]
