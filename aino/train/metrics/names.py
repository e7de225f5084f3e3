"""The metrics that are known by name, and what else may stand where a metric is wanted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import partial
from typing import Any

from aino.nn import functional as F
from aino.nn.modules.activation_names import suggestion
from aino.nn.modules.loss_classes import (
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    MultiLabelSoftMarginLoss,
    NLLLoss,
)
from aino.train.metrics.accuracies import Accuracy, TopKAccuracy
from aino.train.metrics.agreement import BalancedAccuracy, CohenKappa, MatthewsCorrelation
from aino.train.metrics.base import MeanOf, Metric
from aino.train.metrics.classes import ClassMetric
from aino.train.metrics.confusion import ConfusionMatrix
from aino.train.metrics.curves import ROCAUC, AveragePrecision
from aino.train.metrics.explained import R2, ExplainedVariance
from aino.train.metrics.probabilities import BrierScore, CalibrationError, LogLoss
from aino.train.metrics.ratios import F1, Precision, Recall
from aino.train.metrics.regression import (
    MaxError,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    RootMeanSquaredError,
)
from aino.train.named import loss_named

#: Name -> what makes the metric. The names are those of scikit-learn's scores, and what people
#: call them for short.
METRICS: dict[str, Callable[..., Metric]] = {
    "accuracy": Accuracy,
    "balanced_accuracy": BalancedAccuracy,
    "top_k_accuracy": TopKAccuracy,
    "top_3_accuracy": partial(TopKAccuracy, k=3),
    "top_5_accuracy": partial(TopKAccuracy, k=5),
    **{
        f"{name}{ending}": partial(kind, average=average)
        for name, kind in (("precision", Precision), ("recall", Recall), ("f1", F1))
        for ending, average in (
            ("", "binary"), ("_macro", "macro"), ("_micro", "micro"), ("_weighted", "weighted"),
            ("_samples", "samples"),
        )
    },
    "matthews_corrcoef": MatthewsCorrelation,
    "mcc": MatthewsCorrelation,
    "cohen_kappa": CohenKappa,
    "confusion_matrix": ConfusionMatrix,
    "roc_auc": ROCAUC,
    "roc_auc_ovr": ROCAUC,
    "roc_auc_ovo": partial(ROCAUC, multi_class="ovo"),
    "roc_auc_ovr_weighted": partial(ROCAUC, average="weighted"),
    "roc_auc_ovo_weighted": partial(ROCAUC, multi_class="ovo", average="weighted"),
    "average_precision": AveragePrecision,
    "pr_auc": AveragePrecision,
    "log_loss": LogLoss,
    "brier_score": BrierScore,
    "calibration_error": CalibrationError,
    "ece": CalibrationError,
    "r2": R2,
    "explained_variance": ExplainedVariance,
    "mean_absolute_error": MeanAbsoluteError,
    "mae": MeanAbsoluteError,
    "mean_squared_error": MeanSquaredError,
    "mse": MeanSquaredError,
    "root_mean_squared_error": RootMeanSquaredError,
    "rmse": RootMeanSquaredError,
    "mean_absolute_percentage_error": MeanAbsolutePercentageError,
    "mape": MeanAbsolutePercentageError,
    "max_error": MaxError,
}  # fmt: skip

#: Losses of logits, or of logarithms of probabilities, whose softmax are these; modules and
#: functions.
TAKE_LOGITS: tuple[Any, ...] = (
    CrossEntropyLoss, NLLLoss, BCEWithLogitsLoss,
    MultiLabelSoftMarginLoss, F.cross_entropy, F.nll_loss,
    F.binary_cross_entropy_with_logits, F.multilabel_soft_margin_loss,
)  # fmt: skip
#: Those among them that know one class a sample, and a target that does not count.
ONE_CLASS: tuple[Any, ...] = (
    CrossEntropyLoss, NLLLoss, F.cross_entropy, F.nll_loss,
)  # fmt: skip


def as_metric(given: Any, name: str | None = None) -> Metric:
    """Return the metric that is given by its name, as a metric, as a class or as a function.

    Raises ``ValueError`` for an unknown name, ``TypeError`` for what is no metric.

    Arguments:
        given: a name of the table, a metric, a class of metrics, or a function of outputs and
            targets, whose mean is taken.
        name: what to call it; None is the name that was given, or its own.

    >>> from aino.train.metrics import as_metric
    >>> as_metric("rmse")
    RootMeanSquaredError(name='rmse')
    """
    if isinstance(given, str):
        if given not in METRICS:
            raise ValueError(f"unknown metric {given!r}" + suggestion(given, METRICS))
        return METRICS[given](name=given if name is None else name)
    if isinstance(given, Metric):
        if name is not None:
            given.name = name
        return given
    if isinstance(given, type) and issubclass(given, Metric):
        return given(name=name)
    if callable(given) and not isinstance(given, type):
        return MeanOf(given, name)
    raise TypeError(
        f"a metric is a name, a metric of aino.train.metrics or a function of outputs and targets, "
        f"not {given!r}"
    )


def as_metrics(given: Any, loss: Any = None) -> list[Metric]:
    """Return metrics as a training takes them, of none, one, a list, or one a name.

    Metrics are copied: the same one may be given to several trainings.

    Those of classes that do not say what their outputs are learn it by the loss: logits for
    ``nn.CrossEntropyLoss`` and its kin.

    Raises ``ValueError`` where two have one name.

    Arguments:
        given: None, what ``as_metric`` takes, a list of it, or a dictionary with names.
        loss: the loss of the same outputs, as ``Trainer`` takes it.

    >>> from aino.train.metrics import as_metrics
    >>> [metric.name for metric in as_metrics(["accuracy", "f1_macro"])]
    ['accuracy', 'f1_macro']
    """
    if given is None:
        pairs: list[tuple[Any, Any]] = []
    elif isinstance(given, Mapping):
        pairs = list(given.items())
    elif isinstance(given, (list, tuple)):
        pairs = [(None, one) for one in given]
    else:
        pairs = [(None, given)]
    made = [as_metric(deepcopy(one) if isinstance(one, Metric) else one, name)
            for name, one in pairs]  # fmt: skip
    names = [one.name for one in made]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise ValueError(f"two metrics are called {twice[0]!r}: give one another name=...")
    for one in made:
        if isinstance(one, ClassMetric):
            _learn_by_loss(one, loss)
    return made


def _learn_by_loss(one: ClassMetric, loss: Any) -> None:
    """Tell a metric what the outputs are, where it does not say so itself."""
    loss = loss_named(loss) if isinstance(loss, str) else loss
    if not _is_among(loss, TAKE_LOGITS):
        return
    if one.logits is None:
        one.logits = True
    if one.task is None and _is_among(loss, ONE_CLASS):
        one.task = "multiclass"
    if one.ignore_index is None and _is_among(loss, ONE_CLASS):
        one.ignore_index = getattr(loss, "ignore_index", -100)


def _is_among(loss: Any, known: tuple[Any, ...]) -> bool:
    """Tell whether a loss is one of these functions, or a module of one of these classes."""
    kinds = tuple(one for one in known if isinstance(one, type))
    return isinstance(loss, kinds) or any(loss is one for one in known)
