"""DataParallel over the one device that there is."""

from __future__ import annotations

from typing import Any

from aino.devices import check_device
from aino.errors import DeviceError
from aino.nn.base.module import Module


class DataParallel(Module):
    """A module whose batches would be shared out to several devices; here it runs on the CPU.

    What the module returns is returned; its ``state_dict`` has PyTorch's keys, which begin with
    ``module.``.

    Arguments:
        module: the module that is run.
        device_ids: the numbers of accelerators, of which there are none: None, or an empty list.
        output_device: ``"cpu"`` or None.
        dim: has no effect: a batch is not cut.

    Raises ``DeviceError`` where accelerators are named.

    >>> import aino
    >>> model = aino.nn.DataParallel(aino.nn.Linear(2, 1))
    >>> list(model.state_dict())
    ['module.weight', 'module.bias']
    """

    def __init__(
        self, module: Module, device_ids: Any = None, output_device: Any = None, dim: int = 0
    ) -> None:
        super().__init__()
        _check(device_ids, output_device)
        self.module = module
        self.device_ids: list[int] = []

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        """Return what the module returns."""
        return self.module(*inputs, **kwargs)


def data_parallel(
    module: Module,
    inputs: Any,
    device_ids: Any = None,
    output_device: Any = None,
    dim: int = 0,
    module_kwargs: Any = None,
) -> Any:
    """Return what a module returns, on the one device that there is.

    Arguments:
        module: the module that is run.
        inputs: its argument, or a tuple of them.
        device_ids, output_device: as for ``DataParallel``.
        dim: has no effect: a batch is not cut.
        module_kwargs: arguments by name.
    """
    _check(device_ids, output_device)
    given = inputs if isinstance(inputs, tuple) else () if inputs is None else (inputs,)
    return module(*given, **(module_kwargs or {}))


def _check(device_ids: Any, output_device: Any) -> None:
    if device_ids:
        raise DeviceError(
            f"DataParallel is given the accelerators {list(device_ids)}, and there are none here; "
            "leave device_ids out"
        )
    check_device(output_device)
