"""EarlyStopping: the end of a training that gets no better."""

from __future__ import annotations

from typing import Any

from aino.train.callbacks.callback import Callback
from aino.train.callbacks.monitored import Monitored


class EarlyStopping(Callback):
    """Ends the training when a number has not got better for some epochs.

    Arguments:
        monitor: the number to watch; None is ``val_loss``, or ``loss`` without a validation.
        patience: how many epochs without a better number are waited for.
        min_delta: by how much more than this a number has to be better.
        mode: "min" or "max", where the name doesn't say it.
        restore_best: whether the model has the weights of its best epoch in the end.

    >>> import aino
    >>> stopping = aino.train.EarlyStopping(patience=3)
    """

    def __init__(
        self,
        monitor: str | None = None,
        *,
        patience: int = 10,
        min_delta: float = 0.0,
        mode: str | None = None,
        restore_best: bool = True,
    ) -> None:
        if not isinstance(patience, int) or isinstance(patience, bool) or patience < 1:
            raise ValueError(f"patience is a number of epochs, 1 or more, not {patience!r}")
        self.monitored = Monitored(monitor, mode, min_delta)
        self.patience = patience
        self.restore_best = restore_best
        #: The best number, the epoch in which it came, and the weights of then.
        self.best: float | None = None
        self.best_epoch: int | None = None
        self._weights: dict[str, Any] | None = None
        self._begun, self._resumed = 0, False

    def on_fit_start(self, loop: Any) -> None:
        self.monitored.begin(loop)
        if not self._resumed:  # what was best in another training is no measure for this one
            self.best = self.best_epoch = self._weights = None
            self._begun = loop.epoch
        self._resumed = False

    def on_epoch_end(self, loop: Any) -> None:
        value = self.monitored.value(loop)
        if self.monitored.better(value, self.best):
            self.best, self.best_epoch = value, loop.epoch
            if self.restore_best:
                self._weights = {
                    name: tensor.detach().clone()
                    for name, tensor in loop.model.state_dict().items()
                }
        waited = loop.epoch - (self.best_epoch or self._begun)
        if waited >= self.patience and loop.stopped is None:
            loop.stop(
                f"{self.monitored.name} was not a number for {waited} epochs"
                if self.best is None else
                f"{self.monitored.name} was {self.best:.4g} in epoch {self.best_epoch}, and no "
                f"better in the {waited} epochs since"
            )  # fmt: skip

    def on_fit_end(self, loop: Any) -> None:
        if self._weights is not None and loop.error is None and self.best_epoch != loop.epoch:
            loop.model.load_state_dict(self._weights)

    def state_dict(self) -> dict[str, Any]:
        """Return the best number, its epoch and the weights of then."""
        return {
            "best": self.best, "best_epoch": self.best_epoch, "begun": self._begun,
            "weights": self._weights,
        }  # fmt: skip

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what ``state_dict`` returned."""
        self.best, self.best_epoch = state_dict["best"], state_dict["best_epoch"]
        self._begun, self._weights = state_dict["begun"], state_dict["weights"]
        self._resumed = True
