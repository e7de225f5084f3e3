"""The state of a module: reading it out as a dict, and loading a dict whole or not at all."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from aino.autograd.memory import stamp_write
from aino.autograd.node import HookHandle
from aino.autograd.tensor import Tensor
from aino.errors import StateDictError
from aino.nn.base.hooks import Hook, Hooks
from aino.nn.base.parameter import Parameter
from aino.nn.base.tree import Tree
from aino.user_warnings import warn

EXTRA = "_extra_state"


class IncompatibleKeys(NamedTuple):
    """What ``load_state_dict`` found: keys the state lacked, and keys the model has no use for."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return f"IncompatibleKeys(missing_keys={self[0]}, unexpected_keys={self[1]})"


class Stateful(Tree):
    """The part of a module that gives and takes its state."""

    _hooks: Hooks | None = None
    #: What a state may lack: it came later than states that are kept in files.
    _came_later: tuple[str, ...] = ()

    def _add_hook(self, moment: str, hook: Hook, prepend: bool = False) -> HookHandle:
        if self._hooks is None:
            vars(self)["_hooks"] = Hooks()
        assert self._hooks is not None
        return self._hooks.add(moment, hook, prepend)

    def get_extra_state(self) -> Any:
        """Return what belongs to the state beside the tensors; for subclasses to define."""
        raise RuntimeError(f"{type(self).__name__} defines no get_extra_state()")

    def set_extra_state(self, state: Any) -> None:
        """Take what ``get_extra_state`` returned; for subclasses to define."""
        raise RuntimeError(f"{type(self).__name__} defines no set_extra_state()")

    def _has_extra_state(self) -> bool:
        return type(self).get_extra_state is not Stateful.get_extra_state

    def _own_state(self) -> list[tuple[str, Tensor]]:
        """Return the module's own parameters and lasting buffers, in PyTorch's order."""
        lasting = [pair for pair in self._own_buffers() if self._buffer_names[pair[0]]]
        return [*self._own_parameters(), *lasting]

    def _inside(self) -> list[tuple[str, Stateful]]:
        """Return the modules directly inside, a shared one under each of its names."""
        return [(name, value) for name, value in vars(self).items() if isinstance(value, Stateful)]

    def state_dict(
        self, *args: Any, destination: Any = None, prefix: str = "", keep_vars: bool = False
    ) -> Any:
        """Return parameters and lasting buffers by their dotted names.

        The tensors share the module's memory.

        Arguments:
            destination: a dict to write into; a new one for None.
            prefix: what the names start with.
            keep_vars: give the parameters themselves; False gives detached tensors.
            args: the same three by position, which is deprecated.

        >>> import aino
        >>> list(aino.nn.Sequential(aino.nn.Linear(2, 3), aino.nn.Tanh()).state_dict())
        ['0.weight', '0.bias']
        """
        if args:
            warn(
                "state_dict: arguments by position are deprecated, name them: destination=, "
                "prefix=, keep_vars=",
                FutureWarning,
            )
            given = dict(zip(("destination", "prefix", "keep_vars"), args))
            destination = given["destination"] if destination is None else destination
            prefix = prefix or given.get("prefix", "")
            keep_vars = keep_vars or given.get("keep_vars", False)
        if destination is None:
            destination = OrderedDict()
        hooks = self._hooks
        if hooks is not None:
            for hook in hooks.functions("state_pre"):
                hook(self, prefix, keep_vars)
        for name, tensor in self._own_state():
            destination[prefix + name] = tensor if keep_vars else tensor.detach()
        if self._has_extra_state():
            destination[prefix + EXTRA] = self.get_extra_state()
        for name, module in self._inside():
            module.state_dict(
                destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars
            )
        if hooks is not None:
            for hook in hooks.functions("state_post"):
                hook(self, destination, prefix, {})
        return destination

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> IncompatibleKeys:
        """Take the values of a state dict; returns the missing and the unexpected keys.

        Raises one ``StateDictError`` that lists every missing, unexpected and misshapen key, and
        then has changed nothing.

        Arguments:
            state_dict: tensors or arrays by their dotted names.
            strict: the keys have to be exactly the model's; False takes those that fit.
            assign: put the given tensors in the place of the model's; False copies their values.
        """
        if not isinstance(state_dict, Mapping):
            instead = ""
            if isinstance(state_dict, (str, os.PathLike)):
                instead = "; aino.load(path) reads one from a file"
            elif hasattr(state_dict, "state_dict"):
                instead = "; give its state_dict()"
            raise TypeError(
                f"expected state_dict to be dict-like, got {type(state_dict).__name__}{instead}"
            )
        return _Loading(self, state_dict, strict, assign).run()

    def register_state_dict_pre_hook(self, hook: Callable) -> HookHandle:
        """Call ``hook(module, prefix, keep_vars)`` before the state is read."""
        return self._add_hook("state_pre", Hook(hook))

    def register_state_dict_post_hook(self, hook: Callable) -> HookHandle:
        """Call ``hook(module, state_dict, prefix, local_metadata)`` when the state was read."""
        return self._add_hook("state_post", Hook(hook))

    def register_load_state_dict_pre_hook(self, hook: Callable) -> HookHandle:
        """Call a hook before the state is compared with the model; it may change the state.

        ``hook(module, state_dict, prefix, local_metadata, strict, missing_keys,
        unexpected_keys, error_msgs)``
        """
        return self._add_hook("load_pre", Hook(hook))

    def register_load_state_dict_post_hook(self, hook: Callable) -> HookHandle:
        """Call ``hook(module, incompatible_keys)`` after loading; it may take keys away."""
        return self._add_hook("load_post", Hook(hook))


class _Write(NamedTuple):
    """One tensor of the model, and what it is to become."""

    module: Stateful
    name: str
    tensor: Tensor
    array: np.ndarray
    given: Any


class _Loading:
    """One ``load_state_dict``: first everything is read and checked, then it is written."""

    def __init__(self, module, state, strict, assign) -> None:
        self.module = module
        self.state = OrderedDict(state)
        self.strict = strict
        self.assign = assign
        self.keys = IncompatibleKeys([], [])
        self.problems: list[str] = []
        self.expected: set[str] = set()
        self.writes: list[_Write] = []
        self.extras: list[tuple[Stateful, Any]] = []
        self.hooked: list[tuple[Stateful, Callable]] = []

    def run(self) -> IncompatibleKeys:
        self.read(self.module, "")
        self.keys.unexpected_keys.extend(key for key in self.state if key not in self.expected)
        if self.problems or not self.hooked:
            self.check()
        if not self.hooked:
            self.write()
            return self.keys
        # A hook may forgive a key, and expects to find the new values in their place.
        before = [(write, write.tensor.array, write.tensor.array.copy()) for write in self.writes]
        self.write()
        for module, hook in self.hooked:
            hook(module, self.keys)
        try:
            self.check()
        except StateDictError:
            for write, array, values in before:
                np.copyto(array, values)
                setattr(write.module, write.name, write.tensor)
            raise
        return self.keys

    def read(self, module: Stateful, prefix: str) -> None:
        """Compare a module and all inside it with the given state; change nothing."""
        hooks = module._hooks
        if hooks is not None:
            for hook in hooks.functions("load_pre"):
                hook(module, self.state, prefix, {}, self.strict, *self.keys, self.problems)
        for name, tensor in module._own_state():
            self.compare(module, name, tensor, prefix + name)
        if module._has_extra_state():
            key = prefix + EXTRA
            self.expected.add(key)
            if key in self.state:
                self.extras.append((module, self.state[key]))
            else:
                self.keys.missing_keys.append(key)
        for name, child in module._inside():
            self.read(child, f"{prefix}{name}.")
        if hooks is not None:
            self.hooked += [(module, hook) for hook in hooks.functions("load_post")]

    def compare(self, module: Stateful, name: str, tensor: Tensor, key: str) -> None:
        """Plan the write of one tensor, or note why it cannot be."""
        self.expected.add(key)
        if key not in self.state:
            if name not in module._came_later:
                self.keys.missing_keys.append(key)
            return
        given, own = self.state[key], tensor.array
        array = _as_array(given)
        if array is None:
            kind = type(given).__name__
            self.problems.append(f'"{key}" is a {kind}, not a tensor or an array of numbers')
            return
        if own.shape == () and array.shape == (1,):
            array = array.reshape(())
        if array.shape != own.shape:
            self.problems.append(
                f'size mismatch for "{key}": shape {array.shape} in the state, {own.shape} in the '
                "model"
            )
        elif array.dtype.kind == "c" and own.dtype.kind != "c" and not self.assign:
            self.problems.append(f'"{key}" is {array.dtype} in the state, {own.dtype} in the model')
        elif not own.flags.writeable and not self.assign:
            self.problems.append(f'"{key}" is read-only in the model; pass assign=True')
        elif array.dtype.kind not in "fc" and tensor.requires_grad and self.assign:
            self.problems.append(f'"{key}" is {array.dtype} in the state and cannot be learned')
        else:
            self.writes.append(_Write(module, name, tensor, array, given))

    def check(self) -> None:
        """Raise one error with all that is wrong."""
        lines = []
        if self.strict and self.keys.missing_keys:
            lines.append("Missing key(s) in state_dict: " + _quoted(self.keys.missing_keys))
        if self.strict and self.keys.unexpected_keys:
            lines.append("Unexpected key(s) in state_dict: " + _quoted(self.keys.unexpected_keys))
        lines += self.problems
        if lines:
            name = type(self.module).__name__
            raise StateDictError(
                f"Error(s) in loading state_dict for {name}:\n\t" + "\n\t".join(lines)
            )

    def write(self) -> None:
        for write in self.writes:
            if self.assign:
                setattr(write.module, write.name, _replacement(write))
            else:
                np.copyto(write.tensor.array, write.array, casting="unsafe")
                stamp_write(write.tensor.array)
        for module, value in self.extras:
            module.set_extra_state(value)


def _replacement(write: _Write) -> Tensor:
    """Return the given tensor as what the model has in its place: a parameter or a buffer."""
    if not isinstance(write.tensor, Parameter):
        return write.given if isinstance(write.given, Tensor) else Tensor(write.array)
    if isinstance(write.given, Parameter):
        return write.given.requires_grad_(write.tensor.requires_grad)
    return Parameter(write.array, write.tensor.requires_grad)


def _quoted(keys: list[str]) -> str:
    return ", ".join(f'"{key}"' for key in keys) + "."


def _as_array(value: Any) -> np.ndarray | None:
    """Return the numbers of a tensor, an array, or what turns itself into one; else None."""
    if isinstance(value, Tensor):
        return value.array
    if not hasattr(value, "__array__"):
        return None
    array = np.asarray(value)
    return array if array.dtype.kind in "biufc" else None
