"""Losses and optimizers by their names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aino import optim
from aino.nn import functional as F
from aino.nn.base.module import Module
from aino.nn.modules.activation_names import suggestion

#: Losses that compare outputs and targets element by element: both have one shape.
ELEMENTWISE: dict[str, Callable] = {
    "mse": F.mse_loss, "l1": F.l1_loss, "mae": F.l1_loss, "huber": F.huber_loss,
    "smooth_l1": F.smooth_l1_loss, "bce": F.binary_cross_entropy_with_logits,
    "binary_cross_entropy": F.binary_cross_entropy_with_logits,
}  # fmt: skip
LOSSES: dict[str, Callable] = {
    **ELEMENTWISE, "cross_entropy": F.cross_entropy, "nll": F.nll_loss,
}  # fmt: skip

OPTIMIZERS: dict[str, type[optim.Optimizer]] = {
    name.lower(): getattr(optim, name)
    for name in (
        "SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adadelta", "Adamax", "NAdam", "RAdam",
        "ASGD", "Rprop",
    )
}  # fmt: skip


def loss_named(loss: Any) -> Callable:
    """Return a loss: that of a name, or the function or module itself."""
    if isinstance(loss, str):
        if loss not in LOSSES:
            raise ValueError(f"unknown loss {loss!r}" + suggestion(loss, LOSSES))
        return LOSSES[loss]
    if isinstance(loss, type):
        raise TypeError(f"loss is the class {loss.__name__}; give an object: {loss.__name__}()")
    if not callable(loss):
        raise TypeError(f"a loss is a name, a function or a module, not {type(loss).__name__}")
    return loss


def optimizer_of(optimizer: Any, model: Any, lr: float | None) -> Any:
    """Return an optimizer of a model's parameters: of a name, a class, or the optimizer itself.

    Raises ``ValueError`` for an optimizer that has other parameters than the model.
    """
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    if not parameters:
        raise ValueError(
            f"all parameters of the {type(model).__name__} are frozen, or it has none: there is "
            "nothing to learn"
        )
    if isinstance(optimizer, Module) or (isinstance(optimizer, str) and optimizer in LOSSES):
        shown = repr(optimizer) if isinstance(optimizer, str) else type(optimizer).__name__
        raise TypeError(
            f"{shown} is no optimizer; a loss comes after it: Trainer(model, 'adam', loss)"
        )
    if isinstance(optimizer, str):
        if optimizer.lower() not in OPTIMIZERS:
            raise ValueError(f"unknown optimizer {optimizer!r}" + suggestion(optimizer, OPTIMIZERS))
        optimizer = OPTIMIZERS[optimizer.lower()]
    if isinstance(optimizer, optim.Optimizer):
        if lr is not None:
            raise ValueError("the optimizer has a learning rate already; leave lr out")
        held = {id(p) for group in optimizer.param_groups for p in group["params"]}
        if not held & set(map(id, parameters)):
            raise ValueError(
                f"the optimizer has none of the parameters of the {type(model).__name__}: make it "
                "with model.parameters()"
            )
        return optimizer
    if not callable(optimizer):
        raise TypeError(
            f"an optimizer is a name, a class or an optimizer, not {type(optimizer).__name__}"
        )
    return optimizer(parameters) if lr is None else optimizer(parameters, lr=lr)


def check_steps_alone(optimizer: optim.Optimizer) -> None:
    """Raise for the optimizer that computes the loss several times in a step."""
    if isinstance(optimizer, optim.LBFGS):
        raise ValueError(
            "LBFGS computes the loss several times in a step: give optimizer=[LBFGS(...)] and a "
            "step of your own, which calls it with a closure"
        )
