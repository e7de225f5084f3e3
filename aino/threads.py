"""Work that NumPy does without holding the interpreter's lock: in blocks, on two threads.

Long arrays are walked in blocks that stay in the processor's cache, by optimizers and by compiled
programs. ``pieces`` cuts them, ``lanes`` shares them out, and the ``worker`` does one half.
"""

from __future__ import annotations

import contextvars
import ctypes
import os
import queue
import sys
import threading
from collections.abc import Callable
from typing import Any, TypeVar

_Piece = TypeVar("_Piece")

#: One core has nothing to share; in a browser there are no threads, whatever it says of its cores.
CORES = (
    1 if sys.platform == "emscripten"
    else len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity")
    else os.cpu_count() or 1
)  # fmt: skip


def pieces(start: int, stop: int, longest: int) -> list[tuple[int, int]]:
    """Cut a stretch into equal pieces of at most so many numbers, in whole cache lines."""
    count = -(-(stop - start) // longest)
    length = -(-(stop - start) // count)
    length += -length % 16
    return [(low, min(low + length, stop)) for low in range(start, stop, length)]


def halves(parts: list[_Piece], lengths: list[int]) -> list[list[_Piece]]:
    """Share parts between two threads, about half of the numbers to each."""
    half, done = sum(lengths) / 2, 0
    for position, length in enumerate(lengths[:-1], 1):
        done += length
        if done >= half:
            return [parts[:position], parts[position:]]
    return [parts]


def lanes(parts: list[_Piece], lengths: list[int], least: int) -> list[list[_Piece]]:
    """Share parts between two threads, if cores are there and so many numbers at least."""
    return halves(parts, lengths) if CORES > 1 and sum(lengths) >= least else [parts]


#: What AINO's own threads are called.
_NAME = "aino-worker"


def is_own(thread: threading.Thread) -> bool:
    """Tell whether a thread is AINO's, which runs no code of the user's."""
    return thread.name == _NAME


def _core_finder() -> Callable[[], int] | None:
    """Return what tells on which core a thread runs, where threads can be kept from one."""
    if sys.platform != "linux" or CORES == 1:
        return None
    return getattr(ctypes.CDLL(None), "sched_getcpu", None)


class Worker:
    """One thread that waits for work; it is started when first used, and anew after a fork.

    It may run on every core but the caller's: Linux wakes a thread on the core of the one that
    calls it, and then leaves both there, one after the other, while another core is idle.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tasks: queue.SimpleQueue = queue.SimpleQueue()
        self._process = 0
        self._core_of_caller = _core_finder()
        self._thread: int | None = None
        self._kept_from = -1
        #: True keeps all work in the calling thread.
        self.alone = False

    def _run(self, tasks: queue.SimpleQueue) -> None:
        while True:
            tasks.get()()

    def share(self, function: Callable[[Any], None], parts: list) -> None:
        """Call ``function`` on two parts at the same time; return when both are done.

        While another thread uses the worker, and where the caller's thread is to work alone, both
        parts run here, one after the other.
        """
        if len(parts) == 1 or self.alone or not self._lock.acquire(blocking=False):
            for part in parts:
                function(part)
            return
        try:
            if not self._start():
                self.alone = True
                self.share(function, parts)
                return
            done = threading.Lock()
            done.acquire()
            failures: list[BaseException] = []

            # Numbers that overflow are told of, or not, as the caller wants it.
            context = contextvars.copy_context()

            def work() -> None:
                try:
                    context.run(function, parts[1])
                except BaseException as error:
                    failures.append(error)
                finally:
                    done.release()

            self._keep_apart()
            self._tasks.put(work)
            try:
                function(parts[0])
            finally:
                done.acquire()
            if failures:
                raise failures[0]
        finally:
            self._lock.release()

    def _start(self) -> bool:
        """Start the thread, if it isn't; tell whether it runs: a system may give no more."""
        if self._process != os.getpid():
            tasks: queue.SimpleQueue = queue.SimpleQueue()
            thread = threading.Thread(target=self._run, args=(tasks,), name=_NAME, daemon=True)
            try:
                thread.start()
            except RuntimeError:
                return False
            self._process, self._tasks = os.getpid(), tasks
            self._thread, self._kept_from = thread.native_id, -1
        return True

    def _keep_apart(self) -> None:
        """Keep the thread from the core that the caller is on."""
        if self._core_of_caller is None:
            return
        core = self._core_of_caller()
        if core == self._kept_from or self._thread is None:
            return
        self._kept_from = core
        others = os.sched_getaffinity(0) - {core}
        if others:
            try:
                os.sched_setaffinity(self._thread, others)
            except OSError:  # not allowed here
                self._core_of_caller = None


worker = Worker()
