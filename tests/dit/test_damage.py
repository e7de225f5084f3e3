"""Whatever happens to a file's bytes is noticed (DIT.md, lines 6 to 8)."""

import os
from pathlib import Path

import numpy as np
import pytest

import aino.dit as dit
from aino.autograd.tensor import Tensor
from aino.errors import DitError
from tests.dit import fakes, forge

DATA = Path(__file__).parent.parent / "data" / "legacy"


def refuses(path):
    """Whether both `load` and `verify` refuse the file with a `DitError` that names it."""
    for function in (dit.load, dit.verify):
        try:
            function(path)
            return False
        except DitError as error:
            named = str(path) in str(error)
        assert named
    return True


def every_byte(original, path, mask):
    """The offsets at which a byte combined with ``mask`` goes unnoticed."""
    unnoticed = []
    with path.open("r+b", buffering=0) as file:
        for offset, byte in enumerate(original):
            file.seek(offset)
            file.write(bytes([byte ^ mask]))
            if not refuses(path):
                unnoticed.append(offset)
            file.seek(offset)
            file.write(bytes([byte]))
    return unnoticed


@pytest.mark.parametrize("mask", [0x01, 0x20, 0x80, 0xFF])
def test_every_changed_byte_of_a_state_is_noticed(small, mask):
    original = small.read_bytes()
    assert len(original) > 1000
    assert every_byte(original, small, mask) == []
    assert small.read_bytes() == original


def test_every_changed_byte_of_a_model_is_noticed(tmp_path):
    path = tmp_path / "m.dit"
    dit.save(fakes.Net(2, tied=True).eval(), path)
    assert every_byte(path.read_bytes(), path, 0x04) == []


def test_each_single_bit_of_the_headers_is_noticed(tmp_path):
    path = tmp_path / "s.dit"
    dit.save(np.zeros(1, np.uint8), path)
    original = path.read_bytes()
    for bit in range(8):
        assert every_byte(original, path, 1 << bit) == []


@pytest.mark.parametrize("version", ["v1-sigmoid", "v2-tanh-sigmoid"])
def test_changed_numbers_in_old_files_are_noticed(tmp_path, version):
    original = (DATA / f"{version}.dit").read_bytes()
    start = original.index(b"layer_0_w.npy") + 13
    path = tmp_path / "old.dit"
    for offset in range(start, start + 200):
        damaged = bytearray(original)
        damaged[offset] ^= 0x10
        path.write_bytes(damaged)
        assert refuses(path), offset


def test_a_file_cut_at_any_length_is_refused(small, tmp_path):
    original = small.read_bytes()
    path = tmp_path / "cut.dit"
    path.write_bytes(original)
    with path.open("r+b") as file:
        for length in range(len(original) - 1, -1, -1):
            os.ftruncate(file.fileno(), length)
            assert refuses(path), length


def test_the_error_names_file_member_and_cause(small):
    original = small.read_bytes()
    place = original.index(np.array([1.5, -2.0], np.float32).tobytes())
    small.write_bytes(original[:place] + b"\x01" + original[place + 1 :])
    with pytest.raises(DitError, match=r"small\.dit: member 'w\.npy': is damaged: its SHA-256"):
        dit.load(small)
    with pytest.raises(DitError, match=r"member 'w\.npy': is damaged"):
        dit.verify(small)


def test_a_truncated_file_says_so(small):
    small.write_bytes(small.read_bytes()[:-30])
    with pytest.raises(DitError, match="truncated"):
        dit.load(small)


def test_bytes_before_and_after_the_archive_are_refused(small):
    original = small.read_bytes()
    small.write_bytes(original + b"\n")
    with pytest.raises(DitError, match="1 bytes follow the end of the archive"):
        dit.load(small)
    small.write_bytes(b"#!/bin/sh\n" + original)
    with pytest.raises(DitError, match="bytes stand before the archive"):
        dit.load(small)
    small.write_bytes(b"PK\x03\x04" + original)
    assert refuses(small)
    small.write_bytes(original + original)
    assert refuses(small)


@pytest.mark.parametrize("change", [b"", b"\0" * 8, b"\0" * 10])
def test_a_member_with_too_few_or_too_many_bytes_is_refused(tmp_path, change):
    data = b"\0" * 9
    document = forge.manifest([forge.row(data=data, shape=(9,), dtype="uint8")], {"$array": 0})
    content = forge.npy("|u1", "(9,)", change)
    path = tmp_path / "m.dit"
    path.write_bytes(forge.pack([("dit.json", forge.seal(document)), ("w.npy", content)]))
    with pytest.raises(DitError, match=r"'w.npy': is \d+ bytes long; uint8 of shape \(9,\) takes"):
        dit.load(path)
    whole = forge.npy("|u1", "(9,)", data)
    path.write_bytes(forge.pack([("dit.json", forge.seal(document)), ("w.npy", whole)]))
    assert np.array_equal(dit.load(path), np.zeros(9, np.uint8))


def test_a_tensor_of_bool_holds_only_false_and_true(tmp_path):
    path = tmp_path / "b.dit"
    data = b"\0\1\2"
    document = forge.manifest([forge.row(data=data, shape=(3,), dtype="bool")], {"$array": 0})
    content = forge.npy("|b1", "(3,)", data)
    path.write_bytes(forge.pack([("dit.json", forge.seal(document)), ("w.npy", content)]))
    assert refuses(path)
    with pytest.raises(DitError, match="neither True nor False"):
        dit.load(path)


def test_memory_that_was_viewed_as_bool_is_saved_as_bool(tmp_path):
    path = tmp_path / "b.dit"
    dit.save(Tensor(np.array([0, 1, 2], np.uint8).view(bool)), path)
    assert dit.load(path).array.view(np.uint8).tolist() == [0, 1, 1]


def test_both_checksums_are_compared(tmp_path):
    """The SHA-256 where the CRC-32 is right, and the CRC-32 where the SHA-256 is right."""
    path = tmp_path / "f.dit"
    row = forge.row(data=b"\1" * 8)
    text = forge.seal(forge.manifest([row], {"$array": 0}))
    members = [("dit.json", text), ("w.npy", forge.npy(data=b"\2" * 8))]
    path.write_bytes(forge.pack(members))
    for function in (dit.load, dit.verify):
        with pytest.raises(DitError, match=r"'w\.npy': is damaged: its SHA-256"):
            function(path)
    members[1] = ("w.npy", forge.npy(data=b"\1" * 8))
    path.write_bytes(forge.pack(members, wrong="w.npy"))
    with pytest.raises(DitError, match=r"'w\.npy': is damaged: its CRC-32"):
        dit.verify(path)
    path.write_bytes(forge.pack(members, wrong="dit.json"))
    with pytest.raises(DitError, match=r"'dit\.json': is damaged: its CRC-32"):
        dit.load(path)
