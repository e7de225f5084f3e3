"""Tensor: an array and where it came from. It has no arithmetic; ``aino.ops`` brings that."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

import numpy as np

from aino import dtypes
from aino.autograd.gradient_dtype import grad_dtype, grad_dtype_of
from aino.autograd.labels import label_of, set_label
from aino.autograd.memory import write_count
from aino.autograd.mode import enable_grad, mode
from aino.autograd.node import HookHandle, Leaf, Node, extras_of
from aino.devices import CPU, Device
from aino.errors import DtypeError, GradientError, InplaceError, ShapeError
from aino.tracing import LazyGradient

if TYPE_CHECKING:  # what aino.ops binds to it
    from aino.autograd.tensor_methods import TensorMethods as _Bound
else:
    _Bound = object

new = object.__new__
ndarray = np.ndarray


class View:
    """How a view was made of its parent, so that a write in place can replay it.

    ``node`` is the parent's node at that time: another one there means that the parent was
    rebound by a write in place, and the view's own node has to be made anew.
    """

    __slots__ = ("parent", "function", "arguments", "node", "level")

    def __init__(self, parent, function, arguments) -> None:
        self.parent = parent
        self.function = function
        self.arguments = arguments
        self.node = parent.node
        self.level = mode.level


def refresh(tensor: Tensor) -> None:
    """Bring the node of a view up to date, where a write in place has rebound its parent."""
    view = tensor.view_of
    assert view is not None
    parent = view.parent
    if parent.view_of is None and parent.node is view.node:
        return
    stale = []
    while tensor.view_of is not None:
        stale.append(tensor)
        tensor = tensor.view_of.parent
    for tensor in reversed(stale):
        view = tensor.view_of
        assert view is not None
        node = view.parent.node
        if reshaped and node is not view.node and not replays(tensor):
            if tensor.node is None or write_count(tensor.array) > tensor.node.sequence:
                raise outlived(tensor)
            continue  # nothing was written since: the node that it has is right
        # A parent that has become a leaf, or forgot its history, was not written to.
        written = node is not view.node and node is not None and type(node) is not Leaf
        if written and view.level:
            with enable_grad():
                tensor.node = view.function(view.parent, *view.arguments).node
        elif written and tensor.node is not None:
            raise InplaceError(
                "an output of a Function shares memory with its input, which was changed in "
                "place: its gradient is lost; clone() the output in forward"
            )
        view.node = node


#: The tensors, by their ids, whose shape was changed in place: views that were taken of them
#: before can't be replayed.
reshaped: dict[int, weakref.ref] = {}


def note_reshaped(tensor: Tensor) -> None:
    """Remember that the shape of a tensor was changed in place."""
    key = id(tensor)
    reshaped[key] = weakref.ref(tensor, lambda _: reshaped.pop(key, None))


def replays(tensor: Tensor) -> bool:
    """Tell whether a view can be made anew of its parent as the parent is now."""
    view = tensor.view_of
    assert view is not None
    if id(view.parent) not in reshaped:
        return True
    try:
        array = view.function(make(view.parent.array), *view.arguments).array
    except (ValueError, IndexError):
        return False
    # A tracer stands for the memory that it shadows.
    array, mine = (getattr(x, "shadow", x) for x in (array, tensor.array))
    return (
        array.shape == mine.shape
        and array.strides == mine.strides
        and array.__array_interface__["data"][0] == mine.__array_interface__["data"][0]
    )


def outlived(tensor: Tensor) -> InplaceError:
    """Return the error for a view of a tensor that has another shape now."""
    return InplaceError(
        f"a view of shape {tensor.array.shape} was taken of a tensor whose shape was changed in "
        "place afterwards, and one of them was written: its gradient is lost; take the view anew"
    )


class Tensor(_Bound):
    """An n-dimensional array that knows how it was computed.

    ``Tensor(2, 3)`` holds whatever is in its memory, ``Tensor([2, 3])`` these numbers in the
    default dtype; ``aino.tensor`` keeps what kind of numbers they are.

    ``array`` is the NumPy array underneath, public and shared; ``node`` the recorded operation
    that made it, a leaf's gradient keeper, or None where no gradient is wanted.

    >>> import aino
    >>> x = aino.tensor([1.0, 2.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    tensor([2., 4.])
    """

    __slots__ = ("array", "node", "view_of", "frozen", "__weakref__")
    __array_priority__ = 1000
    array: Any
    node: Node | None
    view_of: View | None
    #: The leaf node of a tensor that was frozen: its gradient is still there.
    frozen: Leaf

    def __init__(self, *data: Any) -> None:
        array = data[0] if len(data) == 1 else None
        if isinstance(array, Tensor):
            array = array.array
        elif array is None or isinstance(array, Size) or not hasattr(array, "__len__"):
            array = np.empty(_lengths(data), dtypes.get_default_dtype())
        elif type(array) is not ndarray:
            # Subclasses (a mapped file's np.memmap) are arrays, whose dtype stays, too.
            given, array = array, np.asarray(array)
            if not isinstance(given, ndarray) and array.dtype.kind in "fiub":
                array = array.astype(dtypes.get_default_dtype())
        dtypes.as_dtype(array.dtype)
        self.array = array
        self.node = None
        self.view_of = None

    # What it is

    @property
    def shape(self) -> Size:
        return Size(self.array.shape)

    @property
    def dtype(self) -> np.dtype:
        return self.array.dtype

    @property
    def ndim(self) -> int:
        return self.array.ndim

    @property
    def itemsize(self) -> int:
        return self.array.itemsize

    @property
    def nbytes(self) -> int:
        return self.array.nbytes

    @property
    def device(self) -> Device:
        return CPU

    @property
    def label(self) -> str | None:
        """What drawings call this tensor, None for none; assigning sets it.

        >>> import aino
        >>> w = aino.tensor([0.5, -1.0], requires_grad=True)
        >>> w.label = "weight"
        """
        return label_of(self)

    @label.setter
    def label(self, label: str | None) -> None:
        set_label(self, label)

    @property
    def is_leaf(self) -> bool:
        """True where no operation is recorded: made by the user, or no gradient wanted."""
        return self.grad_fn is None

    @property
    def grad_fn(self) -> Node | None:
        """The recorded operation that made this tensor, None for a leaf."""
        if self.view_of is not None:
            refresh(self)
        node = self.node
        return None if node is None or type(node) is Leaf else node

    @property
    def _version(self) -> int:
        """Changes whenever the memory is written in place."""
        return write_count(self.array)

    # Gradients

    @property
    def requires_grad(self) -> bool:
        if self.view_of is not None:
            refresh(self)
        return self.node is not None

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        self.requires_grad_(wanted)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Ask for gradients of this leaf, or stop asking; returns itself.

        Raises ``DtypeError`` for integers and booleans, which have no derivative, and
        ``GradientError`` when a tensor that an operation made should stop.
        """
        if not isinstance(requires_grad, (bool, np.bool_)):
            raise TypeError(f"requires_grad is True or False, not {requires_grad!r}")
        if self.requires_grad == requires_grad:
            return self
        if not requires_grad:
            if self.grad_fn is not None:
                raise GradientError(
                    "only leaf tensors can stop requiring a gradient; use detach() for a tensor "
                    "that an operation made"
                )
            assert type(self.node) is Leaf
            self.node.frozen = True
            self.frozen, self.node = self.node, None
            return self
        if self.array.dtype.kind not in "fc":
            raise DtypeError(
                "only tensors of floating point and complex dtype can require gradients, "
                f"not {self.array.dtype}"
            )
        thawed = getattr(self, "frozen", None)
        if thawed is not None and thawed.shape == self.array.shape:
            self.node = thawed
            thawed.frozen = False
        else:
            self.node = Leaf(self)
        return self

    def _keeper(self) -> Any:
        """Return what keeps this tensor's gradient: its leaf node, or its node's extras."""
        node = self.node
        if node is None:
            return getattr(self, "frozen", None)
        if type(node) is Leaf:
            return node
        if node.extras is not None and node.extras.keeper is not None:
            kept_for, kept = node.extras.keeper
            if kept_for() is self:
                return kept
        return None

    @property
    def grad(self) -> Tensor | None:
        """The gradient that backward passes have summed up here, None before the first."""
        keeper = self._keeper()
        if keeper is None:
            return None
        if keeper.grad.__class__ is LazyGradient:
            keeper.grad = keeper.grad.take()
        return keeper.grad

    @grad.setter
    def grad(self, gradient: Tensor | None) -> None:
        if gradient is not None:
            if not isinstance(gradient, Tensor):
                raise DtypeError(f"grad must be a Tensor or None, not {type(gradient).__name__}")
            if gradient.array.shape != self.array.shape:
                raise ShapeError(
                    f"a gradient of shape {gradient.array.shape} was assigned to a tensor of "
                    f"shape {self.array.shape}"
                )
            chosen = grad_dtype_of(self)
            if chosen is not None and gradient.array.dtype != chosen:
                raise DtypeError(
                    f"a gradient of dtype {gradient.array.dtype} was assigned to a tensor of "
                    f"dtype {self.array.dtype} whose grad_dtype is {chosen}"
                )
        keeper = self._keeper()
        if keeper is None:
            if gradient is None:
                return
            if self.node is not None:
                self.retain_grad()
                keeper = self._keeper()
            else:
                keeper = self.frozen = Leaf(self)
        keeper.grad = gradient

    @grad.deleter
    def grad(self) -> None:
        self.grad = None

    grad_dtype = grad_dtype

    def retain_grad(self) -> None:
        """Keep the gradient of this tensor too, though an operation made it."""
        if not self.requires_grad:
            raise GradientError("can't retain_grad on a tensor that does not require a gradient")
        if type(self.node) is not Leaf and self._keeper() is None:
            assert self.node is not None
            extras_of(self.node).keeper = (weakref.ref(self), Kept())

    @property
    def retains_grad(self) -> bool:
        return type(self.node) is not Leaf and self.node is not None and self._keeper() is not None

    def register_hook(self, hook) -> HookHandle:
        """Call ``hook(gradient)`` in every backward pass; a tensor it returns replaces it."""
        if not self.requires_grad:
            raise GradientError("cannot register a hook on a tensor that doesn't require gradient")
        assert self.node is not None
        return extras_of(self.node).add("hooks", hook)

    def register_post_accumulate_grad_hook(self, hook) -> HookHandle:
        """Call ``hook(tensor)`` after a backward pass has summed into this leaf's ``grad``."""
        if type(self.node) is not Leaf:
            raise GradientError("post accumulate grad hooks are for leaves that require gradients")
        kept = weakref.ref(self)
        return extras_of(self.node).add("after", lambda: hook(kept()))

    # The same memory

    def detach(self) -> Tensor:
        """Return a tensor that shares this memory and has no history, and no tangent."""
        array = self.array
        result = new(Tensor)
        result.array = array if type(array) is ndarray else without_tangents(array)
        result.node = None
        result.view_of = None
        return result

    def detach_(self) -> Tensor:
        """Forget this tensor's history, in place."""
        if self.view_of is not None:
            raise GradientError("can't detach a view in place; use detach()")
        self.node = None
        return self

    @property
    def data(self) -> Tensor:
        """A tensor without history that shares this memory; assigning replaces the memory."""
        return self.detach()

    @data.setter
    def data(self, value: Tensor) -> None:
        self.array = value.array
        node = self.node
        if type(node) is Leaf and node.shape != value.array.shape:
            node.shape = value.array.shape
            node.grad = None

    def numpy(self, *, force: bool = False) -> np.ndarray:
        """Return the array underneath, sharing its memory.

        Raises ``GradientError`` when the tensor requires a gradient, so that none is lost in
        silence; ``detach()`` first, or pass ``force=True``.
        """
        if self.requires_grad and not force:
            raise GradientError(
                "can't call numpy() on a tensor that requires a gradient; use "
                "tensor.detach().numpy()"
            )
        array = without_tangents(self.array)
        # The array of a transform says that it is none; a trace goes on with its own.
        return np.asarray(array) if hasattr(array, "level") else array

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        if self.requires_grad:
            raise GradientError(
                "a tensor that requires a gradient is not turned into an array in silence; use "
                "tensor.detach().numpy()"
            )
        return np.array(self.array, dtype, copy=copy)


def without_tangents(array):
    """Return an array without the tangents that forward mode has given it."""
    return array.still() if hasattr(array, "still") else array


class Kept:
    """Holds the gradient of a tensor that is not a leaf."""

    __slots__ = ("grad",)

    def __init__(self) -> None:
        self.grad = None


def _lengths(data) -> tuple[int, ...]:
    """Return the shape that ``Tensor(2, 3)`` or ``Tensor(size)`` asks for."""
    if len(data) == 1 and isinstance(data[0], Size):
        return tuple(data[0])
    if not data:
        return (0,)
    for length in data:
        if isinstance(length, bool) or not hasattr(length, "__index__"):
            raise TypeError(
                f"Tensor takes lengths, a sequence or an array, not {length!r}; a single number "
                f"becomes a tensor by aino.tensor({length!r})"
            )
    if min(data, default=0) < 0:
        raise ShapeError(f"a shape has no negative length, got {data}")
    return tuple([int(length) for length in data])


class Size(tuple):
    """A shape: a tuple that prints as PyTorch's and counts its elements."""

    __slots__ = ()

    def numel(self) -> int:
        count = 1
        for length in self:
            count *= length
        return count

    def __repr__(self) -> str:
        return f"aino.Size({list(self)})"

    def __getitem__(self, key):
        part = tuple.__getitem__(self, key)
        return Size(part) if type(key) is slice else part

    def __add__(self, other):
        return Size(tuple.__add__(self, tuple(other)))


def make(array, node: Node | None = None) -> Tensor:
    """Return a tensor over ``array`` as it is, recorded by ``node``: no conversion, no copy."""
    result = new(Tensor)
    result.array = array
    result.node = node
    result.view_of = None
    return result
