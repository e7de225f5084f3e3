"""Join: ranks that have come to the end of their data take part until the others have, too."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Any, NamedTuple

import numpy as np

from aino.autograd.tensor import Tensor, make
from aino.distributed.collectives import all_reduce
from aino.distributed.membership import get_rank
from aino.tracing import forbid_in_trace


class JoinHook:
    """What a rank without data does in the place of a training step, and at the very end."""

    def main_hook(self) -> None:
        """Take part in what the others do together in one step; called until all have joined."""

    def post_hook(self, is_last_joiner: bool) -> None:
        """Bring the ranks together, when all have joined.

        Arguments:
            is_last_joiner: whether this rank was among those with the most data.
        """


class _Setting(NamedTuple):
    """What a ``Join`` has told its joinables."""

    enable: bool = False
    throw_on_early_termination: bool = False
    is_first_joinable: bool = False


class Joinable(ABC):
    """What can be given to ``Join``: it tells in each step that this rank still has data."""

    _join_config = _Setting()

    @abstractmethod
    def join_hook(self, **kwargs: Any) -> JoinHook:
        """Return what this rank does when it has no more data; ``Join`` hands on its ``kwargs``."""

    @property
    @abstractmethod
    def join_device(self) -> Any:
        """The device of what is communicated."""

    @property
    @abstractmethod
    def join_process_group(self) -> Any:
        """The group of the ranks that wait for each other."""


class Join:
    """The context of a training loop whose ranks have uneven numbers of batches.

    A rank that leaves it early goes on as a shadow: it takes part in what the others do together,
    and adds nothing, until all have come to the end.

    Arguments:
        joinables: what communicates in each step: modules in ``DistributedDataParallel``,
            ``ZeroRedundancyOptimizer``.
        enable: False does nothing: where inputs are even, this saves a collective a step.
        throw_on_early_termination: raise ``RuntimeError`` on all ranks when the first has no more
            data.
        **kwargs: what the joinables are told, such as ``divide_by_initial_world_size``.

    Raises ``ValueError`` for no joinables, and for those of different groups. Inside, steps are not
    compiled.

    >>> from aino.distributed.algorithms.join import Join
    >>> Join([])
    Traceback (most recent call last):
        ...
    ValueError: The join context manager requires at least one joinable
    """

    def __init__(
        self,
        joinables: list[Joinable],
        enable: bool = True,
        throw_on_early_termination: bool = False,
        **kwargs: Any,
    ) -> None:
        if not joinables:
            raise ValueError("The join context manager requires at least one joinable")
        groups = [joinable.join_process_group for joinable in joinables]
        if any(group is not groups[0] for group in groups):
            raise ValueError("Using join context manager with multiple process groups")
        self._joinables = list(joinables)
        self._hooks = [joinable.join_hook(**kwargs) for joinable in joinables]
        self._enable = enable
        self._throws = throw_on_early_termination
        self._group = groups[0]
        for place, joinable in enumerate(joinables):
            joinable._join_config = _Setting(enable, throw_on_early_termination, place == 0)

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not self._enable:
            return
        try:
            if kind is None:
                self._shadow()
        finally:
            for joinable in self._joinables:
                joinable._join_config = _Setting()

    def _shadow(self) -> None:
        """Take part until no rank has data, then bring the ranks together."""
        is_last = True
        while _count(0.0, self._group):
            if self._throws:
                _count(1.0, self._group)
                raise RuntimeError(f"Rank {get_rank(self._group)} exhausted all inputs.")
            for hook in self._hooks:
                hook.main_hook()
            is_last = False
        for hook in self._hooks:
            hook.post_hook(is_last)

    @staticmethod
    def notify_join_context(joinable: Joinable) -> Tensor | None:
        """Tell the shadows that this rank has data; a joinable calls it before it communicates.

        Returns how many ranks have, or None outside of a ``Join`` and for all joinables but the
        first. Raises ``RuntimeError`` where a rank has none and ``Join`` was told to throw then.

        Arguments:
            joinable: who calls.
        """
        setting = joinable._join_config
        if not setting.enable or not setting.is_first_joinable:
            return None
        forbid_in_trace("a step inside of Join", "compile steps of even inputs, without it")
        group = joinable.join_process_group
        active = _count(1.0, group)
        if setting.throw_on_early_termination and _count(0.0, group):
            raise RuntimeError(
                "Detected at least one rank that exhausted inputs. Throwing across all ranks."
            )
        return make(np.array([active]))


def _count(mine: float, group: Any) -> float:
    """Return the sum of a number over the ranks."""
    number = make(np.array([mine]))
    all_reduce(number, group=group)
    return number.array.item()
