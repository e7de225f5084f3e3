"""Automatic mixed precision, as scripts for a GPU write it: it is switched off, and says so.

AINO computes in the dtypes that its tensors have. Scaling of losses keeps gradients of float16
from vanishing on a GPU; here losses are left as they are.
"""

from __future__ import annotations

import warnings
from contextlib import ContextDecorator
from typing import Any

from aino.devices import Device


class autocast(ContextDecorator):
    """A block in which a device would choose the dtypes itself; here nothing changes.

    Arguments:
        device_type: ``"cuda"``, ``"cpu"`` ...: what would compute.
        dtype, cache_enabled: what it would compute in; this changes nothing.
        enabled: False is silent; True warns that tensors keep their dtypes.
    """

    def __init__(
        self,
        device_type: str = "cuda",
        dtype: Any = None,
        enabled: bool = True,
        cache_enabled: bool | None = None,
    ) -> None:
        kind = Device(device_type).type
        if enabled:
            why = (
                "on the CPU it would compute in bfloat16, which NumPy does not have"
                if kind == "cpu"
                else f"it is for {kind!r}, which is not here"
            )
            warnings.warn(
                f"autocast does nothing, and tensors keep their dtypes: {why}",
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
        init_scale, growth_factor, backoff_factor, growth_interval: PyTorch's scale and how it
            grows, which changes nothing.
    """

    def __init__(
        self,
        device: Any = "cuda",
        init_scale: float = 65536.0,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
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


def is_autocast_available(device_type: str) -> bool:
    """Return False: tensors keep their dtypes.

    Raises ``DeviceError`` where ``device_type`` names no device.
    """
    Device(device_type)
    return False


def is_autocast_enabled(device_type: str | None = None) -> bool:
    """Return False: tensors keep their dtypes.

    Arguments:
        device_type: has no effect: it is so of every device.
    """
    return False


def custom_fwd(fwd: Any = None, *, device_type: str = "cuda", cast_inputs: Any = None) -> Any:
    """Return the forward of a ``Function`` as it is; without one a decorator that does so.

    Arguments:
        fwd: the function.
        device_type: has no effect: tensors keep their dtypes.
        cast_inputs: has no effect.
    """
    return (lambda function: function) if fwd is None else fwd


def custom_bwd(bwd: Any = None, *, device_type: str = "cuda") -> Any:
    """Return the backward of a ``Function`` as it is; without one a decorator that does so.

    Arguments:
        bwd: the function.
        device_type: has no effect: tensors keep their dtypes.
    """
    return (lambda function: function) if bwd is None else bwd
