"""Python values as JSON and back: numbers, text, containers, arrays and tensors.

What JSON has, stands as it is. Everything else is an object with a key that begins with ``$``:
``{"$tuple": [1, 2]}``, ``{"$tensor": 3}`` (the number of a row in the table of tensors),
``{"$dataclass": ["Config", {"width": 3}]}`` (the name of a registered class, and its fields).
"""

import math
from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np

from aino.autograd.tensor import Size, Tensor
from aino.devices import Device
from aino.dit.constructor import Uncopied
from aino.dit.manifest import LONGEST_INTEGER, MAX_DEPTH
from aino.dit.npy import DTYPES, dtype_problem
from aino.dit.records import fields_of, is_record, make, why_not_again
from aino.dit.registry import name_of, registered
from aino.dit.source import with_article
from aino.errors import FormatError

_LARGEST = 10**LONGEST_INTEGER
_DICTS: dict[str, Any] = {"$dict": dict, "$ordered": OrderedDict, "$counter": Counter}
_DICT_TAGS = {kind: tag for tag, kind in _DICTS.items()}
_TENSOR = {"$tensor", "class", "attributes", "requires_grad", "view"}
_FLOATS = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


def is_module(value: object) -> bool:
    """True for what has a state of its own and can be asked to take one."""
    return (
        hasattr(value, "state_dict")
        and hasattr(value, "load_state_dict")
        and not isinstance(value, type)
    )


def join(path: str, key: object) -> str:
    """The path of a part inside a value: ``optimizer.state.0``."""
    return f"{path}.{key}" if path else str(key)


def tensor_class(tensor: Any) -> type:
    """The class under which a tensor is stored.

    One that is not registered may name another, as when it is pickled: a row of a layer is
    stored as the parameter that it is for itself.
    """
    kind = type(tensor)
    if isinstance(tensor, Tensor) and kind is not Tensor and name_of(kind) is None:
        named = tensor.__reduce_ex__(2)[0]
        if isinstance(named, type) and name_of(named):
            return named
    return kind


def waits_for_shape(value: Any) -> bool:
    """True for a parameter or a buffer of a lazy module that has not been called yet."""
    return isinstance(value, Tensor) and hasattr(value, "materialize")


def own_attributes(tensor: Any) -> dict[str, Any]:
    """What a tensor of a class of its own carries beside what every tensor has."""
    return getattr(tensor, "__dict__", {}) if tensor_class(tensor) is type(tensor) else {}


def make_tensor(cls: type[Tensor], array: np.ndarray, attributes: dict[str, Any]) -> Tensor:
    """A tensor of any class over an array, with its own attributes."""
    tensor = cls.__new__(cls)
    Tensor.__init__(tensor, array)
    if attributes:
        vars(tensor).update(attributes)
    return tensor


class Tensors:
    """The arrays that go into the file, each once, under unique names."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.arrays: list[np.ndarray] = []
        self._taken: set[str] = set()
        self._by_memory: dict[object, int] = {}

    def add(self, array: np.ndarray, name: str) -> int:
        """The number of this array's row; the same memory seen twice is stored once."""
        place, _ = array.__array_interface__["data"]
        key = place, array.shape, array.strides, array.dtype.str
        index = self._by_memory.get(key)
        if index is None:
            index = self._by_memory[key] = len(self.arrays)
            self.arrays.append(array)
            self.names.append(self._unique(name))
        return index

    def _unique(self, name: str) -> str:
        candidate, number = name, 2
        while candidate in self._taken:
            candidate, number = f"{name}#{number}", number + 1
        self._taken.add(candidate)
        return candidate


class Encoder:
    """Turns values into JSON, and collects their arrays; ``fail(cause, path)`` makes the error.

    What a module is in JSON, subclasses say: they override methods, because an attribute that
    holds a method of the object that holds it would leave all arrays to the garbage collector.
    """

    def __init__(self, fail: Callable[[str, str], FormatError]) -> None:
        self.fail = fail
        self.tensors = Tensors()
        self.depth = 0
        self._over: dict[int, list[Tensor]] = {}

    def describe(self, module: Any, path: str) -> Any:
        """The JSON of a module."""
        raise self.fail("is a module, which cannot stand here", path)

    def refer(self, value: Any) -> Any:
        """The JSON of what is a part of a model, None of what is not."""
        return None

    def encode(self, value: Any, path: str) -> Any:
        """The JSON of a value; `DitError` names by its path what cannot be stored."""
        kind = type(value)
        if value is None or kind is bool:
            return value
        if kind is int:
            if abs(value) >= _LARGEST:
                raise self.fail("is a whole number of too many digits", path)
            return value
        if kind is str:
            return self.text(value, path)
        if kind is float:
            return value if math.isfinite(value) else {"$float": repr(value)}
        if kind is complex:
            return {"$complex": [self.encode(value.real, path), self.encode(value.imag, path)]}
        if isinstance(value, Tensor):
            return self.refer(value) or self._tensor(value, path)
        if isinstance(value, np.ndarray):
            return {"$array": self.array(value, path)}
        if isinstance(value, np.generic):
            return {"$scalar": self.array(np.asarray(value), path)}
        if isinstance(value, np.dtype):
            return {"$dtype": self._dtype(value, path).name}
        if kind is type and issubclass(value, np.generic):
            return {"$type": self._dtype(np.dtype(value), path).name}
        if kind is Device:
            return str(value)
        self.depth += 1
        try:
            if self.depth > MAX_DEPTH:
                raise self.fail(f"is nested more than {MAX_DEPTH} deep, or holds itself", path)
            return self._container(value, kind, path)
        finally:
            self.depth -= 1

    def _container(self, value: Any, kind: type, path: str) -> Any:
        if kind is list:
            return [self.encode(part, join(path, i)) for i, part in enumerate(value)]
        if kind is tuple or kind is Size:
            return {"$tuple": [self.encode(part, join(path, i)) for i, part in enumerate(value)]}
        if kind in _DICT_TAGS:
            if kind is dict and all(type(key) is str and key[:1] != "$" for key in value):
                return {
                    self.text(key, path): self.encode(part, join(path, key))
                    for key, part in value.items()
                }
            pairs = [
                [self._key(key, path), self.encode(part, join(path, key))]
                for key, part in value.items()
            ]
            return {_DICT_TAGS[kind]: pairs}
        if is_module(value):
            return self.describe(value, path)
        if is_record(value) and not isinstance(value, type):
            return self._record(value, path)
        raise self.fail(self._why_not(value), path)

    def _record(self, value: Any, path: str) -> dict[str, Any]:
        name = name_of(type(value))
        if name is None:
            kind = with_article(type(value).__name__)
            raise self.fail(f"is {kind}, a dataclass not registered: @aino.register it", path)
        why = why_not_again(value)
        if why is not None:
            raise self.fail(f"is {with_article(type(value).__name__)}, which {why}", path)
        fields = {key: self.encode(x, join(path, key)) for key, x in fields_of(value).items()}
        return {"$dataclass": [name, fields]}

    def text(self, value: str, path: str) -> str:
        """A string that UTF-8 can hold."""
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:
            raise self.fail(f"{value!r:.80} holds half of a character", path) from None
        return value

    def array(self, array: np.ndarray, path: str) -> int:
        """The number of the row that holds an array."""
        if type(array) not in (np.ndarray, np.memmap):
            raise self.fail(f"is a {type(array).__name__}; only plain arrays are stored", path)
        self._dtype(array.dtype, path)
        return self.tensors.add(array, self.text(path, path))

    def _dtype(self, dtype: np.dtype, path: str) -> np.dtype:
        problem = dtype_problem(dtype)
        if problem:
            raise self.fail(problem, path)
        return dtype

    def _key(self, key: Any, path: str) -> Any:
        if type(key) in (str, int, float, bool, type(None), tuple):
            return self.encode(key, join(path, key))
        raise self.fail(f"has a key of type {type(key).__name__}", path)

    def _tensor(self, value: Tensor, path: str) -> dict[str, Any]:
        row = self.array(value.array, path)
        result: dict[str, Any] = {"$tensor": row}
        over = self._over.setdefault(row, [])  # the tensors met over this array
        view = next((i for i, known in enumerate(over) if known is value), len(over))
        if view == len(over):
            over.append(value)
        if view:
            result["view"] = view
        cls = tensor_class(value)
        if cls is not Tensor:
            name = name_of(cls)
            if name is None:
                raise self.fail(
                    f"is {with_article(type(value).__name__)}, a class not registered", path
                )
            result["class"] = name
            if own_attributes(value):
                result["attributes"] = self.encode(own_attributes(value), path)
        if value.requires_grad:
            result["requires_grad"] = True
        return result

    @staticmethod
    def _why_not(value: Any) -> str:
        kind = type(value).__name__
        if isinstance(value, Uncopied):
            return f"was a {value.kind}, which the module that this one is a copy of was made with"
        if isinstance(value, type) or (callable(value) and not hasattr(value, "state_dict")):
            name = getattr(value, "__qualname__", kind)
            return f"is code ({name}), which cannot be stored"
        if hasattr(value, "state_dict"):
            return f"is {with_article(kind)}, which cannot be stored; store its state_dict()"
        return f"is of type {kind}, which cannot be stored"


class Decoder:
    """Turns JSON back into values.

    ``fail(cause)`` makes the error, and ``get(row)`` gives the array of a row in the table.
    Subclasses say what a module is; see `Encoder` for why by methods.
    """

    def __init__(
        self, fail: Callable[[str], FormatError], get: Callable[[int], np.ndarray]
    ) -> None:
        self.fail = fail
        self.get = get
        self.depth = 0
        self._tensors: dict[object, Tensor] = {}

    def array(self, row: int) -> np.ndarray:
        """The array of a row in the table."""
        return self.get(row)

    def build(self, body: Any) -> Any:
        """A module, or a part of one."""
        raise self.fail("refers to a model that is not there")

    def record(self, name: str, values: dict[str, Any]) -> Any:
        """An object of a registered dataclass."""
        cls = registered(name)
        if not is_record(cls):
            raise self.fail(f"calls {name!r:.100} a dataclass, which it is not")
        try:
            return make(cls, values)
        except ValueError as error:
            raise self.fail(f"holds a {name:.100} that {error}") from error

    def decode(self, value: Any) -> Any:
        """The value that `Encoder.encode` was given; `DitError` for what it never writes."""
        if type(value) not in (list, dict):
            return value
        self.depth += 1
        try:
            if self.depth > MAX_DEPTH + 1:  # a tagged number may stand in the deepest list
                raise self.fail("is nested too deeply")
            if type(value) is list:
                return [self.decode(part) for part in value]
            tag = next((key for key in value if key[:1] == "$"), None)
            if tag is None:
                return {key: self.decode(part) for key, part in value.items()}
            return self._tagged(tag, value)
        finally:
            self.depth -= 1

    def _tagged(self, tag: str, value: dict[str, Any]) -> Any:
        body = value[tag]
        if tag == "$tensor":
            return self._tensor(body, value)
        if len(value) != 1:
            raise self.fail(f"has entries beside {tag!r:.40}")
        if tag == ("$part" if type(body) is list else "$module"):
            return self.build(body)
        if tag == "$array":
            return self._row(body)
        if tag == "$scalar" and self._row(body).ndim == 0:
            return self._row(body)[()]
        if tag == "$float" and type(body) is str and body in _FLOATS:
            return _FLOATS[body]
        if tag in ("$dtype", "$type") and type(body) is str and body in DTYPES:
            return DTYPES[body] if tag == "$dtype" else DTYPES[body].type
        if type(body) is list:
            if tag == "$tuple":
                return tuple(map(self.decode, body))
            if tag == "$complex" and len(body) == 2:
                parts = [self.decode(part) for part in body]
                if all(type(part) is float for part in parts):
                    return complex(*parts)
            if tag == "$dataclass" and len(body) == 2:
                name, fields = body
                if type(name) is str and type(fields) is dict:
                    return self.record(name, {k: self.decode(x) for k, x in fields.items()})
            if tag in _DICTS:
                return self._dict(tag, body)
        raise self.fail(f"holds a damaged or unknown value ({tag!r:.40})")

    def _dict(self, tag: str, body: list[Any]) -> Any:
        if any(type(pair) is not list or len(pair) != 2 for pair in body):
            raise self.fail(f"holds a damaged {tag[1:]}")
        try:
            pairs = [(self.decode(key), self.decode(part)) for key, part in body]
            result = _DICTS[tag](dict(pairs))
        except TypeError:
            raise self.fail("holds a key that cannot be one") from None
        if len(result) != len(body):
            raise self.fail("holds a dictionary with a key twice")
        return result

    def _row(self, body: Any) -> np.ndarray:
        if type(body) is not int or not 0 <= body < 1 << 31:
            raise self.fail("refers to a tensor wrongly")
        return self.array(body)

    def _tensor(self, body: Any, value: dict[str, Any]) -> Tensor:
        array = self._row(body)
        name, wanted = value.get("class"), value.get("requires_grad", False)
        view = value.get("view", 0)
        if (
            {*value} - _TENSOR
            or type(wanted) is not bool
            or type(view) is not int
            or not isinstance(name, str | None)
            or (wanted and array.dtype.kind not in "fc")
        ):
            raise self.fail("describes a tensor wrongly")
        key = body, view, name, wanted
        if key not in self._tensors:
            cls = Tensor if name is None else registered(name)
            if not issubclass(cls, Tensor):
                raise self.fail(f"calls {name!r:.100} a tensor")
            attributes = self.decode(value.get("attributes", {}))
            if type(attributes) is not dict or (attributes and cls is Tensor):
                raise self.fail("describes a tensor wrongly")
            self._tensors[key] = make_tensor(cls, array, attributes).requires_grad_(wanted)
        return self._tensors[key]
