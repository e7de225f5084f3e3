"""One process of those that ``aino.distributed.run`` starts: runs the script, and its end is seen.

MPI begins before the script does, so that one that fails in its first line ends the others, too.
"""

from __future__ import annotations

import os
import runpy
import sys
from types import ModuleType

from aino.distributed.endings import job_of_this_process, leave_with, watch
from aino.distributed.groups import clear, progress
from aino.distributed.job import Job


def _tell_ranks(job: Job) -> None:
    """Set what scripts for PyTorch read of the environment."""
    here = job.everybody.Split_type(job.MPI.COMM_TYPE_SHARED)
    local = here.Get_rank(), here.Get_size()
    here.Free()
    os.environ |= {
        "RANK": str(job.rank),
        "WORLD_SIZE": str(job.size),
        "LOCAL_RANK": str(local[0]),
        "LOCAL_WORLD_SIZE": str(local[1]),
    }


def _run_script(path: str) -> None:
    """Run a file as the main module."""
    main = ModuleType("__main__")
    main.__file__ = path
    main.__builtins__ = __builtins__  # type: ignore[attr-defined]
    sys.modules["__main__"] = main
    sys.path[0] = os.path.dirname(os.path.abspath(path))
    with open(path, "rb") as file:
        code = compile(file.read(), path, "exec")
    exec(code, vars(main))


def main() -> None:
    """Run the script, or with ``-m`` the module, that stands first among the arguments."""
    job = job_of_this_process()
    _tell_ranks(job)
    watch(progress, clear)
    module = sys.argv[1] == "-m"
    target = sys.argv[2] if module else sys.argv[1]
    sys.argv = sys.argv[2:] if module else sys.argv[1:]
    try:
        if module:
            sys.path[0] = os.getcwd()
            runpy.run_module(target, run_name="__main__", alter_sys=True)
        else:
            _run_script(target)
    except SystemExit as end:
        if job.size > 1 and end.code not in (None, 0):
            leave_with(job, end)
        raise


if __name__ == "__main__":
    main()
