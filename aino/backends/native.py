"""The package ``aino-native``: whether it is there, and whether eager calls are made in C.

Compiled programs are walked in C, or not, as ``aino.compile(backend=)`` says.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from aino.native import found


def is_available() -> bool:
    """Tell whether the package is installed, and is for this AINO.

    >>> import aino
    >>> aino.backends.native.is_available() in (True, False)
    True
    """
    return found("Operation") is not None


def set_flags(enabled: bool) -> bool:
    """Say whether eager calls of elementwise operations are made in C; return whether they were.

    They are where the package is there, and give the same bits as in Python. Without the package
    this changes nothing, and False is returned.

    Arguments:
        enabled: False makes all calls in Python, in every thread.
    """
    switch = found("make_eager_calls")
    return switch is not None and switch(bool(enabled))


@contextlib.contextmanager
def flags(enabled: bool = False) -> Iterator[None]:
    """Make eager calls in C, or none, inside of the context.

    Arguments:
        enabled: False makes all calls in Python, in every thread.

    >>> import aino
    >>> with aino.backends.native.flags(enabled=False):
    ...     aino.tensor([1.0, 2.0]) * 2.0
    tensor([2., 4.])
    """
    before = set_flags(enabled)
    try:
        yield
    finally:
        set_flags(before)
