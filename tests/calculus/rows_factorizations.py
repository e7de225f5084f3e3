"""Rows of triangular factors, what is solved with them, and forms that tell instead of raising."""

import numpy as np

from aino.ops.linalg import ex_forms, lu, symmetric, triangular
from tests.calculus.row import Row, case, given, real, regular


def adjoint(x):
    return np.conjugate(np.swapaxes(x, -1, -2))


def stacked(function):
    """Return a function of one matrix as one of stacks, its results stacked one by one."""

    def call(x, *arguments, **keywords):
        if x.ndim == 2:
            return function(x, *arguments, **keywords)
        found = [call(matrix, *arguments, **keywords) for matrix in x]
        return tuple(map(np.stack, zip(*found)))

    return call


@stacked
def lu_of(a, pivot=True):
    """Return L and U in one and the interchanges, by Gauss's elimination, row by row."""
    a, (m, n) = a.copy(), a.shape
    pivots = np.arange(1, min(m, n) + 1, dtype=np.int32)
    for j in range(min(m, n)):
        if pivot:
            best = j + int(np.argmax(abs(a[j:, j].real) + abs(a[j:, j].imag)))
            a[[j, best]] = a[[best, j]]
            pivots[j] = best + 1
        for i in range(j + 1, m):
            a[i, j] = a[i, j] / a[j, j] if a[j, j] else 0.0
            a[i, j + 1 :] = a[i, j + 1 :] - a[i, j] * a[j, j + 1 :]
    return a, pivots


@stacked
def unpacked(packed, pivots):
    m, n = packed.shape
    k = min(m, n)
    permutation = np.eye(m)
    for i, other in enumerate(pivots - 1):
        permutation[:, [i, other]] = permutation[:, [other, i]]
    return permutation, np.tril(packed[:, :k], -1) + np.eye(m, k), np.triu(packed[:k])


def unpack_oracle(packed, pivots, unpack_data=True, unpack_pivots=True):
    if packed.ndim > 2:
        parts = [unpack_oracle(*pair, unpack_data, unpack_pivots) for pair in zip(packed, pivots)]
        return tuple(map(np.stack, zip(*parts)))
    permutation, lower, upper = unpacked(packed, pivots)
    empty = np.zeros(0)
    return (
        permutation if unpack_pivots else empty,
        *((lower, upper) if unpack_data else (empty, empty)),
    )


def lu_oracle(a, pivot=True):
    if a.ndim > 2:
        permutation, *factors = map(np.stack, zip(*[lu_oracle(matrix, pivot) for matrix in a]))
        return (permutation if pivot else np.zeros(0)), *factors
    permutation, lower, upper = unpacked(*lu_of(a, pivot))
    return (permutation if pivot else np.zeros(0)), lower, upper


def lu_ex_oracle(a, pivot=True):
    packed, pivots = lu_of(a, pivot)
    diagonal = np.diagonal(packed, 0, -2, -1) == 0
    first = np.argmax(diagonal, -1) + 1 if diagonal.shape[-1] else 0
    return packed, pivots, np.where(diagonal.any(-1), first, 0).astype(np.int32)


def lu_solve_oracle(packed, pivots, b, left=True, adjoint=False):
    permutation, lower, upper = unpack_oracle(packed, pivots)
    a = permutation @ lower @ upper
    a = np.conjugate(np.swapaxes(a, -1, -2)) if adjoint else a
    return np.linalg.inv(a) @ b if left else b @ np.linalg.inv(a)


def triangular_oracle(a, b, *, upper, left=True, unitriangular=False):
    a = np.triu(a) if upper else np.tril(a)
    if unitriangular:
        a = a - a * np.eye(a.shape[-1]) + np.eye(a.shape[-1])
    return np.linalg.inv(a) @ b if left else b @ np.linalg.inv(a)


def older_triangular_oracle(b, a, upper=True, transpose=False, unitriangular=False):
    full = np.broadcast_to(a, np.broadcast_shapes(a.shape[:-2], b.shape[:-2]) + a.shape[-2:])
    factor = triangular_oracle(a, np.eye(a.shape[-1]), upper=upper, unitriangular=unitriangular)
    return (np.swapaxes(factor, -1, -2) if transpose else factor) @ b, full


def product_of_factor(factor, upper):
    """Return the matrix that a factor of Cholesky's stands for."""
    factor = np.triu(factor) if upper else np.tril(factor)
    return adjoint(factor) @ factor if upper else factor @ adjoint(factor)


def triangle(torch, factor, upper):
    return torch.triu(factor) if upper else torch.tril(factor)


def definite(x):
    """Return a Hermitian matrix of which every entry may be varied."""
    return x @ x.mH + 2.0


def cholesky_ex_oracle(x, upper=False):
    lower = np.linalg.cholesky(x @ adjoint(x) + 2.0)
    return (adjoint(lower) if upper else lower), np.zeros(x.shape[:-2], np.int32)


def solve_oracle(a, b, left=True):
    info = np.zeros(a.shape[:-2], np.int32)
    if b.ndim < a.ndim or b.ndim == 1:
        return (np.linalg.inv(a) @ b[..., None])[..., 0], info
    return (np.linalg.inv(a) @ b if left else b @ np.linalg.inv(a)), info


def indefinite(x, hermitian=False, **keywords):
    """Return the factors of an indefinite matrix, and what they solve."""
    matrix = x + (x.mH if hermitian else x.mT)
    factors = symmetric.ldl_factor(matrix, hermitian=hermitian)
    return symmetric.ldl_solve(*factors, matrix @ x, hermitian=hermitian, **keywords)


def solve_indefinite(torch, x, hermitian=False):
    matrix = x + (x.mH if hermitian else x.mT)
    factors = torch.linalg.ldl_factor(matrix, hermitian=hermitian)
    return torch.linalg.ldl_solve(*factors, matrix @ x, hermitian=hermitian)


def by_ldl(x, b, hermitian=False):
    """Return the solution of a system, in which the right side alone is varied."""
    matrix = x + (x.mH if hermitian else x.mT)
    return symmetric.ldl_solve(
        *symmetric.ldl_factor(matrix, hermitian=hermitian), b, hermitian=hermitian
    )


def by_ldl_oracle(x, b, hermitian=False):
    return np.linalg.inv(x + (adjoint(x) if hermitian else np.swapaxes(x, -1, -2))) @ b


TALL, WIDE, SQUARE = real(3, 2), real(2, 3), regular(3, 3)
MATRICES = [case(SQUARE), case(TALL), case(WIDE), case(real(2, 3, 2)), case(real(2, 2, 4))]
EMPTY = [case(real(0, 2, 2)), case(real(0, 0)), case(real(2, 0, 0))]
EMPTY_TOO = [*EMPTY[1:], case(real(0, 3)), case(real(2, 3, 0))]
SINGULAR = [[0.0, 1.0], [0.0, 2.0]]
INTERCHANGES = given(np.array([2, 3, 3], np.int32))
TWO_INTERCHANGES = given(np.array([[2, 3, 3], [1, 2, 3]], np.int32))

ROWS = [
    Row(
        "linalg.lu_factor", lu.lu_factor, lu_of, MATRICES,
        covers="lu", complex=True, dtypes="int64 float32", kinks=EMPTY_TOO,
        errors=[case(real(3)), case(given(SINGULAR))],
    ),
    Row(
        "linalg.lu_factor_ex", lu.lu_factor_ex, lu_ex_oracle, MATRICES[:2],
        covers="lu", complex=True, dtypes="int64 float32",
        errors=[case(real(3)), case(given(SINGULAR), check_errors=True)],
    ),
    Row(
        "linalg.lu_factor_ex", lu.lu_factor_ex, lu_ex_oracle,
        [case(given(SINGULAR)), case(given(np.stack([np.eye(2), np.zeros((2, 2))])))],
        covers="lu", order=0, dtypes="float32",
    ),
    Row(
        "linalg.lu", lu.lu_factors, lu_oracle, MATRICES,
        covers="lu", complex=True, dtypes="int64 float32", errors=[case(real(3))],
        kinks=[case(real(0, 0)).gives((np.zeros((0, 0)),) * 3)],
    ),
    # PyTorch does not go without interchanges on the CPU.
    Row(
        "linalg.lu (as rows stand)", lu.lu_factors, lu_oracle,
        [case(SQUARE, pivot=False), case(regular(2, 2, 2), pivot=False)],
        covers="lu", complex=True, dtypes="float32", torch=None, method="",
    ),
    Row(
        "lu", lambda x, **keywords: lu.lu(x, **keywords)[0], lambda x, **keywords: lu_of(x)[0],
        [case(SQUARE), case(TALL), case(WIDE, get_infos=True)],
        covers="lu", complex=True, dtypes="int64 float32", method="",
        torch=lambda torch, x, **keywords: torch.lu(x, **keywords)[0],
        errors=[case(real(3))],
    ),
    Row(
        "lu_unpack", lu.lu_unpack, unpack_oracle,
        [
            case(real(3, 3), INTERCHANGES), case(real(4, 3), INTERCHANGES),
            case(real(3, 4), INTERCHANGES), case(real(2, 3, 3), TWO_INTERCHANGES),
            case(real(3, 3).constant(), INTERCHANGES, unpack_data=False),
            case(real(3, 3), INTERCHANGES, unpack_pivots=False),
        ],
        covers="", complex=True, dtypes="int64 float32", method="",
        errors=[
            case(real(3, 3), given(np.array([1, 2, 3]))),
            case(real(3, 3), given(np.array([1, 2], np.int32))),
            case(real(3, 3), given(np.array([1, 2, 4], np.int32))),
        ],
    ),
    Row(
        "linalg.lu_solve", lu.solve_by_lu, lu_solve_oracle,
        [
            case(SQUARE, INTERCHANGES, real(3, 2)),
            case(SQUARE, INTERCHANGES, real(2, 3), left=False),
            case(SQUARE, INTERCHANGES, real(3, 2), adjoint=True),
            case(SQUARE, INTERCHANGES, real(2, 3), left=False, adjoint=True),
            case(regular(2, 3, 3), TWO_INTERCHANGES, real(3, 1)),
            case(SQUARE, INTERCHANGES, real(2, 3, 1)),
        ],
        covers="solve_triangular", complex=True, dtypes="int64 float32",
        errors=[
            case(SQUARE, INTERCHANGES, real(2, 2)), case(SQUARE, INTERCHANGES, real(3)),
            case(TALL, INTERCHANGES, real(3, 2)),
            case(SQUARE, given(np.array([1, 2, 3])), real(3, 2)),
        ],
    ),
    Row(
        "lu_solve", lu.lu_solve, lambda b, packed, pivots: lu_solve_oracle(packed, pivots, b),
        [case(real(3, 2), SQUARE, INTERCHANGES)],
        covers="solve_triangular", complex=True, dtypes="int64 float32",
        errors=[case(real(2, 2), SQUARE, INTERCHANGES)],
    ),
    Row(
        "linalg.solve_triangular", triangular.solve_triangular, triangular_oracle,
        [
            case(SQUARE, real(3, 2), upper=True), case(SQUARE, real(3, 2), upper=False),
            case(SQUARE, real(2, 3), upper=True, left=False),
            case(SQUARE, real(2, 3), upper=False, left=False),
            case(real(3, 3), real(3, 2), upper=True, unitriangular=True),
            case(real(3, 3), real(3, 2), upper=False, unitriangular=True),
            case(regular(2, 1, 2, 2), real(3, 2, 1), upper=False),
        ],
        covers="solve_triangular", complex=True, dtypes="int64 float32",
        kinks=[case(real(0, 0), real(0, 2), upper=True), case(SQUARE, real(3, 0), upper=False)],
        errors=[
            case(SQUARE, real(3), upper=True), case(SQUARE, real(2, 2), upper=True),
            case(TALL, real(3, 2), upper=True),
        ],
    ),
    # Blocks of which each is solved by itself, and panels of columns.
    Row(
        "linalg.solve_triangular (of many rows)", triangular.solve_triangular, triangular_oracle,
        [case(given(np.random.default_rng(1).normal(size=(140, 140)) + 40 * np.eye(140)),
              real(140, 1), upper=upper) for upper in (True, False)],
        covers="solve_triangular", torch="linalg.solve_triangular", method="", order=0,
        dtypes="float32",
    ),
    Row(
        "linalg.lu_factor (of many rows)", lu.lu_factor, lu_of,
        [case(given(np.random.default_rng(1).normal(size=shape)))
         for shape in ((140, 100), (100, 140), (2, 70, 70))],
        covers="lu", torch="linalg.lu_factor", method="", order=0, dtypes="", rtol=1e-7,
    ),
    Row(
        "triangular_solve", triangular.triangular_solve, older_triangular_oracle,
        [
            case(real(3, 2), SQUARE), case(real(3, 2), SQUARE, upper=False),
            case(real(3, 2), SQUARE, transpose=True), case(real(2, 3, 2), SQUARE, False, True),
            case(real(3, 2), real(3, 3), unitriangular=True),
        ],
        covers="solve_triangular", complex=True, dtypes="int64 float32",
        errors=[case(real(3), SQUARE), case(real(2, 2), SQUARE)],
    ),
    # PyTorch's gradient has numbers in the triangle that is not read, too.
    Row(
        "cholesky_solve", triangular.cholesky_solve,
        lambda b, factor, upper=False: np.linalg.inv(product_of_factor(factor, upper)) @ b,
        [
            case(real(3, 2), SQUARE), case(real(3, 2), SQUARE, upper=True),
            case(real(2, 3, 1), SQUARE), case(real(3, 1), regular(2, 3, 3)),
        ],
        covers="solve_triangular", complex=True, dtypes="int64 float32",
        torch=lambda torch, b, factor, upper=False: torch.cholesky_solve(
            b, triangle(torch, factor, upper), upper
        ),
        errors=[case(real(3), SQUARE), case(real(2, 2), SQUARE), case(real(3, 2), TALL)],
    ),
    Row(
        "cholesky_inverse", triangular.cholesky_inverse,
        lambda factor, upper=False: np.linalg.inv(product_of_factor(factor, upper)),
        [case(SQUARE), case(SQUARE, upper=True), case(regular(2, 2, 2))],
        covers="solve_triangular", dtypes="int64 float32",
        torch=lambda torch, factor, upper=False: torch.cholesky_inverse(
            triangle(torch, factor, upper), upper
        ),
        errors=[case(TALL), case(given(np.zeros((2, 2)))), case(real(3))],
    ),
    # Of a diagonal that is not real, which no such factor has, PyTorch reads the real part alone.
    Row(
        "cholesky_inverse (complex)",
        lambda x, upper: triangular.cholesky_inverse(
            ex_forms.cholesky_ex(definite(x), upper=upper).L, upper
        ),
        lambda x, upper: np.linalg.inv(x @ adjoint(x) + 2.0),
        [case(SQUARE, True), case(SQUARE, False)],
        covers="solve_triangular", complex=True, dtypes="int64 float32", method="",
        torch=lambda torch, x, upper: torch.cholesky_inverse(
            torch.linalg.cholesky(x @ x.mH + 2.0, upper=upper), upper
        ),
    ),
    Row(
        "linalg.cholesky_ex", lambda x, **keywords: ex_forms.cholesky_ex(definite(x), **keywords),
        cholesky_ex_oracle, [case(SQUARE), case(regular(2, 2, 2)), case(SQUARE, upper=True)],
        covers="cholesky_ex", complex=True, dtypes="int64 float32",
        torch=lambda torch, x, **keywords: torch.linalg.cholesky_ex(x @ x.mH + 2.0, **keywords),
        errors=[case(real(3))],
    ),
    Row(
        "linalg.cholesky_ex", lambda x: ex_forms.cholesky_ex(x).info, None,
        [
            case(given([[1.0, 9.0], [2.0, 1.0]])).gives(np.int32(2)),
            case(given(np.stack([np.eye(2), -np.eye(2)]))).gives(np.array([0, 1], np.int32)),
        ],
        covers="", order=0, dtypes="float32",
        torch=lambda torch, x: torch.linalg.cholesky_ex(x).info,
    ),
    Row(
        "linalg.inv_ex", ex_forms.inv_ex,
        lambda x: (np.linalg.inv(x), np.zeros(x.shape[:-2], np.int32)),
        [case(SQUARE), case(regular(2, 2, 2))],
        covers="inverse_or_inf", complex=True, dtypes="int64 float32", kinks=EMPTY,
        errors=[case(TALL), case(real(3)), case(given(SINGULAR), check_errors=True)],
    ),
    Row(
        "linalg.inv_ex", lambda x: ex_forms.inv_ex(x).info, None,
        [
            case(given(SINGULAR)).gives(np.int32(1)),
            case(given([[1.0, 2.0], [2.0, 4.0]])).gives(np.int32(2)),
        ],
        covers="", order=0, dtypes="float32", torch=lambda torch, x: torch.linalg.inv_ex(x).info,
    ),
    Row(
        "linalg.solve_ex", ex_forms.solve_ex, solve_oracle,
        [
            case(SQUARE, real(3, 2)), case(SQUARE, real(3)), case(regular(2, 2, 2), real(2, 2)),
            case(SQUARE, real(2, 3), left=False), case(SQUARE, real(2, 3, 1)),
        ],
        covers="solve_or_nan", complex=True, dtypes="int64 float32",
        errors=[
            case(SQUARE, real(2, 2)), case(given(SINGULAR), real(2), check_errors=True),
            case(TALL, real(3)),
        ],
    ),
    Row(
        "linalg.ldl_solve", indefinite, lambda x, hermitian=False: x,
        [case(real(3, 3)), case(real(2, 5, 5)), case(real(4, 4), hermitian=True)],
        covers="ldl ldl_solve", complex=True, dtypes="int64 float32", order=0,
        torch=solve_indefinite, errors=[case(real(2, 3))], rtol=1e-7, atol=1e-9,
    ),
    # PyTorch has no derivative for the right side.
    Row(
        "linalg.ldl_solve (of the right side)", by_ldl, by_ldl_oracle,
        [
            case(real(3, 3).constant(), real(3, 2)),
            case(real(4, 4).constant(), real(2, 4, 1), hermitian=True),
        ],
        covers="ldl_solve", complex=True, torch=None, method="",
    ),
]  # fmt: skip
