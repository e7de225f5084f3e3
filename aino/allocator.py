"""The memory that arrays give back stays with the process, ready for the next ones.

The C library hands large blocks back to the system as soon as they are free, and the system
clears each page anew when it is asked again: a page fault for every 4 kB, which for large
temporaries takes as long as the arithmetic. ``keep_freed_memory`` tells glibc to keep up to 1 GB
instead. Who sets ``MALLOC_TRIM_THRESHOLD_`` or ``MALLOC_MMAP_THRESHOLD_`` in the environment has
decided for himself; elsewhere than on Linux nothing is changed.
"""

from __future__ import annotations

import ctypes
import os
import sys

#: Names of the settings in glibc's malloc.h: from which size on a block is mapped on its own, and
#: how much free memory at the top of the heap is kept.
_MMAP_THRESHOLD, _TRIM_THRESHOLD = -3, -1
_KEPT = 1 << 30


def keep_freed_memory() -> bool:
    """Tell the C library to keep what is freed; return whether it does."""
    chosen = "MALLOC_TRIM_THRESHOLD_" in os.environ or "MALLOC_MMAP_THRESHOLD_" in os.environ
    if chosen or not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):  # another C library than glibc
        return False
    return bool(mallopt(_MMAP_THRESHOLD, _KEPT) and mallopt(_TRIM_THRESHOLD, _KEPT))
