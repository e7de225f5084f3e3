"""NumPy's histograms: their derivative is that by the weights, which are added up."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.autograd.tensor import Tensor
from aino.errors import GradientError
from aino.ops.reduce.histograms import weighed
from aino.ops.tensor.numpy_protocol.on_arrays import arrays_of, on_arrays, wanting
from aino.ops.tensor.numpy_protocol.table import numpy_function, tensor_of


def _column(points: tuple) -> Any:
    return np.asarray(arrays_of(points[0])).reshape(-1, 1)


def _columns(points: tuple) -> Any:
    """Return the coordinates of all points, as NumPy reads them: one row for each."""
    if len(points) > 1:
        return np.stack([np.asarray(arrays_of(x)).reshape(-1) for x in points], -1)
    (sample,) = points
    array = np.asarray(arrays_of(sample))
    return array if array.ndim == 2 and isinstance(sample, (Tensor, np.ndarray)) else array.T


def _counts(function: Any, points: tuple, options: dict[str, Any], columns: Any) -> Any:
    """Return what NumPy does: on the record of the weights, where they have one."""
    weights = options["weights"]
    if not wanting(weights):
        return on_arrays(function, points, options)
    if wanting((points, options["bins"])):
        raise GradientError(
            f"np.{function.__name__} has no derivative by what it sorts into intervals, only by "
            "weights=; tensor.detach() where the gradient may end"
        )
    _, *edges = function(*arrays_of(points), **arrays_of(options))
    listed = edges[0] if function is np.histogramdd else edges
    found = weighed(columns(points), listed, tensor_of(weights), bool(options["density"]))
    tensors = [tensor_of(edge) for edge in listed]
    return (found, tuple(tensors)) if function is np.histogramdd else (found, *tensors)


@numpy_function("histogram")
def histogram(a, bins=10, range=None, density=None, weights=None):
    options = {"bins": bins, "range": range, "density": density, "weights": weights}
    return _counts(np.histogram, (a,), options, _column)


@numpy_function("histogram2d")
def histogram2d(x, y, bins=10, range=None, density=None, weights=None):
    options = {"bins": bins, "range": range, "density": density, "weights": weights}
    return _counts(np.histogram2d, (x, y), options, _columns)


@numpy_function("histogramdd")
def histogramdd(sample, bins=10, range=None, density=None, weights=None):
    options = {"bins": bins, "range": range, "density": density, "weights": weights}
    return _counts(np.histogramdd, (sample,), options, _columns)
