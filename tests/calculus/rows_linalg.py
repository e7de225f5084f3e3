"""Rows of the products of vectors and matrices."""

import numpy as np

from aino.ops.linalg import adding, chains, contraction, linear
from tests.calculus.row import Row, case, given, real

# PyTorch has no product of booleans; AINO's is NumPy's.
NUMBERS = "uint8 int64 float32"


def added(product):
    """Return the oracle beta · input + alpha · product."""
    return lambda x, a, b, beta=1, alpha=1: beta * x + alpha * product(a, b)


def summed_products(a, b):
    return (a @ b).sum(0)


def kron(a, b):
    """Return the Kronecker product by its definition, element by element."""
    rank = max(a.ndim, b.ndim)
    a = a.reshape((1,) * (rank - a.ndim) + a.shape)
    b = b.reshape((1,) * (rank - b.ndim) + b.shape)
    result = np.zeros([n * m for n, m in zip(a.shape, b.shape)], np.result_type(a, b))
    for i in np.ndindex(a.shape):
        place = tuple([slice(k * m, (k + 1) * m) for k, m in zip(i, b.shape)])
        result[place] = a[i] * b
    return result


def block_diag(*blocks):
    blocks = [np.atleast_2d(block) for block in blocks]
    result = np.zeros(np.sum([block.shape for block in blocks], 0), blocks[0].dtype)
    row = column = 0
    for block in blocks:
        n, m = block.shape
        result[row : row + n, column : column + m] = block
        row, column = row + n, column + m
    return result


def distances(a, b, p=2.0):
    return np.linalg.norm(a[..., :, None, :] - b[..., None, :, :], p, -1)


ROWS = [
    Row(
        "matmul", linear.matmul, np.matmul,
        [
            case(real(2, 3), real(3, 4)),
            case(real(3), real(3)),
            case(real(2, 3), real(3)),
            case(real(4, 2, 3), real(3)),
            case(real(3), real(3, 2)),
            case(real(3), real(4, 3, 2)),
            case(real(4, 2, 3), real(3, 2)),
            case(real(2, 2, 2, 3), real(3, 1)),
            case(real(2, 3), real(4, 3, 2)),
            case(real(4, 2, 3), real(4, 3, 2)),
            case(real(4, 1, 2, 3), real(2, 3, 2)),
            case(real(1, 2, 3), real(4, 3, 1)),
        ],
        covers="mm bmm rows_mm mv dot mT", complex=True, dtypes=NUMBERS,
        kinks=[
            case(real(2, 0), real(0, 3)).slopes(np.zeros((2, 0)), np.zeros((0, 3))),
            case(real(4, 0, 3), real(3, 2)).slopes(np.zeros((4, 0, 3)), np.zeros((3, 2))),
            case(real(0, 2, 3), real(3, 2)).slopes(np.zeros((0, 2, 3)), np.zeros((3, 2))),
            case(real(0), real(0)).slopes(np.zeros(0), np.zeros(0)),
        ],
        errors=[
            case(real(), real(2)),
            case(real(2, 3), real(2, 3)),
            case(real(3), real(2)),
            case(real(2, 3), real(2)),
            case(real(4), real(2, 3, 4)),
            case(real(2, 2, 3), real(2, 3)),
            case(real(2, 3, 4), real(5, 4, 2)),
        ],
    ),
    Row(
        "mm", linear.mm, np.matmul, [case(real(2, 3), real(3, 4))], complex=True, dtypes=NUMBERS,
        errors=[case(real(2, 3), real(2, 3)), case(real(3), real(3, 2)), case(real(2, 3), real(3))],
    ),
    Row(
        "bmm", linear.bmm, np.matmul, [case(real(4, 2, 3), real(4, 3, 2))], complex=True,
        dtypes=NUMBERS,
        errors=[
            case(real(4, 2, 3), real(1, 3, 2)),
            case(real(4, 2, 3), real(4, 2, 3)),
            case(real(2, 3), real(3, 2)),
        ],
    ),
    Row(
        "mv", linear.mv, np.matmul, [case(real(2, 3), real(3))], complex=True, dtypes=NUMBERS,
        errors=[case(real(2, 3), real(2)), case(real(3), real(3))],
    ),
    Row(
        "dot", linear.dot, np.dot, [case(real(3), real(3))], complex=True, dtypes=NUMBERS,
        errors=[case(real(3), real(2)), case(real(2, 3), real(3))],
    ),
    Row(
        "vdot", linear.vdot, np.vdot, [case(real(3), real(3))], complex=True, dtypes=NUMBERS,
        errors=[case(real(3), real(2))],
    ),
    Row(
        "inner", contraction.inner, np.inner,
        [
            case(real(3), real(3)),
            case(real(2, 3), real(4, 3)),
            case(real(2, 2, 3), real(3)),
            case(real(2, 3), real()),
        ],
        complex=True, dtypes=NUMBERS, errors=[case(real(2, 3), real(3, 2))],
    ),
    Row(
        "outer", linear.outer, np.outer, [case(real(2), real(3))], complex=True, dtypes=NUMBERS,
        errors=[case(real(2, 2), real(3))],
    ),
    Row("ger", linear.ger, np.outer, [case(real(2), real(3))], complex=True, dtypes=NUMBERS),
    Row(
        "kron", linear.kron, kron,
        [
            case(real(2, 2), real(3, 2)),
            case(real(2), real(3, 2)),
            case(real(2, 3, 2), real(2)),
            case(real(), real(2)),
        ],
        complex=True, dtypes=NUMBERS,
    ),
    Row(
        "trace", linear.trace, np.trace, [case(real(3, 3)), case(real(2, 3))], complex=True,
        dtypes=NUMBERS, errors=[case(real(3)), case(real(2, 2, 2))],
    ),
    Row(
        "cross", linear.cross, lambda a, b, dim: np.cross(a, b, axis=dim),
        [case(real(2, 3), real(2, 3), dim=1), case(real(3), real(3), dim=0)],
        complex=True, dtypes=NUMBERS, torch="cross",
        errors=[case(real(2, 3), real(3), dim=0), case(real(2, 2), real(2, 2), dim=1)],
    ),
    Row(
        "linalg.cross", linear.vector_product, lambda a, b, dim=-1: np.cross(a, b, axis=dim),
        [
            case(real(2, 3), real(2, 3)),
            case(real(3, 2), real(3, 2), dim=0),
            case(real(1, 3), real(4, 3)),
        ],
        covers="cross", complex=True, dtypes=NUMBERS, method="",
        errors=[case(real(2, 3), real(3)), case(real(2, 3), real(2, 3), dim=2)],
    ),
    Row(
        "addmm", adding.addmm, added(np.matmul),
        [
            case(real(2, 2), real(2, 3), real(3, 2)),
            case(real(2), real(2, 3), real(3, 2), beta=2, alpha=3),
            case(real(2, 1), real(2, 3), real(3, 2), beta=0.5),
        ],
        complex=True, dtypes="int64 float32",
        errors=[case(real(3), real(2, 3), real(3, 2)), case(real(2), real(2, 3), real(2, 3))],
    ),
    Row(
        "addmv", adding.addmv, added(np.matmul),
        [case(real(2), real(2, 3), real(3), alpha=2), case(real(), real(2, 3), real(3))],
        complex=True, dtypes="int64 float32", errors=[case(real(3), real(2, 3), real(3))],
    ),
    Row(
        "addr", adding.addr, added(np.outer),
        [case(real(2, 3), real(2), real(3)), case(real(3), real(2), real(3), beta=2, alpha=-1)],
        complex=True, dtypes="int64 float32", errors=[case(real(2), real(2), real(3))],
    ),
    Row(
        "baddbmm", adding.baddbmm, added(np.matmul),
        [
            case(real(4, 2, 2), real(4, 2, 3), real(4, 3, 2)),
            case(real(2), real(4, 2, 3), real(4, 3, 2), beta=0.5, alpha=2.0),
        ],
        complex=True, dtypes="float32", errors=[case(real(3), real(4, 2, 3), real(4, 3, 2))],
    ),
    Row(
        "addbmm", adding.addbmm, added(summed_products),
        [
            case(real(2, 2), real(4, 2, 3), real(4, 3, 2)),
            case(real(1, 2), real(4, 2, 3), real(4, 3, 2), beta=2.0),
        ],
        complex=True, dtypes="float32", errors=[case(real(3), real(4, 2, 3), real(4, 3, 2))],
    ),
    Row(
        "chain_matmul", chains.chain_matmul, lambda *xs: np.linalg.multi_dot(xs),
        [
            case(real(2, 3), real(3, 4), real(4, 1)),
            case(real(2, 3), real(3, 1), real(1, 4), real(4, 2)),
            case(real(2, 3), real(3, 2)),
        ],
        method="", dtypes="float32", errors=[case(real(2, 3), real(2, 3))],
    ),
    Row(
        "linalg.multi_dot", chains.multi_dot, np.linalg.multi_dot,
        [
            case([real(3), real(3, 2), real(2)]),
            case([real(3), real(3, 2)]),
            case([real(2, 3), real(3, 4), real(4)]),
        ],
        dtypes="float32", errors=[case([real(3)]), case([real(2, 3), real(2, 3)])],
    ),
    Row(
        "block_diag", linear.block_diag, block_diag,
        [case(real(2, 2), real(3), real()), case(real(1, 2), real(2, 1))],
        complex=True, method="", errors=[case(real(1, 1, 1))],
    ),
    Row(
        "cdist", linear.cdist, distances,
        [
            case(real(2, 3), real(4, 3)),
            case(real(2, 2, 3), real(3, 3)),
            case(real(2, 3), real(4, 3), p=1.0),
            case(real(2, 3), real(4, 3), p=3.0),
            case(given([[0.3, -1.2]]), given([[1.0, 0.7], [2.0, -0.7]]), p=np.inf),
        ],
        covers="norm farthest",
        method="", dtypes="int64 float32", errors=[case(real(2, 3), real(4, 2))],
    ),
    Row(
        "tensordot", contraction.tensordot, np.tensordot,
        [
            case(real(2, 3), real(3, 4), 1),
            case(real(2, 3), real(2, 3), 2),
            case(real(2), real(3), 0),
            case(real(2, 3, 4), real(4, 3, 2), ([1, 2], [1, 0])),
            case(real(2, 3, 4), real(4, 3, 2), ([-1, 1], [0, -2])),
        ],
        complex=True, dtypes=NUMBERS, method="",
        errors=[
            case(real(2, 3), real(3, 4)),
            case(real(2, 3), real(3, 4), 3),
            case(real(2, 3), real(3, 4), ([0], [0])),
        ],
    ),
    Row(
        "einsum", contraction.einsum, np.einsum,
        [
            case("ij,jk->ik", real(2, 3), real(3, 2)),
            case("ij,jk", real(2, 3), real(3, 2)),
            case("ij->ji", real(2, 3)),
            case("ba", real(2, 3)),
            case("ij->", real(2, 3)),
            case("ij->j", real(2, 3)),
            case("ii", real(3, 3)),
            case("ii->i", real(3, 3)),
            case("iij->ji", real(2, 2, 3)),
            case("i,j->ij", real(2), real(3)),
            case("i,i->", real(3), real(3)),
            case("i,i->i", real(3), real(3)),
            case("i,i,i->", real(3), real(3), real(3)),
            case("ij,j->i", real(2, 3), real(1)),
            case("ij,ij->ij", real(2, 3), real(1, 3)),
            case("...ij,...jk->...ik", real(2, 2, 3), real(3, 2)),
            case("b...,b...->...", real(2, 3), real(2, 1, 3)),
            case("i...->...", real(2, 3)),
            case("bhid,bhjd->bhij", real(2, 1, 2, 3), real(2, 1, 2, 3)),
            case("ijk,kl,lm->mji", real(2, 1, 2), real(2, 2), real(2, 1)),
            case("abc,ab->abc", real(2, 2, 2), real(2, 2)),
            case("ab,abc->abc", real(2, 2), real(2, 2, 2)),
            case("ij,k->", real(2, 2), real(3)),
            case("ij,jk,kl->il", real(2, 3), real(3, 4), real(4, 1)),
            case("i,ij,j->", real(3), real(3, 2), real(2)),
            case("a,b,ab,c->c", real(2), real(3), real(2, 3), real(2)),
            case("ab,bc,cd,de,ef,fa->", *[real(2, 2)] * 6),
            case("...i,...ij,j->...", real(2, 3), real(3, 2), real(2)),
            case("ab,ab,ba->a", real(2, 1), real(1, 3), real(3, 2)),
        ],
        complex=True, dtypes=NUMBERS,
        errors=[
            case("ij,jk->ik", real(2, 3), real(4, 2)),
            case("ij,jk->ik", real(2, 3)),
            case("ij->ijk", real(2, 3)),
            case("ij->iij", real(2, 3)),
            case("ijk->ij", real(2, 3)),
            case("i1", real(2, 3)),
            case("ij->i->j", real(2, 3)),
            case("....", real(2, 3)),
            case("ii", real(2, 3)),
        ],
    ),
]  # fmt: skip
