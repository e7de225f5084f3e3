"""The parametrizations that are often used: weight normalisation, spectral norm, orthogonality."""

from __future__ import annotations

from typing import Any

from aino.autograd.mode import no_grad
from aino.autograd.tensor import Tensor
from aino.errors import ArgumentError, ShapeError
from aino.nn import functional as F
from aino.nn.base.module import Module
from aino.nn.utils.parametrize import register_parametrization
from aino.ops.creation.filled import eye, zeros_like
from aino.ops.linalg.decompositions import geqrf
from aino.ops.linalg.functions import matrix_exp
from aino.ops.linalg.householder import householder_product
from aino.ops.linalg.matrices import solve
from aino.ops.random.sampling import randn
from aino.ops.reduce.older_norms import norm_except_dim
from aino.ops.shape.joining import cat

__all__ = ["orthogonal", "spectral_norm", "weight_norm"]


def _named(module: Any, name: str) -> Any:
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise ValueError(f"Module '{module}' has no parameter or buffer with name '{name}'")
    return weight


class _WeightNorm(Module):
    """v g / |v|, with the norm over all dimensions but one."""

    def __init__(self, dim: int | None = 0) -> None:
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, weight_g: Tensor, weight_v: Tensor) -> Tensor:
        return weight_v * (weight_g / norm_except_dim(weight_v, 2, self.dim))

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        return norm_except_dim(weight, 2, self.dim), weight


def _take_older_keys(module: Module, state_dict: Any, prefix: str, *_: Any) -> None:
    """Take the state of the older ``nn.utils.weight_norm`` as well."""
    outside, __, name = prefix.removesuffix(".").rpartition("parametrizations.")
    for suffix, place in (("_g", 0), ("_v", 1)):
        old = f"{outside}{name}{suffix}"
        if old in state_dict:
            state_dict[f"{prefix}original{place}"] = state_dict.pop(old)


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    """Parametrize a weight by its direction v and its length g: w = g v / |v|; return the module.

    The state has ``parametrizations.weight.original0``, which is g, and ``original1``, v. Raises
    ``ValueError`` for a name that is no parameter.

    Arguments:
        module: the module that has the weight.
        name: the weight's name.
        dim: the dimension along which each slice has a length of its own; None has one for all.

    Source: Salimans and Kingma, "Weight normalization", 2016.

    >>> from aino import nn
    >>> layer = nn.utils.parametrizations.weight_norm(nn.Linear(20, 40))
    >>> layer.parametrizations.weight.original0.shape
    aino.Size([40, 1])
    """
    _named(module, name)
    register_parametrization(module, name, _WeightNorm(dim), unsafe=True)
    # With the parametrization it goes away again.
    found: Any = vars(vars(module)["parametrizations"])[name]
    found.register_load_state_dict_pre_hook(_take_older_keys)
    return module


class _SpectralNorm(Module):
    """A weight over its largest singular value, which power iteration follows."""

    _u: Tensor
    _v: Tensor

    def __init__(
        self, weight: Tensor, n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12
    ) -> None:
        super().__init__()
        if not -weight.ndim <= dim < weight.ndim:
            raise IndexError(
                f"Dimension out of range (expected to be in range of [-{weight.ndim}, "
                f"{weight.ndim - 1}] but got {dim})"
            )
        if n_power_iterations <= 0:
            raise ValueError(
                "Expected n_power_iterations to be positive, but got "
                f"n_power_iterations={n_power_iterations}"
            )
        self.dim = dim if dim >= 0 else dim + weight.ndim
        self.eps = eps
        if weight.ndim > 1:
            self.n_power_iterations = n_power_iterations
            matrix = self._matrix(weight.detach())
            rows, columns = matrix.shape
            self.register_buffer("_u", F.normalize(randn(rows, dtype=weight.dtype), dim=0, eps=eps))
            self.register_buffer(
                "_v", F.normalize(randn(columns, dtype=weight.dtype), dim=0, eps=eps)
            )
            self._iterate(matrix, 15)

    def _matrix(self, weight: Tensor) -> Tensor:
        if self.dim:
            others = [dim for dim in range(weight.ndim) if dim != self.dim]
            weight = weight.permute(self.dim, *others)
        return weight.flatten(1)

    def _iterate(self, matrix: Tensor, steps: int) -> None:
        with no_grad():
            for _ in range(steps):
                self._u.copy_(F.normalize(matrix @ self._v, dim=0, eps=self.eps))
                self._v.copy_(F.normalize(matrix.mT @ self._u, dim=0, eps=self.eps))

    def forward(self, weight: Tensor) -> Tensor:
        if weight.ndim == 1:
            return F.normalize(weight, dim=0, eps=self.eps)
        matrix = self._matrix(weight)
        if self.training:
            self._iterate(matrix.detach(), self.n_power_iterations)
        u, v = self._u.clone(), self._v.clone()
        return weight / (u @ (matrix @ v))

    def right_inverse(self, value: Tensor) -> Tensor:
        return value  # what has the norm 1 already stays as it is


def spectral_norm(
    module: Module, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12,
    dim: int | None = None,
) -> Module:  # fmt: skip
    """Parametrize a weight by itself over its largest singular value; return the module.

    Each forward pass in training makes steps of power iteration towards the singular vectors.
    Raises ``ValueError`` for a name that is no parameter.

    Arguments:
        module: the module that has the weight.
        name: the weight's name.
        n_power_iterations: how many steps.
        eps: keeps lengths from 0.
        dim: the dimension of the outputs; 0 for None, 1 for transposed convolutions.

    Source: Miyato et al., "Spectral normalization for generative adversarial networks", 2018.

    >>> import aino
    >>> from aino import nn
    >>> layer = nn.utils.parametrizations.spectral_norm(nn.Linear(20, 40)).eval()
    >>> aino.linalg.matrix_norm(layer.weight, 2).item() < 1.1
    True
    """
    weight = _named(module, name)
    if dim is None:
        dim = 1 if type(module).__name__.startswith("ConvTranspose") else 0
    return register_parametrization(
        module, name, _SpectralNorm(weight, n_power_iterations, dim, eps)
    )


def _orthogonalised(a: Tensor) -> Tensor:
    """Return the orthogonal matrix that is nearest to a in the sense of its QR decomposition."""
    x, tau = geqrf(a)
    q = householder_product(x, tau)
    return q * x.diagonal(dim1=-2, dim2=-1).sgn().unsqueeze(-2)


def _is_orthogonal(q: Tensor) -> bool:
    n, k = q.shape[-2:]
    identity = eye(k, dtype=q.dtype)
    eps = 10.0 * n * {"float32": 1.2e-7, "complex64": 1.2e-7}.get(q.array.dtype.name, 2.3e-16)
    return bool(((q.mH @ q - identity).abs() <= eps).all())


class _Orthogonal(Module):
    """An orthogonal matrix, made by one of three maps of what is free to move."""

    base: Tensor | None

    def __init__(self, weight: Tensor, orthogonal_map: str, use_trivialization: bool) -> None:
        super().__init__()
        if weight.is_complex() and orthogonal_map == "householder":
            raise ValueError("The householder parametrization does not support complex tensors.")
        self.shape = tuple(weight.shape)
        self.orthogonal_map = orthogonal_map
        self.use_trivialization = use_trivialization
        if use_trivialization:
            self.register_buffer("base", None)

    def forward(self, weight: Tensor) -> Tensor:
        x = weight
        n, k = x.shape[-2:]
        wide = n < k
        if wide:
            x, n, k = x.mT, k, n
        if self.orthogonal_map == "householder":
            a = x.tril(-1)
            tau = 2.0 / (1.0 + (a * a).sum(-2))
            q = householder_product(a, tau)
            # The diagonal is 1 or -1, and is not learned.
            q = q * x.diagonal(dim1=-2, dim2=-1).detach().trunc().unsqueeze(-2)
        else:
            x = x.tril()
            if n != k:
                x = cat([x, x.new_zeros(*x.shape[:-2], n, n - k)], -1)
            a = x - x.mH
            if self.orthogonal_map == "matrix_exp":
                q = matrix_exp(a)
            else:
                identity = eye(n, dtype=a.dtype)
                q = solve(identity - 0.5 * a, identity + 0.5 * a)
            if n != k:
                q = q[..., :k]
        if self.use_trivialization and self.base is not None:
            q = self.base @ q
        return q.mT if wide else q

    def right_inverse(self, value: Tensor) -> Tensor:
        if tuple(value.shape) != self.shape:
            raise ShapeError(
                f"Expected a matrix or batch of matrices of shape {self.shape}. Got a tensor of "
                f"shape {tuple(value.shape)}."
            )
        q = value
        n, k = q.shape[-2:]
        wide = n < k
        if wide:
            q, n, k = q.mT, k, n
        if not self.use_trivialization:
            if self.orthogonal_map != "householder":
                raise NotImplementedError(
                    "It is not possible to assign to the matrix exponential or the Cayley "
                    "parametrizations when use_trivialization=False."
                )
            a, tau = geqrf(q)
            # A reflection that does nothing has no sign of its own.
            turned = 1.0 - 2.0 * (tau == 0).to(a.dtype)
            a = _with_diagonal(a, a.diagonal(dim1=-2, dim2=-1).sgn() * turned)
            return a.mT if wide else a
        if n == k:
            q = q.clone() if _is_orthogonal(q) else _orthogonalised(q)
        else:
            rest = randn(*q.shape[:-2], n, n - k, dtype=q.dtype)
            q = _orthogonalised(cat([q, rest], -1))
        self.base = q
        free = zeros_like(value)
        free.diagonal(dim1=-2, dim2=-1).fill_(-1.0)
        return free


def _with_diagonal(a: Tensor, values: Tensor) -> Tensor:
    a = a.clone()
    a.diagonal(dim1=-2, dim2=-1).copy_(values)
    return a


def orthogonal(
    module: Module, name: str = "weight", orthogonal_map: str | None = None, *,
    use_trivialization: bool = True,
) -> Module:  # fmt: skip
    """Parametrize a weight as an orthogonal, or unitary, matrix; return the module.

    Of a matrix that is not square the rows or the columns are orthonormal, whichever are fewer.
    Raises ``ValueError`` for another map, or a tensor of fewer than two dimensions.

    Arguments:
        module: the module that has the weight.
        name: the weight's name.
        orthogonal_map: "matrix_exp": exp(A) of a skew matrix; "cayley": (I - A/2)⁻¹ (I + A/2);
            "householder": a product of reflections. For None the first of square and complex
            matrices, else the last.
        use_trivialization: begin at the present matrix, made orthogonal, and move away from it.

    Source: Lezcano-Casado, "Trivializations for gradient-based optimization on manifolds", 2019.

    >>> import aino
    >>> from aino import nn
    >>> layer = nn.utils.parametrizations.orthogonal(nn.Linear(20, 40))
    >>> aino.dist(layer.weight.mT @ layer.weight, aino.eye(20)).item() < 1e-4
    True
    """
    weight = _named(module, name)
    if weight.ndim < 2:
        raise ValueError(
            f"Expected a matrix or batch of matrices. Got a tensor of {weight.ndim} dimensions."
        )
    if orthogonal_map is None:
        square = weight.shape[-2] == weight.shape[-1]
        orthogonal_map = "matrix_exp" if square or weight.is_complex() else "householder"
    if orthogonal_map not in ("matrix_exp", "cayley", "householder"):
        raise ArgumentError(
            'orthogonal_map has to be one of "matrix_exp", "cayley", "householder". Got: '
            f"{orthogonal_map}"
        )
    orth = _Orthogonal(weight, orthogonal_map, use_trivialization)
    return register_parametrization(module, name, orth, unsafe=True)
