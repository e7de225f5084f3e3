"""Writes in place: the out-of-place form, written into the memory of its first operand.

The law: afterwards a gradient is right, or the backward pass raises. A write stamps the memory
(``aino.autograd.memory``), gives the tensor the node of its new value, and, where the tensor is
a view, gives the tensor it is a view of a node that says which part was overwritten.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from aino.autograd.duck import of_duck
from aino.autograd.memory import stamp_write
from aino.autograd.mode import mode
from aino.autograd.node import Leaf, extras_of
from aino.autograd.primitive import cast, primitive
from aino.autograd.rules.complex import complex
from aino.autograd.tensor import Tensor, make, outlived, refresh, replays, reshaped
from aino.dtypes import can_cast
from aino.errors import DtypeError, InplaceError, LevelError, ShapeError


class Path:
    """The steps from a tensor to a view of it, to be walked again over any like-shaped value."""

    __slots__ = ("steps", "layout", "parts")

    def __init__(self, steps, layout, parts) -> None:
        self.steps = steps
        #: The axes from the longest stride to the shortest: reshaping depends on the layout.
        self.layout = layout
        #: Whether a step goes from complex numbers to their parts or back.
        self.parts = parts

    def __call__(self, value):
        for function, arguments in self.steps:
            value = function(value, *arguments)
        return value

    def outside(self, shape, dtype):
        """Return 1 where the view does not reach, 0 where it does (1 + 1i: neither part)."""
        mask = np.empty([shape[axis] for axis in self.layout], dtype if self.parts else bool)
        mask.fill(1 + 1j if mask.dtype.kind == "c" else 1)
        mask = mask.transpose(np.argsort(self.layout))
        self(mask)[...] = 0
        return mask


def _kept(g, path, shape, dtype):
    """Return the cotangent of what a write left as it was."""
    mask = path.outside(shape, dtype)
    if mask.dtype.kind == "c":
        return complex(g.real * mask.real, g.imag * mask.imag)
    return np.where(mask != 0, g, 0.0)


def _taken(g, path):
    """Return the cotangent of what was written: the path in PyTorch's convention."""
    return np.conjugate(path(np.conjugate(g))) if path.parts else path(g)


overwrite = primitive(
    "overwrite", lambda base, value, path: base, formula="base[path] = value",
    base=lambda g, base_shape, base_dtype, path: _kept(g, path, base_shape, base_dtype),
    value=lambda g, path: _taken(g, path),
)  # fmt: skip


replace = primitive(
    "replace", lambda base, value: base, formula="base[...] = value",
    base=lambda g: np.zeros_like(g),
    value=lambda g: g,
)  # fmt: skip


def records(target: Tensor, others=()) -> bool:
    """Tell whether a write is recorded: someone here, or what is viewed, wants a gradient."""
    if not mode.level or target.array.dtype.kind not in "fc":
        return False
    if target.node is not None:
        return True
    root = target
    while root.view_of is not None:
        root = root.view_of.parent
    return root.node is not None or _is_wanted((target, *others))


#: The in-place forms that call a ufunc where nothing records -> the form that calls the function,
#: for whoever looks at all that is computed.
shortcuts: dict[Any, Callable[..., Any]] = {}


def inplace(function, ufunc=None):
    """Return the in-place form of ``function``, by ``ufunc(..., out=)`` where nothing records.

    Raises ``InplaceError`` for a leaf that requires a gradient, ``ShapeError`` when the result
    would have another shape, ``DtypeError`` when it has a dtype of a higher kind.
    """
    name = f"{function.__name__}_"
    readers: tuple[bool, bool] | None = None

    def write_result(input, *arguments, **keywords):
        others = (*arguments, *keywords.values()) if keywords else arguments
        recording, old = records(input, others), input
        if recording:
            nonlocal readers
            if readers is None:
                readers = _readers_of_first(getattr(function, "primitive", None))
            check_writable(input, name)
            if readers[0] or (readers[1] and _is_wanted(others)):
                old = make(input.array.copy(), input.node)
        if keywords:
            value = function(old, *arguments, **keywords)
        else:  # which takes half as long to call
            value = function(old, *arguments)
        store(input, value, name, recording)
        return input

    def write_by_ufunc(input, *arguments, **keywords):
        if keywords or (mode.level and (input.node is not None or input.view_of is not None)):
            return write_result(input, *arguments, **keywords)
        operands = []
        for argument in arguments:
            if isinstance(argument, Tensor):
                if mode.level and (argument.node is not None or argument.view_of is not None):
                    return write_result(input, *arguments)
                argument = argument.array
            operands.append(argument)
        array = input.array
        try:
            ufunc(array, *operands, out=array)
        except (TypeError, ValueError, LevelError):
            # The general form says what is wrong, or knows better than NumPy.
            return write_result(input, *arguments)
        stamp_write(array)
        return input

    method = write_result
    if ufunc is not None:
        method = write_by_ufunc
        shortcuts[method] = write_result
    method.__name__ = name
    method.__qualname__ = f"Tensor.{name}"
    method.__doc__ = f"``{function.__name__}``, in place; returns the tensor itself."
    vars(method)["__wrapped__"] = function  # whose arguments it takes
    return method


def _readers_of_first(declared) -> tuple[bool, bool]:
    """Return whether a rule reads the first input: that of the input itself, and another one."""
    if declared is None or declared.definition is not None or declared.together is not None:
        return True, True
    first = declared.inputs[0]
    own = first in declared.reads.get(first, ())
    return own, any([first in reads for name, reads in declared.reads.items() if name != first])


def _is_wanted(values) -> bool:
    """Tell whether one of the values wants a gradient."""
    for x in values:  # noqa: SIM110 - a generator would take twice as long
        if isinstance(x, Tensor) and x.requires_grad:
            return True
    return False


def check_writable(target: Tensor, name: str) -> None:
    """Raise where a recorded write would lose a gradient."""
    if target.view_of is not None:
        refresh(target)
    elif type(target.node) is not Leaf:
        return
    if type(target.node) is Leaf:
        raise InplaceError(
            f"{name}: a leaf that requires a gradient can't be changed in place; use "
            "no_grad() to update it, or the form that makes a new tensor"
        )
    tensor = target
    while tensor.view_of is not None:
        if reshaped and not replays(tensor):
            raise outlived(tensor)
        if not tensor.view_of.level:
            raise InplaceError(
                f"{name}: this view was made under no_grad(), so a recorded change of it could "
                "not be seen by what it is a view of; clone() it first"
            )
        tensor = tensor.view_of.parent
    if type(tensor.node) is Leaf:
        raise InplaceError(
            f"{name}: a view of a leaf that requires a gradient can't be changed in place"
        )


def store(target: Tensor, value: Tensor, name: str, recording) -> None:
    """Write ``value`` into the memory of ``target``, and its provenance into its node."""
    array, dtype = target.array, value.array.dtype
    if value.array.shape != array.shape:
        raise ShapeError(
            f"{name}: the result has shape {value.array.shape}, the tensor {array.shape}; "
            "an operation in place can't change the shape"
        )
    if dtype is not array.dtype and dtype != array.dtype:
        if not can_cast(value.array.dtype, array.dtype):
            raise DtypeError(
                f"{name}: a result of dtype {value.array.dtype} can't be cast to the tensor's "
                f"{array.dtype}"
            )
        value = cast(value, array.dtype)
    write(array, value.array, name)
    if recording:
        rebind(target, value)


def write(array, value, name: str) -> None:
    """Copy ``value`` into ``array`` and note the time."""
    flags = array.flags
    if not flags.c_contiguous and any(
        [step == 0 and length > 1 for step, length in zip(array.strides, array.shape)]
    ):
        raise InplaceError(
            f"{name}: several elements of the tensor (shape {array.shape}, expanded) are one in "
            "memory; clone() it before it is changed in place"
        )
    if not flags.writeable:
        raise InplaceError(
            f"{name}: the tensor's memory is read-only, as that of a file, of an expanded tensor, "
            "of overlapping windows and of what conj() makes of complex numbers; clone() it first"
        )
    try:
        array[...] = value
    except LevelError as error:
        raise of_duck(name, array, value, error) from None
    stamp_write(array)


def rebind(target: Tensor, value: Tensor) -> None:
    """Give ``target`` the provenance of its new value, and so what it is a view of."""
    before = target.node
    if target.view_of is None and value.node is not None:
        target.node = value.node
        _keep_on(before, value.node)
        return
    steps: list[tuple] = []
    root, kinds = target, {target.array.dtype.kind}
    while root.view_of is not None:
        steps.append((root.view_of.function, root.view_of.arguments))
        root = root.view_of.parent
        kinds.add(root.array.dtype.kind)
    if root is not target or target.node is not None:
        order = np.argsort([-abs(step) for step in root.array.strides], kind="stable")
        path = Path(tuple(reversed(steps)), tuple(order.tolist()), len(kinds) > 1)
        old, root.node = root.node, overwrite(make(root.array, root.node), value, path).node
        if root is not target:
            # The views between, and this one, take their new nodes from the root when next asked.
            refresh(target)
            _keep_on(old, root.node)
    _keep_on(before, target.node)


def _keep_on(before, node) -> None:
    """Let a gradient that is retained be that of the tensor as it is now."""
    if before is not None and before.extras is not None and node is not before:
        extras_of(node).keeper, before.extras.keeper = before.extras.keeper, None
