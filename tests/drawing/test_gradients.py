"""Gradients and local derivatives in drawings, forward and backward."""

import numpy as np
import pytest

import aino
from aino import nn
from aino.drawing.dot import gradient_scale
from aino.drawing.graph import Edge, Graph, Value, Vertex
from aino.errors import GradientError
from tests.drawing.reading import read


def leaf(*values):
    return aino.tensor(list(values), requires_grad=True)


def worked():
    """Return a loss with names: L = (d · f + d)³."""
    d, f = aino.tensor(2.0, requires_grad=True), aino.tensor(-3.0, requires_grad=True)
    q = d * f + d
    d.label, f.label, q.label = "d", "f", "q"
    loss = q**3
    loss.label = "L"
    return loss, d, f


def labels(drawing):
    return [look.partition("FONT")[2].partition(">")[2].partition("<")[0].strip()
            for _, _, look in read(drawing).edges]  # fmt: skip


def test_local_derivatives_stand_at_the_edges():
    loss, *_ = worked()
    assert labels(aino.draw(loss)) == ["∂ = f", "∂ = d", "∂ = 1", "∂ = 1", "∂ = 3 · q²"]
    assert labels(aino.draw(loss, values=True)) == [
        "∂ = f = -3", "∂ = d = 2", "∂ = 1", "∂ = 1", "∂ = 3 · q² = 48"
    ]  # fmt: skip
    assert "∂" not in aino.draw(loss, derivatives=False).source


def test_products_of_matrices_say_what_the_gradient_becomes():
    x, w = aino.ones(2, 3).requires_grad_(), aino.ones(3, 1).requires_grad_()
    assert labels(aino.draw((x @ w).sum()))[:2] == ["g ↦ g wᵀ", "g ↦ xᵀ g"]


def test_the_jacobian_of_what_is_not_elementwise():
    x = leaf(1.0, 2.0)
    weights = aino.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    (edge, *_) = [
        e for e in aino.draw((weights @ x).sum(), values=True).graph.edges
        if e.tail.title == "x"
    ]  # fmt: skip
    np.testing.assert_array_equal(edge.slope, weights.array)


def test_used_twice_slopes_are_added():
    x = leaf(3.0)
    (edge,) = aino.draw(x * x, values=True).graph.edges
    assert edge.derivative == "x + x"
    assert edge.slope.tolist() == [6.0]


@pytest.mark.parametrize("when", ["before", "retained", "freed"])
def test_gradients_before_and_after_backward(when):
    loss, d, *_ = worked()
    if when != "before":
        loss.backward(retain_graph=when == "retained")
    kept = d.grad
    found = read(aino.draw(loss, gradients=True))
    assert found.vertex("d")[-1] == "grad -96"
    assert found.vertex("f")[-1] == "grad 96"
    assert found.vertex("add  q = v₁ + d")[-1] == "grad 48"
    assert d.grad is kept


def test_arrows_are_coloured_by_magnitude():
    vertices = [
        Vertex("operation", str(size), values=[Value((), grad=np.array(size))])
        for size in (1.0, 100.0, 10_000.0, 0.0, float("nan"), 1e-30)
    ]  # fmt: skip
    share = gradient_scale(Graph(vertices))
    edges = [Edge(vertex, vertex) for vertex in vertices]
    assert [share(edge) for edge in edges] == [pytest.approx(1 / 3), pytest.approx(2 / 3),
                                                      1.0, 0.0, None, 0.0]  # fmt: skip
    looks = [look for _, _, look in read(aino.draw(worked()[0], gradients=True)).edges]
    assert all("penwidth" in look and 'color="#' in look for look in looks)


@pytest.mark.parametrize("freed", [False, True])
def test_arrows_tell_what_comes_back_along_them(freed):
    x = aino.tensor([-2.0, 3.0], requires_grad=True)
    loss = (x.detach() * x + aino.round(x) + x * x).sum()
    if freed:
        loss.backward()
    edges = aino.draw(loss, gradients=True).graph.edges
    back = [edge.back for edge in edges if edge.tail.kind == "input"]
    assert back == pytest.approx([13**0.5, 0.0, 2 * 13**0.5])


def test_the_backward_graph_says_how_each_gradient_comes_about():
    loss, *_ = worked()
    found = read(aino.draw(loss, show="backward"))
    assert found.titles() == [
        "∂L/∂L = 1", "∂L/∂q = ∂L/∂L · 3 · q²", "∂L/∂v₁ = ∂L/∂q", "∂L/∂f = ∂L/∂v₁ · d",
        "∂L/∂d = ∂L/∂v₁ · f + ∂L/∂q",
    ]  # fmt: skip
    assert [found.vertex(title)[-1] for title in found.titles()] == ["1", "48", "48", "96", "-96"]
    assert ("∂L/∂L = 1", "∂L/∂q = ∂L/∂L · 3 · q²") in found.pairs()
    assert len(found.edges) == 5


def test_both_graphs_side_by_side():
    loss, *_ = worked()
    found = read(aino.draw(loss, show="both"))
    assert {"d", "pow  L = q³", "∂L/∂L = 1", "∂L/∂d = ∂L/∂v₁ · f + ∂L/∂q"} <= set(found.titles())
    (turn,) = [edge[:2] for edge in found.edges if "constraint" in edge[2]]
    assert turn == ("pow  L = q³", "∂L/∂L = 1")


def test_the_backward_graph_of_a_module():
    model, x = nn.Sequential(nn.Linear(2, 1), nn.Tanh()), aino.ones(1, 2)
    found = read(aino.draw(model, x, show="backward", names={}))
    weight = [title for title in found.titles() if title.startswith("∂v₂/∂0.weight")]
    assert weight == ["∂v₂/∂0.weight = (∂v₂/∂v₁)ᵀ input"]
    model(x).sum().backward()
    assert found.vertex(weight[0])[-1] == str(
        [float(f"{g:.4g}") for g in model[0].weight.grad[0].tolist()]
    )


def test_what_is_no_scalar_has_no_backward_graph():
    with pytest.raises(GradientError, match="one real scalar"):
        aino.draw(leaf(1.0, 2.0) * 2.0, show="backward")
    with pytest.raises(ValueError, match="show is 'forward', 'backward' or 'both'"):
        aino.draw(leaf(1.0), show="up")
