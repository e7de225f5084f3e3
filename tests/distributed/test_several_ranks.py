"""Several processes, started as a user starts them: each script's checks, and how jobs end.

A script is started once for all of its checks; each is a test of its own.
"""

import importlib.util
import re
import subprocess
import sys

import pytest

from tests.distributed.launching import HERE, ROOT, failures, launch

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("mpi4py") is None, reason="mpi4py is not installed"
)


def checks_of(script):
    """Return the names of the checks in a script."""
    text = (HERE / script).read_text(encoding="utf-8")
    return re.findall(r"^@check\ndef (\w+)", text, re.MULTILINE)


#: The script, and how many ranks run it: 0 is the script alone, without a launcher.
JOBS = [("exchanges.py", 0), ("exchanges.py", 3), ("compiled.py", 2)]


@pytest.mark.parametrize(
    ("script", "ranks", "name"),
    [
        pytest.param(script, ranks, name, id=f"{name}-{ranks or 'alone'}")
        for script, ranks in JOBS
        for name in checks_of(script)
    ],
)
def test_ranks(script, ranks, name):
    assert failures(ranks, script)[name] == ""


#: How a rank ends: the exit code of the job, and what is said.
ENDINGS = {
    "raises before it meets the others": (1, ["[rank 1] ValueError: first"]),
    "raises": (1, ["[rank 1] ", "ValueError: second"]),
    "ends early": (1, ["all_reduce SUM of float32 (3,): rank 1 of 2 ended without calling it"]),
    "exits with a code": (7, ["[rank 1] ended with exit code 7"]),
    "is killed": (9, []),
    "sleeps": (1, ["barrier: not all 2 ranks came within 0.7 s: rank 1 has not come"]),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_nobody_hangs(ending):
    code, words = ENDINGS[ending]
    found, output = launch(2, "ending.py", ending, limit=30)
    assert "WAITED IN VAIN" not in output
    assert found == code, output
    for word in words:
        assert word in output


def test_a_job_that_ends_well_has_exit_code_zero_and_has_told_its_ranks():
    command = [sys.executable, "-m", "aino.distributed.run", "-n", "2", str(HERE / "ending.py")]
    done = subprocess.run([*command, "well"], capture_output=True, text=True, timeout=60, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert sorted(done.stdout.splitlines()) == [f"rank {r} of 2, local {r}" for r in (0, 1)]


REFUSED = {
    "-n 0": "a whole number from 1 on",
    "-n two": "a whole number from 1 on",
    "-n 2 --nproc-per-node 2": "give one of them",
    "--nnodes 2": "--nnodes is 2, and no machines are named",
    "--node-rank 1": "one command starts all processes",
    "--master_addr there": "one command starts all processes",
    "--max-restarts 3": "start it again from its last checkpoint",
    "--hosts a,b --hostfile f": "give one of them",
    "--hostfile /not/there": "can't be read",
    "-n 2 /not/there.py": "there is no script '/not/there.py'",
}


@pytest.mark.parametrize("words", REFUSED)
def test_what_can_not_be_started_is_refused(words, capsys, monkeypatch):
    run = importlib.import_module("aino.distributed.run")
    given = words.split() if words.endswith(".py") else [*words.split(), __file__]
    with pytest.raises(SystemExit) as found:
        run.command(given)
    assert found.value.code != 0
    assert REFUSED[words] in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("-n 2 FILE a --b", "-n 2 PYTHON -m aino.distributed.rank FILE a --b"),
        ("--nproc_per_node=3 FILE -n 5", "-n 3 PYTHON -m aino.distributed.rank FILE -n 5"),
        ("--prefix -n 2 FILE", "-prepend-rank -n 2 PYTHON -m aino.distributed.rank FILE"),
        ("--standalone --nnodes 1 FILE", "-n 1 PYTHON -m aino.distributed.rank FILE"),
        ("-n 2 -m this.module x", "-n 2 PYTHON -m aino.distributed.rank -m this.module x"),
        ("--hosts a,b -n 4 FILE",
         "-hosts a,b -ppn 2 -n 4 PYTHON -m aino.distributed.rank FILE"),
        ("--hosts a,b -n 3 FILE",
         "-hosts a,b -ppn 2 -n 3 PYTHON -m aino.distributed.rank FILE"),
        ("--nnodes 2 --hosts a,b --nproc-per-node 3 FILE",
         "-hosts a,b -ppn 3 -n 6 PYTHON -m aino.distributed.rank FILE"),
    ],
)  # fmt: skip
def test_the_launcher_is_told(words, expected):
    run = importlib.import_module("aino.distributed.run")
    found, environment = run.command(words.replace("FILE", __file__).split())
    told = expected.replace("FILE", __file__).replace("PYTHON", sys.executable)
    assert found[1:] == told.split()
    assert int(environment["OMP_NUM_THREADS"]) >= 1
