"""Every row of the calculus, saved: it runs with NumPy alone and gives what it gave compiled."""

import subprocess
import sys

import numpy as np
import pytest

import aino
from aino.autograd.tensor import make
from aino.compiler.export import batch, saving
from aino.errors import CompileError
from aino.tracing import opaque
from tests.calculus import harness
from tests.compiler.test_rows import REFUSED, program

#: Runs all the programs of a folder, and says which gave something else.
RUN = """
import glob, os, sys
sys.modules["aino"] = None
import numpy as np
np.seterr(all="ignore")
folder = sys.argv[1]
for path in sorted(glob.glob(os.path.join(folder, "*.py"))):
    data = np.load(path[:-3] + ".npz")
    namespace = {"__name__": "saved", "__file__": path}
    try:
        with open(path, encoding="utf-8") as file:
            exec(compile(file.read(), path, "exec"), namespace)
        found = namespace["compute"](*[data[k] for k in data.files if k.startswith("x")])
        found = found if isinstance(found, tuple) else () if found is None else (found,)
        expected = [data[k] for k in data.files if k.startswith("y")]
        assert len(found) == len(expected)
        for mine, its in zip(found, expected):
            assert mine.dtype == its.dtype
            np.testing.assert_allclose(mine, its, rtol=1e-12, atol=1e-14)
    except Exception as error:
        print(data["name"], type(error).__name__, str(error).strip().split("\\n")[0])
"""


@pytest.fixture
def for_one_size(monkeypatch):
    """Save programs for the shapes that they were made with alone, which is soon done."""

    def refuse(*_):
        raise batch.FixedSizeError("the test is of the operations")

    monkeypatch.setattr(saving, "for_any_batch", refuse)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
def test_saved_programs_run_alone(tmp_path, for_one_size, part):
    names, refused = [], []
    for row in harness.load_rows()[part::4]:
        if row.seeded or row.name in REFUSED or not row.cases:
            continue
        case = row.cases[0]
        arrays = case.draw(row.name)
        pairs = zip(case.samples(), arrays)
        wanted = [sample.wanted and array.dtype.kind in "fc" for sample, array in pairs]
        compiled = aino.compile(program(row, case, wanted), fullgraph=True)
        with np.errstate(all="ignore"):
            for _ in range(3):
                found = compiled(*[make(array.copy()) for array in arrays])
        path = tmp_path / f"{len(names):04}.py"
        try:
            compiled.save_source(path)
        except CompileError as error:
            refused.append(str(error))
            continue
        given = {f"x{i}": array for i, array in enumerate(arrays)}
        left = {f"y{i}": tensor.array for i, tensor in enumerate(found)}
        np.savez(path.with_suffix(".npz"), name=row.name, **given, **left)
        names.append(row.name)
    assert len(names) > 75
    # SciPy computes some special functions; nothing else is refused.
    for told in refused:
        assert "can't be saved, because of" in told
        assert "uses scipy" in told
        assert "which NumPy alone does not have" in told
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(tmp_path)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""


def test_what_numpy_does_not_have_is_refused_by_name(tmp_path):
    doubled = opaque(lambda x: x * 2)
    compiled = aino.compile(lambda x: make(doubled(x.array)))
    for _ in range(3):
        compiled(aino.ones(2))
    with pytest.raises(CompileError, match=r"lambda.*NumPy alone does not have"):
        compiled.save_source(tmp_path / "saved.py")
    assert not list(tmp_path.iterdir())
