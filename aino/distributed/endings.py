"""How a process among several ends, so that the others do not wait for it.

One that raises prints its trace, marked with its rank, and ends all. One that comes to its end
tells the others how far it has come; those that wait for more from it raise.
"""

from __future__ import annotations

import atexit
import os
import runpy
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aino.distributed import mpi
from aino.distributed.job import Job

#: How many seconds the others have to print what they have to say.
_GRACE = 0.2
_jobs: list[Job] = []
_watched: list[Job] = []
#: The files whose functions run the user's script.
_STARTERS = {str(Path(__file__).with_name("rank.py")), runpy.__file__, "<frozen runpy>"}


def job_of_this_process() -> Job:
    """Return all processes that were started with this one; MPI begins when it is first asked."""
    if not _jobs:
        _jobs.append(Job(mpi.load()))
    return _jobs[0]


def watch(progress: Callable[[], dict[str, int]], clear: Callable[[], None]) -> None:
    """Let this process's end be known to the others from now on.

    ``progress()`` returns how many collectives it has called, by the names of the groups;
    ``clear()`` takes in the messages that nobody has received.
    """
    job = job_of_this_process()
    if _watched or job.size == 1:
        return
    _watched.append(job)
    process, before = os.getpid(), sys.excepthook

    def end_all(kind: Any, error: Any, trace: Any) -> None:
        if os.getpid() != process:  # a child of this process
            before(kind, error, trace)
            return
        fail(job, error, 130 if issubclass(kind, KeyboardInterrupt) else 1)

    def leave_at_exit() -> None:
        if os.getpid() == process:
            job.end(progress())
            clear()

    sys.excepthook = end_all
    atexit.register(leave_at_exit)


def fail(job: Job, error: BaseException, code: int) -> None:
    """Print what was raised, marked with the rank, and end all processes."""
    sys.stdout.flush()
    text = "".join(traceback.format_exception(type(error), error, own_frames(error)))
    if isinstance(error, KeyboardInterrupt):
        text = "KeyboardInterrupt\n"
    marked = "".join(f"[rank {job.rank}] {line}\n" for line in text.rstrip("\n").split("\n"))
    sys.stderr.write(marked)
    sys.stderr.flush()
    time.sleep(_GRACE)
    job.everybody.Abort(code)


def leave_with(job: Job, end: SystemExit) -> None:
    """End all processes with the exit code of one that has ended by it."""
    sys.stdout.flush()
    told = f": {end.code}" if isinstance(end.code, str) else f" with exit code {end.code}"
    sys.stderr.write(f"[rank {job.rank}] ended{told}\n")
    sys.stderr.flush()
    time.sleep(_GRACE)
    job.everybody.Abort(end.code if isinstance(end.code, int) else 1)


def own_frames(error: BaseException) -> Any:
    """Return the trace of an error from the first frame of the user's script on."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename in _STARTERS:
        trace = trace.tb_next
    return trace if trace is not None else error.__traceback__
