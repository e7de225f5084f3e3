"""The loop in which a model learns: epochs of batches, and callbacks that are told of each.

``Trainer`` and ``NeuralNetwork.fit`` run on it alike. What is special about either stands outside
of it: the batches, the step that learns from one, and what is measured after an epoch::

    loop = Loop(network, optimizer, callbacks, measure=validate)
    step = make_step(loss_of_batch, optimizer, clip_norm=1.0, planned=epochs * len(batches),
                     between=loop.listener("on_gradients"))
    loop.run(step, batches, epochs)
    loop.history["loss"]                  # one number an epoch

Here ``batches`` is iterated once an epoch and gives tuples (``ArrayBatches`` cuts them from arrays
in memory), and ``step(*batch)`` returns the loss, the mean over the samples of the batch. A step
may take a few microseconds: a callback that does not listen costs it nothing.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from aino import dit
from aino.train import saved_state
from aino.train.batches import ArrayBatches, length_of
from aino.train.callbacks.callback import Callback, listening
from aino.train.history import History
from aino.train.interrupts import Interrupts
from aino.train.ranks import Ranks
from aino.user_warnings import warn


class Loop:
    """Where a training stands, and the way on from there.

    Callbacks read from it, and call ``stop()`` to end the training after this epoch.

    Arguments:
        model: the module that learns.
        optimizer: what updates it.
        callbacks: what is told of the training.
        measure: returns further numbers by name once an epoch is over, those of a validation.
        history: the epochs so far, where this training goes on from another.
        count: how much the loss of a batch weighs in the mean of the epoch; as much as its first
            tensor is long for None.
        parts: what else a checkpoint keeps the state of, by name.
        directions: the names of all numbers that ``measure`` returns, and of each whether higher is
            better (None: neither): callbacks that watch one refuse others then, before anything is
            learned.
    """

    def __init__(
        self,
        model: Any,
        optimizer: Any = None,
        callbacks: Iterable[Callback] = (),
        *,
        measure: Callable[[], dict[str, float]] | None = None,
        history: History | None = None,
        count: Callable[[Any], float] | None = None,
        parts: Mapping[str, Any] | None = None,
        directions: Mapping[str, bool | None] | None = None,
    ) -> None:
        self.model = model
        self.optimizer = optimizer
        #: The ranks that learn together: their numbers and the end of the training are the same.
        self.ranks = Ranks(model)
        #: Those that save what the others are come last.
        self.callbacks = [
            callback for callback in sorted(callbacks, key=lambda callback: callback.last)
            if self.ranks.is_first or not callback.on_first_rank_alone
        ]  # fmt: skip
        self.measure = measure
        self.history = History() if history is None else history
        self.count = count
        self.parts = {} if parts is None else dict(parts)
        self.directions = {} if directions is None else dict(directions)
        #: How many epochs are done, and how many there are to be.
        self.epoch, self.epochs = 0, 0
        #: How many batches of this epoch are done, how many it has (None: nobody knows), and how
        #: often the parameters were updated in all.
        self.batch, self.steps = 0, 0
        self.batches: int | None = None
        #: The losses of this epoch, each times its weight, and the weights; the last loss.
        self.total, self.weight, self.loss = 0.0, 0.0, math.nan
        #: What callbacks have recorded in this epoch: sums and how many numbers are in them.
        self.recorded: dict[str, list[float]] = {}
        #: Why the training ends before its last epoch; None while it goes on.
        self.stopped: str | None = None
        #: What ended the training otherwise, for ``on_fit_end``.
        self.error: BaseException | None = None
        #: Where the batches come from, and the random generators as they were when this epoch
        #: began, if that is to be remembered: the order follows from them when it is resumed.
        self.source: Any = None
        self.resumable = False
        self.order: Any = None
        self._resumed: Any = None

    def run(
        self, step: Callable, batches: Iterable, epochs: int, *, accumulate: int = 1
    ) -> History:
        """Learn until so many epochs are done; return the history.

        Whatever raises, in a step, a callback or a batch, the model is in the modes in which it
        was, holds no gradients, and can be trained on.

        Arguments:
            step: learns from a batch, given as its arguments, and returns the loss.
            batches: what is iterated in each epoch, and gives tuples.
            epochs: how many epochs are to be done in all.
            accumulate: after how many batches ``step`` updates the parameters. Those that are left
                over at the end of an epoch are for ``step.flush()``.
        """
        self.epochs, self.source = epochs, batches
        self.batches = length_of(batches)
        # Samplers that are told of the epoch draw an order of its own for each.
        self._set_epoch = getattr(getattr(batches, "sampler", None), "set_epoch", None)
        self.error = None
        if self._resumed is None:
            self.stopped = None
        modes = [(module, module.training) for module in self.model.modules()]
        begun: list[Callback] = []
        interrupts = Interrupts()
        try:
            with interrupts:
                self._run(step, batches, accumulate, begun, interrupts)
        except BaseException as error:
            self.error = error
            raise
        finally:
            self.recorded = {} if self.error is not None else self.recorded
            for parameter in self.model.parameters():
                parameter.grad = None
            for module, mode in modes:
                module.training = mode
            self._end(begun)
        return self.history

    def _run(
        self, step: Callable, batches: Iterable, accumulate: int, begun: list[Callback],
        interrupts: Interrupts,
    ) -> None:  # fmt: skip
        """Learn from one epoch after the other; ``begun``: the callbacks that know of it."""
        for callback in self.callbacks:
            begun.append(callback)
            callback.on_fit_start(self)
        if not self.model.training:  # parts that were set to eval() in a model in training stay so
            self.model.train()
        begin, end = self.listener("on_epoch_start"), self.listener("on_epoch_end")
        tell = self.listener("on_step")
        if tell is None and self.listener("on_gradients") is not None:
            tell = _nobody  # who looks at gradients wants to know where the training stands
        if self._resumed is not None and not self.batch:
            saved_state.set_generators(self._resumed, batches)
            self._resumed = None
        while self.epoch < self.epochs and (self.stopped is None or self.batch):
            rest = self._begin_epoch(batches, begin)
            self._learn(step, rest, accumulate, tell, interrupts)
            self._end_epoch()
            if end is not None:
                end()
            if any(self.ranks.sums([self.stopped is not None])) and self.stopped is None:
                self.stopped = "another rank has stopped"

    def _begin_epoch(self, batches: Iterable, tell: Callable | None) -> Iterable:
        """Return the batches of this epoch that are still to come."""
        if self._resumed is not None:
            return self._rest_of_epoch(batches)
        self.batch, self.total, self.weight = 0, 0.0, 0.0
        if tell is not None:
            tell()
        if self.resumable:
            self.order = saved_state.generators(batches)
        if self._set_epoch is not None:
            self._set_epoch(self.epoch)
        return batches

    def _learn(
        self, step: Callable, batches: Iterable, accumulate: int, tell: Callable | None,
        interrupts: Interrupts,
    ) -> None:  # fmt: skip
        """Learn from all batches of an epoch: this is what takes the time."""
        interrupts.waits = True
        count = self.count
        begun, total, weight = self.batch, self.total, self.weight
        number = begun
        together = 1
        if tell is None and isinstance(batches, ArrayBatches) and hasattr(step, "many"):
            # Nothing but the step runs between these batches, whose order is drawn before them.
            together = batches.in_group
        for batch, result in _steps(step, batches, together):
            loss = result.array.item()
            share = len(batch[0].array) if count is None else count(batch)
            total += loss * share
            weight += share
            number += 1
            if tell is not None:
                self.batch, self.total, self.weight, self.loss = number, total, weight, loss
                if not number % accumulate:
                    self.steps += 1
                    tell()
            if interrupts.pressed:
                raise KeyboardInterrupt
        if tell is None:
            self.steps += (number - begun) // accumulate
        self.batch, self.total, self.weight = number, total, weight
        if number % accumulate and number > begun:  # else a checkpoint was made after the flush
            step.flush()  # type: ignore[attr-defined]
            self.steps += 1
            if tell is not None:
                tell()
        interrupts.waits = False
        if interrupts.pressed:
            raise KeyboardInterrupt

    def _end_epoch(self) -> None:
        """Put the numbers of an epoch that is over into the history."""
        if not self.weight:
            raise ValueError("there are no batches to learn from")
        total, weight = self.ranks.sums([self.total, self.weight])
        loss = total / weight
        values = {"loss": loss}
        sums = [number for pair in self.recorded.values() for number in pair]
        sums = self.ranks.sums(sums)
        for name, total, count in zip(self.recorded, sums[::2], sums[1::2]):
            values[name] = total / count
        self.recorded.clear()
        if self.measure is not None:
            values |= self.ranks.means(self.measure())
        self.history.add(values)
        self.epoch += 1
        self.batch, self.order = 0, None
        if not math.isfinite(loss):
            self._say_diverged(loss)

    def _rest_of_epoch(self, batches: Iterable) -> Iterator:
        """Return what is left of the epoch in the middle of which a checkpoint was made.

        Its order follows from the generators as they were; what was learned from is passed over.
        """
        saved_state.set_generators(self.order, batches)
        if self._set_epoch is not None:
            self._set_epoch(self.epoch)
        iterator = iter(batches)
        if sum(1 for _ in itertools.islice(iterator, self.batch)) < self.batch:
            raise ValueError(
                f"the checkpoint was made after batch {self.batch} of an epoch, and there are "
                "fewer batches now: resume with the same data and batch size"
            )
        saved_state.set_generators(self._resumed, batches)
        self._resumed = None
        return iterator

    def _say_diverged(self, loss: float) -> None:
        spoiled = [
            name for name, parameter in self.model.named_parameters()
            if not parameter.isfinite().all()
        ]  # fmt: skip
        where = f" ({', '.join(spoiled[:3])} not finite)" if spoiled else ""
        reason = f"the loss is {loss} after epoch {self.epoch}{where}: learning has come to nothing"
        self.stop(reason)
        place = self.source.not_finite() if isinstance(self.source, ArrayBatches) else ""
        cure = (
            f"{place}, in the data: fill it in, or leave the sample out" if place else
            "try a smaller learning rate; aino.debug.find_nan tells where it comes from"
        )  # fmt: skip
        warn(f"{reason}; {cure}", RuntimeWarning)

    def _end(self, begun: list[Callback]) -> None:
        """Tell callbacks that the training is over; what one of them raises keeps none from it."""
        failed: BaseException | None = None
        for callback in begun:
            try:
                callback.on_fit_end(self)
            except BaseException as error:
                failed = failed or error
        if failed is not None and self.error is None:
            self.error = failed
            raise failed

    # For callbacks, and for checkpoints

    def stop(self, reason: str) -> None:
        """End the training when this epoch is over, and say why."""
        self.stopped = reason

    def record(self, name: str, value: float) -> None:
        """Have the history hold the mean of what is recorded under a name in this epoch.

        Arguments:
            name: what the history calls it.
            value: one more number.
        """
        sums = self.recorded.setdefault(name, [0.0, 0])
        sums[0] += float(value)
        sums[1] += 1

    def listener(self, event: str) -> Callable[[], None] | None:
        """Return what tells all callbacks of an event that listen to it; None if none does."""
        told = [getattr(callback, event) for callback in self.callbacks
                if listening(callback, event)]  # fmt: skip
        if not told:
            return None

        def tell() -> None:
            for hear in told:
                hear(self)

        return tell

    @property
    def optimizers(self) -> list[Any]:
        """The optimizers: there may be one, several or none."""
        given = self.optimizer
        return [] if given is None else list(given) if isinstance(given, list | tuple) else [given]

    def state_dict(self) -> dict[str, Any]:
        """Return all that it takes to go on from here bit for bit; on all ranks, for the first."""
        return saved_state.of_loop(self)

    def save(self, *paths: Any) -> None:
        """Write the state to files; all ranks call it, and the first writes."""
        state = self.state_dict()
        if self.ranks.is_first:
            for path in paths:
                dit.save(state, path)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from there; ``ValueError`` for a state of another model, and nothing changes."""
        self._resumed = saved_state.into_loop(self, state_dict)


def _steps(step: Any, batches: Iterable, together: int) -> Iterator[tuple[Any, Any]]:
    """Learn from one batch after the other; yield each with what its step gives.

    ``together``: from how many batches the step learns in one call.
    """
    if together < 2:
        for batch in batches:
            yield batch, step(*batch)
        return
    iterator = iter(batches)
    while group := list(itertools.islice(iterator, together)):
        yield from zip(group, step.many(group))


def _nobody() -> None:
    """Be told of a step, and do nothing."""
