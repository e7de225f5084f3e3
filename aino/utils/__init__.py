"""What helps with training: PyTorch's ``torch.utils``, as far as it is about tensors and data."""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aino.utils import checkpoint as checkpoint
    from aino.utils import data as data
    from aino.utils import dlpack as dlpack
    from aino.utils import hooks as hooks
    from aino.utils import model_zoo as model_zoo
    from aino.utils import tensorboard as tensorboard

__all__ = ["checkpoint", "data", "dlpack", "hooks", "model_zoo", "tensorboard"]


def __dir__() -> list[str]:
    return __all__


if not TYPE_CHECKING:

    def __getattr__(name):
        if name in __all__:
            return _import_module(f"aino.utils.{name}")
        raise AttributeError(f"module 'aino.utils' has no attribute {name!r}")
