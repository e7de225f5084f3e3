"""Dropout: numbers that are left out at random while training."""

from __future__ import annotations

from aino.autograd.tensor import Tensor
from aino.nn import functional as F
from aino.nn.base.module import TensorModule

__all__ = ["Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout", "FeatureAlphaDropout"]


class _Dropout(TensorModule):
    """What all kinds of dropout have: a probability."""

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if not 0.0 <= p <= 1.0:
            raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
        self.p = p
        self.inplace = inplace

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_Dropout):
    """Makes each number zero with probability p while training, and divides the others by 1 - p.

    After ``eval()`` it passes everything on. The input may have any shape; the output has the same.

    Arguments:
        p: the probability that a number is dropped, 0 to 1; ``ValueError`` for another.
        inplace: write the result into the input, which is returned.

    Source: Hinton et al., "Improving neural networks by preventing co-adaptation of feature
    detectors", 2012.

    >>> import aino
    >>> aino.nn.Dropout(0.5).eval()(aino.ones(3))
    tensor([1., 1., 1.])
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return the input with some numbers dropped."""
        return F.dropout(input, self.p, self.training, self.inplace)


class Dropout1d(_Dropout):
    """Makes each channel zero with probability p while training, and divides the others by 1 - p.

    After ``eval()`` it passes everything on. Input (N, C, L) or (C, L), output of the same shape.
    Raises ``ShapeError`` for another number of dimensions.

    Arguments:
        p: the probability that a channel is dropped, 0 to 1; ``ValueError`` for another.
        inplace: write the result into the input, which is returned.

    Source: Tompson et al., "Efficient object localization using convolutional networks", 2015.

    >>> import aino
    >>> aino.nn.Dropout1d(0.5).eval()(aino.ones(2, 3, 4)).shape
    aino.Size([2, 3, 4])
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return the input with some channels dropped."""
        return F.dropout1d(input, self.p, self.training, self.inplace)


class Dropout2d(_Dropout):
    """Makes each channel zero with probability p while training, and divides the others by 1 - p.

    After ``eval()`` it passes everything on. Input (N, C, H, W), output of the same shape. Raises
    ``ShapeError`` for another number of dimensions.

    Arguments:
        p: the probability that a channel is dropped, 0 to 1; ``ValueError`` for another.
        inplace: write the result into the input, which is returned.

    Source: Tompson et al., "Efficient object localization using convolutional networks", 2015.

    >>> import aino
    >>> aino.nn.Dropout2d(0.5).eval()(aino.ones(2, 3, 4, 4)).shape
    aino.Size([2, 3, 4, 4])
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return the input with some channels dropped."""
        return F.dropout2d(input, self.p, self.training, self.inplace)


class Dropout3d(_Dropout):
    """Makes each channel zero with probability p while training, and divides the others by 1 - p.

    After ``eval()`` it passes everything on. Input (N, C, D, H, W) or (C, D, H, W), output of the
    same shape. Raises ``ShapeError`` for another number of dimensions.

    Arguments:
        p: the probability that a channel is dropped, 0 to 1; ``ValueError`` for another.
        inplace: write the result into the input, which is returned.

    Source: Tompson et al., "Efficient object localization using convolutional networks", 2015.

    >>> import aino
    >>> aino.nn.Dropout3d(0.5).eval()(aino.ones(2, 3, 4, 4, 4)).shape
    aino.Size([2, 3, 4, 4, 4])
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return the input with some channels dropped."""
        return F.dropout3d(input, self.p, self.training, self.inplace)


class AlphaDropout(_Dropout):
    """Dropout that keeps mean 0 and variance 1, as networks of SELU need it.

    While training each number becomes SELU's lower limit -1.7581 with probability p, then all are
    scaled and shifted; after ``eval()`` it passes everything on. The input may have any shape; the
    output has the same.

    Arguments:
        p: the probability that a number is dropped, 0 to 1; ``ValueError`` for another.
        inplace: write the result into the input, which is returned.

    Source: Klambauer et al., "Self-normalizing neural networks", 2017.

    >>> import aino
    >>> aino.nn.AlphaDropout(0.5).eval()(aino.ones(3))
    tensor([1., 1., 1.])
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return the input with some numbers set to SELU's lower limit, rescaled."""
        return F.alpha_dropout(input, self.p, self.training, self.inplace)


class FeatureAlphaDropout(_Dropout):
    """Alpha dropout of whole channels: each becomes SELU's lower limit with probability p.

    Then all are scaled and shifted, so that mean 0 and variance 1 stay; after ``eval()`` it
    passes everything on. The input is (N, C, *); the output has the same shape.

    Arguments:
        p: the probability that a channel is dropped, 0 to 1; ``ValueError`` for another.
        inplace: write the result into the input, which is returned.

    Source: Klambauer et al., "Self-normalizing neural networks", 2017.

    >>> import aino
    >>> aino.nn.FeatureAlphaDropout(0.5).eval()(aino.ones(1, 2))
    tensor([[1., 1.]])
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return the input with some channels set to SELU's lower limit, rescaled."""
        return F.feature_alpha_dropout(input, self.p, self.training, self.inplace)
