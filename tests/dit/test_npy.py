"""Headers of members: what may stand there, and what is refused (DIT.md, line 10)."""

import io
import re
import tracemalloc

import numpy as np
import pytest

import aino.dit as dit
from aino.dit import npy
from aino.errors import DitError
from tests.dit import forge

ALL = (
    "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64 "
    "complex64 complex128"
)


@pytest.mark.parametrize("name", ALL.split())
@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (0, 4), (1,) * 64])
def test_headers_mean_to_numpy_what_they_mean_here(name, shape):
    array = np.zeros(shape, name)
    header = npy.make_header(array.dtype, shape)
    file = io.BytesIO(header)
    assert np.lib.format.read_magic(file) == (1, 0)
    assert np.lib.format.read_array_header_1_0(file) == (shape, False, array.dtype)
    assert file.tell() == len(header)
    assert len(header) % 64 == 0
    assert npy.read_header(header) == (array.dtype, shape, False, len(header))


@pytest.mark.parametrize("array", [np.zeros(3), np.zeros((2, 3), ">f4", "F"), np.array("relu")])
def test_headers_that_numpy_writes_are_read(array):
    file = io.BytesIO()
    np.save(file, array)
    header = npy.read_header(file.getvalue())
    assert header == (array.dtype, array.shape, array.ndim == 2, file.tell() - array.nbytes)


def loaded(tmp_path, dtype="float32", shape=(2,), member=None, data=b"\0" * 8):
    """What comes of a file whose manifest is sound and whose member is the one given."""
    row = forge.row("w", dtype, shape, data)
    document = forge.manifest([row], {"$array": 0})
    path = tmp_path / "f.dit"
    member = forge.npy() if member is None else member
    path.write_bytes(forge.pack([("dit.json", forge.seal(document)), ("w.npy", member)]))
    return dit.load(path)


def test_the_forgery_is_sound_where_nothing_is_changed(tmp_path):
    assert np.array_equal(loaded(tmp_path), np.zeros(2, np.float32))


HEADERS = {
    "Fortran": (forge.npy(order="True"), "is in Fortran order"),
    "big-endian": (forge.npy(">f4"), "is big-endian"),
    "another dtype": (forge.npy("<i4"), r"says int32 of shape \(2,\), the manifest does not"),
    "another shape": (forge.npy(shape="(1, 2)"), "the manifest does not"),
    "objects": (forge.npy("|O"), "holds objects"),
    "text": (forge.npy("<U1"), "the manifest does not"),
    "bytes": (forge.npy("|S4"), "holds bytes"),
    "dates": (forge.npy("<M8[D]"), "holds dates"),
    "spans": (forge.npy("<m8[s]"), "holds time spans"),
    "void": (forge.npy("|V4"), "holds a structured or void dtype"),
    "structured": (
        forge.npy(text="{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }"),
        "has a structured dtype",
    ),
    "float128": (forge.npy("<f16"), "holds dtype '<f16'"),
    "float8": (forge.npy("<f1"), "holds dtype '<f1'"),
    "no dtype": (forge.npy("xyz"), "holds dtype 'xyz'"),
    "code": (forge.npy(text="__import__('os').system('false')"), "NumPy does not write"),
    "deep": (forge.npy(text="(" * 1000), "NumPy does not write"),
    "twice": (
        forge.npy(text="{'descr': '<f4', 'descr': '|O', 'fortran_order': False, 'shape': (2,), }"),
        "NumPy does not write",
    ),
    "negative": (forge.npy(shape="(-2,)"), "NumPy does not write"),
    "fraction": (forge.npy(shape="(2.0,)"), "NumPy does not write"),
    "truth": (forge.npy(shape="(True,)"), "NumPy does not write"),
    "octal": (forge.npy(shape="(02,)"), "NumPy does not write"),
    "spaces": (forge.npy(shape="(  2,)"), "NumPy does not write"),
    "not a tuple": (forge.npy(shape="(2)"), "NumPy does not write"),
    "overflow": (forge.npy(shape=f"({2**62}, 4)"), "overflows"),
    "65 dimensions": (forge.npy(shape=f"({'1, ' * 64}1)"), "65 dimensions"),
    "empty": (b"", "bytes long"),
    "no magic": (b"\x93NUMPX" + forge.npy()[6:], "magic is missing"),
    "version 9": (b"\x93NUMPY\x09\x00" + forge.npy()[8:], r"unknown version \(9, 0\)"),
    "huge": (b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + forge.npy()[12:], "claims 4,294,967,295 bytes"),
    "longer": (b"\x93NUMPY\x01\x00\xff\xff" + forge.npy()[10:], "claims 65,535 bytes"),
}


@pytest.mark.parametrize("what", HEADERS)
def test_a_member_with_another_header_is_refused(tmp_path, what):
    member, match = HEADERS[what]
    size = len(forge.npy())
    match = match if len(member) == size else "bytes long"
    tracemalloc.start()
    try:
        with pytest.raises(DitError, match=match) as caught:
            loaded(tmp_path, member=member)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()
    assert "'w.npy'" in str(caught.value)


@pytest.mark.parametrize("what", [key for key in HEADERS if key not in ("text", "empty")])
def test_an_old_file_with_such_a_header_is_refused_or_converted(tmp_path, what):
    member, match = HEADERS[what]
    problem = npy.read_header(member)
    if what in ("Fortran", "big-endian", "another dtype", "another shape"):
        assert not isinstance(problem, str)
    else:
        assert isinstance(problem, str)
        assert re.search(match, problem)


SHAPES = {
    "negative": ([-2], "has a negative size"),
    "fraction": ([2.0], "not a list of whole numbers"),
    "truth": ([True], "not a list of whole numbers"),
    "text": (["2"], "not a list of whole numbers"),
    "nothing": (None, "not a list of whole numbers"),
    "number": (2, "not a list of whole numbers"),
    "nested": ([[2]], "not a list of whole numbers"),
    "overflow": ([2**62, 2**62], "overflows"),
    "overflow with nothing": ([0, 2**62, 2**62], "overflows"),
    "wraps around to 2": ([2**63 + 1, 2], "overflows"),
    "65 dimensions": ([1] * 65, "65 dimensions"),
    "too large": ([3], "claims 8 bytes"),
    "too small": ([1], "claims 8 bytes"),
}


@pytest.mark.parametrize("what", SHAPES)
def test_a_manifest_with_an_impossible_shape_is_refused(tmp_path, what):
    shape, match = SHAPES[what]
    row = forge.row()
    row[3] = shape
    document = forge.manifest([row], {"$array": 0})
    path = tmp_path / "f.dit"
    path.write_bytes(forge.pack([("dit.json", forge.seal(document)), ("w.npy", forge.npy())]))
    for function in (dit.load, dit.verify):
        with pytest.raises(DitError, match=match):
            function(path)


@pytest.mark.parametrize(
    "dtype", ["object", "float128", "bfloat16", "str", "V4", "M8[D]", "", None, 4]
)
def test_a_manifest_with_another_dtype_is_refused(tmp_path, dtype):
    row = forge.row()
    row[2] = dtype
    document = forge.manifest([row], {"$array": 0})
    path = tmp_path / "f.dit"
    path.write_bytes(forge.pack([("dit.json", forge.seal(document)), ("w.npy", forge.npy())]))
    with pytest.raises(DitError, match="has the dtype"):
        dit.load(path)


@pytest.mark.parametrize("nbytes", [-8, 0, 7, 9, 8.0, True, None, "8", 10**1000])
def test_a_manifest_with_another_byte_length_is_refused(tmp_path, nbytes):
    row = forge.row()
    row[4] = nbytes
    document = forge.manifest([row], {"$array": 0})
    path = tmp_path / "f.dit"
    path.write_bytes(forge.pack([("dit.json", forge.seal(document)), ("w.npy", forge.npy())]))
    with pytest.raises(DitError, match="claims"):
        dit.load(path)
