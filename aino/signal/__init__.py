"""Signals: ``torch.signal``'s names."""

from aino.signal import windows

__all__ = ["windows"]
