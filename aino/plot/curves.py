"""Curves over epochs, and over learning rates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from aino.plot.style import Panels


def history(
    history: Any,
    names: str | Iterable[str] | None = None,
    *,
    ax: Any = None,
    style: str | None = None,
    path: Any = None,
) -> Any:
    """Draw the numbers of every epoch, a panel for each; return the figure.

    A number and that of the validation share a panel: ``loss`` is a full line, ``val_loss`` a
    dashed one.

    Arguments:
        history: a ``History``, a dictionary of lists, or what has learned: a network, an estimator,
            a trainer.
        names: what to draw; everything for None. ``loss`` brings ``val_loss`` with it.
        ax: a sequence of axes of Matplotlib, one for each panel; a new figure for None.
        style: "light", "dark", or None: as Matplotlib, or ``ax``, is.
        path: a file to write the picture to: .svg, .pdf or .png.

    Needs Matplotlib: ``pip install 'aino[plot]'``.

    >>> import aino
    >>> figure = aino.plot.history({"loss": [0.7, 0.4, 0.3], "val_loss": [0.8, 0.6, 0.7]})
    >>> figure.axes[0].get_title(loc="left")
    'loss'
    """
    columns = _columns(history)
    shown = list(dict.fromkeys(name.removeprefix("val_") for name in columns))
    if names is not None:
        shown = [names] if isinstance(names, str) else list(names)
        for name in shown:
            if name not in columns and f"val_{name}" not in columns:
                raise ValueError(f"the history has no {name!r}; it has {', '.join(columns)}")
    if not shown or not any(len(column) for column in columns.values()):
        raise ValueError("the history is empty: there is nothing to draw before fit()")
    panels = Panels(len(shown), ax=ax, style=style, path=path, size=(4.6, 3.2))
    for axes, name in zip(panels.axes, shown):
        both = name in columns and f"val_{name}" in columns
        for column, kind in ((name, 0), (f"val_{name}", 1)):
            if column in columns:
                _draw_curve(panels, axes, list(columns[column]), kind)
        panels.dress(axes, name, "epoch", grid="y")
        axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
        if both:
            panels.legend(axes)
    return panels.finish()


def _draw_curve(panels: Panels, axes: Any, values: list[float], kind: int) -> None:
    epochs = range(1, len(values) + 1)
    known = np.isfinite(np.array(values, np.float64))
    beside = np.concatenate([[False], known, [False]])
    alone = np.flatnonzero(known & ~beside[:-2] & ~beside[2:])  # no line leads there
    axes.plot(epochs, values, ("-", "--")[kind], color=panels.style.colour(kind), linewidth=1.6,
              marker="o", markevery=alone.tolist(), markersize=4,
              label=("training", "validation")[kind])  # fmt: skip


def draw_learning_rates(
    found: Any, *, ax: Any = None, style: str | None = None, path: Any = None
) -> Any:
    """Draw the losses at learning rates that grow, the suggestion marked; return the figure.

    Arguments:
        found: what ``Trainer.find_lr`` returned.
        ax: axes of Matplotlib to draw in; a new figure for None.
        style: "light", "dark", or None: as Matplotlib, or ``ax``, is.
        path: a file to write the picture to: .svg, .pdf or .png.
    """
    panels = Panels(ax=ax, style=style, path=path, size=(4.8, 3.4))
    axes, colours = panels.axes[0], panels.style
    axes.plot(found.rates, found.losses, color=colours.line, linewidth=1.0, label="loss of a step")
    axes.plot(found.rates, found.smoothed, color=colours.colour(0), linewidth=1.6, label="smoothed")
    if found.suggestion is not None:
        axes.axvline(found.suggestion, color=colours.colour(1), linestyle="--", linewidth=1.2,
                     label=f"suggestion {found.suggestion:.2g}")  # fmt: skip
    low = float(found.smoothed.min())
    # Where it begins to rise beyond all measure is of no interest.
    high = max(found.losses[0], float(found.smoothed[: len(found.losses) // 2 + 1].max()))
    room = max(high - low, 1e-9)
    panels.dress(axes, "", "learning rate", "loss", grid="y")
    axes.set(xscale="log", ylim=(low - 0.2 * room, high + 0.6 * room))
    panels.legend(axes)
    return panels.finish()


def _columns(given: Any) -> Mapping[str, list[float]]:
    """Return the numbers of every epoch by their names."""
    for attribute in ("history", "history_"):
        if not isinstance(given, Mapping) and isinstance(getattr(given, attribute, None), Mapping):
            given = getattr(given, attribute)
    if not isinstance(given, Mapping):
        raise TypeError(
            "a history is a dictionary from names to the numbers of the epochs, or what has one, "
            f"not a {type(given).__name__}"
        )
    return given
