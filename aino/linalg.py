"""Linear algebra: ``torch.linalg``'s names.

Every function takes a matrix or a stack of them, ``(..., n, m)``.
"""

from aino.ops.given import public as _public
from aino.ops.linalg.linear import matmul, multi_dot
from aino.ops.linalg.linear import vector_product as cross
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
from aino.ops.reduce.norms import any_norm as norm
from aino.ops.reduce.norms import matrix_norm, vecdot, vector_norm

__all__ = [
    "LinAlgError", "cholesky", "cross", "det", "inv", "logdet", "matmul", "matrix_norm",
    "matrix_power", "multi_dot", "norm", "slogdet", "solve", "vecdot", "vector_norm",
]  # fmt: skip

globals().update(_public({name: globals()[name] for name in __all__}, module=__name__))
