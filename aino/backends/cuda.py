"""CUDA's switches: they can be set as for PyTorch, and nothing here reads them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


class _Switches:
    """Settings of matrix products on a GPU."""

    def __init__(self) -> None:
        self.allow_tf32 = False
        self.allow_fp16_reduced_precision_reduction = True
        self.allow_bf16_reduced_precision_reduction = True


matmul = _Switches()
_attention = {"flash": True, "mem_efficient": True, "math": True, "cudnn": True}


def is_built() -> bool:
    """Return False."""
    return False


def _set(kind: str) -> Callable[[bool], None]:
    def enable(enabled: bool) -> None:
        """Choose whether a GPU may compute attention in this way; nothing here reads it."""
        _attention[kind] = bool(enabled)

    enable.__name__ = enable.__qualname__ = f"enable_{kind}_sdp"
    return enable


def _get(kind: str) -> Callable[[], bool]:
    def enabled() -> bool:
        """Return what was chosen last."""
        return _attention[kind]

    enabled.__name__ = enabled.__qualname__ = f"{kind}_sdp_enabled"
    return enabled


enable_flash_sdp, flash_sdp_enabled = _set("flash"), _get("flash")
enable_mem_efficient_sdp, mem_efficient_sdp_enabled = _set("mem_efficient"), _get("mem_efficient")
enable_math_sdp, math_sdp_enabled = _set("math"), _get("math")
enable_cudnn_sdp, cudnn_sdp_enabled = _set("cudnn"), _get("cudnn")


@contextmanager
def sdp_kernel(
    enable_flash: bool = True,
    enable_math: bool = True,
    enable_mem_efficient: bool = True,
    enable_cudnn: bool = True,
) -> Iterator[None]:
    """Choose for a ``with`` block how a GPU may compute attention; nothing here reads it.

    Arguments:
        enable_flash, enable_math, enable_mem_efficient, enable_cudnn: the ways.
    """
    before = dict(_attention)
    _attention.update(
        flash=enable_flash, math=enable_math, mem_efficient=enable_mem_efficient, cudnn=enable_cudnn
    )
    try:
        yield
    finally:
        _attention.update(before)
