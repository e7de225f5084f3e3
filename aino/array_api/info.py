"""What the array namespace says of itself."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.devices import CPU, Device, check_device
from aino.dtypes import get_default_dtype

_KINDS: dict[str, tuple[str, ...]] = {
    "bool": ("bool",),
    "signed integer": ("int8", "int16", "int32", "int64"),
    "unsigned integer": ("uint8", "uint16", "uint32", "uint64"),
    "real floating": ("float32", "float64"),
    "complex floating": ("complex64", "complex128"),
}
_KINDS["integral"] = _KINDS["signed integer"] + _KINDS["unsigned integer"]
_KINDS["numeric"] = _KINDS["integral"] + _KINDS["real floating"] + _KINDS["complex floating"]


class Info:
    """Capabilities, devices and dtypes, as the standard asks for them."""

    def capabilities(self) -> dict[str, Any]:
        """Return what depends on the library: shapes may follow from data; 64 dimensions."""
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 64}

    def default_device(self) -> Device:
        """Return the device of new tensors."""
        return CPU

    def devices(self) -> tuple[Device, ...]:
        """Return all devices: the CPU."""
        return (CPU,)

    def default_dtypes(self, *, device: Any = None) -> dict[str, np.dtype]:
        """Return the dtypes of new tensors, by what they hold."""
        check_device(device)
        real = get_default_dtype()
        return {
            "real floating": real,
            "complex floating": np.result_type(real, np.complex64),
            "integral": np.dtype(np.int64),
            "indexing": np.dtype(np.int64),
        }

    def dtypes(self, *, device: Any = None, kind: Any = None) -> dict[str, np.dtype]:
        """Return the standard's dtypes by their names.

        Arguments:
            device: the CPU, if any is named.
            kind: of which kind, or kinds; all for None.
        """
        check_device(device)
        if kind is None:
            kind = ("bool", "numeric")
        names: list[str] = []
        for one in kind if isinstance(kind, tuple) else (kind,):
            if one not in _KINDS:
                raise ValueError(f"dtypes: unknown kind {one!r}; there are {', '.join(_KINDS)}")
            names += _KINDS[one]
        return {name: np.dtype(name) for name in names}
