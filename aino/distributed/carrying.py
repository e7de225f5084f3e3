"""How an exchange of tensors is carried out: now, later, or in a trace."""

from __future__ import annotations

from typing import Any

from aino.autograd.tensor import Tensor
from aino.distributed.groups import ProcessGroup, chosen
from aino.distributed.operands import note_written
from aino.distributed.work import Work
from aino.errors import ArgumentError
from aino.tracing import session


class Done(Work):
    """Work that was done when it was asked for."""

    def __init__(self, group: Any, words: str) -> None:
        super().__init__(group, words)
        self._done = True


def carry_out(
    kernel: Any, arguments: tuple, written: list[Tensor], name: str, async_op: bool
) -> Work | None:
    """Make an exchange; return its work where it was asked for, and None otherwise.

    In a trace everything is done where it is begun.
    """

    def note() -> None:
        for tensor in written:
            note_written(tensor, name)

    if async_op and session.trace is None and session.call is None and not session.rehearses:
        work = kernel.begin(*arguments)
        if work._done:
            note()
        else:
            work.then = note
        return work
    kernel(*arguments)
    note()
    return Done(arguments[0], name) if async_op else None


def root_of(
    group: ProcessGroup, among_all: int | None, in_group: int | None, what: str, word: str
) -> int:
    """Return the rank in the group of the process that is meant by one of two numbers."""
    if in_group is not None:
        if among_all is not None:
            raise ValueError(f"{what}: Can't specify both {word} and group_{word}")
        if not 0 <= in_group < len(group.ranks):
            raise ArgumentError(
                f"{what}: group_{word} is {in_group}, and the group's ranks go from 0 to "
                f"{len(group.ranks) - 1}"
            )
        return in_group
    if among_all is None:
        raise ValueError(f"{what}: Must specify {word} or group_{word}")
    if among_all not in group.ranks:
        raise ArgumentError(
            f"{what}: {word} is {among_all}, which is none of the group's ranks {group.ranks}"
        )
    return group.ranks.index(among_all)


def member(group: Any, name: str) -> ProcessGroup | None:
    """Return the group that is meant; None, with a warning, where this process is not in it."""
    return chosen(group, name)
