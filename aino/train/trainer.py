"""Trainer: a model that learns from loaders or arrays, is evaluated on them, and predicts."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from aino.autograd.tensor import Tensor, make
from aino.nn.base.module import Module
from aino.train.batches import (
    ArrayBatches,
    LoaderBatches,
    as_array,
    as_arrays,
    batch_size_for,
    length_of,
    weight_of,
)
from aino.train.callbacks.callback import Callback
from aino.train.criterion import Criterion
from aino.train.evaluation import asking, evaluate, update
from aino.train.history import History
from aino.train.loop import Loop
from aino.train.named import optimizer_of
from aino.train.paying import compiled_where_it_pays
from aino.train.progress import progress
from aino.train.step import make_step


class Trainer:
    """Trains a model: ``fit``, ``evaluate`` and ``predict`` on loaders or on arrays.

    The step (``zero_grad``, forward, loss, ``backward``, clipping, ``optimizer.step``) is compiled
    by itself where there are enough of them to pay for it.

    Arguments:
        model: the module that learns.
        optimizer: a name such as "adam", a class, or an optimizer.
        loss: a name ("mse", "l1", "huber", "bce", "cross_entropy", ...), a function of outputs and
            targets, or a module such as ``nn.CrossEntropyLoss()``.
        metrics: what is measured beside the loss, while learning and in evaluations.
        callbacks: what is told of the training, such as ``EarlyStopping(patience=5)``.
        lr: the learning rate of an optimizer given by name or class.
        step: your own way from a batch to its loss, ``step(model, batch)``, in the place of
            ``loss(model(inputs), targets)``; it returns the loss, or the loss and the outputs,
            which metrics need.
        clip_norm: the length that all gradients together may have.
        clip_value: the number that no element of a gradient may exceed.
        accumulate: from how many batches gradients are gathered for one update.
        compile: True compiles from the second step on, False never, None where it pays.

    Raises ``ValueError`` and ``TypeError`` for what is wrong, before anything is done.

    >>> import aino
    >>> from aino import nn
    >>> X = aino.linspace(-1, 1, 64).reshape(64, 1)
    >>> trainer = aino.train.Trainer(nn.Linear(1, 1), "adam", "mse", lr=0.1)
    >>> history = trainer.fit(X, 3 * X + 1, epochs=40, verbose=False)
    >>> history["loss"][-1] < 0.01
    True
    """

    def __init__(
        self,
        model: Module,
        optimizer: Any = "adam",
        loss: Any = None,
        metrics: Iterable[Any] = (),
        callbacks: Iterable[Callback] = (),
        *,
        lr: float | None = None,
        step: Callable[[Any, Any], Any] | None = None,
        clip_norm: float | None = None,
        clip_value: float | None = None,
        accumulate: int = 1,
        compile: bool | None = None,
    ) -> None:
        if not isinstance(model, Module):
            raise TypeError(f"model is an nn.Module, not {type(model).__name__}")
        if (loss is None) == (step is None):
            raise ValueError(
                "give either a loss, or a step of your own that returns it"
                if step is not None else
                'give a loss, such as loss="cross_entropy", or a step of your own'
            )  # fmt: skip
        self.model = model
        self.loss = None if loss is None else Criterion(loss)
        self.step = step
        self.optimizer = optimizer_of(optimizer, model, lr)
        self.metrics = list(metrics)
        self.callbacks = list(callbacks)
        self.clip_norm = clip_norm
        self.clip_value = clip_value
        self.accumulate = accumulate
        self.compile = compile
        #: The numbers of all epochs so far.
        self.history = History()

    def fit(
        self,
        data: Any,
        targets: Any = None,
        *,
        epochs: int = 10,
        validation: Any = None,
        batch_size: int | None = None,
        shuffle: bool = True,
        sample_weight: Any = None,
        verbose: bool = True,
    ) -> History:
        """Learn from data for so many more epochs; return the history of all epochs.

        Arguments:
            data: a ``DataLoader``, or anything that gives batches ``(inputs, targets)`` or
                ``(inputs, targets, weights)`` each time it is iterated; or the samples X.
            targets: the targets y of samples X.
            epochs: how often to go through all batches.
            validation: what is evaluated after each epoch: a loader, ``(X, y)``, or the share of
                the samples X that is held out for it.
            batch_size: how many samples of X are in a batch.
            shuffle: take the samples X in a new order in each epoch.
            sample_weight: how much each of the samples X counts.
            verbose: show the progress: a bar, a table in a notebook, or a line for each epoch.
        """
        held_out = None
        batches = self._batches(data, targets, sample_weight, batch_size, shuffle)
        if validation is not None:
            data, targets, weights = (
                *(validation if isinstance(validation, tuple) else [validation]),
                None,
                None,
            )[:3]
            held_out = self._batches(data, targets, weights, batch_size, False)
        metrics, others = self.metrics, copy.deepcopy(self.metrics)
        for metric in metrics:
            metric.reset()
        number, count = length_of(batches), self._count()
        planned = None if number is None else number * epochs
        ask = self._ask(None if held_out is None else length_of(held_out), epochs)

        def measure() -> dict[str, float]:
            values = {metric.name: metric.compute() for metric in metrics}
            for metric in metrics:
                metric.reset()
            if held_out is not None:
                found = evaluate(self.model, ask, held_out, others, count)
                values |= {f"val_{name}": value for name, value in found.items()}
            return values

        loop = Loop(
            self.model, self.optimizer, [*self.callbacks, *progress(verbose)], measure=measure,
            history=self.history, count=count,
        )  # fmt: skip
        loop.epoch = self.history.epochs
        step = make_step(
            functools.partial(self._loss_of, with_outputs=bool(metrics)),
            self.optimizer, clip_norm=self.clip_norm, clip_value=self.clip_value,
            accumulate=self.accumulate, between=loop.listener("on_gradients"),
            weight_of=count, planned=planned, compiling=self.compile,
        )  # fmt: skip

        def measured(*batch: Any) -> Any:
            loss, outputs = step(*batch)
            update(metrics, outputs, batch)
            return loss

        return loop.run(
            measured if metrics else step, batches, loop.epoch + epochs, accumulate=self.accumulate
        )

    def evaluate(
        self, data: Any, targets: Any = None, *, batch_size: int | None = None,
        sample_weight: Any = None,
    ) -> dict[str, float]:  # fmt: skip
        """Return the loss and the metrics over data, in eval mode; nothing changes.

        Arguments:
            data, targets: a loader, or samples X and targets y, as ``fit`` takes them.
            batch_size: how many samples of X are asked at once.
            sample_weight: how much each of the samples X counts.
        """
        batches = self._batches(data, targets, sample_weight, batch_size, False)
        metrics = copy.deepcopy(self.metrics)
        return evaluate(
            self.model, self._ask(length_of(batches), 1), batches, metrics, self._count()
        )

    def predict(self, data: Any, *, batch_size: int | None = None) -> Any:
        """Return the outputs of the model, in eval mode: for an array an array, else a tensor.

        Arguments:
            data: samples X, or a loader; of its batches the first part goes into the model.
            batch_size: how many samples of X are asked at once.
        """
        batches: Any
        if _is_data(data):
            X = as_array(data, self._dtype)
            batches = ArrayBatches([X], batch_size or max(1, min(len(X), 1024)))
        else:
            batches = LoaderBatches(data, self._dtype)
        with asking(self.model):
            outputs = [self._outputs(batch[0]).array for batch in batches]
        if not outputs:
            raise ValueError("there are no batches to predict for")
        found = outputs[0] if len(outputs) == 1 else np.concatenate(outputs)
        return make(found) if isinstance(data, Tensor) or not _is_data(data) else found

    # What it is made of

    @property
    def _dtype(self) -> Any:
        """The dtype of the model's numbers."""
        return next((p.dtype for p in self.model.parameters() if p.array.dtype.kind == "f"), None)

    def _batches(self, data, targets, weights, batch_size, shuffle) -> Any:
        """Return what gives the batches of an epoch as tuples."""
        if not _is_data(data):
            for name, value in (("targets", targets), ("sample_weight", weights),
                                ("batch_size", batch_size)):  # fmt: skip
                if value is not None:
                    raise ValueError(f"{name} goes with samples X; a loader has it in its batches")
            return LoaderBatches(data, self._dtype)
        if targets is None and self.step is None:
            raise ValueError("samples X need their targets: fit(X, y)")
        arrays = as_arrays(data, targets, weights, self._dtype)
        return ArrayBatches(arrays, batch_size or batch_size_for(len(arrays[0])), shuffle)

    def _count(self) -> Callable[[Any], float]:
        """Return what says how much a batch counts: only a loss of ours knows where weights are."""
        return weight_of if self.step is None else lambda batch: weight_of(batch[:1])

    def _outputs(self, inputs: Any) -> Any:
        """Return what the model makes of inputs, one or several of them."""
        if isinstance(inputs, (tuple, list)):
            return self.model(*inputs)
        return self.model(**inputs) if isinstance(inputs, dict) else self.model(inputs)

    def _loss_of(self, *batch: Any, with_outputs: bool) -> Any:
        """Return the loss of a batch, with the outputs if they are wanted."""
        if self.step is not None:
            return self.step(self.model, batch[0] if len(batch) == 1 else batch)
        inputs, *rest = batch
        outputs = self._outputs(inputs)
        assert self.loss is not None
        loss = self.loss(outputs, *rest)
        return (loss, outputs) if with_outputs else loss

    def _ask(self, batches: int | None, times: int) -> Callable:
        """Return the function that gives loss and outputs of a batch."""
        planned = None if batches is None else batches * times
        asked = functools.partial(self._loss_of, with_outputs=True)
        return compiled_where_it_pays(asked, planned, "the evaluation", self.compile)


def _is_data(data: Any) -> bool:
    """Tell whether something is samples, and not what gives batches."""
    if isinstance(data, (Tensor, np.ndarray)) or hasattr(data, "__array__"):
        return True
    return isinstance(data, (list, tuple)) and all(_is_numbers(item) for item in data)


def _is_numbers(item: Any) -> bool:
    return isinstance(item, (int, float)) or (
        isinstance(item, (list, tuple)) and all(map(_is_numbers, item))
    )
