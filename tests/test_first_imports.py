"""Every module can be the first that is imported: no circle hides behind the order of others."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.test_floors import floor_of, read_modules

ROOT = Path(__file__).resolve().parent.parent
SCIKIT_LEARN = "aino.estimators.scikit_learn"

#: Imports each module of a floor in a process of its own, split off where ``aino`` is imported,
#: which comes first in any case, and all that lies below: no import leads up from there. What comes
#: with the floors below is imported in a process without them.
IMPORT_EACH = """
import importlib, json, os, sys
import aino

def import_each(names):
    for name in names:
        child = os.fork()
        if not child:
            try:
                importlib.import_module(name)
            except BaseException as error:
                print(name, type(error).__name__, error, flush=True)
            os._exit(0)
        os.waitpid(child, 0)

below, names = json.load(sys.stdin)
names = [name for name in names if name not in sys.modules]
end, begin = os.pipe()
child = os.fork()
if not child:
    for name in below:
        importlib.import_module(name)
    os.write(begin, json.dumps([name for name in names if name in sys.modules]).encode())
    import_each([name for name in names if name not in sys.modules])
    os._exit(0)
_, status = os.waitpid(child, 0)
assert status == 0
import_each(json.loads(os.read(end, 1 << 16)))
"""


def modules():
    """Return the names of all modules, but for the one that runs when it is imported."""
    paths = (path.relative_to(ROOT).with_suffix("") for path in (ROOT / "aino").rglob("*.py"))
    names = [".".join(path.parts).removesuffix(".__init__") for path in paths]
    # Of a room for an optional dependency the first is always the room itself.
    names = [name for name in names if not name.startswith(f"{SCIKIT_LEARN}.")]
    absent = {"__main__"} if importlib.util.find_spec("sklearn") else {"__main__", SCIKIT_LEARN}
    return sorted(name for name in names if not name.endswith(tuple(absent)))


def by_floor():
    """Return the names by their floors; a module stands as high as the packages around it."""
    files = read_modules(ROOT)
    found = {}
    for name in modules():
        parts = name.split(".")
        around = [".".join(parts[:count]) for count in range(2, len(parts) + 1)]
        floor = max([floor_of(package, files) for package in around], default=0)
        found.setdefault(floor, []).append(name)
    return found


NAMES = by_floor()


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes can't be split here")
@pytest.mark.parametrize("floor", sorted(NAMES))
def test_any_module_may_be_imported_first(floor):
    below = [name for lower in sorted(NAMES) if lower < floor for name in NAMES[lower]]
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_EACH],
        input=json.dumps([below, NAMES[floor]]), cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "")


def test_all_modules_are_among_them():
    assert sum(map(len, NAMES.values())) == len(modules()) > 900
