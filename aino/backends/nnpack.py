"""Whether AINO itself uses NNPACK: it does not."""

from __future__ import annotations


def is_available() -> bool:
    """Return False."""
    return False
