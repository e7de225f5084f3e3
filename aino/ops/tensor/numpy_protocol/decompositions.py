"""``np.linalg``'s decompositions, and what is made of them."""

from __future__ import annotations

from collections import namedtuple

import numpy as np

from aino.autograd.tensor import make
from aino.ops.linalg import decompositions, functions, least_squares
from aino.ops.tensor.numpy_protocol.linear import _floating, norm
from aino.ops.tensor.numpy_protocol.table import NoValue, beside, numpy_function, tensor_of

EigResult = namedtuple("EigResult", "eigenvalues eigenvectors")
EighResult = namedtuple("EighResult", "eigenvalues eigenvectors")
QRResult = namedtuple("QRResult", "Q R")
SVDResult = namedtuple("SVDResult", "U S Vh")


@numpy_function("linalg.eig")
def eig(a):
    return EigResult(*decompositions.eig(_floating(a)))


@numpy_function("linalg.eigvals")
def eigvals(a):
    return decompositions.eigvals(_floating(a))


@numpy_function("linalg.eigh")
def eigh(a, UPLO="L"):
    return EighResult(*decompositions.eigh(_floating(a), UPLO.upper()))


@numpy_function("linalg.eigvalsh")
def eigvalsh(a, UPLO="L"):
    return decompositions.eigvalsh(_floating(a), UPLO.upper())


@numpy_function("linalg.qr")
def qr(a, mode="reduced"):
    a = _floating(a)
    if mode == "raw":
        h, tau = decompositions.geqrf(a)
        return h.mT, tau
    if mode not in ("reduced", "complete", "r"):
        raise ValueError(f"np.linalg.qr: mode is 'reduced', 'complete', 'r' or 'raw', not {mode!r}")
    q, r = decompositions.qr_of(a, mode)
    return r if mode == "r" else QRResult(q, r)


@numpy_function("linalg.svd")
def svd(a, full_matrices=True, compute_uv=True, hermitian=False):
    a = _floating(a)
    if hermitian:
        return _svd_of_hermitian(a, compute_uv)
    if not compute_uv:
        return decompositions.svdvals(a)
    return SVDResult(*decompositions.svd_h(a, full_matrices))


def _svd_of_hermitian(a, compute_uv):
    """Return the decomposition by eigenvalues, the largest in size first."""
    values, vectors = decompositions.eigh(a)
    order = np.argsort(-np.abs(values.array), axis=-1, kind="stable")
    values = values.take_along_dim(make(order), -1)
    sizes = values.abs()
    if not compute_uv:
        return sizes
    u = vectors.take_along_dim(make(order[..., None, :]), -1)
    signs = np.where(values.array < 0, -1.0, 1.0).astype(sizes.array.dtype)
    return SVDResult(u, sizes, (u * signs[..., None, :]).mH)


@numpy_function("linalg.svdvals")
def svdvals(x, /):
    return decompositions.svdvals(_floating(x))


@numpy_function("linalg.cond")
def cond(x, p=None):
    x = _floating(x)
    if p is None or p in (2, -2):
        sizes = decompositions.svdvals(x)
        first, last = sizes[..., 0], sizes[..., -1]
        return last / first if p == -2 else first / last
    return norm(x, p, (-2, -1)) * norm(np.linalg.inv(x), p, (-2, -1))


@numpy_function("linalg.pinv")
def pinv(a, rcond=None, hermitian=False, *, rtol=NoValue):
    a = _floating(a)
    if rcond is None:
        automatic = max(a.shape[-2:]) * np.finfo(a.array.dtype).eps
        rcond = 1e-15 if rtol is NoValue else automatic if rtol is None else rtol
    elif rtol is not NoValue:
        raise ValueError("np.linalg.pinv: rtol and rcond can't be both set")
    return least_squares.pinv(a, rtol=rcond, hermitian=bool(hermitian))


@numpy_function("linalg.lstsq")
def lstsq(a, b, rcond=None):
    a = _floating(a)
    b = beside(b, a)
    m, n = a.shape[-2:]
    vector = b.ndim == 1
    columns = b[:, None] if vector else b
    epsilon = np.finfo(a.array.dtype).eps
    relative = epsilon * max(m, n) if rcond is None else epsilon if rcond == -1 else rcond
    sizes = decompositions.svdvals(a)
    rank = int(np.sum(sizes.array > relative * sizes.array.max(initial=0.0)))
    x = least_squares.pinv(a, rtol=relative) @ columns
    gap = columns - a @ x
    squares = np.sum(np.abs(gap) ** 2, axis=0) if rank == n < m else np.sum(gap * 0, 0)[:0].real
    return x[:, 0] if vector else x, squares, rank, sizes


@numpy_function("vander")
def vander(x, N=None, increasing=False):
    return functions.vander(tensor_of(x), N, bool(increasing))
