"""``dir()`` shows what is public, and nothing else."""

import types

import pytest

import aino
from aino.ops.public import METHODS

PACKAGES = [aino, aino.autograd, aino.nn]

#: What a module needs for itself, and no user.
INTERNAL = {
    "FUNCTIONS", "annotations", "import_module", "provide", "tracing", "pytree", "threads",
    "structure_version", "ops", "Any", "TYPE_CHECKING", "np",
}  # fmt: skip


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.__name__)
def test_what_is_listed_is_there_and_public(package):
    listed = dir(package)
    assert sorted(set(listed)) == sorted(listed)
    for name in listed:
        assert getattr(package, name, package) is not package, name
        assert name not in INTERNAL, name
        assert not name.startswith("_") or name == "__version__", name


@pytest.mark.parametrize(
    ("package", "names"),
    [
        (aino, "NeuralNetwork load save draw compile exp sum nn optim autograd Tensor float32 pi"),
        (aino.autograd, "Function functional grad gradcheck detect_anomaly"),
        (aino.nn, "Linear Perceptron Layer NeuralNetwork Module functional init utils"),
    ],
)
def test_the_names_that_users_look_for_are_listed(package, names):
    assert set(names.split()) <= set(dir(package))


def test_every_method_is_listed_on_tensors():
    assert set(METHODS) <= set(dir(aino.Tensor))


def test_what_is_listed_beside_packages_is_documented():
    bare = [
        name
        for name in dir(aino)
        if isinstance(getattr(aino, name), types.FunctionType) and not getattr(aino, name).__doc__
    ]
    assert bare == []
