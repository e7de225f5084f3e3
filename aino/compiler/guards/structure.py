"""What a program takes for granted about models and optimizers, in one comparable value."""

from __future__ import annotations

import functools
import types
from collections.abc import Container
from typing import Any

from aino.autograd.tensor import Tensor
from aino.compiler.guards.snapshots import PLAIN
from aino.nn.base.hooks import Hooks
from aino.nn.base.tree import reads_its_numbers
from aino.nn.modules.named_containers import ParameterDict, ParameterList

_PLAIN = (*PLAIN, type(None))


def outer_owners(owners) -> list:
    """Return the models that are part of no other, and the optimizers."""
    modules = [owner for owner in owners if hasattr(owner, "named_parameters")]
    inner: set[int] = set()
    for module in modules:
        inner.update(id(child) for child in module.modules() if child is not module)
    return [owner for owner in owners if id(owner) not in inner]


def _own_reads(module: Any) -> Any:
    """Return the attributes that a module's own methods read, None for the user's modules."""
    kind: Any = type(module)
    return _names_read(kind) if reads_its_numbers(kind) else None


def numbers_of(owners) -> list[tuple[Any, str, Any]]:
    """Return the numbers that AINO's own modules read of themselves: module, name and value."""
    found = []
    for owner in owners:
        for module in owner.modules() if hasattr(owner, "named_parameters") else ():
            read = _own_reads(module)
            if read is not None:
                found += [
                    (module, key, value)
                    for key, value in vars(module).items()
                    if type(value) in (int, float) and key in read
                    and key not in type(module).records
                ]  # fmt: skip
    return found


def structure(owners, live: Container[tuple] = ()) -> tuple:
    """Return what a program relies on: modes, parameters, submodules, hooks, groups.

    ``live``: places whose values are read at each call, and lists that grow by the program itself;
    what stands there makes no difference.
    """
    found: list[Any] = []
    for owner in owners:
        if hasattr(owner, "named_parameters"):
            for module in owner.modules():
                found += (id(module), module.training)
                read = _own_reads(module)
                for key, value in vars(module).items():
                    if key in type(module).records or (id(module), "attr", key) in live:
                        continue
                    if type(value) is list and (id(value), "grown") in live:
                        continue
                    if key != "training" and _counts(key, value, read):
                        found.append((key, _seen(value)))
        else:
            found.append(getattr(owner, "arrangement", tuple)())
            for group in owner.param_groups:
                for key, value in group.items():
                    if key == "params":
                        found.append(tuple([id(p) for p in value]))
                    elif not _is_read_again(value):
                        found.append((key, _seen(value)))
    return tuple(found)


def _is_read_again(value) -> bool:
    """Tell whether an optimizer's setting is read at each call: a number, or betas."""
    if type(value) is tuple:
        return bool(value) and all([type(part) is float for part in value])
    return type(value) is float


def _counts(key: str, value, read: frozenset[str] | None) -> bool:
    """Tell whether an attribute of a module may matter to what it computes.

    ``read``: the names that the code of one of AINO's own modules reads; a note that a user
    keeps there is none of them. None for a user's class, whose plain values count where its code
    reads them.
    """
    if read is not None:
        return key in read or not (type(value) is Tensor or isinstance(value, _PLAIN))
    return _is_part(value)


@functools.cache
def _names_read(kind: type) -> frozenset[str]:
    """Return the names in the code of a class and of those it stands on."""
    if issubclass(kind, (ParameterList, ParameterDict)):
        return _Everything()
    found: set[str] = set()
    codes = [
        part.__code__
        for base in kind.__mro__
        for member in vars(base).values()
        for part in (member, *(getattr(member, how, None) for how in ("fget", "fset", "__func__")))
        if isinstance(part, types.FunctionType)
    ]
    while codes:
        code = codes.pop()
        found.update(code.co_names)
        codes += [const for const in code.co_consts if isinstance(const, types.CodeType)]
    return frozenset(found)


class _Everything(frozenset):
    """The names that a container reads: whatever it holds."""

    def __contains__(self, name: object) -> bool:
        return True


def _is_part(value, within: tuple[int, ...] = ()) -> bool:
    """Tell whether a value may take part in what a model computes: more than plain values do.

    ``within``: the containers that it stands in, one of which it may be itself.
    """
    if isinstance(value, (tuple, list, dict)):
        if id(value) in within:
            return False
        within = (*within, id(value))
        items = list(value.values()) if isinstance(value, dict) else value
        return any(_is_part(item, within) for item in items)
    return not isinstance(value, _PLAIN)


def _seen(value, within: tuple[int, ...] = ()):
    if isinstance(value, Tensor):
        return (id(value), value.node is None, value.array.shape)
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, Hooks):
        return tuple([(at, tuple(map(id, hooks.values()))) for at, hooks in value.at.items()])
    if isinstance(value, (tuple, list, dict)) and id(value) not in within:
        within = (*within, id(value))
        if isinstance(value, dict):
            return tuple([(str(key), _seen(part, within)) for key, part in value.items()])
        return tuple([_seen(part, within) for part in value])
    return id(value)
