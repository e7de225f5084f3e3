"""What nodes save, handed through functions of the user's: packed when recorded, unpacked to use.

A node that is packed changes its class, so that all the others pay nothing for it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from aino.autograd.mode import mode
from aino.autograd.node import Node
from aino.autograd.tensor import Tensor, make


class SavedHooks(NamedTuple):
    """What saved arrays go through; ``see`` is told of each node before."""

    pack: Callable[[Tensor], Any]
    unpack: Callable[[Any], Any]
    see: Callable[[Node], None] | None = None

    def pack_node(self, node: Node) -> None:
        """Pack the arrays that a node saves; a Python number that it keeps as an array is none."""
        if self.see is not None:
            self.see(node)
        if node.primitive is None:  # a Function's: each tensor with where it comes from
            kept = node.saved or ()
            saved = tuple([entry and (self._packed(entry[0]), *entry[1:]) for entry in kept])
        else:
            saved = tuple([self._packed(value) for value in node.saved or ()])
        node.saved = saved
        recorded: Any = type(node)
        node.__class__ = _packed_class(recorded)

    def _packed(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._packed(item) for item in value]
        if not hasattr(value, "strides") or isinstance(value, np.generic):
            return value
        is_number = not value.ndim and not value.flags.writeable
        return value if is_number else Packed(value, self)


def enter_hooks(hooks: SavedHooks) -> None:
    """Let what this thread saves go through hooks from now on."""
    if mode.no_saved_hooks is not None:
        raise RuntimeError(mode.no_saved_hooks)
    _set((*mode.saved_hooks, hooks))


def leave_hooks() -> None:
    """Take the innermost hooks away."""
    _set(mode.saved_hooks[:-1])


def _set(hooks: tuple) -> None:
    mode.saved_hooks = hooks
    if mode.level:
        mode.level = mode.recording()


class Packed:
    """What stands for an array that was packed."""

    __slots__ = ("value", "unpack", "shape", "dtype")

    def __init__(self, array, hooks: SavedHooks) -> None:
        self.value = hooks.pack(make(array))
        self.unpack = hooks.unpack
        self.shape, self.dtype = array.shape, array.dtype

    def array(self) -> Any:
        """Return what ``unpack`` makes of it, which has to be as it was."""
        found = self.unpack(self.value)
        if not isinstance(found, Tensor):
            raise TypeError(f"unpack_hook returns a tensor, not {type(found).__name__}")
        array = found.array
        if array.shape != self.shape or array.dtype != self.dtype:
            raise RuntimeError(
                f"unpack_hook returned shape {array.shape} of {array.dtype} for what was saved as "
                f"{self.shape} of {self.dtype}"
            )
        return array


def unpacked(value: Any) -> Any:
    """Return a saved value as it was saved."""
    if type(value) is Packed:
        return value.array()
    return [unpacked(item) for item in value] if type(value) is list else value


@functools.cache
def _packed_class(recorded: Any) -> Any:
    """Return the class of nodes like these whose saved values are packed."""

    def pullback(inputs, saved, g):
        return recorded.pullback(inputs, tuple([unpacked(value) for value in saved]), g)

    def kept(self) -> tuple:
        return tuple([unpacked(value) for value in self.saved or ()])

    def restore(self, array, *place):
        return recorded._restore(self, unpacked(array), *place)

    namespace: dict[str, Any] = {"__slots__": ()}
    if recorded.primitive is None:
        namespace |= {"_restore": restore}
    else:
        # Not pure: to unpack is the user's own code.
        namespace |= {"pullback": staticmethod(pullback), "kept": kept, "pure": False}
    return type(recorded.__name__, (recorded,), namespace)
