"""Numbers that leave their range: no warnings, as in PyTorch, unless the user asks for them."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

PROGRAM = """
import numpy as np, aino
aino.manual_seed(0)
x = aino.tensor([-1.0, 0.0, 1e30], requires_grad=True)
def step(x):
    return ((x.sqrt() + x.log() + 1 / x + x.exp() + x * x * x + (x / x).abs())
            + aino.nn.functional.softmax(x / 0, 0)).sum()
"""
EAGER = PROGRAM + "step(x).backward(); np.sqrt(x); np.divide(x, 0)"
COMPILED = (
    PROGRAM
    + """
program = aino.compile(lambda x: step(x))
for _ in range(4):
    program(x.detach())
"""
)


def run(program, *options):
    command = [sys.executable, *options, "-c", program]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("program", [EAGER, COMPILED], ids=["eager", "compiled"])
def test_silent(program):
    done = run(program)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def test_the_user_asks():
    assert "RuntimeWarning: invalid value" in run(EAGER, "-W", "error").stderr
    raising = PROGRAM + "with np.errstate(invalid='raise'): step(x)"
    assert "FloatingPointError: invalid value" in run(raising).stderr
    own = "import numpy as np, aino; np.sqrt(np.array([-1.0]))"
    assert "RuntimeWarning: invalid value" in run(own).stderr


def test_unseeded_numbers_differ_between_processes():
    program = "import aino; print(aino.rand(1).item(), aino.Generator().initial_seed())"
    first, second = (run(program).stdout.split() for _ in range(2))
    assert first[0] != second[0]
    assert first[1] == second[1]
