"""Every optimizer, from its row: a hundred steps against an oracle that is written out."""

import numpy as np
import pytest

import aino.optim as optim
from aino.autograd.tensor import make
from aino.optim import adam, flat
from tests.optim.helpers import SHAPES, assert_same, give, gradients, parameters, run, values
from tests.optim.rows import REFUSED, ROWS, WITH_CLOSURE

CASES = [(row, settings) for row in ROWS for settings in row.settings]
each = pytest.mark.parametrize(
    ("row", "settings"), CASES, ids=[f"{row.name}-{settings}" for row, settings in CASES]
)


def follow_oracle(row, settings, dtype, steps, missing=lambda t: ()):
    """Return what the oracle makes of each parameter, and what it remembers."""
    arrays = [parameter.array.copy() for parameter in parameters(dtype, row.shapes)]
    states: list[dict] = [{} for _ in arrays]
    counts = [0] * len(arrays)
    for t in range(steps):
        found = gradients(arrays, t)
        for i in set(range(len(arrays))) - set(missing(t)):
            counts[i] += 1
            stepped = row.oracle(arrays[i], found[i], states[i], counts[i], **settings)
            arrays[i] = np.asarray(stepped, dtype)
    for state, count in zip(states, counts):
        state["step"] = count
    return arrays, states


def check(row, settings, dtype, tolerance, missing=lambda t: (), steps=100):
    tensors = parameters(dtype, row.shapes)
    optimizer = row.make(tensors, **settings)
    run(optimizer, tensors, steps, missing)
    arrays, states = follow_oracle(row, settings, dtype, steps, missing)
    for tensor, array, state in zip(tensors, arrays, states):
        np.testing.assert_allclose(tensor.array, array, rtol=tolerance, atol=tolerance)
        kept = optimizer.state.get(tensor, {})
        assert set(kept) == set(row.kept_of(tensor.array.shape))
        for name in kept:
            assert kept[name].array.dtype == (dtype if kept[name].array.ndim else kept[name].dtype)
            np.testing.assert_allclose(
                kept[name].array, state[name], rtol=max(tolerance, 1e-6), atol=tolerance
            )


def test_every_optimizer_has_a_row():
    public = {
        name
        for name, thing in vars(optim).items()
        if isinstance(thing, type) and issubclass(thing, optim.Optimizer)
    }
    assert public - {"Optimizer"} == {row.name for row in ROWS} | WITH_CLOSURE | REFUSED


@each
def test_a_hundred_steps_in_float64(row, settings):
    check(row, settings, np.float64, 1e-11)


@each
def test_a_hundred_steps_in_float32(row, settings):
    check(row, settings, np.float32, 2e-6)


@each
def test_a_parameter_without_a_gradient_is_skipped(row, settings):
    check(row, settings, np.float64, 1e-11, missing=lambda t: (1,) if t % 3 == 0 else ())
    check(row, settings, np.float64, 1e-11, missing=lambda t: (0, 2) if t < 5 else ())
    check(row, settings, np.float64, 1e-11, missing=lambda t: (0, 1) if t % 2 else (2, 3, 4))


def among(cases, what):
    """Return the cases of rows that say so."""
    chosen = [case for case in cases if getattr(case[0], what)]
    names = [f"{row.name}-{settings}" for row, settings in chosen]
    return pytest.mark.parametrize(("row", "settings"), chosen, ids=names)


@among(CASES, "maximizes")
def test_maximize_climbs(row, settings):
    down, up = parameters(shapes=row.shapes), parameters(shapes=row.shapes)
    descent, ascent = row.make(down, **settings), row.make(up, maximize=True, **settings)
    for t in range(5):
        give(down, t)
        for tensor, other in zip(up, down):
            tensor.grad = make(-other.grad.array)
        descent.step()
        ascent.step()
    assert_same(values(down), values(up))


@among(CASES, "takes_complex")
def test_complex_parameters_are_pairs_of_real_ones(row, settings):
    tensors = parameters("complex128")
    pairs = [make(t.array[..., None].view("float64").copy()).requires_grad_() for t in tensors]
    optimizer, twin = row.make(tensors, **settings), row.make(pairs, **settings)
    for t in range(10):
        give(tensors, t)
        for pair, tensor in zip(pairs, tensors):
            pair.grad = make(tensor.grad.array[..., None].view("float64").copy())
        optimizer.step()
        twin.step()
    assert_same([t.array[..., None].view("float64") for t in tensors], values(pairs))
    for tensor, pair in zip(tensors, pairs):
        for name in row.kept_of(tensor.array.shape):
            kept = optimizer.state[tensor][name].array
            if kept.dtype.kind == "c":
                assert_same([kept[..., None].view("float64")], [twin.state[pair][name].array])


@each
def test_the_form_for_a_trace_does_the_same(row, settings, monkeypatch):
    """In one piece and without work buffers, as the compiler runs it, no bit differs."""
    tensors, others = (parameters("float32", row.shapes) for _ in range(2))
    blocks, whole = row.make(tensors, **settings), row.make(others, **settings)
    for t in range(6):
        give(tensors, t)
        blocks.step()
        give(others, t)
        with monkeypatch.context() as patch:
            patch.setattr(flat, "ndarray", None)
            whole.step()
    assert_same(values(tensors), values(others))


@pytest.mark.parametrize(
    ("row", "settings"),
    [(row, settings) for row in ROWS for settings in row.refuses],
    ids=[f"{row.name}-{settings}" for row in ROWS for settings in row.refuses],
)
def test_settings_out_of_range_are_refused(row, settings):
    words = r"(?i)invalid|nesterov|two numbers|should be|not supported|ns_"
    with pytest.raises(ValueError, match=words):
        row.make(parameters(shapes=row.shapes), **settings)
    optimizer = row.make(parameters(shapes=row.shapes))
    before = list(optimizer.param_groups)
    with pytest.raises(ValueError, match=words):
        optimizer.add_param_group({"params": parameters(shapes=row.shapes, seed=1), **settings})
    assert optimizer.param_groups == before


def wrong_eps(gradient, mean, squares, largest, work, *scalars):
    *others, eps, step_size = scalars
    return RIGHT(gradient, mean, squares, largest, work, *others, eps + 1e-4, step_size)


def no_first_moment(gradient, mean, squares, largest, work, beta1, rest1, *scalars):
    return RIGHT(gradient, mean, squares, largest, work, 0.0, 1.0, *scalars)


def forgets_its_state(gradient, mean, squares, largest, work, *scalars):
    return RIGHT(gradient, mean.copy(), squares.copy(), largest, work, *scalars)


def writes_into_the_gradient_twice(gradient, mean, squares, largest, work, *scalars):
    np.multiply(gradient, 1.001, out=gradient)
    return RIGHT(gradient, mean, squares, largest, work, *scalars)


RIGHT = adam.adam_update
PLANTED = [wrong_eps, no_first_moment, forgets_its_state, writes_into_the_gradient_twice]


@pytest.mark.parametrize("planted", PLANTED)
def test_planted_errors_are_caught(planted, monkeypatch):
    row = next(row for row in ROWS if row.name == "Adam")
    monkeypatch.setattr(adam, "adam_update", planted)
    with pytest.raises(AssertionError):
        check(row, {}, np.float64, 1e-11)


def test_the_shapes_include_a_scalar():
    assert () in SHAPES


def test_what_only_steps_matrices_says_so():
    with pytest.raises(ValueError, match=r"2D parameters .*\(4,\)|2D parameters .*\[4\]"):
        optim.Muon(parameters())


@pytest.mark.parametrize("name", sorted({row.name for row in ROWS if not row.takes_complex}))
def test_what_steps_no_complex_parameters_says_so(name):
    with pytest.raises(RuntimeError, match=f"{name} does not support complex"):
        getattr(optim, name)(parameters("complex64", [(2, 3)]))


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_what_is_refused_says_what_to_use(name):
    with pytest.raises(NotImplementedError, match=r"use aino\.optim\.Adam"):
        getattr(optim, name)(parameters())


@pytest.mark.parametrize(
    ("name", "entries", "words"),
    [
        ("Adafactor", {"step": 1, "row_var": np.ones((3, 1))}, "lacks Adafactor's 'col_var'"),
        ("Adafactor", {"step": 1, "variance": np.ones((3, 4))}, r"'variance', .* \(3, 4\)"),
        ("Adafactor", {"step": 1, "row_var": np.ones((3, 1)), "col_var": np.ones((3, 4))},
         r"\(3, 4\), it should have \(1, 4\)"),
        ("Muon", {"momentum_buffer": np.ones(4)}, r"\(4,\), it should have \(3, 4\)"),
        ("Muon", {"step": 1}, "'step', which Muon does not keep"),
    ],
)  # fmt: skip
def test_state_of_another_shape_is_refused(name, entries, words):
    optimizer = getattr(optim, name)(parameters(shapes=[(3, 4)]))
    saved = optimizer.state_dict()
    saved["state"] = {0: entries}
    with pytest.raises(ValueError, match=words):
        optimizer.load_state_dict(saved)
    assert not optimizer.state
