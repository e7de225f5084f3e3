"""A layer is perceptrons to look at and one matrix to compute with."""

import copy

import numpy as np
import pytest

import aino
from aino import nn
from aino.errors import GradientError


@pytest.fixture
def layer():
    return nn.Layer(4, 3, "tanh").double()


def test_neurons_compute_the_columns_of_the_layer(layer):
    x = aino.randn(5, 4, dtype=aino.float64)
    y = layer(x)
    assert len(layer) == len(layer.perceptrons) == 3
    for i, neuron in enumerate(layer):
        np.testing.assert_allclose(neuron(x).detach().numpy(), y[:, i].detach().numpy(), rtol=1e-12)
    assert isinstance(layer[0], nn.Perceptron)
    assert repr(layer[-1]) == "Perceptron(in_features=4, activation='tanh')"
    assert len(layer.perceptrons[:2]) == 2
    with pytest.raises(IndexError):
        layer[3]


def test_values_are_shared_both_ways(layer):
    neuron = layer.perceptrons[1]
    with aino.no_grad():
        neuron.weight[0] = 7.0
        neuron.bias.fill_(-2.0)
    assert layer.weight[1, 0].item() == 7.0
    assert layer.bias[1].item() == -2.0
    layer.weight.array[1, 3] = 5.0
    assert neuron.weight[3].item() == 5.0
    neuron.weight.data = aino.zeros(4, dtype=aino.float64)
    assert layer.weight[1].tolist() == [0.0] * 4
    layer.float()
    assert neuron.weight.dtype == aino.float32
    layer.load_state_dict({"weight": np.ones((3, 4)), "bias": np.ones(3)}, assign=True)
    assert layer[1].weight.tolist() == [1.0] * 4


def test_a_neurons_numbers_are_printed(layer):
    for mine, whole in ((layer[1].weight, layer.weight[1]), (layer[1].bias, layer.bias[1])):
        numbers = repr(whole.detach())[len("tensor(") :].partition(")")[0].partition(",  ")[0]
        assert numbers.partition(", dtype")[0] in repr(mine)
        assert "requires_grad=True" in repr(mine)


def test_checking_a_neurons_gradients_changes_nothing(layer):
    neuron, before = layer[1], layer.weight.tolist()
    x = aino.randn(5, 4, dtype=aino.float64)
    assert aino.autograd.gradcheck(lambda w, b: (x @ w + b).tanh(), (neuron.weight, neuron.bias))
    assert layer.weight.tolist() == before


def test_gradients_are_shared_both_ways(layer):
    x = aino.randn(5, 4, dtype=aino.float64)
    neuron = layer[2]
    assert neuron.weight.grad is None
    layer(x).sum().backward()
    assert neuron.weight.grad.tolist() == layer.weight.grad[2].tolist()
    assert neuron.bias.grad.item() == layer.bias.grad[2].item()
    neuron.weight.grad.zero_()
    assert layer.weight.grad[2].tolist() == [0.0] * 4
    neuron.zero_grad()
    assert layer.bias.grad[2].item() == 0.0
    assert layer.bias.grad[0].item() != 0.0
    layer.zero_grad()
    assert neuron.weight.grad is None
    neuron(x).sum().backward()
    assert layer.weight.grad[:2].abs().sum().item() == 0.0
    assert layer.weight.grad[2].tolist() == neuron.weight.grad.tolist()
    neuron.weight.grad = aino.ones(4, dtype=aino.float64)
    assert layer.weight.grad[2].tolist() == [1.0] * 4
    with pytest.raises(ValueError):
        neuron.weight.grad = aino.ones(3, dtype=aino.float64)


def test_a_single_neuron_learns_in_its_layer(layer):
    before = layer.weight.array.copy()
    neuron = layer[1]
    optimizer = aino.optim.SGD(neuron.parameters(), lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        (neuron(aino.ones(2, 4, dtype=aino.float64)) ** 2).sum().backward()
        optimizer.step()
    assert np.array_equal(layer.weight.array[[0, 2]], before[[0, 2]])
    assert not np.array_equal(layer.weight.array[1], before[1])


def test_gradients_of_higher_order_reach_the_layer(layer):
    x = aino.ones(4, dtype=aino.float64)
    weight = layer[0].weight
    (slope,) = aino.autograd.grad(layer[0](x), layer.weight, create_graph=True)
    assert slope.shape == (3, 4)
    (row,) = aino.autograd.grad((weight**3).sum(), weight, create_graph=True)
    (second,) = aino.autograd.grad(row.sum(), layer.weight)
    np.testing.assert_allclose(second.numpy()[0], 6.0 * weight.detach().numpy())


def test_a_row_is_frozen_with_its_layer(layer):
    neuron = layer[0]
    with pytest.raises(GradientError, match="layer"):
        neuron.weight.requires_grad_(False)
    layer.requires_grad_(False)
    assert not layer[0].weight.requires_grad
    assert not neuron.weight.requires_grad
    layer.requires_grad_(True)
    assert neuron.weight.requires_grad
    assert neuron.weight.is_leaf


def test_neurons_made_without_recording_learn_all_the_same(layer):
    with aino.no_grad():
        neuron = layer[0]
    neuron(aino.ones(4, dtype=aino.float64)).backward()
    assert layer.weight.grad is not None


def test_a_copied_neuron_is_on_its_own(layer):
    neuron = copy.deepcopy(layer[0])
    assert type(neuron.weight) is nn.Parameter
    with aino.no_grad():
        neuron.weight.zero_()
    assert layer.weight[0].abs().sum().item() > 0
    assert not list(layer.named_children())


def test_activations():
    layer = nn.Layer(2, 3, "relu")
    layer.activation = "tanh"
    assert layer(aino.ones(2)).abs().max().item() < 1.0
    for name, meant in [("sigmod", "sigmoid"), ("Tanh", "tanh"), ("leakyrelu", "leaky_relu")]:
        with pytest.raises(ValueError, match=f"'{name}': did you mean '{meant}'"):
            layer.activation = name
    with pytest.raises(ValueError, match="there are linear"):
        nn.Perceptron(2, "zzz")
    with pytest.raises(TypeError):
        nn.Layer(2, 3, aino.tanh)
    assert layer.activation == "tanh"
    softmax = nn.Layer(2, 3, "softmax")
    assert softmax(aino.ones(5, 2)).sum(1).tolist() == pytest.approx([1.0] * 5)
    with pytest.raises(ValueError, match="all neurons"):
        softmax[0](aino.ones(2))


def test_initial_weights_follow_the_activation():
    for activation, bound in [("tanh", 0.1), ("relu", np.sqrt(6) * 0.1)]:
        layer = nn.Layer(100, 500, activation)
        assert abs(layer.weight.abs().max().item() - bound) < 0.01 * bound
        assert layer.bias.abs().max().item() <= 0.1
