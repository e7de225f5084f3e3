"""Metrics: figures of what a model says, summed up batch by batch, with scikit-learn's values.

A class sums up: ``F1(average="macro")`` has ``reset``, ``update(outputs, targets, weight)`` and
``compute``. The function of the same name computes at once: ``f1(outputs, targets)``. Where a
training takes metrics, their names do: ``metrics=["accuracy", "f1_macro"]``.
"""

from aino.train.metrics.accuracies import Accuracy, TopKAccuracy, accuracy, top_k_accuracy
from aino.train.metrics.agreement import (
    BalancedAccuracy,
    CohenKappa,
    MatthewsCorrelation,
    balanced_accuracy,
    cohen_kappa,
    matthews_corrcoef,
)
from aino.train.metrics.base import MeanOf, Metric
from aino.train.metrics.confusion import ConfusionMatrix, confusion_matrix
from aino.train.metrics.curves import ROCAUC, AveragePrecision, average_precision, roc_auc
from aino.train.metrics.explained import R2, ExplainedVariance, explained_variance, r2
from aino.train.metrics.names import METRICS, as_metric, as_metrics
from aino.train.metrics.probabilities import (
    BrierScore,
    CalibrationError,
    LogLoss,
    brier_score,
    calibration_error,
    log_loss,
)
from aino.train.metrics.ratios import F1, FBeta, Precision, Recall, f1, fbeta, precision, recall
from aino.train.metrics.regression import (
    MaxError,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    RootMeanSquaredError,
    max_error,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    root_mean_squared_error,
)
