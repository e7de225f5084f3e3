"""How much of the machine others use while something is measured.

Libraries whose threads wait for each other by spinning become a hundred times slower when one of
their two cores is taken; such a turn says nothing about them.
"""

from __future__ import annotations

import os
import time

STAT = "/proc/stat"


class Neighbours:
    """Tells which part of the cores others have used since it was last asked, where it can."""

    def __init__(self) -> None:
        self._before = self._read()

    def share(self) -> float:
        """Return a number from 0 (nothing) to 1 (all cores), 0 where the system does not say."""
        before, self._before = self._before, self._read()
        elapsed, busy, own = (now - then for now, then in zip(self._before, before))
        if elapsed <= 0:
            return 0.0
        return max(0.0, busy - own) / (elapsed * (os.cpu_count() or 1))

    def _read(self) -> tuple[float, float, float]:
        """Return the seconds of the clock, of all processes, and of this one and its children."""
        return time.perf_counter(), _busy(), sum(os.times()[:4])


def _busy() -> float:
    try:
        with open(STAT, encoding="ascii") as lines:
            fields = [int(field) for field in lines.readline().split()[1:9]]
    except (OSError, ValueError):
        return 0.0
    user, nice, system, _idle, _iowait, irq, softirq, steal = fields
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")
