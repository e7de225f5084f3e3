# ruff: noqa: SIM115 - these files are opened to be misused
"""Files that the caller has opened: what they are written, and read, as a path is."""

import bz2
import gc
import gzip
import io
import os
import tempfile
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest

import aino
from aino import dit, nn
from aino.autograd.tensor import Tensor
from aino.errors import DitError

OLD = Path(__file__).parent.parent / "data" / "legacy"
STATE = {"w": Tensor(np.arange(300_000, dtype=np.float32)), "step": 7, "names": ["a", None]}


def same(value):
    assert np.array_equal(value["w"].array, STATE["w"].array)
    assert value["step"] == 7
    assert value["names"] == ["a", None]


class Minimal:
    """A file of the user's own that has no more than it needs."""

    def __init__(self, data=b""):
        self.inner = io.BytesIO(data)
        self.read, self.seek, self.tell = self.inner.read, self.inner.seek, self.inner.tell

    def write(self, data):
        self.inner.write(data)  # returns nothing, as some do


class Drops(io.RawIOBase):
    """A raw file that takes and gives a few bytes at a time."""

    def __init__(self):
        self.inner = io.BytesIO()

    def readable(self):
        return True

    writable = seekable = readable

    def seek(self, *arguments):
        return self.inner.seek(*arguments)

    def tell(self):
        return self.inner.tell()

    def readinto(self, target):
        return self.inner.readinto(memoryview(target)[:1001])

    def write(self, data):
        return self.inner.write(data[:1001])


KINDS = {
    "BytesIO": lambda folder: io.BytesIO(),
    "w+b": lambda folder: open(folder / "f", "w+b"),
    "unbuffered": lambda folder: open(folder / "f", "w+b", buffering=0),
    "append": lambda folder: open(folder / "f", "a+b"),
    "temporary": lambda folder: tempfile.TemporaryFile(),
    "named temporary": lambda folder: tempfile.NamedTemporaryFile(dir=folder),
    "spooled": lambda folder: tempfile.SpooledTemporaryFile(max_size=1000),
    "minimal": lambda folder: Minimal(),
    "drops": lambda folder: Drops(),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("before", [b"", b"before"])
def test_what_is_saved_in_an_open_file_is_loaded_from_it(kind, before, tmp_path):
    file = KINDS[kind](tmp_path)
    file.write(before)
    dit.save(STATE, file, metadata={"k": "v"})
    end = file.tell()
    file.seek(len(before))
    same(dit.load(file))
    assert file.tell() == end
    file.seek(len(before))
    assert dit.verify(file).tensors == 1
    file.seek(len(before))
    assert "metadata\n  k: v" in dit.describe(file)
    file.seek(0)
    assert file.read(len(before)) == before
    dit.save(STATE, tmp_path / "path.dit", metadata={"k": "v"})
    assert b"".join(iter(lambda: file.read(1 << 20), b"")) == (tmp_path / "path.dit").read_bytes()
    if hasattr(file, "close"):
        assert not getattr(file, "closed", False)
        file.close()


@pytest.mark.parametrize("name", ["model", "checkpoint", "old"])
def test_every_kind_of_file_is_read_from_memory(name, tmp_path):
    path = tmp_path / "x.dit"
    if name == "old":
        path = next(OLD.glob("v2-*.dit"))
    else:
        model = nn.Sequential(nn.Linear(2, 3), nn.Tanh())
        dit.save(model if name == "model" else {"m": model, "n": 1}, path)
    found, expected = dit.load(io.BytesIO(path.read_bytes())), dit.load(path)
    assert repr(found) == repr(expected)
    assert dit.verify(io.BytesIO(path.read_bytes()))._replace(path="") == dit.verify(path)._replace(
        path=""
    )


def test_a_model_and_a_network_go_through_memory():
    file = io.BytesIO()
    model = aino.NeuralNetwork([2, 3, 1], seed=0)
    model.save(file)
    file.seek(0)
    back = aino.NeuralNetwork.load(file)
    x = aino.ones(4, 2)
    assert aino.equal(model(x), back(x))


@pytest.mark.parametrize("kind", ["gzip", "bz2", "zip"])
def test_compressed_files_take_and_give_a_dit(kind, tmp_path):
    path = tmp_path / "x"
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as archive, archive.open("m.dit", "w") as file:
            dit.save(STATE, file)
        with zipfile.ZipFile(path) as archive, archive.open("m.dit") as file:
            same(dit.load(file))
        return
    opened = {"gzip": gzip.open, "bz2": bz2.open}[kind]
    with opened(path, "wb") as file:
        dit.save(STATE, file)
    with opened(path, "rb") as file:
        same(dit.load(file))


def test_a_pipe_is_written_and_not_read():
    reading, writing = os.pipe()
    received = []

    def receive():
        with open(reading, "rb") as file:
            received.append(file.read())

    thread = threading.Thread(target=receive)
    thread.start()
    with open(writing, "wb") as file:
        dit.save(STATE, file)
    thread.join()
    same(dit.load(io.BytesIO(received[0])))
    reading, writing = os.pipe()
    os.close(writing)
    with open(reading, "rb") as file, pytest.raises(DitError, match=r"read it into an io\.BytesIO"):
        dit.load(file)


# --- what is refused --------------------------------------------------------------------------


def closed(folder):
    file = io.BytesIO()
    file.close()
    return file


def closed_file(folder):
    file = open(folder / "c", "w+b")
    file.close()
    return file


def behind(folder):
    file = io.BytesIO(b"123")
    file.seek(7)
    return file


class Texts(Minimal):
    def read(self, *arguments):
        return "text"

    def __init__(self):
        super().__init__(b"12345")
        del self.read


SAVING = {
    "text": (lambda folder: open(folder / "t", "w"), "open as text; open it in binary mode"),
    "StringIO": (lambda folder: io.StringIO(), "open as text"),
    "temporary text": (lambda folder: tempfile.NamedTemporaryFile("w+"), "open as text"),
    "closed": (closed, "is closed"),
    "closed file": (closed_file, "is closed"),
    "reading": (lambda folder: open(os.devnull, "rb"), "not open for writing"),
    "no write": (lambda folder: gzip.GzipFile(fileobj=io.BytesIO(b""), mode="rb"), "for writing"),
}
LOADING = {
    "text": (lambda folder: open(os.devnull), "open as text; open it in binary mode"),
    "StringIO": (lambda folder: io.StringIO("x"), "open as text"),
    "closed": (closed, "is closed"),
    "closed file": (closed_file, "is closed"),
    "writing": (lambda folder: open(folder / "w", "wb"), "not open for reading"),
    "empty": (lambda folder: io.BytesIO(), "empty"),
    "behind": (behind, "stands behind its end"),
    "gives text": (lambda folder: Texts(), "gives str"),
    "not a dit": (lambda folder: io.BytesIO(b"hello"), "looks like text"),
}


@pytest.mark.parametrize("kind", SAVING)
def test_a_file_that_takes_no_bytes_is_refused_before_anything_is_stored(kind, tmp_path):
    make, words = SAVING[kind]
    with pytest.raises(DitError, match=words):
        dit.save(STATE, make(tmp_path))


@pytest.mark.parametrize("kind", LOADING)
@pytest.mark.parametrize("function", [dit.load, dit.verify, dit.describe])
def test_a_file_that_gives_no_dit_is_refused(kind, function, tmp_path):
    make, words = LOADING[kind]
    with pytest.raises(DitError, match=words):
        function(make(tmp_path))


def test_two_archives_in_one_file_are_not_read_as_one():
    file = io.BytesIO()
    dit.save(1, file)
    second = file.tell()
    dit.save(2, file)
    file.seek(second)
    assert dit.load(file) == 2
    file.seek(0)
    with pytest.raises(DitError, match="bytes were added"):
        dit.load(file)
    assert file.tell() == 0  # where it was: what is refused moves nothing


def test_what_cannot_be_stored_leaves_an_open_file_as_it_was():
    file = io.BytesIO(b"old")
    file.seek(1)
    with pytest.raises(DitError, match=r"<BytesIO>: bad is code"):
        dit.save({"w": np.ones(3), "bad": len}, file)
    assert (file.getvalue(), file.tell()) == (b"old", 1)


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_part_that_is_refused_takes_back_those_before_it(error):
    class Full(io.BytesIO):
        room = 1_000_000

        def write(self, data):
            if self.tell() + len(data) > self.room:
                raise error
            return super().write(data)

    file = Full()
    file.write(b"before")
    with pytest.raises(DitError if isinstance(error, OSError) else KeyboardInterrupt):
        dit.save(STATE, file)
    assert file.getvalue() == b"before"


def test_an_open_file_is_not_mapped():
    file = io.BytesIO()
    dit.save(STATE, file)
    file.seek(0)
    with pytest.raises(DitError, match="mmap=True takes a path"):
        dit.load(file, mmap=True)


def test_a_large_archive_is_made_outside_memory(tmp_path, monkeypatch):
    monkeypatch.setattr("aino.dit.handing_over._IN_MEMORY", 1000)
    file = io.BytesIO()
    dit.save(STATE, file)
    file.seek(0)
    same(dit.load(file))


# --- PyTorch's arguments ----------------------------------------------------------------------


def file_of(value):
    file = io.BytesIO()
    dit.save(value, file)
    file.seek(0)
    return file


SOUND = {
    "None": None,
    "cpu": "cpu",
    "cpu:0": "cpu:0",
    "device": aino.device("cpu"),
    "dict": {"cuda:0": "cpu"},
    "dict of devices": {aino.device("cuda"): aino.device("cpu"), "cpu": "cpu"},
    "dict without cpu": {"cuda:1": "cuda:0"},
    "storage": lambda storage, location: storage,
    "nothing": lambda storage, location: None,
    "moved": lambda storage, location: storage.cpu(),
    "copied": lambda storage, location: storage.clone(),
}
UNSOUND = {
    "cuda": ("cuda", RuntimeError, "there is no device 'cuda' here"),
    "cuda device": (aino.device("cuda:1"), AssertionError, "there is no device 'cuda:1' here"),
    "meta": ("meta", RuntimeError, "no device 'meta'"),
    "unknown": ("gpu", RuntimeError, "'gpu' is not a device"),
    "number": (0, TypeError, "map_location is a device, a dict of devices or a function"),
    "list": (["cpu"], TypeError, "map_location is a device"),
    "dict": ({"cpu": "cuda"}, RuntimeError, "no device 'cuda'"),
    "dict of numbers": ({"cuda": 0}, TypeError, "maps devices to devices, not 0"),
    "function": (lambda storage, location: storage.cuda(), RuntimeError, "no device 'cuda'"),
    "number back": (lambda storage, location: 3, TypeError, "returned a int"),
    "shape": (lambda storage, location: storage[:1], TypeError, r"shape \(1,\) for one of"),
}


@pytest.mark.parametrize("location", SOUND)
@pytest.mark.parametrize("value", [STATE, nn.Linear(3, 2)], ids=["state", "model"])
def test_map_location_takes_what_leaves_tensors_on_the_cpu(location, value):
    for call in (
        lambda: dit.load(file_of(value), SOUND[location]),
        lambda: dit.load(file_of(value), map_location=SOUND[location]),
    ):
        assert repr(call()) == repr(value)


@pytest.mark.parametrize("location", UNSOUND)
def test_map_location_elsewhere_is_refused_in_words(location):
    where, kind, words = UNSOUND[location]
    with pytest.raises(kind, match=words):
        dit.load(file_of(STATE), where)


def test_map_location_is_told_of_each_tensor():
    met = []
    value = {"a": np.ones(2), "b": Tensor(np.zeros(3)), "c": 1}
    dit.load(file_of(value), lambda storage, location: met.append((storage.shape, location)))
    assert met == [((2,), "cpu"), ((3,), "cpu")]


@pytest.mark.parametrize("value", [STATE, 1, {"a": [np.ones(1)]}])
def test_weights_only_takes_states(value):
    for wanted in (True, False, None):
        assert repr(dit.load(file_of(value), weights_only=wanted)) == repr(value)


def test_weights_only_refuses_models():
    for value in (nn.Linear(2, 2), {"model": nn.Linear(2, 2)}):
        with pytest.raises(DitError, match=r"holds models \(Linear\), and weights_only=True"):
            dit.load(file_of(value), weights_only=True)
        dit.load(file_of(value), weights_only=False)
    with pytest.raises(DitError, match=r"holds a model \(NeuralNetwork\)"):
        dit.load(next(OLD.glob("v1-*.dit")), weights_only=True)


@pytest.mark.parametrize("name", ["weights_only", "mmap"])
@pytest.mark.parametrize("value", [1, "yes", 0])
def test_a_switch_is_a_boolean(name, value):
    with pytest.raises(TypeError, match=f"{name} is True, False or None"):
        dit.load(file_of(1), **{name: value})


def test_pickle_arguments_change_nothing():
    file = io.BytesIO()
    aino.save([1, 2], f=file, pickle_module=None, pickle_protocol=4)
    file.seek(0)
    assert aino.load(f=file, pickle_module=None) == [1, 2]


# --- the memory of it all ---------------------------------------------------------------------


LEAVE_NOTHING = {
    "save a state": lambda path: dit.save(STATE, path),
    "save a model": lambda path: dit.save(nn.Sequential(nn.Linear(2, 3), nn.Tanh()), path),
    "save a checkpoint": lambda path: dit.save({"m": nn.Linear(2, 3), "s": STATE}, path),
    "save into memory": lambda path: dit.save(STATE, io.BytesIO()),
    "load": lambda path: dit.load(path),
    "load mapped": lambda path: dit.load(path, mmap=True),
    "load with a function": lambda path: dit.load(path, map_location=lambda storage, place: None),
    "load from memory": lambda path: dit.load(io.BytesIO(path.read_bytes())),
    "verify": lambda path: dit.verify(path),
    "describe": lambda path: dit.describe(path),
    "refuse to save": lambda path: refused(lambda: dit.save({"s": STATE, "c": len}, path)),
    "refuse to load": lambda path: refused(lambda: dit.load(io.BytesIO(path.read_bytes()[:-1]))),
    "refuse weights": lambda path: refused(lambda: dit.load(path, weights_only=True)),
}


def refused(function):
    with pytest.raises(DitError):
        function()


@pytest.mark.parametrize("name", LEAVE_NOTHING)
def test_reference_counting_alone_frees_everything(name, tmp_path):
    path = tmp_path / "x.dit"
    content = {"m": nn.Sequential(nn.Linear(2, 3), nn.Tanh()), "s": STATE}
    dit.save(content, path)
    LEAVE_NOTHING[name](path)  # what the first call imports and caches stays
    descriptors = count_descriptors()
    gc.collect()
    gc.disable()
    try:
        LEAVE_NOTHING[name](path)
        assert count_descriptors() == descriptors
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        left = [type(item).__name__ for item in gc.garbage]
        assert not {"ndarray", "Describer", "Rebuilder", "Reader", "Tensor", "mmap"} & {*left}
        assert not [item for item in gc.garbage if type(item).__module__.startswith("aino")]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()


def count_descriptors():
    return len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
