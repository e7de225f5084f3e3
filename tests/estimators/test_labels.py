"""Labels of any kind, in any container, for sizes that were given or come from the data."""

import numpy as np
import pytest

import aino

rng = np.random.default_rng(0)
CENTERS = np.array([[4.0, 0, 0, 1], [0, 4, 0, 2], [0, 0, 4, 3]])
INDICES = np.arange(60) % 3
X = CENTERS[INDICES] + rng.normal(size=(60, 4))
TWO = INDICES > 0


def labels(kind, indices):
    return {
        "text": np.array(["cat", "dog", "eel"])[indices],
        "objects": np.array(["cat", "dog", "eel"], object)[indices],
        "from 1": indices + 1,
        "apart": np.array([-7, 3, 40], np.int16)[indices],
        "indices": indices,
    }[kind]


def frame(values, dtype=None):
    return pytest.importorskip("pandas").Series(values, dtype=dtype, name="y")


CONTAINERS = {
    "array": lambda y: y,
    "list": lambda y: y.tolist(),
    "column": lambda y: y[:, None],
    "series": frame,
    "categories": lambda y: frame(y, "category"),
    "frame": lambda y: frame(y).to_frame(),
}
SIZES = {"given": [4, 8, 3], "from data": None}


def network(sizes, **options):
    hidden = {"hidden": [8]} if sizes is None else {}
    return aino.NeuralNetwork(sizes, seed=0, **hidden, **options)


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("kind", ["text", "objects", "from 1", "apart", "indices"])
def test_several_classes(kind, container, sizes, tmp_path):
    y = labels(kind, INDICES)
    model = network(SIZES[sizes]).fit(X, CONTAINERS[container](y), epochs=25, verbose=False)
    answer = model.predict(X)
    assert answer.shape == (60,)
    assert set(answer.tolist()) == set(y.tolist())
    assert (answer == y).mean() > 0.9
    assert model.score(X, CONTAINERS[container](y)) == (answer == y).mean()
    shares = model.predict_proba(X)
    assert shares.shape == (60, 3)
    np.testing.assert_array_equal(model.classes_[shares.argmax(1)], answer)
    assert model.outputs(X).shape == model.decision_function(X).shape == (60, 3)
    if container == "array":
        model.save(tmp_path / "m.dit")
        again = aino.load(tmp_path / "m.dit")
        np.testing.assert_array_equal(again.predict(X), answer)
        assert again.predict(X).dtype == answer.dtype
        assert again.classes_.tolist() == sorted(set(y.tolist()))


#: Kinds of two labels, and the two.
PAIRS = {
    "text": ["no", "yes"], "signs": [-1, 1], "float signs": [-1.0, 1.0], "from 1": [1, 2],
    "booleans": [False, True], "nullable": [False, True], "numbers": [0, 1], "floats": [0.0, 1.0],
}  # fmt: skip


@pytest.mark.parametrize("sizes", ["given", "from data", "two outputs"])
@pytest.mark.parametrize("kind", PAIRS)
def test_two_classes(kind, sizes):
    two = np.array(PAIRS[kind], object if kind == "text" else None)
    y = two[TWO.astype(int)]
    given = frame(y, "boolean") if kind == "nullable" else y
    shape = {"given": [4, 8, 1], "two outputs": [4, 8, 2], "from data": None}[sizes]
    model = network(shape).fit(X, given, epochs=40, verbose=False)
    outputs = model.outputs(X)
    assert outputs.shape == (60, 2 if sizes == "two outputs" else 1)
    assert model.score(X, given) > 0.9
    answer = model.predict(X)
    if kind in ("numbers", "floats") and sizes == "given":
        np.testing.assert_array_equal(answer, outputs[:, 0])  # probabilities, as they are
        np.testing.assert_array_equal(model.predict_proba(X), outputs[:, 0])
    else:
        assert set(answer.tolist()) == set(PAIRS[kind])
        assert (answer == y).mean() > 0.9
        shares = model.predict_proba(X)
        assert shares.shape == (60, 2)
        np.testing.assert_allclose(shares.sum(1), 1.0, rtol=1e-5)
        np.testing.assert_array_equal(model.classes_[(shares[:, 1] > 0.5).astype(int)], answer)
    if sizes != "two outputs":
        scores = model.decision_function(X)
        np.testing.assert_array_equal(scores > 0, outputs[:, 0] > 0.5)


@pytest.mark.parametrize("sizes", [[4, 8, 3], None])
@pytest.mark.parametrize("dtype", [int, bool, np.float32])
@pytest.mark.parametrize("form", ["one-hot", "several"])
def test_rows_of_zeros_and_ones(form, dtype, sizes):
    y = np.eye(3)[INDICES] if form == "one-hot" else np.c_[TWO, ~TWO, TWO]
    y = y.astype(dtype)
    model = network(sizes).fit(X, y, epochs=30, verbose=False)
    assert model.layers[-1].activation == ("softmax" if form == "one-hot" else "sigmoid")
    answer = model.predict(X)
    assert answer.dtype == dtype
    assert (answer == y).all(1).mean() > 0.9
    assert model.predict_proba(X).shape == (60, 3)


def test_numbers_stay_numbers():
    y = X @ np.array([1.0, -2.0, 0.5, 3.0])
    for given in (y, y.round(), np.column_stack([y, -y])):
        model = network(None).fit(X, given, epochs=30, verbose=False)
        assert model.kind == "numbers"
        assert model.predict(X).shape == given.shape
        assert model.score(X, given) > 0.8
    whole = np.arange(60)  # so many whole numbers may be either
    with pytest.raises(ValueError, match=r"60 different whole numbers.*astype\(float\)"):
        network(None).fit(X, whole, verbose=False)
    assert network(None).fit(X, whole, epochs=1, loss="mse", verbose=False).kind == "numbers"
    assert network([4, 8, 1]).fit(X, whole, epochs=1, verbose=False).kind == "numbers"
    assert network([4, 8, 1]).fit(X, 2.0 * TWO - 1, loss="mse", epochs=1,
                                  verbose=False).kind == "numbers"  # fmt: skip


WRONG = [
    ([4, 8, 2], labels("text", INDICES), ValueError, "3 classes .*2 outputs"),
    ([4, 8, 1], labels("text", INDICES), ValueError, "give it 3 outputs"),
    (None, np.full(60, "cat"), ValueError, "single class, 'cat'"),
    (None, np.r_[["cat"] * 59, [None]], TypeError, r"y\[59\] is None"),
    (None, [*["cat"] * 59, 3], TypeError, r"y\[0\] is 'cat' among numbers"),
    (None, np.array(["2020-01-01"] * 60, "datetime64[D]"), TypeError, "datetime64"),
    (None, np.array([["a", "b"]] * 60), TypeError, "2 columns of text"),
    (None, np.array([b"a", b"b"] * 30), TypeError, "astype"),
]


@pytest.mark.parametrize(("sizes", "y", "error", "message"), WRONG)
def test_labels_that_do_not_fit(sizes, y, error, message):
    model = network(sizes)
    with pytest.raises(error, match=message):
        model.fit(X, y, verbose=False)
    assert model.kind is None
    assert sizes is not None or model.sizes is None


def test_labels_are_those_that_were_learned():
    y = labels("text", INDICES)
    model = network(None).fit(X, y, epochs=2, verbose=False)
    with pytest.raises(ValueError, match=r"y\[0\] is 'yak', which is none of the classes"):
        model.score(X, ["yak"] * 60)
    with pytest.raises(ValueError, match="'yak'"):
        model.fit(X, ["yak"] * 60, verbose=False)
    model.fit(X[:10], y[:10], epochs=2, verbose=False)  # fewer classes than before
    assert len(model.history["loss"]) == 4
    model.fit(X, TWO, epochs=2, verbose=False, warm_start=False)
    assert model.sizes == [4, 8, 1]
    assert len(model.history["loss"]) == 2


# Tables and sparse matrices


def test_tables_of_all_types_of_columns():
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({
        "object": X[:, 0].astype(object), "nullable": pandas.array(X[:, 1], "Float64"),
        "whole": pandas.array(INDICES, "Int64"), "yes": pandas.array(TWO, "boolean"),
        "kinds": pandas.Categorical(INDICES * 10), "float32": X[:, 3].astype(np.float32),
    })  # fmt: skip
    y = frame(labels("text", INDICES))
    model = aino.NeuralNetwork(hidden=[6], seed=0).fit(table, y, epochs=25, verbose=False)
    assert model.feature_names == list(table.columns)
    assert model.score(table, y) > 0.9
    np.testing.assert_array_equal(model.predict(table), model.predict(table.astype(float).values))
    with pytest.raises(ValueError, match="another order"):
        model.predict(table[table.columns[::-1]])
    with pytest.raises(ValueError, match=r"without \['yes'\]:"):
        model.predict(table.drop(columns="yes"))
    with pytest.raises(ValueError, match=r"without \['yes'\] and with \['no'\]"):
        model.predict(table.rename(columns={"yes": "no"}))
    for column, value, error, message in (
        ("nullable", pandas.NA, ValueError, r"X\['nullable'\]\[3\] is missing"),
        ("object", "a", TypeError, r"X\['object'\].* is 'a'"),
        ("yes", pandas.NA, ValueError, r"X\['yes'\]\[3\] is missing"),
    ):
        wrong = table.copy()
        wrong.loc[3, column] = value
        with pytest.raises(error, match=message):
            model.predict(wrong)
    with pytest.raises(TypeError, match=r"X\['kinds'\].*get_dummies"):
        model.predict(table.assign(kinds=pandas.Categorical(labels("text", INDICES))))


@pytest.mark.parametrize("form", ["csr_matrix", "csc_array", "coo_matrix"])
def test_sparse_matrices_are_what_they_hold(form):
    sparse = pytest.importorskip("scipy.sparse")
    dense = np.where(rng.random((60, 5)) < 0.4, rng.normal(size=(60, 5)), 0.0)
    dense[:, 4] = 3.0
    y = dense[:, 0] + dense[:, 1]
    given = getattr(sparse, form)(dense)
    models = [
        aino.NeuralNetwork(hidden=[6], seed=0).fit(
            each, y, epochs=5, batch_size=25, seed=1, verbose=False
        )
        for each in (given, dense)
    ]
    np.testing.assert_allclose(
        models[0].input_scaling.scale.array, models[1].input_scaling.scale.array, rtol=1e-12
    )
    np.testing.assert_allclose(models[0].predict(given), models[1].predict(dense), rtol=1e-4)
    assert models[0].score(given, y) == pytest.approx(models[1].score(dense, y), abs=1e-4)
    given = given.tocsr()
    given.data[2] = np.nan
    with pytest.raises(ValueError, match=r"X\[\d+, \d+\] is nan"):
        models[0].predict(given)
