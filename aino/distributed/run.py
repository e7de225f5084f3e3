"""``python -m aino.distributed.run -n 2 script.py``: a script as several processes.

It is MPI's ``mpiexec`` that starts them, here and by ssh on other machines.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

from aino.distributed import mpi

_ELSEWHERE = "one command starts all processes, on all machines: name those by --hosts a,b"
#: What torchrun takes and MPI does otherwise.
_REFUSED = {
    "node-rank": _ELSEWHERE, "master-addr": _ELSEWHERE, "master-port": _ELSEWHERE,
    "rdzv-backend": _ELSEWHERE, "rdzv-endpoint": _ELSEWHERE, "rdzv-id": _ELSEWHERE,
    "rdzv-conf": _ELSEWHERE,
    "max-restarts": "a job whose process dies ends; start it again from its last checkpoint",
}  # fmt: skip


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m aino.distributed.run",
        description="Start a script as several processes that compute together.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("-n", dest="processes", metavar="N", help="how many processes, on all machines together")
    add(
        "--nproc-per-node",
        "--nproc_per_node",
        dest="on_each",
        metavar="N",
        help="how many on each machine, in the place of -n; 'cpu': one for each core",
    )
    add("--hosts", metavar="A,B", help="the machines, reached by ssh; by default this one")
    add("--hostfile", metavar="FILE", help="a file with a machine in each line")
    add("--nnodes", metavar="M", help="how many machines; they are named by --hosts")
    add("--standalone", action="store_true", help="has no effect: taken for torchrun's sake")
    add("--prefix", action="store_true", help="begin each line of output with its rank")
    add("-m", dest="module", action="store_true", help="run a module, as python -m does")
    for name in _REFUSED:
        add(f"--{name}", f"--{name.replace('-', '_')}", dest=name, help=argparse.SUPPRESS)
    add("script", help="the script, or the module's name")
    add("arguments", nargs=argparse.REMAINDER, help="what is given to the script")
    return parser  # fmt: skip


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _launcher() -> str:
    """Return the path of the mpiexec beside the interpreter, else of the one on the path."""
    name = "mpiexec.exe" if os.name == "nt" else "mpiexec"
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.exists() else shutil.which(name)
    if not mpi.is_installed():
        raise SystemExit(f"aino.distributed.run: mpi4py is not installed: {mpi.EXTRA}")
    if found is None:
        raise SystemExit(
            f"aino.distributed.run: there is no mpiexec beside {sys.executable} nor on the PATH; "
            f"{mpi.EXTRA} brings one"
        )
    return found


def _machines(given: argparse.Namespace, parser: argparse.ArgumentParser) -> list[str]:
    """Return the names of the machines, none for this one."""
    if given.hosts and given.hostfile:
        parser.error("--hosts and --hostfile both name the machines: give one of them")
    names = [name.strip() for name in (given.hosts or "").split(",") if name.strip()]
    if given.hostfile:
        try:
            lines = Path(given.hostfile).read_text(encoding="utf-8").splitlines()
        except OSError as error:
            parser.error(f"the file of machines can't be read: {error}")
        names = [line.split("#")[0].strip() for line in lines]
        names = [name.split()[0] for name in names if name]
        if not names:
            parser.error(f"{given.hostfile} names no machine")
    if given.nnodes is not None and given.nnodes != str(max(1, len(names))):
        parser.error(
            f"--nnodes is {given.nnodes}, and {len(names) or 'no'} machines are named: {_ELSEWHERE}"
        )
    return names


def command(arguments: list[str]) -> tuple[list[str], dict[str, str]]:
    """Return the launcher's command, and the environment that it adds."""
    parser = _parser()
    given = parser.parse_args(arguments)
    for name, why in _REFUSED.items():
        if getattr(given, name) is not None:
            parser.error(f"--{name} is not there: {why}")
    machines = _machines(given, parser)
    count = max(1, len(machines))
    if given.processes and given.on_each:
        parser.error("-n and --nproc-per-node both say how many processes: give one of them")
    text = given.processes or given.on_each or str(count)
    if given.on_each in ("cpu", "auto"):
        text = str(_cores())
    if not text.isdecimal() or int(text) < 1:
        parser.error(f"the number of processes is a whole number from 1 on, not {text!r}")
    processes = int(text) * (count if given.on_each else 1)
    on_each = -(-processes // count)
    if not given.module and not Path(given.script).is_file():
        parser.error(f"there is no script {given.script!r}")
    words = [_launcher()]
    if given.prefix:
        words.append("-prepend-rank")
    if machines:
        words += ["-hosts", ",".join(machines), "-ppn", str(on_each)]
    words += ["-n", str(processes)]
    words += [sys.executable, "-m", "aino.distributed.rank"]
    words += ["-m"] * given.module + [given.script, *given.arguments]
    threads = str(max(1, _cores() // on_each))
    return words, {"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", threads)}


def main(arguments: list[str] | None = None) -> int:
    """Start the processes; return the exit code of the first that failed, 0 where none did."""
    words, added = command(sys.argv[1:] if arguments is None else arguments)
    environment = {**os.environ, **added}
    if os.name == "posix":
        # The launcher takes this process's place: signals and its exit code are its own.
        sys.stdout.flush()
        os.execve(words[0], words, environment)
    return subprocess.call(words, env=environment)


if __name__ == "__main__":
    sys.exit(main())
