"""A tensor in a notebook: its numbers, or the first of them, some figures and a picture."""

from __future__ import annotations

import base64
from html import escape
from typing import Any

import numpy as np

from aino.autograd.labels import label_of
from aino.autograd.tensor import Tensor
from aino.drawing.numbers import brief, shorten
from aino.drawing.scene import largest_of, png
from aino.drawing.statistics import statistics
from aino.explaining.showing.parts import odd, or_text, pairs, places, shown, svg, table, writing
from aino.nn.base.uninitialized import is_lazy
from aino.ops.tensor.printing import notation_of

#: Of tensors with more elements than this no figures are computed: that would take seconds.
_MOST = 1 << 24
#: Heat maps have at most so many cells a side, histograms look at about so many elements.
_CELLS, _COUNTED = 48, 1 << 18
_BINS = 32
_BELOW, _ABOVE, _NONE = (213, 94, 0), (0, 114, 178), (128, 128, 128)


@or_text
def html_of(tensor: Tensor) -> str | None:
    """Return a tensor as HTML, None where it has no numbers of its own, as in a transform."""
    array = tensor.array
    if not isinstance(array, np.ndarray) or is_lazy(tensor):
        return None
    said = [_head(tensor, array)]
    if not array.size:
        said.append("<p>no elements</p>")
        return shown("".join(said))
    numbers, whole = _numbers(array)
    said.append(numbers)
    if not whole:
        figures = _figures(array)
        said = [said[0], f'<div class="aino-side">{numbers}<div>{figures}</div></div>']
    return shown("".join(said))


def _head(tensor: Tensor, array: np.ndarray) -> str:
    label = label_of(tensor)
    name = f"<b>{escape(shorten(label, 60))}</b> " if label else ""
    shape = " × ".join([f"{length:,}" for length in array.shape]) or "0-d"
    kinds = [kind.__name__ for kind in type(tensor).__mro__]
    kind = next(kind for kind in kinds if kind[0] != "_")  # a neuron's row is a parameter, too
    facts = [f"<b>{escape(kind)}</b>", shape, array.dtype.name]
    made_by = tensor.grad_fn
    if made_by is not None:
        facts.append(f"grad_fn {escape(made_by.name())}")
    elif tensor.requires_grad:
        facts.append("requires_grad")
    return f"<p>{name}{' · '.join(facts)}</p>"


# Numbers


def _numbers(array: np.ndarray) -> tuple[str, bool]:
    """Return a table of numbers, and whether it holds them all."""
    matrix, caption = array, ""
    if array.ndim > 2:
        outer = array.ndim - 2
        matrix = array[(0,) * outer]
        caption = f"[{', '.join([*['0'] * outer, ':', ':'])}]"
    rows: list[int | None] = places(len(matrix)) if matrix.ndim == 2 else [0]
    matrix = np.atleast_2d(matrix)
    columns = places(matrix.shape[1])
    kept = matrix[np.ix_(_known(rows), _known(columns))]
    write = notation_of(kept)
    lines = iter(kept.tolist())
    written = []
    for row in rows:
        numbers = iter(() if row is None else next(lines))
        cells = [
            "…" if row is None or column is None else _cell(next(numbers), write)
            for column in columns
        ]
        written.append(("" if array.ndim < 2 else _place(row), cells))
    whole = array.ndim <= 2 and None not in rows and None not in columns
    heads = ["", *map(_place, columns)] if array.ndim else []
    return table(heads, written, caption), whole


def _known(shown: list[int | None]) -> list[int]:
    return [place for place in shown if place is not None]


def _place(place: int | None) -> str:
    return "…" if place is None else f"{place}"


def _cell(number: Any, write: Any) -> str:
    text = write(number).strip()
    return escape(text) if np.isfinite(number) else odd(text)


# Figures


def _figures(array: np.ndarray) -> str:
    if array.size > _MOST:
        return f"<p>{array.size:,} elements: too many to look at all of them here</p>"
    if array.dtype == bool:
        named = [("True", f"{np.count_nonzero(array):,} of {array.size:,}")]
    else:
        named = _extremes(array)
    picture = _heat_map(array) if array.ndim == 2 and min(array.shape) > 1 else _histogram(array)
    return pairs(named) + picture


def _extremes(array: np.ndarray) -> list[tuple[str, str]]:
    with np.errstate(all="ignore"):
        found = statistics(array)
    if not np.isfinite(found.get("mean", 0.0)):  # of numbers whose sum no float64 holds
        del found["mean"]
    if array.dtype.kind in "iu":  # whole, however large
        found |= {"min": int(array.min()), "max": int(array.max())}
    names: tuple[str, ...] = ("min", "mean", "max")
    named = [(name, brief(found[name])) for name in names if name in found]
    amiss = [(found["nan"], "NaN"), (found["infinite"], "infinite")]
    for count, name in amiss:
        if count:
            named.append((name, odd(f"{count:,} of {array.size:,}")))
    if array.dtype.kind in "fc" and not any([count for count, _ in amiss]):
        named.append(("NaN, infinite", "none"))
    return named


def _picked(length: int, most: int) -> slice:
    """Return evenly spaced places, at most so many."""
    return slice(None, None, -(-length // most))


def _sizes(array: np.ndarray) -> np.ndarray:
    """Return the numbers that a picture shows: magnitudes of complex ones."""
    with np.errstate(all="ignore"):
        return np.abs(array) if array.dtype.kind == "c" else array.astype(np.float64)


def _heat_map(array: np.ndarray) -> str:
    rows, columns = (_picked(length, _CELLS) for length in array.shape)
    numbers = _sizes(array[rows, columns])
    largest = largest_of(numbers)
    data = base64.b64encode(png(_pixels(numbers, largest))).decode()
    tall, wide = numbers.shape
    scale = min(12.0, 150.0 / max(tall, wide))
    width, height = max(8.0, scale * wide), max(8.0, scale * tall)
    body = (
        f'<image x="0" y="0" width="{width:g}" height="{height:g}" preserveAspectRatio="none" '
        f'style="image-rendering:pixelated" href="data:image/png;base64,{data}"/>'
        f'<rect x=".5" y=".5" width="{width - 1:g}" height="{height - 1:g}" fill="none" '
        'style="stroke:var(--aino-line)"/>'
    )
    title = f"heat map of {array.shape[0]:,} × {array.shape[1]:,} elements"
    picked = [
        f"every {_ordinal(step.step)} {name}"
        for step, name in ((rows, "row"), (columns, "column"))
        if step.step > 1
    ]
    said = f"{'|x|' if array.dtype.kind == 'c' else 'blue:'} up to {brief(largest)}"
    if (numbers < 0).any():
        said += f", orange: down to {brief(-largest)}"
    if not np.isfinite(numbers).all():
        said += ", grey: no number"
    note = "; ".join([said, *picked])
    return (
        f"<figure>{svg(width, height, f'{title}; {note}', body)}"
        f"<figcaption>{escape(note)}</figcaption></figure>"
    )


def _ordinal(number: int) -> str:
    """Return a number as it counts: ``2nd``, ``11th``, ``23rd``."""
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if number % 100 in (11, 12, 13) else ending}"


def _pixels(numbers: np.ndarray, largest: float) -> np.ndarray:
    """Return colours that are the more opaque the larger a number is; grey for what is none."""
    known = np.isfinite(numbers)
    share = np.clip(np.where(known, numbers, 0.0) / largest, -1.0, 1.0)
    pixels = np.empty((*numbers.shape, 4), np.uint8)
    pixels[..., :3] = np.where(
        known[..., None], np.where(share[..., None] < 0, _BELOW, _ABOVE), _NONE
    )
    # In steps that no eye tells apart, which a PNG writes in half the bytes.
    pixels[..., 3] = np.where(known, np.round(np.abs(share) * 24) * 255 / 24, 255)
    return pixels


def _histogram(array: np.ndarray) -> str:
    flat = array.reshape(-1) if array.flags.c_contiguous or array.size <= _COUNTED else array.flat
    step = _picked(array.size, _COUNTED)
    numbers = _sizes(np.asarray(flat[step]))
    numbers = numbers[np.isfinite(numbers)]
    if not numbers.size or numbers.min() == numbers.max():
        return ""
    low, high = float(numbers.min()), float(numbers.max())
    with np.errstate(all="ignore"):
        if not np.isfinite(high - low):  # a range that no float64 holds has no bins
            return ""
        counts, _ = np.histogram(numbers, _BINS, (low, high))
    width, height, under = 224.0, 76.0, 16.0
    each = width / len(counts)
    bars = []
    for place, count in enumerate(counts.tolist()):
        if count:
            tall = max(1.0, (height - 4) * count / counts.max())
            left = place * each
            bars.append(f"M{left + 0.5:g} {height:g}v{-tall:.1f}h{each - 1:g}V{height:g}z")
    body = (
        f'<path d="{"".join(bars)}" style="fill:var(--aino-incoming)"/>'
        f'<path d="M0 {height:g}H{width:g}" style="stroke:var(--aino-line)"/>'
        f"{writing(0, height + 13, brief(low))}{writing(width, height + 13, brief(high), 'end')}"
    )
    what = "magnitudes of " if array.dtype.kind == "c" else ""
    spaced = f", every {_ordinal(step.step)}" if step.step > 1 else ""
    title = (
        f"histogram of {what}{array.size:,} elements{spaced}, from {brief(low)} to {brief(high)}; "
        f"the fullest bin has {int(counts.max()):,}"
    )
    return svg(width, height + under, title, body)
