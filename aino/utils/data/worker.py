"""What a worker process does: fetch batches, and send them to the loader.

One thread computes; another listens to the loader, so that the loader never waits for being heard,
and so that a worker notices at once that the loader is gone.
"""

from __future__ import annotations

import os
import pickle
import queue
import random
import signal
import threading
import time
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import connection, reduction
from typing import Any

import numpy as np

from aino.num_threads import set_num_threads
from aino.ops.random.generator import default_generator
from aino.utils.data import memory
from aino.utils.data.fetch import Ended

#: How often a worker that is told nothing looks whether its loader lives, in seconds.
PATROL = 2.0


@dataclass(frozen=True)
class WorkerInfo:
    """What a worker knows of itself.

    ``id`` is its number, below ``num_workers``; ``seed`` the seed of its random numbers, and
    ``dataset`` its own copy of the dataset.
    """

    id: int
    num_workers: int
    seed: int
    dataset: Any


class _Here:
    """Who this process is."""

    info: WorkerInfo | None = None


_here = _Here()


def get_worker_info() -> WorkerInfo | None:
    """Return who the worker is in whose process this is called; None in the main process.

    An `IterableDataset` asks it which of its samples are this worker's.

    >>> from aino.utils.data import get_worker_info
    >>> get_worker_info() is None
    True
    """
    return _here.info


@dataclass(frozen=True)
class Job:
    """What a worker is started with."""

    info: WorkerInfo
    make_fetcher: Callable[[], Any]
    init: Callable[[int], Any] | None
    #: The other ends of pipes that a forked process has without wanting them.
    strange: list[Any]


class _Ears:
    """The thread that listens to the loader."""

    def __init__(self, pipe: connection.Connection) -> None:
        self.pipe = pipe
        self.tasks: queue.SimpleQueue = queue.SimpleQueue()
        self.stopping = False
        self.round = 0
        self._loader = os.getppid()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while not self.stopping:
            try:
                if self.pipe.poll(PATROL):
                    self._hear(self.pipe.recv())
                elif os.getppid() != self._loader:
                    raise EOFError
            except (EOFError, OSError):
                os._exit(1)  # the loader is gone, and with it the reason to go on
        while os.getppid() == self._loader:
            time.sleep(PATROL)
        os._exit(1)

    def _hear(self, message: Any) -> None:
        if message is None:
            self.stopping = True
        elif message[0] == "again":
            self.round += 1
        self.tasks.put((self.round, message))


def run(pipe: connection.Connection, job: Job) -> None:
    """Fetch what the loader asks for until it says that it is enough."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the loader decides what an interruption means
    for end in job.strange:
        end.close()
    ears = _Ears(pipe)
    _settle(job.info)
    sender = memory.place.sender = memory.Sender()
    failure = fetcher = None
    try:
        if job.init is not None:
            job.init(job.info.id)
    except Exception as error:
        failure = error
    while True:
        round, message = ears.tasks.get()
        if ears.stopping:
            return
        if message[0] == "again":
            fetcher = None
            continue
        _, number, indices, released = message
        sender.release(released)
        if round != ears.round:
            continue
        answer: tuple[str, int, Any]
        try:
            if failure is not None:
                raise failure
            if fetcher is None:
                fetcher = job.make_fetcher()
            answer = ("batch", number, sender.pack(fetcher.fetch(indices)))
        except Ended:
            answer = ("end", number, None)
        except Exception as error:
            answer = ("error", number, _described(error, job.info.id))
        try:
            pipe.send(answer)
            for file in sender.take_files() if answer[0] == "batch" else ():
                reduction.send_handle(pipe, file, None)
                os.close(file)
        except (BrokenPipeError, ConnectionResetError):
            return


def _settle(info: WorkerInfo) -> None:
    """Make this process a worker: its random numbers, its one thread, who it is."""
    random.seed(info.seed)
    default_generator.manual_seed(info.seed)
    state = np.random.SeedSequence(info.seed).generate_state(4)
    np.random.seed(state)  # noqa: NPY002 (datasets draw from it, whatever we think of it)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        set_num_threads(1)
    _here.info = info


def _described(error: Exception, worker: int) -> tuple[bytes, str]:
    """Return the class of an error, pickled, and what there is to say of it."""
    try:
        kind = pickle.dumps(type(error))
    except Exception:
        kind = pickle.dumps(RuntimeError)
    trace = "".join(traceback.format_exception(error))
    name = type(error).__name__
    return kind, f"Caught {name} in DataLoader worker process {worker}.\nOriginal {trace}"
