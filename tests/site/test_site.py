"""The site that `make docs` has built: every link inside it leads to something that is there."""

import re
from html import unescape
from pathlib import Path
from urllib.parse import unquote

import pytest

HTML = Path(__file__).resolve().parents[2] / "docs" / "_build" / "html"
PAGES = [path for path in HTML.rglob("*.html") if "_static" not in path.parts]

pytestmark = pytest.mark.skipif(not PAGES, reason="`make docs` has not been run")


@pytest.fixture(scope="module")
def anchors():
    """What can be linked to, by page."""
    return {page: set(re.findall(r'\bid="([^"]+)"', page.read_text("utf-8"))) for page in PAGES}


def links(page):
    for target in re.findall(r'\b(?:href|src)="([^"]+)"', page.read_text("utf-8")):
        target = unescape(target)
        if not re.match(r"[a-z]+:", target):
            yield target


def test_links_lead_somewhere(anchors):
    broken = set()
    for page in PAGES:
        for target in links(page):
            path, _, anchor = target.partition("#")
            found = (page.parent / unquote(path.partition("?")[0])).resolve() if path else page
            if not found.exists() or (anchor and unquote(anchor) not in anchors.get(found, ())):
                broken.add((page.relative_to(HTML).as_posix(), target))
    assert not broken


@pytest.mark.parametrize(
    "name",
    ["aino.softmax", "aino.Tensor.backward", "aino.nn.Linear", "aino.optim.Adam", "aino.compile",
     "aino.nn.Module.register_forward_hook", "aino.func.vmap", "aino.linalg.inv"],
)  # fmt: skip
def test_a_name_is_found(anchors, name):
    assert any(name in found for found in anchors.values())
