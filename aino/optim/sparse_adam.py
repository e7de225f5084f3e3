"""SparseAdam, which has nothing to step here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NoReturn

from aino.optim.optimizer import Optimizer


class SparseAdam(Optimizer):
    """Adam for sparse gradients, which there are none of here: to make one is refused.

    Gradients of AINO are dense, and PyTorch's SparseAdam refuses dense gradients.

    Arguments:
        params, lr, betas, eps, maximize: those of ``Adam``, which is what to use.

    Raises ``NotImplementedError``.
    """

    def __init__(
        self,
        params: Iterable,
        lr: Any = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        maximize: bool = False,
    ) -> NoReturn:
        raise NotImplementedError(
            "SparseAdam steps sparse gradients alone, and AINO's are dense; use aino.optim.Adam "
            "with the same settings, which steps all rows (those without a gradient by their "
            "running means)"
        )
