"""decision_boundary: what a model says everywhere in a plane of two features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from aino.errors import ShapeError
from aino.estimators.data import as_inputs
from aino.plot.models import Answer, Asked, untouched
from aino.plot.style import MARKERS, Panels
from aino.plot.surfaces import draw_surface

#: How far the picture goes beyond the samples, as a share of their range.
_MARGIN = 0.08


def decision_boundary(
    model: Any,
    X: Any,
    y: Any = None,
    *,
    features: Sequence[Any] | None = None,
    held: Mapping[Any, Any] | None = None,
    task: str | None = None,
    outputs: str | None = None,
    output: int | None = None,
    resolution: int = 200,
    surface: bool = False,
    ax: Any = None,
    style: str | None = None,
    path: Any = None,
) -> Any:
    """Draw what a model says everywhere in the plane of two features; return the figure.

    Of classes: the areas in which each is predicted, the deeper the more probable it is there, and
    the lines between them. Of numbers: their heights, as colours and lines. Samples lie above. The
    model is asked in eval mode, and is afterwards what it was.

    Arguments:
        model: a ``NeuralNetwork``, a module, an estimator with ``predict``, or a function that
            takes an array of samples.
        X: the samples (samples, features): an array, a tensor, a table.
        y: their targets; None draws no samples.
        features: the two features that are drawn, by their places or a table's columns, where there
            are more than two.
        held: what other features are held at, by place or name; their medians for None.
        task: "classes" or "numbers", where neither the model nor ``y`` says it.
        outputs: "logits" or "probabilities": what a module gives for classes, where that can't be
            told.
        output: which number, of a model that gives several for a sample.
        resolution: how many places there are along each axis.
        surface: draw numbers as a surface in three dimensions.
        ax: axes of Matplotlib to draw in; a new figure for None.
        style: "light", "dark", or None: as Matplotlib, or ``ax``, is.
        path: a file to write the picture to: .svg, .pdf or .png.

    Raises ``ValueError`` and ``TypeError`` for what can't be drawn, before anything is. Needs
    Matplotlib: ``pip install 'aino[plot]'``.

    >>> import aino
    >>> X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    >>> model = aino.NeuralNetwork([2, 3, 1], seed=0).fit(X, y, epochs=5, verbose=False)
    >>> figure = aino.plot.decision_boundary(model, X, y, resolution=20)
    >>> figure.axes[0].get_xlabel()
    'feature 0'
    """
    if isinstance(resolution, bool) or not isinstance(resolution, int) or resolution < 2:
        raise ValueError(f"resolution is a whole number, 2 or more, not {resolution!r}")
    plane = Plane(X, features, held)
    asked = Asked(model, y, task, outputs)
    if asked.y is not None and len(asked.y) != len(plane):
        raise ShapeError(f"X has {len(plane)} samples and y {len(asked.y)}")
    if surface and asked.task == "classes":
        raise ValueError("surface=True is for numbers: classes have no heights")
    panels = Panels(ax=ax, style=style, path=path, projection="3d" if surface else None)
    axes = panels.axes[0]
    xs, ys = (_places(values, resolution) for values in plane.chosen)
    grid = plane.samples(*(part.ravel() for part in np.meshgrid(xs, ys)))
    if asked.task == "classes":
        with untouched(model):
            answer = asked.classes(grid)
            if answer.shares is not None and np.isnan(answer.shares).all():
                raise ValueError(
                    "there is nothing to draw: the model gives NaN everywhere; with "
                    "aino.debug.find_nan(model): ... names the operation that makes it"
                )
        _draw_areas(panels, axes, xs, ys, answer)
        if asked.y is not None:
            _draw_classes(panels, axes, plane, asked.y, answer.labels)
    else:
        with untouched(model):
            heights = asked.numbers(grid, output).reshape(len(ys), len(xs))
        first, second = plane.chosen
        points = None if asked.y is None else (first, second, asked.y.astype(np.float64))
        draw_surface(panels, axes, xs, ys, heights, points=points, label="prediction",
                     in_space=surface)  # fmt: skip
    panels.dress(axes, _title(plane), *plane.names)
    axes.locator_params(nbins=4 if surface else 6)
    if not surface:
        axes.spines[:].set_visible(False)
        axes.set(xlim=(xs[0], xs[-1]), ylim=(ys[0], ys[-1]))
    return panels.finish()


class Plane:
    """Samples in which two features vary while the others are held.

    ``chosen``: the values of the two features in the samples. ``names``: what they are called.
    ``held``: name -> value of the others.
    """

    def __init__(
        self, X: Any, features: Sequence[Any] | None, held: Mapping[Any, Any] | None
    ) -> None:
        self.table = X if hasattr(X, "iloc") and hasattr(X, "columns") else None
        if self.table is not None:
            self._columns = list(self.table.columns)
        else:
            given = as_inputs("X", X)
            self.rows = given.take(slice(None))
            columns = given.names
            self._columns = columns or [f"feature {i}" for i in range(self.rows.shape[1])]
        if not len(self):
            raise ShapeError("X has no samples")
        count = len(self._columns)
        if count < 2:
            raise ShapeError(f"X has {count} feature: a plane needs two")
        if features is None:
            if count > 2:
                raise ValueError(
                    f"X has {count} features: choose the two that are drawn, such as "
                    f"features=({self._columns[0]!r}, {self._columns[1]!r})"
                    if self.table is not None
                    else f"X has {count} features: choose the two that are drawn, such as "
                    "features=(0, 1)"
                )
            features = (0, 1)
        if isinstance(features, str) or len(features) != 2:
            raise ValueError(f"features are two, such as (0, 1), not {features!r}")
        self.places = [self._place(feature) for feature in features]
        if self.places[0] == self.places[1]:
            raise ValueError(f"features are two different ones, not {features!r}")
        self.names = [str(self._columns[place]) for place in self.places]
        self.chosen = [self._values(place) for place in self.places]
        given_values = {self._place(feature): value for feature, value in (held or {}).items()}
        for place in given_values.keys() & set(self.places):
            raise ValueError(f"{self._columns[place]!r} is drawn, and can't be held")
        self._held = {
            place: given_values.get(place, self._middle(place))
            for place in range(count)
            if place not in self.places
        }
        self.held = {self._columns[place]: value for place, value in self._held.items()}

    def __len__(self) -> int:
        return len(self.rows if self.table is None else self.table)

    def samples(self, first: np.ndarray, second: np.ndarray) -> Any:
        """Return samples with these values of the two features: an array, or a table as X is."""
        if self.table is None:
            rows = np.empty((len(first), len(self._columns)), self.rows.dtype)
            for place, value in self._held.items():
                rows[:, place] = value
            for place, values in zip(self.places, (first, second)):
                rows[:, place] = values
            return rows
        table = self.table.iloc[np.zeros(len(first), int)].reset_index(drop=True)
        for place, value in self._held.items():
            table[self._columns[place]] = value
        for place, values in zip(self.places, (first, second)):
            table[self._columns[place]] = values
        return table

    def _place(self, feature: Any) -> int:
        if feature in self._columns:
            return self._columns.index(feature)
        if isinstance(feature, (int, np.integer)) and not isinstance(feature, bool):
            if -len(self._columns) <= feature < len(self._columns):
                return int(feature) % len(self._columns)
        names = "" if self.table is None else f": {', '.join(map(str, self._columns))}"
        raise ValueError(
            f"there is no feature {feature!r}; X has {len(self._columns)}{names}, counted from 0"
        )

    def _values(self, place: int) -> np.ndarray:
        if self.table is None:
            return self.rows[:, place].astype(np.float64)
        name = self._columns[place]
        return as_inputs(f"X[{name!r}]", self.table[[name]]).rows[:, 0].astype(np.float64)

    def _middle(self, place: int) -> Any:
        """Return the median of a feature; of one that is no number, what is there most often."""
        if self.table is None:
            return float(np.median(self.rows[:, place]))
        column = self.table[self._columns[place]]
        if column.dtype.kind in "iuf":
            return float(column.median())
        return column.mode().iloc[0]


def _places(values: np.ndarray, resolution: int) -> np.ndarray:
    low, high = float(values.min()), float(values.max())
    margin = _MARGIN * (high - low) or 0.5
    return np.linspace(low - margin, high + margin, resolution)


def _title(plane: Plane) -> str:
    """Return what other features are held at, where that is short enough to be read."""
    parts = [
        f"{name} = {value:.3g}" if isinstance(value, float) else f"{name} = {value}"
        for name, value in plane.held.items()
    ]
    if not parts:
        return ""
    return ", ".join(parts) if len(parts) <= 2 else f"{len(parts)} other features held"


def _draw_areas(panels: Panels, axes: Any, xs: np.ndarray, ys: np.ndarray, answer: Answer) -> None:
    """Draw where each class is predicted, and the lines between the areas."""
    shape, count = (len(ys), len(xs)), len(answer.labels)
    chosen = answer.chosen.reshape(shape)
    half = (xs[1] - xs[0]) / 2, (ys[1] - ys[0]) / 2
    extent = (xs[0] - half[0], xs[-1] + half[0], ys[0] - half[1], ys[-1] + half[1])
    for place in range(count):
        here = chosen == place
        share = np.ones(shape)
        if answer.shares is not None:
            share = answer.shares[:, place].reshape(shape)
        if here.any():
            # From white where the classes are equally probable to the full tone where one is sure.
            axes.imshow(np.ma.masked_where(~here, share), origin="lower", extent=extent,
                        aspect="auto", cmap=panels.style.towards(place), zorder=0,
                        vmin=1 / max(count, 2) - 0.15, vmax=1, interpolation="nearest",
                        label=str(answer.labels[place]))  # fmt: skip
        if here.any() and not here.all() and (count > 2 or place == 1):
            axes.contour(xs, ys, _lead(answer, place).reshape(shape), levels=[0],
                         colors=[panels.style.ink], linewidths=1.1, zorder=1)  # fmt: skip


def _lead(answer: Answer, place: int) -> np.ndarray:
    """Return by how much a class is more probable than all others; -1 or 1 without shares."""
    if answer.shares is None or (answer.shares.argmax(axis=1) != answer.chosen).any():
        return np.where(answer.chosen == place, 1.0, -1.0)
    others = np.delete(answer.shares, place, axis=1).max(axis=1)
    return answer.shares[:, place] - others


def _draw_classes(panels: Panels, axes: Any, plane: Plane, y: np.ndarray, labels: list) -> None:
    """Draw samples, each class with a colour and a shape of its own."""
    present = set(y.tolist())
    labels = [*labels, *sorted(present - set(labels), key=str)]
    # The more samples there are, the smaller each is.
    size = float(np.clip(2400 / max(1, len(y)), 8, 26))
    for place, label in enumerate(labels):
        which = y == label
        if which.any():
            axes.scatter(plane.chosen[0][which], plane.chosen[1][which], s=size, zorder=3,
                         marker=MARKERS[place % len(MARKERS)], color=panels.style.colour(place),
                         edgecolors=[panels.style.paper], linewidths=0.6,
                         label=str(label))  # fmt: skip
    legend = panels.legend(axes, loc="upper left", bbox_to_anchor=(1.0, 1.02), handletextpad=0.2)
    for handle in legend.legend_handles:
        handle.set_sizes([30])
