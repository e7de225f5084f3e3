"""What stands around the code, for those who come to it: versions agree, nothing is left out."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

import aino

ROOT = Path(__file__).resolve().parent.parent
METADATA = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
GITHUB = ROOT / ".github"

on_a_code_host = pytest.mark.skipif(not GITHUB.exists(), reason="unpacked, without .github")


def test_the_citation_is_of_this_version():
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {aino.__version__}\n" in text


def test_all_is_every_extra_that_the_library_uses():
    extras = METADATA["project"]["optional-dependencies"]
    named = set(re.fullmatch(r"aino\[(.*)\]", *extras["all"])[1].split(","))
    others = {"all", "bench", "dev", "docs", "lite", "native", "parity"}
    assert named == set(extras) - others


@on_a_code_host
def test_every_python_is_tested():
    classifiers = METADATA["project"]["classifiers"]
    pythons = {c.rpartition(" ")[2] for c in classifiers if re.search(r":: 3\.\d+$", c)}
    text = (GITHUB / "workflows" / "ci.yml").read_text(encoding="utf-8")
    assert pythons <= set(re.findall(r'"(3\.\d+)"', text))
    assert {"ubuntu-latest", "macos-latest", "windows-latest"} <= set(
        re.findall(r"\w+-latest", text)
    )
    assert "bash .ci/run" in text


@on_a_code_host
def test_reports_of_bugs_say_what_is_installed():
    assert "python -m aino info" in (GITHUB / "ISSUE_TEMPLATE" / "bug.yml").read_text("utf-8")


@on_a_code_host
def test_the_files_of_the_code_host_are_sound():
    yaml = pytest.importorskip("yaml")
    files = [*GITHUB.rglob("*.yml"), ROOT / "CITATION.cff", ROOT / ".pre-commit-config.yaml"]
    for file in files:
        assert isinstance(yaml.safe_load(file.read_text(encoding="utf-8")), dict), file


def test_the_source_distribution_has_all_but_what_the_code_host_needs():
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode != 0 or not (ROOT / ".git").exists():
        pytest.skip("no repository here")
    included = {
        name.strip("/")
        for name in METADATA["tool"]["hatch"]["build"]["targets"]["sdist"]["include"]
    }
    # Hatch adds these by itself.
    included |= {"README.md", "LICENSE", "pyproject.toml", ".gitignore"}
    top = {name.partition("/")[0] for name in listed.stdout.split()}
    assert top - included <= {".github", ".pre-commit-config.yaml"}
