"""Spectral normalisation by a hook, the older way; ``parametrizations.spectral_norm`` is newer."""

from __future__ import annotations

from typing import Any

from aino.autograd.mode import no_grad
from aino.autograd.tensor import Tensor
from aino.nn import functional as F
from aino.nn.base.module import Module
from aino.nn.base.parameter import Parameter
from aino.nn.utils.weight_norm import forget_hook, hooks_of
from aino.ops.random.sampling import randn

__all__ = ["SpectralNorm", "remove_spectral_norm", "spectral_norm"]


class SpectralNorm:
    """The hook that divides a weight by its largest singular value before each call.

    Raises ``ValueError`` for fewer than one step of power iteration.

    Arguments:
        name: the weight's name.
        n_power_iterations: how many steps of power iteration each call in training makes.
        dim: the dimension of the outputs.
        eps: keeps lengths from 0.
    """

    def __init__(
        self, name: str = "weight", n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12
    ) -> None:
        self.name = name
        self.dim = dim
        if n_power_iterations <= 0:
            raise ValueError(
                "Expected n_power_iterations to be positive, but got "
                f"n_power_iterations={n_power_iterations}"
            )
        self.n_power_iterations = n_power_iterations
        self.eps = eps

    def reshape_weight_to_matrix(self, weight: Tensor) -> Tensor:
        """Return the weight with its dimension of outputs first, and all others in one."""
        if self.dim:
            others = [dim for dim in range(weight.ndim) if dim != self.dim]
            weight = weight.permute(self.dim, *others)
        return weight.reshape(weight.shape[0], -1)

    def compute_weight(self, module: Module, do_power_iteration: bool) -> Tensor:
        """Return the weight over its largest singular value.

        Arguments:
            module: the module that has the weight.
            do_power_iteration: whether the singular vectors are followed first.
        """
        weight = getattr(module, f"{self.name}_orig")
        u, v = getattr(module, f"{self.name}_u"), getattr(module, f"{self.name}_v")
        matrix = self.reshape_weight_to_matrix(weight)
        if do_power_iteration:
            with no_grad():
                for _ in range(self.n_power_iterations):
                    v.copy_(F.normalize(matrix.mT @ u, dim=0, eps=self.eps))
                    u.copy_(F.normalize(matrix @ v, dim=0, eps=self.eps))
                u, v = u.clone(), v.clone()
        return weight / (u @ (matrix @ v))

    @staticmethod
    def apply(
        module: Module, name: str, n_power_iterations: int, dim: int, eps: float
    ) -> SpectralNorm:
        """Give a module the original, the singular vectors, and the hook.

        Arguments:
            module: the module that has the weight.
            name: the weight's name.
            n_power_iterations, dim, eps: as for ``spectral_norm``.
        """
        for hook in hooks_of(module, SpectralNorm):
            if hook.name == name:
                raise RuntimeError(
                    f"Cannot register two spectral_norm hooks on the same parameter {name}"
                )
        fn = SpectralNorm(name, n_power_iterations, dim, eps)
        weight = getattr(module, name)
        if weight is None:
            raise ValueError(f"`SpectralNorm` cannot be applied as parameter `{name}` is None")
        rows, columns = fn.reshape_weight_to_matrix(weight.detach()).shape
        u = F.normalize(randn(rows, dtype=weight.dtype), dim=0, eps=eps)
        v = F.normalize(randn(columns, dtype=weight.dtype), dim=0, eps=eps)
        delattr(module, name)
        module.register_parameter(f"{name}_orig", weight)
        setattr(module, name, weight.detach())
        module.register_buffer(f"{name}_u", u)
        module.register_buffer(f"{name}_v", v)
        module.register_forward_pre_hook(fn)
        return fn

    def remove(self, module: Module) -> None:
        """Make the weight a parameter again."""
        with no_grad():
            weight = self.compute_weight(module, do_power_iteration=False)
        for name in ("", "_u", "_v", "_orig"):
            delattr(module, f"{self.name}{name}")
        module.register_parameter(self.name, Parameter(weight.detach()))

    def __call__(self, module: Module, inputs: Any) -> None:
        value = self.compute_weight(module, do_power_iteration=module.training)
        setattr(module, self.name, value)


def spectral_norm(
    module: Module, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12,
    dim: int | None = None,
) -> Module:  # fmt: skip
    """Let a hook divide a weight by its largest singular value before each call.

    The parameter is ``weight_orig`` then, and ``weight_u`` and ``weight_v`` are the singular
    vectors. ``parametrizations.spectral_norm`` is the newer way.

    Arguments:
        module: the module that has the weight; it is returned.
        name: the weight's name.
        n_power_iterations: how many steps of power iteration each call in training makes.
        eps: keeps lengths from 0.
        dim: the dimension of the outputs; 0 for None, 1 for transposed convolutions.

    Source: Miyato et al., "Spectral normalization for generative adversarial networks", 2018.
    """
    if dim is None:
        dim = 1 if type(module).__name__.startswith("ConvTranspose") else 0
    SpectralNorm.apply(module, name, n_power_iterations, dim, eps)
    return module


def remove_spectral_norm(module: Module, name: str = "weight") -> Module:
    """Make a weight a parameter again, with the values that it has.

    Raises ``ValueError`` where ``spectral_norm`` was not called for it.

    Arguments:
        module: the module that has the weight; it is returned.
        name: the weight's name.
    """
    for hook in hooks_of(module, SpectralNorm):
        if hook.name == name:
            hook.remove(module)
            forget_hook(module, hook)
            return module
    raise ValueError(f"spectral_norm of '{name}' not found in {module}")
