"""weights and activations: what is inside a network, layer by layer."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from aino.autograd.tensor import Tensor, make
from aino.estimators.data import as_array
from aino.nn.base.hooks import forget_empty_hooks
from aino.nn.base.module import Module
from aino.nn.modules.perceptron import Layer
from aino.plot.models import module_of, needed_module, untouched
from aino.plot.style import Panels

#: How many panels a picture has at most.
_MOST = 36
#: Bounds that activations come near to, where their slope ends.
_BOUNDS: dict[str, tuple[float | None, float | None]] = {
    "tanh": (-1.0, 1.0), "sigmoid": (0.0, 1.0), "hardsigmoid": (0.0, 1.0), "softsign": (-1.0, 1.0),
    "hardtanh": (-1.0, 1.0), "relu6": (None, 6.0),
}  # fmt: skip
#: How near is saturated: a share of the way between the bounds.
_NEAR = 0.01
#: Modules whose units are the channels of images and sequences, along axis 1.
_CHANNELS = ("Conv", "BatchNorm", "InstanceNorm", "GroupNorm", "MaxPool", "AvgPool", "Adaptive")
#: Modules whose units are along the last axis.
_FEATURES = ("Linear", "Layer", "RNN", "LSTM", "GRU", "Embedding", "Flatten", "Bilinear")


def weights(
    model: Any,
    names: str | Iterable[str] | None = None,
    *,
    view: str = "histograms",
    ax: Any = None,
    style: str | None = None,
    path: Any = None,
) -> Any:
    """Draw the parameters of a model, a panel each; return the figure.

    Arguments:
        model: a module, a ``NeuralNetwork``, or an estimator that has learned.
        names: names of parameters, or patterns such as ``"*.weight"``; all for None.
        view: "histograms" shows how the numbers are spread, "matrices" each of them as a cell, rows
            being outputs.
        ax: a sequence of axes of Matplotlib, one for each panel; a new figure for None.
        style: "light", "dark", or None: as Matplotlib, or ``ax``, is.
        path: a file to write the picture to: .svg, .pdf or .png.

    Needs Matplotlib: ``pip install 'aino[plot]'``.

    >>> import aino
    >>> figure = aino.plot.weights(aino.nn.Linear(2, 3))
    >>> [axes.get_title(loc="left") for axes in figure.axes]
    ['weight', 'bias']
    """
    if view not in ("histograms", "matrices"):
        raise ValueError(f"view is 'histograms' or 'matrices', not {view!r}")
    module = needed_module(model, "weights")
    found = {name: parameter.array for name, parameter in module.named_parameters()}
    shown = chosen(found, names, "parameter")
    return draw_arrays(shown, view, ax=ax, style=style, path=path)


def activations(
    model: Any,
    input: Any,
    names: str | Iterable[str] | None = None,
    *,
    ax: Any = None,
    style: str | None = None,
    path: Any = None,
) -> Any:
    """Draw what the modules inside a model give for an input, a panel each; return the figure.

    Of each innermost module, in the order in which they ran: how its outputs are spread, how many
    of its units are dead (0 for every sample), and how many outputs are saturated: within 1 % of a
    bound of their activation, where its slope ends. Functions that are called without a module,
    such as ``F.relu``, are not seen. The model runs in eval mode, and is afterwards what it was.

    Arguments:
        model: a module, a ``NeuralNetwork``, or an estimator that has learned.
        input: what it is given: samples, or a tuple of a module's arguments.
        names: names of modules, or patterns such as ``"layers.*"``; all for None.
        ax: a sequence of axes of Matplotlib, one for each panel; a new figure for None.
        style: "light", "dark", or None: as Matplotlib, or ``ax``, is.
        path: a file to write the picture to: .svg, .pdf or .png.

    Needs Matplotlib: ``pip install 'aino[plot]'``.

    >>> import aino
    >>> model = aino.nn.Sequential(aino.nn.Linear(2, 3), aino.nn.ReLU())
    >>> figure = aino.plot.activations(model, aino.randn(10, 2))
    >>> [axes.get_title(loc="left") for axes in figure.axes]
    ['0 (Linear)', '1 (ReLU)']
    """
    needed_module(model, "activations")
    seen = {f"{call.name} ({call.kind})".strip(): call for call in run_of(model, input)}
    by_path = {title: call.outputs for title, call in seen.items()}
    shown = chosen(by_path, names, "module")
    panels = Panels(len(shown), ax=ax, style=style, path=path, size=(3.6, 2.5))
    for axes, (title, outputs) in zip(panels.axes, shown.items()):
        draw_spread(panels, axes, outputs)
        panels.dress(axes, title)
        troubles = seen[title].troubles()
        axes.set_xlabel("\n".join(troubles), color=panels.style.warning, fontsize="small")
    return panels.finish()


@dataclass
class Call:
    """One call of an innermost module: its path, its class, its activation, what it gave.

    ``axis``: along which its units are.
    """

    name: str
    kind: str
    bounds: tuple[float | None, float | None]
    outputs: np.ndarray
    axis: int

    @property
    def dead(self) -> tuple[int, int]:
        """How many units are 0 for every sample, and how many there are."""
        outputs = np.moveaxis(self.outputs, self.axis, -1)
        outputs = outputs.reshape(-1, outputs.shape[-1])
        return int((outputs == 0).all(axis=0).sum()), outputs.shape[1]

    @property
    def saturated(self) -> float | None:
        """The share of outputs near a bound; None for an activation without bounds."""
        low, high = self.bounds
        if low is None and high is None:
            return None
        near = np.zeros(self.outputs.shape, bool)
        reach = _NEAR * ((high or 0.0) - (low or 0.0))
        if low is not None:
            near |= self.outputs <= low + reach
        if high is not None:
            near |= self.outputs >= high - reach
        return float(near.mean())

    def troubles(self) -> list[str]:
        """Return what is wrong with the outputs, in words."""
        found = []
        dead, units = self.dead
        if dead:
            found.append(f"{dead} of {units} units dead")
        if self.saturated:
            found.append(f"{100 * self.saturated:.3g} % of outputs saturated")
        lost = int((~np.isfinite(self.outputs)).sum())
        if lost:
            found.append(f"{lost} outputs not finite")
        return found


def run_of(model: Any, input: Any) -> list[Call]:
    """Return the calls of a model's innermost modules for an input, in their order."""
    calls: list[Call] = []
    module = module_of(model)
    assert module is not None
    with untouched(model), _watched(module, calls):
        if module is model:
            given = input if isinstance(input, tuple) else (input,)
            module(*[as_argument(module, part) for part in given])
        else:
            model.predict(input)
    if not calls:
        raise ValueError(f"no module inside this {type(model).__name__} gave numbers")
    return calls


@contextmanager
def _watched(module: Module, calls: list[Call]) -> Iterator[None]:
    """Note what the innermost modules give; a ``Layer`` counts as one. Leave no trace."""
    paths = {id(inner): path for path, inner in module.named_modules()}
    counts: dict[int, int] = {}
    open_calls: list[int] = []
    axis = -1

    def enter(inner: Module, args: tuple) -> None:
        open_calls.append(len(calls))

    def leave(inner: Module, args: tuple, output: Any) -> None:
        nonlocal axis
        begun = open_calls.pop()
        if isinstance(inner, Layer):
            del calls[begun:]
        elif len(calls) > begun:
            return
        while isinstance(output, (tuple, list)) and output:
            output = output[0]
        if not isinstance(output, Tensor) or output.array.dtype.kind not in "fiu":
            return
        kind = type(inner).__name__
        if kind.startswith(_CHANNELS):
            axis = 1
        elif kind.startswith(_FEATURES) or output.array.ndim < 3:
            axis = -1
        count = counts[id(inner)] = counts.get(id(inner), 0) + 1
        name = paths[id(inner)] + (f", call {count}" if count > 1 else "")
        along = axis if output.array.ndim > 2 else -1
        array = np.atleast_1d(output.detach().numpy()).copy()
        calls.append(Call(name, kind, _bounds_of(inner), array, along))

    handles = []
    try:
        for inner in module.modules():
            handles.append(inner.register_forward_pre_hook(enter, prepend=True))
            handles.append(inner.register_forward_hook(leave))
        yield
    finally:
        for handle in handles:
            handle.remove()
        for inner in module.modules():
            forget_empty_hooks(inner)


def _bounds_of(module: Module) -> tuple[float | None, float | None]:
    if type(module).__name__ == "Hardtanh":
        return module.min_val, module.max_val  # type: ignore[attr-defined]
    name = module.activation if isinstance(module, Layer) else type(module).__name__.lower()
    return _BOUNDS.get(name, (None, None))


def as_argument(module: Module, value: Any) -> Any:
    """Return an argument as a tensor; numbers with fractions in the module's dtype."""
    if isinstance(value, Tensor) or value is None:
        return value
    array = as_array("input", value)
    if getattr(module, "input_scaling", None) is not None:
        return make(array)  # which is rounded once it is scaled
    floating = [p.dtype for p in module.parameters() if p.dtype.kind == "f"]
    return make(array.astype(floating[0]) if floating and array.dtype.kind == "f" else array)


def chosen(found: dict[str, Any], names: str | Iterable[str] | None, what: str) -> dict[str, Any]:
    """Return what is named, or fits a pattern; raise where nothing is, or too much."""
    if not found:
        raise ValueError(f"this model has no {what}s")
    shown = found
    if names is not None:
        patterns = [names] if isinstance(names, str) else list(names)
        for pattern in patterns:
            if not any(_fits(name, pattern) for name in found):
                listed = ", ".join(list(found)[:8]) + (", ..." if len(found) > 8 else "")
                raise ValueError(f"no {what} is called {pattern!r}; there are {listed}")
        shown = {
            name: value
            for name, value in found.items()
            if any(_fits(name, pattern) for pattern in patterns)
        }
    if len(shown) > _MOST:
        raise ValueError(
            f"{len(shown)} {what}s are too many for one picture ({_MOST} at most): choose some by "
            f"names=, which takes patterns, such as names={next(iter(shown))!r}"
        )
    return shown


def _fits(name: str, pattern: str) -> bool:
    """Tell whether a name, or the part before its class in brackets, fits a pattern."""
    return name == pattern or any(
        fnmatch.fnmatchcase(form, pattern) for form in (name, name.rpartition(" (")[0])
    )


def draw_arrays(shown: dict[str, np.ndarray], view: str, **where: Any) -> Any:
    """Draw arrays by their names, a panel each, and return the figure."""
    panels = Panels(len(shown), size=(3.6, 2.5), **where)
    for axes, (name, array) in zip(panels.axes, shown.items()):
        panels.dress(axes, name)
        size = " × ".join(map(str, array.shape)) or "1"
        axes.set_title(size, loc="right", color=panels.style.pale, fontsize="small")
        if view == "matrices":
            _draw_matrix(panels, axes, array)
        else:
            draw_spread(panels, axes, array)
    return panels.finish()


def draw_spread(panels: Panels, axes: Any, array: np.ndarray) -> None:
    """Draw how numbers are spread, with their mean and their deviation."""
    values = np.asarray(array, np.float64).ravel()
    values = values[np.isfinite(values)]
    axes.spines["left"].set_visible(False)
    axes.set_yticks([])
    if not len(values):
        axes.set_xlabel("no finite number", color=panels.style.warning, fontsize="small")
        return
    bins = int(np.clip(2 * len(values) ** (1 / 3), 8, 60))
    counts, edges = np.histogram(values, bins)
    axes.stairs(counts, edges, fill=True, color=panels.style.colour(0), alpha=0.85)
    axes.set_ylim(0, 1.35 * counts.max())
    _say_not_finite(panels, axes, np.asarray(array))
    if edges[0] < 0 < edges[-1]:
        axes.axvline(0, color=panels.style.pale, linewidth=0.6)
    mean, deviation = values.mean(), values.std()
    mean = 0.0 if abs(mean) < 1e-12 * deviation else mean  # no more than rounding
    axes.text(0.99, 0.97, f"mean {mean:.2g}\ndeviation {deviation:.2g}",
              transform=axes.transAxes, ha="right", va="top", fontsize="x-small",
              color=panels.style.pale)  # fmt: skip
    axes.locator_params(axis="x", nbins=5)


def _draw_matrix(panels: Panels, axes: Any, array: np.ndarray) -> None:
    """Draw each number as a cell, zero in the colour of the paper."""
    matrix = array.reshape(1, -1) if array.ndim < 2 else array.reshape(len(array), -1)
    reach = float(np.abs(matrix[np.isfinite(matrix)]).max(initial=0.0)) or 1.0
    image = axes.imshow(matrix, cmap=panels.style.diverging(), vmin=-reach, vmax=reach,
                        aspect="auto", interpolation="nearest")  # fmt: skip
    axes.spines[:].set_visible(False)
    for axis, size in ((axes.xaxis, matrix.shape[1]), (axes.yaxis, matrix.shape[0])):
        if size > 1:
            axis.get_major_locator().set_params(integer=True, nbins=5)
        else:
            axis.set_ticks([])
    _say_not_finite(panels, axes, array)
    panels.scale(image, axes)


def _say_not_finite(panels: Panels, axes: Any, array: np.ndarray) -> None:
    """Say how many numbers are not to be seen."""
    count = int(np.count_nonzero(~np.isfinite(array)))
    if count:
        said = f"{count} of {array.size} not finite"
        axes.set_xlabel(said, color=panels.style.warning, fontsize="small")
