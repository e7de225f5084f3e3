"""Draws from the default generator that start at a seed, whatever other threads draw meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock

from aino.ops.random.generator import fork_rng, manual_seed

# The default generator belongs to all threads of a process, and networks that are made, or learn,
# in several threads at once have to draw what each would draw alone.
_drawing = RLock()


@contextmanager
def seeded(seed: int | None, enabled: bool = True) -> Iterator[None]:
    """Draw from a generator that starts at ``seed``, and leave the default one as it was.

    Arguments:
        seed: where it starts; None goes on from where it is.
        enabled: False lets draws be as they are.
    """
    if not enabled:
        yield
        return
    with _drawing, fork_rng():
        if seed is not None:
            manual_seed(seed)
        yield
