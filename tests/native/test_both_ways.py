"""Programs walked in C and run as Python give the same bits: each row and random program of all."""

import numpy as np
import pytest

import aino
from aino.autograd.tensor import make
from aino.native.trials import agrees
from tests.calculus import harness
from tests.compiler import test_random_programs as random_programs
from tests.compiler.test_rows import REFUSED, program
from tests.nn.rows import ROWS as MODULES
from tests.optim.rows import ROWS as OPTIMIZERS
from tests.optim.test_compiled import problem

pytest.importorskip("aino_native")
BACKENDS = ("numpy", "native")
ROWS = [row for row in harness.load_rows() if row.cases and not row.seeded]


def bits(results):
    """Return the arrays of nested results as bytes, with their dtypes and shapes."""
    if isinstance(results, aino.Tensor):
        return bits(results.detach().numpy())
    if isinstance(results, np.ndarray):
        return results.dtype, results.shape, results.tobytes()
    if isinstance(results, dict):
        return bits(list(results.values()))
    return [bits(one) for one in results] if isinstance(results, (list, tuple)) else results


def both(make_step, calls=3):
    """Check that a step gives the same bits with both back ends, in its last call."""
    found = {}
    for backend in BACKENDS:
        aino.manual_seed(0)
        step, arguments = make_step()
        step = aino.compile(step, backend=backend)
        with np.errstate(all="ignore"):
            for _ in range(calls):
                found[backend] = step(*arguments)
        found[backend] = bits(found[backend])
    assert found["native"] == found["numpy"]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
@pytest.mark.filterwarnings("ignore:.*goes on uncompiled")
def test_a_row_of_the_calculus(row):
    if row.name in REFUSED:
        pytest.skip("there is no program of it")
    case = max(row.cases, key=lambda case: len(str(case)))  # the one that says most
    arrays = case.draw(row.name)
    wanted = [
        sample.wanted and array.dtype.kind in "fc" for sample, array in zip(case.samples(), arrays)
    ]
    both(lambda: (program(row, case, wanted), [make(array.copy()) for array in arrays]))


@pytest.mark.parametrize("row", MODULES, ids=str)
@pytest.mark.filterwarnings("ignore:.*goes on uncompiled")
def test_a_module(row):
    def made():
        module, inputs = row.double(), row.tensors(row.draw())

        def step(*inputs):
            output = row.call(module, [x * 1 if x.requires_grad else x for x in inputs])
            if not row.order or not output.requires_grad:
                return output.detach()
            sources = [x for x in (*inputs, *module.parameters()) if x.requires_grad]
            slopes = aino.autograd.grad((output * output).sum(), sources, allow_unused=True)
            return [output.detach(), *[slope for slope in slopes if slope is not None]]

        return step, inputs

    both(made)


@pytest.mark.parametrize(
    ("row", "settings"), [(row, settings) for row in OPTIMIZERS for settings in row.settings],
    ids=lambda of: getattr(of, "name", str(of)),
)  # fmt: skip
def test_an_optimizer(row, settings):
    def made():
        weights, _, step = problem(row, settings)
        return lambda: (step(), [weight.detach() for weight in weights]), ()

    both(made, calls=12)


def outcome(run, backend, monkeypatch):
    """Return the bits of what a random program gives with a back end, or the kind of its error."""
    compile = aino.compile
    with monkeypatch.context() as patch:
        patch.setattr(aino, "compile", lambda step: compile(step, backend=backend))
        try:
            return bits(run())
        except (RuntimeError, ValueError, IndexError) as error:
            return type(error)


@pytest.mark.parametrize("seed", range(40, 80))
@pytest.mark.filterwarnings("ignore:.*goes on uncompiled")
def test_a_random_program(seed, monkeypatch):
    size = 7 if seed % 10 else 140_001
    for run in (
        lambda: random_programs.outcome(seed, True),
        lambda: random_programs.signed(seed + 200, size, True),
    ):
        found = [outcome(run, backend, monkeypatch) for backend in BACKENDS]
        assert found[0] == found[1]


def test_the_loops_of_all_dtypes_agree():
    """What each loop is asked before it is used: here it holds for all that programs call."""
    for code in "fdFD":
        dtype = np.dtype(code)
        for function in (np.add, np.multiply, np.subtract, np.divide):
            assert agrees("ufunc", function, (dtype, dtype, dtype))
        for kind, function in (("reduce", np.add), ("accumulate", np.multiply)):
            assert agrees(kind, function, (dtype, dtype))
        assert agrees("product", np.matmul, (dtype, dtype, dtype))
        assert agrees("stack", np.matmul, (dtype, dtype, dtype))
