"""loss_surface: the loss around the weights of a model, in two directions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from aino.autograd.tensor import Tensor, make
from aino.estimators.neural_network import NeuralNetwork
from aino.estimators.targets import as_targets
from aino.func.modules import functional_call
from aino.nn.base.module import Module
from aino.nn.base.parameter import Parameter
from aino.plot.directions import (
    WeightPath,
    Weights,
    checked,
    flat,
    principal_directions,
    random_direction,
    weights_of,
)
from aino.plot.layers import as_argument
from aino.plot.models import untouched
from aino.plot.style import Panels
from aino.plot.surfaces import draw_surface
from aino.train.criterion import Criterion

#: How far beyond a path the picture goes, as a share of its extent.
_MARGIN = 0.25
#: How many times the lowest loss the highest is where colours go by the logarithm.
_WIDE = 30.0
#: Losses by name that take sums, not probabilities.
_OF_SUMS = ("cross_entropy", "bce")


def loss_surface(
    model: Any,
    loss: Any,
    data: Any,
    *,
    directions: Sequence[Any] | None = None,
    trajectory: Any = None,
    span: float | tuple[float, float] = 1.0,
    resolution: int = 31,
    seed: int = 0,
    surface: bool = False,
    ax: Any = None,
    style: str | None = None,
    path: Any = None,
) -> Any:
    """Draw the loss of a model around its weights, in two directions; return the figure.

    L(a, b) = loss(w + a u + b v), where w are the weights, in the middle, and u and v random
    directions, each of whose filters is as long as that of w, so that surfaces of different models
    can be compared. With ``trajectory`` they are those in which the training went furthest, and its
    way is drawn. The model runs in eval mode, and is afterwards what it was.

    Arguments:
        model: a module, a ``NeuralNetwork``, or one of AINO's estimators, with layers.
        loss: a name ("mse", "cross_entropy", "bce", ...), a module or a function of outputs and
            targets. A ``NeuralNetwork`` that has learned takes targets as its ``fit`` does where
            the loss is a name, and "cross_entropy" and "bce" are of the sums before its last
            activation, as in ``fit``.
        data: inputs and targets (X, y), or batches of them, such as a loader.
        directions: two directions of one's own, each a dictionary from names of parameters to
            arrays, or arrays in their order; they are taken as they are.
        trajectory: a ``WeightPath``, or a sequence of state dicts, the last of which the middle is.
        span: how far it goes to each side, along both axes or each of them; beyond the path where
            there is one, and ``span`` is left at 1.
        resolution: how many places there are along each axis.
        seed: what the random directions are drawn from; no other random number changes.
        surface: draw a surface in three dimensions.
        ax: axes of Matplotlib to draw in; a new figure for None.
        style: "light", "dark", or None: as Matplotlib, or ``ax``, is.
        path: a file to write the picture to: .svg, .pdf or .png.

    Needs Matplotlib: ``pip install 'aino[plot]'``.

    Source: Li et al., "Visualizing the Loss Landscape of Neural Nets", 2018.

    >>> import aino
    >>> X, y = aino.randn(20, 2), aino.randn(20, 1)
    >>> model = aino.nn.Sequential(aino.nn.Linear(2, 4), aino.nn.Tanh(), aino.nn.Linear(4, 1))
    >>> figure = aino.plot.loss_surface(model, "mse", (X, y), resolution=5)
    >>> figure.axes[0].images[0].get_array().shape
    (5, 5)
    """
    if isinstance(getattr(model, "module_", None), NeuralNetwork):
        model = model.module_  # which takes raw data and labels, as its estimator does
    if not isinstance(model, Module):
        raise TypeError(
            "the loss is that of a module, of a NeuralNetwork, or of one of AINO's estimators that "
            f"has learned with layers, not of a {type(model).__name__}"
        )
    if isinstance(resolution, bool) or not isinstance(resolution, int) or resolution < 3:
        raise ValueError(f"resolution is a whole number, 3 or more, not {resolution!r}")
    if directions is not None and trajectory is not None:
        raise ValueError("directions are given, or come from the trajectory; not both")
    criterion = Criterion(loss)
    learned = isinstance(model, NeuralNetwork) and model.kind is not None
    named = isinstance(loss, str) and learned
    batches = _batches(model, data, named)
    asked = _Sums(model) if named and criterion.name in _OF_SUMS else model
    centre = weights_of(model)
    names: Any = ("first direction", "second direction")
    way, where = None, centre
    reaches = _spans(span)
    if trajectory is not None:
        points = _points(trajectory, centre)
        where = points[-1]
        (u, v), shares = principal_directions(points, where)
        names = tuple(
            f"{which} direction of the training: {share:.0%} of its way"
            for which, share in zip(("first", "second"), shares)
        )
        way = np.array([_coordinates(point, where, u, v) for point in points])
    elif directions is not None:
        if len(directions) != 2:
            raise ValueError(f"directions are two, not {len(directions)}")
        u, v = (checked(one, centre, f"direction {i}") for i, one in enumerate(directions, 1))
        if not np.any(flat(u)) or not np.any(flat(v)):
            raise ValueError("a direction that is 0 everywhere leads nowhere")
    else:
        random = np.random.default_rng(seed)
        u, v = random_direction(centre, random), random_direction(centre, random)
    panels = Panels(ax=ax, style=style, path=path, projection="3d" if surface else None)
    if way is not None and span == 1.0:
        xs, ys = (_around(way[:, axis], resolution) for axis in (0, 1))
    else:
        xs, ys = (np.linspace(-reach, reach, resolution) for reach in reaches)
    with untouched(model):
        heights = np.array([
            [_loss_at(asked, criterion, batches, where, (a, u), (b, v)) for a in xs] for b in ys
        ])  # fmt: skip
    finite = heights[np.isfinite(heights)]
    wide = len(finite) > 0 and finite.min() > 0 and finite.max() > _WIDE * finite.min()
    axes = panels.axes[0]
    draw_surface(panels, axes, xs, ys, heights, label="loss", in_space=surface, logarithmic=wide)
    panels.dress(axes, "", *names)
    axes.locator_params(nbins=4 if surface else 6)
    if not surface:
        axes.spines[:].set_visible(False)
        if way is not None:
            axes.plot(way[:, 0], way[:, 1], color="#ffffff", linewidth=1.3, marker="o",
                      markersize=2.5, zorder=3)  # fmt: skip
        axes.plot([0], [0], marker="*", markersize=11, color="#ffffff", zorder=4,
                  markeredgecolor="#1c1e21", markeredgewidth=0.8)  # fmt: skip
    return panels.finish()


def _loss_at(
    model: Module, criterion: Criterion, batches: list[tuple[Any, Any]], centre: Weights,
    *ways: tuple[float, Weights],
) -> float:  # fmt: skip
    """Return the mean loss over all samples with weights away from the centre."""
    moved = {}
    parameters = dict(model.named_parameters())
    inner = "network." if isinstance(model, _Sums) else ""
    for name, array in centre.items():
        # Where it does not move, not even a rounding may change it.
        steps = [step * direction[name] for step, direction in ways if step]
        place = sum(steps, array) if steps else array
        own = parameters[inner + name]
        moved[inner + name] = Parameter(make(place.astype(own.array.dtype)), False)
    total = samples = 0.0
    with np.errstate(all="ignore"):  # far away a loss may be infinite, and is left out then
        for inputs, targets in batches:
            value = criterion(functional_call(model, moved, inputs), targets)
            total += float(value.array.item()) * len(targets)
            samples += len(targets)
    return total / samples


class _Sums(Module):
    """A network without the last activation, which these losses have in themselves."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network

    def forward(self, input: Tensor) -> Tensor:
        """Return the weighted sums of the last layer."""
        network = self.network
        if network.input_scaling is not None:
            input = network.input_scaling(input).to(network.dtype)
        return network.sums(input)


def _batches(model: Module, data: Any, named: bool) -> list[tuple[Any, Any]]:
    """Return data as a list of inputs and targets in tensors.

    ``named``: targets are what a network's own ``fit`` takes, labels among them.
    """
    if isinstance(data, tuple) and len(data) == 2:
        data = [data]
    if not isinstance(data, Iterable):
        raise TypeError(f"data is (X, y), or batches of them, not a {type(data).__name__}")
    if isinstance(model, NeuralNetwork) and model.sizes is None:
        raise ValueError("this network takes its sizes from the data: call fit(X, y) first")
    found = []
    for batch in data:
        if not isinstance(batch, (tuple, list)) or len(batch) != 2:
            raise TypeError("each batch is (inputs, targets)")
        inputs, targets = batch
        given = inputs if isinstance(inputs, tuple) else (inputs,)
        if named:
            network: Any = model
            read = as_targets("y", targets, len(inputs), network.sizes[-1], learned=network.learned)
            targets = read.values
        target = as_argument(model, targets)
        if not isinstance(target, Tensor) or not target.array.ndim or not len(target):
            raise ValueError("targets are an array with a row for each sample")
        found.append((tuple(as_argument(model, part) for part in given), target))
    if not found:
        raise ValueError("there are no batches in data")
    return found


def _points(trajectory: Any, centre: Weights) -> list[Weights]:
    given = trajectory.points if isinstance(trajectory, WeightPath) else list(trajectory)
    if len(given) < 3:
        raise ValueError(f"a trajectory has 3 points or more, to lie in a plane, not {len(given)}")
    return [checked(point, centre, f"point {place} of the trajectory")
            for place, point in enumerate(given)]  # fmt: skip


def _coordinates(point: Weights, centre: Weights, u: Weights, v: Weights) -> tuple[float, float]:
    away = flat(point) - flat(centre)
    return float(away @ flat(u)), float(away @ flat(v))


def _around(values: np.ndarray, resolution: int) -> np.ndarray:
    low, high = float(values.min()), float(values.max())
    margin = _MARGIN * (high - low)
    return np.linspace(low - margin, high + margin, resolution)


def _spans(span: Any) -> tuple[float, float]:
    both = span if isinstance(span, (tuple, list)) else (span, span)
    if len(both) != 2 or any(isinstance(one, bool) or not 0 < one < float("inf") for one in both):
        raise ValueError(f"span is a number above 0, or two of them, not {span!r}")
    return float(both[0]), float(both[1])
