"""Numbers that leave their range: no warnings, as in PyTorch, unless the user asks for them."""

import subprocess
import sys
from pathlib import Path

import pytest

import aino

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


def run(program, *options, arguments=()):
    command = [sys.executable, *options, "-c", program, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("program", [EAGER, COMPILED], ids=["eager", "compiled"])
def test_silent(program):
    done = run(program)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


#: What the documentation advises for pytest, which keeps its own filters.
PYTEST_OPTION = r"ignore:.* encountered in :RuntimeWarning:aino\."
IMPORTED_IN_A_BLOCK = """
import warnings
with warnings.catch_warnings(record=True):
    import aino
aino.log(aino.tensor(0.0))
"""


def test_silent_where_the_import_is_in_a_block():
    assert run(IMPORTED_IN_A_BLOCK).stderr == ""


def test_pytest_is_silent_where_it_is_told(tmp_path):
    module = tmp_path / "test_logarithms.py"
    module.write_text(
        "import aino, numpy as np\n"
        "def test_aino(): aino.log(aino.tensor(0.0))\n"
        "def test_numpy(): np.sqrt(np.array(-1.0))\n"
    )
    options = ("-q", "-p", "no:cacheprovider", "-o", f"filterwarnings={PYTEST_OPTION}")
    program = "import pytest, sys; pytest.main(sys.argv[1:])"
    said = run(program, arguments=(*options, str(module))).stdout
    assert "2 passed, 1 warning" in said
    assert "test_numpy" in said
    assert PYTEST_OPTION in (ROOT / "docs" / "from-pytorch.md").read_text()


def test_no_numpy_function_speaks_for_an_operation():
    program = "import aino; aino.linspace(0.0, aino.inf, 5); aino.logspace(0, 999, 3)"
    assert run(program).stderr == ""


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


x, rows = aino.tensor([0.5, 0.5]), aino.tensor([[0.5, 0.5]])
F, leaf = aino.nn.functional, aino.tensor([1.0], requires_grad=True)

#: Calls that warn.
WARNING = {
    "another size": lambda: F.mse_loss(rows, x),
    "another size, by a module": lambda: aino.nn.HuberLoss()(rows, x),
    "deprecated": lambda: F.l1_loss(x, x, size_average=True),
    "deprecated, by a module": lambda: aino.nn.MSELoss(reduce=False),
    "batchmean": lambda: F.kl_div(x, x),
    "batchmean, by a module": lambda: aino.nn.KLDivLoss()(x, x),
    "dropout2d": lambda: F.dropout2d(aino.ones(1, 2, 3)),
    "state_dict": lambda: aino.nn.Linear(1, 1).state_dict({}),
    "grad": lambda: aino.autograd.grad(leaf * 1.0, leaf, only_inputs=False),
    "backward": lambda: aino.autograd.backward(leaf * 1.0, grad_variables=leaf.detach()),
    "gradcheck": lambda: aino.autograd.gradcheck(lambda t: t, (leaf,), eps=1e-2),
    "trunc_normal_": lambda: aino.nn.init.trunc_normal_(aino.ones(2), mean=9.0),
    "softmax": lambda: F.softmax(x),
    "gumbel_softmax": lambda: F.gumbel_softmax(x, eps=1.0),
    "dropout3d": lambda: F.dropout3d(x),
    "Hardtanh": lambda: aino.nn.Hardtanh(min_value=0.0),
    "no element": lambda: aino.nn.init.kaiming_uniform_(aino.ones(0, 2)),
}


@pytest.mark.parametrize("call", WARNING.values(), ids=WARNING)
def test_the_line_is_the_users(call):
    with pytest.warns(Warning) as caught:  # noqa: PT030  # which one is tested elsewhere
        call()
    assert {Path(warning.filename) for warning in caught} == {Path(__file__)}
