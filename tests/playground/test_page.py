"""The page in headless Chromium: points, the network, steps, lessons, the address."""

import json
import threading
import time
from urllib.parse import quote, unquote

import numpy as np
import pytest

from aino.playground.server import Playground
from tests import browser as chromium

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(chromium.MISSING is not None, reason=str(chromium.MISSING)),
]


@pytest.fixture(scope="module")
def server():
    with Playground() as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield made
        made.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def window():
    window = chromium.Browser((1400, 1000))
    yield window
    window.close()


class Page:
    """What a test asks of the page."""

    def __init__(self, window, server):
        self.window, self.server = window, server

    def open(self, **settings):
        self.window.visit("about:blank")
        behind = "#" + quote(json.dumps(settings)) if settings else ""
        self.window.visit(self.server.url + behind)
        self.until("loss", lambda text: text != "")
        self.until("step", lambda text: text == str(settings.get("step", 0)))

    def text(self, name):
        return self.window.run("return document.getElementById(arguments[0]).textContent", name)

    def until(self, name, holds):
        for _ in range(600):
            text = self.text(name)
            if holds(text):
                return text
            time.sleep(0.02)
        raise AssertionError(f"{name} is {text!r}")

    def click(self, selector):
        self.window.click(selector)

    def click_plane(self, x, y):
        """Click at a place of the plane, in its own coordinates."""
        left, right, bottom, top = self.server.session.data.box
        self.window.run(
            "const c = document.getElementById('plane'), r = c.getBoundingClientRect();"
            "c.dispatchEvent(new MouseEvent('click', {bubbles: true,"
            "clientX: r.left + arguments[0] * r.width, clientY: r.top + arguments[1] * r.height}))",
            (x - left) / (right - left), (top - y) / (top - bottom),
        )  # fmt: skip

    def choose(self, name, value):
        self.window.run(
            "const e = document.getElementById(arguments[0]); e.value = arguments[1];"
            "e.dispatchEvent(new Event('change'))", name, value,
        )  # fmt: skip

    def kept(self):
        """What the address holds."""
        return json.loads(unquote(self.window.run("return location.hash").removeprefix("#")))


@pytest.fixture
def page(window, server):
    yield Page(window, server)
    assert window.log() == []


def test_steps_forwards_and_back(page):
    page.open(hidden=[3], shape="xor")
    first = page.text("loss")
    for step in (1, 2):
        page.click("#forward")
        page.until("step", lambda text, step=step: text == str(step))
    second = page.text("loss")
    assert second != first
    page.click("#back")
    page.until("step", lambda text: text == "1")
    page.click("#forward")
    page.until("step", lambda text: text == "2")
    assert page.text("loss") == second
    page.click("#restart")
    page.until("step", lambda text: text == "0")
    assert page.text("loss") == first


def test_it_learns_until_it_is_paused(page):
    page.open(hidden=[4], shape="clouds")
    page.click("#run")
    page.until("step", lambda text: int(text) > 60)
    page.click("#run")
    page.until("run", lambda text: "learn" in text)
    page.until("right", lambda text: float(text.split()[0]) > 95)
    step = page.server.session.step
    time.sleep(0.2)
    assert page.server.session.step == step
    assert page.kept()["step"] == step


def test_the_address_leads_to_the_same_weights(page):
    page.open(hidden=[3, 2], shape="circles", lr=0.1, seed=4, step=25)
    weights = [p.array.copy() for p in page.server.session.network.parameters()]
    kept = page.kept()
    page.open(hidden=[1])
    page.open(**kept)
    assert page.server.session.sizes == [2, 3, 2, 1]
    for own, other in zip(page.server.session.network.parameters(), weights):
        np.testing.assert_array_equal(own.array, other)


def test_the_network_is_built_by_its_circles(page):
    page.open(hidden=[2], shape="xor")
    circles = "return document.querySelectorAll('#circles .unit').length"
    lines = "return document.querySelectorAll('#circles path').length"
    assert (page.window.run(circles), page.window.run(lines)) == (5, 6)
    page.click("[data-size=more-0]")
    page.until("sizes", lambda text: "3" in text)
    page.click("[data-size=further]")
    page.until("sizes", lambda text: text.count("−") == 3)
    assert page.server.session.sizes == [2, 3, 3, 1]
    assert (page.window.run(circles), page.window.run(lines)) == (9, 18)
    page.choose("activation", "relu")
    page.until("unit", lambda text: "relu" in text)
    assert page.server.session.activation == "relu"
    assert page.kept()["hidden"] == [3, 3]


def test_points_are_drawn(page):
    page.open(hidden=[2], shape="xor")
    page.click("#clear")
    page.until("right", lambda text: text == "")
    assert page.text("loss") == ""
    for pen, place in ((0, (-0.5, 0.25)), (2, (0.5, 0.75)), (1, (0.0, -0.5))):
        if page.window.run("return document.querySelector('[aria-pressed=true]').textContent") != (
            str(pen)
        ):
            page.click(f"[data-pen='{pen}']")
        count = len(page.server.session.data.points)
        page.click_plane(*place)
        page.until("right", lambda text, n=count: len(page.server.session.data.points) == n + 1)
    page.until("legend", lambda text: text == "012")
    points = page.server.session.data.points
    np.testing.assert_allclose(points, [[-0.5, 0.25], [0.5, 0.75], [0, -0.5]], atol=0.011)
    assert page.server.session.data.classes.tolist() == [0, 2, 1]
    page.until("legend", lambda text: len(page.kept()["points"]) == 3)  # the address comes last


def test_points_that_are_drawn_fast_are_all_there(page):
    page.open(hidden=[2], shape="xor")
    page.click("[data-pen='1']")
    for place in range(10):
        page.click_plane(place / 10, 0.5)
    page.until("right", lambda text: len(page.server.session.data.points) == 14)
    page.until("right", lambda text: len(page.kept().get("points", [])) == 14)


def test_a_rate_that_is_not_in_the_list(page):
    page.open(hidden=[2], shape="xor", lr=0.05)
    assert page.window.run("return document.getElementById('lr').value") == "0.05"


def test_two_pages_have_a_network_each(page):
    page.open(hidden=[2], shape="xor")
    first = page.window.run("return document.querySelector('a[download]').href")
    page.server.answer("setup", {"tab": "another", "hidden": [5, 5], "shape": "three"})
    page.click("#forward")
    page.until("step", lambda text: text == "1")
    assert page.server.session.sizes == [2, 2, 1]
    page.open(hidden=[3], shape="xor")
    assert page.window.run("return document.querySelector('a[download]').href") != first
    taken = page.window.run(
        "const r = new XMLHttpRequest(); r.open('GET', arguments[0], false); r.send();"
        "return r.responseText", first.replace("model.dit", "program.py"),
    )  # fmt: skip
    assert "[2, 2, 1]" in taken
    assert "1 steps from the playground" in taken


def test_a_table_of_ones_own(page):
    page.open(hidden=[2], shape="xor")

    def give(text):
        page.window.run(
            "const e = document.getElementById('table'), d = new DataTransfer();"
            "d.items.add(new File([arguments[0]], 'own.csv')); e.files = d.files;"
            "e.dispatchEvent(new Event('change'))", text,
        )  # fmt: skip

    give("long,wide,kind\n10,200,oak\n12,240,elm\n11,190,oak\n")
    page.until("legend", lambda text: text == "elmoak")
    assert page.server.session.data.names == ("long", "wide")
    before = page.server.session
    give("1,2,a\n1,b,c\n")
    page.until("message", lambda text: text == "line 2: 'b' is no number")
    assert page.server.session is before
    assert ["400" in line for line in page.window.log()] == [True]


def test_a_perceptron_and_a_points_way(page):
    page.open(hidden=[2], shape="xor", step=10)
    page.window.run(
        "document.querySelector('[data-unit=\"2-0\"]').dispatchEvent("
        "new MouseEvent('click', {bubbles: true}))"
    )
    page.until("unit-title", lambda text: text == "Perceptron 1 of layer 2")
    assert "sigmoid(z)" in page.text("unit")
    page.click_plane(0.7, 0.9)
    page.until("walk-count", lambda text: text == "1 of 13")
    told = []
    for place in range(2, 14):
        page.click("#walk-on")
        page.until("walk-count", lambda text, place=place: text == f"{place} of 13")
        told.append(page.text("walk"))
    assert "∂L/∂z2 = a2 − y" in told[5]
    assert page.window.run("return document.getElementById('walk-on').disabled")


def test_what_it_says_is_seen(page):
    page.open(hidden=[4], shape="clouds", step=80)
    corners = page.window.run(
        "const c = document.getElementById('plane');"
        "const all = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
        "return [[32, 608], [608, 32]].map(([x, y]) => 4 * (y * c.width + x))"
        ".map((at) => [...all.slice(at, at + 3)])"
    )
    (red, _, blue), (other_red, _, other_blue) = corners
    assert blue > red  # of the first class, which is blue
    assert other_red > other_blue
