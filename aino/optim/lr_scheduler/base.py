"""LRScheduler: sets the learning rates of an optimizer's groups, one step at a time."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FunctionType
from typing import Any

from aino.autograd.tensor import Tensor, make
from aino.optim.optimizer import Optimizer, number
from aino.tracing import forbid_in_trace, is_tracing


def current(optimizer: Optimizer, key: str = "lr") -> list[Any]:
    """Return a setting of all groups, tensors copied."""
    return [
        make(group[key].array.copy()) if isinstance(group[key], Tensor) else group[key]
        for group in optimizer.param_groups
    ]


def assign(group: dict[str, Any], key: str, value: Any) -> None:
    """Set a setting of a group; a tensor that the user put there is written in place."""
    if isinstance(group[key], Tensor):
        group[key].array[...] = number(value)
    else:
        group[key] = value


def per_group(name: str, optimizer: Optimizer, value: Any) -> list[Any]:
    """Return one value for each group: the given list, or the given number for all."""
    count = len(optimizer.param_groups)
    if not isinstance(value, list | tuple):
        return [value] * count
    if len(value) != count:
        raise ValueError(f"{name} has {len(value)} values, the optimizer {count} param groups")
    return list(value)


def check_optimizer(optimizer: Any) -> None:
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")


def check_positive(name: str, value: Any) -> None:
    """Raise ``ValueError`` unless a setting is a number above 0."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        raise ValueError(f"{name} must be a positive number, not {value!r}")


def inner_state(function: Any) -> dict[str, Any] | None:
    """Return what a callable object remembers; a plain function is not saved."""
    return None if isinstance(function, FunctionType) else function.__dict__.copy()


class LRScheduler:
    """Base of all schedules: ``get_lr`` says the rates of step ``last_epoch``.

    ``step()`` is to be called after ``optimizer.step()``.

    Arguments:
        optimizer: the optimizer whose groups' rates are set.
        last_epoch: the step to go on from; -1 starts anew. To go on, each group has to have its
            ``initial_lr``.
    """

    _get_lr_called_within_step = False
    _is_initial = False
    _last_lr: list[Any]

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        check_optimizer(optimizer)
        self.optimizer = optimizer
        for position, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", number(group["lr"]))
            elif "initial_lr" not in group:
                raise KeyError(
                    f"param 'initial_lr' is not specified in param_groups[{position}]: load the "
                    f"optimizer's state before resuming a schedule with last_epoch={last_epoch}"
                )
        self.base_lrs = current(optimizer, "initial_lr")
        self.last_epoch = last_epoch
        self._initial_step()

    def _initial_step(self) -> None:
        self._step_count = 0
        self._is_initial = True
        try:
            self.step()
        finally:
            self._is_initial = False

    def state_dict(self) -> dict[str, Any]:
        """Return everything but the optimizer."""
        return {key: value for key, value in self.__dict__.items() if key != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what ``state_dict`` returned."""
        self.__dict__.update(state_dict)

    def get_last_lr(self) -> list[Any]:
        """Return the learning rates that the last step set, one for each group."""
        if is_tracing():
            return [group["lr"] for group in self.optimizer.param_groups]
        return self._last_lr

    def get_lr(self) -> list[Any]:
        """Return the learning rates of step ``last_epoch``, from the rates before it."""
        raise NotImplementedError(f"{type(self).__name__} has no get_lr of its own")

    def step(self, epoch: int | None = None) -> None:
        """Set the next learning rates, or those of ``epoch``."""
        self._note_step()
        if epoch is not None:
            warnings.warn(
                "scheduler.step(epoch) sets the rates of that epoch; call step() once an epoch "
                "instead",
                UserWarning,
                stacklevel=2,
            )
        self._update_lr(epoch)

    def _note_step(self) -> None:
        forbid_in_trace(f"{type(self).__name__}.step()", "call it outside of the compiled step")
        if self._step_count == 1 and not self.optimizer.has_stepped:
            warnings.warn(
                "lr_scheduler.step() was called before optimizer.step(), so the first value of "
                "the schedule is skipped; call them in the opposite order",
                UserWarning,
                stacklevel=3,
            )
        self._step_count += 1

    def _update_lr(self, epoch: int | None = None) -> None:
        with self._computing():
            if epoch is None:
                self.last_epoch += 1
                values = self.get_lr()
            else:
                self.last_epoch = epoch
                closed: Callable = getattr(self, "_get_closed_form_lr", self.get_lr)
                values = closed()
        self._set(values)

    def _set(self, values: list[Any]) -> None:
        for group, value in zip(self.optimizer.param_groups, values, strict=True):
            assign(group, "lr", value)
        self._last_lr = current(self.optimizer)

    @contextmanager
    def _computing(self) -> Iterator[None]:
        self._get_lr_called_within_step = True
        try:
            yield
        finally:
            self._get_lr_called_within_step = False

    def _warn_unless_computing(self) -> None:
        if not self._get_lr_called_within_step:
            warnings.warn(
                "get_lr() computes the next rates; to get the last ones, use get_last_lr()",
                UserWarning,
                stacklevel=3,
            )

    def _scaled(self, factor: float) -> list[Any]:
        """Return the rates that the groups have now, times a factor."""
        return [number(group["lr"]) * factor for group in self.optimizer.param_groups]
