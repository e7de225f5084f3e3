"""What editors and checkers of types know of AINO: pyright and mypy over a user's project."""

import atexit
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import venv
from functools import cache
from pathlib import Path

import numpy
import pytest

from tests.typing import stub

ROOT = Path(__file__).resolve().parents[2]
PROJECT = Path(__file__).resolve().parent / "project"
#: What documents and examples import beside AINO and what it needs.
EXTRAS = "matplotlib|onnx|onnxruntime|safetensors|sklearn|torch|transformers"
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

#: One wrong line each, and what the checkers say about it.
MISTAKES = {
    "x.sumn()": "sumn",
    "aino.expp(x)": "expp",
    "nn.Linaer(2, 3)": "Linaer",
    "nn.Linear(2, 3)(x).sumn()": "sumn",
    "aino.exp(x).meen()": "meen",
    "aino.optim.Adm([x])": "Adm",
    "aino.NeuralNetwork([2, 1]).fitt([[0, 1]], [1])": "fitt",
    "nn.functional.relu(x).sumn()": "sumn",
    "aino.linalg.inv(x).sumn()": "sumn",
    "(x + 1).sumn()": "sumn",
    "(x == 1).sumn()": "sumn",
    "x.sum(dim=0).sumn()": "sumn",
}


@cache
def bare_environment():
    """Return the Python of an environment with NumPy alone: extras' own types say nothing here."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    venv.create(folder, symlinks=os.name != "nt")
    python = next(path for path in folder.glob("*/python*") if path.stem == "python")
    where = "import sysconfig; print(sysconfig.get_path('purelib'))"
    found = subprocess.run([python, "-c", where], capture_output=True, text=True, check=True)
    Path(found.stdout.strip(), "numpy").symlink_to(Path(numpy.__file__).parent)
    return str(python)


def pyright(folder, *files):
    """Return the errors that pyright (basic) finds in the files of a folder."""
    config = {"extraPaths": [str(ROOT)], "typeCheckingMode": "basic", "pythonVersion": "3.11"}
    (folder / "pyrightconfig.json").write_text(json.dumps(config))
    command = [
        sys.executable, "-m", "pyright", "--pythonpath", bare_environment(), "--outputjson", *files,
    ]  # fmt: skip
    found = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if not found.stdout.lstrip().startswith("{"):
        pytest.skip(f"pyright can't run here: {(found.stderr or found.stdout)[:200]}")
    return [  # extras need not be there
        f"{Path(d['file']).name}:{d['range']['start']['line'] + 1}: {d['message']}"
        for d in json.loads(found.stdout)["generalDiagnostics"]
        if d["severity"] == "error" and not re.search(rf'"({EXTRAS})[."]', d["message"])
    ]


def mypy(folder, *options):
    """Return the errors that mypy finds in the files of a folder."""
    command = [
        sys.executable, "-m", "mypy", "--config-file=", "--follow-imports=silent", *options, ".",
    ]  # fmt: skip
    found = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False,
        env={"MYPYPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    return [line for line in found.stdout.splitlines() if ": error:" in line]


def blocks_of(document):
    """Return the pieces of Python in a document that stand on their own."""
    blocks = re.findall(r"```python\n(.*?)```", document.read_text(encoding="utf-8"), re.DOTALL)
    return [block for block in blocks if "import aino" in block]


@pytest.fixture(scope="module")
def documents(tmp_path_factory):
    folder = tmp_path_factory.mktemp("documents")
    for document in DOCUMENTS:
        name = document.stem.lower().replace("-", "_")
        for number, block in enumerate(blocks_of(document)):
            (folder / f"{name}_{number}.py").write_text(block, encoding="utf-8")
    return folder


def test_the_stub_is_current():
    assert stub.PATH.read_text(encoding="utf-8") == stub.text(), (
        "an operation was added or changed: python -m tests.typing.stub"
    )


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    for file in PROJECT.glob("*.py"):
        shutil.copy(file, folder)
    return folder


def test_pyright_finds_nothing_in_a_project(project):
    assert pyright(project) == []


def test_mypy_strict_finds_nothing_in_a_project(project):
    assert mypy(project, "--strict") == []


@pytest.mark.parametrize("file", sorted(PROJECT.glob("*.py")), ids=lambda file: file.stem)
def test_the_project_runs(file, tmp_path):
    command = [sys.executable, str(file)]
    env = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stderr


def test_pyright_finds_nothing_in_the_documents_and_examples(documents):
    shutil.copytree(
        ROOT / "examples", documents, dirs_exist_ok=True, ignore=shutil.ignore_patterns("data")
    )
    assert pyright(documents) == []


def test_both_find_every_mistake(tmp_path):
    lines = ["import aino", "from aino import nn", "x = aino.randn(3)", *MISTAKES]
    (tmp_path / "wrong.py").write_text("\n".join(lines) + "\n")
    for errors in (pyright(tmp_path), mypy(tmp_path)):
        for place, word in enumerate(MISTAKES.values(), 4):
            assert any(f"wrong.py:{place}:" in error and word in error for error in errors), (
                lines[place - 1], errors,
            )  # fmt: skip
