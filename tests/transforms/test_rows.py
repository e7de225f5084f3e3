"""Every row of the calculus under vmap, and under grad and vmap in either order."""

from __future__ import annotations

import warnings

import pytest

from aino import coverage
from aino.autograd.batched import fallback
from aino.errors import CompileError, TransformError
from tests.calculus.harness import load_rows
from tests.transforms import harness

ROWS = [row for row in load_rows() if any(case.samples() for case in row.cases)]

#: Rows that a transform refuses, whose result depends on the data in its shape or is a Python
#: number: PyTorch refuses them, too.
REFUSED = {
    "allclose", "argwhere", "bincount", "bincount of weights", "getitem_by_mask",
    "masked_select", "nonzero", "nonzero_as_tuple", "unique",
    "unique_consecutive", "unique_consecutive_counted", "where (the indices)",
}  # fmt: skip
#: The same for some of a row's cases, or for some of its arguments batched alone: a write of
#: batched values into what is not batched, a shape that depends on the data.
REFUSED_IN_PART = {
    "equal", "linalg.lstsq", "linalg.lstsq (the rest)", "nn.functional.grouped_mm",
    "nn.functional.one_hot", "overwrite", "overwrite_parts", "repeat_interleave", "replace",
    "gru", "lstm", "rnn_relu", "rnn_tanh",  # lengths of packed sequences can't differ
}  # fmt: skip
#: What a program does not take, with or without vmap: it depends on how a tensor lies in memory.
NOT_COMPILED = {
    "as_strided", "as_strided_copy", "as_strided_scatter", "as_strided_scatter (values)",
}  # fmt: skip


#: Rows that show which operations go over the samples one by one, and under which name.
LOOPS = {
    "nn.functional.embedding_bag": {"bags_of", "winners_of"},
    "hash_tensor": {"hash_tensor"},
    "histc": {"histc"},
    "histogram": {"histogram_cells", "histogram_edges"},
    "isin": {"isin"},
    "linalg.ldl_solve": {"ldl_solution"},
    "nonzero_static": {"nonzero_static"},
    "scatter_reduce_prod": {"segments", "the derivative of scatter_product"},
    "searchsorted": {"searchsorted"},
}


def differentiable(row, case):
    return (
        row.order > 0
        and row.name not in REFUSED
        and any(sample.wanted for sample in case.samples())
    )


def test_everything_that_loops_has_a_row():
    assert set().union(*LOOPS.values()) == set(coverage.LOOPED)


def checks(row):
    """Return the checks of a row, the dearest on its first case alone."""
    cases = [case for case in row.cases if case.samples()]
    for position, case in enumerate(cases):
        yield lambda case=case: harness.check_value(row, case)
        if not position:
            yield lambda case=case: harness.check_nested(row, case)
        if differentiable(row, case):
            alone = position < 2
            yield lambda case=case, alone=alone: harness.check_gradients(row, case, alone)
            if not position and row.order > 1:
                yield lambda case=case: harness.check_second(row, case)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_row(row):
    refused = passed = 0
    fallback.warned.clear()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", fallback.LoopWarning)
        for check in checks(row):
            try:
                check()
            except TransformError:
                refused += 1
            else:
                passed += 1
    # ``python -m aino coverage`` prints what loops.
    assert LOOPS.get(row.name, set()) <= fallback.warned <= set(coverage.LOOPED)
    if row.name in REFUSED:
        assert refused
        assert not passed
    elif row.name in REFUSED_IN_PART:
        assert refused
        assert passed
    else:
        assert not refused


@pytest.mark.parametrize(
    "row",
    [row for row in ROWS if row.name not in REFUSED | REFUSED_IN_PART and not row.seeded],
    ids=str,
)
def test_compiled(row):
    case = next(case for case in row.cases if case.samples())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", fallback.LoopWarning)
        if row.name in NOT_COMPILED:
            with pytest.raises(CompileError):
                harness.check_compiled(row, case)
        else:
            harness.check_compiled(row, case)
