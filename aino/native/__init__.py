"""The package ``aino-native``, where one is installed that is for this AINO, and what C is told."""

from __future__ import annotations

import _thread
import functools
import sys
import threading
import warnings
from typing import Any

from aino.autograd.mode import mode
from aino.tracing import session

#: The form in which it is told what to do; a package of another one is not used.
FORMAT = 6


@functools.cache
def native_package() -> Any:
    """Return the package, None where there is none for this AINO."""
    try:
        import aino_native
    except ImportError:
        return None
    if aino_native.FORMAT != FORMAT:
        warnings.warn(
            f"aino-native {aino_native.__version__} is for another version of AINO and is not "
            "used: pip install --upgrade 'aino[native]'",
            stacklevel=2,
        )
        return None
    return aino_native


def found(name: str) -> Any:
    """Return what the package has under a name, None where there is none for this AINO.

    Nor is there where threads run Python at the same time, or stand for what others switch between
    by themselves, as gevent does: it relies on the interpreter's lock, and on what a thread's is.
    """
    ordinary = (
        getattr(sys, "_is_gil_enabled", lambda: True)()
        and isinstance(mode, _thread._local)
        and isinstance(session, _thread._local)
        and type(threading.RLock()) is _thread.RLock
    )
    return getattr(native_package(), name, None) if ordinary else None
