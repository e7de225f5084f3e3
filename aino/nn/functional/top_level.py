"""Functions of ``nn.functional`` as the ``aino`` namespace has them, in PyTorch's order there.

What ``nn.functional`` takes by name, ``reduction="mean"``, is a number here: 0 for ``"none"``, 1
for ``"mean"``, 2 for ``"sum"``. Unless it is given the losses are not reduced, as in PyTorch.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.autograd.tensor import Tensor, make
from aino.errors import ArgumentError
from aino.nn import functional as F
from aino.nn.functional.conv import convolution
from aino.nn.functional.dropout import _drop_channels
from aino.nn.functional.embedding_bag import MODES, bagged
from aino.nn.functional.reduction import reduced
from aino.nn.functional.sparse import shorten_rows
from aino.ops.creation.filled import ones_like

__all__ = [
    "alpha_dropout", "alpha_dropout_", "bilinear", "binary_cross_entropy_with_logits", "celu_",
    "conv1d", "conv2d", "conv3d", "conv_tbc", "conv_transpose1d", "conv_transpose2d",
    "conv_transpose3d", "convolution", "cosine_embedding_loss", "cosine_similarity",
    "ctc_loss", "dropout", "dropout_", "embedding", "embedding_bag", "embedding_renorm_",
    "feature_alpha_dropout", "feature_alpha_dropout_", "feature_dropout", "feature_dropout_",
    "hinge_embedding_loss", "kl_div", "layer_norm", "margin_ranking_loss", "native_dropout",
    "native_layer_norm", "pairwise_distance", "pdist", "poisson_nll_loss", "rms_norm",
    "rrelu_", "selu_", "threshold_", "triplet_margin_loss",
]  # fmt: skip

bilinear = F.bilinear
celu_ = F.celu_
conv1d = F.conv1d
conv2d = F.conv2d
conv3d = F.conv3d
conv_tbc = F.conv_tbc
conv_transpose1d = F.conv_transpose1d
conv_transpose2d = F.conv_transpose2d
conv_transpose3d = F.conv_transpose3d
cosine_similarity = F.cosine_similarity
pairwise_distance = F.pairwise_distance
pdist = F.pdist
rms_norm = F.rms_norm
rrelu_ = F.rrelu_
selu_ = F.selu_
threshold_ = F.threshold_

_REDUCTIONS = {0: "none", 1: "mean", 2: "sum"}


def _named(name: str, reduction: int) -> str:
    if reduction not in _REDUCTIONS:
        raise ArgumentError(
            f"aino.{name} takes a number for reduction, 0 for none, 1 for mean, 2 for sum, not "
            f"{reduction!r}; aino.nn.functional.{name} takes its name"
        )
    return _REDUCTIONS[reduction]


def layer_norm(
    input: Tensor, normalized_shape: Any, weight: Tensor | None = None, bias: Tensor | None = None,
    eps: float = 1e-5, cudnn_enable: bool = True,
) -> Tensor:  # fmt: skip
    """Return the input, normalised over its last dimensions: ``nn.functional.layer_norm``.

    Arguments:
        input, normalized_shape, weight, bias, eps: as for ``nn.functional.layer_norm``.
        cudnn_enable: has no effect: there is no accelerator.

    >>> import aino
    >>> aino.layer_norm(aino.tensor([1.0, 3.0]), (2,))
    tensor([-1.0000,  1.0000])
    """
    return F.layer_norm(input, normalized_shape, weight, bias, eps)


def native_layer_norm(
    input: Tensor, normalized_shape: Any, weight: Tensor | None, bias: Tensor | None, eps: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Return what ``layer_norm`` returns, the means, and one by the standard deviations.

    Arguments:
        input, normalized_shape, weight, bias, eps: as for ``nn.functional.layer_norm``.

    >>> import aino
    >>> aino.native_layer_norm(aino.tensor([1.0, 3.0]), (2,), None, None, 0.0)[1:]
    (tensor([2.]), tensor([1.]))
    """
    y = F.layer_norm(input, normalized_shape, weight, bias, eps)
    dims = tuple(range(-len(normalized_shape), 0))
    mean = input.mean(dims, keepdim=True)
    return y, mean, ((input - mean).square().mean(dims, keepdim=True) + eps).rsqrt()


def dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """Return the input with elements set to 0 by chance: ``nn.functional.dropout``.

    Arguments:
        input: a tensor.
        p: how probable that is for an element.
        train: False returns the input as it is.

    >>> import aino
    >>> aino.dropout(aino.ones(2), 0.5, False)
    tensor([1., 1.])
    """
    return F.dropout(input, p, train)


def dropout_(input: Tensor, p: float, train: bool) -> Tensor:
    """Set elements to 0 by chance, in place; returns the input.

    Arguments:
        input, p, train: as for ``aino.dropout``.
    """
    return F.dropout(input, p, train, True)


def feature_dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """Return the input with whole channels, ``input[i, j]``, set to 0 by chance.

    Arguments:
        input: a tensor of two dimensions or more.
        p: how probable that is for a channel.
        train: False returns the input as it is.

    >>> import aino
    >>> aino.feature_dropout(aino.ones(1, 2, 3), 0.0, True).shape
    aino.Size([1, 2, 3])
    """
    return _drop_channels(input, p, train, False, 2)


def feature_dropout_(input: Tensor, p: float, train: bool) -> Tensor:
    """Set whole channels, ``input[i, j]``, to 0 by chance, in place; returns the input.

    Arguments:
        input, p, train: as for ``aino.feature_dropout``.
    """
    return _drop_channels(input, p, train, True, 2)


def alpha_dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """Return the input with elements dropped as SELU wants it: ``nn.functional.alpha_dropout``.

    Arguments:
        input: a tensor.
        p: how probable it is that an element is dropped.
        train: False returns the input as it is.

    >>> import aino
    >>> aino.alpha_dropout(aino.ones(2), 0.5, False)
    tensor([1., 1.])
    """
    return F.alpha_dropout(input, p, train)


def alpha_dropout_(input: Tensor, p: float, train: bool) -> Tensor:
    """Drop elements as SELU wants it, in place; returns the input.

    Arguments:
        input, p, train: as for ``aino.alpha_dropout``.
    """
    return F.alpha_dropout(input, p, train, True)


def feature_alpha_dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """Return the input with channels dropped: ``nn.functional.feature_alpha_dropout``.

    Arguments:
        input: a tensor (N, C, *).
        p: how probable it is that a channel, ``input[i, j]``, is dropped.
        train: False returns the input as it is.

    >>> import aino
    >>> aino.feature_alpha_dropout(aino.ones(1, 2), 0.5, False)
    tensor([[1., 1.]])
    """
    return F.feature_alpha_dropout(input, p, train)


def feature_alpha_dropout_(input: Tensor, p: float, train: bool) -> Tensor:
    """Drop whole channels as SELU wants it, in place; returns the input.

    Arguments:
        input, p, train: as for ``aino.feature_alpha_dropout``.
    """
    return F.feature_alpha_dropout(input, p, train, True)


def native_dropout(input: Tensor, p: float, train: bool | None) -> tuple[Tensor, Tensor]:
    """Return what ``dropout`` returns, and where elements were kept: a tensor of booleans.

    Raises ``ValueError`` for p outside [0, 1].

    Arguments:
        input: a tensor.
        p: how probable it is that an element is set to 0.
        train: False returns the input as it is; None is True.

    >>> import aino
    >>> aino.native_dropout(aino.ones(2), 0.5, False)
    (tensor([1., 1.]), tensor([True, True]))
    """
    mask = F.dropout(ones_like(input.detach()), p, train is None or train)
    return input * mask, mask != 0.0


def ctc_loss(
    log_probs: Tensor, targets: Tensor, input_lengths: Any, target_lengths: Any, blank: int = 0,
    reduction: int = 1, zero_infinity: bool = False,
) -> Tensor:  # fmt: skip
    """Return the loss of labels that stand anywhere: ``nn.functional.ctc_loss``.

    Arguments:
        log_probs, targets, input_lengths, target_lengths, blank, zero_infinity: as there.
        reduction: 0 for none, 1 for mean, 2 for sum.

    >>> import aino
    >>> x = aino.zeros(2, 1, 2).log_softmax(2)
    >>> aino.ctc_loss(x, aino.tensor([[1]]), (2,), (1,))
    tensor(0.2877)
    """
    name = _named("ctc_loss", reduction)
    return F.ctc_loss(
        log_probs, targets, input_lengths, target_lengths, blank, name, zero_infinity
    )  # fmt: skip


def embedding_bag(
    weight: Tensor, indices: Tensor, offsets: Tensor, scale_grad_by_freq: bool = False,
    mode: int = 0, sparse: bool = False, per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False, padding_idx: int | None = None,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:  # fmt: skip
    """Return what ``nn.functional.embedding_bag`` does, and what its derivative needs.

    That is each number's bag, the sizes of the bags, and where the largest numbers stood.

    Arguments:
        weight: the table (rows, dimension).
        indices: the numbers (N,), or (bags, n).
        offsets: where each bag begins.
        scale_grad_by_freq, per_sample_weights, include_last_offset, padding_idx: as there.
        mode: 0 for the sum, 1 for the mean, 2 for the largest.
        sparse: taken for PyTorch's sake; gradients are dense.

    >>> import aino
    >>> table = aino.tensor([[0.0, 1.0], [2.0, 3.0]])
    >>> aino.embedding_bag(table, aino.tensor([0, 1]), aino.tensor([0]))[0]
    tensor([[2., 4.]])
    """
    if mode not in (0, 1, 2):
        raise ArgumentError(f"aino.embedding_bag: mode is 0, 1 or 2, not {mode!r}")
    y, bags, sizes, winners = bagged(
        indices, weight, offsets, None, 2.0, scale_grad_by_freq, MODES[mode], per_sample_weights,
        include_last_offset, padding_idx,
    )  # fmt: skip
    if mode == 0:  # PyTorch leaves what a sum does not need at 0
        sizes = np.zeros_like(sizes)
    places = sizes if winners is None else np.maximum(winners, 0)
    return y, make(bags), make(sizes), make(places)


def embedding_renorm_(input: Tensor, indices: Tensor, max_norm: float, norm_type: float) -> Tensor:
    """Shorten, in place, those rows of a table that are longer than ``max_norm``; returns it.

    Raises ``IndexError`` for a row that the table does not have, ``DtypeError`` for indices that
    are no integers, ``ShapeError`` for a table that is no matrix.

    Arguments:
        input: the table (rows, dimension).
        indices: which rows are looked at: integers, of any shape.
        max_norm: how long a row may be.
        norm_type: p of its norm.

    >>> import aino
    >>> aino.embedding_renorm_(aino.tensor([[3.0, 4.0], [3.0, 4.0]]), aino.tensor([0]), 1.0, 2.0)
    tensor([[0.6000, 0.8000],
            [3.0000, 4.0000]])
    """
    return shorten_rows(input, indices, max_norm, norm_type)


def embedding(
    weight: Tensor, indices: Tensor, padding_idx: int = -1, scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:  # fmt: skip
    """Return the rows of a table at indices: ``nn.functional.embedding``, the table first.

    Arguments:
        weight: the table.
        indices: which rows.
        padding_idx: the row that gets no gradient; -1 for none.
        scale_grad_by_freq, sparse: as for ``nn.functional.embedding``.

    >>> import aino
    >>> aino.embedding(aino.tensor([[1.0], [2.0]]), aino.tensor([1, 0]))
    tensor([[2.],
            [1.]])
    """
    padding = None if padding_idx == -1 else padding_idx
    return F.embedding(
        indices, weight, padding, scale_grad_by_freq=scale_grad_by_freq, sparse=sparse
    )


def kl_div(
    input: Tensor, target: Tensor, reduction: int = 0, *, log_target: bool = False
) -> Tensor:
    """Return the divergence of Kullback and Leibler: ``nn.functional.kl_div``.

    Arguments:
        input, target, log_target: as for ``nn.functional.kl_div``.
        reduction: 0 for none, 1 for mean, 2 for sum.

    >>> import aino
    >>> aino.kl_div(aino.tensor([0.0]), aino.tensor([1.0]), 2)
    tensor(0.)
    """
    # Its own mean warns that it is not the mathematical one; here it is what was asked for.
    losses = F.kl_div(input, target, reduction="none", log_target=log_target)
    return reduced(losses, _named("kl_div", reduction))


def binary_cross_entropy_with_logits(
    input: Tensor, target: Tensor, weight: Tensor | None = None, pos_weight: Tensor | None = None,
    reduction: int = 0,
) -> Tensor:  # fmt: skip
    """Return the cross-entropy of logits: ``nn.functional.binary_cross_entropy_with_logits``.

    Arguments:
        input, target, weight, pos_weight: as there.
        reduction: 0 for none, 1 for mean, 2 for sum.

    >>> import aino
    >>> aino.binary_cross_entropy_with_logits(aino.zeros(1), aino.ones(1))
    tensor([0.6931])
    """
    return F.binary_cross_entropy_with_logits(
        input, target, weight, pos_weight=pos_weight,
        reduction=_named("binary_cross_entropy_with_logits", reduction),
    )  # fmt: skip


def hinge_embedding_loss(
    input: Tensor, target: Tensor, margin: float = 1.0, reduction: int = 0
) -> Tensor:
    """Return the hinge loss of distances: ``nn.functional.hinge_embedding_loss``.

    Arguments:
        input, target, margin: as there.
        reduction: 0 for none, 1 for mean, 2 for sum.

    >>> import aino
    >>> aino.hinge_embedding_loss(aino.tensor([0.5]), aino.tensor([-1.0]))
    tensor([0.5000])
    """
    name = _named("hinge_embedding_loss", reduction)
    return F.hinge_embedding_loss(input, target, margin, reduction=name)


def poisson_nll_loss(
    input: Tensor, target: Tensor, log_input: bool, full: bool, eps: float, reduction: int
) -> Tensor:
    """Return the loss of Poisson's rates: ``nn.functional.poisson_nll_loss``.

    Arguments:
        input, target, log_input, full, eps: as there.
        reduction: 0 for none, 1 for mean, 2 for sum.

    >>> import aino
    >>> aino.poisson_nll_loss(aino.zeros(1), aino.ones(1), True, False, 1e-8, 1)
    tensor(1.)
    """
    name = _named("poisson_nll_loss", reduction)
    return F.poisson_nll_loss(input, target, log_input, full, eps=eps, reduction=name)


def triplet_margin_loss(
    anchor: Tensor, positive: Tensor, negative: Tensor, margin: float = 1.0, p: float = 2.0,
    eps: float = 1e-6, swap: bool = False, reduction: int = 0,
) -> Tensor:  # fmt: skip
    """Return the loss of triplets: ``nn.functional.triplet_margin_loss``.

    Arguments:
        anchor, positive, negative, margin, p, eps, swap: as there.
        reduction: 0 for none, 1 for mean, 2 for sum.

    >>> import aino
    >>> x = aino.zeros(1, 2)
    >>> aino.triplet_margin_loss(x, x, x)
    tensor([1.])
    """
    name = _named("triplet_margin_loss", reduction)
    return F.triplet_margin_loss(
        anchor, positive, negative, margin, p, eps, swap, reduction=name
    )  # fmt: skip


def margin_ranking_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, reduction: int = 0
) -> Tensor:
    """Return the loss of pairs in the wrong order: ``nn.functional.margin_ranking_loss``.

    Arguments:
        input1, input2, target, margin: as there.
        reduction: 0 for none, 1 for mean, 2 for sum.

    >>> import aino
    >>> aino.margin_ranking_loss(aino.zeros(1), aino.ones(1), aino.ones(1))
    tensor([1.])
    """
    name = _named("margin_ranking_loss", reduction)
    return F.margin_ranking_loss(input1, input2, target, margin, reduction=name)


def cosine_embedding_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, reduction: int = 0
) -> Tensor:
    """Return the loss of angles: ``nn.functional.cosine_embedding_loss``.

    Arguments:
        input1, input2, target, margin: as there.
        reduction: 0 for none, 1 for mean, 2 for sum.

    >>> import aino
    >>> x = aino.ones(1, 2)
    >>> aino.cosine_embedding_loss(x, -x, aino.ones(1))
    tensor([2.])
    """
    name = _named("cosine_embedding_loss", reduction)
    return F.cosine_embedding_loss(input1, input2, target, margin, reduction=name)
