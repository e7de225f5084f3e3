"""loss_surface: heights are losses at weights set by hand, directions those of the paper."""

import numpy as np
import pytest

import aino
from aino import nn
from aino.errors import ShapeError
from aino.plot import directions as ways

pytest.importorskip("matplotlib")
surface = aino.plot.loss_surface
#: What is done to the weights of the model, and to no others.
FLAT = {"0.weight": (4, 2), "0.bias": (4,), "2.weight": (1, 4), "2.bias": (1,)}


def picture(figure):
    """The places along both axes, and the heights."""
    image = figure.axes[0].images[0]
    heights = image.get_array()
    left, right, low, high = image.get_extent()
    rows, columns = heights.shape
    half = (right - left) / columns / 2, (high - low) / rows / 2
    xs = np.linspace(left + half[0], right - half[0], columns)
    return xs, np.linspace(low + half[1], high - half[1], rows), heights


def loss_by_hand(X, y, moved):
    """The mean squared error with other weights, in NumPy."""
    w0, b0, w1, b1 = (moved[name] for name in FLAT)
    return float(np.mean((np.tanh(X @ w0.T + b0) @ w1.T + b1 - y[:, None]) ** 2))


def weights(model):
    return {name: p.array.astype(np.float64) for name, p in model.named_parameters()}


def test_heights_are_losses_along_given_directions(made):
    random = np.random.default_rng(1)
    u, v = ({name: random.normal(size=shape) for name, shape in FLAT.items()} for _ in "uv")
    figure = surface(made.small, "mse", (made.X, made.wave), directions=(u, list(v.values())),
                     span=(0.5, 0.2), resolution=5)  # fmt: skip
    xs, ys, heights = picture(figure)
    np.testing.assert_allclose(xs, np.linspace(-0.5, 0.5, 5), atol=1e-12)
    np.testing.assert_allclose(ys, np.linspace(-0.2, 0.2, 5), atol=1e-12)
    centre = weights(made.small)
    expected = [
        [
            loss_by_hand(made.X, made.wave,
                         {name: centre[name] + a * u[name] + b * v[name] for name in FLAT})
            for a in xs
        ]
        for b in ys
    ]  # fmt: skip
    np.testing.assert_allclose(heights, expected, rtol=1e-4)


def test_batches_are_weighed_by_their_samples(made):
    whole = surface(made.small, "mse", (made.X, made.wave), resolution=3)
    parts = [(made.X[a:b], made.wave[a:b]) for a, b in ((0, 50), (50, 60))]
    np.testing.assert_allclose(
        picture(surface(made.small, "mse", parts, resolution=3))[2], picture(whole)[2], rtol=1e-5
    )
    other = surface(made.small, "mse", (made.X, made.wave), resolution=3, seed=1)
    assert np.abs(picture(other)[2] - picture(whole)[2]).max() > 1e-3
    with aino.no_grad():
        middle = nn.functional.mse_loss(
            made.small(aino.tensor(made.X))[:, 0], aino.tensor(made.wave.astype(np.float32))
        )
    assert picture(whole)[2][1, 1] == pytest.approx(middle.item(), rel=1e-6)


def test_what_a_network_scales_is_not_rounded_before():
    X = 1e8 + np.arange(12.0).reshape(6, 2)
    y = np.arange(6.0) ** 2
    model = aino.NeuralNetwork(hidden=[4], seed=0).fit(X, y, epochs=5, verbose=False)
    expected = ((model.predict(X) - y) ** 2).mean()
    heights = picture(surface(model, "mse", (X, y), resolution=3))[2]
    assert heights[1, 1] == pytest.approx(expected, rel=1e-5)
    axes = aino.plot.activations(model, X, "input_scaling").axes[0]
    counts, edges = axes.patches[0].get_data()[:2]
    scaled = (X - X.mean(axis=0)) / X.std(axis=0)
    np.testing.assert_array_equal(counts, np.histogram(scaled.ravel(), edges)[0])


def test_random_directions_have_filters_as_long_as_those_of_the_weights():
    model = nn.Sequential(nn.Conv2d(2, 3, 2), nn.BatchNorm2d(3), nn.Linear(4, 5))
    centre = weights(model)
    direction = ways.random_direction(centre, np.random.default_rng(0))
    for name, array in centre.items():
        if array.ndim == 1:
            assert not direction[name].any()
            continue
        for row, own in zip(direction[name], array):
            assert np.linalg.norm(row) == pytest.approx(np.linalg.norm(own))
            assert abs((row * own).sum()) < 0.99 * (own**2).sum()
    alone = ways.random_direction({"w": np.array([3.0, 4.0])}, np.random.default_rng(0))
    assert np.linalg.norm(alone["w"]) == pytest.approx(5)


def test_the_way_of_a_training_is_drawn_in_its_principal_directions(made):
    figure = surface(made.small, "mse", (made.X, made.wave), trajectory=made.way, resolution=3)
    points = [np.concatenate([p[name].ravel() for name in FLAT]) for p in made.way.points]
    assert len(points) == 5
    away = np.array(points) - points[-1]
    # By eigenvectors, not by singular vectors.
    values, vectors = np.linalg.eigh(away.T @ away)
    line = next(one for one in figure.axes[0].lines if len(one.get_xdata()) == 5)
    for axis, data in enumerate(line.get_data()):
        expected = away @ vectors[:, -1 - axis]
        np.testing.assert_allclose(np.abs(data), np.abs(expected), atol=1e-9)
        share = values[-1 - axis] / values.sum()
        label = (figure.axes[0].get_xlabel(), figure.axes[0].get_ylabel())[axis]
        assert f"{share:.0%} of its way" in label
    xs, _, heights = picture(figure)
    assert xs[0] < line.get_xdata().min() < line.get_xdata().max() < xs[-1]
    assert heights.min() > 0
    np.testing.assert_allclose(points[-1], np.concatenate(
        [weights(made.small)[name].ravel() for name in FLAT]), rtol=1e-6)  # fmt: skip


def test_losses_that_are_no_numbers_are_left_out(made):
    def half(outputs, targets):
        loss = ((outputs[:, 0] - targets) ** 2).mean()
        return loss * (np.inf if loss.item() > 1.0 else 1.0)

    heights = picture(surface(made.small, half, (made.X, made.wave), span=3.0, resolution=5))[2]
    assert 0 < heights.count() < 25


def test_the_loss_of_a_network_is_that_of_its_probabilities(made):
    """Labels are as ``fit`` takes them, and no softmax is applied twice."""
    figure = surface(made.animals, "cross_entropy", (made.X, made.labels), resolution=3)
    shares = made.animals.predict_proba(made.X)[np.arange(60), made.t]
    assert picture(figure)[2][1, 1] == pytest.approx(-np.log(shares).mean(), rel=1e-4)
    both = (made.t > 0).astype(int)
    ones = made.binary.predict(made.X)
    expected = -np.log(np.where(both, ones, 1 - ones)).mean()
    figure = surface(made.binary, "bce", (made.X, both), resolution=3)
    assert picture(figure)[2][1, 1] == pytest.approx(expected, rel=1e-4)
    figure = surface(made.numbers, "mse", (made.X, made.wave), resolution=3)
    expected = ((made.numbers.predict(made.X) - made.wave) ** 2).mean()
    assert picture(figure)[2][1, 1] == pytest.approx(expected, rel=1e-4)


straight = [{name: np.full(shape, float(i)) for name, shape in FLAT.items()} for i in range(4)]
MISTAKES = {
    "no module": (lambda m, d: surface(None, "mse", d), TypeError, "not of a NoneType"),
    "loss": (lambda m, d: surface(m.small, "mes", d), ValueError, "mse"),
    "data": (lambda m, d: surface(m.small, "mse", 3), TypeError, r"data is \(X, y\)"),
    "no data": (lambda m, d: surface(m.small, "mse", []), ValueError, "no batches"),
    "both": (lambda m, d: surface(m.small, "mse", d, directions=(1, 2), trajectory=m.way),
             ValueError, "not both"),
    "one direction": (lambda m, d: surface(m.small, "mse", d, directions=[straight[1]]),
                      ValueError, "two, not 1"),
    "no direction": (lambda m, d: surface(m.small, "mse", d, directions=straight[:2]),
                     ValueError, "leads nowhere"),
    "lacking": (lambda m, d: surface(m.small, "mse", d, directions=({}, {})), ValueError,
                "direction 1 lacks 0.weight"),
    "shapes": (lambda m, d: surface(m.small, "mse", d, directions=(
        straight[1] | {"2.bias": np.ones(3)}, straight[1])), ShapeError, "2.bias has shape"),
    "count": (lambda m, d: surface(m.small, "mse", d, directions=([1], [2])), ValueError,
              "1 arrays, and the model 4"),
    "short": (lambda m, d: surface(m.small, "mse", d, trajectory=straight[:2]), ValueError,
              "3 points or more"),
    "straight": (lambda m, d: surface(m.small, "mse", d, trajectory=straight), ValueError,
                 "straight line"),
    "still": (lambda m, d: surface(m.small, "mse", d, trajectory=[straight[0]] * 3), ValueError,
              "stays where it is"),
    "span": (lambda m, d: surface(m.small, "mse", d, span=0), ValueError, "above 0"),
    "resolution": (lambda m, d: surface(m.small, "mse", d, resolution=2), ValueError, "3 or more"),
    "frozen": (lambda m, d: surface(nn.Linear(2, 1).requires_grad_(False), "mse", d), ValueError,
               "no parameters that learn"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_what_is_wrong_is_said_in_the_users_terms(made, name):
    call, kind, message = MISTAKES[name]
    with pytest.raises(kind, match=message):
        call(made, (made.X, made.wave))
