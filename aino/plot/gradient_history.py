"""gradients: how large they are, layer by layer, now or over a training."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from aino.nn.base.module import Module
from aino.plot.layers import chosen, draw_arrays
from aino.plot.models import needed_module
from aino.plot.style import Panels
from aino.train.callbacks.callback import Callback

#: Decades of sizes that are told apart, and in how many steps each of them.
_LOWEST, _HIGHEST, _STEPS = -12, 4, 4
#: Which share of the smallest is not worth the room that it would take.
_RARE = 0.005
EDGES = np.linspace(_LOWEST, _HIGHEST, (_HIGHEST - _LOWEST) * _STEPS + 1)


class GradientHistory(Callback):
    """Counts, step by step, how many elements of each gradient are of which size.

    As one of a trainer's ``callbacks`` it looks before gradients are clipped and used; in a loop
    of one's own, ``record(model)`` after ``backward()`` does the same. ``aino.plot.gradients``
    draws it. Sizes are kept as counts in quarters of a decade, from 1e-12 to 1e4, what lies beyond
    in the outermost; zeros and what is not finite are counted apart.

    Arguments:
        every: look at each step (1), at every tenth (10), and so on.

    >>> import aino
    >>> model = aino.nn.Linear(2, 1)
    >>> seen = aino.plot.GradientHistory()
    >>> model(aino.ones(4, 2)).sum().backward()
    >>> seen.record(model)
    >>> seen.steps, int(seen.counts("weight").sum())
    ([1], 2)
    """

    def __init__(self, every: int = 1) -> None:
        if isinstance(every, bool) or not isinstance(every, int) or every < 1:
            raise ValueError(f"every is a whole number, 1 or more, not {every!r}")
        self.every = every
        #: The steps that were looked at.
        self.steps: list[int] = []
        self._seen = 0
        #: name -> a row of counts for each of the steps: by size, then zeros, then not finite.
        self._rows: dict[str, list[np.ndarray]] = {}

    @property
    def names(self) -> list[str]:
        """The names of the parameters that have had gradients."""
        return list(self._rows)

    def counts(self, name: str) -> np.ndarray:
        """Return the counts by size (steps, sizes) of a parameter's gradient; 0 without one."""
        return self._table(name)[:, :-2]

    def zeros(self, name: str) -> np.ndarray:
        """Return how many elements of a parameter's gradient were 0 at each step (steps,)."""
        return self._table(name)[:, -2]

    def not_finite(self, name: str) -> np.ndarray:
        """Return how many elements of a parameter's gradient were no numbers (steps,)."""
        return self._table(name)[:, -1]

    def medians(self, name: str) -> np.ndarray:
        """Return the size in the middle of a parameter's gradient at each step, zeros left out.

        To within a quarter of a decade, (steps,); NaN where there was nothing but zeros.
        """
        counts = self.counts(name)
        sums = np.cumsum(counts, axis=1)
        half = np.maximum(sums[:, -1], 1) / 2
        place = (sums >= half[:, None]).argmax(axis=1)
        rows = np.arange(len(counts))
        inside = np.maximum(counts[rows, place], 1)
        share = (half - (sums[rows, place] - counts[rows, place])) / inside
        middle = 10 ** (EDGES[place] + share / _STEPS)
        return np.where(sums[:, -1] > 0, middle, np.nan)

    def record(self, model: Any) -> None:
        """Look at the gradients that a model has now; those of an earlier step are told apart.

        Arguments:
            model: the module, after ``backward()``.
        """
        module = needed_module(model, "gradients")
        self._seen += 1
        if (self._seen - 1) % self.every:
            return
        found = {
            name: _counted(parameter.grad.array)
            for name, parameter in module.named_parameters()
            if parameter.grad is not None
        }
        if not found:
            self._seen -= 1
            raise ValueError("no parameter has a gradient: record(model) comes after backward()")
        nothing = np.zeros(len(EDGES) + 1, np.int64)
        for name in {**self._rows, **found}:
            rows = self._rows.setdefault(name, [nothing] * len(self.steps))
            rows.append(found.get(name, nothing))
        self.steps.append(self._seen)

    def on_gradients(self, loop: Any) -> None:
        self.record(loop.model)

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint keeps of it."""
        rows = {name: np.array(rows) for name, rows in self._rows.items()}
        return {"steps": list(self.steps), "seen": self._seen, "rows": rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what ``state_dict`` returned.

        Arguments:
            state_dict: the state.
        """
        self.steps, self._seen = list(state_dict["steps"]), state_dict["seen"]
        self._rows = {name: list(np.asarray(rows)) for name, rows in state_dict["rows"].items()}

    def _table(self, name: str) -> np.ndarray:
        if name not in self._rows:
            known = ", ".join(self._rows) or "none yet"
            raise ValueError(f"no gradient of {name!r} was recorded; there are {known}")
        return np.array(self._rows[name])

    def __repr__(self) -> str:
        return f"<gradients of {len(self._rows)} parameters at {len(self.steps)} steps>"


def gradients(
    source: Any,
    names: str | Iterable[str] | None = None,
    *,
    ax: Any = None,
    style: str | None = None,
    path: Any = None,
) -> Any:
    """Draw how large gradients are, a panel for each parameter; return the figure.

    Of a ``GradientHistory`` over the steps of a training: the deeper the colour, the more of the
    elements are of that size, and a line goes through the middle. Of a model, the spread of the
    gradients that it has now.

    Arguments:
        source: a ``GradientHistory``, or a model after ``backward()``.
        names: names of parameters, or patterns such as ``"*.weight"``; all for None.
        ax: a sequence of axes of Matplotlib, one for each panel; a new figure for None.
        style: "light", "dark", or None: as Matplotlib, or ``ax``, is.
        path: a file to write the picture to: .svg, .pdf or .png.

    Needs Matplotlib: ``pip install 'aino[plot]'``.

    >>> import aino
    >>> seen = aino.plot.GradientHistory()
    >>> X, y = aino.randn(32, 2), aino.randn(32)
    >>> model = aino.NeuralNetwork([2, 4, 1], seed=0)
    >>> model = model.fit(X, y, epochs=3, callbacks=[seen], verbose=False)
    >>> figure = aino.plot.gradients(seen, "*.weight")
    >>> [axes.get_title(loc="left") for axes in figure.axes[:2]]
    ['layers.0.weight', 'layers.1.weight']
    """
    if not isinstance(source, GradientHistory):
        module: Module = needed_module(source, "gradients")
        now = {
            name: parameter.grad.array
            for name, parameter in module.named_parameters()
            if parameter.grad is not None
        }
        if not now:
            raise ValueError("no parameter has a gradient: call backward() first")
        shown = chosen(now, names, "gradient")
        return draw_arrays(shown, "histograms", ax=ax, style=style, path=path)
    if not source.steps:
        raise ValueError(
            "nothing was recorded: give it to a training as one of its callbacks, or call "
            "record(model) after backward()"
        )
    picked = list(chosen(dict.fromkeys(source.names), names, "gradient"))
    panels = Panels(len(picked), ax=ax, style=style, path=path, size=(3.7, 2.7))
    low, high = _range(np.array([source.counts(name).sum(axis=0) for name in picked]).sum(axis=0))
    for axes, name in zip(panels.axes, picked):
        image = _draw_history(panels, axes, source, name)
        axes.set_ylim(low, high)
    panels.scale(image, panels.axes, "share of the elements")
    return panels.finish()


def _counted(gradient: Any) -> np.ndarray:
    """Return how many elements are of which size, how many are 0, and how many no numbers."""
    sizes = np.abs(np.asarray(gradient)).astype(np.float64).ravel()
    finite = sizes[np.isfinite(sizes)]
    logarithms = np.log10(finite[finite > 0])
    counts = np.histogram(np.clip(logarithms, _LOWEST, _HIGHEST), EDGES)[0]
    zeros = len(finite) - len(logarithms)
    return np.array([*counts, zeros, len(sizes) - len(finite)], np.int64)


def _range(counts: np.ndarray) -> tuple[float, float]:
    """Return the sizes between which nearly everything lies, with a little room."""
    if not counts.sum():
        return 10.0**_LOWEST, 10.0**_HIGHEST
    shares = np.cumsum(counts) / counts.sum()
    lowest = int((shares > _RARE).argmax())
    highest = int(np.flatnonzero(counts)[-1]) + 1
    return 10 ** (EDGES[lowest] - 0.25), 10 ** (EDGES[highest] + 0.25)


def _draw_history(panels: Panels, axes: Any, source: GradientHistory, name: str) -> Any:
    counts, style = source.counts(name), panels.style
    zeros, lost = source.zeros(name), source.not_finite(name)
    elements = np.maximum(counts.sum(axis=1) + zeros + lost, 1)
    steps = np.array(source.steps, np.float64)
    # A step reaches half-way to its neighbours.
    between = (steps[1:] + steps[:-1]) / 2
    edges = np.concatenate([[steps[0] - 0.5 * source.every], between, [steps[-1]
                            + 0.5 * source.every]])  # fmt: skip
    image = axes.pcolormesh(edges, 10**EDGES, (counts / elements[:, None]).T, vmin=0, vmax=0.4,
                            cmap=style.sequential(), rasterized=True)  # fmt: skip
    marker = "o" if len(steps) == 1 else ""
    axes.plot(steps, source.medians(name), color=style.colour(1), linewidth=1.4, marker=marker)
    panels.dress(axes, name, "step")
    axes.set_yscale("log")
    axes.minorticks_off()
    axes.xaxis.get_major_locator().set_params(integer=True, nbins=6)
    troubles = []
    if zeros[-1]:
        troubles.append(f"{zeros[-1] / elements[-1]:.0%} are 0 at the end")
    if lost.any():
        troubles.append(f"not finite from step {source.steps[int((lost > 0).argmax())]} on")
    if troubles:
        axes.set_xlabel("step: " + ", ".join(troubles), color=style.warning, fontsize="small")
    return image
