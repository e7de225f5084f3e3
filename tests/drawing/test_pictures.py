"""Drawings become pictures by whichever Graphviz there is; else an error says how to get one."""

import importlib.util
import os
import stat
import sys

import pytest

import aino
from aino import nn
from aino.drawing import render
from aino.drawing.picture import Drawing
from aino.errors import MissingExtraError, RenderError

HAS_LIBRARY = importlib.util.find_spec("pygraphviz") is not None
needs_engine = pytest.mark.skipif(
    not HAS_LIBRARY and not render.shutil.which("dot"), reason="there is no Graphviz"
)
STARTS = {".svg": b"<?xml", ".png": b"\x89PNG\r\n", ".pdf": b"%PDF"}


@pytest.fixture
def drawing():
    x = aino.tensor([1.0, 2.0], requires_grad=True)
    return aino.draw((x * x).sum())


@pytest.fixture
def without_graphviz(monkeypatch):
    monkeypatch.setenv("PATH", "")
    find = importlib.util.find_spec
    monkeypatch.setattr(
        render.importlib.util, "find_spec",
        lambda name, *rest: None if name == "pygraphviz" else find(name, *rest),
    )  # fmt: skip


@needs_engine
@pytest.mark.parametrize("suffix", [".svg", ".png", ".pdf", ".SVG"])
def test_pictures(drawing, tmp_path, suffix):
    path = tmp_path / f"picture{suffix}"
    assert drawing.render(path) == path
    assert path.read_bytes().startswith(STARTS[suffix.lower()])
    assert drawing.render(str(path)) == path


@needs_engine
@pytest.mark.parametrize(
    "obj",
    [
        aino.NeuralNetwork([2, 3, 1]),
        nn.Sequential(nn.Linear(50, 50), nn.Tanh()),
        aino.exp(aino.tensor([1.0 + 1j], requires_grad=True)),
    ],
    ids=["neurons", "layers", "graph"],
)
def test_every_kind_of_drawing_is_accepted(obj):
    svg = aino.draw(obj)._repr_svg_()
    assert svg.count("<text") >= 5


@needs_engine
def test_texts_of_any_kind_reach_the_picture():
    x = aino.tensor([1.0], requires_grad=True)
    name = 'a<b> & "c" | {d} \\n ünï 名 \x00\x1b[0m\udc80 </B>'
    svg = aino.draw(x * 2.0, names={name: x})._repr_svg_()
    assert "a&lt;b&gt; &amp; &quot;c&quot; | {d} \\n ünï 名" in svg.replace("&#45;", "-")


@needs_engine
def test_a_notebook_shows_the_picture(drawing):
    bundle = drawing._repr_mimebundle_()
    assert "<svg" in bundle["image/svg+xml"]
    assert bundle["text/plain"] == repr(drawing)


@pytest.mark.parametrize("suffix", [".dot", ".gv"])
def test_the_source_needs_no_graphviz(drawing, tmp_path, suffix, without_graphviz):
    path = drawing.render(tmp_path / f"graph{suffix}")
    assert path.read_text(encoding="utf-8") == drawing.source


@pytest.mark.parametrize("name", ["graph.jpg", "graph", "svg", "graph.svg.txt", ".svg"])
def test_other_suffixes_are_refused(drawing, tmp_path, name):
    with pytest.raises(ValueError, match=r"\.svg, \.png or \.pdf"):
        drawing.render(tmp_path / name)
    assert not (tmp_path / name).exists()


def test_without_graphviz_the_error_says_how_to_get_it(drawing, tmp_path, without_graphviz):
    with pytest.raises(MissingExtraError, match=r"apt install graphviz.*'aino\[draw\]'"):
        drawing.render(tmp_path / "graph.svg")
    assert not (tmp_path / "graph.svg").exists()
    bundle = drawing._repr_mimebundle_()
    assert "aino[draw]" in bundle["text/plain"]
    assert "image/svg+xml" not in bundle


def program(folder, text):
    """Put a program called dot into a folder."""
    path = folder / "dot"
    path.write_text(f"#!{sys.executable}\nimport sys\nsource = sys.stdin.buffer.read()\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


@pytest.mark.skipif(os.name == "nt", reason="scripts are no programs there")
def test_the_program_is_preferred(drawing, tmp_path, monkeypatch, without_graphviz):
    program(tmp_path, "print(sys.argv[1:], source.decode())")
    monkeypatch.setenv("PATH", str(tmp_path))
    written = drawing.render(tmp_path / "graph.svg").read_text()
    assert "svg" in written
    assert "Σ v₁" in written


@pytest.mark.skipif(os.name == "nt", reason="scripts are no programs there")
def test_what_the_program_says_is_told(drawing, tmp_path, monkeypatch, without_graphviz):
    program(tmp_path, "sys.exit('no pdf here')")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RenderError, match="no pdf here"):
        drawing.render(tmp_path / "graph.pdf")


@pytest.mark.skipif(os.name == "nt" or not HAS_LIBRARY, reason="needs pygraphviz")
def test_the_library_steps_in_for_a_program_that_fails(drawing, tmp_path, monkeypatch):
    program(tmp_path, "sys.exit('no pdf here')")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert drawing.render(tmp_path / "graph.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.skipif(not HAS_LIBRARY, reason="needs pygraphviz")
def test_what_the_library_says_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(RenderError, match="syntax error"):
        Drawing("digraph {").render(tmp_path / "graph.svg")
