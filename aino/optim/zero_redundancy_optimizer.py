"""ZeroRedundancyOptimizer: what an optimizer remembers is shared out to the ranks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import numpy as np

from aino import distributed
from aino.autograd.mode import enable_grad
from aino.autograd.node import Leaf
from aino.autograd.tensor import Tensor, make
from aino.devices import Device
from aino.distributed.algorithms.join import Join, Joinable, JoinHook
from aino.distributed.coalesced import broadcast_coalesced
from aino.optim.lbfgs import LBFGS
from aino.optim.optimizer import Optimizer


class ZeroRedundancyOptimizer(Optimizer, Joinable):
    """An optimizer whose state is shared out: each rank steps its part, and gives it to all.

    The parameters are those of an ordinary optimizer, the same on all ranks; of their state (Adam's
    means, momentum) each rank has only that of its own part, 1/n of the memory. The steps are those
    of ``optimizer_class``, number for number. Schedulers, groups and ``aino.compile`` work as ever.

    To save it, call ``consolidate_state_dict()`` on all ranks, then ``state_dict()`` on rank 0.
    What is loaded, on any number of ranks, is the state of an ordinary ``optimizer_class``.

    Arguments:
        params: tensors to step, or dicts of ``params`` and settings of their own, one a group.
        optimizer_class: what steps them, such as ``aino.optim.Adam``.
        process_group: the ranks; all for None.
        parameters_as_bucket_view: has no effect: parameters stay where they are.
        overlap_with_ddp: refused.
        **defaults: the settings of ``optimizer_class``.

    Raises ``TypeError`` for what is no class of optimizers, ``ValueError`` before
    ``init_process_group``.

    >>> import aino
    >>> aino.distributed.init_process_group()
    >>> w = aino.tensor([1.0], requires_grad=True)
    >>> optimizer = aino.optim.ZeroRedundancyOptimizer([w], aino.optim.Adam, lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([0.9000], requires_grad=True)
    >>> aino.distributed.destroy_process_group()

    Source: Rajbhandari, Rasley, Ruwase and He, "ZeRO: memory optimizations toward training trillion
    parameter models", 2020 (its first stage).
    """

    def __init__(
        self,
        params: Iterable,
        optimizer_class: type[Optimizer],
        process_group: Any = None,
        parameters_as_bucket_view: bool = False,
        overlap_with_ddp: bool = False,
        **defaults: Any,
    ) -> None:
        if overlap_with_ddp:
            raise NotImplementedError(
                "ZeroRedundancyOptimizer(overlap_with_ddp=True) is not there: the step begins when "
                "all gradients are averaged; leave it out"
            )
        if not (isinstance(optimizer_class, type) and issubclass(optimizer_class, Optimizer)):
            raise TypeError(
                f"optimizer_class is a class such as aino.optim.Adam, not {optimizer_class!r}"
            )
        if issubclass(optimizer_class, (LBFGS, ZeroRedundancyOptimizer)):
            raise TypeError(
                f"{optimizer_class.__name__} can't be shared out: it steps all parameters as one"
                if issubclass(optimizer_class, LBFGS)
                else "a ZeroRedundancyOptimizer is shared out already"
            )
        self.process_group = cast(Any, process_group or distributed.group.WORLD)
        if self.process_group is None:
            distributed.get_rank()  # which says what to do first
        self.world_size = self.process_group.size()
        self.rank = self.process_group.rank()
        self.optim = optimizer_class(params, **defaults)
        self.has_stepped = False
        self._make_hooks()
        #: How many numbers each rank steps, and who steps which parameter.
        self._sizes = [0] * self.world_size
        self._owners: dict[int, int] = {}
        self._whole: dict[str, Any] | None = None
        for group in self.optim.param_groups:
            self._share_out(group)

    # What there is of it is that of the optimizer inside, whose groups hold all parameters.

    @property
    def param_groups(self) -> list[dict[str, Any]]:  # type: ignore[override]
        """The groups, with all their parameters."""
        return self.optim.param_groups

    @property
    def state(self) -> Any:
        """What is remembered of the parameters that this rank steps."""
        return self.optim.state

    @property
    def defaults(self) -> dict[str, Any]:  # type: ignore[override]
        """The settings of a group that doesn't say otherwise."""
        return self.optim.defaults

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group of parameters, on all ranks; what it does not set comes from ``defaults``.

        Arguments:
            param_group: a dict of ``params`` and settings.
        """
        self.optim.add_param_group(param_group)
        self._share_out(self.optim.param_groups[-1])

    def _share_out(self, group: dict[str, Any]) -> None:
        """Give each parameter, the largest first, to the rank that has the least to step."""
        for parameter in sorted(group["params"], key=lambda p: p.array.size, reverse=True):
            owner = self._sizes.index(min(self._sizes))
            self._owners[id(parameter)] = owner
            self._sizes[owner] += parameter.array.size

    def _parameters(self) -> list[Tensor]:
        return [parameter for group in self.param_groups for parameter in group["params"]]

    def __getstate__(self) -> dict[str, Any]:
        """Raise ``RuntimeError``: each rank has only a part."""
        raise RuntimeError(
            "a ZeroRedundancyOptimizer belongs to its ranks, and is not copied: make another, and "
            "give it the state_dict() that consolidate_state_dict() has brought together"
        )

    # The step

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Step the parameters of this rank, and exchange what all ranks have stepped.

        ``closure`` computes the loss and its gradients anew, and ``step`` returns what it returns.
        """
        Join.notify_join_context(self)
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        with self._own_gradients():
            self.optim.step()
        parameters = self._parameters()
        for rank, source in enumerate(self.process_group.ranks):
            stepped = [p for p in parameters if self._owners[id(p)] == rank and p.requires_grad]
            broadcast_coalesced(stepped, source, self.process_group)
        return loss

    @contextmanager
    def _own_gradients(self) -> Iterator[None]:
        """Hide the gradients of what other ranks step: an optimizer skips what has none."""
        hidden = []
        try:
            for parameter in self._parameters():
                leaf = parameter.node
                if self._owners[id(parameter)] != self.rank and type(leaf) is Leaf:
                    gradient = leaf.grad
                    if gradient is not None:
                        hidden.append((leaf, gradient))
                        leaf.grad = None
            yield
        finally:
            for leaf, gradient in hidden:
                leaf.grad = gradient

    # State dicts

    def consolidate_state_dict(self, to: int = 0) -> None:
        """Bring the state of all ranks to one of them, whose ``state_dict()`` has it; on all ranks.

        Arguments:
            to: the rank in the group.
        """
        own = self.optim.state_dict()["state"]
        plain = {key: {n: _plain(v) for n, v in entries.items()} for key, entries in own.items()}
        receives = self.rank == to
        parts: list[Any] | None = [None] * self.world_size if receives else None
        target = self.process_group.ranks[to]
        distributed.gather_object(plain, parts, dst=target, group=self.process_group)
        self._whole = None
        if parts is not None:
            whole = {key: entries for part in parts for key, entries in part.items()}
            self._whole = {
                key: {name: _restored(value) for name, value in whole[key].items()}
                for key in sorted(whole)
            }

    def state_dict(self) -> dict[str, Any]:
        """Return the state of all ranks, where ``consolidate_state_dict`` has brought it.

        Raises ``RuntimeError`` on the other ranks.
        """
        if self._whole is None:
            raise RuntimeError(
                "Optimizer state has not been consolidated on this rank. Please call "
                f"`consolidate_state_dict(to={self.rank})` on all ranks beforehand if you meant "
                "to save the global state."
            )
        for hook in self._hooks_around_state["save"].values():
            hook(self)
        result = self.optim.state_dict() | {"state": self._whole}
        for hook in self._hooks_around_state["saved"].values():
            replaced = hook(self, result)
            result = result if replaced is None else replaced
        return result

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over the state of an ordinary optimizer: each rank keeps that of its part.

        Raises ``ValueError``, and changes nothing, when groups, settings or shapes do not fit.
        """
        for hook in self._hooks_around_state["load"].values():
            replaced = hook(self, state_dict)
            state_dict = state_dict if replaced is None else replaced
        # Everything is looked at, so that all ranks refuse what one of them would refuse.
        self.optim.load_state_dict(state_dict)
        for parameter in self._parameters():
            if self._owners[id(parameter)] != self.rank and parameter in self.optim.state:
                del self.optim.state[parameter]
        self._whole = None
        for hook in self._hooks_around_state["loaded"].values():
            hook(self)

    # Uneven inputs

    def join_hook(self, **kwargs: Any) -> JoinHook:
        """Return what this rank does when it has no more data: it steps with the gradients of all.

        Arguments:
            **kwargs: have no effect.
        """
        return _Shadow(self)

    @property
    def join_device(self) -> Device:
        """The device of what is communicated: the CPU."""
        return Device("cpu")

    @property
    def join_process_group(self) -> Any:
        """The group of the ranks that wait for each other."""
        return self.process_group


class _Shadow(JoinHook):
    """What a rank without data does: it steps its part, with the gradients that all ranks have."""

    def __init__(self, optimizer: ZeroRedundancyOptimizer) -> None:
        self._optimizer = optimizer

    def main_hook(self) -> None:
        self._optimizer.step()


def _plain(value: Any) -> Any:
    return value.array if isinstance(value, Tensor) else value


def _restored(value: Any) -> Any:
    return make(np.asarray(value)) if isinstance(value, (np.ndarray, np.generic)) else value
