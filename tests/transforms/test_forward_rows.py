"""Every row of the calculus in forward mode, alone and with grad, vmap and compile."""

import warnings

import pytest

from aino.autograd.batched import fallback
from aino.errors import CompileError, GradientError, TransformError
from tests.calculus.harness import load_rows
from tests.transforms import forward

ROWS = [row for row in load_rows() if any(forward.has_tangents(row, case) for case in row.cases)]
#: What has no derivative at all.
REFUSED = {"qr_complete (R)"}
#: Rows whose rules can be differentiated once alone: a tangent of a tangent asks for more.
ONCE = {
    "linalg.cond", "linalg.lstsq", "linalg.matrix_norm", "linalg.svdvals", "norm", "nuclear_norm",
}  # fmt: skip
#: Rows that write one argument into another: alone it would leave its tangent in plain memory.
WRITTEN = {"overwrite", "overwrite_parts", "replace"}
#: What a program does not take: it depends on how a tensor lies in memory.
NOT_COMPILED = {"as_strided", "as_strided_copy", "as_strided_scatter"}


def cases_of(row):
    return [case for case in row.cases if forward.has_tangents(row, case)]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_row(row):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", fallback.LoopWarning)
        for position, case in enumerate(cases_of(row)):
            if row.name in REFUSED:
                with pytest.raises(GradientError):
                    forward.check_tangents(row, case)
                continue
            forward.check_tangents(row, case)
            if not position:
                forward.check_batched(row, case)
                if row.name in WRITTEN:
                    with pytest.raises(TransformError, match="have tangents"):
                        forward.check_each_alone(row, case)
                else:
                    forward.check_each_alone(row, case)


@pytest.mark.parametrize(
    "row", [row for row in ROWS if row.order > 1 and row.name not in REFUSED], ids=str
)
def test_composed(row):
    forward.check_composed(row, cases_of(row)[0], twice=row.name not in ONCE)


@pytest.mark.parametrize("row", [row for row in ROWS if row.name not in REFUSED], ids=str)
def test_compiled(row):
    case = cases_of(row)[0]
    if row.name in NOT_COMPILED:
        with pytest.raises(CompileError):
            forward.check_compiled(row, case)
    else:
        forward.check_compiled(row, case)
