"""The package as a whole: its version, its weight at import, its README."""

import importlib.util
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import aino

ROOT = Path(__file__).resolve().parent.parent


def test_version_is_the_one_of_the_metadata():
    metadata = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert aino.__version__ == metadata["project"]["version"]


def test_the_changelog_has_the_version():
    assert f"## {aino.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_import_does_little():
    """Counted in calls and returns in AINO's own code, which no other process changes.

    How much Python does to find the files depends on its path. What is used by few is imported
    when it is asked for.
    """
    program = """
import importlib.util, os, sys, numpy
events, before = 0, set(sys.modules)
package = os.path.dirname(importlib.util.find_spec("aino").origin)
def count(frame, *_):
    global events
    events += frame.f_code.co_filename.startswith(package)
sys.setprofile(count)
import aino
sys.setprofile(None)
print(events, len(set(sys.modules) - before))
"""
    counted = subprocess.check_output([sys.executable, "-c", program], cwd=ROOT, text=True)
    events, modules = map(int, counted.split())
    assert events < 30_000
    assert modules < 150


#: Rooms whose names are reached from elsewhere: ``aino.add``, ``python -m aino``; or by AINO alone.
INNER = {"command_line", "native", "ops", "playground"}


def test_import_aino_is_enough_for_every_package():
    rooms = {path.parent.name for path in (ROOT / "aino").glob("*/__init__.py")} - INNER
    assert not rooms - set(dir(aino))
    code = f"import aino; print(*[getattr(aino, name).__name__ for name in {sorted(rooms)}])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.split() == [f"aino.{name}" for name in sorted(rooms)], done.stderr


def test_import_loads_nothing_heavy():
    program = "import sys, numpy; before = set(sys.modules); import aino; \
print(*(set(sys.modules) - before))"
    loaded = subprocess.check_output([sys.executable, "-c", program], cwd=ROOT, text=True).split()
    heavy = {"graphviz", "pygraphviz", "tqdm", "matplotlib", "sklearn", "torch", "zipfile"}
    own = "array_api autograd.batched autograd.dual compiler distributions fft func linalg nn optim"
    assert (heavy | {f"aino.{room}" for room in own.split()}).isdisjoint(loaded)


WRITTEN = ("_build", "reference")  # by `make docs`
PAGES = [
    "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md",
    *sorted(
        path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md")
        if path.relative_to(ROOT / "docs").parts[0] not in WRITTEN
    ),
]  # fmt: skip


def code_blocks(page):
    return re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)


#: Runs blocks one after the other, each in a module __main__ that knows nothing of the others.
RUN = """
import json, sys
blocks, end = json.load(sys.stdin)
own = vars(sys.modules["__main__"])
begin = {name: value for name, value in own.items() if name.startswith("__")}
def run(blocks, own, begin, end):
    for code in blocks:
        own.clear()
        own.update(begin)
        exec(compile(code, "<string>", "exec"), own)
        print(end, flush=True)
run(blocks, own, begin, end)
"""
END = "the end of a block"


def has_what_it_needs(code):
    needed = set(
        re.findall(
            r"^(?:from|import) (onnx|onnxruntime|sklearn|pandas|safetensors|torch)\b",
            code,
            re.MULTILINE,
        )
    )
    needed |= {"pandas"} if "as_frame=True" in code else set()
    needed |= {"tensorboard"} if "TensorBoard" in code else set()
    needed |= {"matplotlib"} if re.search(r"aino\.plot|\.plot\(", code) else set()
    return all(importlib.util.find_spec(name) for name in needed)


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page != "CONTRIBUTING.md" and code_blocks(page)]
)
def test_code_in_the_documents_runs(page, tmp_path):
    blocks = [code for code in code_blocks(page) if has_what_it_needs(code)]
    done = subprocess.run(
        [sys.executable, "-c", RUN],
        input=json.dumps([blocks, END]),
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    outputs = done.stdout.split(END + "\n")[:-1]
    assert done.returncode == 0, f"block {len(outputs) + 1}:\n{done.stderr}"
    for code, output in zip(blocks, outputs, strict=True):
        # What a comment behind a print says is what is printed.
        printed = re.findall(r"^print\(.*\) +# (.*)$", code, re.MULTILINE)
        if printed:
            assert [line for line in output.splitlines() if line in printed] == printed


def test_the_readme_prints_a_derivative_on_its_first_screen():
    first = code_blocks("README.md")[0]
    assert ".backward()" in first
    assert re.search(r"^print\(w\.grad\) +# tensor", first, re.MULTILINE)
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert text.index("assets/graph.svg") < 2000


@pytest.mark.parametrize("code", code_blocks("CONTRIBUTING.md"))
def test_contributing_quotes_what_stands_in_the_files(code):
    file, *lines = code.splitlines()
    source = (ROOT / file.removeprefix("# ")).read_text(encoding="utf-8").splitlines()
    stripped = [line.strip() for line in source]
    missing = [line for line in lines if line.strip() not in stripped and '"""' not in line]
    assert missing == []


def test_every_page_is_in_the_index_of_the_site():
    text = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^[\w/-]+$", text, re.MULTILINE))
    assert {path.stem for path in (ROOT / "docs").glob("*.md")} - listed == {"index"}


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    text = re.sub(r"```.*?```", "", (ROOT / page).read_text(encoding="utf-8"), flags=re.DOTALL)
    targets = re.findall(r"\]\(([^)#\s]+)", text) + re.findall(r'src="([^"]+)"', text)
    folder = (ROOT / page).parent
    targets = [t for t in targets if "://" not in t and "reference" not in Path(t).parts]
    broken = [t for t in targets if not (folder / t).exists()]
    assert broken == []
