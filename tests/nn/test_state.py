"""States of modules: read, loaded whole or not at all, and the hooks around both."""

import numpy as np
import pytest

import aino
from aino import nn
from aino.errors import InplaceError, StateDictError
from tests.nn.test_module import NAMES, Net


def test_a_state_shares_memory_and_has_no_history():
    net = Net()
    state = net.state_dict()
    assert state["scale"].numpy() is net.scale.array
    assert not state["scale"].requires_grad
    assert net.state_dict(keep_vars=True)["scale"] is net.scale
    assert list(net.state_dict(prefix="model.")) == [f"model.{name}" for name in NAMES]


@pytest.mark.parametrize("values", [lambda t: t, lambda t: t.numpy(), lambda t: t.double()])
def test_loading_copies_values(values):
    source, net = Net(), Net()
    weight = net.first.weight
    result = net.load_state_dict({key: values(v) for key, v in source.state_dict().items()})
    assert repr(result) == "<All keys matched successfully>"
    assert net.first.weight is weight
    assert weight.dtype == aino.float32
    for key, value in source.state_dict().items():
        assert aino.equal(net.state_dict()[key], value)
    source.first.weight.array[...] = 7.0
    assert not aino.equal(weight, source.first.weight)


def test_assigning_takes_the_tensors_themselves():
    source, net = Net().double(), Net()
    net.first.weight.requires_grad_(False)
    state = source.state_dict()
    state["scale"] = source.scale
    net.load_state_dict(state, assign=True)
    assert net.scale is source.scale
    assert net.first.weight.array is source.first.weight.array
    assert net.first.weight.dtype == aino.float64
    assert not net.first.weight.requires_grad
    assert net.rest[1].weight.requires_grad


def test_everything_wrong_is_one_error_and_changes_nothing():
    net = Net()
    before = {key: value.numpy().copy() for key, value in net.state_dict().items()}
    state = dict(Net().state_dict())
    del state["first.bias"], state["mean"]
    state |= {"extra": 1.0, "first.weight": np.zeros((5, 5)), "scale": "text",
              "rest.1.bias": np.zeros(1, complex)}  # fmt: skip
    with pytest.raises(StateDictError) as caught:
        net.load_state_dict(state)
    for key in ("first.bias", "mean", "extra", "first.weight", "(5, 5)", "(3, 2)", "scale",
                "rest.1.bias", "Net"):  # fmt: skip
        assert key in str(caught.value)
    for key, value in net.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), before[key])
    with pytest.raises(RuntimeError):
        net.load_state_dict({}, strict=True)
    with pytest.raises(TypeError):
        net.load_state_dict([1])


def test_loading_what_is_there():
    net = Net()
    state = {"first.bias": np.array([1.0, 2.0, 3.0]), "other": np.zeros(1)}
    result = net.load_state_dict(state, strict=False)
    assert result.unexpected_keys == ["other"]
    assert "scale" in result.missing_keys
    assert net.first.bias.tolist() == [1.0, 2.0, 3.0]
    with pytest.raises(StateDictError):
        net.load_state_dict({"first.bias": np.zeros(2)}, strict=False)


def test_a_scalar_may_come_as_one_element():
    neuron = nn.Perceptron(2)
    neuron.load_state_dict({"weight": np.ones(2), "bias": np.array([3.0])})
    assert neuron.bias.item() == 3.0


def test_loading_makes_an_old_graph_refuse_its_backward_pass():
    layer = nn.Linear(2, 2)
    x = aino.ones(1, 2).requires_grad_()
    loss = layer(x).sum()
    layer.load_state_dict({"weight": np.zeros((2, 2)), "bias": np.zeros(2)})
    with pytest.raises(InplaceError):
        loss.backward()


def test_extra_state():
    class Counter(nn.Module):
        def __init__(self):
            super().__init__()
            self.count = 0

        def get_extra_state(self):
            return {"count": self.count}

        def set_extra_state(self, state):
            self.count = state["count"]

    source, other = nn.Sequential(Counter()), nn.Sequential(Counter())
    source[0].count = 5
    state = source.state_dict()
    assert state == {"0._extra_state": {"count": 5}}
    other.load_state_dict(state)
    assert other[0].count == 5
    with pytest.raises(StateDictError, match="_extra_state"):
        other.load_state_dict({})


def test_state_hooks():
    net, log = Net(), []
    net.register_state_dict_pre_hook(lambda m, prefix, keep: log.append("pre"))
    net.first.register_state_dict_post_hook(lambda m, state, prefix, _: state.pop(prefix + "bias"))
    state = net.state_dict()
    assert "first.bias" not in state
    assert log == ["pre"]

    def rename(module, state, prefix, meta, strict, missing, unexpected, errors):
        state[prefix + "bias"] = np.ones(3)

    net.first.register_load_state_dict_pre_hook(rename)
    net.load_state_dict(state)
    assert net.first.bias.tolist() == [1.0, 1.0, 1.0]


def test_a_hook_may_forgive_a_key_and_sees_the_new_values():
    net, seen = Net(), []

    def forgive(module, keys):
        seen.append(module.scale.item())
        keys.missing_keys.remove("mean")

    handle = net.register_load_state_dict_post_hook(forgive)
    state = {key: np.full(v.shape, 2.0) for key, v in net.state_dict().items() if key != "mean"}
    net.load_state_dict(state)
    assert seen == [2.0]
    with pytest.raises(StateDictError):
        net.load_state_dict({**state, "scale": np.full(1, 9.0), "extra": np.zeros(1)})
    assert net.scale.item() == 2.0
    handle.remove()
    with pytest.raises(StateDictError, match="mean"):
        net.load_state_dict(state)


def test_arguments_of_state_dict_by_position_warn_and_give_way_to_named_ones():
    layer = aino.nn.Linear(2, 1)
    into = {}
    with pytest.warns(FutureWarning, match="by position"):
        assert layer.state_dict(into, "a.", True) is into
    assert list(into) == ["a.weight", "a.bias"]
    assert into["a.weight"] is layer.weight
    with pytest.warns(FutureWarning):
        assert list(layer.state_dict({}, "a.", prefix="b.")) == ["b.weight", "b.bias"]
