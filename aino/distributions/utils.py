"""What distributions share: parameters of one shape, probabilities and logits, lazy parameters."""

from __future__ import annotations

import numbers
from collections.abc import Callable
from typing import Any

import numpy as np

from aino.autograd.mode import enable_grad
from aino.autograd.tensor import Size, Tensor
from aino.dtypes import get_default_dtype
from aino.errors import ArgumentError
from aino.ops.creation.from_data import tensor
from aino.ops.pointwise.softmax import softmax
from aino.ops.reduce.reduction import logsumexp
from aino.ops.shape.broadcasting import broadcast_tensors
from aino.type_info import finfo

__all__ = [
    "broadcast_all", "logits_to_probs", "clamp_probs", "probs_to_logits", "lazy_property",
    "tril_matrix_to_vec", "vec_to_tril_matrix",
]  # fmt: skip

#: Euler's constant, γ.
euler_constant = 0.57721566490153286060


def broadcast_all(*values: Any) -> tuple[Tensor, ...]:
    """Return the values as tensors of one shape; numbers take the dtype of the first tensor.

    Raises ``ValueError`` for what is neither a number nor a tensor.

    >>> import aino
    >>> aino.distributions.utils.broadcast_all(aino.zeros(2), 3)
    (tensor([0., 0.]), tensor([3., 3.]))
    """
    tensors = [value for value in values if isinstance(value, Tensor)]
    for value in values:
        if not isinstance(value, (Tensor, numbers.Number)):
            raise ValueError(
                f"a parameter is a number or a tensor, not {type(value).__name__}: {value!r}"
            )
    dtype = tensors[0].dtype if tensors else get_default_dtype()
    return tuple(
        broadcast_tensors(*(v if isinstance(v, Tensor) else tensor(v, dtype=dtype) for v in values))
    )


def as_like(value: Any, other: Tensor) -> Tensor:
    """Return ``value`` as a tensor; a number takes the dtype of the tensor ``other``."""
    return value if isinstance(value, Tensor) else tensor(value, dtype=other.dtype)


def sum_rightmost(value: Tensor, count: int) -> Tensor:
    """Return the sum of ``value`` over the last ``count`` dimensions."""
    return value.sum(tuple(range(-count, 0))) if count else value


def logits_to_probs(logits: Tensor, is_binary: bool = False) -> Tensor:
    """Return the probabilities of logits: their sigmoid, or their softmax over the last dimension.

    Arguments:
        logits: log-odds where ``is_binary``, else logarithms of probabilities up to a constant.
        is_binary: whether each logit stands for itself.

    >>> import aino
    >>> aino.distributions.utils.logits_to_probs(aino.zeros(2))
    tensor([0.5000, 0.5000])
    """
    return logits.sigmoid() if is_binary else softmax(logits, -1)


def clamp_probs(probs: Tensor) -> Tensor:
    """Return probabilities that are neither 0 nor 1, by at least the dtype's epsilon.

    >>> import aino
    >>> aino.distributions.utils.clamp_probs(aino.tensor([0.0, 0.5]))
    tensor([1.1921e-07, 5.0000e-01])
    """
    eps = finfo(probs.dtype).eps
    return probs.clamp(eps, 1 - eps)


def probs_to_logits(probs: Tensor, is_binary: bool = False) -> Tensor:
    """Return the logits of probabilities: ``ln p - ln(1 - p)``, or ``ln p``.

    Arguments:
        probs: probabilities; those near 0 or 1 are moved by the dtype's epsilon.
        is_binary: whether log-odds are meant.

    >>> import aino
    >>> aino.distributions.utils.probs_to_logits(aino.tensor([0.5]), is_binary=True)
    tensor([0.])
    """
    clamped = clamp_probs(probs)
    return clamped.log() - (-clamped).log1p() if is_binary else clamped.log()


def normalized_logits(logits: Tensor) -> Tensor:
    """Return the logits whose exponentials sum to 1 over the last dimension."""
    return logits - logsumexp(logits, -1, keepdim=True)


class lazy_property:
    """A property that is computed when it is first read, and kept from then on.

    It is computed with gradients even inside ``no_grad``, as it outlives the block.
    """

    def __init__(self, wrapped: Callable[[Any], Any]) -> None:
        self.wrapped = wrapped
        self.__doc__ = wrapped.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        with enable_grad():
            value = self.wrapped(instance)
        vars(instance)[self.name] = value
        return value


def either(**given: Any) -> str:
    """Return the name of the one argument that is given; raises ``ValueError`` for another number.

    >>> from aino.distributions.utils import either
    >>> either(probs=0.5, logits=None)
    'probs'
    """
    found = [name for name, value in given.items() if value is not None]
    if len(found) != 1:
        names = " or ".join(given)
        raise ValueError(f"exactly one of {names} is to be given, not {len(found)} of them")
    return found[0]


def extended(sample_shape: Any, shape: Any) -> Size:
    """Return the shape of a sample: ``sample_shape``, then ``shape``."""
    return Size((*shape_of(sample_shape), *shape))


def shape_of(given: Any) -> Size:
    """Return a shape, ``given`` as a tuple; raises ``TypeError`` for a number."""
    if isinstance(given, int):
        raise TypeError(f"a shape is a tuple of sizes: ({given},), not {given}")
    return Size(given)


def tril_matrix_to_vec(mat: Tensor, diag: int = 0) -> Tensor:
    """Return the elements on and below a diagonal as a vector: ``(*, n, n) -> (*, m)``.

    Raises ``ValueError`` for a diagonal that is not one of the matrix.

    Arguments:
        mat: square matrices.
        diag: which diagonal: 0 the main one, -1 the one below.

    >>> import aino
    >>> m = aino.tensor([[1.0, 0.0], [2.0, 3.0]])
    >>> aino.distributions.utils.tril_matrix_to_vec(m)
    tensor([1., 2., 3.])
    """
    n = mat.shape[-1]
    if not -n <= diag < n:
        raise ValueError(f"diag lies between {-n} and {n - 1}, got {diag}")
    rows, columns = np.tril_indices(n, diag)
    return mat[..., rows, columns]


def vec_to_tril_matrix(vec: Tensor, diag: int = 0) -> Tensor:
    """Return the matrix whose elements on and below a diagonal are a vector's, zero above.

    ``(*, m) -> (*, n, n)``. Raises ``ArgumentError`` where m elements fill no such triangle.

    Arguments:
        vec: the elements, row by row.
        diag: which diagonal: 0 the main one, -1 the one below.

    >>> import aino
    >>> aino.distributions.utils.vec_to_tril_matrix(aino.tensor([1.0, 2.0, 3.0]))
    tensor([[1., 0.],
            [2., 3.]])
    """
    count = vec.shape[-1]
    # The root of n (n + 1) / 2 + n diag - |diag| (diag + 1) / 2 = count.
    side = 1 + 2 * diag
    n = round(((side * side + 8 * count + 4 * abs(diag) * (diag + 1)) ** 0.5 - side) / 2)
    rows, columns = np.tril_indices(n, diag)
    if len(rows) != count:
        raise ArgumentError(f"{count} elements fill no triangle up to diagonal {diag}")
    matrix = vec.new_zeros((*vec.shape[:-1], n, n))
    matrix[..., rows, columns] = vec
    return matrix
