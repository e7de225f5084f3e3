"""Every module can be the first that is imported: no circle hides behind the order of others."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SCIKIT_LEARN = "aino.estimators.scikit_learn"

#: Imports each module in a process of its own, split off after ``import aino``, which comes first
#: in any case.
IMPORT_EACH = """
import importlib, os, sys
import aino
for name in sys.argv[1:]:
    child = os.fork()
    if not child:
        try:
            importlib.import_module(name)
        except BaseException as error:
            print(name, type(error).__name__, error, flush=True)
        os._exit(0)
    os.waitpid(child, 0)
"""


def modules():
    """Return the names of all modules, but for the one that runs when it is imported."""
    paths = (path.relative_to(ROOT).with_suffix("") for path in (ROOT / "aino").rglob("*.py"))
    names = [".".join(path.parts).removesuffix(".__init__") for path in paths]
    # Of a room for an optional dependency the first is always the room itself.
    names = [name for name in names if not name.startswith(f"{SCIKIT_LEARN}.")]
    absent = {"__main__"} if importlib.util.find_spec("sklearn") else {"__main__", SCIKIT_LEARN}
    return sorted(name for name in names if not name.endswith(tuple(absent)))


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes can't be split here")
def test_any_module_may_be_imported_first():
    names = modules()
    assert len(names) > 200
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_EACH, *names], cwd=ROOT, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "")
