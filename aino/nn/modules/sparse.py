"""Embedding and EmbeddingBag: a table of vectors, looked up by number."""

from __future__ import annotations

from typing import Any

from aino.autograd.mode import no_grad
from aino.autograd.tensor import Tensor
from aino.errors import ShapeError
from aino.nn import functional as F
from aino.nn import init
from aino.nn.base.module import TensorModule
from aino.nn.base.parameter import Parameter, empty_parameter

__all__ = ["Embedding", "EmbeddingBag"]


class Embedding(TensorModule):
    """Looks vectors up by their numbers: y = weight[x].

    ``weight`` (num_embeddings, embedding_dim) starts in N(0, 1), its row ``padding_idx`` as zeros.
    Input integers (*), output (*, embedding_dim). Raises ``IndexError`` for a number outside the
    table, ``ValueError`` for such a ``padding_idx``.

    Arguments:
        num_embeddings: how many vectors there are.
        embedding_dim: how many numbers each of them has.
        padding_idx: the row that gets no gradient; negative counts from the end.
        max_norm: rows that are longer are shortened to this, in place, when they are looked up.
        norm_type: p of the norm that ``max_norm`` is about.
        scale_grad_by_freq: divide a row's gradient by how often its number stands in the input.
        sparse: taken for PyTorch's sake; gradients are dense.
        _weight: the table to start with; ``from_pretrained`` gives it.
        _freeze: the table is not learned.
        device: where the table is; there is only the CPU.
        dtype: of the table; the default dtype for None.

    >>> import aino
    >>> aino.nn.Embedding(10, 4)(aino.tensor([[1, 2], [3, 4]])).shape
    aino.Size([2, 2, 4])
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        _weight: Any = None,
        _freeze: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if padding_idx is not None:
            if not -num_embeddings <= padding_idx < num_embeddings:
                raise ValueError(
                    f"padding_idx {padding_idx} is outside of {num_embeddings} embeddings"
                )
            padding_idx %= num_embeddings
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.padding_idx = padding_idx
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self.sparse = sparse
        if _weight is None:
            self.weight = empty_parameter((num_embeddings, embedding_dim), device, dtype)
            self.reset_parameters()
        else:
            if tuple(_weight.shape) != (num_embeddings, embedding_dim):
                raise ShapeError(
                    f"the weight has shape {tuple(_weight.shape)}, not "
                    f"{(num_embeddings, embedding_dim)}"
                )
            self.weight = Parameter(_weight)
        if _freeze:
            self.weight.requires_grad_(False)

    def reset_parameters(self) -> None:
        """Draw the table anew."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            with no_grad():
                init.zeros_(self.weight[self.padding_idx])

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Any,
        freeze: bool = True,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
    ) -> Any:
        """Return an Embedding over a given table.

        Raises ``ShapeError`` unless the table is a matrix.

        Arguments:
            embeddings: the table (num_embeddings, embedding_dim), whose memory is shared.
            freeze: the table is not learned; False learns it.
            padding_idx: the row that gets no gradient; it stays as it is given.
            max_norm: rows that are longer are shortened to this, in place, when they are looked up.
            norm_type: p of the norm that ``max_norm`` is about.
            scale_grad_by_freq: divide a row's gradient by how often its number stands in the input.
            sparse: taken for PyTorch's sake; gradients are dense.

        >>> import aino
        >>> table = aino.tensor([[0.0, 1.0], [2.0, 3.0]])
        >>> aino.nn.Embedding.from_pretrained(table)(aino.tensor([1]))
        tensor([[2., 3.]])
        """
        if embeddings.ndim != 2:
            raise ShapeError(f"a table of embeddings has 2 dimensions, not {embeddings.ndim}")
        rows, columns = embeddings.shape
        return cls(
            rows,
            columns,
            padding_idx=padding_idx,
            max_norm=max_norm,
            norm_type=norm_type,
            scale_grad_by_freq=scale_grad_by_freq,
            sparse=sparse,
            _weight=embeddings,
            _freeze=freeze,
        )

    def forward(self, input: Tensor) -> Tensor:
        """Return the rows with these numbers."""
        return F.embedding(
            input,
            self.weight,
            self.padding_idx,
            self.max_norm,
            self.norm_type,
            self.scale_grad_by_freq,
            self.sparse,
        )

    def extra_repr(self) -> str:
        parts = [f"{self.num_embeddings}, {self.embedding_dim}"]
        if self.padding_idx is not None:
            parts.append(f"padding_idx={self.padding_idx}")
        if self.max_norm is not None:
            parts.append(f"max_norm={self.max_norm}")
        if self.norm_type != 2:
            parts.append(f"norm_type={self.norm_type}")
        if self.scale_grad_by_freq:
            parts.append("scale_grad_by_freq=True")
        if self.sparse:
            parts.append("sparse=True")
        return ", ".join(parts)


class EmbeddingBag(TensorModule):
    """Sums, means or maxima of rows of a table, bag by bag, without the rows in between.

    ``weight`` (num_embeddings, embedding_dim) starts in N(0, 1), its row ``padding_idx`` as zeros.
    It is called with integers (bags, n), or (N,) and ``offsets`` (bags,), and returns (bags,
    embedding_dim). Raises ``IndexError`` for a number outside the table.

    Arguments:
        num_embeddings: how many vectors there are.
        embedding_dim: how many numbers each of them has.
        max_norm: rows that are longer are shortened to this, in place, when they are looked up.
        norm_type: p of the norm that ``max_norm`` is about.
        scale_grad_by_freq: divide a row's gradient by how often its number stands in the input.
        mode: "sum", "mean" or "max".
        sparse: taken for PyTorch's sake; gradients are dense.
        _weight: the table to start with; ``from_pretrained`` gives it.
        include_last_offset: the last of the offsets is the length of the input.
        padding_idx: the number that counts as absent; negative counts from the end.
        device: where the table is; there is only the CPU.
        dtype: of the table; the default dtype for None.

    >>> import aino
    >>> bag = aino.nn.EmbeddingBag(10, 4, mode="sum")
    >>> bag(aino.tensor([1, 2, 4, 5]), aino.tensor([0, 3])).shape
    aino.Size([2, 4])
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        _weight: Any = None,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        if padding_idx is not None:
            if not -num_embeddings <= padding_idx < num_embeddings:
                raise ValueError(
                    f"padding_idx {padding_idx} is outside of {num_embeddings} embeddings"
                )
            padding_idx %= num_embeddings
        self.padding_idx = padding_idx
        if _weight is None:
            self.weight = empty_parameter((num_embeddings, embedding_dim), device, dtype)
            self.reset_parameters()
        else:
            if tuple(_weight.shape) != (num_embeddings, embedding_dim):
                raise ShapeError(
                    f"the weight has shape {tuple(_weight.shape)}, not "
                    f"{(num_embeddings, embedding_dim)}"
                )
            self.weight = Parameter(_weight)
        self.mode = mode
        self.sparse = sparse
        self.include_last_offset = include_last_offset

    def reset_parameters(self) -> None:
        """Draw the table anew."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            with no_grad():
                init.zeros_(self.weight[self.padding_idx])

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Any,
        freeze: bool = True,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
    ) -> Any:
        """Return an EmbeddingBag over a given table.

        Raises ``ShapeError`` unless the table is a matrix.

        Arguments:
            embeddings: the table (num_embeddings, embedding_dim), whose memory is shared.
            freeze: the table is not learned; False learns it.
            max_norm: rows that are longer are shortened to this, in place, when they are looked up.
            norm_type: p of the norm that ``max_norm`` is about.
            scale_grad_by_freq: divide a row's gradient by how often its number stands in the input.
            mode: "sum", "mean" or "max".
            sparse: taken for PyTorch's sake; gradients are dense.
            include_last_offset: the last of the offsets is the length of the input.
            padding_idx: the number that counts as absent.

        >>> import aino
        >>> table = aino.tensor([[0.0, 1.0], [2.0, 3.0]])
        >>> aino.nn.EmbeddingBag.from_pretrained(table)(aino.tensor([[0, 1]]))
        tensor([[1., 2.]])
        """
        if embeddings.ndim != 2:
            raise ShapeError(f"a table of embeddings has 2 dimensions, not {embeddings.ndim}")
        rows, columns = embeddings.shape
        bag = cls(
            rows, columns, max_norm=max_norm, norm_type=norm_type,
            scale_grad_by_freq=scale_grad_by_freq, mode=mode, sparse=sparse, _weight=embeddings,
            include_last_offset=include_last_offset, padding_idx=padding_idx,
        )  # fmt: skip
        bag.weight.requires_grad_(not freeze)
        return bag

    def forward(
        self, input: Tensor, offsets: Tensor | None = None, per_sample_weights: Tensor | None = None
    ) -> Tensor:
        """Return what the rows of each bag give together.

        Arguments:
            input: the numbers: integers (bags, n), or (N,) with offsets.
            offsets: where each bag begins (bags,).
            per_sample_weights: factors in the input's shape, for the sum alone.
        """
        return F.embedding_bag(
            input, self.weight, offsets, self.max_norm, self.norm_type, self.scale_grad_by_freq,
            self.mode, self.sparse, per_sample_weights, self.include_last_offset, self.padding_idx,
        )  # fmt: skip

    def extra_repr(self) -> str:
        parts = [f"{self.num_embeddings}, {self.embedding_dim}"]
        if self.max_norm is not None:
            parts.append(f"max_norm={self.max_norm}")
        if self.norm_type != 2:
            parts.append(f"norm_type={self.norm_type}")
        if self.scale_grad_by_freq:
            parts.append("scale_grad_by_freq=True")
        parts.append(f"mode={self.mode!r}")
        if self.padding_idx is not None:
            parts.append(f"padding_idx={self.padding_idx}")
        return ", ".join(parts)
