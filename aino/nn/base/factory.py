"""What the constructors of modules hand on to the makers of their tensors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_KNOWN = {"device", "dtype", "memory_format"}


def factory_kwargs(kwargs: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what of a constructor's keywords is for the makers of tensors.

    ``factory_kwargs=`` among them says so of keywords whose names are taken. Raises ``TypeError``
    for others, and for what is given twice.

    >>> from aino import nn
    >>> nn.factory_kwargs({"dtype": "float64"})
    {'dtype': 'float64'}
    """
    if kwargs is None:
        return {}
    unknown = kwargs.keys() - _KNOWN - {"factory_kwargs"}
    if unknown:
        raise TypeError(f"unexpected keywords {sorted(unknown)}")
    found = dict(kwargs.get("factory_kwargs", {}))
    for name in sorted(_KNOWN & kwargs.keys()):
        if name in found:
            raise TypeError(f"{name} specified twice, in the keywords and in factory_kwargs")
        found[name] = kwargs[name]
    return found
