"""Whose code and whose objects: AINO's own, the user's, or a library's."""

from __future__ import annotations

import os
import sysconfig

import numpy as np

from aino.autograd.tensor import Tensor

PACKAGE = os.path.abspath(__file__).rpartition(f"compiler{os.sep}guards")[0]
_NUMPY = os.path.dirname(os.path.abspath(np.__file__)) + os.sep
_STANDARD = sysconfig.get_paths()["stdlib"]
_INSTALLED = (sysconfig.get_paths()["purelib"], sysconfig.get_paths()["platlib"])


def is_ours(filename: str) -> bool:
    """Tell whether code is AINO's, or NumPy's, which it calls."""
    return filename.startswith((PACKAGE, _NUMPY, "<primitive"))


def is_watched(owner) -> bool:
    """Tell whether an object is a model or an optimizer, which a program watches as a whole."""
    kind = type(owner)
    return hasattr(kind, "named_parameters") or hasattr(kind, "add_param_group")


def is_ours_type(owner) -> bool:
    """Tell whether an object is a tensor or another of AINO's own, whose state is known."""
    module = type(owner).__module__
    return isinstance(owner, Tensor) or (
        (module == "aino" or module.startswith("aino.")) and not is_watched(owner)
    )


def is_foreign(filename: str | None) -> bool:
    """Tell whether a file is AINO's, Python's own, or of a library that was installed."""
    return filename is None or is_ours(filename) or filename.startswith(
        ("<frozen", _STANDARD, *_INSTALLED)
    )  # fmt: skip
