"""Averages of a model's weights over training: stochastic weight averaging and running means."""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Callable, Iterable
from typing import Any, Literal

from aino.autograd.mode import no_grad
from aino.autograd.tensor import Tensor
from aino.nn.base.module import Module
from aino.ops.creation.from_data import tensor
from aino.optim.lr_scheduler.base import LRScheduler, per_group
from aino.optim.optimizer import Optimizer

__all__ = [
    "AveragedModel", "update_bn", "SWALR", "get_ema_multi_avg_fn", "get_swa_multi_avg_fn",
    "get_ema_avg_fn", "get_swa_avg_fn",
]  # fmt: skip

Tensors = list[Tensor]


def __dir__() -> list[str]:
    return __all__


def get_ema_avg_fn(decay: float = 0.999) -> Callable[[Tensor, Tensor, Any], Tensor]:
    """Return the function that gives a running mean: decay · average + (1 - decay) · parameter.

    Raises ``ValueError`` unless 0 <= ``decay`` <= 1.
    """
    _check_decay(decay)

    @no_grad()
    def ema_update(ema_param: Tensor, current_param: Tensor, num_averaged: Any) -> Tensor:
        return decay * ema_param + (1 - decay) * current_param

    return ema_update


def get_swa_avg_fn() -> Callable[[Tensor, Tensor, Any], Tensor]:
    """Return the function that gives the mean of all parameters so far."""

    @no_grad()
    def swa_update(averaged_param: Tensor, current_param: Tensor, num_averaged: Any) -> Tensor:
        return averaged_param + (current_param - averaged_param) / (num_averaged + 1)

    return swa_update


def get_ema_multi_avg_fn(decay: float = 0.999) -> Callable[[Tensors, Tensors, Any], None]:
    """Return the function that moves a list of running means, in place.

    Raises ``ValueError`` unless 0 <= ``decay`` <= 1.
    """
    average = get_ema_avg_fn(decay)

    @no_grad()
    def ema_update(ema_param_list: Tensors, current_param_list: Tensors, _: Any) -> None:
        for averaged, current in zip(ema_param_list, current_param_list, strict=True):
            averaged.copy_(average(averaged, current, _))

    return ema_update


def get_swa_multi_avg_fn() -> Callable[[Tensors, Tensors, Any], None]:
    """Return the function that moves a list of means of all parameters so far, in place."""
    average = get_swa_avg_fn()

    @no_grad()
    def swa_update(
        averaged_param_list: Tensors, current_param_list: Tensors, num_averaged: Any
    ) -> None:
        for averaged, current in zip(averaged_param_list, current_param_list, strict=True):
            averaged.copy_(average(averaged, current, num_averaged))

    return swa_update


def _check_decay(decay: float) -> None:
    if not 0 <= decay <= 1:
        raise ValueError(f"Invalid decay value {decay}: it is a fraction, in [0, 1]")


class AveragedModel(Module):
    """A copy of a model whose parameters are averages of the model's over training.

    ``update_parameters(model)`` takes the model's parameters in: the first time they are copied,
    afterwards averaged. ``n_averaged`` counts them.

    Arguments:
        model: the model, which is copied.
        device: where the copy is: ``"cpu"``, which None means, too.
        avg_fn: returns the new average from the old one, the parameter, and how many have been
            averaged; the mean of all for None.
        multi_avg_fn: writes new averages into a list of old ones, in the place of ``avg_fn``.
        use_buffers: whether buffers are averaged, too; else they are those of the model.

    >>> import aino
    >>> from aino.optim.swa_utils import AveragedModel
    >>> model = aino.nn.Linear(1, 1, bias=False)
    >>> averaged = AveragedModel(model)
    >>> for value in (1.0, 2.0, 6.0):
    ...     _ = aino.nn.init.constant_(model.weight, value)
    ...     averaged.update_parameters(model)
    >>> averaged.module.weight.item()
    3.0

    Source: Izmailov et al., "Averaging weights leads to wider optima and better generalization",
    2018.
    """

    n_averaged: Tensor

    def __init__(
        self,
        model: Module,
        device: Any = None,
        avg_fn: Callable[[Tensor, Tensor, Any], Tensor] | None = None,
        multi_avg_fn: Callable[[Tensors, Tensors, Any], None] | None = None,
        use_buffers: bool = False,
    ) -> None:
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise AssertionError("Only one of avg_fn and multi_avg_fn should be provided")
        self.module = copy.deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        self.register_buffer("n_averaged", tensor(0))
        self.avg_fn = avg_fn
        self.multi_avg_fn = multi_avg_fn
        self.use_buffers = use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Return what the averaged model gives."""
        return self.module(*args, **kwargs)

    def update_parameters(self, model: Module) -> None:
        """Take the parameters of ``model`` into the averages.

        Raises ``ValueError``, and changes nothing, for a model of other parameters.
        """
        own, others = self._averaged(self.module), self._averaged(model)
        if [p.shape for p in own] != [p.shape for p in others]:
            raise ValueError(
                f"the averages are of {len(own)} tensors of the copied model, this one has "
                f"{len(others)}, or of other shapes"
            )
        if self.n_averaged.item() == 0:
            for averaged, current in zip(own, others):
                averaged.copy_(current)
        elif self.avg_fn is not None:
            for averaged, current in zip(own, others):
                averaged.copy_(self.avg_fn(averaged, current, self.n_averaged))
        else:
            (self.multi_avg_fn or get_swa_multi_avg_fn())(own, others, self.n_averaged)
        if not self.use_buffers:
            for buffer, current in zip(self.module.buffers(), model.buffers(), strict=True):
                buffer.detach().copy_(current.detach())
        self.n_averaged += 1

    def _averaged(self, model: Module) -> Tensors:
        buffers = model.buffers() if self.use_buffers else ()
        return [found.detach() for found in itertools.chain(model.parameters(), buffers)]


@no_grad()
def update_bn(loader: Iterable[Any], model: Module, device: Any = None) -> None:
    """Compute the running statistics of a model's batch normalisations anew, in one pass over data.

    Averaged weights want it: the statistics of the copied model are not theirs.

    Arguments:
        loader: batches, each a tensor, or a list or tuple that begins with one.
        model: the model whose statistics are computed.
        device: where batches are: ``"cpu"``, which None means, too.
    """
    found = [module for module in model.modules() if _is_batch_norm(module)]
    if not found:
        return
    momenta = [module.momentum for module in found]
    was_training = model.training
    try:
        model.train()
        for module in found:
            module.reset_running_stats()
            module.momentum = None
        for batch in loader:
            batch = batch[0] if isinstance(batch, list | tuple) else batch
            model(batch if device is None else batch.to(device))
    finally:
        for module, momentum in zip(found, momenta):
            module.momentum = momentum
        model.train(was_training)


def _is_batch_norm(module: Any) -> bool:
    return any(base.__name__ == "_BatchNorm" for base in type(module).__mro__)


class SWALR(LRScheduler):
    """Moves the learning rate to a fixed one, at which weights are averaged.

    The rate goes there within ``anneal_epochs`` steps: α · swa_lr + (1 - α) · lr.

    Arguments:
        optimizer: the optimizer whose groups' rates are set.
        swa_lr: where the rates go; a number, or one for each group.
        anneal_epochs: how many steps it takes.
        anneal_strategy: how α grows from 0 to 1, ``"cos"`` or ``"linear"``.
        last_epoch: the step to go on from; -1 starts anew.

    >>> import aino
    >>> from aino.optim.swa_utils import SWALR
    >>> optimizer = aino.optim.SGD([aino.zeros(1, requires_grad=True)], lr=0.3)
    >>> scheduler = SWALR(optimizer, 0.1, anneal_epochs=2, anneal_strategy="linear")
    >>> for _ in range(3):
    ...     optimizer.step()
    ...     scheduler.step()
    ...     print(round(scheduler.get_last_lr()[0], 3))
    0.2
    0.1
    0.1
    """

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: float,
        anneal_epochs: int = 10,
        anneal_strategy: Literal["cos", "linear"] = "cos",
        last_epoch: int = -1,
    ) -> None:
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(
                f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}"
            )
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(f"anneal_epochs must be equal or greater than 0, got {anneal_epochs}")
        rates = per_group("swa_lr", optimizer, swa_lr)
        for group, rate in zip(optimizer.param_groups, rates):
            group["swa_lr"] = rate
        self._anneal_strategy = anneal_strategy
        self.anneal_epochs = anneal_epochs
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Any]:
        """Return the learning rates of this step, from the rates before it."""
        self._warn_unless_computing()
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        before, now = self._way(step - 1), self._way(step)
        return [
            group["swa_lr"] * now + _initial(group, before) * (1 - now)
            for group in self.optimizer.param_groups
        ]

    def _way(self, step: int) -> float:
        """Return how much of the way has been gone after a step, from 0 to 1."""
        t = max(0, min(1, step / max(1, self.anneal_epochs)))
        return (1 - math.cos(math.pi * t)) / 2 if self._anneal_strategy == "cos" else t


def _initial(group: dict[str, Any], gone: float) -> float:
    """Return the rate from which a group started, where so much of the way has been gone."""
    if gone == 1:
        return group["swa_lr"]
    return (group["lr"] - gone * group["swa_lr"]) / (1 - gone)
