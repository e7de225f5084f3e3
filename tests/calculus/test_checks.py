"""The checkers are checked: each planted error is found, and the sound row passes everything."""

from __future__ import annotations

import numpy as np
import pytest

from aino.autograd.function import Function
from aino.autograd.primitive import REGISTRY, primitive
from aino.autograd.tensor import Tensor
from tests.calculus import harness
from tests.calculus.row import Row, case, given, real

CHECKS = [
    harness.check_value,
    harness.check_raw,
    harness.check_first,
    harness.check_second,
    harness.check_recorded,
    harness.check_read_only,
    harness.check_layout,
    harness.check_float32,
    harness.check_shapes,
]


@pytest.fixture
def declare():
    """Declare primitives that are gone after the test."""
    before = dict(REGISTRY)

    def declared(kernel=np.sin, name="planted", **options):
        rules = options or {"x": lambda g, x: g * np.cos(x)}
        return primitive(name, kernel, formula="planted", **rules)

    yield declared
    REGISTRY.clear()
    REGISTRY.update(before)


def unary(function, oracle=np.sin, **options):
    return Row("planted", function, oracle, [case(real(2, 3))], method="", **options)


def fails(check, row, case=None):
    with pytest.raises((AssertionError, RuntimeError, TypeError, ValueError, IndexError)):
        check(row, case or row.cases[0])


def test_a_sound_row_passes(declare):
    row = unary(declare(), complex=True, elementwise=True)
    for check in CHECKS:
        check(row, row.cases[0])
    assert harness.overclaimed([row]) == []


def _into_input(x):
    np.multiply(x, 1.0, out=x)
    return np.sin(x)


def _into_cotangent(g, x):
    g *= 1.0
    return g * np.cos(x)


def _into_output(g, x, y):
    y += 0.0
    return g * np.cos(x)


def _constant_residual(g, x):
    return g * np.cos(x.array if isinstance(x, Tensor) else x)


def _other_on_tensors(g, x):
    return g * np.cos(x) * (1.5 if isinstance(x, Tensor) else 1.0)


def _other_first_element(g, x):
    mark = np.zeros(x.shape, x.dtype)
    mark.reshape(-1)[-1:] = 0.25
    return g * (np.cos(x) + mark)


@pytest.mark.parametrize(
    ("check", "rule"),
    [
        (harness.check_first, lambda g, x: 2.0 * g * np.cos(x)),
        (harness.check_first, lambda g, x: -g * np.cos(x)),
        (harness.check_first, lambda g, x: g),
        (harness.check_first, _other_first_element),
        (harness.check_recorded, _other_on_tensors),
        (harness.check_second, _constant_residual),
        (harness.check_float32, lambda g, x: g * np.cos(x) * np.float64(1.0)),
        (harness.check_float32, lambda g, x: g.astype(np.float64) * np.cos(x)),
        (harness.check_read_only, _into_cotangent),
        (harness.check_read_only, _into_output),
        (harness.check_shapes, lambda g, x: g * np.cos(x) + 0.0 * x.reshape(-1)[0]),
    ],
)
def test_a_wrong_rule_is_found(declare, check, rule):
    row = unary(declare(lambda x: np.sin(x), x=rule), elementwise=True)
    harness.check_value(row, row.cases[0])
    fails(check, row)


@pytest.mark.parametrize(
    ("check", "kernel"),
    [
        (harness.check_value, lambda x: np.sin(x) + 1e-6),
        (harness.check_value, lambda x: np.sin(x).reshape(-1)),
        (harness.check_float32, lambda x: np.sin(x.astype(np.float64))),
        (harness.check_read_only, _into_input),
        (harness.check_layout, lambda x: np.sin(np.ravel(x, order="K").reshape(x.shape))),
        (harness.check_shapes, lambda x: np.sin(x) + 0.0 * x.reshape(-1)[0]),
    ],
)
def test_a_wrong_kernel_is_found(declare, check, kernel):
    row = unary(declare(kernel, x=lambda g, x: g * np.cos(x)), elementwise=True)
    fails(check, row)


def test_a_missing_term_is_found(declare):
    function = declare(lambda a, b: a * b + b, broadcasts=True, a=lambda g, b: g * b,
                       b=lambda g, a: g * a)  # fmt: skip
    row = Row("planted", function, lambda a, b: a * b + b, [case(real(2, 3), real(3))])
    harness.check_value(row, row.cases[0])
    fails(harness.check_first, row)


@pytest.mark.parametrize("shape", [(1,), (4,), (3, 4), (6, 6)])
@pytest.mark.parametrize("size", [1e-2, 1e-4])
def test_one_wrong_element_is_found_whichever_it_is(declare, shape, size):
    """One of the first and of the second derivatives, by little; many elements are projected."""
    count = int(np.prod(shape))

    def wrong_at(position):
        def mark(x):
            marks = np.zeros(count)
            marks[position] = size
            return marks.reshape(x.shape)

        slope = declare(np.cos, f"slope{position}", x=lambda g, x: -g * (np.sin(x) + mark(x)))
        return (
            declare(np.sin, f"first{position}", x=lambda g, x: g * (np.cos(x) + mark(x))),
            declare(np.sin, f"second{position}", x=lambda g, x: g * slope(x)),
        )

    for position in {0, count // 2, count - 1}:
        first, second = wrong_at(position)
        if count <= harness.SMALL or size > 1e-3:
            fails(harness.check_first, Row("planted", first, None, [case(real(*shape))]))
        if 2 * count <= harness.SMALL or size > 1e-3:
            fails(harness.check_second, Row("planted", second, None, [case(real(*shape))]))


def test_gradients_that_changed_places_are_found(declare):
    function = declare(lambda a, b: a * b, a=lambda g, a: g * a, b=lambda g, b: g * b)
    fails(harness.check_first, Row("planted", function, None, [case(real(2, 3), real(2, 3))]))
    turned = declare(lambda x: x * 1.0, "turned", x=lambda g: g.mT)
    fails(harness.check_first, Row("planted", turned, None, [case(real(3, 3))]))


def test_outputs_that_differ_together_from_each_alone_are_found(declare):
    function = declare()

    class Both(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.set_materialize_grads(False)
            return function(x), function(x)

        @staticmethod
        def backward(ctx, first, second):
            return first if second is None else second if first is None else 1.1 * (first + second)

    fails(harness.check_first, Row("planted", lambda x: Both.apply(x), None, [case(real(2, 3))]))


def test_what_depends_on_its_input_in_secret_is_found(declare):
    function = declare(x=lambda g, x: g * np.cos(x))
    row = Row("planted", lambda x: function(x.detach()), None, [case(real(2, 3))])
    fails(harness.check_first, row)


def test_broadcasting_that_is_not_undone_is_found(declare):
    function = declare(np.add, a=lambda g: g, b=lambda g: g)
    row = Row("planted", function, np.add, [case(real(2, 3), real(2, 3))])
    harness.check_first(row, row.cases[0])
    fails(harness.check_broadcasting, row)


def test_a_wrong_complex_rule_is_found(declare):
    conjugate = declare(np.conjugate, x=lambda g: g)
    row = unary(conjugate, np.conjugate, complex=True)
    fails(harness.check_first, row)
    row = unary(conjugate, np.conjugate)
    harness.check_first(row, row.cases[0])


def test_a_raw_call_that_differs_is_found(declare):
    function = declare()

    def differs(x):
        return function(x) if isinstance(x, Tensor) else 2.0 * function(x)

    differs.primitive = function.primitive
    fails(harness.check_raw, unary(differs))


def test_a_wrong_slope_at_a_kink_is_found(declare):
    function = declare(np.absolute, x=lambda g, x: g * np.sign(x))
    row = unary(function, np.absolute)
    harness.check_kink(row, case(given([0.0, -1.0])).slopes([0.0, -1.0]))
    fails(harness.check_kink, row, case(given([0.0, -1.0])).slopes([1.0, -1.0]))
    fails(harness.check_kink, row, case(given([0.0, -1.0])).gives([0.0, 2.0]))


def test_a_definition_that_differs_is_found(declare):
    half = declare(name="half", x=lambda g, x: g * np.cos(x))
    function = declare(np.sin, x=lambda g, x: g * np.cos(x), definition=lambda x: half(x) + 0.5)
    fails(harness.check_recorded, unary(function))


def test_an_error_that_is_not_raised_is_found(declare):
    row = unary(declare())
    fails(harness.check_error, row, case(real(2, 3)))
    harness.check_error(row, case(real(2, 3), real(2), real(1)))


def test_a_method_that_is_missing_or_differs_is_found(declare, monkeypatch):
    function = declare()
    row = Row("planted", function, np.sin, [case(real(2, 3))])
    fails(harness.check_method, row)
    monkeypatch.setattr(Tensor, "planted", lambda x: function(function(x)), raising=False)
    fails(harness.check_method, row)


def test_a_primitive_without_a_row_is_found(declare):
    before = harness.uncovered([])
    function = declare()
    assert set(harness.uncovered([])) - set(before) == {"planted"}
    assert "planted" not in harness.uncovered([unary(function)])


def test_a_row_that_claims_too_much_is_found(declare):
    declare(name="other")
    row = unary(declare(), covers="planted other")
    assert harness.overclaimed([row]) == ["planted: other"]
