"""Every metric has scikit-learn's figure, whole, in batches, merged, weighted and not."""

import warnings

import numpy as np
import pytest

from aino.train import metrics as m
from tests.train.metrics import cases

sk = pytest.importorskip("sklearn.metrics")
linear = {"rtol": 1e-12, "atol": 1e-13}


def quietly(function, *args, **settings):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(*args, **settings)


def batches(samples):
    """Ways to cut and order the samples: one alone, an empty batch, upside down, shuffled."""
    everything = np.arange(samples)
    yield [everything[:1], everything[1:1], everything[:0:-1]]
    yield np.array_split(np.random.default_rng(0).permutation(samples), 4)


def check(kind, settings, outputs, targets, expected, weight=None, **tolerance):
    """The figure of everything, of batches, and of two halves that are merged."""
    outputs, targets = np.asarray(outputs), np.asarray(targets)
    tolerance = linear | tolerance
    whole = kind(**settings)
    whole.update(outputs, targets, weight)
    np.testing.assert_allclose(whole.compute(), expected, **tolerance)
    for parts in batches(len(targets)):
        pieces = [kind(**settings) for _ in range(2)]
        for number, part in enumerate(parts):
            pieces[number % 2].update(
                outputs[part], targets[part], None if weight is None else weight[part]
            )
        merged = pieces[0].merge(pieces[1])
        np.testing.assert_allclose(merged.compute(), expected, **tolerance)
    other = kind(**settings)
    other.load_state_dict(merged.state_dict())
    np.testing.assert_allclose(other.compute(), expected, **tolerance)


def rows(table):
    """Each case of a table, every other one with weights, too."""
    for number, (name, (outputs, targets)) in enumerate(table.items()):
        for weight in (None, cases.weights(len(targets))):
            if weight is None or number % 2 == 0:
                label = name + ("" if weight is None else ", weighted")
                yield pytest.param(outputs, targets, weight, id=label)


label_rows = pytest.mark.parametrize(("said", "right", "weight"), list(rows(cases.LABELS)))
binary_rows = pytest.mark.parametrize(("scores", "right", "weight"), list(rows(cases.BINARY)))
class_rows = pytest.mark.parametrize(("scores", "right", "weight"), list(rows(cases.MULTICLASS)))
several_rows = pytest.mark.parametrize(("scores", "right", "weight"), list(rows(cases.MULTILABEL)))
number_rows = pytest.mark.parametrize(("said", "right", "weight"), list(rows(cases.REGRESSION)))


@label_rows
def test_labels(said, right, weight):
    for kind, function in (
        (m.Accuracy, sk.accuracy_score),
        (m.BalancedAccuracy, sk.balanced_accuracy_score),
        (m.MatthewsCorrelation, sk.matthews_corrcoef),
        (m.CohenKappa, sk.cohen_kappa_score),
    ):
        expected = quietly(function, right, said, sample_weight=weight)
        check(kind, {}, said, right, expected, weight)
    if len(set(right)) > 1:
        expected = quietly(
            sk.balanced_accuracy_score, right, said, sample_weight=weight, adjusted=True
        )
        check(m.BalancedAccuracy, {"adjusted": True}, said, right, expected, weight)
    for normalize in (None, "true", "pred", "all"):
        expected = quietly(
            sk.confusion_matrix, right, said, sample_weight=weight, normalize=normalize
        )
        check(m.ConfusionMatrix, {"normalize": normalize}, said, right, expected, weight)
    found = m.confusion_matrix(said, right, weight)
    assert found.dtype == (np.int64 if weight is None else np.float64)


def check_ratios(settings, said, right, weight, outputs=None):
    """Precision, recall and F scores, which scikit-learn computes in one call."""
    outputs = said if outputs is None else outputs
    for beta in (1.0, 0.5):
        expected = quietly(
            sk.precision_recall_fscore_support, right, said, beta=beta, sample_weight=weight,
            **settings,
        )  # fmt: skip
        check(m.FBeta, settings | {"beta": beta}, outputs, right, expected[2], weight)
        if beta == 1.0:
            for kind, figure in zip((m.Precision, m.Recall, m.F1), expected):
                check(kind, settings, outputs, right, figure, weight)


#: Where something is divided by 0.
UNDEFINED = ("none right", "one class, the other", "a class that is never right",
             "a class that is never said", "one sample")  # fmt: skip


@label_rows
def test_ratios_of_labels(said, right, weight):
    for average in ("macro", "micro", "weighted", None):
        check_ratios({"average": average, "zero_division": 0}, said, right, weight)
    if set(right) | set(said) <= {-1, 0, 1}:
        check_ratios({"average": "binary", "zero_division": 0}, said, right, weight)


@pytest.mark.parametrize("name", UNDEFINED)
@pytest.mark.parametrize("zero_division", [1, np.nan])
def test_ratios_of_nothing(name, zero_division):
    for average in ("macro", "weighted", None):
        settings = {"average": average, "zero_division": zero_division}
        check_ratios(settings, *cases.LABELS[name], None)


def test_ratios_of_chosen_labels():
    said, right = cases.LABELS["three classes"]
    for labels in ([2, 0], [1], [1, 7]):
        for average in ("macro", "micro", "weighted", None):
            expected = quietly(sk.f1_score, right, said, labels=labels, average=average)
            check(m.F1, {"labels": labels, "average": average}, said, right, expected)
    said, right = cases.LABELS["text"]
    expected = sk.confusion_matrix(right, said, labels=["c", "a"])
    check(m.ConfusionMatrix, {"labels": ["c", "a"]}, said, right, expected)
    expected = sk.precision_score(["a", "b", "b"], ["b", "b", "a"], pos_label="b")
    check(m.Precision, {"pos_label": "b"}, ["b", "b", "a"], ["a", "b", "b"], expected)


@several_rows
def test_several_labels(scores, right, weight):
    said = (scores > 0.5).astype(int)
    for outputs in (scores, said):
        expected = sk.accuracy_score(right, said, sample_weight=weight)
        check(m.Accuracy, {}, outputs, right, expected, weight)
    for average in ("macro", "micro", "weighted", "samples", None):
        zero_division = np.nan if weight is None else 0
        settings = {"average": average, "zero_division": zero_division}
        check_ratios(settings, said, right, weight, scores)
    for average in ("macro", "micro", "weighted", None):
        for kind, function in (
            (m.ROCAUC, sk.roc_auc_score),
            (m.AveragePrecision, sk.average_precision_score),
        ):
            expected = quietly(function, right, scores, average=average, sample_weight=weight)
            check(kind, {"average": average}, scores, right, expected, weight)


@binary_rows
def test_scores_of_two_classes(scores, right, weight):
    said = (scores > 0.5).astype(int)
    expected = sk.accuracy_score(right, said, sample_weight=weight)
    check(m.Accuracy, {}, scores, right, expected, weight)
    check(m.Accuracy, {}, scores[:, None], right[:, None], expected, weight)
    check(m.Recall, {}, scores, right,
          sk.recall_score(right, said, sample_weight=weight), weight)  # fmt: skip
    for kind, function in (
        (m.ROCAUC, sk.roc_auc_score),
        (m.AveragePrecision, sk.average_precision_score),
        (m.LogLoss, sk.log_loss),
        (m.BrierScore, sk.brier_score_loss),
    ):
        expected = quietly(function, right, scores, sample_weight=weight)
        loose = {"rtol": 1e-6} if scores.dtype == np.float32 and kind in (m.LogLoss, m.BrierScore) \
            else {}  # fmt: skip
        check(kind, {}, scores, right, expected, weight, **loose)
    names = np.array(["no", "yes"])
    expected = sk.roc_auc_score(right, scores, sample_weight=weight)
    check(m.ROCAUC, {"classes": ["no", "yes"]}, scores, names[right], expected, weight)


@class_rows
def test_scores_of_classes(scores, right, weight):
    classes = scores.shape[1]
    said = scores.argmax(1)
    check(m.Accuracy, {}, scores, right,
          sk.accuracy_score(right, said, sample_weight=weight), weight)  # fmt: skip
    check(m.F1, {"average": "macro"}, scores, right,
          sk.f1_score(right, said, average="macro", sample_weight=weight), weight)  # fmt: skip
    check(m.LogLoss, {}, scores, right,
          sk.log_loss(right, scores, sample_weight=weight), weight)  # fmt: skip
    check(m.LogLoss, {"logits": True}, np.log(scores) + 3.0, right,
          sk.log_loss(right, scores, sample_weight=weight), weight)  # fmt: skip
    one_hot = np.eye(classes)[right]
    check(m.LogLoss, {"task": "multiclass"}, scores, one_hot,
          sk.log_loss(right, scores, sample_weight=weight), weight)  # fmt: skip
    check(m.BrierScore, {}, scores, right,
          sk.brier_score_loss(right, scores, sample_weight=weight), weight)  # fmt: skip
    text = np.array(list("abcde"))
    check(m.Accuracy, {"classes": list("abcde"[:classes])}, scores, text[right],
          sk.accuracy_score(right, said, sample_weight=weight), weight)  # fmt: skip
    if classes > 2:
        for k in range(1, classes):
            expected = quietly(sk.top_k_accuracy_score, right, scores, k=k, sample_weight=weight)
            check(m.TopKAccuracy, {"k": k}, scores, right, expected, weight)
        expected = sk.top_k_accuracy_score(text[right], scores, k=2, sample_weight=weight)
        check(m.TopKAccuracy, {"classes": list("abcde"[:classes])}, scores, text[right], expected,
              weight)  # fmt: skip
    columns = scores if classes > 2 else scores[:, 1]
    for average in ("macro", "weighted", "micro", None):
        if classes == 2 and average != "macro":
            continue
        more = {"average": average, "sample_weight": weight}
        expected = sk.roc_auc_score(right, columns, multi_class="ovr", **more)
        check(m.ROCAUC, {"average": average}, scores, right, expected, weight)
        expected = sk.average_precision_score(right, columns, **more)
        check(m.AveragePrecision, {"average": average}, scores, right, expected, weight)
        if average in ("macro", "weighted") and weight is None:
            expected = sk.roc_auc_score(right, columns, multi_class="ovo", average=average)
            settings = {"multi_class": "ovo", "average": average}
            check(m.ROCAUC, settings, scores, right, expected)
            expected = sk.roc_auc_score(right, columns, multi_class="ovo", average=average)
            check(m.ROCAUC, settings | {"logits": True}, np.log(scores), right, expected)


@number_rows
def test_numbers(said, right, weight):
    said, right = np.asarray(said), np.asarray(right)
    several = right.ndim == 2
    averages = ["uniform_average", "raw_values"]
    averages += [[0.3, 0.7]] if several and right.shape[1] == 2 else []
    near = {"rtol": 1e-6} if abs(right).max() > 1e6 else {"rtol": 1e-11}
    for kind, function in (
        (m.MeanAbsoluteError, sk.mean_absolute_error),
        (m.MeanSquaredError, sk.mean_squared_error),
        (m.RootMeanSquaredError, sk.root_mean_squared_error),
        (m.MeanAbsolutePercentageError, sk.mean_absolute_percentage_error),
        (m.R2, sk.r2_score),
        (m.ExplainedVariance, sk.explained_variance_score),
    ):
        ways = averages + (["variance_weighted"] if kind in (m.R2, m.ExplainedVariance) else [])
        for multioutput in ways:
            expected = quietly(function, right, said, multioutput=multioutput, sample_weight=weight)
            check(kind, {"multioutput": multioutput}, said, right, expected, weight, **near)
    if not several and weight is None:
        check(m.MaxError, {}, said, right, sk.max_error(right, said))
    for kind, function in ((m.R2, sk.r2_score), (m.ExplainedVariance, sk.explained_variance_score)):
        expected = quietly(function, right, said, force_finite=False, sample_weight=weight)
        check(kind, {"force_finite": False}, said, right, expected, weight, **near)


@pytest.mark.parametrize("name", ["drawn", "ties", "float32"])
@pytest.mark.parametrize("bins", [1, 4, 10])
def test_calibration(name, bins):
    calibration_curve = pytest.importorskip("sklearn.calibration").calibration_curve
    scores, right = cases.BINARY[name]
    true, said = calibration_curve(right, scores, n_bins=bins)
    place = np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], scores)
    share = np.bincount(place, minlength=bins)
    share = share[share > 0] / len(right)
    for norm, expected in (
        ("l1", share @ abs(true - said)),
        ("l2", np.sqrt(share @ abs(true - said) ** 2)),
        ("max", abs(true - said).max()),
    ):
        check(m.CalibrationError, {"bins": bins, "norm": norm}, scores, right, expected, rtol=1e-6)
