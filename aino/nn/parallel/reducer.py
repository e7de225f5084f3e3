"""Reducer: what averages the gradients of a module over ranks, at the end of a backward pass."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from itertools import repeat
from threading import get_ident
from typing import Any

import numpy as np

from aino import distributed
from aino.autograd.mode import no_grad
from aino.autograd.node import HookHandle, extras_of
from aino.autograd.passes import queue_callback, queued
from aino.autograd.tensor import Tensor, make
from aino.distributed.grad_bucket import GradBucket
from aino.errors import GradientError
from aino.nn.parallel.buckets import Bucket, make_buckets
from aino.structure_version import structure_version
from aino.tracing import forbid_in_trace


class Reducer:
    """Averages the gradients of parameters over the ranks of a group.

    The first gradient that arrives in a backward pass asks the engine to be called at its end.
    Then all gradients are summed over the ranks, bucket by bucket, and divided.

    Arguments:
        named: the parameters with their names.
        group: the ranks.
        capacity: how many bytes of gradients travel together.
        finds_unused: whether parameters may go without a gradient.
        as_views: whether ``grad`` is the memory of the buckets.
    """

    def __init__(
        self, named: list[tuple[str, Tensor]], group: Any, capacity: int, finds_unused: bool,
        as_views: bool,
    ) -> None:  # fmt: skip
        self.named = named
        self.group = group
        self.finds_unused = finds_unused
        self.as_views = as_views
        #: By how many ranks sums are divided.
        self.divisor = group.size()
        #: Whether a backward pass that comes is to be averaged.
        self.expects = False
        #: What takes the place of the sum: its state, and the function.
        self.hook: tuple[Any, Callable] | None = None
        self._checked_at = structure_version.count
        self._capacity = capacity
        self._buckets: list[Bucket] = []
        self._layout: list[tuple[int, np.dtype]] = []
        self._handles: dict[Any, HookHandle] = {}
        weakref.finalize(self, _remove, self._handles).atexit = False
        self.watch()

    def check(self, module: Any) -> None:
        """Raise ``RuntimeError`` where the module has other parameters than it had.

        Arguments:
            module: what the parameters are those of.
        """
        if self._checked_at != structure_version.count:
            now = dict(module.named_parameters())
            known = dict(self.named)
            for name in known | now:
                if now.get(name) is not known.get(name):
                    raise RuntimeError(
                        f"the parameter {name} is not the one that DistributedDataParallel was "
                        "made for, so its gradient would not be averaged; wrap the module again, "
                        "on all ranks"
                    )
            self._checked_at = structure_version.count

    def watch(self) -> None:
        """Let the leaf of each parameter tell when its gradient has been summed."""
        for _, parameter in self.named:
            leaf = parameter.node
            if leaf is not None and leaf not in self._handles:
                # Weakly: a reducer knows its parameters, and goes with its module.
                self._handles[leaf] = extras_of(leaf).add("after", _Arrival(self))

    def arrived(self) -> None:
        """Have the end of this backward pass called, if it has not been asked for already."""
        if self.expects:
            finish = self.finish
            if finish not in queued.get(get_ident(), ()):
                queue_callback(finish)

    @property
    def buckets(self) -> list[Bucket]:
        """The buckets of the parameters that require a gradient now."""
        wanted = [parameter for _, parameter in self.named if parameter.requires_grad]
        layout = [(id(parameter), parameter.array.dtype) for parameter in wanted]
        if layout != self._layout:
            self._layout, self._buckets = layout, make_buckets(wanted, self._capacity)
        return self._buckets

    def finish(self) -> None:
        """Average the gradients, now that all of them are there."""
        with no_grad():
            missing = []
            for name, parameter in self.named:
                if parameter.requires_grad:
                    gradient = parameter.grad
                    if gradient is None:
                        missing.append(name)
                    elif gradient.node is not None:
                        raise GradientError(_HISTORY)
            if missing and not self.finds_unused:
                raise GradientError(_unused(missing, self.group.rank()))
            found = [p.grad is not None for bucket in self.buckets for p in bucket.parameters]
            self._average(Bucket.collect, self._used_anywhere(found))

    def take_part(self) -> None:
        """Add nothing to the gradients of the others, and have what they have: there is no data."""
        with no_grad():
            none = [False] * sum([len(bucket.parameters) for bucket in self.buckets])
            used = self._used_anywhere(none)
            self._average(lambda bucket: np.zeros(bucket.size, bucket.dtype), used)

    def _average(self, collect: Callable, used: Iterator[bool]) -> None:
        for bucket in self.buckets:
            array, divisor = collect(bucket), self.divisor
            if self.hook is None:
                distributed.all_reduce(make(array), group=self.group)
            else:
                array, divisor = self._hooked(bucket, array), 1
            bucket.hand_back(array, divisor, used, self.as_views)

    def _hooked(self, bucket: Bucket, array):
        """Return what the hook makes of the gradients of a bucket."""
        assert self.hook is not None
        state, hook = self.hook
        place = self.buckets.index(bucket)
        given = GradBucket(place, make(array), bucket, place == len(self.buckets) - 1)
        made = hook(state, given)
        if not isinstance(made, Tensor) and hasattr(made, "wait"):  # a future
            made = made.wait()
            if isinstance(made, (list, tuple)) and len(made) == 1:
                made = made[0]
        if not isinstance(made, Tensor) or made.numel() != bucket.size:
            what = f"a tensor of {made.numel()}" if isinstance(made, Tensor) else repr(made)
            raise TypeError(
                f"a communication hook returns a tensor of the {bucket.size} numbers of its "
                f"bucket, or a future of one, not {what}"
            )
        return made.array

    def _used_anywhere(self, here: list[bool]) -> Iterator[bool]:
        """Return of each parameter of the buckets whether it has a gradient on any rank."""
        if not self.finds_unused:
            return repeat(True)
        forbid_in_trace(
            "find_unused_parameters=True", "leave it out where every parameter has a gradient"
        )
        used = make(np.array(here, np.int32))
        distributed.all_reduce(used, group=self.group)
        return iter(used.array.astype(bool).tolist())


class _Arrival:
    """The hook on a leaf: its gradient is there."""

    __slots__ = ("_reducer",)

    def __init__(self, reducer: Reducer) -> None:
        self._reducer = weakref.ref(reducer)

    def __call__(self) -> None:
        reducer = self._reducer()
        if reducer is not None:
            reducer.arrived()


def _remove(handles: dict[Any, HookHandle]) -> None:
    for handle in handles.values():
        handle.remove()


_HISTORY = (
    "DistributedDataParallel can't average gradients that have a history: "
    "backward(create_graph=True) is for one process. For a gradient within a loss there is "
    "aino.autograd.grad(..., create_graph=True), followed by an ordinary backward()"
)


def _unused(missing: list[str], rank: int) -> str:
    return (
        f"DistributedDataParallel: {len(missing)} parameters got no gradient in this backward pass "
        f"on rank {rank}: {', '.join(missing)}. Where a part of the module may go unused, give "
        "find_unused_parameters=True; else let all outputs of forward() take part in the loss, or "
        "freeze the part with requires_grad_(False)"
    )
