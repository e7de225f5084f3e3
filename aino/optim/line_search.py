"""A line search for the strong Wolfe conditions, in plain Python numbers.

Source: Nocedal and Wright, "Numerical optimization", 2nd edition, algorithms 3.5 and 3.6; the
order of evaluations is PyTorch's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple


class Point(NamedTuple):
    """What is known at a distance ``t`` along the line: loss, gradient, slope."""

    t: float
    loss: float
    gradient: Any
    slope: float


def cubic_minimum(first: Point, second: Point, bounds: tuple[float, float] | None = None) -> float:
    """Return where the cubic through two points with slopes is smallest, within the bounds."""
    low, high = bounds or (min(first.t, second.t), max(first.t, second.t))
    if first.t > second.t:
        first, second = second, first
    width = second.t - first.t
    if width == 0:
        return (low + high) / 2
    d1 = first.slope + second.slope - 3 * (first.loss - second.loss) / (first.t - second.t)
    square = d1 * d1 - first.slope * second.slope
    if not square >= 0:
        return (low + high) / 2
    d2 = square**0.5
    divisor = second.slope - first.slope + 2 * d2
    if divisor == 0:
        return (low + high) / 2
    return min(max(second.t - width * ((second.slope + d2 - d1) / divisor), low), high)


def strong_wolfe(
    evaluate: Callable[[float], Point],
    start: Point,
    t: float,
    longest: float,
    most_evaluations: int,
    tolerance_change: float,
    c1: float = 1e-4,
    c2: float = 0.9,
) -> tuple[Point, int]:
    """Return a point that satisfies the strong Wolfe conditions, and how often it evaluated.

    ``longest`` is the largest component of the direction: a bracket shorter than
    ``tolerance_change`` of it is not divided further.
    """
    before, point = start, evaluate(t)
    evaluations, tries = 1, 0
    bracket: list[Point] = []
    while tries < most_evaluations:
        if point.loss > start.loss + c1 * point.t * start.slope or (
            tries > 1 and point.loss >= before.loss
        ):
            bracket = [before, point]
            break
        if abs(point.slope) <= -c2 * start.slope:
            return point, evaluations
        if point.slope >= 0:
            bracket = [before, point]
            break
        bounds = (point.t + 0.01 * (point.t - before.t), point.t * 10)
        t = cubic_minimum(before, point, bounds)
        before, point = point, evaluate(t)
        evaluations += 1
        tries += 1
    if tries == most_evaluations:
        bracket = [start, point]

    low, high = (0, 1) if bracket[0].loss <= bracket[1].loss else (1, 0)
    stuck = False
    while tries < most_evaluations:
        left, right = sorted((bracket[0].t, bracket[1].t))
        if (right - left) * longest < tolerance_change:
            break
        t = cubic_minimum(bracket[0], bracket[1])
        # Near an end of the bracket, go a tenth inwards when that happens twice.
        margin = 0.1 * (right - left)
        if min(right - t, t - left) < margin:
            if stuck or t >= right or t <= left:
                t = right - margin if abs(t - right) < abs(t - left) else left + margin
                stuck = False
            else:
                stuck = True
        else:
            stuck = False
        point = evaluate(t)
        evaluations += 1
        tries += 1
        if point.loss > start.loss + c1 * t * start.slope or point.loss >= bracket[low].loss:
            bracket[high] = point
            low, high = (0, 1) if bracket[0].loss <= bracket[1].loss else (1, 0)
            continue
        done = abs(point.slope) <= -c2 * start.slope
        if not done and point.slope * (bracket[high].t - bracket[low].t) >= 0:
            bracket[high] = bracket[low]
        bracket[low] = point
        if done:
            break
    return bracket[low], evaluations
