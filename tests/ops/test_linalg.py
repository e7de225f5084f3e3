"""What the rows do not say of linear algebra: derivatives that are not there, ``out=``."""

import numpy as np
import pytest

import aino
from aino.errors import DtypeError, GradientError, ShapeError
from aino.linalg import LinAlgError

linalg = aino.linalg


def leaf(values):
    return aino.tensor(np.asarray(values), requires_grad=True)


def complex_leaf(seed=0, shape=(3, 3)):
    rng = np.random.default_rng(seed)
    return leaf(rng.normal(size=shape) + 1j * rng.normal(size=shape))


TALL = np.random.default_rng(1).normal(size=(4, 2))

#: A function of a matrix without a derivative there, the matrix, and what the error says.
WITHOUT = {
    "eigh": (lambda x: linalg.eigh(x).eigenvectors, np.eye(3), "two eigenvalues coincide"),
    "eig": (lambda x: linalg.eig(x).eigenvectors.real, np.eye(3), "two eigenvalues coincide"),
    "svd u": (lambda x: linalg.svd(x).U, np.eye(3), "two singular values coincide"),
    "svd v": (lambda x: linalg.svd(x).Vh, np.zeros((2, 2)), "two singular values coincide"),
    "svd rank": (lambda x: linalg.svd(x, False).U, np.diag([2.0, 1, 0])[:, :2] * [1, 0], "is 0"),
    "svd basis": (lambda x: linalg.svd(x).U[:, 3], TALL, "full_matrices"),
    "qr": (lambda x: linalg.qr(x).Q, np.ones((3, 2)) * [0.0, 1.0], "diagonal of R is 0"),
    "qr basis": (lambda x: linalg.qr(x, "complete").Q, TALL, "mode='complete'"),
    "geqrf": (lambda x: aino.geqrf(x).a, TALL, "linalg.qr"),
}


@pytest.mark.parametrize("name", WITHOUT)
def test_a_derivative_that_does_not_exist_is_refused(name):
    function, matrix, words = WITHOUT[name]
    x = leaf(matrix)
    with pytest.raises(GradientError, match=words):
        function(x).sum().backward()
    assert x.grad is None


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("eigh", lambda x: linalg.eigh(x).eigenvalues),
        ("eigvalsh", linalg.eigvalsh),
        ("eig", lambda x: linalg.eig(x).eigenvalues.real),
        ("svd", lambda x: linalg.svd(x).S),
    ],
)
def test_values_alone_have_one_where_they_coincide(name, values):
    x = leaf(np.eye(3))
    values(x).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), np.eye(3), atol=1e-12)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: linalg.eigh(x + x.mH).eigenvectors.imag,
        lambda x: linalg.eig(x).eigenvectors.imag,
        lambda x: linalg.svd(x).U.imag,
        lambda x: linalg.svd(x, False).Vh.imag,
    ],
)
def test_what_depends_on_a_phase_has_no_derivative(function):
    with pytest.raises(GradientError, match="exp"):
        function(complex_leaf()).sum().backward()


@pytest.mark.parametrize("name", ["eig", "eigvals", "svd", "svdvals", "pinv", "matrix_rank"])
def test_a_matrix_that_is_not_finite_has_no_factors(name):
    with pytest.raises(LinAlgError, match="finite"):
        getattr(linalg, name)(aino.tensor([[np.nan, 1.0], [1.0, 1.0]]))
    assert issubclass(LinAlgError, RuntimeError)


MATRIX = np.array([[4.0, 1.0], [1.0, 3.0]])

#: Calls that take ``out=``.
WITH_OUT = {
    "eigh": lambda x, out: linalg.eigh(x, out=out),
    "eigvalsh": lambda x, out: linalg.eigvalsh(x, out=out),
    "eig": lambda x, out: linalg.eig(x, out=out),
    "eigvals": lambda x, out: linalg.eigvals(x, out=out),
    "svd": lambda x, out: linalg.svd(x, out=out),
    "svdvals": lambda x, out: linalg.svdvals(x, out=out),
    "qr": lambda x, out: linalg.qr(x, out=out),
    "pinv": lambda x, out: linalg.pinv(x, out=out),
    "matrix_rank": lambda x, out: linalg.matrix_rank(x, out=out),
    "cond": lambda x, out: linalg.cond(x, out=out),
    "aino.svd": lambda x, out: aino.svd(x, out=out),
    "aino.qr": lambda x, out: aino.qr(x, out=out),
    "geqrf": lambda x, out: aino.geqrf(x, out=out),
}


@pytest.mark.parametrize("name", WITH_OUT)
def test_results_are_written_into_out(name):
    x = aino.tensor(MATRIX)
    expected = WITH_OUT[name](x, None)
    several = isinstance(expected, tuple)
    parts = expected if several else (expected,)
    for shape in (None, 0):
        new = [aino.empty(y.shape if shape is None else 0, dtype=y.dtype) for y in parts]
        found = WITH_OUT[name](x, tuple(new) if several else new[0])
        assert type(found) is type(expected)
        for y, z, given in zip(parts, found if several else (found,), new):
            assert z is given
            np.testing.assert_array_equal(z.numpy(), y.numpy())
    wrong = [aino.empty(7, 7, dtype=y.dtype) for y in parts]
    with pytest.raises(ShapeError, match="shape"):
        WITH_OUT[name](x, tuple(wrong) if several else wrong[0])
    with pytest.raises(DtypeError, match="out="):
        WITH_OUT[name](x, new[0] if several else "no tensor")


def test_named_results_print_as_pytorchs():
    text = repr(linalg.qr(aino.tensor([[1.0]])))
    assert text.startswith("aino.return_types.linalg_qr(\nQ=tensor(")


def test_a_write_to_a_result_is_noticed_by_what_needs_it():
    x = leaf(MATRIX)
    q, r = linalg.qr(x)
    q.mul_(2.0)
    with pytest.raises(RuntimeError, match="in place"):
        r.sum().backward()
