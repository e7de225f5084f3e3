"""Whose code and whose objects: AINO's own, the user's, or Python's."""

from __future__ import annotations

import functools
import os
import sys
import sysconfig

from aino.autograd.tensor import Tensor
from aino.user_warnings import OWN

PACKAGE = os.path.abspath(__file__).rpartition(f"compiler{os.sep}guards")[0]
_STANDARD = sysconfig.get_paths()["stdlib"] + os.sep
_INSTALLED = tuple({sysconfig.get_paths()[key] + os.sep for key in ("purelib", "platlib")})


def is_ours(filename: str) -> bool:
    """Tell whether code is AINO's, or NumPy's, which it calls."""
    return filename.startswith(OWN)


@functools.lru_cache(maxsize=4096)
def is_foreign(filename: str | None) -> bool:
    """Tell whether a file is AINO's, NumPy's or Python's own: what is known without reading it."""
    if filename is None or is_ours(filename) or filename.startswith("<frozen"):
        return True
    return filename.startswith(_STANDARD) and not filename.startswith(_INSTALLED)


def is_users_class(kind: type) -> bool:
    """Tell whether a class, as it stands, is the user's, or that of a library."""
    name = kind.__module__
    module = sys.modules.get(name)
    if name in sys.builtin_module_names and name != "__main__":
        return False
    file = getattr(module, "__file__", None)
    return file is None or not is_foreign(file)


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
