"""What PyTorch's tensors tell of themselves, where here there is one answer, or nearly."""

from __future__ import annotations

from typing import Any

from aino.autograd.node import TupleOutput
from aino.autograd.tensor import Tensor
from aino.tracing import forbid_layout

__all__ = ["detach", "is_conj", "is_neg", "is_inference"]


def detach(input: Tensor) -> Tensor:
    """Return a tensor that shares this memory and has no history.

    >>> import aino
    >>> aino.detach(aino.ones(1, requires_grad=True)).requires_grad
    False
    """
    return input.detach()


def is_conj(input: Tensor) -> bool:
    """Return False: what is conjugate is computed at once, not marked.

    >>> import aino
    >>> aino.is_conj(aino.tensor([1j]).conj())
    False
    """
    return False


def is_neg(input: Tensor) -> bool:
    """Return False: what is negative is computed at once, not marked.

    >>> import aino
    >>> aino.is_neg(aino.tensor([1j]).imag)
    False
    """
    return False


def is_inference(input: Tensor) -> bool:
    """Return False: tensors made in ``inference_mode`` are tensors as any others.

    >>> import aino
    >>> aino.is_inference(aino.ones(1))
    False
    """
    return False


def const_data_ptr(self: Tensor) -> Any:
    """Return the address of the first element, for memory that is only read."""
    return self.data_ptr()


def dim_order(self: Tensor) -> tuple[int, ...]:
    """Return the dimensions, from the one whose neighbours lie farthest apart in memory.

    >>> import aino
    >>> aino.ones(2, 3).t().dim_order()
    (1, 0)
    """
    forbid_layout("dim_order()", "ask for it outside the compiled function")
    steps = self.array.strides
    return tuple(sorted(range(len(steps)), key=lambda dim: (-steps[dim], dim)))


def output_nr(self: Tensor) -> int:
    """Which of the outputs of its ``grad_fn`` this tensor is: 0 where there is one.

    >>> import aino
    >>> values, vectors = aino.linalg.eigh(aino.eye(2, requires_grad=True))
    >>> vectors.output_nr
    1
    """
    node = self.grad_fn
    return node.index if type(node) is TupleOutput else 0


def name(self: Tensor) -> None:
    """None: PyTorch names no tensor either; ``label`` is what drawings call it."""
    return None
