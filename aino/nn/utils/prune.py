"""Pruning: some of a parameter's numbers are 0 from now on, by a mask that is a buffer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from aino.autograd.tensor import Tensor
from aino.nn.base.module import Module
from aino.nn.utils.pruning_methods import (
    BasePruningMethod,
    CustomFromMask,
    Identity,
    L1Unstructured,
    LnStructured,
    PruningContainer,
    RandomStructured,
    RandomUnstructured,
)
from aino.nn.utils.weight_norm import forget_hook, hooks_of
from aino.ops.creation.filled import ones_like
from aino.ops.shape.joining import cat

__all__ = [
    "BasePruningMethod", "CustomFromMask", "Identity", "L1Unstructured", "LnStructured",
    "PruningContainer", "RandomStructured", "RandomUnstructured", "custom_from_mask",
    "global_unstructured", "identity", "is_pruned", "l1_unstructured", "ln_structured",
    "random_structured", "random_unstructured", "remove",
]  # fmt: skip


def identity(module: Module, name: str) -> Module:
    """Give a parameter a mask of ones; return the module.

    Arguments:
        module: the module.
        name: the parameter's name.

    >>> from aino import nn
    >>> layer = nn.utils.prune.identity(nn.Linear(2, 3), "bias")
    >>> layer.bias_mask
    tensor([1., 1., 1.])
    """
    Identity.apply(module, name)
    return module


def random_unstructured(module: Module, name: str, amount: Any) -> Module:
    """Prune numbers of a parameter at random; return the module.

    Arguments:
        module: the module.
        name: the parameter's name.
        amount: how many, or which share of them.

    >>> from aino import nn
    >>> layer = nn.utils.prune.random_unstructured(nn.Linear(2, 3), "weight", amount=1)
    >>> (layer.weight_mask == 0).sum().item()
    1
    """
    RandomUnstructured.apply(module, name, amount)
    return module


def l1_unstructured(
    module: Module, name: str, amount: Any, importance_scores: Tensor | None = None
) -> Module:
    """Prune the smallest numbers of a parameter; return the module.

    Arguments:
        module: the module.
        name: the parameter's name.
        amount: how many, or which share of them.
        importance_scores: how important each number is; the numbers themselves for None.

    >>> from aino import nn
    >>> layer = nn.utils.prune.l1_unstructured(nn.Linear(2, 3), "weight", amount=0.5)
    >>> (layer.weight == 0).sum().item()
    3
    """
    L1Unstructured.apply(module, name, amount, importance_scores=importance_scores)
    return module


def random_structured(module: Module, name: str, amount: Any, dim: int) -> Module:
    """Prune channels of a parameter at random; return the module.

    Arguments:
        module: the module.
        name: the parameter's name.
        amount: how many, or which share of them.
        dim: the dimension along which channels are counted.

    >>> from aino import nn
    >>> layer = nn.utils.prune.random_structured(nn.Linear(5, 3), "weight", amount=3, dim=1)
    >>> (layer.weight.sum(0) == 0).sum().item()
    3
    """
    RandomStructured.apply(module, name, amount, dim)
    return module


def ln_structured(
    module: Module, name: str, amount: Any, n: Any, dim: int,
    importance_scores: Tensor | None = None,
) -> Module:  # fmt: skip
    """Prune the channels of a parameter with the smallest norms; return the module.

    Arguments:
        module: the module.
        name: the parameter's name.
        amount: how many, or which share of them.
        n: p of the norm.
        dim: the dimension along which channels are counted.
        importance_scores: how important each number is; the numbers themselves for None.

    >>> from aino import nn
    >>> layer = nn.utils.prune.ln_structured(nn.Linear(5, 3), "weight", amount=2, n=2, dim=0)
    >>> (layer.weight.sum(1) == 0).sum().item()
    2
    """
    LnStructured.apply(module, name, amount, n, dim, importance_scores=importance_scores)
    return module


def custom_from_mask(module: Module, name: str, mask: Tensor) -> Module:
    """Prune what a mask says; return the module.

    Arguments:
        module: the module.
        name: the parameter's name.
        mask: 1 where a number stays, 0 where it goes.

    >>> import aino
    >>> from aino import nn
    >>> mask = aino.tensor([0.0, 1.0, 0.0])
    >>> layer = nn.utils.prune.custom_from_mask(nn.Linear(5, 3), "bias", mask)
    >>> layer.bias_mask
    tensor([0., 1., 0.])
    """
    CustomFromMask.apply(module, name, mask)
    return module


def global_unstructured(
    parameters: Iterable[tuple[Any, str]], pruning_method: Any, importance_scores: Any = None,
    **kwargs: Any,
) -> None:  # fmt: skip
    """Prune parameters of several modules, compared with one another.

    Raises ``TypeError`` for a method that does not prune single numbers.

    Arguments:
        parameters: pairs of a module and a parameter's name.
        pruning_method: the class of a method.
        importance_scores: how important each number is, by these pairs; those that are not there
            count by their values.
        kwargs: what the method is made with, such as ``amount``.
    """
    pairs = list(parameters)
    scores = {} if importance_scores is None else importance_scores
    if not isinstance(scores, dict):
        raise TypeError("global_unstructured(): importance_scores must be of type dict")
    method = pruning_method(**kwargs)
    method._tensor_name = "all"
    if method.PRUNING_TYPE != "unstructured":
        raise TypeError(
            'Only "unstructured" PRUNING_TYPE supported for the `pruning_method`. Found method '
            f"{pruning_method} of type {method.PRUNING_TYPE}"
        )
    own = [getattr(*pair).detach() for pair in pairs]
    wanted = [scores.get(pair, value).detach() for pair, value in zip(pairs, own)]
    masks = [getattr(m, f"{name}_mask", ones_like(x)) for (m, name), x in zip(pairs, own)]
    flat = cat([mask.reshape(-1) for mask in masks])
    whole = PruningContainer(method).compute_mask(cat([x.reshape(-1) for x in wanted]), flat)
    start = 0
    for (module, name), value in zip(pairs, own):
        stop = start + value.numel()
        custom_from_mask(module, name, whole[start:stop].reshape(value.shape))
        start = stop


def remove(module: Module, name: str) -> Module:
    """Make a parameter what it is pruned to, without a mask; return the module.

    Raises ``ValueError`` for a parameter that is not pruned.

    Arguments:
        module: the module.
        name: the parameter's name.
    """
    for hook in hooks_of(module, BasePruningMethod):
        if hook._tensor_name == name:
            hook.remove(module)
            forget_hook(module, hook)
            return module
    raise ValueError(
        f"Parameter '{name}' of module {module} has to be pruned before pruning can be removed"
    )


def is_pruned(module: Module) -> bool:
    """Tell whether a parameter of a module, or of one inside, is pruned.

    >>> from aino import nn
    >>> nn.utils.prune.is_pruned(nn.Linear(2, 2))
    False
    """
    return any([hooks_of(inner, BasePruningMethod) for inner in module.modules()])
