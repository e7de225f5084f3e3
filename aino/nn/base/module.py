"""Module: what has parameters, buffers and modules inside, and computes."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from aino import dtypes, formats
from aino.autograd.node import HookHandle
from aino.autograd.tensor import Tensor, make
from aino.devices import Device, check_device
from aino.dit.constructor import copyable, made_with
from aino.dit.registry import register
from aino.layouts import check_memory_format
from aino.nn.base.hooks import Hook, call_with_hooks
from aino.nn.base.state import Stateful
from aino.ops import given
from aino.ops.tensor.conversion import asked
from aino.structure_version import structure_version
from aino.types import DeviceLike, DType


@register
class Module(Stateful):
    """The base of every network and of every part of one.

    Parameters, buffers and modules inside are ordinary attributes: whatever ``vars(self)`` holds
    is found, in the order in which it was set. A subclass computes in ``forward``.

    >>> import aino
    >>> from aino import nn
    >>> class Scale(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.factor = nn.Parameter(aino.tensor(2.0))
    ...     def forward(self, x):
    ...         return self.factor * x
    >>> Scale()(aino.ones(2))
    tensor([2., 2.], grad_fn=<MulBackward0>)
    """

    #: True while training, False after ``eval()``.
    training: bool = True
    #: The names of the buffers whose dtype is not the module's to change: ``float()`` and its kin
    #: leave them as they are.
    _keeps_dtype: tuple[str, ...] = ()
    #: What the module was made with, so that a file can tell how to make it again.
    _constructor: tuple[tuple, dict[str, Any]]

    def __init_subclass__(cls, **options) -> None:
        super().__init_subclass__(**options)
        if cls.__module__.startswith("aino.") and not cls.__name__.startswith("_"):
            register(cls)

    def __new__(cls, *args, **kwargs):
        self = object.__new__(cls)
        vars(self)["_constructor"] = (args, kwargs)
        return self

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy has: everything but what it could not have of the constructor's."""
        state = vars(self).copy()
        state["_constructor"] = copyable(made_with(self))
        return state

    def __init__(self) -> None:
        """Nothing has to be prepared; subclasses may call it, as they do in PyTorch."""

    def forward(self, *args, **kwargs) -> Any:
        """Compute the output; called by calling the module."""
        raise NotImplementedError(f"module {type(self).__name__} has no forward method")

    def __call__(self, *args, **kwargs) -> Any:
        try:
            if self._hooks is None:
                return self.forward(*args, **kwargs)
            return call_with_hooks(self, args, kwargs)
        except (AttributeError, TypeError) as error:
            found = given.explained(self.forward, type(self).__name__, args, kwargs, error)
            if found is error:
                raise
            raise found from None

    # Hooks

    def register_forward_pre_hook(
        self, hook: Callable, *, prepend: bool = False, with_kwargs: bool = False
    ) -> HookHandle:
        """Call ``hook(module, args)`` before ``forward``; what it returns replaces the arguments.

        Arguments:
            hook: returns None, or the new arguments: a tuple, or the only one.
            prepend: call it before the hooks that were registered earlier.
            with_kwargs: call ``hook(module, args, kwargs)``; it returns None or
                ``(args, kwargs)``.
        """
        return self._add_hook("forward_pre", Hook(hook, with_kwargs), prepend)

    def register_forward_hook(
        self,
        hook: Callable,
        *,
        prepend: bool = False,
        with_kwargs: bool = False,
        always_call: bool = False,
    ) -> HookHandle:
        """Call ``hook(module, args, output)`` after ``forward``; it may replace the output.

        Arguments:
            hook: returns None, or the new output.
            prepend: call it before the hooks that were registered earlier.
            with_kwargs: call ``hook(module, args, kwargs, output)``.
            always_call: call it even if ``forward`` raises, with the output None.
        """
        return self._add_hook("forward", Hook(hook, with_kwargs, always_call), prepend)

    def register_full_backward_pre_hook(self, hook: Callable, prepend: bool = False) -> HookHandle:
        """Call ``hook(module, grad_output)`` in each backward pass, before it reaches the module.

        Arguments:
            hook: returns None, or new gradients of the outputs; they come as a tuple.
            prepend: call it before the hooks that were registered earlier.
        """
        return self._add_hook("backward_pre", Hook(hook), prepend)

    def register_full_backward_hook(self, hook: Callable, prepend: bool = False) -> HookHandle:
        """Call ``hook(module, grad_input, grad_output)`` in each backward pass.

        The gradients are tuples, with None for arguments other than tensors.

        Arguments:
            hook: returns None, or what replaces ``grad_input``.
            prepend: call it before the hooks that were registered earlier.
        """
        return self._add_hook("backward", Hook(hook), prepend)

    # Modes

    def apply(self, fn: Callable[[Any], Any]) -> Any:
        """Call ``fn`` on every module inside, then on this one; returns the module."""
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self

    def train(self, mode: bool = True) -> Any:
        """Switch this module and all inside to training (dropout drops) or evaluation."""
        if not isinstance(mode, bool):
            raise ValueError("training mode is expected to be boolean")
        for module in self.modules():
            if module.training is not mode:
                vars(module)["training"] = mode
                structure_version.move()
        return self

    def eval(self) -> Any:
        """Switch this module and all inside to evaluation."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Any:
        """Ask, or stop asking, for the gradients of all parameters: ``False`` freezes."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters, or fill them with zeros."""
        for parameter in self.parameters():
            if set_to_none or parameter.grad is None:
                parameter.grad = None
            else:
                parameter.grad = make(np.zeros_like(parameter.grad.array))

    # Dtypes

    def _cast(self, wanted: Callable[[np.dtype], np.dtype]) -> Any:
        """Give every parameter, gradient and buffer the dtype that ``wanted`` says."""
        kept = {id(vars(part)[name]) for part in self.modules() for name in part._keeps_dtype}
        for tensor in [*self.parameters(), *self.buffers()]:
            dtype = wanted(tensor.array.dtype)
            if dtype is tensor.array.dtype or id(tensor) in kept:
                continue
            gradient, tensor.grad = tensor.grad, None
            tensor.data = make(tensor.array.astype(dtype))
            if gradient is not None:
                tensor.grad = make(gradient.array.astype(dtype))
            structure_version.move()
        return self

    def _to_floating(self, dtype: np.dtype) -> Any:
        kinds = "fc" if dtype.kind == "c" else "f"
        return self._cast(lambda own: dtype if own.kind in kinds else own)

    def to(
        self,
        *args: Any,
        dtype: DType | None = None,
        device: DeviceLike = None,
        tensor: Tensor | None = None,
        non_blocking: bool = False,
        memory_format: Any = None,
    ) -> Any:
        """Give all floating-point parameters and buffers a dtype, in place; returns the module.

        Raises ``TypeError`` for an integer dtype, and for what is given twice; ``DeviceError`` for
        another device than the CPU.

        Arguments:
            args: a dtype, a device, a device and a dtype, or a tensor whose dtype to take; then
                ``non_blocking``, as a flag.
            dtype: the dtype, given by name.
            device: the device, given by name.
            tensor: the tensor whose dtype to take, given by name.
            non_blocking: has no effect: nothing is copied from an accelerator.
            memory_format: ``aino.contiguous_format``, or ``aino.preserve_format``.
        """
        check_memory_format(memory_format)
        wanted, _ = asked(args if tensor is None else (*args, tensor), dtype, device)
        if wanted is None:
            return self
        if wanted.kind not in "fc":
            raise TypeError(f"a module can be of a floating point or complex dtype, not {wanted}")
        return self._to_floating(wanted)

    def type(self, dst_type: Any) -> Any:
        """Give all parameters and buffers this dtype, in place."""
        dtype = dtypes.as_dtype(dst_type)
        return self._cast(lambda own: dtype)

    def float(self) -> Any:
        """Give all floating-point parameters and buffers the dtype float32, in place."""
        return self._to_floating(dtypes.float32)

    def double(self) -> Any:
        """Give all floating-point parameters and buffers the dtype float64, in place."""
        return self._to_floating(dtypes.float64)

    def half(self) -> Any:
        """Give all floating-point parameters and buffers the dtype float16, in place."""
        return self._to_floating(dtypes.float16)

    def cpu(self) -> Any:
        """Return the module, which is on the CPU already."""
        return self

    def cuda(self, device: Any = None) -> Any:
        """Raise ``DeviceError``: AINO computes on the CPU, and has no 'cuda' here."""
        check_device(Device("cuda"))

    def xpu(self, device: Any = None) -> Any:
        """Raise ``DeviceError``: AINO computes on the CPU, and has no 'xpu' here."""
        check_device(Device("xpu"))

    def to_empty(self, *, device: Any, recurse: bool = True) -> Any:
        """Return the module, which is on the CPU already.

        Arguments:
            device: the CPU; ``DeviceError`` for another.
            recurse: changes nothing here.
        """
        check_device(device)
        return self

    # Files and printing

    def save(self, f: Any, **options) -> None:
        """Write the model, architecture and values, to a ``.dit`` file, as ``aino.save`` does.

        Arguments:
            f: a path, or a file that is open for writing bytes.
            options: those of ``aino.save``.
        """
        formats.save(self, f, **options)

    def extra_repr(self) -> str:
        """Return what stands between the parentheses in ``repr``; for subclasses to define."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr()
        lines = extra.split("\n") if extra else []
        children = self._repr_children()
        name = type(self).__name__
        if not children and len(lines) <= 1:
            return f"{name}({extra})"
        return "\n  ".join([f"{name}(", *lines, *children]) + "\n)"

    def _repr_html_(self) -> str | None:
        """Return the tree of the modules as HTML, for notebooks."""
        return import_module("aino.explaining.showing.modules").html_of(self)

    def _repr_children(self) -> list[str]:
        return [indented(f"({name}): {module!r}") for name, module in self._inside()]


def indented(text: str) -> str:
    """Return ``text`` with all lines but the first moved two spaces to the right."""
    return text.replace("\n", "\n  ")


if TYPE_CHECKING:

    class TensorModule(Module):
        """A module whose result is a tensor, which is all that a checker of types has to know."""

        def __call__(self, *args: Any, **kwargs: Any) -> Tensor: ...

else:
    TensorModule = Module
