"""What a program takes for granted about models and optimizers, in one comparable value."""

from __future__ import annotations

from typing import Any

from aino.autograd.tensor import Tensor

_PLAIN = (bool, int, float, str, type(None), complex, bytes)


def outer_owners(owners) -> list:
    """Return the models that are part of no other, and the optimizers."""
    modules = [owner for owner in owners if hasattr(owner, "named_parameters")]
    inner: set[int] = set()
    for module in modules:
        inner.update(id(child) for child in module.modules() if child is not module)
    return [owner for owner in owners if id(owner) not in inner]


def structure(owners) -> tuple:
    """Return what a program relies on: modes, parameters, submodules, hooks, groups."""
    found: list[Any] = []
    for owner in owners:
        if hasattr(owner, "named_parameters"):
            for module in owner.modules():
                found.append(id(module))
                own = _is_of_the_user(module)
                for key, value in vars(module).items():
                    # What a user's class keeps of plain values counts where its code reads it.
                    if not own or key == "training" or not isinstance(value, _PLAIN):
                        found.append((key, _seen(value)))
        else:
            found.append(getattr(owner, "arrangement", tuple)())
            for group in owner.param_groups:
                for key, value in group.items():
                    if key == "params":
                        found.append(tuple([id(p) for p in value]))
                    elif type(value) is not float:
                        found.append((key, _seen(value)))
    return tuple(found)


def _is_of_the_user(module) -> bool:
    """Tell whether a module's code is the user's: its class derives from Module itself."""
    bases = (kind for kind in type(module).__mro__ if kind.__module__.startswith("aino."))
    return next(bases).__name__ == "Module"


def _seen(value):
    if isinstance(value, Tensor):
        return (id(value), value.node is None, value.array.shape)
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, (tuple, list)):
        return tuple([_seen(part) for part in value])
    if isinstance(value, dict):
        return tuple([(str(key), _seen(part)) for key, part in value.items()])
    return id(value)
