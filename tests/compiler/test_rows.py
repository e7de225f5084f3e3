"""Every row of the calculus runs compiled and equals eager: values, gradients, second order."""

import re
from pathlib import Path

import numpy as np
import pytest

import aino
from aino.autograd.tensor import Tensor, make
from aino.errors import CompileError
from tests.calculus import harness

#: What a program can't do, because its shapes depend on the data: the operations that
#: docs/compile.md lists, by the names of the rows that use them so.
REFUSED = {
    "getitem_by_mask": "x[mask]",
    "masked_select": "masked_select",
    "nonzero": "nonzero",
    "nonzero_as_tuple": "nonzero",
    "argwhere": "argwhere",
    "where (the indices)": "where(mask)",
    "unique": "unique",
    "unique_consecutive": "unique_consecutive",
    "unique_consecutive_counted": "unique_consecutive",
    "bincount": "bincount",
    "bincount of weights": "bincount",
    "nn.functional.one_hot": "nn.functional.one_hot",
    "nn.functional.grouped_mm": "nn.functional.grouped_mm",
    "lstm": "lstm",
    "gru": "gru",
    "rnn_tanh": "rnn_tanh",
    "rnn_relu": "rnn_relu",
    "repeat_interleave": "repeat_interleave",
    "linalg.lstsq": "linalg.lstsq",
    "linalg.lstsq (the rest)": "linalg.lstsq",
    "as_strided": "as_strided",
    "as_strided_copy": "as_strided",
    "as_strided_scatter": "as_strided_scatter",
    "as_strided_scatter (values)": "as_strided_scatter",
}

CASES = [(row, case) for row in harness.load_rows() for case in row.cases if not row.seeded]


#: The rows that were refused in this process.
refused: set[str] = set()


def results_of(outputs):
    """Return the tensors in nested outputs."""
    if isinstance(outputs, Tensor):
        return [outputs]
    if isinstance(outputs, (tuple, list)):
        return [tensor for part in outputs for tensor in results_of(part)]
    return []


def program(row, case, wanted):
    """Return a function of the samples' tensors: the outputs and two orders of gradients."""

    def compute(*tensors):
        tensors = [
            tensor.detach().requires_grad_() if want else tensor
            for tensor, want in zip(tensors, wanted)
        ]
        args, kwargs = case.fill(tensors)
        outputs = results_of(row.function(*args, **kwargs))
        sources = [tensor for tensor, want in zip(tensors, wanted) if want]
        found = [output.detach() for output in outputs]
        smooth = [y for y in outputs if y.requires_grad]
        if not smooth or row.order == 0:
            return found
        total = sum((y * y.detach()).real.sum() if y.is_complex() else (y * y.detach()).sum()
                    for y in smooth)  # fmt: skip
        slopes = aino.autograd.grad(total, sources, create_graph=row.order > 1, allow_unused=True)
        found += [slope.detach() for slope in slopes if slope is not None]
        curved = [slope for slope in slopes if slope is not None and slope.requires_grad]
        if row.order > 1 and curved:
            total = sum((slope * slope).sum() for slope in curved)
            more = aino.autograd.grad(total, sources, allow_unused=True)
            found += [slope for slope in more if slope is not None]
        return found

    return compute


@pytest.mark.parametrize(("row", "case"), CASES, ids=[f"{row.name}-{case}" for row, case in CASES])
def test_compiled_equals_eager(row, case):
    assert_compiled_equals_eager(row, case)


def assert_compiled_equals_eager(row, case):
    arrays = case.draw(row.name)
    wanted = [
        sample.wanted and array.dtype.kind in "fc" for sample, array in zip(case.samples(), arrays)
    ]
    tensors = [make(array.copy()) for array in arrays]
    compute = program(row, case, wanted)
    with np.errstate(all="ignore"):
        expected = compute(*tensors)
        compiled = aino.compile(compute, fullgraph=True)
        try:
            for _ in range(3):
                found = compiled(*tensors)
        except CompileError:
            assert row.name in REFUSED
            refused.add(row.name)
            return
    assert len(found) == len(expected)
    for mine, its in zip(found, expected):
        assert mine.array.dtype == its.array.dtype
        np.testing.assert_allclose(mine.array, its.array, rtol=1e-12, atol=1e-14)


def test_the_documentation_lists_what_is_refused():
    text = (Path(__file__).resolve().parents[2] / "docs" / "compile.md").read_text(encoding="utf-8")
    table = re.search(r"\| operation \| instead \|\n\|---\|---\|\n((?:\|.*\n)+)", text).group(1)
    listed = [re.findall(r"`([^`]+)`", line.split("|")[1]) for line in table.splitlines()]
    assert {name for names in listed for name in names} == set(REFUSED.values())


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_listed_is_refused(name):
    """Nothing stands in the list that a program can do."""
    for row in harness.load_rows():
        for case in row.cases if row.name == name else ():
            assert_compiled_equals_eager(row, case)
    assert name in refused
