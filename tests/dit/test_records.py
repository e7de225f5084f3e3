"""Objects of registered dataclasses: a model's configuration comes back with the model."""

import copy
import pickle
from dataclasses import InitVar, dataclass, field, make_dataclass

import numpy as np
import pytest

import aino
from aino import dit, nn
from aino.dit import registry
from aino.errors import DitError
from tests.dit import forge


@dit.register("test.Config")
@dataclass(frozen=True)
class Config:
    width: int = 2
    names: tuple[str, ...] = ("a", "b")
    rates: dict | None = None


@dit.register("test.Slots")
@dataclass(slots=True)
class Slots:
    x: int
    y: float = 1.5


@dit.register("test.Nested")
@dataclass
class Nested:
    inner: Config
    weight: aino.Tensor
    later: list = field(default_factory=list)


@dit.register("test.Checked")
@dataclass
class Checked:
    x: int

    def __post_init__(self):
        if self.x < 0:
            raise ValueError("x is negative")


@dit.register("test.Made")
@dataclass
class Made:
    x: int
    y: int = field(init=False, default=0)


@dit.register("test.Grows")
@dataclass
class Grows:
    x: int

    def __post_init__(self):
        self.x += 1


@dit.register("test.Given")
@dataclass
class Given:
    x: int
    y: InitVar[int]

    def __post_init__(self, y):
        self.x += y


@dit.register("test.Configured")
class Configured(nn.Module):
    def __init__(self, config, head=None):
        super().__init__()
        self.config = config
        self.inner = nn.Linear(config.width, 3)
        self.head = head


@dit.register("test.PlainClass")
class PlainClass:
    pass


def forged(path, content):
    """Write a sound file with any content."""
    dit.save(None, path)
    forge.with_manifest(path, path, lambda document: document.update(content=content))


def again(value, path):
    dit.save(value, path)
    dit.verify(path)
    return dit.load(path)


@pytest.mark.parametrize(
    "value",
    [
        Config(),
        Config(3, (), {"lr": 0.1, 3: [None]}),
        Slots(3),
        Slots(-1, float("inf")),
        Checked(0),
    ],
    ids=repr,
)
def test_fields_come_back(tmp_path, value):
    back = again({"config": value, "epochs": [value, 3]}, tmp_path / "r.dit")
    assert type(back["config"]) is type(value)
    assert back["config"] == back["epochs"][0] == value


def test_what_stands_in_fields_comes_back(tmp_path):
    value = Nested(Config(4), aino.ones(2), [np.arange(3), {"a": Slots(1)}])
    back = again(value, tmp_path / "r.dit")
    assert back.inner == Config(4)
    assert back.weight.tolist() == [1.0, 1.0]
    assert back.later[0].tolist() == [0, 1, 2]
    assert back.later[1] == {"a": Slots(1)}


def test_a_field_that_is_a_part_of_a_model_comes_back_as_that(tmp_path):
    model = nn.Linear(2, 2)
    back = again({"record": Nested(Config(), model.weight), "model": model}, tmp_path / "r.dit")
    assert back["record"].weight is back["model"].weight


def test_a_model_that_is_made_of_a_configuration_comes_back(tmp_path):
    model = Configured(Config(5, ("x",)), Slots(2))
    for number, one in enumerate([model, copy.deepcopy(model), pickle.loads(pickle.dumps(model))]):
        back = again(one, tmp_path / f"{number}.dit")
        assert back.config == Config(5, ("x",))
        assert back.head == Slots(2)
        assert back.inner.weight.tolist() == model.inner.weight.tolist()
    assert "test.Config(width=5, names=" in dit.describe(tmp_path / "0.dit")


def test_a_configuration_that_was_changed_since_comes_back_changed(tmp_path):
    model = Configured(Config(2), Slots(2))
    model.head.x = 7
    model.extra = Config(9)
    back = again(model, tmp_path / "r.dit")
    assert back.head == Slots(7)
    assert back.extra == Config(9)


def attached():
    value = Checked(1)
    value.note = "more"
    return value


def overtaken():
    value = Checked(1)
    value.x = -1
    return value


REFUSED = {
    "not registered": (lambda: make_dataclass("Own", ["x"])(1), "is an Own, a dataclass not regis"),
    "made by itself": (lambda: Made(1), "does not take such fields"),
    "grows": (lambda: Grows(1), "makes others of them"),
    "given": (lambda: Given(1, 2), "does not take such fields"),
    "attached": (attached, "holds more than its fields"),
    "overtaken": (overtaken, "cannot be made of its fields: ValueError: x is negative"),
    "field": (lambda: Nested(Config(), {1}), "config.weight is of type set"),
    "field's field": (lambda: Nested(Config(rates={"a": {1}}), 1), "config.inner.rates.a is of ty"),
    "class": (lambda: Config, "is code (Config)"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_would_not_come_back_is_refused_by_its_path(tmp_path, what):
    make, match = REFUSED[what]
    with pytest.raises(DitError) as caught:
        dit.save({"config": make()}, tmp_path / "r.dit")
    assert match in str(caught.value)
    assert str(caught.value).startswith(f"{tmp_path / 'r.dit'}: config")
    assert not (tmp_path / "r.dit").exists()


def test_weights_only_makes_no_objects(tmp_path):
    dit.save({"config": Config()}, tmp_path / "r.dit")
    with pytest.raises(DitError, match=r"holds dataclasses \(test\.Config\), and weights_only"):
        dit.load(tmp_path / "r.dit", weights_only=True)


def test_a_class_that_is_gone_is_named(tmp_path, monkeypatch):
    dit.save({"config": Config()}, tmp_path / "r.dit")
    monkeypatch.delitem(registry._classes, "test.Config")
    assert dit.verify(tmp_path / "r.dit").unknown_classes == ["test.Config"]
    with pytest.raises(DitError, match=r"not registered here: 'test\.Config'; import the module"):
        dit.load(tmp_path / "r.dit")


def test_a_field_that_came_later_has_its_default(tmp_path):
    forged(tmp_path / "r.dit", {"$dataclass": ["test.Config", {"width": 7}]})
    assert dit.load(tmp_path / "r.dit") == Config(7)


FORGED = {
    "another class": (["test.PlainClass", {}], "calls 'test.PlainClass' a dataclass"),
    "module": (["test.Configured", {}], "calls 'test.Configured' a dataclass"),
    "fields": (["test.Config", {"depth": 1}], "does not take such fields"),
    "missing": (["test.Slots", {}], "does not take such fields"),
    "wrong": (["test.Checked", {"x": -1}], "cannot be made of its fields: ValueError"),
    "name": ([3, {}], "damaged or unknown value"),
    "list": (["test.Config", []], "damaged or unknown value"),
    "short": (["test.Config"], "damaged or unknown value"),
    "nothing": ({}, "damaged or unknown value"),
}


@pytest.mark.parametrize("what", FORGED)
def test_forged_ones_are_refused(tmp_path, what):
    body, match = FORGED[what]
    forged(tmp_path / "r.dit", {"$dataclass": body})
    with pytest.raises(DitError, match=match):
        dit.load(tmp_path / "r.dit")
