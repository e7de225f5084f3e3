"""``compare``: the first layer where two models part, AINO's or PyTorch's."""

from __future__ import annotations

import copy
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, NamedTuple

import numpy as np

from aino.autograd.interposing import Interposed
from aino.autograd.mode import no_grad
from aino.autograd.tensor import Tensor, make
from aino.debug.running import (
    as_tensors,
    called,
    check_tolerances,
    copy_of,
    own_dtype,
    trying_out,
)
from aino.debug.tables import Report, Table, listed
from aino.formats.api import load
from aino.nn.base.found import random_as_found
from aino.nn.base.module import Module
from aino.pytree import mapped, parts_of

_MOST_ROWS = 30
#: What may stand for a state dict.
_DICTS = (Mapping, str, os.PathLike)


@dataclass(frozen=True)
class Difference:
    """Two layers' results, or two parameters, beside each other.

    ``name``: the path in the first model, ``other`` that in the second. ``kind``: the class, or
    ``"parameter"``. ``largest``: the largest distance of two elements, at ``index``; ``relative``:
    that beside the largest element. ``same``: whether they agree within the tolerances.
    """

    name: str
    other: str
    kind: str
    shape: tuple[int, ...]
    other_shape: tuple[int, ...]
    largest: float
    relative: float
    index: tuple[int, ...] | None
    same: bool


class Comparison(Report):
    """What ``compare`` found; it prints as a table, and is true where the models agree.

    ``same``: whether all results agree, and the state dict ``fits``: where one is given, it has a
    value for all that the model has, and no other. ``first``: the first ``Difference`` in the
    order of computation, None where there is none. ``layers``, ``parameters``: all of them.
    ``only_a``, ``only_b``: the names of parameters that one alone has. ``notes``: sentences.
    """

    def __init__(
        self, layers: list[Difference], parameters: list[Difference], only_a: list[str],
        only_b: list[str], notes: list[str], fits: bool = True,
    ) -> None:  # fmt: skip
        self.layers = layers
        self.parameters = parameters
        self.only_a = only_a
        self.only_b = only_b
        self.first: Any = next((layer for layer in layers if not layer.same), None)
        weights = not only_a and not only_b and all([one.same for one in parameters])
        self.same = self.first is None and (bool(layers) or weights) and fits
        self.fits = fits
        self.notes = notes

    def __bool__(self) -> bool:
        return self.same

    def parts(self) -> list[str | Table]:
        if self.first is not None:
            said = f"they part at {self.first.name or 'the model itself'} ({self.first.kind})"
        elif self.layers:
            said = f"they agree in all {len(self.layers)} layers that were compared"
            said += "" if self.fits else ", but the state dict does NOT fit the model"
        else:
            said = "the parameters agree" if self.same else "the parameters differ"
        parts: list[str | Table] = [said]
        if self.layers:
            parts.append(_table("layer", self.layers, self.first))
        differing = [one for one in self.parameters if not one.same]
        if differing:
            parts.append(f"{len(differing)} of {len(self.parameters)} parameters differ")
            parts.append(_table("parameter", differing, None))
        for names, which in ((self.only_a, "first"), (self.only_b, "second")):
            if names:
                parts.append(f"only the {which} has {listed(names, 8)}")
        return [*parts, *self.notes]


def _table(title: str, rows: list[Difference], first: Difference | None) -> Table:
    shown = rows[:_MOST_ROWS]
    if first is not None and first not in shown:
        place = rows.index(first)
        shown = rows[max(0, place - _MOST_ROWS // 2) : place + _MOST_ROWS // 2]
    return Table([title, "class", "shape", "largest", "relative", "at", ""], [[
        one.name + (f" | {one.other}" if one.other != one.name else "") or "(model)", one.kind,
        str(one.shape) + (f" | {one.other_shape}" if one.other_shape != one.shape else ""),
        one.largest, one.relative, "-" if one.index is None else str(list(one.index)),
        "" if one.same else "parts here" if one is first else "differs",
    ] for one in shown])  # fmt: skip


def compare(
    model_a: Any, model_b: Any, input: Any = None, *, rtol: float = 1e-4, atol: float = 1e-6
) -> Comparison:
    """Run two models on the same input, and find the first layer where they part.

    Each may be a module of AINO's or of PyTorch's; one of them may be a state dict (of tensors of
    either, or arrays), or the path of a file with one, which a copy of the other then has.
    Layers are compared by their paths, or in their order where the models name them otherwise.
    Copies run, in the mode that each model is in, from the same random state; the models stay as
    they are. Returns a ``Comparison``. Raises ``TypeError`` for what is none of these, and
    ``ValueError`` for a state dict of which nothing fits.

    Arguments:
        model_a: a module.
        model_b: a module, a state dict, or the path of one.
        input: what the models are called with: a tensor, an array, or a tuple of arguments. None
            compares the parameters alone.
        rtol: how far elements may be apart, as a part of the largest.
        atol: how far they may be apart beside that.

    >>> import aino, copy
    >>> model = aino.nn.Sequential(aino.nn.Linear(2, 3), aino.nn.ReLU(), aino.nn.Linear(3, 1))
    >>> other = copy.deepcopy(model)
    >>> with aino.no_grad():
    ...     _ = other[2].bias.add_(1.0)
    >>> found = aino.debug.compare(model, other, aino.ones(4, 2))
    >>> found.same, found.first.name, round(found.first.largest, 4)
    (False, '2', 1.0)
    """
    check_tolerances("compare", rtol, atol)
    with trying_out():
        notes: list[str] = []
        a, b = _side(model_a), _side(model_b)
        if isinstance(a, dict) and isinstance(b, dict):
            if input is not None:
                raise TypeError("compare: two state dicts have no layers to run; leave input out")
        elif isinstance(a, dict):
            a, b = _with_state(b, a, notes), b
        elif isinstance(b, dict):
            b = _with_state(a, b, notes)
        parameters, only_a, only_b = _parameters(_state(model_a, a), _state(model_b, b), rtol, atol)
        layers: list[Difference] = []
        if input is not None:
            layers = list(_layers(_run(a, input), _run(b, input), rtol, atol))
            notes += _notes(a, b, layers, parameters)
        # Where a state dict has nothing, the copy has the model's own, which agrees with itself.
        given = isinstance(model_a, _DICTS) or isinstance(model_b, _DICTS)
        fits = not given or not (
            only_a or only_b or any([one.shape != one.other_shape for one in parameters])
        )
        return Comparison(layers, parameters, only_a, only_b, notes, fits)


def _is_torch(model: Any) -> bool:
    """Tell whether something is a module of PyTorch's, without importing it."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(model, getattr(torch.nn, "Module", ()))


def _side(model: Any) -> Any:
    """Return a copy of a module, or a state dict of arrays."""
    if isinstance(model, (str, os.PathLike)):
        model = load(model)
    if isinstance(model, Mapping):
        if not all([isinstance(key, str) and hasattr(v, "shape") for key, v in model.items()]):
            raise TypeError(
                "compare: a dict has to be a state dict, tensors by their names, as "
                "model.state_dict() gives; of a checkpoint take the part with the weights"
            )
        return {key: _array(value) for key, value in model.items()}
    if _is_torch(model):
        return copy.deepcopy(model)
    if not isinstance(model, Module):
        raise TypeError(
            "compare takes modules of AINO or PyTorch, state dicts, or their files; not "
            f"{type(model).__name__}"
        )
    return copy_of(model, "compare")


def _array(value: Any) -> np.ndarray:
    """Return a tensor of whatever library as an array."""
    if isinstance(value, Tensor):
        return value.array
    if hasattr(value, "detach"):
        value = value.detach().cpu()
        try:
            return value.numpy()
        except TypeError:  # a dtype that NumPy has not
            return value.float().numpy()
    return np.asarray(value)


def _state(given: Any, side: Any) -> dict[str, np.ndarray]:
    if isinstance(given, _DICTS):
        side = side if isinstance(side, dict) else _side(given)
    if isinstance(side, dict):
        return side
    return {
        key: _array(value) for key, value in side.state_dict().items() if hasattr(value, "shape")
    }


def _with_state(model: Any, state: dict[str, np.ndarray], notes: list[str]) -> Any:
    """Return a copy of a model that has the values of a state dict, as far as they fit."""
    own = _state(model, model)
    fitting = {x: state[y] for x, y in _pairs(own, state) if own[x].shape == state[y].shape}
    if own and not fitting:
        raise ValueError(
            "compare: no name in the state dict is one of the model's with the same shape; it has "
            f"{listed(list(state)) or 'none'}, and the model {listed(list(own))}"
        )
    left = [key for key in own if key not in fitting]
    if left:
        notes.append(
            f"the state dict has nothing that fits {listed(left, 8)}: there the copy kept its own"
        )
    copied = copy.deepcopy(model)
    if _is_torch(copied):
        torch = sys.modules["torch"]
        given = {key: torch.from_numpy(np.array(value)) for key, value in fitting.items()}
    else:
        given = {key: make(np.array(value)) for key, value in fitting.items()}
    copied.load_state_dict(given, strict=False)
    return copied


def _pairs(a: Mapping[str, np.ndarray], b: Mapping[str, np.ndarray]) -> list[tuple[str, str]]:
    """Return the names that belong together: the same ones; where none is, and all shapes fit,
    those in the same place.
    """
    names = [(key, key) for key in a if key in b]
    if not names and [v.shape for v in a.values()] == [v.shape for v in b.values()]:
        names = list(zip(a, b))
    return names


# Running


class _Layer(NamedTuple):
    path: str
    kind: str
    leaf: bool
    outputs: list[np.ndarray]


def _run(model: Any, given: Any) -> list[_Layer]:
    with random_as_found():
        return _run_torch(model, given) if _is_torch(model) else _run_aino(model, given)


def _run_aino(model: Module, given: Any) -> list[_Layer]:
    paths = {id(part): path for path, part in model.named_modules()}
    found: list[_Layer] = []

    def around(call: Callable[..., Any], module: Module, *arguments: Any, **keywords: Any):
        result = call(module, *arguments, **keywords)
        path = paths.get(id(module))
        if path is not None:
            leaf = next(iter(module.children()), None) is None
            found.append(_Layer(path, type(module).__name__, leaf, _outputs(result)))
        return result

    looked_at = Interposed([(Module.__call__, around)])
    looked_at.begin()
    try:
        with no_grad():
            result = called(model, as_tensors(mapped(given, _from_torch), own_dtype(model)))
    finally:
        looked_at.end()
    if not any([layer.path == "" for layer in found]):  # its call goes another way
        found.append(_Layer("", type(model).__name__, not found, _outputs(result)))
    return found


def _from_torch(item: Any) -> Any:
    foreign = hasattr(item, "detach") and not isinstance(item, Tensor)
    return _array(item) if foreign else item


def _run_torch(model: Any, given: Any) -> list[_Layer]:
    torch: Any = sys.modules["torch"]
    found: list[_Layer] = []
    floating = next((p.dtype for p in model.parameters() if p.dtype.is_floating_point), None)

    def hear(path: str, module: Any) -> Callable[..., None]:
        leaf = next(iter(module.children()), None) is None
        return lambda _, arguments, result: found.append(
            _Layer(path, type(module).__name__, leaf, _outputs(result))
        )

    def change(item: Any) -> Any:
        if not isinstance(item, (Tensor, np.ndarray)) and not hasattr(item, "detach"):
            return item
        tensor = torch.from_numpy(np.array(_array(item)))
        return (
            tensor.to(floating) if floating is not None and tensor.is_floating_point() else tensor
        )

    handles = [part.register_forward_hook(hear(path, part)) for path, part in model.named_modules()]
    state = torch.get_rng_state()
    try:
        with torch.no_grad():
            called(model, mapped(given, change))
    finally:
        torch.set_rng_state(state)
        for handle in handles:
            handle.remove()
    return found


def _outputs(result: Any) -> list[np.ndarray]:
    """Return copies of the arrays in what a module returned."""
    if isinstance(result, Tensor) or hasattr(result, "detach"):
        return [np.array(_array(result))]
    if isinstance(result, (tuple, list, dict)):
        return [array for part in parts_of(result) for array in _outputs(part)]
    if hasattr(result, "__dict__") and not callable(result):
        return [array for part in vars(result).values() for array in _outputs(part)]
    return []


# Comparing


def _layers(a: list[_Layer], b: list[_Layer], rtol: float, atol: float) -> Iterator[Difference]:
    for one, other in _matched(a, b):
        if not one.outputs and not other.outputs:
            continue
        if len(one.outputs) != len(other.outputs):
            counts = (len(one.outputs),), (len(other.outputs),)
            yield Difference(one.path, other.path, one.kind, *counts, np.inf, np.inf, None, False)
            continue
        pairs = zip(one.outputs, other.outputs)
        found = [_difference(one.path, other.path, one.kind, x, y, rtol, atol) for x, y in pairs]
        yield max(found, key=lambda difference: (not difference.same, difference.relative))


def _matched(a: list[_Layer], b: list[_Layer]) -> Iterator[tuple[_Layer, _Layer]]:
    """Yield the layers that belong together, in the order in which the first model has run them."""
    waiting: dict[str, list[_Layer]] = {}
    for layer in b:
        waiting.setdefault(layer.path, []).append(layer)
    inner = {layer.path for layer in a if layer.path}
    if not inner or not inner.isdisjoint(waiting):
        for layer in a:
            if waiting.get(layer.path):
                yield layer, waiting[layer.path].pop(0)
        return
    # No name in common: layers of one class follow on each other in the same order.
    ours, theirs = [[x for x in side if x.leaf and x.path] for side in (a, b)]
    first, second = [[layer.kind for layer in side] for side in (ours, theirs)]
    matcher = SequenceMatcher(None, first, second, autojunk=False)
    for x, y, count in matcher.get_matching_blocks():
        yield from zip(ours[x : x + count], theirs[y : y + count])
    yield a[-1], b[-1]


def _difference(
    name: str, other: str, kind: str, x: np.ndarray, y: np.ndarray, rtol: float, atol: float
) -> Difference:
    shapes = tuple(x.shape), tuple(y.shape)
    if x.shape != y.shape:
        return Difference(name, other, kind, *shapes, np.inf, np.inf, None, False)
    if not x.size:
        return Difference(name, other, kind, *shapes, 0.0, 0.0, None, True)
    wide = np.complex128 if "c" in (x.dtype.kind, y.dtype.kind) else np.float64
    x, y = x.astype(wide), y.astype(wide)
    with np.errstate(all="ignore"):
        apart = np.array(np.abs(x - y))
    apart[(x == y) | (np.isnan(x) & np.isnan(y))] = 0.0
    apart[np.isnan(apart)] = np.inf
    index = tuple(int(i) for i in np.unravel_index(int(np.argmax(apart)), apart.shape))
    largest = float(apart[index])
    finite = [np.abs(part[np.isfinite(part)]).max(initial=0.0) for part in (x, y)]
    scale = float(max(finite))
    same = largest <= atol + rtol * scale
    relative = largest / scale if scale else (0.0 if not largest else np.inf)
    return Difference(
        name, other, kind, *shapes, largest, relative, index if largest else None, same
    )


def _parameters(
    a: dict[str, np.ndarray], b: dict[str, np.ndarray], rtol: float, atol: float
) -> tuple[list[Difference], list[str], list[str]]:
    """Compare states by their names; in their order where no name is the same, and all fit."""
    names = _pairs(a, b)
    found = [_difference(x, y, "parameter", a[x], b[y], rtol, atol) for x, y in names]
    known_a, known_b = {x for x, _ in names}, {y for _, y in names}
    return found, [k for k in a if k not in known_a], [k for k in b if k not in known_b]


def _notes(a: Any, b: Any, layers: list[Difference], parameters: list[Difference]) -> Iterator[str]:
    if not layers:
        yield "no layer of one has its like in the other: there was nothing to compare"
    if getattr(a, "training", False) != getattr(b, "training", False):
        modes = ["training" if side.training else "evaluation" for side in (a, b)]
        yield (
            f"the first is in {modes[0]} mode, the second in {modes[1]} mode: dropout and batch "
            "normalisation compute something else; call eval() on both"
        )
    elif getattr(a, "training", False) and _is_torch(a) != _is_torch(b):
        if any(["Dropout" in type(part).__name__ for part in a.modules()]):
            yield "both are in training mode, where dropout draws otherwise in AINO and PyTorch"
    first = next((layer for layer in layers if not layer.same), None)
    if first is None:
        return
    own = f"{first.name}." if first.name else ""
    inside = [p.name for p in parameters if not p.same and p.name.startswith(own)]
    if inside:
        yield f"its parameters differ already: {listed(inside)}"
        return
    said = [repr(side.get_submodule(name)).partition("\n")[0]
            for side, name in ((a, first.name), (b, first.other))]  # fmt: skip
    yield f"its parameters agree, so it computes otherwise: {said[0]} and {said[1]}"
