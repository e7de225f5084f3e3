"""Mapped tensors, and how much memory and time opening takes."""

import tracemalloc

import numpy as np
import pytest

import aino
from aino import dit, nn
from aino.autograd.tensor import Tensor
from aino.dit.source import Source
from aino.errors import DitError
from tests.dit import fakes, forge

MEGABYTE = 1 << 20


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A file of 64 MiB, and its arrays."""
    path = tmp_path_factory.mktemp("large") / "large.dit"
    arrays = [np.full(4 * MEGABYTE, n, np.float32) for n in range(4)]
    dit.save({"layers": [Tensor(array) for array in arrays]}, path)
    return path


def peak_of(function, *args, **kwargs):
    """The most memory that a call took, and what it returned."""
    tracemalloc.start()
    try:
        result = function(*args, **kwargs)
        return tracemalloc.get_traced_memory()[1], result
    finally:
        tracemalloc.stop()


def test_loading_takes_the_memory_of_the_tensors(large):
    peak, _ = peak_of(dit.load, large)
    assert 64 * MEGABYTE < peak < 66 * MEGABYTE


def test_verifying_takes_little_memory(large):
    peak, report = peak_of(dit.verify, large)
    assert report.nbytes == 64 * MEGABYTE
    assert peak < 5 * MEGABYTE


def bytes_read_by(monkeypatch, function, *args, **kwargs):
    """How many bytes a call reads from files, and how often it asks for some."""
    counts = [0, 0]
    read, read_into = Source.read, Source.read_into

    def counted_read(self, offset, length, *more):
        counts[0] += length
        counts[1] += 1
        return read(self, offset, length, *more)

    def counted_read_into(self, offset, target, *more):
        counts[0] += len(target)
        counts[1] += 1
        return read_into(self, offset, target, *more)

    with monkeypatch.context() as patch:
        patch.setattr(Source, "read", counted_read)
        patch.setattr(Source, "read_into", counted_read_into)
        function(*args, **kwargs)
    return counts


def test_mapping_takes_no_memory_and_reads_no_tensor(large, tmp_path, monkeypatch):
    peak, _ = peak_of(dit.load, large, mmap=True)
    assert peak < MEGABYTE
    small = tmp_path / "small.dit"
    dit.save({"layers": [Tensor(np.zeros(1, np.float32)) for _ in range(4)]}, small)
    found, asked = bytes_read_by(monkeypatch, dit.load, large, mmap=True)
    fewest, as_often = bytes_read_by(monkeypatch, dit.load, small, mmap=True)
    assert asked == as_often
    assert found - fewest < 10_000  # the end of the file is looked through, and shapes are longer
    assert bytes_read_by(monkeypatch, dit.load, large)[0] > 64 * MEGABYTE


def test_saving_takes_little_memory(tmp_path):
    state = {"layers": [Tensor(np.ones(4 * MEGABYTE, np.float32)) for _ in range(4)]}
    peak, _ = peak_of(dit.save, state, tmp_path / "s.dit")
    assert peak < 8 * MEGABYTE


def test_a_write_to_a_mapped_tensor_stays_private(tmp_path):
    path = tmp_path / "m.dit"
    dit.save({"w": np.arange(5000.0), "t": Tensor(np.ones(3))}, path)
    before = path.read_bytes()
    first, second = dit.load(path, mmap=True), dit.load(path, mmap=True)
    first["w"][0] = -1
    first["w"] *= 2
    first["t"].array[:] = 9
    assert first["w"][0] == -2
    assert first["t"].array.tolist() == [9, 9, 9]
    assert second["w"][0] == 0
    assert second["t"].array.tolist() == [1, 1, 1]
    assert path.read_bytes() == before
    dit.verify(path)


def test_mapped_tensors_are_aligned_and_of_the_usual_kind(tmp_path):
    path = tmp_path / "m.dit"
    dit.save([np.ones(n, dtype) for n in range(1, 9) for dtype in ("i1", "f4", "c16")], path)
    for array in dit.load(path, mmap=True):
        assert array.__array_interface__["data"][0] % 64 == 0
        assert type(array) is np.ndarray
        assert array.flags.aligned
        assert array.flags.writeable
    for array in dit.load(path):
        assert array.flags.owndata


def test_a_mapped_model_is_a_model(tmp_path):
    path = tmp_path / "m.dit"
    model = fakes.Net(50, tied=True)
    dit.save(model, path)
    back = dit.load(path, mmap=True)
    assert back.last.weight is back.first.weight
    assert np.array_equal(back.first.weight.array, model.first.weight.array)
    assert not back.first.weight.array.flags.owndata
    back.first.weight.array -= 1
    assert not np.array_equal(back.first.weight.array, model.first.weight.array)
    assert np.array_equal(dit.load(path).first.weight.array, model.first.weight.array)


def model_of(state, arguments, path):
    """A file whose model was made with other arguments than its state says."""
    dit.save(state, path)

    def forge_arguments(document):
        document["architecture"][0]["design"]["arguments"].update(arguments)

    return forge.with_manifest(path, path.with_name("forged.dit"), forge_arguments)


def test_arguments_that_ask_for_terabytes_get_nothing(tmp_path):
    """Address space is not memory: what is touched counts."""
    resource = pytest.importorskip("resource")
    path = tmp_path / "m.dit"
    sizes = {"in_features": 100_000, "out_features": 100_000}
    paths = [
        model_of(nn.Linear(2, 3), sizes, path),
        model_of(nn.Linear(2, 3), {"in_features": 1 << 40, "out_features": 1 << 20}, path),
        model_of(nn.Embedding(2, 3), {"num_embeddings": 1 << 33}, path),
        model_of(nn.LayerNorm(4), {"normalized_shape": [1 << 33]}, path),
        model_of(aino.NeuralNetwork([2, 3]), {"sizes": [100_000, 100_000, 1]}, path),
    ]
    for path in paths:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        peak, _ = peak_of(pytest.raises, DitError, dit.load, path)
        assert peak < 16 * MEGABYTE
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 16 << 10


def test_a_description_that_builds_without_an_end_is_stopped(tmp_path):
    @dit.register("my.Endless")
    class Endless(nn.Module):
        def __init__(self, count):
            super().__init__()
            self.parts = nn.ModuleList(nn.Linear(1, 1) for _ in range(count))

    path = model_of(Endless(2), {"count": 10**12}, tmp_path / "m.dit")
    with pytest.raises(DitError, match="far more parameters than the file has values for"):
        dit.load(path)


def test_mapping_a_large_model_touches_nothing(tmp_path):
    path = tmp_path / "m.dit"
    model = nn.Sequential(*(nn.Linear(1000, 1000) for _ in range(8)))
    dit.save(model, path)
    peak, back = peak_of(dit.load, path, mmap=True)
    assert peak < MEGABYTE
    assert np.array_equal(back[7].weight.detach().numpy(), model[7].weight.detach().numpy())


def test_mapped_tensors_outlive_the_loaded_object(tmp_path):
    path = tmp_path / "m.dit"
    dit.save({"w": np.arange(1000)}, path)
    array = dit.load(path, mmap=True)["w"][10:20]
    assert array.sum() == sum(range(10, 20))


def test_a_damaged_tensor_is_found_by_verify_not_by_mapping(tmp_path):
    path = tmp_path / "m.dit"
    dit.save({"w": np.zeros(1000, np.float32)}, path)
    data = bytearray(path.read_bytes())
    data[-1000] ^= 1
    path.write_bytes(data)
    assert dit.load(path, mmap=True)["w"].any()
    with pytest.raises(DitError, match=r"'w\.npy': is damaged"):
        dit.verify(path)


def test_nothing_is_allocated_for_bytes_that_are_not_there(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(b"12345")
    with Source(path) as source:
        assert source.read(1, 4) == b"2345"
        for offset, length in ((0, 1 << 50), (5, 1), (-1, 2), (0, -1), (1 << 70, 1)):
            peak, _ = peak_of(pytest.raises, DitError, source.read, offset, length)
            assert peak < MEGABYTE
