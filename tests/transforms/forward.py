"""The checks that every row of the calculus has to pass in forward mode.

A check takes a row and a case, and raises AssertionError. The tangent is that of the transposed
pullback, a derivative by reverse mode alone, which the tests of the calculus hold against finite
differences.
"""

from __future__ import annotations

import zlib

import numpy as np

import aino
from aino.autograd import engine
from aino.autograd.tensor import Tensor, make
from aino.func import grad, jvp, vmap
from tests.calculus.harness import array_of, dtypes_of
from tests.calculus.row import Case, Row
from tests.transforms.harness import is_wanted, number_of, outputs_of, wanted_places, weights_of

TOLERANCE = 1e-8


def close(got, expected, what: str) -> None:
    got, expected = array_of(got), array_of(expected)
    assert type(got) is np.ndarray, f"{what}: a {type(got).__name__} left the transform"
    assert got.dtype == expected.dtype, f"{what}: dtype {got.dtype}, expected {expected.dtype}"
    assert got.shape == expected.shape, f"{what}: shape {got.shape}, expected {expected.shape}"
    scale = max(1.0, float(np.max(np.abs(expected[np.isfinite(expected)]), initial=0.0)))
    np.testing.assert_allclose(
        got, expected, rtol=TOLERANCE, atol=TOLERANCE * scale, equal_nan=True, err_msg=what
    )


def directions_of(arrays, places, name: str) -> list[Tensor]:
    """Return a tangent for each of the places."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    found = []
    for place in places:
        array = arrays[place]
        values = rng.uniform(-1.0, 1.0, array.shape)
        if array.dtype.kind == "c":
            values = values + 1j * rng.uniform(-1.0, 1.0, array.shape)
        found.append(make(np.asarray(values.astype(array.dtype))))
    return found


def twice_transposed(function, values, directions) -> tuple[list, list]:
    """Return the outputs of a function and their tangents, by two backward passes."""
    leaves = [make(x.array.copy()).requires_grad_() for x in values]
    outputs = function(*leaves)
    moving = [y for y in outputs if y.requires_grad]
    tangents = {id(y): make(np.zeros_like(y.array)) for y in outputs}
    if moving:
        cotangents = [make(np.zeros_like(y.array)).requires_grad_() for y in moving]
        slopes = engine.grad(moving, leaves, cotangents, create_graph=True, materialize_grads=True)
        pairs = [(s, t) for s, t in zip(slopes, directions) if s.requires_grad]
        if pairs:
            found = engine.grad(
                [s for s, _ in pairs], cotangents, [t for _, t in pairs], allow_unused=True
            )
            for y, t in zip(moving, found):
                if t is not None:
                    tangents[id(y)] = t
    return list(outputs), [tangents[id(y)] for y in outputs]


class Setting:
    """A case with its values, the places that are differentiated, and their directions."""

    def __init__(self, row: Row, case: Case, dtype=np.float64) -> None:
        self.arrays = case.draw(f"{row.name} {case}", dtype)
        self.places = wanted_places(case, self.arrays)
        self.directions = directions_of(self.arrays, self.places, row.name)
        self.row, self.case = row, case

    def values(self) -> list[Tensor]:
        return [make(self.arrays[place].copy()) for place in self.places]

    def outputs(self, *values) -> tuple:
        """Return the outputs as a function of what is differentiated."""
        given = [make(array.copy()) for array in self.arrays]
        for place, value in zip(self.places, values):
            given[place] = value
        return outputs_of(self.row, self.case, given)

    def floats(self, *values) -> tuple:
        return tuple([y for y in self.outputs(*values) if y.dtype.kind in "fc"])

    def number(self, *values) -> Tensor:
        outputs = self.outputs(*values)
        return number_of(outputs, weights_of(outputs))

    def moved(self, *values) -> Tensor:
        """Return the tangent of the number."""
        return jvp(self.number, values, tuple(self.directions))[1]


def check_tangents(row: Row, case: Case) -> None:
    """jvp gives the value, and the tangent that two backward passes give."""
    for dtype in dtypes_of(row, np.float64):
        setting = Setting(row, case, dtype)
        values = setting.values()
        expected, tangents = twice_transposed(setting.floats, values, setting.directions)
        found, moved = jvp(setting.floats, tuple(values), tuple(setting.directions))
        for y, value in zip(found, expected):
            close(y, value, f"value ({np.dtype(dtype)})")
        for y, value in zip(moved, tangents):
            close(y, value, f"tangent ({np.dtype(dtype)})")


def check_each_alone(row: Row, case: Case) -> None:
    """jvp gives the tangents where one argument moves, and the others are plain."""
    setting = Setting(row, case)
    for place, direction in list(zip(setting.places, setting.directions)):
        setting.places = (place,)
        values = setting.values()
        _, tangents = twice_transposed(setting.floats, values, [direction])
        moved = jvp(setting.floats, tuple(values), (direction,))[1]
        for y, value in zip(moved, tangents):
            close(y, value, f"tangent, argument {place} alone")


def check_composed(row: Row, case: Case, twice: bool = True) -> None:
    """jvp(grad), grad(jvp) and jvp(jvp) give second derivatives; vmap(jvp) the tangents of all."""
    setting = Setting(row, case)
    values = setting.values()
    places = tuple(range(len(values)))
    slopes = grad(setting.number, places)

    def along(*xs):
        # A Hessian is symmetric: its product with a direction is the slope of the slope along it.
        products = [(g.conj() * t).sum() for g, t in zip(slopes(*xs), setting.directions)]
        return sum([p.real if p.dtype.kind == "c" else p for p in products])

    expected = grad(along, places)(*values)
    found = jvp(slopes, tuple(values), tuple(setting.directions))[1]
    for y, value in zip(found, expected):
        close(y, value, "jvp(grad)")
    found = grad(setting.moved, places)(*values)
    for y, value in zip(found, expected):
        close(y, value, "grad(jvp)")
    if not twice:
        return
    total = sum([(t * h).sum() for t, h in zip(setting.directions, expected)])
    if total.dtype.kind == "f":
        found = jvp(setting.moved, tuple(values), tuple(setting.directions))[1]
        close(found, total, "jvp(jvp)")


def check_batched(row: Row, case: Case) -> None:
    """vmap(jvp) gives each direction's tangent, and jvp(vmap) each sample's."""
    setting = Setting(row, case)
    values = tuple(setting.values())
    others = directions_of(setting.arrays, setting.places, "others")
    rows = [jvp(setting.floats, values, tuple(ts))[1] for ts in (setting.directions, others)]
    both = tuple([aino.stack(pair) for pair in zip(setting.directions, others)])
    found = vmap(lambda *ts: jvp(setting.floats, values, ts)[1], randomness="same")(*both)
    for y, column in zip(found, zip(*rows)):
        close(y, np.stack([array_of(t) for t in column]), "vmap(jvp)")
    many = tuple([aino.stack([x, x]) for x in values])
    found = jvp(vmap(setting.floats, randomness="same"), many, both)[1]
    for y, column in zip(found, zip(*rows)):
        close(y, np.stack([array_of(t) for t in column]), "jvp(vmap)")


def check_compiled(row: Row, case: Case) -> None:
    """The program of jvp gives what jvp gives."""
    setting = Setting(row, case)

    def both(*values):
        half = len(values) // 2
        return jvp(setting.floats, values[:half], values[half:])

    values = (*setting.values(), *setting.directions)
    expected = both(*values)
    found = aino.compile(both, fullgraph=True)(*values)
    for ys, zs in zip(found, expected):
        for y, z in zip(ys, zs):
            close(y, z, "compiled")


def has_tangents(row: Row, case: Case) -> bool:
    arrays = case.draw(f"{row.name} {case}")
    return row.order > 0 and any(is_wanted(s, a) for s, a in zip(case.samples(), arrays))
