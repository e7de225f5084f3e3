"""What helps with training: PyTorch's ``torch.utils``, as far as it is about tensors."""

from aino.utils import checkpoint

__all__ = ["checkpoint"]


def __dir__() -> list[str]:
    return __all__
