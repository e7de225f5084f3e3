"""The package as a whole: its version, its weight at import, its README."""

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


def test_import_costs_at_most_40_ms_over_numpy(tmp_path):
    program = (
        "import time, numpy; start = time.perf_counter(); import aino;"
        " print(time.perf_counter() - start)"
    )
    # An installed package lies there compiled: the first run compiles, wherever the tests run.
    environment = {key: os.environ[key] for key in os.environ if key != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-X", f"pycache_prefix={tmp_path}", "-c", program]
    times = [
        float(subprocess.check_output(command, cwd=ROOT, env=environment)) for _ in range(9)
    ]
    assert min(times[1:]) <= 0.040


def test_import_loads_nothing_heavy():
    program = "import sys, numpy; before = set(sys.modules); import aino; \
print(*(set(sys.modules) - before))"
    loaded = subprocess.check_output([sys.executable, "-c", program], cwd=ROOT, text=True).split()
    heavy = {"graphviz", "pygraphviz", "tqdm", "matplotlib", "sklearn", "torch", "zipfile"}
    assert heavy.isdisjoint(loaded)


@pytest.mark.parametrize(
    "code",
    re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.S),
    ids=lambda code: code.strip().splitlines()[-1],
)
def test_the_readme_runs(code, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_links_lead_somewhere(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#\s]+)", text) + re.findall(r'src="([^"]+)"', text)
    broken = [t for t in targets if "://" not in t and not (ROOT / t).exists()]
    assert broken == []
