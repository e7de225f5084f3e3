"""What metrics take and refuse, how they are named, and that nothing is left behind."""

import copy
import math
import pickle

import numpy as np
import pytest

import aino
from aino import nn
from aino.errors import DtypeError, ShapeError
from aino.nn import functional as F
from aino.train import metrics as m
from aino.train.metrics import METRICS, Metric, as_metric, as_metrics
from aino.train.metrics.curves import Curve

SCORES = [[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.2, 0.5, 0.3], [0.1, 0.1, 0.8]]
CLASSES = [0, 1, 2, 2]

#: Every class of metrics, and outputs and targets that it takes.
KINDS = {
    **dict.fromkeys(
        ["Accuracy", "TopKAccuracy", "BalancedAccuracy", "MatthewsCorrelation", "CohenKappa",
         "ConfusionMatrix", "ROCAUC", "AveragePrecision", "LogLoss", "BrierScore",
         "CalibrationError"],
        (SCORES, CLASSES),
    ),
    **dict.fromkeys(["Precision", "Recall", "F1", "FBeta"], ([0.9, 0.2, 0.6, 0.4], [1, 0, 0, 1])),
    **dict.fromkeys(
        ["R2", "ExplainedVariance", "MeanAbsoluteError", "MeanSquaredError",
         "RootMeanSquaredError", "MeanAbsolutePercentageError", "MaxError", "MeanOf"],
        ([1.0, 2.0, 4.0, 3.0], [1.5, 2.0, 3.0, 5.0]),
    ),
}  # fmt: skip
SETTINGS = {"FBeta": {"beta": 2.0}, "MeanOf": {"function": lambda said, right: abs(said - right)}}


def made(name):
    return getattr(m, name)(**SETTINGS.get(name, {}))


def test_every_metric_is_among_the_kinds():
    classes = {
        name for name in dir(m)
        if isinstance(getattr(m, name), type) and issubclass(getattr(m, name), Metric)
    } - {"Metric"}  # fmt: skip
    assert classes == set(KINDS)
    for name in classes - {"MeanOf"}:
        assert callable(getattr(m, getattr(m, name).default_name))


@pytest.mark.parametrize("name", KINDS)
def test_nothing_seen_is_nan_and_reset_forgets(name):
    metric = made(name)
    outputs, targets = (np.array(values) for values in KINDS[name])
    before = metric.compute()
    assert np.size(before) == 0 or np.isnan(before).all()
    metric.update(outputs, targets)
    first = metric.compute()
    metric.update(outputs[:0], targets[:0])
    np.testing.assert_array_equal(metric.compute(), first)
    metric.reset()
    after = metric.compute()
    assert np.size(after) == 0 or np.isnan(after).all()
    metric.update(outputs, targets)
    np.testing.assert_array_equal(metric.compute(), first)


@pytest.mark.parametrize("name", KINDS)
def test_a_refused_batch_leaves_the_metric_as_it_was(name):
    metric = made(name)
    outputs, targets = (np.array(values) for values in KINDS[name])
    metric.update(outputs, targets)
    before = pickle.dumps(metric.state)
    wrong = outputs.astype(float)
    wrong[2] = np.nan
    with pytest.raises(ValueError, match=r"outputs\[2.*nan"):
        metric.update(wrong, targets) if name != "MeanOf" else m.accuracy(wrong, targets)
    for weight in ([1.0, 2.0], [1.0, 2.0, -1.0, 1.0], [[1.0] * 2] * 4, ["a"] * 4):
        with pytest.raises((ValueError, TypeError), match="weight"):
            metric.update(outputs, targets, weight)
    if name != "MeanOf":
        with pytest.raises(ShapeError, match=r"4 outputs.* 3 targets"):
            metric.update(outputs, targets[:3])
        with pytest.raises(ShapeError):
            metric.update(outputs[0].sum(), targets[0])
    assert pickle.dumps(metric.state) == before


@pytest.mark.parametrize("name", [name for name in KINDS if name != "MeanOf"])
def test_tensors_lists_and_copies(name):
    outputs, targets = KINDS[name]
    expected = made(name)
    expected.update(outputs, targets)
    for convert in (np.array, aino.tensor):
        metric = made(name)
        metric.update(convert(outputs), convert(targets))
        np.testing.assert_allclose(metric.compute(), expected.compute(), rtol=1e-6)
    inputs = aino.tensor(outputs, requires_grad=True)
    metric = made(name)
    metric.update(inputs * 1.0, targets)
    assert isinstance(metric.compute(), (float, np.ndarray))
    for twin in (copy.deepcopy(metric), pickle.loads(pickle.dumps(metric))):
        np.testing.assert_array_equal(twin.compute(), metric.compute())
        twin.merge(metric)
    with pytest.raises(TypeError, match="its own kind"):
        metric.merge(m.Accuracy() if name != "Accuracy" else m.R2())
    with pytest.raises(ValueError, match="the state of"):
        metric.load_state_dict({})


def test_memory_does_not_grow_but_for_curves():
    def size(metric):
        return len(pickle.dumps(metric.state))

    for name, (outputs, targets) in KINDS.items():
        metric = made(name)
        metric.update(np.array(outputs), np.array(targets))
        once = size(metric)
        for _ in range(50):
            metric.update(np.array(outputs), np.array(targets))
        assert isinstance(metric, Curve) or size(metric) < once + 40, name
    curve = m.ROCAUC()
    for _ in range(1000):
        curve.update(np.zeros(7, np.float32), np.ones(7, np.int64))
    assert len(curve.state["kept"]) < 15
    assert size(curve) < 7000 * 5 + 3000  # four bytes a score, one a target


def test_constants_are_exact_in_any_cut():
    for weight in (None, np.linspace(0.1, 3, 30)):
        metric = m.R2()
        for part in np.array_split(np.arange(30), 7):
            metric.update(
                np.full(30, 0.3)[part], np.full(30, 0.1)[part], None if weight is None
                else weight[part],
            )  # fmt: skip
        assert metric.compute() == 0.0
    assert m.r2(np.full(9, 0.1), np.full(9, 0.1)) == 1.0


def test_a_correlation_with_a_constant_is_nothing_and_with_a_rarity_something():
    random = np.random.default_rng(0)
    for _ in range(20):
        metric = m.MatthewsCorrelation()
        for _ in range(5):
            metric.update(random.integers(0, 2, 9), np.ones(9, int), random.random(9))
        assert metric.compute() == 0.0
    assert m.matthews_corrcoef([0, 1], [0, 1], [1.0, 1e-9]) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("outputs", "targets", "settings", "error", "said"),
    [
        ([1.5, -2.0], [1, 0], {}, ValueError, "logits=True"),
        ([0.2, 0.4], [0, 2], {}, ValueError, r"targets\[1\] is 2.*classes"),
        (SCORES, [0, 1, 2, 3], {}, ValueError, r"targets\[3\] is 3.*0 to 2"),
        (SCORES, [0, 1, 2, -1], {}, ValueError, r"targets\[3\] is -1"),
        (SCORES, [0.0, 1.0, 2.0, 0.5], {}, ValueError, r"targets\[3\] is 0.5"),
        (SCORES, list("abca"), {}, DtypeError, "classes="),
        (SCORES, list("abcd"), {"classes": list("abc")}, ValueError, "'d' is a target"),
        (SCORES, list("abca"), {"classes": list("ab")}, ShapeError, "scores of 3 classes"),
        ([0.5, 0.5], [-1, 1], {}, ValueError, "classes"),
        ([1, 0], list("ab"), {}, DtypeError, "outputs are numbers, and targets text"),
        ([[0, 1], [1, 1]], [[0.3, 0.7], [1, 0]], {}, ValueError, "task='multiclass'"),
        ([[0, 2], [1, 1]], [[0, 1], [1, 0]], {}, ValueError, "0 and 1"),
        ([[0.1, 2.0]], [[0, 1]], {}, ValueError, "logits=True"),
        (SCORES, [[0, 1]] * 4, {}, ShapeError, "task='multiclass'"),
        (SCORES, [[0, 1]] * 4, {"task": "multiclass"}, ShapeError, "different numbers of classes"),
        (SCORES, [["a", "b", "c"]] * 4, {"task": "multiclass"}, DtypeError, "text"),
        ([["a", "b", "c"]] * 4, CLASSES, {}, DtypeError, "text"),
        (SCORES, CLASSES, {"task": "multilabel"}, ShapeError, "task is 'multilabel'"),
        (SCORES, CLASSES, {"task": "binary"}, ShapeError, "task is 'binary'"),
        (np.zeros((2, 3, 4)), np.zeros((2, 5), int), {}, ShapeError, r"\(samples, classes, ...\)"),
        (np.zeros((2, 3, 4, 5)), np.zeros(2, int), {}, ShapeError, "neither"),
        ([1j, 2j], [0, 1], {}, DtypeError, "complex"),
        ([[1], [1, 2]], [0, 1], {}, ShapeError, "different lengths"),
        (np.array([1, "a"], object), [0, 1], {}, DtypeError, "several kinds"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_in_words(outputs, targets, settings, error, said):
    with pytest.raises(error, match=said):
        m.accuracy(outputs, targets, **settings)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: m.f1(SCORES, CLASSES), "f1_macro"),
        (lambda: m.f1([0, 1, 2], [0, 1, 2]), "average='macro'"),
        (lambda: m.f1(["a", "b"], ["b", "b"]), "pos_label=1 is none of"),
        (lambda: m.f1([[1, 0]], [[1, 0]]), "2 labels"),
        (lambda: m.f1([1, 0], [1, 0], average="samples"), "several labels"),
        (lambda: m.f1([[1, 0]], [[1, 0]], average="macro", labels=[2]), "labels 0 to 1"),
        (lambda: m.F1(average="mean"), "'macro'"),
        (lambda: m.F1(zero_division=2), "zero_division"),
        (lambda: m.F1(labels=[1, 1]), "twice"),
        (lambda: m.FBeta(beta=-1), "beta"),
        (lambda: m.Accuracy(task="classes"), "'multiclass'"),
        (lambda: m.Accuracy(threshold=2), "from 0 to 1"),
        (lambda: m.Accuracy(classes=[1, 1]), "different"),
        (lambda: m.TopKAccuracy(k=0), "1 or more"),
        (lambda: m.top_k_accuracy([0, 1], [0, 1]), "scores of classes"),
        (lambda: m.ConfusionMatrix(normalize="rows"), "'true'"),
        (lambda: m.ConfusionMatrix(labels=[1, 1]), "twice"),
        (lambda: m.confusion_matrix([[1, 0]], [[1, 0]]), "several labels"),
        (lambda: m.balanced_accuracy([[1, 0]], [[1, 0]]), "several labels"),
        (lambda: m.log_loss([0, 1], [0, 1]), "not for classes as"),
        (lambda: m.log_loss([[0.2, 0.3]], [1]), "add up to 0.5"),
        (lambda: m.log_loss([[0.2, 0.3]], [[1, 0]]), "several labels"),
        (lambda: m.log_loss([[-1.0, 3.0]], [1]), "logits=True"),
        (lambda: m.roc_auc([0, 1], [0, 1]), "floating-point"),
        (lambda: m.roc_auc(SCORES, CLASSES, multi_class="ovo", weight=[1] * 4), "no weights"),
        (lambda: m.ROCAUC(multi_class="one"), "'ovr'"),
        (lambda: m.ROCAUC(multi_class="ovo", average=None), "'macro'"),
        (lambda: m.ROCAUC(average="binary"), "'macro'"),
        (lambda: m.CalibrationError(bins=0), "one bin"),
        (lambda: m.CalibrationError(norm="l3"), "'l1'"),
        (lambda: m.r2([1.0, 2.0], [[1.0, 2.0], [3.0, 4.0]]), "differ"),
        (lambda: m.r2(np.zeros((2, 1)), np.zeros((2, 2))), "differ"),
        (lambda: m.r2(["a"], ["b"]), "text"),
        (lambda: m.R2(multioutput="mean"), "'uniform_average'"),
        (lambda: m.R2(multioutput=[-1, 2]), "0 or more"),
        (lambda: m.r2(np.zeros((2, 2)), np.zeros((2, 2)), multioutput=[1]), "1 weights for 2"),
        (lambda: m.MeanOf(F.mse_loss).update(aino.ones(2), aino.ones(2), [1, 2]), "reduction"),
        (lambda: m.MeanOf(lambda o, t: np.ones(3)).update(np.ones(2), np.ones(2)), "one a sample"),
    ],
)
def test_settings_and_batches_are_refused_in_words(call, said):
    with pytest.raises((ValueError, TypeError), match=said):
        call()


def test_batches_and_merged_metrics_are_of_one_kind():
    for first, second in (
        (([0, 1], [0, 1]), (["a"], ["a"])),
        (([0, 1], [0, 1]), ([[0, 1]], [[0, 1]])),
    ):
        for kind in (m.F1(average="macro"), m.Accuracy()):
            if isinstance(kind, m.Accuracy):
                continue
            kind.update(*first)
            with pytest.raises(DtypeError, match="in those before"):
                kind.update(*second)
            other = m.F1(average="macro")
            other.update(*second)
            with pytest.raises(DtypeError, match="and the other"):
                kind.merge(other)
    curve = m.ROCAUC()
    curve.update(SCORES, CLASSES)
    with pytest.raises(ShapeError, match="before"):
        curve.update([0.1, 0.2], [0, 1])
    several = m.R2()
    several.update(np.zeros((3, 2)), np.ones((3, 2)))
    with pytest.raises(ShapeError, match="1 outputs now, and 2"):
        several.update(np.zeros(3), np.ones(3))
    with pytest.raises(ValueError, match=r"threshold=0\.5"):
        m.Accuracy().merge(m.Accuracy(threshold=0.7))


def test_logits_images_and_ignored_targets():
    logits = np.log(np.array(SCORES))
    for function in (m.accuracy, m.log_loss, m.brier_score, m.calibration_error, m.roc_auc):
        expected = function(SCORES, CLASSES)
        assert function(logits + 2.0, CLASSES, logits=True) == pytest.approx(expected, rel=1e-9)
    said, right = np.array([0.2, 0.6, 0.9, 0.4]), [0, 1, 1, 1]
    for function in (m.accuracy, m.f1, m.log_loss, m.brier_score, m.calibration_error):
        expected = function(said, right)
        found = function(np.log(said / (1 - said)), right, logits=True)
        assert found == pytest.approx(expected, rel=1e-9)
    assert m.accuracy(said, right, threshold=0.95) == 0.25
    assert m.accuracy(np.log(said / (1 - said)), right, threshold=0.95, logits=True) == 0.25
    # An image: (samples, classes, height, width) and (samples, height, width).
    image = np.array(SCORES).T.reshape(1, 3, 2, 2)
    places = np.array(CLASSES).reshape(1, 2, 2)
    assert m.accuracy(image, places) == m.accuracy(SCORES, CLASSES) == 0.75
    assert m.f1(image, places, [2.0], average="macro") == m.f1(SCORES, CLASSES, average="macro")
    two, places_of_two = np.concatenate([image, image[:, ::-1]]), np.concatenate([places] * 2)
    weighted = m.accuracy(two, places_of_two, [3.0, 1.0])
    assert weighted == (3 * 0.75 + m.accuracy(image[:, ::-1], places)) / 4
    ignored = np.where(places == 1, -100, places)
    assert m.accuracy(image, ignored, ignore_index=-100) == pytest.approx(2 / 3)
    weighted = m.accuracy(SCORES, [0, -100, 2, 2], [3.0, 1.0, 2.0, 1.0], ignore_index=-100)
    assert weighted == pytest.approx(4 / 6)


def test_a_batch_that_does_not_count_changes_nothing():
    for name, kind in vars(m).items():
        if isinstance(kind, type) and KINDS.get(name, ((), ()))[0] is SCORES:
            metric = kind(ignore_index=-1)
            metric.update(SCORES, [-1] * 4)
            metric.update(SCORES, CLASSES)
            metric.update(SCORES, [-1] * 4, [1.0] * 4)
            expected = kind()
            expected.update(SCORES, CLASSES)
            np.testing.assert_array_equal(metric.compute(), expected.compute())


def test_a_log_loss_of_logits_is_finite_where_probabilities_are_not():
    assert m.log_loss([[0.0, 1000.0]], [0], logits=True) == 1000.0
    assert m.log_loss([-1000.0], [1], logits=True) == 1000.0
    assert m.log_loss([[0.0, 1.0]], [0]) == pytest.approx(-math.log(np.finfo(np.float64).eps))


def test_zero_division_warns_where_asked():
    with pytest.warns(RuntimeWarning, match="precision is set to 0"):
        assert m.precision([0, 0], [0, 1], zero_division="warn") == 0.0


@pytest.mark.parametrize("name", METRICS)
def test_names(name):
    metric = as_metric(name)
    assert metric.name == name
    assert metric.higher_is_better is (
        None if name == "confusion_matrix"
        else not any(part in name for part in (
            "error", "loss", "brier", "ece", "mae", "mse", "mape"))
    )  # fmt: skip


def test_what_stands_for_metrics():
    assert as_metrics(None) == []
    assert [metric.name for metric in as_metrics("mae")] == ["mae"]
    given = m.F1(average="macro", name="mine")
    listed = as_metrics([given, m.R2, F.l1_loss, "rmse"])
    assert [metric.name for metric in listed] == ["mine", "r2", "l1_loss", "rmse"]
    assert listed[0] is not given
    assert [metric.name for metric in as_metrics({"a": "mae", "b": m.R2()})] == ["a", "b"]
    with pytest.raises(ValueError, match="did you mean 'accuracy'"):
        as_metrics(["acuracy"])
    with pytest.raises(ValueError, match="two metrics are called 'r2'"):
        as_metrics(["r2", m.R2()])
    for wrong in (3, nn.Linear, [["r2"]]):
        with pytest.raises(TypeError, match="a metric is a name"):
            as_metrics(wrong)


@pytest.mark.parametrize(
    ("loss", "logits", "task", "ignored"),
    [
        (nn.CrossEntropyLoss(), True, "multiclass", -100),
        (F.cross_entropy, True, "multiclass", -100),
        ("cross_entropy", True, "multiclass", -100),
        ("bce", True, None, None),
        ("mse", None, None, None),
        (nn.NLLLoss(ignore_index=7), True, "multiclass", 7),
        (nn.BCEWithLogitsLoss(), True, None, None),
        (nn.BCELoss(), None, None, None),
        (nn.MSELoss(), None, None, None),
        (None, None, None, None),
    ],
)
def test_what_the_outputs_are_is_told_by_the_loss(loss, logits, task, ignored):
    metric, mine, number = as_metrics(["accuracy", m.F1(logits=False, task="binary"), "mae"], loss)
    assert (metric.logits, metric.task, metric.ignore_index) == (logits, task, ignored)
    assert (mine.logits, mine.task) == (False, "binary")
    assert not hasattr(number, "logits")


@pytest.mark.parametrize(
    ("said", "right"),
    [
        (np.array([b"a", b"b"]), np.array(["a", "a"])),
        (np.array(["a", "b"], object), ["a", "a"]),
        (np.array([1, 0], np.uint64), np.array([1, 1], np.int64)),
        (np.array([2**62 + 1, 2**62], np.uint64), np.array([2**62 + 1] * 2, np.int64)),
        (np.array([True, False], object), [1, 1]),
        (np.array([1.0, 0.0]), [True, True]),
        (np.array([0.75, 0.25], np.float16), [1, 1]),
        ([[1], [0]], [[1], [1]]),
    ],
)
def test_labels_of_many_dtypes(said, right):
    assert m.accuracy(said, right) == 0.5
    assert m.f1(said, right, average="micro") == 0.5


def test_columns_of_frames():
    pandas = pytest.importorskip("pandas")
    for dtype in (None, "Int64", "int8"):
        assert m.accuracy(pandas.Series([1, 0], dtype=dtype), pandas.Series([1, 1])) == 0.5
    for dtype in ("category", "string", object):
        text = pandas.Series(["a", "b"], dtype=dtype)
        assert m.accuracy(text, pandas.Series(["a", "a"])) == 0.5
    assert m.accuracy(pandas.DataFrame(SCORES), pandas.DataFrame({"y": CLASSES})) == 0.75
    with pytest.raises((ValueError, TypeError), match=r"nan|kinds"):
        m.accuracy(pandas.Series([1, None], dtype="Int64"), [1, 1])


def test_tensors_of_others_are_detached():
    class Recorded:
        """A tensor whose array is handed out once it is detached."""

        def detach(self):
            return np.array(SCORES)

    assert m.accuracy(Recorded(), CLASSES) == 0.75


def test_one_metric_may_be_given_to_several_trainings():
    given = m.Accuracy()
    (logits,) = as_metrics(given, nn.CrossEntropyLoss())
    (probabilities,) = as_metrics({"other": given}, nn.BCELoss())
    assert (logits.logits, probabilities.logits, given.logits) == (True, None, None)
    assert (given.name, probabilities.name) == ("accuracy", "other")


def test_a_state_stays_as_it_was_given():
    for name, (outputs, targets) in KINDS.items():
        metric, other = made(name), made(name)
        metric.update(np.array(outputs), np.array(targets))
        state, expected = metric.state_dict(), metric.compute()
        other.load_state_dict(state)
        for one in (metric, other):
            one.update(np.array(outputs)[:2], np.array(targets)[:2])
        another = made(name)
        another.load_state_dict(state)
        np.testing.assert_array_equal(another.compute(), expected)


def test_a_metric_of_ones_own():
    class Largest(Metric):
        """The largest output."""

        default_name = "largest"

        def reset(self):
            self.state = {"outputs": []}

        def add(self, outputs, targets, weight):
            self.state["outputs"].append(float(outputs.max()))

        def compute(self):
            return max(self.state["outputs"])

    metric, other = Largest(), Largest()
    metric.update([1.0, 5.0], [0, 0])
    other.update([7.0], [0])
    assert metric.compute() == 5.0
    assert metric.merge(other).compute() == 7.0


def test_means_of_functions():
    metric = m.MeanOf(F.mse_loss)
    metric.update(aino.tensor([1.0, 2.0, 3.0]), aino.tensor([1.0, 2.0, 6.0]))
    metric.update(aino.tensor([2.0]), aino.tensor([1.0]))
    assert metric.compute() == 2.5  # (3 · 3 + 1 · 1) / 4
    each = m.MeanOf(lambda said, right: F.mse_loss(said, right, reduction="none"), "each")
    each.update(aino.tensor([1.0, 2.0]), aino.tensor([3.0, 2.0]), [1.0, 3.0])
    assert (each.name, each.compute()) == ("each", 1.0)
