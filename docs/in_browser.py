"""Builds the course as notebooks that run in a browser alone: JupyterLite, with AINO's wheel in it.

``make lite`` writes a static site, docs/_build/lite, for any web server. Python itself is Pyodide,
which the page loads over the network, as it does NumPy; AINO and the rest are in the site.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import jupytext
import nbformat

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
WORK = DOCS / "_build" / "in_browser"
SITE = DOCS / "_build" / "lite"
#: The first cell of each chapter: the packages that Pyodide does not bring.
INSTALL = "# In a browser: what this chapter needs. It takes half a minute.\n%pip install -q aino"
#: What a chapter imports besides, and what it is called when it is installed.
OTHERS = {"matplotlib": "matplotlib", "sklearn": "scikit-learn"}


def main() -> None:
    """Write the site anew."""
    for folder in (WORK, SITE):
        shutil.rmtree(folder, ignore_errors=True)
    wheels = WORK / "wheels"
    # AINO, and what it depends on besides NumPy: pure Python, all of it.
    run("-m", "build", "--quiet", "--wheel", "--outdir", wheels, ROOT)
    run("-m", "pip", "download", "--quiet", "--no-deps", "--dest", wheels, "graphviz", "tqdm")
    write_contents(WORK / "contents")
    run(
        "-m", "jupyter", "lite", "build", "--contents", WORK / "contents", "--output-dir", SITE,
        *[f"--piplite-wheels={wheel}" for wheel in sorted(wheels.glob("*.whl"))], folder=WORK,
    )  # fmt: skip
    print(SITE / "index.html")


def write_contents(contents: Path) -> list[Path]:
    """Write the chapters as notebooks, where their paths lead to the same files; return them."""
    course = contents / "docs" / "course"
    course.mkdir(parents=True)
    shutil.copytree(ROOT / "examples" / "data", contents / "examples" / "data")
    written = []
    for chapter in sorted((DOCS / "course").glob("[0-9]*.md")):
        text = chapter.read_text(encoding="utf-8")
        notebook = jupytext.reads(text, fmt="md:myst")
        packages = "".join(f" {called}" for name, called in OTHERS.items() if name in text)
        notebook.cells.insert(0, nbformat.v4.new_code_cell(INSTALL + packages))
        notebook.metadata["kernelspec"] = {
            "name": "python", "display_name": "Python (Pyodide)", "language": "python",
        }  # fmt: skip
        path = course / f"{chapter.stem}.ipynb"
        nbformat.write(notebook, path)
        written.append(path)
    return written


def run(*words: object, folder: Path = ROOT) -> None:
    """Run a module of Python's, and stop where it fails."""
    subprocess.run([sys.executable, *map(str, words)], cwd=folder, check=True)


if __name__ == "__main__":
    main()
