"""Automatic mixed precision as older scripts name it; ``aino.amp`` says what is done: nothing."""

from __future__ import annotations

from typing import Any

from aino import amp

__all__ = ["GradScaler", "autocast", "custom_bwd", "custom_fwd"]


class autocast(amp.autocast):
    """A block in which a GPU would choose the dtypes itself; here nothing changes.

    Arguments:
        enabled: False is silent; True warns that tensors keep their dtypes.
        dtype, cache_enabled: what a GPU would compute in; this changes nothing.
    """

    def __init__(
        self, enabled: bool = True, dtype: Any = None, cache_enabled: bool | None = None
    ) -> None:
        super().__init__("cuda", dtype, enabled, cache_enabled)


class GradScaler(amp.GradScaler):
    """Scales losses so that float16 gradients do not vanish on a GPU; here by 1, always.

    Arguments:
        init_scale, growth_factor, backoff_factor, growth_interval: PyTorch's scale and how it
            grows, which changes nothing.
        enabled: False does nothing, silently; True warns that it does nothing.
    """

    def __init__(
        self,
        init_scale: float = 65536.0,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        super().__init__("cuda", enabled=enabled)


custom_fwd = amp.custom_fwd
custom_bwd = amp.custom_bwd
