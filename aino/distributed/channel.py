"""What carries numbers between processes: an MPI communicator, or nothing where there is one.

Every method begins something and returns a request, whose ``Test()`` says whether it is done.
Arrays are contiguous; where an operation writes, it writes into them.
"""

from __future__ import annotations

from typing import Any


class Channel:
    """An MPI communicator: the processes of one group."""

    def __init__(self, communicator: Any, MPI: Any) -> None:
        self.communicator = communicator
        self.MPI = MPI

    def all_reduce(self, array: Any, how: str) -> Any:
        """Begin to put together the arrays of all processes, in place."""
        operation = getattr(self.MPI, how)
        return self.communicator.Iallreduce(self.MPI.IN_PLACE, array, operation)

    def broadcast(self, array: Any, root: int) -> Any:
        """Begin to write what the process ``root`` has into the arrays of all."""
        return self.communicator.Ibcast(array, root)

    def all_gather(self, array: Any, result: Any) -> Any:
        """Begin to write the arrays of all processes, one after the other, into ``result``."""
        return self.communicator.Iallgather(array, result)

    def abort(self, code: int) -> None:
        """End all processes at once."""
        self.MPI.COMM_WORLD.Abort(code)


class _Done:
    """The request of what is done when it begins."""

    def Test(self) -> bool:
        return True


class Solo:
    """A channel of one process: what it sends, it receives."""

    def all_reduce(self, array: Any, how: str) -> Any:
        return _Done()

    def broadcast(self, array: Any, root: int) -> Any:
        return _Done()

    def all_gather(self, array: Any, result: Any) -> Any:
        result.reshape(-1)[...] = array.reshape(-1)
        return _Done()
