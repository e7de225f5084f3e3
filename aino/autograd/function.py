"""Function: an operation with a backward pass that the user writes."""

from __future__ import annotations

import functools
import weakref
from importlib import import_module
from typing import Any, NamedTuple

from aino.autograd.duck import youngest
from aino.autograd.function_node import FunctionNode
from aino.autograd.inplace import check_writable, rebind
from aino.autograd.levels import levels_of, running
from aino.autograd.memory import owner, stamp_write
from aino.autograd.mode import mode, no_grad
from aino.autograd.node import Node, TupleOutput, annotate, extras_of, tick
from aino.autograd.tensor import Tensor, View, make, refresh
from aino.errors import DtypeError, GradientError, TransformError


class FunctionCtx:
    """What a Function's forward leaves for its backward: saved tensors, and any attribute.

    ``needs_input_grad``: for each argument of ``apply``, whether its gradient is wanted.
    """

    needs_input_grad: tuple[bool, ...]
    forward_saved: tuple = ()
    #: What ``jvp`` finds, while it runs, in ``saved_tensors``.
    found_in_jvp: tuple | None = None

    def __init__(self) -> None:
        self._node: Any = None
        self.to_save: tuple = ()
        self.dirty_tensors: tuple = ()
        self.non_differentiable: tuple = ()
        self.materialize_grads = True

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keep tensors for ``backward``, which finds them in ``saved_tensors``.

        Inputs and outputs keep their history, so that ``backward`` can be differentiated;
        other tensors are constants there.
        """
        for tensor in tensors:
            if tensor is not None and not isinstance(tensor, Tensor):
                raise DtypeError(
                    f"save_for_backward keeps tensors, not {type(tensor).__name__}; set it as an "
                    "attribute of ctx instead"
                )
        self.to_save = tensors

    def save_for_forward(self, *tensors: Tensor | None) -> None:
        """Keep tensors for ``jvp``, which finds them in ``saved_tensors``."""
        self.forward_saved = tensors

    def mark_dirty(self, *tensors: Tensor) -> None:
        """Say which inputs ``forward`` has changed in place."""
        self.dirty_tensors = tensors

    def mark_non_differentiable(self, *tensors: Tensor) -> None:
        """Say which outputs have no gradient; ``backward`` receives zeros for them."""
        self.non_differentiable = tensors

    def set_materialize_grads(self, value: bool) -> None:
        """Whether ``backward`` receives zeros, or None, for outputs that played no part."""
        self.materialize_grads = value

    @property
    def saved_tensors(self) -> tuple:
        """The tensors that ``save_for_backward`` kept, in its order."""
        if self.found_in_jvp is not None:
            return self.found_in_jvp
        node = self._node and self._node()
        return self.to_save if node is None else node.saved_tensors


class Function:
    """Base of operations with a gradient of your own; called by ``apply``.

    ``forward(ctx, *args)`` computes, and leaves on ``ctx`` what ``backward`` will need; or
    ``forward(*args)`` computes and ``setup_context(ctx, inputs, output)`` leaves it.
    ``backward(ctx, *grad_outputs)`` returns one gradient, or None, for each argument. Written
    with differentiable operations it can itself be differentiated.

    >>> import aino
    >>> class Square(aino.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x * x
    ...     @staticmethod
    ...     def backward(ctx, grad_output):
    ...         (x,) = ctx.saved_tensors
    ...         return 2.0 * x * grad_output
    >>> x = aino.tensor(3.0, requires_grad=True)
    >>> Square.apply(x).backward()
    >>> x.grad
    tensor(6.)
    """

    node_class: type[FunctionNode]
    #: Whether ``vmap`` may call ``forward`` and ``backward`` as they are: it does so anyway, unless
    #: there is a ``vmap`` of the Function's own.
    generate_vmap_rule = False

    def __init_subclass__(cls, **keywords) -> None:
        super().__init_subclass__(**keywords)
        namespace = {"__slots__": (), "function": cls}
        cls.node_class = type(f"{cls.__name__}Backward", (FunctionNode,), namespace)

    @staticmethod
    def forward(*args, **kwargs) -> Any:
        """Compute the outputs; operations inside are not recorded."""
        raise NotImplementedError("a Function needs a static method forward(ctx, *args)")

    @staticmethod
    def setup_context(ctx, inputs: tuple, output) -> None:
        """Leave on ``ctx`` what ``backward`` needs, where ``forward`` takes no ``ctx``.

        Arguments:
            ctx: the context, which ``backward`` is given.
            inputs: the arguments of ``forward``, as a tuple.
            output: what ``forward`` returned.
        """
        raise NotImplementedError("setup_context(ctx, inputs, output) is not defined")

    @staticmethod
    def backward(ctx, *grad_outputs) -> Any:
        """Return the gradient for each argument of ``forward``, None where there is none.

        Arguments:
            ctx: the context, with ``saved_tensors`` and what else was left on it.
            grad_outputs: the gradient of each output of ``forward``.
        """
        raise NotImplementedError(
            "a Function needs a static method backward(ctx, *grad_outputs) to be differentiated"
        )

    @staticmethod
    def vmap(info: VmapInfo, in_dims: tuple, *args) -> tuple:
        """Compute the outputs for all samples at once, where ``aino.vmap`` meets the Function.

        Returns ``(outputs, out_dims)``. Without one, ``forward`` and ``backward`` are called as
        they are, and work on all samples where they consist of AINO's operations.

        Arguments:
            info: how many samples there are (``batch_size``), and the ``randomness`` that was
                asked for.
            in_dims: for each argument the dimension of its samples, None where it has none.
            args: the arguments of ``apply``, with all samples.
        """
        raise NotImplementedError("vmap(info, in_dims, *args) is not defined")

    #: Another name for ``backward``.
    vjp = backward

    @staticmethod
    def jvp(ctx, *grad_inputs) -> Any:
        """Return the tangent of each output, where forward mode meets the Function.

        Without a ``jvp`` of its own a Function's tangents follow from its ``backward``.

        Arguments:
            ctx: the context, whose ``saved_tensors`` are those of ``save_for_forward``.
            grad_inputs: the tangent of each argument, None for what is no tensor.
        """
        raise NotImplementedError("jvp(ctx, *grad_inputs) is not defined")

    @classmethod
    def backward_function(cls):
        """Return ``backward``, under whichever of its two names it was written."""
        if cls.vjp is Function.vjp:
            return cls.backward
        if cls.backward is not Function.backward:
            raise GradientError(f"{cls.__name__} defines both backward and vjp; one is enough")
        return cls.vjp

    @classmethod
    def apply(cls, *args, **kwargs) -> Any:
        """Compute the Function and record it; returns what ``forward`` returns.

        Keywords are taken where ``setup_context`` is defined. Raises ``TypeError`` for others.
        """
        separate = cls.setup_context is not Function.setup_context
        if separate and (kwargs or cls.forward.__defaults__):
            args = _bound(cls.forward, args, kwargs)
        elif kwargs:
            raise TypeError(f"{cls.__name__}.apply() takes no keyword arguments")
        if running.levels or mode.walking:
            duck = youngest(args)
            if duck is not None and duck.still() is not duck:
                return import_module("aino.autograd.function_tangents").apply_to_duals(cls, args)
            level = _level_of(cls, args)
            if level is not None:
                return _by_own_vmap(cls, level, args)
        return called(cls, args)


class Kept(NamedTuple):
    """What a call of a Function left on its context for ``jvp``, which has no node to ask."""

    context: FunctionCtx
    saved: tuple
    dirty: bool
    outputs: tuple


def called(cls, args: tuple, kept: list | None = None) -> Any:
    """Compute a Function and record it; return its result, and add to a list what it kept."""
    separate = cls.setup_context is not Function.setup_context
    for x in args:
        if isinstance(x, Tensor) and x.view_of is not None:
            refresh(x)
    ctx = FunctionCtx()
    edges = tuple([x.node if isinstance(x, Tensor) else None for x in args])
    ctx.needs_input_grad = tuple([edge is not None for edge in edges])
    with no_grad():
        if separate:
            output = cls.forward(*args)
            cls.setup_context(ctx, args, output)
        else:
            output = cls.forward(ctx, *args)
    outputs = output if isinstance(output, tuple) else (output,)
    if kept is not None:
        kept.append(Kept(ctx, ctx.forward_saved or ctx.to_save, bool(ctx.dirty_tensors), outputs))
    wrapped = _record(cls, ctx, args, edges, outputs)
    return wrapped if isinstance(output, tuple) else wrapped[0]


class VmapInfo(NamedTuple):
    """What a Function's ``vmap`` is told of the transform."""

    batch_size: int
    randomness: str


def _level_of(cls, args) -> Any:
    """Return the innermost vmap that an argument belongs to, if the Function has its own."""
    if cls.vmap is Function.vmap:
        return None
    if cls.generate_vmap_rule:
        raise TransformError(
            f"{cls.__name__} has a vmap of its own and generate_vmap_rule=True; one is enough"
        )
    duck = youngest(args)
    batched = duck is not None and isinstance(duck.level, _levels().BatchLevel)
    return duck.level if batched else None


def _levels() -> Any:
    """Return the room of ``vmap``, which is loaded when it is first used."""
    return import_module("aino.autograd.rules.levels")


def _by_own_vmap(cls, level, args) -> Any:
    """Return what a Function's own vmap makes of all samples, one sample to look at again."""
    enter, leave = _levels().enter, _levels().leave
    in_dims = tuple([0 if _is(x) and level in levels_of(x.array) else None for x in args])
    info = VmapInfo(level.size, level.randomness)
    whole = [x if dim is None else leave(x, level, 0) for x, dim in zip(args, in_dims)]
    found = cls.vmap(info, in_dims, *whole)
    if not isinstance(found, tuple) or len(found) != 2:
        raise TransformError(f"{cls.__name__}.vmap returns (outputs, out_dims)")
    outputs, out_dims = found
    several = isinstance(outputs, tuple)
    outputs = outputs if several else (outputs,)
    dims = out_dims if isinstance(out_dims, tuple) else (out_dims,) * len(outputs)
    if len(dims) != len(outputs):
        raise TransformError(
            f"{cls.__name__}.vmap returned {len(outputs)} outputs and {len(dims)} out_dims"
        )
    entered = [y if dim is None else enter(y, level, dim % y.ndim) for y, dim in zip(outputs, dims)]
    return tuple(entered) if several else entered[0]


def _bound(forward, args, kwargs) -> tuple:
    """Return the arguments in their order, defaults filled in."""
    code = forward.__code__
    names = code.co_varnames[: code.co_argcount]
    defaults = dict(zip(reversed(names), reversed(forward.__defaults__ or ())))
    defaults.update(kwargs)
    return args + tuple([defaults[name] for name in names[len(args) :] if name in defaults])


def _record(cls, ctx: FunctionCtx, args, edges, outputs) -> tuple:
    """Return the outputs with the node that leads back to the inputs."""
    recording = mode.level and any([edge is not None for edge in edges])
    dirty = ctx.dirty_tensors
    for tensor in dirty:
        if not any([tensor is x for x in args]):
            raise GradientError(f"{cls.__name__}: mark_dirty takes inputs, got another tensor")
        if recording:
            check_writable(tensor, cls.__name__)
        stamp_write(tensor.array)
    wanted = [
        isinstance(y, Tensor)
        and y.array.dtype.kind in "fc"
        and not any([y is other for other in ctx.non_differentiable])
        for y in outputs
    ]
    nodes: list[Node | None] = [None] * len(outputs)
    if recording and any(wanted):
        node = _node(cls, ctx, args, edges, outputs)
        if len(outputs) == 1:
            nodes = [node]
        else:
            nodes = [
                TupleOutput(node, k, y.array.shape, y.array.dtype) if wanted[k] else None
                for k, y in enumerate(outputs)
            ]
        for y, pick in zip(outputs, nodes):
            if pick is not None:
                extras_of(pick).hands_out = True
            kept = None if pick is None or pick is node else weakref.ref(pick)
            node.outputs.append((y.array.shape, y.array.dtype, kept) if _is(y) else None)
    ctx.to_save = ctx.dirty_tensors = ctx.non_differentiable = ()
    if ctx.forward_saved:
        ctx.forward_saved = ()
    return tuple([_returned(args, dirty, y, node) for y, node in zip(outputs, nodes)])


def _node(cls, ctx: FunctionCtx, args, edges, outputs) -> FunctionNode:
    node = object.__new__(cls.node_class)
    node.ctx = ctx
    node.inputs = edges
    node.arguments = [(x.array.shape, x.array.dtype) if _is(x) else None for x in args]
    node.outputs = []
    node.saved = tuple([_kept(tensor, args, outputs) for tensor in ctx.to_save])
    node.shape = outputs[0].array.shape if len(outputs) == 1 else ()
    node.sequence = tick()
    node.extras = None
    ctx._node = weakref.ref(node)
    if mode.level == 2:
        annotate(node)
    return node


def _is(value) -> bool:
    return isinstance(value, Tensor)


def _kept(tensor, args, outputs) -> tuple | None:
    """Return a saved tensor as its array and where it came from."""
    if tensor is None:
        return None
    output = next((k for k, y in enumerate(outputs) if y is tensor), None)
    source = next((k for k, x in enumerate(args) if x is tensor), None)
    return tensor.array, tensor.node, None if output is not None else source, output


def _returned(args, dirty, y, node) -> Any:
    """Return an output as the caller gets it: an input only where it was written in place."""
    if not isinstance(y, Tensor):
        return y
    if any([y is x for x in dirty]):
        if node is not None:
            rebind(y, make(y.array, node))
        return y
    root = owner(y.array)
    shared = [x for x in args if isinstance(x, Tensor) and owner(x.array) is root]
    if not shared and y.node is None and y.view_of is None:
        y.node = node
        return y
    result = make(y.array, node)
    if shared:
        # A view that no function can make again: writing to it in place is refused.
        result.view_of = View(shared[0], None, ())
        result.view_of.level = 0
    return result


class _Once(Node):
    """The node of a gradient that can't be differentiated again."""

    __slots__ = ("of",)

    def __init__(self, ctx: FunctionCtx, shape: tuple[int, ...]) -> None:
        node = ctx._node()
        self.inputs = node.inputs
        self.saved = ()
        self.sequence = tick()
        self.shape = shape
        self.extras = None
        self.of = node.name()

    def saved_values(self) -> list[tuple[str, Any]]:
        return []

    def pullback_recorded(self, inputs, g):
        return self.pullback(inputs, self.saved, g)

    def pullback(self, inputs, saved, g):
        raise GradientError(
            f"trying to differentiate twice a function that was marked with "
            f"@once_differentiable ({self.of})"
        )


def once_differentiable(backward):
    """Say that ``backward`` can't be differentiated: a second derivative then raises."""

    @functools.wraps(backward)
    def once(ctx, *grad_outputs):
        with no_grad():
            returned = backward(ctx, *grad_outputs)
        if not mode.level:
            return returned
        several = isinstance(returned, tuple)
        gradients = [
            make(x.array, _Once(ctx, x.array.shape)) if isinstance(x, Tensor) else x
            for x in (returned if several else (returned,))
        ]
        return tuple(gradients) if several else gradients[0]

    return once
