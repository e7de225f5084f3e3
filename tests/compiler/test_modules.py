"""A compiled module stays a module and trains: its backward pass is a program, too."""

import copy
import pickle
import warnings

import numpy as np
import pytest

import aino
from aino import nn
from aino.errors import CompileWarning, GradientError, InplaceError

F = nn.functional


class Two(nn.Module):
    """Takes and returns several things, some of them without a gradient."""

    def __init__(self):
        super().__init__()
        self.one, self.other = nn.Linear(4, 3), nn.Linear(4, 3)

    def forward(self, x, scale=1.0):
        h = self.one(x)
        return {"sum": h + self.other(x) * scale, "best": h.argmax(1), "mean": h.mean()}


class Frozen(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(4, 6), nn.Linear(6, 3)
        self.first.requires_grad_(False)

    def forward(self, x):
        return self.second(self.first(x).tanh())


class Shared(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(aino.randn(4, 4) * 0.3)

    def forward(self, x):
        h = x
        for _ in range(3):
            h = (h @ self.weight).sin() + aino.cat([h[:, 2:], h[:, :2]], 1)
        return h[:, :3]


MODELS = {
    "mlp": lambda: nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3)),
    "dropout": lambda: nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.4), nn.GELU(), nn.Linear(8, 3)),
    "layer norm": lambda: nn.Sequential(nn.LayerNorm(4), nn.Linear(4, 3), nn.Softplus()),
    "bilinear": lambda: nn.Sequential(nn.Linear(4, 8), nn.SiLU(), nn.Linear(8, 3, bias=False)),
    "frozen": Frozen,
    "shared": Shared,
    "several": Two,
    "complex": lambda: nn.Sequential(nn.Linear(4, 3).to(aino.complex64)),
}


def loss_of(out, y):
    if isinstance(out, dict):
        return F.cross_entropy(out["sum"], y) + out["mean"] ** 2 + out["best"].float().mean()
    return F.cross_entropy(out.abs() if out.dtype.kind == "c" else out, y)


def trained(make, name, wrap=lambda model: model, steps=7):
    aino.manual_seed(0)
    model = wrap(make(MODELS[name]()))
    kind = aino.complex64 if name == "complex" else aino.float32
    optimizer = aino.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=0.01)
    found = []
    for step in range(steps):
        x, y = aino.randn(5 if step < 5 else 3, 4).to(kind), aino.randint(0, 3, (5,))
        optimizer.zero_grad()
        loss = loss_of(model(x), y[: len(x)])
        loss.backward()
        found.append([p.grad.tolist() for p in model.parameters() if p.grad is not None])
        optimizer.step()
        found.append(loss.item())
    return found, [p.tolist() for p in model.parameters()]


@pytest.mark.parametrize("name", MODELS)
def test_a_compiled_module_trains_as_the_module_does(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error", CompileWarning)
        assert trained(aino.compile, name) == trained(lambda model: model, name)


@pytest.mark.parametrize("name", ["mlp", "dropout", "shared"])
def test_it_stands_in_other_modules_and_learns_with_them(name):
    def wrap(model):
        return nn.Sequential(nn.Linear(4, 4), model, nn.Linear(3, 3))

    assert trained(aino.compile, name, wrap) == trained(lambda model: model, name, wrap)


def test_it_is_the_module_in_all_else():
    model = MODELS["dropout"]()
    compiled = aino.compile(model)
    assert isinstance(compiled, nn.Sequential)
    assert compiled._orig_mod is model
    assert list(compiled.state_dict()) == list(model.state_dict())
    assert all(a is b for a, b in zip(compiled.parameters(), model.parameters(), strict=True))
    compiled.eval()
    assert not model.training
    assert not model[1].training
    assert aino.compile(compiled) is compiled
    compiled.load_state_dict({key: value * 0 for key, value in model.state_dict().items()})
    assert model[0].weight.abs().sum().item() == 0.0
    compiled.note = 3
    assert model.note == 3
    outer = nn.Sequential(compiled)
    assert list(outer.state_dict()) == [f"0.{key}" for key in model.state_dict()]
    assert compiled in list(outer.modules())
    assert "CompiledSequential(\n  (0): Linear" in repr(compiled)


def test_training_and_evaluation_have_programs_of_their_own():
    model = MODELS["dropout"]()
    compiled, x = aino.compile(model), aino.ones(2, 4)
    for _ in range(3):
        compiled.train()
        noisy = [compiled(x).tolist() for _ in range(4)]
        assert noisy[0] != noisy[3]
        compiled.eval()
        assert [compiled(x).tolist() for _ in range(4)] == [model(x).tolist()] * 4
    assert len(compiled._compiled._forward._specializations) == 2


def test_without_recording_it_is_a_predictor():
    model = MODELS["mlp"]()
    compiled, x = aino.compile(model), aino.ones(2, 4)
    with aino.no_grad():
        found = [compiled(x) for _ in range(4)]
    assert [y.requires_grad for y in found] == [False] * 4
    assert [y.tolist() for y in found] == [model(x).tolist()] * 4
    assert compiled(x).requires_grad


def test_copies_and_files(tmp_path):
    compiled, x = aino.compile(MODELS["mlp"]()), aino.ones(2, 4)
    expected = compiled(x).tolist()
    for other in (copy.deepcopy(compiled), pickle.loads(pickle.dumps(compiled))):
        assert type(other) is type(compiled)
        assert [other(x).tolist() for _ in range(3)] == [expected] * 3
        assert other[0].weight is not compiled[0].weight
    compiled.save(tmp_path / "model.dit")
    aino.save(nn.Sequential(compiled), tmp_path / "outer.dit")
    assert aino.load(tmp_path / "model.dit")(x).tolist() == expected
    assert type(aino.load(tmp_path / "outer.dit")[0]) is nn.Sequential
    compiled.save_source(tmp_path / "predict.py")
    scope = {}
    exec((tmp_path / "predict.py").read_text(), scope)
    np.testing.assert_allclose(scope["predict"](x.numpy()), expected, rtol=1e-6)


def test_hooks_are_called():
    model = MODELS["mlp"]()
    compiled = aino.compile(model)
    handle = compiled.register_forward_hook(lambda module, args, out: out * 2)
    x = aino.ones(2, 4)
    assert [compiled(x).tolist() for _ in range(4)] == [model(x).tolist()] * 4
    before = compiled(x)
    handle.remove()
    assert [(compiled(x) * 2).tolist() for _ in range(4)] == [before.tolist()] * 4
    shown = []
    model[0].weight.register_hook(shown.append)
    for _ in range(4):
        compiled(x).sum().backward()
    assert len(shown) == 4


# Functions whose results want a backward pass

W = aino.tensor([0.5, -1.0, 2.0], requires_grad=True)

FUNCTIONS = {
    "product": lambda x: x * W,
    "in a dict": lambda x: {"a": (x * W).exp(), "b": [x + 1, W]},
    "the argument itself": lambda x: (x, (x * x).sum()),
    "no gradient": lambda x: x.detach() * 2,
    "power": lambda x: (x.abs() + 1) ** W,
    "subscript": lambda x: x[1:] * W[:-1],
    "max": lambda x: (x * W).max(),
    "where": lambda x: aino.where(x > 0, x * W, W),
    "norm": lambda x: (x - W).norm(),
    "logsumexp": lambda x: (x * W).logsumexp(0),
    "einsum": lambda x: aino.einsum("i,j->ij", x, W),
    "cumsum": lambda x: (x * W).cumsum(0),
    "sort": lambda x: (x * W).sort()[0],
}


def outputs_of(result):
    if isinstance(result, aino.Tensor):
        return [result]
    parts = result.values() if isinstance(result, dict) else result
    return [tensor for part in parts for tensor in outputs_of(part)]


def slopes(function, turns=5):
    found = []
    for turn in range(turns):
        leaf = aino.tensor([1.0, -2.0, 3.0 + turn], requires_grad=True)
        W.grad = None
        result = function(leaf * 2)
        loss = sum((y * y).sum() for y in outputs_of(result) if y is not W)
        found.append(loss.item())
        if loss.requires_grad:
            loss.backward()
        found.append([None if t.grad is None else t.grad.tolist() for t in (leaf, W)])
    return found


@pytest.mark.parametrize("name", FUNCTIONS)
def test_gradients_flow_through_a_compiled_function(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error", CompileWarning)
        assert slopes(aino.compile(FUNCTIONS[name])) == slopes(FUNCTIONS[name])


class Twice(aino.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2

    @staticmethod
    def backward(ctx, g):
        return g * 20


#: What has no compiled backward pass goes on uncompiled.
UNCOMPILED = {
    "a Function": lambda x: Twice.apply(x) * W,
    "a view of the argument": lambda x: x.reshape(3, 1),
    "two views": lambda x: (lambda h: (h, h[:1]))(x * W),
    "a backward inside": lambda x: (x.sum().backward(retain_graph=True), x * W)[1],
}


@pytest.mark.parametrize("name", UNCOMPILED)
def test_other_graphs_go_on_uncompiled(name):
    with pytest.warns(CompileWarning, match="goes on uncompiled"):
        found = slopes(aino.compile(UNCOMPILED[name]))
    assert found == slopes(UNCOMPILED[name])


def test_a_part_of_the_gradients():
    f = aino.compile(lambda x: (x * W).sin())
    for _ in range(5):
        x = aino.tensor([1.0, 2.0, 3.0], requires_grad=True)
        (alone,) = aino.autograd.grad(f(x).sum(), x)
        assert alone.tolist() == (W * (x * W).cos()).tolist()
    assert f(x).grad_fn.name() == "CompiledFunctionBackward"


def test_what_a_compiled_backward_pass_refuses():
    f = aino.compile(lambda x: (x * W).sin())
    for _ in range(4):
        x = aino.tensor([1.0, 2.0, 3.0], requires_grad=True)
        y = f(x).sum()
        with pytest.raises(GradientError, match="create_graph=True can't differentiate it again"):
            aino.autograd.grad(y, x, create_graph=True)
        y.backward(retain_graph=True)
        y.backward()
        with pytest.raises(GradientError, match="freed"):
            y.backward()
        y = f(x)
        with aino.no_grad():
            W.add_(0.0)
        with pytest.raises(InplaceError, match="CompiledFunctionBackward"):
            y.sum().backward()


def test_a_compiled_module_inside_a_compiled_step():
    def run(make, outer):
        aino.manual_seed(0)
        model = make(MODELS["dropout"]())
        optimizer = aino.optim.Adam(model.parameters(), lr=0.01)

        @outer
        def step(x, y):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
            return loss

        x, y = aino.ones(3, 4), aino.tensor([0, 1, 2])
        return [step(x, y).item() for _ in range(6)]

    def same(f):
        return f

    assert run(aino.compile, aino.compile) == run(same, same) == run(aino.compile, same)


def test_a_result_whose_graph_keeps_nothing_wants_a_gradient_too():
    w = aino.ones(2, requires_grad=True)
    step = aino.compile(lambda x: w + x)
    for _ in range(5):
        result = step(aino.ones(2))
        assert result.requires_grad
        w.grad = None
        result.sum().backward()
        assert w.grad.tolist() == [1.0, 1.0]


class Looped(nn.Module):
    """A module whose containers hold themselves, and what they are in."""

    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(2, 2)
        self.settings = {"scale": 2.0}
        self.settings["own"] = self.settings
        self.parts = [aino.ones(2)]
        self.parts.append((self.parts, self.settings))
        self.rooms = [vars(self.inner), vars(self)]

    def forward(self, x):
        return self.inner(x) * self.settings["scale"] + self.parts[0]


def test_containers_that_hold_themselves_are_followed():
    model, x = Looped(), aino.ones(1, 2)
    compiled = aino.compile(model, fullgraph=True)
    assert compiled(x).equal(model(x))
    model.settings["scale"] = 3.0
    assert compiled(x).equal(model(x))
    model.parts[0] = aino.zeros(2)
    assert compiled(x).equal(model(x))
