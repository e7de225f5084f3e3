"""A module as a description: its class, the arguments it was made with, and what changed since.

To save a module, a second one is made from the description that will stand in the file, and
compared with the first, attribute by attribute. What differs (a child that was replaced, a rate
that was changed, a layer that was appended) goes into the description; what cannot be described
is refused. So a file that was written can be read, and gives the same model.
"""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from aino.autograd.tensor import Tensor
from aino.dit.archive import MAX_MEMBERS
from aino.dit.compare import Comparison, same_array
from aino.dit.constructor import made_with
from aino.dit.parts import Part, find_parts
from aino.dit.rebuild import Rebuilder, tensors_in, walk
from aino.dit.registry import name_of
from aino.dit.source import with_article
from aino.dit.values import (
    Encoder,
    is_module,
    join,
    own_attributes,
    tensor_class,
    waits_for_shape,
)
from aino.errors import FormatError

_OWN = ("_constructor", "training")  # they have places of their own
_NAN = {"$float": "nan"}


class Describer(Encoder):
    """Encodes the values of one file and describes its modules.

    ``designs`` grows by one for each model; ``fail(cause, path)`` makes the error.
    """

    def __init__(self, fail: Callable[[str, str], FormatError]) -> None:
        super().__init__(fail)
        self.designs: list[Any] = []
        self._parts: dict[int, Part] = {}
        self._numbers: dict[int, int] = {}
        self._places: dict[int, str] = {}  # the modules of the model being described
        self._stored: set[str] = set()  # the paths of the tensors in its state
        self._in_arguments = False
        self._template = False  # describing a module that is an argument, but no part of the model
        self._differs = ""

    def encode_all(self, value: Any) -> Any:
        """The JSON of all that goes into a file."""
        self._parts = find_parts(value)
        return self.encode(value, "")

    def refer(self, value: Any) -> dict[str, Any] | None:
        """The JSON of what is a part of another model in the same file, None of what is not."""
        part = None if self._places else self._parts.get(id(value))
        return part and {"$part": [self.model(part.model, part.path), part.place]}

    def describe(self, module: Any, path: str) -> dict[str, Any]:
        module = getattr(module, "_orig_mod", module)  # of a compiled one, which is not stored
        part = self.refer(module)
        if part:
            return part
        place = self._places.get(id(module))
        if place is not None:
            return {"$module": self._design(module, place)}
        if not self._in_arguments:
            return {"$module": self.model(module, path)}
        # What an argument has learned is the constructor's business: if the model keeps the
        # argument itself, somewhere out of the state's sight, that attribute will differ.
        outside, self._template = self._template, True
        design = self._design(module, path)
        self._template = outside
        return {"$module": design}

    def model(self, module: Any, path: str) -> int:
        """Describe a whole model with its state, and return its number."""
        number = self._numbers.get(id(module))
        if number is None:
            number = self._numbers[id(module)] = len(self.designs)
            self.designs.append(None)
            outside = self._places, self._stored, self._template
            self._template = False
            self._describe(module, number, path)
            self._places, self._stored, self._template = outside
        return number

    def _describe(self, module: Any, number: int, path: str) -> None:
        self._class_name(module, path)
        self._places = {
            id(getattr(part, "_orig_mod", part)): place for place, part in walk(module, path)
        }
        state = {
            self.text(key, path): self._state_entry(value, join(path, key))
            for key, value in module.state_dict().items()
        }
        self._stored = {join(path, key) for key in state}
        training = module.training
        item: dict[str, Any] = {
            "design": self._design(module, path),
            "training": training,
            "switched": [place for place, part in walk(module) if part.training is not training],
            "requires_grad": {},
            "tied": _tied(module),
            "state": state,
        }
        self.designs[number] = item
        rebuilt = self._rebuilder(path).build(number)
        now = dict(tensors_in(rebuilt))
        flags = item["requires_grad"] = {
            place: part.requires_grad
            for place, part in tensors_in(module)
            if place in now and now[place].requires_grad is not part.requires_grad
        }
        Rebuilder.set_flags(rebuilt, flags)
        self._differs = ""
        if not Comparison(self._equals).same(module, rebuilt, path):
            raise self.fail("would not come back as it is", self._differs or path)

    def _state_entry(self, value: Any, path: str) -> Any:
        if isinstance(value, Tensor) and not waits_for_shape(value):
            return self.array(value.array, path)
        return {"$value": self.encode(value, path)}

    def _rebuilder(self, path: str) -> Rebuilder:
        def array(row: int) -> np.ndarray:
            view = self.tensors.arrays[row].view()
            view.flags.writeable = False  # whatever a constructor does to it
            return view

        return Rebuilder(lambda cause: self.fail(cause, path), array, self.designs, MAX_MEMBERS)

    # What makes the object

    def _design(self, module: Any, path: str) -> dict[str, Any]:
        design: dict[str, Any] = {"class": self._class_name(module, path)}
        positional, design["arguments"] = self._arguments(module, path)
        if positional:
            design["positional"] = positional
        fresh = self._rebuilder(path).build(design)
        own, before = _attributes(module), _attributes(fresh)
        comparison = Comparison(self._fits)
        comparison.paired(module, fresh)
        differing = [
            name
            for name, part in own.items()
            if name not in before or not comparison.same(part, before[name], join(path, name))
        ]
        if "_hooks" in differing:
            raise self.fail(_why_no_hooks(own["_hooks"]), path)
        outside, self._in_arguments = self._in_arguments, False
        changes = {
            self.text(name, path): self.encode(own[name], join(path, name)) for name in differing
        }
        self._in_arguments = outside
        removed = [name for name in before if name not in own]
        order = [name for name in before if name in own]
        order += [name for name in own if name not in before]
        if changes:
            design["changes"] = changes
        if removed:
            design["removed"] = removed
        if order != list(own):
            design["order"] = list(own)
        return design

    def _class_name(self, module: Any, path: str) -> str:
        kind = type(module)
        name, called = name_of(kind), with_article(kind.__name__)
        if hasattr(kind, "_why_not_stored"):
            cause = kind._why_not_stored
        elif "_constructor" not in vars(module):
            cause = f"is {called}, which cannot be stored; store its state_dict()"
        elif name is None:
            cause = f"is {called}, a class not registered: put @aino.register above it"
        else:
            return name
        raise self.fail(cause, path)

    def _arguments(self, module: Any, path: str) -> tuple[list[Any], dict[str, Any]]:
        """The constructor's arguments as JSON, by name where they have one."""
        signature = inspect.signature(type(module).__init__)
        args, kwargs = made_with(module)
        bound = signature.bind(module, *args, **kwargs)
        given = {*bound.arguments}
        bound.apply_defaults()
        kinds = {name: parameter.kind for name, parameter in signature.parameters.items()}
        spread = next((n for n, k in kinds.items() if k is inspect.Parameter.VAR_POSITIONAL), "")
        by_place = bool(bound.arguments.get(spread))
        positional: list[Any] = []
        named: dict[str, Any] = {}
        for index, (name, value) in enumerate(bound.arguments.items()):
            kind, place = kinds[name], join(path, name)
            if index == 0:
                continue  # self
            if kind is inspect.Parameter.VAR_POSITIONAL:
                parts = enumerate(value)
                positional += [self._argument(part, join(place, i)) for i, part in parts]
            elif kind is inspect.Parameter.VAR_KEYWORD:
                named |= {key: self._argument(v, join(path, key)) for key, v in value.items()}
            elif kind is inspect.Parameter.POSITIONAL_ONLY or (
                by_place and kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
            ):
                positional.append(self._argument(value, place))
            elif name in given or _is_plain(value):
                named[name] = self._argument(value, place)
        return positional, named

    def _argument(self, value: Any, path: str) -> Any:
        outside, self._in_arguments = self._in_arguments, True
        encoded = self.encode(value, path)
        self._in_arguments = outside
        if _holds_nan(encoded):
            raise self.fail("is NaN, which no configuration should be", path)
        return encoded

    # Whether it is the same

    def _fits(self, comparison: Comparison, a: Any, b: Any, path: str) -> bool | None:
        """Compare with a module that has no state yet: tensors of the state only have to fit."""
        if isinstance(a, Tensor):
            if path in self._stored or self._template:
                fits = tensor_class(a) is tensor_class(b) and a.array.shape == b.array.shape
                return fits and comparison.same(own_attributes(a), own_attributes(b), path)
            # Without a state a parameter holds anything, perhaps the right values by chance.
            return False if a.requires_grad else None
        return self._same_module(comparison, a, b, path)

    def _equals(self, comparison: Comparison, a: Any, b: Any, path: str) -> bool | None:
        """Compare with a module that was rebuilt completely."""
        if isinstance(a, Tensor):
            return (
                tensor_class(a) is tensor_class(b)
                and comparison.paired(a, b) is not False
                and a.requires_grad is b.requires_grad
                and same_array(a.array, b.array)
                and comparison.same(own_attributes(a), own_attributes(b), path)
            )
        if is_module(a) and getattr(b, "training", None) is not a.training:
            return False
        return self._same_module(comparison, a, b, path)

    def _same_module(self, comparison: Comparison, a: Any, b: Any, path: str) -> bool | None:
        if not is_module(a):
            return None
        if type(a) is not type(b):
            return False
        met = comparison.paired(a, b)
        if met is not None:
            return met
        own, other = _attributes(a), _attributes(b)
        for name, part in own.items():
            place = join(path, name)
            if name not in other or not comparison.same(part, other[name], place):
                if not self._differs.startswith(place):
                    self._differs = place
                return False
        return list(own) == list(other)


def _attributes(module: Any) -> dict[str, Any]:
    """What a module has to have again, in order; of its hooks the functions."""
    left_out = {*_OWN, *getattr(type(module), "_not_stored", ())}
    if not vars(module).get("_hooks"):
        left_out.add("_hooks")  # there were some once
    own = {name: part for name, part in vars(module).items() if name not in left_out}
    if "_hooks" in own:  # a constructor that adds some does so again, under other numbers
        own["_hooks"] = {
            moment: list(hooks.values()) for moment, hooks in own["_hooks"].at.items() if hooks
        }
    return own


def _why_no_hooks(hooks: dict[str, list[Any]]) -> str:
    functions = [hook.function for moment in hooks.values() for hook in moment]
    names = ", ".join(getattr(f, "__qualname__", type(f).__name__) for f in functions)
    return (
        f"has hooks ({names}), which are code: remove them before it is stored, "
        "or store its state_dict()"
    )


def _tied(module: Any) -> list[list[str]]:
    """The paths at which one tensor or one module stands in several places."""
    paths: dict[int, list[str]] = {}
    for place, part in walk(module):
        for name, value in vars(part).items():
            if isinstance(value, Tensor) or is_module(value):
                paths.setdefault(id(value), []).append(join(place, name))
    return [group for group in paths.values() if len(group) > 1]


def _is_plain(value: Any) -> bool:
    """Whether a default is worth writing down, so that the file doesn't depend on it."""
    plain = type(value) in (bool, int, float, str, tuple) or isinstance(value, np.dtype)
    return value is None or (plain and value == value)


def _holds_nan(encoded: Any) -> bool:
    """Whether NaN stands in an argument; modules in it were asked before."""
    if type(encoded) is list:
        return any(map(_holds_nan, encoded))
    if type(encoded) is dict and "$module" not in encoded:
        return encoded == _NAN or any(map(_holds_nan, encoded.values()))
    return False
