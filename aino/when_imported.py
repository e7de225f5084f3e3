"""What is done when another package is imported: einops gets to know AINO's tensors.

einops asks each library that it knows whether a tensor is its own. It knows those that stand in a
class of einops' own, which can only be written when einops is there.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

#: A module of another package, and the one of AINO's whose ``follow`` is then called with it.
_AFTER = {"einops._backends": "aino.utils.einops_backend"}


class _Watch:
    """Stands before the finders of modules, and lets them do the work."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """Return where a module is, and have it followed by AINO's, if it is one of those."""
        if name not in _AFTER:
            return None
        for finder in sys.meta_path:
            spec = None if finder is self else finder.find_spec(name, path, target)
            if spec is not None and spec.loader is not None:
                spec.loader = _Followed(spec.loader, _AFTER[name])  # type: ignore[assignment]
                return spec
        return None


class _Followed:
    """The loader of a module that another module is imported after."""

    def __init__(self, loader: Any, follower: str) -> None:
        self._loader = loader
        self._follower = follower

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: Any) -> Any:
        return self._loader.create_module(spec)

    def exec_module(self, module: Any) -> None:
        self._loader.exec_module(module)
        import_module(self._follower).follow(module)


def watch() -> None:
    """Do what is to be done for the packages that are there, and for others when they come."""
    for name, follower in _AFTER.items():
        if name in sys.modules:
            import_module(follower).follow(sys.modules[name])
    sys.meta_path.insert(0, _Watch())
