"""Rows of inverses, determinants, factors and powers of matrices."""

import numpy as np

from aino.autograd.rules import matrices as rules
from aino.ops.linalg import linear, matrices
from aino.ops.reduce import norms
from tests.calculus.row import Row, case, given, positive, real, regular

NOT_SQUARE = [case(real(2, 3)), case(real(3))]


def positive_definite(x):
    """Return a Hermitian matrix of which every entry may be varied."""
    return linear.matmul(x, x.mH) + 2.0


def cholesky(x, upper=False):
    return matrices.cholesky(positive_definite(x), upper=upper)


def cholesky_oracle(x, upper=False):
    lower = np.linalg.cholesky(x @ np.conjugate(np.swapaxes(x, -1, -2)) + 2.0)
    return np.conjugate(np.swapaxes(lower, -1, -2)) if upper else lower


def solve_oracle(a, b, left=True):
    if not left:
        return np.swapaxes(np.linalg.solve(np.swapaxes(a, -1, -2), np.swapaxes(b, -1, -2)), -1, -2)
    if b.ndim == 1 or b.shape == a.shape[:-1]:
        return np.linalg.solve(a, b[..., None])[..., 0]
    return np.linalg.solve(a, b)


def turned(a, b):
    """Return the sign of the determinant of a complex matrix."""
    return matrices.slogdet(a + b * 1j).sign


def logdet_oracle(x):
    sign, size = np.linalg.slogdet(x)
    return np.log(sign) + size


def norm_oracle(x, ord=None, dim=None, keepdim=False):
    return np.linalg.norm(x, ord, dim, keepdim)


def matrix_norm_oracle(x, ord="fro", dim=(-2, -1), keepdim=False):
    return np.linalg.norm(x, ord, dim, keepdim)


def vector_norm_oracle(x, ord=2, dim=None, keepdim=False):
    return np.linalg.vector_norm(x, axis=dim, keepdims=keepdim, ord=ord)


def share_of_vectors(h, x):
    u, _, vh = np.linalg.svd(x, full_matrices=False)
    return np.diagonal(u.conj().T @ h @ vh.conj().T).real


def turn_of_vectors(h, x, weights):
    def vectors(x):
        u, _, vh = np.linalg.svd(x, full_matrices=False)
        return u @ np.diag(weights) @ vh

    step = 1e-6
    return (vectors(x + step * h) - vectors(x - step * h)) / (2 * step)


SQUARE = [case(regular(3, 3)), case(regular(2, 2, 2)), case(regular(1, 1))]

ROWS = [
    Row(
        "linalg.inv", matrices.inv, np.linalg.inv, SQUARE, covers="inv", complex=True, method="",
        errors=[*NOT_SQUARE, case(given([[1.0, 2.0], [2.0, 4.0]]))],
    ),
    Row("inverse", matrices.inverse, np.linalg.inv, SQUARE[:1], covers="inv", complex=True),
    Row(
        "linalg.solve", matrices.solve, solve_oracle,
        [
            case(regular(3, 3), real(3, 2)),
            case(regular(3, 3), real(3)),
            case(regular(2, 2, 2), real(2, 2)),
            case(regular(2, 2, 2), real(2, 3)),
            case(regular(2, 2), real(3, 2, 1)),
            case(regular(2, 2), real(3, 2), left=False),
        ],
        covers="solve", complex=True, method="",
        errors=[
            case(regular(2, 2), real(3, 2)),
            case(regular(2, 2), real(5, 2)),
            case(real(2, 3), real(2)),
            case(given([[1.0, 2.0], [2.0, 4.0]]), real(2)),
        ],
    ),
    Row(
        "det", matrices.det, np.linalg.det, SQUARE, covers="det cofactors", complex=True,
        errors=NOT_SQUARE,
    ),
    # PyTorch takes the slope of a singular matrix for zero; it is the cofactors.
    Row(
        "det of singular matrices", matrices.det, np.linalg.det,
        [
            case(given([[1.0, 2.0], [2.0, 4.0]])),
            case(given(np.diag([1.0, 2.0, 0.0]))),
            case(given(np.ones((3, 3)))),
        ],
        covers="det cofactors", torch=None, method="", order=1,
    ),
    Row(
        "slogdet", matrices.slogdet, np.linalg.slogdet, SQUARE, covers="logabsdet signdet",
        complex=True, errors=NOT_SQUARE,
    ),
    Row(
        "signdet", turned, lambda a, b: np.linalg.slogdet(a + b * 1j)[0],
        [case(regular(3, 3), real(3, 3)), case(regular(2, 2, 2), real(2, 2, 2))],
        torch=lambda torch, a, b: torch.slogdet(a + b * 1j).sign, method="", dtypes="float32",
    ),
    Row(
        "logdet", matrices.logdet, logdet_oracle, SQUARE, covers="logabsdet", complex=True,
        errors=NOT_SQUARE,
    ),
    Row(
        "linalg.cholesky", cholesky, cholesky_oracle,
        [case(regular(3, 3)), case(regular(2, 2, 2)), case(regular(2, 2), upper=True)],
        covers="cholesky", complex=True, method="",
        torch=lambda torch, x, upper=False: torch.linalg.cholesky(x @ x.mH + 2.0, upper=upper),
        errors=[case(real(3))],
    ),
    Row(
        "matrix_power", matrices.matrix_power, np.linalg.matrix_power,
        [
            case(real(2, 2), 1),
            case(real(2, 2), 2),
            case(real(2, 2, 2), 5),
            case(regular(2, 2), -2),
            case(regular(2, 2), -1),
        ],
        covers="inv mm bmm", complex=True, dtypes="float32",
        errors=[case(real(2, 3), 2), case(real(2, 2), 1.5)],
    ),
    Row(
        "linalg.vector_norm", norms.vector_norm, vector_norm_oracle,
        [
            case(real(2, 3).away(0)),
            case(real(2, 3).away(0), 3.0, 1),
            case(real(2, 3).away(0), 1, (0, 1), True),
        ],
        covers="norm", complex=True, method="", dtypes="int64 float32",
    ),
    Row(
        "linalg.matrix_norm", norms.matrix_norm, matrix_norm_oracle,
        [
            case(real(2, 3).away(0)),
            case(real(2, 3).away(0), 1),
            case(real(2, 3).away(0), -1),
            case(real(2, 2, 3).away(0), float("inf")),
            case(real(2, 2, 3).away(0), -float("inf"), (2, 0)),
            case(real(2, 2, 3).away(0), 1, (0, 1), True),
        ],
        covers="norm amax amin", complex=True, method="", dtypes="int64 float32",
        errors=[case(real(3)), case(real(2, 2), "other"), case(real(2, 2), 1, (0, 0))],
    ),
    Row(
        "linalg.matrix_norm", norms.matrix_norm, matrix_norm_oracle,
        [
            case(real(2, 3), 2),
            case(regular(3, 3), -2),
            case(real(3, 2), "nuc"),
            case(real(2, 2, 3), 2, (2, 0), True),
        ],
        covers="singular_values weighted_vectors", complex=True, method="", dtypes="int64 float32",
        errors=[case(real(2, 0), -2)],
        kinks=[case(given(np.ones((2, 0))), 2)],
        gradtol=1e-4,
    ),
    Row(
        "norm", norms.norm, norm_oracle, [case(real(2, 3), "nuc")],
        covers="singular_values", complex=True, dtypes="int64 float32",
        errors=[case(real(3), "nuc")], gradtol=1e-4,
    ),
    # The derivative of U diag(w) Vᴴ: that of w by its definition, that of x by differences.
    Row(
        "weighted_share", rules.weighted_share, share_of_vectors, [case(real(2, 3), real(2, 3))],
        order=0, torch=None, method="", complex=True,
    ),
    Row(
        "weighted_turn", rules.weighted_turn, turn_of_vectors,
        [case(real(2, 3), real(2, 3), positive(2)), case(real(3, 2), real(3, 2), positive(2))],
        order=0, torch=None, method="", atol=1e-7,
    ),
    Row(
        "linalg.norm", norms.any_norm, norm_oracle,
        [
            case(real(2, 3).away(0)),
            case(real(3).away(0), 1),
            case(real(2, 3).away(0), 1),
            case(real(2, 3).away(0), 3.0, 1),
            case(real(2, 2, 3).away(0), 1, (1, 2)),
        ],
        covers="norm", complex=True, method="", dtypes="int64 float32",
        errors=[case(real(2, 2, 2), 3)],
    ),
    Row(
        "linalg.vecdot", norms.vecdot, lambda x, y, dim=-1: (np.conjugate(x) * y).sum(dim),
        [
            case(real(2, 3), real(2, 3)),
            case(real(2, 3), real(3)),
            case(real(2, 3), real(2, 3), dim=0),
        ],
        covers="mul sum", complex=True, method="", dtypes="float32",
        errors=[case(real(2, 3), real(2))],
    ),
]  # fmt: skip
