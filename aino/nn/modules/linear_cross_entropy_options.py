"""The options of the linear cross-entropy, where PyTorch's programs import them from."""

from aino.nn.modules.linear_cross_entropy import LinearCrossEntropyOptions

__all__ = ["LinearCrossEntropyOptions"]
