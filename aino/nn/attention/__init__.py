"""``torch.nn.attention``: which kernel computes attention, of which AINO has one."""

from __future__ import annotations

import contextlib
import enum
from collections.abc import Iterator
from typing import Any

from aino.nn.attention import bias

__all__ = ["SDPBackend", "WARN_FOR_UNFUSED_KERNELS", "bias", "sdpa_kernel"]

#: PyTorch's switch for warnings of kernels that were not taken; nothing is read from it.
WARN_FOR_UNFUSED_KERNELS = False


class SDPBackend(enum.IntEnum):
    """The kernels of PyTorch's attention, by name; AINO computes it in one way."""

    ERROR = -1
    MATH = 0
    FLASH_ATTENTION = 1
    EFFICIENT_ATTENTION = 2
    CUDNN_ATTENTION = 3
    OVERRIDEABLE = 4


@contextlib.contextmanager
def sdpa_kernel(backends: Any, set_priority: bool = False) -> Iterator[None]:
    """Choose kernels of PyTorch's attention within a block, which changes nothing here.

    Raises ``TypeError`` for what are no kernels.

    Arguments:
        backends: one ``SDPBackend``, or a list of them.
        set_priority: has no effect: there is one kernel.

    >>> import aino
    >>> from aino.nn.attention import SDPBackend, sdpa_kernel
    >>> q = aino.ones(1, 2, 4)
    >>> with sdpa_kernel(SDPBackend.MATH):
    ...     y = aino.nn.functional.scaled_dot_product_attention(q, q, q)
    """
    given = [backends] if isinstance(backends, SDPBackend) else list(backends)
    for backend in given:
        if not isinstance(backend, SDPBackend):
            raise TypeError(f"sdpa_kernel takes SDPBackend or a list of them, not {backend!r}")
    yield
