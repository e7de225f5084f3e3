"""Automatic mixed precision, as scripts for a GPU write it: switched off, as PyTorch does on a CPU.

AINO computes in the dtypes that its tensors have. Scaling of losses keeps gradients of float16
from vanishing on a GPU; here losses are left as they are.
"""

from __future__ import annotations

import warnings
from contextlib import ContextDecorator
from typing import Any

from aino.devices import Device
from aino.errors import DeviceError


class autocast(ContextDecorator):
    """A block in which a GPU would choose the dtypes itself; on the CPU nothing changes.

    Arguments:
        device_type: ``"cuda"`` or another accelerator: warns that it is not here, and does
            nothing, as in PyTorch. ``"cpu"`` takes ``enabled=False`` only.
        dtype, cache_enabled: what an accelerator would compute in.
        enabled: False does nothing, silently.

    Raises ``DeviceError`` for ``"cpu"`` with ``enabled=True``: it would have to compute in
    bfloat16, which NumPy does not have.
    """

    def __init__(
        self,
        device_type: str = "cuda",
        dtype: Any = None,
        enabled: bool = True,
        cache_enabled: bool | None = None,
    ) -> None:
        kind = Device(device_type).type
        if enabled and kind == "cpu":
            raise DeviceError(
                "autocast on the CPU computes in bfloat16, which NumPy does not have; use "
                "enabled=False, or tensors of the dtype that you want"
            )
        if enabled:
            warnings.warn(
                f"autocast is for {kind!r}, which is not here: it does nothing",
                UserWarning,
                stacklevel=2,
            )

    def __enter__(self) -> autocast:
        return self

    def __exit__(self, *exception: object) -> None:
        return None


class GradScaler:
    """Scales losses so that float16 gradients do not vanish on a GPU; here by 1, always.

    Arguments:
        device: the accelerator that it is for, which is not here.
        enabled: False does nothing, silently; True warns that it does nothing.
        settings: PyTorch's scale and how it grows, which change nothing.
    """

    def __init__(self, device: Any = "cuda", *, enabled: bool = True, **settings: Any) -> None:
        if enabled:
            warnings.warn(
                f"GradScaler is for {str(device)!r}, which is not here: losses stay as they are",
                UserWarning,
                stacklevel=2,
            )

    def scale(self, outputs: Any) -> Any:
        """Return the loss as it is."""
        return outputs

    def unscale_(self, optimizer: Any) -> None:
        """Do nothing: gradients are not scaled."""

    def step(self, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        """Step the optimizer, and return what it returns.

        Arguments:
            optimizer: whose ``step`` is called.
            args: what ``step`` is given, a closure for example.
        """
        return optimizer.step(*args, **kwargs)

    def update(self, new_scale: Any = None) -> None:
        """Do nothing: the scale stays 1."""

    def get_scale(self) -> float:
        """Return 1.0."""
        return 1.0

    def is_enabled(self) -> bool:
        """Return False."""
        return False

    def state_dict(self) -> dict[str, Any]:
        """Return an empty state."""
        return {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take any state, and leave the losses as they are."""
