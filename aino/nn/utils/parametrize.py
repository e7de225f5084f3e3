"""Parametrizations: a parameter that is computed of others, whenever it is read."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from aino.autograd.mode import no_grad
from aino.autograd.tensor import Tensor
from aino.errors import ArgumentError, DtypeError
from aino.nn.base.module import Module
from aino.nn.base.parameter import Parameter
from aino.nn.modules.container import ModuleList
from aino.nn.modules.named_containers import ModuleDict

__all__ = [
    "ParametrizationList", "cached", "is_parametrized", "register_parametrization",
    "remove_parametrizations", "transfer_parametrizations_and_params",
    "type_before_parametrizations",
]  # fmt: skip

#: How many blocks of ``cached()`` there are around, and what was computed in them.
_caching = 0
_cache: dict[tuple[int, str], Any] = {}


@contextmanager
def cached() -> Iterator[None]:
    """Compute each parametrized tensor once in a block, however often it is read.

    >>> from aino import nn
    >>> from aino.nn.utils import parametrizations, parametrize
    >>> layer = parametrizations.weight_norm(nn.Linear(2, 2))
    >>> with parametrize.cached():
    ...     layer.weight is layer.weight
    True
    """
    global _caching, _cache
    _caching += 1
    try:
        yield
    finally:
        _caching -= 1
        if not _caching:
            _cache = {}


def _register(module: Module, name: str, tensor: Tensor) -> None:
    if isinstance(tensor, Parameter):
        module.register_parameter(name, tensor)
    else:
        module.register_buffer(name, tensor)


def _take(original: Tensor, value: Tensor) -> None:
    """Let a tensor have other values, and another shape, and stay the object that it is."""
    gradient = original.grad
    original.grad = None
    original.data = value.detach()
    if gradient is not None and gradient.shape == original.shape:
        original.grad = gradient


class ParametrizationList(ModuleList):
    """The parametrizations of one tensor, and what it is computed of: ``original``.

    Where the last ``right_inverse`` gives several tensors they are ``original0``, ``original1`` ...
    Raises ``ValueError`` for parametrizations that change shape or dtype, unless ``unsafe``.

    Arguments:
        modules: the parametrizations, in the order in which they are applied.
        original: the tensor that is parametrized, which shows its present values.
        unsafe: let shape and dtype change, and check nothing.
    """

    original: Tensor
    unsafe: bool
    _why_not_stored = "is a part of a parametrized module, which is stored by its state_dict()"

    def __init__(self, modules: Sequence[Any], original: Tensor, unsafe: bool = False) -> None:
        if not len(modules):
            raise ValueError("ParametrizationList requires one or more modules.")
        super().__init__(modules)
        self.unsafe = unsafe
        shape, dtype = tuple(original.shape), original.dtype
        new: Any = original
        with no_grad():
            for module in reversed(list(self)):
                if hasattr(module, "right_inverse"):
                    try:
                        new = module.right_inverse(new)
                    except NotImplementedError:
                        pass  # what can't be inverted begins with the values as they are
        if not isinstance(new, (Tensor, Sequence)):
            raise ArgumentError(
                "'right_inverse' must return a Tensor or a Sequence of tensors, got "
                f"{type(new).__name__}"
            )
        self.is_tensor = isinstance(new, Tensor)
        self.ntensors = 1 if self.is_tensor else len(new)
        if isinstance(new, Tensor):
            if new.dtype != dtype:
                raise DtypeError(
                    f"when `right_inverse` outputs one tensor, it has the dtype of the original, "
                    f"{dtype}, not {new.dtype}"
                )
            if new is not original:
                _take(original, new)
            _register(self, "original", original)
        else:
            for i, part in enumerate(new):
                if not isinstance(part, Tensor):
                    raise ArgumentError(
                        "'right_inverse' must return a Tensor or a Sequence of tensors; element "
                        f"{i} is of type {type(part).__name__}"
                    )
                part = part.detach()
                if isinstance(original, Parameter):
                    part = Parameter(part, original.requires_grad)
                _register(self, f"original{i}", part.requires_grad_(original.requires_grad))
        if not unsafe:
            with no_grad():
                found = self()
            _check_kept("registering a parametrization", shape, dtype, found)

    def _originals(self) -> list[Tensor]:
        if self.is_tensor:
            return [self.original]
        return [getattr(self, f"original{i}") for i in range(self.ntensors)]

    def right_inverse(self, value: Tensor) -> None:
        """Let the originals be such that the parametrized tensor has these values.

        Raises ``RuntimeError`` for a parametrization without ``right_inverse``.
        """
        with no_grad():
            for module in reversed(list(self)):
                if not hasattr(module, "right_inverse"):
                    raise RuntimeError(
                        f"parametrization {type(module).__name__} does not implement right_inverse."
                    )
                value = module.right_inverse(value)
            values = [value] if self.is_tensor else value
            originals = self._originals()
            if not self.is_tensor and len(values) != self.ntensors:
                raise ArgumentError(
                    f"'right_inverse' must return a sequence of tensors of length {self.ntensors}, "
                    f"got {len(values)}"
                )
            for original, part in zip(originals, values):
                if not isinstance(part, Tensor):
                    raise ArgumentError(
                        f"`right_inverse` should return tensors, got {type(part).__name__}"
                    )
                if part.dtype != original.dtype:
                    raise DtypeError(
                        f"the tensor returned by `right_inverse` has dtype {part.dtype} while "
                        f"the original has dtype {original.dtype}"
                    )
            for original, part in zip(originals, values):
                _take(original, part)

    def forward(self) -> Tensor:
        """Return the parametrized tensor."""
        first, *others = self
        x = first(*self._originals())
        for module in others:
            x = module(x)
        return x


def _check_kept(what: str, shape: tuple, dtype: Any, found: Any) -> None:
    if not isinstance(found, Tensor):
        raise ArgumentError(f"a parametrization must return a tensor, got {type(found).__name__}")
    if found.dtype != dtype:
        raise DtypeError(
            f"{what} may not change the dtype of the tensor, unless unsafe=True: it was {dtype}, "
            f"and would be {found.dtype}"
        )
    if tuple(found.shape) != shape:
        raise ArgumentError(
            f"{what} may not change the shape of the tensor, unless unsafe=True: it was {shape}, "
            f"and would be {tuple(found.shape)}"
        )


class _Parametrized:
    """What the classes of parametrized modules have before their own: copies, and no pickles."""

    #: What saving to a file says.
    _why_not_stored = (
        "is parametrized, and no class describes that: remove_parametrizations() first, or store "
        "its state_dict()"
    )

    def __deepcopy__(self: Any, memo: dict) -> Any:
        own: Any = type(self)
        copied = own.__new__(own)
        memo[id(self)] = copied
        for name, value in vars(self).items():
            vars(copied)[name] = copy.deepcopy(value, memo)
        return copied

    def __getstate__(self) -> Any:
        raise RuntimeError(
            "Serialization of parametrized modules is only supported through state_dict(): save "
            "that, or remove_parametrizations() first"
        )


def _property(name: str) -> property:
    def get(self: Any) -> Tensor:
        parametrization = vars(vars(self)["parametrizations"])[name]
        if not _caching:
            return parametrization()
        key = (id(self), name)
        if key not in _cache:
            _cache[key] = parametrization()
        return _cache[key]

    def put(self: Any, value: Tensor) -> None:
        vars(vars(self)["parametrizations"])[name].right_inverse(value)

    return property(get, put)


def _parametrize_class(module: Module) -> None:
    """Give a module a class of its own, in which its parametrized tensors are properties."""
    own: Any = type(module)
    body = {"__module__": __name__.partition(".")[2], "__doc__": own.__doc__}
    module.__class__ = type(f"Parametrized{own.__name__}", (_Parametrized, own), body)


def register_parametrization(
    module: Module, tensor_name: str, parametrization: Module, *, unsafe: bool = False
) -> Module:
    """Let a parameter or a buffer be computed by a module, whenever it is read.

    ``parametrization(original)`` is what ``module.tensor_name`` gives from now on; the original is
    ``module.parametrizations.tensor_name.original``. Where the parametrization has a
    ``right_inverse``, the values that the tensor has now go through it, and so do values that are
    assigned later. Another one that is registered is applied after those that are there. Raises
    ``ValueError`` for a name that is no parameter and no buffer, and for a change of shape or
    dtype, unless ``unsafe``.

    Arguments:
        module: the module whose tensor is parametrized.
        tensor_name: the name of a parameter or a buffer.
        parametrization: the module that computes it.
        unsafe: let shape and dtype change, and check nothing.

    >>> import aino
    >>> from aino import nn
    >>> from aino.nn.utils import parametrize
    >>> class Symmetric(nn.Module):
    ...     def forward(self, x):
    ...         return x.triu() + x.triu(1).mT
    >>> layer = parametrize.register_parametrization(nn.Linear(3, 3), "weight", Symmetric())
    >>> aino.equal(layer.weight, layer.weight.mT)
    True
    """
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        found: Any = vars(vars(module)["parametrizations"])[tensor_name]
        if not unsafe:
            _check_another(module, tensor_name, parametrization)
        found.append(parametrization)
        found.unsafe |= unsafe
        return module
    original = vars(module).get(tensor_name)
    known = isinstance(original, Parameter) or tensor_name in module._buffer_names
    if not known or original is None:
        raise ValueError(
            f"Module '{module}' does not have a parameter, a buffer, or a parametrized element "
            f"with name '{tensor_name}'"
        )
    parametrizations = ParametrizationList([parametrization], original, unsafe=unsafe)
    delattr(module, tensor_name)
    if not is_parametrized(module):
        _parametrize_class(module)
        module.parametrizations = ModuleDict()
    setattr(type(module), tensor_name, _property(tensor_name))
    vars(module)["parametrizations"].add_module(tensor_name, parametrizations)
    return module


def _check_another(module: Any, name: str, parametrization: Any) -> None:
    with no_grad():
        before = getattr(module, name)
        after = parametrization(before)
        _check_kept("registering a parametrization", tuple(before.shape), before.dtype, after)
        if hasattr(parametrization, "right_inverse"):
            back = parametrization.right_inverse(after)
            _check_kept("right_inverse", tuple(before.shape), before.dtype, back)


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Tell whether a module has a parametrized tensor, or one of this name.

    Arguments:
        module: the module.
        tensor_name: the name; None asks for any.
    """
    parametrizations = vars(module).get("parametrizations")
    if not isinstance(parametrizations, ModuleDict):
        return False
    return bool(len(parametrizations)) if tensor_name is None else tensor_name in parametrizations


def remove_parametrizations(
    module: Module, tensor_name: str, leave_parametrized: bool = True
) -> Module:
    """Make a parametrized tensor a parameter, or a buffer, again.

    Raises ``ValueError`` for a tensor that is not parametrized, or that has several originals and
    is not to keep its parametrized values.

    Arguments:
        module: the module.
        tensor_name: the name of the tensor.
        leave_parametrized: it keeps the values that it shows; False goes back to the original.
    """
    if not is_parametrized(module, tensor_name):
        raise ValueError(f"Module {module} does not have a parametrization on {tensor_name}")
    parametrizations: Any = vars(module)["parametrizations"]
    found = vars(parametrizations)[tensor_name]
    if found.is_tensor:
        original = found.original
        if leave_parametrized:
            with no_grad():
                value = getattr(module, tensor_name)
            if value.dtype != original.dtype:
                raise DtypeError(
                    f"the parametrized tensor is {value.dtype} and the original {original.dtype}: "
                    "remove it with leave_parametrized=False"
                )
            _take(original, value)
    elif leave_parametrized:
        with no_grad():
            value = getattr(module, tensor_name).detach().clone()
        wanted = any([part.requires_grad for part in found._originals()])
        original = Parameter(value, wanted) if isinstance(found.original0, Parameter) else value
    else:
        raise ValueError(
            "Cannot leave unparametrized (`leave_parametrized=False`) a tensor that is "
            "parametrized in terms of a sequence of tensors."
        )
    delattr(type(module), tensor_name)
    delattr(parametrizations, tensor_name)
    if not len(parametrizations):
        delattr(module, "parametrizations")
        module.__class__ = type(module).__mro__[2]
    _register(module, tensor_name, original)
    return module


def type_before_parametrizations(module: Module) -> type:
    """Return the class that a module had before its first parametrization.

    >>> from aino import nn
    >>> from aino.nn.utils import parametrizations, parametrize
    >>> layer = parametrizations.weight_norm(nn.Linear(2, 2))
    >>> parametrize.type_before_parametrizations(layer) is nn.Linear
    True
    """
    return type(module).__mro__[2] if is_parametrized(module) else type(module)


def transfer_parametrizations_and_params(
    from_module: Module, to_module: Module, tensor_name: str | None = None
) -> Module:
    """Give the parametrizations of a module, and their originals, to another; returns that.

    Raises ``AssertionError`` for a tensor that is not parametrized.

    Arguments:
        from_module: the module that has them.
        to_module: the module that gets them.
        tensor_name: the tensor that is meant; None means all.
    """
    if tensor_name is None:
        names = list(vars(from_module)["parametrizations"]) if is_parametrized(from_module) else []
    else:
        names = [tensor_name]
    for name in names:
        if not is_parametrized(from_module, name):
            raise AssertionError(f"{name!r} is not parametrized in {from_module}")
        source: Any = vars(vars(from_module)["parametrizations"])[name]
        if not hasattr(to_module, name):
            _register(to_module, name, copy.deepcopy(getattr(from_module, name).detach()))
        for parametrization in source:
            register_parametrization(to_module, name, parametrization, unsafe=True)
        target: Any = vars(vars(to_module)["parametrizations"])[name]
        for own, other in zip(target._originals(), source._originals()):
            _take(own, other)
    return to_module
