"""Named tuples of what is found in matrices, as PyTorch's functions return them."""

from aino.ops.return_types import returned

linalg_cholesky_ex = returned("linalg_cholesky_ex", "L info", __name__)
linalg_eig = returned("linalg_eig", "eigenvalues eigenvectors", __name__)
linalg_eigh = returned("linalg_eigh", "eigenvalues eigenvectors", __name__)
linalg_inv_ex = returned("linalg_inv_ex", "inverse info", __name__)
linalg_ldl_factor = returned("linalg_ldl_factor", "LD pivots", __name__)
linalg_ldl_factor_ex = returned("linalg_ldl_factor_ex", "LD pivots info", __name__)
linalg_lstsq = returned("linalg_lstsq", "solution residuals rank singular_values", __name__)
linalg_lu = returned("linalg_lu", "P L U", __name__)
linalg_lu_factor = returned("linalg_lu_factor", "LU pivots", __name__)
linalg_lu_factor_ex = returned("linalg_lu_factor_ex", "LU pivots info", __name__)
linalg_qr = returned("linalg_qr", "Q R", __name__)
linalg_solve_ex = returned("linalg_solve_ex", "result info", __name__)
linalg_svd = returned("linalg_svd", "U S Vh", __name__)
geqrf = returned("geqrf", "a tau", __name__)
lu_unpack = returned("lu_unpack", "P L U", __name__)
qr = returned("qr", "Q R", __name__)
svd = returned("svd", "U S V", __name__)
triangular_solve = returned("triangular_solve", "solution cloned_coefficient", __name__)
