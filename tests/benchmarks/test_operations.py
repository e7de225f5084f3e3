"""The benchmark of all operations: every row has its case, every slow one its reason."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import operations, operations_reasons
from benchmarks.operations import BACKWARD, FORWARD, Measured
from benchmarks.operations_cases import CASES
from tests.calculus.harness import load_rows
from tests.calculus.row import Row, case, given, integers, real

pytest.importorskip("torch")

NAMES = {row.name for row in load_rows()}


def doubled(x, *rest):
    return x * 2.0


def row(name="mul", function=doubled, cases=(), **options):
    options.setdefault("torch", lambda torch, x, *rest: x * 2.0)
    return Row(name, function, None, list(cases), **options)


def shapes_of(found):
    return [sample.shape for sample in found.samples()]


def test_axes_grow_alike_until_the_largest_is_large():
    (shape,) = shapes_of(operations.scale(row(), case(real(2, 3, 1))))
    assert 0.8 * operations.SIZE <= np.prod(shape) <= 2 * operations.SIZE
    assert shape[2] == 1
    assert 1.4 <= shape[1] / shape[0] <= 1.6


def test_what_comes_out_counts_too():
    pairs = row(function=lambda x: x[:, None] * x, torch=lambda torch, x: x[:, None] * x)
    (shape,) = shapes_of(operations.scale(pairs, case(real(3))))
    assert 250 < shape[0] < 450


def test_values_that_are_given_are_repeated():
    found = operations.scale(row(), case(given([1.0, 2.0, 3.0])))
    values = found.draw("", np.float32)[0]
    assert values[:6].tolist() == [1.0, 2.0, 3.0, 1.0, 2.0, 3.0]


def test_an_operation_that_disagrees_has_no_case():
    wrong = row(torch=lambda torch, x: x[:1])
    assert operations.scale(wrong, case(real(3))) is None


def test_a_measurement():
    measured = operations.measure(row(cases=[case(real(3, 4))]), 1, 1e-4)
    assert set(measured.seconds) == {FORWARD, BACKWARD}
    assert measured.worst > 0
    flat = operations.measure(row(cases=[case(integers(0, 3, 4))], order=0), 1, 1e-4)
    assert set(flat.seconds) == {FORWARD}


def timed(name, forward, backward=1.0):
    return Measured(name, "(1,)", {FORWARD: (forward, 1.0), BACKWARD: (backward, 1.0)})


def test_the_verdict(capsys, monkeypatch):
    monkeypatch.setattr(operations_reasons, "REASONS", {"slow": "it is", "stale": "it was"})
    found = [timed("slow", 4.0), timed("slow (again)", 1.0, 3.5), timed("stale", 1.0),
             timed("near", 2.9), timed("new", 3.1)]  # fmt: skip
    assert operations.verdict(found) == 1
    told = capsys.readouterr().out
    assert "because:\n  it is:\n    slow, slow (again)" in told
    assert "NO REASON IS GIVEN for new\n" in told
    assert "not slow here: stale\n" in told
    assert "near" not in told


def test_reasons_and_cases_are_of_operations_that_there_are():
    known = NAMES | {name.split(" ")[0] for name in NAMES}
    assert set(operations_reasons.REASONS) - known == set()
    assert set(CASES) - NAMES == set()


def test_no_operation_has_two_reasons():
    named = [name for names in operations_reasons._LISTED.values() for name in names.split()]
    assert sorted(named) == sorted(set(named))
