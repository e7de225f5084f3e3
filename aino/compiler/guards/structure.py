"""What a program takes for granted about models and optimizers, in one comparable value."""

from __future__ import annotations

from typing import Any

from aino.autograd.tensor import Tensor
from aino.compiler.guards.snapshots import PLAIN
from aino.nn.base.hooks import Hooks

_PLAIN = (*PLAIN, type(None))


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
                every = type(module)._numbers_matter
                for key, value in vars(module).items():
                    # What a user's class keeps of plain values counts where its code reads it.
                    if every or key == "training" or _is_part(value):
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


def _is_part(value) -> bool:
    """Tell whether a value may take part in what a model computes: more than plain values do."""
    if isinstance(value, (tuple, list)):
        return any(_is_part(item) for item in value)
    if isinstance(value, dict):
        return any(_is_part(item) for item in list(value.values()))
    return not isinstance(value, _PLAIN)


def _seen(value):
    if isinstance(value, Tensor):
        return (id(value), value.node is None, value.array.shape)
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, Hooks):
        return tuple([(at, tuple(map(id, hooks.values()))) for at, hooks in value.at.items()])
    if isinstance(value, (tuple, list)):
        return tuple([_seen(part) for part in value])
    if isinstance(value, dict):
        return tuple([(str(key), _seen(part)) for key, part in value.items()])
    return id(value)
