"""A softmax over very many classes, of which the rare ones are looked at in clusters."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from aino import tracing
from aino.autograd.tensor import Tensor, make
from aino.errors import ArgumentError, BoundsError, ShapeError
from aino.nn import functional as F
from aino.nn.base.module import Module
from aino.nn.modules.container import ModuleList, Sequential
from aino.nn.modules.linear import Linear
from aino.ops.shape.joining import cat

__all__ = ["AdaptiveLogSoftmaxWithLoss"]


class ASMoutput(NamedTuple):
    """The logarithm of the right class's probability for each sample, and minus their mean."""

    output: Tensor
    loss: Tensor


class AdaptiveLogSoftmaxWithLoss(Module):
    """The logarithms of the right classes' probabilities, where classes stand in clusters.

    The head tells the first ``cutoffs[0]`` classes and the clusters apart; each cluster has two
    smaller matrices of its own, which are only multiplied for the samples that are in it. Called
    with an input (N, in_features) and classes (N,), or with one sample, it returns
    ``(output, loss)``: (N,) and their mean. Raises ``ValueError`` for cutoffs that do not rise.

    Arguments:
        in_features: how many numbers a sample has.
        n_classes: how many classes there are, the frequent ones first.
        cutoffs: where the clusters begin.
        div_value: by how much smaller each further cluster's matrices are.
        head_bias: the head has a shift.
        device: where the parameters are; there is only the CPU.
        dtype: of the parameters; the default dtype for None.

    Source: Grave et al., "Efficient softmax approximation for GPUs", 2017.

    >>> import aino
    >>> softmax = aino.nn.AdaptiveLogSoftmaxWithLoss(8, 20, cutoffs=[5, 10])
    >>> softmax(aino.zeros(3, 8), aino.tensor([0, 7, 19])).output.shape
    aino.Size([3])
    """

    def __init__(
        self,
        in_features: int,
        n_classes: int,
        cutoffs: Sequence[int],
        div_value: float = 4.0,
        head_bias: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        edges = list(cutoffs)
        if not edges:
            raise ValueError("cutoffs should be a sequence of length larger than 0")
        rising = all([low < high for low, high in itertools.pairwise([0, *edges, n_classes])])
        if not rising or any([int(edge) != edge for edge in edges]):
            raise ValueError(
                "cutoffs should be a sequence of unique, positive integers sorted in an increasing "
                f"order, where each value is between 1 and n_classes-1, got {edges}"
            )
        self.in_features = in_features
        self.n_classes = n_classes
        self.cutoffs = [*edges, n_classes]
        self.div_value = div_value
        self.head_bias = head_bias
        self.shortlist_size = edges[0]
        self.n_clusters = len(edges)
        self.head_size = self.shortlist_size + self.n_clusters
        made: dict[str, Any] = {"device": device, "dtype": dtype}
        self.head = Linear(in_features, self.head_size, bias=head_bias, **made)
        self.tail = ModuleList()
        for i in range(self.n_clusters):
            hidden = int(in_features // (div_value ** (i + 1)))
            size = self.cutoffs[i + 1] - self.cutoffs[i]
            first = Linear(in_features, hidden, bias=False, **made)
            self.tail.append(Sequential(first, Linear(hidden, size, bias=False, **made)))

    def reset_parameters(self) -> None:
        """Draw all matrices anew."""
        for module in self.modules():
            if isinstance(module, Linear):
                module.reset_parameters()

    def forward(self, input_: Tensor, target_: Tensor) -> ASMoutput:
        """Return the logarithms of the right classes' probabilities, and minus their mean.

        Arguments:
            input_: (N, in_features), or (in_features,).
            target_: the right classes (N,), or ().
        """
        if target_.ndim > 1 or input_.ndim != target_.ndim + 1:
            raise ShapeError(
                f"adaptive softmax takes inputs (N, {self.in_features}) and classes (N,), or one "
                f"sample, got {tuple(input_.shape)} and {tuple(target_.shape)}"
            )
        if target_.ndim and input_.shape[0] != target_.shape[0]:
            raise ShapeError("Input and target should have the same size in the batch dimension.")
        rows = input_ if target_.ndim else input_.unsqueeze(0)
        labels = target_.array.reshape((-1,))
        tracing.checked(_check, labels, self.n_classes)
        known = tracing.data_for_shape(
            labels, "AdaptiveLogSoftmaxWithLoss", "a cluster's rows are chosen by the classes"
        )
        head = F.log_softmax(self.head(rows), dim=1)
        order, found = [], []
        for i, (low, high) in enumerate(itertools.pairwise([0, *self.cutoffs])):
            places = np.flatnonzero((known >= low) & (known < high))
            if not places.size:
                continue
            at = make(places)
            own = make(known[places] - low)[:, None]
            part = head.index_select(0, at)
            if i:
                inside = F.log_softmax(self.tail[i - 1](rows.index_select(0, at)), dim=1)
                part = part[:, self.shortlist_size + i - 1] + inside.gather(1, own).squeeze(1)
            else:
                part = part.gather(1, own).squeeze(1)
            order.append(places)
            found.append(part)
        if not found:
            output = head.sum(1)
        else:
            output = cat(found).index_select(0, make(np.argsort(np.concatenate(order))))
        loss = (-output).mean()
        return ASMoutput(output if target_.ndim else output.squeeze(0), loss)

    def log_prob(self, input: Tensor) -> Tensor:
        """Return the logarithms of all classes' probabilities: (N, n_classes).

        Arguments:
            input: (N, in_features).
        """
        head = F.log_softmax(self.head(input), dim=1)
        parts = [head[:, : self.shortlist_size]]
        for i, cluster in enumerate(self.tail):
            place = self.shortlist_size + i
            parts.append(F.log_softmax(cluster(input), dim=1) + head[:, place : place + 1])
        return cat(parts, 1)

    def predict(self, input: Tensor) -> Tensor:
        """Return the most probable class of each sample: (N,).

        Arguments:
            input: (N, in_features).
        """
        return self.log_prob(input).argmax(1)


def _check(labels: Any, count: int) -> None:
    if labels.dtype.kind not in "iu":
        raise ArgumentError(f"classes are integers, not {labels.dtype}")
    if labels.size and (labels.min() < 0 or labels.max() >= count):
        raise BoundsError(
            f"Target values should be in [0, {count - 1}], but values in range "
            f"[{labels.min()}, {labels.max()}] were found."
        )
