"""The names that PyTorch's pickles may call, and what each makes; no other name is looked up."""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict
from typing import Any

import numpy as np

from aino import dtypes
from aino.autograd.tensor import Size, Tensor
from aino.devices import Device
from aino.dit.npy import DTYPES
from aino.dit.registry import registered
from aino.dit.values import make_tensor
from aino.errors import DeviceError, FormatError
from aino.formats.pytorch.arrays import ARRAY_NAMES
from aino.formats.pytorch.machine import Global, Machine
from aino.formats.pytorch.storages import BFLOAT16, Storage, Storages, itemsize

#: PyTorch's names of storages' classes, and what they hold.
STORAGES = {
    "DoubleStorage": "float64", "FloatStorage": "float32", "HalfStorage": "float16",
    "BFloat16Storage": BFLOAT16, "LongStorage": "int64", "IntStorage": "int32",
    "ShortStorage": "int16", "CharStorage": "int8", "ByteStorage": "uint8", "BoolStorage": "bool",
    "ComplexDoubleStorage": "complex128", "ComplexFloatStorage": "complex64",
    "UntypedStorage": "uint8",
}  # fmt: skip
_MODULES_OF_STORAGES = ("torch", "torch.storage", "torch.cuda", "torch._storage")
#: Python 2's names, which Python 3 writes, too, into pickles of protocol 2.
_RENAMED = {"__builtin__": "builtins", "copy_reg": "copyreg"}
_CURE = (
    "take it out where the file was made, or save what it consists of: state_dict()s, tensors, "
    "numbers, text and containers of these"
)
#: What PyTorch's own functions make that AINO does not have, and what to do.
_REFUSED = {
    "torch._utils._rebuild_sparse_tensor": "a sparse tensor; save its to_dense()",
    "torch._utils._rebuild_sparse_csr_tensor": "a sparse tensor; save its to_dense()",
    "torch._utils._rebuild_qtensor": "a quantized tensor; save its dequantize()",
    "torch._utils._rebuild_nested_tensor": "a nested tensor; save its to_padded_tensor()",
    "torch._utils._rebuild_meta_tensor_no_storage": "a tensor without numbers, of device meta",
    "torch._utils._rebuild_wrapper_subclass": "a tensor of a class of its own; save plain tensors",
    "torch._utils._rebuild_device_tensor_from_numpy": "a tensor of a device; save its cpu()",
    "torch._utils._rebuild_device_tensor_from_cpu_tensor": "a tensor of a device; save its cpu()",
}


class Names:
    """Looks up what a pickle names; what makes tensors takes them from the file's storages."""

    def __init__(self, storages: Storages) -> None:
        self.storages = storages
        self.sizes: dict[str, int] = {}  # of a number in each storage
        self.known: dict[str, Any] = _PLAIN | {
            "torch._utils._rebuild_tensor": Global("_rebuild_tensor", self._tensor_1),
            "torch._utils._rebuild_tensor_v2": Global("_rebuild_tensor_v2", self._tensor_2),
            "torch._utils._rebuild_tensor_v3": Global("_rebuild_tensor_v3", self._tensor_3),
        }

    def find(self, name: str) -> Any:
        """What a name stands for."""
        module, _, last = name.partition(".")
        name = f"{_RENAMED.get(module, module)}.{last}"
        if name in self.known:
            return self.known[name]
        module, _, last = name.rpartition(".")
        if module in _MODULES_OF_STORAGES and last in STORAGES:
            return Global(last)
        if module == "torch" and last.endswith("Storage"):
            raise self.fail(f"holds a {last}, whose numbers NumPy does not have; save others")
        if name in _REFUSED:
            raise self.fail(f"holds {_REFUSED[name]}")
        if module == "torch" and last in _ABSENT:
            raise self.fail(f"names the dtype {name}, which NumPy does not have")
        if name.startswith(("torch.nn.modules.", "torch.fx.")):
            raise self.fail(
                f"holds a whole module ({name:.200}), which is code as well; where PyTorch is: "
                "torch.save(model.state_dict(), f)"
            )
        raise self.fail(f"holds what {name!r:.200} makes, and no file's code is run: {_CURE}")

    def fail(self, cause: str) -> FormatError:
        """The error of this file."""
        return self.storages.source.error(cause)

    def storage(self, identity: Any) -> Storage:
        """What a persistent id stands for; only storages have one."""
        match identity:
            case ("storage", Global(name=kind), str(key), location, int(count), *view):
                pass
            case ("module", *_):
                raise self.fail("holds a whole module; save its state_dict()")
            case _:
                raise self.fail(f"refers to what is no storage: {_told(identity)}")
        dtype = STORAGES.get(kind)
        match view:
            case [] | [None]:
                start, length = 0, count
            case [(_, int(start), int(length))]:
                pass
            case _:
                dtype = None
        if dtype is None or min(count, start, length) < 0 or start + length > count:
            raise self.fail(f"describes a storage wrongly: {_told(identity)}")
        size = self.sizes.setdefault(key, itemsize(dtype))
        if size != itemsize(dtype) and self.storages.places is None:
            raise self.fail(f"takes storage {key!r:.60} for two dtypes")
        device = location if type(location) is str else "cpu"
        size = itemsize(dtype)
        return Storage(dtype, key, device, count * size, start * size, (start + length) * size)

    # Tensors

    def _tensor_1(self, machine: Machine, storage: Any, offset: Any, size: Any, stride: Any) -> Any:
        return self._tensor(storage, None, offset, size, stride)

    def _tensor_2(
        self, machine: Machine, storage: Any, offset: Any, size: Any, stride: Any,
        requires_grad: Any, hooks: Any, metadata: Any = None,
    ) -> Tensor:  # fmt: skip
        tensor = self._tensor(storage, None, offset, size, stride)
        return self._finished(tensor, requires_grad, hooks, metadata)

    def _tensor_3(
        self, machine: Machine, storage: Any, offset: Any, size: Any, stride: Any,
        requires_grad: Any, hooks: Any, dtype: Any, metadata: Any = None,
    ) -> Tensor:  # fmt: skip
        if not isinstance(dtype, np.dtype | dtypes.AbsentDtype):
            raise self.fail("describes a tensor without a dtype")
        tensor = self._tensor(storage, dtype.name, offset, size, stride)
        return self._finished(tensor, requires_grad, hooks, metadata)

    def _tensor(self, storage: Any, dtype: str | None, offset: Any, size: Any, stride: Any) -> Any:
        if type(storage) is not Storage:
            raise self.fail(f"makes a tensor of a {type(storage).__name__}")
        if type(size) is Size:
            size = tuple(size)
        return self.storages.tensor(storage, dtype or storage.dtype, offset, size, stride)

    def _finished(self, tensor: Tensor, requires_grad: Any, hooks: Any, metadata: Any) -> Tensor:
        if hooks:
            raise self.fail("holds a tensor with hooks, which are code")
        if metadata is not None:
            if type(metadata) is not dict or {*metadata} - {"conj", "neg"}:
                raise self.fail(f"describes a tensor by {metadata!r:.100}, which is not known")
            if any(metadata.values()):
                conjugate = bool(metadata.get("conj")), bool(metadata.get("neg"))
                self.storages.turned.append((tensor, *conjugate))
        return _wanting(tensor, requires_grad)


def _told(identity: Any) -> str:
    """A persistent id, or its type where it could be anything."""
    if type(identity) is not tuple:
        return f"a {type(identity).__name__}"
    parts = (repr(part) if type(part) in (str, int) else type(part).__name__ for part in identity)
    return f"({', '.join(parts):.200})"


def _wanting(tensor: Tensor, requires_grad: Any) -> Tensor:
    if requires_grad and tensor.array.dtype.kind in "fc":
        tensor.requires_grad_(True)
    return tensor


def _parameter(
    machine: Machine, data: Any, requires_grad: Any, hooks: Any, state: Any = None
) -> Tensor:
    if type(data) is not Tensor or hooks or type(requires_grad) is not bool:
        machine.fail("describes a parameter wrongly")
    if state:
        machine.fail("holds a parameter with attributes of its own; save its data")
    parameter = make_tensor(registered("Parameter"), data.array, {})
    return _wanting(parameter.requires_grad_(False), requires_grad)


def _of_a_type(machine: Machine, make: Any, kind: Any, arguments: Any, state: Any) -> Any:
    if type(make) is not Global or make.make is None or type(arguments) is not tuple:
        machine.fail("describes a tensor wrongly")
    if type(kind) is not Global or kind.name not in _CLASSES:
        machine.fail("holds a tensor of a class of its own; save a plain one: as_subclass(Tensor)")
    if state:
        machine.fail("holds a tensor with attributes of its own, which AINO's do not have")
    return make.make(machine, *arguments)


# Plain values


def _ordered(machine: Machine, items: Any = ()) -> OrderedDict[Any, Any]:
    return OrderedDict(_pairs(machine, items))


def _pairs(machine: Machine, items: Any) -> list[tuple[Any, Any]]:
    pairs = [*items.items()] if isinstance(items, dict) else items
    if type(pairs) not in (list, tuple) or any(
        type(pair) not in (list, tuple) or len(pair) != 2 for pair in pairs
    ):
        machine.fail("makes a dictionary of what are no pairs")
    machine.spend(150 * len(pairs))
    for key, _ in pairs:
        machine.check_key(key)
    return [(key, value) for key, value in pairs]


def _counter(machine: Machine, items: Any = ()) -> Counter[Any]:
    return Counter(dict(_pairs(machine, items)))


def _default(machine: Machine, factory: Any = None, items: Any = ()) -> defaultdict[Any, Any]:
    if factory is not None and (type(factory) is not Global or factory.name not in _FACTORIES):
        machine.fail("holds a dictionary whose new values are made by code")
    made = None if factory is None else _FACTORIES[factory.name]
    return defaultdict(made, _pairs(machine, items))


def _set(machine: Machine, items: Any = ()) -> set[Any]:
    return set(machine.keys(items))


def _frozenset(machine: Machine, items: Any = ()) -> frozenset[Any]:
    return frozenset(machine.keys(items))


def _bytearray(machine: Machine, data: Any = b"", encoding: Any = None) -> bytearray:
    if encoding is not None:
        data = _bytes(machine, data, encoding)
    if type(data) is not bytes:
        machine.fail("makes a bytearray of what are no bytes")
    machine.spend(len(data))
    return bytearray(data)


def _bytes(machine: Machine, text: Any = "", encoding: Any = "latin1") -> bytes:
    if type(text) is not str or encoding not in ("latin1", "latin-1"):
        machine.fail("makes bytes of what is no text")
    machine.spend(len(text))
    try:
        return text.encode("latin1")
    except UnicodeEncodeError:
        machine.fail("makes bytes of text that has other characters")


def _complex(machine: Machine, real: Any, imaginary: Any) -> complex:
    if type(real) is not float or type(imaginary) is not float:
        machine.fail("makes a complex number of what are no numbers")
    return complex(real, imaginary)


def _size(machine: Machine, sizes: Any = ()) -> Size:
    if type(sizes) not in (tuple, list) or any(type(size) is not int for size in sizes):
        machine.fail("makes a size of what are no whole numbers")
    return Size(sizes)


def _device(machine: Machine, kind: Any, index: Any = None) -> Device:
    try:
        return Device(kind, index)
    except (DeviceError, TypeError):
        machine.fail(f"names the device {kind!r:.60}, which is not known")


_FACTORIES: dict[str, Any] = {
    kind.__name__: kind for kind in (list, dict, set, int, float, str, bool, tuple)
} | {"long": int}  # fmt: skip
_CLASSES = ("Tensor", "Parameter", "Buffer")
_ABSENT = (
    "float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2", "float8_e5m2fnuz", "float8_e8m0fnu",
    "float4_e2m1fn_x2", "complex32", "qint8", "quint8", "qint32", "quint4x2", "quint2x4",
    *(f"{kind}{bits}" for kind in ("int", "uint", "bits") for bits in (*range(1, 8), "1x8", "2x4")),
)  # fmt: skip
_PLAIN: dict[str, Any] = {
    "collections.OrderedDict": Global("OrderedDict", _ordered),
    "collections.Counter": Global("Counter", _counter),
    "collections.defaultdict": Global("defaultdict", _default),
    "builtins.set": Global("set", _set),
    "builtins.frozenset": Global("frozenset", _frozenset),
    "builtins.bytearray": Global("bytearray", _bytearray),
    "builtins.bytes": Global("bytes", _bytes),
    "builtins.complex": Global("complex", _complex),
    "_codecs.encode": Global("encode", _bytes),
    "torch.Size": Global("Size", _size),
    "torch.device": Global("device", _device),
    "torch.bfloat16": dtypes.bfloat16,
    "torch._utils._rebuild_parameter": Global("_rebuild_parameter", _parameter),
    "torch._utils._rebuild_parameter_with_state": Global("_rebuild_parameter", _parameter),
    "torch._tensor._rebuild_from_type_v2": Global("_rebuild_from_type_v2", _of_a_type),
    "torch.Tensor": Global("Tensor"),
    "torch.nn.parameter.Parameter": Global("Parameter"),
    "torch.nn.parameter.Buffer": Global("Buffer"),
    **{f"torch.{name}": dtype for name, dtype in DTYPES.items()},
    **{f"builtins.{name}": Global(name) for name in _FACTORIES if name != "set"},
    **ARRAY_NAMES,
}  # fmt: skip
