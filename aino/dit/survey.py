"""A manifest's descriptions gone through without building anything."""

from typing import Any, NamedTuple

import numpy as np

from aino.dit.manifest import NAME, Manifest
from aino.dit.rebuild import Rebuilder
from aino.dit.registry import is_registered
from aino.dit.source import Source
from aino.errors import FormatError

_MODEL = ("design", "training", "switched", "requires_grad", "tied", "state")
_DESIGN = {"class", "positional", "arguments", "changes", "removed", "order"}


class Survey(NamedTuple):
    """What a manifest refers to: classes that are not registered here, and dataclasses."""

    unknown_classes: list[str]
    dataclasses: list[str]


class _Surveyor(Rebuilder):
    """Goes through descriptions as a `Rebuilder` does, and only notes what it would need."""

    def __init__(self, source: Source, contents: Manifest) -> None:
        rows = contents.tensors
        used = self.used = set[int]()
        self.classes: dict[str, None] = {}
        self.dataclasses: dict[str, None] = {}

        def fail(cause: str) -> FormatError:
            return source.error(cause, NAME)

        def get(row: int) -> np.ndarray:
            """Something of the tensor's dtype and shape that takes no memory."""
            if not 0 <= row < len(rows):
                raise fail(f"refers to tensor {row}, which is not there")
            used.add(row)
            return np.broadcast_to(np.zeros((), rows[row].dtype), rows[row].shape)

        super().__init__(fail, get, contents.architecture, 0)

    def construct(self, design: dict[str, Any]) -> Any:
        if not _is_design(design):
            raise self.fail("holds a damaged description of a module")
        self.classes[design["class"]] = None
        for part in ("positional", "arguments", "changes"):
            for value in self._values(design.get(part, ())):
                self.decode(value)
        return object()

    def record(self, name: str, values: dict[str, Any]) -> Any:
        self.classes[name] = self.dataclasses[name] = None
        return object()

    @staticmethod
    def _values(part: Any) -> Any:
        return part.values() if type(part) is dict else part

    def _part(self, body: list[Any]) -> Any:
        if len(body) != 2 or type(body[0]) is not int or type(body[1]) is not str:
            raise self.fail("refers to a part of a model wrongly")
        return self.build(body[0])

    def _model(self, item: Any) -> Any:
        if not _is_model(item):
            raise self.fail("holds a damaged description of a model")
        for entry in item["state"].values():
            self._state_value(entry)
        return self.construct(item["design"])


def survey(source: Source, contents: Manifest) -> Survey:
    """Check that content, descriptions and table of tensors fit together."""
    surveyor = _Surveyor(source, contents)
    if (contents.kind == "model") != (contents.content == {"$module": 0}):
        raise surveyor.fail(f"is of kind {contents.kind}, and its content is not")
    if (contents.kind == "state") == bool(contents.architecture):
        raise surveyor.fail(f"is of kind {contents.kind}, with {len(contents.architecture)} models")
    surveyor.decode(contents.content)
    for number in range(len(contents.architecture)):
        surveyor.build(number)
    if len(surveyor.used) != len(contents.tensors):
        raise surveyor.fail("lists tensors that nothing refers to")
    unknown = [name for name in surveyor.classes if not is_registered(name)]
    return Survey(unknown, list(surveyor.dataclasses))


def _is_design(design: dict[str, Any]) -> bool:
    """Whether this is the form of a module's description; its values are not looked at."""
    names = [*design.get("changes", ()), *design.get("removed", ()), *design.get("order", ())]
    return (
        {"class", "arguments"} <= {*design} <= _DESIGN
        and type(design["class"]) is str
        and type(design["arguments"]) is dict
        and type(design.get("changes", {})) is dict
        and all(type(design.get(key, [])) is list for key in ("positional", "removed", "order"))
        and all(type(name) is str and not name.startswith("__") for name in names)
    )


def _is_model(item: Any) -> bool:
    """Whether this is the form of a model's description: a design, a state, and how they meet."""
    return (
        type(item) is dict
        and tuple(item) == _MODEL
        and type(item["design"]) is dict
        and type(item["training"]) is bool
        and _is_names(item["switched"])
        and type(item["requires_grad"]) is dict
        and all(type(wanted) is bool for wanted in item["requires_grad"].values())
        and type(item["tied"]) is list
        and all(_is_names(group) and len(group) > 1 for group in item["tied"])
        and type(item["state"]) is dict
    )


def _is_names(names: Any) -> bool:
    return type(names) is list and all(type(name) is str for name in names)
