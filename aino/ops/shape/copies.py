"""What PyTorch's views are, as copies: ``permute_copy`` for ``permute``; and views by other names.

Each is made of the view of its name, whose arguments it takes.
"""

from __future__ import annotations

import inspect
from types import FunctionType
from typing import Any

import numpy as np

from aino.autograd.rules import shape as rules
from aino.autograd.rules.index import getitem
from aino.autograd.tensor import Tensor
from aino.errors import ArgumentError
from aino.ops.arguments import dim_of, other_names
from aino.ops.index.indexing import narrow, select
from aino.ops.pointwise.complex_numbers import view_as_complex, view_as_real
from aino.ops.shape.broadcasting import expand
from aino.ops.shape.joining import chunk, split, split_with_sizes, unbind
from aino.ops.shape.padding import pad as _pad
from aino.ops.shape.shaping import diagonal, reshape, squeeze, unfold, unsqueeze, view
from aino.ops.shape.strided import as_strided
from aino.ops.shape.transposing import permute, t, transpose
from aino.types import DType


def _alias(input: Tensor) -> Tensor:
    return input


def _detach(input: Tensor) -> Tensor:
    return input.detach()


def _slice(
    input: Tensor, dim: Any = 0, start: Any = None, end: Any = None, step: int = 1
) -> Tensor:
    if step < 1:
        raise ArgumentError(f"slice_copy: step must be positive, got {step}")
    dim = dim_of(dim, input.array.ndim)
    return getitem(input, (slice(None),) * dim + (slice(start, end, step),))


def _view(input: Tensor, *sizes: Any, size: Any = None, dtype: DType | None = None) -> Tensor:
    if dtype is not None or (len(sizes) == 1 and isinstance(sizes[0], (np.dtype, str, type))):
        return view(input, *sizes, size=size, dtype=dtype)
    # A copy needs no memory that is laid out for it.
    return reshape(input, *sizes, shape=size)


_split = other_names(input="tensor")(split)

#: The views by name.
_VIEWS: dict[str, Any] = {
    "alias": _alias, "as_strided": as_strided, "detach": _detach, "diagonal": diagonal,
    "expand": expand, "permute": permute, "select": select, "slice": _slice, "split": _split,
    "split_with_sizes": split_with_sizes, "squeeze": squeeze, "t": t, "transpose": transpose,
    "unbind": unbind, "unfold": unfold, "unsqueeze": unsqueeze, "view": _view,
    "view_as_complex": view_as_complex, "view_as_real": view_as_real, "narrow": narrow,
}  # fmt: skip


def _copied(name: str, function: Any) -> Any:
    """Return the function that copies what a view shows, or each of several views."""

    def copy(*arguments, **keywords):
        result = function(*arguments, **keywords)
        if isinstance(result, Tensor):
            return rules.clone(result, "C")
        return tuple([rules.clone(part, "C") for part in result])

    copy.__name__ = copy.__qualname__ = f"{name}_copy"
    shown = inspect.signature(function)
    names = ", ".join(shown.parameters)
    copy.__doc__ = f"""Return a copy of what ``{name}`` shows, in memory of its own.

    Gradients flow as through the view.

    Arguments:
        {names}: as for ``{name}``.
    """
    declared = FunctionType(copy.__code__, globals(), copy.__name__, None, copy.__closure__)
    out = inspect.Parameter("out", inspect.Parameter.KEYWORD_ONLY, default=None, annotation="Any")
    parameters = [*shown.parameters.values(), out]
    signature = shown.replace(parameters=parameters)
    vars(declared).update(__wrapped__=function, __signature__=signature)
    vars(copy).update(__wrapped__=function, with_out=declared)
    return copy


globals().update({f"{name}_copy": _copied(name, shown) for name, shown in _VIEWS.items()})

# PyTorch's "unsafe" views are not watched for writes in place; here every view is.


def unsafe_chunk(input: Tensor, chunks: int, dim: Any = 0) -> tuple[Tensor, ...]:
    """Return views of about ``chunks`` equal parts along a dimension: another name of ``chunk``.

    Arguments:
        input, chunks, dim: as for ``chunk``.

    >>> import aino
    >>> aino.unsafe_chunk(aino.tensor([1, 2, 3]), 2)
    (tensor([1, 2]), tensor([3]))
    """
    return chunk(input, chunks, dim)


def unsafe_split(input: Tensor, split_size: int, dim: Any = 0) -> tuple[Tensor, ...]:
    """Return views of parts of one length along a dimension, the last maybe shorter: ``split``.

    Arguments:
        input: what is split.
        split_size: the length of a part.
        dim: the dimension along which it is split.

    >>> import aino
    >>> aino.unsafe_split(aino.tensor([1, 2, 3]), 2)
    (tensor([1, 2]), tensor([3]))
    """
    return split(input, split_size, dim)


def unsafe_split_with_sizes(input: Tensor, split_sizes: Any, dim: Any = 0) -> tuple[Tensor, ...]:
    """Return views of parts of given lengths along a dimension: ``split_with_sizes``.

    Arguments:
        input, split_sizes, dim: as for ``split_with_sizes``.

    >>> import aino
    >>> aino.unsafe_split_with_sizes(aino.tensor([1, 2, 3]), [1, 2])
    (tensor([1]), tensor([2, 3]))
    """
    return split_with_sizes(input, split_sizes, dim)


def constant_pad_nd(input: Tensor, pad: Any, value: Any = 0) -> Tensor:
    """Return the tensor in a frame of one value: ``nn.functional.pad`` in its constant mode.

    Arguments:
        input: a tensor.
        pad: how many elements before and after, of the last dimension first; negative to cut.
        value: what stands in the frame.

    >>> import aino
    >>> aino.constant_pad_nd(aino.tensor([1, 2]), (1, 0))
    tensor([0, 1, 2])
    """
    return _pad(input, pad, "constant", value)
