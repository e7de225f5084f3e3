"""Channels of groups mixed: ChannelShuffle."""

from __future__ import annotations

from aino.autograd.tensor import Tensor
from aino.nn import functional as F
from aino.nn.base.module import TensorModule

__all__ = ["ChannelShuffle"]


class ChannelShuffle(TensorModule):
    """Puts channels in another order: the first of each group, the second of each, and so on.

    Input (N, C, *). A call raises ``ShapeError`` for channels that the groups do not divide.

    Arguments:
        groups: how many groups of channels there are.

    Source: Zhang et al., "ShuffleNet: an extremely efficient convolutional neural network for
    mobile devices", 2018.

    >>> import aino
    >>> aino.nn.ChannelShuffle(2)(aino.arange(4.0).reshape(1, 4, 1)).ravel()
    tensor([0., 2., 1., 3.])
    """

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = groups

    def forward(self, input: Tensor) -> Tensor:
        """Return the channels in their new order."""
        return F.channel_shuffle(input, self.groups)

    def extra_repr(self) -> str:
        return f"groups={self.groups}"
