"""What is shown of a training: a bar on a terminal, a table in a notebook, lines in a log."""

from __future__ import annotations

import sys
import time
from html import escape
from importlib import import_module
from typing import Any

from aino.train.callbacks.callback import Callback


def progress(verbose: bool = True, lines: int | None = None) -> list[Callback]:
    """Return the callbacks that show a training where it runs; none for ``verbose=False``.

    Arguments:
        verbose: whether anything is shown.
        lines: at most how many lines a log gets, one for each epoch for None.
    """
    if not verbose:
        return []
    if in_notebook():
        return [Table()]
    return [Bar()] if sys.stderr.isatty() else [Lines(lines)]


def in_notebook() -> bool:
    """Tell whether there is a notebook that shows HTML."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return type(shell).__name__ == "ZMQInteractiveShell"


def told(values: Any) -> str:
    """Return numbers by name as a line: ``loss 0.3412, val_loss 0.4107``."""
    return ", ".join(f"{name} {value:.4g}" for name, value in values.items())


class Lines(Callback):
    """Prints a line for each epoch, or for so many of them."""

    on_first_rank_alone = True

    def __init__(self, most: int | None = None) -> None:
        self.most = most

    def on_epoch_end(self, loop: Any) -> None:
        most = self.most or loop.epochs
        if loop.epoch * most // loop.epochs > (loop.epoch - 1) * most // loop.epochs:
            text = told(loop.history.last())
            print(f"epoch {loop.epoch}/{loop.epochs}: {text}", flush=True)

    def on_fit_end(self, loop: Any) -> None:
        if loop.stopped is not None and loop.error is None:
            print(f"stopped: {loop.stopped}", flush=True)


class Bar(Callback):
    """Shows a bar of all batches on the terminal, with the numbers of the last epoch."""

    on_first_rank_alone = True

    def __init__(self) -> None:
        self._bar: Any = None
        self._due = 0.0

    def on_fit_start(self, loop: Any) -> None:
        # tqdm takes as long to import as all of AINO.
        tqdm = import_module("tqdm").tqdm
        self._bar = tqdm(
            total=loop.epochs, initial=loop.epoch, unit="epoch", file=sys.stderr,
            bar_format="{percentage:3.0f}%|{bar}| epoch {n:.6g}/{total_fmt} "
            "[{elapsed}<{remaining}{postfix}]",
        )  # fmt: skip

    def on_step(self, loop: Any) -> None:
        now = time.monotonic()
        if now >= self._due and loop.batches:
            self._due = now + 0.2
            self._bar.n = round(loop.epoch + loop.batch / loop.batches, 1)
            self._bar.refresh()

    def on_epoch_end(self, loop: Any) -> None:
        self._bar.set_postfix_str(told(loop.history.last()), refresh=False)
        self._bar.update(loop.epoch - self._bar.n)

    def on_fit_end(self, loop: Any) -> None:
        bar, self._bar = self._bar, None
        if bar is not None:
            bar.close()
            if loop.stopped is not None and loop.error is None:
                print(f"stopped: {loop.stopped}", file=sys.stderr, flush=True)


class Table(Callback):
    """Shows a table in a notebook, a row for each epoch, that grows while the model learns."""

    on_first_rank_alone = True

    #: How many epochs are shown; of more the last ones.
    rows = 15

    def __init__(self) -> None:
        self._shown: Any = None
        self._due = 0.0

    def on_fit_start(self, loop: Any) -> None:
        display = import_module("IPython.display")
        self._html = display.HTML
        self._shown = display.display(self._html(self.html(loop)), display_id=True)

    def on_step(self, loop: Any) -> None:
        now = time.monotonic()
        if now >= self._due:
            self._due = now + 0.5
            self._shown.update(self._html(self.html(loop)))

    def on_epoch_end(self, loop: Any) -> None:
        self.on_step(loop)

    def on_fit_end(self, loop: Any) -> None:
        if self._shown is not None:
            self._shown.update(self._html(self.html(loop)))

    def html(self, loop: Any) -> str:
        """Return the table as HTML."""
        done = loop.epoch + (loop.batch / loop.batches if loop.batches else 0.0)
        text = f"epoch {loop.epoch} of {loop.epochs}"
        if loop.stopped is not None:
            text += f", stopped: {loop.stopped}"
        names = list(loop.history)
        first = max(0, loop.epoch - self.rows)
        head = "".join(f"<th>{escape(name)}</th>" for name in ["epoch", *names])
        rows = "".join(
            f"<tr><td>{epoch + 1}</td>"
            + "".join(f"<td>{loop.history[name][epoch]:.4g}</td>" for name in names)
            + "</tr>"
            for epoch in range(first, loop.history.epochs)
        )
        bar = f'<progress value="{done:.4g}" max="{loop.epochs}"></progress> {escape(text)}'
        return f"<div>{bar}<table><tr>{head}</tr>{rows}</table></div>"
