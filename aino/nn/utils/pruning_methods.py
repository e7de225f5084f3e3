"""Which numbers of a parameter are pruned: each method computes a mask, and holds as a hook."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from aino.autograd.mode import no_grad
from aino.autograd.tensor import Tensor
from aino.nn.base.module import Module
from aino.nn.utils.weight_norm import forget_hook, hooks_of
from aino.ops.creation.filled import ones_like, zeros_like
from aino.ops.random.sampling import rand, rand_like
from aino.ops.reduce.norms import norm


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
