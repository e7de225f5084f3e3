"""Whether Apple's Metal is there: it is not."""

from __future__ import annotations


def is_available() -> bool:
    """Return False: AINO computes on the CPU."""
    return False


def is_built() -> bool:
    """Return False."""
    return False
