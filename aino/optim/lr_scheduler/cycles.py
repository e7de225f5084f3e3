"""Schedules that raise the learning rate and let it fall, momentum the other way round."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from aino.optim.lr_scheduler.base import (
    LRScheduler,
    assign,
    check_optimizer,
    check_positive,
    inner_state,
    per_group,
)
from aino.optim.optimizer import Optimizer


class _WithMomentum(LRScheduler):
    """A schedule that also moves the groups' momentum, or their first beta."""

    cycle_momentum: bool
    use_beta1: bool

    def _check_momentum(self, optimizer: Optimizer) -> None:
        """Raise ``ValueError`` where momentum should cycle and the optimizer has none."""
        if self.cycle_momentum and not {"momentum", "betas"} & set(optimizer.defaults):
            raise ValueError(
                "optimizer must support momentum or beta1 with `cycle_momentum` option enabled"
            )

    def _start_momentum(self, optimizer: Optimizer, lowest, highest, last_epoch: int) -> None:
        """Note the range of the momentum in each group, and begin at its upper end."""
        if not self.cycle_momentum:
            return
        self.use_beta1 = "betas" in optimizer.defaults
        if last_epoch == -1:
            for low, high, group in zip(lowest, highest, optimizer.param_groups, strict=True):
                self._set_momentum(group, high)
                group["max_momentum"] = high
                group["base_momentum"] = low

    def _set_momentum(self, group: dict[str, Any], momentum: float) -> None:
        if self.use_beta1:
            group["betas"] = (momentum, *group["betas"][1:])
        else:
            group["momentum"] = momentum


def _same_height(cycle: float) -> float:
    return 1.0


def _half_height(cycle: float) -> float:
    return 1 / 2.0 ** (cycle - 1)


class CyclicLR(_WithMomentum):
    """lr climbs from base_lr to max_lr and back, again and again.

    ``mode``: "triangular" always as high, "triangular2" half as high each time, "exp_range"
    lower by ``gamma`` each step; or ``scale_fn`` says how high. Momentum moves the other way.

    Arguments:
        optimizer: the optimizer whose groups' rates are set.
        base_lr: the lowest rate; a number, or one for each group.
        max_lr: the highest rate; a number, or one for each group.
        step_size_up: steps on the way up.
        step_size_down: steps on the way down; as many as up by default.
        mode: the form of the cycles.
        gamma: by what ``"exp_range"`` shrinks them at each step.
        scale_fn: how high a cycle is, a function of its number or of the step.
        scale_mode: ``"cycle"`` or ``"iterations"``: what ``scale_fn`` is given.
        cycle_momentum: let the momentum move, too.
        base_momentum: the lowest momentum, where the rate is highest; a number, or one for each
            group.
        max_momentum: the highest momentum, where the rate is lowest.
        last_epoch: the step to go on from; -1 starts anew.

    Source: Smith, "Cyclical learning rates for training neural networks", 2015.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: float | list[float],
        max_lr: float | list[float],
        step_size_up: float = 2000,
        step_size_down: float | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: str = "cycle",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.8,
        max_momentum: float | list[float] = 0.9,
        last_epoch: int = -1,
    ) -> None:
        check_optimizer(optimizer)
        check_positive("step_size_up", step_size_up)
        down = step_size_up if step_size_down is None else step_size_down
        check_positive("step_size_down", down)
        if mode not in ("triangular", "triangular2", "exp_range") and scale_fn is None:
            raise ValueError(f"mode {mode!r} is none of triangular, triangular2, exp_range")
        base_lrs = per_group("base_lr", optimizer, base_lr)
        self.max_lrs = per_group("max_lr", optimizer, max_lr)
        self.base_momentums = per_group("base_momentum", optimizer, base_momentum)
        self.max_momentums = per_group("max_momentum", optimizer, max_momentum)
        self.cycle_momentum = cycle_momentum
        self._check_momentum(optimizer)
        self.total_size = float(step_size_up) + float(down)
        self.step_ratio = float(step_size_up) / self.total_size
        self.mode = mode
        self.gamma = gamma
        self._scale_fn_custom = scale_fn
        self.scale_mode = scale_mode
        if scale_fn is None:
            self.scale_mode = "iterations" if mode == "exp_range" else "cycle"
        if last_epoch == -1:
            for rate, group in zip(base_lrs, optimizer.param_groups):
                assign(group, "lr", rate)
        self._start_momentum(optimizer, self.base_momentums, self.max_momentums, last_epoch)
        super().__init__(optimizer, last_epoch)
        self.base_lrs = base_lrs

    def scale_fn(self, x: float) -> float:
        """Return the height of the climb in cycle (or at step) x."""
        if self._scale_fn_custom is not None:
            return self._scale_fn_custom(x)
        if self.mode == "exp_range":
            return self.gamma**x
        return _same_height(x) if self.mode == "triangular" else _half_height(x)

    def get_lr(self) -> list[Any]:
        self._warn_unless_computing()
        cycle = math.floor(1 + self.last_epoch / self.total_size)
        x = 1.0 + self.last_epoch / self.total_size - cycle
        up = x <= self.step_ratio
        climbed = x / self.step_ratio if up else (x - 1) / (self.step_ratio - 1)
        height = self.scale_fn(cycle if self.scale_mode == "cycle" else self.last_epoch)
        if self.cycle_momentum:
            for low, high, group in zip(
                self.base_momentums, self.max_momentums, self.optimizer.param_groups, strict=True
            ):
                self._set_momentum(group, high - (high - low) * climbed * height)
        return [
            low + (high - low) * climbed * height
            for low, high in zip(self.base_lrs, self.max_lrs, strict=True)
        ]

    def state_dict(self) -> dict[str, Any]:
        """Return everything but the optimizer and a plain scale function; objects are saved."""
        state = super().state_dict()
        custom = self._scale_fn_custom
        state["_scale_fn_custom"] = None if custom is None else inner_state(custom)
        return state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        state = dict(state_dict)
        saved = state.pop("_scale_fn_custom")
        if saved is not None and self._scale_fn_custom is not None:
            self._scale_fn_custom.__dict__.update(saved)
        super().load_state_dict(state)


def _cosine(start: float, end: float, done: float) -> float:
    return end + (start - end) / 2.0 * (math.cos(math.pi * done) + 1)


def _line(start: float, end: float, done: float) -> float:
    return (end - start) * done + start


class OneCycleLR(_WithMomentum):
    """lr rises from max_lr / div_factor to max_lr and falls far below where it began.

    Give ``total_steps``, or ``epochs`` and ``steps_per_epoch``. With ``three_phase`` it falls
    back to the start first. Momentum moves the other way. Raises ``ValueError`` for settings
    that make no cycle, and when stepped beyond the last.

    Arguments:
        optimizer: the optimizer whose groups' rates are set.
        max_lr: the highest rate; a number, or one for each group.
        total_steps: steps of the whole cycle.
        epochs, steps_per_epoch: what ``total_steps`` is the product of, where it is not given.
        pct_start: the part of the cycle in which the rate rises.
        anneal_strategy: ``"cos"`` or ``"linear"``: how it moves.
        cycle_momentum: let the momentum move, too.
        base_momentum: the lowest momentum, where the rate is highest; a number, or one for each
            group.
        max_momentum: the highest momentum, where the rate is lowest.
        div_factor: ``max_lr`` over the first rate.
        final_div_factor: the first rate over the last.
        three_phase: fall to the first rate, and then to the last.
        last_epoch: the step to go on from; -1 starts anew.

    Source: Smith and Topin, "Super-convergence: very fast training of neural networks using
    large learning rates", 2017.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | list[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85,
        max_momentum: float | list[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        check_optimizer(optimizer)
        self.total_steps = _total_steps(total_steps, epochs, steps_per_epoch)
        if not isinstance(pct_start, float) or not 0 <= pct_start <= 1:
            raise ValueError(f"Expected float between 0 and 1 pct_start, but got {pct_start}")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy is 'cos' or 'linear', not {anneal_strategy!r}")
        highest = per_group("max_lr", optimizer, max_lr)
        highest_momentums = per_group("max_momentum", optimizer, max_momentum)
        lowest_momentums = per_group("base_momentum", optimizer, base_momentum)
        self._anneal_func_type = anneal_strategy
        self._schedule_phases = _phases(pct_start * self.total_steps, self.total_steps, three_phase)
        self.cycle_momentum = cycle_momentum
        self._check_momentum(optimizer)
        if last_epoch == -1:
            for rate, group in zip(highest, optimizer.param_groups):
                group["initial_lr"] = rate / div_factor
                group["max_lr"] = rate
                group["min_lr"] = group["initial_lr"] / final_div_factor
        self._start_momentum(optimizer, lowest_momentums, highest_momentums, last_epoch)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Any]:
        self._warn_unless_computing()
        if self.last_epoch > self.total_steps:
            raise ValueError(
                f"Tried to step {self.last_epoch} times. The specified number of total steps is "
                f"{self.total_steps}"
            )
        phase, done = self._where()
        between = _cosine if self._anneal_func_type == "cos" else _line
        rates = []
        for group in self.optimizer.param_groups:
            rates.append(between(group[phase["start_lr"]], group[phase["end_lr"]], done))
            if self.cycle_momentum:
                start, end = group[phase["start_momentum"]], group[phase["end_momentum"]]
                self._set_momentum(group, between(start, end, done))
        return rates

    def _where(self) -> tuple[dict[str, Any], float]:
        """Return the phase that the step lies in, and which part of it is done."""
        start = 0.0
        for phase in self._schedule_phases[:-1]:
            if self.last_epoch <= phase["end_step"]:
                break
            start = phase["end_step"]
        else:
            phase = self._schedule_phases[-1]
        return phase, (self.last_epoch - start) / (phase["end_step"] - start)


def _total_steps(total_steps, epochs, steps_per_epoch) -> int:
    given = {"total_steps": total_steps}
    if total_steps is None:
        given = {"epochs": epochs, "steps_per_epoch": steps_per_epoch}
        if None in given.values():
            raise ValueError("You must define either total_steps OR (epochs AND steps_per_epoch)")
    for name, value in given.items():
        if not isinstance(value, int) or value <= 0:
            raise ValueError(f"Expected positive integer {name}, but got {value}")
    return math.prod(given.values())


def _phases(rise: float, total: int, three: bool) -> list[dict[str, Any]]:
    """Return each phase's last step, and the settings it goes from and to."""

    def phase(end_step, start_lr, end_lr, start_momentum, end_momentum) -> dict[str, Any]:
        return {
            "end_step": end_step,
            "start_lr": start_lr,
            "end_lr": end_lr,
            "start_momentum": f"{start_momentum}_momentum",
            "end_momentum": f"{end_momentum}_momentum",
        }

    up = phase(float(rise) - 1, "initial_lr", "max_lr", "max", "base")
    if not three:
        return [up, phase(total - 1, "max_lr", "min_lr", "base", "max")]
    down = phase(float(2 * rise) - 2, "max_lr", "initial_lr", "base", "max")
    return [up, down, phase(total - 1, "initial_lr", "min_lr", "max", "max")]
