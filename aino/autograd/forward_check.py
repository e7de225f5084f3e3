"""What ``gradcheck`` makes sure of in forward mode: tangents are differences along them."""

from __future__ import annotations

import numpy as np

from aino.autograd.finite_differences import as_tuple, difference, directions
from aino.autograd.gradcheck import GradcheckError
from aino.autograd.levels import levels_of
from aino.autograd.rules.duals import DualLevel, make_dual, unpack_tangent
from aino.autograd.rules.levels import BatchLevel, enter, everywhere, leave
from aino.autograd.tensor import Tensor, make


def check_forward(func, inputs, wanted, options, batched: bool) -> None:
    """Raise ``GradcheckError`` unless forward mode gives what differences give.

    Arguments:
        func: takes the inputs.
        inputs: its arguments.
        wanted: (position, input) for each that is checked.
        options: what ``gradcheck`` was given.
        batched: check, too, that several directions at once give what each gives.
    """
    rng = np.random.default_rng(0)
    for position, x in wanted:
        if options.fast:
            ways = [(None, None, _random(x.array, rng))]
        else:
            ways = list(directions(x.array))
        found = []
        for element, part, direction in ways:
            tangents = _tangents(func, inputs, position, make(direction))
            found.append(tangents)
            places = list(tangents)
            numerical = difference(func, inputs, places, x, direction, options.eps)
            where = "" if element is None else f" moved at {element}" + " by 1j" * (part == 1j)
            for place, n in zip(places, numerical):
                a = tangents[place]
                if not np.allclose(a, n, rtol=options.rtol, atol=options.atol, equal_nan=True):
                    raise GradcheckError(
                        "Jacobian computed with forward mode mismatch for output "
                        f"{place} with respect to input {position}{where}\nnumerical:  {n}\n"
                        f"analytical: {a}"
                    )
        if batched and len(ways) > 1:
            _check_batch(func, inputs, position, [way[2] for way in ways[:2]], found[:2])


def _random(array, rng):
    values = rng.uniform(-1.0, 1.0, array.shape)
    if array.dtype.kind == "c":
        values = values + 1j * rng.uniform(-1.0, 1.0, array.shape)
    return np.asarray(values, array.dtype)


def _tangents(func, inputs, position: int, direction: Tensor) -> dict[int, np.ndarray]:
    """Return the tangent of each output that can have one, as one input moves."""
    return {place: t.detach().array for place, t in _pushed(func, inputs, position, direction)}


def _pushed(func, inputs, position: int, direction: Tensor) -> list[tuple[int, Tensor]]:
    level = DualLevel("gradcheck")
    with level:
        moved = make_dual(inputs[position], direction, level)
        arguments = (*inputs[:position], moved, *inputs[position + 1 :])
        return [
            (place, unpack_tangent(y, level) if level in levels_of(y.array) else _zeros(y))
            for place, y in enumerate(as_tuple(func(*arguments)))
            if isinstance(y, Tensor) and y.dtype.kind in "fc"
        ]


def _zeros(y: Tensor) -> Tensor:
    return make(np.zeros_like(y.array))


def _check_batch(func, inputs, position: int, both, expected) -> None:
    level = BatchLevel(len(both), "same", "gradcheck")
    with level:
        direction = enter(make(np.stack(both)), level, 0)
        together = [
            (place, leave(everywhere(t, level), level, 0).detach().array)
            for place, t in _pushed(func, inputs, position, direction)
        ]
    for place, rows in together:
        for row, single in zip(rows, expected):
            if not np.allclose(row, single[place], equal_nan=True):
                raise GradcheckError(
                    f"several tangents at once give others than one for output {place} with "
                    f"respect to input {position}, in forward mode"
                )
