"""Clipping, vectors of parameters, and initial values."""

import numpy as np
import pytest

import aino
from aino import nn
from aino.nn import init, utils


@pytest.fixture
def layer():
    layer = nn.Linear(3, 2)
    layer(aino.ones(4, 3)).sum().backward()
    return layer


def test_total_norm(layer):
    gradients = [p.grad for p in layer.parameters()]
    expected = np.sqrt(sum((g.numpy() ** 2).sum() for g in gradients))
    assert utils.get_total_norm(gradients).item() == pytest.approx(expected)
    assert utils.get_total_norm([]).item() == 0.0
    assert utils.get_total_norm([aino.tensor([3 + 4j])]).item() == pytest.approx(5.0)


def test_clipping_scales_in_place(layer):
    gradient = layer.weight.grad
    norm = utils.clip_grad_norm_(layer.parameters(), 1.0)
    assert norm.item() > 1.0
    assert layer.weight.grad is gradient
    assert utils.get_total_norm([p.grad for p in layer.parameters()]).item() == pytest.approx(1.0)
    before = gradient.numpy().copy()
    utils.clip_grad_norm_(layer.parameters(), 100.0)
    np.testing.assert_array_equal(gradient.numpy(), before)
    assert utils.clip_grad_norm_([aino.ones(2)], 1.0).item() == 0.0


def test_clipping_refuses_what_is_not_finite(layer):
    layer.bias.grad.array[0] = np.nan
    with pytest.raises(RuntimeError, match="non-finite"):
        utils.clip_grad_norm_(layer.parameters(), 1.0, error_if_nonfinite=True)


def test_clipping_values(layer):
    layer.weight.grad.array[0] = [-9.0, 0.5, 9.0]
    utils.clip_grad_value_(layer.parameters(), 1.0)
    assert layer.weight.grad[0].tolist() == [-1.0, 0.5, 1.0]
    assert layer.weight.grad.dtype == aino.float32


def test_parameters_as_a_vector(layer):
    vector = utils.parameters_to_vector(layer.parameters())
    assert vector.shape == (8,)
    vector.sum().backward()
    assert layer.bias.grad.tolist() == [5.0, 5.0]
    weight = layer.weight
    utils.vector_to_parameters(aino.arange(8.0), layer.parameters())
    assert layer.weight is weight
    assert weight.tolist() == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
    for wrong in (aino.zeros(7), aino.zeros(9), aino.zeros(2, 4)):
        with pytest.raises(ValueError):
            utils.vector_to_parameters(wrong, layer.parameters())
    with pytest.raises(TypeError):
        utils.vector_to_parameters(np.zeros(8), layer.parameters())
    assert layer.bias.tolist() == [6.0, 7.0]


# Initial values

DRAWN = [init.uniform_, init.normal_, init.trunc_normal_, init.xavier_uniform_,
         init.xavier_normal_, init.kaiming_uniform_, init.kaiming_normal_, init.orthogonal_,
         lambda t, **k: init.sparse_(t, 0.2, **k)]  # fmt: skip


@pytest.mark.parametrize("function", DRAWN)
@pytest.mark.parametrize("dtype", [aino.float32, aino.float64])
def test_initial_values_are_drawn_in_place(function, dtype):
    tensor = aino.zeros(20, 30, dtype=dtype).requires_grad_()
    array = tensor.array
    generator = aino.Generator()
    assert function(tensor, generator=generator.manual_seed(1)) is tensor
    assert tensor.array is array
    assert tensor.requires_grad
    first = array.copy()
    assert first.std() > 0
    function(tensor, generator=generator.manual_seed(1))
    np.testing.assert_array_equal(array, first)
    function(tensor, generator=generator)
    assert not np.array_equal(array, first)
    aino.manual_seed(5)
    function(tensor)
    first = array.copy()
    aino.manual_seed(5)
    function(tensor)
    np.testing.assert_array_equal(array, first)


def test_fixed_initial_values():
    assert init.eye_(aino.empty(2, 3)).tolist() == [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    assert init.constant_(aino.empty(2), 3.0).tolist() == [3.0, 3.0]
    assert init.ones_(aino.empty(2)).tolist() == [1.0, 1.0]
    assert init.zeros_(aino.empty(2)).tolist() == [0.0, 0.0]
    assert init.constant_(aino.tensor([1, 2]), 3).tolist() == [3, 3]


@pytest.mark.parametrize("shape", [(5, 8), (8, 5), (6, 2, 3)])
def test_orthogonal(shape):
    q = init.orthogonal_(aino.empty(*shape, dtype=aino.float64), gain=2.0).numpy()
    q = q.reshape(shape[0], -1)
    product = q @ q.T if q.shape[0] <= q.shape[1] else q.T @ q
    np.testing.assert_allclose(product, 4.0 * np.eye(len(product)), atol=1e-12)


def test_truncated_normal():
    values = init.trunc_normal_(aino.empty(10_000), 0.0, 1.0, -0.5, 2.0).numpy()
    assert values.min() >= -0.5
    assert values.max() <= 2.0
    with pytest.warns(UserWarning, match="2 std"):
        far = init.trunc_normal_(aino.empty(100), 0.0, 1.0, 8.0, 9.0).numpy()
    assert far.min() >= 8.0


def test_sparse():
    values = init.sparse_(aino.empty(10, 7), 0.25).numpy()
    assert ((values == 0).sum(axis=0) == 3).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: init.xavier_uniform_(aino.empty(3)), "two dimensions"),
        (lambda: init.eye_(aino.empty(3)), "matrices"),
        (lambda: init.sparse_(aino.empty(3), 0.1), "matrices"),
        (lambda: init.orthogonal_(aino.empty(3)), "two dimensions"),
        (lambda: init.dirac_(aino.empty(3, 3)), "3, 4 or 5"),
        (lambda: init.dirac_(aino.empty(3, 3, 3), 2), "groups"),
        (lambda: init.kaiming_normal_(aino.empty(3, 3), mode="fan"), "fan_in or fan_out"),
        (lambda: init.calculate_gain("zzz"), "unsupported"),
        (lambda: init.calculate_gain("leaky_relu", True), "negative_slope"),
        (lambda: init.trunc_normal_(aino.empty(3), a=1.0, b=0.0), "empty"),
    ],
)
def test_initial_values_that_make_no_sense(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_empty_tensors():
    with pytest.warns(UserWarning, match="without elements"):
        init.kaiming_uniform_(aino.empty(0, 3))
    with pytest.warns(UserWarning, match="without elements"):
        init.kaiming_normal_(aino.empty(0, 3))
    init.orthogonal_(aino.empty(0, 3))
    assert nn.Linear(0, 3)(aino.ones(2, 0)).shape == (2, 3)
