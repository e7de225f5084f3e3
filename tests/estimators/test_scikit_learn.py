"""scikit-learn's estimators: its own checks, its tools around them, and what they refuse."""

import copy
import pickle
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("sklearn", minversion="1.6")

import joblib
import sklearn
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_diabetes, load_iris, make_regression
from sklearn.ensemble import (
    BaggingClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    KFold,
    RandomizedSearchCV,
    cross_val_score,
    cross_validate,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import aino
from aino import nn
from aino.errors import DitError
from aino.estimators import AinoClassifier, AinoRegressor, templates


def double(inputs, outputs):
    """scikit-learn's checks compare in the precision of their data."""
    return nn.Sequential(
        nn.Linear(inputs, 8, dtype="float64"), nn.Tanh(), nn.Linear(8, outputs, dtype="float64")
    )


class Double(nn.Sequential):
    """The same as a class, whose name holds no address: processes agree on the tests' names."""

    def __init__(self, inputs, outputs):
        super().__init__(*double(inputs, outputs))


#: Few epochs and small layers, so that the checks' hundreds of fits stay cheap.
OPTIONS = {"solver": "adam", "learning_rate_init": 0.05, "max_iter": 15}


@parametrize_with_checks(
    [
        AinoClassifier((8,), max_iter=25),
        AinoClassifier(module=Double, **OPTIONS),
        AinoRegressor((8,), max_iter=25),
    ]
)
def test_scikit_learns_checks(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def iris():
    X, y = load_iris(return_X_y=True)
    order = np.random.default_rng(0).permutation(150)
    return X[order], np.array(["setosa", "versicolor", "virginica"])[y[order]]


@pytest.fixture(scope="module")
def numbers():
    return make_regression(120, 4, noise=1.0, random_state=0)


def small(**options):
    return AinoClassifier((8,), **{"max_iter": 40, "random_state": 0, **options})


#: What wraps a classifier, and what of the whole is asked for.
AROUND = {
    "pipeline": lambda: make_pipeline(StandardScaler(), small()),
    "grid search": lambda: GridSearchCV(small(), {"hidden_layer_sizes": [(4,), (8, 4)]}, cv=2),
    "random search": lambda: RandomizedSearchCV(
        small(), {"learning_rate_init": [0.05, 0.1]}, n_iter=2, cv=2, random_state=0
    ),
    "halving search": lambda: HalvingGridSearchCV(
        small(), {"hidden_layer_sizes": [(4,), (8,)]}, cv=2, random_state=0
    ),
    "calibration": lambda: CalibratedClassifierCV(small(), cv=2),
    "voting": lambda: VotingClassifier(
        [("a", small()), ("b", LogisticRegression())], voting="soft"
    ),
    "stacking": lambda: StackingClassifier([("a", small())], cv=2),
    "bagging": lambda: BaggingClassifier(small(), n_estimators=2, random_state=0),
    "threads": lambda: BaggingClassifier(small(), n_estimators=3, random_state=0),
    "columns": lambda: make_pipeline(
        ColumnTransformer([("scaled", StandardScaler(), [0, 1]), ("rest", "passthrough", [2, 3])]),
        small(),
    ),
}


@pytest.mark.parametrize("name", [name for name in AROUND if name != "threads"])
def test_in_the_tools_of_scikit_learn(name, iris):
    X, y = iris
    model = AROUND[name]().fit(X[:100], y[:100])
    assert model.score(X[100:], y[100:]) > 0.85
    assert set(model.predict(X)) == {"setosa", "versicolor", "virginica"}


def test_threads_learn_what_one_thread_learns(iris):
    X, y = iris
    one = AROUND["threads"]().fit(X, y)
    with joblib.parallel_config("threading", n_jobs=2):
        two = AROUND["threads"]().set_params(n_jobs=2).fit(X, y).set_params(n_jobs=1)
    assert np.array_equal(one.predict_proba(X), two.predict_proba(X))


def test_cross_validation_and_importance(iris):
    X, y = iris
    assert cross_val_score(small(), X, y, cv=3).mean() > 0.9
    noisy = np.column_stack([X, np.random.default_rng(0).normal(size=len(X))])
    model = small().fit(noisy, y)
    found = permutation_importance(model, noisy, y, n_repeats=2, random_state=0).importances_mean
    assert found[2:4].max() > found[4] + 0.05


@pytest.mark.parametrize("make", [AinoClassifier, AinoRegressor])
def test_a_state_of_randomness_gives_the_same_model(make, iris):
    X, _ = iris
    y = (X[:, 0] > 5.8).astype(float)
    first = make((8,), max_iter=3, dropout=0.2, random_state=3).fit(X, y)
    again = clone(first).fit(X, y)
    other = clone(first).set_params(random_state=4).fit(X, y)
    answers = [getattr(m, "decision_function", m.predict)(X) for m in (first, again, other)]
    assert np.array_equal(answers[0], answers[1])
    assert not np.allclose(answers[0], answers[2])


def test_weights_are_those_of_repeated_samples(iris):
    X, y = iris
    X, y = X[:30], y[:30]
    weights = np.arange(30) % 3
    model = small(max_iter=5).fit(X, y, sample_weight=weights)
    repeated = small(max_iter=5).fit(X.repeat(weights, axis=0), y.repeat(weights))
    assert np.allclose(model.predict_proba(X), repeated.predict_proba(X), rtol=1e-9)


def test_early_stopping_keeps_the_best_weights(iris):
    X, y = iris
    model = small(
        max_iter=300, early_stopping=True, validation_fraction=0.3, n_iter_no_change=4
    ).fit(X, y)
    assert model.n_iter_ < 300
    assert len(model.loss_curve_) == len(model.validation_scores_) == model.n_iter_
    assert model.score(X, y) > 0.9


def test_a_fit_that_goes_on(iris, numbers):
    X, y = iris
    model = small(warm_start=True, max_iter=5).fit(X, y)
    begun = model.loss_curve_[-1]
    assert model.fit(X, y).loss_curve_[-1] < begun
    assert len(model.loss_curve_) == 10
    parts = small(learning_rate_init=0.05)
    for epoch in range(30):
        parts.partial_fit(X[:50], y[:50], classes=["setosa", "versicolor", "virginica"])
    assert parts.score(X, y) > 0.9
    with pytest.raises(ValueError, match="rose"):
        parts.partial_fit(X[:2], ["rose", "setosa"])
    with pytest.raises(ValueError, match="features"):
        parts.partial_fit(X[:, :2], y)


def test_a_module_of_the_users_own(iris):
    X, y = iris
    options = {"solver": "adam", "learning_rate_init": 0.02, "max_iter": 30, "random_state": 0}
    for module in (double, nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))):
        model = AinoClassifier(module=module, **options).fit(X, y)
        assert model.score(X, y) > 0.9
    given = module[0].weight.detach().numpy().copy()
    AinoClassifier(module=module, **options).fit(X, y)
    assert np.array_equal(given, module[0].weight.detach().numpy())
    with pytest.raises(ValueError, match=r"\(8, 2\).*\(8, 3\)"):
        AinoClassifier(module=nn.Linear(4, 2)).fit(X, y)
    with pytest.raises(TypeError, match="3 arguments"):
        AinoClassifier(module=lambda a, b, c: nn.Linear(a, b)).fit(X, y)


def test_several_labels_and_several_numbers(iris, numbers):
    X, y = iris
    labels = np.stack([y == "setosa", y != "virginica"], axis=1).astype(int)
    model = small().fit(X, labels)
    assert (model.predict(X) == labels).mean() > 0.9
    assert model.predict_proba(X).shape == (150, 2)
    X, y = numbers
    both = AinoRegressor(max_iter=50, random_state=0).fit(X, np.stack([y, -y], axis=1))
    assert both.predict(X).shape == (120, 2)
    assert both.score(X, np.stack([y, -y], axis=1)) > 0.9
    assert AinoRegressor(max_iter=2).fit(X, y[:, None]).predict(X).shape == (120, 1)


def test_copies_answer_alike(iris):
    X, y = iris
    model = small(max_iter=3).fit(X, y)
    expected = model.predict_proba(X)
    assert np.array_equal(pickle.loads(pickle.dumps(model)).predict_proba(X), expected)
    assert np.array_equal(copy.deepcopy(model).predict_proba(X), expected)
    assert np.array_equal(model.module_.predict(X), model.predict(X))
    skops = pytest.importorskip("skops.io")
    stored = skops.dumps(model)
    trusted = skops.get_untrusted_types(data=stored)
    assert np.array_equal(skops.loads(stored, trusted=trusted).predict_proba(X), expected)


@pytest.mark.parametrize("kind", ["classes", "two classes", "labels", "numbers", "module"])
def test_a_file_brings_an_estimator_back(kind, iris, tmp_path):
    X, y = iris
    y = {
        "two classes": y == "setosa", "numbers": X[:, 0],
        "labels": np.stack([y == "setosa", y != "virginica"], axis=1),
    }.get(kind, y)  # fmt: skip
    make = AinoRegressor if kind == "numbers" else AinoClassifier
    options = {"module": double} if kind == "module" else {"hidden_layer_sizes": (8,)}
    model = make(max_iter=3, random_state=0, solver="adam", **options).fit(X, y)
    model.save(tmp_path / "model.dit")
    again = aino.load(tmp_path / "model.dit")
    assert type(again) is make
    assert np.array_equal(again.predict(X), model.predict(X))
    assert again.predict(X).dtype == model.predict(X).dtype
    assert again.history_ == model.history_
    if kind == "module":
        with pytest.raises(ValueError, match=r"double.*set_params\(module=...\)"):
            again.fit(X, y)
        again.set_params(module=double)
    model.partial_fit(X, y)
    again.partial_fit(X, y)
    assert np.array_equal(again.predict(X), model.predict(X))
    with pytest.raises(DitError, match=r"holds a Aino(Regressor|Classifier)"):
        ({AinoClassifier: AinoRegressor}.get(make, AinoClassifier)).load(tmp_path / "model.dit")


def test_an_optimizer_is_made_for_each_fit(iris):
    optimizer = aino.optim.Adam(nn.Linear(2, 2).parameters())
    with pytest.raises(TypeError, match=r"Adam.*another module"):
        small(solver=optimizer).fit(*iris)


def test_nothing_changes_where_data_are_wrong(iris):
    X, y = iris
    model = small(max_iter=3).fit(X, y)
    before = model.predict_proba(X)
    with pytest.raises(ValueError, match="one class"):
        model.fit(X, ["a"] * 150)
    assert np.array_equal(model.predict_proba(X), before)
    assert model.classes_.tolist() == ["setosa", "versicolor", "virginica"]


def test_fits_that_share_a_step_are_those_of_their_own(iris):
    X, y = iris
    templates.forget()
    alone = [small(random_state=seed).fit(X, y).predict_proba(X) for seed in (0, 1)]
    again = [small(random_state=seed).fit(X, y).predict_proba(X) for seed in (1, 0)]
    assert np.allclose(alone[0], again[1], rtol=1e-9)
    assert np.allclose(alone[1], again[0], rtol=1e-9)


@pytest.mark.parametrize("solver", ["auto", "adamw", "sgd"])
def test_no_fit_leaves_its_settings_to_the_next_one(iris, solver):
    X, y = iris

    def learned(decay, rate):
        model = small(solver=solver, weight_decay=decay, learning_rate_init=rate, random_state=0)
        return model.fit(X, y).predict_proba(X)

    settings = [(None, None), (0.0, None), (0.3, None), (0.1, 0.01), (None, 0.01)]
    alone = []
    for setting in settings:
        templates.forget()
        alone.append(learned(*setting))
    for turn in (settings, settings[::-1]):
        templates.forget()
        for setting in turn:
            found = learned(*setting)
            assert np.array_equal(found, alone[settings.index(setting)]), setting


def test_losses_are_in_the_unit_of_the_targets(iris):
    X, _ = iris
    X, y = X[:, :3], 1000 * X[:, 3]
    model = AinoRegressor((8,), max_iter=30, random_state=0, early_stopping=True).fit(X, y)
    errors = (model.predict(X) - y) ** 2
    assert 0.2 * errors.mean() < min(model.history_["val_loss"]) < 5 * errors.mean()
    assert np.allclose(model.module_.predict(X), model.predict(X))


def test_defaults_do_not_learn_noise_by_heart():
    X, y = load_diabetes(return_X_y=True)
    shuffled = KFold(3, shuffle=True, random_state=0)
    assert cross_val_score(AinoRegressor(random_state=0), X, y, cv=shuffled).mean() > 0.35
    worse = AinoRegressor(random_state=0, weight_decay=0.0)
    assert cross_val_score(worse, X, y, cv=shuffled).mean() < 0.3


def test_metadata_are_routed(iris):
    X, y = iris
    with sklearn.config_context(enable_metadata_routing=True):
        weighed = small(max_iter=3).set_fit_request(sample_weight=True)
        weighed = weighed.set_score_request(sample_weight=True)
        scores = cross_validate(weighed, X, y, params={"sample_weight": np.ones(150)}, cv=2)
    assert len(scores["test_score"]) == 2


def test_a_forged_file_is_refused(tmp_path):
    for content in (
        {"aino.estimator": "Other", "parameters": {}, "learned": {}},
        {"aino.estimator": "AinoClassifier", "parameters": {"no": 1}, "learned": {}},
        {"aino.estimator": "AinoClassifier", "parameters": {}, "learned": {"predict": 1}},
        {"aino.estimator": "AinoClassifier"},
    ):
        aino.save(content, tmp_path / "forged.dit")
        with pytest.raises(DitError, match="describe"):
            aino.load(tmp_path / "forged.dit")


def test_names_of_columns():
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame(
        {"size": [1.0, 2.0, 3.0, 4.0] * 5, "color": ["red", "blue", "blue", "red"] * 5}
    )
    y = ["small", "small", "large", "large"] * 5
    model = make_pipeline(
        ColumnTransformer(
            [("number", "passthrough", ["size"]), ("text", OneHotEncoder(), ["color"])]
        ),
        small(max_iter=50),
    ).set_output(transform="default").fit(table, y)  # fmt: skip
    assert model.score(table, y) == 1.0
    alone = small(max_iter=2).fit(table[["size"]], y)
    assert alone.feature_names_in_.tolist() == ["size"]
    assert alone.n_features_in_ == 1
    with pytest.raises(ValueError, match="feature names"):
        alone.predict(table[["size"]].rename(columns={"size": "weight"}))


REFUSED = {
    "numbers for classes": (lambda X, y: small().fit(X, X[:, 0]), "continuous"),
    "one class": (lambda X, y: small().fit(X[:9], ["a"] * 9), "one class"),
    "several columns of classes": (
        lambda X, y: small().fit(X[:4], [[0, 2], [1, 1], [2, 0], [0, 1]]), "MultiOutputClassifier"),
    "weights of nothing": (
        lambda X, y: small().fit(X, y, sample_weight=np.zeros(150)), "(?i)sample.weight"),
    "negative weights": (
        lambda X, y: small().fit(X, y, sample_weight=-np.ones(150)), "sample_weight"),
    "no epochs": (lambda X, y: small(max_iter=0).fit(X, y), "max_iter"),
    "an unknown solver": (lambda X, y: small(solver="adm").fit(X, y), "adam"),
    "an unknown activation": (lambda X, y: small(activation="tanhh").fit(X, y), "tanh"),
    "frozen modules": (
        lambda X, y: small(module=nn.Linear(4, 3).requires_grad_(False)).fit(X, y), "frozen"),
    "probabilities for scores": (
        lambda X, y: small(module=nn.Sequential(nn.Linear(4, 3), nn.Softmax(-1))).fit(X, y),
        "softmax out"),
    "weights of a loss of one's own": (
        lambda X, y: small(loss=lambda a, b: a.sum()).fit(X, y, np.ones(150)), "knows no weights"),
    "other layers on the way": (
        lambda X, y: small(warm_start=True).fit(X, y).set_params(hidden_layer_sizes=(3,)).fit(X, y),
        "begins anew"),
    "unknown classes later": (
        lambda X, y: small().fit(X, y).partial_fit(X[:1], ["rose"]), "rose"),
    "other classes later": (
        lambda X, y: small().fit(X, y).partial_fit(X, y, classes=["rose"]), "first call"),
    "a single pass that stops early": (
        lambda X, y: small(early_stopping=True).partial_fit(X, y), "early_stopping=False"),
    "a share of nothing": (
        lambda X, y: small(validation_fraction=0).fit(X, y), "validation_fraction"),
    "a negative decay": (lambda X, y: small(weight_decay=-1.0).fit(X, y), "weight_decay"),
    "an unknown loss": (lambda X, y: AinoRegressor(loss="mze").fit(X, X[:, 0]), "mse"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name, iris):
    call, words = REFUSED[name]
    with pytest.raises(ValueError, match=words):
        call(*iris)


def test_without_scikit_learn_networks_learn_and_the_error_names_the_extra():
    program = """
import sys
sys.modules["sklearn"] = None
import aino
from aino.estimators import NeuralNetwork
NeuralNetwork([1, 1]).fit([[0.0], [1.0]], [0.5, 1.5], epochs=1, verbose=False)
try:
    aino.estimators.AinoClassifier
except ImportError as error:
    print(error)
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "pip install 'aino[sklearn]'" in run.stdout, run.stderr


def test_what_asks_for_a_module_says_where_an_estimator_has_one():
    X, y = load_iris(return_X_y=True)
    model = AinoClassifier(max_iter=2)
    x = X[:4].astype(np.float32)
    looks = [
        lambda: aino.summary(model, x),
        lambda: aino.debug.check_gradients(model, x),
        lambda: aino.debug.overfit_one_batch(model, "mse", (x, x)),
    ]
    for look in looks:
        with pytest.raises(TypeError, match=r"AinoClassifier$"):
            look()
    model.fit(X, y)
    for look in looks:
        with pytest.raises(TypeError, match=r"AinoClassifier; it has one, \.module_"):
            look()
    assert aino.summary(model.module_).total_parameters > 0
