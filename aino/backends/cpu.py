"""What the processor can do."""

from __future__ import annotations


def get_cpu_capability() -> str:
    """Return ``"DEFAULT"``: NumPy chooses its instructions itself, as the machine has them."""
    return "DEFAULT"
