"""NumPy on batched arrays: each function, ufunc, subscript and method against a loop."""

from __future__ import annotations

import itertools
from functools import partial

import numpy as np
import pytest

from aino.autograd.batched.array import BatchedArray
from aino.autograd.batched.registry import FUNCTIONS
from aino.autograd.rules.levels import BatchLevel
from aino.errors import LevelError, TransformError

SAMPLES = 3
rng = np.random.default_rng(0)


def batch(*shape, integers=0):
    values = rng.integers(0, integers, (SAMPLES, *shape)) if integers else None
    return rng.normal(size=(SAMPLES, *shape)) if values is None else values


v, w = batch(4), batch(4)
a, b = batch(3, 4), batch(3, 4)
m, n = batch(4, 4) + 4 * np.eye(4), batch(2, 4, 4)
t = batch(2, 3, 4)
s = batch()
k = batch(3, integers=3)
c = a > 0
symmetric = m + m.mT
plain = rng.normal(size=(3, 4))

#: Calls of NumPy's functions on what one sample holds, with all samples of each.
CALLS = {
    "clip": [(lambda x: np.clip(x, -0.5, 0.5), a), (lambda x, y: np.clip(x, y, None), a, v)],
    "isclose": [(lambda x, y: np.isclose(x, y, atol=0.5), a, b)],
    "nan_to_num": [(lambda x: np.nan_to_num(x), a)],
    "angle": [(np.angle, a + 1j * b)], "real": [(np.real, a + 1j * b), (np.real, a)],
    "imag": [(np.imag, a + 1j * b)], "i0": [(np.i0, a)], "sinc": [(np.sinc, a)],
    "fix": [(np.fix, a)], "round": [(lambda x: np.round(x, 1), a)],
    "around": [(np.around, a)], "isneginf": [(np.isneginf, a)], "isposinf": [(np.isposinf, a)],
    "iscomplex": [(np.iscomplex, a)], "isreal": [(np.isreal, a)],
    "where": [(np.where, c, a, b), (lambda x, y: np.where(x, y, 0.0), c, v),
              (lambda x: np.where(plain > 0, x, plain), v)],
    "select": [(lambda x, y: np.select([x > 0, y > 0], [x, y], 7.0), a, v)],
    "searchsorted": [(lambda x: np.searchsorted(np.arange(-2.0, 3.0), x), a),
                     (lambda x, y: np.searchsorted(np.sort(x), y), v, a)],
    "roll": [(lambda x: np.roll(x, 1), a), (lambda x: np.roll(x, (1, 2), (0, 1)), a)],
    "reshape": [(lambda x: np.reshape(x, (2, -1)), a), (lambda x: np.reshape(x, -1, order="F"), a)],
    "ravel": [(np.ravel, a), (np.ravel, s)],
    "transpose": [(np.transpose, t), (lambda x: np.transpose(x, (1, -1, 0)), t)],
    "permute_dims": [(lambda x: np.permute_dims(x, (1, 0)), a)],
    "matrix_transpose": [(np.matrix_transpose, t)],
    "swapaxes": [(lambda x: np.swapaxes(x, 0, -1), t)],
    "moveaxis": [(lambda x: np.moveaxis(x, 0, -1), t),
                 (lambda x: np.moveaxis(x, (0, 1), (2, 0)), t)],
    "expand_dims": [(lambda x: np.expand_dims(x, (0, -1)), a), (lambda x: np.expand_dims(x, 0), s)],
    "squeeze": [(lambda x: np.squeeze(x[:1]), a), (lambda x: np.squeeze(x[:, :1], 1), a)],
    "broadcast_to": [(lambda x: np.broadcast_to(x, (2, 3, 4)), a),
                     (lambda x: np.broadcast_to(x, 3), s)],
    "broadcast_arrays": [(lambda x, y: np.broadcast_arrays(x, y)[0], v, a)],
    "atleast_1d": [(np.atleast_1d, s), (np.atleast_1d, a)],
    "diagonal": [(lambda x: np.diagonal(x, 1), a), (lambda x: np.diagonal(x, 0, 0, 2), t)],
    "linalg.diagonal": [(lambda x: np.linalg.diagonal(x), a)],
    "trace": [(np.trace, m), (lambda x: np.trace(x, 1, 1, 2), t)],
    "lib.stride_tricks.sliding_window_view": [
        (lambda x: np.lib.stride_tricks.sliding_window_view(x, 2, 1), a),
        (lambda x: np.lib.stride_tricks.sliding_window_view(x, (2, 2)), a)],
    "tril": [(np.tril, a)], "triu": [(lambda x: np.triu(x, 1), t)],
    "rot90": [(np.rot90, a), (lambda x: np.rot90(x, 1, (1, 2)), t)],
    "fliplr": [(np.fliplr, a)], "flipud": [(np.flipud, a)],
    "tile": [(lambda x: np.tile(x, 2), a), (lambda x: np.tile(x, (2, 1, 3)), a)],
    "pad": [(lambda x: np.pad(x, 1), a), (lambda x: np.pad(x, ((1, 0), (0, 2)), "edge"), a)],
    "concatenate": [(lambda x, y: np.concatenate([x, y, plain], 1), a, b),
                    (lambda x: np.concatenate([x, plain], None), a)],
    "stack": [(lambda x, y: np.stack([x, y, plain], -1), a, b)],
    "append": [(lambda x: np.append(x, plain, 0), a), (lambda x: np.append(x, plain), a)],
    "array_split": [(lambda x: np.array_split(x, 2, 1)[1], a)],
    "split": [(lambda x: np.split(x, 2, 1)[1], a)],
    "take": [(lambda x: np.take(x, [2, 0], 0), a), (lambda x, i: np.take(x, i, 0), a, k),
             (lambda x: np.take(x, 5), a), (lambda x, i: np.take(x, i, 1), a, k)],
    "take_along_axis": [(lambda x: np.take_along_axis(x, np.argsort(x, 1), 1), a)],
    "dot": [(np.dot, v, w), (np.dot, a, v), (np.dot, a, m), (lambda x: np.dot(plain, x), m),
            (lambda x: np.dot(x, plain.T), a), (np.dot, a, n), (np.dot, s, a)],
    "vdot": [(np.vdot, a + 1j * b, b + 0j)], "inner": [(np.inner, v, w), (np.inner, a, b)],
    "outer": [(np.outer, v, a)],
    "tensordot": [(lambda x, y: np.tensordot(x, y, ([1], [1])), a, b),
                  (lambda x, y: np.tensordot(x, y, 1), t, m)],
    "einsum": [(lambda x, y: np.einsum("ij,kj->ik", x, y), a, b),
               (lambda x: np.einsum("...j,ij", x, plain), t), (lambda x: np.einsum("ij->j", x), a)],
    "cross": [(np.cross, batch(2, 3), batch(3)), (lambda x: np.cross(x, x[::-1], axis=0), a)],
    "linalg.inv": [(np.linalg.inv, m)], "linalg.det": [(np.linalg.det, n)],
    "linalg.slogdet": [(lambda x: np.linalg.slogdet(x).logabsdet, m)],
    "linalg.cholesky": [(np.linalg.cholesky, m @ m.mT)],
    "linalg.eigh": [(lambda x: np.linalg.eigh(x).eigenvalues, symmetric)],
    "linalg.eigvalsh": [(np.linalg.eigvalsh, symmetric)],
    "linalg.eig": [(lambda x: np.linalg.eig(x)[0], symmetric)],
    "linalg.eigvals": [(np.linalg.eigvals, symmetric)],
    "linalg.svd": [(lambda x: np.linalg.svd(x)[1], a)], "linalg.svdvals": [(np.linalg.svdvals, a)],
    "linalg.qr": [(lambda x: np.linalg.qr(x)[1], m)],
    "linalg.matrix_power": [(lambda x: np.linalg.matrix_power(x, 3), m)],
    "linalg.pinv": [(np.linalg.pinv, a)],
    "linalg.solve": [(np.linalg.solve, m, v), (np.linalg.solve, n, m),
                     (lambda x: np.linalg.solve(x, plain.T), m)],
    "linalg.norm": [(np.linalg.norm, a), (lambda x: np.linalg.norm(x, 1, axis=1), a),
                    (lambda x: np.linalg.norm(x, axis=0, keepdims=True), a)],
    "zeros_like": [(np.zeros_like, a), (lambda x: np.zeros_like(x, shape=(2,)), a)],
    "ones_like": [(lambda x: np.ones_like(x, dtype=np.float32), a)],
    "empty_like": [(lambda x: np.empty_like(x, shape=(2, 2)) * 0, a)],
    "full_like": [(lambda x: np.full_like(x, 2.0), a), (lambda x, y: np.full_like(x, y), a, s)],
    "copy": [(np.copy, a)],
    "iscomplexobj": [(lambda x: x * np.iscomplexobj(x), a + 1j)],
    "isrealobj": [(lambda x: x * np.isrealobj(x), a)],
    "shape": [(lambda x: x * np.shape(x)[1], a)], "ndim": [(lambda x: x * np.ndim(x), a)],
    "size": [(lambda x: x * np.size(x), a)],
    "result_type": [(lambda x: x.astype(np.result_type(x, np.complex64)), a)],
    "can_cast": [(lambda x: x * np.can_cast(x, np.float32), a)],
    "may_share_memory": [(lambda x: x * np.may_share_memory(x, x[0]), a)],
    "shares_memory": [(lambda x: x * np.shares_memory(x, plain), a)],
}  # fmt: skip


def _each(names: str, *calls) -> None:
    """Add calls ``call(function, x)`` of the functions of these names."""
    for name in names.split():
        function = np
        for part in name.split("."):
            function = getattr(function, part)
        CALLS[name] = [(partial(call, function), x) for call, x in calls]


_each(
    "fft.fft fft.ifft fft.hfft fft.ihfft fft.rfft",
    (lambda f, x: f(x), a), (lambda f, x: f(x, 3, 0, "ortho"), a),
)  # fmt: skip
_each("fft.irfft fft.irfftn", (lambda f, x: f(x), a + 0j))
_each("fft.rfftn", (lambda f, x: f(x), a), (lambda f, x: f(x, (2, 2), (0, 1)), a))
_each(
    "fft.fftn fft.ifftn fft.fftshift fft.ifftshift",
    (lambda f, x: f(x), a), (lambda f, x: f(x, axes=(0,)), a),
)  # fmt: skip
_each(
    "sum prod max min mean std var all any median ptp nansum nanprod nanmax nanmin nanmean nanstd "
    "nanvar nanmedian count_nonzero",
    (lambda f, x: f(x), a), (lambda f, x: f(x, axis=-1), t), (lambda f, x: f(x, 0), a),
    (lambda f, x: f(x, axis=(0, 2), keepdims=True), t), (lambda f, x: f(x), s),
)  # fmt: skip
_each(
    "argmax argmin cumsum cumprod nanargmax nanargmin",
    (lambda f, x: f(x), a), (lambda f, x: f(x, -1), t), (lambda f, x: f(x, axis=0), a),
)  # fmt: skip
_each(
    "sort argsort",
    (lambda f, x: f(x), a), (lambda f, x: f(x, 0, kind="stable"), a),
    (lambda f, x: f(x, axis=None), a),
)  # fmt: skip
CALLS["flip"] = [(np.flip, t), (lambda x: np.flip(x, 1), t), (lambda x: np.flip(x, (0, -1)), t)]
CALLS["diff"] = [(np.diff, a), (lambda x: np.diff(x, 2, 0), a)]
CALLS["repeat"] = [(lambda x: np.repeat(x, 2), a), (lambda x: np.repeat(x, [1, 2, 0], 0), a)]
CALLS["delete"] = [(lambda x: np.delete(x, 1, 0), a)]
CALLS["partition"] = [(lambda x: np.sort(np.partition(x, 1)[..., :2]), a)]
CALLS["argpartition"] = [(lambda x: np.argpartition(x, 0)[..., :1], a)]

#: Those that write, and those that are refused.
WRITES = {"copyto", "put_along_axis"}
BY_DATA = {
    "nonzero": 1, "flatnonzero": 1, "argwhere": 1, "unique": 1, "trim_zeros": 1, "extract": 2,
    "compress": 2, "union1d": 2, "intersect1d": 2, "setdiff1d": 2,
}  # fmt: skip


def run(call, *samples):
    """Return what a call gives for all samples at once, and for each."""
    with BatchLevel(SAMPLES) as level:
        found = call(*[BatchedArray(x, level) for x in samples])
        assert isinstance(found, BatchedArray), type(found)
        found = found.values
    return found, np.stack([call(*[x[i] for x in samples]) for i in range(SAMPLES)])


def check(call, *samples):
    found, expected = run(call, *samples)
    assert found.shape == expected.shape
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", CALLS)
def test_function(name):
    for call, *samples in CALLS[name]:
        check(call, *samples)


def test_every_function_of_the_table_is_here():
    known = set()
    for name in (*CALLS, *WRITES, *BY_DATA):
        function = np
        for part in name.split("."):
            function = getattr(function, part)
        known.add(function)
    assert {f.__name__ for f in set(FUNCTIONS) - known} == set()


@pytest.mark.parametrize("name", BY_DATA)
def test_what_depends_on_the_data_is_refused(name):
    with BatchLevel(SAMPLES) as level, pytest.raises(LevelError, match=f"np.{name} gives depends"):
        getattr(np, name)(*[BatchedArray(a, level)] * BY_DATA[name])


def test_functions_that_write():
    def copied(x, y):
        z = x.copy()
        np.copyto(z, y)
        np.copyto(z, 5.0, where=x > 0)
        return z

    def put(x):
        z = x.copy()
        np.put_along_axis(z, np.argmax(x, 1)[:, None], 9.0, 1)
        return z

    check(copied, a, v)
    check(put, a)
    with BatchLevel(SAMPLES) as level:
        for call in (
            lambda x: np.copyto(plain, x), lambda x: np.add(plain, x, out=plain),
            lambda x: plain.__setitem__(0, x[0]), lambda x: np.add.at(plain, 0, x[0]),
            lambda x: np.put_along_axis(plain, np.argmax(x, 1)[:, None], 1.0, 1),
        ):  # fmt: skip
            with pytest.raises(LevelError):
                call(BatchedArray(a, level))


def test_ufuncs():
    check(lambda x, y: np.add(x, y), a, v)
    check(lambda x: plain * x - 2.0, v)
    check(lambda x, y: np.hypot(x, y)[..., None] * y, s, v)
    check(lambda x: np.add.reduce(x, axis=(0, 1)), t)
    check(lambda x: np.add.reduce(x, axis=None, keepdims=True), t)
    check(lambda x, y: np.add.reduce(x, axis=1, where=y > 0, initial=1.0), a, b)
    check(lambda x: np.maximum.accumulate(x, axis=1), a)
    check(lambda x: np.add.reduceat(x, [0, 2], axis=1), a)
    check(lambda x, y: np.subtract.outer(x, y), v, a)
    check(lambda x: np.subtract.outer(plain, x), v)
    check(lambda x: np.subtract.outer(x, plain), v)
    check(lambda x: np.frexp(x)[0] + np.modf(x)[1], a)
    check(lambda x, y: np.add(x, y, out=x.copy()), a, v)
    check(lambda x, y: np.add(x, 1.0, where=y > 0, out=x.copy()), a, b)


def test_ufunc_at():
    def added(x, i, y):
        z = x.copy()
        np.add.at(z, i, y)
        np.multiply.at(z, (slice(None), [0, 0]), 2.0)
        return z

    check(added, a, k, b)
    check(added, a, k, v)


@pytest.mark.parametrize(
    ("first", "second"),
    list(itertools.product(["v", "m", "n", "plain", "row"], repeat=2)),
)
def test_products(first, second):
    operands = {"v": v, "m": m, "n": n}
    fixed = {"plain": m[0], "row": v[0]}
    given = [operands[name] for name in (first, second) if name in operands]
    if not given:
        return

    def call(*values):
        values = list(values)
        pair = [fixed[name] if name in fixed else values.pop(0) for name in (first, second)]
        return pair[0] @ pair[1]

    check(call, *given)


def indices():
    """Return subscripts of an array of shape (2, 3, 4), those of each sample behind them."""
    one, two = np.array([1, 0, 1]), np.array([[0, 2], [1, 1]])
    parts = [1, -1, slice(None), slice(0, 2), slice(None, None, -1), None, Ellipsis, one]
    for index in itertools.product(parts, repeat=2):
        if sum(part is Ellipsis for part in index) < 2:
            yield index
    yield from [
        two % 2, (slice(None), two), (0, slice(None), one), (one, slice(None), one),
        (slice(None), one, one), (Ellipsis, one), (one, None, one), (one, one[:, None]),
        (one, 1, two[0, 0]), (slice(None), slice(None), [3, 0]), (Ellipsis, 1, one), (),
        (np.int64(1), one), (slice(None), np.array([True, False, True])), (plain[:2, :3] > 0),
    ]  # fmt: skip


def test_subscripts():
    for index in indices():
        check(lambda x, index=index: x[index], t)


BATCHED_INDICES = [
    lambda i, j: i, lambda i, j: (i,), lambda i, j: (slice(None), j), lambda i, j: (i, j),
    lambda i, j: (i, slice(None), j), lambda i, j: (Ellipsis, j), lambda i, j: (0, j),
    lambda i, j: (slice(None), slice(None), j), lambda i, j: (slice(None), 1, j),
    lambda i, j: (i, None, j), lambda i, j: (i[:, None], j), lambda i, j: (slice(0, 2), j[:2], 1),
    lambda i, j: (i, np.array([2, 0, 1])), lambda i, j: (i[0],), lambda i, j: (slice(None), j[0]),
    lambda i, j: (i[0], slice(None), j[1]), lambda i, j: (Ellipsis, j[:, None], i),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(BATCHED_INDICES)))
def test_batched_subscripts(number):
    index = BATCHED_INDICES[number]
    i, j = batch(3, integers=2), batch(3, integers=3)
    check(lambda x, i, j: x[index(i, j)], t, i, j)

    def assigned(x, i, j, *values):
        y = x.copy()
        y[index(i, j)] = values[0] if values else 7.0
        return y

    check(assigned, t, i, j)
    check(assigned, t, i, j, s)
    shape = t[0][index(i[0], j[0])].shape
    check(assigned, t, i, j, batch(*shape))
    check(assigned, t, i, j, batch(*shape[1:]))


def test_assignments():
    fixed = rng.normal(size=3)

    def assigned(x, y, z):
        x = x.copy()
        x[0] = y
        x[:, 1] = z[0]
        x[..., 2] = fixed
        x[1:, :, 0] += 1.0
        x[:, np.array([2, 0])] = x[:, np.array([0, 2])] * 2
        x[1, np.array([0, 1]), :] = y[:2]
        x[np.array([0, 1]), :, np.array([1, 3])] = y[:2, 0, None]
        return x

    check(assigned, t, a, b)


def test_methods_and_attributes():
    check(lambda x: x.T @ x.mT[0], batch(4, 4))
    check(lambda x: x.transpose(2, 0, 1) + x.transpose((2, 0, 1)), t)
    check(lambda x: x.transpose(-1, 0, -2), t)
    check(lambda x: x.reshape(-1, 2) + x.reshape((6, 2)), a)
    check(lambda x: x.reshape((4, 3), order="F"), a)
    check(lambda x: x.swapaxes(0, 1).ravel(), a)
    check(lambda x: x.astype(np.float32).view(np.int32), a)
    check(lambda x: (x.real + x.imag) * x.conj(), a + 1j * b)
    check(lambda x: x.sum() + x.max(1)[0] + x.std(axis=0)[1] + x.flatten()[3], a)
    check(lambda x: x.squeeze() * x.nbytes + x.itemsize + x.size + x.ndim + len(x), a)
    check(lambda x: sum(row * 2 for row in x), a)
    with BatchLevel(SAMPLES) as level:
        x = BatchedArray(a, level)
        assert x.shape == (3, 4)
        assert x.shape.levels == (level,)
        with pytest.raises(AttributeError, match="does not know the attribute 'wobble'"):
            x.wobble
        with pytest.raises(ValueError, match="cannot reshape"):
            x.reshape(5, -1)
        with pytest.raises(TransformError):
            bool(x)


def test_two_levels():
    values = rng.normal(size=(2, 3, 4))
    with BatchLevel(2) as outer, BatchLevel(3) as inner:
        x = BatchedArray(BatchedArray(values.swapaxes(0, 1), outer), inner)
        y = BatchedArray(v, inner)
        z = BatchedArray(values[:, 0], outer)
        assert x.shape.levels == (inner, outer)
        for found, expected in (
            (z + y, values[:, 0][:, None] + v),
            (y + z, values[:, 0][:, None] + v),
            (np.stack([z, y])[0] * 1.0 + y * 0, values[:, 0][:, None] + 0 * v),
            (np.concatenate([z, y]), None),
        ):
            assert found.level is inner
            if expected is not None:
                np.testing.assert_allclose(found.values.values, expected)
