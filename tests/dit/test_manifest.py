"""The manifest is read strictly (DIT.md, line 11)."""

import json
import tracemalloc

import pytest

import aino.dit as dit
from aino.dit import manifest
from aino.errors import DitError
from tests.dit import forge


def file_with(tmp_path, text):
    """A file that consists of a manifest."""
    path = tmp_path / "f.dit"
    path.write_bytes(forge.pack([("dit.json", text)]))
    return path


def refused(tmp_path, text, match):
    path = file_with(tmp_path, text)
    limit = 2 * path.stat().st_size + (16 << 20)
    for function in (dit.load, dit.verify, dit.describe):
        tracemalloc.start()
        try:
            with pytest.raises(DitError, match=match) as caught:
                function(path)
            assert tracemalloc.get_traced_memory()[1] < limit
        finally:
            tracemalloc.stop()
        assert str(caught.value).startswith(f"{path}: member 'dit.json': ")
        assert len(str(caught.value)) < 1000


def sealed(**changes):
    return forge.seal(forge.manifest(**changes))


def test_the_forgery_is_sound_where_nothing_is_changed(tmp_path):
    assert dit.load(file_with(tmp_path, sealed(content=[1, "a", None]))) == [1, "a", None]


def replaced(old, new, **changes):
    """A manifest whose text was changed, and sealed again."""
    text = forge.render(forge.manifest(**changes))
    assert old in text
    return forge.seal(text.replace(old, new, 1))


TEXTS = {
    "duplicate key": (replaced('"kind"', '"kind": "state", "kind"'), "'kind' stands twice"),
    "duplicate inside": (
        replaced('"$float"', '"a": 1, "a"', content={"$float": 1}),
        "stands twice",
    ),
    "NaN": (replaced("null", "NaN"), "NaN is not JSON"),
    "Infinity": (replaced("null", "[-Infinity]"), "-Infinity is not JSON"),
    "too large": (replaced("null", "1e999"), "is too large"),
    "5,000 digits": (replaced("null", "9" * 5000), "5,000 digits"),
    "5,000 decimals": (replaced("null", "0." + "9" * 5000), "5,002 digits"),
    "5,000 digits of version": (replaced("3", "9" * 5000), "5,000 digits"),
    "deep lists": (
        replaced("null", "[" * 100_000 + "]" * 100_000),
        "nested too deeply|more values",
    ),
    "deep objects": (replaced("null", '{"a":' * 100_000 + "1" + "}" * 100_000), "deeply|values"),
    "open lists": (replaced("null", "[" * 100_000), "nested too deeply|more values"),
    "hundred deep": (replaced("null", "[" * 300 + "]" * 300), "nested too deeply"),
    "UTF-16": (forge.render(forge.manifest()).encode("utf-16"), "UTF-16"),
    "UTF-16 without mark": (forge.render(forge.manifest()).encode("utf-16-le"), "UTF-16"),
    "UTF-32": (forge.render(forge.manifest()).encode("utf-32-be"), "UTF-32"),
    "UTF-8 with mark": (b"\xef\xbb\xbf" + sealed(), "not sound JSON"),
    "Latin-1": (replaced("null", '"?"').replace(b"?", b"\xe9"), "not UTF-8"),
    "surrogate": (replaced("null", r'"\ud800"'), "half of a character"),
    "surrogate key": (replaced("null", r'{"\uDFFF": 1}'), "half of a character"),
    "empty": (b"", "not sound JSON"),
    "text behind": (sealed() + b"x", "Extra data"),
    "comment": (replaced("null", "/* */ null"), "not sound JSON"),
    "control": (replaced("null", '"\n"'), "not sound JSON"),
    "list": (b"[]", "does not say that it is a .dit"),
    "number": (b"3", "does not say that it is a .dit"),
    "other format": (replaced('"dit"', '"dot"'), "does not say that it is a .dit"),
    "version 2": (sealed(version=2), "no valid version"),
    "version 0": (sealed(version=0), "no valid version"),
    "version true": (sealed(version=True), "no valid version"),
    "version 3.0": (sealed(version=3.0), "no valid version"),
    "version text": (sealed(version="3"), "no valid version"),
    "no version": (b'{"format": "dit"}', "no valid version"),
    "sum": (sealed().replace(b'"aino": "3', b'"aino": "2'), "its SHA-256 is not"),
    "no sum": (
        replaced('"sha256"', '"sha255"', metadata={"sha256": forge.NO_SUM}),
        "its SHA-256 is not",
    ),
    "sum of another length": (sealed().replace(b'"sha256": "', b'"sha256": "0'), "its SHA-256"),
    "missing entry": (replaced('"metadata"', '"meta"'), "has other entries than"),
    "another entry": (sealed(more=1), "has other entries than"),
    "kind": (sealed(kind="program"), "unknown kind"),
    "kind is a list": (sealed(kind=[]), "unknown kind"),
    "writer": (sealed(aino=3), "unknown kind or writer"),
    "metadata": (sealed(metadata=[]), "metadata that are not text"),
    "metadata values": (sealed(metadata={"a": 1}), "metadata that are not text"),
    "architecture": (sealed(architecture={}), "an architecture that is not a list"),
    "table": (sealed(tensors=[]), "damaged table"),
    "table's columns": (sealed(tensors={"columns": [], "rows": []}), "damaged table"),
    "table's rows": (sealed(tensors=forge.manifest()["tensors"] | {"rows": 1}), "damaged table"),
    "row": (sealed(tensors=forge.manifest([[1]])["tensors"]), "other columns"),
    "row is text": (sealed(tensors=forge.manifest(["abcdef"])["tensors"]), "other columns"),
}


@pytest.mark.parametrize("what", TEXTS)
def test_a_manifest_that_is_not_exactly_right_is_refused(tmp_path, what):
    refused(tmp_path, *TEXTS[what])


CONTENTS = {
    "unknown tag": ({"$code": "1"}, "damaged or unknown value"),
    "tag with company": ({"$float": "inf", "b": 1}, "entries beside"),
    "company before tag": ({"b": 1, "$float": "inf"}, "entries beside"),
    "tuple": ({"$tuple": 3}, "damaged"),
    "float": ({"$float": "1"}, "damaged"),
    "float in a list": ({"$float": ["nan"]}, "damaged"),
    "complex": ({"$complex": [1.0]}, "damaged"),
    "complex of text": ({"$complex": ["a", 1.0]}, "damaged"),
    "dtype": ({"$dtype": "object"}, "damaged"),
    "pairs": ({"$dict": [[1]]}, "damaged dict"),
    "pairs of text": ({"$dict": ["ab"]}, "damaged dict"),
    "key twice": ({"$dict": [[1, 2], [1, 3]]}, "a key twice"),
    "key is a list": ({"$dict": [[[1], 2]]}, "cannot be one"),
    "tensor": ({"$tensor": 0}, "refers to tensor 0"),
    "tensor -1": ({"$tensor": -1}, "refers to a tensor wrongly"),
    "tensor true": ({"$array": True}, "refers to a tensor wrongly"),
    "tensor text": ({"$array": "w"}, "refers to a tensor wrongly"),
    "tensor huge": ({"$array": 10**1000}, "refers to a tensor wrongly"),
    "tensor extras": ({"$tensor": 0, "x": 1}, "refers to tensor|wrongly"),
    "module": ({"$module": 0}, "refers to a model|is of kind"),
    "module -1": ([{"$module": -1}], "refers to a model"),
    "module true": ([{"$module": True}], "refers to a model"),
    "part": ({"$part": 0}, "damaged or unknown value"),
    "part of nothing": ({"$part": [0, "a"]}, "a model that is not there"),
    "part without a place": ([{"$part": [0]}], "a part of a model wrongly"),
    "part of text": ([{"$part": ["0", "a"]}], "a part of a model wrongly"),
    "module in a list": ([{"$module": [0, "a"]}], "damaged or unknown value"),
    "deep": (json.loads("[" * 80 + "]" * 80), "nested too deeply"),
}


@pytest.mark.parametrize("what", CONTENTS)
def test_a_content_that_makes_no_sense_is_refused(tmp_path, what):
    content, match = CONTENTS[what]
    refused(tmp_path, sealed(content=content), match)


def test_a_tensor_that_nothing_refers_to_is_refused(tmp_path):
    path = tmp_path / "f.dit"
    text = sealed(tensors=forge.manifest([forge.row()])["tensors"])
    path.write_bytes(forge.pack([("dit.json", text), ("w.npy", forge.npy())]))
    with pytest.raises(DitError, match="nothing refers to"):
        dit.load(path)


def test_two_tensors_of_one_name_are_refused(tmp_path):
    rows = [forge.row("w"), forge.row("w", member="v.npy")]
    text = sealed(tensors=forge.manifest(rows)["tensors"], content=[{"$array": 0}, {"$array": 1}])
    path = tmp_path / "f.dit"
    members = [("dit.json", text), ("w.npy", forge.npy()), ("v.npy", forge.npy())]
    path.write_bytes(forge.pack(members))
    with pytest.raises(DitError, match="two tensors one name"):
        dit.load(path)


def test_a_file_from_the_future_says_which_aino_wrote_it(tmp_path):
    future = {"version": 4, "format": "dit", "aino": "5.1.0", "design": {"$new": 1}}
    text = json.dumps(future).encode()
    refused(tmp_path, text, r"has version 4 of the format, written by AINO '5\.1\.0'; this AINO")
    refused(
        tmp_path,
        json.dumps({"format": "dit", "version": 10**400}).encode(),
        r"has version 10+\.\.\. \(401 digits\)",
    )
    refused(tmp_path, json.dumps(future | {"aino": [1]}).encode(), "written by AINO list")


# --- memory ---------------------------------------------------------------------------------------

PIECES = [
    "[],", "{},", "[[]],", '{"a":{}},', '{"ab":[]},', '"",', '"ab",', "1,", "1.5,", "123456789,",
    '"\\u00e9a",', "{},[],", "null,", '"' + "x" * 1000 + '",', '{"a":1,"b":2},', "[1],",
]  # fmt: skip


@pytest.mark.parametrize("kilobytes", [300, 3000])
@pytest.mark.parametrize("piece", [*PIECES, "keys", "wide"])
def test_a_manifest_of_many_values_is_read_within_memory_or_refused(tmp_path, piece, kilobytes):
    count = (kilobytes << 10) // max(len(piece), 5)
    if piece == "keys":
        text = "{" + ",".join(f'"{index:x}":0' for index in range(count)) + "}"
    elif piece == "wide":
        text = '"' + "x" * (kilobytes << 10) + '\U0001f600"'
    else:
        text = "[" + piece * count + "0]"
    path = file_with(tmp_path, replaced("null", text))
    limit = 2 * path.stat().st_size + (16 << 20)
    tracemalloc.start()
    try:
        dit.load(path)
    except DitError as error:
        assert "more values than a file of this size" in str(error)  # noqa: PT017
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < limit


def test_names_do_not_blow_up_a_regular_expression(tmp_path):
    """A pattern that tried every way to cut these names would not be done in a lifetime."""
    members = ["a" * 70_000, "a." * 35_000, "tensor-" + "1" * 70_000]
    dit.save(dict.fromkeys(members, 1), tmp_path / "x.dit")
    assert list(dit.load(tmp_path / "x.dit")) == members


def test_a_manifest_is_plain_ascii_and_one_tensor_a_line(tmp_path):
    path = tmp_path / "x.dit"
    dit.save({"ä": [1.5, "ö\U0001f600"]}, path, metadata={"who": "Väinö"})
    raw = dict(forge.unpack(path))["dit.json"]
    assert raw.isascii()
    assert json.loads(raw)["metadata"] == {"who": "Väinö"}
    assert manifest.memory_needed(raw) > 2 * len(raw)
