"""Schedules that multiply the learning rate as time goes by."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from aino.optim.lr_scheduler.base import (
    LRScheduler,
    check_optimizer,
    check_positive,
    current,
    inner_state,
)
from aino.optim.optimizer import Optimizer, number


class _ByFunction(LRScheduler):
    """A schedule given by one function of the step, or one for each group."""

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | list[Callable[[int], float]],
        last_epoch: int = -1,
    ) -> None:
        check_optimizer(optimizer)
        count = len(optimizer.param_groups)
        functions = list(lr_lambda) if isinstance(lr_lambda, list | tuple) else [lr_lambda] * count
        if len(functions) != count:
            raise ValueError(f"Expected {count} lr_lambdas, but got {len(functions)}")
        for function in functions:
            if not callable(function):
                raise TypeError(
                    f"lr_lambda should be a function, but got {type(function).__name__}"
                )
        self.lr_lambdas = functions
        super().__init__(optimizer, last_epoch)

    def state_dict(self) -> dict[str, Any]:
        """Return everything but the optimizer and plain functions; objects are saved."""
        state = super().state_dict()
        state["lr_lambdas"] = [inner_state(function) for function in self.lr_lambdas]
        return state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        state = dict(state_dict)
        for function, saved in zip(self.lr_lambdas, state.pop("lr_lambdas")):
            if saved is not None:
                function.__dict__.update(saved)
        super().load_state_dict(state)


class LambdaLR(_ByFunction):
    """lr = initial lr · lr_lambda(t)

    Arguments:
        optimizer: the optimizer whose groups' rates are set.
        lr_lambda: a function of the step t, or one for each group.
        last_epoch: the step to go on from; -1 starts anew.

    >>> import aino
    >>> optimizer = aino.optim.SGD([aino.zeros(1, requires_grad=True)], lr=1.0)
    >>> scheduler = aino.optim.lr_scheduler.LambdaLR(optimizer, lambda t: 1 / (1 + t))
    >>> optimizer.step(); scheduler.step()
    >>> scheduler.get_last_lr()
    [0.5]
    """

    def get_lr(self) -> list[Any]:
        self._warn_unless_computing()
        return [
            base * function(self.last_epoch)
            for function, base in zip(self.lr_lambdas, self.base_lrs, strict=True)
        ]


class MultiplicativeLR(_ByFunction):
    """lr = lr · lr_lambda(t)

    Arguments:
        optimizer: the optimizer whose groups' rates are set.
        lr_lambda: a function of the step t, or one for each group.
        last_epoch: the step to go on from; -1 starts anew.
    """

    def get_lr(self) -> list[Any]:
        self._warn_unless_computing()
        if self._is_initial:
            return current(self.optimizer)
        return [
            number(group["lr"]) * function(self.last_epoch)
            for function, group in zip(self.lr_lambdas, self.optimizer.param_groups, strict=True)
        ]


class StepLR(LRScheduler):
    """lr = lr · gamma every ``step_size`` steps.

    Arguments:
        optimizer: the optimizer whose groups' rates are set.
        step_size: steps between two changes.
        gamma: by what the rate is multiplied.
        last_epoch: the step to go on from; -1 starts anew.

    >>> import aino
    >>> optimizer = aino.optim.SGD([aino.zeros(1, requires_grad=True)], lr=1.0)
    >>> scheduler = aino.optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)
    >>> for _ in range(3):
    ...     optimizer.step()
    ...     scheduler.step()
    >>> scheduler.get_last_lr()
    [0.5]
    """

    def __init__(
        self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        check_positive("step_size", step_size)
        self.step_size = step_size
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Any]:
        self._warn_unless_computing()
        if self.last_epoch == 0 or self.last_epoch % self.step_size != 0:
            return current(self.optimizer)
        return self._scaled(self.gamma)

    def _get_closed_form_lr(self) -> list[Any]:
        return [base * self.gamma ** (self.last_epoch // self.step_size) for base in self.base_lrs]


class MultiStepLR(LRScheduler):
    """lr = lr · gamma at each of the ``milestones``.

    Arguments:
        optimizer: the optimizer whose groups' rates are set.
        milestones: the steps of the changes; one that stands twice counts twice.
        gamma: by what the rate is multiplied.
        last_epoch: the step to go on from; -1 starts anew.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        milestones: Iterable[int],
        gamma: float = 0.1,
        last_epoch: int = -1,
    ) -> None:
        self.milestones = Counter(milestones)
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Any]:
        self._warn_unless_computing()
        if self.last_epoch not in self.milestones:
            return current(self.optimizer)
        return self._scaled(self.gamma ** self.milestones[self.last_epoch])

    def _get_closed_form_lr(self) -> list[Any]:
        passed = bisect_right(sorted(self.milestones.elements()), self.last_epoch)
        return [base * self.gamma**passed for base in self.base_lrs]


class ConstantLR(LRScheduler):
    """lr = factor · initial lr for ``total_iters`` steps, then the initial lr.

    Arguments:
        optimizer: the optimizer whose groups' rates are set.
        factor: by what the initial rate is multiplied at first.
        total_iters: for how many steps.
        last_epoch: the step to go on from; -1 starts anew.

    Raises ``ValueError`` unless 0 <= factor <= 1.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        factor: float = 1.0 / 3,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        if not 0 <= factor <= 1:
            raise ValueError(f"factor must be between 0 and 1, not {factor}")
        self.factor = factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Any]:
        self._warn_unless_computing()
        if self.last_epoch == 0:
            return self._scaled(self.factor)
        if self.last_epoch != self.total_iters:
            return current(self.optimizer)
        return self._scaled(1.0 / self.factor)

    def _get_closed_form_lr(self) -> list[Any]:
        over = self.last_epoch >= self.total_iters
        return [base * (self.factor + over * (1 - self.factor)) for base in self.base_lrs]


class LinearLR(LRScheduler):
    """lr goes from start_factor to end_factor times the initial lr in ``total_iters`` steps.

    Arguments:
        optimizer: the optimizer whose groups' rates are set.
        start_factor: what the initial rate is multiplied by at first.
        end_factor: and at last.
        total_iters: steps from the one to the other.
        last_epoch: the step to go on from; -1 starts anew.

    Raises ``ValueError`` unless 0 < start_factor <= 1 and 0 <= end_factor <= 1.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        if not 0 < start_factor <= 1:
            raise ValueError(f"start_factor must be above 0 and at most 1, not {start_factor}")
        if not 0 <= end_factor <= 1:
            raise ValueError(f"end_factor must be between 0 and 1, not {end_factor}")
        self.start_factor = start_factor
        self.end_factor = end_factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Any]:
        self._warn_unless_computing()
        if self.last_epoch == 0:
            return self._scaled(self.start_factor)
        if self._is_initial or self.last_epoch > self.total_iters:
            return current(self.optimizer)
        rise = self.end_factor - self.start_factor
        before = self.total_iters * self.start_factor + (self.last_epoch - 1) * rise
        return self._scaled(1.0 + rise / before)

    def _get_closed_form_lr(self) -> list[Any]:
        done = min(self.total_iters, self.last_epoch) / self.total_iters
        factor = self.start_factor + (self.end_factor - self.start_factor) * done
        return [base * factor for base in self.base_lrs]


class ExponentialLR(LRScheduler):
    """lr = lr · gamma

    Arguments:
        optimizer: the optimizer whose groups' rates are set.
        gamma: by what the rate is multiplied at each step.
        last_epoch: the step to go on from; -1 starts anew.

    >>> import aino
    >>> optimizer = aino.optim.SGD([aino.zeros(1, requires_grad=True)], lr=1.0)
    >>> scheduler = aino.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
    >>> optimizer.step(); scheduler.step()
    >>> scheduler.get_last_lr()
    [0.5]
    """

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Any]:
        self._warn_unless_computing()
        if self._is_initial:
            return current(self.optimizer)
        return self._scaled(self.gamma)

    def _get_closed_form_lr(self) -> list[Any]:
        return [base * self.gamma**self.last_epoch for base in self.base_lrs]


class PolynomialLR(LRScheduler):
    """lr = initial lr · (1 - t / total_iters) ^ power

    Arguments:
        optimizer: the optimizer whose groups' rates are set.
        total_iters: steps until the rate is 0.
        power: the power of the polynomial.
        last_epoch: the step to go on from; -1 starts anew.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        total_iters: int = 5,
        power: float = 1.0,
        last_epoch: int = -1,
    ) -> None:
        check_positive("total_iters", total_iters)
        self.total_iters = total_iters
        self.power = power
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Any]:
        self._warn_unless_computing()
        if self._is_initial or self.last_epoch > self.total_iters:
            return current(self.optimizer)
        left = 1.0 - self.last_epoch / self.total_iters
        left_before = 1.0 - (self.last_epoch - 1) / self.total_iters
        return self._scaled((left / left_before) ** self.power)

    def _get_closed_form_lr(self) -> list[Any]:
        done = min(self.total_iters, self.last_epoch) / self.total_iters
        return [base * (1.0 - done) ** self.power for base in self.base_lrs]
