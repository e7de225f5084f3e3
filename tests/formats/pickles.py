"""PyTorch's files, made by hand: instructions of a pickle, and the archive around it.

Each function returns the instructions that push a value; they can be put into one another.
"""

import io
import struct
import zipfile
import zlib

import numpy as np

STORAGE = {
    "float64": "DoubleStorage", "float32": "FloatStorage", "float16": "HalfStorage",
    "int64": "LongStorage", "int32": "IntStorage", "int16": "ShortStorage", "int8": "CharStorage",
    "uint8": "ByteStorage", "bool": "BoolStorage", "complex64": "ComplexFloatStorage",
    "complex128": "ComplexDoubleStorage", "bfloat16": "BFloat16Storage",
}  # fmt: skip
MAGIC = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."


def text(value):
    raw = value.encode()
    return b"X" + struct.pack("<I", len(raw)) + raw


def number(value):
    if isinstance(value, float):
        return b"G" + struct.pack(">d", value)
    if -(2**31) <= value < 2**31:
        return b"J" + struct.pack("<i", value)
    raw = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    return b"\x8a" + bytes([len(raw)]) + raw


def name(path):
    module, _, last = path.rpartition(".")
    return f"c{module}\n{last}\n".encode()


def tup(*parts):
    return b"(" + b"".join(parts) + b"t"


def lst(*parts):
    return b"](" + b"".join(parts) + b"e"


def dct(**parts):
    return b"}(" + b"".join(text(key) + part for key, part in parts.items()) + b"u"


def call(path, *parts):
    return name(path) + tup(*parts) + b"R"


def ints(values):
    return tup(*map(number, values))


def storage(key="0", kind="torch.FloatStorage", size=4, location="cpu", *more):
    identity = tup(text("storage"), name(kind), text(key), text(location), number(size), *more)
    return identity + b"Q"


def tensor(memory=None, offset=0, size=(4,), stride=(1,), requires_grad=False, metadata=None):
    memory = storage() if memory is None else memory
    more = () if metadata is None else (metadata,)
    flag = b"\x88" if requires_grad else b"\x89"
    hooks = call("collections.OrderedDict")
    return call("torch._utils._rebuild_tensor_v2", memory, number(offset), ints(size),
                ints(stride), flag, hooks, *more)  # fmt: skip


def program(value):
    return b"\x80\x02" + value + b"."


def archive(value, storages=None, *, folder="archive", compression=zipfile.ZIP_STORED, **members):
    """A file as PyTorch writes it since 1.6; ``members`` are further ones."""
    storages = {"0": np.arange(4, dtype=np.float32)} if storages is None else storages
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as file:
        file.writestr(f"{folder}/data.pkl", program(value))
        for key, memory in storages.items():
            raw = memory if isinstance(memory, bytes) else memory.tobytes()
            file.writestr(f"{folder}/data/{key}", raw)
        for key, raw in {"version": b"3\n", **members}.items():
            file.writestr(f"{folder}/{key}", raw)
    return buffer.getvalue()


def old(value, storages=(), *, keys=None):
    """A file as PyTorch wrote it before 1.6: ``storages`` are (key, array) pairs."""
    about = dct(protocol_version=number(1001), little_endian=b"\x88")
    keys = [key for key, _ in storages] if keys is None else keys
    head = MAGIC + program(number(1001)) + program(about) + program(value)
    head += program(lst(*map(text, keys)))
    return head + b"".join(
        struct.pack("<q", memory.size) + memory.tobytes() for _, memory in storages
    )


def of_arrays(**arrays):
    """The file of a dict of tensors."""
    values = {}
    for number_, (key, array) in enumerate(arrays.items()):
        kind = f"torch.{STORAGE[array.dtype.name]}"
        strides = [step // array.itemsize for step in np.empty(array.shape, array.dtype).strides]
        memory = storage(str(number_), kind, array.size)
        values[key] = tensor(memory, 0, array.shape, strides)
    return archive(dct(**values), {str(n): array for n, array in enumerate(arrays.values())})


def crc(data):
    return zlib.crc32(data)
