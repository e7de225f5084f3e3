"""Safetensors: what is saved comes back, as the package itself writes and reads it."""

import io
import os

import numpy as np
import pytest

import aino
from aino import nn
from aino.errors import FormatError, StateDictError
from aino.formats import safetensors
from tests.formats import forge

package = pytest.importorskip("safetensors.numpy")

ARRAYS = {
    name: np.arange(6).reshape(2, 3).astype(name) * (1 + 2j if name == "complex64" else 1)
    for name in forge.CODES
} | {
    "0-d": np.array(3.5, np.float32),
    "empty": np.empty((0, 3), np.int16),
    "no rows": np.empty((2, 0), np.float64),
    "with.dots/and ünïcode": np.ones(5, np.int8),
}  # fmt: skip


def same(left, right):
    return (
        left.dtype == right.dtype
        and left.shape == right.shape
        and np.array_equal(left, right, equal_nan=left.dtype.kind in "fc")
    )


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("st") / "all.safetensors"
    package.save_file(ARRAYS, path, metadata={"format": "pt"})
    return path


@pytest.mark.parametrize("mmap", [None, True])
def test_what_the_package_writes_is_read(path, mmap):
    found = aino.load(path, mmap=mmap)
    assert set(found) == set(ARRAYS)
    for name, array in ARRAYS.items():
        assert type(found[name]) is aino.Tensor
        assert same(found[name].array, array), name
        assert found[name].array.flags.aligned
        assert found[name].array.flags.writeable
        assert found[name].array.dtype is aino.dtypes.BY_NAME[array.dtype.name]


def test_the_bytes_are_the_packages(tmp_path):
    ours, theirs = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    for metadata in (None, {"format": "pt"}):
        aino.save({name: aino.from_numpy(array) for name, array in ARRAYS.items()}, ours, metadata)
        package.save_file(ARRAYS, theirs, metadata=metadata)
        assert ours.read_bytes() == theirs.read_bytes()
    assert safetensors.save(ARRAYS, {"format": "pt"}) == theirs.read_bytes()


@pytest.mark.parametrize(
    "array",
    [
        np.arange(12.0).reshape(3, 4).T,
        np.arange(12.0)[::-2],
        np.asfortranarray(np.arange(12).reshape(3, 4)),
        np.broadcast_to(np.float32(2), (2, 2)),
        np.arange(3, dtype=">i4"),
        np.float16(3),
        np.array([0, 1, 2], np.uint8).view(bool),
    ],
    ids=["transposed", "backwards", "Fortran", "broadcast", "big-endian", "a scalar", "odd bools"],
)
def test_any_layout_is_written_in_order(tmp_path, array):
    path = tmp_path / "a.safetensors"
    aino.save({"a": array}, path)
    found = package.load_file(path)["a"]
    assert np.array_equal(found, array)
    assert np.array_equal(aino.load(path)["a"].array, array)
    if array.dtype == bool:
        assert found.view(np.uint8).max() == 1


def test_open_files_and_bytes(path):
    data = path.read_bytes()
    padded = io.BytesIO(b"before" + data)
    padded.seek(6)
    for found in (aino.load(padded), safetensors.load(data), safetensors.load_file(path)):
        assert all(same(found[name].array, array) for name, array in ARRAYS.items())
    assert padded.tell() == len(data) + 6
    with path.open("rb") as file:
        assert set(aino.load(file)) == set(ARRAYS)


# bfloat16 is the upper half of a float32.
BFLOATS = {
    0x3F80: 1.0,
    0xC040: -3.0,
    0x0000: 0.0,
    0x7F80: np.inf,
    0x0001: 2.0**-133,
    0x7F7F: 255 * 2.0**120,
}


@pytest.mark.parametrize("mmap", [None, True])
def test_bfloat16_becomes_float32_exactly(tmp_path, mmap):
    bits = np.array([*BFLOATS], "<u2")
    path = tmp_path / "b.safetensors"
    header = {"b": forge.entry("BF16", bits.shape, (0, bits.nbytes))}
    path.write_bytes(forge.safetensors(header, bits.tobytes()))
    found = aino.load(path, mmap=mmap)["b"]
    assert found.dtype == aino.float32
    assert found.tolist() == [*BFLOATS.values()]
    with safetensors.safe_open(path) as file:
        assert file.get_slice("b")[1:3].tolist() == [-3, 0]
        assert file.get_slice("b").get_dtype() == "BF16"


@pytest.mark.parametrize("code", ["F8_E4M3", "F8_E5M2", "F8_E8M0", "F4"])
def test_numbers_that_numpy_does_not_have_are_refused_by_name(tmp_path, code):
    path = tmp_path / "f.safetensors"
    size = 1 if code == "F4" else 2
    header = {
        "ok": forge.entry("U8", (1,), (size, size + 1)),
        "x": forge.entry(code, (2,), (0, size)),
    }
    path.write_bytes(forge.safetensors(header, b"\0" * (size + 1)))
    with pytest.raises(FormatError, match=rf"holds 'x' as {code}, which NumPy does not have"):
        aino.load(path)
    with safetensors.safe_open(path) as file:
        assert file.get_tensor("ok").tolist() == [0]


def test_one_tensor_at_a_time(path):
    with safetensors.safe_open(path, framework="pt", device="cpu") as file:
        assert file.metadata() == {"format": "pt"}
        assert set(file.keys()) == set(file.offset_keys()) == set(ARRAYS)
        part = file.get_slice("float64")
        assert part.get_shape() == [2, 3]
        assert part.get_dtype() == "F64"
        assert part[:, 1].tolist() == [1, 4]
        assert part[-1, ::2].tolist() == [3, 5]
        assert file.get_slice("empty")[:, 1:].shape == (0, 2)
        assert type(file.get_tensor("0-d")) is aino.Tensor
        assert file.get_tensors()["0-d"].item() == 3.5
        with pytest.raises(FormatError, match="holds no tensor 'missing'"):
            file.get_tensor("missing")
    with safetensors.safe_open(path, "np") as file:
        assert type(file.get_tensor("float32")) is np.ndarray
    with pytest.raises(FormatError, match="framework"):
        safetensors.safe_open(path, "tf")


def test_a_mapped_tensor_is_private(tmp_path):
    path = tmp_path / "m.safetensors"
    aino.save({"w": np.zeros(5000, np.float32)}, path)
    before = path.read_bytes()
    found = aino.load(path, mmap=True)["w"]
    found[0] = 5
    assert found[0] == 5
    assert path.read_bytes() == before


def test_where_tensors_go(path):
    seen = []
    aino.load(path, map_location=lambda tensor, device: seen.append(device))
    assert seen == ["cpu"] * len(ARRAYS)
    for location in ("cpu", {"cuda:0": "cpu"}, aino.device("cpu")):
        assert len(aino.load(path, location)) == len(ARRAYS)
    with pytest.raises(aino.errors.DeviceError):
        aino.load(path, "cuda")


# Saving refuses by name, and leaves what was there.

SHARED = aino.ones(4)
REFUSED = {
    "a list": ([1], "named tensors; a list is none"),
    "a tensor": (SHARED, "a Tensor is none"),
    "nesting": ({"a": {"b": SHARED}}, "'a' is a dict; a .safetensors holds tensors alone"),
    "a number": ({"epoch": 3}, "'epoch' is an int"),
    "a number as name": ({1: SHARED}, "1 cannot be the name"),
    "the metadata's name": ({"__metadata__": SHARED}, "'__metadata__' cannot be the name"),
    "complex128": ({"z": np.ones(2, complex)}, "'z' has dtype complex128"),
    "text": ({"t": np.array("text")}, "'t' has dtype <U4"),
    "objects": ({"o": np.array([None])}, "'o' has dtype object"),
    "half a character": ({"\ud800": SHARED}, "half of a character"),
    "tied": ({"a": SHARED, "b": SHARED}, "'a' and 'b' share memory"),
    "a lazy module": (nn.LazyLinear(2).state_dict(), "'weight' waits for its shape"),
    "overlapping": ({"a": SHARED[:3], "b": SHARED[2:]}, "'a' and 'b' share memory"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_saved_is_refused_before_the_file_is_touched(tmp_path, what):
    state, match = REFUSED[what]
    path = tmp_path / "x.safetensors"
    path.write_bytes(b"old")
    with pytest.raises(FormatError, match=match):
        aino.save(state, path)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["x.safetensors"]


@pytest.mark.parametrize(
    "metadata", [3, [("a", "b")], {"a": 1}, {1: "a"}, {"a": None}, {"a": "\udc00"}]
)
def test_metadata_are_strings(tmp_path, metadata):
    with pytest.raises(FormatError, match=r"metadata|half of a character"):
        aino.save({"a": aino.ones(1)}, tmp_path / "x.safetensors", metadata=metadata)
    assert os.listdir(tmp_path) == []


def test_rows_and_columns_of_one_matrix_do_not_overlap(tmp_path):
    whole = aino.arange(6).reshape(2, 3)
    state = {"row": whole[0], "rest": whole[1], "none": whole[:0]}
    aino.save(state, tmp_path / "rows.safetensors")
    aino.save({"a": whole[:, 0], "b": whole[:, 1:]}, tmp_path / "columns.safetensors")
    assert aino.load(tmp_path / "columns.safetensors")["b"].tolist() == [[1, 2], [4, 5]]


def test_a_path_that_cannot_be_written(tmp_path):
    with pytest.raises(FormatError, match="cannot be written"):
        aino.save({"a": aino.ones(1)}, tmp_path / "missing" / "x.safetensors")
    with pytest.raises(FileNotFoundError, match="no such file"):
        aino.load(tmp_path / "missing.safetensors")


# Modules


class Tied(nn.Module):
    """Two names of one weight, as language models have."""

    def __init__(self):
        super().__init__()
        self.wte = nn.Embedding(5, 3)
        self.lm_head = nn.Linear(3, 5, bias=False)
        self.lm_head.weight = self.wte.weight


@pytest.mark.parametrize("save", [aino.save, safetensors.save_model, nn.Module.save])
def test_a_module_is_saved_with_each_weight_once(tmp_path, save):
    path = tmp_path / "m.safetensors"
    model = Tied()
    save(model, path)
    assert sorted(package.load_file(path)) == ["lm_head.weight"]
    with safetensors.safe_open(path) as file:
        assert file.metadata() == {"wte.weight": "lm_head.weight"}
    fresh = Tied()
    assert safetensors.load_model(fresh, path) == ([], [])
    assert np.array_equal(fresh.wte.weight.numpy(force=True), model.wte.weight.numpy(force=True))
    assert fresh.lm_head.weight is fresh.wte.weight


def test_a_file_that_keeps_the_other_name_loads(tmp_path):
    path = tmp_path / "m.safetensors"
    model = Tied()
    aino.save({"wte.weight": model.wte.weight}, path)
    fresh = Tied()
    assert safetensors.load_model(fresh, path) == ([], [])
    assert np.array_equal(fresh.wte.weight.numpy(force=True), model.wte.weight.numpy(force=True))


def test_a_file_that_does_not_fit_changes_nothing(tmp_path):
    path = tmp_path / "m.safetensors"
    model = nn.Linear(2, 3)
    before = model.weight.clone()
    aino.save({"weight": aino.ones(3, 2), "other": aino.ones(1)}, path)
    with pytest.raises(StateDictError, match="lacks 'bias'; the model has no 'other'"):
        safetensors.load_model(model, path)
    assert aino.equal(model.weight, before)
    assert safetensors.load_model(model, path, strict=False) == (["bias"], ["other"])
    assert aino.equal(model.weight, aino.ones(3, 2))
    aino.save({"weight": aino.ones(2, 2), "bias": aino.ones(3)}, path)
    with pytest.raises(StateDictError):
        safetensors.load_model(model, path)
    assert aino.equal(model.weight, aino.ones(3, 2))
    with pytest.raises(FormatError, match="expected a module, got dict"):
        safetensors.save_model({}, path)


def test_parts_of_one_memory_that_nobody_holds_whole(tmp_path):
    model, memory = nn.Module(), aino.ones(6)
    model.register_buffer("a", memory[:4])
    model.register_buffer("b", memory[2:])
    with pytest.raises(FormatError, match="'a', 'b' share parts of their memory"):
        aino.save(model, tmp_path / "x.safetensors")
    model.register_buffer("c", memory)
    aino.save(model, tmp_path / "x.safetensors")
    assert [*aino.load(tmp_path / "x.safetensors")] == ["c"]


def test_without_the_package_the_error_names_the_extra(path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "safetensors", None)
    with pytest.raises(ImportError, match=r"pip install 'aino\[safetensors\]'"):
        aino.load(path)
