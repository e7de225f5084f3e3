"""Every row of ``rows_*.py`` through every check that applies to it."""

from __future__ import annotations

import pytest

from tests.calculus import harness

ROWS = harness.load_rows()


def cases(condition=lambda row, case: True, of="cases"):
    """Parametrise over the rows and cases that a check applies to."""
    chosen = [(row, case) for row in ROWS for case in getattr(row, of) if condition(row, case)]
    return pytest.mark.parametrize(
        ("row", "case"), chosen, ids=[f"{row.name}-{case}" for row, case in chosen]
    )


def first(condition):
    """Parametrise over the first case of the rows whose shapes may be exchanged."""
    chosen = [
        (row, next(case for case in row.cases if case.any_shape))
        for row in ROWS
        if condition(row) and any(case.any_shape for case in row.cases)
    ]
    return pytest.mark.parametrize(("row", "case"), chosen, ids=[row.name for row, _ in chosen])


def differentiable(row, case):
    return row.order > 0 and any(sample.wanted for sample in case.samples())


@cases()
def test_value(row, case):
    harness.check_value(row, case)


@cases(lambda row, case: row.primitive is not None)
def test_raw_arrays(row, case):
    harness.check_raw(row, case)


@cases(differentiable)
def test_first_derivative(row, case):
    harness.check_first(row, case)


@cases(lambda row, case: row.order > 1 and differentiable(row, case))
def test_second_derivative(row, case):
    harness.check_second(row, case)


@cases(differentiable)
def test_recorded_gradient(row, case):
    harness.check_recorded(row, case)


@cases()
def test_inputs_are_only_read(row, case):
    harness.check_read_only(row, case)


@cases()
def test_memory_layout(row, case):
    harness.check_layout(row, case)


@cases()
def test_float32(row, case):
    harness.check_float32(row, case)


@first(lambda row: row.any_shape)
def test_shapes(row, case):
    harness.check_shapes(row, case)


@first(lambda row: row.any_broadcast)
def test_broadcasting(row, case):
    harness.check_broadcasting(row, case)


@cases()
def test_method(row, case):
    harness.check_method(row, case)


@cases(of="kinks")
def test_kink(row, case):
    harness.check_kink(row, case)


@cases(of="errors")
def test_error(row, case):
    harness.check_error(row, case)


def test_every_primitive_has_a_row():
    # What takes several ranks has its rows in tests/distributed.
    assert set(harness.uncovered(ROWS)) <= {"sum_over_ranks"}


def test_rows_record_what_they_cover():
    assert harness.overclaimed(ROWS) == []
