"""MaskedTensor: a tensor some of whose elements count as if they were not there.

A table says what it can do: functions of each element, arithmetic of two with the same mask,
reductions of what the mask lets through, and views. Everything else is refused by name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from aino.autograd.tensor import Tensor
from aino.errors import ArgumentError, DtypeError, ShapeError
from aino.ops.masked import normalizations, reductions
from aino.ops.pointwise.choosing import where
from aino.ops.reduce import truth
from aino.ops.shape import joining

__all__ = ["MaskedTensor", "as_masked_tensor", "is_masked_tensor", "masked_tensor"]

_DTYPES = ["float16", "float32", "float64", "bool", "int8", "int16", "int32", "int64"]

#: Methods of each element, of tensors as of masked tensors.
_UNARY = """
    abs absolute acos arccos acosh arccosh angle asin arcsin asinh arcsinh atan arctan atanh
    arctanh bitwise_not ceil clamp clip conj_physical cos cosh deg2rad digamma erf erfc erfinv exp
    exp2 expm1 fix floor frac lgamma log log10 log1p log2 logit i0 isnan nan_to_num neg negative
    positive pow rad2deg reciprocal round rsqrt sigmoid sign sgn signbit sin sinc sinh sqrt square
    tan tanh trunc
"""
#: Methods of two, element by element.
_BINARY = """
    add atan2 arctan2 bitwise_and bitwise_or bitwise_xor bitwise_left_shift bitwise_right_shift div
    divide floor_divide fmod logaddexp logaddexp2 mul multiply nextafter remainder sub subtract
    true_divide eq ne le ge greater greater_equal gt less_equal lt less maximum minimum fmax fmin
    not_equal
"""
_NOT_IN_PLACE = {
    "angle", "positive", "signbit", "isnan", "logaddexp", "logaddexp2", "fmin", "fmax", "minimum",
    "maximum",
}  # fmt: skip
#: Operators, each with the method that it is.
_OPERATORS = {
    "add": "add", "sub": "sub", "mul": "mul", "truediv": "div", "floordiv": "floor_divide",
    "mod": "remainder", "and": "bitwise_and", "or": "bitwise_or", "xor": "bitwise_xor",
    "lshift": "bitwise_left_shift", "rshift": "bitwise_right_shift",
}  # fmt: skip
_COMPARISONS = ("eq", "ne", "lt", "le", "gt", "ge")
#: What is done to the elements and to the mask alike.
_VIEWS = """
    select transpose t expand view reshape flatten unsqueeze unfold contiguous narrow permute
    squeeze swapaxes movedim
"""
#: What is done to the elements alone.
_CASTS = "to double float half type detach clone"
_REDUCTIONS = "sum mean amin amax argmin argmax prod var std"


class MaskedTensor:
    """A tensor with a mask: where that is False, an element counts as if it was not there.

    Data and mask are copied, and the result is a leaf: its ``grad`` is a masked tensor. Raises
    ``TypeError`` unless both are tensors, the mask one of booleans, ``ShapeError`` where their
    shapes differ. Unlike PyTorch's it is no ``Tensor`` itself.

    Arguments:
        data: the elements.
        mask: which of them count, of the same shape.
        requires_grad: whether gradients are wanted.

    >>> import aino
    >>> x = aino.tensor([1.0, 2.0, 4.0])
    >>> aino.masked.masked_tensor(x, x < 3).sum()
    MaskedTensor(  3.0000, True)
    """

    __slots__ = ("_data", "_mask", "__weakref__")

    def __init__(self, data: Tensor, mask: Tensor, requires_grad: bool = False) -> None:
        _check(data, mask)
        self._data = data.detach().clone().requires_grad_(requires_grad)
        self._mask = mask.detach().clone()

    # What it holds

    def get_data(self) -> Tensor:
        """Return all elements, those too that do not count."""
        return self._data

    def get_mask(self) -> Tensor:
        """Return the mask: True where an element counts."""
        return self._mask

    def to_tensor(self, value: float) -> Tensor:
        """Return a tensor with ``value`` where an element does not count."""
        return self._data.masked_fill(~self._mask, value)

    @property
    def grad(self) -> MaskedTensor | None:
        """The gradient that backward passes have summed up, masked as this is."""
        gradient = self._data.grad
        return None if gradient is None else _masked(gradient, self._mask)

    def backward(self, gradient: Any = None, **options: Any) -> None:
        """Add the gradient of this masked tensor to the ``grad`` of the leaves."""
        self._data.backward(_data_of(gradient), **options)

    def requires_grad_(self, requires_grad: bool = True) -> MaskedTensor:
        """Ask for gradients of this leaf, or stop asking; returns itself."""
        self._data.requires_grad_(requires_grad)
        return self

    def item(self) -> Any:
        """Return the only element as a number; raises ``ValueError`` where it does not count."""
        value = self._data.item()
        if not self._mask.item():
            raise ArgumentError("item: the only element of this MaskedTensor is masked out")
        return value

    def dim(self) -> int:
        """Return the number of axes."""
        return self._data.dim()

    def numel(self) -> int:
        """Return the number of elements, those too that do not count."""
        return self._data.numel()

    def size(self, dim: int | None = None) -> Any:
        """Return the shape, or the length of one axis."""
        return self._data.size(dim)

    def is_contiguous(self) -> bool:
        """Tell whether the elements lie one after the other in memory."""
        return self._data.is_contiguous()

    def __len__(self) -> int:
        return len(self._data)

    def __getitem__(self, index: Any) -> MaskedTensor:
        return _masked(self._data[index], self._mask[index])

    def __repr__(self) -> str:
        return _text(self)

    def __bool__(self) -> bool:
        return bool(self.item())

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise TypeError("a MaskedTensor is turned into an array by to_tensor(value).numpy()")

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        """Do what a ufunc does, which AINO's functions of each element are made of."""
        name = ufunc.__name__
        if method != "__call__" or options or name not in _ELEMENTWISE:
            raise TypeError(f"np.{name} does not take a MaskedTensor so")
        if isinstance(inputs[0], MaskedTensor):
            return getattr(self, name)(*inputs[1:])
        return _reflected(name)(self, inputs[0])

    def __aino_function__(self, name: str, arguments: tuple, keywords: dict[str, Any]) -> Any:
        """Do what a function of the ``aino`` namespace does, where that is the method's name."""
        if name in _FUNCTIONS:
            return _FUNCTIONS[name](*arguments, **keywords)
        if arguments[0] is self and name in _METHODS:
            return getattr(self, name)(*arguments[1:], **keywords)
        raise TypeError(
            f"aino.{name} does not take a MaskedTensor; to_tensor(value) makes a tensor"
        )

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(
            f"MaskedTensor has no {name}: its meaning under a mask is not defined; get_data() and "
            "get_mask() are tensors, and to_tensor(value) fills what is masked out"
        )

    # What is computed of it

    def softmax(self, dim: int) -> MaskedTensor:
        """Return the softmax along a dimension of what counts."""
        return _masked(normalizations.softmax(self._data, dim, mask=self._mask), self._mask)

    def norm(self, p: float = 2.0, dim: Any = None, keepdim: bool = False) -> MaskedTensor:
        """Return the norm of order ``p`` over ``dim``, or over all; ``keepdim`` keeps it."""
        found = reductions.norm(self._data, p, dim, keepdim=keepdim, mask=self._mask)
        return _masked(found, _any(self._mask, dim, keepdim))

    def all(self, dim: Any = None, keepdim: bool = False) -> MaskedTensor:
        """Tell whether all that counts is true, over ``dim`` or all, kept by ``keepdim``."""
        found = truth.all(self._data.masked_fill(~self._mask, True), dim, keepdim)
        return _masked(found, _any(self._mask, dim, keepdim))

    def split(self, split_size: Any, dim: int = 0) -> tuple[MaskedTensor, ...]:
        """Return pieces of length ``split_size``, or of these, along ``dim``, as views."""
        pairs = zip(self._data.split(split_size, dim), self._mask.split(split_size, dim))
        return tuple([_masked(data, mask) for data, mask in pairs])


def _check(data: Any, mask: Any) -> None:
    for name, value in (("data", data), ("mask", mask)):
        if not isinstance(value, Tensor):
            raise TypeError(f"MaskedTensor: {name} must be a tensor, got {type(value).__name__}")
    if mask.dtype != np.bool_:
        raise DtypeError(f"MaskedTensor: mask must be of booleans, got {mask.dtype}")
    if data.dtype.name not in _DTYPES:
        raise DtypeError(f"MaskedTensor: {data.dtype} is not supported, {', '.join(_DTYPES)} are")
    if data.shape != mask.shape:
        raise ShapeError(f"MaskedTensor: data has shape {data.shape}, mask {mask.shape}")


def _masked(data: Tensor, mask: Tensor) -> MaskedTensor:
    """Return a masked tensor over these, as they are."""
    made = object.__new__(MaskedTensor)
    made._data, made._mask = data, mask
    return made


def _data_of(value: Any) -> Any:
    return value._data if isinstance(value, MaskedTensor) else value


def _any(mask: Tensor, dim: Any, keepdim: bool) -> Tensor:
    return truth.any(mask, dim, keepdim)


def masked_tensor(data: Tensor, mask: Tensor, requires_grad: bool = False) -> MaskedTensor:
    """Return a masked tensor over copies of data and mask: a leaf.

    Arguments:
        data, mask, requires_grad: as for ``MaskedTensor``.

    >>> import aino
    >>> x = aino.masked.masked_tensor(aino.tensor([1.0, 2.0]), aino.tensor([True, False]))
    >>> x + 1
    MaskedTensor(
      [  2.0000,       --]
    )
    """
    return MaskedTensor(data, mask, requires_grad)


def as_masked_tensor(data: Tensor, mask: Tensor) -> MaskedTensor:
    """Return a masked tensor whose gradients flow on to ``data``.

    Arguments:
        data, mask: as for ``MaskedTensor``.

    >>> import aino
    >>> x = aino.tensor([3.0, -1.0], requires_grad=True)
    >>> aino.masked.as_masked_tensor(x, x > 0).log().sum().backward()
    >>> x.grad
    tensor([0.3333, 0.0000])
    """
    _check(data, mask)
    # Nothing flows back from what is masked out, be its slope infinite or no number.
    return _masked(where(mask, data, data.detach()), mask.detach().clone())


def is_masked_tensor(obj: Any) -> bool:
    """Tell whether an object is a masked tensor.

    >>> import aino
    >>> aino.masked.is_masked_tensor(aino.ones(1))
    False
    """
    return isinstance(obj, MaskedTensor)


# The tables


def _unary(name: str) -> Callable:
    def call(self, *arguments, **keywords):
        if any([isinstance(x, (Tensor, MaskedTensor)) for x in arguments]):
            raise TypeError(f"MaskedTensor.{name} takes numbers beside the tensor, no tensors")
        return _masked(getattr(self._data, name)(*arguments, **keywords), self._mask)

    return _named(call, name)


def _common_mask(name: str, a: MaskedTensor, b: Any) -> Tensor:
    if isinstance(b, MaskedTensor):
        same = a._mask.shape == b._mask.shape
        if not same or not np.array_equal(a._mask.array, b._mask.array):
            raise ArgumentError(f"MaskedTensor.{name}: the masks of the two differ")
    return a._mask


def _binary(name: str) -> Callable:
    def call(self, other):
        mask = _common_mask(name, self, other)
        data = getattr(self._data, name)(_data_of(other))
        return _masked(data, mask.expand(data.shape))

    return _named(call, name)


def _in_place(name: str, checked: bool) -> Callable:
    def call(self, *arguments, **keywords):
        if checked:
            _common_mask(name, self, arguments[0])
        getattr(self._data, name)(*map(_data_of, arguments), **keywords)
        return self

    return _named(call, name)


def _reflected(name: str) -> Callable:
    def call(self, other):
        other = other if isinstance(other, Tensor) else self._data.new_tensor(other)
        data = getattr(other, name)(self._data)
        return _masked(data, self._mask.expand(data.shape))

    return call


def _reduction(name: str) -> Callable:
    function = getattr(reductions, name)

    def call(self, dim=None, keepdim=False, dtype=None, **options):
        options |= {} if dtype is None else {"dtype": dtype}
        data = function(self._data, dim, keepdim=keepdim, mask=self._mask, **options)
        return _masked(data, _any(self._mask, dim, keepdim))

    told = "\n\nOver ``dim``, all for None, which ``keepdim`` keeps; ``dtype`` is the result's."
    return _named(call, name, told)


def _view(name: str) -> Callable:
    def call(self, *arguments, **keywords):
        parts = [getattr(x, name)(*arguments, **keywords) for x in (self._data, self._mask)]
        return _masked(*parts)

    return _named(call, name)


def _cast(name: str) -> Callable:
    def call(self, *arguments, **keywords):
        return _masked(getattr(self._data, name)(*arguments, **keywords), self._mask)

    return _named(call, name)


def _fact(name: str) -> property:
    return property(lambda self: getattr(self._data, name), doc=f"That of the elements: {name}.")


def _named(call: Callable, name: str, told: str = "") -> Callable:
    call.__name__, call.__qualname__ = name, f"MaskedTensor.{name}"
    call.__doc__ = f"Do what ``Tensor.{name}`` does, to what the mask lets through.{told}"
    return call


_ELEMENTWISE = {*_UNARY.split(), *_BINARY.split()}
_METHODS = {*_ELEMENTWISE, *_VIEWS.split(), *_REDUCTIONS.split(),
            "softmax", "norm", "all", "split", "clone", "detach"}  # fmt: skip


def _bind() -> None:
    bound: dict[str, Any] = {}
    for names, make in ((_UNARY, _unary), (_BINARY, _binary)):
        for name in names.split():
            bound[name] = make(name)
            if name not in _NOT_IN_PLACE:
                bound[f"{name}_"] = _in_place(f"{name}_", make is _binary)
    for operator, name in _OPERATORS.items():
        bound[f"__{operator}__"] = bound[name]
        bound[f"__i{operator}__"] = bound[f"{name}_"]
        bound[f"__r{operator}__"] = _reflected(name)
    for name in _COMPARISONS:
        bound[f"__{name}__"] = bound[name]
    bound |= {"__neg__": bound["neg"], "__abs__": bound["abs"], "__invert__": bound["bitwise_not"],
              "__pow__": bound["pow"], "__hash__": object.__hash__}  # fmt: skip
    bound |= {name: _reduction(name) for name in _REDUCTIONS.split()}
    bound |= {name: _view(name) for name in _VIEWS.split()}
    bound |= {name: _cast(name) for name in _CASTS.split()}
    for name in ("shape", "dtype", "ndim", "device", "layout", "requires_grad", "is_leaf"):
        bound[name] = _fact(name)
    for name, value in bound.items():
        setattr(MaskedTensor, name, value)


_bind()


def _joined(name: str, tensors: Any, dim: int) -> MaskedTensor:
    parts = list(tensors)
    if not all([isinstance(part, MaskedTensor) for part in parts]):
        raise TypeError(f"{name}: all or none of the tensors are MaskedTensors")
    join = getattr(joining, name)
    return _masked(join([x._data for x in parts], dim), join([x._mask for x in parts], dim))


def _chosen(condition: Any, input: Any, other: Any) -> MaskedTensor:
    pairs = [
        (x._data, x._mask) if isinstance(x, MaskedTensor) else (x, True) for x in (input, other)
    ]
    (a, a_mask), (b, b_mask) = pairs
    return _masked(where(condition, a, b), where(condition, a_mask, b_mask))


#: The functions of the ``aino`` namespace that are no methods under the same name.
_FUNCTIONS: dict[str, Callable] = {
    "cat": lambda tensors, dim=0: _joined("cat", tensors, dim),
    "stack": lambda tensors, dim=0: _joined("stack", tensors, dim),
    "where": _chosen,
    "ones_like": lambda input: _masked(input._data.detach() * 0 + 1, input._mask),
}


# How it is shown


def _element(value: Any) -> str:
    return f"{value:8.4f}" if isinstance(value, float) else str(value)


def _text(x: MaskedTensor) -> str:
    data, mask = x._data.detach().array, x._mask.array
    if not data.ndim:
        return f"MaskedTensor({_element(data.item()) if mask else '--'}, {bool(mask)})"
    lines = "\n".join(["  " + line for line in _rows(data, mask).split("\n")])
    return f"MaskedTensor(\n{lines}\n)"


def _rows(data: Any, mask: Any) -> str:
    if data.ndim == 1:
        shown = [_element(value) for value in data.tolist()]
        width = max([len(text) if kept else 8 for text, kept in zip(shown, mask)], default=0)
        parts = [text if kept else "--".rjust(width) for text, kept in zip(shown, mask)]
        return f"[{', '.join(parts)}]"
    inner = [_rows(row, kept) for row, kept in zip(data, mask)]
    inner = ["\n".join(["  " + line for line in text.split("\n")]) for text in inner]
    return "[\n" + ",\n".join(inner) + "\n]"
