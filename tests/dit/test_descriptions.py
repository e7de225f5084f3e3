"""Descriptions of models that make no sense are refused (DIT.md, lines 11 and 12)."""

import pytest

import aino.dit as dit
from aino.errors import DitError
from tests.dit import fakes, forge


@pytest.fixture
def model_file(tmp_path):
    path = tmp_path / "m.dit"
    dit.save(fakes.Net(2), path)
    return path


def parts_of(document):
    """The places in a manifest at which a forgery can begin."""
    item = document["architecture"][0]
    return {
        "document": document,
        "item": item,
        "state": item["state"],
        "design": item["design"],
        "arguments": item["design"]["arguments"],
    }


def forged(model_file, place, change):
    """A copy of the file in which one place of the manifest was updated."""
    return forge.with_manifest(
        model_file,
        model_file.with_name("forged.dit"),
        lambda document: parts_of(document)[place].update(change),
    )


CHANGES = {
    "unknown class": ("design", {"class": "os.system"}, "not registered here: 'os.system'"),
    "class is a list": ("design", {"class": []}, "damaged description"),
    "class is a tensor": ("design", {"class": "Parameter"}, "calls 'Parameter' a module"),
    "unknown argument": ("arguments", {"evil": 1}, "test.Net does not take .*argument 'evil'"),
    "missing argument": ("design", {"class": "test.Line", "arguments": {}}, "missing a required"),
    "many arguments": ("design", {"positional": [1] * 9}, "does not take such arguments"),
    "bad argument": ("arguments", {"width": -1}, "test.Net cannot be made as .*: ValueError"),
    "text argument": ("arguments", {"width": "a"}, "test.Net cannot be made as described"),
    "arguments": ("design", {"arguments": []}, "damaged description of a module"),
    "entry of a design": ("design", {"code": "1"}, "damaged description of a module"),
    "dunder": ("design", {"changes": {"__class__": 1}}, "damaged description of a module"),
    "removed": ("design", {"removed": ["nothing"]}, "cannot be made as .*: AttributeError"),
    "removed is text": ("design", {"removed": "first"}, "damaged description of a module"),
    "order": ("design", {"order": ["nothing"]}, "cannot be made as described: KeyError"),
    "changed part": ("design", {"changes": {"first": 1}}, "unexpected first.weight"),
    "changed machinery": ("design", {"changes": {"state_dict": 1}}, "wrongly"),
    "training": ("item", {"training": 1}, "damaged description of a model"),
    "switched": ("item", {"switched": [1]}, "damaged description of a model"),
    "gradients": ("item", {"requires_grad": {"first.weight": 1}}, "damaged description of a model"),
    "gradients of nothing": ("item", {"requires_grad": {"x.y": True}}, "parts wrongly"),
    "tied to nothing": ("item", {"tied": [["first", "x.y"]]}, "parts wrongly"),
    "tied alone": ("item", {"tied": [["first"]]}, "damaged description of a model"),
    "state": ("item", {"state": []}, "damaged description of a model"),
    "state of text": ("state", {"first.bias": "x"}, "damaged state"),
    "state of another": ("state", {"first.bias": 99}, "refers to tensor 99"),
    "itself inside": ("arguments", {"act": {"$module": 0}}, "a model that is not there"),
    "no model": ("document", {"architecture": []}, "a model that is not there|of kind model"),
    "kind": ("document", {"kind": "state"}, "is of kind state"),
    "content": ("document", {"content": {"$module": 1}}, "is of kind model"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_model_that_is_described_wrongly_is_refused(model_file, what):
    place, change, match = CHANGES[what]
    path = forged(model_file, place, change)
    with pytest.raises(DitError, match=match) as caught:
        dit.load(path)
    assert str(caught.value).startswith(f"{path}: member 'dit.json': ")


def test_the_forgery_is_sound_where_nothing_is_changed(model_file):
    assert type(dit.load(forged(model_file, "item", {}))) is fakes.Net


def test_a_description_that_nothing_refers_to_is_checked_too(model_file):
    document = forge.document_of(model_file)
    path = forged(model_file, "document", {"architecture": [document["architecture"][0], 3]})
    with pytest.raises(DitError, match="damaged description of a model"):
        dit.verify(path)


@pytest.mark.parametrize("place", ["", "nothing", "first.nothing", "act", "first.scale", "first."])
def test_a_part_that_is_not_there_is_refused(model_file, place):
    content = [{"$module": 0}, {"$part": [0, place]}]
    path = forged(model_file, "document", {"kind": "checkpoint", "content": content})
    with pytest.raises(DitError, match=r"which is not there|which is no part of a model"):
        dit.load(path)


def test_a_state_that_does_not_fit_names_every_key(model_file, tmp_path):
    def change(document):
        state = document["architecture"][0]["state"]
        state["first.unexpected"] = state.pop("first.weight")
        state["other"] = state.pop("last.weight")
        state["more"] = state["last.bias"]
        state["last.bias"] = state["other"]

    path = forge.with_manifest(model_file, tmp_path / "forged.dit", change)
    with pytest.raises(DitError) as caught:
        dit.load(path)
    for part in (
        "missing first.weight",
        "missing last.weight",
        "unexpected first.unexpected",
        "unexpected other",
        "unexpected more",
        "last.bias has the shape (2, 2) instead of (2,)",
    ):
        assert part in str(caught.value)


def test_a_class_that_is_not_registered_here_is_no_flaw_of_the_file(model_file):
    path = forged(model_file, "design", {"class": "my.Own"})
    assert dit.verify(path).unknown_classes == ["my.Own"]
    assert "my.Own" in dit.describe(path)
