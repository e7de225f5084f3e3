"""Functions whose room is loaded when one of them is first used, so that it costs no import time.

``aino.qr`` loads it, and so does the method ``Tensor.qr`` when it is called.
"""

from __future__ import annotations

import functools
from importlib import import_module
from typing import Any

from aino.ops.given import takes_tensors

#: The functions of each room that are methods of ``Tensor`` too.
_METHODS = {
    "aino.ops.linalg.decompositions": "svd qr geqrf",
    "aino.ops.linalg.least_squares": "pinverse",
    "aino.ops.linalg.lu": "lu lu_solve",
    "aino.ops.linalg.triangular": "cholesky_inverse cholesky_solve triangular_solve",
    "aino.ops.fft.short_time": "stft istft",
    "aino.ops.special.bessel": "i0",
    "aino.ops.special.gamma": "igamma igammac",
}
#: Those that are not.
_FUNCTIONS: dict[str, str] = {
    "aino.ops.linalg.lu": "lu_unpack",
    "aino.ops.windows.periodic":
        "bartlett_window blackman_window hamming_window hann_window kaiser_window",
}  # fmt: skip

#: The methods that have a form in place, ``name_``.
IN_PLACE = ("i0", "igamma", "igammac")

#: The room of each name of the ``aino`` namespace.
ROOM_OF = {
    name: room
    for table in (_METHODS, _FUNCTIONS)
    for room, names in table.items()
    for name in names.split()
}


@functools.cache
def loaded(name: str) -> Any:
    """Return a function of a room, which says in words what it was given."""
    return takes_tensors(getattr(import_module(ROOM_OF[name]), name), "aino", name)


def _method(name: str) -> Any:
    def call(self, *arguments, **keywords):
        return loaded(name)(self, *arguments, **keywords)

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"Do what ``aino.{name}`` does, with this tensor as its first argument."
    return call


#: The methods, by name.
METHODS = {name: _method(name) for names in _METHODS.values() for name in names.split()}
