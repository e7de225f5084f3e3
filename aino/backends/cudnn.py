"""cuDNN's switches: they can be set as for PyTorch, and nothing here reads them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

enabled = True
benchmark = False
benchmark_limit: int | None = None
deterministic = False
allow_tf32 = True


def is_available() -> bool:
    """Return False."""
    return False


def version() -> int | None:
    """Return None: there is no cuDNN."""
    return None


@contextmanager
def flags(**settings: Any) -> Iterator[None]:
    """Set switches for the length of a ``with`` block: ``flags(enabled=False)``.

    Raises ``TypeError`` for a switch that cuDNN does not have.
    """
    own = vars(sys.modules[__name__])
    known = ("enabled", "benchmark", "benchmark_limit", "deterministic", "allow_tf32")
    for name in settings:
        if name not in known:
            raise TypeError(f"{name!r} is no switch of cuDNN; there are {', '.join(known)}")
    before = {name: own[name] for name in settings}
    own.update(settings)
    try:
        yield
    finally:
        own.update(before)
