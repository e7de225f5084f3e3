"""TensorBoard: the numbers of a training where TensorBoard finds them."""

from __future__ import annotations

from typing import Any

from aino.train.callbacks.callback import Callback
from aino.utils.tensorboard import SummaryWriter


class TensorBoard(Callback):
    """Writes the numbers of each epoch, and the learning rate, for TensorBoard.

    ``loss`` and ``val_loss`` are ``loss/training`` and ``loss/validation`` there, so that they
    stand in one picture group. It takes ``pip install 'aino[tensorboard]'``.

    Arguments:
        log_dir: the folder; a new one under ``runs`` for None.
        every_steps: after how many updates the loss of the batch is written, too; None is never.
        histograms: whether the distribution of each parameter is written after each epoch.
    """

    on_first_rank_alone = True

    def __init__(
        self, log_dir: Any = None, *, every_steps: int | None = None, histograms: bool = False
    ) -> None:
        if every_steps is not None and every_steps < 1:
            raise ValueError(f"every_steps is 1 or more, not {every_steps!r}")
        self.log_dir = log_dir
        self.every_steps = every_steps
        self.histograms = histograms
        self._writer: Any = None

    def on_fit_start(self, loop: Any) -> None:
        # What a killed training wrote after its checkpoint is learned again.
        resumed = loop.epoch > 0 or loop.batch > 0
        self._writer = SummaryWriter(self.log_dir, purge_step=loop.epoch + 1 if resumed else None)
        self.log_dir = self._writer.get_logdir()

    def on_step(self, loop: Any) -> None:
        if self.every_steps is not None and loop.steps % self.every_steps == 0:
            self._writer.add_scalar("loss/batch", loop.loss, loop.steps)

    def on_epoch_end(self, loop: Any) -> None:
        for name, value in loop.history.last().items():
            part = "validation" if name.startswith("val_") else "training"
            self._writer.add_scalar(f"{name.removeprefix('val_')}/{part}", value, loop.epoch)
        rates = [group["lr"] for own in loop.optimizers for group in own.param_groups]
        for number, rate in enumerate(rates):
            name = "learning rate" if len(rates) == 1 else f"learning rate/{number}"
            self._writer.add_scalar(name, float(rate), loop.epoch)
        if self.histograms:
            for name, parameter in loop.model.named_parameters():
                self._writer.add_histogram(name, parameter, loop.epoch)
        self._writer.flush()

    def on_fit_end(self, loop: Any) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None
