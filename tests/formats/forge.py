"""Safetensors files as an attacker would write them, byte by byte."""

import json

import numpy as np

CODES = {
    "bool": "BOOL", "uint8": "U8", "int8": "I8", "uint16": "U16", "int16": "I16", "uint32": "U32",
    "int32": "I32", "uint64": "U64", "int64": "I64", "float16": "F16", "float32": "F32",
    "float64": "F64", "complex64": "C64",
}  # fmt: skip


def safetensors(header, data=b"", length=None):
    """A file of any header (a dict, or its bytes), and of any length that it claims."""
    if not isinstance(header, bytes):
        header = json.dumps(header).encode()
    return (len(header) if length is None else length).to_bytes(8, "little") + header + data


def entry(dtype="U8", shape=(1,), offsets=(0, 1)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


def of_arrays(arrays, **header):
    """A sound file of arrays, in their order."""
    data = b""
    for name, array in arrays.items():
        raw = np.ascontiguousarray(array).tobytes()
        code = CODES[array.dtype.name]
        header[name] = entry(code, array.shape, (len(data), len(data) + len(raw)))
        data += raw
    return safetensors(header, data)
