"""A look at all that a module has, to compare two of them by value."""

import numpy as np

import aino.dit as dit
from aino.autograd.tensor import Tensor
from tests.dit import fakes


def again(model, tmp_path, **options):
    dit.save(model, tmp_path / "m.dit")
    dit.verify(tmp_path / "m.dit")
    return dit.load(tmp_path / "m.dit", **options)


def shape_of(value, seen=None):
    """All of a module in a form that compares by value; shared parts are told by their numbers."""
    seen = {} if seen is None else seen
    if isinstance(value, fakes.Fake | Tensor):
        if id(value) in seen:
            return f"again {seen[id(value)]}"
        seen[id(value)] = len(seen)
    if isinstance(value, fakes.Fake):
        own = {k: v for k, v in vars(value).items() if k not in ("_constructor", "training")}
        inner = [(name, shape_of(part, seen)) for name, part in own.items()]
        return [type(value).__name__, value.training, inner]
    if isinstance(value, Tensor):
        array = value.array
        kind = type(value).__name__, value.requires_grad, dict(getattr(value, "__dict__", {}))
        return [*kind, array.dtype.name, array.shape, array.tobytes()]
    if isinstance(value, np.ndarray):
        return ["array", value.dtype.name, value.shape, value.tobytes()]
    if isinstance(value, dict):
        return {key: shape_of(part, seen) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [type(value).__name__, *(shape_of(part, seen) for part in value)]
    return type(value).__name__, repr(value)
