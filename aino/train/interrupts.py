"""Ctrl-C while a model learns: it is heard between two steps, so that none is half done."""

from __future__ import annotations

import signal
import threading
from typing import Any


class Interrupts:
    """Has Ctrl-C wait for the end of a step within a ``with`` block; a second one does not wait.

    Where a program has a handler of its own for the signal, or in another than the main thread,
    nothing changes.
    """

    def __init__(self) -> None:
        #: Whether Ctrl-C waits just now, and whether it was pressed meanwhile.
        self.waits = False
        self.pressed = False
        self._before: Any = None

    def __enter__(self) -> Interrupts:
        if (
            threading.current_thread() is threading.main_thread()
            and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        ):
            self._before = signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(self, *error: Any) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def _note(self, number: int, frame: Any) -> None:
        if not self.waits or self.pressed:
            raise KeyboardInterrupt
        self.pressed = True
