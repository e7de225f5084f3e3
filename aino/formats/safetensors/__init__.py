"""Models as Hugging Face keeps them: ``safetensors.torch``'s functions over AINO's tensors.

The package safetensors checks what is read: ``pip install 'aino[safetensors]'``. A file holds
named tensors and a few strings, nothing else; ``bfloat16``, which NumPy does not have, becomes
``float32`` when it is read, which holds each of its numbers exactly.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aino.formats.safetensors.lazy import safe_open as safe_open
    from aino.formats.safetensors.models import load_model as load_model
    from aino.formats.safetensors.models import save_model as save_model
    from aino.formats.safetensors.reader import load as load
    from aino.formats.safetensors.reader import load_file as load_file
    from aino.formats.safetensors.shards import save_sharded as save_sharded
    from aino.formats.safetensors.writer import save as save
    from aino.formats.safetensors.writer import save_file as save_file

__all__ = [
    "load", "load_file", "load_model", "safe_open", "save", "save_file", "save_model",
    "save_sharded",
]  # fmt: skip

_LAZY = {
    "load": "reader", "load_file": "reader", "safe_open": "lazy", "save": "writer",
    "save_file": "writer", "load_model": "models", "save_model": "models", "save_sharded": "shards",
}  # fmt: skip


def __dir__() -> list[str]:
    return sorted(__all__)


if not TYPE_CHECKING:

    def __getattr__(name):
        if name not in _LAZY:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
        globals()[name] = value
        return value
