"""``info``: what is in a file; without one, what is in this installation."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import sys
from typing import Any

import numpy as np

import aino
from aino.command_line.models import check_file
from aino.dit.info import table
from aino.formats.identify import kind_of

HELP = "what is in a file: architecture, tensors, sizes; without one: versions, for a bug report"
DESCRIPTION = """\
Say what is in a .dit, .safetensors, .pt, .pth or .onnx: the architecture where
there is one, every tensor with its dtype, shape and size, and the metadata. No
code from the file is run.

Without a file it says which versions of what are installed: put that into a
report of a bug.
"""
EXAMPLES = """\
examples:
  python -m aino info
  python -m aino info model.dit
  python -m aino info weights.safetensors | head
"""

#: What AINO works with where it is there.
_OTHERS = (
    "graphviz", "tqdm", "scikit-learn", "scipy", "pandas", "matplotlib", "onnx", "onnxruntime",
    "safetensors", "mpi4py", "threadpoolctl", "torch", "jax",
)  # fmt: skip
#: What decides over threads and memory from outside.
_VARIABLES = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "MALLOC_TRIM_THRESHOLD_",
    "MALLOC_MMAP_THRESHOLD_", "PYTHONHASHSEED",
)  # fmt: skip


def add(command: Any) -> None:
    """Describe the command's arguments."""
    command.add_argument("file", metavar="FILE", nargs="?", help="a file; none for the versions")


def run(chosen: Any) -> str:
    """Return what is said of the file, or of the installation."""
    if chosen.file is None:
        return versions()
    check_file(chosen.file)
    return (
        _of_onnx(chosen.file)
        if kind_of(chosen.file) == "onnx"
        else aino.formats.describe(chosen.file)
    )


def versions() -> str:
    """Return the versions of everything that computes here, a line each."""
    rows = [
        ("aino", f"{aino.__version__} ({os.path.dirname(aino.__file__)})"),
        ("python", f"{platform.python_version()} ({platform.python_implementation()}, {_build()})"),
        ("numpy", np.__version__),
        ("BLAS", _blas()),
        ("threads", f"{aino.get_num_threads()} of {os.cpu_count()} cores"),
        ("native", _native()),
        ("platform", f"{platform.platform()}, {platform.machine()}"),
        ("dot", shutil.which("dot") or "not there"),
    ]
    rows += [(name, _version(name) or "not there") for name in _OTHERS]
    rows += [(name, os.environ[name]) for name in _VARIABLES if name in os.environ]
    width = max(len(name) for name, _ in rows)
    return "\n".join([f"{name:<{width}}  {text}" for name, text in rows])


def _build() -> str:
    enabled = getattr(sys, "_is_gil_enabled", None)
    free = "" if enabled is None or enabled() else ", free-threaded"
    return f"{sys.maxsize.bit_length() + 1} bit{free}"


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _blas() -> str:
    found: Any = np.show_config(mode="dicts")
    blas = found.get("Build Dependencies", {}).get("blas", {})
    return f"{blas.get('name', 'unknown')} {blas.get('version', '')}".strip()


def _native() -> str:
    try:
        import aino_native
    except ImportError:
        return "not there (pip install 'aino[native]' has programs walked in C)"
    version = _version("aino-native")
    return version or f"{getattr(aino_native, '__version__', 'there')}"


def _of_onnx(path: str) -> str:
    """Return what is in a file in ONNX: its inputs, its operators, its tensors."""
    module = aino.onnx.load(path)
    tensors = [*module.named_parameters(), *module.named_buffers()]
    rows = [(name, str(t.array.dtype), tuple(t.shape), t.array.nbytes) for name, t in tensors]
    head = f"{path}: a model in ONNX, {os.path.getsize(path):,} bytes"
    return "\n".join([head, repr(module), *table(rows)])
