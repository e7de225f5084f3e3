"""decision_boundary and confusion_matrix: what is drawn is what the model says."""

import types

import numpy as np
import pytest

import aino
from aino import nn
from aino.errors import ShapeError

pytest.importorskip("matplotlib")
boundary, confusion = aino.plot.decision_boundary, aino.plot.confusion_matrix
SIZE = 7


def grid_of(figure):
    """The places of a picture, as samples."""
    image = figure.axes[0].images[0]
    left, right, low, high = image.get_extent()
    step = (right - left) / SIZE, (high - low) / SIZE
    xs = left + step[0] * (np.arange(SIZE) + 0.5)
    ys = low + step[1] * (np.arange(SIZE) + 0.5)
    return np.stack([part.ravel() for part in np.meshgrid(xs, ys)], axis=1)


def shares_of(figure, classes):
    """The probability of the class that is predicted at each place, and which one it is."""
    chosen, share = np.full((SIZE, SIZE), -1), np.zeros((SIZE, SIZE))
    for image in figure.axes[0].images:
        values = image.get_array()
        here = ~np.ma.getmaskarray(values)
        assert (chosen[here] == -1).all()
        chosen[here], share[here] = classes.index(image.get_label()), values[here]
    return chosen.ravel(), share.ravel()


def softmax(z):
    powers = np.exp(z - z.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


class Nearest:
    """An estimator that is none of AINO's, and only predicts."""

    classes_ = np.array(["a", "b"])

    def predict(self, X):
        return self.classes_[(np.asarray(X)[:, 0] > 0.2).astype(int)]


class Sure(Nearest):
    def predict_proba(self, X):
        ones = 1 / (1 + np.exp(0.2 - np.asarray(X)[:, 0]))
        return np.stack([1 - ones, ones], axis=1)


def by_hand(made, name):
    """A model, its targets, and what gives the probabilities of its classes for samples."""

    def forward(model, X):
        with aino.no_grad():
            return model(aino.tensor(X.astype(np.float32))).numpy().astype(np.float64)

    aino.manual_seed(3)
    line, three = nn.Linear(2, 1), nn.Linear(2, 3)
    both = (made.X[:, 0] > 0).astype(int)
    softmaxed = nn.Sequential(nn.Linear(2, 3), nn.Softmax(1))
    logs = nn.Sequential(nn.Linear(2, 3), nn.LogSoftmax(1))
    sigmoid = nn.Sequential(nn.Linear(2, 1), nn.Sigmoid(), nn.Flatten(0))

    def one(ones):
        return np.stack([1 - ones.ravel(), ones.ravel()], axis=1)

    return {
        "network": (made.animals, made.labels, made.animals.predict_proba),
        "binary network": (made.binary, both, lambda X: one(made.binary.predict(X))),
        "logits": (three, made.t, lambda X: softmax(forward(three, X))),
        "one logit": (line, both, lambda X: one(1 / (1 + np.exp(-forward(line, X))))),
        "softmax": (softmaxed, made.t, lambda X: forward(softmaxed, X)),
        "logarithms": (logs, made.t, lambda X: np.exp(forward(logs, X))),
        "sigmoid": (sigmoid, both, lambda X: one(forward(sigmoid, X))),
        "named": (softmaxed, made.labels, lambda X: forward(softmaxed, X)),
        "estimator": (Sure(), np.array(["a", "b"])[both], Sure().predict_proba),
        "function": (lambda X: X[:, :2] * 3, both, lambda X: softmax(X * 3)),
    }[name]


KINDS = ["network", "binary network", "logits", "one logit", "softmax", "logarithms",
         "sigmoid", "named", "estimator", "function"]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_areas_are_the_probabilities_of_the_model(made, kind):
    model, y, shares = by_hand(made, kind)
    figure = boundary(model, made.X, y, resolution=SIZE)
    expected = shares(grid_of(figure))
    classes = [str(label) for label in np.unique(y)]
    chosen, share = shares_of(figure, classes)
    np.testing.assert_array_equal(chosen, expected.argmax(axis=1))
    np.testing.assert_allclose(share, expected.max(axis=1), rtol=1e-5)
    points = {c.get_label(): c.get_offsets().data for c in figure.axes[0].collections
              if c.get_label() in classes}  # fmt: skip
    for label in np.unique(y):
        np.testing.assert_allclose(points[str(label)], made.X[y == label])


def test_the_line_lies_where_two_classes_are_equally_probable(made):
    figure = boundary(made.binary, made.X, made.t > 0, resolution=60)
    lines = [c for c in figure.axes[0].collections if hasattr(c, "levels")]
    [line] = lines
    places = np.concatenate([path.vertices for path in line.get_paths()])
    assert len(places) > 20
    np.testing.assert_allclose(made.binary.predict(places), 0.5, atol=0.02)


def test_without_probabilities_the_areas_are_whole(made):
    y = np.array(["a", "b"])[(made.X[:, 0] > 0).astype(int)]
    figure = boundary(Nearest(), made.X, y, resolution=SIZE)
    chosen, share = shares_of(figure, ["a", "b"])
    np.testing.assert_array_equal(chosen, (grid_of(figure)[:, 0] > 0.2).astype(int))
    assert (share == 1).all()


@pytest.mark.parametrize("output", [None, 1])
def test_heights_are_the_numbers_of_the_model(made, output):
    model, column = (made.numbers, 0) if output is None else (nn.Linear(2, 3), 1)
    figure = boundary(model, made.X, made.wave, resolution=SIZE, output=output)
    samples = grid_of(figure)
    with aino.no_grad():
        expected = (made.numbers.predict(samples) if output is None
                    else model(aino.tensor(samples.astype(np.float32))).numpy())  # fmt: skip
    heights = figure.axes[0].images[0].get_array()
    np.testing.assert_allclose(heights.ravel(), expected.reshape(len(samples), -1)[:, column],
                               rtol=1e-5)  # fmt: skip
    np.testing.assert_allclose(figure.axes[0].collections[-1].get_array(), made.wave)


def test_other_features_are_held(made):
    X = np.column_stack([made.X, np.arange(60.0), np.full(60, 5.0)])
    asked = []
    model = types.SimpleNamespace(predict=lambda rows: asked.append(rows) or rows[:, 0])
    figure = boundary(model, X, features=(0, 3), held={2: 7.5}, task="numbers", resolution=SIZE)
    assert asked[0].shape == (SIZE * SIZE, 4)
    np.testing.assert_allclose(asked[0][:, [1, 2]], [[np.median(made.X[:, 1]), 7.5]] * SIZE**2)
    assert figure.axes[0].get_ylabel() == "feature 3"
    assert "feature 2 = 7.5" in figure.axes[0].get_title(loc="left")


def test_tables_keep_their_columns(made):
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({"kind": ["x", "y", "y"] * 20, "long": made.X[:, 0],
                              "wide": made.X[:, 1]})  # fmt: skip
    asked = []
    model = types.SimpleNamespace(predict=lambda rows: asked.append(rows) or rows["long"] + 0)
    figure = boundary(model, table, made.wave, features=("long", 2), resolution=SIZE)
    assert list(asked[0].columns) == list(table.columns)
    assert set(asked[0]["kind"]) == {"y"}
    np.testing.assert_allclose(figure.axes[0].images[0].get_array().ravel(), asked[0]["long"])
    assert [figure.axes[0].get_xlabel(), figure.axes[0].get_ylabel()] == ["long", "wide"]


def test_estimators_of_scikit_learn(made):
    pytest.importorskip("sklearn")
    from sklearn.linear_model import LinearRegression, LogisticRegression

    from aino.estimators import AinoClassifier

    lone = AinoClassifier((4,), max_iter=3, random_state=0).fit(made.X, made.labels)
    for model in (LogisticRegression().fit(made.X, made.labels), lone):
        figure = boundary(model, made.X, made.labels, resolution=SIZE)
        expected = model.predict_proba(grid_of(figure).astype(made.X.dtype))
        np.testing.assert_allclose(shares_of(figure, ["cat", "dog", "emu"])[1],
                                   expected.max(axis=1), rtol=1e-5)  # fmt: skip
    heights = aino.plot.loss_surface(lone, "cross_entropy", (made.X, made.labels), resolution=3)
    middle = heights.axes[0].images[0].get_array()[1, 1]
    shares = lone.predict_proba(made.X)[np.arange(60), made.t]
    assert middle == pytest.approx(-np.log(shares).mean(), rel=1e-4)
    numbers = LinearRegression().fit(made.X, made.t)
    figure = boundary(numbers, made.X, made.t, resolution=SIZE)
    np.testing.assert_allclose(figure.axes[0].images[0].get_array().ravel(),
                               numbers.predict(grid_of(figure)), rtol=1e-5)  # fmt: skip


def test_a_confusion_matrix_counts(made):
    said = made.animals.predict(made.X)
    names = ["cat", "dog", "emu"]
    counts = [[int(((made.labels == a) & (said == b)).sum()) for b in names] for a in names]
    axes = confusion(made.animals, made.X, made.labels).axes[0]
    assert [t.get_text() for t in axes.texts] == [str(n) for row in counts for n in row]
    shares = np.array(counts) / np.sum(counts, axis=1, keepdims=True)
    np.testing.assert_allclose(axes.images[0].get_array(), shares)
    assert [t.get_text() for t in axes.get_yticklabels()] == names
    axes = confusion(made.animals, made.X, made.labels, normalize="all").axes[0]
    assert [t.get_text() for t in axes.texts] == [f"{n / 60:.2f}" for row in counts for n in row]


def test_a_confusion_matrix_knows_classes_that_are_never_said():
    axes = confusion(lambda X: np.eye(3)[[0, 0, 1]], np.zeros((3, 1)), [0, 1, 1]).axes[0]
    assert [t.get_text() for t in axes.texts] == ["1", "0", "0", "1", "1", "0", "0", "0", "0"]


def flat_model(value):
    return lambda X: np.full((len(X), 1), value)


def unknown(count, where=True):
    """Return a function that gives NaN for some samples."""
    return lambda X: np.where(where, np.nan, np.eye(count)[np.zeros(len(X), int)] * 9 - 1)


MISTAKES = {
    "one feature": (lambda m: boundary(m.small, m.X[:, :1], m.t), ShapeError, "needs two"),
    "three features": (lambda m: boundary(m.small, np.zeros((4, 3)), np.zeros(4)), ValueError,
                       r"3 features: choose the two .* features=\(0, 1\)"),
    "no such feature": (lambda m: boundary(m.small, m.X, m.t, features=(0, 5)), ValueError,
                        "no feature 5"),
    "twice": (lambda m: boundary(m.small, m.X, m.t, features=(1, -1)), ValueError, "two different"),
    "held and drawn": (lambda m: boundary(m.small, m.X, m.t, held={0: 1}), ValueError, "held"),
    "lengths": (lambda m: boundary(m.small, m.X, m.t[:5]), ShapeError, "60 samples and y 5"),
    "unclear": (lambda m: boundary(flat_model(0.4), m.X, m.t > 0), ValueError,
                "outputs='logits' .* or 'probabilities'"),
    "no probabilities": (lambda m: boundary(flat_model(3), m.X, m.t > 0, outputs="probabilities"),
                         ValueError, "are no probabilities"),
    "several numbers": (lambda m: boundary(nn.Linear(2, 3), m.X, m.wave), ValueError,
                        "3 numbers for a sample: choose one"),
    "too few outputs": (lambda m: boundary(nn.Linear(2, 2), m.X, m.t), ShapeError,
                        "3 classes, and the model gives 2"),
    "which is which": (lambda m: boundary(nn.Linear(2, 4), m.X, m.t + 4 * (m.t > 0)), ValueError,
                       "which is which"),
    "nothing says": (lambda m: boundary(m.small, m.X), ValueError, "task='classes' or 'numbers'"),
    "a class": (lambda m: boundary(nn.Linear, m.X, m.t), TypeError, "not the class"),
    "no model": (lambda m: boundary(3, m.X, m.t), TypeError, "not a int"),
    "classes in space": (lambda m: boundary(m.animals, m.X, m.labels, surface=True), ValueError,
                         "no heights"),
    "resolution": (lambda m: boundary(m.small, m.X, m.t, resolution=1), ValueError, "2 or more"),
    "task": (lambda m: boundary(m.small, m.X, m.t, task="both"), ValueError, "not 'both'"),
    "one sample": (lambda m: boundary(lambda X: np.zeros(1), m.X, m.wave), ShapeError,
                   "an output for each"),
    "confusion of lengths": (lambda m: confusion(m.animals, m.X, m.labels[:3]), ShapeError,
                             "60 samples and y 3"),
    "confusion of nothing": (lambda m: confusion(m.animals, m.X[:0], m.labels[:0]), ShapeError,
                             "no samples"),
    "NaN is no class": (lambda m: confusion(unknown(2), m.X, m.t > 0), ValueError,
                        "NaN for 60 of 60 samples"),
    "NaN of several": (lambda m: confusion(unknown(3, m.X[:, :1] > 1), m.X, m.t), ValueError,
                       r"NaN for \d+ of 60 samples"),
    "NaN is no logit": (lambda m: confusion(unknown(1), m.X, m.t > 0), ValueError, "NaN for 60"),
    "NaN everywhere": (lambda m: boundary(unknown(2), m.X, m.t > 0), ValueError, "find_nan"),
    "normalize": (lambda m: confusion(m.animals, m.X, m.labels, normalize="rows"), ValueError,
                  "not 'rows'"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_what_is_wrong_is_said_in_the_users_terms(made, name):
    call, kind, message = MISTAKES[name]
    with pytest.raises(kind, match=message):
        call(made)
