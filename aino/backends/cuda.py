"""CUDA's switches: they can be set as for PyTorch, and nothing here reads them."""

from __future__ import annotations


class _Switches:
    """Settings of matrix products on a GPU."""

    def __init__(self) -> None:
        self.allow_tf32 = False
        self.allow_fp16_reduced_precision_reduction = True
        self.allow_bf16_reduced_precision_reduction = True


matmul = _Switches()


def is_built() -> bool:
    """Return False."""
    return False
