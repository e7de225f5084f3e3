"""Models as Hugging Face keeps them: ``safetensors.torch``'s functions over AINO's tensors.

The package safetensors checks what is read: ``pip install 'aino[safetensors]'``. A file holds
named tensors and a few strings, nothing else; ``bfloat16``, which NumPy does not have, becomes
``float32`` when it is read, which holds each of its numbers exactly.
"""

from importlib import import_module

_LAZY = {
    "load": "reader", "load_file": "reader", "safe_open": "lazy",
    "save": "writer", "save_file": "writer",
    "load_model": "models", "save_model": "models", "save_sharded": "shards",
}  # fmt: skip
__all__ = [*_LAZY]


def __getattr__(name: str):
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
    globals()[name] = value
    return value
