"""Trainer: a model that learns from loaders or arrays, is evaluated on them, and predicts."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from aino import dit
from aino.autograd.tensor import Tensor, make
from aino.nn.base.module import Module
from aino.train.arguments import checked, count
from aino.train.batches import (
    batches_of,
    is_data,
    length_of,
    split,
    weight_of,
)
from aino.train.callbacks.callback import Callback
from aino.train.callbacks.checkpoint import Checkpoint
from aino.train.criterion import Criterion
from aino.train.evaluation import asking, evaluate
from aino.train.history import History
from aino.train.loop import Loop
from aino.train.lr_finder import LearningRates, find_rate
from aino.train.metrics import as_metrics
from aino.train.named import check_steps_alone, optimizer_of
from aino.train.paying import compiled_where_it_pays
from aino.train.progress import progress
from aino.train.ranks import Ranks
from aino.train.step import NotingStep, detached, make_step


class Trainer:
    """Trains a model: ``fit``, ``evaluate`` and ``predict`` on loaders or on arrays.

    The step (``zero_grad``, forward, loss, ``backward``, clipping, ``optimizer.step``) is compiled
    by itself where there are enough of them to pay for it.

    Arguments:
        model: the module that learns.
        optimizer: a name such as "adam", a class, or an optimizer; or a list of optimizers, where
            ``step`` makes all updates itself.
        loss: a name ("mse", "l1", "huber", "bce", "cross_entropy", ...), a function of outputs and
            targets, or a module such as ``nn.CrossEntropyLoss()``.
        metrics: what is measured beside the loss, while learning and in evaluations: names such as
            "accuracy", metrics of ``aino.train.metrics``, functions of outputs and targets.
        callbacks: what is told of the training, such as ``EarlyStopping(patience=5)``.
        lr: the learning rate of an optimizer given by name or class.
        step: your own way from a batch to its loss, ``step(model, batch)``, in the place of
            ``loss(model(inputs), targets)``. It returns the loss; or the loss and the outputs,
            which metrics need; or a dictionary of the ``loss`` and further numbers, whose means
            the history holds.
        clip_norm: the length that all gradients together may have.
        clip_value: the number that no element of a gradient may exceed.
        accumulate: from how many batches gradients are gathered for one update, which is that of
            all of them as one batch.
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
        metrics: Any = (),
        callbacks: Callback | Iterable[Callback] = (),
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
        if step is not None and not callable(step):
            raise TypeError(f"step is a function of model and batch, not {type(step).__name__}")
        for name, limit in (("clip_norm", clip_norm), ("clip_value", clip_value)):
            if limit is not None and not limit > 0:
                raise ValueError(f"{name} is a number above 0, not {limit!r}")
        #: Whether the step makes the updates itself, with optimizers of its own.
        self.updates_itself = isinstance(optimizer, list | tuple)
        if self.updates_itself:
            self.optimizer: Any = [optimizer_of(one, model, None) for one in optimizer]
        else:
            self.optimizer = optimizer_of(optimizer, model, lr)
            check_steps_alone(self.optimizer)
        if loss is None and step is None:
            raise ValueError('give a loss, such as loss="cross_entropy", or a step of your own')
        self.model = model
        self.loss = None if loss is None else Criterion(loss)
        self.step = step
        if self.updates_itself:
            for name, given in (("clip_norm", clip_norm), ("clip_value", clip_value), ("lr", lr),
                                ("accumulate", accumulate != 1 or None)):  # fmt: skip
                if given is not None:
                    raise ValueError(f"with several optimizers {name} is for your own step to do")
            if step is None:
                raise ValueError("with several optimizers give a step of your own, which updates")
        self.metrics = as_metrics(metrics, None if self.loss is None else self.loss.function)
        self.callbacks = checked([callbacks] if isinstance(callbacks, Callback) else callbacks)
        self.clip_norm = clip_norm
        self.clip_value = clip_value
        self.accumulate = count("accumulate", accumulate)
        self.compile = compile
        #: The numbers of all epochs so far.
        self.history = History()
        #: How often the parameters were updated so far.
        self.steps = 0
        #: Where the batches of the last ``fit`` came from, whose random generators are saved.
        self._source: Any = None

    def fit(
        self,
        data: Any,
        targets: Any = None,
        *,
        epochs: int = 10,
        validation: Any = None,
        batch_size: int | None = None,
        shuffle: bool | None = None,
        sample_weight: Any = None,
        resume: bool | str | PathLike | None = None,
        verbose: bool = True,
    ) -> History:
        """Learn from data for so many more epochs; return the history of all epochs.

        Arguments:
            data: a ``DataLoader``, or anything that gives batches ``(inputs, targets)`` or
                ``(inputs, targets, weights)`` each time it is iterated; or the samples X.
            targets: the targets y of samples X.
            epochs: how often to go through all batches; with ``resume`` how often in all.
            validation: what is evaluated after each epoch: a loader, ``(X, y)``, or the share of
                the samples X that is held out for it, drawn at random.
            batch_size: how many samples of X are in a batch; None is all of a few, else 32 to 256.
            shuffle: whether samples X come in a new order in each epoch, as they do for None.
            sample_weight: how much each of the samples X counts.
            resume: True goes on from what a ``Checkpoint`` among the callbacks has saved, and
                begins where there is nothing yet; a path goes on from that file.
            verbose: show the progress: a bar, a table in a notebook, or a line for each epoch.
        """
        epochs = count("epochs", epochs)
        if isinstance(validation, float):
            data, targets, sample_weight, validation = split(
                validation, data, targets, sample_weight
            )
        elif isinstance(validation, int) and not isinstance(validation, bool):
            raise TypeError("validation is a loader, a pair (X, y), or a share such as 0.2")
        if targets is not None and Ranks(self.model).count > 1:
            raise ValueError(
                "fit(X, y) on several ranks does not know which samples are whose: give it a "
                "DataLoader with a DistributedSampler, which gives each rank its part"
            )
        batches = self._batches(data, targets, sample_weight, batch_size, shuffle)
        held_out = None
        if isinstance(validation, list) and self.step is None and all(map(is_data, validation)):
            validation = tuple(validation)
        if isinstance(validation, tuple):
            if not 2 <= len(validation) <= 3:
                raise ValueError(f"validation is (X, y) or (X, y, weights), not {len(validation)}")
            X, y, weights = (*validation, None)[:3]
            held_out = self._batches(X, y, weights, batch_size, False)
        elif validation is not None:
            if is_data(validation) and self.step is None:
                raise ValueError("validation needs samples and targets: validation=(X, y)")
            held_out = self._batches(validation)
        loop = self._loop([*self.callbacks, *progress(verbose)])
        loop.measure = self._measure(held_out, epochs)
        loop.directions = self._directions(held_out is not None)
        last = loop.epoch + epochs
        path = self._checkpoint(resume)
        if path is not None:
            loop.load_state_dict(dit.load(path))
            last = epochs
            if verbose and loop.ranks.is_first:
                place = f"batch {loop.batch + 1} of epoch" if loop.batch else "epoch"
                over = loop.epoch >= last or loop.stopped is not None
                done = f"{loop.epoch} epochs are done, there is nothing left to learn"
                print(f"{path}: {done if over else f'going on with {place} {loop.epoch + 1}'}")
        number = length_of(batches)
        step = self._step(loop, None if number is None else number * epochs)
        self._source = batches
        try:
            return loop.run(step, batches, last, accumulate=self.accumulate)
        finally:
            self.steps = loop.steps

    def evaluate(
        self,
        data: Any,
        targets: Any = None,
        *,
        batch_size: int | None = None,
        sample_weight: Any = None,
    ) -> dict[str, Any]:
        """Return the loss and the metrics over data, in eval mode; nothing changes.

        Arguments:
            data, targets: a loader, or samples X and targets y, as ``fit`` takes them.
            batch_size: how many samples of X are asked at once.
            sample_weight: how much each of the samples X counts.
        """
        batches = self._batches(data, targets, sample_weight, batch_size, False)
        ask = self._ask(length_of(batches))
        return evaluate(self.model, ask, batches, copy.deepcopy(self.metrics), self._weight_of)

    def predict(self, data: Any, *, batch_size: int | None = None) -> Any:
        """Return the outputs of the model, in eval mode: for an array an array, else a tensor.

        Arguments:
            data: samples X, or a loader; of its batches the first part goes into the model.
            batch_size: how many samples of X are asked at once.
        """
        batches = self._batches(data, batch_size=batch_size, shuffle=False)
        ask = compiled_where_it_pays(self._outputs, length_of(batches), "prediction", self.compile)
        with asking(self.model):
            outputs = [ask(batch[0]) for batch in batches]
        if not outputs:
            raise ValueError("there are no batches to predict for")
        if not all(isinstance(output, Tensor) for output in outputs):
            raise TypeError(
                f"the model gives a {type(outputs[0]).__name__}, and predict() joins tensors"
            )
        found = np.concatenate([output.array for output in outputs])
        return make(found) if isinstance(data, Tensor) or not is_data(data) else found

    def find_lr(
        self,
        data: Any,
        targets: Any = None,
        *,
        lowest: float = 1e-6,
        highest: float = 10.0,
        steps: int = 100,
        batch_size: int | None = None,
    ) -> LearningRates:
        """Try learning rates, from low to high, a step each; say which one is good to begin with.

        Model, optimizer and random generators are afterwards what they were.

        Arguments:
            data, targets: a loader, or samples X and targets y, as ``fit`` takes them.
            lowest, highest: the rates between which it goes.
            steps: how many there are.
            batch_size: how many samples of X are in a batch.
        """
        if self.updates_itself:
            raise ValueError("with several optimizers there is no one learning rate to be found")
        batches = self._batches(data, targets, batch_size=batch_size)
        loop = self._loop([])
        return find_rate(loop, self._step(loop, None, False), batches, lowest, highest, steps)

    def save(self, path: Any) -> None:
        """Save the training as it stands now: ``fit(resume=path)`` goes on from there.

        ``aino.load(path)["model"]`` is the state dict of the model.
        """
        self._loop(self.callbacks).save(path)

    def load(self, path: Any) -> None:
        """Take over model, optimizer, callbacks and history of a checkpoint.

        Raises ``ValueError`` for a file that is none, or of another model; nothing changes then.
        """
        loop = self._loop(self.callbacks)
        loop.load_state_dict(dit.load(path))
        self.steps = loop.steps

    # What it is made of

    def _loop(self, callbacks: Iterable[Callback]) -> Loop:
        loop = Loop(
            self.model, self.optimizer, callbacks, history=self.history, count=self._weight_of,
            parts={metric.name: metric for metric in self.metrics},
        )  # fmt: skip
        loop.epoch, loop.steps, loop.source = self.history.epochs, self.steps, self._source
        return loop

    def _checkpoint(self, resume: Any) -> Path | None:
        """Return the file to go on from; None begins anew."""
        if resume is None or resume is False:
            return None
        if resume is not True:
            return Path(resume)
        own = [one for one in self.callbacks if isinstance(one, Checkpoint)]
        if not own:
            raise ValueError(
                "resume=True goes on from what a Checkpoint among the callbacks has saved, and "
                "there is none; give it, or the path of a file"
            )
        return own[0].path if own[0].path.exists() else None

    def _batches(
        self, data: Any, targets: Any = None, weights: Any = None, batch_size: Any = None,
        shuffle: bool | None = None,
    ) -> Any:  # fmt: skip
        """Return what gives the batches of an epoch as tuples."""
        if batch_size is not None:
            batch_size = count("batch_size", batch_size)
        dtype = next((p.dtype for p in self.model.parameters() if p.array.dtype.kind == "f"), None)
        return batches_of(data, targets, weights, batch_size, shuffle, dtype)

    def _step(self, loop: Loop, planned: int | None, compiling: bool | None = None) -> Callable:
        """Return what learns from a batch, and has metrics and further numbers take note."""
        compiling = self.compile if compiling is None else compiling
        between = loop.listener("on_gradients")
        if self.updates_itself:
            if between is not None:
                raise ValueError(
                    "a callback looks at gradients, and with several optimizers only your own step "
                    "knows when they are there"
                )

            def whole(*batch: Any) -> Any:
                return detached(self._loss_of(*batch))

            step = compiled_where_it_pays(whole, planned, "training_step", compiling)
        else:
            step = make_step(
                self._loss_of, self.optimizer, clip_norm=self.clip_norm,
                clip_value=self.clip_value, accumulate=self.accumulate, between=between,
                weight_of=self._weight_of, planned=planned, compiling=compiling,
            )  # fmt: skip
        if self.step is None and not self.metrics:
            return step
        return NotingStep(step, loop, self.metrics)

    @property
    def _weight_of(self) -> Callable[[Any], float]:
        """What says how much a batch counts: what is in a batch, only a step of one's own knows."""
        return weight_of if self.step is None else _samples_of

    def _outputs(self, inputs: Any) -> Any:
        """Return what the model makes of inputs, one or several of them."""
        if isinstance(inputs, (tuple, list)):
            return self.model(*inputs)
        return self.model(**inputs) if isinstance(inputs, dict) else self.model(inputs)

    def _loss_of(self, *batch: Any) -> Any:
        """Return the loss of a batch to learn from, with the outputs if metrics want them."""
        if self.step is not None:
            return self.step(self.model, batch[0] if len(batch) == 1 else batch)
        loss, outputs = self._asked(*batch)
        return (loss, outputs) if self.metrics else loss

    def _asked(self, *batch: Any) -> Any:
        """Return the loss of a batch that is evaluated, and the outputs."""
        if self.loss is None:
            assert self.step is not None
            return self.step(self.model, batch[0] if len(batch) == 1 else batch)
        if not 2 <= len(batch) <= 3:
            raise ValueError(
                f"a batch is (inputs, targets) or (inputs, targets, weights), and this one has "
                f"{len(batch)} {'part' if len(batch) == 1 else 'parts'}: samples X go with their "
                "targets, as in fit(X, y), and for other batches there is step(model, batch)"
            )
        inputs, *rest = batch
        outputs = self._outputs(inputs)
        return self.loss(outputs, *rest), outputs

    def _ask(self, planned: int | None) -> Callable:
        if self.loss is None and self.updates_itself:
            raise ValueError(
                "your own step makes updates, so it can't evaluate: give a loss, too, which does"
            )
        return compiled_where_it_pays(self._asked, planned, "evaluation", self.compile)

    def _measure(self, held_out: Any, epochs: int) -> Callable[[], dict[str, float]]:
        """Return what gives the numbers of an epoch beside the loss."""
        for metric in self.metrics:
            metric.reset()
        number = None if held_out is None else length_of(held_out)
        ask = None if held_out is None else self._ask(None if number is None else number * epochs)
        others = copy.deepcopy(self.metrics)

        def measure() -> dict[str, float]:
            values = {metric.name: metric.compute() for metric in self.metrics}
            for metric in self.metrics:
                metric.reset()
            if ask is not None:
                found = evaluate(self.model, ask, held_out, others, self._weight_of)
                values |= {f"val_{name}": value for name, value in found.items()}
            return {name: value for name, value in values.items() if np.ndim(value) == 0}

        return measure

    def _directions(self, validates: bool) -> dict[str, bool | None]:
        """Return the numbers of an epoch, and of each whether higher is better."""
        known = {"loss": False, **{one.name: one.higher_is_better for one in self.metrics}}
        return known | ({f"val_{name}": better for name, better in known.items()} if validates
                        else {})  # fmt: skip


def _samples_of(batch: Any) -> float:
    return weight_of(batch[:1])
