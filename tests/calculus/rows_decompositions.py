"""Rows of eigenvalues, singular values, orthogonal factors, and what is made of them.

Vectors are compared up to their sign, or phase: a row returns their absolute values.
"""

import numpy as np

from aino.ops.linalg import decompositions, least_squares
from tests.calculus.row import Row, case, given, real, regular

ONE_SINGULAR = np.stack([np.eye(2), np.zeros((2, 2))])
NOT_SQUARE = [case(real(2, 3)), case(real(3))]


def adjoint(x):
    return np.conjugate(np.swapaxes(x, -1, -2))


def low_rank(x, *arguments, **keywords):
    """Return the pseudoinverse of a matrix whose rank stays 2, whatever is varied."""
    return least_squares.pinv(x @ x.mH, *arguments, **keywords)


def hermitian(function, vectors):
    """Return a function of matrices of which every entry may be varied, made Hermitian."""

    def call(x, *arguments):
        found = function(x + x.mH, *arguments)
        return (found[0], abs(found[1])) if vectors else found

    return call


def absolute_eig(x):
    w, v = decompositions.eig(x)
    return w, abs(v)


def eigenvalues_oracle(x, UPLO="L"):
    return np.linalg.eigvalsh(x + adjoint(x))


def eigh_oracle(x, UPLO="L"):
    w, v = np.linalg.eigh(x + adjoint(x))
    return w, abs(v)


def eig_oracle(x):
    w, v = np.linalg.eig(x)
    return w.astype(complex), abs(v)


def absolute_svd(x, full_matrices=True):
    u, s, vh = decompositions.svd_h(x, full_matrices)
    return abs(u[..., : s.shape[-1]]), s, abs(vh[..., : s.shape[-1], :])


def svd_oracle(x, full_matrices=True):
    u, s, vh = np.linalg.svd(x, full_matrices=False)
    return abs(u), s, abs(vh)


def svd_in_torch(torch, x, full_matrices=True):
    u, s, vh = torch.linalg.svd(x, full_matrices)
    return abs(u[..., : s.shape[-1]]), s, abs(vh[..., : s.shape[-1], :])


def product_of_vectors(x):
    """Return U Vᴴ, in which the phases cancel."""
    u, _, vh = decompositions.svd_h(x, False)
    return u @ vh


def older_svd(function):
    def call(x, some=True, compute_uv=True):
        u, s, v = function(x, some, compute_uv)
        return abs(u[..., : s.shape[-1]]), s, abs(v[..., : s.shape[-1]])

    return call


def older_svd_oracle(x, some=True, compute_uv=True):
    u, s, vh = np.linalg.svd(x, full_matrices=False)
    *batch, m, n = x.shape
    k = min(m, n)
    if not compute_uv:
        return np.zeros((*batch, m, k)), s, np.zeros((*batch, n, k))
    return abs(u), s, abs(np.swapaxes(vh, -1, -2))


def qr_oracle(x, mode="reduced"):
    q, r = np.linalg.qr(x, "reduced" if mode == "r" else mode)
    return (np.zeros(0), r) if mode == "r" else (q, r)


def older_qr(x, some=True):
    return np.linalg.qr(x, "reduced" if some else "complete")


def geqrf_oracle(x):
    h, tau = np.linalg.qr(x, "raw")
    return np.swapaxes(h, -1, -2), tau


def pinv_oracle(x, rcond=None, hermitian=False, *, atol=0.0, rtol=None):
    u, s, vh = np.linalg.svd(x, full_matrices=False)
    rtol = rcond if rtol is None else rtol
    rtol = max(x.shape[-2:]) * np.finfo(s.dtype).eps if rtol is None else rtol
    limit = np.maximum(np.asarray(atol)[..., None], np.asarray(rtol)[..., None] * s[..., :1])
    inverse = np.zeros(np.broadcast_shapes(s.shape, limit.shape))
    np.divide(1.0, s, out=inverse, where=s > limit)
    return adjoint(vh) * inverse[..., None, :] @ adjoint(u)


def rank_oracle(x, tol=None, hermitian=False, *, atol=None, rtol=None):
    s = np.linalg.svd(x, compute_uv=False)
    atol = tol if atol is None else atol
    usual = 0.0 if atol else max(x.shape[-2:]) * np.finfo(x.dtype).eps
    limit = np.maximum(atol or 0.0, (usual if rtol is None else rtol) * s[..., :1])
    return (s > limit).sum(-1)


def solution(a, b, rcond=None, driver="gelsy"):
    found = least_squares.lstsq(a, b, rcond, driver=driver)
    return found.solution, found.residuals


def solution_in_torch(torch, a, b, rcond=None, driver="gelsy"):
    return torch.linalg.lstsq(a, b, rcond, driver=driver)[:2]


def solution_oracle(a, b, rcond=None, driver="gelsy"):
    matrix = b if b.ndim == a.ndim else b[..., None]
    x = np.linalg.pinv(a) @ matrix
    residuals = np.zeros(0)
    if driver != "gelsy" and a.shape[-2] > a.shape[-1]:
        residuals = (abs(a @ x - matrix) ** 2).sum(-2)
    return (x if b.ndim == a.ndim else x[..., 0]), residuals


TOLERANCES = given([[0.01], [0.1]], np.float64).constant()
TALL, WIDE, SQUARE = real(3, 2), real(2, 3), regular(3, 3)
MATRICES = [case(SQUARE), case(TALL), case(WIDE), case(real(2, 3, 2))]
EMPTY = [case(real(0, 2, 2)), case(real(0, 0)), case(real(2, 0, 0))]
EMPTY_TOO = [*EMPTY, case(real(0, 3)), case(real(2, 3, 0))]

ROWS = [
    Row(
        "linalg.eigh", hermitian(decompositions.eigh, True), eigh_oracle,
        [case(real(3, 3)), case(real(2, 2, 2)), case(real(2, 2), "U"), case(real(1, 1))],
        covers="eigh", complex=True, dtypes="int64 float32", kinks=EMPTY,
        torch=lambda torch, x, *a: (lambda w, v: (w, abs(v)))(*torch.linalg.eigh(x + x.mH, *a)),
        errors=[*NOT_SQUARE, case(real(2, 2), "x")],
    ),
    Row(
        "linalg.eigvalsh", hermitian(decompositions.eigvalsh, False), eigenvalues_oracle,
        [case(real(3, 3)), case(real(2, 2, 2)), case(real(2, 2), "U"), case(real(1, 1))],
        covers="eigvalsh eigh", complex=True, dtypes="int64 float32", kinks=EMPTY,
        torch=lambda torch, x, *a: torch.linalg.eigvalsh(x + x.mH, *a),
        errors=[*NOT_SQUARE, case(real(2, 2), "x")],
    ),
    Row(
        "linalg.eig", absolute_eig, eig_oracle,
        [case(regular(3, 3)), case(real(2, 2, 2)), case(given([[0.0, 1.0], [-2.0, 0.5]]))],
        covers="eig", complex=True, dtypes="int64 float32", kinks=EMPTY, errors=NOT_SQUARE,
        torch=lambda torch, x: (lambda w, v: (w, abs(v)))(*torch.linalg.eig(x)),
    ),
    Row(
        "linalg.eigvals", decompositions.eigvals, lambda x: np.linalg.eigvals(x).astype(complex),
        [case(regular(3, 3)), case(real(2, 2, 2)), case(given([[0.0, 1.0], [-2.0, 0.5]]))],
        covers="eigvals eig", complex=True, dtypes="int64 float32", kinks=EMPTY, errors=NOT_SQUARE,
    ),
    Row(
        "linalg.svd", absolute_svd, svd_oracle,
        [*MATRICES, *[case(x, full_matrices=False) for x in (TALL, WIDE, real(2, 2, 3))]],
        covers="svd", complex=True, dtypes="int64 float32", torch=svd_in_torch,
        kinks=EMPTY_TOO, errors=[case(real(3))],
    ),
    Row(
        "linalg.svd (U Vh)", product_of_vectors,
        lambda x: (lambda u, s, vh: u @ vh)(*np.linalg.svd(x, full_matrices=False)),
        MATRICES, covers="svd", complex=True, dtypes="int64 float32", method="",
        torch=lambda torch, x: (lambda u, s, vh: u @ vh)(*torch.linalg.svd(x, False)),
    ),
    Row(
        "linalg.svdvals", decompositions.svdvals, lambda x: np.linalg.svd(x, compute_uv=False),
        MATRICES, covers="singular_values", complex=True, dtypes="int64 float32",
        kinks=EMPTY_TOO, errors=[case(real(3)), case(real(2, 2), driver="gesvd")],
    ),
    Row(
        "svd", older_svd(decompositions.svd), older_svd_oracle,
        [case(TALL), case(WIDE), case(TALL, some=False), case(WIDE, compute_uv=False)],
        covers="svd", complex=True, dtypes="int64 float32", method="",
        torch=lambda torch, *a, **k: older_svd(torch.svd)(*a, **k), errors=[case(real(3))],
    ),
    Row(
        "linalg.qr", decompositions.qr_of, qr_oracle,
        [
            case(SQUARE), case(TALL), case(WIDE), case(real(2, 3, 2)), case(real(2, 2, 3)),
            case(WIDE, "complete"), case(SQUARE, "complete"),
        ],
        covers="qr", complex=True, dtypes="int64 float32", kinks=EMPTY_TOO,
        errors=[case(real(3)), case(SQUARE, "full")],
    ),
    # PyTorch has no derivative of R without Q.
    Row(
        "linalg.qr (R)", decompositions.qr_of, qr_oracle,
        [case(SQUARE, "r"), case(TALL, "r"), case(WIDE, "r")],
        covers="qr", complex=True, dtypes="float32", method="", torch=None,
    ),
    Row(
        "linalg.qr (completed)", decompositions.qr_of, qr_oracle,
        [case(TALL, "complete"), case(real(2, 3, 1), "complete")],
        covers="qr_complete", complex=True, dtypes="float32", method="", torch="linalg.qr",
        order=0,
    ),
    Row(
        "qr_complete (R)", lambda x: decompositions.qr_of(x, "complete").R,
        lambda x: np.linalg.qr(x, "complete")[1], [case(TALL)],
        covers="qr_complete", complex=True, dtypes="float32", method="", torch=None, order=1,
    ),
    Row(
        "qr", decompositions.qr, older_qr, [case(TALL), case(WIDE), case(WIDE, some=False)],
        covers="qr", complex=True, dtypes="int64 float32", errors=[case(real(3))],
    ),
    Row(
        "geqrf", decompositions.geqrf, geqrf_oracle,
        [case(x.constant()) for x in (SQUARE, TALL, WIDE, real(2, 3, 2))],
        complex=True, dtypes="int64 float32", order=0, errors=[case(real(3))],
        kinks=[case(x.constant()) for x in (real(0, 3), real(2, 3, 0))],
    ),
    Row(
        "linalg.pinv", least_squares.pinv, pinv_oracle,
        [
            case(TALL), case(WIDE), case(SQUARE), case(real(2, 3, 2)), case(TALL, 0.01),
            case(TALL, atol=0.01), case(TALL, rtol=0.01),
            case(SQUARE, atol=TOLERANCES, rtol=given(0.1, np.float64).constant()),
        ],
        covers="pinv", complex=True, dtypes="int64", kinks=EMPTY_TOO,
        errors=[case(real(3)), case(TALL, hermitian=True)],
    ),
    Row(
        "linalg.pinv (singular)", low_rank, lambda x, **keywords: pinv_oracle(x @ adjoint(x)),
        [case(TALL, rtol=1e-5), case(TALL, rtol=1e-5, hermitian=True), case(TALL, atol=1e-4)],
        covers="pinv", complex=True, dtypes="float32", method="", gradtol=1e-4,
        torch=lambda torch, x, **keywords: torch.linalg.pinv(x @ x.mH, **keywords),
    ),
    Row(
        "pinverse", least_squares.pinverse, pinv_oracle, [case(TALL), case(WIDE, 1e-10)],
        covers="pinv", complex=True, dtypes="int64 float32", errors=[case(real(3))],
    ),
    Row(
        "linalg.matrix_rank", least_squares.matrix_rank, rank_oracle,
        [
            case(TALL), case(WIDE), case(real(2, 3, 2)), case(given(np.ones((3, 3)))),
            case(given(np.diag([4.0, 2.0, 1.0])), 1.5),
            case(given(np.diag([4.0, 2.0, 1.0])), 1.5, True),
            case(given(np.diag([4.0, 2.0, 1.0])), atol=0.5, rtol=0.4),
            case(given(np.diag([4.0, -2.0, 1.0])), rtol=0.4, hermitian=True),
        ],
        covers="", complex=True, dtypes="int64 float32", order=0, kinks=EMPTY_TOO,
        errors=[case(real(3)), case(TALL, hermitian=True)],
    ),
    Row(
        "linalg.cond", least_squares.cond, np.linalg.cond,
        [
            case(SQUARE), case(TALL, 2), case(WIDE, -2), case(SQUARE, 2), case(real(2, 3, 2)),
        ],
        covers="singular_values", complex=True, dtypes="int64 float32",
        kinks=[case(real(0, 0)).gives(0.0), case(real(2, 0, 0), 1).gives(np.zeros(2))],
        errors=[case(real(3)), case(TALL, 1), case(SQUARE, 3)], gradtol=1e-4,
    ),
    # PyTorch writes into what its own derivative needs, and then refuses to take it.
    Row(
        "linalg.cond (by the inverse)", least_squares.cond, np.linalg.cond,
        [case(x, p) for x in (SQUARE, regular(2, 2, 2))
         for p in (1, -1, np.inf, -np.inf, "fro", "nuc")],
        covers="inverse_or_inf", complex=True, torch=None, method="", gradtol=1e-4,
    ),
    Row(
        "linalg.cond (singular)", least_squares.cond, None,
        [
            case(given(np.ones((2, 2))), 1).gives(np.inf),
            case(given(ONE_SINGULAR), "fro").gives(np.array([2.0, np.inf])),
        ],
        covers="", torch="linalg.cond", method="", order=0,
    ),
    Row(
        "linalg.lstsq", solution, solution_oracle,
        [
            case(TALL, real(3, 2)), case(WIDE, real(2, 2)), case(TALL, real(3)),
            case(real(2, 3, 2), real(2, 3)), case(TALL, real(3, 2), driver="gels"),
            case(real(2, 3, 2), real(2, 3, 1), driver="gelsd"),
            case(TALL, real(3), driver="gelss"),
        ],
        covers="least_squares", complex=True, dtypes="int64 float32", torch=solution_in_torch,
        errors=[
            case(TALL, real(2, 2)), case(real(3), real(3)), case(TALL, real(3, 2), driver="x"),
            case(real(2, 3, 2), real(3)),
            case(given(np.ones((3, 3))), real(3, 2), driver="gels"),
        ],
    ),
    Row(
        "linalg.lstsq (the rest)",
        lambda a, b, **keywords: least_squares.lstsq(a, b, **keywords)[2:],
        lambda a, b, driver: (
            np.linalg.matrix_rank(a) if driver != "gels" else np.zeros(0, np.int64),
            np.linalg.svd(a)[1] if driver in ("gelsd", "gelss") else np.zeros(0),
        ),
        [case(x, real(3, 2), driver=driver) for driver in ("gels", "gelsy", "gelsd", "gelss")
         for x in (TALL, given(np.ones((3, 3)))) if driver != "gels" or x is TALL],
        covers="", complex=True, dtypes="float32", order=0, method="",
        torch=lambda torch, a, b, **keywords: torch.linalg.lstsq(a, b, **keywords)[2:],
    ),
]  # fmt: skip
