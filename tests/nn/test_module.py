"""What every module can do: attributes, names, hooks, modes, dtypes, copies."""

import copy
import gc
import pickle
import weakref

import numpy as np
import pytest

import aino
from aino import nn
from aino.structure_version import structure_version


class Net(nn.Module):
    """A model with a part, a buffer and a parameter of its own."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(2, 3)
        self.register_buffer("mean", aino.zeros(3))
        self.rest = nn.Sequential(nn.Tanh(), nn.Linear(3, 1))
        self.scale = nn.Parameter(aino.ones(1))

    def forward(self, x, factor=1.0):
        return self.rest(self.first(x) - self.mean) * self.scale * factor


NAMES = ["scale", "mean", "first.weight", "first.bias", "rest.1.weight", "rest.1.bias"]


# Attributes


def test_names_come_in_the_order_of_pytorch():
    net = Net()
    assert list(net.state_dict()) == NAMES
    assert [name for name, _ in net.named_parameters()] == [n for n in NAMES if n != "mean"]
    assert [name for name, _ in net.named_buffers()] == ["mean"]
    assert [name for name, _ in net.named_modules()] == ["", "first", "rest", "rest.0", "rest.1"]
    assert [name for name, _ in net.named_children()] == ["first", "rest"]
    assert len(list(net.children())) == 2
    assert len(list(net.buffers(recurse=False))) == 1


def test_shared_parts_are_found_once():
    net = Net()
    net.again = net.first
    net.tied = net.scale
    assert len(list(net.parameters())) == 5
    names = [name for name, _ in net.named_parameters(remove_duplicate=False)]
    assert "again.weight" in names
    assert "tied" in names
    assert "again.weight" in net.state_dict()


def test_parts_by_their_paths():
    net = Net()
    assert net.get_submodule("rest.1") is net.rest[1]
    assert net.get_submodule("") is net
    assert net.get_parameter("rest.1.bias") is net.rest[1].bias
    assert net.get_buffer("mean") is net.mean
    net.set_submodule("rest.0", nn.ReLU())
    assert isinstance(net.rest[0], nn.ReLU)
    for method, path in [
        (net.get_submodule, "rest.7"), (net.get_submodule, "scale"), (net.get_parameter, "mean"),
        (net.get_parameter, "rest"), (net.get_buffer, "scale"),
    ]:  # fmt: skip
        with pytest.raises(AttributeError, match=path.split(".")[-1]):
            method(path)
    with pytest.raises(AttributeError):
        net.set_submodule("third", nn.ReLU(), strict=True)


def test_what_an_attribute_may_become():
    net = Net()
    with pytest.raises(TypeError, match="as parameter 'scale'"):
        net.scale = aino.ones(1)
    with pytest.raises(TypeError, match="as buffer 'mean'"):
        net.mean = 3.0
    net.mean = aino.ones(3)
    assert "mean" in net.state_dict()
    net.mean = None
    assert "mean" not in net.state_dict()
    net.mean = nn.Parameter(aino.ones(3))
    assert "mean" in dict(net.named_parameters())
    assert not list(net.buffers())
    net.scale = None
    assert "scale" not in dict(net.named_parameters())
    net.buffer = nn.Buffer(aino.ones(1), persistent=False)
    assert "buffer" in dict(net.named_buffers())
    assert "buffer" not in net.state_dict()
    del net.buffer
    assert "buffer" not in dict(net.named_buffers())
    with pytest.raises(AttributeError):
        net.nothing


def test_registration_refuses_what_is_no_name():
    net = Net()
    for name in ("a.b", "", "forward"):
        with pytest.raises(KeyError):
            net.register_parameter(name, nn.Parameter(aino.ones(1)))
        with pytest.raises(KeyError):
            net.add_module(name, nn.ReLU())
        with pytest.raises(KeyError):
            net.register_buffer(name, aino.ones(1))
    with pytest.raises(TypeError):
        net.register_parameter(3, None)
    with pytest.raises(TypeError):
        net.register_parameter("p", aino.ones(1))
    with pytest.raises(TypeError):
        net.add_module("m", aino.ones(1))
    grown = nn.Parameter(aino.ones(1))
    grown.node = (grown * 2.0).node
    with pytest.raises(ValueError, match="history"):
        net.register_parameter("grown", grown)


def test_a_module_without_super_init():
    class Bare(nn.Module):
        def __init__(self):
            self.part = nn.Linear(1, 1)

    assert len(list(Bare().parameters())) == 2
    with pytest.raises(NotImplementedError, match="Bare has no forward"):
        Bare()(1)


# Hooks


def test_forward_hooks_change_arguments_and_results():
    net, x = Net(), aino.ones(1, 2)
    plain = net(x).item()
    handles = [
        net.register_forward_pre_hook(lambda m, args: aino.zeros(1, 2)),
        net.register_forward_pre_hook(lambda m, a, k: (a, {"factor": 3.0}), with_kwargs=True),
        net.register_forward_hook(lambda m, args, y: y + 1.0),
        net.register_forward_hook(lambda m, a, k, y: y * k["factor"], with_kwargs=True),
    ]
    expected = (net.forward(aino.zeros(1, 2), factor=3.0) + 1.0) * 3.0
    assert net(x).item() == pytest.approx(expected.item())
    for handle in handles:
        handle.remove()
    assert net(x).item() == plain
    net.register_forward_pre_hook(lambda m, a, k: a, with_kwargs=True)
    with pytest.raises(RuntimeError, match="new_kwargs"):
        net(x)


def test_hooks_that_are_always_called():
    net, log = Net(), []
    net.register_forward_hook(lambda m, args, y: log.append(y), always_call=True)
    net.register_forward_hook(lambda m, args, y: log.append("never"))
    with pytest.raises(ValueError, match="shape"):
        net(aino.ones(1, 5))
    assert log == [None]


def test_a_backward_hook_returns_one_gradient_for_each_input():
    layer = nn.Linear(2, 1)
    layer.register_full_backward_hook(lambda m, gi, go: (gi[0], gi[0]))
    with pytest.raises(RuntimeError, match="2 gradients in place of 1"):
        layer(aino.ones(1, 2).requires_grad_()).sum().backward()


def test_backward_hooks_on_several_outputs():
    class Split(nn.Module):
        def forward(self, x):
            return x * 2.0, "text", x * 3.0

    module, seen = Split(), []
    module.register_full_backward_hook(lambda m, gi, go: seen.append((gi, go)))
    x = aino.ones(2).requires_grad_()
    a, _, b = module(x)
    (a + b).sum().backward()
    (((gi,), (ga, text, gb)),) = seen
    assert gi.tolist() == [5.0, 5.0]
    assert (ga.tolist(), text, gb.tolist()) == ([1.0, 1.0], None, [1.0, 1.0])
    with aino.no_grad():
        module(x)
    assert len(seen) == 1


# Modes and dtypes


def test_freezing():
    net = Net().requires_grad_(False)
    assert not any(p.requires_grad for p in net.parameters())
    assert not net(aino.ones(1, 2)).requires_grad
    assert all(p.requires_grad for p in net.requires_grad_().parameters())


def test_gradients_are_forgotten():
    net = Net()
    net(aino.ones(1, 2)).sum().backward()
    kept = net.scale.grad
    net.zero_grad(set_to_none=False)
    assert net.scale.grad.tolist() == [0.0]
    assert kept.tolist() != [0.0]
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())


def test_apply_visits_the_inner_modules_first():
    net, seen = Net(), []
    assert net.apply(lambda m: seen.append(type(m).__name__)) is net
    assert seen == ["Linear", "Tanh", "Linear", "Sequential", "Net"]


def test_dtypes():
    net = Net()
    net.register_buffer("count", aino.tensor([1]))
    net(aino.ones(1, 2)).sum().backward()
    scale = net.scale
    assert net.double() is net
    assert net.scale is scale
    assert scale.dtype == scale.grad.dtype == aino.float64
    assert net.count.dtype == aino.int64
    net(aino.ones(1, 2, dtype=aino.float64)).sum().backward()
    assert net.half().scale.dtype == aino.float16
    assert net.float().scale.dtype == aino.float32
    assert net.to(aino.float64).scale.dtype == aino.float64
    assert net.to("cpu", dtype=aino.float32).mean.dtype == aino.float32
    assert net.to(aino.zeros(1, dtype=aino.float64)).mean.dtype == aino.float64
    assert net.to("cpu").cpu().mean.dtype == aino.float64
    assert net.type(aino.float32).count.dtype == aino.float32
    with pytest.raises(TypeError):
        net.to(aino.int64)
    with pytest.raises(RuntimeError, match="'tpu' is not a device"):
        net.to("tpu")
    with pytest.raises(ValueError):
        net.train("yes")


def test_an_input_of_another_dtype_is_named():
    with pytest.raises(TypeError, match=r"input is float64 and the weight float32.*double\(\)"):
        nn.Linear(2, 1)(aino.ones(1, 2, dtype=aino.float64))


# Copies


def test_a_deep_copy_shares_nothing_but_ties_what_was_tied():
    net = Net()
    net.tied = net.first
    net(aino.ones(1, 2)).sum().backward()
    net.scale.requires_grad_(False)
    other = copy.deepcopy(net)
    assert other.tied is other.first
    assert not np.may_share_memory(other.first.weight.array, net.first.weight.array)
    assert other.first.weight.grad is None
    assert not other.scale.requires_grad
    assert list(other.state_dict()) == list(net.state_dict())
    again = pickle.loads(pickle.dumps(nn.Sequential(net.first)))
    assert aino.equal(again[0].weight, net.first.weight)


def test_parameters_print_and_pickle():
    parameter = nn.Parameter(aino.tensor([1.0, 2.0]))
    assert repr(parameter) == "Parameter containing:\ntensor([1., 2.], requires_grad=True)"
    other = pickle.loads(pickle.dumps(parameter))
    assert type(other) is nn.Parameter
    assert other.requires_grad
    assert type(parameter * 2.0) is aino.Tensor
    assert nn.Parameter().shape == (0,)
    with pytest.raises(TypeError):
        nn.Parameter(aino.tensor([1]))
    assert not nn.Parameter(aino.tensor([1]), requires_grad=False).requires_grad


def test_a_model_leaves_with_its_last_reference():
    gc.disable()
    try:
        net = Net()
        loss = net(aino.ones(1, 2)).sum()
        loss.backward()
        reference = net.scale.node
        gone = weakref.ref(reference)
        del net, loss, reference
        assert gone() is None
    finally:
        gc.enable()


# The structure version that compiled programs watch


@pytest.mark.parametrize(
    "change",
    [
        lambda net: net.eval(),
        lambda net: setattr(net, "scale", nn.Parameter(aino.ones(1))),
        lambda net: setattr(net, "first", nn.Linear(2, 3)),
        lambda net: setattr(net.rest, "0", nn.ReLU()),
        lambda net: setattr(net, "anything", 3),
        lambda net: delattr(net, "scale"),
        lambda net: net.requires_grad_(False),
        lambda net: setattr(net.scale, "requires_grad", False),
        lambda net: net.register_forward_hook(print).remove(),
        lambda net: net.register_buffer("other", aino.ones(1)),
        lambda net: net.double(),
        lambda net: net.rest.append(nn.ReLU()),
    ],
)
def test_changes_move_the_structure_version(change):
    net = Net()
    before = structure_version.count
    change(net)
    assert structure_version.count > before


def test_running_does_not_move_the_structure_version():
    net = Net()
    net.train()
    before = structure_version.count
    net(aino.ones(1, 2)).sum().backward()
    net.zero_grad()
    net.train()
    net.load_state_dict(net.state_dict())
    assert structure_version.count == before
