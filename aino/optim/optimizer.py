"""Optimizer: parameter groups, hooks and state dicts, as every optimizer has them."""

from __future__ import annotations

import functools
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from aino.autograd.memory import stamp_write
from aino.autograd.node import HookHandle, Leaf
from aino.autograd.tensor import Tensor, make
from aino.errors import ShapeError
from aino.structure_version import structure_version
from aino.tracing import forbid_in_trace, number_of


class _Required:
    """Stands for a setting without a default: each group has to give it."""

    def __repr__(self) -> str:
        return "<required parameter>"


required = _Required()

# Hooks that every optimizer calls around its step.
_before_every_step: OrderedDict[int, Callable] = OrderedDict()
_after_every_step: OrderedDict[int, Callable] = OrderedDict()


def settings(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings among the arguments of an optimizer's constructor, its ``locals()``.

    They are the defaults of its groups, so that the signature is the one place that lists them.
    """
    others = ("self", "params", "__class__")
    return {name: value for name, value in arguments.items() if name not in others}


class OptimizerHookHandle(HookHandle):
    """What registering a hook on an optimizer returns; ``remove()`` takes the hook away."""

    def remove(self) -> None:
        structure_version.move()
        super().remove()


def _add_hook(hooks: OrderedDict, hook: Callable, prepend: bool = False) -> OptimizerHookHandle:
    handle = OptimizerHookHandle(hooks)
    hooks[handle.id] = hook
    if prepend:
        hooks.move_to_end(handle.id, last=False)
    structure_version.move()
    return handle


def register_optimizer_step_pre_hook(hook: Callable) -> HookHandle:
    """Call ``hook(optimizer, args, kwargs)`` before each step of every optimizer."""
    return _add_hook(_before_every_step, hook)


def register_optimizer_step_post_hook(hook: Callable) -> HookHandle:
    """Call ``hook(optimizer, args, kwargs)`` after each step of every optimizer."""
    return _add_hook(_after_every_step, hook)


def _hooked(step: Callable) -> Callable:
    """Return a class's ``step`` that calls the hooks and notes that it was called."""

    @functools.wraps(step)
    def call(self, *args, **kwargs):
        self.has_stepped = True
        if not (self._hooks_before or self._hooks_after or _before_every_step or _after_every_step):
            return step(self, *args, **kwargs)
        for hook in [*_before_every_step.values(), *self._hooks_before.values()]:
            changed = hook(self, args, kwargs)
            if changed is not None:
                if not isinstance(changed, tuple) or len(changed) != 2:
                    raise RuntimeError(
                        "a step pre-hook must return None or a tuple of (new_args, new_kwargs), "
                        f"but got {changed!r}"
                    )
                args, kwargs = changed
        result = step(self, *args, **kwargs)
        for hook in [*self._hooks_after.values(), *_after_every_step.values()]:
            hook(self, args, kwargs)
        return result

    return call


def number(value: Any) -> Any:
    """Return a hyperparameter as a number; PyTorch also takes tensors of one element."""
    return number_of(value) if isinstance(value, Tensor) else value


class Group(dict):
    """Parameters that are stepped alike, with their settings: a dictionary.

    Its numbers are live in a compiled program: whoever reads them in a trace gets expressions.
    """


class Optimizer:
    """Base of all optimizers, AINO's and your own.

    ``params``: tensors, (name, tensor) pairs, or dicts that each give a group's ``params`` and
    the settings in which it differs from ``defaults``. Raises ``ValueError`` for an empty list,
    a tensor that is no leaf and one that two groups share, ``TypeError`` for what is no tensor.

    A subclass writes ``step`` and keeps what it remembers in ``self.state[parameter]``, a dict.
    """

    #: Entries of the state that are numbers: loading does not give them the parameter's dtype.
    counts: tuple[str, ...] = ("step",)
    state: Any
    param_groups: list[dict[str, Any]]

    def __init_subclass__(cls, **kwargs) -> None:
        super().__init_subclass__(**kwargs)
        if "step" in vars(cls):
            cls.step = _hooked(vars(cls)["step"])  # type: ignore[method-assign]

    def __init__(self, params: Iterable, defaults: dict[str, Any]) -> None:
        if isinstance(params, Tensor):
            raise TypeError(
                "params must be an iterable of tensors or of dicts, not a single Tensor; "
                "put it into a list"
            )
        _check_iterable(params, "params")
        self.defaults = defaults
        self._make_hooks()
        self.has_stepped = False
        self.state = self._new_state()
        self.param_groups = []
        groups = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    def _make_hooks(self) -> None:
        self._hooks_before: OrderedDict[int, Callable] = OrderedDict()
        self._hooks_after: OrderedDict[int, Callable] = OrderedDict()
        self._hooks_around_state: dict[str, OrderedDict[int, Callable]] = {
            moment: OrderedDict() for moment in ("save", "saved", "load", "loaded")
        }

    def _new_state(self) -> Any:
        return defaultdict(dict)

    def _check(self, group: Mapping[str, Any]) -> None:
        """Raise ``ValueError`` if a setting of a group is out of its range."""

    def __getstate__(self) -> dict[str, Any]:
        return {"defaults": self.defaults, "state": self.state, "param_groups": self.param_groups}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._make_hooks()
        self.has_stepped = False
        self.__dict__.update(state)

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for position, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {position}")
            lines += [f"    {key}: {group[key]}" for key in sorted(group) if key != "params"]
        return "\n".join([*lines, ")"])

    # Groups

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group of parameters; what it does not set comes from ``defaults``."""
        forbid_in_trace("add_param_group", "add the group before the compiled step is called")
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group).__name__}")
        if "params" not in param_group:
            raise KeyError(f'a parameter group has its tensors under "params", got {param_group}')
        group = Group(param_group)
        group["params"], names = _named(group["params"])
        if names:
            group["param_names"] = names
        for name, default in self.defaults.items():
            if default is required and name not in group:
                raise ValueError(f"parameter group didn't specify a value of {name}")
            group.setdefault(name, default)
        self._check_parameters(group)
        self._check(group)
        self.param_groups.append(group)
        structure_version.move()

    def _check_parameters(self, group: dict[str, Any]) -> None:
        """Raise if a group's parameters are no leaves, or stand in a group already."""
        parameters = group["params"]
        for parameter in parameters:
            if not isinstance(parameter, Tensor):
                raise TypeError(
                    f"optimizer can only optimize Tensors, but one of the params is "
                    f"{type(parameter).__name__}"
                )
            if not (parameter.is_leaf or parameter.retains_grad):
                raise ValueError("can't optimize a non-leaf Tensor")
        seen = {id(parameter) for parameter in parameters}
        if len(seen) != len(parameters):
            raise ValueError("a parameter appears more than once in a parameter group")
        for other in self.param_groups:
            if ("param_names" in group) != ("param_names" in other):
                raise ValueError("all optimizer param groups should be with or without names")
            if not seen.isdisjoint([id(parameter) for parameter in other["params"]]):
                raise ValueError("some parameters appear in more than one parameter group")

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters, or write zeros into them."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if set_to_none:
                    node = parameter.node
                    if type(node) is Leaf:
                        node.grad = None
                    else:
                        parameter.grad = None
                elif parameter.grad is not None:
                    array = parameter.grad.array
                    if parameter.grad.node is not None:
                        parameter.grad = make(array)
                    np.copyto(array, 0)
                    stamp_write(array)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change each parameter that has a gradient.

        ``closure`` computes the loss and its gradients anew, and ``step`` returns what it returns.
        """
        raise NotImplementedError(f"{type(self).__name__} has no step of its own")

    # Hooks

    def register_step_pre_hook(self, hook: Callable) -> HookHandle:
        """Call ``hook(optimizer, args, kwargs)`` before each step; it may return new ones."""
        return _add_hook(self._hooks_before, hook)

    def register_step_post_hook(self, hook: Callable) -> HookHandle:
        """Call ``hook(optimizer, args, kwargs)`` after each step."""
        return _add_hook(self._hooks_after, hook)

    def register_state_dict_pre_hook(self, hook: Callable, prepend: bool = False) -> HookHandle:
        """Call ``hook(optimizer)`` before each ``state_dict()``.

        Arguments:
            hook: returns nothing.
            prepend: call it before the hooks that were registered earlier.
        """
        return _add_hook(self._hooks_around_state["save"], hook, prepend)

    def register_state_dict_post_hook(self, hook: Callable, prepend: bool = False) -> HookHandle:
        """Call ``hook(optimizer, state_dict)`` after each ``state_dict()``.

        Arguments:
            hook: returns None, or the dict to give instead.
            prepend: call it before the hooks that were registered earlier.
        """
        return _add_hook(self._hooks_around_state["saved"], hook, prepend)

    def register_load_state_dict_pre_hook(
        self, hook: Callable, prepend: bool = False
    ) -> HookHandle:
        """Call ``hook(optimizer, state_dict)`` before each ``load_state_dict``.

        Arguments:
            hook: returns None, or the dict to load instead.
            prepend: call it before the hooks that were registered earlier.
        """
        return _add_hook(self._hooks_around_state["load"], hook, prepend)

    def register_load_state_dict_post_hook(
        self, hook: Callable, prepend: bool = False
    ) -> HookHandle:
        """Call ``hook(optimizer)`` after each ``load_state_dict``.

        Arguments:
            hook: returns nothing.
            prepend: call it before the hooks that were registered earlier.
        """
        return _add_hook(self._hooks_around_state["loaded"], hook, prepend)

    # State dicts

    def state_dict(self) -> dict[str, Any]:
        """Return what has to be saved, in PyTorch's shape.

        ``{"state": {0: {"step": ..., "exp_avg": ...}, ...}, "param_groups": [...]}``, where
        parameters are numbered through all groups. Its tensors share the optimizer's memory.
        """
        for hook in self._hooks_around_state["save"].values():
            hook(self)
        positions: dict[int, int] = {}
        packed_groups = []
        for group in self.param_groups:
            packed = {key: value for key, value in group.items() if key != "params"}
            for parameter in group["params"]:
                positions.setdefault(id(parameter), len(positions))
            packed["params"] = [positions[id(parameter)] for parameter in group["params"]]
            packed_groups.append(packed)
        state = {
            (positions[id(key)] if isinstance(key, Tensor) else key): dict(entries)
            for key, entries in self.state.items()
            if not isinstance(key, Tensor) or id(key) in positions
        }
        result: dict[str, Any] = {"state": state, "param_groups": packed_groups}
        for hook in self._hooks_around_state["saved"].values():
            replaced = hook(self, result)
            result = result if replaced is None else replaced
        return result

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over a state dict, AINO's or PyTorch's (its tensors given as arrays).

        Raises ``ValueError``, and changes nothing, when groups, settings or shapes do not fit.
        """
        forbid_in_trace("load_state_dict", "load before the compiled step is called")
        state_dict = dict(state_dict)
        for hook in self._hooks_around_state["load"].values():
            replaced = hook(self, state_dict)
            state_dict = state_dict if replaced is None else replaced
        groups = self._merged_groups(state_dict)
        owners = {}
        for group, saved in zip(groups, state_dict["param_groups"]):
            for position, parameter in zip(saved["params"], group["params"]):
                owners[position] = (parameter, group)
        state = {}
        for key, entries in state_dict["state"].items():
            if key in owners:
                parameter, group = owners[key]
                state[parameter] = self._loaded(key, parameter, group, entries)
            else:
                state[key] = entries
        self._commit(state, groups)
        structure_version.move()
        for hook in self._hooks_around_state["loaded"].values():
            hook(self)

    def _merged_groups(self, state_dict: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the saved groups around the parameters that we have, or say why they differ."""
        for key in ("state", "param_groups"):
            if key not in state_dict:
                raise ValueError(f"an optimizer's state dict has an entry {key!r}; this has none")
        saved_groups = state_dict["param_groups"]
        if len(saved_groups) != len(self.param_groups):
            raise ValueError(
                f"loaded state dict has {len(saved_groups)} parameter groups, the optimizer "
                f"{len(self.param_groups)}"
            )
        groups: list[dict[str, Any]] = []
        for position, (group, saved) in enumerate(zip(self.param_groups, saved_groups)):
            if len(group["params"]) != len(saved["params"]):
                raise ValueError(
                    f"loaded state dict has {len(saved['params'])} parameters in group "
                    f"{position}, the optimizer {len(group['params'])}"
                )
            merged = Group({name: group[name] for name in group if name in self.defaults})
            merged.update(saved)
            merged["params"] = group["params"]
            if "param_names" in group:
                merged.setdefault("param_names", group["param_names"])
            self._check(merged)
            groups.append(merged)
        return groups

    def _loaded(self, position, parameter: Tensor, group, entries) -> Any:
        """Return the entries of one parameter's state as they are to be kept here."""
        if not isinstance(entries, Mapping):
            raise ValueError(
                f"the state of parameter {position} is a {type(entries).__name__}, not a dict"
            )
        return {name: self._cast(parameter, name, value) for name, value in entries.items()}

    def _cast(self, parameter: Tensor, name: str, value: Any) -> Any:
        """Copy an entry; a floating-point array takes the dtype of the parameter."""
        if isinstance(value, Mapping):
            return {key: self._cast(parameter, key, part) for key, part in value.items()}
        if isinstance(value, list | tuple):
            return type(value)(self._cast(parameter, name, part) for part in value)
        if isinstance(value, Tensor):
            value = value.array
        elif not hasattr(value, "__array__"):
            return value
        array = np.array(value)
        dtype = parameter.array.dtype
        if name not in self.counts and array.dtype.kind in "fc" and dtype.kind in "fc":
            array = array.astype(dtype, copy=False)
        return make(array)

    def _commit(self, state: dict, groups: list[dict[str, Any]]) -> None:
        self.state = self._new_state()
        self.state.update(state)
        self.param_groups = groups


def _check_iterable(params: Any, what: str) -> None:
    """Raise for anything but an iterable of tensors, and say what was probably meant."""
    if hasattr(params, "parameters"):
        advice = f"a {type(params).__name__}; pass its parameters()"
    elif callable(params):
        advice = f"the function {getattr(params, '__name__', params)}; call it"
    elif isinstance(params, Mapping) and "params" in params:
        advice = "a single dict; put it into a list"
    elif isinstance(params, Mapping):
        advice = "a dict of names; pass its values(), or its items() to keep the names"
    elif not isinstance(params, Iterable):
        advice = repr(params) if params is None else f"a {type(params).__name__}"
    else:
        return
    raise TypeError(f"{what} must be an iterable of tensors or of dicts, not {advice}")


def _named(params: Any) -> tuple[list, list[str]]:
    """Return the tensors of a group, and their names where it gives them."""
    if isinstance(params, Tensor):
        return [params], []
    if isinstance(params, set | frozenset):
        raise TypeError("a set has no order, which parameters need; pass a list")
    _check_iterable(params, 'the "params" of a group')
    listed = list(params)
    names = [item[0] for item in listed if isinstance(item, tuple)]
    if names and len(names) != len(listed):
        raise ValueError("either all parameters of a group have names, or none")
    return [item[1] if isinstance(item, tuple) else item for item in listed], names


def check_shape(position, name: str, array, parameter: Tensor) -> None:
    """Raise ``ShapeError`` unless a state array has its parameter's shape."""
    if array.shape != parameter.array.shape:
        raise ShapeError(
            f"state {name!r} of parameter {position} has shape {array.shape}, the parameter "
            f"{parameter.array.shape}"
        )
