"""What a model is called with: its tensors, their names, and which of their axes are dynamic."""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from aino.autograd.tensor import Tensor, make
from aino.errors import ArgumentError
from aino.pytree import is_plain, mapped, parts_of


@dataclass
class Given:
    """The tensors among the arguments of a call.

    ``names``: of the graph's inputs. ``places``: the path of each, such as ``("batch", 0)``.
    ``axes``: for each tensor, axis -> name of the dynamic dimension.
    """

    args: tuple
    kwargs: dict[str, Any]
    tensors: list[Tensor]
    names: list[str]
    places: list[tuple]
    axes: list[dict[int, str]] = field(default_factory=list)

    def called(self, function, tensors: Sequence[Tensor]) -> Any:
        """Call a function with other tensors in the places of these."""
        rest = iter(tensors)
        args, kwargs = mapped(
            (self.args, self.kwargs), lambda item: next(rest) if isinstance(item, Tensor) else item
        )
        return function(*args, **kwargs)

    def lengths(self) -> dict[str, int]:
        """Return the dynamic dimensions with their lengths in the example."""
        found: dict[str, int] = {}
        for name, tensor, axes in zip(self.names, self.tensors, self.axes):
            for axis, symbol in axes.items():
                length = tensor.shape[axis]
                if found.setdefault(symbol, length) != length:
                    raise ArgumentError(
                        f"onnx.export: the dynamic dimension {symbol!r} is {found[symbol]} long in "
                        f"one example input and {length} in {name}; give such as agree, or "
                        "dimensions that are not the same different names"
                    )
        return found

    def resized(self, lengths: dict[str, int]) -> list[Tensor]:
        """Return the example with other lengths of its dynamic dimensions: repeated, or cut."""
        found = []
        for tensor, axes in zip(self.tensors, self.axes):
            array = tensor.detach().array
            for axis, symbol in axes.items():
                array = np.take(array, np.arange(lengths[symbol]) % array.shape[axis], axis)
            found.append(make(np.array(array, order="C")))
        return found


def given(function, args: Any, kwargs: Any, input_names: Any) -> Given:
    """Return the tensors of a call, with names: those of the parameters, or given ones."""
    if isinstance(args, list):
        args = tuple(args)
    if not isinstance(args, tuple):
        args = (args,)
    kwargs = dict(kwargs or {})
    labels = _parameters(function, len(args))
    tensors: list[Tensor] = []
    places: list[tuple] = []

    def walk(item, place) -> None:
        if isinstance(item, Tensor):
            tensors.append(item)
            places.append(place)
        elif is_plain(item):
            keys = list(item) if isinstance(item, dict) else range(len(item))
            for key, part in zip(keys, parts_of(item)):
                walk(part, (*place, key))

    for label, item in [*zip(labels, args), *kwargs.items()]:
        walk(item, (label,))
    if not tensors:
        raise ArgumentError(
            "onnx.export: there is no tensor among the example arguments; give one for each input "
            "of the graph: aino.onnx.export(model, (x,))"
        )
    for place, tensor in zip(places, tensors):
        if tensor.dtype.kind == "c":
            raise ArgumentError(f"onnx.export: {_spoken(place)} is complex, which ONNX is not")
    names = [re.sub(r"\W+", "_", "_".join(map(str, place))).strip("_") for place in places]
    wished = list(input_names or [])
    if len(wished) > len(tensors):
        raise ArgumentError(
            f"onnx.export: {len(wished)} input_names were given, and there are {len(tensors)} "
            f"tensors among the arguments: {', '.join(names)}"
        )
    names[: len(wished)] = wished
    _check_names(names, "input")
    return Given(args, kwargs, tensors, names, places, [{} for _ in tensors])


def _check_names(names: Sequence[Any], what: str) -> None:
    if any(not isinstance(name, str) or not name for name in names):
        raise ArgumentError(f"onnx.export: {what}_names are strings, not {list(names)}")
    if len(set(names)) < len(names):
        raise ArgumentError(f"onnx.export: two of the {what}s have one name: {list(names)}")


def _spoken(place: tuple) -> str:
    return str(place[0]) + "".join(f"[{key!r}]" for key in place[1:])


def _parameters(function, count: int) -> list[str]:
    """Return the names of the first positional parameters."""
    called = function.forward if hasattr(function, "named_parameters") else function
    try:
        parameters = list(inspect.signature(called).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    plain = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    names = [p.name for p in parameters if p.kind in plain][:count]
    rest = next((p.name for p in parameters if p.kind is inspect.Parameter.VAR_POSITIONAL), "input")
    return names + [f"{rest}_{i}" for i in range(count - len(names))]


# Dynamic dimensions


def set_dynamic(found: Given, dynamic_axes: Any, dynamic_shapes: Any) -> dict[str, dict[int, str]]:
    """Note which axes are dynamic; return what was said of outputs, by their names."""
    if dynamic_axes is not None and dynamic_shapes is not None:
        raise ArgumentError("onnx.export: give dynamic_shapes or dynamic_axes, not both")
    others: dict[str, dict[int, str]] = {}
    if dynamic_axes is not None:
        for name, axes in dict(dynamic_axes).items():
            pairs = axes if isinstance(axes, dict) else {
                axis: f"{name}_dynamic_axes_{i + 1}" for i, axis in enumerate(axes)
            }  # fmt: skip
            if name in found.names:
                place = found.names.index(name)
                for axis, symbol in pairs.items():
                    _set(found, place, axis, symbol)
            else:
                others[name] = dict(pairs)
    if dynamic_shapes is not None:
        _walk_shapes(found, dynamic_shapes)
    return others


def _walk_shapes(found: Given, shapes: Any) -> None:
    if isinstance(shapes, dict):
        every = _all_labels(found)
        unknown = [key for key in shapes if key not in every and key not in found.names]
        if unknown:
            raise ArgumentError(
                f"onnx.export: dynamic_shapes speaks of {unknown[0]!r}, and the arguments are "
                f"{', '.join(map(str, every))}"
            )
        pairs = list(shapes.items())
    elif isinstance(shapes, (tuple, list)):
        every = _all_labels(found)
        if len(shapes) > len(every):
            raise ArgumentError(
                f"onnx.export: dynamic_shapes has {len(shapes)} entries, and there are "
                f"{len(every)} arguments"
            )
        pairs = list(zip(every, shapes))
    else:
        raise ArgumentError(
            f"onnx.export: dynamic_shapes is a dictionary or a tuple, not {type(shapes).__name__}"
        )
    for label, spec in pairs:
        if label in found.names and (label,) not in found.places:
            _set_all(found, found.names.index(label), spec)
            continue
        _walk_spec(found, (label,), spec)


def _all_labels(found: Given) -> list[Any]:
    """Return the names of all arguments, those without tensors too."""
    labels: list[Any] = []
    by_first = [place[0] for place in found.places]
    for label in by_first:
        if label not in labels:
            labels.append(label)
    return labels


def _walk_spec(found: Given, place: tuple, spec: Any) -> None:
    if spec is None:
        return
    if place in found.places:
        _set_all(found, found.places.index(place), spec)
    elif isinstance(spec, dict):
        for key, part in spec.items():
            _walk_spec(found, (*place, key), part)
    elif isinstance(spec, (tuple, list)):
        for key, part in enumerate(spec):
            _walk_spec(found, (*place, key), part)
    else:
        raise ArgumentError(f"onnx.export: dynamic_shapes says {spec!r} of {_spoken(place)}")


def _set_all(found: Given, place: int, spec: Any) -> None:
    """Note what is said of one tensor: axis -> name, or a name or None for each axis."""
    if spec is None:
        return
    if isinstance(spec, (tuple, list)):
        spec = dict(enumerate(spec))
    if not isinstance(spec, dict):
        raise ArgumentError(
            f"onnx.export: the dynamic shape of {found.names[place]} is a dictionary "
            f"{{axis: name}}, not {spec!r}"
        )
    for axis, symbol in spec.items():
        _set(found, place, axis, symbol)


def _set(found: Given, place: int, axis: Any, symbol: Any) -> None:
    name, rank = found.names[place], found.tensors[place].ndim
    if symbol is None or (isinstance(symbol, int) and not isinstance(symbol, bool)):
        return  # a fixed length
    symbol = symbol if isinstance(symbol, str) else getattr(symbol, "__name__", None)
    if not isinstance(symbol, str) or not symbol:
        raise ArgumentError(f"onnx.export: a dynamic dimension of {name} has a name, a string")
    if not isinstance(axis, int) or not -rank <= axis < rank:
        raise ArgumentError(f"onnx.export: {name} has {rank} dimensions, and no axis {axis!r}")
    found.axes[place][axis % rank] = symbol
