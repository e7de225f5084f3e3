"""Rows of functions of whole matrices, Householder's reflections, and low ranks."""

import math

import numpy as np

import aino
from aino.ops.linalg import decompositions, functions, householder, low_rank
from tests.calculus.row import Row, case, definite, given, real, regular


def adjoint(x):
    return np.conjugate(np.swapaxes(x, -1, -2))


def exponential(x):
    """Return the power series of e to the x / 2¹², squared twelve times."""
    scaled = x / 4096.0
    term = total = np.zeros_like(x) + np.eye(x.shape[-1])
    for k in range(1, 12):
        term = term @ scaled / k
        total = total + term
    for _ in range(12):
        total = total @ total
    return total


def reflections(a, tau):
    """Return the product of Householder's reflections, one after the other."""
    if a.ndim > 2:
        return np.stack([reflections(*pair) for pair in zip(a, tau)])
    product = np.eye(len(a))
    for i, factor in enumerate(tau):
        v = np.concatenate([np.zeros(i), [1.0], a[i + 1 :, i]])
        product = product @ (np.eye(len(a)) - factor * np.outer(v, np.conjugate(v)))
    return product


def multiplied(a, tau, other, left=True, transpose=False):
    q = reflections(a, tau)
    q = adjoint(q) if transpose else q
    return q @ other if left else other @ q


def low_rank_svd(a, b, **keywords):
    """Return the absolute vectors of a matrix whose rank stays 2, whatever is varied."""
    u, s, v = low_rank.svd_lowrank(a @ b, **keywords)
    return abs(u), s, abs(v)


def principal(a, b, **keywords):
    u, s, v = low_rank.pca_lowrank(a @ b, **keywords)
    return abs(u), s, abs(v)


def low_rank_oracle(a, b, q, **keywords):
    u, s, vh = np.linalg.svd(a @ b, full_matrices=False)
    return abs(u[..., :q]), s[..., :q], abs(adjoint(vh)[..., :q])


def principal_oracle(a, b, q, center=True):
    x = a @ b
    u, s, vh = np.linalg.svd(x - x.mean(-2, keepdims=True) if center else x, full_matrices=False)
    return abs(u[..., :q]), s[..., :q], abs(adjoint(vh)[..., :q])


def in_torch(name):
    def call(torch, a, b, **keywords):
        u, s, v = getattr(torch, name)(a @ b, **keywords)
        return abs(u), s, abs(v)

    return call


def tensorsolve_oracle(a, b, dims=None):
    a = a if dims is None else np.moveaxis(a, dims, range(-len(dims), 0))
    result = a.shape[b.ndim :]
    return np.linalg.solve(a.reshape(b.size, b.size), b.reshape(b.size)).reshape(result)


def tensorinv_oracle(a, ind=2):
    size = math.prod(a.shape[:ind])
    return np.linalg.inv(a.reshape(size, size)).reshape(a.shape[ind:] + a.shape[:ind])


def vander_oracle(x, N=None, increasing=False):
    return np.vander(x, N, increasing)


def powers_oracle(x, N=None):
    x = np.atleast_1d(x)
    N = x.shape[-1] if N is None else N
    return np.stack([x**k for k in range(N)], -1)


SQUARE = [case(regular(3, 3)), case(real(2, 2, 2)), case(real(1, 1))]
NOT_SQUARE = [case(real(2, 3)), case(real(3))]
FAR = given(np.diag([2.0, -8.0, 1.0]) + np.triu(np.ones((3, 3)), 1))


def outermost(A, *arguments, **keywords):
    """Return lobpcg's values, and its vectors without their signs."""
    values, vectors = aino.lobpcg(A, *arguments, **keywords)
    return values, vectors.abs()


def outermost_in_torch(torch, A, *arguments, **keywords):
    values, vectors = torch.lobpcg(A, *arguments, **keywords)
    return values, vectors.abs()


def outermost_oracle(A, k, B=None, X=None, largest=True, iK=None, tol=None):
    A = (A + A.swapaxes(-1, -2)) / 2
    root = np.eye(A.shape[-1]) if B is None else np.linalg.cholesky(B)
    inverse = np.linalg.inv(root)
    w, v = np.linalg.eigh(inverse @ A @ inverse.swapaxes(-1, -2))
    w, v = (w[..., ::-1], v[..., ::-1]) if largest else (w, v)
    return w[..., :k], np.abs(inverse.swapaxes(-1, -2) @ v[..., :k])


ROWS = [
    Row(
        "matrix_exp", functions.matrix_exp, exponential, [*SQUARE, case(real(3, 3))],
        complex=True, dtypes="int64 float32", errors=NOT_SQUARE, rtol=1e-8,
        kinks=[case(real(0, 0)), case(real(0, 2, 2)), case(real(2, 0, 0))],
    ),
    # A stack of matrices that are squared a different number of times.
    Row(
        "linalg.matrix_exp", lambda x, y: functions.matrix_exp(x * y),
        lambda x, y: exponential(x * y),
        [case(real(2, 2, 2), given([[[0.01]], [[5.0]]])), case(FAR, given(1.5))],
        covers="matrix_exp", method="", rtol=1e-7, gradtol=1e-4, dtypes="float32",
        torch=lambda torch, x, y: torch.linalg.matrix_exp(x * y),
    ),
    Row(
        "linalg.householder_product", householder.householder_product,
        lambda a, tau: reflections(a, tau)[..., : a.shape[-1]],
        [
            case(real(3, 3), real(3)), case(real(4, 2), real(2)), case(real(4, 3), real(1)),
            case(real(2, 3, 2), real(2, 2)),
        ],
        covers="solve_triangular", complex=True, dtypes="int64 float32",
        kinks=[
            case(real(3, 0), real(0)), case(real(3, 2), real(0)),
            case(real(3, 2), given([0.0, 1.0])),
        ],
        errors=[
            case(real(2, 3), real(2)), case(real(3, 2), real(3)), case(real(3), real(3)),
            case(real(2, 3, 2), real(2)),
        ],
    ),
    Row(
        "orgqr", householder.orgqr, lambda a, tau: reflections(a, tau)[..., : a.shape[-1]],
        [case(real(4, 2), real(2))],
        covers="solve_triangular", complex=True, dtypes="int64 float32",
        errors=[case(real(2, 3), real(2))],
    ),
    Row(
        "linalg.householder_product (of geqrf)",
        lambda x: householder.householder_product(*decompositions.geqrf(x)),
        lambda x: np.linalg.qr(x)[0], [case(real(4, 3)), case(real(2, 3, 2))],
        covers="geqrf", complex=True, order=0, method="", dtypes="float32",
        torch=lambda torch, x: torch.linalg.householder_product(*torch.geqrf(x.detach())),
    ),
    Row(
        "ormqr", householder.ormqr, multiplied,
        [
            case(real(3, 2), real(2), real(3, 4)),
            case(real(3, 2), real(2), real(2, 3), left=False),
            case(real(3, 1), real(1), real(3, 2), transpose=True),
            case(real(2, 4), real(2), real(1, 2), False, True),
            case(real(2, 3, 2), real(2, 2), real(2, 3, 1)),
        ],
        covers="solve_triangular", complex=True, dtypes="int64 float32",
        errors=[
            case(real(3, 2), real(2), real(2, 2)), case(real(3, 2), real(3), real(3, 2)),
            case(real(2, 3, 2), real(2, 2), real(3, 1)),
        ],
    ),
    Row(
        "svd_lowrank", low_rank_svd, low_rank_oracle,
        [
            case(real(4, 2), real(2, 3), q=2), case(real(3, 2), real(2, 5), q=2, niter=1),
            case(real(2, 3, 2), real(2, 2, 4), q=2),
        ],
        covers="qr svd", complex=True, dtypes="float32", method="", seeded=True,
        torch=in_torch("svd_lowrank"), gradtol=1e-4, rtol=1e-7,
        errors=[case(real(4, 2), real(2, 3), q=-1)],
    ),
    Row(
        "pca_lowrank", principal, principal_oracle,
        [
            case(real(4, 2), real(2, 3), q=2), case(real(4, 2), real(2, 3), q=2, center=False),
        ],
        covers="qr svd", complex=True, dtypes="float32", method="", seeded=True,
        torch=in_torch("pca_lowrank"), gradtol=1e-4, rtol=1e-7,
        errors=[
            case(real(4, 2), real(2, 3), q=4), case(real(4, 2), real(2, 3), niter=-1),
            case(real(4, 2), real(2, 3), q=-1),
        ],
    ),
    Row(
        "linalg.tensorinv", functions.tensorinv, tensorinv_oracle,
        [case(real(2, 2, 4)), case(real(2, 3, 2, 1, 3)), case(regular(3, 3), ind=1)],
        covers="inv", complex=True, dtypes="int64 float32", gradtol=1e-4,
        errors=[
            case(real(2, 3)), case(real(2, 2, 4), ind=0), case(given(np.ones((2, 2, 4)))),
        ],
    ),
    Row(
        "linalg.tensorsolve", functions.tensorsolve, tensorsolve_oracle,
        [
            case(real(2, 2, 4), real(2, 2)), case(real(3, 3), real(3)),
            case(real(4, 2, 2), real(2, 2), dims=(0,)), case(real(2, 3, 1, 6), real(2, 3)),
        ],
        covers="solve", complex=True, dtypes="int64 float32", gradtol=1e-4,
        errors=[case(real(2, 2, 4), real(2, 3)), case(real(2, 2, 4), real(2, 2), dims=(7,))],
    ),
    Row(
        "linalg.vander", functions.powers, powers_oracle,
        [case(real(3)), case(real(2, 3), N=4), case(real(2), N=2), case(real(), N=3)],
        covers="", complex=True, dtypes="bool uint8 int64 float32",
        kinks=[case(given([0.0, 1.0, 2.0])).slopes([1.0, 3.0, 5.0])],
        errors=[case(real(2), N=1), case(real(3), N=-1), case(real())],
    ),
    Row(
        "vander", functions.vander, vander_oracle,
        [case(real(3)), case(real(3), 5), case(real(3), 2, True), case(real(3), N=0)],
        covers="", complex=True, dtypes="uint8 int64 float32", method="", order=0,
        errors=[case(real(2, 2)), case(real(3), -1), case(real())],
    ),
    # PyTorch writes into what its own derivative needs, and then refuses to take it.
    Row(
        "vander (its derivatives)", functions.vander, vander_oracle,
        [case(real(3)), case(real(3), 5), case(real(3), 2, True), case(given([0.0, 1.0]), 3)],
        covers="", complex=True, torch=None, method="",
    ),
    Row(
        "linalg.diagonal", functions.diagonal,
        lambda x, offset=0, dim1=-2, dim2=-1: np.diagonal(x, offset, dim1, dim2),
        [
            case(real(3, 3)), case(real(2, 3, 4), offset=1), case(real(2, 3, 4), dim1=0, dim2=1),
            case(real(2, 3), offset=-1),
        ],
        covers="diagonal", complex=True, errors=[case(real(3)), case(real(2, 2), dim1=1)],
    ),
    Row("lobpcg", outermost, outermost_oracle,
        [case(definite(9, 9), 2, X=real(9, 2).constant(), tol=1e-12),
         case(definite(2, 7, 7), 1, X=real(2, 7, 2).constant(), tol=1e-12)],
        covers="lobpcg", torch=outermost_in_torch, method="", dtypes="", gradtol=1e-4,
        rtol=1e-7, atol=1e-9,
        errors=[case(definite(9, 9), 4), case(real(3, 9), 1)]),
    # PyTorch has no derivative where B is given, and less exact ones of the least values.
    Row("lobpcg of a pair", outermost, outermost_oracle,
        [case(definite(9, 9), 2, definite(9, 9), real(9, 2).constant(), tol=1e-12),
         case(definite(9, 9), 2, X=real(9, 2).constant(), tol=1e-12, largest=False),
         case(definite(9, 9), 1, X=real(9, 2).constant(), tol=1e-12, largest=False,
              iK=definite(9, 9).constant())],
        covers="lobpcg", torch=None, method="", dtypes="", gradtol=1e-4, rtol=1e-7, atol=1e-9),
]  # fmt: skip
