"""Work: something that processes do together, under way; how it goes on, and how long it may take.

Before numbers move, all processes of the group agree on what they are about to do: each sends a
number made of the name, the dtype and the shape, and the largest and the smallest of them have to
be the same. What differs is told to all in words, before anybody's memory is touched. So nothing
is ever added up that does not belong together, and nobody waits for another's other call.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import numpy as np

from aino.errors import DistBackendError, DistError

#: How many seconds a wait spins, and after how many the others are told of it.
SPIN, TELL = 0.002, 0.25
#: How long a process that sees others differ waits for their words.
_WORDS = 10.0
_LENGTH = 1024
#: Gives the core to another process that wants it.
_yield = getattr(os, "sched_yield", lambda: time.sleep(0))
#: What goes on is moved on by one thread at a time.
_moving = threading.RLock()
#: What MPI knows of work that nobody waits for any more.
_given_up: list[dict[str, Any]] = []
_headers: dict[tuple, tuple[str, Any]] = {}


def described(key: tuple) -> tuple[str, Any]:
    """Return a call in words, and the two numbers that have to be the largest everywhere.

    ``key``: the name, what else has to agree, the dtype and the shape, each possibly None.
    """
    known = _headers.get(key)
    if known is None:
        name, detail, dtype, shape = key
        text = name if not detail else f"{name} {detail}"
        if dtype is not None:
            text += f" of {dtype} {shape}"
        digest = hashlib.blake2b(text.encode(), digest_size=7).digest()
        number = int.from_bytes(digest, "big")
        if len(_headers) > 4096:
            _headers.clear()
        known = _headers[key] = (text, np.array([number, -number], np.int64))
    return known


class Work:
    """What was begun with ``async_op=True``: ``wait()`` for its end before its tensors are used.

    Arguments:
        group: the processes that take part.
        words: what it is, for errors.
        finish: called when the numbers have moved.
    """

    def __init__(self, group: Any, words: str, finish: Callable[[], None] | None = None) -> None:
        self.group = group
        self.words = words
        self.number = 0
        self._finish = finish
        self._request: Any = None
        self._done = False
        self._error: Exception | None = None
        #: Whether all others have come, and numbers move.
        self.moves = False
        #: Called once when it has come to its end, by whoever notices.
        self.then: Callable[[], None] | None = None

    def advance(self) -> bool:
        """Go on as far as others have come; tell whether what is behind may go on as well."""
        if self._request.Test():
            self.end()
        return True

    def end(self, error: Exception | None = None) -> None:
        """Come to the end."""
        if error is None:
            if self._finish is not None:
                self._finish()
            if self.then is not None:
                self.then()
        self._error, self._done = error, True
        self._request = self._finish = self.then = None

    def late(self, seconds: float) -> Exception:
        """Return what is raised where the others have not come in time."""
        return DistBackendError(
            f"{self.words}: the other process did not come within {seconds:g} s"
        )

    def lost(self) -> Exception | None:
        """Return what is raised where one has ended that is waited for, None while none has."""
        return None

    def is_completed(self) -> bool:
        """Tell whether it has come to its end."""
        if not self._done:
            self.group.move()
        return self._done

    def is_success(self) -> bool:
        """Tell whether it has come to a good end."""
        return self.is_completed() and self._error is None

    def exception(self) -> Exception | None:
        """Return what went wrong, if something did."""
        return self._error

    def synchronize(self) -> None:
        """Wait for the end, as ``wait()`` does."""
        self.wait()

    def wait(self, timeout: timedelta | None = None) -> bool:
        """Wait for the end; return True.

        Raises ``DistError`` where the processes call different things or one of them has ended,
        ``DistBackendError`` where not all come within ``timeout``, by default the group's.
        """
        if not self._done:
            limit = self.group.timeout if timeout is None else timeout
            self._wait(limit.total_seconds())
        if self._error is not None:
            raise self._error
        return True

    def _wait(self, seconds: float) -> None:
        move, start, told = self.group.move, time.perf_counter(), False
        while True:
            move()
            if self._done:
                return
            waited = time.perf_counter() - start
            if waited > TELL or waited > seconds / 2:
                told = self._look_around(told)
                if waited > seconds and not self._done:
                    self.give_up(self.late(seconds))
                    return
            # MPI moves numbers while it is asked: a nap would make it slow once all have come.
            if waited < SPIN or (self.moves and waited < TELL):
                _yield()
            else:
                time.sleep(min(waited / 20, 1e-3))

    def _look_around(self, told: bool) -> bool:
        """Tell the others that this process waits, and see whether it does so in vain."""
        job = self.group.job
        if job is not None:
            if not told:
                job.tell(self.group.ranks, waiting=(self.group.name, self.number, self.words))
            with _moving:
                job.listen()
            error = self.lost()
            if error is not None and not self._done:
                self.give_up(error)
        return True

    def give_up(self, error: Exception) -> None:
        """Come to a bad end; MPI may still write where it was told to, so that this is kept."""
        with _moving:
            if self in self.group.queue:
                self.group.queue.remove(self)
            _given_up.append(dict(vars(self)))
            self.end(error)


class Collective(Work):
    """What all processes of a group do: they agree, numbers move, and each takes its own.

    Arguments:
        group: the processes.
        key: what has to be the same everywhere: see ``described``.
        begin: begins to move numbers, and returns the request; None where nothing moves.
        finish: takes what has come.
    """

    def __init__(
        self,
        group: Any,
        key: tuple,
        begin: Callable[[], Any] | None,
        finish: Callable[[], None] | None = None,
    ) -> None:
        words, header = described(key)
        super().__init__(group, words, finish)
        self._begin = begin
        self._header = header.copy()
        with _moving:
            group.calls += 1
            self.number = group.calls
            if len(group.ranks) == 1:
                if begin is not None:
                    begin()
                self.end()
            else:
                self._request = group.channel.agree(self._header)
                group.queue.append(self)

    def advance(self) -> bool:
        if not self.moves:
            if not self._request.Test():
                return False  # numbers move in the same order everywhere
            if self._header[0] != -self._header[1]:
                self.end(self._disagreement())
                return True
            self.moves = True
            if self._begin is None:
                self.end()
                return True
            self._request = self._begin()
            self._begin = None
        if self._request.Test():
            self.end()
        return True

    def _disagreement(self) -> Exception:
        """Return the error that says what each process has called."""
        group = self.group
        mine = np.zeros(_LENGTH, np.uint8)
        text = self.words.encode()[:_LENGTH]
        mine[: len(text)] = np.frombuffer(text, np.uint8)
        every = np.zeros((len(group.ranks), _LENGTH), np.uint8)
        request = group.channel.exchange_texts(mine, every)
        start = time.perf_counter()
        while not request.Test():
            if time.perf_counter() - start > _WORDS:
                return DistError(f"{self.words}: another process has called something else")
            time.sleep(1e-4)
        calls = [bytes(row).rstrip(b"\0").decode(errors="replace") for row in every]
        told = "; ".join(f"rank {rank} {call}" for rank, call in zip(group.ranks, calls))
        return DistError(
            "the processes do not call the same with tensors of the same dtype and shape, so "
            f"nothing was exchanged: {told}"
        )

    def late(self, seconds: float) -> Exception:
        group = self.group
        told = group.job.whereabouts(group.name, group.ranks, self.number)
        return DistBackendError(
            f"{self.words}: not all {len(group.ranks)} ranks came within {seconds:g} s: {told}"
        )

    def lost(self) -> Exception | None:
        if self.moves:
            return None  # all were here
        group = self.group
        job, number = group.job, self.number
        ended = [rank for rank in group.ranks if job.has_left(rank, group.name, number)]
        if not ended:
            return None
        who = "rank" if len(ended) == 1 else "ranks"
        return DistError(
            f"{self.words}: {who} {', '.join(map(str, ended))} of {len(group.ranks)} ended without "
            "calling it"
        )
