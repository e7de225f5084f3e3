"""What in a checkpoint is a part of a model that is in it too, and has to come back as that."""

from collections import Counter, OrderedDict
from typing import Any, NamedTuple

from aino.dit.rebuild import tensors_in, walk
from aino.dit.records import fields_of, is_record
from aino.dit.values import is_module, join


class Part(NamedTuple):
    """A module or a tensor inside a model: which model, where that stands, and the way inside."""

    model: Any
    path: str
    place: str


def find_parts(value: Any) -> dict[int, Part]:
    """The parts, by their identity, of all models inside nested containers.

    A model that stands inside another one is a part of that, wherever else it is mentioned.
    """
    models = dict(_models(value))
    inside: set[int] = set()
    for model in models.values():
        inside.update(id(part) for place, part in walk(model) if place)
    found: dict[int, Part] = {}
    for path, model in models.items():
        if id(model) not in inside:
            for place, part in [*walk(model), *tensors_in(model)]:
                if place:
                    found.setdefault(id(part), Part(model, path, place))
    return found


def _models(value: Any) -> list[tuple[str, Any]]:
    """The modules in nested containers, each once, with their paths."""
    found: list[tuple[str, Any]] = []
    waiting: list[tuple[str, Any]] = [("", value)]
    seen: set[int] = set()
    while waiting:
        path, part = waiting.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        if type(part) in (list, tuple):
            waiting.extend((join(path, key), item) for key, item in enumerate(part))
        elif type(part) in (dict, OrderedDict, Counter):
            waiting.extend((join(path, key), item) for key, item in part.items())
        elif is_record(part) and not isinstance(part, type):
            waiting.extend((join(path, key), item) for key, item in fields_of(part).items())
        elif is_module(part) and "_constructor" in vars(part):
            found.append((path, part))
    return found
