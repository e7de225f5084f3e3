"""Operations in place: the out-of-place form, written into the memory of its first operand.

The law: afterwards a gradient is right, or the backward pass raises. A write stamps the memory
(``aino.autograd.memory``), gives the tensor the node of its new value, and, where the tensor is
a view, gives the tensor it is a view of a node that says which part was overwritten.
"""

from __future__ import annotations

import numpy as np

from aino.autograd.memory import stamp_write
from aino.autograd.mode import mode
from aino.autograd.node import Leaf
from aino.autograd.primitive import cast, primitive
from aino.autograd.tensor import Tensor, make, refresh
from aino.dtypes import can_cast
from aino.errors import DtypeError, InplaceError, ShapeError
from aino.ops.shaping import broadcast_to
from aino.ops.subscript import is_basic_index, put_at, raw_index, select_basic


class Path:
    """The steps from a tensor to a view of it, to be walked again over any like-shaped value."""

    __slots__ = ("steps", "layout")

    def __init__(self, steps, layout) -> None:
        self.steps = steps
        #: The axes from the longest stride to the shortest: reshaping depends on the layout.
        self.layout = layout

    def __call__(self, value):
        for function, arguments in self.steps:
            value = function(value, *arguments)
        return value

    def outside(self, shape):
        """Return True where the view does not reach, as a boolean array of ``shape``."""
        mask = np.ones([shape[axis] for axis in self.layout], bool)
        mask = mask.transpose(np.argsort(self.layout))
        self(mask)[...] = False
        return mask


overwrite = primitive(
    "overwrite", lambda base, value, path: base, formula="base[path] = value",
    base=lambda g, base_shape, path: np.where(path.outside(base_shape), g, 0.0),
    value=lambda g, path: path(g),
)  # fmt: skip


def inplace(function, ufunc=None):
    """Return the in-place form of ``function``, by ``ufunc(..., out=)`` where nothing records.

    Raises ``InplaceError`` for a leaf that requires a gradient, ``ShapeError`` when the result
    would have another shape, ``DtypeError`` when it has a dtype of a higher kind.
    """
    name = f"{function.__name__}_"
    declared = getattr(function, "primitive", None)
    copies = declared is None or declared.inputs[0] in declared.saved_names

    def write_result(self, *arguments, **keywords):
        recording = mode.level and (
            self.node is not None or any(isinstance(x, Tensor) and x.node for x in arguments)
        )
        if recording:
            check_writable(self, name)
        array = self.array
        old = make(array.copy() if copies and recording else array, self.node)
        store(self, function(old, *arguments, **keywords), name, recording)
        return self

    def write_by_ufunc(self, *arguments, **keywords):
        if (mode.level and self.node is not None) or keywords:
            return write_result(self, *arguments, **keywords)
        operands = []
        for argument in arguments:
            if isinstance(argument, Tensor):
                if mode.level and argument.node is not None:
                    return write_result(self, *arguments)
                argument = argument.array
            operands.append(argument)
        array = self.array
        try:
            ufunc(array, *operands, out=array)
        except (TypeError, ValueError):
            # The general form says what is wrong, or knows better than NumPy.
            return write_result(self, *arguments)
        stamp_write(array)
        return self

    method = write_result if ufunc is None else write_by_ufunc
    method.__name__ = name
    method.__qualname__ = f"Tensor.{name}"
    method.__doc__ = f"``{function.__name__}``, in place; returns the tensor itself."
    return method


def check_writable(target: Tensor, name: str) -> None:
    """Raise where a recorded write would lose a gradient."""
    if target.view_of is not None:
        refresh(target)
    if type(target.node) is Leaf:
        raise InplaceError(
            f"{name}: a leaf that requires a gradient can't be changed in place; use "
            "no_grad() to update it, or the form that makes a new tensor"
        )
    tensor = target
    while tensor.view_of is not None:
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
    array = target.array
    if value.array.shape != array.shape:
        raise ShapeError(
            f"{name}: the result has shape {value.array.shape}, the tensor {array.shape}; "
            "an operation in place can't change the shape"
        )
    if value.array.dtype != array.dtype:
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
    if 0 in array.strides and any(
        step == 0 and length > 1 for step, length in zip(array.strides, array.shape)
    ):
        raise InplaceError(
            f"{name}: several elements of the tensor (shape {array.shape}, expanded) are one in "
            "memory; clone() it before it is changed in place"
        )
    if not array.flags.writeable:
        raise InplaceError(f"{name}: the tensor's memory is read-only; clone() it first")
    np.copyto(array, value, casting="unsafe")
    stamp_write(array)


def rebind(target: Tensor, value: Tensor) -> None:
    """Give ``target`` the provenance of its new value, and so what it is a view of."""
    if target.view_of is None:
        if value.node is not None:
            target.node = value.node
        elif target.node is not None:
            whole = Path((), tuple(range(target.array.ndim)))
            target.node = overwrite(make(target.array, target.node), value, whole).node
        return
    steps: list[tuple] = []
    root = target
    while root.view_of is not None:
        steps.append((root.view_of.function, root.view_of.arguments))
        root = root.view_of.parent
    layout = tuple(np.argsort([-abs(step) for step in root.array.strides], kind="stable").tolist())
    path = Path(tuple(reversed(steps)), layout)
    root.node = overwrite(make(root.array, root.node), value, path).node
    # The views between, and this one, take their new nodes from the root when next asked.
    refresh(target)


def copy_(self: Tensor, source, non_blocking: bool = False) -> Tensor:
    """Copy the values of ``source`` into this tensor, broadcast and cast; returns itself.

    Raises ``ShapeError`` when the source can't be broadcast to this tensor's shape.
    """
    source = source if isinstance(source, Tensor) else make(np.asarray(source))
    recording = mode.level and (self.node is not None or source.node is not None)
    if recording:
        check_writable(self, "copy_")
    if source.array.shape != self.array.shape:
        source = broadcast_to(source, self.array.shape)
    if source.array.dtype != self.array.dtype:
        source = cast(source, self.array.dtype)
    write(self.array, source.array, "copy_")
    if recording:
        rebind(self, source if source.array is not self.array else cast(source, self.dtype))
    return self


def fill_(self: Tensor, value) -> Tensor:
    """Set every element to ``value``; returns itself."""
    if isinstance(value, Tensor):
        if value.ndim:
            raise ShapeError(f"fill_ takes a number or a 0-d tensor, not shape {value.array.shape}")
        return copy_(self, value)
    return copy_(self, make(np.asarray(value).astype(self.array.dtype)))


def zero_(self: Tensor) -> Tensor:
    """Set every element to zero; returns itself."""
    return fill_(self, 0)


def set_item(self: Tensor, index, value) -> None:
    """``x[index] = value``: a write in place, differentiable in both.

    The value is broadcast to the shape of the selection and cast to the tensor's dtype.
    """
    index = raw_index(index)
    if not mode.level or (
        self.node is None and not (isinstance(value, Tensor) and value.node is not None)
    ):
        assign(self.array, index, value.array if isinstance(value, Tensor) else value)
    elif is_basic_index(index):
        copy_(select_basic(self, index), value)
    else:
        check_writable(self, "x[i] = v")
        value = value if isinstance(value, Tensor) else make(np.asarray(value, self.array.dtype))
        old = make(self.array.copy(), self.node)
        store(self, put_at(old, cast(value, self.array.dtype), index), "x[i] = v", True)


def assign(array, index, value) -> None:
    """``array[index] = value`` on the memory, with the time noted."""
    if not array.flags.writeable:
        raise InplaceError("x[i] = v: the tensor's memory is read-only; clone() it first")
    try:
        array[index] = value
    except ValueError as error:
        shape = getattr(value, "shape", ())
        raise ShapeError(
            f"x[i] = v: a value of shape {tuple(shape)} does not fit ({error})"
        ) from None
    stamp_write(array)


