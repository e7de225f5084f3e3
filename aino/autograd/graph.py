"""What lies under a recorded graph: its nodes, and what they save for their backward pass."""

from __future__ import annotations

import contextlib
import functools
import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, NamedTuple

from aino.autograd.memory import stamp_write
from aino.autograd.mode import mode
from aino.autograd.node import Node, TupleOutput
from aino.autograd.packing import SavedHooks, enter_hooks, leave_hooks
from aino.autograd.passes import walking, watched
from aino.autograd.tensor import Tensor
from aino.errors import GradientError

__all__ = [
    "GradientEdge", "Node", "allow_mutation_on_saved_tensors", "disable_saved_tensors_hooks",
    "get_gradient_edge", "increment_version", "register_multi_grad_hook", "save_on_cpu",
    "saved_tensors_hooks",
]  # fmt: skip


class saved_tensors_hooks:
    """Hand what is saved for backward through two functions, inside a ``with`` block.

    Each tensor that an operation saves goes through ``pack_hook`` when it is recorded, and what
    that returned through ``unpack_hook`` each time a backward pass reads it. So activations can
    be written to disk, kept in half precision, or computed again.

    Arguments:
        pack_hook: takes a tensor and returns anything; it must not change the tensor.
        unpack_hook: takes what ``pack_hook`` returned; returns a tensor of the same shape, dtype
            and content.

    >>> import aino
    >>> x = aino.tensor([1.0, 2.0], requires_grad=True)
    >>> with aino.autograd.graph.saved_tensors_hooks(lambda t: t.tolist(), aino.tensor):
    ...     y = (x * x).sum()
    >>> y.backward()
    >>> x.grad
    tensor([2., 4.])
    """

    def __init__(
        self, pack_hook: Callable[[Tensor], Any], unpack_hook: Callable[[Any], Tensor]
    ) -> None:
        self.pack_hook = pack_hook
        self.unpack_hook = unpack_hook

    def __enter__(self) -> None:
        enter_hooks(SavedHooks(self.pack_hook, self.unpack_hook))

    def __exit__(self, *_: object) -> None:
        leave_hooks()


class save_on_cpu(saved_tensors_hooks):
    """Keep what is saved for backward in the CPU's memory, where AINO keeps everything.

    Arguments:
        pin_memory: accepted for PyTorch's sake, and means nothing here.
        device_type: as well.
    """

    def __init__(self, pin_memory: bool = False, device_type: str = "cuda") -> None:
        super().__init__(lambda tensor: tensor, lambda tensor: tensor)


@contextlib.contextmanager
def disable_saved_tensors_hooks(error_message: str) -> Iterator[None]:
    """Refuse ``saved_tensors_hooks`` inside a ``with`` block, with this message.

    Raises ``RuntimeError`` where hooks are set inside.
    """
    before = mode.no_saved_hooks
    mode.no_saved_hooks = error_message
    mode.saved_hooks = (*mode.saved_hooks, None)
    try:
        yield
    finally:
        mode.no_saved_hooks = before
        leave_hooks()


@contextlib.contextmanager
def allow_mutation_on_saved_tensors() -> Iterator[None]:
    """Let tensors that were saved for backward be changed in place, inside a ``with`` block.

    Every array is copied when it is saved, so gradients are those of the values that it had then.

    >>> import aino
    >>> x = aino.tensor([1.0, 2.0], requires_grad=True)
    >>> with aino.autograd.graph.allow_mutation_on_saved_tensors():
    ...     y = x * 1.0
    ...     z = (y * y).sum()
    ...     _ = y.zero_()
    >>> z.backward()
    >>> x.grad
    tensor([2., 4.])
    """
    with saved_tensors_hooks(lambda tensor: tensor.clone(), lambda tensor: tensor):
        yield


class GradientEdge(NamedTuple):
    """The place at which a tensor's gradient arrives in the graph.

    Arguments:
        node: the node that the gradient goes to.
        output_nr: which of its outputs the tensor is.
    """

    node: Node
    output_nr: int


def get_gradient_edge(tensor: Tensor) -> GradientEdge:
    """Return the node that a tensor's gradient goes to, and which of its outputs the tensor is.

    Raises ``GradientError`` for a tensor that requires no gradient.
    """
    node = tensor.node
    if node is None:
        raise GradientError("get_gradient_edge: the tensor does not require a gradient")
    if type(node) is TupleOutput:
        return GradientEdge(node.inputs[0], node.index)
    return GradientEdge(node, 0)


def increment_version(tensor: Tensor | tuple[Tensor, ...] | list[Tensor]) -> None:
    """Say that the memory of a tensor, or of several, was written by other means.

    A backward pass that would read what was there before then raises ``InplaceError``.
    """
    for one in [tensor] if isinstance(tensor, Tensor) else tensor:
        stamp_write(one.array)


class _MultiGradHook:
    """A hook on the gradients of several tensors; ``remove()`` takes it away."""

    def __init__(self, tensors: Sequence[Tensor], fn: Callable, every: bool) -> None:
        self._fn = fn
        self._every = every
        self._nodes: list[Node | None] = []
        #: For each pass that goes on: how many gradients are still to come, and those that came.
        self._waiting: Any = weakref.WeakKeyDictionary()
        self._handles = []
        for place, tensor in enumerate(tensors):
            if tensor.requires_grad or every:
                self._handles.append(tensor.register_hook(functools.partial(self._arrived, place)))
            self._nodes.append(tensor.node)
        watched.add(self)

    def _arrived(self, place: int, gradient: Tensor) -> None:
        current: Any = walking.now
        if current not in self._waiting:
            visited = current.visits() if self._every else ()
            count = sum([node in visited for node in self._nodes])
            self._waiting[current] = [count, [None] * len(self._nodes)]
            if not self._every:
                self._fn(gradient)
        if self._every:
            state = self._waiting[current]
            state[0] -= 1
            state[1][place] = gradient
            if not state[0]:
                self._fn(state[1])

    def remove(self) -> None:
        for handle in self._handles:
            handle.remove()
        watched.discard(self)

    def __enter__(self) -> _MultiGradHook:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()


def register_multi_grad_hook(
    tensors: Sequence[Tensor], fn: Callable[[Any], None], *, mode: Literal["all", "any"] = "all"
) -> Any:
    """Call a function in each backward pass that computes gradients of several tensors.

    With ``mode="all"`` it is called as ``fn(gradients)`` when all that the pass comes to have been
    computed: a list with one for each tensor, None for those that it does not come to. With
    ``mode="any"`` it is called as ``fn(gradient)`` with the first of them. The hook must not
    change what it is given. Returns a handle with ``remove()``. Raises ``GradientError`` for a
    tensor that requires no gradient, which ``"any"`` passes over.

    Arguments:
        tensors: whose gradients.
        fn: what is called.
        mode: ``"all"`` or ``"any"``.

    >>> import aino
    >>> a, b = aino.ones(1, requires_grad=True), aino.ones(1, requires_grad=True)
    >>> hook = aino.autograd.graph.register_multi_grad_hook((a, b), print)
    >>> (a * 2.0 + b * 3.0).backward()
    [tensor([2.]), tensor([3.])]
    >>> (a * 2.0).backward()
    [tensor([2.]), None]
    """
    if mode not in ("all", "any"):
        raise ValueError(f"register_multi_grad_hook: mode is 'all' or 'any', not {mode!r}")
    tensors = list(tensors)
    if mode == "all" and not all([tensor.requires_grad for tensor in tensors]):
        raise GradientError(
            "register_multi_grad_hook: a tensor that does not require a gradient never gets one"
        )
    return _MultiGradHook(tensors, fn, mode == "all")


def __dir__() -> list[str]:
    return __all__
