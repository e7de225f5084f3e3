"""What may be named in a file, and by which name."""

import subprocess
import sys

import pytest

import aino
from aino import dit
from aino.dit import registry
from aino.errors import DitError
from tests.dit import fakes


@pytest.fixture(autouse=True)
def forgetful(monkeypatch):
    """Classes that a test registers are forgotten after it."""
    monkeypatch.setattr(registry, "_classes", registry.registered_classes())
    monkeypatch.setattr(registry, "_names", dict(registry._names))


def test_a_class_is_registered_by_its_name_or_another():
    @dit.register
    class Own:
        pass

    @dit.register("my.Other")
    class Other:
        pass

    assert dit.registered("Own") is Own
    assert dit.registered("my.Other") is Other
    assert registry.name_of(Own) == "Own"
    assert dit.registered_classes()["my.Other"] is Other


def test_a_name_belongs_to_one_class():
    dit.register("my.Class")(fakes.Line)
    with pytest.raises(DitError, match=r"belongs to tests.dit.fakes.Line already.*'my.my.Class'"):
        dit.register("my.Class")(fakes.Drop)


def test_a_class_that_is_defined_again_replaces_the_first():
    def define():
        @dit.register("my.Again")
        class Again:
            pass

        return Again

    first, second = define(), define()
    assert first is not second
    assert dit.registered("my.Again") is second


@pytest.mark.parametrize("name", ["", "a\nb", "\x1b[2J"])
def test_names_that_nobody_can_read_are_refused(name):
    with pytest.raises(DitError, match="is not a name"):
        dit.register(name)(fakes.Line)


@pytest.mark.parametrize("thing", [3, None, len, lambda: 1])
def test_only_classes_are_registered(thing):
    with pytest.raises(DitError, match="only a class can be registered"):
        dit.register(thing)


@pytest.mark.parametrize("name", ["os.system", "builtins.eval", "Nothing", "", "numpy.ndarray"])
def test_an_unknown_name_is_not_looked_for_elsewhere(name):
    with pytest.raises(DitError, match="unknown class"):
        dit.registered(name)


def test_a_model_of_a_class_that_is_gone_says_what_to_import(tmp_path, monkeypatch):
    dit.save(fakes.Net(2), tmp_path / "m.dit")
    for name in ("test.Net", "test.Drop"):
        monkeypatch.delitem(registry._classes, name)
    with pytest.raises(DitError, match=r"registered here: 'test\.Net'; import the module"):
        dit.load(tmp_path / "m.dit")


SCRIPT = """
import sys
import aino
assert "aino.nn" not in sys.modules
model, network = aino.load(sys.argv[1])
assert type(model).__name__ == "Sequential", model
assert type(network) is aino.NeuralNetwork
"""


def test_a_fresh_process_knows_the_classes_of_aino(tmp_path):
    path = tmp_path / "m.dit"
    model = aino.nn.Sequential(aino.nn.Linear(2, 1))
    aino.save([model, aino.NeuralNetwork([2, 1])], path)
    subprocess.run([sys.executable, "-c", SCRIPT, path], check=True)


def test_the_package_loads_its_parts_when_they_are_used():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = dit.nothing
    assert callable(dit.describe)
    assert aino.formats.save is aino.save
