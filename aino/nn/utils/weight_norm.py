"""Weight normalisation by a hook, the older way; ``parametrizations.weight_norm`` is the newer."""

from __future__ import annotations

from typing import Any

from aino.autograd.mode import no_grad
from aino.nn.base.module import Module
from aino.nn.base.parameter import Parameter
from aino.ops.reduce.older_norms import norm_except_dim
from aino.user_warnings import warn

__all__ = ["WeightNorm", "remove_weight_norm", "weight_norm"]


class WeightNorm:
    """The hook that computes a weight of its direction and its length before each call.

    Arguments:
        name: the weight's name.
        dim: the dimension along which each slice has a length of its own; -1 has one for all.
    """

    def __init__(self, name: str, dim: int | None) -> None:
        self.name = name
        self.dim = -1 if dim is None else dim

    def compute_weight(self, module: Module) -> Any:
        """Return g v / |v|."""
        g, v = getattr(module, f"{self.name}_g"), getattr(module, f"{self.name}_v")
        return v * (g / norm_except_dim(v, 2, self.dim))

    @staticmethod
    def apply(module: Module, name: str, dim: int | None) -> WeightNorm:
        """Give a module the two parameters in the place of the weight, and the hook.

        Arguments:
            module: the module that has the weight.
            name: the weight's name.
            dim: as for ``weight_norm``.
        """
        for hook in hooks_of(module, WeightNorm):
            if hook.name == name:
                raise RuntimeError(
                    f"Cannot register two weight_norm hooks on the same parameter {name}"
                )
        fn = WeightNorm(name, dim)
        weight = getattr(module, name)
        with no_grad():
            length = norm_except_dim(weight, 2, fn.dim)
        delattr(module, name)
        module.register_parameter(f"{name}_g", Parameter(length.detach()))
        module.register_parameter(f"{name}_v", Parameter(weight.detach()))
        setattr(module, name, fn.compute_weight(module))
        module.register_forward_pre_hook(fn)
        return fn

    def remove(self, module: Module) -> None:
        """Make the weight a parameter again."""
        with no_grad():
            weight = self.compute_weight(module)
        for name in (self.name, f"{self.name}_g", f"{self.name}_v"):
            delattr(module, name)
        setattr(module, self.name, Parameter(weight.detach()))

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, self.name, self.compute_weight(module))


def hooks_of(module: Any, kind: type) -> list[Any]:
    """Return the functions of a class that a module calls before its forward."""
    hooks = [] if module._hooks is None else module._hooks.functions("forward_pre")
    return [hook for hook in hooks if isinstance(hook, kind)]


def forget_hook(module: Any, hook: Any) -> None:
    """Take a hook away that a module calls before its forward."""
    table = module._hooks.at["forward_pre"]
    for key in [key for key, item in table.items() if item.function is hook]:
        del table[key]


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    """Let a hook compute a weight of its length ``weight_g`` and its direction ``weight_v``.

    PyTorch has replaced it by ``parametrizations.weight_norm``, and so warns.

    Arguments:
        module: the module that has the weight; it is returned.
        name: the weight's name.
        dim: the dimension along which each slice has a length of its own; None has one for all.

    Source: Salimans and Kingma, "Weight normalization", 2016.
    """
    warn(
        "nn.utils.weight_norm is deprecated in favor of nn.utils.parametrizations.weight_norm",
        FutureWarning,
    )
    WeightNorm.apply(module, name, dim)
    return module


def remove_weight_norm(module: Module, name: str = "weight") -> Module:
    """Make a weight a parameter again, with the values that it has.

    Raises ``ValueError`` where ``weight_norm`` was not called for it.

    Arguments:
        module: the module that has the weight; it is returned.
        name: the weight's name.
    """
    for hook in hooks_of(module, WeightNorm):
        if hook.name == name:
            hook.remove(module)
            forget_hook(module, hook)
            return module
    raise ValueError(f"weight_norm of '{name}' not found in {module}")
