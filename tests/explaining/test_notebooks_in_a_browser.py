"""What notebooks show, in headless Chromium: it is read in light and dark, and no name is code."""

import math

import pytest

import aino
from aino import nn
from aino.train import History
from tests import browser as chromium

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(chromium.MISSING is not None, reason=str(chromium.MISSING)),
]
EVIL = "<img src=x onerror=evil=1>"

#: The colour of each text, and that of the paper below it, as they are seen.
COLOURS = """
const found = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const text = walker.currentNode, element = text.parentElement;
  if (!text.data.trim() || element.closest("style, title, .aino-tree svg")) continue;
  const look = getComputedStyle(element), ink = element.closest("svg") ? look.fill : look.color;
  let below = element, paper = "";
  while (!paper || paper === "rgba(0, 0, 0, 0)") {
    paper = getComputedStyle(below).backgroundColor;
    below = below.parentElement;
  }
  found.push([text.data.trim(), ink, paper]);
}
return found;
"""


@pytest.fixture(scope="module", params=["light", "dark"])
def window(request):
    """A window of someone who prefers light pages, or dark ones."""
    window = chromium.Browser(dark=request.param == "dark")
    window.prefers = request.param
    yield window
    window.close()


def everything():
    broken = aino.randn(20, 20)
    broken[0, 0], broken.label = math.nan, EVIL
    module = nn.Sequential(nn.Linear(3, 2), nn.Tanh())
    module.add_module(EVIL, nn.Linear(2, 2))
    model = nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 1))
    shown = [
        broken, aino.randn(1000), aino.tensor(1.0), module,
        History({"loss": [1.0, math.inf, 0.5], "val_loss": [1.0, 0.8, 0.7], EVIL: [1.0, 2.0, 3.0]}),
        aino.explain(model(aino.ones(1, 2)).sum()), aino.summary(module, (1, 3)),
    ]  # fmt: skip
    return "".join([thing._repr_html_() for thing in shown])


def luminance(colour):
    def linear(share):
        return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4

    numbers = colour.partition("(")[2].rstrip(")").split(",")
    red, green, blue = [linear(int(number) / 255) for number in numbers[:3]]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


#: How a page says of itself which it is; without a word it is what its reader prefers.
NOTEBOOKS = {
    "": None,
    'data-jp-theme-light="true"': "light",
    'data-jp-theme-light="false"': "dark",
    'data-theme="dark"': "dark",
    'class="vscode-dark"': "dark",
    'class="vscode-light"': "light",
}


@pytest.mark.parametrize("attribute", NOTEBOOKS)
def test_all_is_read_in_light_and_dark(window, tmp_path, attribute):
    page = tmp_path / "notebook.html"
    page.write_text(f"<!doctype html><meta charset=utf-8><body {attribute}>{everything()}")
    window.open(page)
    wanted = NOTEBOOKS[attribute] or window.prefers
    texts = window.run(COLOURS)
    assert len(texts) > 300
    for text, ink, paper in texts:
        assert (luminance(paper) > 0.5) == (wanted == "light"), (text, paper)
        assert contrast(ink, paper) >= 4.5, (text, ink, paper)
    assert window.run("return window.evil ?? null") is None
    assert window.log() == []


def test_keys_unfold_a_module(window, tmp_path):
    page = tmp_path / "module.html"
    blocks = [nn.Sequential(nn.Linear(20, 20), nn.Tanh()) for _ in range(6)]
    page.write_text(f"<!doctype html>{nn.Sequential(*blocks)._repr_html_()}")
    window.open(page)
    is_open = "return [...document.querySelectorAll('details')].map((one) => one.open)"
    assert window.run(is_open) == [True, *[False] * 6]
    window.press("Tab", "Tab", "Enter")
    assert window.run(is_open) == [True, True, *[False] * 5]
