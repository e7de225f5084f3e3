"""Losses of classes."""

from __future__ import annotations

from typing import Any

from aino.nn import functional as F
from aino.onnx.exporting.graph import Graph
from aino.onnx.exporting.table import DeclinedError, whole


def _settings(weight: Any, reduction: str, ignore_index: Any, reduce: Any, size_average: Any):
    if reduce is not None or size_average is not None:
        raise DeclinedError
    return {"reduction": reduction, "ignore_index": ignore_index}


@whole(F.nll_loss)
def _nll_loss(
    graph: Graph, input: Any, target: Any, weight: Any, size_average: Any, ignore_index: int,
    reduce: Any, reduction: str,
) -> str:  # fmt: skip
    if input.ndim < 2:
        raise DeclinedError
    settings = _settings(weight, reduction, ignore_index, reduce, size_average)
    return graph.node("NegativeLogLikelihoodLoss", [input, target, weight], **settings)


@whole(F.cross_entropy)
def _cross_entropy(
    graph: Graph, input: Any, target: Any, weight: Any, size_average: Any, ignore_index: int,
    reduce: Any, reduction: str, label_smoothing: float,
) -> str:  # fmt: skip
    if input.ndim < 2 or label_smoothing or target.dtype.kind != "i":
        raise DeclinedError
    settings = _settings(weight, reduction, ignore_index, reduce, size_average)
    return graph.node("SoftmaxCrossEntropyLoss", [input, target, weight], **settings)
