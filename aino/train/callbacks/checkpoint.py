"""Checkpoint: a training in a file, from which it goes on bit for bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aino.train.callbacks.callback import Callback
from aino.train.callbacks.monitored import Monitored


class Checkpoint(Callback):
    """Saves the training in a folder: where it stands as ``last.dit``, and its best epochs.

    A file is there whole or not at all, whenever the process is killed. ``fit(resume=True)`` goes
    on from ``last.dit`` as if nothing had happened, also from the middle of an epoch: model,
    optimizer, schedules, random generators, the order of the batches and other callbacks are what
    they were. ``aino.load(path)["model"]`` is the state dict of the model. Where a model learns on
    several ranks the first one writes, and any number of them goes on, from the end of an epoch.

    Arguments:
        folder: where the files go; it is made if it isn't there.
        every_epochs: after how many epochs ``last.dit`` is written.
        every_steps: after how many updates of the parameters as well; None is only between epochs.
        keep: how many of the best epochs stay, as ``epoch-0007.dit``.
        monitor: the number that says which are best; None is ``val_loss``, or ``loss`` without a
            validation.
        mode: "min" or "max", where the name doesn't say it.
        overwrite: whether another training's checkpoints in the folder are replaced; where it is
            False they are an error, ``FileExistsError``, before anything is learned.
    """

    last = True

    def __init__(
        self,
        folder: Any,
        *,
        every_epochs: int = 1,
        every_steps: int | None = None,
        keep: int = 1,
        monitor: str | None = None,
        mode: str | None = None,
        overwrite: bool = False,
    ) -> None:
        self.folder = Path(folder)
        self.every_epochs = _count("every_epochs", every_epochs, 1)
        self.every_steps = None if every_steps is None else _count("every_steps", every_steps, 1)
        self.keep = _count("keep", keep, 0)
        self.monitored = Monitored(monitor, mode)
        self.overwrite = overwrite
        #: The best epochs with their numbers, the best one first.
        self.kept: list[tuple[int, float]] = []
        self._ours = False

    @property
    def path(self) -> Path:
        """The file that the training goes on from."""
        return self.folder / "last.dit"

    @property
    def best(self) -> Path | None:
        """The file of the best epoch so far."""
        return self._file(self.kept[0][0]) if self.kept else None

    def _file(self, epoch: int) -> Path:
        return self.folder / f"epoch-{epoch:04d}.dit"

    def on_fit_start(self, loop: Any) -> None:
        if self.keep:
            self.monitored.begin(loop)
        if self.path.exists() and not (self._ours or self.overwrite):
            raise FileExistsError(
                f"{self.folder} holds the checkpoints of another training: fit(resume=True) goes "
                "on with it; else choose another folder, or overwrite=True"
            )
        self.folder.mkdir(parents=True, exist_ok=True)
        self._ours = True
        loop.resumable = True

    def on_step(self, loop: Any) -> None:
        if self.every_steps is not None and loop.steps % self.every_steps == 0:
            loop.save(self.path)

    def on_epoch_end(self, loop: Any) -> None:
        dropped = self._rank(loop) if self.keep else []
        due = loop.epoch % self.every_epochs == 0 or loop.epoch == loop.epochs
        is_best = any(epoch == loop.epoch for epoch, _ in self.kept)
        if due or is_best or loop.stopped is not None:
            loop.save(*([self._file(loop.epoch)] if is_best else []), self.path)
        for epoch in dropped if loop.ranks.is_first else ():  # no file speaks of them any more
            self._file(epoch).unlink(missing_ok=True)

    def _rank(self, loop: Any) -> list[int]:
        """Take the last epoch among the best ones if it is one; return which are no longer."""
        value = self.monitored.value(loop)
        place = next(
            (i for i, (_, other) in enumerate(self.kept) if self.monitored.better(value, other)),
            len(self.kept),
        )
        if self.monitored.better(value, None):
            self.kept.insert(place, (loop.epoch, value))
        dropped = [epoch for epoch, _ in self.kept[self.keep :] if epoch != loop.epoch]
        del self.kept[self.keep :]
        return dropped

    def state_dict(self) -> dict[str, Any]:
        """Return which epochs are the best."""
        return {"kept": [list(pair) for pair in self.kept]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what ``state_dict`` returned."""
        self.kept = [(epoch, value) for epoch, value in state_dict["kept"]]
        self._ours = True


def _count(name: str, value: Any, least: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ValueError(f"{name} is a whole number, {least} or more, not {value!r}")
    return value
