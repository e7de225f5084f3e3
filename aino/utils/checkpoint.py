"""Checkpoints: keep the inputs of a part of a network, and compute the rest of it twice.

Training deep nets with sublinear memory cost (Chen, Xu, Zhang, Guestrin 2016).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from aino import tracing
from aino.autograd.memory import write_count
from aino.autograd.mode import enable_grad, mode
from aino.autograd.node import Leaf, Node, tick
from aino.autograd.packing import SavedHooks, enter_hooks, leave_hooks
from aino.autograd.tensor import Tensor, make
from aino.errors import InplaceError
from aino.ops.random.generator import get_rng_state, set_rng_state
from aino.pytree import mapped

__all__ = ["CheckpointError", "checkpoint", "checkpoint_sequential", "noop_context_fn"]


class CheckpointError(RuntimeError):
    """A function that computed something else the second time."""


def noop_context_fn() -> tuple[Any, Any]:
    """Return two contexts that do nothing."""
    return contextlib.nullcontext(), contextlib.nullcontext()


class _Enough(BaseException):
    """Everything that is wanted has been computed again; no error of the user's to be caught."""


class _Again:
    """A function and its arguments, to be called again when what it saved is asked for."""

    def __init__(self, function, args, keywords, state, context, check: bool, stop: bool) -> None:
        self.function = function
        self.args, self.keywords = args, keywords
        self.state = state
        self.context = context
        self.check = check
        self.stop = stop
        self.began = tick()
        #: Shape and dtype of what was saved, in order.
        self.forms: list[tuple] = []
        #: The leaves that were read: what they hold now has to be what they held then.
        self.leaves: set[Leaf] = set()
        self.found: dict[int, Tensor] = {}
        self._asked: set[int] = set()

    def pack(self, tensor: Tensor) -> int:
        self.forms.append((tensor.shape, tensor.dtype))
        return len(self.forms) - 1

    def see(self, node: Node) -> None:
        self.leaves.update(edge for edge in node.inputs if type(edge) is Leaf)

    def unpack(self, place: int) -> Tensor:
        if place not in self.found:
            self._compute()
        tensor = self.found[place]
        self._asked.add(place)
        if len(self._asked) == len(self.forms):  # what comes after asks anew
            self.found.clear()
            self._asked.clear()
        return tensor

    def _compute(self) -> None:
        """Call the function again, in the random state of its first call."""
        read = [leaf.tensor() for leaf in self.leaves]
        for given in (self.args, self.keywords):
            mapped(given, read.append)
        for tensor in read:
            if isinstance(tensor, Tensor) and write_count(tensor.array) > self.began:
                raise InplaceError(
                    f"checkpoint: a tensor of shape {tuple(tensor.shape)} that the function reads "
                    "was changed in place since; clone() it, or change it after the backward pass"
                )
        saved: list[Tensor] = []

        def collect(tensor: Tensor) -> None:
            saved.append(tensor)
            if self.stop and len(saved) == len(self.forms):
                raise _Enough

        def apart(x: Any) -> Any:
            return make(x.array).requires_grad_(x.requires_grad) if isinstance(x, Tensor) else x

        args, keywords = mapped(self.args, apart), mapped(self.keywords, apart)
        before = get_rng_state() if self.state is not None else None
        try:
            if self.state is not None:
                set_rng_state(self.state)
            with enable_grad(), self.context, _hooks(SavedHooks(collect, _never)):
                self.function(*args, **keywords)
        except _Enough:
            pass
        finally:
            if before is not None:
                set_rng_state(before)
        if len(saved) != len(self.forms):
            raise CheckpointError(
                f"checkpoint: the function saved {len(self.forms)} tensors when it was called "
                f"first, and {len(saved)} when it was computed again; it has to do the same"
            )
        for place, (tensor, (shape, dtype)) in enumerate(zip(saved, self.forms)):
            if self.check and (tensor.shape != shape or tensor.dtype != dtype):
                raise CheckpointError(
                    f"checkpoint: tensor {place} that the function saved was {tuple(shape)} of "
                    f"{dtype}, and is {tuple(tensor.shape)} of {tensor.dtype} when computed again"
                )
        self.found = dict(enumerate(saved))


@contextlib.contextmanager
def _hooks(hooks: SavedHooks) -> Iterator[None]:
    enter_hooks(hooks)
    try:
        yield
    finally:
        leave_hooks()


def _never(_: Any) -> Tensor:
    raise AssertionError("what is computed again is not differentiated")


def checkpoint(
    function: Callable[..., Any],
    *args: Any,
    use_reentrant: bool | None = None,
    context_fn: Callable[[], tuple[Any, Any]] = noop_context_fn,
    determinism_check: str = "default",
    debug: bool = False,
    early_stop: bool = True,
    preserve_rng_state: bool = True,
    **kwargs: Any,
) -> Any:
    """Call a function without keeping what its backward pass reads, and call it again there.

    Memory for the time of another forward pass. The result, its gradients and what can be done
    with them are those of ``function(*args, **kwargs)``. Inside of ``aino.compile``, whose
    programs plan their memory by themselves, the function is simply called.

    Arguments:
        function: a module or a function; it has to do the same when it is called again.
        args: what it is given.
        use_reentrant: accepted for PyTorch's sake; there is one way, which does what either does.
        context_fn: returns two contexts: for the first call, and for the second.
        determinism_check: ``"default"`` compares shapes and dtypes of what is computed again,
            ``"none"`` nothing.
        debug: accepted for PyTorch's sake.
        early_stop: stop the second call as soon as everything that is needed is there.
        preserve_rng_state: give the second call the random numbers of the first.
        kwargs: what the function is given by name.

    Raises ``CheckpointError`` where the second call saves something else than the first.

    >>> import aino
    >>> from aino.utils.checkpoint import checkpoint
    >>> x = aino.tensor([1.0, 2.0], requires_grad=True)
    >>> checkpoint(lambda x: (x * x).exp().sum(), x).backward()
    >>> x.grad
    tensor([  5.4366, 218.3926])
    """
    if determinism_check not in ("default", "none"):
        raise ValueError(
            f"checkpoint: determinism_check is 'default' or 'none', got {determinism_check!r}"
        )
    if not mode.level or tracing.session.trace is not None:
        return function(*args, **kwargs)
    state = get_rng_state() if preserve_rng_state else None
    first, second = context_fn()
    check = determinism_check == "default"
    again = _Again(function, args, kwargs, state, second, check, early_stop)
    with first, _hooks(SavedHooks(again.pack, again.unpack, again.see)):
        return function(*args, **kwargs)


def checkpoint_sequential(
    functions: Any,
    segments: int,
    input: Any,
    use_reentrant: bool | None = None,
    preserve_rng_state: bool = True,
) -> Any:
    """Call a chain of functions in segments, of which all but the last are checkpoints.

    Arguments:
        functions: a ``Sequential``, or modules and functions in order.
        segments: how many parts the chain is cut into.
        input: what the first is given.
        use_reentrant: accepted for PyTorch's sake.
        preserve_rng_state: as for ``checkpoint``.

    >>> import aino
    >>> from aino.utils.checkpoint import checkpoint_sequential
    >>> x = aino.tensor([0.5], requires_grad=True)
    >>> checkpoint_sequential([aino.exp, aino.sin, aino.square], 3, x).backward()
    >>> x.grad
    tensor([-0.2559])
    """
    chain: Sequence[Callable] = (
        list(functions.children()) if hasattr(functions, "children") else list(functions)
    )
    if not 1 <= segments <= max(len(chain), 1):
        raise ValueError(
            f"checkpoint_sequential: segments lies in 1 ... {len(chain)}, got {segments}"
        )
    length = len(chain) // segments

    def part(start: int, end: int) -> Callable:
        def run(x: Any) -> Any:
            for function in chain[start:end]:
                x = function(x)
            return x

        return run

    last = length * (segments - 1)
    for start in range(0, last, length):
        input = checkpoint(
            part(start, start + length), input, use_reentrant=use_reentrant,
            preserve_rng_state=preserve_rng_state,
        )  # fmt: skip
    return part(last, len(chain))(input)


def __dir__() -> list[str]:
    return __all__
