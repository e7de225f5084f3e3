"""What a copied or pickled module still knows of the arguments that it was made with."""

from __future__ import annotations

from collections import Counter, OrderedDict
from typing import Any

import numpy as np

from aino.autograd.tensor import Size, Tensor
from aino.devices import Device
from aino.dit.records import is_record
from aino.dit.registry import name_of

_PLAIN = (type(None), bool, int, float, complex, str, np.ndarray, np.generic, np.dtype, Tensor,
          Device)  # fmt: skip


class Uncopied:
    """Stands for an argument that no file could hold: a generator, a function, an open file.

    A copy has to do without it, so that what a constructor was given is never in its way.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind


def copyable(arguments: Any) -> Any:
    """The arguments with `Uncopied` in place of what a ``.dit`` cannot hold, at any depth."""
    kind = type(arguments)
    if kind in (list, tuple, Size):
        return kind(copyable(part) for part in arguments)
    if kind in (dict, OrderedDict, Counter):
        return kind({key: copyable(part) for key, part in arguments.items()})
    if isinstance(arguments, _PLAIN) or hasattr(arguments, "_constructor"):
        return arguments
    if kind is type and issubclass(arguments, np.generic):
        return arguments
    if is_record(arguments) and kind is not type and name_of(kind) is not None:
        return arguments
    return Uncopied(getattr(arguments, "__qualname__", None) or kind.__name__)


def made_with(module: Any) -> tuple[tuple, dict[str, Any]]:
    """The arguments of the constructor that would make this module.

    A container says by ``constructor_arguments`` what it would be made with now; a class with a
    constructor of its own that inherits from one does not mean those.
    """
    maker = next(cls for cls in type(module).__mro__ if "__init__" in vars(cls))
    if "constructor_arguments" in vars(maker):
        return module.constructor_arguments()
    return vars(module)["_constructor"]
