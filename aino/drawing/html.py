"""Writes a drawing as a page that holds all it needs, and asks nothing of any network.

The page's own files are in ``web/``: modules of JavaScript, put together here, and the library
that finds the places of boxes, in ``web/vendor/``. What a browser may run is said in the page by
its checksum, so that nothing written in a graph can ever be run.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from functools import cache
from importlib.resources import files
from typing import Any

#: The modules, each after those that it imports from.
MODULES = ("model", "text", "layout", "view", "camera", "details", "search", "keyboard", "main")


def page(contents: dict[str, Any]) -> str:
    """Return the page that shows ``contents``, as HTML."""
    library, program = _library(), _program()
    parts = {
        "title": html.escape(_printable(contents["title"])),
        "scripts": f"{_checksum(library)} {_checksum(program)}",
        "style": _read("page.css").strip(),
        "contents": _json(contents),
        "library": library,
        "program": program,
    }
    return re.sub(r"\{(\w+)\}", lambda match: parts[match[1]], _read("page.html"))


def frame(contents: dict[str, Any], height: int = 480) -> str:
    """Return the page in a frame of its own, as HTML for a notebook."""
    return (
        f'<iframe srcdoc="{html.escape(page(contents))}" sandbox="allow-scripts" '
        f'style="width: 100%; height: {height}px; border: 0"></iframe>'
    )


def _json(contents: dict[str, Any]) -> str:
    """Return data as JSON that holds no ``<``, and so can't end the script that it stands in."""
    text = json.dumps(contents, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # Half a surrogate pair is no text that a file can hold.
    text = re.sub("[\ud800-\udfff]", "\N{REPLACEMENT CHARACTER}", text)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def _checksum(script: str) -> str:
    digest = hashlib.sha256(f"\n{script}\n".encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


@cache
def _read(name: str) -> str:
    return files("aino.drawing").joinpath("web", name).read_text(encoding="utf-8")


@cache
def _library() -> str:
    """Return the library, after its licence."""
    return f"/*\n{_read('vendor/LICENSE').strip()}\n*/\n{_read('vendor/dagre.min.js').strip()}"


@cache
def _program() -> str:
    """Return the modules as one script: what they import from each other stands above them."""
    return '"use strict";\n(() => {\n' + "\n".join(_module(name) for name in MODULES) + "})();"


def _module(name: str) -> str:
    text = re.sub(r"^import .*;\n", "", _read(f"{name}.js"), flags=re.MULTILINE)
    return re.sub(r"^export ", "", text, flags=re.MULTILINE)
