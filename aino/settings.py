"""Settings by which PyTorch trades exactness for speed: here everything stays exact."""

from __future__ import annotations

_PRECISIONS = ("highest", "high", "medium")
_chosen = {"matmul": "highest", "deterministic": False}


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


def are_deterministic_algorithms_enabled() -> bool:
    """Return what was asked for last."""
    return bool(_chosen["deterministic"])
