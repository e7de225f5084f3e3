"""History: the numbers of every epoch, by name."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Any


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

    def plot(self, names: Iterable[str] | None = None, *, path: Any = None) -> Any:
        """Draw the curves with matplotlib (``pip install 'aino[plot]'``); return the figure.

        A number and that of the validation share a panel: ``loss`` is a full line, ``val_loss`` a
        dashed one.

        Arguments:
            names: what to draw; everything for None. ``loss`` brings ``val_loss`` with it.
            path: a file to write the picture to: .png, .svg or .pdf.
        """
        panels = list(dict.fromkeys(name.removeprefix("val_") for name in self))
        if names is not None:
            panels = [names] if isinstance(names, str) else list(names)
            for name in panels:
                if name not in self and f"val_{name}" not in self:
                    raise ValueError(f"the history has no {name!r}; it has {', '.join(self)}")
        if not self.epochs or not panels:
            raise ValueError("the history is empty: there is nothing to draw before fit()")
        Figure = import_module("matplotlib.figure").Figure
        figure = Figure(figsize=(4.8 * len(panels), 3.4), layout="constrained")
        for axes, name in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels):
            for column, style in ((name, "-"), (f"val_{name}", "--")):
                if column in self:
                    epochs = range(1, len(self[column]) + 1)
                    marker = "o" if len(epochs) == 1 else ""
                    label = "validation" if style == "--" else "training"
                    axes.plot(epochs, self[column], style, marker=marker, color="#1f4e79",
                              label=label)  # fmt: skip
            axes.set(title=name, xlabel="epoch")
            axes.xaxis.get_major_locator().set_params(integer=True)
            axes.spines[["top", "right"]].set_visible(False)
            axes.grid(alpha=0.25)
            if name in self and f"val_{name}" in self:
                axes.legend(frameon=False)
        if path is not None:
            figure.savefig(path)
        return figure
