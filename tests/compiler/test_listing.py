"""``step.show_source()``: each line of a program with its module, its formula, the user's line."""

from __future__ import annotations

import re

import pytest

import aino
from aino import nn
from aino.errors import CompileError


@pytest.fixture(scope="module")
def step():
    aino.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 3), nn.Sequential(nn.Tanh()), nn.Linear(3, 2))
    optimizer = aino.optim.SGD(model.parameters(), lr=0.1)
    criterion = nn.CrossEntropyLoss()

    @aino.compile
    def train(x, y):
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    train(aino.randn(5, 4), aino.tensor([0, 1, 0, 1, 1]))
    return train


def owner_of(listing, code):
    found = {line.module for line in listing.lines if line.code.strip().startswith(code)}
    assert len(found) == 1, (code, found)
    return found.pop()


#: The beginning of a line -> the module that it belongs to, there and back.
OWNERS = {
    "linear = x @": "0: Linear",
    "tanh = np.tanh": "1.0: Tanh",
    "linear_3 = tanh @": "2: Linear",
    "log_softmax = ": "CrossEntropyLoss",
    "d_cross_entropy = ": "CrossEntropyLoss",
    "d_linear2_weight = ": "2: Linear",
    "d_linear2_bias = ": "2: Linear",
    "d_tanh = ": "1.0: Tanh",
    "d_linear0_weight = ": "0: Linear",
    "linear0_weight[...] -=": "SGD",
}


@pytest.mark.parametrize("code", OWNERS)
def test_a_line_knows_its_module(step, code):
    assert owner_of(step.show_source(), code) == OWNERS[code]


def test_it_is_the_source(step):
    listing = step.show_source()
    assert listing.name == "train"
    written = [line.partition("  #")[0].rstrip() for line in step.source.splitlines()]
    assert [line.code.rstrip() for line in listing.lines if "# " not in line.code] == [
        line for line in written if not line.lstrip().startswith("#") and line.strip()
    ]
    formulas = re.findall(r"\S  +# (.+)$", step.source, re.MULTILINE)
    assert [line.formula for line in listing.lines if line.formula] == formulas


def test_a_line_knows_the_users_line(step):
    lines = step.show_source().lines
    texts = {line.section: line.text for line in lines if line.section}
    assert texts["forward"] == "loss = criterion(model(x), y)"
    assert texts["backward"] == "loss.backward()"
    assert texts["update"] == "optimizer.step()"
    assert {line.place.partition(":")[0] for line in lines if line.place} == {"test_listing.py"}


def test_forms(step):
    listing = step.show_source()
    text = str(listing)
    assert repr(listing) == text
    assert re.search(r"^1\.0: Tanh +tanh = np\.tanh\(linear_2\)    # tanh: tanh x$", text, re.M)
    coloured = listing.ansi()
    assert re.sub(r"\x1b\[\d+m", "", coloured).split() == text.split()
    page = listing.html()
    assert page.startswith("<!doctype html>")
    assert "prefers-color-scheme:dark" in page
    targets = re.findall(r'href="#([^"]+)"', page)
    assert targets
    assert set(targets) <= set(re.findall(r'id="([^"]+)"', page))
    for tag in ("table", "tr", "td", "li", "a", "i", "div"):
        assert len(re.findall(rf"<{tag}[ >]", page)) == page.count(f"</{tag}>"), tag


def test_a_compiled_module_is_listed():
    model = aino.compile(nn.Sequential(nn.Linear(2, 3), nn.ReLU()))
    model(aino.ones(1, 2))
    modules = model.show_source().modules()
    assert list(modules) == ["0: Linear", "1: ReLU"]


def test_before_the_first_call():
    with pytest.raises(CompileError, match="call"):
        aino.compile(lambda x: x * 2.0).show_source()
