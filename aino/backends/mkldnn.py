"""Whether AINO itself uses Intel's oneDNN: it does not. Products are those of NumPy's BLAS."""

from __future__ import annotations

enabled = True
deterministic = False


def is_available() -> bool:
    """Return False."""
    return False
