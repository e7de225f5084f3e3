"""The name of a file says how it is written, its content how it is read."""

import pytest

import aino
from aino.errors import DitError, FormatError


def test_onnx_is_elsewhere(tmp_path):
    path = tmp_path / "model.onnx"
    with pytest.raises(FormatError, match=r"ONNX is written by aino\.onnx\.export"):
        aino.save({"w": aino.ones(2)}, path)
    path.write_bytes(b"\x08\x07" * 20)
    with pytest.raises(FormatError, match=r"model\.onnx: is read by aino\.onnx\.load"):
        aino.load(path)


@pytest.mark.parametrize("name", ["model.pt", "model.pth", "MODEL.PT"])
def test_pytorchs_files_are_not_written(tmp_path, name):
    path = tmp_path / name
    with pytest.raises(
        FormatError, match=r"files are read, not written; aino\.save writes a \.dit"
    ):
        aino.save({"w": aino.ones(2)}, path)
    assert not path.exists()


@pytest.mark.parametrize("name", ["model.dit", "model", "model.pt.dit", "pt"])
def test_every_other_name_is_a_dit(tmp_path, name):
    path = tmp_path / name
    aino.save({"w": aino.ones(2)}, path)
    assert aino.dit.verify(path).kind == "state"
    assert aino.load(path)["w"].tolist() == [1, 1]


def test_an_open_file_is_a_dit_whatever_its_name(tmp_path):
    path = tmp_path / "model.pt"
    with path.open("wb") as file:
        aino.save({"w": aino.ones(2)}, file)
    assert aino.dit.verify(path).kind == "state"


def test_what_is_no_path_is_refused(tmp_path):
    for function in (lambda: aino.save({}, 3), lambda: aino.load(3)):
        with pytest.raises(DitError, match="expected a path"):
            function()
