"""Pruning: some of a parameter's numbers are 0 from now on, by a mask that is a buffer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any

import numpy as np

from aino.autograd.mode import no_grad
from aino.autograd.tensor import Tensor
from aino.nn.base.module import Module
from aino.nn.utils.weight_norm import forget_hook, hooks_of
from aino.ops.creation.filled import ones_like, zeros_like
from aino.ops.random.sampling import rand, rand_like
from aino.ops.reduce.norms import norm
from aino.ops.shape.joining import cat

__all__ = [
    "BasePruningMethod", "CustomFromMask", "Identity", "L1Unstructured", "LnStructured",
    "PruningContainer", "RandomStructured", "RandomUnstructured", "custom_from_mask",
    "global_unstructured", "identity", "is_pruned", "l1_unstructured", "ln_structured",
    "random_structured", "random_unstructured", "remove",
]  # fmt: skip


class BasePruningMethod(ABC):
    """The hook that multiplies a parameter by its mask before each call.

    A subclass computes the mask in ``compute_mask``, and says by ``PRUNING_TYPE`` what it looks at
    when it comes after another: "unstructured" at the numbers that are left, "structured" at the
    channels that are left, "global" at everything.
    """

    PRUNING_TYPE: str
    _tensor_name: str | None = None

    def __call__(self, module: Module, inputs: Any) -> None:
        assert self._tensor_name is not None
        setattr(module, self._tensor_name, self.apply_mask(module))

    @abstractmethod
    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """Return the mask of a tensor: 1 where a number stays, 0 where it goes.

        Arguments:
            t: how important each number is: the numbers themselves, unless others were given.
            default_mask: the mask from earlier pruning.
        """

    def apply_mask(self, module: Module) -> Tensor:
        """Return the parameter, multiplied by its mask."""
        if self._tensor_name is None:
            raise AssertionError(f"Module {module} has to be pruned")
        mask = getattr(module, f"{self._tensor_name}_mask")
        original = getattr(module, f"{self._tensor_name}_orig")
        return mask.to(original.dtype) * original

    @classmethod
    def apply(
        cls, module: Module, name: str, *args: Any, importance_scores: Tensor | None = None,
        **kwargs: Any,
    ) -> BasePruningMethod:  # fmt: skip
        """Prune a parameter of a module; return the hook.

        Arguments:
            module: the module.
            name: the parameter's name; it is ``name_orig`` then, and the mask ``name_mask``.
            args, kwargs: what the method is made with.
            importance_scores: how important each number is; the numbers themselves for None.
        """
        found = [hook for hook in hooks_of(module, BasePruningMethod) if hook._tensor_name == name]
        method: Any = cls(*args, **kwargs)
        method._tensor_name = name
        original = getattr(module, name)
        if importance_scores is not None and importance_scores.shape != original.shape:
            raise AssertionError(
                f"importance_scores should have the same shape as parameter {name}, got "
                f"{tuple(importance_scores.shape)} vs {tuple(original.shape)}"
            )
        if found:
            last = found[0]
            before = list(last) if isinstance(last, PruningContainer) else [last]
            method = PruningContainer(*before, method)
            mask = getattr(module, f"{name}_mask").detach().clone()
        else:
            mask = ones_like(original.detach())
        scores = original if importance_scores is None else importance_scores
        with no_grad():
            mask = method.compute_mask(scores.detach(), default_mask=mask)
        # Nothing is changed before the mask is there.
        if found:
            forget_hook(module, found[0])
        else:
            delattr(module, name)
            module.register_parameter(f"{name}_orig", original)
        if hasattr(module, f"{name}_mask"):
            setattr(module, f"{name}_mask", mask)
        else:
            module.register_buffer(f"{name}_mask", mask)
        setattr(module, name, method.apply_mask(module))
        module.register_forward_pre_hook(method)
        return method

    def prune(
        self, t: Tensor, default_mask: Tensor | None = None,
        importance_scores: Tensor | None = None,
    ) -> Tensor:  # fmt: skip
        """Return a tensor, multiplied by the mask that this method computes for it.

        Arguments:
            t: the tensor.
            default_mask: the mask from earlier pruning; ones for None.
            importance_scores: how important each number is; the numbers themselves for None.
        """
        scores = t if importance_scores is None else importance_scores
        if scores.shape != t.shape:
            raise AssertionError("importance_scores should have the same shape as tensor t")
        mask = ones_like(t.detach()) if default_mask is None else default_mask
        return t * self.compute_mask(scores.detach(), default_mask=mask)

    def remove(self, module: Module) -> None:
        """Make the parameter what it is pruned to, without a mask."""
        if self._tensor_name is None:
            raise AssertionError(f"Module {module} has to be pruned before pruning can be removed")
        name = self._tensor_name
        with no_grad():
            weight = self.apply_mask(module)
        original = getattr(module, f"{name}_orig")
        original.data = weight.detach()
        for suffix in ("", "_orig", "_mask"):
            delattr(module, f"{name}{suffix}")
        setattr(module, name, original)


class PruningContainer(BasePruningMethod):
    """Several methods, each of which prunes what those before it have left.

    Arguments:
        args: the methods.
    """

    def __init__(self, *args: BasePruningMethod) -> None:
        self._pruning_methods: tuple[BasePruningMethod, ...] = ()
        for method in args:
            self.add_pruning_method(method)

    def add_pruning_method(self, method: Any) -> None:
        """Add a method at the end.

        Raises ``TypeError`` for what is none, ``ValueError`` for one of another parameter.
        """
        if not isinstance(method, BasePruningMethod):
            raise TypeError(f"{type(method)} is not a BasePruningMethod subclass")
        if self._pruning_methods and method._tensor_name != self._tensor_name:
            raise ValueError(
                "Can only add pruning methods acting on the parameter named "
                f"'{self._tensor_name}' to PruningContainer {self}. Found '{method._tensor_name}'"
            )
        if self._tensor_name is None:
            self._tensor_name = method._tensor_name
        self._pruning_methods = (*self._pruning_methods, method)

    def __len__(self) -> int:
        return len(self._pruning_methods)

    def __iter__(self) -> Any:
        return iter(self._pruning_methods)

    def __getitem__(self, idx: Any) -> Any:
        return self._pruning_methods[idx]

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """Return the mask that the last of the methods makes of what is left.

        Arguments:
            t: how important each number is.
            default_mask: the mask from earlier pruning.
        """
        method: Any = self._pruning_methods[-1]
        mask = default_mask.to(t.dtype).clone()
        where: Any
        if method.PRUNING_TYPE == "unstructured":
            where = default_mask == 1
        elif method.PRUNING_TYPE == "structured":
            dim = method.dim % t.ndim
            others = tuple([i for i in range(t.ndim) if i != dim])
            where = (slice(None),) * dim + ((default_mask.sum(others) != 0),)
        elif method.PRUNING_TYPE == "global":
            where = (slice(None),) * t.ndim
        else:
            raise ValueError(f"Unrecognized PRUNING_TYPE {method.PRUNING_TYPE}")
        mask[where] = method.compute_mask(t[where], default_mask=default_mask[where]).to(t.dtype)
        return mask


class Identity(BasePruningMethod):
    """Prunes nothing: it makes the mask."""

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """Return the mask as it is.

        Arguments:
            t: changes nothing.
            default_mask: the mask from earlier pruning.
        """
        return default_mask


class _Amount(BasePruningMethod):
    """What methods have in common that prune a number of things, or a share of them."""

    amount: Any

    def _count(self, size: int) -> int:
        """Return how many of so many things go."""
        if isinstance(self.amount, int):
            if self.amount > size:
                raise ValueError(
                    f"amount={self.amount} should be smaller than the number of parameters to "
                    f"prune={size}"
                )
            return self.amount
        return round(self.amount * size)


def _checked(amount: Any) -> Any:
    if not isinstance(amount, (int, float, np.number)):
        raise TypeError(f"Invalid type for amount: {amount}. Must be int or float.")
    whole = isinstance(amount, (int, np.integer))
    amount = int(amount) if whole else float(amount)
    if amount < 0 or (not whole and amount > 1.0):
        raise ValueError(
            f"amount={amount} should either be a float in the range [0, 1] or a non-negative "
            "integer"
        )
    return amount


class RandomUnstructured(_Amount):
    """Prunes numbers at random.

    Arguments:
        amount: how many, or which share of them.
    """

    PRUNING_TYPE = "unstructured"

    def __init__(self, amount: Any) -> None:
        self.amount = _checked(amount)

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """Return the mask with random places set to 0.

        Arguments:
            t: a tensor of the shape.
            default_mask: the mask from earlier pruning.
        """
        return _without(default_mask, rand_like(t).reshape(-1), self._count(t.numel()), True)


class L1Unstructured(_Amount):
    """Prunes the numbers with the smallest absolute values.

    Arguments:
        amount: how many, or which share of them.
    """

    PRUNING_TYPE = "unstructured"

    def __init__(self, amount: Any) -> None:
        self.amount = _checked(amount)

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """Return the mask with the places of the smallest numbers set to 0.

        Arguments:
            t: how important each number is.
            default_mask: the mask from earlier pruning.
        """
        return _without(default_mask, t.abs().reshape(-1), self._count(t.numel()), False)


def _without(mask: Tensor, scores: Tensor, count: int, largest: bool) -> Tensor:
    shape, mask = mask.shape, mask.clone().reshape(-1)
    if count:
        mask[scores.topk(count, largest=largest).indices] = 0
    return mask.reshape(shape)


class _Structured(_Amount):
    """What methods have in common that prune whole channels."""

    dim: int

    def _channels(self, t: Tensor) -> int:
        if t.ndim <= 1:
            raise ValueError(
                "Structured pruning can only be applied to multidimensional tensors. Found tensor "
                f"of shape {tuple(t.shape)} with {t.ndim} dims"
            )
        if not -t.ndim <= self.dim < t.ndim:
            raise IndexError(f"Invalid index {self.dim} for tensor of size {tuple(t.shape)}")
        return t.shape[self.dim]

    def _keep(self, t: Tensor, default_mask: Tensor, channels: Tensor) -> Tensor:
        mask = zeros_like(default_mask)
        mask[(slice(None),) * (self.dim % t.ndim) + (channels,)] = 1
        return mask * default_mask


class RandomStructured(_Structured):
    """Prunes channels at random.

    Arguments:
        amount: how many, or which share of them.
        dim: the dimension along which channels are counted.
    """

    PRUNING_TYPE = "structured"

    def __init__(self, amount: Any, dim: int = -1) -> None:
        self.amount = _checked(amount)
        self.dim = dim

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """Return the mask with random channels set to 0.

        Arguments:
            t: a tensor of the shape.
            default_mask: the mask from earlier pruning.
        """
        channels = self._channels(t)
        count = self._count(channels)
        if not count:
            return default_mask
        chances = rand(channels)
        return self._keep(t, default_mask, chances > chances.kthvalue(count).values)


class LnStructured(_Structured):
    """Prunes the channels with the smallest norms.

    Arguments:
        amount: how many, or which share of them.
        n: p of the norm, or "fro", "nuc" and so on.
        dim: the dimension along which channels are counted.
    """

    PRUNING_TYPE = "structured"

    def __init__(self, amount: Any, n: Any, dim: int = -1) -> None:
        self.amount = _checked(amount)
        self.n = n
        self.dim = dim

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """Return the mask with the channels of the smallest norms set to 0.

        Arguments:
            t: how important each number is.
            default_mask: the mask from earlier pruning.
        """
        channels = self._channels(t)
        count = self._count(channels)
        if not count:
            return default_mask
        dim = self.dim % t.ndim
        norms = norm(t, p=self.n, dim=tuple([i for i in range(t.ndim) if i != dim]))
        return self._keep(t, default_mask, norms.topk(channels - count).indices)


class CustomFromMask(BasePruningMethod):
    """Prunes what a mask says.

    Arguments:
        mask: 1 where a number stays, 0 where it goes.
    """

    PRUNING_TYPE = "global"

    def __init__(self, mask: Tensor) -> None:
        self.mask = mask

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """Return both masks as one.

        Arguments:
            t: changes nothing.
            default_mask: the mask from earlier pruning.
        """
        if default_mask.shape != self.mask.shape:
            raise AssertionError(
                f"the mask has shape {tuple(self.mask.shape)}, and is for a parameter of shape "
                f"{tuple(default_mask.shape)}"
            )
        return default_mask * self.mask.to(default_mask.dtype)


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
