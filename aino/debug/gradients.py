"""``check_gradients``: a model's gradients against differences, and whether they can teach."""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from aino.autograd.mode import no_grad
from aino.autograd.tensor import Tensor, make
from aino.debug.running import (
    as_tensors,
    called,
    check_tolerances,
    copy_of,
    first_batch,
    pair_of,
    trying_out,
)
from aino.debug.tables import Report, Table, listed
from aino.debug.units import Unit, Units
from aino.dtypes import complex128, float64
from aino.nn.base.found import Found, random_as_found
from aino.nn.base.module import Module
from aino.ops.pointwise.complex_numbers import view_as_real
from aino.pytree import parts_of
from aino.train.criterion import Criterion

#: Layers whose gradients are so many times smaller than the largest hardly learn.
_VANISHING = 1e-4
#: And those that are no more than rounding are zero.
_NOTHING = 1e-12
#: A gradient so many times longer than the weights throws them far away at the first step.
_EXPLODING = 1e3


class ParameterCheck(NamedTuple):
    """One parameter: its gradient, and where it is farthest from the differences.

    ``worst`` is the index of the element that differs most, with its ``analytic`` and its
    ``numeric`` derivative, and ``error``, their distance relative to the larger one. ``checked``
    of ``size`` elements were compared, ``kinks`` of them stand where the slope has two values.
    ``norm`` is the length of the gradient, ``scale`` that of the parameter.
    """

    name: str
    shape: tuple[int, ...]
    checked: int
    size: int
    worst: tuple[int, ...] | None
    analytic: float | None
    numeric: float | None
    error: float
    ok: bool
    kinks: int
    norm: float | None
    scale: float


class GradientReport(Report):
    """What ``check_gradients`` found; it prints as a table.

    ``ok``: whether all gradients agree with the differences. ``parameters``: a
    ``ParameterCheck`` each. ``worst``: the one with the largest error, None of none. ``vanishing``,
    ``exploding``, ``zero``, ``without_gradient``: names of parameters. ``units``: units that are
    dead or saturated for every one of ``samples`` samples. ``advice``: sentences.
    """

    def __init__(self, parameters: list[ParameterCheck], units: list[Unit], samples: int) -> None:
        self.parameters = parameters
        self.units = units
        self.samples = samples
        compared = [one for one in parameters if one.worst is not None]
        self.worst: Any = max(compared, key=lambda one: one.error, default=None)
        self.ok = all([one.ok for one in parameters])
        known = [
            (one, one.norm / np.sqrt(max(one.size, 1)))
            for one in parameters
            if one.norm is not None
        ]
        largest = max([mean for _, mean in known if np.isfinite(mean)], default=0.0)
        self.without_gradient = [one.name for one in parameters if one.norm is None]
        self.zero = [one.name for one, mean in known if mean <= _NOTHING * largest]
        self.vanishing = [
            one.name for one, mean in known if _NOTHING * largest < mean < _VANISHING * largest
        ]
        self.exploding = [
            one.name for one, mean in known
            if not np.isfinite(mean) or mean * one.size**0.5 > _EXPLODING * max(one.scale, 1.0)
        ]  # fmt: skip
        self.advice = list(self._advice())

    def _advice(self) -> Iterator[str]:
        wrong = [one.name for one in self.parameters if not one.ok]
        if wrong:
            yield (
                f"{listed(wrong)}: the gradient is not the slope: look at backward() of your own "
                "Functions, at in-place writes to .data or .numpy(), at detach(), and at what "
                "draws random numbers otherwise than by AINO, NumPy or random"
            )
        if self.without_gradient:
            yield (
                f"{listed(self.without_gradient)}: no gradient comes there: the parameter takes "
                "no part in the result, or something cuts the way (detach, no_grad, .numpy(), "
                "requires_grad=False)"
            )
        if self.zero:
            yield (
                f"{listed(self.zero)}: the gradient is zero: dead units, weights that are all "
                "zero, or a bias in front of a normalisation, which takes it away"
            )
        if self.vanishing:
            yield (
                f"{listed(self.vanishing)}: the gradient vanishes: use ReLU or GELU for sigmoid "
                "and tanh, He or Glorot initialisation, normalisation or skip connections"
            )
        if self.exploding:
            yield (
                f"{listed(self.exploding)}: the gradient explodes: scale the data, initialise "
                "smaller, normalise, use clip_grad_norm_ or a lower learning rate"
            )
        for unit in self.units:
            cure = (
                "a lower learning rate, LeakyReLU or GELU, or another initialisation of the bias"
                if unit.state == "dead"
                else "smaller weights or inputs (standardise the data), or another activation"
            )
            yield (
                f"{unit.module or unit.activation}: {len(unit.units)} of {unit.of} units of "
                f"{unit.activation} are {unit.state} for all {self.samples} samples and learn "
                f"nothing: {cure}"
            )

    def parts(self) -> list[str | Table]:
        said = "the gradients agree with the differences" if self.ok else (
            "some gradients DIFFER from the differences"
        )  # fmt: skip
        rows = []
        for one in self.parameters:
            state = "WRONG" if not one.ok else "at kinks alone" if one.worst is None else "ok"
            for names, word in (
                (self.without_gradient, "no gradient"), (self.vanishing, "vanishing"),
                (self.zero, "zero"),
                (self.exploding, "exploding"),
            ):  # fmt: skip
                if one.name in names:
                    state += f", {word}"
            rows.append([
                one.name, str(one.shape), f"{one.checked} of {one.size}", one.norm,
                "-" if one.worst is None else str(list(one.worst)),
                one.analytic, one.numeric, one.error, state,
            ])  # fmt: skip
        head = ["parameter", "shape", "checked", "|gradient|", "worst at", "analytic", "numeric",
                "error", ""]  # fmt: skip
        return [said, Table(head, rows), *self.advice]


def check_gradients(
    model: Module,
    data: Any,
    loss: Any = None,
    *,
    elements: int | None = 20,
    eps: float = 1e-5,
    rtol: float = 1e-4,
    atol: float = 1e-10,
) -> GradientReport:
    """Compare each parameter's gradient with differences, and look for gradients that can't teach.

    A copy of the model computes in float64, in the mode (training or evaluation) that it is in;
    the model, its buffers and the random state stay as they are. Every draw of random numbers is
    repeated, and what the model keeps of a call is put back, so dropout and running statistics do
    no harm. Returns a ``GradientReport``. Raises ``TypeError`` for a model that is none or can't
    be copied, ``ValueError`` where nothing requires a gradient, and where the result is not finite
    or changes from call to call.

    Arguments:
        model: the module.
        data: with ``loss``, a pair of inputs and targets, or a loader, whose first batch is
            taken; without, what the model is called with: a tensor, or a tuple of arguments.
        loss: a name ("mse", "cross_entropy", ...) or a function of outputs and targets. Without
            one a weighted sum of all outputs is differentiated.
        elements: how many elements of each parameter are compared: the one with the largest
            derivative, and others spread over it; None for all.
        eps: how far an element is moved to each side.
        rtol: how far the derivatives may be apart, as a part of the larger one.
        atol: how far beside that, as a part of what is differentiated, or of 1 where it is less.

    >>> import aino
    >>> model = aino.nn.Sequential(aino.nn.Linear(2, 3), aino.nn.Tanh(), aino.nn.Linear(3, 1))
    >>> report = aino.debug.check_gradients(model, aino.randn(8, 2))
    >>> report.ok, report.worst.error < 1e-6
    (True, True)
    """
    if elements is not None and (
        not isinstance(elements, int) or isinstance(elements, bool) or elements < 1
    ):
        raise ValueError(
            f"check_gradients: elements is a whole number above 0, or None, not {elements!r}"
        )
    if not 0.0 < eps < 1.0:
        raise ValueError(f"check_gradients: eps is a small number above 0, not {eps!r}")
    check_tolerances("check_gradients", rtol, atol)
    with trying_out():
        copied = copy_of(model, "check_gradients")._cast(_wide)
        function = _function(copied, first_batch(data), loss)
        parameters = [(name, p) for name, p in copied.named_parameters() if p.requires_grad]
        if not parameters:
            raise ValueError("check_gradients: no parameter of the model requires a gradient")
        run = _Repeated(copied, function)
        units = Units(copied)
        for _, parameter in parameters:
            parameter.grad = None
        with run.result(units) as result:
            if not result.requires_grad:
                raise ValueError(
                    "check_gradients: the result does not depend on any parameter that requires a "
                    "gradient; is there a detach(), no_grad() or .numpy() on the way?"
                )
            value = _finite(result)
            result.backward()
        atol *= max(1.0, abs(value))
        checks = []
        with no_grad():
            if run.value() != value:
                raise ValueError(
                    "check_gradients: called again, the model gives another result, so there is no "
                    "slope to compare with; what does it keep outside of itself, or draw otherwise "
                    "than by AINO, NumPy or random?"
                )
            for name, parameter in parameters:
                checks.append(_check(name, parameter, run, elements, eps, rtol, atol))
        return GradientReport(checks, units.found(), units.samples)


def _finite(result: Tensor) -> float:
    """Return the number that a result is; raise ``ValueError`` for NaN and inf."""
    value = float(result.item())
    if not math.isfinite(value):
        raise ValueError(
            f"check_gradients: the result is {value}, which has no slope; with "
            "aino.debug.find_nan(model): ... names the operation that made it"
        )
    return value


def _wide(dtype: np.dtype) -> np.dtype:
    """Return the dtype of the most digits, of the kind of one."""
    return {"f": float64, "c": complex128}.get(dtype.kind, dtype)


def _function(model: Module, data: Any, loss: Any) -> Callable[[], Tensor]:
    """Return the function of no arguments that computes the number that is differentiated."""
    if loss is not None:
        inputs, targets = as_tensors(pair_of(data, "check_gradients"), float64)
        criterion = Criterion(loss)
        return lambda: criterion(called(model, inputs), targets)
    given = as_tensors(data, float64)
    return lambda: _weighted(called(model, given))


def _weighted(outputs: Any) -> Tensor:
    """Return a number in which every output counts, each otherwise."""
    total: Any = None
    for place, part in enumerate(_leaves(outputs)):
        if not isinstance(part, Tensor) or part.array.dtype.kind not in "fc":
            continue
        if part.array.dtype.kind == "c":
            part = view_as_real(part)
        count = part.array.size
        weights = np.cos(1.0 + place + np.arange(count, dtype=np.float64) * 1.7).reshape(part.shape)
        term = (part * make(weights)).sum()
        total = term if total is None else total + term
    if total is None:
        raise ValueError("check_gradients: the model returned no tensor of floating numbers")
    return total


def _leaves(item: Any) -> list[Any]:
    if isinstance(item, (tuple, list, dict)):
        return [leaf for part in parts_of(item) for leaf in _leaves(part)]
    return [item]


class _Repeated:
    """A function of a model that gives the same each time: draws, and all that it holds, are put
    back to what they were.
    """

    def __init__(self, model: Module, function: Callable[[], Tensor]) -> None:
        self._found = Found(model, gradients=False)
        self._function = function

    @contextlib.contextmanager
    def result(self, looking_on: Any = None) -> Iterator[Tensor]:
        """Have the result within a ``with`` block: what it was made from stands until its end."""
        try:
            with random_as_found():
                with looking_on or contextlib.nullcontext():
                    result = self._function()
                yield result
        finally:
            self._found.put_back()

    def value(self) -> float:
        with self.result() as result:
            return float(result.item())


def _check(
    name: str, parameter: Tensor, run: _Repeated, elements: int | None, eps: float, rtol: float,
    atol: float,
) -> ParameterCheck:  # fmt: skip
    """Compare one parameter's gradient with differences."""
    array = parameter.array
    gradient = None if parameter.grad is None else parameter.grad.array
    slopes = np.zeros(array.shape) if gradient is None else np.asarray(gradient)
    # Of a complex element the real and the imaginary part are moved, each by itself.
    parts = (1.0, 1j) if array.dtype.kind == "c" else (1.0,)
    worst: tuple | None = None
    found: tuple[float | None, float | None, float] = (None, None, 0.0)
    ok, kinks = True, 0
    places = _places(slopes, elements)
    for place, part in itertools.product(places, parts):
        analytic = float(slopes[place].imag if part == 1j else slopes[place].real)
        left, right = _one_sided(array, place, part, run, eps)
        numeric = (left + right) / 2.0
        allowed = atol + rtol * max(abs(analytic), abs(numeric))
        apart = abs(analytic - numeric)
        if not apart <= allowed and abs(left - right) > allowed:
            # At a kink the slope may be any between the two.
            if min(left, right) - allowed <= analytic <= max(left, right) + allowed:
                kinks += 1
                continue
        fine = apart <= allowed
        ok = ok and fine
        error = apart / max(abs(analytic), abs(numeric), atol / rtol)
        error = error if np.isfinite(error) else np.inf
        if worst is None or error > found[2]:
            worst, found = place, (analytic, numeric, float(error))
    norm = None if gradient is None else float(np.linalg.norm(slopes))
    return ParameterCheck(
        name, tuple(array.shape), len(places), array.size, worst, *found, ok, kinks, norm,
        float(np.linalg.norm(array)),
    )  # fmt: skip


def _places(slopes: np.ndarray, elements: int | None) -> list[tuple[int, ...]]:
    """Return the elements that are compared: the steepest, and others spread evenly."""
    size = slopes.size
    if elements is None or size <= elements:
        flat = list(range(size))
    else:
        steepest = int(np.argmax(np.abs(slopes)))
        spread = np.linspace(0, size - 1, elements - 1).astype(int).tolist()
        flat = sorted({steepest, *spread})
    return [tuple(int(i) for i in np.unravel_index(one, slopes.shape)) for one in flat]


def _one_sided(
    array: np.ndarray, place: tuple[int, ...], part: complex, run: _Repeated, eps: float
) -> tuple[float, float]:
    """Return the slopes to the left and to the right of where an element stands."""
    kept = array[place].item()
    step = eps * max(1.0, abs(kept))
    try:
        array[place] = kept + step * part
        ahead = run.value()
        array[place] = kept - step * part
        behind = run.value()
        array[place] = kept
        here = run.value()
    finally:
        array[place] = kept
    return (here - behind) / step, (ahead - here) / step
