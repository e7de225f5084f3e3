"""A model in several files, under Hugging Face's names."""

import json
import os

import numpy as np
import pytest

import aino
from aino import nn
from aino.errors import FormatError
from aino.formats import safetensors
from tests.formats.test_safetensors import Tied

pytest.importorskip("safetensors")

STATE = {f"layers.{i}.weight": np.full((10, 10), i, np.float32) for i in range(5)}
INDEX = "model.safetensors.index.json"


def loads_as(path, state):
    found = aino.load(path)
    assert [*found] == [*state]
    return all(np.array_equal(found[name].array, state[name]) for name in state)


@pytest.mark.parametrize(
    ("limit", "files"),
    [(1000, 3), ("1KB", 3), ("0.8 kB", 3), ("800b", 3), (1, 5), ("1.2KiB", 2), ("5GB", 1)],
)
def test_files_of_bounded_size(tmp_path, limit, files):
    folder = tmp_path / "model"
    names = safetensors.save_sharded(STATE, folder, limit, metadata={"format": "pt"})
    if files == 1:
        expected = ["model.safetensors"]
    else:
        expected = [f"model-{i + 1:05d}-of-{files:05d}.safetensors" for i in range(files)]
        assert loads_as(folder / INDEX, STATE)
        expected.append(INDEX)
        index = json.loads((folder / INDEX).read_text())
        assert index["metadata"] == {"total_size": 2000}
        assert set(index["weight_map"]) == set(STATE)
    assert names == expected
    assert sorted(os.listdir(folder)) == sorted(expected)
    assert loads_as(folder, STATE)
    with safetensors.safe_open(folder / expected[0]) as file:
        assert file.metadata() == {"format": "pt"}


@pytest.mark.parametrize("limit", [0, -1, "5", "GB", "5XB", 1.5, None, True, "0GB"])
def test_a_size_that_is_none(tmp_path, limit):
    with pytest.raises(FormatError, match="max_shard_size is a number of bytes"):
        safetensors.save_sharded(STATE, tmp_path / "m", limit)
    assert os.listdir(tmp_path) == []


def test_an_earlier_model_of_other_files_goes(tmp_path):
    for limit in (1, "1.2KiB", "5GB", 1000):
        safetensors.save_sharded(STATE, tmp_path, limit)
        assert loads_as(tmp_path, STATE)
    assert len(os.listdir(tmp_path)) == 4


def test_a_module_and_its_tied_weights(tmp_path):
    model = Tied()
    safetensors.save_sharded(model, tmp_path)
    assert [*aino.load(tmp_path)] == ["lm_head.weight"]
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    safetensors.save_sharded(model, tmp_path, 40)
    fresh = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    fresh.load_state_dict(aino.load(tmp_path))
    assert aino.equal(fresh[1].weight, model[1].weight)


def test_a_failed_save_leaves_the_old_model(tmp_path, monkeypatch):
    safetensors.save_sharded(STATE, tmp_path, 1000)
    with pytest.raises(FormatError, match="is an int"):
        safetensors.save_sharded(STATE | {"n": 3}, tmp_path, 1000)
    replace, calls = os.replace, []

    def failing(*paths):
        calls.append(paths)
        if len(calls) == 3:
            raise OSError("no room")
        return replace(*paths)

    monkeypatch.setattr(os, "replace", failing)
    new = {name: array + 1 for name, array in STATE.items()}
    with pytest.raises(FormatError, match="no room"):
        safetensors.save_sharded(new, tmp_path, 1000)
    monkeypatch.undo()
    assert loads_as(tmp_path, STATE)
    assert len(os.listdir(tmp_path)) == 4


# An index that lies

SHARDS = [f"model-0000{i}-of-00003.safetensors" for i in (1, 2, 3)]
OUTSIDE = [
    "../secret.safetensors", "..", ".", "", "/etc/passwd", "a/b.safetensors", "..\\secret",
    "C:secret", "model\n.safetensors", "x" * 300, 3, None, ["a"],
]  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "model"
    safetensors.save_sharded(STATE, folder, 1000)
    return folder


def rewrite(folder, change):
    index = json.loads((folder / INDEX).read_text())
    change(index)
    (folder / INDEX).write_text(json.dumps(index))


@pytest.mark.parametrize("file", OUTSIDE, ids=repr)
def test_a_file_outside_is_refused_unread(folder, file):
    rewrite(folder, lambda index: index["weight_map"].update({"layers.0.weight": file}))
    with pytest.raises(FormatError, match=r"'layers\.0\.weight' is in .*no file beside it"):
        aino.load(folder)


def test_a_link_that_leads_out_is_refused(folder, tmp_path):
    secret = tmp_path / "secret.safetensors"
    os.rename(folder / SHARDS[1], secret)
    os.symlink(secret, folder / SHARDS[1])
    with pytest.raises(FormatError, match="is a link that leads out of the folder"):
        aino.load(folder)


def test_the_links_of_a_hugging_face_cache_are_followed(folder, tmp_path):
    blobs, snapshot = tmp_path / "hub" / "blobs", tmp_path / "hub" / "snapshots" / "abc"
    os.makedirs(blobs)
    os.makedirs(snapshot)
    for number, name in enumerate(sorted(os.listdir(folder))):
        os.rename(folder / name, blobs / f"{number}")
        os.symlink(f"../../blobs/{number}", snapshot / name)
    assert loads_as(snapshot, STATE)


LIES = {
    "a shard that is not there": (
        lambda index: index["weight_map"].update({"x": "model-9.safetensors"}),
        "no such file",
    ),
    "a tensor that is not there": (
        lambda index: index["weight_map"].update({"x": SHARDS[0]}),
        "disagrees with 'model-00001.*': 'x' is not in it",
    ),
    "a tensor that it leaves out": (
        lambda index: index["weight_map"].pop("layers.1.weight"),
        r"'layers\.1\.weight' is in it",
    ),
    "a tensor in another": (
        lambda index: index["weight_map"].update({"layers.0.weight": SHARDS[1]}),
        "disagrees",
    ),
    "itself": (lambda index: index["weight_map"].update({"x": INDEX}), "safetensors|disagrees"),
    "no map": (lambda index: index.pop("weight_map"), "has no weight_map"),
    "a list for a map": (lambda index: index.update({"weight_map": []}), "has no weight_map"),
}


@pytest.mark.parametrize("what", LIES)
def test_an_index_that_does_not_fit_its_files(folder, what):
    change, match = LIES[what]
    rewrite(folder, change)
    with pytest.raises(FormatError, match=match):
        aino.load(folder)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        (b'{"weight_map": {"a": "x", "a": "y"}}', "a key stands twice"),
        (b'{"weight_map": {"a": "x"', "is not the JSON of an index"),
        (b"\xff\xfe", "is not the JSON"),
        (b"[" * 100_000, "is not the JSON"),
        (b"[]", "has no weight_map"),
    ],
    ids=["twice", "cut", "no UTF-8", "deep", "a list"],
)
def test_an_index_that_is_none(folder, text, match):
    (folder / INDEX).write_bytes(text)
    with pytest.raises(FormatError, match=match):
        aino.load(folder)


def test_a_folder_without_a_model(tmp_path):
    with pytest.raises(FormatError, match=r"is a folder without model\.safetensors"):
        aino.load(tmp_path)
    aino.save({"a": aino.ones(1)}, tmp_path / "other.safetensors")
    assert [*aino.load(tmp_path)] == ["a"]
    aino.save({"a": aino.ones(1)}, tmp_path / "another.safetensors")
    with pytest.raises(FormatError, match=r"with 2 \.safetensors of other names; name one"):
        aino.load(tmp_path)
