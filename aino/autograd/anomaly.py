"""Anomaly detection: find the operation that first made a NaN, and the line that asked for it."""

from __future__ import annotations

from aino.autograd.mode import mode


class set_detect_anomaly:
    """Switch anomaly detection on or off: at once when called, until the end when entered.

    While it is on, every operation notes the user's line, and a backward pass in which a
    gradient becomes NaN raises ``AnomalyError``, which names the operation and that line.
    It slows everything down: for debugging only.

    Arguments:
        mode: True switches it on, False off.
        check_nan: look for NaN in backward passes; False notes the lines alone.

    >>> import aino
    >>> with aino.autograd.set_detect_anomaly(True):
    ...     aino.autograd.is_anomaly_enabled()
    True
    """

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self._before = _state()
        _set(bool(mode), bool(check_nan))

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_) -> None:
        _set(*self._before)


class detect_anomaly:
    """Find the operation that first makes a NaN, inside a ``with`` block.

    A backward pass in which a gradient becomes NaN raises ``AnomalyError``, which names the
    operation and the line that asked for it.

    Arguments:
        check_nan: look for NaN in backward passes; False notes the lines alone.

    >>> import aino
    >>> x = aino.tensor(0.0, requires_grad=True)
    >>> with aino.autograd.detect_anomaly():
    ...     y = aino.log(x) * 0.0
    ...     y.backward()
    Traceback (most recent call last):
        ...
    aino.errors.AnomalyError: LogBackward0 returned nan for its input 0...
    """

    def __init__(self, check_nan: bool = True) -> None:
        self.check_nan = bool(check_nan)
        self._before: list[tuple[bool, bool]] = []

    def __enter__(self) -> None:
        self._before.append(_state())
        _set(True, self.check_nan)

    def __exit__(self, *_) -> None:
        _set(*self._before.pop())


def set_anomaly_enabled(mode: bool, check_nan: bool = True) -> None:
    """Switch anomaly detection on or off for this thread, as ``set_detect_anomaly`` does.

    Arguments:
        mode: True switches it on, False off.
        check_nan: look for NaN in backward passes; False notes the lines alone.
    """
    _set(bool(mode), bool(check_nan))


def is_anomaly_enabled() -> bool:
    """Tell whether this thread detects anomalies."""
    return mode.anomaly


def is_anomaly_check_nan_enabled() -> bool:
    """Tell whether this thread's backward passes look for NaN."""
    return mode.check_nan


def _state() -> tuple[bool, bool]:
    return mode.anomaly, mode.check_nan


def _set(anomaly: bool, check_nan: bool) -> None:
    mode.anomaly = anomaly
    mode.check_nan = check_nan
    if mode.level:
        mode.level = mode.recording()
