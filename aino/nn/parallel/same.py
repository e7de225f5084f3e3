"""Ranks that begin alike: their modules have the same parameters and buffers."""

from __future__ import annotations

from itertools import zip_longest
from typing import Any

from aino import distributed


def check_same(module: Any, group: Any) -> None:
    """Raise ``RuntimeError`` on all ranks where parameters or buffers differ in name, shape, dtype.

    Arguments:
        module: the module of this rank.
        group: the ranks.
    """
    if group.size() == 1:
        return
    mine = [
        (kind, name, tuple(tensor.array.shape), str(tensor.array.dtype), tensor.requires_grad)
        for kind, named in (("parameter", module.named_parameters()),
                            ("buffer", module.named_buffers()))
        for name, tensor in named
    ]  # fmt: skip
    everybody: list[Any] = [None] * group.size()
    distributed.all_gather_object(everybody, mine, group=group)
    for rank, theirs in enumerate(everybody):
        for one, other in zip_longest(everybody[0], theirs):
            if one != other:
                raise RuntimeError(
                    f"the ranks have different modules: on rank 0 there is {_spoken(one)}, where "
                    f"rank {rank} has {_spoken(other)}; all ranks have to make the same module"
                )


def _spoken(tensor: tuple | None) -> str:
    if tensor is None:
        return "nothing more"
    kind, name, shape, dtype, trains = tensor
    frozen = "" if trains or kind == "buffer" else ", frozen"
    return f"the {kind} {name} {shape} of {dtype}{frozen}"
