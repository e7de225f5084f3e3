"""All processes that were started together: what they tell each other besides numbers.

A process that ends tells the others how far it has come, and one that has waited for a while what
it waits for. Nobody has to answer: who waits in vain finds the notices.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from typing import Any

import numpy as np

#: The tag of notices among all messages between processes.
_TAG = 31_417


class Job:
    """The processes that MPI has started, and what this one has heard of the others.

    ``ended``: those that have ended. ``left``: how many collectives each that has ended a group, or
    itself, had called in it. ``waiting``: the group, the number and the words of what each was last
    known to wait for.
    """

    def __init__(self, MPI: Any) -> None:
        self.MPI = MPI
        self.everybody = MPI.COMM_WORLD
        self.rank: int = self.everybody.Get_rank()
        self.size: int = self.everybody.Get_size()
        self.ended: set[int] = set()
        self.left: dict[int, dict[str, int]] = {}
        self.waiting: dict[int, tuple[str, int, str]] = {}
        #: Notices that are on their way: MPI reads them where they are.
        self._sent: list[tuple[Any, Any]] = []

    def tell(self, ranks: Iterable[int], **notice: Any) -> None:
        """Send a notice to some of the others, and go on."""
        text = np.frombuffer(json.dumps(notice).encode(), np.uint8)
        self._sent = [pair for pair in self._sent if not pair[0].Test()]
        for rank in ranks:
            if rank != self.rank:
                self._sent.append((self.everybody.Isend(text, rank, _TAG), text))

    def listen(self) -> None:
        """Take in the notices that have come."""
        status = self.MPI.Status()
        while (message := self.everybody.Improbe(self.MPI.ANY_SOURCE, _TAG, status)) is not None:
            text = np.empty(status.Get_count(self.MPI.BYTE), np.uint8)
            message.Recv(text)
            notice, rank = json.loads(text.tobytes()), status.Get_source()
            if "waiting" in notice:
                self.waiting[rank] = tuple(notice["waiting"])
            else:
                self.left.setdefault(rank, {}).update(notice["left"])
                if notice["ends"]:
                    self.ended.add(rank)

    def end(self, progress: dict[str, int]) -> None:
        """Tell the others that this process ends, and wait until all of them do.

        MPI does not end well while messages are on their way.
        """
        self.tell(range(self.size), left=progress, ends=True)
        while len(self.ended) < self.size - 1:
            self.listen()
            time.sleep(1e-3)

    def has_left(self, rank: int, group: str, number: int = 0) -> bool:
        """Tell whether a process has ended, or its group, before its collective of this number."""
        counts = self.left.get(rank, {})
        if number == 0:
            return rank in self.ended or group in counts
        return (rank in self.ended or group in counts) and counts.get(group, 0) < number

    def whereabouts(self, group: str, ranks: list[int], number: int) -> str:
        """Say who is not in the collective of this number, and what is known of each."""
        told = []
        for rank in ranks:
            where = self.waiting.get(rank)
            if rank == self.rank or (where is not None and where[:2] == (group, number)):
                continue
            if self.has_left(rank, group):
                told.append(f"rank {rank} has ended")
            elif where is not None and (where[0] != group or where[1] > number):
                told.append(f"rank {rank} was last heard of waiting in {where[2]}")
            else:
                told.append(f"rank {rank} has not come")
        return "; ".join(told)
