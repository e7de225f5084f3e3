"""Products of matrices, and what is made of them."""

from __future__ import annotations

from aino.autograd.tensor import Tensor
from aino.onnx.importing.table import operator
from aino.ops.linalg.contraction import einsum


@operator("MatMul")
def matmul(A: Tensor, B: Tensor) -> Tensor:
    return A.matmul(B)


@operator("Gemm", 7)
def gemm(
    A: Tensor,
    B: Tensor,
    C: Tensor | None = None,
    *,
    alpha: float,
    beta: float,
    transA: int,
    transB: int,
) -> Tensor:
    y = (A.mT if transA else A).matmul(B.mT if transB else B)
    if alpha != 1:
        y = (y * alpha).to(y.dtype)
    if C is None or not beta:
        return y
    return y + (C if beta == 1 else (C * beta).to(C.dtype))


@operator("Gemm")
def former_gemm(
    A: Tensor,
    B: Tensor,
    C: Tensor,
    *,
    alpha: float,
    beta: float,
    transA: int,
    transB: int,
    broadcast: int = 0,
) -> Tensor:
    return gemm(A, B, C, alpha=alpha, beta=beta, transA=transA, transB=transB)


@operator("Einsum", grows=True)
def einsum_(*Inputs: Tensor, equation: str) -> Tensor:
    return einsum(equation, *Inputs)


@operator("Det")
def det(X: Tensor) -> Tensor:
    return X.det()
