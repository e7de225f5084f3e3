"""attention: where each head looks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from aino.autograd.tensor import Tensor
from aino.errors import ShapeError
from aino.nn.base.hooks import forget_empty_hooks
from aino.nn.base.module import Module
from aino.nn.modules.multihead_attention import MultiheadAttention
from aino.plot.models import untouched
from aino.plot.style import Panels

#: How many places still have each a name.
_NAMED = 32
#: How many heads stand side by side.
_COLUMNS = 4


def attention(
    model: Any,
    *inputs: Any,
    sample: int = 0,
    queries: Sequence[Any] | None = None,
    keys: Sequence[Any] | None = None,
    ax: Any = None,
    style: str | None = None,
    path: Any = None,
    **options: Any,
) -> Any:
    """Draw where each head of attention looks: rows are queries, columns keys; return the figure.

    Arguments:
        model: weights (heads, queries, keys), those of several samples
            (samples, heads, queries, keys) or of one head (queries, keys); or a module, which is
            run in eval mode, and whose every ``MultiheadAttention`` is shown.
        inputs: the arguments of the module.
        sample: which sample of the batch is shown.
        queries, keys: what the places are called, such as words; ``keys`` is ``queries`` for None,
            where there are as many.
        ax: a sequence of axes of Matplotlib, one for each head; a new figure for None.
        style: "light", "dark", or None: as Matplotlib, or ``ax``, is.
        path: a file to write the picture to: .svg, .pdf or .png.
        options: keyword arguments of the module.

    Needs Matplotlib: ``pip install 'aino[plot]'``.

    >>> import aino
    >>> heads = aino.nn.MultiheadAttention(8, 2, batch_first=True)
    >>> x = aino.randn(1, 5, 8)
    >>> figure = aino.plot.attention(heads, x, x, x)
    >>> figure.axes[0].images[0].get_array().shape
    (5, 5)
    """
    if isinstance(model, Module):
        found = _weights_of(model, inputs, options)
    elif inputs or options:
        raise TypeError("weights need no inputs: give a module with inputs, or weights alone")
    else:
        found = {"": model.detach().numpy() if isinstance(model, Tensor) else np.asarray(model)}
    shown = {}
    for name, weights in found.items():
        heads = _heads(weights, sample)
        for place, head in enumerate(heads):
            alone = len(heads) == 1 and not name
            shown["" if alone else f"{name} head {place + 1}".strip()] = head
    first = next(iter(shown.values()))
    queries = _names("queries", queries, first.shape[0])
    if keys is None and queries is not None and first.shape[1] == len(queries):
        keys = queries
    keys = _names("keys", keys, first.shape[1])

    panels = Panels(len(shown), ax=ax, style=style, path=path, columns=_COLUMNS, size=(2.9, 2.8))
    most = max(float(np.nanmax(head)) for head in shown.values()) or 1.0
    for place, (axes, (title, head)) in enumerate(zip(panels.axes, shown.items())):
        panels.dress(axes, title, "key", "" if place % _COLUMNS else "query")
        image = axes.imshow(head, cmap=panels.style.sequential(), vmin=0, vmax=most,
                            aspect="equal", interpolation="nearest")  # fmt: skip
        axes.spines[:].set_visible(False)
        axes.tick_params(length=0)
        for axis, names, size in ((axes.xaxis, keys, head.shape[1]), (axes.yaxis, queries,
                                                                     head.shape[0])):  # fmt: skip
            if names is not None and size == len(names) and size <= _NAMED:
                axis.set_ticks(range(size), [str(name) for name in names])
            else:
                axis.get_major_locator().set_params(integer=True, nbins=6)
        if keys is not None and len(keys) == head.shape[1]:
            axes.tick_params(axis="x", labelrotation=90)
    panels.scale(image, panels.axes, "weight", shrink=0.8)
    return panels.finish()


def _heads(weights: np.ndarray, sample: int) -> np.ndarray:
    """Return the heads of one sample (heads, queries, keys)."""
    if weights.ndim not in (2, 3, 4) or 0 in weights.shape or weights.dtype.kind != "f":
        raise ShapeError(
            "weights of attention are numbers (heads, queries, keys), (queries, keys), or "
            f"(samples, heads, queries, keys), not {weights.dtype} of shape {weights.shape}"
        )
    if weights.ndim == 4:
        if not -len(weights) <= sample < len(weights):
            raise ValueError(f"there is no sample {sample}: the batch has {len(weights)}")
        weights = weights[sample]
    if np.nanmin(weights) < 0:
        raise ValueError("weights of attention are 0 or more: these are scores; softmax them first")
    return weights if weights.ndim == 3 else weights[None]


def _names(what: str, given: Sequence[Any] | None, count: int) -> Sequence[Any] | None:
    if given is not None and len(given) != count:
        raise ValueError(f"{what} names {len(given)} places, and there are {count}")
    return given


def _weights_of(module: Module, inputs: tuple, options: dict[str, Any]) -> dict[str, np.ndarray]:
    """Return the weights of every attention that a module runs, (samples, heads, L, S) each."""
    found: dict[str, np.ndarray] = {}
    with untouched(module), _watched(module, found):
        module(*inputs, **options)
    if not found:
        raise ValueError(
            f"no MultiheadAttention runs in this {type(module).__name__}: give the weights "
            "themselves, (heads, queries, keys)"
        )
    return found


@contextmanager
def _watched(module: Module, found: dict[str, np.ndarray]) -> Iterator[None]:
    """Have attention return the weights of each head, and give callers what they asked for."""
    layers = {
        inner: path for path, inner in module.named_modules()
        if isinstance(inner, MultiheadAttention)
    }  # fmt: skip
    asked: list[tuple[bool, bool]] = []

    def enter(inner: Module, args: tuple, kwargs: dict[str, Any]) -> tuple[tuple, dict[str, Any]]:
        names = ("query", "key", "value", "key_padding_mask", "need_weights", "attn_mask",
                 "average_attn_weights", "is_causal")  # fmt: skip
        kwargs = {**dict(zip(names, args)), **kwargs}
        asked.append((kwargs.get("need_weights", True), kwargs.get("average_attn_weights", True)))
        return (), kwargs | {"need_weights": True, "average_attn_weights": False}

    def leave(inner: Any, args: tuple, output: Any) -> Any:
        result, weights = output
        needed, averaged = asked.pop()
        array = weights.detach().numpy()
        name = layers[inner]
        count = sum(other == name or other.startswith(f"{name}, call ") for other in found)
        found[f"{name}, call {count + 1}" if count else name] = (
            array if array.ndim == 4 else array[None]
        ).copy()
        return result, (weights.mean(-3) if averaged else weights) if needed else None

    handles = []
    try:
        for inner in layers:
            handles.append(inner.register_forward_pre_hook(enter, with_kwargs=True))
            handles.append(inner.register_forward_hook(leave))
        yield
    finally:
        for handle in handles:
            handle.remove()
        for inner in layers:
            forget_empty_hooks(inner)
