"""Python's ``multiprocessing`` under the name that PyTorch gives it, with ``spawn``.

A tensor that goes through a queue or a pipe arrives as a copy: memory is shared by
`aino.utils.data.DataLoader` alone.
"""

from __future__ import annotations

import multiprocessing
import traceback
from collections.abc import Callable
from multiprocessing import *  # noqa: F403
from multiprocessing import connection
from typing import Any

__all__ = [
    *multiprocessing.__all__,
    "ProcessExitedException", "ProcessRaisedException", "SpawnContext",
    "get_all_sharing_strategies", "get_sharing_strategy", "set_sharing_strategy", "spawn",
    "start_processes",
]  # fmt: skip

_STRATEGIES = {"file_descriptor", "file_system"}
_chosen = ["file_descriptor"]


def __dir__() -> list[str]:
    return __all__


class ProcessRaisedException(Exception):
    """A process of ``spawn`` raised; the text is its trace."""


class ProcessExitedException(Exception):
    """A process of ``spawn`` ended by itself or by a signal."""


def get_all_sharing_strategies() -> set[str]:
    """Return the names that ``set_sharing_strategy`` takes."""
    return set(_STRATEGIES)


def get_sharing_strategy() -> str:
    """Return the name that was set last."""
    return _chosen[0]


def set_sharing_strategy(new_strategy: str) -> None:
    """Take PyTorch's choice of how tensors are shared, which changes nothing here.

    Raises ``ValueError`` for another name than ``"file_descriptor"`` and ``"file_system"``.
    """
    if new_strategy not in _STRATEGIES:
        raise ValueError(
            f"a sharing strategy is one of {sorted(_STRATEGIES)}, not {new_strategy!r}"
        )
    _chosen[0] = new_strategy


def _run(fn: Callable, number: int, args: tuple, errors: Any) -> None:
    try:
        fn(number, *args)
    except KeyboardInterrupt:
        pass
    except Exception:
        errors.send(traceback.format_exc())
        raise SystemExit(1) from None


class SpawnContext:
    """The processes that ``spawn(..., join=False)`` has started.

    Arguments:
        processes: the processes.
        errors: a pipe for each, through which it sends the trace of what it raises.
    """

    def __init__(self, processes: list, errors: list) -> None:
        self.processes = processes
        self._errors = errors

    def pids(self) -> list[int]:
        """Return the numbers that the system gives the processes."""
        return [process.pid for process in self.processes]

    def join(self, timeout: float | None = None) -> bool:
        """Wait until one process fails or all have ended; return whether all have.

        ``timeout`` is the number of seconds to wait at most. When one fails the others are ended,
        and what it raised is raised here.
        """
        running = {p.sentinel: number for number, p in enumerate(self.processes) if p.is_alive()}
        ready = connection.wait(list(running), timeout) if running else []
        failed = [number for number, p in enumerate(self.processes) if p.exitcode]
        for sentinel in ready:
            process = self.processes[running[sentinel]]
            process.join()
            if process.exitcode:
                failed.append(running[sentinel])
        if failed:
            self._raise(failed[0])
        return all(process.exitcode == 0 for process in self.processes)

    def _raise(self, number: int) -> None:
        for process in self.processes:
            if process.is_alive():
                process.terminate()
            process.join()
        try:
            trace = self._errors[number].recv()
        except EOFError:
            pass
        else:
            raise ProcessRaisedException(
                f"Process {number} terminated with the following error:\n{trace}"
            )
        code = self.processes[number].exitcode
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        raise ProcessExitedException(f"process {number} terminated with {how}")


def start_processes(
    fn: Callable,
    args: tuple = (),
    nprocs: int = 1,
    join: bool = True,
    daemon: bool = False,
    start_method: str = "spawn",
) -> SpawnContext | None:
    """Call ``fn(i, *args)`` in processes of their own, i from 0 on.

    Arguments:
        fn: a function that a new process can import.
        args: what it is given after its number.
        nprocs: how many processes there are.
        join: whether to wait until all have ended.
        daemon: whether they end with this process.
        start_method: how they are started: ``"spawn"``, ``"fork"`` or ``"forkserver"``.

    Raises ``ProcessRaisedException`` with the trace of a process that raises, and
    ``ProcessExitedException`` for one that ends otherwise; the others are ended. Returns the
    processes where ``join`` is False.
    """
    context: Any = multiprocessing.get_context(start_method)
    processes, errors = [], []
    for number in range(nprocs):
        receiver, sender = context.Pipe(duplex=False)
        process = context.Process(target=_run, args=(fn, number, args, sender), daemon=daemon)
        process.start()
        sender.close()
        processes.append(process)
        errors.append(receiver)
    started = SpawnContext(processes, errors)
    if not join:
        return started
    while not started.join():
        pass
    return None


def spawn(
    fn: Callable,
    args: tuple = (),
    nprocs: int = 1,
    join: bool = True,
    daemon: bool = False,
    start_method: str = "spawn",
) -> SpawnContext | None:
    """Call ``fn(i, *args)`` in new processes, i from 0 on: see ``start_processes``.

    Arguments:
        fn, args, nprocs, join, daemon, start_method: as for ``start_processes``.
    """
    return start_processes(fn, args, nprocs, join, daemon, start_method)
