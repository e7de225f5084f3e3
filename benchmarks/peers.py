"""The libraries to compare with, each of them optional."""

from __future__ import annotations

import functools
import importlib
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

#: Read by the libraries when they are loaded, so set before any of them is.
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
#: Some test machines pin NumPy's kernels to those of an old processor, and nobody else's.
PINS = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "NPY_DISABLE_CPU_FEATURES")


def prepare(threads: int) -> None:
    """Give every library that is loaded from now on the same number of threads, and of cores.

    The cores bind those too that take as many threads as they find cores, such as JAX. Each
    library chooses the kernels for this processor by itself.
    """
    for name in THREAD_VARIABLES:
        os.environ[name] = str(threads)
    for name in PINS:
        os.environ.pop(name, None)
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, cores[-threads:])


def threads() -> int:
    """Return how many threads every library has."""
    return int(os.environ.get(THREAD_VARIABLES[0], os.cpu_count() or 1))


def optional(name: str) -> Any:
    """Return a module, or None where it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def torch() -> Any:
    """Return PyTorch with its threads set, or None."""
    found = optional("torch")
    if found is not None:
        found.set_num_threads(threads())
    return found


#: Whether torch.compile is measured, too.
with_torch_compile = False


def jax() -> Any:
    return optional("jax")


def sklearn() -> Any:
    return optional("sklearn")


#: What walks AINO's compiled programs: NumPy's calls from Python, in C, or in C where it can.
backend = "auto"


def compiler() -> Any:
    """Return ``aino.compile`` where AINO has it, else None."""
    import aino

    compile = getattr(aino, "compile", None)
    return compile if backend == "auto" else functools.partial(compile, backend=backend)


def environment() -> dict[str, Any]:
    """Return what the figures depend on: machine, versions, threads, commit."""
    versions = {"python": platform.python_version()}
    for name in ("aino", "numpy", "torch", "jax", "sklearn"):
        module = sys.modules.get(name)
        if module is not None:
            versions[name] = module.__version__
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": os.environ.get(THREAD_VARIABLES[0], "unset"),
        "kernels": _kernels(),
        "load": list(os.getloadavg()) if hasattr(os, "getloadavg") else None,
        "versions": versions,
        "commit": _commit(),
    }


def _kernels() -> dict[str, str]:
    """Return the kernels that each library of linear algebra has chosen, where that can be told."""
    control = optional("threadpoolctl")
    found = control.threadpool_info() if control is not None else []
    return {Path(lib["filepath"]).name: lib.get("architecture") or "" for lib in found}


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            for line in lines:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _commit() -> str:
    folder = os.path.dirname(os.path.abspath(__file__))
    try:
        done = subprocess.run(
            ["git", "-C", folder, "rev-parse", "--short", "HEAD"],
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return done.stdout.strip()
