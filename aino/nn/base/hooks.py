"""Hooks: functions that a module calls before and after it computes, forward and backward."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, NamedTuple

from aino.autograd.node import HookHandle
from aino.nn.base.backward_hooks import watch_inputs, watch_outputs
from aino.structure_version import structure_version
from aino.user_warnings import warn


class Hook(NamedTuple):
    """A hook, and how it wants to be called."""

    function: Callable
    with_kwargs: bool = False
    always_call: bool = False


class ModuleHookHandle(HookHandle):
    """What registering a hook on a module returns; ``remove()`` takes the hook away."""

    def remove(self) -> None:
        structure_version.move()
        super().remove()


class Hooks:
    """All hooks of one module, by the moment at which they are called."""

    MOMENTS = (
        "forward_pre", "forward", "backward_pre", "backward",
        "state_pre", "state_post", "load_pre", "load_post",
    )  # fmt: skip

    def __init__(self) -> None:
        self.at: dict[str, OrderedDict[int, Hook]] = {name: OrderedDict() for name in self.MOMENTS}

    def __bool__(self) -> bool:
        return any(self.at.values())

    def add(self, moment: str, hook: Hook, prepend: bool = False) -> ModuleHookHandle:
        hooks = self.at[moment]
        handle = ModuleHookHandle(hooks)
        hooks[handle.id] = hook
        if prepend:
            hooks.move_to_end(handle.id, last=False)
        structure_version.move()
        return handle

    def functions(self, moment: str) -> list[Callable]:
        return [hook.function for hook in self.at[moment].values()]


def has_hooks(module: Any) -> bool:
    """Tell whether functions of anybody's run beside a module's forward."""
    return bool(module._hooks)


def forget_empty_hooks(module: Any) -> None:
    """Let a call be a plain call of forward again, where the last function was taken away."""
    if module._hooks is not None and not module._hooks:
        vars(module).pop("_hooks")


def call_with_hooks(module: Any, args: tuple, kwargs: dict[str, Any]) -> Any:
    """Call a module's forward between its hooks."""
    hooks = module._hooks
    called: set[int] = set()
    result = None
    try:
        args, kwargs = _before(module, hooks, args, kwargs)
        gate = None
        if hooks.at["backward"] or hooks.at["backward_pre"]:
            gate, args = watch_inputs(module, hooks, args)
        result = module.forward(*args, **kwargs)
        for key, hook in list(hooks.at["forward"].items()):
            called.add(key)
            result = _after(module, hook, args, kwargs, result)
        return result if gate is None else watch_outputs(gate, result)
    except Exception:
        for key, hook in list(hooks.at["forward"].items()):
            if hook.always_call and key not in called:
                result = _after_failure(module, hook, args, kwargs, result)
        raise


def _before(module, hooks, args, kwargs):
    for hook in list(hooks.at["forward_pre"].values()):
        if hook.with_kwargs:
            changed = hook.function(module, args, kwargs)
            if changed is None:
                continue
            if not isinstance(changed, tuple) or len(changed) != 2:
                raise RuntimeError(
                    "a forward pre-hook with kwargs must return None or a tuple of "
                    f"(new_args, new_kwargs), but got {changed!r}"
                )
            args, kwargs = changed
        else:
            changed = hook.function(module, args)
            if changed is not None:
                args = changed if isinstance(changed, tuple) else (changed,)
    return args, kwargs


def _after_failure(module, hook, args, kwargs, result):
    """Call a hook while another error is on its way: its own must not stand in that one's place."""
    try:
        return _after(module, hook, args, kwargs, result)
    except Exception as error:
        warn(f"a hook with always_call=True raised {type(error).__name__}: {error}")
        return result


def _after(module, hook, args, kwargs, result):
    if hook.with_kwargs:
        changed = hook.function(module, args, kwargs, result)
    else:
        changed = hook.function(module, args, result)
    return result if changed is None else changed
