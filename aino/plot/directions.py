"""Directions in the space of a model's weights: random ones, and those that a training took."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from aino.errors import ShapeError
from aino.nn.base.module import Module
from aino.plot.models import needed_module
from aino.train.callbacks.callback import Callback

#: A direction, or weights: name -> array in float64.
Weights = dict[str, np.ndarray]


class WeightPath(Callback):
    """Keeps the weights that a training passes through, for ``aino.plot.loss_surface``.

    As one of a trainer's ``callbacks`` it keeps those before the first epoch and after each one;
    in a loop of one's own, ``record(model)`` does.

    Arguments:
        every: after each epoch (1), after every tenth (10), and so on.

    >>> import aino
    >>> path = aino.plot.WeightPath()
    >>> model = aino.nn.Linear(2, 1)
    >>> path.record(model)
    >>> len(path)
    1
    """

    def __init__(self, every: int = 1) -> None:
        if isinstance(every, bool) or not isinstance(every, int) or every < 1:
            raise ValueError(f"every is a whole number, 1 or more, not {every!r}")
        self.every = every
        #: The weights, from the first to the last.
        self.points: list[Weights] = []

    def record(self, model: Any) -> None:
        """Keep the weights that a model has now.

        Arguments:
            model: the module.
        """
        self.points.append(weights_of(needed_module(model, "weights")))

    def on_fit_start(self, loop: Any) -> None:
        if not self.points:
            self.record(loop.model)

    def on_epoch_end(self, loop: Any) -> None:
        if loop.epoch % self.every == 0:
            self.record(loop.model)

    def __len__(self) -> int:
        return len(self.points)

    def __repr__(self) -> str:
        return f"<a path of {len(self)} points>"


def weights_of(module: Module) -> Weights:
    """Return the parameters that learn, as arrays of their own."""
    found = {
        name: parameter.array.astype(np.float64)
        for name, parameter in module.named_parameters()
        if parameter.requires_grad and parameter.array.dtype.kind == "f"
    }
    if not found:
        raise ValueError("this model has no parameters that learn")
    return found


def checked(given: Any, like: Weights, what: str) -> Weights:
    """Return weights that somebody gave, by name or in their order; raise where they don't fit."""
    if isinstance(given, Mapping):
        missing = [name for name in like if name not in given]
        if missing:
            raise ValueError(f"{what} lacks {', '.join(missing[:5])}: an array for each parameter")
        arrays = [given[name] for name in like]
    else:
        arrays = list(given)
        if len(arrays) != len(like):
            raise ValueError(
                f"{what} has {len(arrays)} arrays, and the model {len(like)} parameters"
            )
    result = {}
    for (name, own), array in zip(like.items(), arrays):
        array = array.detach().numpy() if hasattr(array, "detach") else np.asarray(array)
        if array.shape != own.shape:
            raise ShapeError(
                f"{what}: {name} has shape {array.shape}, and in the model {own.shape}"
            )
        result[name] = array.astype(np.float64)
    return result


def flat(weights: Weights) -> np.ndarray:
    """Return weights as one vector."""
    return np.concatenate([array.ravel() for array in weights.values()])


def shaped(vector: np.ndarray, like: Weights) -> Weights:
    """Return a vector as weights."""
    result, start = {}, 0
    for name, array in like.items():
        result[name] = vector[start : start + array.size].reshape(array.shape)
        start += array.size
    return result


def random_direction(weights: Weights, random: np.random.Generator) -> Weights:
    """Return a random direction, each filter of which is as long as that of the weights.

    A filter is what leads to one output: a row of a matrix, a kernel of a convolution. Shifts and
    scales, which have one axis, stay as they are, unless there is nothing else.

    Source: Li et al., "Visualizing the Loss Landscape of Neural Nets", 2018.
    """
    only_vectors = all(array.ndim < 2 for array in weights.values())
    direction = {}
    for name, array in weights.items():
        if array.ndim < 2 and not only_vectors:
            direction[name] = np.zeros_like(array)
            continue
        drawn = random.standard_normal(array.shape)
        rows = (1, -1) if array.ndim < 2 else (len(array), -1)
        lengths = np.linalg.norm(array.reshape(rows), axis=1, keepdims=True)
        own = np.linalg.norm(drawn.reshape(rows), axis=1, keepdims=True)
        direction[name] = (drawn.reshape(rows) * (lengths / own)).reshape(array.shape)
    return direction


def principal_directions(
    points: Sequence[Weights] | Iterable[Weights], centre: Weights
) -> tuple[list[Weights], np.ndarray]:
    """Return the two directions in which a training went furthest, and their shares.

    They are the first principal components of the points, seen from the last; each is of length 1.
    The shares are those of the squared way that they account for (2,).
    """
    away = np.stack([flat(point) - flat(centre) for point in points])
    _, lengths, rows = np.linalg.svd(away, full_matrices=False)
    total = float((lengths**2).sum())
    if total == 0 or lengths[0] == 0:
        raise ValueError("the path stays where it is: there is no direction in it")
    if len(rows) < 2 or lengths[1] <= 1e-9 * lengths[0]:
        raise ValueError("the path is a straight line: it has one direction, and two are drawn")
    # The sign of a component is arbitrary: its largest part points ahead.
    signs = np.sign(rows[np.arange(2), np.abs(rows[:2]).argmax(axis=1)])
    found = [shaped(sign * row, centre) for sign, row in zip(signs, rows[:2])]
    return found, lengths[:2] ** 2 / total
