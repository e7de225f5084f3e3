"""Safetensors files that lie are refused in words, and take no memory."""

import io
import json
import tracemalloc

import numpy as np
import pytest

import aino
from aino.errors import FormatError
from aino.formats import safetensors
from tests.formats import forge

pytest.importorskip("safetensors")

E = forge.entry
F = forge.safetensors
HOSTILE = {
    "empty": (b"", "empty|too short"),
    "seven bytes": (b"\1\0\0\0\0\0\0", "too short"),
    "a header of 2**63 bytes": (F({}, length=2**63), "claims a header of 9,223"),
    "a header of a terabyte": (F({"a": E()}, b"x", length=2**40), "claims a header"),
    "a header longer than the file": (F({"a": E()}, b"x", length=500), "is cut short: its header"),
    "a header cut in the middle": (F({"a": E()}, b"x", length=20), "not a sound safetensors"),
    "no JSON": (F(b"{'a': 1}"), "not a sound safetensors file: invalid JSON"),
    "a list": (F([]), "not a sound"),
    "no UTF-8": (F(b'{"\xff": 1}'), "UTF-8"),
    "half a character": (F(b'{"\\ud800":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', b"x"),
                         "not a sound"),
    "nested deeply": (F(b'{"a":' * 50_000), "recursion|not a sound"),
    "bytes after the JSON": (F(b"{}\0\0\0\0\0\0"), "not a sound"),
    "a tensor twice": (
        F(b'{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},'
          b'"a":{"dtype":"I8","shape":[1],"data_offsets":[0,1]}}', b"x"),
        "describes a tensor twice",
    ),
    "a tensor twice, in disguise": (
        F(b'{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},'
          b'"\\u0061":{"dtype":"I8","shape":[1],"data\\u005foffsets":[0,1]}}', b"x"),
        "describes a tensor twice, or in disguise",
    ),
    "a field twice": (
        F(b'{"a":{"dtype":"U8","dtype":"I8","shape":[1],"data_offsets":[0,1]}}', b"x"),
        "duplicate field",
    ),
    "metadata that are numbers": (F({"__metadata__": {"a": 1}}), "not a sound"),
    "overlapping": (F({"a": E("U8", [2], (0, 2)), "b": E("U8", [2], (1, 3))}, b"abc"), "offset"),
    "the same bytes": (F({"a": E("U8", [2], (0, 2)), "b": E("U8", [2], (0, 2))}, b"ab"), "offset"),
    "a gap": (F({"a": E(), "b": E("U8", [1], (2, 3))}, b"abc"), "offset"),
    "a gap before": (F({"a": E("U8", [1], (1, 2))}, b"ab"), "offset"),
    "bytes behind": (F({"a": E()}, b"abc"), "more or fewer bytes than its tensors"),
    "cut short": (F({"a": E("U8", [9], (0, 9))}, b"abc"), "more or fewer bytes than its tensors"),
    "offsets backwards": (F({"a": E("U8", [1], (1, 0))}, b"a"), "offset"),
    "offsets of another shape": (F({"a": E("F32", [2], (0, 4))}, b"abcd"), "not a sound"),
    "a shape that overflows": (F({"a": E("U8", [2**62, 4], (0, 0))}), "overflow"),
    "a shape of 2**64": (F({"a": E("U8", [2**64], (0, 1))}, b"a"), "not a sound"),
    "an empty shape of a huge one": (F({"a": E("F64", [2**62, 0, 2**62], (0, 0))}), "overflow"),
    "65 dimensions": (F({"a": E("U8", [1] * 65)}, b"a"), "65 dimensions; at most 64"),
    "a negative size": (F({"a": E("U8", [-1])}, b"a"), "not a sound"),
    "a size that is no number": (F(b'{"a":{"dtype":"U8","shape":[NaN],"data_offsets":[0,1]}}',
                                   b"a"), "not a sound"),
    "a size of 1.0": (F({"a": E("U8", [1.0])}, b"a"), "not a sound"),
    "an unknown dtype": (F({"a": E("Q4")}, b"a"), "unknown variant `Q4`"),
    "no dtype": (F({"a": {"shape": [1], "data_offsets": [0, 1]}}, b"a"), "not a sound"),
    "a bool that is 2": (F({"a": E("BOOL")}, b"\2"), "neither True nor False"),
    "a terabyte": (F({"a": E("F32", [2**38], (0, 2**40))}, b"abcd"), "more or fewer bytes"),
}  # fmt: skip


def peak_of(function, *args, **kwargs):
    tracemalloc.start()
    try:
        function(*args, **kwargs)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("what", HOSTILE)
def test_it_is_refused_in_words_without_memory(tmp_path, what):
    content, match = HOSTILE[what]
    path = tmp_path / "x.safetensors"
    path.write_bytes(content)
    for load in (aino.load, safetensors.load_file, safetensors.safe_open):
        if what == "a bool that is 2" and load is safetensors.safe_open:
            continue
        with pytest.raises(FormatError, match=match) as caught:
            load(path)
        assert str(path) in str(caught.value)
    with pytest.raises(FormatError, match=match):
        safetensors.load(content)
    assert peak_of(pytest.raises, FormatError, aino.load, path) < 2**21


def test_unaligned_tensors_are_read(tmp_path):
    """No writer makes such files, but they are sound."""
    numbers = np.arange(3.0)
    header = {"a": E("F64", (3,), (1, 25)), "b": E("U8", (1,), (0, 1))}
    path = tmp_path / "x.safetensors"
    path.write_bytes(F(header, b"\7" + numbers.tobytes()))
    for mmap in (None, True):
        found = aino.load(path, mmap=mmap)
        assert found["a"].tolist() == [0, 1, 2]
        assert found["a"].array.flags.aligned
        assert found["b"].tolist() == [7]


def test_every_changed_byte_is_refused_or_read_as_it_stands(tmp_path):
    """Only a `FormatError`, or tensors of the shapes that the header then gives."""
    arrays = {"w": np.arange(4, dtype=np.float32), "on": np.array([True, False])}
    original = forge.of_arrays(arrays, __metadata__={"a": "b"})
    begin = original.index(b"}}") + 2
    for place in range(len(original)):
        for mask in (0x01, 0x10, 0x80, 0xFF):
            data = bytearray(original)
            data[place] ^= mask
            try:
                found = safetensors.load(bytes(data))
            except FormatError:
                continue
            assert sum(tensor.nbytes for tensor in found.values()) == len(original) - begin


def test_a_file_cut_anywhere_is_refused():
    original = forge.of_arrays({"w": np.arange(4, dtype=np.float32), "b": np.ones(1, np.int8)})
    for length in range(len(original)):
        with pytest.raises(FormatError):
            safetensors.load(original[:length])
        with pytest.raises(FormatError):
            aino.load(io.BytesIO(original[:length]))


MEGABYTE = 1 << 20


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    path = tmp_path_factory.mktemp("large") / "large.safetensors"
    aino.save({f"w{n}": np.full(MEGABYTE, n, np.float32) for n in range(4)}, path)
    return path


def test_memory_is_that_of_the_tensors_that_are_used(large, tmp_path):
    assert 16 * MEGABYTE < peak_of(aino.load, large) < 17 * MEGABYTE
    assert peak_of(aino.load, large, mmap=True) < MEGABYTE

    def one():
        with safetensors.safe_open(large) as file:
            return file.get_tensor("w2")

    def part():
        with safetensors.safe_open(large) as file:
            return file.get_slice("w2")[::1000]

    assert peak_of(one) < 5 * MEGABYTE
    assert peak_of(part) < MEGABYTE
    state = aino.load(large, mmap=True)
    assert peak_of(aino.save, state, tmp_path / "again.safetensors") < 4 * MEGABYTE
    assert (tmp_path / "again.safetensors").read_bytes() == large.read_bytes()


def test_a_mapped_bfloat16_alone_takes_memory(tmp_path):
    header = {
        "b": E("BF16", (MEGABYTE,), (0, 2 * MEGABYTE)),
        "w": E("F32", (MEGABYTE,), (2 * MEGABYTE, 6 * MEGABYTE)),
    }
    path = tmp_path / "x.safetensors"
    text = json.dumps(header).encode()
    path.write_bytes(F(text + b" " * (-len(text) % 8), bytes(6 * MEGABYTE)))
    assert 4 * MEGABYTE < peak_of(aino.load, path, mmap=True) < 5 * MEGABYTE
