"""weights, activations, gradients, attention: the numbers drawn are those of the engine."""

import numpy as np
import pytest

import aino
from aino import nn
from aino.errors import ShapeError
from aino.plot import gradient_history as sizes

pytest.importorskip("matplotlib")
plot = aino.plot


def counts_of(axes):
    [steps] = axes.patches
    return steps.get_data().values, steps.get_data().edges


def titles(figure, loc="left"):
    return [axes.get_title(loc=loc) for axes in figure.axes]


def test_histograms_count_the_weights(made):
    parameters = dict(made.module.named_parameters())
    figure = plot.weights(made.module, "*.weight")
    assert titles(figure) == ["first.weight", "norm.weight", "last.weight"]
    assert titles(figure, "right") == ["6 × 2", "6", "3 × 6"]
    for axes, name in zip(figure.axes, titles(figure)):
        counts, edges = counts_of(axes)
        values = parameters[name].array.ravel().astype(np.float64)
        np.testing.assert_array_equal(counts, np.histogram(values, edges)[0])
        assert counts.sum() == values.size


def test_matrices_are_the_weights():
    model = nn.Sequential(nn.Conv2d(2, 3, 2), nn.Linear(4, 5))
    figure = plot.weights(model, view="matrices")
    parameters = dict(model.named_parameters())
    panels = [axes for axes in figure.axes if axes.get_title(loc="left")]
    for axes in panels:
        array = parameters[axes.get_title(loc="left")].array
        rows = 1 if array.ndim == 1 else len(array)
        np.testing.assert_array_equal(axes.images[0].get_array(), array.reshape(rows, -1))
        low, high = axes.images[0].get_clim()
        assert -low == high == np.abs(array).max()


def test_activations_are_what_modules_give(made):
    X = aino.tensor(made.X)
    model = nn.Sequential(nn.Linear(2, 5), nn.ReLU(), nn.Linear(5, 2), nn.Sigmoid(), nn.Softsign())
    with aino.no_grad():
        model[0].weight[1], model[0].bias[1] = 0.0, -1.0
        model[2].weight.mul_(10)
        steps = [X := module(X) for module in model]
    figure = plot.activations(model, made.X)
    names = [f"{i} ({type(module).__name__})" for i, module in enumerate(model)]
    assert titles(figure) == names
    for axes, output in zip(figure.axes, steps):
        counts, edges = counts_of(axes)
        np.testing.assert_array_equal(counts, np.histogram(output.numpy().ravel(), edges)[0])
    dead = int((steps[1].numpy() == 0).all(axis=0).sum())
    sigmoid = steps[3].numpy()
    near = ((sigmoid <= 0.01) | (sigmoid >= 0.99)).mean()
    assert dead >= 1
    assert 0 < near < 1
    said = [axes.get_xlabel() for axes in figure.axes]
    assert said == [
        "",
        f"{dead} of 5 units dead",
        "",
        f"{100 * near:.3g} % of outputs saturated",
        "",
    ]


@pytest.mark.parametrize(
    ("module", "shape", "units"),
    [
        (nn.Sequential(nn.Conv2d(1, 4, 2), nn.ReLU()), (2, 1, 3, 3), 4),
        (nn.Sequential(nn.Conv1d(1, 3, 2), nn.ReLU()), (2, 1, 5), 3),
        (nn.Sequential(nn.Linear(5, 6), nn.ReLU()), (2, 3, 5), 6),
        (
            nn.Sequential(nn.Conv1d(1, 3, 2), nn.Flatten(), nn.Linear(12, 7), nn.ReLU()),
            (2, 1, 5),
            7,
        ),
    ],
)
def test_units_are_channels_or_features(module, shape, units):
    with aino.no_grad():
        for parameter in module.parameters():
            parameter.fill_(-1.0 if parameter.ndim == 1 else 0.0)
    figure = plot.activations(module, np.ones(shape))
    assert figure.axes[-1].get_xlabel() == f"{units} of {units} units dead"


def test_layers_of_a_network_and_shared_modules(made):
    figure = plot.activations(made.animals, made.X)
    assert titles(figure) == [
        "input_scaling (InputScaling)",
        "layers.0 (Layer)",
        "layers.1 (Layer)",
    ]
    shared = nn.ReLU()
    figure = plot.activations(nn.Sequential(shared, nn.Linear(2, 2), shared), made.X)
    assert titles(figure) == ["0 (ReLU)", "1 (Linear)", "0, call 2 (ReLU)"]


def test_gradients_are_counted_by_their_size():
    model = nn.Linear(4, 1, bias=False)
    seen = plot.GradientHistory(every=2)
    rows = [[1.0, -0.03, 0.0, 1e-20], [9.0] * 4, [np.nan, np.inf, 2.0, 1e9]]
    for row in rows:
        model.weight.grad = aino.tensor([row])
        seen.record(model)
    assert seen.steps == [1, 3]
    assert seen.zeros("weight").tolist() == [1, 0]
    assert seen.not_finite("weight").tolist() == [0, 2]
    counts = seen.counts("weight")
    at = [np.flatnonzero(row) for row in counts]
    inside = [sizes.EDGES[:-1][places] for places in at]
    np.testing.assert_allclose(inside[0], [-12, -1.75, 0])
    np.testing.assert_allclose(inside[1], [0.25, 3.75])
    # The middle of 1e-12, 0.03 and 1, to a quarter of a decade.
    assert 10**-1.75 < seen.medians("weight")[0] < 10**-1.5
    axes = plot.gradients(seen).axes[0]
    shares = axes.collections[0].get_array()
    np.testing.assert_allclose(shares, (counts / 4).T)
    np.testing.assert_allclose(axes.lines[0].get_data(), [[1, 3], seen.medians("weight")])
    assert axes.get_xlabel() == "step: not finite from step 3 on"


def test_a_training_tells_of_its_gradients(made):
    parameters = dict(made.small.named_parameters())
    assert made.seen.names == list(parameters)
    assert made.seen.steps == list(range(1, 9))
    for name, parameter in parameters.items():
        everything = made.seen.counts(name).sum(axis=1) + made.seen.zeros(name)
        assert (everything == parameter.array.size).all()
    again = plot.GradientHistory()
    again.load_state_dict(made.seen.state_dict())
    assert again.steps == made.seen.steps
    np.testing.assert_array_equal(again.counts("0.weight"), made.seen.counts("0.weight"))


def test_gradients_of_now(made):
    figure = plot.gradients(made.module, "first.weight")
    counts, edges = counts_of(figure.axes[0])
    values = made.module.first.weight.grad.numpy().ravel()
    np.testing.assert_array_equal(counts, np.histogram(values, edges)[0])


def test_attention_is_that_of_the_heads(made):
    layer = made.heads.layers[0]
    made.heads.eval()
    with aino.no_grad():
        _, weights = layer.self_attn(made.words, made.words, made.words, average_attn_weights=False)
        output = made.heads(made.words).numpy()
    figure = plot.attention(made.heads, made.words, sample=1, queries=list("abcde"))
    panels = [axes for axes in figure.axes if axes.images]
    assert titles(figure)[:2] == [f"layers.0.self_attn head {i}" for i in (1, 2)]
    for axes, head in zip(panels, weights.numpy()[1]):
        np.testing.assert_allclose(axes.images[0].get_array(), head, rtol=1e-5)
        assert [t.get_text() for t in axes.get_xticklabels()] == list("abcde")
    np.testing.assert_array_equal(made.heads(made.words).detach().numpy(), output)
    made.heads.train()
    # Weights may be given as they are, and callers get what they asked for.
    figure = plot.attention(weights, sample=1)
    np.testing.assert_array_equal(figure.axes[0].images[0].get_array(), weights.numpy()[1, 0])

    seen = []

    class Caller(nn.Module):
        def __init__(self):
            super().__init__()
            self.heads = nn.MultiheadAttention(8, 2, batch_first=True)

        def forward(self, x):
            seen[:] = [self.heads(x, x, x, need_weights=False)[1], self.heads(x, x, x)[1]]
            return x

    caller = Caller()
    figure = plot.attention(caller, made.words)
    assert titles(figure)[::2][:2] == ["heads head 1", "heads, call 2 head 1"]
    assert seen[0] is None
    assert seen[1].shape == (2, 5, 5)


MISTAKES = {
    "no such weight": (lambda m: plot.weights(m.small, "wieght"), ValueError,
                       "no parameter is called 'wieght'; there are 0.weight"),
    "view": (lambda m: plot.weights(m.small, view="tables"), ValueError, "not 'tables'"),
    "no parameters": (lambda m: plot.weights(nn.ReLU()), ValueError, "no parameters"),
    "no module": (lambda m: plot.weights(np.ones(3)), TypeError, "not of a ndarray"),
    "too many": (lambda m: plot.weights(nn.Sequential(*[nn.Linear(1, 1)] + [
        nn.Linear(1, 1) for _ in range(20)])), ValueError, "42 parameters are too many .* names="),
    "no gradients": (lambda m: plot.gradients(m.numbers), ValueError, "call backward"),
    "nothing recorded": (lambda m: plot.gradients(plot.GradientHistory()), ValueError, "callbacks"),
    "before backward": (lambda m: plot.GradientHistory().record(nn.Linear(1, 1)), ValueError,
                        "after backward"),
    "every": (lambda m: plot.GradientHistory(every=0), ValueError, "1 or more"),
    "unknown gradient": (lambda m: m.seen.counts("x"), ValueError, "there are 0.weight"),
    "no attention": (lambda m: plot.attention(m.small, aino.tensor(m.X)), ValueError,
                     "no MultiheadAttention runs"),
    "scores": (lambda m: plot.attention(np.array([[-1.0, 2.0]])), ValueError, "softmax"),
    "shape of attention": (lambda m: plot.attention(np.ones(3)), ShapeError, r"shape \(3,\)"),
    "no such sample": (lambda m: plot.attention(np.ones((2, 1, 3, 3)), sample=2), ValueError,
                       "the batch has 2"),
    "names of places": (lambda m: plot.attention(np.ones((3, 3)), queries="ab"), ValueError,
                        "queries names 2 places, and there are 3"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_what_is_wrong_is_said_in_the_users_terms(made, name):
    call, kind, message = MISTAKES[name]
    with pytest.raises(kind, match=message):
        call(made)


def test_numbers_that_are_not_finite_are_told_of():
    model = nn.Linear(3, 2)
    with aino.no_grad():
        model.weight[0, 0], model.weight[1, 1] = np.nan, np.inf
    for view in ("histograms", "matrices"):
        weight, bias = plot.weights(model, view=view).axes[:2]
        assert weight.get_xlabel() == "2 of 6 not finite"
        assert bias.get_xlabel() == ""


def test_a_single_row_has_no_scale_beside_it():
    [axes] = plot.weights(nn.Linear(3, 2), "bias", view="matrices").axes[:1]
    assert list(axes.get_yticks()) == []
    assert len(axes.get_xticks()) > 0


def test_queries_and_keys_are_told_apart():
    first, second = plot.attention(np.full((2, 3, 4), 0.25)).axes[:2]
    assert (first.get_xlabel(), first.get_ylabel()) == ("key", "query")
    assert (second.get_xlabel(), second.get_ylabel()) == ("key", "")


@pytest.mark.parametrize(
    ("losses", "alone"),
    [
        ([1.0], [0]),
        ([1.0, 2.0], []),
        ([1.0, np.nan, 3.0], [0, 2]),
        ([1.0, 2.0, np.inf, 3.0, np.nan, 4.0, 5.0], [3]),
        ([np.nan, np.nan], []),
    ],
)
def test_an_epoch_that_no_line_leads_to_is_a_point(losses, alone):
    [axes] = plot.history({"loss": losses}).axes
    [line] = axes.lines
    assert line.get_markevery() == alone
    np.testing.assert_array_equal(line.get_ydata(), losses)
    assert all(float(tick).is_integer() for tick in axes.get_xticks())
