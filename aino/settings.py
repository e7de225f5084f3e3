"""Settings by which PyTorch trades exactness for speed: here everything stays exact."""

from __future__ import annotations

_PRECISIONS = ("highest", "high", "medium")
_DEBUG_MODES = ("default", "warn", "error")
_chosen = {"matmul": "highest", "deterministic": False, "warn_only": False, "warn_always": False}


def set_float32_matmul_precision(precision: str) -> None:
    """Allow products of float32 matrices to be less exact, which AINO's never are.

    ``precision`` is ``"highest"``, ``"high"`` or ``"medium"``; raises ``ValueError`` for another.
    """
    if precision not in _PRECISIONS:
        raise ValueError(f"precision is one of {', '.join(_PRECISIONS)}, not {precision!r}")
    _chosen["matmul"] = precision


def get_float32_matmul_precision() -> str:
    """Return what was allowed last."""
    return str(_chosen["matmul"])


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Ask for results that are the same at each run, which AINO's always are.

    Arguments:
        mode: whether they are asked for.
        warn_only: PyTorch's choice between a warning and an error; there is nothing to warn of.
    """
    _chosen["deterministic"] = bool(mode)
    _chosen["warn_only"] = bool(mode and warn_only)


def are_deterministic_algorithms_enabled() -> bool:
    """Return what was asked for last."""
    return bool(_chosen["deterministic"])


def is_deterministic_algorithms_warn_only_enabled() -> bool:
    """Return whether a warning was asked for last, in the place of an error."""
    return bool(_chosen["warn_only"])


def set_deterministic_debug_mode(debug_mode: int | str) -> None:
    """Ask for results that are the same at each run, by a word or its number.

    ``debug_mode`` is ``"default"`` or 0, ``"warn"`` or 1, ``"error"`` or 2: results are the same
    in any of them. Raises ``ValueError`` for another.

    >>> import aino
    >>> aino.set_deterministic_debug_mode("warn")
    >>> aino.get_deterministic_debug_mode()
    1
    >>> aino.set_deterministic_debug_mode(0)
    """
    named = _DEBUG_MODES.index(debug_mode) if debug_mode in _DEBUG_MODES else debug_mode
    if not isinstance(named, int) or not 0 <= named < len(_DEBUG_MODES):
        raise ValueError(
            f"debug_mode is one of {', '.join(_DEBUG_MODES)}, or 0, 1, 2, not {debug_mode!r}"
        )
    use_deterministic_algorithms(named > 0, warn_only=named == 1)


def get_deterministic_debug_mode() -> int:
    """Return what was asked for last: 0 for nothing, 1 for a warning, 2 for an error."""
    return 0 if not _chosen["deterministic"] else 1 if _chosen["warn_only"] else 2


def set_warn_always(b: bool) -> None:
    """Ask for each warning as often as there is reason, which Python's filters decide here."""
    _chosen["warn_always"] = bool(b)


def is_warn_always_enabled() -> bool:
    """Return what was asked for last."""
    return bool(_chosen["warn_always"])


def set_flush_denormal(mode: bool) -> bool:
    """Return False: numbers too small for their exponent are computed with, and never flushed."""
    return False
