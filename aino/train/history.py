"""History: the numbers of every epoch, by name."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Any

from aino.plot import curves


class History(dict[str, list[float]]):
    """The numbers of every epoch: a dictionary from a name to a list, one number an epoch.

    What was not measured in an epoch is NaN there, so that all lists are of one length.

    >>> history = History(loss=[0.7, 0.4])
    >>> history.add({"loss": 0.3, "val_loss": 0.5})
    >>> history
    {'loss': [0.7, 0.4, 0.3], 'val_loss': [nan, nan, 0.5]}
    """

    @property
    def epochs(self) -> int:
        """How many epochs there were."""
        return max(map(len, self.values()), default=0)

    def add(self, values: Mapping[str, float]) -> None:
        """Add the numbers of one more epoch."""
        if self.keys() == values.keys():  # the usual case, in a third of the time
            for name, value in values.items():
                self[name].append(float(value))
            return
        epochs = self.epochs
        for name in {**self, **values}:
            column = self.setdefault(name, [])
            column += [math.nan] * (epochs - len(column))
            column.append(float(values.get(name, math.nan)))

    def last(self) -> dict[str, float]:
        """Return the numbers of the last epoch that were measured."""
        return {name: column[-1] for name, column in self.items() if column[-1] == column[-1]}

    def _repr_html_(self) -> str | None:
        """Return the last epochs as a table and all of them as curves, for notebooks."""
        return import_module("aino.explaining.showing.histories").html_of(self)

    def plot(
        self,
        names: str | Iterable[str] | None = None,
        *,
        ax: Any = None,
        style: str | None = None,
        path: Any = None,
    ) -> Any:
        """Draw the curves with matplotlib (``pip install 'aino[plot]'``); return the figure.

        A number and that of the validation share a panel: ``loss`` is a full line, ``val_loss`` a
        dashed one.

        Arguments:
            names: what to draw; everything for None. ``loss`` brings ``val_loss`` with it.
            ax: a sequence of axes of matplotlib, one for each panel; a new figure for None.
            style: "light", "dark", or None: as matplotlib, or ``ax``, is.
            path: a file to write the picture to: .svg, .pdf or .png.
        """
        return curves.history(self, names, ax=ax, style=style, path=path)
