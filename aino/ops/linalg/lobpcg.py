"""LOBPCG: a few eigenvalues of large symmetric matrices, and of pairs of them."""

from __future__ import annotations

from collections.abc import Callable
from operator import index
from typing import Any

import numpy as np

from aino.autograd.rules import lobpcg as rules
from aino.autograd.tensor import Tensor, make
from aino.errors import ArgumentError, DtypeError, ShapeError
from aino.ops.linalg.linear import matmul
from aino.ops.linalg.matrices import cholesky
from aino.ops.linalg.shared import adjoint
from aino.ops.linalg.triangular import solve_triangular
from aino.ops.random.sampling import randn
from aino.tracing import forbid_in_trace

__all__ = ["lobpcg"]


class LOBPCG:
    """What a tracker is shown after each step: the iteration's state, in PyTorch's words."""

    def __init__(self, parameters: dict[str, Any], given: tuple) -> None:
        self.iparams = {name: parameters[name] for name in ("m", "n", "k", "niter")}
        self.fparams = {"tol": parameters["tol"]}
        self.bparams = {"largest": parameters["largest"]}
        self.ivars = {"istep": 0, "iterations_left": parameters["niter"], "converged_count": 0}
        self.fvars: dict[str, float] = {}
        self.bvars = {"force_stop": False}
        self.tvars: dict[str, Tensor] = {}
        self.A, self.B, self.iK = given
        self.E = self.X = self.S = self.R = make(np.zeros(0))

    def watched_by(self, tracker: Callable[[Any], Any]) -> Callable[..., bool]:
        """Return what the iteration calls; it tells whether the tracker wants to stop."""

        def watch(step, w, x, basis, lacking, error) -> bool:
            left = self.iparams["niter"] - step
            count = int(np.min((error < self.fparams["tol"]).sum(-1), initial=error.shape[-1]))
            self.ivars = {"istep": step, "iterations_left": left, "converged_count": count}
            self.tvars = {"rerr": make(error)}
            self.E, self.X, self.S, self.R = map(make, (w, x, basis, lacking))
            tracker(self)
            return self.bvars["force_stop"]

        return watch


def lobpcg(
    A: Tensor,
    k: int | None = None,
    B: Tensor | None = None,
    X: Tensor | None = None,
    n: int | None = None,
    iK: Tensor | None = None,
    niter: int | None = None,
    tol: float | None = None,
    largest: bool | None = None,
    method: str | None = None,
    tracker: Callable[[Any], Any] | None = None,
    ortho_iparams: dict[str, int] | None = None,
    ortho_fparams: dict[str, float] | None = None,
    ortho_bparams: dict[str, bool] | None = None,
) -> tuple[Tensor, Tensor]:
    """Return the k largest eigenvalues of a symmetric matrix, and their vectors: ``A X = B X E``.

    ``(E, X)`` of shapes ``(..., k)`` and ``(..., m, k)``, the outermost first; the vectors are
    orthonormal, with B in between where that is given. Of A and B their symmetric parts count. The
    derivatives are those of ``linalg.eigh``, for B as well. Raises ``ShapeError`` for matrices
    that do not fit, ``ValueError`` for fewer than 3 · n rows, ``DtypeError`` for what is not of
    floats.

    Arguments:
        A: symmetric matrices, ``(..., m, m)``.
        k: how many eigenvalues; as many as X has columns, or 1.
        B: a positive definite matrix, the unit matrix for None.
        X: first guesses of the vectors, ``(..., m, n)``; random ones for None.
        n: how many of these are drawn, k for None.
        iK: a preconditioner, ``(..., m, m)``: about the inverse of A.
        niter: how many steps at most, 1000 for None; -1 for any number.
        tol: at which relative residual it stops; the root of the dtype's eps for None.
        largest: False for the least eigenvalues.
        method: ``"basic"`` or ``"ortho"``, which is the same here: the basis is orthonormal.
        tracker: is called after each step with the state: ``ivars["istep"]``, ``E``, ``X``, ``R``,
            ``tvars["rerr"]``; it stops by setting ``bvars["force_stop"]``.
        ortho_iparams, ortho_fparams, ortho_bparams: have no effect: QR has no parameters.

    Source: Knyazev, "Toward the optimal preconditioned eigensolver" (2001).

    >>> import aino
    >>> values, vectors = aino.lobpcg(aino.diag(aino.arange(1.0, 10.0)), 2)
    >>> values
    tensor([9.0000, 8.0000])
    """
    largest = True if largest is None else bool(largest)
    m = _checked(A, B, X, iK)
    if X is not None:
        n = X.shape[-1]
        k = n if k is None else index(k)
    else:
        k = 1 if k is None else index(k)
        n = k if n is None else index(n)
    if k < 1:
        raise ArgumentError(f"lobpcg: k is 1 or more, got {k}")
    n = max(n, k) if X is None else n
    if n < k:
        raise ArgumentError(f"lobpcg: X has {n} columns, too few for {k} eigenvalues")
    if m < 3 * n:
        raise ArgumentError(
            f"lobpcg: matrices of {m} rows are too small for {n} vectors, which need {3 * n}; "
            "linalg.eigh is for them"
        )
    if method not in (None, "basic", "ortho"):
        raise ArgumentError(f"lobpcg: method is 'basic' or 'ortho', not {method!r}")
    tol = float(np.finfo(A.array.dtype).eps) ** 0.5 if tol is None else float(tol)
    niter = 1000 if niter is None else index(niter)
    watch = None
    if tracker is not None:
        forbid_in_trace("a tracker", "call lobpcg outside the compiled function")
        parameters = {"m": m, "n": n, "k": k, "niter": niter, "tol": tol, "largest": largest}
        watch = LOBPCG(parameters, (A, B, iK)).watched_by(tracker)
    standard = (A + adjoint(A)) * 0.5
    start = randn(*A.shape[:-2], m, n, dtype=A.dtype) if X is None else X.detach()
    precondition = make(np.zeros((0, 0), A.array.dtype)) if iK is None else iK.detach()
    root = None if B is None else cholesky((B + adjoint(B)) * 0.5)
    if root is not None:
        # L⁻¹ A L⁻ᴴ has the same eigenvalues, and Lᴴ X for its vectors.
        standard = solve_triangular(root, standard, upper=False)
        standard = solve_triangular(root, adjoint(standard), upper=False)
        fixed = root.detach()
        start = matmul(adjoint(fixed), start)
        if iK is not None:
            precondition = matmul(matmul(adjoint(fixed), precondition), fixed)
    values, vectors = rules.lobpcg(
        standard, start, precondition, k, niter, tol, largest, watch
    )  # fmt: skip
    if root is not None:
        vectors = solve_triangular(adjoint(root), vectors, upper=True)
    return values, vectors


def _checked(A, B, X, iK) -> int:
    """Return how many rows the matrices have, which fit one another."""
    shape = A.array.shape
    if A.array.dtype.kind not in "fc":
        raise DtypeError(f"lobpcg: A is a matrix of floats, not of {A.array.dtype}")
    if len(shape) < 2 or shape[-1] != shape[-2]:
        raise ShapeError(f"lobpcg: A is square, got shape {shape}")
    m = shape[-1]
    for name, x, wanted in (("B", B, (m, m)), ("iK", iK, (m, m)), ("X", X, (m, None))):
        if x is None:
            continue
        if x.array.dtype != A.array.dtype:
            raise DtypeError(f"lobpcg: {name} is of {x.array.dtype}, A of {A.array.dtype}")
        rows, columns = x.array.shape[-2:] if x.array.ndim > 1 else (0, 0)
        if rows != m or columns != (columns if wanted[1] is None else m):
            raise ShapeError(
                f"lobpcg: {name} has shape {x.array.shape} beside A of shape {shape}"
            )  # fmt: skip
    return m
