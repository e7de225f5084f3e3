"""What has no batched form: tried with every operand batched, else sample by sample.

A kernel that writes values of each sample into memory of its own, made like an operand that is
not batched, succeeds when that operand is, too: kernels are pure, so it is simply called again.
What NumPy can only do for one sample is done for each of them, with one warning by its name.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from aino import tracing
from aino.autograd.batched.array import BatchedArray, of
from aino.autograd.batched.registry import LOOPS
from aino.autograd.batched.samples import belongs, spread
from aino.autograd.duck import computed, pulled_back
from aino.autograd.levels import levels_of
from aino.autograd.mode import enable_grad
from aino.autograd.node import Cotangents
from aino.autograd.tensor import Tensor, make
from aino.errors import LevelError, TransformError
from aino.pytree import rebuild
from aino.user_warnings import warn

#: What has been warned of.
warned: set[str] = set()


class LoopWarning(UserWarning):
    """An operation without a batched form goes over the samples one by one."""


def note_loop(level, name: str) -> None:
    """Warn, once by name, that an operation goes over the samples; refuse to, where none is."""
    if not level.size:
        raise TransformError(
            f"{name} has no batched form: {level.name} would call it for each sample, to learn "
            "what it gives, and there is none"
        )
    if name not in warned:
        warned.add(name)
        warn(
            f"{level.name}: {name} has no batched form and goes over the samples one by one",
            LoopWarning,
        )


def everywhere(arrays: tuple) -> tuple:
    """Return operands, each batched at all their levels: what is not is the same in all samples."""
    levels = _levels_in(arrays)

    def batched(item):
        if isinstance(item, (tuple, list)):
            return rebuild(type(item), [batched(part) for part in item])
        if hasattr(item, "__array_ufunc__"):
            for level in levels:
                item = LOOPS["everywhere"](item, level)
        return item

    return batched(arrays)


def _levels_in(items) -> list:
    """Return the levels of vmap that operands are of."""
    found: dict[Any, None] = {}
    for item in items:
        if isinstance(item, (tuple, list)):
            found.update(dict.fromkeys(_levels_in(item)))
        elif hasattr(item, "shape"):
            found.update(dict.fromkeys([x for x in levels_of(item) if hasattr(x, "size")]))
    return list(found)


def sample(level, item, number: int) -> Any:
    """Return one sample of nested operands."""
    if isinstance(item, (tuple, list)):
        parts = [sample(level, part, number) for part in item]
        return rebuild(type(item), parts)
    if isinstance(item, dict):
        return {key: sample(level, part, number) for key, part in item.items()}
    if type(item) is Cotangents:
        return Cotangents({k: sample(level, part, number) for k, part in item.parts.items()})
    return item.values[number] if belongs(item, level) else item


def stacked(level, results: list) -> Any:
    """Return what one call a sample gave as one batched result, or several."""
    first = results[0]
    if isinstance(first, (tuple, list)):
        parts = [stacked(level, list(column)) for column in zip(*results)]
        return rebuild(type(first), parts)
    if first is None:
        return None
    if any([np.shape(y) != np.shape(first) for y in results]):
        raise TransformError(
            f"{level.name}: the samples' results have different shapes, as "
            f"{tuple(np.shape(first))}; a transform needs one shape for all of them"
        )
    values = [y if hasattr(y, "__array_ufunc__") else np.asarray(y) for y in results]
    return BatchedArray(np.stack(values), level)


def looped(level, name: str, function, arguments, keywords=None):
    """Call a function for each sample."""
    note_loop(level, name)
    keywords = keywords or {}
    results = [
        function(*sample(level, tuple(arguments), i), **sample(level, keywords, i))
        for i in range(level.size)
    ]
    return stacked(level, results)


def function(level, function, arguments, keywords):
    """Call a function of NumPy's for each sample."""
    return looped(level, f"np.{function.__name__}", function, arguments, keywords)


def opaque(level, kernel, arguments):
    """Call a kernel that NumPy can't see into for each sample, or once where it takes them all."""
    if hasattr(kernel, "in_samples"):
        batched = [belongs(x, level) for x in arguments]
        values = [x.values if is_batched else x for x, is_batched in zip(arguments, batched)]
        return of(level, kernel.in_samples(kernel, batched, *values))
    if hasattr(kernel, "is_over_leading"):
        found = kernel(*[
            spread(x, level) if isinstance(x, np.ndarray) or hasattr(x, "__array_ufunc__") else x
            for x in arguments
        ])  # fmt: skip
        return of(level, found)
    return looped(level, kernel.__name__.strip("_"), kernel, arguments)


def checked(level, check, arguments) -> None:
    """Run a check on all samples at once; where that raises, on each, which may be right."""
    try:
        tracing.checked(check, *[x.values if belongs(x, level) else x for x in arguments])
    except Exception:
        for i in range(level.size):
            tracing.checked(check, *sample(level, tuple(arguments), i))


def kernel(level, declared, arrays, parameters):
    """Compute a primitive whose kernel has refused batched operands."""
    if declared.definition is not None:
        found = declared.definition(*_as_given(arrays), *parameters)
        return tuple([y.array for y in found]) if declared.outputs else found.array
    call = declared.kernel
    batched = everywhere((tuple(arrays), tuple(parameters)))[0]
    if any([a is not b for a, b in zip(arrays, batched)]):
        try:
            return call(*batched, *parameters)
        except LevelError:
            pass
    note_loop(level, declared.name)
    results = []
    for i in range(level.size):
        values, numbers = sample(level, tuple(arrays), i), sample(level, tuple(parameters), i)
        try:
            results.append(call(*values, *numbers))
        except LevelError as error:
            results.append(computed(declared, error, values, numbers))
    return stacked(level, results)


def pullback(level, node, inputs, saved, g, recorded: bool):
    """Compute the cotangents of a node whose rules have refused batched values."""
    declared = node.primitive
    if declared is None:
        raise TransformError(
            f"{level.name}: the backward of {node.name()} asks for the values of one sample; "
            "write it with the operations of AINO, or give the Function a vmap of its own"
        )
    if recorded:
        return LOOPS["recorded"](level, node, inputs, g)
    if declared.definition is not None:
        with enable_grad():
            return [_as_array(y) for y in node.pullback_recorded(inputs, _as_tensors(g))]
    saved = node.kept()
    try:
        # As tensors, so that each primitive in a rule finds its own way.
        found = node.pullback(inputs, node.saved_as_tensors(), _as_tensors(g))
        return [_as_array(y) for y in found]
    except LevelError:
        pass
    note_loop(level, f"the derivative of {declared.name}")
    results = []
    for i in range(level.size):
        values, cotangent = sample(level, saved, i), sample(level, g, i)
        try:
            results.append(tuple(node.pullback(inputs, values, cotangent)))
        except LevelError as error:
            results.append(tuple(pulled_back(node, inputs, values, cotangent, False, error)))
    return list(stacked(level, results))


def _as_given(arrays) -> list:
    return [None if x is None else make(x) for x in arrays]


def _as_tensors(g) -> Any:
    if type(g) is Cotangents:
        return Cotangents({place: make(part) for place, part in g.parts.items()})
    return make(g)


def _as_array(y) -> Any:
    if type(y) is Cotangents:
        return Cotangents({place: _as_array(part) for place, part in y.parts.items()})
    return y.array if isinstance(y, Tensor) else y


LOOPS.update(
    {
        "checked": checked,
        "function": function,
        "kernel": kernel,
        "opaque": opaque,
        "pullback": pullback,
    }
)
