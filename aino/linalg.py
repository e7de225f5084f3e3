"""Linear algebra: ``torch.linalg``'s names.

Every function takes a matrix or a stack of them, ``(..., n, m)``.
"""

from aino.ops.given import public as _public
from aino.ops.linalg.chains import multi_dot
from aino.ops.linalg.decompositions import eig, eigh, eigvals, eigvalsh, svdvals
from aino.ops.linalg.decompositions import qr_of as qr
from aino.ops.linalg.decompositions import svd_h as svd
from aino.ops.linalg.ex_forms import cholesky_ex, inv_ex, solve_ex
from aino.ops.linalg.functions import diagonal, matrix_exp, tensorinv, tensorsolve
from aino.ops.linalg.functions import powers as vander
from aino.ops.linalg.householder import householder_product
from aino.ops.linalg.least_squares import cond, lstsq, matrix_rank, pinv
from aino.ops.linalg.linear import matmul
from aino.ops.linalg.linear import vector_product as cross
from aino.ops.linalg.lu import lu_factor, lu_factor_ex
from aino.ops.linalg.lu import lu_factors as lu
from aino.ops.linalg.lu import solve_by_lu as lu_solve
from aino.ops.linalg.matrices import (
    LinAlgError,
    cholesky,
    det,
    inv,
    logdet,
    matrix_power,
    slogdet,
    solve,
)
from aino.ops.linalg.symmetric import ldl_factor, ldl_factor_ex, ldl_solve
from aino.ops.linalg.triangular import solve_triangular
from aino.ops.reduce.norms import any_norm as norm
from aino.ops.reduce.norms import matrix_norm, vecdot, vector_norm

__all__ = [
    "LinAlgError", "cholesky", "cholesky_ex", "cond", "cross", "det", "diagonal", "eig", "eigh",
    "eigvals", "eigvalsh", "householder_product", "inv", "inv_ex", "ldl_factor",
    "ldl_factor_ex", "ldl_solve", "logdet", "lstsq", "lu", "lu_factor", "lu_factor_ex",
    "lu_solve", "matmul", "matrix_exp", "matrix_norm", "matrix_power", "matrix_rank",
    "multi_dot", "norm", "pinv", "qr", "slogdet", "solve", "solve_ex", "solve_triangular",
    "svd", "svdvals", "tensorinv", "tensorsolve", "vander", "vecdot", "vector_norm",
]  # fmt: skip

globals().update(_public({name: globals()[name] for name in __all__}, module=__name__, out=True))
