"""The libraries to compare with, each of them optional."""

from __future__ import annotations

import importlib
import os
import platform
import subprocess
import sys
from typing import Any

#: Read by the libraries when they are loaded, so set before any of them is.
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def set_threads(count: int) -> None:
    """Give every library that is loaded from now on the same number of threads, and of cores.

    The cores bind those too that take as many threads as they find cores, such as JAX.
    """
    for name in THREAD_VARIABLES:
        os.environ[name] = str(count)
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, cores[-count:])


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
        found.set_num_threads(int(os.environ.get(THREAD_VARIABLES[0], os.cpu_count() or 1)))
    return found


def jax() -> Any:
    return optional("jax")


def sklearn() -> Any:
    return optional("sklearn")


def compiler() -> Any:
    """Return ``aino.compile`` where AINO has it, else None."""
    import aino

    return getattr(aino, "compile", None)


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
        "load": list(os.getloadavg()) if hasattr(os, "getloadavg") else None,
        "versions": versions,
        "commit": _commit(),
    }


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
