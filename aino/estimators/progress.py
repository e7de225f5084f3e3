"""What is shown while a network learns: a bar on a terminal, some lines elsewhere, or nothing."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

_LINES = 10


class Progress:
    """Shows the epochs of one ``fit``."""

    def __init__(self, epochs: int, verbose: bool) -> None:
        self.epochs = epochs
        self.verbose = verbose
        self.bar: Any = None
        if verbose and sys.stderr.isatty():
            # tqdm takes as long to import as all of AINO.
            self.bar = import_module("tqdm").tqdm(total=epochs, unit="epoch", file=sys.stderr)

    def show(self, epoch: int, values: dict[str, float]) -> None:
        """Show that an epoch, counted from 1, has ended with these values."""
        if not self.verbose:
            return
        text = ", ".join(f"{name} {value:.4g}" for name, value in values.items())
        if self.bar is not None:
            self.bar.set_postfix_str(text, refresh=False)
            self.bar.update()
        elif epoch * _LINES // self.epochs > (epoch - 1) * _LINES // self.epochs:
            print(f"epoch {epoch}/{self.epochs}: {text}", flush=True)

    def close(self) -> None:
        """Leave the terminal as it was found."""
        if self.bar is not None:
            self.bar.close()
