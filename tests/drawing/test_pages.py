"""A page holds what the engine knows, asks nothing of a network, and takes any text for text."""

import hashlib
import json
import re
from importlib.resources import files

import numpy as np
import pytest

import aino
from aino import nn
from aino.drawing.html import MODULES
from aino.drawing.statistics import statistics
from aino.drawing.web.vendor import fetch

CHECKSUMS = {
    "dagre.min.js": "7f751ea7f1695a56c55845e4415b8ce7d65620b10a15bf1ea806f70af10f97f2",
    "LICENSE": "2781cdf3236e04fbe9a1292205b9eb2037fe70888bde2894283631a31a8e4993",
}


def written(path):
    """Return the data in a page, read as a browser does."""
    (text,) = re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', path.read_text())
    return json.loads(text)


@pytest.fixture
def shown(tmp_path):
    def show(drawing):
        return written(drawing.render(tmp_path / "graph.html"))

    return show


def node(data, said):
    (found,) = [x for x in data["nodes"] if said in (x.get("name"), x.get("title"))]
    return found


def around(data, node):
    """Return the names of the groups around a node, from the outermost."""
    number, names = node["group"], []
    while data["groups"][number]["parent"] is not None:
        group = data["groups"][number]
        names.insert(0, group.get("name") or group["kind"])
        number = group["parent"]
    return names


# What it says


def test_values_and_gradients_are_the_engine_s(shown):
    x = aino.tensor([[1.0, -2.0, 0.5]], requires_grad=True)
    w = aino.tensor([[0.3], [0.1], [-1.0]], requires_grad=True)
    h = x @ w
    loss = (h * h).sum()
    data = shown(aino.draw(loss, gradients=True))
    gradients = aino.autograd.grad(loss, [x, w, h])
    for name, tensor, gradient in zip("xwh", (x, w, h), gradients):
        (value,) = node(data, name)["values"]
        for said, array in ((value["value"], tensor.array), (value["grad"], gradient.array)):
            assert value["shape"] == list(array.shape)
            assert value["dtype"] == "float32"
            np.testing.assert_array_equal(np.float32(said["numbers"]), array)
            np.testing.assert_allclose(said["norm"], np.linalg.norm(array.astype(float)))
            np.testing.assert_allclose(said["mean"], array.astype(float).mean(), rtol=1e-6)
            assert (said["min"], said["max"]) == (array.min(), array.max())
    assert data["title"] == "loss"
    assert node(data, "loss")["output"]


def test_edges_are_those_of_the_graph(shown):
    x = aino.tensor([1.0, 2.0], requires_grad=True)
    y = aino.exp(x) * x
    data = shown(aino.draw(y))
    names = [node.get("name") or node["title"] for node in data["nodes"]]
    edges = sorted((names[tail], names[head]) for tail, head, _ in data["edges"])
    assert edges == [("exp", "y"), ("x", "exp"), ("x", "y")]


def test_groups_are_the_modules_calls(shown):
    model = nn.Sequential(nn.Linear(3, 4), nn.Sequential(nn.Tanh(), nn.Linear(4, 2)))
    data = shown(aino.draw(model, aino.ones(2, 3)))
    assert around(data, node(data, "1.1.weight")) == ["Sequential", "1", "1.1"]
    assert around(data, node(data, "tanh")) == ["Sequential", "1", "1.0"]
    assert around(data, node(data, "input")) == []
    assert data["groups"][1]["parameters"] == 16 + 10


def test_a_module_alone_shows_its_parameters(shown):
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU())
    data = shown(aino.draw(model))
    weight, bias = node(data, "0")["values"]
    assert (weight["name"], bias["name"]) == ("weight", "bias")
    np.testing.assert_array_equal(np.float32(weight["value"]["numbers"]), model[0].weight.array)
    assert shown(aino.draw(nn.LazyLinear(3)))["nodes"][0].get("values", []) == []


def test_the_backward_pass_is_on_the_page(shown):
    x = aino.tensor([1.0, 2.0], requires_grad=True)
    y = (x * x).sum()
    for show, kinds in (("backward", {"gradient"}), ("both", {"input", "operation", "gradient"})):
        data = shown(aino.draw(y, show=show))
        assert {item["kind"] for item in data["nodes"]} == kinds
        (value,) = node(data, "∂y/∂x")["values"]
        assert value["value"]["numbers"] == [2.0, 4.0]


def test_edges_carry_derivatives_and_how_much_comes_back(shown):
    x = aino.tensor([1.0, 2.0], requires_grad=True)
    data = shown(aino.draw((aino.sin(x) * 3.0).sum(), gradients=True, values=True))
    said = data["edges"][0][2]
    assert said["derivative"] == "∂ = cos(x)"
    np.testing.assert_allclose(said["slope"]["numbers"], np.cos([1.0, 2.0]), rtol=1e-6)
    assert [0 <= edge[2]["share"] <= 1 for edge in data["edges"]] == [True] * 3


def test_lines_of_the_program_are_told(shown):
    class Doubled(nn.Module):
        def forward(self, x):
            return x * 2.0

    x = aino.tensor([1.0], requires_grad=True)
    line = node(shown(aino.draw(Doubled(), x)), "mul")["line"]
    assert line.startswith("test_pages.py:")
    assert line.endswith("return x * 2.0")


def test_what_the_picture_folds_and_leaves_out_is_on_the_page(shown):
    y = aino.tensor(1.0, requires_grad=True)
    for _ in range(400):
        y = aino.tanh(y)
    data = shown(aino.draw(y, limit=10, repeat=2))
    assert sum(node.get("title") == "tanh" for node in data["nodes"]) == 400


@pytest.mark.parametrize("operations", [39, 60, 700])
def test_nothing_is_crowded_and_no_groups_need_each_other(shown, operations):
    x = aino.tensor([1.0], requires_grad=True)
    y, before = x, [x]
    for i in range(operations):
        y = y * before[i // 2] if i % 3 else y + aino.tensor([float(i)], requires_grad=True)
        before.append(y)
    data = shown(aino.draw(y))
    members = [0] * len(data["groups"])
    for item in data["nodes"]:
        members[item["group"]] += 1
    for group in data["groups"][1:]:
        members[group["parent"]] += 1
    assert max(members) <= 60
    paths = []
    for item in data["nodes"]:
        path, number = [], item["group"]
        while number is not None:
            path.insert(0, number)
            number = data["groups"][number]["parent"]
        paths.append(path)
    # A node outside a group is never both before and behind what is inside.
    before, behind = {}, {}
    for tail, head, _ in data["edges"]:
        for group in set(paths[head]) - set(paths[tail]):
            before.setdefault(group, []).append(tail)
        for group in set(paths[tail]) - set(paths[head]):
            behind.setdefault(group, []).append(head)
    for group in before.keys() & behind.keys():
        if "steps" in data["groups"][group].get("kind", ""):
            assert max(before[group]) < min(behind[group])


def step(model, x, optimizer):
    model(x).pow(2).mean().backward()
    optimizer.step()


def compiled_step(model, x, optimizer):
    stepping = aino.compile(lambda: step(model, x, optimizer))
    stepping()
    stepping()


@aino.no_grad()
def write_a_row(model, x, optimizer):
    model.weight[0] = 7.0


def exchange(model, x, optimizer):
    model.weight = nn.Parameter(aino.zeros(2, 2))


def rebind(model, x, optimizer):
    model.weight.data = model.weight.data + 1.0


WRITES = [
    step, compiled_step, write_a_row, exchange, rebind,
    lambda model, x, optimizer: optimizer.zero_grad(),
    lambda model, x, optimizer: optimizer.zero_grad(set_to_none=False),
    lambda model, x, optimizer: model.load_state_dict({"weight": aino.ones(2, 2), "bias": x[0]}),
    lambda model, x, optimizer: nn.utils.clip_grad_norm_(model.parameters(), 1e-3),
    lambda model, x, optimizer: nn.init.ones_(model.weight),
    lambda model, x, optimizer: model.double(),
    lambda model, x, optimizer: x.add_(1.0),
]  # fmt: skip


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("runs", [True, False], ids=["run", "alone"])
def test_a_page_tells_of_the_moment_of_the_drawing(shown, write, runs):
    model, x = nn.Linear(2, 2), aino.ones(3, 2)
    optimizer = aino.optim.Adam(model.parameters())
    model(x).sum().backward()
    drawing = aino.draw(model, x) if runs else aino.draw(model, depth=1)
    before = shown(drawing)
    write(model, x, optimizer)
    after = shown(drawing)
    told = 0
    for old, new in zip(before["nodes"], after["nodes"]):
        for was, now in zip(old.get("values", []), new.get("values", [])):
            for what in {"value", "grad"} & was.keys():
                assert now[what] in (was[what], {"stale": True})
                told += "numbers" in was[what]
    assert told >= 4


# Figures

FIGURES = [
    ("several", [3.0, -4.0, 0.5], {"min": -4.0, "max": 3.0, "nan": 0, "infinite": 0}),
    ("none", np.zeros((0, 3)), {"nan": 0, "infinite": 0}),
    ("not a number", [np.nan, 1.0, np.inf, -np.inf], {"norm": 1.0, "nan": 1, "infinite": 2}),
    ("nothing finite", [np.nan, np.nan], {"nan": 2, "infinite": 0}),
    ("huge", [3e200, 4e200], {"norm": 5e200, "mean": 3.5e200}),
    ("tiny", [3e-200, 4e-200], {"norm": 5e-200}),
    ("half", np.full(100_000, 256, np.float16), {"mean": 256.0, "norm": 256 * 100_000**0.5}),
    ("truths", [True, False], {"min": 0.0, "max": 1.0, "mean": 0.5}),
    ("whole numbers", [2**40, -1], {"max": 2.0**40, "min": -1.0}),
    ("complex", [3 + 4j, 0], {"norm": 5.0, "mean": 1.5 + 2j}),
    ("repeated", np.broadcast_to(np.float32(2), (3, 4)), {"norm": 48**0.5, "mean": 2.0}),
    ("repeated and amiss", np.broadcast_to(np.float32([1, np.nan]), (5, 2)), {"nan": 5}),
    ("backwards", np.arange(6.0)[::-2], {"min": 1.0, "max": 5.0, "mean": 3.0}),
]


@pytest.mark.parametrize(("array", "expected"), [row[1:] for row in FIGURES],
                         ids=[row[0] for row in FIGURES])  # fmt: skip
def test_figures(array, expected):
    found = statistics(np.asarray(array))
    assert {name: found[name] for name in expected} == pytest.approx(expected)
    if not expected.get("nan") and np.size(array) and np.asarray(array).dtype.kind != "c":
        assert set(found) == {"min", "max", "mean", "norm", "nan", "infinite"}


# Text of any kind

HOSTILE = [
    "</script><script>window.bad = 1</script>",
    "<img src=x onerror='window.bad = 1'>",
    "<!--<script>",
    '"><svg onload=window.bad=1>',
    "javascript:window.bad=1",
    "{title} {contents} {program}",
    "a\\u003c/script> \\ \" ' ` ${1}",
    "line\nfeed\r\ttab\x00\x1b[0m\x7f",
    "\u2028\u2029\u202egnp.exe",
    "half \udc80 pair \ud800",
    "名 ünï 🙂 العربية",
    "x" * 5000,
    "__proto__",
    "constructor",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_names_are_text(shown, tmp_path, text):
    x = aino.tensor([1.0], requires_grad=True)
    data = shown(aino.draw(x * 2.0, names={text: x}))
    readable = re.sub("[\ud800-\udfff]", "\N{REPLACEMENT CHARACTER}", text)
    assert data["nodes"][0]["title"] == readable
    y = x * 2.0
    assert shown(aino.draw(y, names={text: y}))["title"] == readable
    page = (tmp_path / "graph.html").read_text()
    assert page.count("<script") == page.count("</script>") == 3
    assert "bad = 1<" not in page


# What it is made of


def test_the_page_holds_all_that_it_needs(shown, tmp_path):
    shown(aino.draw(aino.tensor([1.0], requires_grad=True) * 2.0))
    page = (tmp_path / "graph.html").read_text()
    assert "default-src 'none'" in page
    assert not re.search(r"<(?:script|img|iframe|object)[^>]*\ssrc=|@import|url\((?!#)", page)
    assert not re.search(r"\b(?:fetch|XMLHttpRequest|WebSocket|import)\(", page)
    assert not re.search(r"innerHTML|insertAdjacentHTML|document\.write|\beval\(", page)
    assert "Copyright (c) 2012-2014 Chris Pettitt" in page


def test_all_of_the_page_s_modules_are_in_it():
    web = files("aino.drawing").joinpath("web")
    names = {path.name[:-3] for path in web.iterdir() if path.name.endswith(".js")}
    assert names == set(MODULES)
    declared: list[str] = []
    for place, name in enumerate(MODULES):
        text = web.joinpath(f"{name}.js").read_text(encoding="utf-8")
        imported = re.findall(r'^import .* from "\./(\w+)\.js";$', text, re.MULTILINE)
        assert text.count("\nimport ") == len(imported) - text.startswith("import ")
        assert set(imported) <= set(MODULES[:place])
        declared += re.findall(
            r"^(?:export )?(?:class|const|let|function) (\w+)", text, re.MULTILINE
        )
    # They share one scope in the page.
    assert len(declared) == len(set(declared))


@pytest.mark.parametrize("name", CHECKSUMS)
def test_the_library_is_as_it_was_fetched(name):
    found = files("aino.drawing").joinpath("web", "vendor", name).read_bytes()
    assert hashlib.sha256(found).hexdigest() == CHECKSUMS[name]
    assert all("@" in package for package, *_ in fetch.PACKAGES)


# How it is asked for


def test_a_path_at_the_end_is_written(tmp_path):
    x = aino.tensor([1.0], requires_grad=True)
    layer = nn.Linear(1, 1)
    for place, arguments in enumerate([(x * 2.0,), (layer,), (layer, x)]):
        for path in (tmp_path / f"{place}.html", str(tmp_path / f"{place}.HTML")):
            drawing = aino.draw(*arguments, path)
            assert written(tmp_path / path)["nodes"]
            assert drawing.source.startswith("digraph")
        aino.draw(*arguments, tmp_path / "graph.dot")
        with pytest.raises(ValueError, match=r"as a page: \.html"):
            aino.draw(*arguments, tmp_path / "graph.jpg")


def test_text_for_a_module_is_no_path():
    class Chosen(nn.Module):
        def forward(self, x, how):
            return getattr(aino, how)(x)

    x = aino.tensor([1.0], requires_grad=True)
    assert "tanh" in aino.draw(Chosen(), x, "tanh").source


def test_a_notebook_without_graphviz_shows_the_page(monkeypatch):
    from aino.drawing import picture
    from aino.errors import MissingExtraError

    def missing(source, format):
        raise MissingExtraError("no Graphviz")

    monkeypatch.setattr(picture, "picture", missing)
    bundle = aino.draw(aino.tensor([1.0], requires_grad=True) * 2.0)._repr_mimebundle_()
    assert bundle["text/html"].startswith('<iframe srcdoc="&lt;!DOCTYPE html&gt;')
    assert bundle["text/html"].count('"') == 6
    assert "image/svg+xml" not in bundle
