"""Warnings that point at the line of the user's that they are about, however deep they arise."""

from __future__ import annotations

import os
import sys
import warnings

import numpy as np

_HERE = os.path.dirname(os.path.abspath(__file__)) + os.sep
_NUMPY = os.path.dirname(os.path.abspath(np.__file__)) + os.sep
#: Where AINO's own code comes from: its files, NumPy's between them, and what it has written.
OWN = (_HERE, _NUMPY, "<primitive", "<program", "<dispatch")


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the innermost line that is not AINO's own."""
    frame, level = sys._getframe(1), 2
    while frame.f_code.co_filename.startswith(OWN) and frame.f_back is not None:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)
