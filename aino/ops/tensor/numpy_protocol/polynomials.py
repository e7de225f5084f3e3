"""NumPy's polynomials: their coefficients, from the highest power on."""

from __future__ import annotations

import numpy as np

from aino.ops.tensor.numpy_protocol.linear import _pair
from aino.ops.tensor.numpy_protocol.pointwise import convolve
from aino.ops.tensor.numpy_protocol.table import cast_to, numpy_function, tensor_of


@numpy_function("poly")
def poly(seq_of_zeros):
    """The polynomial of given zeros, or the characteristic one of a matrix."""
    zeros = tensor_of(seq_of_zeros)
    if zeros.ndim == 2 and zeros.shape[0] == zeros.shape[1] and zeros.shape[0]:
        zeros = tensor_of(np.linalg.eigvals(zeros))
        found = _of_zeros(zeros)
        # Of a real matrix the zeros come in conjugate pairs.
        return found.real if tensor_of(seq_of_zeros).array.dtype.kind != "c" else found
    if zeros.ndim > 1:
        raise ValueError(
            f"np.poly: expected a list of zeros or a square matrix, got shape {tuple(zeros.shape)}"
        )
    if zeros.array.dtype.kind != "c":
        zeros = cast_to(zeros, np.result_type(zeros.dtype, np.float16))
    found = _of_zeros(np.atleast_1d(zeros))
    values = zeros.array
    if values.dtype.kind == "c" and np.all(np.sort(values) == np.sort(values.conj())):
        return found.real
    return found


def _of_zeros(zeros):
    found = np.ones_like(zeros, shape=(1,))
    for zero in zeros.unbind(0):
        shifted = np.concatenate([found, np.zeros_like(zeros, shape=(1,))])
        found = shifted - np.concatenate([np.zeros_like(zeros, shape=(1,)), found * zero])
    return found


@numpy_function("polyadd")
def polyadd(a1, a2):
    a, b = _even(a1, a2)
    return a + b


@numpy_function("polysub")
def polysub(a1, a2):
    a, b = _even(a1, a2)
    return a - b


def _even(a1, a2):
    """Return two polynomials with as many coefficients, zeros before those of the shorter."""
    a, b = _pair(a1, a2)
    a, b = np.atleast_1d(a), np.atleast_1d(b)
    lacking = len(b) - len(a)
    return np.pad(a, (max(lacking, 0), 0)), np.pad(b, (max(-lacking, 0), 0))


@numpy_function("polymul")
def polymul(a1, a2):
    a, b = _pair(a1, a2)
    return convolve(_without_leading_zeros(a), _without_leading_zeros(b))


def _without_leading_zeros(p):
    p = np.atleast_1d(p)
    (places,) = np.nonzero(p.array)
    return p[int(places[0]) if places.size else len(p) - 1 :]


@numpy_function("polyder")
def polyder(p, m=1):
    p = tensor_of(p)
    if m < 0:
        raise ValueError(f"np.polyder: the order of a derivative is not negative, got {m}")
    for _ in range(m):
        powers = np.arange(len(p) - 1, 0, -1)
        p = p[:-1] * powers.astype(np.result_type(p.array.dtype, np.int8))
    return p


@numpy_function("polyint")
def polyint(p, m=1, k=None):
    p = tensor_of(np.atleast_1d(tensor_of(p)))
    if m < 0:
        raise ValueError(f"np.polyint: the order of an integral is not negative, got {m}")
    constants = tensor_of(np.atleast_1d(tensor_of([0.0] * m if k is None else k)))
    if len(constants) == 1 and m > 1:
        constants = constants.repeat(m)
    if len(constants) < m:
        raise ValueError(f"np.polyint: k is one constant, or {m}, not {len(constants)}")
    dtype = np.result_type(p.array.dtype, np.float16)
    for place in range(m):
        powers = np.arange(len(p), 0, -1).astype(dtype)
        constant = cast_to(constants[place : place + 1], np.result_type(dtype, constants.dtype))
        p = tensor_of(np.concatenate([cast_to(p, dtype) / powers, constant]))
    return p


@numpy_function("roots")
def roots(p):
    """The eigenvalues of the companion matrix."""
    p = tensor_of(p)
    if p.ndim != 1:
        raise ValueError(f"np.roots: expected a vector, got shape {tuple(p.shape)}")
    (places,) = np.nonzero(p.array)
    if not places.size:
        return p[:0]
    dtype = np.result_type(p.array.dtype, np.float64)
    at_zero = len(p) - 1 - int(places[-1])
    p = cast_to(p[int(places[0]) : int(places[-1]) + 1], dtype)
    if len(p) == 1:
        return np.zeros_like(p, shape=(at_zero,))
    below = np.eye(len(p) - 1, k=-1, dtype=dtype)[1:]
    companion = np.concatenate([-p[None, 1:] / p[0], tensor_of(below)])
    found = tensor_of(np.linalg.eigvals(companion))
    if p.array.dtype.kind != "c" and not np.any(found.array.imag):
        found = found.real
    return np.concatenate([found, np.zeros_like(found, shape=(at_zero,))])
