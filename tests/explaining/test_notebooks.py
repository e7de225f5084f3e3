"""What notebooks show of tensors, modules and histories: what it says, and when it is silent."""

from __future__ import annotations

import ast
import base64
import math
import re
import subprocess
import sys
import warnings
import zlib
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

import aino
from aino import nn
from aino.autograd import forward_ad
from aino.train import History

VOID = {"meta", "image", "rect", "path", "circle", "line", "marker", "br"}


class Page(HTMLParser):
    """A page as tables of cells, its definitions, titles, and texts; raises for a lost tag."""

    def __init__(self, source):
        super().__init__()
        self.tags, self.open, self.tables, self.titles = [], [], [], []
        self.words, self.defined, self.text = [], {}, ""
        self.feed(source)
        assert not self.open

    def handle_startendtag(self, tag, attributes):
        self.tags.append(tag)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" in self.open:
            return
        self.text += data
        if "td" in self.open or "th" in self.open:
            self.tables[-1][-1][-1] += data
        elif "title" in self.open:
            self.titles.append(data)
        elif "dt" in self.open:
            self.words.append(data)
        elif "dd" in self.open:
            self.defined[self.words[-1]] = self.defined.get(self.words[-1], "") + data


def read(thing):
    source = thing._repr_html_()
    assert source is not None
    page = Page(source)
    assert "script" not in page.tags
    return page


def pixels(source):
    """Return the colours of a heat map: red, green, blue, and how opaque they are."""
    data = base64.b64decode(re.search(r"base64,([^\"]+)", source)[1])
    columns, rows = (int.from_bytes(data[at : at + 4], "big") for at in (16, 20))
    start = data.index(b"IDAT")
    length = int.from_bytes(data[start - 4 : start], "big")
    lines = np.frombuffer(zlib.decompress(data[start + 4 : start + 4 + length]), np.uint8)
    return lines.reshape(rows, -1)[:, 1:].reshape(rows, columns, 4)


# Tensors

SMALL = {
    "0-d": (lambda: aino.tensor(3.5), [["3.5000"]]),
    "a number that is none": (lambda: aino.tensor(math.nan), [["nan"]]),
    "1-d": (lambda: aino.arange(3), [["0", "1", "2"], ["0", "1", "2"]]),
    "2-d": (
        lambda: aino.tensor([[1.0, -2.5], [0.0, math.inf]]),
        [["", "0", "1"], ["0", "1.0000", "-2.5000"], ["1", "0.0000", "inf"]],
    ),
    "bool": (lambda: aino.tensor([True, False]), [["0", "1"], ["True", "False"]]),
    "complex": (lambda: aino.tensor([1 + 2j]), [["0"], ["1.+2.j"]]),
    "unsigned": (lambda: aino.tensor([200], dtype=aino.uint8), [["0"], ["200"]]),
    "half": (lambda: aino.tensor([0.5], dtype=aino.float16), [["0"], ["0.5000"]]),
    "a view": (lambda: aino.arange(6).reshape(2, 3).T[1:], [["", "0", "1"], ["0", "1", "4"],
                                                            ["1", "2", "5"]]),
}  # fmt: skip


@pytest.mark.parametrize("name", SMALL)
def test_small_tensors_are_tables_of_all_their_numbers(name):
    make, expected = SMALL[name]
    page = read(make())
    assert page.tables == [expected]
    assert page.defined == {}


def test_the_options_of_printing_hold():
    with aino.printoptions(precision=2):
        assert read(aino.tensor([1.23456])).tables[0][-1] == ["1.23"]


SAID = {
    "a leaf": (lambda: aino.ones(2, 3, requires_grad=True), "Tensor · 2 × 3 · float32 · "
               "requires_grad"),
    "a result": (lambda: aino.ones(2, requires_grad=True) * 2, "grad_fn MulBackward0"),
    "a parameter": (lambda: nn.Parameter(aino.ones(2)), "Parameter · 2 · float32"),
    "a row of a layer": (lambda: nn.Layer(3, 2)[0].weight, "Parameter · 3 · float32"),
    "empty": (lambda: aino.zeros(0, 3), "Tensor · 0 × 3 · float32no elements"),
    "a number": (lambda: aino.tensor(1), "Tensor · 0-d · int64"),
    "too large to look at": (
        lambda: aino.zeros(1).expand(6000, 6000), "36,000,000 elements: too many to look at"),
}  # fmt: skip


@pytest.mark.parametrize("name", SAID)
def test_what_is_said_above_the_numbers(name):
    make, expected = SAID[name]
    assert expected in read(make()).text


def test_a_label_is_said_and_is_no_code():
    x = aino.ones(1)
    x.label = "<script>alert(1)</script>"
    assert "<script>alert(1)</script> Tensor" in read(x).text


def drawn(*shape, dtype=np.float32):
    return np.random.default_rng(0).normal(size=shape).astype(dtype)


LARGE = {
    "1-d": lambda: drawn(1000),
    "2-d": lambda: drawn(40, 30),
    "3-d": lambda: drawn(3, 20, 30),
    "5-d": lambda: drawn(2, 3, 4, 5, 12),
    "narrow": lambda: drawn(500, 1),
    "float64": lambda: drawn(100, dtype=np.float64),
    "int64": lambda: np.arange(2**62, 2**62 + 100),
    "uint8": lambda: np.arange(200, dtype=np.uint8).reshape(20, 10),
    "all the same": lambda: np.full(100, 2.0),
    "transposed": lambda: drawn(40, 30).T,
    "repeated": lambda: np.broadcast_to(drawn(1, 30), (40, 30)),
    "near the largest": lambda: np.array([1e308, -1e308] * 20),
}


@pytest.mark.parametrize("name", LARGE)
def test_large_tensors_have_a_head_and_figures(name):
    array = LARGE[name]()
    page = read(aino.from_numpy(array))
    (rows,) = page.tables
    assert "…" in [cell for row in rows for cell in row]
    head = array[(0,) * (array.ndim - 2)] if array.ndim > 2 else np.atleast_2d(array)
    first = rows[1] if array.ndim < 2 else rows[1][1:]
    assert float(first[0]) == pytest.approx(float(head[0, 0]), rel=1e-3, abs=1e-4)
    assert float(first[-1]) == pytest.approx(float(head[0, -1]), rel=1e-3, abs=1e-4)
    told = {"min": array.min(), "max": array.max()}
    if name != "near the largest":
        told["mean"] = array.mean(dtype=np.float64)
    for key, value in told.items():
        assert float(page.defined[key]) == pytest.approx(float(value), rel=1e-3, abs=1e-6)
    assert set(told) == set(page.defined) & {"min", "mean", "max"}
    if array.dtype.kind == "i":
        assert page.defined["max"] == str(array.max())
    if array.dtype.kind == "f":
        assert page.defined["NaN, infinite"] == "none"


def test_places_are_those_of_the_numbers():
    (rows,) = read(aino.arange(10_000).reshape(100, 100)).tables
    assert rows[0] == ["", "0", "1", "2", "3", "4", "…", "98", "99"]
    assert [row[0] for row in rows[1:]] == ["0", "1", "2", "3", "4", "…", "98", "99"]
    assert rows[-1] == ["99", *"9900 9901 9902 9903 9904 … 9998 9999".split()]  # noqa: SIM905


def test_what_is_no_number_is_counted_and_marked():
    array = drawn(30, 20)
    array[2, 3], array[5] = math.nan, -math.inf
    source = aino.from_numpy(array)._repr_html_()
    page = Page(source)
    assert (page.defined["NaN"], page.defined["infinite"]) == ("1 of 600", "20 of 600")
    finite = array[np.isfinite(array)]
    assert float(page.defined["min"]) == pytest.approx(finite.min(), rel=1e-3)
    assert '<span class="aino-odd">nan</span>' in source
    assert (pixels(source)[5] == (128, 128, 128, 255)).all()
    assert "grey: no number" in page.text


def test_a_tensor_of_nothing_but_nan():
    page = read(aino.full((100,), math.nan))
    assert page.defined == {"NaN": "100 of 100"}
    assert page.titles == []


def test_a_heat_map_has_the_sign_and_the_size_of_each_number():
    array = drawn(12, 9)
    found = pixels(aino.from_numpy(array)._repr_html_())
    share = array / np.abs(array).max()
    assert found.shape == (12, 9, 4)
    assert (found[share > 0][:, :3] == (0, 114, 178)).all()
    assert (found[share < 0][:, :3] == (213, 94, 0)).all()
    np.testing.assert_allclose(found[..., 3] / 255, np.abs(share), atol=0.5 / 24 + 0.003)


def test_a_heat_map_of_many_rows_shows_some_and_says_which():
    array = drawn(100, 30)
    source = aino.from_numpy(array)._repr_html_()
    found = pixels(source)
    assert found.shape == (34, 30, 4)
    assert ((found[..., 0] == 213) == (array[::3] < 0)).all()
    assert "every 3rd row" in Page(source).text
    assert "every 3rd row" in Page(source).titles[0]


@pytest.mark.parametrize(
    ("array", "values"),
    [(drawn(1000), drawn(1000)), (drawn(400) + 1j, np.abs(drawn(400) + 1j)),
     (np.asfortranarray(drawn(700, 800)), drawn(700, 800).ravel())],
    ids=["real", "complex", "many"],
)  # fmt: skip
def test_a_histogram_counts(array, values):
    if array.ndim == 2:
        array, values = array[None], values[::3]  # of more than 2¹⁸ elements some
    page = read(aino.from_numpy(array))
    counts, edges = np.histogram(values, 32)
    (title,) = page.titles
    assert title.endswith(f"the fullest bin has {counts.max():,}")
    assert f"from {edges[0]:.4g} to {edges[-1]:.4g}" in title
    assert ("every 3rd" in title) == (array.ndim == 3)
    assert ("magnitudes" in title) == (array.dtype.kind == "c")


def test_booleans_are_counted():
    assert read(aino.arange(100) < 30).defined == {"True": "30 of 100"}


class Named(aino.Tensor):
    def __repr__(self):
        return "mine"


def broken():
    tensor = aino.ones(2)
    del tensor.array
    return tensor


def dual():
    with forward_ad.dual_level():
        return forward_ad.make_dual(aino.ones(2), aino.ones(2))._repr_html_()


def in_vmap():
    seen = []
    aino.func.vmap(lambda x: seen.append(x._repr_html_()) or x * 2)(aino.ones(3, 2))
    return seen[0]


def in_a_trace(thing=None):
    seen = []

    @aino.compile
    def step(x):
        seen.append((x if thing is None else thing)._repr_html_())
        return x * 2

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the list is the same at every call
        step(aino.ones(2))
    return seen[0]


SILENT = {
    "a class with a text of its own": lambda: Named(aino.ones(2))._repr_html_(),
    "broken": lambda: broken()._repr_html_(),
    "without a shape": lambda: nn.UninitializedParameter()._repr_html_(),
    "of a transform": in_vmap,
    "with a tangent": dual,
    "in a trace": in_a_trace,
    "a module in a trace": lambda: in_a_trace(nn.Linear(20, 20)),
}


@pytest.mark.parametrize("name", SILENT)
def test_the_text_is_left_to_speak(name):
    assert SILENT[name]() is None


def test_nothing_is_computed_of_the_graph_and_nothing_changes():
    x = aino.randn(30, 30, requires_grad=True)
    called = []
    y = x * 2
    y.register_hook(called.append)
    before = x._version, y.grad_fn, aino.get_rng_state().tolist()
    y._repr_html_()
    assert (x._version, y.grad_fn, aino.get_rng_state().tolist()) == before
    assert not called
    assert x.grad is None


def test_what_is_shown_is_small():
    shown = [aino.randn(3000, 2000), aino.randn(50, 50).half(), aino.randn(60, 70, 8)]
    assert max(len(x._repr_html_()) for x in shown) < 9000


# Modules


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(3, 4), nn.ReLU())
        self.head = nn.Linear(4, 40)
        self.again = self.head
        self.head.weight.requires_grad_(False)


def test_a_module_is_a_tree_that_folds():
    page = read(Net().eval())
    assert "216 parameters · 160 frozen · 864 B · evaluation" in page.text
    for line in (
        "Net 216",
        "body Sequential 16",
        "0 Linear(in_features=3, out_features=4, bias=True) 16",
        "1 ReLU",
        "again Linear(in_features=4, out_features=40, bias=True) 200 (as head)",
    ):
        assert line in page.text, line
    assert page.tags.count("details") == 2


def chain(depth):
    module = nn.Linear(20, 20)
    for _ in range(depth):
        module = nn.Sequential(module)
    return module


def grid(*sizes):
    if not sizes:
        return nn.Linear(20, 20)
    return nn.Sequential(*[grid(*sizes[1:]) for _ in range(sizes[0])])


def loop():
    module = nn.Module()
    module.me = module
    return module


#: Modules, and what is left out of them.
BOUNDED = {
    "side by side": (lambda: grid(3000), "… 2,990 more"),
    "a grid": (lambda: grid(20, 20, 10), "… 10 inside"),
    "deep": (lambda: chain(300), "… 1 inside"),
    "a circle": (loop, "me Module (as the whole)"),
    "lazy": (lambda: nn.Sequential(nn.LazyLinear(3)), "some shapes come with the first call"),
    "nothing inside": (nn.Sequential, "0 parameters"),
}


@pytest.mark.parametrize("name", BOUNDED)
def test_large_modules_are_bounded(name):
    make, left_out = BOUNDED[name]
    module = make()
    assert left_out in read(module).text
    assert len(module._repr_html_()) < 30_000


def test_what_lies_higher_is_shown_first():
    text = read(grid(20, 20, 10)).text
    assert [f"{place} Sequential 84,000" in text for place in range(20)] == [True] * 20


def test_small_networks_are_drawn():
    for model in (aino.NeuralNetwork([2, 3, 1]), nn.Layer(3, 2), nn.Perceptron(3),
                  nn.Layer(3, 2)[0]):  # fmt: skip
        source = model._repr_html_()
        assert "svg" in Page(source).tags
        # The picture's own style would be that of the whole notebook.
        assert source.count("<style>") == 1
    assert "svg" not in read(nn.Linear(20, 20)).tags


def test_a_network_that_has_learned_shows_its_losses():
    model = aino.NeuralNetwork([2, 3, 1], random_state=0)
    assert read(model).tables == []
    x = aino.randn(20, 2)
    model.fit(x, x[:, :1], epochs=7, verbose=False)
    page = read(model)
    assert [row[0] for row in page.tables[0]] == ["epoch", "…", "3", "4", "5", "6", "7"]
    assert page.tables[0][-1][1] == f"{model.history['loss'][-1]:.4g}"
    assert any(title.startswith("loss over 7 epochs") for title in page.titles)


def test_names_of_modules_are_no_code():
    class Evil(nn.Module):
        def extra_repr(self):
            return "<script>alert(1)</script>"

    model = nn.Module()
    model.add_module("<script>alert(1)</script>", Evil())
    assert read(model).text.count("<script>alert(1)</script>") == 2


class Own(nn.Module):
    def __repr__(self):
        return "mine"


class Raising(nn.Module):
    def extra_repr(self):
        raise ValueError("broken")


@pytest.mark.parametrize("module", [Own(), Raising()], ids=["own text", "broken"])
def test_modules_of_which_the_text_is_shown(module):
    assert module._repr_html_() is None


# Histories


def test_a_history_is_a_table_and_curves():
    history = History(
        loss=[1.0, 0.5, 0.25, 0.125, 0.1, 0.08], val_loss=[math.nan] * 5 + [0.3], score=[0.1] * 6
    )
    page = read(history)
    assert page.tables == [[
        ["epoch", "loss", "val_loss", "score"],
        ["…", "…", "…", "…"],
        ["2", "0.5", "nan", "0.1"],
        ["3", "0.25", "nan", "0.1"],
        ["4", "0.125", "nan", "0.1"],
        ["5", "0.1", "nan", "0.1"],
        ["6", "0.08", "0.3", "0.1"],
    ]]  # fmt: skip
    assert page.titles == [
        "loss over 6 epochs, from 0.08 to 1; 5 not finite, or not measured; "
        "the dashed line is the validation",
        "score over 6 epochs, from 0.1 to 0.1",
    ]


def points(source, panel=0):
    """Return the points of the first curve of a panel, upwards."""
    body = re.findall(r"<svg.*?</svg>", source, re.DOTALL)[panel]
    path = re.findall(r'<path d="([^"]*)"', body)[1]
    return [(pen, float(x), -float(y)) for pen, x, y in re.findall(r"([ML])(\S+?) ([\d.]+)", path)]


def test_a_curve_goes_through_its_numbers_and_breaks_where_there_is_none():
    losses = [4.0, 2.0, math.nan, 1.0, 0.5, math.inf, 3.0]
    found = points(History(loss=losses)._repr_html_())
    known = [(i, x) for i, x in enumerate(losses) if math.isfinite(x)]
    assert [pen for pen, _, _ in found] == ["M", "L", "M", "L", "M"]
    places = np.array([(x, y) for _, x, y in found])
    for column, values in enumerate(np.array(known).T):
        slope, start = np.polyfit(values, places[:, column], 1)
        assert slope > 0
        np.testing.assert_allclose(slope * values + start, places[:, column], atol=0.06)


HISTORIES = {
    "nothing yet": (History(), "no epochs yet"),
    "no epochs": (History(loss=[]), "no epochs yet"),
    "one epoch": (History(loss=[0.5]), "1 epoch"),
    "nothing finite": (History(loss=[math.nan, math.inf]), "no finite numbers"),
    "huge": (History(loss=[1e308, -1e308, 0.0]), "from -1e+308 to 1e+308"),
    "uneven": (History(loss=[1.0, 2.0], val_loss=[3.0]), "–"),
    "of the validation alone": (History(val_score=[1.0, 2.0]), "val_score over 2 epochs"),
    "a name that is no code": (History({"<script>x</script>": [1.0]}), "<script>x</script>"),
    "many names": (History({f"m{i}": [1.0] for i in range(40)}), "… and 34 more"),
    "long": (History(loss=np.linspace(1, 0, 100_000).tolist()), "100,000 epochs"),
}


@pytest.mark.parametrize("name", HISTORIES)
def test_histories_of_all_kinds(name):
    history, said = HISTORIES[name]
    assert said in read(history).text
    assert len(history._repr_html_()) < 12_000


def test_a_broken_history_shows_its_text():
    assert History(loss=["a"])._repr_html_() is None


# All of them


def test_what_the_guide_computes_is_shown():
    guide = Path(__file__).resolve().parents[2] / "docs" / "notebooks.md"
    cells = re.findall(
        r"```\{code-cell\} python\n(.*?)```", guide.read_text(encoding="utf-8"), re.DOTALL
    )
    known = {}
    for cell in cells:
        *lines, last = ast.parse(cell).body
        exec(compile(ast.Module(lines, []), guide.name, "exec"), known)
        read(eval(compile(ast.Expression(last.value), guide.name, "eval"), known))
    assert len(cells) == 3


def test_nothing_is_imported_before_a_notebook_asks():
    script = (
        "import sys, aino; from aino import nn, train; print(aino.ones(2), nn.Linear(1, 1));"
        "assert 'aino.explaining' not in sys.modules; aino.ones(2)._repr_html_();"
        "assert 'aino.explaining.showing.tensors' in sys.modules;"
        "assert 'aino.explaining.showing.histories' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)


@pytest.mark.parametrize(
    "thing", [aino.ones(100), Net(), History(loss=[1.0, 0.5])], ids=["tensor", "module", "history"]
)
def test_notebooks_say_whether_they_are_light_or_dark(thing):
    source = thing._repr_html_()
    assert '[data-jp-theme-light="false"] .aino-page' in source
    assert "@media (prefers-color-scheme:dark)" in source
    # Every colour but those of a picture's own boxes comes from the two palettes.
    assert "color:#" not in re.sub(r"<style>.*?</style>", "", source)
