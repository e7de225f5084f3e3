"""DistributedDataParallel: one model on several ranks, each with its own part of the data."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, cast

import numpy as np

from aino import distributed
from aino.autograd.mode import mode
from aino.autograd.tensor import Tensor, make
from aino.devices import Device
from aino.distributed.algorithms.join import Join, Joinable, JoinHook
from aino.distributed.coalesced import broadcast_coalesced
from aino.errors import DeviceError, DitError
from aino.nn.base.module import Module
from aino.nn.parallel.reducer import Reducer
from aino.nn.parallel.same import check_same
from aino.nn.parameter import is_lazy
from aino.structure_version import structure_version
from aino.user_warnings import warn


class DistributedDataParallel(Module, Joinable):
    """A module that learns on several ranks: its gradients are averaged in the backward pass.

    Each rank makes the same module, wraps it, and gives it its own part of each batch. The
    constructor compares names, shapes and dtypes among the ranks and gives all of them the
    parameters and buffers of rank 0; at the end of each ``backward()`` the gradients are summed
    over the ranks and divided by their number, so that the same optimizer makes the same step
    everywhere. It is the mean of the ranks' means: where their batches differ in size, weigh the
    loss by ``len(batch) * world_size / len(all)``.

    The state dict has PyTorch's keys, which begin with ``module.``; save ``ddp.module``, on rank
    0, for a file that needs no ranks. ``find_unused_parameters`` and ``join`` don't go with
    ``aino.compile``: such steps run uncompiled.

    Arguments:
        module: what learns.
        device_ids, output_device: None: there are no accelerators.
        dim: has no effect.
        broadcast_buffers: the old name of ``forward_sync_buffers``; False leaves the buffers alone
            in the constructor, too.
        init_sync: compare, and give parameters and buffers out, in the constructor.
        process_group: the ranks; all for None.
        bucket_cap_mb: how many megabytes of small gradients travel together; 25 for None.
        find_unused_parameters: let parameters go without a gradient. One that no rank has a
            gradient for is left alone; of the others a rank without one adds zeros. Costs a
            collective.
        gradient_as_bucket_view: let ``grad`` be the memory that is sent: it changes in the next
            pass.
        static_graph, skip_all_reduce_unused_params, bucket_cap_mb_list, batched_grad_copy: have no
            effect: they choose among ways to the same gradients.
        forward_sync_buffers: give all ranks the buffers of rank 0 before each forward pass.
        check_reduction: has no effect, as in PyTorch.
        delay_all_reduce_named_params, param_to_hook_all_reduce, mixed_precision, device_mesh:
            refused.

    Raises ``RuntimeError`` on all ranks where their modules differ, where no parameter requires a
    gradient, and in the backward pass, by name, for parameters without a gradient; ``ValueError``
    before ``init_process_group``.

    >>> import aino
    >>> aino.distributed.init_process_group()
    >>> model = aino.nn.parallel.DistributedDataParallel(aino.nn.Linear(2, 1))
    >>> list(model.state_dict())
    ['module.weight', 'module.bias']
    >>> aino.distributed.destroy_process_group()
    """

    def __init__(
        self,
        module: Module,
        device_ids: Any = None,
        output_device: Any = None,
        dim: int = 0,
        broadcast_buffers: bool | None = None,
        init_sync: bool = True,
        process_group: Any = None,
        bucket_cap_mb: float | None = None,
        find_unused_parameters: bool = False,
        check_reduction: bool = False,
        gradient_as_bucket_view: bool = False,
        static_graph: bool = False,
        delay_all_reduce_named_params: Any = None,
        param_to_hook_all_reduce: Any = None,
        mixed_precision: Any = None,
        device_mesh: Any = None,
        skip_all_reduce_unused_params: bool = False,
        bucket_cap_mb_list: Any = None,
        batched_grad_copy: bool = False,
        forward_sync_buffers: bool | None = None,
    ) -> None:
        super().__init__()
        _refuse(
            delay_all_reduce_named_params=delay_all_reduce_named_params,
            param_to_hook_all_reduce=param_to_hook_all_reduce,
            mixed_precision=mixed_precision,
            device_mesh=device_mesh,
        )
        if not isinstance(module, Module):
            raise TypeError(f"module is an nn.Module, not {type(module).__name__}")
        if device_ids or output_device is not None:
            raise DeviceError(
                f"DistributedDataParallel is given device_ids={device_ids!r} and "
                f"output_device={output_device!r}, and there are no accelerators here; leave them "
                "out"
            )
        capacity = 25.0 if bucket_cap_mb is None else bucket_cap_mb
        if not capacity > 0:
            raise ValueError(f"bucket_cap_mb is a number above 0, not {bucket_cap_mb!r}")
        named = list(module.named_parameters())
        if any(is_lazy(parameter) for _, parameter in named):
            raise RuntimeError(
                "Modules with uninitialized parameters can't be used with "
                "`DistributedDataParallel`. Run a dummy forward pass to correctly initialize the "
                "modules"
            )
        if not any(parameter.requires_grad for _, parameter in named):
            raise RuntimeError(
                "DistributedDataParallel is not needed when a module doesn't have any parameter "
                "that requires a gradient."
            )
        syncs_at_first = True
        if broadcast_buffers is not None:
            _warn_of_broadcast_buffers(forward_sync_buffers)
            if forward_sync_buffers is None:
                forward_sync_buffers = syncs_at_first = broadcast_buffers
        if check_reduction:
            warn(
                "The `check_reduction` argument in `DistributedDataParallel` module is "
                "deprecated. Please avoid using it.",
                FutureWarning,
            )
        self.process_group = cast(Any, process_group or distributed.group.WORLD)
        if self.process_group is None:
            distributed.get_rank()  # which says what to do first
        self.module = module
        self.dim = dim
        self.device_ids = self.output_device = None
        self.find_unused_parameters = find_unused_parameters
        self.gradient_as_bucket_view = gradient_as_bucket_view
        self.forward_sync_buffers = forward_sync_buffers is None or forward_sync_buffers
        #: Whether a backward pass averages; False inside of ``no_sync()``.
        self.require_backward_grad_sync = True
        self._capacity = int(capacity * 1024 * 1024)
        if init_sync:
            check_same(module, self.process_group)
            tensors: list[Tensor] = [parameter for _, parameter in named]
            if syncs_at_first:
                tensors += module.buffers()
            broadcast_coalesced(tensors, self.process_group.ranks[0], self.process_group)
        self._prepare()

    def _prepare(self) -> None:
        """Make what averages, and note which parameters and buffers there are."""
        self._reducer = Reducer(
            list(self.module.named_parameters()), self.process_group, self._capacity,
            self.find_unused_parameters, self.gradient_as_bucket_view,
        )  # fmt: skip
        self._divides_by_all = True

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        """Return what the module returns; in training, wait for gradients to average."""
        reducer = self._reducer
        recording = mode.level > 0
        syncs = recording and self.require_backward_grad_sync
        if self._join_config.enable:
            active = Join.notify_join_context(self)
            if active is not None and not self._divides_by_all:
                reducer.divisor = int(active.item())
            _tell([syncs, self.require_backward_grad_sync, reducer.divisor], self.process_group)
        if self.forward_sync_buffers and self.require_backward_grad_sync:
            self._sync_buffers()
        reducer.check(self.module)
        if recording:
            reducer.watch()
            reducer.expects = syncs
        return self.module(*inputs, **kwargs)

    def _sync_buffers(self) -> None:
        """Give all ranks the buffers of the first, or of the last that still has data."""
        buffers = list(self.module.buffers())
        if buffers:
            source = self.process_group.ranks[0]
            if self._join_config.enable:
                source = self._common_rank(has_data=True)
            broadcast_coalesced(buffers, source, self.process_group)

    @contextlib.contextmanager
    def no_sync(self) -> Iterator[None]:
        """Let gradients add up on each rank by itself; the next pass outside averages all of them.

        >>> import aino
        >>> aino.distributed.init_process_group()
        >>> model = aino.nn.parallel.DistributedDataParallel(aino.nn.Linear(2, 1))
        >>> with model.no_sync():
        ...     model(aino.ones(1, 2)).sum().backward()
        >>> model(aino.ones(1, 2)).sum().backward()
        >>> model.module.weight.grad
        tensor([[2., 2.]])
        >>> aino.distributed.destroy_process_group()
        """
        before = self.require_backward_grad_sync
        self.require_backward_grad_sync = False
        try:
            yield
        finally:
            self.require_backward_grad_sync = before
            # A compiled forward pass does not say again that its gradients are to be averaged.
            self._reducer.expects = self._reducer.expects or before

    def register_comm_hook(self, state: Any, hook: Callable) -> None:
        """Let ``hook(state, bucket)`` take the place of averaging; once, before the first pass.

        Arguments:
            state: what the hook is given: its own notes, or the group of the ranks.
            hook: takes a ``distributed.GradBucket`` with the gradients of this rank and returns the
                tensor to put in their place, or a future of it. There are ready ones in
                ``aino.distributed.algorithms.ddp_comm_hooks.default_hooks``.

        Raises ``TypeError`` for what can't be called, ``RuntimeError`` for a second hook.
        """
        if not callable(hook):
            raise TypeError("Communication hook must be callable.")
        if self._reducer.hook is not None:
            raise RuntimeError(
                "register_comm_hook or register_builtin_comm_hook can only be called once."
            )
        self._reducer.hook = (state, hook)
        structure_version.move()

    # Uneven inputs

    def join(
        self,
        divide_by_initial_world_size: bool = True,
        enable: bool = True,
        throw_on_early_termination: bool = False,
    ) -> Join:
        """Return the context of a training loop whose ranks have uneven numbers of batches.

        A rank that has no more data takes part in the steps of the others with gradients of zero,
        and has their parameters at the end. What its optimizer remembers is that of its last own
        step: go on with ``optimizer.load_state_dict`` of a rank with the most data, or let
        ``ZeroRedundancyOptimizer`` join, too: ``Join([model, optimizer])``.

        Arguments:
            divide_by_initial_world_size: divide by the number of all ranks, so that each sample
                counts alike; False divides by the number of those that still have data.
            enable: False does nothing: where inputs are even, this saves a collective a step.
            throw_on_early_termination: raise ``RuntimeError`` on all ranks when the first has no
                more data.
        """
        return Join(
            [self],
            enable,
            throw_on_early_termination,
            divide_by_initial_world_size=divide_by_initial_world_size,
        )

    def join_hook(self, **kwargs: Any) -> JoinHook:
        """Return what this rank does when it has no more data.

        Arguments:
            **kwargs: those of ``join``.
        """
        return _Shadow(self, kwargs.get("divide_by_initial_world_size", True))

    @property
    def join_device(self) -> Device:
        """The device of what is communicated: the CPU."""
        return Device("cpu")

    @property
    def join_process_group(self) -> Any:
        """The group of the ranks that wait for each other."""
        return self.process_group

    def _common_rank(self, has_data: bool) -> int:
        """Return the highest rank that has data: all ranks agree on it."""
        return _tell([distributed.get_rank() if has_data else -1], self.process_group)[0]

    # Copies

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy has; it averages over the group of all ranks."""
        if self.process_group is not distributed.group.WORLD:
            raise RuntimeError(
                "DistributedDataParallel can be copied and pickled where its group is that of all "
                "ranks, which a copy takes; copy ddp.module, and wrap the copy"
            )
        state = vars(self).copy()
        for name in ("process_group", "_reducer", "_join_config"):
            state.pop(name, None)
        return state | {"_constructor": ((), {}), "_copied_hook": self._reducer.hook}

    def __setstate__(self, state: dict[str, Any]) -> None:
        hook = state.pop("_copied_hook")
        vars(self).update(state)
        self.process_group = distributed.group.WORLD
        if self.process_group is None:
            distributed.get_rank()  # which says what to do first
        self._prepare()
        self._reducer.hook = hook

    def constructor_arguments(self) -> Any:
        """Raise ``DitError``: what is saved is the module inside."""
        raise DitError(
            "a DistributedDataParallel belongs to the ranks that made it, and is not saved: save "
            "ddp.module, on rank 0, and wrap what is loaded; or save ddp.module.state_dict()"
        )


class _Shadow(JoinHook):
    """What a rank does in the steps of others, when it has no data of its own."""

    def __init__(self, ddp: DistributedDataParallel, divides_by_all: bool) -> None:
        self._ddp = ddp
        ddp._divides_by_all = divides_by_all
        ddp._reducer.divisor = ddp._reducer.group.size()

    def main_hook(self) -> None:
        ddp = self._ddp
        averages, exchanges, divisor = _tell([0, 0, 0], ddp.process_group)
        if exchanges and ddp.forward_sync_buffers:
            buffers = list(ddp.module.buffers())
            if buffers:
                source = ddp._common_rank(has_data=False)
                broadcast_coalesced(buffers, source, ddp.process_group)
        if averages:
            ddp._reducer.divisor = divisor
            ddp._reducer.take_part()

    def post_hook(self, is_last_joiner: bool) -> None:
        ddp = self._ddp
        ddp._reducer.divisor = ddp._reducer.group.size()
        tensors: list[Tensor] = list(ddp.module.parameters())
        if ddp.forward_sync_buffers:
            tensors += ddp.module.buffers()
        broadcast_coalesced(tensors, ddp._common_rank(is_last_joiner), ddp.process_group)


def _tell(numbers: list[int], group: Any) -> list[int]:
    """Return the largest of each number on any rank."""
    told = make(np.array(numbers, np.int64))
    distributed.all_reduce(told, distributed.ReduceOp.MAX, group=group)
    return told.array.tolist()


def _refuse(**given: Any) -> None:
    for name, value in given.items():
        if value is not None:
            raise NotImplementedError(
                f"DistributedDataParallel(..., {name}=...) is not there: gradients are averaged in "
                "their own dtype, once, at the end of the backward pass; leave it out"
            )


def _warn_of_broadcast_buffers(forward_sync_buffers: bool | None) -> None:
    if forward_sync_buffers is not None:
        warn(
            "Both `broadcast_buffers` and `forward_sync_buffers` were specified. "
            "`broadcast_buffers` is deprecated and its value is ignored when "
            "`forward_sync_buffers` is provided.",
            FutureWarning,
        )
    else:
        warn(
            "`broadcast_buffers` is deprecated. Use `forward_sync_buffers` instead, which leaves "
            "the constructor to give out buffers all the same",
            FutureWarning,
        )
