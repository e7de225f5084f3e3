"""Trials of what C does: a loop is used where it gives NumPy's bits, here and now."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import numpy as np

from aino.native import native_package
from aino.num_threads import blas_addresses
from aino.threads import worker


@functools.cache
def stretch_type() -> Any:
    """Return the class of walked stretches, None where there is no package for this AINO."""
    package = native_package()
    if package is None:
        return None
    package.share_by(worker, *blas_addresses())
    return package.Stretch


def stand_in(shape: tuple[int, ...], strides: tuple[int, ...], dtype: Any) -> np.ndarray:
    """Return an array of a form that nobody reads or writes: it has memory for one element."""
    one = np.zeros(1, dtype)
    return np.lib.stride_tricks.as_strided(one, shape, strides)


#: What arithmetic may raise, in the order of NumPy's bits.
_RAISED = ("divide", "over", "under", "invalid")


def quiet_bits(handling: Mapping[str, Any]) -> int | None:
    """Return what a function says nothing of, as bits; None where it is to do something else."""
    if set(handling.values()) - {"ignore"}:
        return None
    return sum([1 << _RAISED.index(kind) for kind in handling])


@functools.cache
def agrees(kind: str, function: Any, dtypes: tuple) -> bool:
    """Tell whether a loop gives what its ufunc gives, bit for bit, on a few arrays.

    One that raises for what the numbers are, as integers do to a negative power, does not.
    """
    rng = np.random.default_rng(0)
    try:
        trials = list(TRIALS[kind](function, dtypes, rng))
    except (ValueError, ArithmeticError):
        return False
    for expected, operands, detail in trials:
        found = np.zeros(expected.shape, dtypes[0])
        operands = (found, *operands)
        try:
            stretch_type()([], 0, [(kind, operands, detail, 0)], lambda *_: None)()
        except (ValueError, TypeError):
            continue  # not in this form; where the program's is another, it was made
        if found.tobytes() != expected.tobytes():
            return False
    return True


def _numbers(rng: Any, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """Return numbers of a dtype: of both signs, where there are some."""
    values = 3.0 * rng.normal(size=shape)
    return (np.abs(values) if dtype.kind in "bu" else values).astype(dtype)


def _of_ufunc(function: Any, dtypes: tuple, rng: Any):
    for form in ((37,), (5, 7)):
        given = [_numbers(rng, form, dtype) for dtype in dtypes[1:]]
        turned = [x.T.copy().T for x in given]
        spread = [np.repeat(x, 2, -1)[..., ::2] for x in given]
        for operands in (given, turned, spread):
            out = np.empty(form, dtypes[0])
            with np.errstate(all="ignore"):
                function(*operands, out=out)
            yield out, operands, function


def _of_reduction(function: Any, dtypes: tuple, rng: Any):
    for form, axes in (((37,), (0,)), ((9, 70), (0,)), ((9, 70), (1,)), ((9, 70), (0, 1))):
        given = _numbers(rng, form, dtypes[1])
        with np.errstate(all="ignore"):
            yield np.asarray(function.reduce(given, axes)), [given], (function, axes)


def _of_product(function: Any, dtypes: tuple, rng: Any):
    a, b = _numbers(rng, (6, 9), dtypes[1]), _numbers(rng, (9, 5), dtypes[2])
    turned = b.T.copy().T
    for left, right in ((a, b), (a, turned), (a.T.copy().T, b), (a[0], b), (a, b[:, 0].copy()),
                        (a.T.copy(), a), (a[0], a[1]), (a, a.T)):  # fmt: skip
        if left.shape[-1] == right.shape[0]:
            yield np.asarray(left.dot(right)), [left, right], function


def _of_rows(function: Any, dtypes: tuple, rng: Any):
    a, b = _numbers(rng, (3, 5, 70), dtypes[1]), _numbers(rng, (3, 5, 70), dtypes[2])
    for left, right in ((a, b), (a, b[0, 0]), (a[0], b[0]), (a[:, ::2, 3:], b[:, ::2, 3:])):
        yield np.vecdot(left, right), [left, right], function


def _of_stack(function: Any, dtypes: tuple, rng: Any):
    a, b = _numbers(rng, (4, 6, 9), dtypes[1]), _numbers(rng, (4, 9, 5), dtypes[2])
    for left, right in (
        (a, b),
        (a, b[:1]),
        (a[:, ::2], b),
        (a, a.mT),
        (a[0], b[0]),
        (a[0, 0], b),
        (a, b[0, :, 0]),
        (a[0, :1, 0], b[:, :1]),
        (a[:, :, :1], b[0, 0, :1]),
    ):
        yield np.matmul(left, right), [left, right], function


def _of_accumulation(function: Any, dtypes: tuple, rng: Any):
    for form, axis in (((37,), 0), ((9, 70), 0), ((9, 70), 1), ((3, 5, 4), 1)):
        given = _numbers(rng, form, dtypes[1])
        with np.errstate(all="ignore"):
            yield function.accumulate(given, axis), [given], (function, axis)


def _of_chain(function: Any, dtypes: tuple, rng: Any):
    """What Adam does, which the walker makes one loop of, also to infinities and NaN."""
    m, g, v = (_numbers(rng, (101,), dtypes[0]) for _ in range(3))
    v, hard = np.abs(v), np.array([np.inf, -np.inf, np.nan, 0.0, -0.0, 1e-40, -1e-30, 1e30])
    for place, array in enumerate((m, g, v)):
        array[place : place + 64 : 8] = hard.astype(dtypes[0])
    numbers = np.array([0.9, 0.1, 0.001, 0.999, 1e-8, 0.01]).astype(dtypes[0])
    b, c, d, e, f, h = (numbers[place : place + 1].reshape(()) for place in range(6))
    with np.errstate(all="ignore"):
        first, second = m * b + g * c, v * e + g * g * d
        expected = first / (np.sqrt(second) + f) * h
    flat, scratch = [(place, "flat", 0) for place in range(4)], (10, "scratch", 0)
    u, m_, g_, v_ = flat
    b_, c_, d_, e_, f_, h_ = [(place, "number", 0) for place in range(4, 10)]
    rows = [
        (np.multiply, (m_, b_, m_)), (np.multiply, (g_, c_, scratch)), (np.add, (m_, scratch, m_)),
        (np.multiply, (g_, g_, scratch)), (np.multiply, (scratch, d_, scratch)),
        (np.multiply, (v_, e_, v_)), (np.add, (v_, scratch, v_)), (np.sqrt, (v_, u)),
        (np.add, (u, f_, u)), (np.divide, (m_, u, u)), (np.multiply, (u, h_, u)),
    ]  # fmt: skip
    links = [(*row, 0, 101) for row in rows]
    operands = [m, g, v, b, c, d, e, f, h, np.empty(16, dtypes[0])]
    yield expected, operands, (0, 101, 16, links)


def _of_cast(function: Any, dtypes: tuple, rng: Any):
    given = _numbers(rng, (5, 40), dtypes[1])
    if dtypes[1].kind in "fc":
        hard = [np.inf, -np.inf, np.nan, 0.0, -0.0, 300.7, -300.7, 3e9, -3e9, 1e19, -1e19, 1e-40]
        given[:, :12] = np.array(hard).astype(dtypes[1])
    for form in (given, given[:, ::2], given[:, 3:20], given[0]):
        with np.errstate(all="ignore"):
            yield form.astype(dtypes[0], order="C"), [form], function


#: What shows that loops agree: (expected, operands, detail) of instructions of a kind.
TRIALS = {
    "ufunc": _of_ufunc, "reduce": _of_reduction, "accumulate": _of_accumulation,
    "product": _of_product, "stack": _of_stack, "vecdot": _of_rows,
    "copy": _of_cast, "chain": _of_chain,
}  # fmt: skip
