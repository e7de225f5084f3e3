"""What the rows do not say of linear algebra: derivatives that are not there, ``out=``."""

import sys

import numpy as np
import pytest

import aino
from aino.errors import DtypeError, GradientError, MissingExtraError
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
    "ldl_factor": (lambda x: linalg.ldl_factor(x).LD, np.eye(3), "linalg.solve"),
    "ldl_solve": (
        lambda x: linalg.ldl_solve(x, linalg.ldl_factor(x.detach()).pivots, x.detach()),
        np.eye(3),
        "linalg.solve",
    ),
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


@pytest.mark.parametrize(
    "function",
    [
        lambda x: linalg.lu_factor(x),
        lambda x: linalg.lu_factor_ex(x, check_errors=True),
        lambda x: linalg.lu_solve(*linalg.lu_factor_ex(x)[:2], x),
        lambda x: linalg.inv(x),
        lambda x: linalg.inv_ex(x, check_errors=True),
        lambda x: linalg.solve(x, x),
        lambda x: linalg.solve_ex(x, x, check_errors=True),
        lambda x: linalg.cholesky(x),
        lambda x: linalg.cholesky_ex(x, check_errors=True),
        lambda x: linalg.ldl_factor(x),
        lambda x: linalg.ldl_factor_ex(x, check_errors=True),
        lambda x: linalg.solve_triangular(x, x, upper=True),
        lambda x: aino.triangular_solve(x, x),
        lambda x: aino.cholesky_solve(x, x),
        lambda x: aino.cholesky_inverse(x),
    ],
)
def test_a_singular_matrix_is_refused_be_it_one_of_a_stack(function):
    for singular in (np.zeros((2, 2)), np.stack([np.eye(2), np.zeros((2, 2))])):
        with pytest.raises(LinAlgError):
            function(aino.tensor(singular))


def test_forms_with_info_go_on_with_the_others_of_a_stack():
    stack = aino.tensor(np.stack([np.eye(2), np.zeros((2, 2)), 2 * np.eye(2)]))
    inverse, info = linalg.inv_ex(stack)
    assert info.tolist() == [0, 1, 0]
    np.testing.assert_array_equal(inverse.numpy()[[0, 2]], [np.eye(2), 0.5 * np.eye(2)])
    solution, info = linalg.solve_ex(stack, aino.ones(3, 2, 1).double())
    assert info.tolist() == [0, 1, 0]
    assert solution.isnan().any(-1)[:, 0].tolist() == [False, True, False]
    factor, info = linalg.cholesky_ex(stack)
    assert info.tolist() == [0, 1, 0]
    assert factor.isnan().any(-1)[:, 0].tolist() == [False, True, False]


def test_without_scipy_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy.linalg", None)
    with pytest.raises(MissingExtraError, match=r"aino\[scipy\]"):
        linalg.ldl_factor(aino.tensor([[1.0]]))


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
    "lu_factor": lambda x, out: linalg.lu_factor(x, out=out),
    "lu_factor_ex": lambda x, out: linalg.lu_factor_ex(x, out=out),
    "lu": lambda x, out: linalg.lu(x, out=out),
    "aino.lu": lambda x, out: aino.lu(x, out=out),
    "lu_solve": lambda x, out: linalg.lu_solve(*linalg.lu_factor(x), x, out=out),
    "aino.lu_solve": lambda x, out: aino.lu_solve(x, *linalg.lu_factor(x), out=out),
    "lu_unpack": lambda x, out: aino.lu_unpack(*linalg.lu_factor(x), out=out),
    "ldl_factor": lambda x, out: linalg.ldl_factor(x, out=out),
    "ldl_factor_ex": lambda x, out: linalg.ldl_factor_ex(x, out=out),
    "ldl_solve": lambda x, out: linalg.ldl_solve(*linalg.ldl_factor(x), x, out=out),
    "cholesky_ex": lambda x, out: linalg.cholesky_ex(x, out=out),
    "inv_ex": lambda x, out: linalg.inv_ex(x, out=out),
    "solve_ex": lambda x, out: linalg.solve_ex(x, x, out=out),
    "solve_triangular": lambda x, out: linalg.solve_triangular(x, x, upper=True, out=out),
    "triangular_solve": lambda x, out: aino.triangular_solve(x, x, out=out),
    "cholesky_solve": lambda x, out: aino.cholesky_solve(x, x, out=out),
    "inv": lambda x, out: linalg.inv(x, out=out),
    "inverse": lambda x, out: aino.inverse(x, out=out),
    "solve": lambda x, out: linalg.solve(x, x, out=out),
    "det": lambda x, out: linalg.det(x, out=out),
    "slogdet": lambda x, out: linalg.slogdet(x, out=out),
    "cholesky": lambda x, out: linalg.cholesky(x, out=out),
    "matrix_power": lambda x, out: linalg.matrix_power(x, 3, out=out),
    "matrix_power 0": lambda x, out: linalg.matrix_power(x, 0, out=out),
    "multi_dot": lambda x, out: linalg.multi_dot([x, x, x[0]], out=out),
    "chain_matmul": lambda x, out: aino.chain_matmul(x, x, out=out),
    "cross": lambda x, out: linalg.cross(x.reshape(-1)[:3], x.reshape(-1)[1:], out=out),
    "vecdot": lambda x, out: linalg.vecdot(x, x, out=out),
    "norm": lambda x, out: linalg.norm(x, out=out),
    "norm 1": lambda x, out: linalg.norm(x, 1, out=out),
    "matrix_norm": lambda x, out: linalg.matrix_norm(x, "nuc", out=out),
    "vector_norm": lambda x, out: linalg.vector_norm(x, 3, out=out),
    "householder_product": lambda x, out: linalg.householder_product(x, x[0], out=out),
    "ormqr": lambda x, out: aino.ormqr(x, x[0], x, out=out),
    "tensorinv": lambda x, out: linalg.tensorinv(x, 1, out=out),
    "tensorsolve": lambda x, out: linalg.tensorsolve(x, x[0], out=out),
    "cholesky_inverse": lambda x, out: aino.cholesky_inverse(x, out=out),
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
    other = [aino.empty(7, 7, dtype=y.dtype) for y in parts]
    with pytest.warns(UserWarning, match=r"out= of shape \(7, 7\) was resized"):
        found = WITH_OUT[name](x, tuple(other) if several else other[0])
    for y, z in zip(parts, found if several else (found,)):
        np.testing.assert_array_equal(z.numpy(), y.numpy())
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
