"""CSVLogger: the history as a table in a file."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from aino.train.callbacks.callback import Callback


class CSVLogger(Callback):
    """Writes the history to a file of comma-separated values, a row for each epoch.

    The file is what the history is, also after a training was resumed: epochs that are learned
    again are not there twice.

    Arguments:
        path: the file; its folder is made if it isn't there.
    """

    on_first_rank_alone = True

    def __init__(self, path: Any) -> None:
        self.path = Path(path)
        self._names: list[str] = []

    def on_fit_start(self, loop: Any) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._write(loop, 0)

    def on_epoch_end(self, loop: Any) -> None:
        self._write(loop, loop.epoch - 1 if list(loop.history) == self._names else 0)

    def _write(self, loop: Any, first: int) -> None:
        """Write the epochs from ``first`` on: from 0 on the file begins anew."""
        self._names = list(loop.history)
        with open(self.path, "a" if first else "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            if not first:
                writer.writerow(["epoch", *self._names])
            for epoch in range(first, loop.history.epochs):
                numbers = [loop.history[name][epoch] for name in self._names]
                writer.writerow([epoch + 1, *map(repr, numbers)])
