"""Heights over a plane: as colours and lines, or as a surface in three dimensions."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.plot.style import Panels, matplotlib

#: How many lines of equal height there are.
_LINES = 8


def draw_surface(
    panels: Panels,
    axes: Any,
    xs: np.ndarray,
    ys: np.ndarray,
    heights: np.ndarray,
    *,
    points: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None,
    label: str = "",
    in_space: bool = False,
    logarithmic: bool = False,
) -> None:
    """Draw heights (len(ys), len(xs)); what is not finite is left out.

    Arguments:
        panels, axes: the picture, and the panel to draw in.
        xs, ys: the places along both axes.
        heights: the heights.
        points: places and heights of samples, which are drawn above.
        label: what a height is.
        in_space: draw a surface in three dimensions.
        logarithmic: whether colours and lines go by the logarithm.
    """
    shown = np.ma.masked_invalid(heights)
    if shown.count() == 0:
        raise ValueError("there is nothing to draw: no height is a finite number")
    everything = shown.compressed() if points is None else (
        np.concatenate([shown.compressed(), points[2]])
    )  # fmt: skip
    low, high = float(everything.min()), float(everything.max())
    if low == high:
        low, high = low - 0.5, high + 0.5
    colors = matplotlib("colors")
    norm = colors.LogNorm(low, high) if logarithmic else colors.Normalize(low, high)
    style = panels.style
    if in_space:
        axes.plot_surface(*np.meshgrid(xs, ys), shown, cmap="viridis", norm=norm, alpha=0.9,
                          linewidth=0, antialiased=True)  # fmt: skip
        if points is not None:
            axes.scatter(*points, s=12, color=style.ink, depthshade=False)
        for axis in (axes.xaxis, axes.yaxis, axes.zaxis):
            axis.set_pane_color((0, 0, 0, 0))
            axis.line.set_color(style.line)
            axis._axinfo["grid"].update(color=style.line, linewidth=0.4)
        axes.set_zlabel(label, color=style.pale, fontsize="small")
        return
    half = (xs[1] - xs[0]) / 2, (ys[1] - ys[0]) / 2
    extent = (xs[0] - half[0], xs[-1] + half[0], ys[0] - half[1], ys[-1] + half[1])
    image = axes.imshow(shown, origin="lower", extent=extent, aspect="auto", cmap="viridis",
                        norm=norm, interpolation="bilinear", zorder=0)  # fmt: skip
    axes.contour(xs, ys, shown, levels=lines(shown, logarithmic), colors=["#ffffff"],
                 linewidths=0.6, linestyles="solid", alpha=0.6, zorder=1)  # fmt: skip
    if points is not None:
        axes.scatter(points[0], points[1], c=points[2], cmap="viridis", norm=norm, s=20, zorder=3,
                     edgecolors=["#1c1e21"], linewidths=0.6)  # fmt: skip
    panels.scale(image, axes, label)


def lines(heights: Any, logarithmic: bool) -> np.ndarray:
    """Return heights at which lines are drawn, inside what there is."""
    low, high = float(heights.min()), float(heights.max())
    if low == high:
        return np.array([low])
    if logarithmic:
        return np.geomspace(low, high, _LINES + 2)[1:-1]
    return np.linspace(low, high, _LINES + 2)[1:-1]
