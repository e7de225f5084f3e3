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


def training():
    model = aino.nn.Linear(2, 1)
    return aino.train.Trainer(model, aino.optim.SGD(model.parameters()), aino.nn.MSELoss())


def classifier():
    pytest.importorskip("sklearn")
    X, y = [[0.0], [1.0], [2.0], [3.0]], ["a", "a", "b", "b"]
    return aino.estimators.AinoClassifier([2], max_iter=1).fit(X, y)


WRITERS = {
    "aino.save": lambda: lambda path: aino.save({"module": aino.nn.Linear(2, 1)}, path),
    "aino.dit.save": lambda: lambda path: aino.dit.save({"w": aino.ones(2)}, path),
    "Module.save": lambda: aino.nn.Linear(2, 1).save,
    "Trainer.save": lambda: training().save,
    "AinoClassifier.save": lambda: classifier().save,
}


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("name", ["a.pt", "a.pth", "a.onnx", "a.safetensors"])
def test_no_dit_has_the_name_of_another_format(tmp_path, writer, name):
    path = tmp_path / name
    if (writer, name) == ("Module.save", "a.safetensors"):
        pytest.skip("the module's state is saved as safetensors then")
    write = WRITERS[writer]()
    with pytest.raises(FormatError):
        write(path)
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
