"""What carries numbers between processes: an MPI communicator, or nothing where there is one.

Every method begins something and returns a request, whose ``Test()`` says whether it is done.
Arrays are contiguous, and where something is written, it is written into them. What is only moved
goes as bytes, so that every dtype can be.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def as_bytes(array: Any) -> Any:
    """Return the memory of a contiguous array as bytes."""
    return array.reshape(-1).view(np.uint8)


#: MPI's operations, and those that are made of NumPy's, by their names.
_operations: dict[str, Any] = {}


def _operation(MPI: Any, how: str) -> Any:
    """Return what MPI puts numbers together by; ``"MIN f"`` is the least, or NaN, of float32."""
    found = _operations.get(how)
    if found is None:
        name, _, char = how.partition(" ")
        found = getattr(MPI, name)
        if char:
            function, dtype = {"MIN": np.minimum, "MAX": np.maximum}[name], np.dtype(char)

            def combine(mine: Any, others: Any, kind: Any) -> None:
                target = np.frombuffer(others, dtype)
                function(np.frombuffer(mine, dtype), target, out=target)

            found = MPI.Op.Create(combine, commute=True)
        _operations[how] = found
    return found


class Channel:
    """An MPI communicator: the processes of one group, with one more for what they agree on."""

    def __init__(self, MPI: Any, numbers: Any, words: Any) -> None:
        self.MPI = MPI
        self.numbers = numbers
        self.words = words

    # Numbers

    def all_reduce(self, array: Any, how: str) -> Any:
        """Begin to put together the arrays of all processes, in place."""
        return self.numbers.Iallreduce(self.MPI.IN_PLACE, array, _operation(self.MPI, how))

    def reduce(self, array: Any, result: Any, how: str, root: int) -> Any:
        """Begin to put together the arrays of all processes, into ``result`` in ``root``."""
        return self.numbers.Ireduce(array, result, _operation(self.MPI, how), root)

    def reduce_scatter(self, parts: Any, result: Any, how: str) -> Any:
        """Begin to put together part i of all processes, into ``result`` in the process i."""
        return self.numbers.Ireduce_scatter_block(parts, result, _operation(self.MPI, how))

    def broadcast(self, array: Any, root: int) -> Any:
        """Begin to write what the process ``root`` has into the arrays of all."""
        return self.numbers.Ibcast(as_bytes(array), root)

    def all_gather(self, array: Any, result: Any) -> Any:
        """Begin to write the arrays of all processes, one after the other, into ``result``."""
        return self.numbers.Iallgather(as_bytes(array), as_bytes(result))

    def gather(self, array: Any, result: Any, root: int) -> Any:
        """Begin to write the arrays of all processes into ``result`` in the process ``root``."""
        return self.numbers.Igather(
            as_bytes(array), None if result is None else as_bytes(result), root
        )

    def scatter(self, parts: Any, array: Any, root: int) -> Any:
        """Begin to write part i of what the process ``root`` has into the array of process i."""
        return self.numbers.Iscatter(
            None if parts is None else as_bytes(parts), as_bytes(array), root
        )

    def all_to_all(self, parts: Any, sent: list[int], result: Any, received: list[int]) -> Any:
        """Begin to send each process its part; ``sent`` and ``received`` are lengths in bytes."""
        starts = [[sum(n[:i]) for i in range(len(n))] for n in (sent, received)]
        return self.numbers.Ialltoallv(
            [as_bytes(parts), (sent, starts[0]), self.MPI.BYTE],
            [as_bytes(result), (received, starts[1]), self.MPI.BYTE],
        )

    # From one to one: the receiver learns the length before it makes room.

    def send(self, message: Any, destination: int, tag: int) -> Any:
        """Begin to send bytes."""
        return self.numbers.Isend(message, destination, tag)

    def arrived(self, source: int | None, tag: int) -> tuple[Any, int, Any] | None:
        """Return the request, the source and the memory of a message that is there, else None."""
        status = self.MPI.Status()
        source = self.MPI.ANY_SOURCE if source is None else source
        message = self.numbers.Improbe(source, tag, status)
        if message is None:
            return None
        memory = np.empty(status.Get_count(self.MPI.BYTE), np.uint8)
        return message.Irecv(memory), status.Get_source(), memory

    # Words

    def agree(self, header: Any) -> Any:
        """Begin to find the largest of each number among all processes, in place."""
        return self.words.Iallreduce(self.MPI.IN_PLACE, header, self.MPI.MAX)

    def exchange_texts(self, mine: Any, all_of_them: Any) -> Any:
        """Begin to collect texts of one length from all processes."""
        return self.words.Iallgather(mine, all_of_them)

    def part(self, ranks: list[int], tag: int) -> Any:
        """Begin a channel of some of the processes, of which this is one."""
        members = self.numbers.Get_group().Incl(ranks)
        numbers = self.numbers.Create_group(members, tag)
        return Channel(self.MPI, numbers, numbers.Dup())

    def clear(self) -> None:
        """Take in messages that nobody has received."""
        status = self.MPI.Status()
        while True:
            message = self.numbers.Improbe(self.MPI.ANY_SOURCE, self.MPI.ANY_TAG, status)
            if message is None:
                return
            message.Recv(np.empty(status.Get_count(self.MPI.BYTE), np.uint8))


class _Done:
    """The request of what is done when it begins."""

    def Test(self) -> bool:
        return True


_DONE = _Done()


class Solo:
    """A channel of one process: what it sends, it receives."""

    def all_reduce(self, array: Any, how: str) -> Any:
        return _DONE

    def reduce(self, array: Any, result: Any, how: str, root: int) -> Any:
        return self.all_gather(array, result)

    def reduce_scatter(self, parts: Any, result: Any, how: str) -> Any:
        return self.all_gather(parts, result)

    def broadcast(self, array: Any, root: int) -> Any:
        return _DONE

    def all_gather(self, array: Any, result: Any) -> Any:
        as_bytes(result)[...] = as_bytes(array)
        return _DONE

    def gather(self, array: Any, result: Any, root: int) -> Any:
        return self.all_gather(array, result)

    def scatter(self, parts: Any, array: Any, root: int) -> Any:
        return self.all_gather(parts, array)

    def all_to_all(self, parts: Any, sent: list[int], result: Any, received: list[int]) -> Any:
        return self.all_gather(parts, result)
