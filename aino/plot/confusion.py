"""confusion_matrix: which class a model takes for which."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.errors import ShapeError
from aino.plot.models import Asked, untouched
from aino.plot.style import Panels
from aino.train.metrics import confusion_matrix as counted

#: How many classes still have a number in each cell.
_NUMBERED = 20
#: A share of 1 is not quite the strongest colour.
_FULL = 1.35


def confusion_matrix(
    model: Any,
    X: Any,
    y: Any,
    *,
    normalize: str | None = None,
    outputs: str | None = None,
    ax: Any = None,
    style: str | None = None,
    path: Any = None,
) -> Any:
    """Draw how many samples of each class (rows) are said to be of each class (columns).

    Colours are shares of the row, so that rare classes show as well as common ones. The model is
    asked in eval mode, and is afterwards what it was. Returns the figure.

    Arguments:
        model: a ``NeuralNetwork``, a module, an estimator with ``predict``, or a function that
            takes an array of samples.
        X: the samples (samples, features), or in whatever shape a module takes them.
        y: their classes (samples,).
        normalize: the numbers in the cells: None counts, "true" gives shares of the row, "pred" of
            the column, "all" of everything.
        outputs: "logits" or "probabilities": what a module gives, where that can't be told.
        ax: axes of Matplotlib to draw in; a new figure for None.
        style: "light", "dark", or None: as Matplotlib, or ``ax``, is.
        path: a file to write the picture to: .svg, .pdf or .png.

    Needs Matplotlib: ``pip install 'aino[plot]'``.

    >>> import aino
    >>> X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], ["no", "yes", "yes", "no"]
    >>> model = aino.NeuralNetwork(hidden=[4], seed=0).fit(X, y, epochs=200, verbose=False)
    >>> figure = aino.plot.confusion_matrix(model, X, y)
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['2', '0', '0', '2']
    """
    if normalize not in ("true", "pred", "all", None):
        raise ValueError(f"normalize is 'true', 'pred', 'all' or None, not {normalize!r}")
    if y is None:
        raise TypeError("y has to say which class each sample is of")
    asked = Asked(model, y, "classes", outputs)
    assert asked.y is not None
    samples = as_samples(X)
    if len(samples) != len(asked.y):
        raise ShapeError(f"X has {len(samples)} samples and y {len(asked.y)}")
    if not len(asked.y):
        raise ShapeError("X has no samples")
    with untouched(model):
        answer = asked.classes(samples)
    unknown_shares = 0 if answer.shares is None else int(np.isnan(answer.shares).any(1).sum())
    if unknown_shares:
        raise ValueError(
            f"the model gives NaN for {unknown_shares} of {len(asked.y)} samples, which is no "
            "class: with aino.debug.find_nan(model): ... names the operation that makes it"
        )
    unknown = set(asked.y.tolist()) - set(answer.labels)
    labels = [*answer.labels, *sorted(unknown, key=str)]
    places = {label: place for place, label in enumerate(labels)}
    right = np.array([places[label] for label in asked.y.tolist()], np.int64)
    known = list(range(len(labels)))
    matrix = counted(answer.chosen, right, labels=known, normalize=normalize)
    shares = counted(answer.chosen, right, labels=known, normalize="true")

    side = float(np.clip(1.6 + 0.55 * len(labels), 3.4, 9.0))
    panels = Panels(ax=ax, style=style, path=path, size=(side + 0.4, side))
    axes = panels.axes[0]
    panels.dress(axes, f"{np.trace(counted(answer.chosen, right)) / len(right):.1%} right",
                 "predicted", "true")  # fmt: skip
    axes.imshow(shares, cmap=panels.style.sequential(), vmin=0, vmax=_FULL, aspect="equal")
    axes.spines[:].set_visible(False)
    named = [str(label) for label in labels]
    turned = 45 if sum(map(len, named)) > 12 * side / 2 else 0
    axes.set_xticks(known, named, rotation=turned, ha="right" if turned else "center")
    axes.set_yticks(known, named)
    axes.tick_params(length=0)
    if len(labels) <= _NUMBERED:
        _write_numbers(panels, axes, matrix, shares)
    return panels.finish()


def as_samples(X: Any) -> Any:
    """Return samples as an array; a table stays one."""
    if hasattr(X, "iloc") or hasattr(X, "tocsr"):
        return X
    return X.detach().numpy() if hasattr(X, "detach") else np.asarray(X)


def _write_numbers(panels: Panels, axes: Any, matrix: np.ndarray, shares: np.ndarray) -> None:
    """Write each number into its cell, in ink that is read on it."""
    size = "medium" if len(matrix) <= 10 else "x-small"
    for (row, column), number in np.ndenumerate(matrix):
        text = str(number) if matrix.dtype.kind == "i" else f"{number:.2f}"
        full = shares[row, column] > 0.55
        axes.text(column, row, text, ha="center", va="center", fontsize=size,
                  color=panels.style.on_much if full else panels.style.ink)  # fmt: skip
