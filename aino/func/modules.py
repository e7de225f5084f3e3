"""Modules as functions of their parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aino.autograd.mode import no_grad
from aino.autograd.tensor import Tensor
from aino.errors import TransformError
from aino.nn.base.module import Module
from aino.ops.shape.joining import stack


def functional_call(
    module: Module,
    parameter_and_buffer_dicts: Mapping[str, Tensor] | Sequence[Mapping[str, Tensor]],
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """Call a module with these tensors in the places of its parameters and buffers.

    The module has its own again afterwards; what the call writes into a buffer is written into
    the tensor that stood in its place. Raises ``TransformError`` for a name that the module does
    not have.

    Arguments:
        module: the module.
        parameter_and_buffer_dicts: tensors by the names of ``named_parameters`` and
            ``named_buffers``, or several such dicts.
        args: the arguments: a tuple, or the only one.
        kwargs: the keyword arguments.
        tie_weights: a tensor given for one name of a parameter also stands for its other names.
        strict: all parameters and buffers have to be given.

    >>> import aino
    >>> from aino import nn
    >>> line = nn.Linear(1, 1)
    >>> given = {"weight": aino.tensor([[3.0]]), "bias": aino.tensor([1.0])}
    >>> aino.func.functional_call(line, given, aino.tensor([2.0]))
    tensor([7.])
    """
    arguments = () if args is None else args if isinstance(args, tuple) else (args,)
    given = _joined(parameter_and_buffer_dicts)
    places = _places(module)
    for name in given:
        if name not in places:
            raise TransformError(
                f"functional_call: {type(module).__name__} has no parameter or buffer {name!r}; "
                f"it has {', '.join(sorted(places)) or 'none'}"
            )
    if tie_weights:
        given = _tied(given, places)
    if strict and given.keys() != places.keys():
        missing = ", ".join(sorted(places.keys() - given.keys()))
        raise TransformError(f"functional_call: strict=True, and nothing was given for {missing}")
    before = [(places[name], vars(places[name][0])[places[name][1]]) for name in given]
    try:
        for name, tensor in given.items():
            owner, attribute = places[name]
            vars(owner)[attribute] = tensor
        return module(*arguments, **(kwargs or {}))
    finally:
        for (owner, attribute), tensor in before:
            vars(owner)[attribute] = tensor


def _joined(dicts: Any) -> dict[str, Tensor]:
    if isinstance(dicts, Mapping):
        return dict(dicts)
    given: dict[str, Tensor] = {}
    for part in dicts:
        twice = given.keys() & part.keys()
        if twice:
            raise TransformError(f"functional_call: {sorted(twice)[0]!r} was given twice")
        given.update(part)
    return given


def _places(module: Module) -> dict[str, tuple[Any, str]]:
    """Return where each parameter and buffer stands: the module that has it, and its name there."""
    places: dict[str, tuple[Any, str]] = {}
    for prefix, inner in module.named_modules(remove_duplicate=False):
        names = [name for name, _ in inner.named_parameters(recurse=False, remove_duplicate=False)]
        names += [name for name, _ in inner.named_buffers(recurse=False, remove_duplicate=False)]
        for name in names:
            places[f"{prefix}.{name}" if prefix else name] = (inner, name)
    return places


def _tied(given: dict[str, Tensor], places) -> dict[str, Tensor]:
    """Return the tensors under all names of the parameters that they stand for."""
    names: dict[int, list[str]] = {}
    for name, (owner, attribute) in places.items():
        names.setdefault(id(vars(owner)[attribute]), []).append(name)
    tied = dict(given)
    for group in names.values():
        found = {id(given[name]): given[name] for name in group if name in given}
        if len(found) > 1:
            raise TransformError(
                f"functional_call: {' and '.join(group)} are one parameter, and different tensors "
                "were given for them; give one, or tie_weights=False"
            )
        for tensor in found.values():
            tied.update(dict.fromkeys(group, tensor))
    return tied


def stack_module_state(
    models: Sequence[Module],
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the parameters and the buffers of several modules of one class, stacked.

    Each comes as a dict of tensors whose first dimension goes over the modules: what ``vmap`` of
    a ``functional_call`` takes to run all of them at once. Parameters are new leaves, which
    require gradients where the modules' do. Raises ``TransformError`` for modules of different
    classes or modes.

    Arguments:
        models: the modules.

    >>> import aino
    >>> from aino import nn
    >>> params, buffers = aino.func.stack_module_state([nn.Linear(2, 1) for _ in range(3)])
    >>> params["weight"].shape
    aino.Size([3, 1, 2])
    """
    models = list(models)
    if not models:
        raise TransformError("stack_module_state: expected at least one module, got none")
    first = models[0]
    for model in models:
        if type(model) is not type(first):
            raise TransformError(
                f"stack_module_state: modules of one class are stacked, got {type(first).__name__} "
                f"and {type(model).__name__}"
            )
        if model.training != first.training:
            raise TransformError("stack_module_state: the modules are all in train() or in eval()")
    parameters = _stacked([dict(model.named_parameters()) for model in models])
    return parameters, _stacked([dict(model.named_buffers()) for model in models])


def _stacked(states: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    result = {}
    for name, tensor in states[0].items():
        parts = [state[name] for state in states]
        if len({part.requires_grad for part in parts}) > 1:
            raise TransformError(
                f"stack_module_state: {name!r} requires a gradient in some modules only"
            )
        with no_grad():
            stacked = stack(parts)
        result[name] = stacked.requires_grad_() if tensor.requires_grad else stacked
    return result


def replace_all_batch_norm_modules_(root: Any) -> Any:
    """Let batch normalisation forget its running statistics, in place; returns the module.

    ``vmap`` can't move statistics that all samples share: without them each sample is normalised
    by its own, in evaluation, too.

    Arguments:
        root: the module; it and all modules inside are looked at.

    >>> import aino
    >>> model = aino.nn.Sequential(aino.nn.Linear(2, 3), aino.nn.BatchNorm1d(3))
    >>> print(aino.func.replace_all_batch_norm_modules_(model)[1].running_mean)
    None
    """
    for module in root.modules():
        if getattr(module, "normalises_batches", False) and module.track_running_stats:
            module.running_mean = module.running_var = module.num_batches_tracked = None
            module.track_running_stats = False
    return root


def functionalize(func: Any, *, remove: str = "mutations") -> Any:
    """Refuse, in words: writes in place need no rewriting here.

    Raises ``TransformError``: a compiled function may write in place, and transforms
    differentiate and batch such writes as they are.

    Arguments:
        func: the function.
        remove: what would be rewritten.
    """
    raise TransformError(
        "functionalize rewrites a function without writes in place, for compilers that know none; "
        "AINO's compiler and its transforms take them as they are: use the function itself"
    )
