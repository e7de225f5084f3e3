"""From a description back to a module: its class is looked up, never imported; then its state."""

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from aino.autograd.tensor import Tensor, make
from aino.dit.building import rebuilding
from aino.dit.registry import registered
from aino.dit.values import Decoder, is_module, join, make_tensor, waits_for_shape
from aino.errors import FormatError

_SHOWN = 20  # keys that an error lists


def walk(module: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every module inside with its path, itself first, each once."""
    seen: set[int] = set()
    waiting = [(path, module)]
    while waiting:
        place, part = waiting.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        yield place, part
        inside = [(join(place, key), value) for key, value in vars(part).items()]
        waiting.extend(pair for pair in reversed(inside) if is_module(pair[1]))


def find(module: Any, path: str) -> tuple[Any, str]:
    """The module that has the attribute with this path, and the attribute's name."""
    *places, name = path.split(".")
    for place in places:
        module = vars(module)[place]
    return module, name


class Rebuilder(Decoder):
    """Decodes the values of one file with its models; each is made once, however often the file
    refers to it.

    The descriptions have the form that `survey` requires, or were just made.
    ``fail(cause)`` makes the error, ``get(row)`` gives the array of a row in the table. Their
    states have so many ``entries`` (counted where not given).
    """

    def __init__(
        self,
        fail: Callable[[str], FormatError],
        get: Callable[[int], np.ndarray],
        designs: list[Any],
        entries: int | None = None,
    ) -> None:
        super().__init__(fail, get)
        self.designs = designs
        if entries is None:
            entries = sum(len(item["state"]) for item in designs)
        self._entries = entries
        self._made: dict[int, Any] = {}
        self._open: set[int] = set()
        self._lent: set[int] = set()

    def build(self, body: Any) -> Any:
        """A module from its number in the list of designs, or from a description in place.

        A number and a path give what stands there inside the module.
        """
        if type(body) is dict:
            with rebuilding(self._entries):
                return self.construct(body)
        if type(body) is list:
            return self._part(body)
        if type(body) is not int or not 0 <= body < len(self.designs) or body in self._open:
            raise self.fail("refers to a model that is not there")
        if body not in self._made:
            outside = self.depth, self._tensors, self._lent
            self.depth, self._tensors = 0, {}  # no tensor is shared with what is outside
            self._open.add(body)
            with rebuilding(self._entries):
                self._made[body] = self._model(self.designs[body])
            self._open.remove(body)
            self.depth, self._tensors, self._lent = outside
        return self._made[body]

    def _part(self, body: list[Any]) -> Any:
        if len(body) != 2 or type(body[0]) is not int or type(body[1]) is not str:
            raise self.fail("refers to a part of a model wrongly")
        try:
            owner, name = find(self.build(body[0]), body[1])
            part = vars(owner)[name]
        except (LookupError, TypeError):
            raise self.fail(f"refers to a part {body[1]!r:.80}, which is not there") from None
        if not is_module(part) and not isinstance(part, Tensor):
            raise self.fail(f"refers to {body[1]!r:.80}, which is no part of a model")
        return part

    def array(self, row: int) -> np.ndarray:
        """An array; for a constructor, which must not write into what is going to be the state."""
        array = self.get(row)
        if row in self._lent:
            array = array.view()
            array.flags.writeable = False
        return array

    # The object

    def construct(self, design: dict[str, Any]) -> Any:
        """Call the class with the arguments described, and repeat what was changed since."""
        name = design["class"]
        try:
            cls: Any = registered(name)
        except FormatError as error:
            raise self.fail(str(error)) from None
        if not hasattr(cls, "load_state_dict"):
            raise self.fail(f"calls {name!r} a module, which it is not")
        decode = self.decode
        positional = [decode(value) for value in design.get("positional", [])]
        arguments = {key: decode(value) for key, value in design["arguments"].items()}
        changes = {key: decode(value) for key, value in design.get("changes", {}).items()}
        try:
            inspect.signature(cls.__init__).bind(None, *positional, **arguments)
        except TypeError as error:
            raise self.fail(f"{name} does not take such arguments: {error}") from None
        try:
            module = cls(*positional, **arguments)
            for key in design.get("removed", ()):
                delattr(module, key)
            for key, value in changes.items():
                setattr(module, key, value)
            _reorder(module, design.get("order"))
        except Exception as error:
            cause = f"{type(error).__name__}: {error}"
            raise self.fail(f"{name} cannot be made as described: {cause}") from error
        return module

    # The state

    def _model(self, item: Any) -> Any:
        self._lent = {row for row in item["state"].values() if type(row) is int}
        model = self.decode({"$module": item["design"]})
        try:
            self._tie(model, item["tied"], is_module)
            before = dict(tensors_in(model))
            self._load(model, item["state"])
            self._restore(model, before)
            self._tie(model, item["tied"], lambda part: not is_module(part))
            self.set_flags(model, item["requires_grad"])
            for path, part in walk(model):
                training = item["training"] is not (path in item["switched"])
                if part.training is not training:
                    part.training = training
        except (LookupError, TypeError, AttributeError) as error:
            raise self.fail(f"describes the model's parts wrongly: {error!r}") from error
        return model

    @staticmethod
    def _tie(model: Any, groups: list[list[str]], concerned: Callable[[Any], bool]) -> None:
        for first, *others in groups:
            owner, name = find(model, first)
            shared = vars(owner)[name]
            if concerned(shared):
                for other in others:
                    owner, name = find(model, other)
                    if vars(owner)[name] is not shared:
                        setattr(owner, name, shared)

    @staticmethod
    def _restore(model: Any, before: dict[str, Tensor]) -> None:
        """Give the tensors that loading assigned what else was known of those they replaced."""
        for path, old in before.items():
            owner, name = find(model, path)
            new = vars(owner)[name]
            if new is old:
                continue
            extras = getattr(old, "__dict__", {})
            if type(new) is not type(old):
                new = make_tensor(type(old), new.array, extras)
                setattr(owner, name, new)
            elif extras:
                vars(new).update(extras)
            if new.requires_grad is not old.requires_grad:
                new.requires_grad_(old.requires_grad)

    @staticmethod
    def set_flags(model: Any, flags: dict[str, bool]) -> None:
        """Let each tensor want a gradient or not."""
        for path, wanted in flags.items():
            owner, name = find(model, path)
            tensor = vars(owner)[name]
            if isinstance(tensor, Tensor) and tensor.requires_grad is not wanted:
                tensor.requires_grad_(wanted)

    def _load(self, model: Any, entries: dict[str, Any]) -> None:
        state = {key: self._state_value(entry) for key, entry in entries.items()}
        problems = _misfits(model.state_dict(), state)
        if problems:
            shown = "; ".join(problems[:_SHOWN])
            more = f"; and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
            raise self.fail(f"the state does not fit the model: {shown}{more}")
        try:
            model.load_state_dict(state, strict=True, assign=True)
        except Exception as error:
            raise self.fail(f"the model does not take its state: {error}") from error

    def _state_value(self, entry: Any) -> Any:
        if type(entry) is int:
            return make(self.get(entry))
        if type(entry) is dict and list(entry) == ["$value"]:
            return self.decode(entry["$value"])
        raise self.fail("holds a damaged state")


def tensors_in(model: Any) -> Iterator[tuple[str, Tensor]]:
    """Every tensor that is an attribute of the model or of a part, with its path."""
    for place, part in walk(model):
        for name, value in vars(part).items():
            if isinstance(value, Tensor):
                yield join(place, name), value


def _misfits(wanted: dict[str, Any], given: dict[str, Any]) -> list[str]:
    """Every way in which a state is not the one that a model has."""
    problems = [f"missing {key}" for key in wanted if key not in given]
    problems += [f"unexpected {key}" for key in given if key not in wanted]
    for key, value in given.items():
        if key in wanted and isinstance(wanted[key], Tensor):
            shapes = [_shape(part) for part in (wanted[key], value)]
            if shapes[0] != shapes[1]:
                problems.append(f"{key} has the shape {shapes[1]} instead of {shapes[0]}")
    return problems


def _shape(part: Any) -> tuple[int, ...] | str | None:
    """The shape of a tensor; of a lazy module's, that it has none yet."""
    if waits_for_shape(part):
        return "(none yet)"
    shape = getattr(part, "shape", None)
    return None if shape is None else tuple(shape)


def _reorder(module: Any, order: list[str] | None) -> None:
    """Put the attributes back into the order in which they were set."""
    own = vars(module)
    for name in order or ():
        own[name] = own.pop(name)
