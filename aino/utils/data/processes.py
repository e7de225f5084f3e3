"""The loader's side of worker processes: who fetches what, and in which order it is given out."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import time
import weakref
from collections.abc import Callable, Iterator
from itertools import count
from multiprocessing import connection, reduction
from typing import Any

from aino.utils.data.memory import Packed, Receiver
from aino.utils.data.worker import Job, WorkerInfo, run

#: How long a worker may take to finish what it is at, in seconds, before it is ended.
PATIENCE = 5.0


class Worker:
    """One process, as the loader sees it."""

    def __init__(self, context: Any, job: Job) -> None:
        self.pipe, other = context.Pipe()
        if context.get_start_method() == "fork":
            job.strange.append(self.pipe)
        self.process = context.Process(target=run, args=(other, job), daemon=True)
        self.process.start()
        other.close()
        self.memory = Receiver()
        #: Whether it may have more to give, and the numbers of the batches that it is asked for.
        self.active = True
        self.asked: set[int] = set()

    def ask(self, number: int, indices: Any) -> None:
        """Ask for a batch."""
        self.asked.add(number)
        self._tell(("fetch", number, indices, self.memory.take_released()))

    def begin_again(self) -> None:
        """Have it forget what it was asked for, and start anew with the dataset."""
        self.asked.clear()
        self.active = True
        self._tell(("again",))

    def _tell(self, message: Any) -> None:
        try:
            self.pipe.send(message)
        except (BrokenPipeError, ConnectionResetError):
            raise self.died() from None

    def hear(self) -> tuple[str, int, Any]:
        """Return what it answers; raise ``OSError`` or ``EOFError`` if it has died."""
        kind, number, answer = self.pipe.recv()
        if kind == "batch":
            files = [reduction.recv_handle(self.pipe) for _ in answer.new]
            self.memory.learn(answer.new, files, answer.dropped)
        return kind, number, answer

    def died(self) -> RuntimeError:
        """Return what there is to say of a worker that has ended by itself."""
        self.process.join(PATIENCE)
        code = self.process.exitcode
        why = f"exit code {code}"
        if code is not None and code < 0:
            why = f"killed by signal: {signal.Signals(-code).name}"
            if -code == getattr(signal, "SIGKILL", None):
                why += ", as the system does where memory runs out"
        return RuntimeError(
            f"DataLoader worker (pid {self.process.pid}) exited unexpectedly ({why}); "
            "num_workers=0 shows an error of the dataset where it happens"
        )


def stop(workers: list[Worker], owner: int, patience: float | None = None) -> None:
    """End worker processes: those that do not end by themselves in time are ended."""
    if os.getpid() != owner:
        return  # a forked process has them in its memory, and they are not its own
    patience = PATIENCE if patience is None else patience
    deadline = time.monotonic() + patience
    talking = {}
    for worker in workers:
        try:
            worker.pipe.send(None)
            talking[worker.pipe] = worker
        except (OSError, ValueError):
            pass
    while talking:
        # One that is about to send a long answer does not end before somebody has listened.
        ready = connection.wait(list(talking), max(0.0, deadline - time.monotonic()))
        if not ready:
            break
        for pipe in ready:
            try:
                talking[pipe].hear()
            except (EOFError, OSError):
                del talking[pipe]
    for end in ("terminate", "kill"):
        for worker in workers:
            worker.process.join(max(0.0, deadline - time.monotonic()))
        late = [worker for worker in workers if worker.process.is_alive()]
        for worker in late:
            getattr(worker.process, end)()
        deadline = time.monotonic() + (patience if late else 0.0)
    for worker in workers:
        worker.process.join()
        worker.pipe.close()
    workers.clear()


class ProcessIterator:
    """Batches that worker processes fetch: in order, or as they come.

    Arguments:
        loader: the loader, for its settings.
        make_fetcher: what a worker calls to get its fetcher.
        batches: gives the indices of each batch, one after the other.
        seed: that of worker 0; worker i has ``seed + i``.
    """

    def __init__(
        self, loader: Any, make_fetcher: Callable[[], Any], batches: Iterator, seed: int
    ) -> None:
        self.timeout = loader.timeout or None
        self.in_order = loader.in_order
        self.workers: list[Worker] = []
        self.ending = weakref.finalize(self, stop, self.workers, os.getpid())
        context = loader.multiprocessing_context or multiprocessing.get_context()
        strange: list[Any] = []
        try:
            for number in range(loader.num_workers):
                info = WorkerInfo(number, loader.num_workers, seed + number, loader.dataset)
                job = Job(info, make_fetcher, loader.worker_init_fn, strange)
                self.workers.append(Worker(context, job))
        except BaseException:
            self.ending()
            raise
        self.limit = loader.prefetch_factor * loader.num_workers
        self.persistent = loader.persistent_workers
        self.numbers = count()
        self._begin(batches)

    def _begin(self, batches: Iterator) -> None:
        self.batches: Iterator | None = batches
        self.arrived: dict[int, tuple[str, Any, Worker]] = {}
        #: The numbers of the batches that are to be given out, in order.
        self.expected: dict[int, None] = {}
        self.turn = 0
        self.over = False
        self._ask()

    def begin_again(self, batches: Iterator) -> None:
        """Start anew with the workers that there are."""
        for _, answer, worker in self.arrived.values():
            if isinstance(answer, Packed):
                worker.memory.skip(answer)
        for worker in self.workers:
            worker.begin_again()
        self._begin(batches)

    def _ask(self) -> None:
        """Ask for as many batches as may be under way."""
        while self.batches is not None and len(self.expected) < self.limit:
            worker = self._next_worker()
            if worker is None:
                break
            try:
                indices = next(self.batches)
            except StopIteration:
                self.batches = None
                break
            number = next(self.numbers)
            self.expected[number] = None
            worker.ask(number, indices)

    def _next_worker(self) -> Worker | None:
        """Return whose turn it is; in any order, the next that has less than its share to do."""
        share = self.limit // len(self.workers)
        for _ in self.workers:
            worker = self.workers[self.turn]
            self.turn = (self.turn + 1) % len(self.workers)
            if worker.active and (self.in_order or len(worker.asked) < share):
                return worker
        return None

    def __iter__(self) -> ProcessIterator:
        return self

    def __next__(self) -> Any:
        try:
            return self._next()
        except StopIteration:
            self.over = True
            if not self.persistent:
                self.ending()
            raise
        except KeyboardInterrupt:
            self.over = True
            if self.ending.detach() is not None:
                stop(self.workers, os.getpid(), patience=0.5)
            raise

    def _next(self) -> Any:
        if self.over:
            raise StopIteration
        deadline = None if self.timeout is None else time.monotonic() + self.timeout
        while self.expected:
            first = next(iter(self.expected))
            if not self.in_order and self.arrived:
                first = next(iter(self.arrived))
            if first in self.arrived:
                del self.expected[first]
                kind, answer, worker = self.arrived.pop(first)
                self._ask()
                return worker.memory.unpack(answer) if kind == "batch" else raise_again(*answer)
            self._hear(deadline)
            self._ask()
        raise StopIteration

    def _hear(self, deadline: float | None) -> None:
        """Wait for an answer, and sort it in."""
        pipes = {worker.pipe: worker for worker in self.workers if worker.asked}
        left = None if deadline is None else max(0.0, deadline - time.monotonic())
        ready = connection.wait(list(pipes), left)
        if not ready:
            raise RuntimeError(
                f"DataLoader timed out after {self.timeout} seconds: no batch was ready"
            )
        for pipe in ready:
            worker = pipes[pipe]
            try:
                kind, number, answer = worker.hear()
            except (EOFError, OSError):
                raise worker.died() from None
            if number not in worker.asked:  # of the round before, which was left early
                if kind == "batch":
                    worker.memory.skip(answer)
                continue
            worker.asked.remove(number)
            if kind == "end":
                worker.active = False
                for other in (number, *worker.asked):
                    self.expected.pop(other, None)
                worker.asked.clear()
            else:
                self.arrived[number] = (kind, answer, worker)


def raise_again(kind: bytes, text: str) -> None:
    """Raise in this process what a worker has raised, with the trace of where it did."""
    try:
        raised = pickle.loads(kind)
        if issubclass(raised, StopIteration):
            raised = RuntimeError  # it would end the loop without a word
        error = raised(_Lines(text) if issubclass(raised, KeyError) else text)
    except Exception:
        error = RuntimeError(text)
    raise error


class _Lines(str):
    """A text that a ``KeyError`` shows line by line, where it would show it in quotes."""

    def __repr__(self) -> str:
        return str(self)
