"""Sequences of different lengths: padded to one tensor, or packed step by step."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from aino.autograd.tensor import Tensor, make
from aino.errors import ArgumentError, ShapeError
from aino.ops.shape.joining import stack
from aino.ops.shape.padding import pad
from aino.tracing import data_for_shape

__all__ = [
    "PackedSequence", "invert_permutation", "pack_padded_sequence", "pack_sequence",
    "pad_packed_sequence", "pad_sequence", "unpack_sequence", "unpad_sequence",
]  # fmt: skip


class _Packed(NamedTuple):
    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None
    unsorted_indices: Tensor | None


class PackedSequence(_Packed):
    """Sequences of different lengths, the first elements of all, then the second, and so on.

    Made by ``pack_padded_sequence`` and ``pack_sequence``; recurrent layers take it.

    Arguments:
        data: the elements: (all of them, ...).
        batch_sizes: how many sequences have a first, second ... element: integers, never rising.
        sorted_indices: the order in which the sequences stand, None where it is their own.
        unsorted_indices: the way back, computed from that where it is None.

    >>> import aino
    >>> from aino.nn.utils.rnn import pack_sequence
    >>> packed = pack_sequence([aino.tensor([1.0, 2.0]), aino.tensor([3.0])])
    >>> packed.data, packed.batch_sizes
    (tensor([1., 3., 2.]), tensor([2, 1]))
    """

    __slots__ = ()

    def __new__(
        cls,
        data: Any,
        batch_sizes: Tensor | None = None,
        sorted_indices: Tensor | None = None,
        unsorted_indices: Tensor | None = None,
    ) -> PackedSequence:
        if batch_sizes is None:
            if not (isinstance(data, (list, tuple)) and len(data) == 2):
                raise ArgumentError(
                    "PackedSequence takes data and batch_sizes, or a pair of them as data"
                )
            data, batch_sizes = data
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def __getnewargs__(self) -> tuple:
        return tuple(self)

    def _with(self, data: Tensor) -> PackedSequence:
        return self if data is self.data else self._replace(data=data)

    def to(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """Return the sequences with their elements in another dtype; arguments as ``Tensor.to``."""
        return self._with(self.data.to(*args, **kwargs))

    def cpu(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """Return the sequences: they are on the CPU."""
        return self._with(self.data.cpu())

    def cuda(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """Raise: there is no CUDA device."""
        return self._with(self.data.cuda(*args, **kwargs))

    def pin_memory(self) -> PackedSequence:
        """Return the sequences: there is no device to pin memory for."""
        return self

    def is_pinned(self) -> bool:
        """Return False."""
        return False

    @property
    def is_cuda(self) -> bool:
        """False."""
        return False

    def double(self) -> PackedSequence:
        """Return the sequences in float64."""
        return self._with(self.data.double())

    def float(self) -> PackedSequence:
        """Return the sequences in float32."""
        return self._with(self.data.float())

    def half(self) -> PackedSequence:
        """Return the sequences in float16."""
        return self._with(self.data.half())

    def long(self) -> PackedSequence:
        """Return the sequences in int64."""
        return self._with(self.data.long())

    def int(self) -> PackedSequence:
        """Return the sequences in int32."""
        return self._with(self.data.int())

    def short(self) -> PackedSequence:
        """Return the sequences in int16."""
        return self._with(self.data.short())

    def char(self) -> PackedSequence:
        """Return the sequences in int8."""
        return self._with(self.data.char())

    def byte(self) -> PackedSequence:
        """Return the sequences in uint8."""
        return self._with(self.data.byte())


_OUTSIDE = "pack and unpack outside of what is compiled, or pass lengths that never change"


def _lengths(lengths: Any, name: str) -> np.ndarray:
    """Return lengths as integers."""
    if isinstance(lengths, Tensor):
        return data_for_shape(lengths.array, name, _OUTSIDE).astype(np.int64)
    return np.asarray([int(n) for n in lengths], np.int64)


def _sizes_of(lengths: np.ndarray) -> np.ndarray:
    """Return how many sequences have each element, from the first on."""
    steps = np.arange(int(lengths.max(initial=0)))
    return (lengths > steps[:, None]).sum(1)


def invert_permutation(permutation: Tensor | None) -> Tensor | None:
    """Return the permutation that undoes one; None for None.

    Arguments:
        permutation: integers from 0, each once.

    >>> import aino
    >>> aino.nn.utils.rnn.invert_permutation(aino.tensor([2, 0, 1]))
    tensor([1, 2, 0])
    """
    if permutation is None:
        return None
    order = data_for_shape(permutation.array, "invert_permutation", _OUTSIDE)
    inverse = np.empty_like(order)
    inverse[order] = np.arange(len(order))
    return make(inverse)


def pack_padded_sequence(
    input: Tensor,
    lengths: Tensor | Sequence[int],
    batch_first: bool = False,
    enforce_sorted: bool = True,
) -> PackedSequence:
    """Return the sequences of a padded tensor without their padding.

    Raises ``ArgumentError`` for lengths that are not from 1 up to the length of the tensor, and
    for those that rise where they have to be sorted; ``ShapeError`` where there are not as many as
    sequences.

    Arguments:
        input: (steps, batch, ...), or (batch, steps, ...) where ``batch_first``.
        lengths: how long each sequence is.
        batch_first: whether the batch is the first dimension.
        enforce_sorted: the lengths have to fall; False sorts the sequences, and remembers how.

    >>> import aino
    >>> x = aino.tensor([[1.0, 3.0], [2.0, 0.0]])
    >>> aino.nn.utils.rnn.pack_padded_sequence(x, [2, 1]).data
    tensor([1., 3., 2.])
    """
    if input.ndim < 2:
        raise ShapeError(
            f"pack_padded_sequence takes (steps, batch, ...), got shape {tuple(input.shape)}"
        )
    counts = _lengths(lengths, "pack_padded_sequence")
    batch_dim = 0 if batch_first else 1
    batch, steps = input.shape[batch_dim], input.shape[1 - batch_dim]
    if not input.numel():
        raise ArgumentError("pack_padded_sequence: cannot pack empty tensors")
    if counts.shape != (batch,):
        raise ShapeError(
            f"pack_padded_sequence: expected `len(lengths)` to be equal to batch_size, but got "
            f"{len(counts)} (batch_size={batch})"
        )
    if counts.min() <= 0 or counts.max() > steps:
        raise ArgumentError(
            f"pack_padded_sequence: length of all samples has to be greater than 0, and at most "
            f"the {steps} steps that the input has, but got {counts.tolist()}"
        )
    order = None
    if not enforce_sorted:
        order = np.argsort(-counts, kind="stable")
        counts = counts[order]
    elif (counts[1:] > counts[:-1]).any():
        raise ArgumentError(
            "pack_padded_sequence: `lengths` must be sorted in decreasing order when "
            "`enforce_sorted` is True; pass enforce_sorted=False to have the sequences sorted"
        )
    sizes = _sizes_of(counts)
    places = np.arange(batch) if order is None else order
    number = [places[:n] * steps + t if batch_first else places[:n] + t * batch
              for t, n in enumerate(sizes)]  # fmt: skip
    flat = input.reshape(batch * steps, *input.shape[2:])
    data = flat.index_select(0, make(np.concatenate(number)))
    return PackedSequence(data, make(sizes), None if order is None else make(order))


def pad_packed_sequence(
    sequence: PackedSequence,
    batch_first: bool = False,
    padding_value: float = 0.0,
    total_length: int | None = None,
) -> tuple[Tensor, Tensor]:
    """Return packed sequences padded to one length, in the order that they had, and their lengths.

    Raises ``ArgumentError`` for a total length that is shorter than the longest sequence.

    Arguments:
        sequence: what ``pack_padded_sequence`` or a recurrent layer returned.
        batch_first: return (batch, steps, ...); False returns (steps, batch, ...).
        padding_value: what stands behind the end of a sequence.
        total_length: how many steps there are; None takes those of the longest sequence.

    >>> import aino
    >>> from aino.nn.utils.rnn import pack_sequence, pad_packed_sequence
    >>> packed = pack_sequence([aino.tensor([1.0, 2.0]), aino.tensor([3.0])])
    >>> pad_packed_sequence(packed)
    (tensor([[1., 3.],
            [2., 0.]]), tensor([2, 1]))
    """
    sizes = _lengths(sequence.batch_sizes, "pad_packed_sequence")
    steps = len(sizes)
    if total_length is not None:
        if total_length < steps:
            raise ArgumentError(
                "expected total_length to be at least the length of the longest sequence in "
                f"input, but got total_length={total_length} and max sequence length being {steps}"
            )
        steps = total_length
    batch = int(sizes[0])
    rows, there = np.zeros((steps, batch), np.int64), np.zeros((steps, batch), bool)
    start = 0
    for t, n in enumerate(sizes):
        rows[t, :n], there[t, :n] = np.arange(start, start + n), True
        start += n
    lengths = there.sum(0)
    if sequence.unsorted_indices is not None:
        order = _lengths(sequence.unsorted_indices, "pad_packed_sequence")
        rows, there, lengths = rows[:, order], there[:, order], lengths[order]
    if batch_first:
        rows, there = rows.T, there.T
    data = sequence.data
    padded = data.index_select(0, make(np.ascontiguousarray(rows).reshape(-1)))
    padded = padded.reshape(*rows.shape, *data.shape[1:])
    if not there.all():
        missing = ~there.reshape(*there.shape, *[1] * (data.ndim - 1))
        padded = padded.masked_fill(make(missing), padding_value)
    return padded, make(lengths)


def pad_sequence(
    sequences: Tensor | Iterable[Tensor],
    batch_first: bool = False,
    padding_value: float = 0.0,
    padding_side: str = "right",
) -> Tensor:
    """Return sequences padded to the length of the longest, as one tensor.

    Raises ``ShapeError`` where their other dimensions differ, or there is none.

    Arguments:
        sequences: tensors (length, ...), all dimensions but the first the same.
        batch_first: return (batch, steps, ...); False returns (steps, batch, ...).
        padding_value: what is added.
        padding_side: "right" adds behind the end, "left" before the beginning.

    >>> import aino
    >>> aino.nn.utils.rnn.pad_sequence([aino.tensor([1, 2]), aino.tensor([3])], batch_first=True)
    tensor([[1, 2],
            [3, 0]])
    """
    if not isinstance(sequences, Iterable):
        raise ArgumentError(
            "pad_sequence: expected iterable for input sequences, but got arg of type: "
            f"{type(sequences).__name__}"
        )
    sequences = list(sequences)
    if not sequences:
        raise ShapeError("pad_sequence: received an empty list of sequences")
    if padding_side not in ("left", "right"):
        raise ArgumentError(
            f"pad_sequence: expected padding_side to be one of left or right, but got "
            f"{padding_side!r}"
        )
    longest = max([x.shape[0] for x in sequences])
    inner = sequences[0].shape[1:]
    padded = []
    for x in sequences:
        if x.shape[1:] != inner:
            raise ShapeError(
                f"pad_sequence: all dimensions but the first have to be the same, got shapes "
                f"{tuple(sequences[0].shape)} and {tuple(x.shape)}"
            )
        room = longest - x.shape[0]
        sides = (0, 0) * len(inner) + ((room, 0) if padding_side == "left" else (0, room))
        padded.append(pad(x, sides, value=padding_value) if room else x)
    return stack(padded, 0 if batch_first else 1)


def unpad_sequence(
    padded_sequences: Tensor, lengths: Tensor, batch_first: bool = False
) -> list[Tensor]:
    """Return the sequences of a padded tensor, each of its own length, as a list.

    Arguments:
        padded_sequences: (steps, batch, ...), or (batch, steps, ...) where ``batch_first``.
        lengths: how long each sequence is.
        batch_first: whether the batch is the first dimension.

    >>> import aino
    >>> x = aino.tensor([[1, 2], [3, 0]])
    >>> aino.nn.utils.rnn.unpad_sequence(x, aino.tensor([2, 1]), batch_first=True)
    [tensor([1, 2]), tensor([3])]
    """
    counts = _lengths(lengths, "unpad_sequence").tolist()
    if not batch_first:
        padded_sequences = padded_sequences.transpose(0, 1)
    if len(counts) != padded_sequences.shape[0]:
        raise ShapeError(
            f"unpad_sequence: there are {padded_sequences.shape[0]} sequences, and {len(counts)} "
            "lengths"
        )
    return [x[:count] for x, count in zip(padded_sequences, counts)]


def pack_sequence(sequences: Sequence[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """Return sequences of different lengths packed together.

    Arguments:
        sequences: tensors (length, ...), all dimensions but the first the same.
        enforce_sorted: the lengths have to fall; False sorts the sequences, and remembers how.

    >>> import aino
    >>> aino.nn.utils.rnn.pack_sequence([aino.tensor([1, 2]), aino.tensor([3])]).batch_sizes
    tensor([2, 1])
    """
    lengths = [x.shape[0] for x in sequences]
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """Return packed sequences as a list, in the order that they had.

    Arguments:
        packed_sequences: what ``pack_sequence`` or a recurrent layer returned.

    >>> import aino
    >>> from aino.nn.utils.rnn import pack_sequence, unpack_sequence
    >>> unpack_sequence(pack_sequence([aino.tensor([1, 2]), aino.tensor([3])]))
    [tensor([1, 2]), tensor([3])]
    """
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)
