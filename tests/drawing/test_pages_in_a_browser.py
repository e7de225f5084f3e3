"""The page in headless Chromium: what is seen, clicked, searched, and walked by keys."""

import re

import pytest

import aino
from aino import nn
from tests import browser as chromium
from tests.drawing.test_pages import HOSTILE

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(chromium.MISSING is not None, reason=str(chromium.MISSING)),
]


@pytest.fixture(scope="module")
def window():
    window = chromium.Browser()
    yield window
    window.close()


@pytest.fixture
def show(window, tmp_path):
    """Open the page of a drawing; at the end nothing may have been complained of."""

    def show(drawing):
        window.open(drawing.render(tmp_path / "graph.html"))
        return Page(window)

    yield show
    assert window.log() == []


class Page:
    """What a test asks of the page; items are found by their titles."""

    def __init__(self, window):
        self.window = window
        for name in ("run", "press", "click"):
            setattr(self, name, getattr(window, name))

    def titles(self):
        """Return what stands in bold at the top of each box."""
        return self.run(
            "return [...document.querySelectorAll('[data-id]')]"
            ".map((box) => box.querySelector('text').textContent)"
        )

    def selector(self, title):
        """Return a CSS selector for the first box that begins with this title."""
        found = self.run(
            "return [...document.querySelectorAll('[data-id]')].find((box) => "
            "box.querySelector('tspan').textContent === arguments[0])?.dataset.id", title
        )  # fmt: skip
        assert found is not None, f"there is no {title} in {self.titles()}"
        return f"[data-id={found}]"

    def select(self, title):
        self.click(self.selector(title) + " text")

    def selected(self):
        return self.run("return document.querySelector('.box.selected tspan')?.textContent")

    def details(self):
        return self.run("return document.getElementById('details').innerText")

    def edges(self):
        return self.run("return document.querySelectorAll('path.edge').length")

    def scale(self):
        transform = self.run("return document.getElementById('camera').getAttribute('transform')")
        return float(transform.rpartition("scale(")[2].rstrip(")"))


def product():
    x = aino.tensor([1.0, 2.0], requires_grad=True)
    w = aino.tensor([3.0, -1.0], requires_grad=True)
    p = x * w
    return aino.draw(p.sum(), gradients=True, names={"x": x, "w": w, "p": p})


def network():
    model = nn.Sequential(nn.Linear(3, 4), nn.Sequential(nn.Tanh(), nn.Linear(4, 2)))
    return aino.draw(model, aino.ones(2, 3))


def chain(length):
    y = aino.tensor(1.0, requires_grad=True)
    for _ in range(length):
        y = aino.tanh(y)
    return aino.draw(y)


def test_boxes_and_edges_are_drawn(show):
    page = show(product())
    assert [title.split("\u00a0")[0][:3] for title in page.titles()] == ["x", "w", "mul", "sum"]
    assert page.edges() == 3
    assert "4 nodes, 3 edges" in page.details()


class Failing(nn.Module):
    def forward(self, x):
        return nn.functional.linear(aino.exp(x), aino.ones(2, 5))


def failed():
    with pytest.warns(UserWarning, match="before that is drawn"):
        return aino.draw(nn.Sequential(nn.Linear(3, 3), Failing()), aino.ones(1, 3))


def several():
    x = aino.tensor([[1.0, 3.0], [2.0, 0.5]], requires_grad=True)
    found = x.max(dim=1)
    return aino.draw({"largest": found.values, "spread": x.std(dim=0), "nothing": x[:0].sum()})


def spectrum():
    return aino.draw(aino.fft.fft(aino.tensor([1.0, 2.0, 3.0], requires_grad=True)) * 1j)


DRAWINGS = {
    "failed": failed,
    "several outputs": several,
    "complex numbers": spectrum,
    "neurons": lambda: aino.draw(aino.NeuralNetwork([2, 3, 1])),
    "layers": lambda: aino.draw(nn.TransformerEncoderLayer(8, 2, 16)),
    "attention": lambda: aino.draw(nn.TransformerEncoderLayer(8, 2, 16), aino.ones(3, 2, 8)),
    "backward": lambda: aino.draw(aino.tensor(2.0, requires_grad=True) ** 3, show="both"),
    "empty": lambda: aino.draw(aino.zeros(0, 3).requires_grad_().exp(), gradients=False),
    "one value": lambda: aino.draw(aino.tensor(2.0, requires_grad=True)),
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_drawings_of_any_kind_open(show, name):
    page = show(DRAWINGS[name]())
    page.click("#unfold")
    page.click("#unfold")
    for title in page.titles()[:3]:
        assert title
    for key in ("End", "Home"):
        page.run("document.querySelector('[data-id][tabindex=\"0\"]').focus()")
        page.press(key)
        assert page.selected() is not None
        assert page.details()


def test_the_neurons_of_a_network_are_beside_it(show):
    inner = aino.NeuralNetwork([3, 4, 2])
    page = show(aino.draw(nn.Sequential(nn.LayerNorm(3), inner), aino.ones(2, 3)))
    assert "Picture" not in page.details()
    page.click("#unfold")
    for title in ("1", "1.layers.0", "tanh" if inner.layers[0].activation == "tanh" else "1"):
        page.select(title)
        assert "Picture of NeuralNetwork 3-4-2" in page.details()
    seen = "const i = document.querySelector('.picture img');"
    assert page.run(f"{seen} return i.decode().then(() => i.naturalWidth > 100)")
    width = f"{seen} return i.getBoundingClientRect().width"
    small = page.run(width)
    page.click(".picture")
    assert page.run(width) > 2 * small
    page.press("Escape")
    assert page.run(width) == small
    page.select("0")
    assert "Picture" not in page.details()


def test_a_click_shows_what_is_known(show):
    page = show(product())
    page.select("mul")
    assert page.selected() == "mul"
    details = page.details()
    for said in ("a · b", "(2,) float32", "[3, -2]", "min\t-2", "mean\t0.5", "norm\t3.60555",
                 "NaN\t0", "Gradient", "[1, 1]"):  # fmt: skip
        assert said in details
    page.click("#details .link")
    assert page.selected() == "x"
    assert "[3, -1]" in page.details()


def test_modules_fold_and_unfold(show):
    page = show(network())
    whole = page.titles()
    assert "1.1.weight" in whole
    page.click(page.selector("1.1") + " .fold")
    assert "1.1.weight" not in page.titles()
    assert page.run("return document.activeElement.getAttribute('aria-expanded')") == "false"
    page.click(page.selector("1.1") + " text", times=2)
    assert page.titles() == whole
    page.click("#fold")
    assert [title[:10] for title in page.titles()] == ["input", "Sequential"]
    for said in ("Unfolded one level more",) * 3 + ("Nothing is folded",):
        page.click("#unfold")
        assert page.run("return document.getElementById('found').textContent") == said
    assert page.titles() == whole


@pytest.mark.parametrize(("rankdir", "on", "back"), [
    ("TB", "ArrowDown", "ArrowUp"), ("BT", "ArrowUp", "ArrowDown"),
    ("LR", "ArrowRight", "ArrowLeft"), ("RL", "ArrowLeft", "ArrowRight"),
])  # fmt: skip
def test_arrow_keys_go_along_the_edges(show, rankdir, on, back):
    a = aino.tensor(1.0, requires_grad=True)
    b = aino.exp(a)
    y = b + aino.sin(a)
    page = show(aino.draw(y, rankdir=rankdir, names={"a": a}))
    page.select("a")
    seen = []
    for key in (on, on, back, back, on):
        page.press(key)
        seen.append(page.selected())
    first = seen[0]
    assert first in ("exp", "sin")
    assert seen == [first, "add", first, "a", first]
    beside = {"TB": "ArrowLeft ArrowRight", "LR": "ArrowUp ArrowDown"}
    for key in beside.get(rankdir, beside["TB" if rankdir == "BT" else "LR"]).split():
        page.press(key)
        if page.selected() != first:
            break
    assert {first, page.selected()} == {"exp", "sin"}


def test_keys_fold_and_lead_out(show):
    page = show(network())
    page.select("tanh")
    page.press("Escape")
    assert page.selected() == "1.0"
    page.press("Enter")
    assert "tanh" not in "".join(page.titles())
    page.press(" ")
    assert "tanh" in "".join(page.titles())
    page.press("Home")
    assert page.selected() == "input"
    page.press("End")
    assert page.selected() == "linear"
    page.press("f")
    assert len(page.titles()) == 2
    assert page.selected() == "Sequential"
    page.press("ArrowUp")
    assert page.selected() == "input"
    page.press("u", "ArrowDown")
    assert page.selected() not in ("input", None)


def test_the_search_opens_what_it_finds(show):
    page = show(network())
    page.press("f", "/", "tanh")
    assert page.run("return document.getElementById('found').textContent") == "2 found"
    assert page.run("return document.querySelectorAll('.box.found').length") == 1
    page.press("Enter")
    assert page.selected() == "tanh"
    assert page.run("return document.getElementById('found').textContent") == "1 of 2"
    page.press("Escape")
    assert page.run("return document.activeElement.dataset.id") is not None


def test_the_mouse_moves_and_zooms(show, window):
    page = show(product())
    box = "return document.querySelector('[data-id=n0]').getBoundingClientRect().x"
    before = page.run(box)
    window.drag((200, 500), (260, 520))
    assert page.run(box) == pytest.approx(before + 60, abs=1)
    scale = page.scale()
    window.wheel(300, 300, -200)
    assert page.scale() > scale
    page.press("-", "-", "-")
    assert page.scale() < scale
    page.press("0")
    assert page.scale() == 1


def test_every_box_says_what_it_is(show):
    page = show(network())
    roles = page.run(
        "return [...document.querySelectorAll('[data-id]')].map((box) => [box.getAttribute('role'),"
        " box.getAttribute('aria-label'), box.getAttribute('aria-level'), box.tabIndex])"
    )
    assert {role for role, *_ in roles} == {"treeitem"}
    assert all(label for _, label, *_ in roles)
    assert [tab for *_, tab in roles].count(0) == 1
    (tanh,) = [label for _, label, *_ in roles if label.startswith("operation; tanh")]
    assert "from linear" in tanh
    assert "to linear" in tanh
    nameless = page.run(
        "return [...document.querySelectorAll('button, input')].filter((x) => "
        "!(x.textContent || x.ariaLabel || x.labels?.length)).map((x) => x.id)"
    )
    assert nameless == []


def test_light_and_dark(show):
    page = show(product())
    color = "return getComputedStyle(document.body).backgroundColor"
    assert page.run(color) == "rgb(255, 255, 255)"
    page.click("#theme")
    assert page.run(color) == "rgb(22, 24, 27)"
    page.click("#theme")
    assert page.run(color) == "rgb(255, 255, 255)"


@pytest.mark.parametrize("text", HOSTILE)
def test_text_is_shown_and_never_run(show, text):
    x = aino.tensor([1.0], requires_grad=True)
    page = show(aino.draw(x * 2.0, names={text: x}))
    page.click("[data-id=n0]")
    shown = page.run("return document.querySelector('#details h2').textContent")
    assert shown == re.sub("[\ud800-\udfff]", "\N{REPLACEMENT CHARACTER}", text)
    assert page.run("return window.bad") is None
    page.press("/", "tanh")
    assert page.run("return document.querySelectorAll('#camera img, #details img').length") == 0


def test_nothing_else_is_run_and_nothing_is_fetched(show, window):
    page = show(product())
    page.run(
        "const script = document.createElement('script'); script.textContent = 'window.bad = 1';"
        "document.body.append(script); document.body.setAttribute('onclick', 'window.bad = 1');"
        "document.body.click(); const image = new Image(); image.src = 'http://127.0.0.1:9/a.png';"
        "fetch('http://127.0.0.1:9/').catch(() => {});"
    )
    assert page.run("return window.bad") is None
    refused = [text for text in window.log() if "Content Security Policy" in text]
    assert len(refused) >= 4


def test_amiss_numbers_are_seen_from_outside(show):
    x = aino.tensor([-1.0, 4.0], requires_grad=True)
    model = nn.Sequential(nn.Identity(), nn.Sequential(Root()))
    page = show(aino.draw(model, x))
    page.press("f")
    (sequential,) = [title for title in page.titles() if title.startswith("Sequential")]
    assert "NaN" in sequential
    page.press("/", "nan", "Enter", "Enter")
    assert "NaN\t1" in page.details()


class Root(nn.Module):
    def forward(self, x):
        return aino.sqrt(x) * 1.0


def test_ten_thousand_nodes_open_folded(show):
    page = show(chain(9_990))
    assert len(page.titles()) < 60
    assert "9,991 nodes" in page.details()
    folded = len(page.titles())
    page.press("u")
    assert len(page.titles()) > folded
    unfolded = page.titles()
    page.press("u")
    said = page.run("return document.getElementById('found').textContent")
    assert said.startswith("That would be too much")
    assert page.titles() == unfolded


def test_in_a_notebook_s_frame(window, tmp_path):
    from aino.drawing.html import frame

    path = tmp_path / "notebook.html"
    path.write_text(f"<!DOCTYPE html><meta charset=utf-8>{frame(product()._contents())}")
    window.open(path)
    window.inside("iframe")
    assert "4 nodes, 3 edges" in Page(window).details()
    assert window.log() == []
