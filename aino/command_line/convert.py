"""``convert``: from one format to another."""

from __future__ import annotations

import os
from typing import Any

import aino
from aino.command_line.models import add_input, input_for, loaded, model_in
from aino.errors import FormatError

HELP = "write a file in another format: .dit, .safetensors or .onnx"
DESCRIPTION = """\
Read a .dit, .safetensors, .pt, .pth or .onnx, and write a .dit, .safetensors or
.onnx; the suffix says which. A .safetensors holds tensors alone, and so do most
of PyTorch's files: only what holds a model becomes ONNX. No code from the file
is run.
"""
EXAMPLES = """\
examples:
  python -m aino convert weights.pt weights.safetensors
  python -m aino convert checkpoint.pt weights.dit --key model_state_dict
  python -m aino convert model.dit model.onnx --input 1,3,32,32
"""
_WRITTEN = (".dit", ".safetensors", ".onnx")


def add(command: Any) -> None:
    """Describe the command's arguments."""
    command.add_argument("file", metavar="FROM", help="the file that is read")
    command.add_argument("target", metavar="TO", help="the file that is written")
    command.add_argument("--key", metavar="NAME", help="of a checkpoint, the part that is meant")
    command.add_argument("--force", action="store_true", help="replace a file that is there")
    add_input(command, "for ONNX, where the model does not tell it")


def run(chosen: Any) -> str:
    """Write the file, and return where it is."""
    suffix = os.path.splitext(chosen.target)[1].lower()
    if suffix not in _WRITTEN:
        raise FormatError(
            f"{chosen.target}: what is written ends in {', '.join(_WRITTEN)}"
            + ("; PyTorch's files are read, not written" if suffix in (".pt", ".pth") else "")
        )
    if os.path.exists(chosen.target):
        if os.path.exists(chosen.file) and os.path.samefile(chosen.file, chosen.target):
            raise FormatError(f"{chosen.target}: can't be written over itself")
        if not chosen.force:
            raise FormatError(f"{chosen.target}: is there already; --force replaces it")
    if suffix == ".onnx":
        model = model_in(chosen.file).eval()
        given = input_for(model, chosen.input, chosen.file)
        aino.onnx.export(model, given, chosen.target, dynamic_shapes=({0: "batch"},))
    else:
        aino.save(_part(loaded(chosen.file), chosen, suffix), chosen.target)
    return f"{chosen.target}: {os.path.getsize(chosen.target):,} bytes"


def _part(found: Any, chosen: Any, suffix: str) -> Any:
    """Return the part of a checkpoint that is meant."""
    if chosen.key is not None:
        if not isinstance(found, dict) or chosen.key not in found:
            keys = f"has {_keys(found)}" if isinstance(found, dict) else "has no parts"
            raise FormatError(f"{chosen.file}: nothing is called {chosen.key!r}; it {keys}")
        return found[chosen.key]
    if suffix == ".safetensors" and isinstance(found, dict):
        parts = [key for key, value in found.items() if isinstance(value, (dict, aino.nn.Module))]
        if parts and not all(isinstance(value, aino.Tensor) for value in found.values()):
            raise FormatError(
                f"{chosen.file}: is a checkpoint of several parts, and a .safetensors holds "
                f"tensors alone; say which part is meant, by --key: it has {_keys(found)}"
            )
    return found


def _keys(found: dict[Any, Any], most: int = 12) -> str:
    names = [str(key) for key in found]
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
