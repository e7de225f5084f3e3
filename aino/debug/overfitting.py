"""``overfit_one_batch``: whether a model learns a single batch by heart, as any that works does."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from aino.autograd.tensor import Tensor
from aino.debug.running import (
    as_tensors,
    called,
    copy_of,
    first_batch,
    own_dtype,
    pair_of,
    trying_out,
)
from aino.debug.tables import Report, Table, listed
from aino.nn.base.module import Module
from aino.optim.adam import Adam
from aino.optim.lbfgs import LBFGS
from aino.pytree import parts_of
from aino.train.criterion import Criterion

#: The learning rates that are tried one after the other, until one of them learns.
_RATES = (1e-2, 1e-3, 1e-1)
#: What part of the first loss may be left when a batch has been learned.
_LEARNED = 0.1


class Overfit(Report):
    """What ``overfit_one_batch`` saw: a table in print, true where the batch was learned.

    ``learned``: whether less than a tenth of the first loss was left. ``first``, ``last``: the
    loss before, and the smallest after. ``losses``: the loss at each step of the best try.
    ``lr``: its learning rate, ``optimizer``: the name of what updated. ``tries``: the rates that
    were tried, with what was left of the loss.
    ``without_gradient``: the parameters that got none. ``advice``: sentences.
    """

    def __init__(
        self, losses: list[float], lr: float, tries: list[tuple[float, float]],
        without_gradient: list[str], advice: list[str], optimizer: str,
    ) -> None:  # fmt: skip
        self.losses = losses
        self.lr = lr
        self.tries = tries
        self.without_gradient = without_gradient
        self.first = losses[0]
        self.last = min([loss for loss in losses if math.isfinite(loss)], default=math.nan)
        self.learned = _left(losses) <= _LEARNED
        self.advice = advice
        self.optimizer = optimizer

    def __bool__(self) -> bool:
        return self.learned

    def parts(self) -> list[str | Table]:
        if self.learned:
            said = f"it learns: the loss went from {self.first:.4g} to {self.last:.4g}"
        elif self.last < 0.5 * self.first:
            said = f"it learns slowly: the loss went from {self.first:.4g} to {self.last:.4g}"
        else:
            said = f"it does NOT learn: the loss went from {self.first:.4g} to {self.last:.4g}"
        count = len(self.losses)
        steps = sorted({round(place) for place in np.linspace(0, count - 1, min(count, 6))})
        rows = [[step, self.losses[step]] for step in steps]
        said += f" in {count - 1} steps"
        if self.optimizer:
            said += f" of {self.optimizer} with lr={self.lr:g}"
        return [said, Table(["step", "loss"], rows), *self.advice]


def overfit_one_batch(
    model: Module,
    loss: Any,
    data: Any,
    *,
    steps: int = 200,
    lr: float | None = None,
    optimizer: Callable[..., Any] | None = None,
) -> Overfit:
    """Train a copy of a model on one batch, again and again: it should learn it by heart.

    A model that can't has a mistake in it, in its loss or in the data, which no longer training
    will mend. The model, its buffers, its mode and the random state stay as they are. Returns an
    ``Overfit``. Raises ``TypeError`` for a model that is none or can't be copied, and for data
    that is no pair.

    Arguments:
        model: the module.
        loss: a name ("mse", "cross_entropy", ...) or a function of outputs and targets.
        data: a pair of inputs and targets, or a loader, whose first batch is taken.
        steps: how many steps are made, at most.
        lr: the learning rate; None tries 0.01, 0.001 and 0.1 until one of them learns.
        optimizer: what makes the optimizer, ``optimizer(parameters, lr=lr)``; Adam for None.

    >>> import aino
    >>> model = aino.nn.Sequential(aino.nn.Linear(2, 8), aino.nn.Tanh(), aino.nn.Linear(8, 1))
    >>> x, y = aino.tensor([[0.0, 0], [0, 1], [1, 0], [1, 1]]), aino.tensor([[0.0], [1], [1], [0]])
    >>> aino.debug.overfit_one_batch(model, "mse", (x, y)).learned
    True
    """
    if not isinstance(steps, int) or isinstance(steps, bool) or steps < 1:
        raise ValueError(f"overfit_one_batch: steps is a whole number above 0, not {steps!r}")
    with trying_out():
        criterion = Criterion(loss)
        floating = own_dtype(copy_of(model, "overfit_one_batch"))
        inputs, targets = as_tensors(pair_of(first_batch(data), "overfit_one_batch"), floating)
        if any([x.array.shape[:1] == (0,) for x in _tensors((inputs, targets))]):
            raise ValueError("overfit_one_batch: the batch is empty; there is nothing to learn")
        best: Any = None
        tries = []
        for rate in _RATES if lr is None else (lr,):
            trial = _Trial(copy_of(model, "overfit_one_batch").train(), criterion, inputs, targets)
            trial.run(steps, rate, optimizer or Adam)
            tries.append((rate, _left(trial.losses)))
            if best is None or tries[-1][1] < _left(best.losses):
                best, best_rate = trial, rate
            if tries[-1][1] <= _LEARNED or not trial.parameters:
                break
        advice = [] if _left(best.losses) <= _LEARNED else list(best.advice())
        return Overfit(best.losses, best_rate, tries, best.without_gradient, advice, best.optimizer)


def _tensors(item: Any) -> list[Tensor]:
    if isinstance(item, (tuple, list, dict)):
        return [found for part in parts_of(item) for found in _tensors(part)]
    return [item] if isinstance(item, Tensor) else []


def _left(losses: list[float]) -> float:
    """Return what part of the first loss was left at best."""
    finite = [loss for loss in losses if math.isfinite(loss)]
    if not finite:
        return math.inf
    first = losses[0] if math.isfinite(losses[0]) else max(finite)
    if first <= 0.0:
        return 0.0 if min(finite) < first - abs(first) or min(finite) < first - 1.0 else 1.0
    return 0.0 if first < 1e-7 else min(finite) / first


class _Trial:
    """One training of a copy, and what was seen in it."""

    def __init__(self, model: Any, criterion: Criterion, inputs: Any, targets: Any) -> None:
        self.model = model
        self.criterion = criterion
        self.inputs = inputs
        self.targets = targets
        named = list(model.named_parameters())
        self.parameters = [parameter for _, parameter in named if parameter.requires_grad]
        self.frozen = [name for name, parameter in named if not parameter.requires_grad]
        self.losses: list[float] = []
        self.without_gradient: list[str] = []
        self.still: list[str] = []
        self.outputs: Any = None
        self.leads_back = True
        #: The name of what updates.
        self.optimizer = ""

    def run(self, steps: int, lr: float, make: Callable[..., Any]) -> None:
        optimizer = make(self.parameters, lr=lr) if self.parameters else None
        if optimizer is not None:
            self.optimizer = type(optimizer).__name__
        for step in range(steps + 1):
            self.outputs = called(self.model, self.inputs)
            loss = self.criterion(self.outputs, self.targets)
            self.losses.append(float(loss.item()))
            self.leads_back = loss.requires_grad
            if optimizer is None or not self.leads_back or not math.isfinite(self.losses[-1]):
                return
            if step == steps or _left(self.losses) < _LEARNED / 10.0:
                return
            optimizer.zero_grad()
            loss.backward()
            if step == 0:
                self._look_at_gradients()
            if isinstance(optimizer, LBFGS):
                optimizer.step(functools.partial(self._again, optimizer))
            else:
                optimizer.step()

    def _again(self, optimizer: Any) -> Any:
        """Return the loss anew, with its gradients, for an optimizer that looks for its step."""
        optimizer.zero_grad()
        loss = self.criterion(called(self.model, self.inputs), self.targets)
        loss.backward()
        return loss

    def _look_at_gradients(self) -> None:
        for name, parameter in self.model.named_parameters():
            if not parameter.requires_grad:
                continue
            if parameter.grad is None:
                self.without_gradient.append(name)
            elif not parameter.grad.array.any():
                self.still.append(name)

    def advice(self) -> Iterator[str]:
        if not self.parameters and not self.frozen:
            yield "the model has no parameters: there is nothing that could learn"
            return
        if not self.parameters:
            yield "no parameter requires a gradient: everything is frozen (requires_grad_(False))"
            return
        if not self.leads_back:
            yield (
                "the loss does not lead back to the parameters: is there a detach(), no_grad(), "
                ".item() or .numpy() between the model and the loss?"
            )
            return
        if not math.isfinite(self.losses[0]):
            yield (
                f"the loss is {self.losses[0]} before anything was learned: look at the data; with "
                "aino.debug.find_nan(model): ... names the operation"
            )
            return
        if not all(map(math.isfinite, self.losses)):
            yield (
                "the loss became NaN or inf: with aino.debug.find_nan(model): ... names the "
                "operation; a lower lr, scaled inputs or clip_grad_norm_ may be the cure"
            )
        if self.without_gradient:
            yield (
                f"no gradient comes to {listed(self.without_gradient)}: they take no part in the "
                "result, or something cuts the way to them"
            )
        if self.still:
            yield (
                f"the gradient of {listed(self.still)} is zero everywhere: dead units, weights "
                "that are all zero, or an output that is clamped; aino.debug.check_gradients(model,"
                " data, loss) shows where"
            )
        if self.frozen:
            yield f"frozen: {listed(self.frozen)} (requires_grad is False)"
        yield from self._of_outputs()

    def _of_outputs(self) -> Iterator[str]:
        outputs, targets = self.outputs, self.targets
        if not isinstance(outputs, Tensor) or not isinstance(targets, Tensor):
            return
        y, t = outputs.array, targets.array
        if self.criterion.name in ("CrossEntropyLoss", "cross_entropy") and y.ndim > 1:
            if (y >= 0).all() and np.allclose(y.sum(1), 1.0, atol=1e-4):
                yield (
                    "cross_entropy takes logits, and the outputs sum to 1: leave the softmax away"
                )
        if t.dtype.kind in "fiu" and y.dtype.kind == "f" and self.criterion.elementwise:
            low, high = float(y.min(initial=np.inf)), float(y.max(initial=-np.inf))
            if low >= 0.0 and t.size and float(t.min()) < 0.0:
                yield "the targets go below 0, and the outputs can't: a ReLU or sigmoid at the end?"
            elif high <= 1.0 and low >= -1.0 and t.size and float(np.abs(t).max()) > 1.0:
                yield (
                    "the targets go beyond 1, and the outputs don't: a sigmoid or tanh at the end, "
                    "or targets to be scaled"
                )
        rows = y.reshape(len(y), -1) if y.ndim else y
        if y.ndim and len(y) > 1 and np.ptp(rows, 0).max(initial=0.0) < 1e-6:
            yield "the outputs are the same for every sample: the inputs do not reach them"
        if _contradicts(self.inputs, t):
            yield "equal inputs have different targets: no model can learn both"
        for name, part in self.model.named_modules():
            if type(part).__name__.startswith("Dropout") and part.p >= 0.5 and part.training:
                yield f"{name} drops {part.p:.0%}: a batch is learned by heart more easily without"
        yield "more steps (steps=1000), another lr, a larger model"


def _contradicts(inputs: Any, targets: np.ndarray) -> bool:
    if not isinstance(inputs, Tensor) or inputs.array.ndim < 1 or not targets.ndim:
        return False
    rows = inputs.array.reshape(len(inputs.array), -1)
    if len(rows) != len(targets) or len(rows) > 4096:
        return False
    together: dict[bytes, bytes] = {}
    for row, target in zip(rows, targets):
        if together.setdefault(row.tobytes(), target.tobytes()) != target.tobytes():
            return True
    return False
