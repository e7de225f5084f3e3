"""A schedule that looks at how training goes."""

from __future__ import annotations

import math
import warnings
from typing import Any

from aino.autograd.tensor import Tensor
from aino.optim.lr_scheduler.base import (
    LRScheduler,
    assign,
    check_optimizer,
    current,
    per_group,
)
from aino.optim.optimizer import Optimizer, number
from aino.tracing import forbid_in_trace


class ReduceLROnPlateau(LRScheduler):
    """lr = lr · factor when ``step(metric)`` has seen no progress for ``patience`` steps.

    ``mode``: "min" or "max", what is better. ``threshold``: how much better counts, relative to
    the best ("rel") or absolute ("abs"). Raises ``ValueError`` for a factor of 1 or more.

    Arguments:
        optimizer: the optimizer whose groups' rates are set.
        mode: ``"min"`` or ``"max"``: whether less of the metric is better, or more.
        factor: by what the rate is multiplied.
        patience: how many steps without progress are let pass.
        threshold: how much better counts as progress.
        threshold_mode: ``"rel"``: relative to the best so far; ``"abs"``: as a difference.
        cooldown: steps after a change in which nothing is counted.
        min_lr: the lowest rate; a number, or one for each group.
        eps: a change of the rate that is smaller is left out.

    >>> import aino
    >>> optimizer = aino.optim.SGD([aino.zeros(1, requires_grad=True)], lr=1.0)
    >>> scheduler = aino.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=1)
    >>> for loss in (1.0, 1.0, 1.0):
    ...     scheduler.step(loss)
    >>> scheduler.get_last_lr()
    [0.1]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | list[float] = 0,
        eps: float = 1e-8,
    ) -> None:
        if factor >= 1.0:
            raise ValueError(f"Factor should be < 1.0, not {factor}")
        check_optimizer(optimizer)
        if mode not in ("min", "max"):
            raise ValueError(f"mode {mode} is unknown!")
        if threshold_mode not in ("rel", "abs"):
            raise ValueError(f"threshold mode {threshold_mode} is unknown!")
        self.min_lrs = per_group("min_lr", optimizer, min_lr)
        self.default_min_lr = None if isinstance(min_lr, list | tuple) else min_lr
        self.factor = factor
        self.optimizer = optimizer
        self.patience = patience
        self.cooldown = cooldown
        self.eps = eps
        self.last_epoch = 0
        self._last_lr = current(optimizer)
        self.mode = mode
        self.threshold = threshold
        self.threshold_mode = threshold_mode
        self.mode_worse = math.inf if mode == "min" else -math.inf
        self._reset()

    def _reset(self) -> None:
        """Forget what was seen."""
        self.best = self.mode_worse
        self.cooldown_counter = 0
        self.num_bad_epochs = 0

    def step(self, metrics: Any, epoch: int | None = None) -> None:  # type: ignore[override]
        """Note a loss or score; reduce the rates if it has not become better for too long.

        Arguments:
            metrics: the loss or score: a number, or a tensor of one element.
            epoch: deprecated; leave it out.
        """
        forbid_in_trace("ReduceLROnPlateau.step()", "call it outside of the compiled step")
        value = float(metrics.array) if isinstance(metrics, Tensor) else float(metrics)
        if epoch is None:
            epoch = self.last_epoch + 1
        else:
            warnings.warn("leave the epoch out: step(metrics)", UserWarning, stacklevel=2)
        self.last_epoch = epoch
        if self._is_better(value, self.best):
            self.best = value
            self.num_bad_epochs = 0
        else:
            self.num_bad_epochs += 1
        if self.in_cooldown:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self._reduce_lr()
            self.cooldown_counter = self.cooldown
            self.num_bad_epochs = 0
        self._last_lr = current(self.optimizer)

    def _reduce_lr(self) -> None:
        groups = self.optimizer.param_groups
        if len(groups) != len(self.min_lrs):
            if self.default_min_lr is None:
                raise RuntimeError(
                    f"the optimizer has {len(groups)} param groups now, min_lr was given for "
                    f"{len(self.min_lrs)}: set the scheduler's min_lrs anew"
                )
            self.min_lrs = [self.default_min_lr] * len(groups)
        for group, lowest in zip(groups, self.min_lrs):
            before = float(number(group["lr"]))
            after = max(before * self.factor, lowest)
            if before - after > self.eps:
                assign(group, "lr", after)

    @property
    def in_cooldown(self) -> bool:
        """True while bad steps are not counted, after a reduction."""
        return self.cooldown_counter > 0

    def _is_better(self, value: float, best: float) -> bool:
        sign = -1.0 if self.mode == "min" else 1.0
        if self.threshold_mode == "rel":
            bar = best * (1.0 + sign * self.threshold)
        else:
            bar = best + sign * self.threshold
        return sign * value > sign * bar
